/*
 * What an answer of the Eviction API means (kube-semantics "Eviction"; K8S registry/core/pod/storage/eviction.go).
 * Pure.
 */
#ifndef OBSERVE_EVICTION_H
#define OBSERVE_EVICTION_H

#include <kube/err.h>
#include <stdbool.h>
#include <stdint.h>

#define EVICTION_RETRY_FIRST_MS 5000
#define EVICTION_RETRY_MAX_MS 30000

enum eviction_result {
	EVICTION_ACCEPTED,    /* 2xx: the pod is being deleted */
	EVICTION_GONE,        /* 404 NotFound, or 409 because another pod has the name now */
	EVICTION_BLOCKED,     /* 429 with the cause DisruptionBudget: the budget has nothing to give */
	EVICTION_THROTTLED,   /* 429 without it: API Priority and Fairness */
	EVICTION_CONFLICT,    /* 409: the pod or its budget changed meanwhile */
	EVICTION_AMBIGUOUS,   /* 500: several budgets match the pod, which no retry can help */
	EVICTION_TERMINATING, /* 403 NamespaceTerminating: it is being deleted anyway */
	EVICTION_FORBIDDEN,   /* 403: we may not, or its budget is in disorder */
	EVICTION_DENIED,      /* an admission webhook or policy said no, or could not be asked */
	EVICTION_ERROR,       /* 5xx, no answer, anything else */
	EVICTION_RESULTS
};
extern const char *const eviction_result_names[]; /* "accepted" …, for metrics; NULL-terminated */

struct eviction_answer {
	enum eviction_result result;
	bool over;        /* accepted or gone: there is nothing to repeat */
	const char *kind; /* who refuses: "PodDisruptionBudget", "APIServer", "Webhook", …; static; NULL when over */
	char name[254];   /* of the budget, webhook or policy where the answer tells; else "" */
	char message[sizeof(((struct kube_err *)0)->message)];
	int64_t base_ms;  /* the back-off as it stands: to be given as `previous_base_ms` next time */
	int64_t delay_ms; /* not again before: jittered, never 0, at most EVICTION_RETRY_MAX_MS */
};

/* err NULL: the request succeeded. previous_base_ms: that of the last refusal in a row; 0: none. */
void eviction_classify(const struct kube_err *err, int64_t previous_base_ms, uint64_t random,
                       struct eviction_answer *ret_answer);

#endif
