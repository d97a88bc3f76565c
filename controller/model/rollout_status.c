/* PatchRollout.status, decoded. Only the controller writes it, so what does not fit its schema is an error. */
#include "controller/model/internal.h"

#include <kube/time.h>
#include <string.h>

const char *const outcome_names[] = {"", "Succeeded", "Failed", "Aborted", "RolledBack", "Superseded", NULL};
const char *const wave_state_names[] = {"Pending", "Running", "Soaking", "Passed", "Failed", NULL};
const char *const gate_verdict_names[] = {"Unknown", "Open", "Closed", "Error", NULL};
const char *const decision_type_names[] = {
    "Start",      "Wait",     "Approve",   "Promote",  "Pause",        "Resume",         "Skip",
    "Quarantine", "Fail",     "Halt",      "RollBack", "RollBackDone", "RollBackFailed", "RollbackImpossible",
    "Abort",      "Override", "Supersede", "Finish",   NULL,
};

const struct kube_json_field version_of_table[] = {
    {.name = "component",
     .type = KUBE_JSON_ENUM,
     .offset = offsetof(struct version_of, component),
     .required = true,
     .words = component_names},
    {.name = "version", .type = KUBE_JSON_STRING, .offset = offsetof(struct version_of, version), .required = true},
    KUBE_JSON_END,
};

#define AT(member) offsetof(struct wave_status, member)
static const struct kube_json_field wave_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(name), .required = true},
    {.name = "state", .type = KUBE_JSON_ENUM, .offset = AT(state), .required = true, .words = wave_state_names},
    {.name = "total", .type = KUBE_JSON_INT, .offset = AT(total)},
    {.name = "patched", .type = KUBE_JSON_INT, .offset = AT(patched)},
    {.name = "failed", .type = KUBE_JSON_INT, .offset = AT(failed)},
    {.name = "startedAt", .type = KUBE_JSON_TIME, .offset = AT(started_ms)},
    {.name = "finishedAt", .type = KUBE_JSON_TIME, .offset = AT(finished_ms)},
    {.name = "soakUntil", .type = KUBE_JSON_TIME, .offset = AT(soak_until_ms)},
    {.name = "approvedAt", .type = KUBE_JSON_TIME, .offset = AT(approved_ms)},
    {.name = "reason", .type = KUBE_JSON_STRING, .offset = AT(reason)},
    {.name = "message", .type = KUBE_JSON_STRING, .offset = AT(message)},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct gate_status, member)
static const struct kube_json_field gate_status_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(name), .required = true},
    {.name = "verdict", .type = KUBE_JSON_ENUM, .offset = AT(verdict), .required = true, .words = gate_verdict_names},
    {.name = "message", .type = KUBE_JSON_STRING, .offset = AT(message)},
    {.name = "at", .type = KUBE_JSON_TIME, .offset = AT(at_ms)},
    {.name = "since", .type = KUBE_JSON_TIME, .offset = AT(since_ms)},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct blocker, member)
static const struct kube_json_field blocker_table[] = {
    {.name = "kind", .type = KUBE_JSON_STRING, .offset = AT(kind)},
    {.name = "namespace", .type = KUBE_JSON_STRING, .offset = AT(namespace_)},
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(name)},
    {.name = "pod", .type = KUBE_JSON_STRING, .offset = AT(pod)},
    {.name = "message", .type = KUBE_JSON_STRING, .offset = AT(message)},
    {.name = "since", .type = KUBE_JSON_TIME, .offset = AT(since_ms)},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct active, member)
static const struct kube_json_field job_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(job_name)},
    {.name = "uid", .type = KUBE_JSON_STRING, .offset = AT(job_uid)},
    KUBE_JSON_END,
};

static const struct kube_json_field active_table[] = {
    {.name = "node", .type = KUBE_JSON_STRING, .offset = AT(node), .required = true},
    {.name = "nodeUID", .type = KUBE_JSON_STRING, .offset = AT(node_uid), .required = true},
    {.name = "wave", .type = KUBE_JSON_STRING, .offset = AT(wave)},
    {.name = "step", .type = KUBE_JSON_ENUM, .offset = AT(step), .required = true, .words = step_names},
    {.name = "since", .type = KUBE_JSON_TIME, .offset = AT(since_ms)},
    {.name = "attempt", .type = KUBE_JSON_INT, .offset = AT(attempt)},
    {.name = "foreignCordon", .type = KUBE_JSON_BOOL, .offset = AT(foreign_cordon)},
    {.name = "forced", .type = KUBE_JSON_BOOL, .offset = AT(forced)},
    {.name = "reason", .type = KUBE_JSON_STRING, .offset = AT(reason)},
    {.name = "message", .type = KUBE_JSON_STRING, .offset = AT(message)},
    {.name = "job", .type = KUBE_JSON_OBJECT, .table = job_table},
    {.name = "blockedBy", .type = KUBE_JSON_OBJECT, .offset = AT(blocked_by), .table = blocker_table},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct failure, member)
