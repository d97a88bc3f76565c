/*
 * After the outcome: the report's pages, then the nodes' states and the job pods go, then our finalizer. Each pass does
 * what is missing, so that it does not matter where the last one was cut off. A target's state stays on its node until
 * every page of the report exists; that of a quarantined one stays on, as the reason of its cordon.
 */
#include "controller/plan/internal.h"
#include <string.h>

#define REPORT_PAGE_TARGETS 250
#define REPORT_PAGE_DECISIONS 500

bool rollout_done(const struct rollout *rollout)
{
	return rollout->status.outcome != OUTCOME_NONE && !rollout->finalizer;
}

static size_t pages_for(size_t count, size_t page)
{
	return (count + page - 1) / page;
}

static bool exists(const struct rollout_snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->report_count; i++)
		if (!strcmp(s->report_names[i], name))
			return true;
	return false;
}

/* The complete ledger: its pages, then what stands in the status. */
static const struct decision **all_decisions(const struct rollout_snapshot *s, struct kube_arena *arena,
                                             size_t *ret_count)
{
	const struct rollout_status *status = &s->rollout->status;
	size_t count = status->decisions.count, next = 0;

	for (size_t i = 0; i < s->ledger_count; i++)
		count += s->ledger[i]->decisions.count;
	const struct decision **all = plan_alloc(arena, count * sizeof(struct decision *));
	for (size_t i = 0; i < s->ledger_count; i++)
		for (size_t d = 0; d < s->ledger[i]->decisions.count; d++)
			all[next++] = &s->ledger[i]->decisions.items[d];
	for (size_t d = 0; d < status->decisions.count; d++) {
		bool paged = next > 0 && all[next - 1]->seq >= status->decisions.items[d].seq;
		if (!paged)
			all[next++] = &status->decisions.items[d];
	}
	*ret_count = next;
	return all;
}

struct told {
	enum step step;
	const char *reason, *message;
};

/* Of one without a state: it is gone, or nothing could be patched on it. One that became outdated when its wave had
 * passed is left to the next rollout. */
static struct told never_started(const struct rollout_snapshot *s, const struct target_view *view)
{
	static const struct told not_started = {STEP_NONE, "NotStarted", NULL};

	if (!view->node)
		return (struct told){STEP_SKIPPED, "NodeGone", NULL};
	if (s->rollout->status.outcome != OUTCOME_SUCCEEDED)
		return not_started;
	switch (node_standing(view->node, s->plan->rules, s->server_version)) {
	case STANDING_UP_TO_DATE:
	case STANDING_NEWER: return (struct told){STEP_SKIPPED, "NotOutdated", NULL};
	case STANDING_REFUSED: return (struct told){STEP_SKIPPED, "VersionNotAllowed", NULL};
	case STANDING_UNKNOWN: return (struct told){STEP_SKIPPED, "NotObserved", NULL};
	case STANDING_OUTDATED: break;
	}
	return not_started;
}

/* Why it was left as it is; NULL: no exception is the reason. */
static const char *excepted_by(const struct rollout_snapshot *s, const struct target_view *view,
                               struct kube_arena *arena)
{
	const char *name = view->node ? target_exception(s, view) : NULL;
	bool old = name && node_standing(view->node, s->plan->rules, s->server_version) == STANDING_OUTDATED;

	return old ? exception_text(s->policy, name, arena) : NULL;
}

static struct report_target report_target(const struct rollout_snapshot *s, const struct target_view *view,
                                          struct kube_arena *arena)
{
	const struct node_state *state = node_state_of(view->node, s->rollout->object.uid);
	const struct failure *failure = listed_failure(&s->rollout->status, view->target->node_uid);
	const char *exception = state || failure ? NULL : excepted_by(s, view, arena);
	bool in_plan = view->target->wave >= 0 && (uint64_t)view->target->wave < s->plan->rules->waves.count;
	struct told told;

	if (failure && (!state || state->step == STEP_PATCHED)) /* its state does not tell, or not any more */
		told = (struct told){state ? STEP_PATCHED : STEP_FAILED, failure->reason, failure->message};
	else if (state)
		told = (struct told){state->step, state->reason, state->message};
	else if (exception)
		told = (struct told){STEP_NONE, "Excepted", exception};
	else
		told = never_started(s, view);

	return (struct report_target){
	    .target = view->target,
	    .wave = in_plan ? s->plan->rules->waves.items[view->target->wave].name : "",
	    .node = view->node,
	    .state = state,
	    .excepted = exception != NULL,
	    .step = told.step,
	    .reason = told.reason,
	    .message = told.message,
	};
}

static size_t slice(size_t total, size_t page, size_t per_page, size_t *ret_first)
{
	*ret_first = page * per_page < total ? page * per_page : total;
	return total - *ret_first < per_page ? total - *ret_first : per_page;
}

