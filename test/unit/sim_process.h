/* A process of the simulation that names itself in the Accept header, so that a server can tell it from others. */
#ifndef TEST_UNIT_SIM_PROCESS_H
#define TEST_UNIT_SIM_PROCESS_H

#include <check.h>
#include <kube/sim.h>
#include <stddef.h>

struct sim_process {
	struct kube_sim_process *process;
	struct kube_env *env;
	struct kube_transport transport;
	struct kube_sim *sim;
	bool frozen;
	char name[2];
	unsigned sent; /* requests, whether they arrived or not */
};

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
	return kube_transport_send(kube_sim_process_transport(p->process), &named, handlers, arg, ret_exchange, err);
}

static inline void sim_process_cancel(struct kube_transport *transport, struct kube_exchange *exchange)
{
	kube_transport_cancel(kube_sim_process_transport(sim_process_of(transport)->process), exchange);
}

static inline void sim_process_init(struct sim_process *p, struct kube_sim *sim, char name)
{
	static const struct kube_transport_ops transport_ops = {sim_process_send, sim_process_cancel};
	*p = (struct sim_process){.sim = sim, .transport = {&transport_ops}, .name = {name, '\0'}};
	ck_assert_int_eq(kube_sim_process_new(sim, &p->process, NULL), 0);
	p->env = kube_sim_process_env(p->process);
}

static inline void sim_process_finish(struct sim_process *p)
{
	kube_sim_process_free(p->process);
	p->process = NULL;
}

static inline void sim_process_freeze(struct sim_process *p)
{
	p->frozen = true;
	kube_sim_process_freeze(p->process);
}

static inline void sim_process_thaw(struct sim_process *p)
{
	p->frozen = false;
	kube_sim_process_thaw(p->process, true);
}

#endif
