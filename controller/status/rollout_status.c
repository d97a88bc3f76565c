/* PatchRollout.status, put together from what the planner wants. Members and lists have a fixed order. */
#include "controller/model/put.h"
#include "controller/status/internal.h"

#include <string.h>

#define STATUS_BYTES ((size_t)128 << 10) /* a status stays small however large the cluster is */
#define MAX_REVISIONS 32
#define REVISION_BYTES 100
#define KIND_BYTES 40
#define HASH_BYTES 128

/* How much of its texts is written; less and less, until the whole fits. Names and decisions are never cut. */
struct extent {
	size_t condition_bytes, message_bytes, wave_bytes, failures, approvals;
	bool blockers;
};

static const struct extent extents[] = {
    {CONDITION_MESSAGE_BYTES, MESSAGE_BYTES, MESSAGE_BYTES, MAX_FAILED, MAX_APPROVALS, true},
    {CONDITION_MESSAGE_BYTES, 96, 128, MAX_FAILED, MAX_APPROVALS, true},
    {256, 48, 64, MAX_FAILED, 20, true},
    {128, 0, 32, 20, 10, true},
    {128, 0, 32, 5, 5, false},
};

struct document {
	const struct rollout *rollout;
	const struct rollout_status *wanted;
	struct decision_set decisions;
	struct target_lists targets;
	int64_t now_ms;
	const struct extent *extent;
};

static bool put_if_set(cJSON *obj, const char *key, int64_t ms)
{
	return ms == 0 || put_time(obj, key, ms);
}

static bool add_plan(cJSON *json, const struct rollout_status *wanted)
{
	if (!wanted->policy_hash) /* one that was aborted before has this, but no plan */
		return true;
	cJSON *plan = cJSON_AddObjectToObject(json, "plan");
	if (!wanted->plan_hash)
		return put_text(plan, "policyHash", wanted->policy_hash, HASH_BYTES);
	return put_text(plan, "hash", wanted->plan_hash, HASH_BYTES) &&
	       put_text(plan, "policyHash", wanted->policy_hash, HASH_BYTES) &&
	       put_strlist(plan, "revisions", &wanted->revisions, MAX_REVISIONS, REVISION_BYTES) &&
	       put_text(plan, "forUID", wanted->for_uid, UID_BYTES) &&
	       (!wanted->policy_generation || put_int(plan, "policyGeneration", wanted->policy_generation)) &&
	       put_if_set(plan, "approvedAt", wanted->approved_ms);
}

static bool add_conditions(cJSON *json, const struct document *document)
{
	const struct rollout_status *wanted = document->wanted;
	return put_item(json, "conditions",
	                conditions_json(&wanted->conditions, &document->rollout->status.conditions,
	                                wanted->observed_generation, document->now_ms, document->extent->condition_bytes));
}

static bool add_counts(cJSON *json, const struct counts *counts)
{
	cJSON *object = cJSON_AddObjectToObject(json, "counts");
	return put_int(object, "total", counts->total) && put_int(object, "pending", counts->pending) &&
	       put_int(object, "active", counts->active) && put_int(object, "patched", counts->patched) &&
	       put_int(object, "failed", counts->failed) && put_int(object, "rolledBack", counts->rolled_back) &&
	       put_int(object, "skipped", counts->skipped) && put_int(object, "excepted", counts->excepted);
}

static bool add_versions(cJSON *json, const struct rollout_status *wanted)
{
	cJSON *list = cJSON_AddArrayToObject(json, "versions");
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < wanted->versions.count && i < MAX_PATCHES; i++) {
		const struct version_of *version = &wanted->versions.items[i];
		cJSON *entry = cJSON_CreateObject();
		ok = put_entry(list, entry) && put_str(entry, "component", component_names[version->component]) &&
		     put_text(entry, "version", version->version, VERSION_BYTES);
	}
	return ok;
}

