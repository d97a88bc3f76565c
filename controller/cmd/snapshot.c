#include "controller/cmd/snapshot.h"
#include <stdlib.h>
#include <string.h>

static const struct kube_store *store(const struct controller *controller, enum cache_id id)
{
	return controller->caches[id].store;
}

static bool busy(const struct controller *controller, enum cache_id id, const struct kube_object *object)
{
	return kube_pending_busy(controller->caches[id].pending, object->key);
}

static int64_t now_ms(const struct controller *controller)
{
	return kube_client_server_ms(controller->client);
}

/* All objects of a cache, as an array of pointers to their projections (which begin with the object). */
static const void *all_of(const struct kube_store *from, struct kube_arena *arena, size_t *ret_count)
{
	size_t count = 0;
	const void **items = plan_alloc(arena, kube_store_count(from) * sizeof(*items));
	for (const struct kube_object *o = kube_store_next(from, NULL); o; o = kube_store_next(from, o))
		items[count++] = o;
	*ret_count = count;
	return items;
}

void snapshot_world(const struct controller *controller, struct kube_arena *arena, struct world *ret_world)
{
	ret_world->nodes = all_of(store(controller, CACHE_NODES), arena, &ret_world->node_count);
	ret_world->rollouts = all_of(store(controller, CACHE_ROLLOUTS), arena, &ret_world->rollout_count);
}

/* ---- pages ---- */

static int by_number(const void *a, const void *b)
{
	int64_t x = (*(const struct revision *const *)a)->number, y = (*(const struct revision *const *)b)->number;
	return (x > y) - (x < y);
}

static void fill_pages(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s)
{
	const struct kube_store *revisions = store(controller, CACHE_REVISIONS);
	const char *uid = s->rollout->object.uid;
	int index = controller->revisions_by_rollout;
	const struct kube_object *o;
	size_t count = kube_store_index_count(revisions, index, uid), ledgers = 0;
	const struct revision **pages = plan_alloc(arena, count * sizeof(*pages));
	const struct revision **ledger = plan_alloc(arena, count * sizeof(*ledger));
	const char **names = plan_alloc(arena, count * sizeof(*names));
	count = 0;
	for (o = kube_store_index_next(revisions, index, uid, NULL); o;
	     o = kube_store_index_next(revisions, index, uid, o)) {
		pages[count] = (const struct revision *)o;
		names[count++] = o->name;
		if (pages[count - 1]->ledger)
			ledger[ledgers++] = pages[count - 1];
	}
	qsort(ledger, ledgers, sizeof(const void *), by_number);
	s->page_names = names;
	s->page_count = count;
	s->ledger = ledger;
	s->ledger_count = ledgers;
	plan_assemble(&s->rollout->status, pages, count, arena, &s->plan, &s->plan_error);
}

/* Reports are named <rollout>-<first 8 hex digits of its UID>-<page>. */
static void fill_reports(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s)
{
	const struct kube_store *reports = store(controller, CACHE_REPORTS);
	const char *prefix = plan_printf(arena, "%s-%.8s-", s->rollout->object.name, s->rollout->object.uid);
	const char **names = plan_alloc(arena, kube_store_count(reports) * sizeof(*names));
	for (const struct kube_object *o = kube_store_next(reports, NULL); o; o = kube_store_next(reports, o))
		if (strncmp(o->name, prefix, strlen(prefix)) == 0)
			names[s->report_count++] = o->name;
	s->report_names = names;
}

/* ---- job pods ---- */

static int by_node_uid(const void *a, const void *b)
{
	const struct pod *x = ((const struct pod_view *)a)->pod, *y = ((const struct pod_view *)b)->pod;
	int order = strcmp(x->job_node_uid, y->job_node_uid);
	return order ? order : strcmp(x->object.key, y->object.key);
}

static bool is_job_of(const struct controller *controller, const struct rollout *rollout, const struct pod *pod)
{
	return snapshot_is_job(controller, pod) && pod->rollout_hash && strcmp(pod->rollout_hash, rollout->hash) == 0;
}

