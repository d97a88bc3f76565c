/* The ledger: pages, then the status, are one chain without gaps; what was written once stays, and is there once. */
#include "test/sim/check.h"

#include "controller/status/status.h"
#include <string.h>

struct ledger {
	const struct decision *items[MAX_LEDGER];
	size_t count;
};

static void add(struct ledger *ledger, const struct decision *decision)
{
	bool there = ledger->count > 0 && ledger->items[ledger->count - 1]->seq >= decision->seq;
	if (!there && ledger->count < MAX_LEDGER)
		ledger->items[ledger->count++] = decision;
}

static const struct revision *page_of(const struct seen_rollout *seen, int64_t number)
{
	for (size_t i = 0; i < seen->page_count; i++)
		if (seen->pages[i]->ledger && seen->pages[i]->number == number)
			return seen->pages[i];
	return NULL;
}

static void collect(const struct seen_rollout *seen, struct ledger *ledger)
{
	const struct rollout_status *status = &seen->now->status;
	const struct revision *page;

	for (int64_t number = 1; (page = page_of(seen, number)); number++)
		for (size_t i = 0; i < page->decisions.count; i++)
			add(ledger, &page->decisions.items[i]);
	for (size_t i = 0; i < status->decisions.count; i++)
		add(ledger, &status->decisions.items[i]);
}

/* Who reads why a node was left out finds what stands behind it; nobody can say that of an exception that is gone. */
static void check_reference(struct checks *checks, const struct decision *decision)
{
	bool gone = strstr(decision->evidence, "as it was when the plan was made") != NULL;

	if (strcmp(decision->subject, "exception/" REFERRING) == 0 && !gone && !strstr(decision->evidence, REFERENCE))
		world_fail(checks->world, "the decision to leave nodes out does not name " REFERENCE ": %s",
		           decision->evidence);
}

static void check_new(struct checks *checks, const struct ledger *ledger, size_t index)
{
	check_reference(checks, ledger->items[index]);
	for (size_t i = 0; i < index; i++)
		if (strcmp(ledger->items[i]->id, ledger->items[index]->id) == 0)
			world_fail(checks->world, "decision %s (%s %s) is in the ledger twice", ledger->items[i]->id,
			           decision_type_names[ledger->items[i]->type], ledger->items[i]->subject);
}

bool is_overridden(const struct seen_rollout *seen, const struct rules *rules, enum bypass what)
{
	static const char *const names[] = {"windows", "freezes", "soak", "approval"};
	static struct ledger ledger;

	if (!seen->now->emergency.enabled || !rules->emergency.allow || !(rules->emergency.bypass & 1u << what))
		return false;
	ledger.count = 0;
	collect(seen, &ledger);
	for (size_t i = 0; i < ledger.count; i++)
		if (ledger.items[i]->type == DECISION_OVERRIDE && strcmp(ledger.items[i]->rule, names[what]) == 0 &&
		    *ledger.items[i]->actor && strstr(ledger.items[i]->evidence, seen->now->emergency.reason))
			return true;
	return false;
}

bool may_override(const struct checks *checks, const struct seen_rollout *seen, const struct rules *rules,
                  enum bypass what, unsigned sender)
{
	return is_overridden(seen, rules, what) && !is_known_unguarded(checks, RIGHTS_ADMISSION, sender) &&
	       !is_known_unguarded(checks, AUTHORS_ADMISSION, sender);
}

void check_ledger(struct checks *checks, struct seen_rollout *seen)
{
	static struct ledger ledger;
	struct kube_err err = {0};

	ledger.count = 0;
	collect(seen, &ledger);
	if (ledger.count < seen->ledger_count) {
		world_fail(checks->world, "rollout %s: of %zu decisions %zu are left in the ledger", seen->now->object.name,
		           seen->ledger_count, ledger.count);
		return;
	}
	if (ledger.count == seen->ledger_count)
		return;
	if (ledger_verify(ledger.items, ledger.count, &err) != 0 || ledger.items[0]->seq != 1)
		world_fail(checks->world, "rollout %s: the ledger is broken: %s", seen->now->object.name, err.message);
	for (size_t i = 0; i < ledger.count; i++) {
		const char *hash = ledger.items[i]->hash;
		if (i < seen->ledger_count && strncmp(seen->hashes[i], hash, 16) != 0)
			world_fail(checks->world, "rollout %s: decision %zu was written anew", seen->now->object.name, i + 1);
		if (i >= seen->ledger_count)
			check_new(checks, &ledger, i);
		snprintf(seen->hashes[i], sizeof(seen->hashes[i]), "%.16s", hash);
	}
	seen->ledger_count = ledger.count;
}
