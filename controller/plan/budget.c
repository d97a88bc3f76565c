/*
 * The budget: how many of the policy's nodes may be unavailable. A node counts when it is granted to us or to another
 * rollout, when it is not Ready, and when it is cordoned, by whomever. Granting a node that is unavailable already
 * takes no further place; but as pods may run on a cordoned one, no more of them are in work at a time than may be
 * unavailable. One that we work on is the policy's until it is released, whatever becomes of its labels.
 */
#include "controller/plan/budget.h"
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct granted_uid {
	const char *uid;
	const struct rollout *holder;
	UT_hash_handle hh;
};

int64_t max_unavailable(const struct kube_intstr *value, int64_t total)
{
	int64_t count = value->percent ? total * value->value / 100 : value->value;
	return count < 1 ? 1 : count;
}

static void note_granted(const struct pass *pass, struct granted_uid **set, const char *uid,
                         const struct rollout *holder)
{
	struct granted_uid *found = NULL;

	HASH_FIND(hh, *set, uid, strlen(uid), found);
	if (found)
		return;
	found = plan_alloc(pass->arena, sizeof(*found));
	found->uid = uid;
	found->holder = holder;
	HASH_ADD_KEYPTR(hh, *set, found->uid, strlen(found->uid), found);
}

/* All grants of all rollouts, ours as they will be. The set's own tables are freed by the caller with HASH_CLEAR. */
static struct granted_uid *all_grants(const struct pass *pass)
{
	struct granted_uid *set = NULL;

	for (size_t i = 0; i < pass->want->active.count; i++)
		note_granted(pass, &set, pass->want->active.items[i].node_uid, pass->s->rollout);
	for (size_t r = 0; r < pass->s->other_count; r++) {
		const struct rollout *other = pass->s->rollouts[r];
		for (size_t i = 0; i < other->status.active.count; i++)
			note_granted(pass, &set, other->status.active.items[i].node_uid, other);
	}
	return set;
}

/* While our record stands on a node nobody else touches it: a grant that another rollout has for it waits for us, and
 * must not make us wait for it. */
static bool ended_here(const struct pass *pass, const struct node *node)
{
	const struct node_state *state = node_state_of(node, pass->s->rollout->object.uid);
	return state && step_ended((enum step)state->step);
}

static bool unavailable(const struct pass *pass, const struct node *node, struct granted_uid *grants)
{
	struct granted_uid *found = NULL;

	if (!node->ready || node->unschedulable)
		return true;
	if (ended_here(pass, node))
		return false;
	HASH_FIND(hh, grants, node->object.uid, strlen(node->object.uid), found);
	return found != NULL;
}

struct budget {
	int64_t limit, used, nodes;
	int64_t working;         /* granted nodes */
	const struct node *away; /* one that is unavailable, but not through our work; NULL: none */
};

static const char *why_away(const struct node *node)
{
	return !node->ready ? "is not Ready" : node->quarantined ? "is quarantined" : "is cordoned";
}

/* Not one that is in work: that is told elsewhere. */
static bool away_by_itself(const struct pass *pass, const struct node *node, struct granted_uid *grants)
{
	struct granted_uid *found = NULL;

	if (node->ready && !node->unschedulable)
		return false;
	HASH_FIND(hh, grants, node->object.uid, strlen(node->object.uid), found);
	return !found || found->holder != pass->s->rollout;
}

/* of_whom: "", or " of the cluster". */
static const char *exhausted(const struct pass *pass, const struct budget *budget, const char *of_whom)
{
	const char *who =
	    budget->away ? plan_printf(pass->arena, " (%s %s)", budget->away->object.name, why_away(budget->away)) : "";
	return plan_printf(pass->arena, "%lld of %lld nodes%s are unavailable%s, and at most %lld may be",
	                   (long long)budget->used, (long long)budget->nodes, of_whom, who, (long long)budget->limit);
}

static bool is_ours(const struct pass *pass, const struct node *node, struct granted_uid *grants)
{
	struct granted_uid *found = NULL;

	if (node_selected(node, pass->rules))
		return true;
	HASH_FIND(hh, grants, node->object.uid, strlen(node->object.uid), found);
	return found && found->holder == pass->s->rollout;
}

static struct budget count_away(const struct pass *pass, bool all, struct granted_uid *grants)
{
	struct budget budget = {0};

	for (size_t i = 0; i < pass->s->node_count; i++) {
		if (!all && !is_ours(pass, pass->s->nodes[i], grants))
			continue;
		budget.nodes++;
		budget.used += unavailable(pass, pass->s->nodes[i], grants);
		if (!budget.away && away_by_itself(pass, pass->s->nodes[i], grants))
			budget.away = pass->s->nodes[i];
	}
	return budget;
}

static struct budget budget_now(const struct pass *pass, const struct wave_spec *wave, struct granted_uid *grants)
{
	struct budget budget = count_away(pass, false, grants);
	const struct kube_intstr *value =
	    wave->max_unavailable.set ? &wave->max_unavailable : &pass->rules->max_unavailable;