/* This rollout's, by their names. */
static void fill_jobs(const struct controller *controller, const struct rollout *rollout, struct kube_arena *arena,
                      struct target_view *target)
{
	const struct kube_store *pods = store(controller, CACHE_PODS);
	const char *uid = target->target->node_uid;
	int index = controller->pods_by_job_node;
	const struct kube_object *o;
	size_t count = kube_store_index_count(pods, index, uid);
	if (count == 0)
		return;
	struct pod_view *views = plan_alloc(arena, count * sizeof(*views));
	for (o = kube_store_index_next(pods, index, uid, NULL); o; o = kube_store_index_next(pods, index, uid, o))
		if (is_job_of(controller, rollout, (const struct pod *)o))
			views[target->job_count++] = snapshot_pod(controller, (const struct pod *)o);
	qsort(views, target->job_count, sizeof(*views), by_node_uid);
	target->jobs = views;
}

static int by_address(const void *a, const void *b)
{
	const struct pod *x = *(const struct pod *const *)a, *y = *(const struct pod *const *)b;
	return (x > y) - (x < y);
}

/* The job pods that the targets have, sorted. */
static const struct pod **taken_jobs(const struct rollout_snapshot *s, size_t count, struct kube_arena *arena)
{
	const struct pod **taken = plan_alloc(arena, count * sizeof(*taken));
	size_t next = 0;
	for (size_t i = 0; i < s->target_count; i++)
		for (size_t k = 0; k < s->targets[i].job_count; k++)
			taken[next++] = s->targets[i].jobs[k].pod;
	qsort(taken, count, sizeof(*taken), by_address);
	return taken;
}

/* Mostly there are none, which their number tells. */
static void fill_strays(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s)
{
	const struct kube_store *pods = store(controller, CACHE_PODS);
	int index = controller->pods_by_rollout;
	const char *hash = s->rollout->hash;
	const struct kube_object *o;
	size_t all = kube_store_index_count(pods, index, hash), taken_count = 0;
	for (size_t i = 0; i < s->target_count; i++)
		taken_count += s->targets[i].job_count;
	if (all == taken_count)
		return;
	const struct pod **taken = taken_jobs(s, taken_count, arena);
	struct pod_view *strays = plan_alloc(arena, all * sizeof(*strays));
	for (o = kube_store_index_next(pods, index, hash, NULL); o; o = kube_store_index_next(pods, index, hash, o))
		if (snapshot_is_job(controller, (const struct pod *)o) &&
		    !bsearch(&o, taken, taken_count, sizeof(*taken), by_address))
			strays[s->stray_job_count++] = snapshot_pod(controller, (const struct pod *)o);
	qsort(strays, s->stray_job_count, sizeof(*strays), by_node_uid);
	s->stray_jobs = strays;
}

/* ---- targets ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The UIDs of the nodes in status.active, sorted: every target is looked for among them. */
static const char **active_uids(const struct rollout *rollout, struct kube_arena *arena)
{
	size_t count = rollout->status.active.count;
	const char **uids = plan_alloc(arena, count * sizeof(*uids));
	for (size_t i = 0; i < count; i++)
		uids[i] = rollout->status.active.items[i].node_uid;
	qsort(uids, count, sizeof(*uids), by_text);
	return uids;
}

/* At work here: it stands in the status, or in a step of this rollout. What has ended is not looked at again. */
static bool concerns(const struct rollout *rollout, const char *const *active, const struct node *node)
{
	const struct node_state *state = node_state_of(node, rollout->object.uid);
	if (state && !step_ended((enum step)state->step))
		return true;
	return bsearch(&node->object.uid, active, rollout->status.active.count, sizeof(*active), by_text) != NULL;
}

