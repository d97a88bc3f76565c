/* Leader election: of several controllers one works, the others wait with their caches filled. */
#include "controller/cmd/controller.h"
#include <kube/log.h>
#include <stdio.h>

#define LEASE_NAME "patchwright-controller"

static void set_leader(struct controller *controller, bool leader)
{
	kube_metric_set(controller->meters.leader, leader ? 1 : 0, LEASE_NAME, NULL);
}

static void set_holder(struct controller *controller, const char *holder)
{
	kube_metric_clear(controller->meters.lease_holder);
	kube_metric_set(controller->meters.lease_holder, 1, holder, NULL);
}

static void on_started(void *arg)
{
	struct controller *controller = arg;
	kube_log(KUBE_LOG_INFO, "the lease is ours; work begins", "lease", LEASE_NAME, NULL);
	set_leader(controller, true);
	set_holder(controller, controller->identity);
	controller_work(controller);
}

/* Another one may work already: whatever is in flight goes with the process. */
static void on_lost(void *arg, const struct kube_err *err)
{
	struct controller *controller = arg;
	kube_log(KUBE_LOG_ERROR, "the lease is lost; this process ends", "error", err->message, NULL);
	set_leader(controller, false);
	controller->working = false;
	controller_end(controller, 1);
}

static void on_holder(void *arg, const char *identity)
{
	set_holder(arg, identity);
	kube_log(KUBE_LOG_INFO, "another one holds the lease; this one waits", "lease", LEASE_NAME, "holder", identity,
	         NULL);
}

static void on_health(void *arg, const struct kube_err *err)
{
	struct controller *controller = arg;
	snprintf(controller->election_problem, sizeof(controller->election_problem), "%s", err ? err->message : "");
	if (err)
		kube_log(KUBE_LOG_WARN, "the lease cannot be read or written; trying on", "error", err->message, NULL);
	else
		kube_log(KUBE_LOG_INFO, "the lease can be read and written again", NULL);
}

int election_init(struct controller *controller, const char *identity, struct kube_err *err)
{
	const struct kube_elector_options options = {
	    .client = controller->client,
	    .namespace_ = controller->options->namespace_,
	    .name = LEASE_NAME,
	    .identity = identity,
	    .times = controller->options->election,
	    .on_started = on_started,
	    .on_lost = on_lost,
	    .on_holder = on_holder,
	    .on_health = on_health,
	    .arg = controller,
	};
	set_leader(controller, false);
	controller->identity = identity;
	return kube_elector_new(&options, &controller->elector, err);
}

bool election_may_act(void *arg)
{
	const struct controller *controller = arg;
	return !controller->elector || kube_elector_held(controller->elector);
}

void election_verify(void *arg)
{
	struct controller *controller = arg;
	if (controller->elector)
		kube_elector_verify(controller->elector);
}

bool election_over(struct controller *controller)
{
	if (!controller->elector)
		return true;
	kube_elector_release(controller->elector);
	set_leader(controller, false);
	return kube_elector_ended(controller->elector);
}
