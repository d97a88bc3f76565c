/*
 * patchwright.io/hold: a person's word that a node is not to be touched. A node that is held is not started; one in
 * work stays as it is, step, cordon and all, until the annotation goes. Then the time of its step begins anew.
 */
#include "controller/model/names.h"
#include "controller/model/text.h"
#include "controller/plan/internal.h"
#include <string.h>

#define REASON_BYTES 120    /* of somebody's words */
#define STATUS_TIME_MS 1000 /* times in a status have whole seconds */

const char *node_hold(const struct node *node, struct kube_arena *arena)
{
	const char *why = kube_strmap_get(&node->annotations, PW_ANNOTATION_HOLD);
	if (!why)
		return NULL;
	if (!*why)
		return "no reason given";
	return plan_printf(arena, "%.*s", (int)text_cut(why, REASON_BYTES), why);
}

static bool was_held(const struct target_pass *target)
{
	const char *kind = target->granted->blocked_by.kind;
	return kind && !strcmp(kind, BLOCKED_BY_HOLD);
}

/* Each hold is a decision of its own: its beginning tells it from the others. */
static void decide_hold(struct pass *pass, enum decision_type type, const struct active *entry, const char *reason,
                        const char *evidence)
{
	decide(pass, type, entry->node, entry->blocked_by.since_ms / STATUS_TIME_MS, "hold", reason, evidence);
}

static void keep_held(struct pass *pass, const struct target_pass *target, struct active *entry, const char *why)
{
	entry->blocked_by = (struct blocker){
	    .kind = BLOCKED_BY_HOLD,
	    .name = entry->node,
	    .message = plan_printf(pass->arena, "its annotation " PW_ANNOTATION_HOLD " says: %s", why),
	    .since_ms = was_held(target) ? target->granted->blocked_by.since_ms : pass->s->now_ms,
	};
	decide_hold(pass, DECISION_PAUSE, entry, "NodeHeld", entry->blocked_by.message);
	entry_keep(pass, entry);
}

/* The clock stood still for us: what the step had left of its time before the hold is not what it needs now. */
static bool resume(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	const struct blocker *before = &target->granted->blocked_by;
	bool decided = target->granted->reason && target->granted->step != target->state->step;

	entry->blocked_by = *before;
	decide_hold(pass, DECISION_RESUME, entry, "HoldEnded", "the annotation " PW_ANNOTATION_HOLD " is gone");
	if (decided || target->state->since_ms >= before->since_ms + STATUS_TIME_MS ||
	    pass->s->now_ms < before->since_ms + STATUS_TIME_MS) {
		entry->blocked_by = (struct blocker){0};
		return false;
	}
	struct node_state *state = state_next(pass, target, (enum step)target->state->step);
	state->paused = true;
	if (state->step == STEP_ROLLING_BACK)
		state->times[STEP_ROLLING_BACK] = pass->s->now_ms; /* rollback.timeout counts from there */
	write_node(pass, target, state, CHANGE_NONE);
	entry_keep(pass, entry);
	return true;
}

bool hold_target(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	const char *why = node_hold(target->view->node, pass->arena);
	bool untouched = !target->state && target->granted->step == STEP_CLAIMED;

	if (why && untouched)
		return true; /* the grant just goes */
	if (why)
		keep_held(pass, target, entry, why);
	else if (was_held(target) && target->state)
		return resume(pass, target, entry);
	return why != NULL;
}

bool held_at_work(const struct node *node)
{
	return node->state && !step_ended((enum step)node->state->step) &&
	       kube_strmap_get(&node->annotations, PW_ANNOTATION_HOLD);
}
