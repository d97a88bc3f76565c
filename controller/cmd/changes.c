/* Which plans a change may alter: from objects to queue keys. The queue holds each key once, however often it is added.
 */
#include "controller/cmd/controller.h"
#include <stdio.h>
#include <string.h>

/* Nodes, pods and budgets change many at a time; one look serves them all. A person would not notice the wait. */
#define ROLLOUTS_COALESCE_MS 10
#define PODS_COALESCE_MS 25   /* a drain is many of them */
#define LONGEST_PAUSE_MS 1000 /* a rollout's status is not written more often either */
#define LONG_PLAN_US 2000
#define POLICIES_COALESCE_MS 500 /* node changes come in bursts, and a policy only counts them */
#define OWN_WRITE_MS 1           /* planning goes on at once, but for the pause that it makes */
/* A watch cache may be a moment behind the rollouts that the nodes speak of: no node is cleaned up before this. */
#define FIRST_ORPHANS_MS 5000
#define ORPHANS_COALESCE_MS 500
#define KEY_SIZE 300

bool rollout_unfinished(const struct rollout *rollout)
{
	return rollout->status.outcome == OUTCOME_NONE || rollout->finalizer;
}

int64_t changes_pause_ms(int64_t plan_us, int64_t least_ms)
{
	/* Nodes of large clusters wait for the API server, and not for plans. */
	int64_t pause_ms = plan_us * (plan_us < LONG_PLAN_US ? 19 : 79) / 1000;
	if (pause_ms > LONGEST_PAUSE_MS)
		pause_ms = LONGEST_PAUSE_MS;
	return pause_ms > least_ms ? pause_ms : least_ms;
}

void changes_plan_after(struct controller *controller, const char *key, int64_t delay_ms)
{
	kube_queue_add_after(controller->queue, key, changes_pause_ms(controller->plan_us, delay_ms));
}

static void add(struct controller *controller, const char *prefix, const char *name, int64_t delay_ms)
{
	char key[KEY_SIZE];
	if (!*name || (size_t)snprintf(key, sizeof(key), "%s%s", prefix, name) >= sizeof(key))
		return;
	if (delay_ms > 0)
		changes_plan_after(controller, key, delay_ms);
	else
		kube_queue_add(controller->queue, key);
}

static const struct rollout *next_rollout(const struct controller *controller, const struct rollout *previous)
{
	return (const struct rollout *)kube_store_next(controller->caches[CACHE_ROLLOUTS].store,
	                                               previous ? &previous->object : NULL);
}

static void add_unfinished(struct controller *controller, bool only_active, int64_t delay_ms)
{
	for (const struct rollout *r = next_rollout(controller, NULL); r; r = next_rollout(controller, r))
		if (rollout_unfinished(r) && (!only_active || r->status.active.count > 0))
			add(controller, KEY_ROLLOUT, r->object.name, delay_ms);
}

static void add_policies(struct controller *controller, int64_t delay_ms)
{
	const struct kube_store *store = controller->caches[CACHE_POLICIES].store;
	for (const struct kube_object *o = kube_store_next(store, NULL); o; o = kube_store_next(store, o))
		add(controller, KEY_POLICY, o->name, delay_ms);
}

static void add_rollouts_of(struct controller *controller, const char *policy)
{
	for (const struct rollout *r = next_rollout(controller, NULL); r; r = next_rollout(controller, r))
		if (rollout_unfinished(r) && strcmp(r->policy_name, policy) == 0)
			add(controller, KEY_ROLLOUT, r->object.name, 0);
}

/* ---- nodes ---- */

static void on_node(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	const struct node *old = (const struct node *)change->old_object;
	const struct node *new = (const struct node *)change->new_object;
	if (!controller->working || !change->changed)
		return;
	add_unfinished(controller, false, ROLLOUTS_COALESCE_MS);
	add_policies(controller, POLICIES_COALESCE_MS);
	if ((old && old->state_text) || (new &&new->state_text))
		kube_queue_add_after(controller->queue, KEY_ORPHANS, ORPHANS_COALESCE_MS);
}

/* ---- pods ---- */

