/*
 * Which decisions stand in the status. Each is in the ledger once, by its id; what the status has no room for leaves
 * for a ledger page, oldest first. A new decision that has no room yet waits, and with it whatever it decides.
 */
#include "controller/model/text.h"
#include "controller/status/internal.h"

#include <string.h>

#define KEEP_DECISIONS 20                  /* stay when older ones leave: enough to read what goes on */
#define DECISIONS_BYTES ((size_t)40 << 10) /* of JSON; MAX_DECISIONS of usual length are 25 KiB */
#define SEAL_BYTES 160                     /* what sealing adds: sequence number and two hashes */

#define SUBJECT_BYTES 280
#define WORD_BYTES 128

/* What a decision waits for room by: who starts can start later, but what has ended must be told. */
enum rank { RANK_ROLLOUT, RANK_TARGET, RANK_START, RANK_COUNT };

static enum rank rank_of(const struct decision *decision)
{
	switch ((enum decision_type)decision->type) {
	case DECISION_APPROVE:
	case DECISION_PROMOTE:
	case DECISION_PAUSE:
	case DECISION_RESUME:
	case DECISION_HALT:
	case DECISION_ABORT:
	case DECISION_OVERRIDE:
	case DECISION_SUPERSEDE:
	case DECISION_FINISH: return RANK_ROLLOUT;
	case DECISION_SKIP:
	case DECISION_QUARANTINE:
	case DECISION_FAIL:
	case DECISION_ROLL_BACK:
	case DECISION_ROLL_BACK_DONE:
	case DECISION_ROLL_BACK_FAILED:
	case DECISION_ROLLBACK_IMPOSSIBLE: return RANK_TARGET;
	case DECISION_START:
	case DECISION_WAIT: return RANK_START;
	}
	return RANK_ROLLOUT;
}

struct choice {
	const struct rollout *rollout;
	const struct rollout_status *wanted;
	const struct revision *const *ledger;
	size_t ledger_count;
	struct kube_arena *arena;
	struct decision_set *set;
	/* By index of wanted decisions: */
	struct decision *drafts; /* with texts cut to what the schema takes */
	bool *fresh;             /* it is new */
	bool any_fresh;
	bool *admitted; /* and has room */
	size_t bytes;   /* of JSON of what stands in the status */
	bool full;
};

/* The newest page first: what is wanted again was mostly decided lately. */
static bool on_a_page(const struct choice *choice, const char *id)
{
	for (size_t page = choice->ledger_count; page-- > 0;)
		for (size_t i = choice->ledger[page]->decisions.count; i-- > 0;)
			if (strcmp(choice->ledger[page]->decisions.items[i].id, id) == 0)
				return true;
	return false;
}

static bool known(const struct choice *choice, size_t index)
{
	const struct rollout_status *status = &choice->rollout->status;
	const char *id = choice->wanted->decisions.items[index].id;

	for (size_t i = 0; i < index; i++)
		if (strcmp(choice->wanted->decisions.items[i].id, id) == 0)
			return true;
	for (size_t i = 0; i < status->decisions.count; i++)
		if (strcmp(status->decisions.items[i].id, id) == 0)
			return true;
	return on_a_page(choice, id);
}

static const struct decision *later(const struct decision *a, const struct decision *b)
{
	return !a || (b && b->seq > a->seq) ? b : a;
}

static const struct decision *newest_on_pages(const struct choice *choice)
{
	const struct decision *newest = NULL;

	for (size_t page = 0; page < choice->ledger_count; page++)
		for (size_t i = 0; i < choice->ledger[page]->decisions.count; i++)
			newest = later(newest, &choice->ledger[page]->decisions.items[i]);
	return newest;
}

/* Sets *ret_bytes to the length of a decision's JSON. */
static int measure(const struct decision *decision, size_t *ret_bytes, struct kube_err *err)
{
	_cleanup_json_ cJSON *json = decision_json(decision);
	_cleanup_free_ char *text = json ? cJSON_PrintUnformatted(json) : NULL;

	if (!text)
		return status_out_of_memory(err);
	*ret_bytes = strlen(text) + 1;
	return 0;
}

/* The status' own decisions, without those that a page holds by now: the chain has no gaps, so seq tells. */
static int keep_standing(struct choice *choice, const struct decision *paged, struct kube_err *err)
{
	const struct rollout_status *status = &choice->rollout->status;

	for (size_t i = 0; i < status->decisions.count; i++) {
		const struct decision *decision = &status->decisions.items[i];
		size_t bytes = 0;
		if (paged && decision->seq <= paged->seq)
			continue;
		/* Without anything new nobody asks how much room there is. */
		int rc = choice->any_fresh ? measure(decision, &bytes, err) : 0;
		if (rc)
			return rc;
		choice->bytes += bytes;
		choice->set->items[choice->set->count++] = decision;
	}
	return 0;
}

static void hold(struct decision_set *set, const struct decision *decision)
{
	/* That something waits is told sooner or later; nothing hangs on it. */
	if (decision->type != DECISION_WAIT && !decisions_hold(set, decision->subject))
		set->held[set->held_count++] = decision->subject;
}

