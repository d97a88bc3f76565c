/*
 * A Kubernetes API server in memory, behind the simulated transport, and the cluster's own controllers around it.
 *
 * The server answers as the real one does where the library and its users can see it: uid, generation,
 * resourceVersion and optimistic concurrency; PUT, merge, JSON and (a little) strategic patches of objects and of their
 * status; paging; watches with bookmarks and expiry; finalizers, graceful deletion of pods, deletion of collections;
 * evictions with the arithmetic of disruption budgets. Every version of every object is kept, so that a list may be
 * served from the past, as a watch cache does. There is no authorization, and no schema but what a kind states.
 *
 * A tool of simulations: when memory runs out it ends the process.
 */
#ifndef KUBE_SIM_API_H
#define KUBE_SIM_API_H

#include <cjson/cJSON.h>
#include <kube/resource.h>
#include <kube/sim.h>

KUBE_BEGIN_DECLS

struct kube_sim_api;

struct kube_sim_kind {
	const struct kube_resource *resource;
	bool custom;           /* a CRD's: strategic patches are refused, PUT needs a resourceVersion */
	bool has_status;       /* the status is a subresource */
	bool has_generation;   /* counts changes of what is neither metadata nor status */
	const char *immutable; /* a member that stays as it was created ("spec"); NULL: none */
	const cJSON *schema;   /* of a CRD (openAPIV3Schema), borrowed; NULL: anything goes */
};

/* What happens to one request on its way; zeroed: nothing. */
struct kube_sim_fate {
	unsigned sender;    /* is given: kube_sim_sender() of the request */
	int64_t arrival_ms; /* until the server works on it; it does so even if the client is gone by then */
	int64_t answer_ms;  /* until the client has the answer */
	int status;         /* answered with this code and reason, and nothing is done; 0: served */
	const char *reason;
	int retry_after_s;    /* with status; 0: none */
	bool done;            /* with status: it is served nevertheless */
	bool lost;            /* it is served, but the connection breaks before the answer */
	bool silent;          /* it is served (or not, with status), and no answer comes */
	int64_t behind_ms;    /* a list that takes any version (resourceVersion "0") shows the state of so long ago */
	int64_t watch_lag_ms; /* of a watch: events come so late */
};

struct kube_sim_change {
	const struct kube_resource *resource;
	const cJSON *old_json, *new_json; /* NULL: created, removed */
	unsigned sender;                  /* kube_sim_sender() of its request; 0: kube_sim_api_call() */
};

/* A request from the transport that has been worked on. */
struct kube_sim_served {
	const struct kube_request *request;
	unsigned sender;
	int status; /* of the answer; 200 for a watch */
	bool heard; /* an answer is sent */
};

struct kube_sim_api_hooks {
	/* Optional. Of a request from the transport. */
	void (*fate)(void *arg, const struct kube_request *request, struct kube_sim_fate *fate);
	/* Optional. */
	void (*served)(void *arg, const struct kube_sim_served *served);
	/* Optional. After each change; it must not call the server, but may start timers. */
	void (*changed)(void *arg, const struct kube_sim_change *change);
	void *arg;
};

/* Serves sim's transport from now on. Kinds that are there already: those of kube/resource.h. */
struct kube_sim_api *kube_sim_api_new(struct kube_sim *sim);
void kube_sim_api_free(struct kube_sim_api *api); /* before the sim; NULL is fine */
void kube_sim_api_add_kind(struct kube_sim_api *api, const struct kube_sim_kind *kind);
/* Up to eight sets of hooks, called in this order; one more ends the process, as the 33rd kind does. */
void kube_sim_api_add_hooks(struct kube_sim_api *api, const struct kube_sim_api_hooks *hooks);
struct kube_sim *kube_sim_api_sim(struct kube_sim_api *api);

/* A request, at once and without a transport; returns the status code. content_type NULL: application/json. Bodies need
 * no kind and apiVersion. */
int kube_sim_api_call(struct kube_sim_api *api, const char *method, const char *target, const char *content_type,
                      const cJSON *body, cJSON **ret_answer);
/* The same with a body printed by a format in which ' stands for ". */
int kube_sim_api_do(struct kube_sim_api *api, const char *method, const char *target, const char *content_type,
                    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* What is there now, in order of key; borrowed until the next change. */
size_t kube_sim_api_count(const struct kube_sim_api *api, const struct kube_resource *resource);
const cJSON *kube_sim_api_at(const struct kube_sim_api *api, const struct kube_resource *resource, size_t index);
/* namespace_ NULL or "" for what has none. NULL: not there. */
const cJSON *kube_sim_api_get(const struct kube_sim_api *api, const struct kube_resource *resource,
                              const char *namespace_, const char *name);
int64_t kube_sim_api_version(const struct kube_sim_api *api); /* grows with each change */

/* Disturbances of open watches, which are numbered from 0. */
enum kube_sim_disturbance {
	KUBE_SIM_WATCH_CLOSE,  /* ends cleanly, as at its timeout */
	KUBE_SIM_WATCH_BREAK,  /* the connection breaks */
	KUBE_SIM_WATCH_STALL,  /* half-open: silent from now on */
	KUBE_SIM_WATCH_EXPIRE, /* an ERROR event with code 410 */
	KUBE_SIM_WATCH_REPEAT, /* the last event comes once more */
};
size_t kube_sim_api_watch_count(const struct kube_sim_api *api);
void kube_sim_api_disturb(struct kube_sim_api *api, size_t watch, enum kube_sim_disturbance disturbance);
/* Versions up to now are forgotten: watches from there and further pages of lists get 410. */
void kube_sim_api_compact(struct kube_sim_api *api);

/* ---- the cluster's own controllers, in virtual time ---- */

struct kube_sim_cluster;

/* The longest time that each takes to react; the shortest is 1 ms. */
struct kube_sim_cluster_options {
	int64_t replace_ms;    /* ReplicaSets: a missing pod is created */
	int64_t schedule_ms;   /* a pod is bound to the Ready, schedulable node with the fewest pods */
	int64_t start_ms;      /* kubelets: a pod runs and is Ready */
	int64_t stop_ms;       /* kubelets: a pod that is being deleted is gone */
	int64_t disruption_ms; /* PDB status */
	int64_t collect_ms;    /* objects whose owners are gone; pods whose node is gone */
};

/* Pods with restartPolicy Never are not started: whoever plays their hosts does. A node that is not Ready starts and
 * stops nothing, and its pods are not Ready. */
struct kube_sim_cluster *kube_sim_cluster_new(struct kube_sim_api *api, const struct kube_sim_cluster_options *options);
void kube_sim_cluster_free(struct kube_sim_cluster *cluster); /* before the server; NULL is fine */

KUBE_END_DECLS

#endif
