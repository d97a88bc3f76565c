/* plan_policy(): which nodes drift, whether a rollout is to begin, what the policy's status says. */
#include "controller/plan/internal.h"
#include <kube/digest.h>
#include <string.h>

#define MAX_VERSIONS 50
#define RETRY_LEFT_BEHIND_MS (60 * 60 * 1000)

struct policy_pass {
	const struct policy_snapshot *s;
	struct kube_arena *arena;
	struct policy_result *out;
	struct policy_wanted *want;
	struct window_set windows;
	struct channel_report channels;
	const struct node *first_unknown; /* a node that shows nothing comparable */
	int64_t newest_outdated_ms;       /* when the youngest outdated node was created */
	const struct node *first_refused; /* a node that may not be brought to its version */
	const struct rollout *current;    /* not done yet; the one that works, else the oldest */
	const struct rollout *latest;     /* the newest that is done */
	const struct rollout *succeeded;  /* the newest that succeeded */
	int64_t approved_generation;      /* of the policy, as it was in its newest plan that was approved, and has ended */
};

/* ---- what the nodes show ---- */

static void count_version(struct policy_pass *pass, const struct patch *patch, const char *shown)
{
	struct policy_wanted *want = pass->want;

	for (size_t i = 0; i < want->versions.count; i++) {
		struct version_count *known = &want->versions.items[i];
		if (known->component == patch->component && !strcmp(known->version, shown)) {
			known->count++;
			return;
		}
	}
	if (want->versions.count < MAX_VERSIONS)
		want->versions.items[want->versions.count++] =
		    (struct version_count){.component = patch->component, .version = shown, .count = 1};
}

static bool is_excepted(struct policy_pass *pass, const struct node *node, enum standing standing)
{
	const struct exception_spec *exception = node_exception(pass->s->policy, node, pass->s->now_ms);

	if (!exception || standing == STANDING_UP_TO_DATE || standing == STANDING_NEWER)
		return false;
	for (size_t i = 0; i < pass->want->exceptions.count; i++)
		pass->want->exceptions.items[i].nodes += !strcmp(pass->want->exceptions.items[i].name, exception->name);
	pass->want->targets.excepted++;
	return true;
}

static void count_standing(struct policy_pass *pass, const struct node *node, enum standing standing)
{
	struct policy_wanted *want = pass->want;

	switch (standing) {
	case STANDING_UP_TO_DATE: want->targets.up_to_date++; break;
	case STANDING_OUTDATED:
		want->targets.outdated++;
		if (node->object.created_ms > pass->newest_outdated_ms)
			pass->newest_outdated_ms = node->object.created_ms;
		break;
	case STANDING_NEWER: want->targets.unsupported++; break;
	case STANDING_REFUSED:
		want->targets.unsupported++;
		if (!pass->first_refused)
			pass->first_refused = node;
		break;
	case STANDING_UNKNOWN:
		want->targets.unsupported++;
		if (!pass->first_unknown)
			pass->first_unknown = node;
		break;
	}
}

static void count_node(struct policy_pass *pass, const struct node *node)
{
	const struct rules *rules = &pass->s->policy->rules;

	pass->want->targets.total++;
	for (size_t i = 0; i < rules->patches.count; i++)
		count_version(pass, &rules->patches.items[i], shown_version(node, &rules->patches.items[i]));
	if (pass->channels.unresolved)
		return;
	enum standing standing = node_standing(node, rules, pass->s->server_version);
	if (!is_excepted(pass, node, standing))
		count_standing(pass, node, standing);
}

/* Those that hold now, and those that have held. */
static void list_exceptions(struct policy_pass *pass)
{
	const struct policy *policy = pass->s->policy;
	struct policy_wanted *want = pass->want;

	want->exceptions.items = plan_alloc(pass->arena, policy->exceptions.count * sizeof(*want->exceptions.items));
	for (size_t i = 0; i < policy->exceptions.count; i++) {
		const struct exception_spec *exception = &policy->exceptions.items[i];
		if (exception_counts(policy, exception, pass->s->now_ms))
			want->exceptions.items[want->exceptions.count++] =
			    (struct exception_status){.name = exception->name, .expires_ms = exception->expires_ms};
	}
}

