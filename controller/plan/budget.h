/* How far one more node may be started: room for its pods, and domains. For budget.c. Not for others. */
#ifndef PLAN_BUDGET_H
#define PLAN_BUDGET_H

#include "controller/plan/internal.h"

/* ---- capacity.c: drain.requireCapacity ---- */

struct room {
	const struct node *node;
	struct resources left; /* of what is allocatable */
	bool open;             /* pods may come: it is Ready, schedulable and not in work */
};
/* A pod that has been given a place; room NULL: it lost that again. */
struct guest {
	const struct pod *pod;
	struct room *room;
};
struct capacity {
	struct room *rooms; /* by index of the snapshot's nodes; NULL: nobody asks */
	size_t count;
	struct guest *guests;
	size_t guest_count, guest_room;
	int tries;
};
/* drain.requireCapacity is set, and the snapshot has what it takes. */
bool capacity_asked(const struct pass *pass);
/* For a policy that asks for it. granted: by index of the snapshot's nodes. */
void capacity_begin(const struct pass *pass, const bool *granted, struct capacity *ret_capacity);
/* Why the pods of the node have no room elsewhere. NULL: they have, and it is theirs from now on. */
const char *capacity_refusal(struct pass *pass, struct capacity *capacity, const struct node *node);

/* ---- topology.c ---- */

struct domains {
	const struct topology *topology; /* NULL: none, and nothing is refused */
	struct domain *set;              /* its tables are freed by domains_end() */
};
/* The domains of the rollout's nodes as they are before anything new begins in this wave. */
void domains_begin(struct pass *pass, const struct wave_spec *wave, struct domains *ret_domains);
void domains_note_waiting(struct domains *domains, const struct node *node); /* this one could be started */
bool domains_allow(const struct domains *domains, const struct node *node);
const char *domains_text(struct pass *pass, const struct domains *domains); /* why one is not allowed */
void domains_note_start(struct domains *domains, const struct node *node);
void domains_end(struct domains *domains);

#endif
