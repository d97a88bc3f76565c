/*
 * Our own pod is the last one that leaves a node: first all writes end and the lease is given back, so that another
 * controller goes on at once, then the pod is evicted. If that is refused we end all the same, are started again by the
 * kubelet, and whoever leads then tries it again.
 */
#include "controller/act/bodies.h"
#include "controller/cmd/controller.h"
#include <kube/log.h>

void leave_begin(void *arg, const struct pod *pod, int64_t grace_period_s, bool forced)
{
	struct controller *controller = arg;
	struct leaving *leaving = &controller->leaving;
	if (leaving->pod || controller->stopping)
		return;
	kube_log(KUBE_LOG_INFO, "our own pod is the last one on the node: the lease is given back, and the pod goes", "pod",
	         pod->object.key, "node", pod->node_name, NULL);
	kube_object_ref((struct kube_object *)&pod->object);
	leaving->pod = pod;
	leaving->grace_period_s = grace_period_s;
	leaving->forced = forced;
	controller_stop(controller);
}

static void on_answer(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct leaving *leaving = arg;
	(void)json;
	leaving->op = NULL;
	leaving->over = true;
	if (err)
		kube_log(KUBE_LOG_WARN, "our own pod could not be removed from its node; the next leader tries it again",
		         "error", err->message, NULL);
}

static void send_away(struct controller *controller)
{
	struct leaving *leaving = &controller->leaving;
	const struct pod *pod = leaving->pod;
	_cleanup_json_ cJSON *body =
	    leaving->forced ? body_delete_options(pod->object.uid) : evict_body(pod, leaving->grace_period_s);
	if (leaving->forced && leaving->grace_period_s >= 0)
		body_int(body, "gracePeriodSeconds", leaving->grace_period_s);
	const struct kube_call call = {
	    .method = leaving->forced ? "DELETE" : "POST",
	    .resource = &kube_pods,
	    .namespace_ = pod->object.namespace_,
	    .name = pod->object.name,
	    .subresource = leaving->forced ? NULL : "eviction",
	    .body = body,
	    .no_retry = true,
	};
	struct kube_err err = {0};
	if (kube_client_send(controller->client, &call, on_answer, leaving, &leaving->op, &err) < 0)
		on_answer(leaving, NULL, &err);
}

bool leave_over(struct controller *controller)
{
	struct leaving *leaving = &controller->leaving;
	if (!leaving->pod)
		return true;
	if (!leaving->op && !leaving->over)
		send_away(controller);
	return leaving->over;
}

void leave_finish(struct controller *controller)
{
	if (controller->leaving.op)
		kube_op_cancel(controller->leaving.op);
	if (controller->leaving.pod)
		kube_object_unref((struct kube_object *)&controller->leaving.pod->object);
	controller->leaving = (struct leaving){0};
}
