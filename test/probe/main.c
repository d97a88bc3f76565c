/* kube-probe: the real loop and transport around the commands of probe.h. */
#include "test/probe/probe.h"

#include <getopt.h>
#include <kube/http.h>
#include <kube/log.h>
#include <kube/loop.h>
#include <kube/time.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

struct program {
	struct kube_config_options where;
	struct kube_http_options how;
	struct kube_loop *loop;
	struct kube_config *config;
	struct kube_http *http;
	struct kube_client *client;
	struct probe *probe;
	uv_pipe_t input;
	char chunk[65536];
	struct kube_buf line;
};

static int parse(int argc, char **argv, struct program *program, struct kube_err *err)
{
	static const struct option known[] = {
	    {"kubeconfig", required_argument, NULL, 'k'},
	    {"context", required_argument, NULL, 'c'},
	    {"allow-insecure-tls", no_argument, NULL, 'i'},
	    {"reread", required_argument, NULL, 'r'},
	    {NULL, 0, NULL, 0},
	};
	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (option) {
		case 'k': program->where.kubeconfig = optarg; break;
		case 'c': program->where.context = optarg; break;
		case 'i': program->where.allow_insecure = true; break;
		case 'r':
			if (kube_duration_parse(optarg, &program->how.certificates_reread_ms, err) != 0)
				return kube_err_prefix(err, "--reread");
			break;
		default: return kube_fail(err, KUBE_E_INVALID, "usage: see test/probe/probe.h");
		}
	}
	return 0;
}

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
	struct program *program = handle->data;
	(void)suggested;
	*ret_buf = uv_buf_init(program->chunk, sizeof(program->chunk));
}

static void input_came(uv_stream_t *stream, ssize_t n, const uv_buf_t *chunk)
{
	struct program *program = stream->data;
	if (n < 0) {
		kube_loop_stop(program->loop);
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (chunk->base[i] != '\n') {
			kube_buf_add(&program->line, &chunk->base[i], 1);
		} else if (program->line.len > 0) {
			probe_command(program->probe, program->line.data);
			kube_buf_reset(&program->line);
		}
	}
}

static int set_up(struct program *program, struct kube_err *err)
{
	int rc = kube_loop_new(&program->loop, err);
	if (rc == 0)
		rc = kube_config_load(&program->where, &program->config, err);
	if (rc == 0)
		rc = kube_http_new(program->loop, program->config, &program->how, &program->http, err);
	if (rc == 0)
		rc = kube_client_new(kube_loop_env(program->loop), kube_http_transport(program->http), &program->client, err);
	if (rc == 0)
		rc = probe_new(program->client, &program->probe, err);
	if (rc != 0)
		return rc;
	kube_buf_init(&program->line, PROBE_MAX_LINE_BYTES);
	program->input.data = program;
	if (uv_pipe_init(kube_loop_uv(program->loop), &program->input, 0) != 0 || uv_pipe_open(&program->input, 0) != 0 ||
	    uv_read_start((uv_stream_t *)&program->input, give_chunk, input_came) != 0)
		return kube_fail(err, KUBE_E_IO, "standard input cannot be read: it must be a pipe");
	return 0;
}

int main(int argc, char **argv)
{
	static struct program program = {.how = {.user_agent = "kube-probe/" PATCHWRIGHT_VERSION}};
	const struct kube_log_config log = {.level = KUBE_LOG_DEBUG};
	struct kube_err err = {0};
	kube_log_setup(&log);
	int rc = parse(argc, argv, &program, &err);
	if (rc == 0)
		rc = set_up(&program, &err);
	if (rc == 0)
		kube_loop_run(program.loop);
	else
		fprintf(stderr, "kube-probe: %s\n", err.message);
	probe_free(program.probe);
	kube_client_free(program.client);
	kube_http_free(program.http);
	kube_config_free(program.config);
	kube_loop_free(program.loop);
	kube_buf_finish(&program.line);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
