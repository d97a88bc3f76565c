#include "controller/cmd/snapshot.h"
#include <string.h>

static const struct revision *find_page(const struct revision *const *pages, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!pages[i]->ledger && strcmp(pages[i]->object.name, name) == 0)
			return pages[i];
	return NULL;
}

static bool differs(const char *a, const char *b)
{
	return !a || !b || strcmp(a, b) != 0;
}

/* NULL: the page is the one that the status means, at this place of `total`. */
static const char *check_page(const struct revision *page, const struct rollout_status *status, size_t place,
                              size_t total, struct kube_arena *arena)
{
	const char *name = status->revisions.items[place];
	if (!page)
		return plan_printf(arena,
		                   "page %zu of %zu (ControllerRevision %s) is missing: restore it, or delete the rollout",
		                   place + 1, total, name);
	if (page->data_error)
		return plan_printf(arena, "ControllerRevision %s cannot be read: %s", name, page->data_error);
	if (page->number != (int64_t)place + 1 || page->pages != (int64_t)total)
		return plan_printf(arena, "ControllerRevision %s says that it is page %lld of %lld, not %zu of %zu", name,
		                   (long long)page->number, (long long)page->pages, place + 1, total);
	if (differs(page->plan_hash, status->plan_hash) || differs(page->policy_hash, status->policy_hash))
		return plan_printf(arena, "ControllerRevision %s belongs to another plan than the one in status.plan", name);
	if (place == 0 && !page->rules)
		return plan_printf(arena, "ControllerRevision %s lacks the rules of the plan", name);
	return NULL;
}

static void append_targets(struct plan *plan, const struct revision *page)
{
	for (size_t i = 0; i < page->targets.count; i++)
		plan->targets[plan->target_count++] = &page->targets.items[i];
}

void plan_assemble(const struct rollout_status *status, const struct revision *const *pages, size_t page_count,
                   struct kube_arena *arena, const struct plan **ret_plan, const char **ret_error)
{
	size_t total = status->revisions.count, targets = 0;
	*ret_plan = NULL;
	*ret_error = NULL;
	if (!status->plan_hash)
		return;
	const struct revision **found = plan_alloc(arena, total * sizeof(*found));
	for (size_t i = 0; i < total && !*ret_error; i++) {
		found[i] = find_page(pages, page_count, status->revisions.items[i]);
		*ret_error = check_page(found[i], status, i, total, arena);
		targets += found[i] ? found[i]->targets.count : 0;
	}
	if (total == 0)
		*ret_error = "status.plan names no pages";
	if (*ret_error)
		return;
	struct plan *plan = plan_alloc(arena, sizeof(*plan));
	plan->hash = status->plan_hash;
	plan->policy_hash = found[0]->policy_hash;
	plan->rules = found[0]->rules;
	plan->targets = plan_alloc(arena, targets * sizeof(struct target *));
	for (size_t i = 0; i < total; i++)
		append_targets(plan, found[i]);
	*ret_plan = plan;
}
