/* What goes wrong in a world. Each kind of trouble is on or off for a seed, with a rate of its own. */
#ifndef TEST_SIM_FAULT_H
#define TEST_SIM_FAULT_H

#include "test/sim/world.h"

struct faults {
	struct world *world;
	bool over; /* what was broken is being mended */
	/* requests */
	int refused; /* per mille of them that meet something */
	int64_t latency_ms, lag_ms, behind_ms;
	/* events */
	unsigned kinds; /* bits of those that happen in this world */
	int64_t interval_ms;
	int killed; /* per mille of writes after which the controller dies */
	int nodes_deleted;
	struct kube_timer event, person, kill, restart;
};

/* fault_request.c: hooks.fate */
void fault_request(void *arg, const struct kube_request *request, struct kube_sim_fate *fate);

/* fault_event.c */
void fault_event(struct faults *faults);
void fault_mend(struct faults *faults); /* what stands in the way for ever is taken away by a person */

#endif
