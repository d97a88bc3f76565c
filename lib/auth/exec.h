/*
 * An exec plugin at work: it is run, and what it prints becomes credentials (client-go:
 * plugin/pkg/client/auth/exec/exec.go).
 */
#ifndef KUBE_AUTH_EXEC_H
#define KUBE_AUTH_EXEC_H

#include <kube/config.h>
#include <kube/env.h>

#define KUBE_EXEC_MAX_OUTPUT_BYTES ((size_t)1 << 20)
#define KUBE_EXEC_TIMEOUT_MS 60000
#define KUBE_EXEC_TERMINAL_TIMEOUT_MS 600000 /* where a person may have to log in */
#define KUBE_EXEC_NO_EXPIRY INT64_MAX

/* exec_config.c */
int kube_exec_copy(const struct kube_exec *exec, struct kube_exec **ret_copy, struct kube_err *err);
void kube_exec_free(struct kube_exec *exec); /* half-filled ones and NULL are fine */

struct kube_exec_answer {
	char *token;              /* NULL: none */
	char *cert_pem, *key_pem; /* both or none */
	int64_t expires_ms;       /* ms since the epoch; KUBE_EXEC_NO_EXPIRY: until the server refuses it */
};
void kube_exec_answer_finish(struct kube_exec_answer *answer); /* wipes */

/* A run; freed by its callback or by kube_exec_cancel(). */
struct kube_exec_run;

/* One of answer (to be taken over: what stays in it is freed) and err is NULL. */
typedef void kube_exec_fn(void *arg, struct kube_exec_answer *answer, const struct kube_err *err);

/* exec is borrowed until the end. KUBE_E_AUTH with the plugin's name and its install hint, KUBE_E_NOMEM. */
int kube_exec_start(struct kube_env *env, const struct kube_exec *exec, kube_exec_fn *fn, void *arg,
                    struct kube_exec_run **ret_run, struct kube_err *err);
void kube_exec_cancel(struct kube_exec_run *run);

/* Pure: an ExecCredential as the plugin prints it. Messages begin where "the exec plugin … " ends. */
int kube_exec_decode(const struct kube_exec *exec, const char *text, size_t len, struct kube_exec_answer *ret_answer,
                     struct kube_err *err);

#endif
