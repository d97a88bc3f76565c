#include "test/sim/fault.h"

#include <string.h>

#define PERSON_MS 600000 /* somebody looks after the cluster so often, once the trouble is over */

static struct kube_env *env_of(const struct faults *faults)
{
	return kube_sim_env(faults->world->sim);
}

/* ---- death and resurrection ---- */

static void on_restart(struct kube_timer *timer, void *arg)
{
	struct faults *faults = arg;

	(void)timer;
	if (!faults->world->controller)
		world_start_controller(faults->world);
}

static void on_kill(struct kube_timer *timer, void *arg)
{
	struct faults *faults = arg;
	struct world *world = faults->world;

	(void)timer;
	if (faults->over || !world->controller)
		return;
	world->kills++;
	world_kill_controller(world);
	int64_t away_ms = draw_chance(world, 50) ? draw_between(world, 0, 200) : draw_between(world, 200, 60000);
	kube_timer_start(env_of(faults), &faults->restart, away_ms, on_restart, faults);
}

/* What it did last has been done, and it never learns the answer. */
static void on_served(void *arg, const struct kube_request *request, int status)
{
	struct faults *faults = arg;

	(void)status;
	if (faults->over || strcmp(request->method, "GET") == 0 || strstr(request->target, "events.k8s.io"))
		return;
	if (draw_between(faults->world, 1, 1000) <= faults->killed)
		kube_timer_start(env_of(faults), &faults->kill, 0, on_kill, faults);
}

/* ---- events ---- */

static void on_event(struct kube_timer *timer, void *arg)
{
	struct faults *faults = arg;

	if (faults->over)
		return;
	fault_event(faults);
	kube_timer_start(env_of(faults), timer, draw_between(faults->world, 1, 2 * faults->interval_ms), on_event, faults);
}

static void on_person(struct kube_timer *timer, void *arg)
{
	struct faults *faults = arg;

	fault_mend(faults);
	kube_timer_start(env_of(faults), timer, PERSON_MS, on_person, faults);
}

/* ---- life ---- */

static int64_t some(struct world *world, const int64_t *choices, size_t count)
{
	return choices[draw_between(world, 0, (int64_t)count - 1)];
}

struct faults *faults_new(struct world *world)
{
	static const int64_t refused[] = {0, 0, 5, 30, 150}, latencies[] = {1, 20, 300, 3000}, lags[] = {1, 50, 1000, 8000},
	                     killed[] = {0, 0, 3, 20, 60}, intervals[] = {3000, 10000, 40000, 200000};
	struct faults *faults = calloc(1, sizeof(*faults));

	faults->world = world;
	faults->refused = (int)some(world, refused, KUBE_ARRAY_LEN(refused));
	faults->latency_ms = some(world, latencies, KUBE_ARRAY_LEN(latencies));
	faults->lag_ms = some(world, lags, KUBE_ARRAY_LEN(lags));
	faults->behind_ms = some(world, lags, KUBE_ARRAY_LEN(lags));
	faults->killed = (int)some(world, killed, KUBE_ARRAY_LEN(killed));
	faults->interval_ms = some(world, intervals, KUBE_ARRAY_LEN(intervals));
	faults->kinds = (unsigned)draw(world) & (unsigned)draw(world); /* a quarter of them */
	/* A half-open watch without a bookmark is found out after its timeout of up to 605 s; lists are tried again. */
	world->knowledge_ms = 900000;
	kube_sim_api_add_hooks(world->api,
	                       &(struct kube_sim_api_hooks){.fate = fault_request, .served = on_served, .arg = faults});
	kube_timer_start(env_of(faults), &faults->event, draw_between(world, 1, 2 * faults->interval_ms), on_event, faults);
	return faults;
}

void faults_end(struct faults *faults)
{
	faults->over = true;
	kube_timer_stop(env_of(faults), &faults->event);
	kube_timer_stop(env_of(faults), &faults->restart);
	on_person(&faults->person, faults);
}

void faults_free(struct faults *faults)
{
	if (!faults)
		return;
	struct kube_timer *timers[] = {&faults->event, &faults->person, &faults->kill, &faults->restart};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(timers); i++)
		kube_timer_stop(env_of(faults), timers[i]);
	free(faults);
}