static void add_rollout_of_hash(struct controller *controller, const char *hash)
{
	bool found = false;
	for (const struct rollout *r = next_rollout(controller, NULL); r; r = next_rollout(controller, r)) {
		if (strcmp(r->hash, hash) != 0)
			continue;
		add(controller, KEY_ROLLOUT, r->object.name, PODS_COALESCE_MS);
		found = true;
	}
	if (!found)
		kube_queue_add_after(controller->queue, KEY_ORPHAN_JOBS, ORPHANS_COALESCE_MS);
}

static void add_for_node(struct controller *controller, const char *name, int64_t delay_ms)
{
	const struct node *node = (const struct node *)kube_store_get(controller->caches[CACHE_NODES].store, name);
	if (node && node->state && !step_ended((enum step)node->state->step))
		add(controller, KEY_ROLLOUT, node->state->rollout, delay_ms);
}

/* system-upgrade-controller's, or one on a node that somebody else drains: who waits for that looks again. */
static bool is_of_neighbour(const struct controller *controller, const struct pod *pod)
{
	const struct node *node =
	    (const struct node *)kube_store_get(controller->caches[CACHE_NODES].store, pod->node_name);
	return pod_upgrade_index(&pod->object) || (node && node->unschedulable && !node->state_text);
}

/* A pod matters to the rollout that drains its node, and a job pod to its own. */
static void add_for_pod(struct controller *controller, const struct pod *pod)
{
	if (!pod)
		return;
	if (is_of_neighbour(controller, pod))
		add_unfinished(controller, false, PODS_COALESCE_MS);
	if (pod->job_step && pod->rollout_hash)
		add_rollout_of_hash(controller, pod->rollout_hash);
	add_for_node(controller, pod->node_name, PODS_COALESCE_MS);
}

/* What the cache has shown and shows no more is gone. Of jobs it matters while their node is at work. */
static void pod_vanished(struct controller *controller, const struct pod *pod)
{
	facts_drop_eviction(controller->facts, pod->object.uid);
	if (!pod->job_step)
		return;
	bool asked = job_facts_get(facts_jobs(controller->facts), pod->job_node_uid) != NULL;
	const struct node *node =
	    (const struct node *)kube_store_get(controller->caches[CACHE_NODES].store, pod->node_name);
	bool at_work = node && node->state && !step_ended((enum step)node->state->step);
	if (asked || at_work)
		job_facts_vanished(facts_jobs(controller->facts), pod);
}

static void on_pod(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	const struct kube_object *old = change->old_object, *new = change->new_object;
	if (old && (!new || strcmp(old->uid, new->uid) != 0))
		pod_vanished(controller, (const struct pod *)old);
	if (!controller->working || !change->changed)
		return;
	add_for_pod(controller, (const struct pod *)old);
	add_for_pod(controller, (const struct pod *)new);
}

static bool same_protection(const struct pdb *a, const struct pdb *b)
{
	return a->object.generation == b->object.generation &&
	       (a->disruptions_allowed > 0) == (b->disruptions_allowed > 0) &&
	       (a->current_healthy >= a->desired_healthy) == (b->current_healthy >= b->desired_healthy);
}

/* A budget counts up and down with every pod; what matters is whether it lets pods go. */
static void on_pdb(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	const struct pdb *old = (const struct pdb *)change->old_object;
	const struct pdb *new = (const struct pdb *)change->new_object;
	bool relieved = new &&new->disruptions_allowed > 0 &&
	                facts_budget_relieved(controller->facts, new->object.namespace_, new->object.name);
	if (!controller->working || !change->changed || (!relieved && old && new &&same_protection(old, new)))
		return;
	add_unfinished(controller, true, ROLLOUTS_COALESCE_MS);
}

/* DaemonSets and PersistentVolumes: that one comes or goes may let a pod go. */
static void on_owner(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	if (controller->working && (!change->old_object || !change->new_object))
		add_unfinished(controller, true, ROLLOUTS_COALESCE_MS);
}

static bool holds_lock(const struct kube_object *object)
{
	return object && ((const struct daemon_set *)object)->lock_text;
}

static void on_daemon_set(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	if (controller->working && change->changed && (holds_lock(change->old_object) || holds_lock(change->new_object)))
		add_unfinished(controller, false, ROLLOUTS_COALESCE_MS);
	on_owner(arg, change);
}

