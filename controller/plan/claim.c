/* The claim: the first write to a granted node takes it, and cordons it unless something is to be prepared first. */
#include "controller/plan/internal.h"
#include <string.h>

const struct rollout *record_holder(const struct pass *pass, const struct node *node)
{
	for (size_t i = 0; node->state && i < pass->s->other_count; i++)
		if (!strcmp(pass->s->rollouts[i]->object.uid, node->state->rollout_uid))
			return rollout_done(pass->s->rollouts[i]) ? NULL : pass->s->rollouts[i];
	return NULL;
}

/* Another rollout still holds the node, or its record of it; or there is a state that nobody can read. */
static bool held_by_other(struct pass *pass, const struct target_pass *target, struct blocker *ret_blocker)
{
	const struct node *node = target->view->node;
	if (node->state_text && !node->state) {
		*ret_blocker = (struct blocker){
		    .kind = "Node",
		    .name = node->object.name,
		    .message =
		        plan_printf(pass->arena,
		                    "its annotation " PW_ANNOTATION_STATE
		                    " cannot be read (%s): remove the annotation, and uncordon the node if nobody else did",
		                    node->state_error ? node->state_error : "unknown reason"),
		};
		return true;
	}
	const struct rollout *other = record_holder(pass, node);
	if (!other)
		return false;
	*ret_blocker = (struct blocker){
	    .kind = "PatchRollout",
	    .name = other->object.name,
	    .message = plan_printf(pass->arena, "works on this node (%s)", step_names[node->state->step]),
	};
	return true;
}

static struct node_state *first_state(struct pass *pass, const struct target_pass *target)
{
	const struct node *node = target->view->node;
	struct node_state *state = plan_alloc(pass->arena, sizeof(*state));
	const char **from = plan_alloc(pass->arena, pass->rules->patches.count * sizeof(*from));
	/* A state that nobody works on any more may have been left behind with our cordon. */
	bool our_cordon = node->state && cordon_ours(node->state) &&
	                  (explains_quarantine(node) || !step_ended((enum step)node->state->step));

	for (size_t i = 0; i < pass->rules->patches.count; i++) {
		const char *shown = node_observed(node, &pass->rules->patches.items[i].observed);
		from[i] = shown ? shown : "";
	}
	*state = (struct node_state){
	    .node_uid = node->object.uid,
	    .rollout_uid = pass->s->rollout->object.uid,
	    .rollout = pass->s->rollout->object.name,
	    .wave = target->wave->name,
	    .step = pass->rules->drain.enabled ? STEP_DRAINING : STEP_PATCHING,
	    .attempt = 1,
	    .since_ms = pass->s->now_ms,
	    .started_ms = pass->s->now_ms,
	    .foreign_cordon = node->unschedulable && !our_cordon,
	    .boot_id = node->boot_id,
	    .from = {.items = from, .count = pass->rules->patches.count},
	    .held = hold_off_autoscalers(pass, node, false),
	};
	for (size_t i = 0; i < STEP_COUNT; i++)
		state->times[i] = KUBE_TIME_NONE;
	state->times[STEP_CLAIMED] = state->times[state->step] = pass->s->now_ms;
	state->patch = (int64_t)next_patch(pass, state, 0);
	return state;
}

/* Where there is something to prepare, the cordon waits for that. */
static void claim_node(struct pass *pass, const struct target_pass *target)
{
	struct node_state *state = first_state(pass, target);
	size_t prepare = next_with_job(pass, state, "prepare", 0);
	bool to_prepare = prepare < pass->rules->patches.count;

	if (to_prepare) {
		state->times[state->step] = KUBE_TIME_NONE;
		enter_step(pass, state, STEP_PREPARING);
		state->patch = (int64_t)prepare;
	}
	/* What a rollout has left behind that is gone is lifted: a cordon that comes now is somebody else's. */
	const struct node *node = target->view->node;
	bool left_behind = node->unschedulable && !state->foreign_cordon && !node->quarantined;
	enum change before = left_behind ? CHANGE_OFF : CHANGE_NONE;
	write_node(pass, target, state, to_prepare ? before : CHANGE_ON)->node.claim = true;
}

/* Where a node goes on whose state somebody took away. What it showed before is lost, so nothing can be rolled back. */
static enum step step_without_state(const struct pass *pass, const struct target_pass *target)
{
	const struct active *granted = target->granted;
	if (granted->reason)
		return granted->step == STEP_ROLLING_BACK ? STEP_QUARANTINED : (enum step)granted->step;
	if (pass->aborting)
		return STEP_SKIPPED;
	if (node_standing(target->view->node, pass->rules, pass->s->server_version) != STANDING_OUTDATED)
		return STEP_SETTLING;
	return pass->rules->drain.enabled ? STEP_DRAINING : STEP_PATCHING;
}

/* The grant still knows whose the cordon is. */
static void claim_again(struct pass *pass, const struct target_pass *target, struct active *entry)
{
	const struct node *node = target->view->node;
	struct node_state *state = first_state(pass, target);
	struct action *action = write_node(pass, target, state, CHANGE_ON);

	action->node.claim = true;
	state->step = (int)step_without_state(pass, target);
	state->times[state->step] = pass->s->now_ms;
	state->foreign_cordon = target->granted->foreign_cordon;
	state->held = hold_off_autoscalers(pass, node, true);
	state->reason = target->granted->reason;
	state->message = target->granted->message;
	if ((size_t)state->patch >= pass->rules->patches.count)
		state->patch = 0;
	if (state->step == STEP_QUARANTINED) {
		action->node.quarantine = CHANGE_ON;
		decide(pass, DECISION_ROLLBACK_IMPOSSIBLE, entry->node, entry->attempt, "rollback", "StateLost",
		       "somebody removed the annotation " PW_ANNOTATION_STATE ", and with it the earlier versions");
	} else if (state->step != STEP_DRAINING && state->step != STEP_PATCHING) {
		action->node.cordon = state->foreign_cordon || node->quarantined ? CHANGE_NONE : CHANGE_OFF;
	}
	entry_keep(pass, entry);
}

/* The claim and the cordon are one write, with the node's resourceVersion. */
void target_claim(struct pass *pass, struct target_pass *target, struct active *entry)
{
	struct blocker blocker = {0};

	bool began = target->granted->step != STEP_CLAIMED;
	bool overdrawn = target->granted->foreign_cordon && !target->view->node->unschedulable;
	if (began && !target->view->node->state_text) {
		claim_again(pass, target, entry);
		return;
	}
	/* Nothing was touched: the grant just goes. One that cost nothing, because the node was cordoned, is asked for anew
	 * when it is not any more; one that its window outran, when the next opens. */
	if (pass->aborting || pass->stopping || overdrawn || neighbour_at_work(pass, target->view) ||
	    target_exception(pass->s, target->view) || !start_still_open(pass))
		return;
	enum standing standing = node_standing(target->view->node, pass->rules, pass->s->server_version);
	if (standing == STANDING_REFUSED) {
		decide(pass, DECISION_SKIP, entry->node, entry->attempt, "target", "VersionNotAllowed",
		       upgrade_refusal(target->view->node, pass->rules, pass->s->server_version, pass->arena));
		return;
	}
	if (standing != STANDING_OUTDATED) {
		decide(pass, DECISION_SKIP, entry->node, entry->attempt, "target", "NotOutdated",
		       "the node shows the wanted version, or a newer one, by now");
		return;
	}
	if (held_by_other(pass, target, &blocker)) {
		entry_block(pass, target, entry, &blocker);
		entry_keep(pass, entry);
		return;
	}
	claim_node(pass, target);
	entry_keep(pass, entry);
}
