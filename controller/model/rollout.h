/* PatchRollout, decoded: one execution, and the plan that is frozen for it (crds/patchrollouts.yaml). */
#ifndef MODEL_ROLLOUT_H
#define MODEL_ROLLOUT_H

#include "controller/model/condition.h"
#include "controller/model/policy.h"
#include "controller/model/step.h"
#include <kube/object.h>

#define MAX_ACTIVE 100
#define MAX_FAILED 50
#define MAX_DECISIONS 50
#define MAX_APPROVALS 50 /* in the status */
#define MAX_EVIDENCE_BYTES 512
#define PLAN_PAGE_TARGETS 1000

enum outcome {
	OUTCOME_NONE,
	OUTCOME_SUCCEEDED,
	OUTCOME_FAILED,
	OUTCOME_ABORTED,
	OUTCOME_ROLLED_BACK,
	OUTCOME_SUPERSEDED
};
extern const char *const outcome_names[]; /* "" for NONE; NULL-terminated */

enum wave_state { WAVE_PENDING, WAVE_RUNNING, WAVE_SOAKING, WAVE_PASSED, WAVE_FAILED };
extern const char *const wave_state_names[];

enum decision_type {
	DECISION_START,
	DECISION_WAIT,
	DECISION_APPROVE,
	DECISION_PROMOTE,
	DECISION_PAUSE,
	DECISION_RESUME,
	DECISION_SKIP,
	DECISION_QUARANTINE,
	DECISION_FAIL,
	DECISION_HALT,
	DECISION_ROLL_BACK,
	DECISION_ROLL_BACK_DONE,
	DECISION_ROLL_BACK_FAILED,
	DECISION_ROLLBACK_IMPOSSIBLE,
	DECISION_ABORT,
	DECISION_OVERRIDE,
	DECISION_SUPERSEDE,
	DECISION_FINISH
};
extern const char *const decision_type_names[];

struct wave_status {
	const char *name;
	int state; /* enum wave_state */
	int64_t total, patched, failed;
	int64_t started_ms, finished_ms, soak_until_ms; /* KUBE_TIME_NONE when absent */
	const char *reason, *message;                   /* "" when none */
	int64_t approved_ms; /* its first node was let start with the approvals that it needs; 0: not yet */
};

enum gate_verdict {
	GATE_UNKNOWN, /* no answer yet */
	GATE_OPEN,
	GATE_CLOSED,
	GATE_ERROR /* there is no answer that can be judged */
};
extern const char *const gate_verdict_names[];

struct gate_status {
	const char *name;
	int verdict; /* enum gate_verdict */
	const char *message;
	int64_t at_ms, since_ms; /* of the answer; since when it has been so. KUBE_TIME_NONE: there is none */
};

struct blocker {
	const char *kind, *namespace_,
	    *name;       /* "PodDisruptionBudget" shop/cart, "PatchRollout" x, "Pod" … ; kind NULL: not blocked */
	const char *pod; /* the pod that cannot go; "" when none */
	const char *message;
	int64_t since_ms;
};

/* A grant: only a node that stands here may be touched. */
struct active {
	const char *node, *node_uid, *wave;
	int step; /* enum step; the step that is decided: the node's own annotation may be one write behind */
	int64_t since_ms;
	int64_t attempt;
	bool foreign_cordon;
	bool forced;                    /* the time of its drain is up, and drain.onTimeout is Force: pods are deleted */
	const char *job_name, *job_uid; /* the job pod in work; NULL: none */
	const char *reason, *message;   /* why it failed; NULL while it has not */
	struct blocker blocked_by;
};

struct failure {
	const char *node, *node_uid, *wave;
	int step;
	const char *reason, *message;
	int64_t at_ms;
};

struct decision {
	/* Deterministic: first 16 hex digits of sha256(rollout UID/subject/attempt/type), for Override with /rule. */
	const char *id;
	int64_t seq, at_ms;
	int type; /* enum decision_type */
	const char *subject, *rule, *actor, *reason, *evidence;
	const char *previous, *hash; /* the chain: see controller/status/ledger.h */
};

