/*
 * Programs that are run to their end, through kube_env: no shell, arguments as a list, every measure bounded.
 *
 * The real environment (kube/loop.h) starts a process; the simulated one asks a function of the test. The callback
 * comes from the loop, never from within kube_program_run(), and not after kube_program_kill().
 */
#ifndef KUBE_PROGRAM_H
#define KUBE_PROGRAM_H

#include <kube/env.h>
#include <kube/err.h>

KUBE_BEGIN_DECLS

#define KUBE_PROGRAM_LAST_WORDS_BYTES 256

struct kube_run; /* a program that runs; owned by the environment, gone after the callback or kube_program_kill() */

struct kube_program {
	const char *const *argv; /* NULL-terminated; without a '/', argv[0] is looked for in PATH */
	const char *const *env;  /* "NAME=value" on top of our own environment, NULL-terminated; NULL: nothing */
	int64_t timeout_ms;      /* then it is killed, with what it has started in its session */
	size_t max_output_bytes; /* of its standard output; more is an error */
	bool terminal;           /* it shares our standard input and error, and may ask the person who sits there */
};

/* Borrowed for the callback, and overwritten afterwards: the output may be a secret. */
struct kube_program_end {
	int status;             /* its exit status; 128 + n where signal n ended it */
	const char *output;     /* NUL-terminated */
	size_t output_len;      /* without the NUL */
	const char *last_words; /* the last line of its standard error, cut; "" when there is none or it has the terminal */
};

/* err is NULL when the program ended by itself, whatever its status. KUBE_E_TIMEOUT, KUBE_E_LIMIT, KUBE_E_IO,
 * KUBE_E_NOMEM. */
typedef void kube_program_fn(void *arg, const struct kube_program_end *end, const struct kube_err *err);

/* KUBE_E_NOTFOUND when there is no such program, KUBE_E_IO when it cannot be started, KUBE_E_INVALID where this
 * environment runs none, KUBE_E_NOMEM. */
int kube_program_run(struct kube_env *env, const struct kube_program *program, kube_program_fn *fn, void *arg,
                     struct kube_run **ret_run, struct kube_err *err);
void kube_program_kill(struct kube_env *env, struct kube_run *run);

/* For implementations: the last line of text that is not blank, with '?' for what is not printable, in out. */
const char *kube_program_last_words(const char *text, char out[KUBE_PROGRAM_LAST_WORDS_BYTES]);

KUBE_END_DECLS

#endif