static bool add_wave(cJSON *list, const struct wave_status *wave, const struct extent *extent)
{
	cJSON *entry = cJSON_CreateObject();
	return put_entry(list, entry) && put_text(entry, "name", wave->name, LABEL_BYTES) &&
	       put_str(entry, "state", wave_state_names[wave->state]) && put_int(entry, "total", wave->total) &&
	       put_int(entry, "patched", wave->patched) && put_int(entry, "failed", wave->failed) &&
	       put_time(entry, "startedAt", wave->started_ms) && put_time(entry, "finishedAt", wave->finished_ms) &&
	       put_time(entry, "soakUntil", wave->soak_until_ms) && put_if_set(entry, "approvedAt", wave->approved_ms) &&
	       put_str_if(entry, "reason", wave->reason, extent->wave_bytes) &&
	       put_str_if(entry, "message", wave->message, extent->wave_bytes);
}

static bool add_waves(cJSON *json, const struct document *document)
{
	cJSON *list = cJSON_AddArrayToObject(json, "waves");
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < document->wanted->waves.count && i < MAX_WAVES; i++)
		ok = add_wave(list, &document->wanted->waves.items[i], document->extent);
	return ok;
}

static bool add_job(cJSON *entry, const struct active *active)
{
	if (!active->job_name)
		return true;
	cJSON *job = cJSON_AddObjectToObject(entry, "job");
	return put_text(job, "name", active->job_name, LABEL_BYTES) && put_str_if(job, "uid", active->job_uid, UID_BYTES);
}

static bool add_blocker(cJSON *entry, const struct blocker *blocker, const struct extent *extent)
{
	if (!blocker->kind || !extent->blockers)
		return true;
	cJSON *json = cJSON_AddObjectToObject(entry, "blockedBy");
	return put_text(json, "kind", blocker->kind, KIND_BYTES) &&
	       put_str_if(json, "namespace", blocker->namespace_, LABEL_BYTES) &&
	       put_str_if(json, "name", blocker->name, NAME_BYTES) && put_str_if(json, "pod", blocker->pod, POD_BYTES) &&
	       put_str_if(json, "message", blocker->message, extent->message_bytes) &&
	       put_time(json, "since", blocker->since_ms);
}

static bool add_grant(cJSON *list, const struct active *active, const struct extent *extent)
{
	cJSON *entry = cJSON_CreateObject();
	return put_entry(list, entry) && put_text(entry, "node", active->node, NAME_BYTES) &&
	       put_text(entry, "nodeUID", active->node_uid, UID_BYTES) &&
	       put_text(entry, "wave", active->wave, LABEL_BYTES) && put_str(entry, "step", step_names[active->step]) &&
	       put_time(entry, "since", active->since_ms) && put_int(entry, "attempt", active->attempt) &&
	       put_bool(entry, "foreignCordon", active->foreign_cordon) &&
	       (!active->forced || put_bool(entry, "forced", true)) &&
	       put_str_if(entry, "reason", active->reason, REASON_BYTES) &&
	       put_str_if(entry, "message", active->message, extent->message_bytes) && add_job(entry, active) &&
	       add_blocker(entry, &active->blocked_by, extent);
}

static bool add_active(cJSON *json, const struct document *document)
{
	cJSON *list = cJSON_AddArrayToObject(json, "active");
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < document->targets.active_count; i++)
		ok = add_grant(list, document->targets.active[i], document->extent);
	return ok;
}

static bool add_failure(cJSON *list, const struct failure *failure, const struct extent *extent)
{
	cJSON *entry = cJSON_CreateObject();
	return put_entry(list, entry) && put_text(entry, "node", failure->node, NAME_BYTES) &&
	       put_text(entry, "nodeUID", failure->node_uid, UID_BYTES) &&
	       put_text(entry, "wave", failure->wave, LABEL_BYTES) && put_str(entry, "step", step_names[failure->step]) &&
	       put_text(entry, "reason", failure->reason, REASON_BYTES) &&
	       put_str_if(entry, "message", failure->message, extent->message_bytes) &&
	       put_time(entry, "at", failure->at_ms);
}

static bool add_failed(cJSON *json, const struct document *document)
{
	cJSON *list = cJSON_AddArrayToObject(json, "failed");
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < document->targets.failed_count && i < document->extent->failures; i++)
		ok = add_failure(list, document->targets.failed[i], document->extent);
	return ok;
}