static void fill_target(const struct controller *controller, const struct rollout *rollout, const char *const *active,
                        struct kube_arena *arena, struct target_view *target)
{
	const struct kube_object *object = kube_store_get(store(controller, CACHE_NODES), target->target->node);
	if (!object || strcmp(object->uid, target->target->node_uid) != 0)
		return;
	target->node = (const struct node *)object;
	target->busy = busy(controller, CACHE_NODES, object);
	fill_jobs(controller, rollout, arena, target);
	target->upgrade_pod = (const struct pod *)kube_store_index_next(store(controller, CACHE_PODS),
	                                                                controller->pods_by_upgrade, object->name, NULL);
	if (!concerns(rollout, active, target->node)) {
		if (target->node->unschedulable && !target->node->state_text)
			snapshot_node(controller, arena, target);
		return;
	}
	target->job_busy = act_job_busy(controller->act, target->target->node_uid);
	target->job_fact = job_facts_get(facts_jobs(controller->facts), target->target->node_uid);
	snapshot_node(controller, arena, target);
}

static void fill_targets(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s)
{
	const char **active = active_uids(s->rollout, arena);
	size_t count = s->plan ? s->plan->target_count : 0;
	struct target_view *targets = plan_alloc(arena, count * sizeof(*targets));
	for (size_t i = 0; i < count; i++) {
		targets[i].target = s->plan->targets[i];
		fill_target(controller, s->rollout, active, arena, &targets[i]);
	}
	s->targets = targets;
	s->target_count = count;
	fill_strays(controller, arena, s);
}

/* Only the order at planning needs them. */
static void count_pods(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s)
{
	const struct kube_store *pods = store(controller, CACHE_PODS);
	int index = controller->pods_by_node;
	size_t *counts = plan_alloc(arena, s->node_count * sizeof(*counts));
	s->pods_per_node = counts;
	if (s->rollout->status.plan_hash)
		return;
	for (size_t i = 0; i < s->node_count; i++)
		counts[i] = kube_store_index_count(pods, index, s->nodes[i]->object.name);
}

/* As --pod-name and --pod-namespace say. */
static const struct pod *self_pod(const struct controller *controller, struct kube_arena *arena)
{
	const struct options *options = controller->options;
	if (!options->pod_name || !options->pod_namespace)
		return NULL;
	const char *key = plan_printf(arena, "%s/%s", options->pod_namespace, options->pod_name);
	return (const struct pod *)kube_store_get(store(controller, CACHE_PODS), key);
}

static void fill_lockers(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s)
{
	const struct kube_store *daemon_sets = store(controller, CACHE_DAEMON_SETS);
	const struct daemon_set **lockers = plan_alloc(arena, kube_store_count(daemon_sets) * sizeof(*lockers));
	for (const struct kube_object *o = kube_store_next(daemon_sets, NULL); o; o = kube_store_next(daemon_sets, o))
		if (((const struct daemon_set *)o)->locks.count > 0)
			lockers[s->locker_count++] = (const struct daemon_set *)o;
	s->lockers = lockers;
}

static void fill_policy(const struct controller *controller, struct rollout_snapshot *s)
{
	const struct rollout *rollout = s->rollout;
	s->policy = (const struct policy *)kube_store_get(store(controller, CACHE_POLICIES), rollout->policy_name);
	s->policy_replaced = s->policy && *rollout->owner_uid && strcmp(rollout->owner_uid, s->policy->object.uid) != 0;
}

/* The policies' as well: whether one of them can be planned at all decides who goes first. */
static void fill_zones(const struct controller *controller, struct kube_arena *arena, struct rollout_snapshot *s)
{
	const struct rules **rules = plan_alloc(arena, (s->policy_count + 1) * sizeof(*rules));
	size_t count = 0;
	if (s->plan) /* first, should there be too many */
		rules[count++] = s->plan->rules;
	for (size_t i = 0; i < s->policy_count; i++)
		rules[count++] = &s->policies[i]->rules;
	s->zones = zones_for(controller->zones, rules, count, kube_env_mono_ms(controller->env));
}

