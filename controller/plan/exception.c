/*
 * spec.exceptions of a policy: nodes that are left as they are until a time. They are looked up anew with each pass, as
 * the policy says it now: they are about targets, and change no plan. A target that is excepted when the plan is made
 * is so for this rollout; one that is in work is brought to its end.
 */
#include "controller/plan/internal.h"
#include <stdio.h>
#include <string.h>

const struct exception_spec *node_exception(const struct policy *policy, const struct node *node, int64_t now_ms)
{
	for (size_t i = 0; policy && i < policy->exceptions.count; i++) {
		const struct exception_spec *exception = &policy->exceptions.items[i];
		if (now_ms < exception->expires_ms && !kube_selector_empty(&exception->selector) &&
		    kube_selector_matches(&exception->selector, &node->labels))
			return exception;
	}
	return NULL;
}

/* It stands in the policy's status: it held for a time before it expired. */
static bool was_seen(const struct policy *policy, const struct exception_spec *exception)
{
	for (size_t i = 0; i < policy->exceptions_seen.count; i++)
		if (!strcmp(policy->exceptions_seen.items[i].name, exception->name) &&
		    policy->exceptions_seen.items[i].expires_ms == exception->expires_ms)
			return true;
	return false;
}

bool exception_counts(const struct policy *policy, const struct exception_spec *exception, int64_t now_ms)
{
	return now_ms < exception->expires_ms || was_seen(policy, exception);
}

int exceptions_accept(const struct policy *policy, int64_t now_ms, struct kube_err *err)
{
	int rc = exceptions_check(policy, err);
	char at[KUBE_TIME_TEXT_SIZE];

	for (size_t i = 0; !rc && i < policy->exceptions.count; i++) {
		const struct exception_spec *exception = &policy->exceptions.items[i];
		if (exception_counts(policy, exception, now_ms))
			continue;
		rc = kube_fail(err, KUBE_E_INVALID,
		               "spec.exceptions[%zu].expires of exception %.63s: %s was over before it began, so it would "
		               "except nothing; write a later time, or remove the exception",
		               i, exception->name, kube_time_format(exception->expires_ms, at));
		if (err)
			snprintf(err->reason, sizeof(err->reason), "ExceptionExpired");
	}
	return rc;
}

int64_t exceptions_change_ms(const struct policy *policy, int64_t now_ms)
{
	int64_t next = KUBE_TIME_NONE;

	for (size_t i = 0; i < policy->exceptions.count; i++) {
		int64_t expires = policy->exceptions.items[i].expires_ms;
		if (expires > now_ms)
			next = earlier_ms(next, expires);
	}
	return next;
}

static const struct exception_spec *named(const struct policy *policy, const char *name)
{
	for (size_t i = 0; policy && i < policy->exceptions.count; i++)
		if (!strcmp(policy->exceptions.items[i].name, name))
			return &policy->exceptions.items[i];
	return NULL;
}

const char *exception_text(const struct policy *policy, const char *name, struct kube_arena *arena)
{
	const struct exception_spec *exception = named(policy, name);
	char at[KUBE_TIME_TEXT_SIZE];

	if (!exception)
		return plan_printf(arena, "exception %s, as it was when the plan was made", name);
	const char *open = *exception->reference ? " (" : "", *close = *exception->reference ? ")" : "";
	return plan_printf(arena, "exception %s until %s: %s%s%s%s", name, kube_time_format(exception->expires_ms, at),
	                   exception->reason, open, exception->reference, close);
}

/* ---- in a rollout ---- */

const char *target_exception(const struct rollout_snapshot *s, const struct target_view *view)
{
	if (view->target->exception)
		return view->target->exception;
	const struct exception_spec *exception = view->node ? node_exception(s->policy, view->node, s->now_ms) : NULL;
	return exception ? exception->name : NULL;
}

/* Those of one exception are one decision. */
static void tell(struct pass *pass, const char *name)
{
	const char *first = NULL;
	size_t count = 0;

	for (size_t i = 0; i < pass->s->target_count; i++) {
		const struct target_pass *target = &pass->targets[i];
		if (target->kind != TARGET_EXCEPTED || strcmp(target_exception(pass->s, target->view), name) != 0)
			continue;
		if (!first)
			first = target->view->target->node;
		count++;
	}
	const char *others = count > 1 ? plan_printf(pass->arena, " and %zu more", count - 1) : "";
	decide(pass, DECISION_SKIP, plan_printf(pass->arena, "exception/%s", name), 1, "exceptions", "Excepted",
	       plan_printf(pass->arena, "%s%s: %s", first, others, exception_text(pass->s->policy, name, pass->arena)));
}

void exceptions_tell(struct pass *pass)
{
	const char **told = plan_alloc(pass->arena, 2 * MAX_EXCEPTIONS * sizeof(*told));
	size_t count = 0;

	for (size_t i = 0; i < pass->s->target_count && count < 2 * MAX_EXCEPTIONS; i++) {
		const struct target_pass *target = &pass->targets[i];
		const char *name = target->kind == TARGET_EXCEPTED ? target_exception(pass->s, target->view) : NULL;
		size_t k = 0;
		while (name && k < count && strcmp(told[k], name) != 0)
			k++;
		if (!name || k < count)
			continue;
		told[count++] = name;
		tell(pass, name);
	}
	if (pass->s->policy && count)
		look_again_at(pass->out, exceptions_change_ms(pass->s->policy, pass->s->now_ms));
}