/* Gives room to the new decisions of one rank, in their order; what finds none puts its subject on hold. */
static int admit(struct choice *choice, enum rank rank, size_t *admitted, struct kube_err *err)
{
	struct decision_set *set = choice->set;

	for (size_t i = 0; i < choice->wanted->decisions.count; i++) {
		const struct decision *draft = &choice->drafts[i];
		size_t bytes = 0;
		if (!choice->fresh[i] || rank_of(draft) != rank || decisions_hold(set, draft->subject))
			continue;
		int rc = measure(draft, &bytes, err);
		if (rc)
			return rc;
		bytes += SEAL_BYTES;
		if (set->count + *admitted == MAX_DECISIONS || choice->bytes + bytes > DECISIONS_BYTES) {
			choice->full = true;
			hold(set, draft);
			continue;
		}
		choice->admitted[i] = true;
		choice->bytes += bytes;
		(*admitted)++;
	}
	return 0;
}

static int draft_fresh(struct choice *choice, struct kube_err *err)
{
	struct kube_arena *arena = choice->arena;

	for (size_t i = 0; i < choice->wanted->decisions.count; i++) {
		struct decision *draft = &choice->drafts[i];
		if (known(choice, i))
			continue;
		*draft = choice->wanted->decisions.items[i];
		draft->subject = text_keep(arena, draft->subject, SUBJECT_BYTES);
		draft->rule = text_keep(arena, draft->rule, WORD_BYTES);
		draft->actor = text_keep(arena, draft->actor, WORD_BYTES);
		draft->reason = text_keep(arena, draft->reason, WORD_BYTES);
		draft->evidence = text_keep(arena, draft->evidence, MAX_EVIDENCE_BYTES);
		if (!draft->subject || !draft->rule || !draft->actor || !draft->reason || !draft->evidence)
			return status_out_of_memory(err);
		choice->fresh[i] = choice->any_fresh = true;
	}
	return 0;
}

/* Seals what was admitted behind the newest of all decisions. */
static int append_fresh(struct choice *choice, const struct decision *newest, struct kube_err *err)
{
	struct decision_set *set = choice->set;

	for (size_t i = 0; i < choice->wanted->decisions.count; i++) {
		struct decision *draft = &choice->drafts[i];
		if (!choice->admitted[i])
			continue;
		ledger_seal(draft, newest ? newest->seq + 1 : 1, newest ? newest->hash : NULL, choice->arena);
		if (!draft->hash)
			return status_out_of_memory(err);
		set->items[set->count++] = newest = draft;
		set->fresh++;
	}
	return 0;
}

/* How many stay. Long ones fill the status before they are KEEP_DECISIONS: then, too, something must leave. */
static size_t kept(const struct choice *choice, size_t admitted)
{
	size_t count = choice->set->count;

	if (!choice->full)
		return count;
	if (count > KEEP_DECISIONS)
		return KEEP_DECISIONS;
	return admitted > 0 ? count : count / 2;
}

/* The oldest leave; nothing new is decided until they have. */
static void spill(struct choice *choice, size_t keep)
{
	struct decision_set *set = choice->set;

	set->spill.items = set->items;
	set->spill.count = set->count - keep;
	set->spill.page = (int64_t)choice->ledger_count + 1;
}

static int allocate(struct choice *choice, struct kube_err *err)
{
	struct kube_arena *arena = choice->arena;
	size_t wanted = choice->wanted->decisions.count, standing = choice->rollout->status.decisions.count;

	choice->set->items = kube_arena_calloc(arena, standing + wanted, sizeof(*choice->set->items));
	choice->drafts = kube_arena_calloc(arena, wanted, sizeof(*choice->drafts));
	choice->fresh = kube_arena_calloc(arena, wanted, sizeof(*choice->fresh));
	choice->admitted = kube_arena_calloc(arena, wanted, sizeof(*choice->admitted));
	return choice->set->items && choice->drafts && choice->fresh && choice->admitted ? 0 : status_out_of_memory(err);
}

static int admit_fresh(struct choice *choice, size_t *admitted, struct kube_err *err)
{
	int rc = 0;

	for (int rank = RANK_ROLLOUT; !rc && rank < RANK_COUNT; rank++)
		rc = admit(choice, (enum rank)rank, admitted, err);
	return rc;
}

int decisions_choose(const struct rollout *rollout, const struct rollout_status *wanted,
                     const struct revision *const *ledger, size_t ledger_count, struct kube_arena *arena,
                     struct decision_set *set, struct kube_err *err)
{
	struct choice choice = {
	    .rollout = rollout,
	    .wanted = wanted,
	    .ledger = ledger,
	    .ledger_count = ledger_count,
	    .arena = arena,
	    .set = set,
	};
	const struct decision *newest = newest_on_pages(&choice);
	size_t admitted = 0;

	int rc = allocate(&choice, err);
	if (!rc)
		rc = draft_fresh(&choice, err);
	if (!rc)
		rc = keep_standing(&choice, newest, err);
	if (!rc)
		rc = admit_fresh(&choice, &admitted, err);
	if (rc)
		return rc;
	size_t keep = kept(&choice, admitted);
	if (keep < set->count) {
		spill(&choice, keep);
		return 0;
	}
	for (size_t i = 0; i < set->count; i++)
		newest = later(newest, set->items[i]);
	return append_fresh(&choice, newest, err);
}

bool decisions_hold(const struct decision_set *set, const char *subject)
{
	for (size_t i = 0; subject && i < set->held_count; i++)
		if (strcmp(set->held[i], subject) == 0)
			return true;
	return false;
}
