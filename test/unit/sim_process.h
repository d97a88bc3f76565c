/*
 * One of several processes on a simulated clock: it has timers of its own, so that it can be frozen as by SIGSTOP
 * (answers still come in: the kernel takes them), and names itself in the Accept header, so that a server can tell them
 * apart.
 */
#ifndef TEST_UNIT_SIM_PROCESS_H
#define TEST_UNIT_SIM_PROCESS_H

#include <check.h>
#include <kube/sim.h>
#include <string.h>

struct sim_process {
	struct kube_env env; /* first: ops get it back */
	struct kube_transport transport;
	struct kube_sim *sim;
	struct kube_timer pump;
	bool frozen;
	char name[2];
	unsigned sent; /* requests, whether they arrived or not */
};

static inline int64_t sim_process_mono(struct kube_env *env)
{
	return kube_env_mono_us(kube_sim_env(((struct sim_process *)env)->sim));
}

static inline int64_t sim_process_wall(struct kube_env *env)
{
	return kube_env_wall_ms(kube_sim_env(((struct sim_process *)env)->sim));
}

static inline void sim_process_random(struct kube_env *env, void *bytes, size_t len)
{
	uint64_t number = kube_env_random64(kube_sim_env(((struct sim_process *)env)->sim));
	ck_assert_uint_eq(len, sizeof(number));
	memcpy(bytes, &number, len);
}

static inline void sim_process_run(struct kube_timer *timer, void *arg)
{
	struct sim_process *p = arg;
	(void)timer;
	if (!p->frozen)
		kube_env_run_timers(&p->env);
}

static inline void sim_process_rearm(struct kube_env *env, int64_t due_ms)
{
	struct sim_process *p = (struct sim_process *)env;
	if (due_ms == INT64_MAX)
		kube_timer_stop(kube_sim_env(p->sim), &p->pump);
	else
		kube_timer_start(kube_sim_env(p->sim), &p->pump, due_ms - kube_env_mono_ms(env), sim_process_run, p);
}

static inline struct sim_process *sim_process_of(struct kube_transport *transport)
{
	return (struct sim_process *)((char *)transport - offsetof(struct sim_process, transport));
}

static inline int sim_process_send(struct kube_transport *transport, const struct kube_request *request,
                                   const struct kube_exchange_handlers *handlers, void *arg,
                                   struct kube_exchange **ret_exchange, struct kube_err *err)
{
	struct sim_process *p = sim_process_of(transport);
	struct kube_request named = *request;
	named.accept = p->name;
	p->sent++;
	return kube_transport_send(kube_sim_transport(p->sim), &named, handlers, arg, ret_exchange, err);
}

static inline void sim_process_cancel(struct kube_transport *transport, struct kube_exchange *exchange)
{
	kube_transport_cancel(kube_sim_transport(sim_process_of(transport)->sim), exchange);
}

static inline void sim_process_init(struct sim_process *p, struct kube_sim *sim, char name)
{
	static const struct kube_env_ops env_ops = {.wall_ms = sim_process_wall,
	                                            .mono_us = sim_process_mono,
	                                            .random = sim_process_random,
	                                            .rearm = sim_process_rearm};
	static const struct kube_transport_ops transport_ops = {sim_process_send, sim_process_cancel};
	*p = (struct sim_process){.sim = sim, .transport = {&transport_ops}, .name = {name, '\0'}};
	kube_env_init(&p->env, &env_ops);
}

static inline void sim_process_finish(struct sim_process *p)
{
	kube_env_finish(&p->env);
	kube_timer_stop(kube_sim_env(p->sim), &p->pump);
}

static inline void sim_process_freeze(struct sim_process *p)
{
	p->frozen = true;
}

static inline void sim_process_thaw(struct sim_process *p)
{
	p->frozen = false;
	kube_timer_start(kube_sim_env(p->sim), &p->pump, 0, sim_process_run, p);
}

#endif