static bool add_gates(cJSON *json, const struct document *document)
{
	const struct rollout_status *wanted = document->wanted;
	cJSON *list;
	bool ok = put_list_if(json, "gates", wanted->gates.count, &list);

	for (size_t i = 0; ok && i < wanted->gates.count && i < MAX_GATES; i++) {
		const struct gate_status *gate = &wanted->gates.items[i];
		cJSON *entry = cJSON_CreateObject();
		ok = put_entry(list, entry) && put_text(entry, "name", gate->name, LABEL_BYTES) &&
		     put_str(entry, "verdict", gate_verdict_names[gate->verdict]) &&
		     put_str_if(entry, "message", gate->message, document->extent->wave_bytes) &&
		     put_time(entry, "at", gate->at_ms) && put_time(entry, "since", gate->since_ms);
	}
	return ok;
}

static bool add_approval(cJSON *list, const struct approval_status *approval, const struct extent *extent)
{
	cJSON *entry = cJSON_CreateObject();
	return put_entry(list, entry) && put_text(entry, "approval", approval->approval, NAME_BYTES) &&
	       put_text(entry, "user", approval->user, USER_BYTES) &&
	       put_str_if(entry, "wave", approval->wave, LABEL_BYTES) && put_time(entry, "at", approval->at_ms) &&
	       put_bool(entry, "counts", approval->counts) && put_str_if(entry, "why", approval->why, extent->wave_bytes);
}

static bool add_approvals(cJSON *json, const struct document *document)
{
	const struct rollout_status *wanted = document->wanted;
	cJSON *list;
	bool ok = put_list_if(json, "approvals", wanted->approvals.count, &list);

	for (size_t i = 0; ok && i < wanted->approvals.count && i < document->extent->approvals; i++)
		ok = add_approval(list, &wanted->approvals.items[i], document->extent);
	return ok;
}

static bool add_decisions(cJSON *json, const struct document *document)
{
	cJSON *list = cJSON_AddArrayToObject(json, "decisions");
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < document->decisions.count; i++)
		ok = put_entry(list, decision_json(document->decisions.items[i]));
	return ok;
}

static cJSON *build(const struct document *document)
{
	const struct rollout_status *wanted = document->wanted;
	cJSON *json = cJSON_CreateObject();
	bool ok = put_int(json, "observedGeneration", wanted->observed_generation) && add_plan(json, wanted) &&
	          put_int(json, "epoch", wanted->epoch) && add_conditions(json, document) &&
	          put_str_if(json, "outcome", outcome_names[wanted->outcome], LABEL_BYTES) &&
	          put_str_if(json, "summary", wanted->summary, SUMMARY_BYTES) &&
	          put_str_if(json, "progress", wanted->progress, PROGRESS_BYTES) && add_counts(json, &wanted->counts) &&
	          add_versions(json, wanted) && put_str_if(json, "currentWave", wanted->current_wave, LABEL_BYTES) &&
	          add_waves(json, document) && add_active(json, document) && add_failed(json, document) &&
	          add_gates(json, document) && add_approvals(json, document) && add_decisions(json, document) &&
	          put_time(json, "startedAt", wanted->started_ms) && put_time(json, "finishedAt", wanted->finished_ms);
	if (ok)
		return json;
	cJSON_Delete(json);
	return NULL;
}

/* Both are owned by the caller. */
static int build_to_fit(struct document *document, cJSON **ret_json, char **ret_text, struct kube_err *err)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(extents); i++) {
		document->extent = &extents[i];
		_cleanup_json_ cJSON *json = build(document);
		_cleanup_free_ char *text = json ? kube_json_canonical(json) : NULL;
		if (!text)
			return status_out_of_memory(err);
		if (strlen(text) >= STATUS_BYTES && i + 1 < KUBE_ARRAY_LEN(extents))
			continue;
		*ret_json = take(json);
		*ret_text = take(text);
		return 0;
	}
	return 0;
}

