/*
 * The simulated outside: a virtual clock, a scripted transport and scripted programs.
 *
 * kube_sim_env is a kube_env whose time stands still until kube_sim_run() jumps to the next deadline; its randomness
 * comes from a seed. kube_sim_transport hands each request to a function of the test, which answers through
 * kube_sim_reply() now or later in virtual time.
 */
#ifndef KUBE_SIM_H
#define KUBE_SIM_H

#include <kube/env.h>
#include <kube/err.h>
#include <kube/program.h>
#include <kube/transport.h>

KUBE_BEGIN_DECLS

struct kube_sim;

int kube_sim_new(uint64_t seed, int64_t wall_start_ms, struct kube_sim **ret_sim, struct kube_err *err);
void kube_sim_free(struct kube_sim *sim);
struct kube_env *kube_sim_env(struct kube_sim *sim);
struct kube_transport *kube_sim_transport(struct kube_sim *sim);

/* Runs all timers until virtual mono time reaches until_ms; returns how many callbacks ran. Stops early when limit
 * callbacks have run (a hot loop). */
size_t kube_sim_run(struct kube_sim *sim, int64_t until_ms, size_t limit);
/* One step: jumps to the next deadline. False when there is none. */
bool kube_sim_step(struct kube_sim *sim);
/* The client's wall clock is set; neither the mono clock nor the server's. */
void kube_sim_wall_jump(struct kube_sim *sim, int64_t delta_ms);
int64_t kube_sim_server_ms(const struct kube_sim *sim); /* ms since the epoch; what the Date header says */

/* ---- several processes on one clock, with one server ---- */

/* Has timers, a wall clock and randomness of its own, and a transport to the sim's server. */
struct kube_sim_process;

int kube_sim_process_new(struct kube_sim *sim, struct kube_sim_process **ret_process, struct kube_err *err);
/* What it had started has been stopped, and what it had sent cancelled. Not from within its own callbacks. NULL is
 * fine. */
void kube_sim_process_free(struct kube_sim_process *process);
struct kube_env *kube_sim_process_env(struct kube_sim_process *process);
struct kube_transport *kube_sim_process_transport(struct kube_sim_process *process);
unsigned kube_sim_process_id(const struct kube_sim_process *process); /* from 2, never used again */
/* As by SIGSTOP, or with the machine that it runs on: none of its timers fires, what it has sent arrives, and answers
 * wait for it. Then all that is overdue happens at once: the answers first, as with a loop that was stopped while it
 * polled, or the timers. */
void kube_sim_process_freeze(struct kube_sim_process *process);
void kube_sim_process_thaw(struct kube_sim_process *process, bool answers_first);
void kube_sim_process_wall_jump(struct kube_sim_process *process, int64_t delta_ms);

/* The server's side. Called from the loop for each request; request is valid until the exchange ends. */
typedef void kube_sim_serve_fn(void *arg, struct kube_sim *sim, struct kube_exchange *exchange,
                               const struct kube_request *request);
void kube_sim_serve(struct kube_sim *sim, kube_sim_serve_fn *fn, void *arg);
/* For requests to other servers, whose targets are whole URLs (kube/outgoing.h); without it they go to the one above.
 */
void kube_sim_serve_outside(struct kube_sim *sim, kube_sim_serve_fn *fn, void *arg);

/* Answers, in order, after delay_ms of virtual time each (relative to now). They are dropped when the exchange is gone
 * by then. When there is no memory for one, the exchange ends in its place, with KUBE_E_NOMEM. */
void kube_sim_reply_head(struct kube_sim *sim, struct kube_exchange *exchange, int64_t delay_ms, int status,
                         int retry_after_s, const char *content_type);
void kube_sim_reply_data(struct kube_sim *sim, struct kube_exchange *exchange, int64_t delay_ms, const char *bytes,
                         size_t len);
void kube_sim_reply_end(struct kube_sim *sim, struct kube_exchange *exchange, int64_t delay_ms, int code,
                        const char *message); /* code 0: complete */
/* Head + JSON text + end in one. */
void kube_sim_reply_json(struct kube_sim *sim, struct kube_exchange *exchange, int64_t delay_ms, int status,
                         const char *json);
/* Which process has sent it: kube_sim_process_id(), or 1 for the sim's own transport. */
unsigned kube_sim_sender(const struct kube_exchange *exchange);
/* True while the client still listens. */
bool kube_sim_open(const struct kube_sim *sim, const struct kube_exchange *exchange);

/* Programs: fn plays them. Called from the loop for each one that is run; program is valid until it has ended. */
typedef void kube_sim_program_fn(void *arg, struct kube_sim *sim, struct kube_run *run,
                                 const struct kube_program *program);
/* fn NULL, as at first: there is no program of any name. */
void kube_sim_programs(struct kube_sim *sim, kube_sim_program_fn *fn, void *arg);
/* The program ends after delay_ms of virtual time; dropped when nobody waits for it by then. */
void kube_sim_program_end(struct kube_sim *sim, struct kube_run *run, int64_t delay_ms, int status, const char *output,
                          const char *errors);

KUBE_END_DECLS

#endif