static void on_attachment(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	const struct attachment *attachment =
	    (const struct attachment *)(change->new_object ? change->new_object : change->old_object);
	if (controller->working && change->changed)
		add_for_node(controller, attachment->node_name, ROLLOUTS_COALESCE_MS);
}

/* ---- our own kinds ---- */

static void rollout_vanished(struct controller *controller, const struct rollout *rollout)
{
	char key[KEY_SIZE];
	snprintf(key, sizeof(key), "%s%s", KEY_ROLLOUT, rollout->object.name);
	facts_drop_key(controller->facts, key);
	observer_drop(controller->observer, rollout->object.uid);
	tracks_drop(&controller->tracks, key);
	kube_queue_add(controller->queue, KEY_ORPHANS);
	kube_queue_add(controller->queue, KEY_ORPHAN_JOBS);
}

static bool ended(const struct rollout *old, const struct rollout *new)
{
	return old && rollout_unfinished(old) && (!new || !rollout_unfinished(new));
}

static void on_rollout(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	const struct rollout *old = (const struct rollout *)change->old_object;
	const struct rollout *new = (const struct rollout *)change->new_object;
	if (!controller->working || !change->changed)
		return;
	const struct rollout *any = new ? new : old;
	bool asked = !old || !new || old->object.generation != new->object.generation;
	if (new)
		add(controller, KEY_ROLLOUT, new->object.name, asked ? 0 : OWN_WRITE_MS);
	else
		rollout_vanished(controller, old);
	add(controller, KEY_POLICY, any->policy_name, asked || ended(old, new) ? 0 : POLICIES_COALESCE_MS);
	if (!new || ended(old, new))
		add_unfinished(controller, false, 0);
}

static void on_policy(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	const struct kube_object *any = change->new_object ? change->new_object : change->old_object;
	char key[KEY_SIZE];
	if (!controller->working || !change->changed)
		return;
	add(controller, KEY_POLICY, any->name, 0);
	bool same_spec =
	    change->old_object && change->new_object && change->old_object->generation == change->new_object->generation;
	if (!same_spec)
		add_policies(controller, POLICIES_COALESCE_MS); /* its nodes may be those of others */
	add_rollouts_of(controller, any->name);
	if (change->new_object)
		return;
	snprintf(key, sizeof(key), "%s%s", KEY_POLICY, any->name);
	facts_drop_key(controller->facts, key);
	tracks_drop(&controller->tracks, key);
}

static void on_revision(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	const struct kube_object *any = change->new_object ? change->new_object : change->old_object;
	if (controller->working && change->changed)
		add(controller, KEY_ROLLOUT, ((const struct revision *)any)->rollout_name, 0);
}

/* A report's name begins with that of its rollout. */
static void add_for_report(struct controller *controller, const char *name)
{
	for (const struct rollout *r = next_rollout(controller, NULL); r; r = next_rollout(controller, r)) {
		size_t len = strlen(r->object.name);
		if (rollout_unfinished(r) && strncmp(name, r->object.name, len) == 0 && name[len] == '-')
			add(controller, KEY_ROLLOUT, r->object.name, 0);
	}
}

static void on_report(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	const struct kube_object *any = change->new_object ? change->new_object : change->old_object;
	if (controller->working && change->changed)
		add_for_report(controller, any->name);
}

static bool follows(const struct policy *policy, enum channel_type type, const char *name)
{
	for (size_t i = 0; i < policy->rules.patches.count; i++) {
		const struct channel *channel = policy->rules.patches.items[i].channel;
		if (channel && channel->type == (int)type &&
		    strcmp(type == CHANNEL_URL ? channel->url : channel->config_map, name) == 0)
			return true;
	}
	return false;
}

static void add_followers(struct controller *controller, enum channel_type type, const char *name)
{
	const struct kube_store *policies = controller->caches[CACHE_POLICIES].store;
	for (const struct kube_object *o = kube_store_next(policies, NULL); o; o = kube_store_next(policies, o))
		if (follows((const struct policy *)o, type, name))
			add(controller, KEY_POLICY, o->name, 0);
}

