/* A user of a kubeconfig: who we are, and whom we pass for. */
#include "lib/auth/pem.h"
#include "lib/auth/resolve.h"
#include "lib/auth/token.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int no_memory(struct kube_err *err)
{
	return kube_fail(err, KUBE_E_NOMEM, "out of memory for the configuration");
}

static int use_client_cert(const struct kubeconfig_user *user, const struct kubeconfig_file *file,
                           struct kube_config *config, struct kube_err *err)
{
	char cert[KUBE_CONFIG_WHAT_SIZE], key[KUBE_CONFIG_WHAT_SIZE];
	kube_config_what(cert, "client-certificate", "user", user->name);
	kube_config_what(key, "client-key", "user", user->name);
	int rc = kube_config_read_pem(file, cert, user->cert_data, user->cert_file, &config->client_cert_pem,
	                              &config->client_cert_file, err);
	if (rc == 0)
		rc = kube_config_read_pem(file, key, user->key_data, user->key_file, &config->client_key_pem,
		                          &config->client_key_file, err);
	if (rc != 0 || (!config->client_cert_pem && !config->client_key_pem))
		return rc;
	if (!config->client_cert_pem || !config->client_key_pem)
		return kube_fail(err, KUBE_E_AUTH, "the user \"%s\" in %s has a client-%s but no client-%s", user->name,
		                 file->path, config->client_cert_pem ? "certificate" : "key",
		                 config->client_cert_pem ? "key" : "certificate");
	rc = kube_pem_check_certs(cert, config->client_cert_pem, err);
	return rc == 0 ? kube_pem_check_key(key, config->client_key_pem, config->client_cert_pem, err) : rc;
}

static int use_token(const struct kubeconfig_user *user, const struct kubeconfig_file *file, struct kube_config *config,
                     struct kube_err *err)
{
	if (user->token && *user->token) {
		if (!kube_token_ok(user->token))
			return kube_fail(err, KUBE_E_AUTH,
			                 "the token of user \"%s\" in %s contains blanks or control characters: correct it",
			                 user->name, file->path);
		int rc = kube_config_set(&config->token, user->token, err);
		if (rc != 0)
			return rc;
	}
	if (!user->token_file || !*user->token_file)
		return 0;
	config->token_file = kube_config_path(file, user->token_file);
	if (!config->token_file)
		return no_memory(err);
	if (!config->token && access(config->token_file, R_OK) != 0)
		return kube_fail(err, KUBE_E_AUTH, "cannot read the tokenFile %s of user \"%s\": %m", config->token_file,
		                 user->name);
	return 0;
}

/* ---- impersonation ---- */

/* What a header line can carry: no control characters. */
static bool is_header_text(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return *text != '\0';
}

static int copy_groups(const struct kubeconfig_user *user, struct kube_impersonation *as, bool *ret_ok)
{
	as->groups = calloc(user->as_groups.count + 1, sizeof(*as->groups));
	for (size_t i = 0; as->groups && i < user->as_groups.count; i++) {
		*ret_ok &= is_header_text(user->as_groups.items[i]);
		as->groups[i] = strdup(user->as_groups.items[i]);
		if (!as->groups[i])
			return KUBE_E_NOMEM;
	}
	return as->groups ? 0 : KUBE_E_NOMEM;
}

static int copy_extra(const struct kubeconfig_user *user, struct kube_impersonation *as, bool *ret_ok)
{
	size_t count = 0, n = 0;
	for (size_t i = 0; i < user->as_extra.count; i++)
		count += user->as_extra.items[i].values.count;
	as->extra = calloc(2 * count + 1, sizeof(*as->extra));
	for (size_t i = 0; as->extra && i < user->as_extra.count; i++) {
		const struct kubeconfig_extra *extra = &user->as_extra.items[i];
		for (size_t k = 0; k < extra->values.count; k++) {
			*ret_ok &= *extra->key && is_header_text(extra->values.items[k]);
			as->extra[n++] = strdup(extra->key);
			if (as->extra[n - 1])
				as->extra[n++] = strdup(extra->values.items[k]);
			if (!as->extra[n - 1])
				return KUBE_E_NOMEM;
		}
	}
	return as->extra ? 0 : KUBE_E_NOMEM;
}

static int use_impersonation(const struct kubeconfig_user *user, const struct kubeconfig_file *file,
                             struct kube_config *config, struct kube_err *err)
{
	struct kube_impersonation *as = &config->impersonation;
	bool has_user = user->as && *user->as, has_uid = user->as_uid && *user->as_uid;
	bool ok = (!has_user || is_header_text(user->as)) && (!has_uid || is_header_text(user->as_uid));
	if (!has_user && (has_uid || user->as_groups.count > 0 || user->as_extra.count > 0))
		return kube_fail(err, KUBE_E_INVALID,
		                 "the user \"%s\" in %s sets as-uid, as-groups or as-user-extra without as: name the user",
		                 user->name, file->path);
	if (!has_user)
		return 0;
	int rc = kube_config_set(&as->user, user->as, err);
	if (rc == 0 && has_uid)
		rc = kube_config_set(&as->uid, user->as_uid, err);
	if (rc == 0 && (copy_groups(user, as, &ok) != 0 || copy_extra(user, as, &ok) != 0))
		rc = no_memory(err);
	if (rc == 0 && !ok)
		rc = kube_fail(err, KUBE_E_INVALID,
		               "the user \"%s\" in %s impersonates with an empty value or one with control characters: "
		               "correct as-groups or as-user-extra",
		               user->name, file->path);
	return rc;
}

/* ---- all of it ---- */

/* What kubectl could do once: said at once, instead of a request as nobody. */
static int refuse_unsupported(const struct kubeconfig_user *user, const struct kubeconfig_file *file,
                              const struct kube_config *config, struct kube_err *err)
{
	bool none = !config->client_cert_pem && !config->token && !config->token_file && !user->exec;
	if (user->auth_provider)
		return kube_fail(
		    err, KUBE_E_AUTH,
		    "the user \"%s\" in %s uses an auth-provider, which is not supported: give it an exec plugin, a "
		    "client certificate, a token or a tokenFile",
		    user->name, file->path);
	if (none && (user->username || user->password))
		return kube_fail(err, KUBE_E_AUTH,
		                 "the user \"%s\" in %s has a username and password only, which Kubernetes no longer accepts: "
		                 "give it a client certificate or a token",
		                 user->name, file->path);
	return 0;
}

int kube_config_use_user(const struct kube_config_options *options, const struct kubeconfig_user *user,
                         const struct kubeconfig_file *file, const struct kubeconfig_cluster *cluster,
                         struct kube_config *config, struct kube_err *err)
{
	int rc = use_client_cert(user, file, config, err);
	if (rc == 0)
		rc = use_token(user, file, config, err);
	if (rc == 0)
		rc = refuse_unsupported(user, file, config, err);
	if (rc == 0)
		rc = use_impersonation(user, file, config, err);
	if (rc == 0 && user->exec)
		rc = kube_config_use_exec(options, user, file, cluster, config, err);
	return rc;
}
