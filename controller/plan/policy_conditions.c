/* What the conditions of a policy say. */
#include "controller/plan/policy.h"
#include <string.h>

void policy_look_again(struct policy_pass *pass, int64_t at_ms)
{
	pass->out->look_again_ms = earlier_ms(pass->out->look_again_ms, at_ms);
}

void policy_want_stalled(struct policy_pass *pass, const char *reason, const char *message)
{
	plan_want(&pass->want->conditions, "Stalled", CONDITION_TRUE, reason, message);
	plan_want(&pass->want->conditions, "Ready", CONDITION_FALSE, reason, message);
}

static const char *no_targets(const struct policy_pass *pass)
{
	char selector[200];
	return plan_printf(pass->arena,
	                   "no node matches the selector %s: label nodes, or change the selector (control-plane, Windows "
	                   "and virtual nodes never match)",
	                   kube_selector_format(&pass->s->policy->rules.selector, selector, sizeof(selector)));
}

/* The first patch that a node shows nothing comparable for. */
static const char *not_observed(const struct policy_pass *pass)
{
	const struct rules *rules = &pass->s->policy->rules;
	const struct node *node = pass->first_unknown;

	for (size_t i = 0; i < rules->patches.count; i++) {
		const struct patch *patch = &rules->patches.items[i];
		if (patch_standing(node, patch) != STANDING_UNKNOWN)
			continue;
		const char *where = patch->observed.type == OBSERVED_LABEL        ? patch->observed.label
		                    : patch->observed.type == OBSERVED_ANNOTATION ? patch->observed.annotation
		                                                                  : "nodeInfo";
		return plan_printf(pass->arena,
		                   "node %s shows %s as its version of %s (%s), which cannot be compared with %s: correct "
		                   "patches[%zu].observed, or exclude the node",
		                   node->object.name, shown_version(node, patch), component_names[patch->component], where,
		                   patch->version, i);
	}
	return "a node shows nothing that can be compared";
}

static void want_unknown(struct policy_pass *pass)
{
	static const char text[] = "a channel has not said a version that may be used: see the condition Resolved";

	plan_want(&pass->want->conditions, "UpToDate", CONDITION_UNKNOWN, "VersionNotResolved", text);
	plan_want(&pass->want->conditions, "Drifted", CONDITION_UNKNOWN, "VersionNotResolved", text);
}

static void want_drift(struct policy_pass *pass)
{
	const struct policy_wanted *want = pass->want;
	bool drifted = want->targets.outdated > 0, old = drifted || want->targets.excepted > 0;
	const char *excepted = want->targets.excepted
	                           ? plan_printf(pass->arena, ", %lld are excepted", (long long)want->targets.excepted)
	                           : "";
	const char *text = plan_printf(
	    pass->arena,
	    "%lld of %lld nodes are outdated%s, %lld show a version that is newer, cannot be compared or may not be left",
	    (long long)want->targets.outdated, (long long)want->targets.total, excepted,
	    (long long)want->targets.unsupported);

	if (pass->channels.unresolved) {
		want_unknown(pass);
		return;
	}
	plan_want(&pass->want->conditions, "UpToDate", old || want->targets.total == 0 ? CONDITION_FALSE : CONDITION_TRUE,
	          drifted               ? "Outdated"
	          : old                 ? "Excepted"
	          : want->targets.total ? "AllAtVersion"
	                                : "NoTargets",
	          text);
	plan_want(&pass->want->conditions, "Drifted", drifted ? CONDITION_TRUE : CONDITION_FALSE,
	          drifted ? "Outdated" : "InSync", text);
}

static void want_reconciling(struct policy_pass *pass, const char *reason, const char *message)
{
	plan_want(&pass->want->conditions, "Reconciling", CONDITION_TRUE, reason, message);
	plan_want(&pass->want->conditions, "Ready", CONDITION_FALSE, reason, message);
}

static void want_retry(struct policy_pass *pass, const struct failure *failure)
{
	char at[KUBE_TIME_TEXT_SIZE];

	want_reconciling(pass, REASON_NOT_DRAINED,
	                 plan_printf(pass->arena,
	                             "PatchRollout %s left nodes behind (%s: %s); the next one comes at %s, or when "
	                             "somebody creates it or the policy is changed",
	                             pass->latest->object.name, failure->node, failure->message,
	                             kube_time_format(policy_retry_at(pass), at)));
	policy_look_again(pass, policy_retry_at(pass));
}

