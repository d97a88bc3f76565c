/*
 * spec.approval: the people whose word a rollout, or each of its waves, needs before its first node starts.
 *
 * What counts is looked at anew in each pass until the first node is granted. Then it has been used: it stands in the
 * status as it was counted, and whatever becomes of it later does not matter. What is granted with it is in the same
 * status, so that nothing is taken back between.
 */
#include "controller/plan/internal.h"
#include <string.h>

/* API servers learn of an admission policy a moment after it was made. */
#define GUARD_TAKES_MS 5000

bool older_than_guard(const struct guard *guard, const struct kube_object *object)
{
	return object->created_ms < guard->since_ms + GUARD_TAKES_MS;
}

static bool rollout_asks(const struct pass *pass)
{
	return pass->rules->approval.mode == APPROVAL_ROLLOUT;
}

static bool wave_asks(const struct pass *pass, size_t wave)
{
	return pass->rules->approval.mode == APPROVAL_WAVE || pass->rules->waves.items[wave].approval;
}

static bool asks(const struct pass *pass)
{
	bool any = rollout_asks(pass);
	for (size_t w = 0; w < pass->rules->waves.count; w++)
		any |= wave_asks(pass, w);
	return any;
}

/* Index of the wave of this name that needs approvals; the number of waves: there is none. */
static size_t asking_wave(const struct pass *pass, const char *name)
{
	size_t w = 0;
	while (w < pass->rules->waves.count && (strcmp(pass->rules->waves.items[w].name, name) != 0 || !wave_asks(pass, w)))
		w++;
	return w;
}

/* Whether approvals of this wave ("": of the rollout as a whole) are asked for. */
static bool asked_for(const struct pass *pass, const char *wave)
{
	return *wave ? asking_wave(pass, wave) < pass->rules->waves.count : rollout_asks(pass);
}

/* Its first node was granted. */
static bool is_used(const struct pass *pass, const char *wave)
{
	size_t w = asking_wave(pass, wave);

	if (!*wave)
		return pass->want->approved_ms != 0;
	return w < pass->want->waves.count && pass->want->waves.items[w].approved_ms != 0;
}

/* ---- why none counts ---- */

static void no_approval_counts(struct pass *pass, const char *reason, const char *text)
{
	if (pass->approving.problem)
		return;
	pass->approving.problem_reason = reason;
	pass->approving.problem = text;
}

static void look_at_authors(struct pass *pass)
{
	const struct policy *policy = pass->s->policy;
	const struct rollout *rollout = pass->s->rollout;
	struct authors authors = authors_now(policy, 0, plan_alloc(pass->arena, MAX_AUTHORS * sizeof(struct author)));
	const struct author *unknown = authors_unknown(&authors);

	pass->approving.authors = authors;
	if (pass->s->author_guard.problem)
		no_approval_counts(pass, "ApprovalsUnprotected", pass->s->author_guard.problem);
	if (!*policy->author)
		no_approval_counts(pass, "AuthorUnknown",
		                   plan_printf(pass->arena,
		                               "nobody knows who wrote PatchPolicy %s, so nobody can be told from its author "
		                               "(approval.separationOfDuties): its author sets the annotation "
		                               "patchwright.io/author",
		                               policy->object.name));
	if (unknown)
		no_approval_counts(
		    pass, "AuthorUnknown",
		    plan_printf(pass->arena,
		                "nobody knows who made change %lld of PatchPolicy %s "
		                "(approval.separationOfDuties): somebody else than its authors so far, who answers "
		                "for it as it is now, sets the annotation patchwright.io/author",
		                (long long)unknown->generation, policy->object.name));
	if (!*rollout->owner_uid && !*rollout->author)
		no_approval_counts(
		    pass, "AuthorUnknown",
		    plan_printf(pass->arena,
		                "nobody knows who made PatchRollout %s (approval.separationOfDuties): who made it "
		                "sets the annotation patchwright.io/author",
		                rollout->object.name));
}

static bool is_author(const struct pass *pass, const char *user)
{
	return authors_have(&pass->approving.authors, user) || !strcmp(pass->s->policy->author, user) ||
	       !strcmp(pass->s->rollout->author, user);
}

/* ---- which count ---- */

static bool counted(const struct pass *pass, const char *wave, const char *user)
{
	for (size_t i = 0; i < pass->approving.count; i++) {
		const struct approval_status *item = &pass->approving.items[i];
		if (item->counts && !strcmp(item->wave, wave) && !strcmp(item->user, user))
			return true;
	}
	return false;
}

static int64_t expires_ms(const struct pass *pass, const struct approval *approval)
{
	return approval->object.created_ms + pass->rules->approval.expires_after_ms;
}

