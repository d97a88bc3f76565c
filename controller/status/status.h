/*
 * From what a plan wants to the status document that is written: conditions with their transition times, counters,
 * bounded lists, and the decision ledger. Pure; memory from the arena or cJSON.
 */
#ifndef STATUS_STATUS_H
#define STATUS_STATUS_H

#include "controller/plan/plan.h"

/* The status of a rollout, ready to be written. */
struct rollout_status_write {
	cJSON *status; /* owned by the caller; NULL: what the object has is already right */
	bool later;    /* by rollout_status_compose_urgent() only: there may be something to write, but it can wait */
	bool urgent;   /* it grants, decides, names another blocker, or ends: write at once. Otherwise it may wait up to a
	                  second for more */
	/*
	 * Decisions that must leave the status for a ledger page before this status is written, oldest first; count 0:
	 * none. The caller creates the page (number `page`) and composes again when it exists.
	 */
	struct {
		const struct decision *const *items;
		size_t count;
		int64_t page;
	} spill;
};

/* ledger: existing ledger pages, by number: what they hold is left out of status.decisions. KUBE_E_NOMEM. */
int rollout_status_compose(const struct rollout *rollout, const struct rollout_status *wanted,
                           const struct revision *const *ledger, size_t ledger_count, int64_t now_ms,
                           struct kube_arena *arena, struct rollout_status_write *ret_write, struct kube_err *err);

/* As above for a status that was written a moment ago: what can wait is not put together, only told as `later`. */
int rollout_status_compose_urgent(const struct rollout *rollout, const struct rollout_status *wanted,
                                  const struct revision *const *ledger, size_t ledger_count, int64_t now_ms,
                                  struct kube_arena *arena, struct rollout_status_write *ret_write,
                                  struct kube_err *err);

/* NULL in *ret_status: what the object has is already right. */
int policy_status_compose(const struct policy *policy, const struct policy_wanted *wanted, int64_t now_ms,
                          struct kube_arena *arena, cJSON **ret_status, struct kube_err *err);

/* ---- ledger (controller/status/ledger.c) ---- */

/* hash = sha256 hex of canonical JSON of all other fields of the decision (id, seq, at, type, subject, rule, actor,
 * reason, evidence, previous). */
void ledger_seal(struct decision *decision, int64_t seq, const char *previous_hash, struct kube_arena *arena);
/* KUBE_E_INVALID naming the first decision whose hash, sequence number or predecessor is wrong. */
int ledger_verify(const struct decision *const *decisions, size_t count, struct kube_err *err);
cJSON *decision_json(const struct decision *decision); /* NULL when out of memory */

#endif
