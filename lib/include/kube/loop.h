/*
 * The real kube_env: a libuv loop with its clocks, the kernel's randomness, and signals.
 * One thread, one loop. Owned by the program's main().
 */
#ifndef KUBE_LOOP_H
#define KUBE_LOOP_H

#include <kube/env.h>
#include <kube/err.h>

KUBE_BEGIN_DECLS

struct kube_loop;
struct uv_loop_s;

/* From then on the process ignores SIGPIPE. */
int kube_loop_new(struct kube_loop **ret_loop, struct kube_err *err);
/* Everything that runs on the loop must be stopped before. NULL is fine. */
void kube_loop_free(struct kube_loop *loop);

struct kube_env *kube_loop_env(struct kube_loop *loop); /* borrowed */
struct uv_loop_s *kube_loop_uv(struct kube_loop *loop); /* borrowed; for modules of lib/http */

/* Calls fn in the loop on SIGINT and SIGTERM; count is 1 for the first signal, 2 for the second, … Replaces an earlier
 * fn. */
int kube_loop_on_signal(struct kube_loop *loop, void (*fn)(void *arg, int signo, int count), void *arg,
                        struct kube_err *err);

/* Runs until kube_loop_stop(). */
void kube_loop_run(struct kube_loop *loop);
void kube_loop_stop(struct kube_loop *loop);

KUBE_END_DECLS

#endif