/* A PatchApproval, and what it is worth. */
struct approval_status {
	const char *approval, *user, *wave;
	int64_t at_ms; /* when it was created */
	bool counts;
	const char *why; /* why it does not count; "" when it does */
};

struct counts {
	int64_t total, pending, active, patched, failed, rolled_back, skipped, excepted;
};

struct rollout_status {
	int64_t observed_generation;
	const char *plan_hash, *policy_hash, *for_uid; /* NULL until planned */
	struct kube_strlist revisions;                 /* names of the plan's pages */
	int64_t policy_generation;                     /* of the policy that was planned; 0: not known */
	int64_t approved_ms;                           /* its first node was let start; 0: not yet */
	int64_t epoch;
	struct conditions conditions;
	int outcome; /* enum outcome */
	const char *summary, *progress, *current_wave;
	struct counts counts;
	struct {
		struct version_of *items;
		size_t count;
	} versions;
	struct {
		struct wave_status *items;
		size_t count;
	} waves;
	struct {
		struct active *items;
		size_t count;
	} active;
	struct {
		struct failure *items;
		size_t count;
	} failed;
	struct {
		struct gate_status *items;
		size_t count;
	} gates;
	struct {
		struct approval_status *items;
		size_t count;
	} approvals;
	struct {
		struct decision *items;
		size_t count;
	} decisions;
	int64_t started_ms, finished_ms; /* KUBE_TIME_NONE when absent */
};

/* What people want of a rollout that is there: spec.intent. Abort is final. */
enum intent_action { INTENT_RUN, INTENT_PAUSE, INTENT_ABORT };
extern const char *const intent_names[]; /* NULL-terminated, by enum intent_action */

struct intent {
	int action;              /* enum intent_action */
	const char *by, *reason; /* "" when not given */
};

/* It does not wait for what its policy lets emergencies pass by: spec.emergency, which cannot be changed. */
struct emergency {
	bool enabled;
	const char *reason; /* "" when not given */
};

struct rollout {
	struct kube_object object;
	const char *policy_name;
	struct pins pins; /* spec.versions, which cannot be changed */
	struct intent intent;
	struct emergency emergency;
	const char *owner_uid; /* of the controlling ownerReference (the policy that created it); "" when a person did */
	const char *author;    /* the annotation patchwright.io/author; "" when absent */
	bool finalizer;        /* ours is on it */
	struct kube_strlist finalizers;
	const char *hash; /* the value of PW_LABEL_ROLLOUT_HASH for its job pods */
	struct rollout_status status;
	const char *status_json; /* canonical JSON of the whole status; "" when there is none */
};

extern const struct kube_projection rollout_projection;
extern const struct kube_json_field decision_table[];

struct target {
	const char *node, *node_uid;
	int64_t wave;          /* index into rules.waves */
	const char *exception; /* the policy's exception that keeps it out; NULL: none */
};

/* One page of a plan or of the ledger: an immutable ControllerRevision. */
struct revision {
	struct kube_object object;
	const char *rollout_name, *rollout_uid; /* from label and ownerReference; "" when absent */
	bool ledger;                            /* a ledger page, else a plan page */
	int64_t number;                         /* spec field `revision`: 1, 2, … */
	/* plan page */
	const char *plan_hash;     /* of the whole plan, the same on each page */
	int64_t pages;             /* how many there are */
	const struct rules *rules; /* on page 1 only */
	const char *policy_hash;
	struct pins pins;       /* they are in the rules; on page 1 only */
	const char *data_error; /* why the page cannot be used; NULL: it can */
	struct {
		struct target *items;
		size_t count;
	} targets;
	/* ledger page */
	struct {
		struct decision *items;
		size_t count;
	} decisions;
};

extern const struct kube_projection revision_projection;
const char *revision_rollout_index(const struct kube_object *object); /* kube_index_fn: rollout UID */

/* The frozen plan, put together from its pages; everything borrowed from them. */
struct plan {
	const char *hash, *policy_hash;
	const struct rules *rules;
	const struct target **targets; /* in order */
	size_t target_count;
};

/* PatchReport: only that it exists matters to us. */
struct report {
	struct kube_object object;
};
extern const struct kube_projection report_projection;

#endif
