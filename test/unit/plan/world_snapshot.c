/* What the planner is given, as controller/cmd/snapshot*.c fill it. */
#include "test/unit/plan/world_internal.h"

/* controller/cmd/snapshot.h has it; its other declarations need the whole controller. */
void plan_assemble(const struct rollout_status *status, const struct revision *const *pages, size_t page_count,
                   struct kube_arena *arena, const struct plan **ret_plan, const char **ret_error);

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct pod_view *)a)->pod->object.key, ((const struct pod_view *)b)->pod->object.key);
}

static struct pod_view view_of(const struct world_pod *pod)
{
	return (struct pod_view){
	    .pod = &pod->pod, .busy = pod->busy > 0, .orphan = pod->orphan, .fact = pod->fact.kind ? &pod->fact : NULL};
}

static const struct volume *const *volumes_of(struct world *world, const struct world_pod *pod)
{
	const struct volume **volumes = plan_alloc(&world->pass, sizeof(struct volume *));
	for (size_t i = 0; i < world->volume_count; i++)
		if (world->volumes[i].pod == pod)
			*volumes = &world->volumes[i].volume;
	return volumes;
}

static void fill_attachments(struct world *world, struct target_view *view)
{
	struct attachment_view *attachments = plan_alloc(&world->pass, world->volume_count * sizeof(*attachments));
	for (size_t i = 0; i < world->volume_count; i++) {
		const struct world_volume *volume = &world->volumes[i];
		if (!strcmp(volume->attachment.node_name, view->target->node) && (volume->sticks || !volume->pod->gone))
			attachments[view->attachment_count++] = (struct attachment_view){&volume->attachment, &volume->volume};
	}
	view->attachments = attachments;
}

bool world_job_of(const struct world_pod *pod, const struct rollout *rollout)
{
	return !pod->gone && pod->pod.job_step && !strcmp(pod->pod.rollout_hash, rollout->hash);
}

/* What the cache has shown and shows no more is gone. */
static const struct job_fact *seen_fact(struct world *world, struct world_node *node)
{
	for (size_t i = 0; i < world->pod_count; i++)
		if (world->pods[i]->gone && !world->pods[i]->hidden &&
		    !strcmp(world->pods[i]->pod.object.name, node->fact.name))
			node->fact.existed = node->fact.absent = true;
	return &node->fact;
}

/* As controller/cmd/snapshot.c fills it. */
static void fill_target(struct world *world, const struct rollout *rollout, struct target_view *view)
{
	struct world_node *node = world_node_by_uid(world, view->target->node_uid);
	if (!node)
		return;
	struct pod_view *pods = plan_alloc(&world->pass, world->pod_count * sizeof(*pods));
	struct pod_view *jobs = plan_alloc(&world->pass, world->pod_count * sizeof(*jobs));
	const struct pod **bound = plan_alloc(&world->pass, world->pod_count * sizeof(*bound));
	bool concerns = node->node.state && !strcmp(node->node.state->rollout_uid, rollout->object.uid);

	concerns = concerns || (node->node.unschedulable && !node->node.state);
	for (size_t i = 0; i < world->pod_count; i++)
		if (!world->pods[i]->gone && pod_upgrade_index(&world->pods[i]->pod.object) &&
		    !strcmp(pod_upgrade_index(&world->pods[i]->pod.object), node->node.object.name))
			view->upgrade_pod = &world->pods[i]->pod;

	view->node = &node->node;
	view->busy = node->busy > 0;
	for (size_t i = 0; i < rollout->status.active.count; i++)
		concerns = concerns || !strcmp(rollout->status.active.items[i].node_uid, view->target->node_uid);
	for (size_t i = 0; i < world->pod_count; i++) {
		const struct world_pod *pod = world->pods[i];
		if (world_job_of(pod, rollout) && !pod->hidden && !strcmp(pod->pod.job_node_uid, view->target->node_uid))
			jobs[view->job_count++] = view_of(pod);
		if (!concerns || pod->gone || pod->hidden || strcmp(pod->pod.node_name, view->target->node) != 0)
			continue;
		if (pod->pod.job_step)
			bound[view->bound_job_count++] = &pod->pod;
		else
			pods[view->pod_count++] = view_of(pod);
		if (pod->pod.claims)
			pods[view->pod_count - 1].volumes = volumes_of(world, pod);
	}
	fill_attachments(world, view);
	qsort(pods, view->pod_count, sizeof(*pods), by_key);
	view->pods = pods;
	view->jobs = jobs;
	view->bound_jobs = bound;
	if (concerns && node->fact.name)
		view->job_fact = seen_fact(world, node);
}