static void count_nodes(struct policy_pass *pass)
{
	struct policy_wanted *want = pass->want;

	want->versions.items = plan_alloc(pass->arena, MAX_VERSIONS * sizeof(*want->versions.items));
	list_exceptions(pass);
	/* A node on its way out is no target: its rollout would have nothing to do, end at once, and be made again. */
	for (size_t i = 0; i < pass->s->node_count; i++)
		if (node_selected(pass->s->nodes[i], &pass->s->policy->rules) &&
		    pass->s->nodes[i]->object.deleted_ms == KUBE_TIME_NONE)
			count_node(pass, pass->s->nodes[i]);
	want->progress =
	    plan_printf(pass->arena, "%lld/%lld", (long long)want->targets.up_to_date, (long long)want->targets.total);
}

/* ---- its rollouts ---- */

/* The API's times are whole seconds: of two that ended in the same one the later created counts, then the name. NULL
 * ended before all. */
static bool ended_after(const struct rollout *a, const struct rollout *b)
{
	if (!a || !b)
		return a != NULL;
	if (a->status.finished_ms != b->status.finished_ms)
		return a->status.finished_ms > b->status.finished_ms;
	if (a->object.created_ms != b->object.created_ms)
		return a->object.created_ms > b->object.created_ms;
	return strcmp(a->object.name, b->object.name) > 0;
}

/* Not one of an earlier policy of that name, whose generations are others. */
static bool is_ours(const struct policy_pass *pass, const struct rollout *rollout)
{
	const struct kube_object *policy = &pass->s->policy->object;
	return *rollout->owner_uid ? !strcmp(rollout->owner_uid, policy->uid)
	                           : rollout->object.created_ms >= policy->created_ms;
}

static void look_at_rollouts(struct policy_pass *pass)
{
	for (size_t i = 0; i < pass->s->rollout_count; i++) {
		const struct rollout *rollout = pass->s->rollouts[i];
		if (rollout->status.outcome != OUTCOME_NONE && rollout->status.approved_ms != 0 && is_ours(pass, rollout) &&
		    rollout->status.policy_generation > pass->approved_generation)
			pass->approved_generation = rollout->status.policy_generation;
		if (!rollout_done(rollout)) {
			bool first = !pass->current || (rollout->status.plan_hash && !pass->current->status.plan_hash);
			pass->current = first ? rollout : pass->current;
			continue;
		}
		if (ended_after(rollout, pass->latest))
			pass->latest = rollout;
		if (rollout->status.outcome == OUTCOME_SUCCEEDED && ended_after(rollout, pass->succeeded))
			pass->succeeded = rollout;
	}
}

/* A version that failed is not tried again by itself: it needs a changed policy, or a PatchRollout that somebody
 * creates. */
static bool failed_before(const struct policy_pass *pass)
{
	const struct rollout *latest = pass->latest;
	if (!latest || !latest->status.policy_hash || strcmp(latest->status.policy_hash, pass->s->policy->hash) != 0)
		return false;
	return latest->status.outcome != OUTCOME_SUCCEEDED && latest->status.outcome != OUTCOME_SUPERSEDED;
}

static int64_t retry_at(const struct policy_pass *pass)
{
	return pass->latest->status.finished_ms + RETRY_LEFT_BEHIND_MS;
}

/* The latest rollout left nodes behind that could not be drained, and all that is outdated was there already. At once
 * they would be drained in vain again, and again. */
static const struct failure *not_drained(const struct policy_pass *pass)
{
	const struct rollout *latest = pass->latest;
	const struct failure *found = NULL;

	if (!latest || latest->status.outcome != OUTCOME_SUCCEEDED || !latest->status.policy_hash ||
	    strcmp(latest->status.policy_hash, pass->s->policy->hash) != 0 || pass->s->now_ms >= retry_at(pass))
		return NULL;
	for (size_t i = 0; i < latest->status.failed.count && !found; i++)
		if (left_behind(latest->status.failed.items[i].reason))
			found = &latest->status.failed.items[i];
	return pass->newest_outdated_ms > latest->status.started_ms ? NULL : found;
}

