/* What the planner asks for is done, and what must hold at each effect. */
#include "test/unit/plan/world_internal.h"

bool world_in_active(const struct rollout *rollout, const char *uid)
{
	for (size_t i = 0; i < rollout->status.active.count; i++)
		if (!strcmp(rollout->status.active.items[i].node_uid, uid))
			return true;
	return false;
}

/* By whom it may be touched: while the record of this rollout stands on a node, others wait. */
static bool granted_anywhere(const struct world *world, const struct node *node)
{
	const char *uid = node->object.uid;
	if (node->state && step_ended((enum step)node->state->step) &&
	    !strcmp(node->state->rollout_uid, world->snapshot.rollout->object.uid))
		return false;
	for (size_t i = 0; i < world->rollout_count; i++)
		if (!world->rollouts[i].gone && world_in_active(world->rollouts[i].rollout, uid))
			return true;
	return false;
}

/* Invariant 1: a node that was available is only taken within the budget. */
static void check_budget(const struct world *world, const struct target *target)
{
	const struct rules *rules = world->snapshot.plan->rules;
	const struct wave_spec *wave = &rules->waves.items[target->wave];
	int64_t nodes = 0, unavailable = 0;

	for (size_t i = 0; i < world->node_count; i++) {
		const struct node *node = &world->nodes[i]->node;
		if (world->nodes[i]->gone ||
		    (!node_selected(node, rules) && !world_in_active(world->snapshot.rollout, node->object.uid)))
			continue;
		nodes++;
		unavailable += !node->ready || node->unschedulable || granted_anywhere(world, node);
	}
	const struct kube_intstr *limit = wave->max_unavailable.set ? &wave->max_unavailable : &rules->max_unavailable;
	int64_t allowed = limit->percent ? nodes * limit->value / 100 : limit->value;
	ck_assert_msg(unavailable <= (allowed < 1 ? 1 : allowed), "%s was cordoned: %lld of %lld are unavailable, %lld may",
	              target->node, (long long)unavailable, (long long)nodes, (long long)allowed);
}

static const struct target *target_of(const struct world *world, const char *uid)
{
	for (size_t i = 0; i < world->snapshot.target_count; i++)
		if (!strcmp(world->snapshot.targets[i].target->node_uid, uid))
			return world->snapshot.targets[i].target;
	return NULL;
}

/* Invariant 6. */
static void check_waves(const struct world *world, const struct target *target)
{
	const struct rollout_status *status = &world->snapshot.rollout->status;
	for (int64_t w = 0; w < target->wave; w++)
		ck_assert_msg((size_t)w < status->waves.count && status->waves.items[w].state == WAVE_PASSED,
		              "%s was started before wave %lld had passed", target->node, (long long)w);
}

/* Each page of the report that there will be is known to exist: it is written from what stands on the nodes. */
static void check_reported(const struct world *world)
{
	size_t pages = (world->snapshot.target_count + 249) / 250, seen = 0;
	for (size_t page = 1; page <= pages; page++) {
		const struct world_report *report = world_report_of(world, world->snapshot.rollout, page);
		for (size_t i = 0; report && i < world->snapshot.report_count; i++)
			seen += !strcmp(world->snapshot.report_names[i], report->name);
	}
	ck_assert_msg(seen >= pages, "a state was removed before all %zu pages of the report existed", pages);
}

/* As controller/act/node_patch.c does it. */
static void write_held(struct world *world, const struct node_write *write, struct node *node)
{
	for (size_t i = 0; i < HELD_COUNT; i++) {
		const char *before = node_state_held(node->state, i), *after = node_state_held(write->state, i);
		const char *now = kube_strmap_get(&node->annotations, held_annotations[i]);
		if (!before && write->claim)
			before = node_state_held_last(write->state, i);
		if (write->claim && after)
			world_put(world, &node->annotations, held_annotations[i], HELD_VALUE);
		else if (before && !after && now && !strcmp(now, HELD_VALUE))
			world_put(world, &node->annotations, held_annotations[i],
			          strcmp(before, HELD_ABSENT) != 0 ? before + 1 : NULL);
	}
}

static void patch_node(struct world *world, const struct node_write *write)
{
	struct world_node *node = world_node_by_uid(world, write->node->object.uid);
	const struct rollout *rollout = world->snapshot.rollout;
	bool ended = rollout->status.outcome != OUTCOME_NONE || !world->snapshot.plan;

	ck_assert_ptr_nonnull(node);
	ck_assert_msg(node->busy == 0, "a busy node was written");
	ck_assert_msg(!world_held(node) || (!write->state && step_ended((enum step)node->node.state->step)),
	              "%s is held, and was written", node->node.object.name);
	ck_assert_msg(ended || world_in_active(rollout, node->node.object.uid), "%s was touched without a grant",
	              node->node.object.name);
	if (write->claim) {
		const struct target *target = target_of(world, node->node.object.uid);
		world->claims++;
		check_waves(world, target);
		if (!node->node.unschedulable)
			check_budget(world, target);
	}
	if (!write->state && world->snapshot.plan && rollout->status.outcome != OUTCOME_NONE)
		check_reported(world);
	write_held(world, write, &node->node);
	world_set_state(world, node, write->state);
	if (write->applied)
		world_put(world, &node->node.annotations, write->applied->observed.annotation, write->applied->version);
	if (write->cordon != CHANGE_NONE)
		node->node.unschedulable = write->cordon == CHANGE_ON;
	if (write->quarantine != CHANGE_NONE)
		node->node.quarantined = write->quarantine == CHANGE_ON;
	ck_assert_msg(!node->cordoned_before || node->node.unschedulable, "%s was cordoned before us, and is not any more",
	              node->node.object.name);
	node->busy = world->lag ? world->lag + 2 : 0; /* longer than the rollout: the caches are not one */
	world->writes++;
}

