#include "test/sim/replica.h"

#include "test/sim/check.h"
#include <string.h>

static struct kube_env *env_of(const struct replica *replica)
{
	return kube_sim_env(replica->world->sim);
}

/* ---- down ---- */

static void take_down(struct replica *replica)
{
	kube_timer_stop(env_of(replica), &replica->end);
	kube_timer_stop(env_of(replica), &replica->thaw);
	controller_free(take(replica->controller));
	kube_sim_process_free(take(replica->process));
	replica->frozen = replica->stopping = false;
}

static void on_start(struct kube_timer *timer, void *arg);

static void restart_after(struct replica *replica, int64_t away_ms)
{
	kube_timer_start(env_of(replica), &replica->start, away_ms, on_start, replica);
}

/* Its kubelet starts it again. */
static void on_end_timer(struct kube_timer *timer, void *arg)
{
	struct replica *replica = arg;

	(void)timer;
	world_trace(replica->world, "controller %c has ended", replica->letter);
	take_down(replica);
	restart_after(replica, replica->world->calm ? 0 : draw_between(replica->world, 0, 10000));
}

/* By itself it may end only when another one leads, or when it is told to. */
static void on_end(void *arg, int status)
{
	struct replica *replica = arg;

	struct replicas *replicas = replica->world->replicas;
	if (status != 0 && replicas->count == 1 && !replicas->rivals)
		world_fail(replica->world, "the controller ended by itself, with status %d", status);
	kube_timer_start(env_of(replica), &replica->end, 0, on_end_timer, replica);
}

/* ---- what it sends ---- */

static struct replica *sender_of(struct kube_transport *transport)
{
	return (struct replica *)((char *)transport - offsetof(struct replica, transport));
}

static int send(struct kube_transport *transport, const struct kube_request *request,
                const struct kube_exchange_handlers *handlers, void *arg, struct kube_exchange **ret_exchange,
                struct kube_err *err)
{
	struct replica *replica = sender_of(transport);

	check_sending(replica->world->checks, replica, request);
	return kube_transport_send(kube_sim_process_transport(replica->process), request, handlers, arg, ret_exchange, err);
}

static void cancel(struct kube_transport *transport, struct kube_exchange *exchange)
{
	kube_transport_cancel(kube_sim_process_transport(sender_of(transport)->process), exchange);
}

/* ---- up ---- */

static void start(struct replica *replica)
{
	struct world *world = replica->world;
	static const struct kube_transport_ops ops = {send, cancel};
	struct kube_err err = {0};

	snprintf(replica->identity, sizeof(replica->identity), "%c-%u", replica->letter, ++replica->starts);
	if (kube_sim_process_new(world->sim, &replica->process, &err) != 0)
		world_fail(world, "no process: %s", err.message);
	kube_sim_process_wall_jump(replica->process, replica->clock_ms);
	replica->transport.ops = &ops;
	const struct controller_options options = {
	    .options = &world->options,
	    .env = kube_sim_process_env(replica->process),
	    .transport = &replica->transport,
	    .outgoing = kube_sim_process_transport(replica->process),
	    .host = "sim",
	    .instance = replica->identity,
	    .identity = replica->identity,
	    .on_end = on_end,
	    .arg = replica,
	};
	world_trace(world, "controller %s starts", replica->identity);
	if (controller_new(&options, &replica->controller, &err) != 0) {
		world_fail(world, "the controller cannot be made: %s", err.message);
		return;
	}
	checks_watch(world->checks, replica);
	controller_start(replica->controller);
}

static void on_start(struct kube_timer *timer, void *arg)
{
	(void)timer;
	start(arg);
}

void replicas_start(struct replicas *replicas)
{
	for (size_t i = 0; i < replicas->count; i++) {
		kube_timer_stop(env_of(&replicas->items[i]), &replicas->items[i].start);
		if (!replicas->items[i].process)
			start(&replicas->items[i]);
	}
}

void replica_kill(struct replica *replica, int64_t away_ms)
{
	if (!replica->process)
		return;
	world_trace(replica->world, "controller %s is killed", replica->identity);
	replica->world->kills++;
	take_down(replica);
	restart_after(replica, away_ms);
}

void replica_stop(struct replica *replica)
{
	if (!replica->process || replica->stopping)
		return;
	world_trace(replica->world, "controller %s is told to stop", replica->identity);
	replica->stopping = true;
	controller_stop(replica->controller);
}

/* ---- sleep ---- */

static void wake(struct replica *replica)
{
	if (!replica->frozen)
		return;
	world_trace(replica->world, "controller %s wakes up", replica->identity);
	replica->frozen = false;
	kube_sim_process_thaw(replica->process, draw_chance(replica->world, 50));
}

static void on_thaw(struct kube_timer *timer, void *arg)
{
	(void)timer;
	wake(arg);
}

void replica_freeze(struct replica *replica, int64_t for_ms)
{
	if (!replica->process || replica->frozen)
		return;
	world_trace(replica->world, "controller %s is frozen for %lld ms", replica->identity, (long long)for_ms);
	replica->frozen = true;
	replica->world->freezes++;
	kube_sim_process_freeze(replica->process);
	kube_timer_start(env_of(replica), &replica->thaw, for_ms, on_thaw, replica);
}

void replica_set_clock(struct replica *replica, int64_t delta_ms)
{
	world_trace(replica->world, "the clock of controller %c jumps by %lld ms", replica->letter, (long long)delta_ms);
	replica->clock_ms += delta_ms;
	if (replica->process)
		kube_sim_process_wall_jump(replica->process, delta_ms);
}

/* ---- all ---- */

struct replicas *replicas_new(struct world *world, size_t count)
{
	struct replicas *replicas = calloc(1, sizeof(*replicas));

	replicas->world = world;
	replicas->count = count;
	for (size_t i = 0; i < count; i++)
		replicas->items[i] = (struct replica){.world = world, .letter = (char)('a' + i)};
	return replicas;
}

void replicas_free(struct replicas *replicas)
{
	if (!replicas)
		return;
	for (size_t i = 0; i < replicas->count; i++) {
		kube_timer_stop(env_of(&replicas->items[i]), &replicas->items[i].start);
		take_down(&replicas->items[i]);
	}
	free(replicas);
}

void replicas_heal(struct replicas *replicas)
{
	while (replicas->rivals && replicas->count > 1) {
		struct replica *surplus = &replicas->items[--replicas->count];
		kube_timer_stop(env_of(surplus), &surplus->start);
		take_down(surplus);
	}
	for (size_t i = 0; i < replicas->count; i++)
		wake(&replicas->items[i]);
	replicas_start(replicas);
}

struct replica *replicas_find(struct replicas *replicas, unsigned sender)
{
	for (size_t i = 0; i < replicas->count; i++)
		if (replicas->items[i].process && kube_sim_process_id(replicas->items[i].process) == sender)
			return &replicas->items[i];
	return NULL;
}