static bool name_taken(const struct policy_pass *pass, const char *name)
{
	for (size_t i = 0; i < pass->s->rollout_count; i++)
		if (!strcmp(pass->s->rollouts[i]->object.name, name))
			return true;
	return false;
}

/* A function of what leads to it, so that two writers with the same view cannot create two. */
static const char *rollout_name(const struct policy_pass *pass)
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	const struct policy *policy = pass->s->policy;

	for (int attempt = 0;; attempt++) {
		char digest[KUBE_SHA256_HEX_SIZE], suffix[6] = "";
		const char *seed = plan_printf(pass->arena, "%s/%s/%s/%d", policy->object.uid, policy->hash,
		                               pass->latest ? pass->latest->object.uid : "", attempt);
		kube_sha256_hex(seed, strlen(seed), digest);
		for (int i = 0; i < 5; i++) {
			char pair[3] = {digest[2 * i], digest[2 * i + 1], 0};
			suffix[i] = alphabet[strtoul(pair, NULL, 16) % (sizeof(alphabet) - 1)];
		}
		const char *name = plan_printf(pass->arena, "%s-%s", policy->object.name, suffix);
		if (!name_taken(pass, name))
			return name;
	}
}

static bool wants_rollout(const struct policy_pass *pass)
{
	const struct policy_snapshot *s = pass->s;
	return pass->want->targets.outdated > 0 && !s->policy->suspend && s->policy->trigger == TRIGGER_AUTOMATIC &&
	       !pass->current && !s->creating && !failed_before(pass) && !not_drained(pass);
}

static void create_rollout(struct policy_pass *pass)
{
	struct action *action = plan_add_action(&pass->out->actions, ACTION_CREATE_ROLLOUT, pass->arena);
	action->create_rollout.policy = pass->s->policy;
	action->create_rollout.name = rollout_name(pass);
}

/* Keeps the newest history_limit of the rollouts that we created and that are done. */
static void trim_history(struct policy_pass *pass)
{
	const struct policy_snapshot *s = pass->s;
	int64_t newer = 0;

	for (size_t i = 0; i < s->rollout_count; i++) {
		const struct rollout *rollout = s->rollouts[i];
		if (!rollout_done(rollout) || strcmp(rollout->owner_uid, s->policy->object.uid) != 0 ||
		    rollout->object.deleted_ms != KUBE_TIME_NONE)
			continue;
		newer = 0;
		for (size_t k = 0; k < s->rollout_count; k++)
			newer += rollout_done(s->rollouts[k]) && ended_after(s->rollouts[k], rollout);
		if (newer >= s->policy->history_limit && rollout != pass->latest && !s->rollout_busy[i])
			plan_add_action(&pass->out->actions, ACTION_DELETE_ROLLOUT, pass->arena)->delete_rollout = rollout;
	}
}

/* In whole seconds, as both times are. */
static int64_t duration_of(const struct rollout_status *status)
{
	bool known = status->started_ms != KUBE_TIME_NONE && status->finished_ms > status->started_ms;
	return known ? (status->finished_ms - status->started_ms) / 1000 * 1000 : 0;
}

static const char *success_json(const struct policy_pass *pass)
{
	const struct rollout *rollout = pass->succeeded;
	char at[KUBE_TIME_TEXT_SIZE], took[KUBE_DURATION_TEXT_SIZE];

	if (!rollout)
		return pass->s->policy->last_successful_json;
	_cleanup_json_ cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "name", rollout->object.name);
	cJSON *versions = cJSON_AddArrayToObject(json, "versions");
	for (size_t i = 0; i < rollout->status.versions.count; i++) {
		cJSON *version = cJSON_CreateObject();
		cJSON_AddStringToObject(version, "component", component_names[rollout->status.versions.items[i].component]);
		cJSON_AddStringToObject(version, "version", rollout->status.versions.items[i].version);
		cJSON_AddItemToArray(versions, version);
	}
	cJSON_AddStringToObject(json, "finishedAt", kube_time_format(rollout->status.finished_ms, at));
	cJSON_AddStringToObject(json, "duration", kube_duration_format(duration_of(&rollout->status), took));
	_cleanup_free_ char *text = cJSON_PrintUnformatted(json);
	return text ? plan_printf(pass->arena, "%s", text) : NULL;
}

