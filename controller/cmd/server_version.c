/* Which version the API server has: asked at the start and from time to time, because it may be upgraded meanwhile. */
#include "controller/cmd/controller.h"
#include <kube/json.h>
#include <kube/log.h>
#include <stdio.h>
#include <string.h>

#define ASK_SOON_MS 5000
#define ASK_AGAIN_MS (5 * 60 * 1000)

static void ask(struct kube_timer *timer, void *arg);

/* What it was before stays known when it cannot be reached. */
static void answered(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct controller *controller = arg;
	struct server_version *known = &controller->server_version;
	const char *version = err ? NULL : kube_json_str(json, "gitVersion");

	known->op = NULL;
	if (version && *version && strcmp(version, known->text) != 0) {
		snprintf(known->text, sizeof(known->text), "%s", version);
		kube_log(KUBE_LOG_INFO, "the API server told its version", "version", known->text, NULL);
		if (controller->working)
			changes_all(controller);
	}
	kube_timer_start(controller->env, &known->timer, version ? ASK_AGAIN_MS : ASK_SOON_MS, ask, controller);
}

static void ask(struct kube_timer *timer, void *arg)
{
	struct controller *controller = arg;
	struct kube_call call = {.method = "GET", .target = "/version"};
	struct kube_err err = {0};
	(void)timer;
	if (kube_client_send(controller->client, &call, answered, controller, &controller->server_version.op, &err) < 0)
		answered(controller, NULL, &err);
}

void server_version_start(struct controller *controller)
{
	ask(NULL, controller);
}

void server_version_stop(struct controller *controller)
{
	kube_timer_stop(controller->env, &controller->server_version.timer);
	if (controller->server_version.op)
		kube_op_cancel(controller->server_version.op);
	controller->server_version.op = NULL;
}

const char *server_version(const struct controller *controller)
{
	return controller->server_version.text[0] ? controller->server_version.text : NULL;
}
