/* The exec plugin of a user, ready to be run (client-go: tools/clientcmd/validation.go, plugin/pkg/client/auth/exec).
 */
#include "lib/auth/pem.h"
#include "lib/auth/resolve.h"

#include <stdio.h>
#include <string.h>

static const char *const versions[] = {"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"};

static int no_memory(struct kube_err *err)
{
	return kube_fail(err, KUBE_E_NOMEM, "out of memory for the configuration");
}

static bool is_version(const char *text)
{
	for (size_t i = 0; text && i < KUBE_ARRAY_LEN(versions); i++)
		if (strcmp(text, versions[i]) == 0)
			return true;
	return false;
}

static bool has_nameless_variable(const struct kubeconfig_exec *exec)
{
	for (size_t i = 0; i < exec->env.count; i++) {
		const char *name = exec->env.items[i].name;
		if (!name || !*name || strchr(name, '='))
			return true;
	}
	return false;
}

/* What is wrong with it, and what to do; NULL: nothing. */
static const char *problem_of(const struct kubeconfig_exec *exec, bool terminal)
{
	if (!exec->command || !*exec->command)
		return "has no command: name one";
	if (!is_version(exec->api_version))
		return "needs the apiVersion client.authentication.k8s.io/v1 or v1beta1: set it to the one that the plugin "
		       "speaks";
	if (has_nameless_variable(exec))
		return "sets a variable in env that has no name: give each its name";
	if (exec->interactive_mode == KUBECONFIG_INTERACTIVE_UNSET && strcmp(exec->api_version, versions[0]) == 0)
		return "needs an interactiveMode: set Never, IfAvailable or Always";
	if (exec->interactive_mode == KUBECONFIG_INTERACTIVE_ALWAYS && !terminal)
		return "asks at the terminal (interactiveMode Always), and there is none: use other credentials";
	return NULL;
}

/* A command with a '/' in it is a path like all others in the file; one without is looked for in PATH. */
static char *command_of(const struct kubeconfig_exec *exec, const struct kubeconfig_file *file)
{
	return strchr(exec->command, '/') ? kube_config_path(file, exec->command) : strdup(exec->command);
}

static int set_arguments(const struct kubeconfig_exec *exec, const struct kubeconfig_file *file, struct kube_exec *made,
                         struct kube_err *err)
{
	made->argv = calloc(exec->args.count + 2, sizeof(*made->argv));
	made->env = calloc(exec->env.count + 1, sizeof(*made->env));
	if (!made->argv || !made->env || !(made->argv[0] = command_of(exec, file)))
		return no_memory(err);
	for (size_t i = 0; i < exec->args.count; i++)
		if (!(made->argv[i + 1] = strdup(exec->args.items[i])))
			return no_memory(err);
	for (size_t i = 0; i < exec->env.count; i++) {
		const struct kubeconfig_variable *variable = &exec->env.items[i];
		if (asprintf(&made->env[i], "%s=%s", variable->name, variable->value ? variable->value : "") < 0) {
			made->env[i] = NULL;
			return no_memory(err);
		}
	}
	return 0;
}

static bool add_text(cJSON *object, const char *name, const char *text)
{
	return !text || !*text || cJSON_AddStringToObject(object, name, text);
}

static bool add_json(cJSON *object, const char *name, const char *text)
{
	cJSON *json = text ? cJSON_Parse(text) : NULL;
	if (!text)
		return true;
	if (json && cJSON_AddItemToObject(object, name, json))
		return true;
	cJSON_Delete(json);
	return false;
}

/* What a plugin with provideClusterInfo learns of the cluster: all that it takes to talk to it. */
static char *describe_cluster(const struct kubeconfig_cluster *cluster, const struct kube_config *config)
{
	_cleanup_json_ cJSON *object = cJSON_CreateObject();
	_cleanup_free_ char *ca = config->ca_pem ? kube_base64_encode(config->ca_pem) : NULL;
	bool ok = object && (!config->ca_pem || ca) && add_text(object, "server", cluster->server) &&
	          add_text(object, "tls-server-name", cluster->tls_server_name) &&
	          add_text(object, "certificate-authority-data", ca) && add_text(object, "proxy-url", cluster->proxy_url) &&
	          (!config->insecure || cJSON_AddTrueToObject(object, "insecure-skip-tls-verify")) &&
	          add_json(object, "config", cluster->exec_config);
	return ok ? cJSON_PrintUnformatted(object) : NULL;
}

static int fill(const struct kubeconfig_user *user, const struct kubeconfig_file *file,
                const struct kubeconfig_cluster *cluster, const struct kube_config *config, struct kube_exec *made,
                struct kube_err *err)
{
	const struct kubeconfig_exec *exec = user->exec;
	int rc = set_arguments(exec, file, made, err);
	if (rc == 0)
		rc = kube_config_set(&made->api_version, exec->api_version, err);
	if (rc == 0)
		rc = kube_config_set(&made->install_hint, exec->install_hint ? exec->install_hint : "", err);
	if (rc == 0 && asprintf(&made->user, "user \"%s\" in %s", user->name, file->path) < 0) {
		made->user = NULL;
		rc = no_memory(err);
	}
	if (rc == 0 && exec->provide_cluster_info && !(made->cluster = describe_cluster(cluster, config)))
		rc = no_memory(err);
	return rc;
}

int kube_config_use_exec(const struct kube_config_options *options, const struct kubeconfig_user *user,
                         const struct kubeconfig_file *file, const struct kubeconfig_cluster *cluster,
                         struct kube_config *config, struct kube_err *err)
{
	const char *problem = problem_of(user->exec, options->terminal);
	if (problem)
		return kube_fail(err, KUBE_E_AUTH, "the exec plugin of user \"%s\" in %s %s", user->name, file->path, problem);
	config->exec = calloc(1, sizeof(*config->exec));
	if (!config->exec)
		return no_memory(err);
	config->exec->terminal = options->terminal && user->exec->interactive_mode != KUBECONFIG_INTERACTIVE_NEVER;
	return fill(user, file, cluster, config, config->exec, err);
}