/* ---- conditions ---- */

static void look_again(struct policy_pass *pass, int64_t at_ms)
{
	int64_t *look = &pass->out->look_again_ms;
	if (*look == KUBE_TIME_NONE || (at_ms != KUBE_TIME_NONE && at_ms < *look))
		*look = at_ms;
}

static void want_stalled(struct policy_pass *pass, const char *reason, const char *message)
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
	                             kube_time_format(retry_at(pass), at)));
	look_again(pass, retry_at(pass));
}

static void want_outdated(struct policy_pass *pass)
{
	const struct policy *policy = pass->s->policy;

	if (failed_before(pass))
		want_stalled(
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
	else if (not_drained(pass))
		want_retry(pass, not_drained(pass));
	else
		want_reconciling(pass, "RolloutStarting", "a PatchRollout is being created");
}

/* One that cannot even begin needs somebody, and so does the policy. */
static void want_current(struct policy_pass *pass)
{
	const struct rollout *current = pass->current;
	const struct condition *stalled = condition_get(&current->status.conditions, "Stalled");

	if (!current->status.plan_hash && stalled && stalled->status == CONDITION_TRUE)
		want_stalled(pass, plan_printf(pass->arena, "%s", stalled->reason),
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
		want_stalled(pass, s->effect_error->reason,
		             plan_printf(pass->arena, "%s: %s", s->effect_error->what, s->effect_error->message));
	else if (want->targets.total == 0)
		want_stalled(pass, "NoTargets", no_targets(pass));
	else if (pass->current)
		want_current(pass);
	else if (pass->channels.unresolved && pass->channels.state != CHANNEL_BROKEN)
		want_reconciling(pass, pass->channels.reason, pass->channels.message);
	else if (want->targets.outdated)
		want_outdated(pass);
	else if (pass->channels.state == CHANNEL_BROKEN)
		want_stalled(pass, pass->channels.reason, pass->channels.message);
	else if (pass->first_unknown)
		want_stalled(pass, "NotObserved", not_observed(pass));
	else if (pass->first_refused)
		want_stalled(pass, "VersionNotAllowed",
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
	look_again(pass, channels->look_again_ms);
}

/* A policy without windows and freezes has nothing to say of them. */
static void want_windows(struct policy_pass *pass)
{
	struct policy_wanted *want = pass->want;
	struct window_report report;

	if (!window_set_limits(&pass->windows))
		return;
	window_report(&pass->windows, pass->s->now_ms, pass->arena, &report);
	plan_want(&want->conditions, "WindowOpen", report.view.open ? CONDITION_TRUE : CONDITION_FALSE, report.reason,
	          report.text);
	want->next_window.opens_ms = report.opens_ms;
	want->next_window.closes_ms = report.closes_ms;
	want->next_window.name = report.next ? report.next->name : NULL;
	look_again(pass, report.changes_ms);
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

static bool refuse(struct policy_pass *pass, const char *reason, const char *message)
{
	plan_want(&pass->want->conditions, "Accepted", CONDITION_FALSE, reason, message);
	want_stalled(pass, reason, message);
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
	count_nodes(&pass);
	look_at_rollouts(&pass);
	out.wanted.current_rollout = pass.current ? pass.current->object.name : NULL;
	out.wanted.last_successful_json = success_json(&pass);
	out.wanted.authors =
	    authors_now(s->policy, pass.approved_generation, plan_alloc(arena, MAX_AUTHORS * sizeof(struct author)));
	if (accepted(&pass)) {
		want_conditions(&pass);
		want_resolved(&pass);
		want_windows(&pass);
		want_surroundings(&pass);
		if (wants_rollout(&pass))
			create_rollout(&pass);
	}
	look_again(&pass, exceptions_change_ms(s->policy, s->now_ms));
	trim_history(&pass);
	*ret_result = out;
}