static const struct kube_json_field failure_table[] = {
    {.name = "node", .type = KUBE_JSON_STRING, .offset = AT(node), .required = true},
    {.name = "nodeUID", .type = KUBE_JSON_STRING, .offset = AT(node_uid)},
    {.name = "wave", .type = KUBE_JSON_STRING, .offset = AT(wave)},
    {.name = "step", .type = KUBE_JSON_ENUM, .offset = AT(step), .words = step_names},
    {.name = "reason", .type = KUBE_JSON_STRING, .offset = AT(reason)},
    {.name = "message", .type = KUBE_JSON_STRING, .offset = AT(message)},
    {.name = "at", .type = KUBE_JSON_TIME, .offset = AT(at_ms)},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct approval_status, member)
static const struct kube_json_field approval_table[] = {
    {.name = "approval", .type = KUBE_JSON_STRING, .offset = AT(approval), .required = true},
    {.name = "user", .type = KUBE_JSON_STRING, .offset = AT(user)},
    {.name = "wave", .type = KUBE_JSON_STRING, .offset = AT(wave)},
    {.name = "at", .type = KUBE_JSON_TIME, .offset = AT(at_ms)},
    {.name = "counts", .type = KUBE_JSON_BOOL, .offset = AT(counts)},
    {.name = "why", .type = KUBE_JSON_STRING, .offset = AT(why)},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct decision, member)
const struct kube_json_field decision_table[] = {
    {.name = "id", .type = KUBE_JSON_STRING, .offset = AT(id), .required = true},
    {.name = "seq", .type = KUBE_JSON_INT, .offset = AT(seq), .required = true},
    {.name = "at", .type = KUBE_JSON_TIME, .offset = AT(at_ms), .required = true},
    {.name = "type", .type = KUBE_JSON_ENUM, .offset = AT(type), .required = true, .words = decision_type_names},
    {.name = "subject", .type = KUBE_JSON_STRING, .offset = AT(subject)},
    {.name = "rule", .type = KUBE_JSON_STRING, .offset = AT(rule)},
    {.name = "actor", .type = KUBE_JSON_STRING, .offset = AT(actor)},
    {.name = "reason", .type = KUBE_JSON_STRING, .offset = AT(reason)},
    {.name = "evidence", .type = KUBE_JSON_STRING, .offset = AT(evidence)},
    {.name = "previous", .type = KUBE_JSON_STRING, .offset = AT(previous)},
    {.name = "hash", .type = KUBE_JSON_STRING, .offset = AT(hash)},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct counts, member)
static const struct kube_json_field counts_table[] = {
    {.name = "total", .type = KUBE_JSON_INT, .offset = AT(total)},
    {.name = "pending", .type = KUBE_JSON_INT, .offset = AT(pending)},
    {.name = "active", .type = KUBE_JSON_INT, .offset = AT(active)},
    {.name = "patched", .type = KUBE_JSON_INT, .offset = AT(patched)},
    {.name = "failed", .type = KUBE_JSON_INT, .offset = AT(failed)},
    {.name = "rolledBack", .type = KUBE_JSON_INT, .offset = AT(rolled_back)},
    {.name = "skipped", .type = KUBE_JSON_INT, .offset = AT(skipped)},
    {.name = "excepted", .type = KUBE_JSON_INT, .offset = AT(excepted)},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct rollout_status, member)
#define LIST(json, member, list_table) \
	{ \
		.name = json, .type = KUBE_JSON_LIST, .offset = AT(member), .table = list_table, \
		.size = sizeof(*((struct rollout_status *)0)->member.items) \
	}
static const struct kube_json_field plan_table[] = {
    {.name = "hash", .type = KUBE_JSON_STRING, .offset = AT(plan_hash)},
    {.name = "policyHash", .type = KUBE_JSON_STRING, .offset = AT(policy_hash)},
    {.name = "revisions", .type = KUBE_JSON_STRLIST, .offset = AT(revisions)},
    {.name = "forUID", .type = KUBE_JSON_STRING, .offset = AT(for_uid)},
    {.name = "policyGeneration", .type = KUBE_JSON_INT, .offset = AT(policy_generation)},
    {.name = "approvedAt", .type = KUBE_JSON_TIME, .offset = AT(approved_ms)},
    KUBE_JSON_END,
};

