/* What tests ask of the world. */
#include "test/unit/plan/world_internal.h"

enum step world_step_of(const struct world *world, const char *name)
{
	const struct world_node *node = world_node(world, name);
	return node && node->node.state ? (enum step)node->node.state->step : STEP_NONE;
}

const struct active *world_active(const struct world_rollout *rollout, const char *node)
{
	for (size_t i = 0; i < rollout->rollout->status.active.count; i++)
		if (!strcmp(rollout->rollout->status.active.items[i].node, node))
			return &rollout->rollout->status.active.items[i];
	return NULL;
}

static bool is_decision(const struct decision *decision, enum decision_type type, const char *reason)
{
	return decision->type == (int)type && (!reason || !strcmp(decision->reason, reason));
}

size_t world_decisions(const struct world *world, const struct world_rollout *rollout, enum decision_type type,
                       const char *reason)
{
	const struct rollout_status *status = &rollout->rollout->status;
	size_t found = 0;

	for (size_t i = 0; i < world->revision_count; i++)
		if (!strcmp(world->revisions[i]->rollout_uid, rollout->rollout->object.uid))
			for (size_t d = 0; d < world->revisions[i]->decisions.count; d++)
				found += is_decision(&world->revisions[i]->decisions.items[d], type, reason);
	for (size_t d = 0; d < status->decisions.count; d++)
		found += is_decision(&status->decisions.items[d], type, reason);
	return found;
}

size_t world_actions(const struct world *world, enum action_type type)
{
	size_t found = 0;
	for (size_t i = 0; i < world->result.actions.count; i++)
		found += world->result.actions.items[i].type == type;
	return found;
}

const struct action *world_action(const struct world *world, enum action_type type)
{
	for (size_t i = 0; i < world->result.actions.count; i++)
		if (world->result.actions.items[i].type == type)
			return &world->result.actions.items[i];
	return NULL;
}

const struct world_report *world_report_of(const struct world *world, const struct rollout *rollout, size_t page)
{
	char name[200];
	snprintf(name, sizeof(name), "%s-%.8s-%zu", rollout->object.name, rollout->object.uid, page);
	for (size_t i = 0; i < world->report_count; i++)
		if (!strcmp(world->reports[i].name, name))
			return &world->reports[i];
	return NULL;
}

const struct world_report *world_report(const struct world *world, const struct world_rollout *rollout, int page)
{
	return world_report_of(world, rollout->rollout, (size_t)page);
}

/* Invariant 8: each decision once, and the chain holds. */
static void check_ledger(const struct world *world, const struct world_rollout *rollout)
{
	const struct decision *all[2000];
	const struct rollout_status *status = &rollout->rollout->status;
	size_t count = 0;
	struct kube_err err = {0};

	for (size_t i = 0; i < world->revision_count; i++)
		if (!strcmp(world->revisions[i]->rollout_uid, rollout->rollout->object.uid))
			for (size_t d = 0; d < world->revisions[i]->decisions.count; d++)
				all[count++] = &world->revisions[i]->decisions.items[d];
	for (size_t d = 0; d < status->decisions.count; d++)
		if (count == 0 || all[count - 1]->seq < status->decisions.items[d].seq)
			all[count++] = &status->decisions.items[d];
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(strcmp(all[i]->id, all[k]->id) != 0, "%s of %s stands twice in the ledger",
			              decision_type_names[all[i]->type], all[i]->subject);
	ck_assert_msg(ledger_verify(all, count, &err) == 0, "%s", err.message);
}

void world_check_tidy(const struct world *world, const struct world_rollout *rollout)
{
	const struct rollout *r = rollout->rollout;

	ck_assert_msg(rollout->gone || rollout_done(r), "the rollout is not done: %s", r->status.summary);
	ck_assert_ptr_nonnull(world_report(world, rollout, 1));
	for (size_t i = 0; i < world->pod_count; i++)
		ck_assert_msg(!world_job_of(world->pods[i], r), "job pod %s is left", world->pods[i]->pod.object.name);
	for (size_t i = 0; i < world->node_count; i++) {
		const struct node *node = &world->nodes[i]->node;
		if (world->nodes[i]->gone)
			continue;
		ck_assert_msg(!node->state || node->quarantined, "%s still carries a state (%s)", node->object.name,
		              step_names[node->state->step]);
		ck_assert_msg(!node->unschedulable || node->quarantined || world->nodes[i]->cordoned_before,
		              "%s was left cordoned", node->object.name);
		for (size_t k = 0; k < HELD_COUNT; k++)
			ck_assert_pstr_eq(kube_strmap_get(&node->annotations, held_annotations[k]),
			                  world->nodes[i]->held_before[k]);
	}
	check_ledger(world, rollout);
}

void world_check_condition(const struct world_rollout *rollout, const char *type, int status, const char *reason,
                           const char *message)
{
	const struct condition *c = condition_get(&rollout->rollout->status.conditions, type);
	ck_assert_msg(c != NULL, "there is no condition %s", type);
	ck_assert_msg(c->status == status && !strcmp(c->reason, reason), "%s is %s/%s: %s", type,
	              condition_status_names[c->status], c->reason, c->message);
	ck_assert_msg(strstr(c->message, message) != NULL, "%s does not say: %s", c->message, message);
}

int64_t world_claimed_at(const struct world *world, const char *node)
{
	const struct node_state *state = world_node(world, node)->node.state;
	ck_assert_msg(state != NULL, "%s was not claimed", node);
	return state->started_ms;
}
