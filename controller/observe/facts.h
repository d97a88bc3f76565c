/*
 * What is known beside the objects, in memory only: how evictions were answered, and which effects fail. Bounded; when
 * it is full the oldest entry goes. Losing all of it (a restart) costs a repeated request, nothing else.
 *
 * Times are the API server's, ms since the epoch; randomness comes in as a parameter.
 */
#ifndef OBSERVE_FACTS_H
#define OBSERVE_FACTS_H

#include "controller/observe/eviction.h"
#include "controller/observe/job_facts.h"
#include "controller/plan/plan.h"

#define FACTS_MAX_EVICTIONS 20000
#define FACTS_MAX_EFFECTS 20000
#define FACTS_EFFECT_RETRY_MAX_MS 30000
#define FACTS_EFFECT_FORGET_MS \
	60000 /* an effect that was due so long ago and was not tried again is not wanted any more */

struct facts;

int facts_new(struct facts **ret_facts, struct kube_err *err);
void facts_free(struct facts *facts); /* NULL is fine */

struct job_facts *facts_jobs(const struct facts *facts);

/* ---- evictions, by pod UID ---- */

/* NULL: no refusal is known. Borrowed until the next call about this pod. */
const struct eviction_fact *facts_eviction(const struct facts *facts, const char *pod_uid);
/* The back-off that the next answer continues; 0: none. */
int64_t facts_eviction_base(const struct facts *facts, const char *pod_uid);
/* Remembers a refusal, or forgets the pod when the answer is over. pod_namespace is the namespace of who blocks. */
int facts_note_eviction(struct facts *facts, const char *pod_uid, const char *pod_namespace,
                        const struct eviction_answer *answer, int64_t now_ms, struct kube_err *err);
void facts_drop_eviction(struct facts *facts, const char *pod_uid); /* the pod is gone */
/* The budget allows disruptions again: what it refused may be tried at once. True when there was something. */
bool facts_budget_relieved(struct facts *facts, const char *namespace_, const char *name);

/* ---- effects that fail, by queue key ("rollout/x") and by what was tried ("create pod a/b") ---- */

struct effect_retry {
	int64_t first_ms;   /* first delay; doubled each time up to FACTS_EFFECT_RETRY_MAX_MS, jittered */
	unsigned tolerated; /* so many failures in a row are nobody's business (a conflict: the cache was behind) */
};

/* Remembers a failure. *ret_delay_ms: when to try again, not before the server's Retry-After. *ret_news: it is told for
 * the first time, or differs from what was told before. */
int facts_effect_failed(struct facts *facts, const char *key, const char *what, const struct kube_err *failure,
                        const struct effect_retry *retry, int64_t now_ms, uint64_t random, int64_t *ret_delay_ms,
                        bool *ret_news, struct kube_err *err);
/* True when a failure that had been told is over. */
bool facts_effect_done(struct facts *facts, const char *key, const char *what);
/* It has worked, and is not to be tried again before until_ms. */
void facts_effect_pause(struct facts *facts, const char *key, const char *what, int64_t until_ms);
/* How long it is too early to try again; 0: it is not. */
int64_t facts_effect_wait_ms(const struct facts *facts, const char *key, const char *what, int64_t now_ms);
/* The newest failure of key that is being retried and may be told; NULL: none. Borrowed until the next change. */
const struct effect_error *facts_effect_error(struct facts *facts, const char *key, int64_t now_ms);
void facts_drop_key(struct facts *facts, const char *key); /* its object is gone */

size_t facts_count(const struct facts *facts); /* evictions and effects */

#endif