	budget.limit = max_unavailable(value, budget.nodes);
	budget.working = (int64_t)pass->want->active.count;
	return budget;
}

/* --max-unavailable-total: over all policies, and over the nodes of none. */
static struct budget total_now(const struct pass *pass, struct granted_uid *grants)
{
	struct budget total = {.limit = INT64_MAX};

	if (!pass->s->max_unavailable_total.set)
		return total;
	total = count_away(pass, true, grants);
	total.limit = max_unavailable(&pass->s->max_unavailable_total, total.nodes);
	total.working = (int64_t)HASH_COUNT(grants);
	return total;
}

static void grant(struct pass *pass, const struct target_pass *target, const struct budget *budget)
{
	const struct node *node = target->view->node;
	struct rollout_status *want = pass->want;

	want->active.items[want->active.count++] = (struct active){
	    .node = target->view->target->node,
	    .node_uid = target->view->target->node_uid,
	    .wave = target->wave->name,
	    .step = STEP_CLAIMED,
	    .since_ms = pass->s->now_ms,
	    .attempt = 1,
	    .foreign_cordon = node->unschedulable,
	};
	decide(pass, DECISION_START, node->object.name, 1, "maxUnavailable", "WithinBudget",
	       plan_printf(pass->arena,
	                   "wave %s; with it %lld of %lld nodes are unavailable, at most %lld may be; it shows %s %s",
	                   target->wave->name, (long long)budget->used, (long long)budget->nodes, (long long)budget->limit,
	                   component_names[pass->rules->patches.items[0].component],
	                   shown_version(node, &pass->rules->patches.items[0])));
}

/* Why a pending node is not started now: in one word, and as a sentence; text NULL: it may be. */
struct wait {
	const char *reason, *text;
};

#define WAIT(its_reason, ...) ((struct wait){.reason = (its_reason), .text = plan_printf(pass->arena, __VA_ARGS__)})

/* By itself, or for somebody else who has the node. */
static struct wait kept_back(struct pass *pass, const struct target_view *view)
{
	const char *hold = node_hold(view->node, pass->arena);
	const char *neighbour = hold ? NULL : neighbour_at_work(pass, view);

	if (server_unknown(pass->rules, pass->s->server_version))
		return (struct wait){"ServerVersionUnknown", SERVER_UNKNOWN};
	if (hold)
		return WAIT(REASON_NODE_HELD, "node %s is held: %s", view->node->object.name, hold);
	if (neighbour)
		return (struct wait){REASON_NEIGHBOUR, neighbour};
	if (!view->node->ready)
		return WAIT("NodeNotReady", "node %s is not Ready", view->node->object.name);
	const char *unsafe = self_drain_unsafe(pass, view->node);
	if (unsafe)
		return (struct wait){"SelfDrainUnsafe", unsafe};
	if (view->node->object.deleted_ms != KUBE_TIME_NONE)
		return WAIT("NodeDeleted", "node %s is being deleted", view->node->object.name);
	return (struct wait){"NotVisible", view->busy ? "our last write to the node is not visible yet" : NULL};
}

/* What keeps a pending node from being started, whatever the budget says. */
static struct wait not_now(struct pass *pass, const struct target_pass *target, struct granted_uid *grants)
{
	const struct node *node = target->view->node;
	const struct rollout *holder = record_holder(pass, node);
	struct granted_uid *other = NULL;

	HASH_FIND(hh, grants, node->object.uid, strlen(node->object.uid), other);
	if (other)
		return WAIT("OtherRollout", "node %s is granted to PatchRollout %s", node->object.name,
		            other->holder->object.name);
	if (holder)
		return WAIT("OtherRollout", "node %s is held by PatchRollout %s until its report is written", node->object.name,
		            holder->object.name);
	return kept_back(pass, target->view);
}

/* What the targets of a wave are started by. */
struct start {
	const struct wave_spec *wave;
	struct granted_uid *grants;
	struct budget budget, total; /* of the policy's nodes, and of all */
	struct domains domains;
	struct capacity capacity;
};

static bool is_full(const struct budget *budget, bool costs)
{
	return (costs ? budget->used : budget->working) >= budget->limit;
}

/* The budget that has no room left for a node that takes a place in it, or none; NULL: both have. */
static const struct budget *used_up(const struct start *start, bool costs)
{
	if (is_full(&start->budget, costs))
		return &start->budget;
	return is_full(&start->total, costs) ? &start->total : NULL;
}

static struct wait over_budget(const struct pass *pass, const struct start *start, bool costs)
{
	const struct budget *budget = used_up(start, costs);

	if (!budget)
		return (struct wait){0};
	if (budget == &start->total)
		return (struct wait){"MaxUnavailableTotal", exhausted(pass, budget, " of the cluster")};
	return (struct wait){"MaxUnavailable", exhausted(pass, budget, "")};
}

