/* What the virtual clock, the scripted transport and the scripted programs share. */
#ifndef LIB_SIM_INTERNAL_H
#define LIB_SIM_INTERNAL_H

#include <kube/sim.h>

#define SIM_OWN_SENDER 1 /* the sim's own transport; processes follow */

struct sim_call;

/*
 * The server's handle of a request. It outlives the request, up to the end of the simulation, so that a late answer
 * finds out that nobody listens any more.
 */
struct kube_exchange {
	struct sim_call *call; /* NULL when it is over */
	unsigned sender;
	struct kube_exchange *next;
};

struct kube_sim {
	struct kube_env env; /* first: the env's functions find the sim by it */
	struct kube_transport transport;
	int64_t mono_ms;
	int64_t wall_offset_ms;   /* the client's wall clock minus mono */
	int64_t server_offset_ms; /* the server's wall clock minus mono */
	unsigned last_sender;     /* of the processes there have been */
	uint64_t random_state;
	kube_sim_serve_fn *serve;
	void *serve_arg;
	kube_sim_serve_fn *serve_outside; /* NULL: serve has those too */
	void *outside_arg;
	struct kube_exchange *exchanges;
	kube_sim_program_fn *play;
	void *play_arg;
	struct kube_run *runs; /* all there have been */
};

/* Timers that hang on one of the sim's, which is due with the earliest of them. */
struct sim_pump {
	struct kube_env env; /* first: the env's functions find the pump by it */
	struct kube_sim_process *process;
	struct kube_timer timer;
};

struct kube_sim_process {
	struct sim_pump timers, answers; /* its own, and what is on its way to it */
	struct kube_transport transport;
	struct kube_sim *sim;
	int64_t wall_offset_ms;
	uint64_t random_state;
	unsigned id;
	bool frozen;
};

void sim_random(uint64_t *state, void *bytes, size_t len);

/* Who sends a request: where its timers run, and where its answers arrive. */
struct sim_client {
	struct kube_env *timers, *answers;
	unsigned id;
};
int sim_send(struct kube_sim *sim, const struct sim_client *client, const struct kube_request *request,
             const struct kube_exchange_handlers *handlers, void *arg, struct kube_exchange **ret_exchange,
             struct kube_err *err);
void sim_cancel(struct kube_transport *transport, struct kube_exchange *exchange); /* kube_transport_ops.cancel */
void sim_transport_init(struct kube_sim *sim);
void sim_transport_finish(struct kube_sim *sim);

/* program.c: kube_env_ops.run and .kill. */
int sim_program_run(struct kube_env *env, const struct kube_program *program, kube_program_fn *fn, void *arg,
                    struct kube_run **ret_run, struct kube_err *err);
void sim_program_kill(struct kube_env *env, struct kube_run *run);
void sim_programs_finish(struct kube_sim *sim);

#endif