static bool differ(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

/* Blocked, and not by what the status names. Of the pods that one budget holds back the next is no news. */
static bool other_blocker(const struct blocker *now, const struct blocker *before)
{
	return now->kind && (differ(now->kind, before->kind) || differ(now->namespace_, before->namespace_) ||
	                     differ(now->name, before->name));
}

/* A way out has to stand in the status before the node may follow. */
static bool way_out(const struct active *now, const struct active *before)
{
	return now->step != before->step && (now->step == STEP_ROLLING_BACK || step_ended((enum step)now->step));
}

static bool urgent_target(const struct rollout *rollout, const struct active *now)
{
	const struct active *before = active_find(rollout, now->node_uid);
	return !before || way_out(now, before) || other_blocker(&now->blocked_by, &before->blocked_by);
}

static bool is_urgent(const struct document *document)
{
	const struct rollout_status *status = &document->rollout->status;
	const struct rollout_status *wanted = document->wanted;

	if (document->decisions.fresh > 0 || wanted->epoch != status->epoch || wanted->outcome != (int)status->outcome)
		return true;
	if (differ(wanted->plan_hash, status->plan_hash) || differ(wanted->for_uid, status->for_uid))
		return true;
	for (size_t i = 0; i < document->targets.active_count; i++)
		if (urgent_target(document->rollout, document->targets.active[i]))
			return true;
	return false;
}

static int write_status(struct document *document, struct rollout_status_write *ret_write, struct kube_err *err)
{
	_cleanup_json_ cJSON *json = NULL;
	_cleanup_free_ char *text = NULL;
	int rc = build_to_fit(document, &json, &text, err);

	if (rc)
		return rc;
	bool right = strcmp(text, document->rollout->status_json) == 0;
	*ret_write = (struct rollout_status_write){
	    .status = right ? NULL : take(json),
	    .urgent = !right && is_urgent(document),
	};
	return 0;
}

/* Chooses what the document holds. What must leave for the ledger first is in its decisions' spill. */
static int choose(struct document *document, const struct revision *const *ledger, size_t ledger_count,
                  struct kube_arena *arena, struct kube_err *err)
{
	const struct rollout *rollout = document->rollout;
	const struct rollout_status *wanted = document->wanted;
	struct decision_set *set = &document->decisions;

	set->held = kube_arena_calloc(arena, wanted->active.count + wanted->decisions.count, sizeof(*set->held));
	if (!set->held)
		return status_out_of_memory(err);
	targets_hold_excess(rollout, wanted, set);
	int rc = decisions_choose(rollout, wanted, ledger, ledger_count, arena, set, err);
	if (rc || set->spill.count > 0)
		return rc;
	return targets_choose(rollout, wanted, set, arena, &document->targets, err);
}

static int compose(struct document *document, bool only_urgent, struct rollout_status_write *ret_write,
                   struct kube_err *err)
{
	const struct decision_set *set = &document->decisions;

	if (set->spill.count > 0) {
		*ret_write = (struct rollout_status_write){.urgent = true};
		ret_write->spill.items = set->spill.items;
		ret_write->spill.count = set->spill.count;
		ret_write->spill.page = set->spill.page;
		return 0;
	}
	if (only_urgent && !is_urgent(document)) {
		*ret_write = (struct rollout_status_write){.later = true};
		return 0;
	}
	return write_status(document, ret_write, err);
}

int rollout_status_compose(const struct rollout *rollout, const struct rollout_status *wanted,
                           const struct revision *const *ledger, size_t ledger_count, int64_t now_ms,
                           struct kube_arena *arena, struct rollout_status_write *ret_write, struct kube_err *err)
{
	struct document document = {.rollout = rollout, .wanted = wanted, .now_ms = now_ms};
	int rc = choose(&document, ledger, ledger_count, arena, err);

	return rc ? rc : compose(&document, false, ret_write, err);
}

int rollout_status_compose_urgent(const struct rollout *rollout, const struct rollout_status *wanted,
                                  const struct revision *const *ledger, size_t ledger_count, int64_t now_ms,
                                  struct kube_arena *arena, struct rollout_status_write *ret_write,
                                  struct kube_err *err)
{
	struct document document = {.rollout = rollout, .wanted = wanted, .now_ms = now_ms};
	int rc = choose(&document, ledger, ledger_count, arena, err);

	return rc ? rc : compose(&document, true, ret_write, err);
}