static void fill_targets(struct world *world, const struct rollout *rollout, struct rollout_snapshot *s)
{
	size_t count = s->plan ? s->plan->target_count : 0;
	struct target_view *targets = plan_alloc(&world->pass, count * sizeof(*targets));
	struct pod_view *strays = plan_alloc(&world->pass, world->pod_count * sizeof(*strays));

	for (size_t i = 0; i < count; i++) {
		targets[i].target = s->plan->targets[i];
		fill_target(world, rollout, &targets[i]);
	}
	for (size_t i = 0; i < world->pod_count; i++) {
		bool taken = false;
		for (size_t k = 0; k < count && world_job_of(world->pods[i], rollout); k++)
			taken =
			    taken || (targets[k].node && !strcmp(targets[k].target->node_uid, world->pods[i]->pod.job_node_uid));
		if (world_job_of(world->pods[i], rollout) && !taken)
			strays[s->stray_job_count++] = view_of(world->pods[i]);
	}
	s->targets = targets;
	s->target_count = count;
	s->stray_jobs = strays;
}

static struct node_load load_of(struct world *world, const char *node)
{
	const struct pod **pods = plan_alloc(&world->pass, world->pod_count * sizeof(*pods));
	size_t count = 0;

	for (size_t i = 0; i < world->pod_count; i++)
		if (!world->pods[i]->gone && !strcmp(world->pods[i]->pod.node_name, node))
			pods[count++] = &world->pods[i]->pod;
	return (struct node_load){.pods = pods, .count = count};
}

static void fill_loads(struct world *world, struct rollout_snapshot *s)
{
	struct node_load *loads = plan_alloc(&world->pass, s->node_count * sizeof(*loads));

	if (!world->policy || !world->policy->rules.drain.require_capacity)
		return;
	for (size_t i = 0; i < s->node_count; i++)
		loads[i] = load_of(world, s->nodes[i]->object.name);
	s->loads = loads;
	s->unscheduled = load_of(world, "");
}

void world_fill_nodes(struct world *world, struct rollout_snapshot *s)
{
	const struct node **nodes = plan_alloc(&world->pass, world->node_count * sizeof(*nodes));
	size_t *counts = plan_alloc(&world->pass, world->node_count * sizeof(*counts));

	for (size_t i = 0; i < world->node_count; i++) {
		if (world->nodes[i]->gone)
			continue;
		nodes[s->node_count] = &world->nodes[i]->node;
		for (size_t p = 0; p < world->pod_count; p++)
			counts[s->node_count] +=
			    !world->pods[p]->gone && !strcmp(world->pods[p]->pod.node_name, world->nodes[i]->node.object.name);
		s->node_count++;
	}
	s->nodes = nodes;
	s->pods_per_node = counts;
	fill_loads(world, s);
}

static void fill_pages(struct world *world, const struct rollout *rollout, struct rollout_snapshot *s)
{
	const struct revision **ledger = plan_alloc(&world->pass, world->revision_count * sizeof(*ledger));
	const struct revision **pages = plan_alloc(&world->pass, world->revision_count * sizeof(*pages));
	const char **names = plan_alloc(&world->pass, world->revision_count * sizeof(*names));

	for (size_t i = 0; i < world->revision_count; i++) {
		const struct revision *revision = world->revisions[i];
		if (strcmp(revision->rollout_uid, rollout->object.uid) != 0)
			continue;
		pages[s->page_count] = revision;
		names[s->page_count++] = revision->object.name;
		if (revision->ledger)
			ledger[s->ledger_count++] = revision;
	}
	s->page_names = names;
	s->ledger = ledger;
	plan_assemble(&rollout->status, pages, s->page_count, &world->pass, &s->plan, &s->plan_error);
}

