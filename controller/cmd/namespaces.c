/* The two namespaces that we work in are never made by us: whether they are there is asked from time to time. */
#include "controller/cmd/controller.h"
#include <kube/log.h>
#include <stdio.h>
#include <string.h>

#define ASK_MISSING_MS 5000
#define ASK_AGAIN_MS 60000

static void ask(struct kube_timer *timer, void *arg);

static void set_problem(struct namespace_watch *watch, const char *problem)
{
	if (watch->asked && strcmp(watch->problem, problem) == 0)
		return;
	if (*problem)
		kube_log(KUBE_LOG_ERROR, problem, "namespace", watch->name, NULL);
	else if (watch->problem[0])
		kube_log(KUBE_LOG_INFO, "the namespace is there now", "namespace", watch->name, NULL);
	snprintf(watch->problem, sizeof(watch->problem), "%s", problem);
	watch->asked = true;
}

static void answered(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct namespace_watch *watch = arg;
	char problem[sizeof(watch->problem)] = "";
	(void)json;
	watch->op = NULL;
	if (kube_err_is(err, 404))
		snprintf(problem, sizeof(problem), "namespace %s does not exist: kubectl create namespace %s, or apply deploy/",
		         watch->name, watch->name);
	/* Where we may not look, what we do there will tell. Without an answer what was known stays. */
	if (!err || err->code == KUBE_E_API)
		set_problem(watch, problem);
	int64_t delay_ms = watch->asked && !watch->problem[0] ? ASK_AGAIN_MS : ASK_MISSING_MS;
	kube_timer_start(watch->controller->env, &watch->timer, delay_ms, ask, watch);
}

static void ask(struct kube_timer *timer, void *arg)
{
	struct namespace_watch *watch = arg;
	struct kube_err err = {0};
	struct kube_call call = {.method = "GET", .resource = &kube_namespaces, .name = watch->name};
	(void)timer;
	if (kube_client_send(watch->controller->client, &call, answered, watch, &watch->op, &err) < 0)
		answered(watch, NULL, &err);
}

void namespaces_start(struct controller *controller)
{
	controller->namespaces[0].name = controller->options->namespace_;
	controller->namespaces[1].name = controller->options->job_namespace;
	for (size_t i = 0; i < KUBE_ARRAY_LEN(controller->namespaces); i++) {
		controller->namespaces[i].controller = controller;
		ask(NULL, &controller->namespaces[i]);
	}
}

void namespaces_stop(struct controller *controller)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(controller->namespaces); i++) {
		struct namespace_watch *watch = &controller->namespaces[i];
		kube_timer_stop(controller->env, &watch->timer);
		if (watch->op)
			kube_op_cancel(watch->op);
		watch->op = NULL;
	}
}
