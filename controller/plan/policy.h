/* What the files about plan_policy() share. Not for others. */
#ifndef PLAN_POLICY_H
#define PLAN_POLICY_H

#include "controller/plan/internal.h"

struct policy_pass {
	const struct policy_snapshot *s;
	struct kube_arena *arena;
	struct policy_result *out;
	struct policy_wanted *want;
	struct window_set windows;
	struct channel_report channels;
	struct standings standings;
	const struct node *first_unknown; /* a node that shows nothing comparable */
	int64_t newest_outdated_ms;       /* when the youngest outdated node was created */
	const struct node *first_refused; /* a node that may not be brought to its version */
	const struct rollout *current;    /* not done yet; the one that works, else the oldest */
	const struct rollout *latest;     /* the newest that is done, of those that brought the policy's own versions */
	const struct rollout *succeeded;  /* the newest that succeeded */
	int64_t approved_generation;      /* of the policy, as it was in its newest plan that was approved, and has ended */
};

/* The policy is looked at again then, at the latest. KUBE_TIME_NONE: nothing changes by itself. */
void policy_look_again(struct policy_pass *pass, int64_t at_ms);

/* ---- policy_nodes.c: sets want's targets, versions, exceptions and progress ---- */

void policy_count_nodes(struct policy_pass *pass);

/* ---- policy_rollouts.c ---- */

/* Sets current, latest, succeeded and approved_generation. */
void policy_look_at_rollouts(struct policy_pass *pass);
bool policy_failed_before(const struct policy_pass *pass);
/* The latest rollout left nodes behind: why, and when they are tried again. NULL: it did not. */
const struct failure *policy_not_drained(const struct policy_pass *pass);
int64_t policy_retry_at(const struct policy_pass *pass);
bool policy_wants_rollout(const struct policy_pass *pass);
void policy_create_rollout(struct policy_pass *pass);
void policy_trim_history(struct policy_pass *pass);
/* status.lastSuccessfulRollout; NULL: there was none. */
const char *policy_success_json(const struct policy_pass *pass);

/* ---- policy_conditions.c ---- */

void policy_want_stalled(struct policy_pass *pass, const char *reason, const char *message);
/* All but Accepted=False, of a policy that is accepted. */
void policy_want_conditions(struct policy_pass *pass);

#endif