static const char *why_void(const struct pass *pass, const struct approval *approval)
{
	const struct rollout_snapshot *s = pass->s;
	char at[KUBE_TIME_TEXT_SIZE];

	if (strcmp(approval->rollout_uid, s->rollout->object.uid) != 0)
		return "it is for another PatchRollout of this name";
	if (strcmp(approval->plan_hash, s->plan->hash) != 0)
		return "it is for another plan: its planHash is another one";
	if (!asked_for(pass, approval->wave))
		return *approval->wave ? "no approval of a wave of this name is asked for"
		                       : "no approval of the rollout as a whole is asked for: name a wave";
	if (is_used(pass, approval->wave))
		return "it came when the work had begun";
	if (pass->approving.problem)
		return pass->approving.problem_reason;
	if (older_than_guard(&s->approval_guard, &approval->object))
		return "it is older than the admission policy that says whose word it is";
	if (expires_ms(pass, approval) <= s->now_ms)
		return plan_printf(pass->arena, "it expired at %s", kube_time_format(expires_ms(pass, approval), at));
	if (pass->rules->approval.separate_duties && is_author(pass, approval->user))
		return "its user is an author of what is approved";
	return counted(pass, approval->wave, approval->user) ? "its user has approved already" : NULL;
}

static void note(struct pass *pass, const struct approval *approval)
{
	const char *why = why_void(pass, approval);

	if (!why && !is_used(pass, approval->wave))
		look_again_at(pass->out, expires_ms(pass, approval));
	pass->approving.items[pass->approving.count++] = (struct approval_status){
	    .approval = approval->object.name,
	    .user = approval->user,
	    .wave = approval->wave,
	    .at_ms = approval->object.created_ms,
	    .counts = !why,
	    .why = why ? why : "",
	};
}

static bool is_noted(const struct pass *pass, const char *name)
{
	for (size_t i = 0; i < pass->approving.count; i++)
		if (!strcmp(pass->approving.items[i].approval, name))
			return true;
	return false;
}

/* What was used first, then what there is. */
static void note_all(struct pass *pass)
{
	const struct rollout_snapshot *s = pass->s;
	const struct rollout_status *status = &s->rollout->status;
	struct approving *approving = &pass->approving;

	approving->items =
	    plan_alloc(pass->arena, (status->approvals.count + s->approval_count) * sizeof(*approving->items));
	for (size_t i = 0; i < status->approvals.count; i++)
		if (status->approvals.items[i].counts && is_used(pass, status->approvals.items[i].wave))
			approving->items[approving->count++] = status->approvals.items[i];
	for (size_t i = 0; i < s->approval_count; i++)
		if (s->approvals[i]->object.deleted_ms == KUBE_TIME_NONE && !is_noted(pass, s->approvals[i]->object.name))
			note(pass, s->approvals[i]);
}

/* Those that count have the first places in the status. */
static void want_approvals(struct pass *pass)
{
	const struct approving *approving = &pass->approving;
	struct approval_status *items = plan_alloc(pass->arena, MAX_APPROVALS * sizeof(*items));
	size_t count = 0;

	for (int counts = 1; counts >= 0; counts--)
		for (size_t i = 0; i < approving->count && count < MAX_APPROVALS; i++)
			if (approving->items[i].counts == (counts != 0))
				items[count++] = approving->items[i];
	pass->want->approvals.items = items;
	pass->want->approvals.count = count;
}

/* ---- what is missing ---- */

static int64_t count_for(const struct pass *pass, const char *wave)
{
	int64_t count = 0;
	for (size_t i = 0; i < pass->approving.count; i++)
		count += pass->approving.items[i].counts && !strcmp(pass->approving.items[i].wave, wave);
	return count;
}

static bool is_allowed(const struct pass *pass, const char *wave)
{
	return is_used(pass, wave) || count_for(pass, wave) >= pass->rules->approval.required;
}

/* "ada, grace" */
static const char *users_for(const struct pass *pass, const char *wave)
{
	const char *text = "";
	for (size_t i = 0; i < pass->approving.count; i++) {
		const struct approval_status *item = &pass->approving.items[i];
		if (item->counts && !strcmp(item->wave, wave))
			text = plan_printf(pass->arena, "%s%s%s", text, *text ? ", " : "", item->user);
	}
	return text;
}

/* "1 of 2 approvals of wave canary" */
static const char *tally_text(const struct pass *pass, const char *wave)
{
	return plan_printf(pass->arena, "%lld of %lld approvals%s%s", (long long)count_for(pass, wave),
	                   (long long)pass->rules->approval.required, *wave ? " of wave " : "", wave);
}

