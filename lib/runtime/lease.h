/* The record that a Lease holds (LeaseSpec of coordination.k8s.io/v1). Pure functions of documents. */
#ifndef LIB_RUNTIME_LEASE_H
#define LIB_RUNTIME_LEASE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct lease_claim {
	const char *holder; /* "": nobody */
	int64_t duration_ms;
	int64_t now_ms; /* ms since the epoch: for people */
};

const char *lease_holder(const cJSON *lease);           /* "" when there is none. Borrowed. */
int64_t lease_duration_ms(const cJSON *lease);          /* at least 0 */
int64_t lease_transitions(const cJSON *lease);          /* at least 0 */
bool lease_same_record(const cJSON *a, const cJSON *b); /* whatever else the objects say */

/* A Lease with that claim, to be created. NULL when out of memory, as below. */
cJSON *lease_create_body(const char *namespace_, const char *name, const struct lease_claim *claim);
/*
 * The lease with another claim: all else stays, the resourceVersion, which is the precondition, too. A holder that
 * changes counts as a transition; one that stays keeps its acquireTime; one that leaves is counted by whoever comes.
 */
cJSON *lease_update_body(const cJSON *lease, const struct lease_claim *claim);

#endif
