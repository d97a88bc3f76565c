/* The controller's processes: one, or several of which leader election lets one work. */
#ifndef TEST_SIM_REPLICA_H
#define TEST_SIM_REPLICA_H

#include "test/sim/world.h"

#define MAX_REPLICAS 2

struct replica {
	struct world *world;
	char letter;
	unsigned starts;
	char identity[16];                /* another one at each start */
	struct kube_sim_process *process; /* NULL: it is down */
	struct kube_transport transport;  /* the process's, looked at */
	struct controller *controller;
	bool frozen, stopping;
	int64_t clock_ms; /* its machine's clock minus the server's */
	/* In the sim's env, so that they fire whatever becomes of the process. */
	struct kube_timer start, end, thaw;
};

struct replicas {
	struct world *world;
	struct replica items[MAX_REPLICAS];
	size_t count;
	bool rivals; /* several without leader election: somebody's mistake, which is corrected in the end */
};

struct replicas *replicas_new(struct world *world, size_t count);
void replicas_free(struct replicas *replicas);
void replicas_start(struct replicas *replicas); /* those that are down */
/* From now on each runs for ever, and those that sleep wake up. */
void replicas_heal(struct replicas *replicas);
struct replica *replicas_find(struct replicas *replicas, unsigned sender); /* NULL: it is gone */

void replica_kill(struct replica *replica, int64_t away_ms); /* SIGKILL, and a new start after that time */
void replica_stop(struct replica *replica);                  /* SIGTERM, and a new start when it has ended */
void replica_freeze(struct replica *replica, int64_t for_ms);
void replica_set_clock(struct replica *replica, int64_t delta_ms);

#endif