struct world_pod *world_find_pod(const struct world *world, const struct pod *pod)
{
	for (size_t i = 0; i < world->pod_count; i++)
		if (&world->pods[i]->pod == pod)
			return world->pods[i];
	ck_abort_msg("no such pod");
	return NULL;
}

static void take_from_budgets(struct world *world, const struct pod *pod)
{
	size_t found = 0;
	for (size_t i = 0; i < world->pdb_count; i++) {
		struct pdb *pdb = &world->pdbs[i].pdb;
		if (!kube_selector_matches(&pdb->selector, &pod->labels) || pod->phase != POD_RUNNING)
			continue;
		ck_assert_msg(++found == 1, "the Eviction API refuses a pod of two budgets");
		if (!pod->ready)
			continue;
		ck_assert_msg(pdb->disruptions_allowed > 0, "pod %s is protected by %s", pod->object.key, pdb->object.name);
		pdb->disruptions_allowed--;
		pdb->current_healthy--;
		ck_assert(world->pdbs[i].back_count < KUBE_ARRAY_LEN(world->pdbs[i].back_ms));
		world->pdbs[i].back_ms[world->pdbs[i].back_count++] = world->now_ms + world->pod_grace_ms + world->pod_start_ms;
	}
}

static void end_pod(struct world *world, const struct pod *pod)
{
	struct world_pod *own = world_find_pod(world, pod);
	const struct world_node *node = world_node(world, pod->node_name);

	ck_assert_msg(own->busy == 0 && !own->gone, "pod %s is busy or gone", pod->object.key);
	ck_assert_msg(!world_held(node), "pod %s is evicted from a node that is held", pod->object.key);
	ck_assert_msg(node->node.unschedulable, "%s is drained without a cordon", pod->node_name);
	ck_assert_msg(world_in_active(world->snapshot.rollout, node->node.object.uid), "drained without a grant");
	own->pod.object.deleted_ms = world->now_ms;
	if (!own->stays)
		own->end_ms = world->now_ms + world->pod_grace_ms;
	own->busy = world->lag;
	if (pod != world->self)
		return;
	for (size_t i = 0; i < world->pod_count; i++)
		ck_assert_msg(world->pods[i] == own || world->pods[i]->gone ||
		                  strcmp(world->pods[i]->pod.node_name, pod->node_name) != 0,
		              "our own pod goes before %s", world->pods[i]->pod.object.key);
	world->self = NULL;
}

static void evict(struct world *world, const struct pod *pod)
{
	end_pod(world, pod);
	take_from_budgets(world, pod);
	world->evictions++;
}

/* No budget is asked: the decision for that stands in the status, with the grant. */
static void delete_pod(struct world *world, const struct pod *pod)
{
	const struct rollout_status *status = &world->snapshot.rollout->status;
	const struct active *active = NULL;

	for (size_t i = 0; i < status->active.count; i++)
		if (!strcmp(status->active.items[i].node, pod->node_name))
			active = &status->active.items[i];
	ck_assert_msg(active && active->forced, "pod %s is deleted, and that was not decided", pod->object.key);
	end_pod(world, pod);
	world->deletions++;
}

/* True when it changed anything. */
bool world_act(struct world *world, struct world_rollout *rollout, const struct action *action)
{
	switch (action->type) {
	case ACTION_CREATE_ROLLOUT:
	case ACTION_DELETE_ROLLOUT: ck_abort_msg("a rollout does not make rollouts"); break;
	case ACTION_CREATE_REVISION: world_create_revision(world, action); break;
	case ACTION_FINALIZE_ROLLOUT: world_finalize(world, rollout, action->finalize.on); break;
	case ACTION_PATCH_NODE: patch_node(world, &action->node); break;
	case ACTION_EVICT_POD: evict(world, action->evict.pod); break;
	case ACTION_DELETE_POD: delete_pod(world, action->evict.pod); break;
	case ACTION_CREATE_JOB: world_create_job(world, &action->job); break;
	case ACTION_READ_JOB: return world_read_job(world, &action->read_job);
	case ACTION_RELEASE_JOB: world_release_job(world, action->pod); break;
	case ACTION_DELETE_JOBS: world_delete_jobs(world, action->delete_jobs); break;
	case ACTION_CREATE_REPORT: world_create_report(world, &action->report); break;
	case ACTION_EMIT_EVENT: return false;
	}
	return true;
}
