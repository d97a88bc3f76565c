/*
 * The library in a simulated world: a clock, a transport and an API server. Only what the library does itself may fail:
 * its environment and its transport are wrapped, and the memory of the simulation behind them never ends.
 */
#ifndef TEST_NOMEM_SCENE_H
#define TEST_NOMEM_SCENE_H

#include "test/nomem/sweep.h"
#include <kube/client.h>
#include <kube/sim_api.h>

struct scene {
	struct kube_sim *sim;
	struct kube_sim_api *api;
	struct kube_env env;             /* the library's: its timers are driven by one of the simulation's */
	struct kube_transport transport; /* the library's: ends in the simulation's */
	struct kube_timer driver;
	struct kube_client *client;
};

/* Made before sweep_begin(). */
void scene_init(struct scene *scene);
void scene_finish(struct scene *scene);
/* Lets that much virtual time go by. */
void scene_run(struct scene *scene, int64_t ms);
/* What another client does; fails the test unless the server takes it. Not between sweep_begin() and sweep_end(). */
void scene_do(struct scene *scene, const char *method, const char *target, const char *body);

#endif