/* Of its plan, and still there. */
static struct node_list planned_nodes(struct world *world, const struct rollout *rollout)
{
	const struct node **nodes = plan_alloc(&world->pass, world->node_count * sizeof(*nodes));
	size_t count = 0;

	for (size_t r = 0; r < world->revision_count; r++) {
		const struct revision *page = world->revisions[r];
		bool is_plan = !page->ledger && !strcmp(page->rollout_uid, rollout->object.uid);
		for (size_t i = 0; is_plan && i < page->targets.count; i++) {
			struct world_node *node = world_node_by_uid(world, page->targets.items[i].node_uid);
			if (node)
				nodes[count++] = &node->node;
		}
	}
	return (struct node_list){nodes, count};
}

static void fill_others(struct world *world, const struct world_rollout *self, struct rollout_snapshot *s)
{
	const struct rollout **others = plan_alloc(&world->pass, world->rollout_count * sizeof(*others));
	struct node_list *planned = plan_alloc(&world->pass, world->rollout_count * sizeof(*planned));

	for (size_t i = 0; i < world->rollout_count; i++) {
		const struct world_rollout *other = &world->rollouts[i];
		if (other == self || other->gone)
			continue;
		if (!rollout_done(other->rollout))
			planned[s->other_count] = planned_nodes(world, other->rollout);
		s->others_planning |= other->busy > 0 && !other->rollout->status.plan_hash;
		others[s->other_count++] = other->rollout;
	}
	s->rollouts = others;
	s->planned_nodes = planned;
}

static void take_snapshot(struct world *world, const struct world_rollout *self)
{
	struct rollout_snapshot *s = &world->snapshot;
	const char **reports = plan_alloc(&world->pass, world->report_count * sizeof(*reports));
	const struct pdb **pdbs = plan_alloc(&world->pass, sizeof(world->pdbs));

	*s = (struct rollout_snapshot){.now_ms = world->now_ms,
	                               .server_version = world->server_version,
	                               .zones = world->zones,
	                               .rollout = self->rollout,
	                               .rollout_busy = self->busy > 0,
	                               .policy = world->policy,
	                               .policies = world->policies,
	                               .policy_count = world->policy_count,
	                               .policy_replaced = world->policy_replaced,
	                               .epoch = world->epoch,
	                               .lockers = world->lockers,
	                               .locker_count = world->locker_count,
	                               .max_unavailable_total = world->max_unavailable_total,
	                               .gate_facts = world->gate_facts,
	                               .self = world->self,
	                               .report_names = reports,
	                               .pdbs = pdbs,
	                               .pdb_count = world->pdb_count};
	for (size_t i = 0; i < world->pdb_count; i++)
		pdbs[i] = &world->pdbs[i].pdb;
	s->approvals = world->approvals;
	s->approval_count = world->approval_count;
	s->approval_guard = world->guard;
	s->emergency_guard = world->emergency_guard;
	s->author_guard = world->author_guard;
	fill_others(world, self, s);
	for (size_t i = 0; i < world->report_count; i++)
		reports[s->report_count++] = world->reports[i].name;
	world_fill_nodes(world, s);
	fill_pages(world, self->rollout, s);
	fill_targets(world, self->rollout, s);
}

void world_plan(struct world *world, struct world_rollout *rollout)
{
	kube_arena_finish(&world->pass);
	kube_arena_init(&world->pass, (size_t)1 << 30);
	take_snapshot(world, rollout);
	plan_rollout(&world->snapshot, &world->pass, &world->result);
	if (world->snapshot.rollout_busy)
		ck_assert_msg(world->result.actions.count == 0 && !world->result.write_status,
		              "something is done about a rollout whose own last write is not visible");
}
