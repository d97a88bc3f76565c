/*
 * A small cluster in memory for tests of the planner: nodes, pods, budgets, one policy, its rollouts, and a time that
 * only moves when nothing else can. Each step takes a snapshot, plans, and does at once what the plan asks for, as the
 * API server, the kubelets and the hosts would. What must hold at every moment is asserted at every effect.
 */
#ifndef TEST_UNIT_PLAN_WORLD_H
#define TEST_UNIT_PLAN_WORLD_H

#include "controller/plan/internal.h"
#include "controller/status/status.h"
#include "test/unit/check_main.h"
#include <kube/time.h>
#include <stdio.h>
#include <string.h>

#define OLD "1.6.20"
#define NEW "1.7.27"
#define START_MS INT64_C(1790000000000)
#define JOB_MS 5000
#define JOB_READ_MS 10000
#define SECONDS(n) ((int64_t)(n)*1000)
#define MINUTES(n) SECONDS(60 * (n))

/* What becomes of a host when a job runs on it. */
enum host {
	HOST_OBEYS,
	HOST_FAILS,        /* the job exits with 3, the version stays */
	HOST_BREAKS,       /* the job changes the version and exits with 3 */
	HOST_HANGS,        /* the kubelet ends it at its deadline */
	HOST_DEAD,         /* no kubelet: the pod stays Pending */
	HOST_LIES,         /* exit 0, nothing changed */
	HOST_WRONG,        /* exit 0, another version */
	HOST_LAGS,         /* the version shows a minute later */
	HOST_REBOOTS,      /* another boot ID, and the job is lost with it */
	HOST_SINKS,        /* patched, and not Ready any more */
	HOST_RESTARTS,     /* goes down with the job, and is back a minute later: another boot ID, Ready, the version */
	HOST_RESTARTS_OLD, /* the same without the version */
	HOST_GOES_DOWN,    /* the same without coming back */
	HOST_NO_RESTART,   /* the job is killed, and nothing else happens */
	HOST_FAILS_ONCE,   /* the first attempt exits with 3, later ones obey */
};

struct world_node {
	struct node node; /* first: snapshots point at it */
	enum host host, rollback_host;
	bool gone, cordoned_before;
	const char *held_before[HELD_COUNT]; /* annotations for autoscalers; NULL: absent */
	int prepare_exit, verify_exit;       /* of these jobs */
	struct job_fact fact;                /* name NULL: nothing is known */
	int busy;
	char info[4][64];
	struct {
		int info;
		char version[64];
		int64_t at_ms;
		bool restarted; /* Ready again, with another boot ID */
	} later;            /* at_ms KUBE_TIME_NONE: nothing */
};

struct world_pod {
	struct pod pod;
	bool gone, stays; /* stays: an eviction is accepted, but the pod never goes */
	bool hidden;      /* the cache does not show it: its watch is blind */
	int busy;
	int64_t end_ms; /* when it goes, or when a job ends */
	/* job pods */
	const struct patch *patch;
	const char *from;
	bool rollback;
	int64_t attempt;
	bool ended;
	struct eviction_fact fact;
	bool orphan;          /* its DaemonSet is gone */
	const char *claim[2]; /* pod.claims */
};

/* A PersistentVolume, bound to the claim of its name, and attached to the node of the pod that it was made for. */
struct world_volume {
	struct volume volume;
	struct attachment attachment;
	const struct world_pod *pod;
	bool sticks; /* it is not detached when the pod is gone */
};

struct world_pdb {
	struct pdb pdb;
	int64_t back_ms[64]; /* when replacements of evicted pods are healthy */
	size_t back_count;
};

struct world_rollout {
	struct rollout *rollout;
	cJSON *json;
	bool gone, idle; /* idle: it is there, but nobody works on it */
	int busy;
};

struct world_report {
	const char *name;
	int outcome;
	size_t targets, decisions;
	const char *reasons[100]; /* of its first targets */
};