/* What is missing, and exactly what to create. */
static const char *missing_text(const struct pass *pass, const char *wave)
{
	const struct kube_object *rollout = &pass->s->rollout->object;

	if (pass->approving.problem)
		return pass->approving.problem;
	return plan_printf(pass->arena,
	                   "%s; needed: a PatchApproval (kubectl explain patchapproval.spec) with rolloutRef {name: %s, "
	                   "uid: %s}, planHash %s%s%s",
	                   tally_text(pass, wave), rollout->name, rollout->uid, pass->s->plan->hash, *wave ? ", wave " : "",
	                   wave);
}

static void miss(struct pass *pass, const char *wave)
{
	pass->approving.missing = missing_text(pass, wave);
	pass->approving.tally = tally_text(pass, wave);
}

static const char *current_wave(const struct pass *pass)
{
	size_t current = waves_current(pass);
	bool asking = current < pass->rules->waves.count && wave_asks(pass, current);
	return asking ? pass->rules->waves.items[current].name : NULL;
}

void approvals_look(struct pass *pass)
{
	struct approving *approving = &pass->approving;
	const char *wave = current_wave(pass);

	pass->want->approvals.count = 0;
	approving->asked = asks(pass) && !pass->aborting;
	if (!approving->asked)
		return;
	if (pass->s->approval_guard.problem)
		no_approval_counts(pass, "ApprovalsUnprotected", pass->s->approval_guard.problem);
	if (pass->rules->approval.separate_duties)
		look_at_authors(pass);
	note_all(pass);
	want_approvals(pass);
	if (rollout_asks(pass) && !is_allowed(pass, ""))
		miss(pass, "");
	else if (wave && !is_allowed(pass, wave))
		miss(pass, wave);
}

bool approvals_allow(struct pass *pass)
{
	const char *missing = pass->approving.missing;
	struct wave_status *wave;

	if (!missing)
		return true;
	if (may_bypass(pass, BYPASS_APPROVAL)) {
		decide_override(pass, BYPASS_APPROVAL, missing);
		return true;
	}
	wave = &pass->want->waves.items[waves_current(pass)];
	pass->held_back = missing;
	pass->held_reason = "WaitingForApproval";
	wave->reason = "WaitingForApproval";
	wave->message = pass->approving.tally;
	decide(pass, DECISION_WAIT, plan_printf(pass->arena, "approval of %s", wave->name), 1, "approval",
	       "WaitingForApproval", missing);
	return false;
}

static void approve(struct pass *pass, const char *wave, int64_t *ret_approved_ms)
{
	decide(pass, DECISION_APPROVE, *wave ? wave : pass->s->rollout->object.name, 1, "approval", "Approved",
	       plan_printf(pass->arena, "plan %s; %s by: %s", pass->s->plan->hash, tally_text(pass, wave),
	                   users_for(pass, wave)));
	*ret_approved_ms = pass->s->now_ms;
}

void approvals_use(struct pass *pass)
{
	struct rollout_status *want = pass->want;
	const char *wave = current_wave(pass);

	if (pass->approving.missing)
		return; /* an emergency does not wait for it */
	if (rollout_asks(pass) && !is_used(pass, ""))
		approve(pass, "", &want->approved_ms);
	if (wave && !is_used(pass, wave))
		approve(pass, wave, &want->waves.items[waves_current(pass)].approved_ms);
	if (want->approved_ms == 0 && (wave || !asks(pass)))
		want->approved_ms = pass->s->now_ms;
}

/* When it begins to wait. */
static bool news(const struct pass *pass)
{
	const struct condition *before = condition_get(&pass->s->rollout->status.conditions, "Approved");
	return !before || before->status == CONDITION_TRUE;
}

void approvals_want(struct pass *pass)
{
	struct conditions *conditions = &pass->want->conditions;
	const struct approving *approving = &pass->approving;
	const char *wave = current_wave(pass);

	if (!approving->asked)
		return;
	if (!approving->missing) {
		const char *users = users_for(pass, wave ? wave : "");
		plan_want(conditions, "Approved", CONDITION_TRUE, *users ? "Approved" : "NotNeeded",
		          *users ? plan_printf(pass->arena, "approved by %s", users) : "what is next needs no approval");
		return;
	}
	if (may_bypass(pass, BYPASS_APPROVAL)) {
		plan_want(conditions, "Approved", CONDITION_FALSE, "Overridden", emergency_text(pass));
		return;
	}
	plan_want(conditions, "Approved", CONDITION_FALSE,
	          approving->problem ? approving->problem_reason : "WaitingForApproval", approving->missing);
	if (approving->problem && !pass->s->effect_error)
		plan_want(conditions, "Stalled", CONDITION_TRUE, approving->problem_reason, approving->problem);
	if (news(pass))
		emit_event(pass, &pass->s->rollout->object, approving->problem != NULL, "WaitingForApproval", "Wait",
		           approving->missing);
}
