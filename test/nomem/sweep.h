/*
 * Sweeps: an operation is done again and again, each time with another allocation that fails, until it meets no failure
 * any more. Nothing may crash or leak, and what it says must be true.
 */
#ifndef TEST_NOMEM_SWEEP_H
#define TEST_NOMEM_SWEEP_H

#include "test/nomem/alloc.h"
#include "test/unit/check_main.h"
#include <kube/err.h>

/*
 * One round, from nothing to nothing: what it makes it frees. Returns 0 or the code of what failed. It calls
 * sweep_begin() where memory begins to fail and sweep_end() where it no longer does; in between it must not assert,
 * which takes memory.
 */
typedef int sweep_fn(void *arg, struct kube_err *err);
void sweep_begin(void);
void sweep_end(void); /* may be called twice */

/* Each failure must be reported as KUBE_E_NOMEM, or be of no consequence: then the round itself checks its result. */
void sweep(const char *name, sweep_fn *round, void *arg);
/* No failure is reported: the operation goes on later, and the round checks that it ends as if nothing had been. */
void sweep_survived(const char *name, sweep_fn *round, void *arg);
/* A failure ends the process in good order, with this on stderr. Each round runs in a process of its own: they are for
 * the first and the last allocation of each place in the code, callers included. */
void sweep_fatal(const char *name, sweep_fn *round, void *arg, const char *last_words);

#endif