void snapshot_rollout(struct controller *controller, const struct rollout *rollout, const char *key, int64_t epoch,
                      struct kube_arena *arena, struct rollout_snapshot *ret_snapshot)
{
	struct world world;
	snapshot_world(controller, arena, &world);
	struct rollout_snapshot s = {
	    .now_ms = now_ms(controller),
	    .server_version = server_version(controller),
	    .rollout = rollout,
	    .rollout_busy = busy(controller, CACHE_ROLLOUTS, &rollout->object),
	    .nodes = world.nodes,
	    .node_count = world.node_count,
	    .effect_error = facts_effect_error(controller->facts, key, now_ms(controller)),
	    .epoch = epoch,
	    .self = self_pod(controller, arena),
	    .max_unavailable_total = controller->options->max_unavailable_total,
	};
	fill_policy(controller, &s);
	fill_pages(controller, arena, &s);
	fill_reports(controller, arena, &s);
	snapshot_approvals(controller, arena, &s);
	fill_targets(controller, arena, &s);
	snapshot_others(controller, &world, arena, &s);
	fill_lockers(controller, arena, &s);
	count_pods(controller, arena, &s);
	snapshot_loads(controller, arena, &s);
	s.pdbs = all_of(store(controller, CACHE_PDBS), arena, &s.pdb_count);
	s.policies = all_of(store(controller, CACHE_POLICIES), arena, &s.policy_count);
	fill_zones(controller, arena, &s);
	s.gate_facts = gates_facts(controller, rollout, s.plan, arena);
	*ret_snapshot = s;
}

void snapshot_orphan_jobs(const struct controller *controller, struct kube_arena *arena,
                          struct orphan_jobs_snapshot *ret_snapshot)
{
	const struct kube_store *pods = store(controller, CACHE_PODS);
	struct world world;
	size_t count = 0;
	snapshot_world(controller, arena, &world);
	for (const struct kube_object *o = kube_store_next(pods, NULL); o; o = kube_store_next(pods, o))
		count += snapshot_is_job(controller, (const struct pod *)o);
	struct pod_view *jobs = plan_alloc(arena, count * sizeof(*jobs));
	count = 0;
	for (const struct kube_object *o = kube_store_next(pods, NULL); o; o = kube_store_next(pods, o))
		if (snapshot_is_job(controller, (const struct pod *)o))
			jobs[count++] = snapshot_pod(controller, (const struct pod *)o);
	*ret_snapshot = (struct orphan_jobs_snapshot){
	    .now_ms = now_ms(controller),
	    .jobs = jobs,
	    .job_count = count,
	    .nodes = world.nodes,
	    .node_count = world.node_count,
	    .rollouts = world.rollouts,
	    .rollout_count = world.rollout_count,
	};
}

void snapshot_policy(struct controller *controller, const struct policy *policy, const char *key,
                     struct kube_arena *arena, struct policy_snapshot *ret_snapshot)
{
	struct world world;
	snapshot_world(controller, arena, &world);
	const struct rollout **rollouts = plan_alloc(arena, world.rollout_count * sizeof(*rollouts));
	bool *rollout_busy = plan_alloc(arena, world.rollout_count * sizeof(*rollout_busy));
	size_t policy_count;
	const struct policy *const *policies = all_of(store(controller, CACHE_POLICIES), arena, &policy_count);
	size_t count = 0;
	for (size_t i = 0; i < world.rollout_count; i++) {
		if (strcmp(world.rollouts[i]->policy_name, policy->object.name) != 0)
			continue;
		rollout_busy[count] = busy(controller, CACHE_ROLLOUTS, &world.rollouts[i]->object);
		rollouts[count++] = world.rollouts[i];
	}
	*ret_snapshot = (struct policy_snapshot){
	    .now_ms = now_ms(controller),
	    .server_version = server_version(controller),
	    .zones = zones_for(controller->zones, (const struct rules *const[]){&policy->rules}, 1,
	                       kube_env_mono_ms(controller->env)),
	    .policy = policy,
	    .policy_busy = busy(controller, CACHE_POLICIES, &policy->object),
	    .policies = policies,
	    .policy_count = policy_count,
	    .nodes = world.nodes,
	    .node_count = world.node_count,
	    .rollouts = rollouts,
	    .rollout_busy = rollout_busy,
	    .rollout_count = count,
	    .channels = snapshot_channels(controller, policy, arena),
	    .creating = act_creating(controller->act, policy->object.uid),
	    .effect_error = facts_effect_error(controller->facts, key, now_ms(controller)),
	};
}
