/* What the files of status/ share. Not for others. */
#ifndef STATUS_INTERNAL_H
#define STATUS_INTERNAL_H

#include "controller/status/status.h"

/* maxLength of the schemas, in bytes here: never more than the characters that they count. */
#define NAME_BYTES 253
#define UID_BYTES 40
#define LABEL_BYTES 63
#define USER_BYTES 128
#define CHANNEL_BYTES 560 /* of its source: as long as the longest that the schema lets in */
#define POD_BYTES 320     /* "namespace/name" */
#define SUMMARY_BYTES 512
#define PROGRESS_BYTES 32
#define CONDITION_REASON_BYTES 64
#define CONDITION_MESSAGE_BYTES 512
#define VERSION_BYTES 256
#define MESSAGE_BYTES 256 /* of a wave's reason, a blocker, a failure */
#define REASON_BYTES 64

/* ---- conditions.c ---- */

/*
 * The list to write: every wanted condition, in the order in which they stand already, new ones behind. Transition
 * times change only with the status. Reconciling and Stalled stand there only when True, and the first one not
 * beside the second (kstatus). NULL when out of memory.
 */
cJSON *conditions_json(const struct conditions *wanted, const struct conditions *existing, int64_t observed_generation,
                       int64_t now_ms, size_t message_bytes);

/* ---- decisions.c: which decisions stand in the status ---- */

struct decision_set {
	const struct decision **items; /* to stand in the status, in order of seq */
	size_t count, fresh;           /* fresh: how many at the end are new */
	const char **held;             /* subjects with a decision that has no room yet: they stay as they are */
	size_t held_count;
	struct { /* what has to leave for ledger page `page` first; count 0: nothing */
		const struct decision *const *items;
		size_t count;
		int64_t page;
	} spill;
};

/*
 * set->held may name subjects that must stay as they are for another reason, and has room for as many more as there are
 * wanted decisions. KUBE_E_NOMEM.
 */
int decisions_choose(const struct rollout *rollout, const struct rollout_status *wanted,
                     const struct revision *const *ledger, size_t ledger_count, struct kube_arena *arena,
                     struct decision_set *set, struct kube_err *err);
bool decisions_hold(const struct decision_set *set, const char *subject);

/* ---- targets.c: the grants and the failures to write ---- */

struct target_lists {
	const struct active **active;
	size_t active_count;
	const struct failure **failed;
	size_t failed_count;
};

/* New grants beyond MAX_ACTIVE go on hold, those that stand already come first. */
void targets_hold_excess(const struct rollout *rollout, const struct rollout_status *wanted, struct decision_set *set);
/* What is wanted, but for subjects on hold what the status has now. KUBE_E_NOMEM. */
int targets_choose(const struct rollout *rollout, const struct rollout_status *wanted, const struct decision_set *set,
                   struct kube_arena *arena, struct target_lists *ret_lists, struct kube_err *err);
const struct active *active_find(const struct rollout *rollout, const char *node_uid); /* NULL: no grant now */

/* ---- */

int status_out_of_memory(struct kube_err *err);

#endif
