#include "test/sim/fault.h"

#include "test/sim/replica.h"

#include <string.h>

#define PERSON_MS 600000 /* somebody looks after the cluster so often, once the trouble is over */

static struct kube_env *env_of(const struct faults *faults)
{
	return kube_sim_env(faults->world->sim);
}

/* ---- death and sleep ---- */

int64_t fault_away_ms(struct world *world)
{
	return draw_chance(world, 50) ? draw_between(world, 0, 200) : draw_between(world, 200, 60000);
}

/* Mostly around the time at which a leader has to stop by itself. */
int64_t fault_frozen_ms(struct world *world)
{
	int64_t renew_ms = world->options.election.renew_ms ? world->options.election.renew_ms : 10000;

	if (draw_chance(world, 20))
		return draw_between(world, 100, 600000);
	return draw_between(world, draw_chance(world, 50) ? 100 : renew_ms / 2, 2 * renew_ms);
}

static void on_blow(struct kube_timer *timer, void *arg)
{
	struct faults *faults = arg;
	struct replica *replica = replicas_find(faults->world->replicas, faults->blow_at);

	(void)timer;
	if (faults->over || !replica)
		return;
	if (faults->blow_kills)
		replica_kill(replica, fault_away_ms(faults->world));
	else
		replica_freeze(replica, fault_frozen_ms(faults->world));
}

/* What it did last has been done; it never learns the answer, or learns it much later. */
static void on_served(void *arg, const struct kube_sim_served *served)
{
	struct faults *faults = arg;
	const struct kube_request *request = served->request;

	if (faults->over || strcmp(request->method, "GET") == 0 || strstr(request->target, "events.k8s.io"))
		return;
	/* Rather when it waits to repeat what was refused: it wakes up with a decision that is old. */
	int64_t lot = draw_between(faults->world, 1, served->status >= 429 ? 100 : 1000);
	if (lot > faults->killed + faults->frozen)
		return;
	faults->blow_at = served->sender;
	faults->blow_kills = lot <= faults->killed;
	/* Before the answer comes, or a little after it. */
	int64_t delay_ms =
	    draw_chance(faults->world, 50) ? 0 : draw_between(faults->world, 0, 2 * faults->latency_ms + 2000);
	kube_timer_start(env_of(faults), &faults->blow, delay_ms, on_blow, faults);
}

/* ---- events ---- */

static void on_event(struct kube_timer *timer, void *arg)
{
	struct faults *faults = arg;

	if (faults->over)
		return;
	if (faults->world->theme == THEME_MOVES && draw_chance(faults->world, 50))
		fault_move_node(faults);
	else
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
	                     killed[] = {0, 0, 3, 20, 60}, frozen[] = {0, 0, 3, 20},
	                     intervals[] = {5000, 20000, 60000, 200000};
	struct faults *faults = calloc(1, sizeof(*faults));

	faults->world = world;
	faults->refused = (int)some(world, refused, KUBE_ARRAY_LEN(refused));
	faults->latency_ms = some(world, latencies, KUBE_ARRAY_LEN(latencies));
	faults->lag_ms = some(world, lags, KUBE_ARRAY_LEN(lags));
	faults->behind_ms = some(world, lags, KUBE_ARRAY_LEN(lags));
	faults->killed = (int)some(world, killed, KUBE_ARRAY_LEN(killed));
	faults->interval_ms = some(world, intervals, KUBE_ARRAY_LEN(intervals));
	faults->frozen = (int)some(world, frozen, KUBE_ARRAY_LEN(frozen));
	faults->kinds = draw(world) & draw(world); /* a quarter of them */
	if (world->theme == THEME_LEASE) {
		faults->refused = 150;
		faults->frozen = 20;
	}
	/* A half-open watch without a bookmark is found out after its timeout of up to 605 s; lists are tried again. */
	world->knowledge_ms = 900000;
	world->decision_ms = 2000 + 2 * faults->latency_ms + (faults->refused ? 20000 : 0);
	kube_sim_api_add_hooks(world->api,
	                       &(struct kube_sim_api_hooks){.fate = fault_request, .served = on_served, .arg = faults});
	for (size_t i = 0; i < world->replicas->count; i++)
		replica_set_clock(&world->replicas->items[i], draw_between(world, -3600, 3600) * 1000);
	kube_timer_start(env_of(faults), &faults->event, draw_between(world, 1, 2 * faults->interval_ms), on_event, faults);
	return faults;
}

void faults_end(struct faults *faults)
{
	faults->over = true;
	kube_timer_stop(env_of(faults), &faults->event);
	kube_timer_stop(env_of(faults), &faults->blow);
	on_person(&faults->person, faults);
}

void faults_free(struct faults *faults)
{
	if (!faults)
		return;
	struct kube_timer *timers[] = {&faults->event, &faults->person, &faults->blow};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(timers); i++)
		kube_timer_stop(env_of(faults), timers[i]);
	free(faults);
}
