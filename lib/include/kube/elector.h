/*
 * Leader election by a Lease (coordination.k8s.io/v1), with the rules of client-go's tools/leaderelection.
 *
 * One of many processes holds the lease and renews it; the others try to take it at jittered intervals. Another one's
 * lease is valid by our clock: from the time at which we saw its record change, for the duration that the record says.
 * The times in the record are for people only. The clock is kube_env's monotonic one, which runs through suspend.
 *
 * This is no fence. A holder counts from the sending of its last renewal that succeeded, and is no holder when
 * renew_ms have passed since: ask kube_elector_held() before each effect, and put preconditions on writes. A lease that
 * is lost is never taken again by the same elector: the process is to end.
 */
#ifndef KUBE_ELECTOR_H
#define KUBE_ELECTOR_H

#include <kube/client.h>

KUBE_BEGIN_DECLS

#define KUBE_ELECTOR_LEASE_MS 15000
#define KUBE_ELECTOR_RENEW_MS 10000
#define KUBE_ELECTOR_RETRY_MS 2000
#define KUBE_ELECTOR_IDENTITY_SIZE 300

struct kube_elector;

/* 0: the default. */
struct kube_elector_times {
	int64_t lease_ms; /* how long the others leave a silent holder alone; whole seconds */
	int64_t renew_ms; /* how long a holder that cannot renew stays one */
	int64_t retry_ms; /* between renewals; others try after 1 to 2.2 times as long */
};

struct kube_elector_options {
	struct kube_client *client; /* borrowed */
	const char *namespace_, *name;
	const char *identity; /* differs in every process, at every start */
	struct kube_elector_times times;
	/* Callbacks come from the loop; all are optional, and none may free the elector. */
	void (*on_started)(void *arg);                            /* the lease is ours; once */
	void (*on_lost)(void *arg, const struct kube_err *err);   /* it was, or cannot be had; once, the end */
	void (*on_holder)(void *arg, const char *identity);       /* another one holds it; once for each */
	void (*on_health)(void *arg, const struct kube_err *err); /* an attempt failed; NULL: they work again */
	void *arg;
};

/* lease > renew > 1.2 retry, and whole seconds for the lease. KUBE_E_INVALID. */
int kube_elector_check_times(const struct kube_elector_times *times, struct kube_err *err);
/* "<hostname>_<UUID>"; a new one at each call. Returns out. */
const char *kube_elector_identity(struct kube_env *env, const char *hostname, char out[KUBE_ELECTOR_IDENTITY_SIZE]);

/* Copies its texts. KUBE_E_INVALID for the times, KUBE_E_NOMEM. */
int kube_elector_new(const struct kube_elector_options *options, struct kube_elector **ret_elector,
                     struct kube_err *err);
/* Gives nothing back: the others wait until the lease has run out. NULL is fine. */
void kube_elector_free(struct kube_elector *elector);

void kube_elector_start(struct kube_elector *elector);
/* True while the lease is ours by our clock. To be asked before each effect. */
bool kube_elector_held(const struct kube_elector *elector);
/* The lease was due to others, and on_lost has not come yet: the loop hangs. */
bool kube_elector_overdue(const struct kube_elector *elector);
/* Something says that another one may lead (a conflict): the lease is read now, and lost if it is not ours. */
void kube_elector_verify(struct kube_elector *elector);

/* The end in good order, when work has stopped: a lease that is ours is given back, so that others take it at once. */
void kube_elector_release(struct kube_elector *elector);
/* Released, or lost: nothing more comes. */
bool kube_elector_ended(const struct kube_elector *elector);

KUBE_END_DECLS

#endif
