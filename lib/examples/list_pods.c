/* list-pods [NAMESPACE]: one line a pod, page by page as the API server gives them. */
#include <kube/json.h>
#include <kube/session.h>
#include <stdio.h>

struct program {
	struct kube_session session;
	const char *namespace_; /* NULL: all */
	size_t pods;
	struct kube_err err; /* what ended it */
};

static void on_page(void *arg, const cJSON *list, const struct kube_err *err);

/* Asks for the page that token stands for; NULL: the first. */
static void ask(struct program *program, const char *token)
{
	struct kube_buf query;

	kube_buf_init(&query, 16384);
	kube_buf_adds(&query, "limit=500");
	if (token) {
		kube_buf_adds(&query, "&continue=");
		kube_buf_add_urlencoded(&query, token);
	}
	const struct kube_call call = {
	    .method = "GET", .resource = &kube_pods, .namespace_ = program->namespace_, .query = query.data};
	if (query.failed)
		kube_fail(&program->err, query.failed, "the query for the next page: %s", kube_code_text(query.failed));
	else
		kube_client_send(program->session.client, &call, on_page, program, NULL, &program->err);
	kube_buf_finish(&query);
	if (program->err.code)
		kube_loop_stop(program->session.loop);
}

static const char *text(const cJSON *pod, const char *path)
{
	const char *value = kube_json_str(pod, path);

	return value ? value : "-";
}

static void on_page(void *arg, const cJSON *list, const struct kube_err *err)
{
	struct program *program = arg;
	const cJSON *pod;

	if (err) {
		program->err = *err;
		kube_loop_stop(program->session.loop);
		return;
	}
	cJSON_ArrayForEach (pod, kube_json_get(list, "items")) {
		program->pods++;
		printf("%-24s %-48s %-10s %s\n", text(pod, "metadata.namespace"), text(pod, "metadata.name"),
		       text(pod, "status.phase"), text(pod, "spec.nodeName"));
	}
	const char *token = kube_json_str(list, "metadata.continue");
	if (token && *token)
		ask(program, token);
	else
		kube_loop_stop(program->session.loop);
}

static void on_signal(void *arg, int signo, int count)
{
	struct program *program = arg;

	(void)signo;
	(void)count;
	kube_fail(&program->err, KUBE_E_CANCELED, "stopped by a signal after %zu pods", program->pods);
	kube_loop_stop(program->session.loop);
}

int main(int argc, char **argv)
{
	struct program program = {.namespace_ = argc > 1 ? argv[1] : NULL};
	struct kube_err *err = &program.err;

	if (kube_session_open(&program.session, NULL, "list-pods/1", err) == 0 &&
	    kube_loop_on_signal(program.session.loop, on_signal, &program, err) == 0) {
		ask(&program, NULL);
		kube_loop_run(program.session.loop);
	}
	kube_session_close(&program.session);
	if (err->code)
		fprintf(stderr, "list-pods: %s\n", err->message);
	return err->code ? 1 : 0;
}
