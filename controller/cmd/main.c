/* patchwright-controller: the real outside (loop, HTTP, signals) around the controller. */
#include "controller/cmd/health.h"
#include <kube/config.h>
#include <kube/http.h>
#include <kube/log.h>
#include <kube/loop.h>
#include <kube/outgoing.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct program {
	struct options options;
	struct kube_loop *loop;
	struct kube_config *config;
	struct kube_http *http;
	struct kube_outgoing *outgoing;
	struct kube_httpd *httpd;
	struct controller *controller;
	char host[256], instance[256], user_agent[128], identity[KUBE_ELECTOR_IDENTITY_SIZE];
	int status;
};

static long long wall_ms(void *arg)
{
	return kube_env_wall_ms(arg);
}

static void set_up_log(struct program *program)
{
	const struct kube_log_config config = {
	    .level = program->options.log_level,
	    .format = program->options.log_format,
	    .wall_ms = wall_ms,
	    .wall_arg = kube_loop_env(program->loop),
	};
	kube_log_setup(&config);
}

/* The names by which clients and Go call machines. */
static const char *architecture(const char *machine)
{
	if (strcmp(machine, "x86_64") == 0)
		return "amd64";
	return strcmp(machine, "aarch64") == 0 ? "arm64" : machine;
}

static void name_ourselves(struct program *program)
{
	struct utsname system = {0};
	const char *server = strstr(program->config->server, "://");
	uname(&system);
	snprintf(program->user_agent, sizeof(program->user_agent), "patchwright-controller/%s (linux/%.32s)",
	         PATCHWRIGHT_VERSION, architecture(system.machine));
	snprintf(program->instance, sizeof(program->instance), "patchwright-controller-%.200s", system.nodename);
	kube_elector_identity(kube_loop_env(program->loop), system.nodename, program->identity);
	snprintf(program->host, sizeof(program->host), "%s", server ? server + 3 : program->config->server);
	program->host[strcspn(program->host, "/")] = '\0';
}

static void on_end(void *arg, int status)
{
	struct program *program = arg;
	program->status = status;
	kube_loop_stop(program->loop);
}

static void on_quiet(void *arg)
{
	struct program *program = arg;
	kube_httpd_free(take(program->httpd));
}

static void on_signal(void *arg, int signo, int count)
{
	struct program *program = arg;
	if (count > 1) {
		kube_log(KUBE_LOG_WARN, "a second signal came; ending at once", NULL);
		controller_end(program->controller, 1);
		return;
	}
	kube_log(KUBE_LOG_INFO, "stopping: no new work is begun, writes in flight end", "signal", strsignal(signo), NULL);
	controller_stop(program->controller);
}

static int connect_to_server(struct program *program, struct kube_err *err)
{
	const struct kube_config_options options = {
	    .kubeconfig = program->options.kubeconfig,
	    .context = program->options.context,
	    .allow_insecure = program->options.allow_insecure_tls,
	};
	int rc = kube_config_load(&options, &program->config, err);
	if (rc < 0)
		return rc;
	if (program->config->insecure)
		kube_log(KUBE_LOG_WARN, "the API server's certificate is not verified: anybody may pass for it", "server",
		         program->config->server, NULL);
	name_ourselves(program);
	const struct kube_http_options http_options = {.user_agent = program->user_agent};
	rc = kube_http_new(program->loop, program->config, &http_options, &program->http, err);
	if (rc < 0)
		return rc;
	const struct kube_outgoing_options outgoing_options = {
	    .user_agent = program->user_agent,
	    .allow = program->options.allow_endpoints,
	    .api = program->http,
	};
	return kube_outgoing_new(program->loop, &outgoing_options, &program->outgoing, err);
}

static int serve_health(struct program *program, struct kube_err *err)
{
	if (!program->options.listen_address)
		return 0;
	const struct kube_httpd_options options = {
	    .address = program->options.listen_address,
	    .handle = health_handle,
	    .arg = program->controller,
	};
	int rc = kube_httpd_new(program->loop, &options, &program->httpd, err);
	return rc < 0 ? kube_err_prefix(err, "--listen-address %s", options.address) : 0;
}

static int set_up(struct program *program, struct kube_err *err)
{
	int rc = kube_loop_new(&program->loop, err);
	if (rc < 0)
		return rc;
	set_up_log(program);
	rc = connect_to_server(program, err);
	if (rc < 0)
		return rc;
	const struct controller_options options = {
	    .options = &program->options,
	    .env = kube_loop_env(program->loop),
	    .transport = kube_http_transport(program->http),
	    .outgoing = kube_outgoing_transport(program->outgoing),
	    .host = program->host,
	    .instance = program->instance,
	    .identity = program->identity,
	    .on_quiet = on_quiet,
	    .on_end = on_end,
	    .arg = program,
	};
	rc = controller_new(&options, &program->controller, err);
	if (rc == 0)
		rc = serve_health(program, err);
	if (rc == 0)
		rc = kube_loop_on_signal(program->loop, on_signal, program, err);
	return rc;
}

static void tear_down(struct program *program)
{
	kube_httpd_free(program->httpd);
	controller_free(program->controller);
	kube_outgoing_free(program->outgoing);
	kube_http_free(program->http);
	kube_config_free(program->config);
	kube_loop_free(program->loop);
}

static int run(struct program *program)
{
	struct kube_err err = {0};
	if (set_up(program, &err) < 0) {
		fprintf(stderr, "patchwright-controller: %s\n", err.message);
		tear_down(program);
		return EXIT_FAILURE;
	}
	kube_log(KUBE_LOG_INFO, "patchwright-controller starts", "version", PATCHWRIGHT_VERSION, "server",
	         program->config->server, "context", program->config->context, "namespace", program->options.namespace_,
	         "jobNamespace", program->options.job_namespace, NULL);
	controller_start(program->controller);
	kube_loop_run(program->loop);
	kube_log(KUBE_LOG_INFO, "patchwright-controller ends", NULL);
	tear_down(program);
	return program->status;
}

/* One thread needs one heap; and what a list or a plan took is given back, however often it comes. */
static void tune_memory(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	mallopt(M_TRIM_THRESHOLD, 256 << 10);
}

int main(int argc, char **argv)
{
	struct program program = {0};
	struct kube_err err = {0};
	tune_memory();
	if (options_parse(argc, argv, &program.options, &err) < 0) {
		fprintf(stderr, "patchwright-controller: %s\n", err.message);
		return 2;
	}
	if (program.options.help) {
		options_print_help(stdout);
		return EXIT_SUCCESS;
	}
	if (program.options.version) {
		printf("patchwright-controller %s\n", PATCHWRIGHT_VERSION);
		return EXIT_SUCCESS;
	}
	return run(&program);
}
