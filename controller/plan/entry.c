/* What the files about a target share: its next state, the write of it, its entry in status.active. */
#include "controller/plan/step.h"
#include <string.h>

/* A drain that is blocked for this long is told as a decision and an Event, not only in blockedBy. */
#define WAIT_DECISION_AFTER_MS (10 * 1000)

bool patch_needed(const struct pass *pass, const struct node_state *state, size_t patch)
{
	const char *from = patch < state->from.count ? state->from.items[patch] : NULL;
	return version_standing(from, &pass->rules->patches.items[patch]) == STANDING_OUTDATED;
}

size_t next_patch(const struct pass *pass, const struct node_state *state, size_t from)
{
	size_t patch = from;
	while (patch < pass->rules->patches.count && !patch_needed(pass, state, patch))
		patch++;
	return patch;
}

size_t next_with_job(const struct pass *pass, const struct node_state *state, const char *step, size_t from)
{
	size_t patch = next_patch(pass, state, from);
	while (patch < pass->rules->patches.count && !job_template_of(&pass->rules->patches.items[patch], step))
		patch = next_patch(pass, state, patch + 1);
	return patch;
}

void enter_step(const struct pass *pass, struct node_state *state, enum step step)
{
	state->step = step;
	state->since_ms = pass->s->now_ms;
	if (state->times[step] == KUBE_TIME_NONE)
		state->times[step] = pass->s->now_ms;
}

struct node_state *state_next(const struct pass *pass, const struct target_pass *target, enum step step)
{
	struct node_state *state = plan_alloc(pass->arena, sizeof(*state));
	*state = *target->state;
	enter_step(pass, state, step);
	/* Whoever cordoned it before us, or somebody for them, has taken that back: the next cordon is ours. */
	state->foreign_cordon = target->state->foreign_cordon && target->view->node->unschedulable;
	return state;
}

bool cordon_ours(const struct node_state *state)
{
	return !state->foreign_cordon && state->step != STEP_PREPARING;
}

void state_add_exit(const struct pass *pass, struct node_state *state, const char *step, size_t patch,
                    int64_t exit_code)
{
	const char **items = plan_alloc(pass->arena, (state->exits.count + 1) * sizeof(*items));
	if (state->exits.count)
		memcpy(items, state->exits.items, state->exits.count * sizeof(*items));
	items[state->exits.count++] = plan_printf(pass->arena, "%s/%zu=%lld", step, patch, (long long)exit_code);
	state->exits.items = items;
}

/* Noted at the very end: what turns out bad before that finds the note as it was. */
static const struct patch *newly_applied(const struct pass *pass, const struct node_state *state)
{
	for (size_t i = 0; state->step == STEP_PATCHED && i < pass->rules->patches.count; i++)
		if (pass->rules->patches.items[i].applied && patch_needed(pass, state, i))
			return &pass->rules->patches.items[i];
	return NULL;
}

struct action *write_node(struct pass *pass, const struct target_pass *target, const struct node_state *state,
                          enum change cordon)
{
	struct action *action = plan_add_action(&pass->out->actions, ACTION_PATCH_NODE, pass->arena);
	action->node = (struct node_write){
	    .node = target->view->node, .state = state, .cordon = cordon, .applied = newly_applied(pass, state)};
	return action;
}

void entry_keep(struct pass *pass, const struct active *entry)
{
	pass->want->active.items[pass->want->active.count++] = *entry;
	if (!entry->blocked_by.kind)
		return;
	pass->waiting_on++;
	if (!pass->first_blocker)
		pass->first_blocker = &pass->want->active.items[pass->want->active.count - 1].blocked_by;
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* Blocked by the same object on the same pod: it has been so since then. */
static bool same_blocker(const struct blocker *a, const struct blocker *b)
{
	return a->kind && b->kind && same_text(a->kind, b->kind) && same_text(a->namespace_, b->namespace_) &&
	       same_text(a->name, b->name) && same_text(a->pod, b->pod);
}

const char *blocker_text(const struct pass *pass, const struct blocker *b)
{
	const char *slash = b->namespace_ && *b->namespace_ ? "/" : "";
	return plan_printf(pass->arena, "%s %s%s%s: %s", b->kind, b->namespace_ ? b->namespace_ : "", slash,
	                   b->name ? b->name : "", b->message);
}

void entry_block(struct pass *pass, const struct target_pass *target, struct active *entry,
                 const struct blocker *blocker)
{
	const struct blocker *before = target->granted ? &target->granted->blocked_by : NULL;
	entry->blocked_by = *blocker;
	if (!blocker->kind)
		return;
	entry->blocked_by.since_ms = before && same_blocker(before, blocker) ? before->since_ms : pass->s->now_ms;
	if (pass->s->now_ms - entry->blocked_by.since_ms < WAIT_DECISION_AFTER_MS) {
		look_again_at(pass->out, entry->blocked_by.since_ms + WAIT_DECISION_AFTER_MS);
		return;
	}
	if (blocker->pod && *blocker->pod)
		decide(pass, DECISION_WAIT, entry->node, entry->attempt, "drain", "DrainBlocked",
		       plan_printf(pass->arena, "pod %s on %s cannot leave, by %s", blocker->pod, entry->node,
		                   blocker_text(pass, blocker)));
	else if (blocker->pod)
		decide(pass, DECISION_WAIT, entry->node, entry->attempt, "drain", "DrainBlocked",
		       plan_printf(pass->arena, "the drain of %s waits for %s", entry->node, blocker_text(pass, blocker)));
	else
		decide(pass, DECISION_WAIT, entry->node, entry->attempt, "job", "JobBlocked",
		       plan_printf(pass->arena, "the job on %s waits for %s", entry->node, blocker_text(pass, blocker)));
}

void entry_note_job(struct active *entry, const struct job_view *job)
{
	if (!job->uid)
		return;
	entry->job_name = job->name;
	entry->job_uid = job->uid;
}

void entry_settle(struct active *entry, enum step step, const char *reason, const char *message)
{
	entry->step = (int)step;
	entry->reason = reason;
	entry->message = message;
	entry->blocked_by = (struct blocker){0};
}

void write_event(struct pass *pass, const struct target_pass *target, bool warning, const char *reason,
                 const char *note)
{
	emit_event(pass, &target->view->node->object, warning, reason, "Patch", note);
}
