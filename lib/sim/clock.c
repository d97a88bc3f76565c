#include "lib/sim/internal.h"

#include <stdlib.h>
#include <string.h>

static struct kube_sim *of_env(struct kube_env *env)
{
	return (struct kube_sim *)env;
}

static int64_t wall_ms(struct kube_env *env)
{
	return of_env(env)->mono_ms + of_env(env)->wall_offset_ms;
}

static int64_t mono_us(struct kube_env *env)
{
	return of_env(env)->mono_ms * 1000;
}

/* SplitMix64: every seed gives a good sequence, always the same one. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void sim_random(uint64_t *state, void *bytes, size_t len)
{
	unsigned char *out = bytes;

	while (len > 0) {
		uint64_t number = next_random(state);
		size_t some = len < sizeof(number) ? len : sizeof(number);
		memcpy(out, &number, some);
		out += some;
		len -= some;
	}
}

static void random_bytes(struct kube_env *env, void *bytes, size_t len)
{
	sim_random(&of_env(env)->random_state, bytes, len);
}

/* Nothing sleeps here: whoever runs the simulation asks for the next deadline. */
static void rearm(struct kube_env *env, int64_t due_ms)
{
	(void)env;
	(void)due_ms;
}

int kube_sim_new(uint64_t seed, int64_t wall_start_ms, struct kube_sim **ret_sim, struct kube_err *err)
{
	static const struct kube_env_ops ops = {
	    .wall_ms = wall_ms,
	    .mono_us = mono_us,
	    .random = random_bytes,
	    .rearm = rearm,
	    .run = sim_program_run,
	    .kill = sim_program_kill,
	};
	struct kube_sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a simulation");
	kube_env_init(&sim->env, &ops);
	sim->wall_offset_ms = sim->server_offset_ms = wall_start_ms;
	sim->random_state = seed;
	sim->last_sender = SIM_OWN_SENDER;
	sim_transport_init(sim);
	*ret_sim = sim;
	return 0;
}

void kube_sim_free(struct kube_sim *sim)
{
	if (!sim)
		return;
	sim_transport_finish(sim);
	sim_programs_finish(sim);
	kube_env_finish(&sim->env);
	free(sim);
}

struct kube_env *kube_sim_env(struct kube_sim *sim)
{
	return &sim->env;
}

static bool has_next(const struct kube_sim *sim)
{
	return kube_env_next_due(&sim->env) != INT64_MAX;
}

static size_t run_next(struct kube_sim *sim)
{
	int64_t due_ms = kube_env_next_due(&sim->env);

	if (due_ms > sim->mono_ms)
		sim->mono_ms = due_ms;
	return kube_env_run_timers(&sim->env);
}

size_t kube_sim_run(struct kube_sim *sim, int64_t until_ms, size_t limit)
{
	size_t count = 0;

	while (count < limit && has_next(sim) && kube_env_next_due(&sim->env) <= until_ms)
		count += run_next(sim);
	if (count < limit && sim->mono_ms < until_ms)
		sim->mono_ms = until_ms;
	return count;
}

bool kube_sim_step(struct kube_sim *sim)
{
	if (!has_next(sim))
		return false;
	run_next(sim);
	return true;
}

void kube_sim_wall_jump(struct kube_sim *sim, int64_t delta_ms)
{
	sim->wall_offset_ms += delta_ms;
}

int64_t kube_sim_server_ms(const struct kube_sim *sim)
{
	return sim->mono_ms + sim->server_offset_ms;
}
