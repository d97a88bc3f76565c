#include "controller/model/drain.h"

#include <kube/time.h>
#include <string.h>

#define MINUTE_MS (60 * INT64_C(1000))

const char *const drain_timeout_names[] = {"Abort", "Force", "Skip", "Quarantine", NULL};
static const char *const unmanaged_words[] = {"Block", "Delete", NULL};
static const char *const local_volumes_words[] = {"Block", "Delete", NULL};

static const struct kube_json_field group_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = offsetof(struct drain_group, name), .required = true},
    {.name = "selector",
     .type = KUBE_JSON_OBJECT,
     .offset = offsetof(struct drain_group, selector),
     .required = true,
     .table = kube_selector_table},
    KUBE_JSON_END,
};

#define AT(member) offsetof(struct drain_rules, member)
const struct kube_json_field drain_table[] = {
    {.name = "enabled", .type = KUBE_JSON_BOOL, .offset = AT(enabled)},
    {.name = "timeout", .type = KUBE_JSON_DURATION, .offset = AT(timeout_ms)},
    {.name = "onTimeout", .type = KUBE_JSON_ENUM, .offset = AT(on_timeout), .words = drain_timeout_names},
    {.name = "gracePeriodSeconds", .type = KUBE_JSON_INT, .offset = AT(grace_period_s)},
    {.name = "parallelism", .type = KUBE_JSON_INT, .offset = AT(parallelism)},
    {.name = "podSelector",
     .type = KUBE_JSON_POINTER,
     .offset = AT(pod_selector),
     .table = kube_selector_table,
     .size = sizeof(struct kube_selector)},
    {.name = "deleteEmptyDirData", .type = KUBE_JSON_BOOL, .offset = AT(delete_empty_dir_data)},
    {.name = "unmanagedPods", .type = KUBE_JSON_ENUM, .offset = AT(unmanaged_pods), .words = unmanaged_words},
    {.name = "localVolumes", .type = KUBE_JSON_ENUM, .offset = AT(local_volumes), .words = local_volumes_words},
    {.name = "waitForVolumeDetach", .type = KUBE_JSON_BOOL, .offset = AT(wait_for_detach)},
    {.name = "requireCapacity", .type = KUBE_JSON_BOOL, .offset = AT(require_capacity)},
    {.name = "waitForJobs", .type = KUBE_JSON_DURATION, .offset = AT(wait_for_jobs_ms)},
    {.name = "skipWaitForDeleteTimeout", .type = KUBE_JSON_DURATION, .offset = AT(skip_wait_ms)},
    {.name = "order",
     .type = KUBE_JSON_LIST,
     .offset = AT(order),
     .table = group_table,
     .size = sizeof(struct drain_group)},
    KUBE_JSON_END,
};
#undef AT

struct drain_rules drain_defaults(void)
{
	return (struct drain_rules){
	    .enabled = true,
	    .timeout_ms = 15 * MINUTE_MS,
	    .grace_period_s = -1,
	    .parallelism = 10,
	    .wait_for_detach = true,
	};
}

static int check_order(const struct drain_rules *drain, struct kube_err *err)
{
	size_t rest = 0;

	if (drain->order.count > MAX_DRAIN_GROUPS)
		return kube_fail(err, KUBE_E_INVALID, "spec.drain.order: %zu groups, more than %d", drain->order.count,
		                 MAX_DRAIN_GROUPS);
	for (size_t i = 0; i < drain->order.count; i++) {
		const struct drain_group *group = &drain->order.items[i];
		rest += kube_selector_empty(&group->selector);
		for (size_t k = 0; k < i; k++)
			if (strcmp(drain->order.items[k].name, group->name) == 0)
				return kube_fail(err, KUBE_E_INVALID,
				                 "spec.drain.order[%zu].name: \"%.63s\" stands there twice; give each group its own", i,
				                 group->name);
		if (kube_selector_check(&group->selector, err) != 0)
			return kube_err_prefix(err, "spec.drain.order[%zu]", i);
	}
	if (rest > 1)
		return kube_fail(err, KUBE_E_INVALID,
		                 "spec.drain.order: two groups have an empty selector, which means all other pods; leave it "
		                 "to one of them");
	return 0;
}

/* What can never come about within the drain's time would only look as if it were asked for. */
static int check_times(const struct drain_rules *drain, struct kube_err *err)
{
	char text[KUBE_DURATION_TEXT_SIZE], limit[KUBE_DURATION_TEXT_SIZE];

	kube_duration_format(drain->timeout_ms, limit);
	if (drain->wait_for_jobs_ms >= drain->timeout_ms)
		return kube_fail(err, KUBE_E_INVALID,
		                 "spec.drain.waitForJobs: the drain would be out of time (%s) before the Jobs are (%s); make "
		                 "spec.drain.timeout longer",
		                 limit, kube_duration_format(drain->wait_for_jobs_ms, text));
	if (drain->grace_period_s >= 0 && drain->grace_period_s * 1000 >= drain->timeout_ms)
		return kube_fail(err, KUBE_E_INVALID,
		                 "spec.drain.gracePeriodSeconds: the drain would be out of time (%s) before a pod that takes "
		                 "its %lld seconds; make spec.drain.timeout longer",
		                 limit, (long long)drain->grace_period_s);
	return 0;
}

int drain_check(const struct drain_rules *drain, struct kube_err *err)
{
	if (drain->pod_selector && kube_selector_empty(drain->pod_selector))
		return kube_fail(err, KUBE_E_INVALID,
		                 "spec.drain.podSelector is empty; leave it out to drain every pod, or name a label");
	if (drain->pod_selector && kube_selector_check(drain->pod_selector, err) != 0)
		return kube_err_prefix(err, "spec.drain.podSelector");
	int rc = check_times(drain, err);
	return rc ? rc : check_order(drain, err);
}
