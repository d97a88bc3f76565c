/* plan_policy(): which nodes drift, whether a rollout is to begin, what the policy's status says. */
#include "controller/plan/policy.h"
#include "controller/plan/freeze.h"

static bool refuse(struct policy_pass *pass, const char *reason, const char *message)
{
	plan_want(&pass->want->conditions, "Accepted", CONDITION_FALSE, reason, message);
	policy_want_stalled(pass, reason, message);
	return false;
}

static bool accepted(struct policy_pass *pass)
{
	const struct policy_snapshot *s = pass->s;
	struct kube_err err = {0};

	if (policy_check(s->policy, &s->zones, s->now_ms, pass->arena, &pass->windows, &err) != 0) {
		pass->out->look_again_ms = s->now_ms + ZONES_LOOK_MS;
		return refuse(pass, plan_printf(pass->arena, "%s", *err.reason ? err.reason : "Invalid"),
		              plan_printf(pass->arena, "%s", err.message));
	}
	const char *uncovered = uncovered_wave(s->nodes, s->node_count, &s->policy->rules, pass->arena);
	return uncovered ? refuse(pass, "WaveCoversNothing", uncovered) : true;
}

void plan_policy(const struct policy_snapshot *s, struct kube_arena *arena, struct policy_result *ret_result)
{
	struct policy_result out = {.look_again_ms = KUBE_TIME_NONE, .write_status = true};
	struct policy_pass pass = {.s = s, .arena = arena, .out = &out, .want = &out.wanted};

	if (s->policy_busy || s->policy->object.deleted_ms != KUBE_TIME_NONE) {
		out.write_status = false;
		*ret_result = out;
		return;
	}
	out.wanted.observed_generation = s->policy->object.generation;
	out.wanted.next_window.opens_ms = out.wanted.next_window.closes_ms = KUBE_TIME_NONE;
	out.wanted.conditions = plan_conditions(arena);
	plan_channels(s, arena, &out.wanted, &pass.channels);
	policy_count_nodes(&pass);
	policy_look_at_rollouts(&pass);
	out.wanted.current_rollout = pass.current ? pass.current->object.name : NULL;
	out.wanted.last_successful_json = policy_success_json(&pass);
	out.wanted.authors =
	    authors_now(s->policy, pass.approved_generation, plan_alloc(arena, MAX_AUTHORS * sizeof(struct author)));
	if (accepted(&pass)) {
		policy_want_conditions(&pass);
		if (policy_wants_rollout(&pass))
			policy_create_rollout(&pass);
	}
	policy_look_again(&pass, exceptions_change_ms(s->policy, s->now_ms));
	policy_trim_history(&pass);
	*ret_result = out;
}
