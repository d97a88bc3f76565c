/* One request and its answer: an object, a refusal, an answer after a retry. */
#include "test/nomem/scene.h"

#include <kube/json.h>
#include <stdio.h>
#include <string.h>

struct call {
	struct kube_call call;
	const char *body;
	int status;      /* of the answer that is expected; 0: an object */
	int refused;     /* the server refuses so many times first, and asks to come again */
	int refused_now; /* of these, in this round */
	/* the answer */
	int count, code;
	struct kube_err err;
	char name[64];
};

static void on_reply(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct call *call = arg;
	const char *name = kube_json_str(json, "metadata.name");

	call->count++;
	call->code = err ? err->code : 0;
	if (err)
		call->err = *err;
	else
		snprintf(call->name, sizeof(call->name), "%s", name ? name : "");
}

static void fate(void *arg, const struct kube_request *request, struct kube_sim_fate *fate)
{
	struct call *call = arg;

	(void)request;
	if (call->refused_now == 0)
		return;
	call->refused_now--;
	*fate = (struct kube_sim_fate){.status = 503, .reason = "ServiceUnavailable", .retry_after_s = 1};
}

/* The server's refusal is a true answer where there is no memory to ask again. */
static bool is_true(const struct call *call)
{
	if (call->code == 0)
		return !call->status && strcmp(call->name, "n1") == 0;
	return call->err.http_status == (call->refused ? 503 : call->status);
}

static int play(void *arg, struct kube_err *err)
{
	struct call *call = arg;
	const struct kube_sim_api_hooks hooks = {.fate = fate, .arg = call};
	cJSON *body = call->body ? cJSON_Parse(call->body) : NULL;
	struct scene scene;

	scene_init(&scene);
	scene_do(&scene, "POST", "/api/v1/nodes", "{'metadata':{'name':'n1'}}");
	kube_sim_api_add_hooks(scene.api, &hooks);
	call->call.body = body;
	call->count = call->code = 0;
	call->refused_now = call->refused;
	sweep_begin();
	int code = kube_client_send(scene.client, &call->call, on_reply, call, NULL, err);
	if (!code)
		scene_run(&scene, 120000);
	sweep_end();
	if (!code) {
		ck_assert_int_eq(call->count, 1);
		ck_assert(call->code == KUBE_E_NOMEM || is_true(call));
		code = call->code == KUBE_E_NOMEM ? call->code : 0;
		*err = call->err;
	}
	cJSON_Delete(body);
	scene_finish(&scene);
	return code;
}

START_TEST(get)
{
	struct call call = {.call = {.method = "GET", .resource = &kube_nodes, .name = "n1"}};
	sweep("GET", play, &call);
}
END_TEST

START_TEST(patch)
{
	struct call call = {.call = {.method = "PATCH",
	                             .resource = &kube_nodes,
	                             .name = "n1",
	                             .query = "fieldManager=x",
	                             .content_type = KUBE_PATCH_MERGE},
	                    .body = "{\"spec\":{\"unschedulable\":true}}"};
	sweep("PATCH", play, &call);
}
END_TEST

START_TEST(refusal)
{
	struct call call = {.call = {.method = "GET", .resource = &kube_nodes, .name = "n2"}, .status = 404};
	sweep("a refusal", play, &call);
}
END_TEST

START_TEST(retry)
{
	struct call call = {.call = {.method = "GET", .resource = &kube_nodes, .name = "n1"}, .refused = 2};
	sweep("a retry", play, &call);
}
END_TEST

CHECK_MAIN("allocation failures: requests", get, patch, refusal, retry)