static void want_outdated(struct policy_pass *pass)
{
	const struct policy *policy = pass->s->policy;

	if (policy_failed_before(pass))
		policy_want_stalled(
		    pass, "RolloutFailed",
		    plan_printf(pass->arena,
		                "PatchRollout %s ended as %s (%s): change the policy, or create a PatchRollout to try again",
		                pass->latest->object.name, outcome_names[pass->latest->status.outcome],
		                pass->latest->status.summary));
	else if (policy->suspend)
		plan_want(&pass->want->conditions, "Ready", CONDITION_FALSE, "Suspended",
		          "the policy is suspended: set spec.suspend to false to go on");
	else if (policy->trigger == TRIGGER_MANUAL)
		plan_want(&pass->want->conditions, "Ready", CONDITION_FALSE, "TriggerManual",
		          plan_printf(pass->arena,
		                      "trigger is Manual: create a PatchRollout with policyRef %s to patch the outdated nodes",
		                      policy->object.name));
	else if (policy_not_drained(pass))
		want_retry(pass, policy_not_drained(pass));
	else
		want_reconciling(pass, "RolloutStarting", "a PatchRollout is being created");
}

/* One that cannot even begin needs somebody, and so does the policy. */
static void want_current(struct policy_pass *pass)
{
	const struct rollout *current = pass->current;
	const struct condition *stalled = condition_get(&current->status.conditions, "Stalled");

	if (!current->status.plan_hash && stalled && stalled->status == CONDITION_TRUE)
		policy_want_stalled(pass, plan_printf(pass->arena, "%s", stalled->reason),
		                    plan_printf(pass->arena, "PatchRollout %s: %s", current->object.name, stalled->message));
	else
		want_reconciling(pass, "RolloutInProgress",
		                 plan_printf(pass->arena, "PatchRollout %s is at work", current->object.name));
}

static void want_conditions(struct policy_pass *pass)
{
	const struct policy_snapshot *s = pass->s;
	const struct policy_wanted *want = pass->want;

	plan_want(&pass->want->conditions, "Accepted", CONDITION_TRUE, "Valid", "the policy can be carried out");
	want_drift(pass);
	if (s->effect_error)
		policy_want_stalled(pass, s->effect_error->reason,
		                    plan_printf(pass->arena, "%s: %s", s->effect_error->what, s->effect_error->message));
	else if (want->targets.total == 0)
		policy_want_stalled(pass, "NoTargets", no_targets(pass));
	else if (pass->current)
		want_current(pass);
	else if (pass->channels.unresolved && pass->channels.state != CHANNEL_BROKEN)
		want_reconciling(pass, pass->channels.reason, pass->channels.message);
	else if (want->targets.outdated)
		want_outdated(pass);
	else if (pass->channels.state == CHANNEL_BROKEN)
		policy_want_stalled(pass, pass->channels.reason, pass->channels.message);
	else if (pass->first_unknown)
		policy_want_stalled(pass, "NotObserved", not_observed(pass));
	else if (pass->first_refused)
		policy_want_stalled(pass, "VersionNotAllowed",
		                    upgrade_refusal(pass->first_refused, &s->policy->rules, s->server_version, pass->arena));
	else
		plan_want(&pass->want->conditions, "Ready", CONDITION_TRUE, "UpToDate",
		          want->targets.excepted ? "every node that is not excepted is at its declared version, or newer"
		                                 : "every node is at its declared version, or newer");
}

/* As long as a version is wanted, a channel that cannot be read is no reason to stop. */
static void want_resolved(struct policy_pass *pass)
{
	const struct channel_report *channels = &pass->channels;
	bool fine = channels->state != CHANNEL_BROKEN && !channels->lacking;

	if (channels->reason)
		plan_want(&pass->want->conditions, "Resolved", fine ? CONDITION_TRUE : CONDITION_FALSE, channels->reason,
		          channels->message);
	policy_look_again(pass, channels->look_again_ms);
}

/* A policy without windows and freezes has nothing to say of them. */
static void want_windows(struct policy_pass *pass)
{
	struct policy_wanted *want = pass->want;
	struct window_report report;

	if (!window_set_limits(&pass->windows))
		return;
	window_report(&pass->windows, pass->s->now_ms, pass->arena, &report);
	want_window_open(&want->conditions, &report);
	want->next_window.opens_ms = report.opens_ms;
	want->next_window.closes_ms = report.closes_ms;
	want->next_window.name = report.next ? report.next->name : NULL;
	policy_look_again(pass, report.changes_ms);
}

/* What somebody should know before a rollout begins; present only when True. */
static void want_surroundings(struct policy_pass *pass)
{
	const char *overlap = policy_overlap(pass->s, pass->arena), *nowhere = drain_goes_nowhere(pass->s, pass->arena);

	if (overlap)
		plan_want(&pass->want->conditions, "Overlapping", CONDITION_TRUE, "TargetsOverlap", overlap);
	if (nowhere)
		plan_want(&pass->want->conditions, "DrainGoesNowhere", CONDITION_TRUE, "NoOtherNode", nowhere);
}

void policy_want_conditions(struct policy_pass *pass)
{
	want_conditions(pass);
	want_resolved(pass);
	want_windows(pass);
	want_surroundings(pass);
}
