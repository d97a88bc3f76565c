/* The inside of kube_loop: loop.c and program.c. */
#ifndef KUBE_HTTP_LOOP_H
#define KUBE_HTTP_LOOP_H

#include <kube/loop.h>
#include <kube/program.h>
#include <uv.h>

struct kube_loop {
	struct kube_env env; /* first: the ops cast back */
	uv_loop_t uv;
	uv_timer_t timer; /* the earliest kube_timer … */
	uv_idle_t due;    /* … unless that is due already */
	uv_async_t keep;  /* never sent: keeps uv_run() waiting when nothing else is active */
	uv_signal_t signals[2];
	void (*on_signal)(void *arg, int signo, int count);
	void *signal_arg;
	int signal_count;
	struct kube_run *runs; /* programs */
};

/* program.c: kube_env_ops.run and .kill. */
int loop_program_run(struct kube_env *env, const struct kube_program *program, kube_program_fn *fn, void *arg,
                     struct kube_run **ret_run, struct kube_err *err);
void loop_program_kill(struct kube_env *env, struct kube_run *run);
/* Kills all that still run and waits for their end; no callbacks. */
void loop_programs_end(struct kube_loop *loop);

#endif