/* Only a policy that asks for capacity needs to know which nodes those are. */
static void begin_capacity(const struct pass *pass, struct granted_uid *grants, struct capacity *ret_capacity)
{
	*ret_capacity = (struct capacity){0};
	if (!capacity_asked(pass))
		return;
	bool *granted = plan_alloc(pass->arena, pass->s->node_count * sizeof(*granted));
	struct granted_uid *found = NULL;

	for (size_t i = 0; i < pass->s->node_count; i++) {
		const char *uid = pass->s->nodes[i]->object.uid;
		HASH_FIND(hh, grants, uid, strlen(uid), found);
		granted[i] = found != NULL;
	}
	capacity_begin(pass, granted, ret_capacity);
}

/* One that is unavailable already takes no further place, where it is counted. */
static bool takes_place(const struct pass *pass, const struct node *node, const struct start *start)
{
	return !node->unschedulable || !is_ours(pass, node, start->grants);
}

static struct wait why_not(struct pass *pass, const struct target_pass *target, struct start *start, bool costs)
{
	const struct node *node = target->view->node;
	struct wait wait = not_now(pass, target, start->grants);

	if (!wait.text)
		wait = over_budget(pass, start, costs);
	if (!wait.text && !domains_allow(&start->domains, node))
		wait = (struct wait){"Topology", pass->held_back ? pass->held_back : domains_text(pass, &start->domains)};
	if (!wait.text && !gates_open(pass, start->wave)) {
		wait = (struct wait){"WaitingForGate", pass->gate_waits};
		pass->held_back = NULL; /* it holds all of them */
	}
	if (!wait.text)
		wait = (struct wait){"WaitingForCapacity", capacity_refusal(pass, &start->capacity, node)};
	return wait;
}

static bool is_next(const struct target_pass *target, const struct start *start)
{
	return target->kind == TARGET_PENDING && target->wave == start->wave;
}

static void note_waiting(struct pass *pass, struct start *start)
{
	for (size_t i = 0; start->domains.topology && i < pass->s->target_count; i++)
		if (is_next(&pass->targets[i], start) && !not_now(pass, &pass->targets[i], start->grants).text)
			domains_note_waiting(&start->domains, pass->targets[i].view->node);
}

/* The first that waits is told. */
static void hold_back(struct pass *pass, const struct wait *wait)
{
	if (pass->held_back)
		return;
	pass->held_back = wait->text;
	pass->held_reason = wait->reason;
}

static void try_to_grant(struct pass *pass, struct start *start, const struct target_pass *target)
{
	const struct node *node = target->view->node;
	bool costs = takes_place(pass, node, start);

	if (pass->held_back && used_up(start, costs))
		return; /* as the one before, whose reason is told */
	struct wait wait = why_not(pass, target, start, costs);
	if (wait.text) {
		hold_back(pass, &wait);
		return;
	}
	start->budget.nodes += !is_ours(pass, node, start->grants);
	start->budget.used += costs;
	start->total.used += !node->unschedulable;
	start->budget.working++;
	start->total.working++;
	domains_note_start(&start->domains, node);
	grant(pass, target, &start->budget);
}

/* Our own node is the last of its wave. */
static void grant_wave(struct pass *pass, struct start *start)
{
	const struct target_pass *own = NULL;

	for (size_t i = 0; i < pass->s->target_count && pass->want->active.count < MAX_ACTIVE; i++) {
		const struct target_pass *target = &pass->targets[i];
		if (!is_next(target, start))
			continue;
		if (hosts_self(pass, target->view->node))
			own = target;
		else
			try_to_grant(pass, start, target);
	}
	if (own && pass->want->active.count < MAX_ACTIVE)
		try_to_grant(pass, start, own);
}

static bool any_pending(const struct pass *pass, size_t wave)
{
	for (size_t i = 0; i < pass->s->target_count; i++)
		if (pass->targets[i].kind == TARGET_PENDING && (size_t)pass->targets[i].view->target->wave == wave)
			return true;
	return false;
}

void grant_targets(struct pass *pass)
{
	size_t current = waves_current(pass);
	if (current == pass->want->waves.count || pass->want->waves.items[current].state != WAVE_RUNNING)
		return;
	if (!any_pending(pass, current) || !approvals_allow(pass) || !start_allowed(pass))
		return;
	if (pass->s->others_busy) { /* two rollouts that grant at the same moment would use the same budget twice */
		look_again_at(pass->out, pass->s->now_ms + OTHERS_BUSY_MS);
		return;
	}
	struct start start = {.wave = &pass->rules->waves.items[current], .grants = all_grants(pass)};
	start.budget = budget_now(pass, start.wave, start.grants);
	start.total = total_now(pass, start.grants);
	domains_begin(pass, start.wave, &start.domains);
	begin_capacity(pass, start.grants, &start.capacity);
	note_waiting(pass, &start);
	size_t before = pass->want->active.count;
	grant_wave(pass, &start);
	if (pass->gate_failed)
		fail_wave(pass, &pass->want->waves.items[current], "GateFailed", pass->gate_failed);
	if (pass->want->active.count > before)
		approvals_use(pass);
	domains_end(&start.domains);
	HASH_CLEAR(hh, start.grants);
}
