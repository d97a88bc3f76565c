/* Several processes on one clock, each with timers, a wall clock and randomness of its own, and all with one server. */
#include "lib/sim/internal.h"

#include <stdlib.h>
#include <string.h>

static struct kube_sim_process *of_env(struct kube_env *env)
{
	return ((struct sim_pump *)env)->process;
}

static int64_t wall_ms(struct kube_env *env)
{
	return of_env(env)->sim->mono_ms + of_env(env)->wall_offset_ms;
}

static int64_t mono_us(struct kube_env *env)
{
	return of_env(env)->sim->mono_ms * 1000;
}

static void random_bytes(struct kube_env *env, void *bytes, size_t len)
{
	sim_random(&of_env(env)->random_state, bytes, len);
}

static void run(struct kube_timer *timer, void *arg)
{
	struct sim_pump *pump = arg;

	(void)timer;
	if (!pump->process->frozen)
		kube_env_run_timers(&pump->env);
}

static void rearm(struct kube_env *env, int64_t due_ms)
{
	struct sim_pump *pump = (struct sim_pump *)env;
	struct kube_sim *sim = pump->process->sim;

	if (due_ms == INT64_MAX)
		kube_timer_stop(&sim->env, &pump->timer);
	else
		kube_timer_start(&sim->env, &pump->timer, due_ms - sim->mono_ms, run, pump);
}

/* Its place on the sim's clock is kept: to set it for another time cannot fail. */
static int init_pump(struct sim_pump *pump, struct kube_sim_process *process)
{
	static const struct kube_env_ops ops = {
	    .wall_ms = wall_ms, .mono_us = mono_us, .random = random_bytes, .rearm = rearm};

	kube_env_init(&pump->env, &ops);
	pump->process = process;
	return kube_timer_reserve(&process->sim->env, &pump->timer);
}

static void finish_pump(struct sim_pump *pump)
{
	kube_env_finish(&pump->env);
	kube_timer_release(&pump->process->sim->env, &pump->timer);
}

static int send(struct kube_transport *transport, const struct kube_request *request,
                const struct kube_exchange_handlers *handlers, void *arg, struct kube_exchange **ret_exchange,
                struct kube_err *err)
{
	struct kube_sim_process *process =
	    (struct kube_sim_process *)((char *)transport - offsetof(struct kube_sim_process, transport));
	const struct sim_client client = {&process->timers.env, &process->answers.env, process->id};

	return sim_send(process->sim, &client, request, handlers, arg, ret_exchange, err);
}

int kube_sim_process_new(struct kube_sim *sim, struct kube_sim_process **ret_process, struct kube_err *err)
{
	static const struct kube_transport_ops transport_ops = {send, sim_cancel};
	struct kube_sim_process *process = calloc(1, sizeof(*process));

	if (!process)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a simulated process");
	process->sim = sim;
	int timers_rc = init_pump(&process->timers, process), answers_rc = init_pump(&process->answers, process);
	if (timers_rc || answers_rc) {
		kube_sim_process_free(process);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a simulated process");
	}
	process->transport.ops = &transport_ops;
	process->id = ++sim->last_sender;
	process->wall_offset_ms = sim->wall_offset_ms;
	sim_random(&sim->random_state, &process->random_state, sizeof(process->random_state));
	*ret_process = process;
	return 0;
}

void kube_sim_process_free(struct kube_sim_process *process)
{
	if (!process)
		return;
	finish_pump(&process->timers);
	finish_pump(&process->answers);
	free(process);
}

struct kube_env *kube_sim_process_env(struct kube_sim_process *process)
{
	return &process->timers.env;
}

struct kube_transport *kube_sim_process_transport(struct kube_sim_process *process)
{
	return &process->transport;
}

unsigned kube_sim_process_id(const struct kube_sim_process *process)
{
	return process->id;
}

void kube_sim_process_freeze(struct kube_sim_process *process)
{
	process->frozen = true;
}

void kube_sim_process_thaw(struct kube_sim_process *process, bool answers_first)
{
	struct sim_pump *first = answers_first ? &process->answers : &process->timers;
	struct sim_pump *second = answers_first ? &process->timers : &process->answers;

	if (!process->frozen)
		return;
	process->frozen = false;
	rearm(&first->env, kube_env_next_due(&first->env));
	rearm(&second->env, kube_env_next_due(&second->env));
}

void kube_sim_process_wall_jump(struct kube_sim_process *process, int64_t delta_ms)
{
	process->wall_offset_ms += delta_ms;
}
