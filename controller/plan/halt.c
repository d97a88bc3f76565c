/* strategy.failureBudget: how many targets may fail before nothing new begins. */
#include "controller/plan/internal.h"
#include <string.h>

const struct failure *listed_failure(const struct rollout_status *status, const char *node_uid)
{
	for (size_t i = 0; i < status->failed.count; i++)
		if (!strcmp(status->failed.items[i].node_uid, node_uid))
			return &status->failed.items[i];
	return NULL;
}

bool failure_listed(const struct rollout_status *status, const char *node_uid)
{
	return listed_failure(status, node_uid) != NULL;
}

const struct failure *first_failure(const struct rollout_status *status)
{
	for (size_t i = 0; i < status->failed.count; i++)
		if (!left_behind(status->failed.items[i].reason))
			return &status->failed.items[i];
	return NULL;
}

bool target_bad(const struct pass *pass, const struct target_pass *target)
{
	if (target->kind != TARGET_ENDED || !step_bad(target->ended))
		return false;
	if (target->state)
		return !left_behind(target->state->reason);
	const struct failure *failure = listed_failure(pass->want, target->view->target->node_uid);
	return !failure || !left_behind(failure->reason);
}

bool entry_failing(const struct active *entry)
{
	return entry->reason && entry->step != STEP_SKIPPED && !left_behind(entry->reason);
}

static size_t count_listed(const struct rollout_status *status)
{
	size_t listed = 0;
	for (size_t i = 0; i < status->failed.count; i++)
		listed += !left_behind(status->failed.items[i].reason);
	return listed;
}

/* The list is bounded, and may have been lost with a status: what it does not name is counted where it shows. */
size_t failures_so_far(const struct pass *pass)
{
	const struct rollout_status *want = pass->want;
	size_t failures = count_listed(want);

	for (size_t i = 0; i < want->active.count; i++) {
		const struct active *active = &want->active.items[i];
		failures += entry_failing(active) && !failure_listed(want, active->node_uid);
	}
	for (size_t i = 0; i < pass->s->target_count; i++) {
		const struct target_pass *target = &pass->targets[i];
		failures += target_bad(pass, target) && !failure_listed(want, target->view->target->node_uid);
	}
	return failures;
}

size_t targets_to_patch(const struct pass *pass)
{
	size_t count = 0;
	for (size_t i = 0; i < pass->s->target_count; i++)
		count += pass->targets[i].kind != TARGET_EXCEPTED;
	return count;
}

/* Percentages round down, here to nothing too. */
static uint64_t budget_of(const struct pass *pass)
{
	const struct kube_intstr *budget = &pass->rules->failure_budget;
	uint64_t value = budget->value < 0 ? 0 : (uint64_t)budget->value;
	return budget->percent ? targets_to_patch(pass) * value / 100 : value;
}

bool over_failure_budget(const struct pass *pass)
{
	return failures_so_far(pass) > budget_of(pass);
}

const char *failure_budget_text(const struct pass *pass)
{
	uint64_t budget = budget_of(pass);
	return budget ? plan_printf(pass->arena, "at most %llu may", (unsigned long long)budget) : "none may";
}

bool wave_failed(const struct pass *pass)
{
	for (size_t w = 0; w < pass->want->waves.count; w++)
		if (pass->want->waves.items[w].state == WAVE_FAILED)
			return true;
	return false;
}

bool rollout_halted(const struct pass *pass)
{
	return wave_failed(pass) || over_failure_budget(pass);
}
