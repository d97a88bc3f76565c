/*
 * The controller: caches, queue, facts and effects put together. Knows nothing of sockets: it is given a kube_env and a
 * kube_transport, real ones (main.c) or simulated ones (tests).
 *
 * Queue keys are "policy/<name>", "rollout/<name>", "orphans" and "orphan-jobs". Everything runs on the loop of the
 * env.
 */
#ifndef CMD_CONTROLLER_H
#define CMD_CONTROLLER_H

#include "controller/act/act.h"
#include "controller/cmd/caches.h"
#include "controller/cmd/meters.h"
#include "controller/cmd/options.h"
#include "controller/cmd/track.h"
#include "controller/cmd/zones.h"
#include "controller/observe/observer.h"
#include "controller/observe/poll.h"
#include <kube/elector.h>
#include <kube/queue.h>

#define KEY_POLICY "policy/"
#define KEY_ROLLOUT "rollout/"
#define KEY_ORPHANS "orphans"
#define KEY_ORPHAN_JOBS "orphan-jobs"
#define QUEUE_NAME "patchwright"

#define STOP_DEADLINE_MS 30000
#define EVENTS_DEADLINE_MS 5000 /* of it, for Events when nothing else is in flight */

/* Whether a namespace that we need is there; asked again from time to time. */
struct namespace_watch {
	struct controller *controller;
	const char *name;
	struct kube_timer timer;
	struct kube_op *op;
	bool asked;        /* an answer has come */
	char problem[512]; /* "" when it is there */
};

/* The API server's version; asked for again from time to time. */
struct server_version {
	struct kube_timer timer;
	struct kube_op *op;
	char text[64]; /* "" while it is not known */
};

/* Our own pod goes with the end. */
struct leaving {
	const struct pod *pod; /* NULL: it stays */
	int64_t grace_period_s;
	bool forced, over;
	struct kube_op *op;
};

struct controller {
	const struct options *options;
	struct kube_env *env;
	struct kube_client *client;
	struct kube_events *events;
	struct kube_queue *queue;
	struct facts *facts;
	struct fetcher fetcher;
	struct observer *observer;
	struct polls *polls; /* of channels */
	struct act *act;
	struct cache caches[CACHE_COUNT];
	int pods_by_node, pods_by_rollout, pods_by_job_node, pods_by_upgrade, revisions_by_rollout, volumes_by_claim,
	    attachments_by_node, approvals_by_rollout; /* indexes */
	bool working; /* plans are made: the caches have been synced once, and the lease is ours if there is one */
	struct kube_elector *elector; /* NULL: no leader election */
	const char *identity;         /* of this process in the election; borrowed */
	char election_problem[512];   /* why the lease cannot be read or written; "" when it can */
	bool server_trouble;          /* the API server could not be reached; told once */
	struct tracks tracks;
	struct meters meters;
	struct namespace_watch namespaces[2]; /* --namespace, --job-namespace */
	struct server_version server_version;
	struct zones *zones;
	int64_t plan_us; /* how long a plan of a rollout took of late: changes wait for a multiple of it */
	struct leaving leaving;
	struct kube_timer stop_timer;
	bool stopping;
	bool flushing;      /* nothing but Events is left to be sent */
	int64_t stop_at_ms; /* mono: no longer than this */
	void (*on_quiet)(void *arg);
	/* Called once, when it has stopped or cannot go on; status is the process's. */
	void (*on_end)(void *arg, int status);
	void *arg;
};

struct controller_options {
	const struct options *options;
	struct kube_env *env;
	struct kube_transport *transport;
	struct kube_transport *outgoing; /* to servers that policies name: kube/outgoing.h */
	const char *host;                /* of the API server, for metrics */
	const char *instance;            /* this process, for Events */
	const char *identity;            /* of this process in leader election; options->leader_elect only */
	void (*on_quiet)(void *arg);     /* optional: it stops, and its work has ended */
	void (*on_end)(void *arg, int status);
	void *arg;
};

/* Everything in options is borrowed. */
int controller_new(const struct controller_options *options, struct controller **ret_controller, struct kube_err *err);
void controller_start(struct controller *controller);
/* Takes no new work, lets writes in flight end, gives the lease back, lets Events end, then calls on_end(0). Once. */
void controller_stop(struct controller *controller);
/* Stops at once; NULL is fine. */
void controller_free(struct controller *controller);

/* ---- among the files of controller/cmd ---- */

void controller_end(struct controller *controller, int status);

/* The caches are there: work begins, or the election. */
void controller_synced(struct controller *controller);
void controller_work(struct controller *controller);

/* election.c: nothing where there is no leader election. */
int election_init(struct controller *controller, const char *identity, struct kube_err *err);
bool election_may_act(void *controller);           /* we lead, or there is no election: asked before each effect */
void election_verify(void *controller);            /* something says that another one works */
bool election_over(struct controller *controller); /* gives the lease back; true when that is done */

/* leave.c */
void leave_begin(void *controller, const struct pod *pod, int64_t grace_period_s, bool forced); /* on_leave */
bool leave_over(struct controller *controller); /* asks for it when the lease is given back; true when that is done */
void leave_finish(struct controller *controller);

/* changes.c: which plans a change may alter. */
int changes_subscribe(struct controller *controller, struct kube_err *err);
/* How long a plan waits that need not be at once, at least so long, when the last ones took plan_us: in a large cluster
 * a plan takes longer, and planning takes at most a twentieth of the time all the same, an eightieth of it where a
 * plan takes over 2 ms. But the pause by itself is at most 1 s. */
int64_t changes_pause_ms(int64_t plan_us, int64_t least_ms);
/* After delay_ms at the earliest, and that pause. */
void changes_plan_after(struct controller *controller, const char *key, int64_t delay_ms);
void changes_idle(struct controller *controller, enum cache_id cache, const char *object_key);
void changes_url(void *controller, const char *url); /* a channel has answered */
void changes_all(struct controller *controller);     /* everything is planned: the caches are synced */
/* Not done with: it runs, or still holds nodes, pods or its finalizer. */
bool rollout_unfinished(const struct rollout *rollout);

/* reconcile.c; kube_work_fn. */
void reconcile(void *arg, const char *key);

/* gates.c: what is known of a rollout's gates, and what it asks of them. */
const struct gate_fact *gates_facts(const struct controller *controller, const struct rollout *rollout,
                                    const struct plan *plan, struct kube_arena *arena);
void gates_ask(struct controller *controller, const char *key, const struct rollout *rollout,
               const struct rollout_result *result);

/* namespaces.c */
void namespaces_start(struct controller *controller);
void namespaces_stop(struct controller *controller);

/* server_version.c */
void server_version_start(struct controller *controller);
void server_version_stop(struct controller *controller);
const char *server_version(const struct controller *controller); /* NULL: not known (yet) */

#endif
