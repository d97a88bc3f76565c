/*
 * The heart: pure decisions.
 *
 * plan_policy() and plan_rollout() are functions of an immutable snapshot and its time. They do no I/O, read no clock,
 * keep no state; everything that they return is allocated in the caller's arena or borrowed from the snapshot, and is
 * gone with either. They return what should be done now (actions, in order), the status that should be true, the
 * decisions that were taken, and when to look again.
 *
 * Rules that hold throughout:
 * - Grant before deed: a node is touched only when it stands in status.active of the snapshot (not of the wanted
 * status).
 * - What decides irrevocably is in the status before it is used: a failure first sets active[].step and its decision;
 * the node follows when the snapshot shows that.
 * - An object that is `busy` (our own write to it is not in the cache yet) is left alone.
 * - The order is by target, as frozen; an error of one target does not stop the others.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "controller/model/approval.h"
#include "controller/model/node.h"
#include "controller/model/pod.h"
#include "controller/model/policy.h"
#include "controller/model/rollout.h"
#include "controller/model/volume.h"
#include "controller/model/zone.h"

/* Memory for plans: as kube_arena, but a refusal ends the process with a message. All our state is on API objects, so
 * that is safe. */
void *plan_alloc(struct kube_arena *arena, size_t size);
const char *plan_printf(struct kube_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- actions ---- */

enum action_type {
	ACTION_CREATE_ROLLOUT,   /* a PatchRollout for a policy */
	ACTION_DELETE_ROLLOUT,   /* history beyond the limit */
	ACTION_CREATE_REVISION,  /* a page of the plan or of the ledger */
	ACTION_FINALIZE_ROLLOUT, /* puts our finalizer on, or takes it off */
	ACTION_PATCH_NODE,       /* one step of a node */
	ACTION_EVICT_POD,        /* through the Eviction API */
	ACTION_DELETE_POD,       /* past it: drain.onTimeout is Force */
	ACTION_CREATE_JOB,       /* a job pod */
	ACTION_READ_JOB,         /* asks the server itself for a job pod; the answer is a job_fact */
	ACTION_RELEASE_JOB,      /* takes our finalizer off a job pod whose result is on its node */
	ACTION_DELETE_JOBS, /* deletes all job pods of an ended rollout in one request (kept until then for `kubectl logs`)
	                     */
	ACTION_CREATE_REPORT, /* a page of the report */
	ACTION_EMIT_EVENT,
};

/* cordon, quarantine: leave as it is, or set to this. */
enum change { CHANGE_NONE, CHANGE_ON, CHANGE_OFF };

struct node_write {
	const struct node *node;
	bool claim; /* the first write: carries the resourceVersion; later ones test the old state and the UID */
	const struct node_state *state; /* NULL: the annotation is removed */
	enum change cordon, quarantine;
	const struct patch *applied; /* its version is noted on the node; NULL: nothing is */
};

struct job_create {
	const char *name, *step, *node, *node_uid; /* step: "job" | "rollback" */
	const struct rollout *rollout;
	const struct patch *patch;
	const struct job_template *job;
	const char *from_version, *wave;
	int64_t attempt;
};

struct job_read {
	const char *name, *node_uid;
};

struct report_target {
	const struct target *target;
	const char *wave;
	const struct node *node;        /* NULL: gone */
	const struct node_state *state; /* NULL: none */
	int step;                       /* enum step */
	bool excepted;                  /* step is NONE, and an exception is why */
	const char *reason, *message;
};

struct report_page {
	const char *name;
	int64_t page, pages;
	int outcome;
	const struct rollout *rollout;
	const struct plan *plan; /* NULL: it was never planned */
	const struct counts *counts;
	int64_t started_ms, finished_ms;
	struct report_target *targets;
	size_t target_count;
	const struct decision *const *decisions;
	size_t decision_count;
};

struct event_emit {
	const struct kube_object *regarding;
	bool warning;
	const char *reason, *action, *note;
};

struct action {
	enum action_type type;
	union {
		struct {
			const struct policy *policy;
			const char *name;
		} create_rollout;
		const struct rollout *delete_rollout;
		struct {
			const char *name;
			const struct rollout *rollout;
			bool ledger;
			int64_t number;
			const char *data; /* JSON text of the page's data, in the arena */
		} create_revision;
		struct {
			const struct rollout *rollout;
			bool on;
		} finalize;
		struct node_write node;
		struct {
			const struct pod *pod;
			int64_t grace_period_s; /* -1: the pod's own */
			int64_t delay_ms;       /* EVICT_POD: sent so much later, after others under the same budget */
			bool self;              /* this process runs in it: the work is handed over first */
		} evict;                    /* EVICT_POD, DELETE_POD */
		struct job_create job;
		struct job_read read_job;
		const struct pod *pod;   /* RELEASE_JOB */
		const char *delete_jobs; /* the hash of their rollout */
		struct report_page report;
		struct event_emit event;
	};
};

struct actions {
	struct action *items;
	size_t count, capacity;
};
struct action *plan_add_action(struct actions *actions, enum action_type type, struct kube_arena *arena);

#define MAX_WANTED_CONDITIONS 16
/* None, with room for MAX_WANTED_CONDITIONS. */
struct conditions plan_conditions(struct kube_arena *arena);
/* Adds one that should be true now; status/ keeps transition times and observed generations. */
void plan_want(struct conditions *conditions, const char *type, int status, const char *reason, const char *message);

/* ---- facts: what is known beside the objects ---- */

/* The last answer to an eviction of this pod, while it matters. */
struct eviction_fact {
	const char *kind, *namespace_, *name; /* who blocks: "PodDisruptionBudget", "APIServer", "Webhook", … */
	const char *message;
	int64_t since_ms;    /* first refusal in a row */
	int64_t retry_at_ms; /* not before */
};

/*
 * What is known of the job pod that was asked for last on a node, beside the cache. The cache may not show it yet, or
 * be blind; and what it showed once and shows no more is gone.
 */
struct job_fact {
	const char *name;
	bool existed;          /* it was there: made, read, or shown by the cache */
	bool absent;           /* there is none: the server said so, or the cache that had shown it, and none was asked for
	                          since */
	const char *uid;       /* NULL: not known */
	const struct pod *pod; /* as read; NULL: it was not */
	int64_t read_ms;       /* when it was read; KUBE_TIME_NONE */
};

/* The last answer about a gate. */
struct gate_fact {
	int verdict;         /* enum gate_verdict; UNKNOWN: there is none */
	const char *message; /* one sentence; quotes nothing of what the source has sent */
	int64_t at_ms;       /* when it was asked: it was true no earlier */
};

/* An effect that failed and is being retried: told in the status. */
struct effect_error {
	const char *what;   /* "create pod patchwright-jobs/pw-…" */
	const char *reason; /* "Forbidden", "ServerTimeout", … CamelCase */
	const char *message;
	int http_status;
	int64_t at_ms;
};

/* ---- rollout ---- */

struct pod_view {
	const struct pod *pod;
	bool orphan; /* its DaemonSet is gone */
	const struct volume *const
	    *volumes;                     /* of its claims, in their order; NULL in it: none is known that is bound to it */
	bool busy;                        /* an eviction, deletion or patch of it is in flight or not visible yet */
	const struct eviction_fact *fact; /* NULL: none */
};

struct attachment_view {
	const struct attachment *attachment;
	const struct volume *volume; /* NULL: not known */
};

/* The pods that are on a node, whatever their phase. */
struct node_load {
	const struct pod *const *pods;
	size_t count;
};

struct node_list {
	const struct node *const *nodes;
	size_t count;
};

struct target_view {
	const struct target *target;
	const struct node *node; /* NULL: gone, or another node under the same name */
	bool busy;
	/* Only for targets in status.active, in a step of this rollout that is not its end, or cordoned by somebody else;
	 * sorted by key: */
	const struct pod_view *pods; /* all pods on the node, job pods excluded */
	size_t pod_count;
	const struct attachment_view *attachments; /* of volumes to the node */
	size_t attachment_count;
	const struct pod_view *jobs; /* this rollout's job pods on it */
	size_t job_count;
	bool job_busy; /* a creation or a read of a job pod for this target is in flight, or not visible yet */
	const struct job_fact *job_fact;     /* NULL: nothing is known */
	const struct pod *const *bound_jobs; /* all job pods on the node, of any rollout */
	size_t bound_job_count;
	const struct pod *upgrade_pod; /* system-upgrade-controller works on the node with it; NULL: it does not */
};

/* What makes a person's word honest: an admission policy of crds/admission.yaml, and its binding. */
struct guard {
	const char *problem; /* why no such word counts; NULL: they do */
	int64_t since_ms;    /* what is older is nobody's word */
};

struct rollout_snapshot {
	int64_t now_ms; /* the API server's time */
	const struct rollout *rollout;
	bool rollout_busy;
	const char *server_version;    /* the API server's, "v1.34.4"; NULL: not known (yet) */
	struct zone_list zones;        /* those that the plan's rules and all policies name */
	const struct policy *policy;   /* by name; NULL: none */
	bool policy_replaced;          /* there is a policy of that name, but not the one that this rollout belongs to */
	const struct plan *plan;       /* complete and sound; NULL: not (yet) */
	const char *plan_error;        /* why the pages that exist cannot be used; NULL */
	const char *const *page_names; /* existing ControllerRevisions of this rollout (by UID) */
	size_t page_count;
	const struct revision *const *ledger; /* existing ledger pages, by number */
	size_t ledger_count;
	const char *const *report_names; /* existing PatchReports of this rollout */
	size_t report_count;
	const struct target_view *targets; /* in plan order; empty without a plan */
	size_t target_count;
	const struct node *const *nodes; /* all nodes of the cluster */
	size_t node_count;
	const struct pdb *const *pdbs;
	size_t pdb_count;
	const size_t *pods_per_node;       /* by index of nodes; for the order at planning */
	const struct node_load *loads;     /* the same; NULL: nobody asks for capacity */
	struct node_load unscheduled;      /* pods that no node has yet */
	const struct pod_view *stray_jobs; /* this rollout's job pods that belong to no target's node any more */
	size_t stray_job_count;
	const struct rollout *const *rollouts; /* all others */
	size_t other_count;
	const struct policy *const *policies; /* all of the cluster: whose nodes overlap with ours */
	size_t policy_count;
	bool others_busy;     /* one of them that is at work has grants on the way that cannot be seen yet */
	bool others_planning; /* one of them that has no plan has a status on the way that cannot be seen yet */
	/* For one without a plan: the nodes of the others' frozen plans, by index of rollouts, until these are done. */
	const struct node_list *planned_nodes;
	const struct daemon_set *const *lockers; /* those with locks */
	size_t locker_count;
	const struct pod *self;                   /* that this process runs in; NULL: in none, or that is not known */
	struct kube_intstr max_unavailable_total; /* of all nodes of the cluster; not set: no such limit */
	const struct effect_error *effect_error;  /* the newest that is still being retried; NULL: none */
	const struct gate_fact *gate_facts;       /* by index of the plan's gates; NULL: nothing is known */
	const struct approval *const *approvals;  /* of rollouts of this name, the oldest first */
	size_t approval_count;
	struct guard approval_guard, emergency_guard, author_guard;
	int64_t epoch; /* the fencing number that this process writes; status.epoch must equal it before anything else is
	                  done */
};

/* What has to be known before the plan can go on; the answer is a gate_fact. Asking it again while it is asked is fine.
 */
struct question {
	const struct gate_spec *gate;
	const char *query; /* of a Prometheus gate, as it is sent; else NULL */
};

struct rollout_result {
	struct actions actions;
	struct {
		struct question *items; /* in the arena; at most one for each gate */
		size_t count;
	} questions;
	bool write_status; /* false: nothing to say (before planning, when everything is gone) */
	/* What should stand there: conditions without their times, and of the decisions the new ones only, in order,
	 * without sequence numbers and hashes. status/ adds these. */
	struct rollout_status wanted;
	int64_t look_again_ms; /* at this time, whatever happens; KUBE_TIME_NONE: only when something changes */
};

void plan_rollout(const struct rollout_snapshot *snapshot, struct kube_arena *arena, struct rollout_result *ret_result);

/* A count or percentage of total, for maxUnavailable: percentages round down, but to at least 1. */
int64_t max_unavailable(const struct kube_intstr *value, int64_t total);

/* ---- policy ---- */

/* What a channel says now. */
struct channel_fact {
	const char *text;             /* as it is, or the beginning of what is too long; NULL: it cannot be had */
	const char *reason, *message; /* why not */
	bool pending;                 /* because nobody has answered yet */
};

struct policy_snapshot {
	int64_t now_ms;
	const char *server_version; /* the API server's; NULL: not known (yet) */
	struct zone_list zones;     /* those that the policy names */
	const struct policy *policy;
	bool policy_busy;
	const struct policy *const *policies; /* all of the cluster */
	size_t policy_count;
	const struct node *const *nodes;
	size_t node_count;
	const struct rollout *const *rollouts; /* of this policy (policyRef.name) */
	const bool *rollout_busy;              /* by index of rollouts */
	size_t rollout_count;
	const struct channel_fact *channels; /* by index of the policy's patches; what matters are those with a channel */
	bool creating;                       /* a creation of a rollout for it is in flight or not visible yet */
	const struct effect_error *effect_error;
};

struct policy_wanted {
	int64_t observed_generation;
	struct conditions conditions;
	struct {
		int64_t total, up_to_date, outdated, excepted, unsupported;
	} targets;
	struct {
		struct exception_status *items;
		size_t count;
	} exceptions;
	const char *version; /* that the first patch wants; NULL: its channel has said none */
	const char *progress, *current_rollout;
	const char *last_successful_json; /* JSON text of status.lastSuccessfulRollout; NULL: none */
	struct {
		int64_t opens_ms, closes_ms; /* KUBE_TIME_NONE: not to be seen */
		const char *name;            /* of the window; NULL: none */
	} next_window;
	struct authors authors;
	struct {
		struct resolved *items;
		size_t count;
	} resolved; /* versions of channels: what stands in the status counts, not this */
	struct {
		struct version_count {
			int component;
			const char *version;
			int64_t count;
		} * items;
		size_t count;
	} versions;
};

struct policy_result {
	struct actions actions;
	bool write_status;
	struct policy_wanted wanted;
	int64_t look_again_ms;
};

void plan_policy(const struct policy_snapshot *snapshot, struct kube_arena *arena, struct policy_result *ret_result);

/* ---- nodes whose rollout is gone ---- */

/* Takes our marks off nodes that carry the state of a rollout that no longer exists: uncordons what we cordoned, keeps
 * what was cordoned before and what is quarantined. */
void plan_orphans(const struct node *const *nodes, size_t node_count, const struct rollout *const *rollouts,
                  size_t rollout_count, int64_t now_ms, struct kube_arena *arena, struct actions *ret_actions,
                  int64_t *ret_look_again_ms);

struct orphan_jobs_snapshot {
	int64_t now_ms;
	const struct pod_view *jobs; /* all job pods */
	size_t job_count;
	const struct node *const *nodes;
	size_t node_count;
	const struct rollout *const *rollouts;
	size_t rollout_count;
};

/* The same for job pods: what has ended, or whose node is gone, is let go and deleted. A running one ends first. */
void plan_orphan_jobs(const struct orphan_jobs_snapshot *snapshot, struct kube_arena *arena,
                      struct actions *ret_actions, int64_t *ret_look_again_ms);

#endif