static const struct kube_json_field status_table[] = {
    {.name = "observedGeneration", .type = KUBE_JSON_INT, .offset = AT(observed_generation)},
    {.name = "plan", .type = KUBE_JSON_OBJECT, .table = plan_table},
    {.name = "epoch", .type = KUBE_JSON_INT, .offset = AT(epoch)},
    LIST("conditions", conditions, condition_table),
    {.name = "outcome", .type = KUBE_JSON_ENUM, .offset = AT(outcome), .words = outcome_names},
    {.name = "summary", .type = KUBE_JSON_STRING, .offset = AT(summary)},
    {.name = "progress", .type = KUBE_JSON_STRING, .offset = AT(progress)},
    {.name = "currentWave", .type = KUBE_JSON_STRING, .offset = AT(current_wave)},
    {.name = "counts", .type = KUBE_JSON_OBJECT, .offset = AT(counts), .table = counts_table},
    LIST("versions", versions, version_of_table),
    LIST("waves", waves, wave_table),
    LIST("active", active, active_table),
    LIST("failed", failed, failure_table),
    LIST("gates", gates, gate_status_table),
    LIST("approvals", approvals, approval_table),
    LIST("decisions", decisions, decision_table),
    {.name = "startedAt", .type = KUBE_JSON_TIME, .offset = AT(started_ms)},
    {.name = "finishedAt", .type = KUBE_JSON_TIME, .offset = AT(finished_ms)},
    KUBE_JSON_END,
};

static void put_empty(const char **texts[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!*texts[i])
			*texts[i] = "";
}

void decisions_complete(struct decision *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct decision *d = &items[i];
		const char **texts[] = {&d->subject, &d->rule, &d->actor, &d->reason, &d->evidence, &d->previous, &d->hash};
		put_empty(texts, KUBE_ARRAY_LEN(texts));
	}
}

static void complete_active(struct rollout_status *status)
{
	for (size_t i = 0; i < status->active.count; i++) {
		struct active *active = &status->active.items[i];
		struct blocker *blocker = &active->blocked_by;
		const char **texts[] = {&blocker->namespace_, &blocker->name, &blocker->pod, &blocker->message};
		if (!active->wave)
			active->wave = "";
		if (active->reason && !active->message)
			active->message = "";
		if (blocker->kind)
			put_empty(texts, KUBE_ARRAY_LEN(texts));
	}
}

static void complete_failed(struct rollout_status *status)
{
	for (size_t i = 0; i < status->failed.count; i++) {
		struct failure *f = &status->failed.items[i];
		const char **texts[] = {&f->node_uid, &f->wave, &f->reason, &f->message};
		put_empty(texts, KUBE_ARRAY_LEN(texts));
	}
}

static void complete_approvals(struct rollout_status *status)
{
	for (size_t i = 0; i < status->approvals.count; i++) {
		struct approval_status *a = &status->approvals.items[i];
		const char **texts[] = {&a->user, &a->wave, &a->why};
		put_empty(texts, KUBE_ARRAY_LEN(texts));
	}
}

/* List items are decoded from zero, which is a time of its own; absent times are set here. */
static void complete_waves(const cJSON *status_json, struct rollout_status *status)
{
	const cJSON *item;
	struct wave_status *wave = status->waves.items;

	cJSON_ArrayForEach (item, kube_json_get(status_json, "waves")) {
		if (!kube_json_get(item, "startedAt"))
			wave->started_ms = KUBE_TIME_NONE;
		if (!kube_json_get(item, "finishedAt"))
			wave->finished_ms = KUBE_TIME_NONE;
		if (!kube_json_get(item, "soakUntil"))
			wave->soak_until_ms = KUBE_TIME_NONE;
		if (!wave->reason)
			wave->reason = "";
		if (!wave->message)
			wave->message = "";
		wave++;
	}
}

static void complete_gates(const cJSON *status_json, struct rollout_status *status)
{
	const cJSON *item;
	struct gate_status *gate = status->gates.items;

	cJSON_ArrayForEach (item, kube_json_get(status_json, "gates")) {
		if (!kube_json_get(item, "at"))
			gate->at_ms = KUBE_TIME_NONE;
		if (!kube_json_get(item, "since"))
			gate->since_ms = KUBE_TIME_NONE;
		if (!gate->message)
			gate->message = "";
		gate++;
	}
}

int rollout_status_decode(const cJSON *json, struct rollout_status *ret_status, struct kube_arena *arena,
                          struct kube_err *err)
{
	struct rollout_status status = {
	    .summary = "",
	    .progress = "",
	    .current_wave = "",
	    .started_ms = KUBE_TIME_NONE,
	    .finished_ms = KUBE_TIME_NONE,
	};
	if (json) {
		int rc = kube_json_decode(json, status_table, &status, arena, err);
		if (rc)
			return kube_err_prefix(err, "status");
		conditions_complete(&status.conditions);
		complete_waves(json, &status);
		complete_gates(json, &status);
		complete_active(&status);
		complete_failed(&status);
		complete_approvals(&status);
		decisions_complete(status.decisions.items, status.decisions.count);
	}
	*ret_status = status;
	return 0;
}