struct world {
	struct kube_arena arena; /* everything that lives as long as the world */
	struct world_kept {
		struct kube_object *object;
		struct world_kept *next;
	} * kept; /* decoded objects, older versions too: plans and jobs point at them */
	int64_t now_ms;
	const char *server_version;
	struct zone_entry zone_entries[2]; /* Etc/UTC and Europe/Berlin */
	struct zone_list zones;
	struct policy *policy; /* NULL: none */
	bool policy_replaced;
	const struct daemon_set *lockers[2];
	size_t locker_count;
	struct kube_intstr max_unavailable_total;
	const struct pod *self; /* the controller runs in it; gone with its eviction, as the next one runs elsewhere */
	const struct policy *policies[2]; /* what rollouts see of all policies, where overlaps matter */
	size_t policy_count;
	struct world_node **nodes;
	size_t node_count;
	struct world_pod **pods;
	size_t pod_count;
	struct world_volume volumes[8];
	size_t volume_count;
	struct world_pdb pdbs[8];
	size_t pdb_count;
	struct world_rollout rollouts[40];
	size_t rollout_count;
	struct revision *revisions[40];
	size_t revision_count;
	struct world_report reports[40];
	size_t report_count;
	const char *job_names[4000];
	size_t job_name_count;
	const struct approval *approvals[16];
	size_t approval_count;
	struct guard guard, emergency_guard, author_guard; /* of approvals, of emergencies, and of authors */
	const char *author;                                /* of the policy, when it is set; NULL: not known */
	int64_t generation;                                /* of the policy, when it is set; 0: the first */
	int64_t epoch;
	int cut;          /* effects that still happen before the controller dies; -1: it lives */
	int lag;          /* steps for which our own writes are not visible */
	bool auto_policy; /* plan_policy() creates rollouts */
	int64_t look_again_ms;
	int64_t pod_grace_ms, pod_start_ms;
	size_t steps, still_steps, writes, evictions, deletions, claims, reads, crashes, lost_count;
	/* The last pass over each rollout ran in this arena; its result is valid until the next one. */
	struct kube_arena pass;
	struct rollout_snapshot snapshot;
	struct rollout_result result;
	/* Gates, by their index in the policy: what their source says (enum gate_verdict; UNKNOWN: nothing, ever), and what
	 * is known of it. */
	int gates[MAX_GATES];
	struct gate_fact gate_facts[MAX_GATES];
	size_t questions;
	const char *query;                    /* the last one, in the arena */
	void (*on_step)(struct world *world); /* what people do meanwhile */
	void *arg;
};

/* spec: JSON of a policy's spec with ' for "; NULL members of the smallest policy are filled in by policy_spec(). A
 * world is zeroed before its first use, or was finished; texts that are in its arena already stay. */
void world_init(struct world *world, const char *spec);
void world_finish(struct world *world);
/* A spec whose strategy and drain are given; patches are as many as wanted (1: ContainerRuntime, 2: Kernel too). */
const char *policy_spec(struct world *world, int patches, bool rollback, const char *strategy, const char *drain);
void world_set_policy(struct world *world, const char *spec, bool suspend);

struct world_node *world_add_node(struct world *world, const char *name);
void world_add_nodes(struct world *world, int count); /* n01, n02, … */
struct world_node *world_node(const struct world *world, const char *name);
void world_set_ready(struct world *world, const char *name, bool ready);
/* Somebody writes patchwright.io/hold; NULL takes it off. From then on nothing may be done to the node. */
void world_hold(struct world *world, const char *name, const char *why);
/* An annotation of a node; value NULL takes it off. */
void world_annotate(struct world *world, const char *name, const char *key, const char *value);
void world_label(struct world *world, struct world_node *node, const char *key, const char *value);
struct world_pod *world_add_pod(struct world *world, const char *node, const char *name, const char *app);
struct world_volume *world_add_volume(struct world *world, struct world_pod *pod, const char *name);
struct world_pdb *world_add_pdb(struct world *world, const char *name, const char *app, int64_t allowed);
struct world_rollout *world_add_rollout(struct world *world, const char *name);
/* Somebody approves the rollout as it is planned; wave "": as a whole. */
void world_approve(struct world *world, const struct world_rollout *rollout, const char *user, const char *wave);
void world_delete_rollout(struct world *world, struct world_rollout *rollout);
void world_delete_node(struct world *world, const char *name);
/* Replaces a member of the rollout's JSON (NULL removes it) and decodes it again. */
void world_set_rollout(struct world *world, struct world_rollout *rollout, const char *path, const char *value);
void world_set_state(struct world *world, struct world_node *node, const struct node_state *state);

/* What the controller has in memory only. */
void world_forget(struct world *world);

/* Plans a rollout once; world->result is what came out. Nothing is done. */
void world_plan(struct world *world, struct world_rollout *rollout);
/* One step: plan and do, for every rollout. True when anything has changed. */
bool world_step(struct world *world);
/* Steps, and moves the time on where nothing else moves, until nothing will ever happen again or the time is up. */
void world_run(struct world *world, int64_t for_ms);
/* The same, until the node is in this step; fails the test when that never happens. */
void world_run_to(struct world *world, const char *node, enum step step);
bool world_tick(struct world *world, int64_t until_ms); /* a step, or a move of the time; false: all is still */

enum step world_step_of(const struct world *world, const char *node); /* STEP_NONE without a state */
const struct active *world_active(const struct world_rollout *rollout, const char *node);
size_t world_decisions(const struct world *world, const struct world_rollout *rollout, enum decision_type type,
                       const char *reason);
size_t world_actions(const struct world *world, enum action_type type);
const struct action *world_action(const struct world *world, enum action_type type);
/* Everything is put away: the finalizer and the job pods are gone, the report is written, no state is left but those of
 * quarantined nodes, nothing of ours is cordoned, the ledger holds. */
void world_check_tidy(const struct world *world, const struct world_rollout *rollout);
/* message: what the condition's text contains. */
void world_check_condition(const struct world_rollout *rollout, const char *type, int status, const char *reason,
                           const char *message);
/* When the work on the node began. */
int64_t world_claimed_at(const struct world *world, const char *node);
const struct world_report *world_report(const struct world *world, const struct world_rollout *rollout, int page);

#endif
