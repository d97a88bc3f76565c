/* PatchPolicy, decoded: what should be true, and how to get there (crds/patchpolicies.yaml). */
#ifndef MODEL_POLICY_H
#define MODEL_POLICY_H

#include "controller/model/authors.h"
#include "controller/model/condition.h"
#include "controller/model/drain.h"
#include "controller/model/gate.h"
#include <kube/json.h>
#include <kube/object.h>
#include <kube/selector.h>

#define MAX_PATCHES 8
#define MAX_SUPPORTED_FROM 16
#define MAX_WAVES 16
#define MAX_WINDOWS 16
#define MAX_FREEZES 32
#define MAX_EXCEPTIONS 32

enum component {
	COMPONENT_KUBELET,
	COMPONENT_CONTAINER_RUNTIME,
	COMPONENT_KERNEL,
	COMPONENT_OPERATING_SYSTEM,
	COMPONENT_CUSTOM
};
extern const char *const component_names[]; /* NULL-terminated, by enum component */

enum observed_type { OBSERVED_DEFAULT, OBSERVED_NODE_INFO, OBSERVED_LABEL, OBSERVED_ANNOTATION };
enum node_info { NODE_INFO_KUBELET, NODE_INFO_CONTAINER_RUNTIME, NODE_INFO_KERNEL, NODE_INFO_OS_IMAGE };

struct observed {
	int type; /* enum observed_type; never DEFAULT after decoding, except for Custom without one and without a verify
	             job */
	int node_info; /* enum node_info */
	const char *label, *annotation;
};

struct job_template {
	const char *image;
	struct kube_strlist command, args;
	struct {
		struct env_var {
			const char *name, *value;
		} * items;
		size_t count;
	} env;
	const char *host_path; /* where the node's root is mounted; "" mounts none */
	bool privileged;
	int64_t timeout_ms;
	int64_t retries;       /* of a job that failed; not of one that was lost */
	const char *resources; /* JSON text of the container's resources; NULL: none */
	struct {
		struct job_secret {
			const char *name, *path; /* a Secret of the jobs' namespace, mounted there */
		} * items;
		size_t count;
	} secrets;
};

enum channel_type { CHANNEL_CONFIG_MAP, CHANNEL_URL };

/* Who says the version of a patch. */
struct channel {
	int type;                     /* enum channel_type */
	const char *config_map, *key; /* in the controller's namespace */
	const char *url;
	const char *secret;  /* for the URL, in the controller's namespace; NULL: none */
	int64_t interval_ms; /* between two looks at the URL */
	const char *source;  /* all this in one text, as in status.resolved[].channel */
};

struct patch {
	int component;                      /* enum component */
	const char *version;                /* NULL: its channel has not said one yet */
	struct channel *channel;            /* NULL: the version is written in the policy, or frozen */
	int64_t minimum_age_ms;             /* a channel's version is used when it was seen for so long */
	struct kube_strlist supported_from; /* ranges (model/version_range.h): what a node may show now; empty: anything */
	bool allow_downgrade;
	struct observed observed;
	bool applied; /* no node shows its version: observed is the note that a job for it was verified */
	int64_t observe_timeout_ms;
	struct job_template job;
	struct job_template *prepare, *verify, *rollback; /* NULL: none */
	bool reboot_expected;
	int64_t reboot_timeout_ms;
};

enum order_key { ORDER_CRITICALITY, ORDER_ZONE, ORDER_POD_COUNT, ORDER_NAME, ORDER_COUNT };
extern const char *const order_names[]; /* NULL-terminated, by enum order_key */

/* In which order the targets come, ascending; what all keys leave equal goes by name. */
struct order {
	int keys[ORDER_COUNT]; /* enum order_key */
	size_t count;
};

/* In how many domains, which are the values of a node label, nodes are in work at the same time. */
struct topology {
	const char *key;
	int64_t max_domains;
};

struct wave_spec {
	const char *name;
	struct kube_selector *selector;     /* NULL: any target */
	struct kube_intstr size;            /* not set: all that match; of the last wave all that is left */
	struct kube_intstr max_unavailable; /* not set: the policy's */
	int64_t soak_ms;
	struct topology *topology; /* NULL: the policy's */
	bool approval;             /* it needs one of its own, whatever the policy's approval.mode */
};

enum on_failure { ON_FAILURE_QUARANTINE, ON_FAILURE_UNCORDON };

enum window_type { WINDOW_WEEKLY, WINDOW_CRON };

/* A time in which targets may start. What it means is decided in controller/plan/window.h. */
struct window_spec {
	const char *name;
	int type;             /* enum window_type */
	uint32_t days;        /* Weekly: bit 0 is Sunday */
	int64_t start_min;    /* Weekly: minute of the day */
	const char *schedule; /* Cron */
	int64_t duration_ms;
	const char *zone; /* name of its time zone */
};