static void on_config_map(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	const struct kube_object *any = change->new_object ? change->new_object : change->old_object;
	if (controller->working && change->changed)
		add_followers(controller, CHANNEL_CONFIG_MAP, any->name);
}

void changes_url(void *arg, const char *url)
{
	struct controller *controller = arg;
	if (controller->working)
		add_followers(controller, CHANNEL_URL, url);
}

static void on_approval(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	const struct kube_object *any = change->new_object ? change->new_object : change->old_object;
	if (controller->working && change->changed)
		add(controller, KEY_ROLLOUT, ((const struct approval *)any)->rollout_name, 0);
}

/* Without these no approval and no emergency counts. */
static void on_admission(void *arg, const struct kube_change *change)
{
	struct controller *controller = arg;
	if (controller->working && change->changed)
		add_unfinished(controller, false, 0);
}

int changes_subscribe(struct controller *controller, struct kube_err *err)
{
	static kube_change_fn *const handlers[CACHE_COUNT] = {
	    [CACHE_POLICIES] = on_policy,
	    [CACHE_ROLLOUTS] = on_rollout,
	    [CACHE_REPORTS] = on_report,
	    [CACHE_NODES] = on_node,
	    [CACHE_PODS] = on_pod,
	    [CACHE_PDBS] = on_pdb,
	    [CACHE_DAEMON_SETS] = on_daemon_set,
	    [CACHE_VOLUMES] = on_owner,
	    [CACHE_ATTACHMENTS] = on_attachment,
	    [CACHE_REVISIONS] = on_revision,
	    [CACHE_CONFIG_MAPS] = on_config_map,
	    [CACHE_APPROVALS] = on_approval,
	    [CACHE_ADMISSION_POLICIES] = on_admission,
	    [CACHE_ADMISSION_BINDINGS] = on_admission,
	};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < CACHE_COUNT; i++)
		rc = kube_store_add_handler(controller->caches[i].store, handlers[i], controller, err);
	return rc;
}

/* What waited for our own write to be seen. */
void changes_idle(struct controller *controller, enum cache_id cache, const char *object_key)
{
	const struct kube_object *object = kube_store_get(controller->caches[cache].store, object_key);
	if (!controller->working)
		return;
	switch (cache) {
	case CACHE_POLICIES: add(controller, KEY_POLICY, object_key, OWN_WRITE_MS); return;
	case CACHE_ROLLOUTS:
		add(controller, KEY_ROLLOUT, object_key, OWN_WRITE_MS);
		if (object)
			add(controller, KEY_POLICY, ((const struct rollout *)object)->policy_name, POLICIES_COALESCE_MS);
		else
			add_policies(controller, 0); /* one that was asked for and never came */
		return;
	case CACHE_REPORTS: add_for_report(controller, object_key); return;
	case CACHE_PODS:
		if (object)
			add_for_pod(controller, (const struct pod *)object);
		else
			add_unfinished(controller, true, ROLLOUTS_COALESCE_MS);
		return;
	case CACHE_NODES:
		add_unfinished(controller, false, ROLLOUTS_COALESCE_MS);
		if (object && ((const struct node *)object)->state_text)
			kube_queue_add_after(controller->queue, KEY_ORPHANS, ORPHANS_COALESCE_MS);
		return;
	case CACHE_REVISIONS: add_unfinished(controller, false, 0); return;
	case CACHE_PDBS:
	case CACHE_DAEMON_SETS:
	case CACHE_VOLUMES:
	case CACHE_ATTACHMENTS:
	case CACHE_CONFIG_MAPS:
	case CACHE_APPROVALS:
	case CACHE_ADMISSION_POLICIES:
	case CACHE_ADMISSION_BINDINGS:
	case CACHE_COUNT: return;
	}
}

void changes_all(struct controller *controller)
{
	for (const struct rollout *r = next_rollout(controller, NULL); r; r = next_rollout(controller, r))
		add(controller, KEY_ROLLOUT, r->object.name, 0);
	add_policies(controller, 0);
	kube_queue_add_after(controller->queue, KEY_ORPHANS, FIRST_ORPHANS_MS);
	kube_queue_add_after(controller->queue, KEY_ORPHAN_JOBS, FIRST_ORPHANS_MS);
}