static void create_page(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out,
                        const char *name, size_t page, size_t pages, const struct decision **decisions,
                        size_t decision_count)
{
	struct action *action = plan_add_action(&out->actions, ACTION_CREATE_REPORT, arena);
	size_t first_target, first_decision;
	size_t targets = slice(s->target_count, page, REPORT_PAGE_TARGETS, &first_target);
	size_t shown = slice(decision_count, page, REPORT_PAGE_DECISIONS, &first_decision);
	struct report_target *items = plan_alloc(arena, targets * sizeof(*items));

	for (size_t i = 0; i < targets; i++)
		items[i] = report_target(s, &s->targets[first_target + i], arena);
	action->report = (struct report_page){
	    .name = name,
	    .page = (int64_t)page + 1,
	    .pages = (int64_t)pages,
	    .outcome = s->rollout->status.outcome,
	    .rollout = s->rollout,
	    .plan = s->plan,
	    .counts = &s->rollout->status.counts,
	    .started_ms = s->rollout->status.started_ms,
	    .finished_ms = s->rollout->status.finished_ms,
	    .targets = items,
	    .target_count = targets,
	    .decisions = decisions + first_decision,
	    .decision_count = shown,
	};
}

/* True when every page exists. */
static bool write_report(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	size_t decision_count;
	const struct decision **decisions = all_decisions(s, arena, &decision_count);
	size_t pages = pages_for(s->target_count, REPORT_PAGE_TARGETS),
	       ledger_pages = pages_for(decision_count, REPORT_PAGE_DECISIONS);
	bool complete = true;

	if (ledger_pages > pages)
		pages = ledger_pages;
	if (!pages)
		pages = 1;
	for (size_t page = 0; page < pages; page++) {
		const char *name = plan_printf(arena, "%s-%.8s-%zu", s->rollout->object.name, s->rollout->object.uid, page + 1);
		if (exists(s, name))
			continue;
		complete = false;
		create_page(s, arena, out, name, page, pages, decisions, decision_count);
	}
	return complete;
}

bool explains_quarantine(const struct node *node)
{
	return node->state && (node->quarantined || node->state->step == STEP_QUARANTINED);
}

void release_node(const struct node *node, struct kube_arena *arena, struct actions *actions)
{
	struct action *action = plan_add_action(actions, ACTION_PATCH_NODE, arena);
	bool ours = !step_ended((enum step)node->state->step) && cordon_ours(node->state) && !node->quarantined;

	action->node = (struct node_write){.node = node, .state = NULL, .cordon = ours ? CHANGE_OFF : CHANGE_NONE};
}

/* So many nodes at a time: thousands of requests at once would help nobody. */
#define MAX_RELEASES 100

/* Takes our states off the nodes; true when none is left but those that explain a quarantine. */
static bool clear_nodes(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	bool clear = true;
	size_t under_way = 0;

	for (size_t i = 0; i < s->target_count; i++)
		under_way += s->targets[i].busy;
	for (size_t i = 0; i < s->target_count; i++) {
		const struct target_view *view = &s->targets[i];
		if (!node_state_of(view->node, s->rollout->object.uid) || explains_quarantine(view->node))
			continue;
		clear = false;
		if (!view->busy && under_way++ < MAX_RELEASES)
			release_node(view->node, arena, &out->actions);
	}
	return clear;
}

struct job_tally {
	size_t left, unreleased, busy, undeleted;
};

static void tally_jobs(const struct pod_view *jobs, size_t count, struct kube_arena *arena, struct rollout_result *out,
                       struct job_tally *tally)
{
	for (size_t i = 0; i < count; i++) {
		tally->left++;
		tally->busy += jobs[i].busy;
		tally->unreleased += jobs[i].pod->job_finalizer;
		tally->undeleted += jobs[i].pod->object.deleted_ms == KUBE_TIME_NONE;
		if (jobs[i].pod->job_finalizer && !jobs[i].busy)
			plan_add_action(&out->actions, ACTION_RELEASE_JOB, arena)->pod = jobs[i].pod;
	}
}

/* Deletes the job pods; true when none is left. */
static bool clear_jobs(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	struct job_tally tally = {0};

	for (size_t i = 0; i < s->target_count; i++)
		tally_jobs(s->targets[i].jobs, s->targets[i].job_count, arena, out, &tally);
	tally_jobs(s->stray_jobs, s->stray_job_count, arena, out, &tally);
	if (tally.undeleted && !tally.unreleased && !tally.busy)
		plan_add_action(&out->actions, ACTION_DELETE_JOBS, arena)->delete_jobs = s->rollout->hash;
	return tally.left == 0;
}

void finish_leftovers(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	clear_jobs(s, arena, out);
}

void finish_rollout(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	if (!write_report(s, arena, out))
		return;
	bool nodes_clear = clear_nodes(s, arena, out);
	bool jobs_clear = clear_jobs(s, arena, out);
	if (nodes_clear && jobs_clear)
		finalize_rollout(s, arena, out, false);
}

/* A rollout that is deleted while its plan cannot be read: what carries its state is released all the same. */
void abandon_rollout(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out)
{
	bool clear = true;

	for (size_t i = 0; i < s->node_count; i++) {
		if (!node_state_of(s->nodes[i], s->rollout->object.uid) || explains_quarantine(s->nodes[i]))
			continue;
		clear = false;
		if (held_at_work(s->nodes[i]))
			want_waiting(out, "NodeHeld",
			             plan_printf(arena, "node %s is held (%s): it is given back when the hold goes",
			                         s->nodes[i]->object.name, node_hold(s->nodes[i], arena)));
		else
			release_node(s->nodes[i], arena, &out->actions);
	}
	if (clear_jobs(s, arena, out) && clear)
		finalize_rollout(s, arena, out, false);
}
