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
	uint64_t kinds; /* bits of those that happen in this world */
	int64_t interval_ms;
	/* the controller's processes: per mille of writes after which the one that sent it dies, or is frozen */
	int killed, frozen;
	int nodes_deleted, rollouts_deleted;
	int visits; /* of the person that mends */
	struct kube_timer event, person;
	struct kube_timer blow; /* on the process that sent the last write */
	unsigned blow_at;
	bool blow_kills;
};

int64_t fault_away_ms(struct world *world); /* how long a killed process is away */
int64_t fault_frozen_ms(struct world *world);

/* fault_request.c: hooks.fate */
void fault_request(void *arg, const struct kube_request *request, struct kube_sim_fate *fate);

/* fault_event.c */
void fault_event(struct faults *faults);
void fault_move_node(struct faults *faults); /* it is another policy's from now on */
void fault_mend(struct faults *faults);      /* what stands in the way for ever is taken away by a person */

#endif