/* [from_ms, to_ms): nothing starts, whatever the windows say. */
struct freeze_spec {
	const char *name;
	int64_t from_ms, to_ms;
	const char *reason; /* "" when none is given */
};

enum approval_mode { APPROVAL_NONE, APPROVAL_ROLLOUT, APPROVAL_WAVE };

/* Whose word a rollout, or each of its waves, needs before its first node. */
struct approval_rules {
	int mode;             /* enum approval_mode */
	int64_t required;     /* so many people */
	bool separate_duties; /* none of them wrote the policy or the rollout */
	int64_t expires_after_ms;
};

/* What a rollout that is an emergency need not wait for. */
enum bypass { BYPASS_WINDOWS, BYPASS_FREEZES, BYPASS_SOAK, BYPASS_APPROVAL };

struct emergency_rules {
	bool allow;
	uint32_t bypass; /* bits by enum bypass */
};

/* What governs a rollout: frozen into its plan, hashed as policyHash. */
struct rules {
	struct kube_selector selector;
	struct {
		struct patch *items;
		size_t count;
	} patches;
	struct order order;
	struct kube_intstr max_unavailable;
	struct topology *topology; /* NULL: no matter */
	struct {
		struct wave_spec *items;
		size_t count;
	} waves;
	int64_t settle_ready_for_ms, settle_timeout_ms;
	struct kube_intstr failure_budget; /* failed targets that are tolerated */
	int on_failure;                    /* enum on_failure */
	struct drain_rules drain;
	int64_t rollback_timeout_ms;
	struct {
		struct window_spec *items;
		size_t count;
	} windows; /* none: always open */
	struct {
		struct freeze_spec *items;
		size_t count;
	} freezes;
	struct {
		struct gate_spec *items;
		size_t count;
	} gates;
	struct approval_rules approval;
	struct emergency_rules emergency;
};

struct version_of {
	int component; /* enum component */
	const char *version;
};

/* Versions that a rollout brings instead of those that its policy says. */
struct pins {
	struct version_of *items;
	size_t count;
};
/* Puts them in; they must outlive the rules. KUBE_E_INVALID with a sentence: one of them is of no use. */
int rules_pin(struct rules *rules, const struct pins *pins, struct kube_err *err);

/* A version of a channel, and since when it was seen there; version NULL: none. */
struct seen_version {
	const char *version;
	int64_t first_seen_ms;
};

/* What a channel has come to: status.resolved[]. */
struct resolved {
	const char *component, *channel;
	struct seen_version now;       /* what the policy wants */
	struct seen_version candidate; /* what the channel says, and is not old enough */
	struct seen_version previous;  /* what the policy wanted before */
};

/* Nodes that are left as they are until a time. They change no plan, and are no part of policyHash. */
struct exception_spec {
	const char *name;
	struct kube_selector selector;
	const char *reason, *reference; /* reference: "" when none is given */
	int64_t expires_ms;
};

/* One that held when it was seen. */
struct exception_status {
	const char *name;
	int64_t expires_ms;
	int64_t nodes; /* that it keeps out */
};

enum trigger { TRIGGER_AUTOMATIC, TRIGGER_MANUAL };

struct policy {
	struct kube_object object;
	bool suspend;
	int trigger; /* enum trigger */
	int64_t history_limit;
	struct {
		struct exception_spec *items;
		size_t count;
	} exceptions;
	struct rules rules;
	const char *rules_json; /* canonical JSON of the governing members of spec:
	                           {"approval":…,"drain":…,"emergency":…,"freezes":…,"gates":…,"patches":…,
	                           "rollback":…,"strategy":…,"target":…,"windows":…}, resolved versions in the place of
	                           their channels */
	const char *hash;       /* sha256 of rules_json, hex */
	const char *author;     /* the annotation patchwright.io/author; "" when absent */
	/* status */
	int64_t observed_generation;
	struct conditions conditions;
	struct {
		struct resolved *items;
		size_t count;
	} resolved;
	struct authors authors; /* as recorded; see authors_now() */
	struct {
		struct exception_status *items;
		size_t count;
	} exceptions_seen;
	const char
	    *status_json; /* canonical JSON of the whole status, to see whether ours differs; "" when there is none */
	const char *last_successful_json; /* canonical JSON of status.lastSuccessfulRollout, carried over; NULL: none */
};

extern const struct kube_projection policy_projection;

/* Decodes the governing members of spec, with the defaults of the CRD for what is absent. */
int rules_decode(const cJSON *spec, struct rules *ret_rules, struct kube_arena *arena, struct kube_err *err);

/* What the schema cannot say about its exceptions. KUBE_E_INVALID with the sentence for Accepted=False. */
int exceptions_check(const struct policy *policy, struct kube_err *err);

/*
 * What the schema cannot say, as far as the rules alone tell: versions that no rule can compare, schedules that never
 * fire. KUBE_E_INVALID with the sentence for Accepted=False, and its reason (err->reason) where it has one of its own.
 */
int rules_check(const struct rules *rules, struct kube_err *err);

#endif
