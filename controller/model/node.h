/* Node, projected: what decisions about it need. And the target's state that we keep on it. */
#ifndef MODEL_NODE_H
#define MODEL_NODE_H

#include "controller/model/policy.h"
#include "controller/model/resources.h"
#include "controller/model/step.h"
#include <kube/object.h>

#define NODE_STATE_MAX_BYTES 1024
#define NODE_ANNOTATION_KEEP_BYTES 128 /* longer values of annotations that are not ours are not kept */

/*
 * The annotation patchwright.io/state: the durable state of a target. Written by us only, each step in one write. Keys
 * of the JSON are the names below, camelCase (nodeUID, rolloutUID, rollout, wave, step, patch, attempt, since, started,
 * foreignCordon, bootID, from, reason, message, failedStep, times, exits, held, paused).
 */
struct node_state {
	const char *node_uid;
	const char *rollout_uid, *rollout;
	const char *wave;
	int step;      /* enum step */
	int64_t patch; /* index of the patch in work (Patching, RollingBack) */
	int64_t attempt;
	int64_t since_ms;             /* when this step began */
	int64_t started_ms;           /* when the node was claimed */
	bool foreign_cordon;          /* it was cordoned before we came: it stays so */
	const char *boot_id;          /* at the claim */
	struct kube_strlist from;     /* version seen at the claim, one a patch */
	const char *reason, *message; /* of a failure; NULL otherwise. message is cut to 200 bytes */
	int failed_step;              /* enum step in which it failed; STEP_NONE otherwise */
	int64_t times[STEP_COUNT];    /* when each step began; KUBE_TIME_NONE: it did not */
	struct kube_strlist exits;    /* "job/0=0", "rollback/0=1": exit codes by step/patch */
	struct kube_strlist held;     /* what the held_annotations were before; empty: none is ours */
	bool paused;                  /* a person has held it for a time, which counts for no step's duration */
};

/* Annotations that keep autoscalers away from a node while we work on it. */
enum held { HELD_SCALE_DOWN, HELD_DISRUPTION, HELD_COUNT };
extern const char *const held_annotations[HELD_COUNT];
#define HELD_VALUE "true"
/* In node_state.held: the annotation was absent; had this value; was "true" already, and is none of ours. */
#define HELD_ABSENT "-"
#define HELD_BEFORE "="
#define HELD_BY_OTHERS ""
/* HELD_ABSENT, or the value after HELD_BEFORE. NULL: it is not ours, or all is over. state NULL: none. */
const char *node_state_held(const struct node_state *state, size_t which);
/* The same while it is being put back: with the end. */
const char *node_state_held_last(const struct node_state *state, size_t which);

struct taint {
	const char *key, *value, *effect;
};

struct node {
	struct kube_object object;
	struct kube_strmap labels;
	struct kube_strmap annotations; /* ours, and short ones (observed.annotation) */
	struct {
		struct taint *items;
		size_t count;
	} taints;
	bool unschedulable;
	bool quarantined;       /* carries PW_TAINT_QUARANTINED */
	bool ready;             /* condition Ready is True */
	int64_t ready_since_ms; /* its lastTransitionTime; KUBE_TIME_NONE when absent */
	struct resources allocatable;
	const char *boot_id, *os;       /* os: "linux", "windows" */
	const char *node_info[4];       /* by enum node_info, as reported; "" when absent */
	const char *state_text;         /* the raw annotation; NULL: none */
	const struct node_state *state; /* NULL: none, or it cannot be parsed (state_error tells) */
	const char *state_error;
};

extern const struct kube_projection node_projection;

int node_state_parse(const char *text, struct kube_arena *arena, struct node_state **ret_state, struct kube_err *err);
/* JSON text in the arena, within NODE_STATE_MAX_BYTES (message and exits are cut first). NULL when out of memory. */
const char *node_state_format(const struct node_state *state, struct kube_arena *arena);

/* The version that a node shows for a patch, as reported; NULL when it shows none. */
const char *node_observed(const struct node *node, const struct observed *observed);
/* Carries the label node-role.kubernetes.io/control-plane (or master). */
bool node_control_plane(const struct node *node);
/* Whether a policy's selector means this node: matching labels, no control plane, no Windows, no virtual kubelet (label
 * type=virtual-kubelet or taint virtual-kubelet.io/provider). */
bool node_selected(const struct node *node, const struct rules *rules);
/* What the rollout of this UID has recorded on the node. NULL: nothing, or node is NULL. */
const struct node_state *node_state_of(const struct node *node, const char *rollout_uid);

#endif
