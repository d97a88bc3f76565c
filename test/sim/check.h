/* What the checks of the invariants share: the truth as the server has it, decoded, and what was seen so far. */
#ifndef TEST_SIM_CHECK_H
#define TEST_SIM_CHECK_H

#include "test/sim/replica.h"

#define MAX_WATCHED 64
#define MAX_PAGES 64
#define MAX_LEDGER 2000
#define MAX_JOBS 2000
#define MAX_SAID 16
/* What was decided, and is under way, comes late: a request may be repeated for 15 s. */
#define UNDER_WAY_MS 25000

struct seen_node {
	char name[64], uid[40];
	struct node *now;  /* NULL: gone */
	struct node *last; /* as it was when it went; NULL: it is there */
	int64_t gone_ms;
	bool foreign;                 /* it was cordoned by somebody else when it was claimed */
	bool ours;                    /* its cordon is ours */
	int64_t drained_ms;           /* when it was seen last at a step that drains; INT64_MIN: never */
	int64_t forced_ms;            /* when its drain was seen forced last; INT64_MIN: never */
	int64_t unavailable_since_ms; /* not Ready, or cordoned by others; INT64_MAX: it is available */
	struct known_node {
		unsigned sender; /* the process that this is about */
		/* Since when its cache shows the node not Ready or cordoned, and not cordoned; INT64_MAX: it does not. */
		int64_t away_ms, open_ms;
		char pool[8]; /* that its cache shows: whose policy the node is for */
		int64_t moved_ms;
		char firmware[24]; /* that its cache shows, and since when */
		int64_t firmware_ms;
	} known[MAX_REPLICAS];
	int64_t held_since_ms;   /* since when the controller knows that it is held; INT64_MAX: it does not */
	int64_t marked_since_ms; /* the same of another operator's mark */
	int64_t patched_ms;      /* when its state became Patched; 0: never */
	char patched_rollout[40];
	bool forgotten; /* somebody took its state away, and with it what stood there before us */
};

struct seen_rollout {
	char uid[40], hash[24];            /* the second: that its jobs are labelled with */
	struct rollout *now;               /* NULL: gone */
	struct revision *pages[MAX_PAGES]; /* of plan and ledger */
	size_t page_count;
	char hashes[MAX_LEDGER][17]; /* of decisions, by seq - 1: what was written stays */
	size_t ledger_count;
	char sent_version[24]; /* that the last status with grants was written upon */
	unsigned begun;        /* waves, by bit, that had their first grant; bit MAX_WAVES: the rollout itself */
	int64_t changed_ms;    /* it, or one of its nodes */
	int64_t gone_ms;
};

#define MAX_APPROVALS_SEEN 400

struct seen_approval {
	char name[32], user[16], wave[32], rollout[40], plan[72];
	int64_t created_ms, gone_ms; /* INT64_MAX: it is there */
};

#define MAX_KNOWING 16

/* A job pod, and who can know of it. */
struct seen_job {
	char name[64], uid[40], node_uid[40], rollout_hash[24], component[24];
	enum step step; /* that its node is at meanwhile */
	bool succeeded;
	bool recorded;                 /* a status has its UID */
	bool taken;                    /* it was removed, and not by the controller */
	unsigned knowing[MAX_KNOWING]; /* processes that were told of it, by an answer or by a watch */
	size_t knowing_count;
};

/* What a channel has ever said. */
struct said {
	char *text;
	int64_t first_ms;
	bool resolved; /* a policy has wanted it since */
};

struct checks {
	struct world *world;
	struct said said[MAX_SAID];
	size_t said_count;
	struct seen_node nodes[MAX_WATCHED];
	size_t node_count;
	struct seen_rollout *rollouts[MAX_WATCHED];
	size_t rollout_count;
	struct seen_job jobs[MAX_JOBS]; /* all that there ever were */
	size_t job_count;
	struct seen_approval approvals[MAX_APPROVALS_SEEN]; /* all that there ever were */
	size_t approval_count;
	/* Since when a process knows that nothing binds an admission policy; INT64_MAX: it does not. */
	struct known_guard {
		unsigned sender;
		int64_t approvals_gone_ms, rights_gone_ms, authors_gone_ms;
	} guards[MAX_REPLICAS];
	/* What a process knows of the pods that a gate looks at: when enough of them were Ready last. */
	struct known_enough {
		unsigned sender;
		bool enough;
		int64_t until_ms; /* while they are not; INT64_MIN: never */
	} enough[MAX_REPLICAS];
	char leaving[128], leaving_node[64]; /* the pod that the controller took away last */
};

struct seen_node *seen_node(struct checks *checks, const char *uid); /* NULL: none */
struct seen_rollout *seen_rollout(struct checks *checks, const char *uid);
const struct rules *rules_of(const struct seen_rollout *rollout);                   /* as frozen; NULL: not planned */
const struct active *grant_of(const struct rollout *rollout, const char *node_uid); /* NULL: none */
bool is_granted(const struct rollout *rollout, const char *node_uid);
bool rollout_at_work(const struct rollout *rollout); /* it has a plan, and has not ended */

/* check_node.c */
void check_node(struct checks *checks, struct seen_node *seen, const struct node *old, const struct node *now,
                unsigned sender);
/* check_hold.c */
void hold_look(struct checks *checks); /* at what the controller knows by now */
void hold_check(struct checks *checks, const struct seen_node *seen, const char *what);
void hold_check_named(struct checks *checks, const char *name, const char *what);
void neighbour_check(struct checks *checks, const struct seen_node *seen); /* it is granted */
/* check_known.c */
/* Who writes holds the lease by its own clock. hooks.fate */
void check_sender(void *arg, const struct kube_request *request, struct kube_sim_fate *fate);
bool is_known_away(const struct checks *checks, const struct seen_node *node, unsigned sender);
bool is_known_here(const struct checks *checks, const struct seen_node *node, unsigned sender);
bool is_known_unguarded(const struct checks *checks, const char *admission, unsigned sender);
/* What the node shows, or NULL; and that the process knows of this one. */
const char *firmware_of(const struct world *world, const struct node *node);
bool is_known_firmware(const struct checks *checks, const struct seen_node *node, unsigned sender, const char *version);
int64_t known_enough_ago_ms(const struct checks *checks, unsigned sender); /* a process that is gone: 0 */
bool is_known_open(const struct checks *checks, const struct seen_node *node, unsigned sender);
/* rules NULL: of all nodes. */
bool is_counted(const struct checks *checks, const struct seen_node *node, const struct rules *rules);
/* check_rollout.c */
void check_rollout(struct checks *checks, struct seen_rollout *seen, const struct rollout *old,
                   const struct rollout *now, unsigned sender);
/* check_window.c */
void check_window(struct checks *checks, const struct seen_rollout *seen, const struct rules *rules,
                  const struct active *grant, unsigned sender);
/* The wave had its first grant; "": the rollout had. */
bool has_begun(const struct seen_rollout *seen, const struct rules *rules, const char *wave);
/* check_approval.c */
void check_approval_changed(struct checks *checks, const struct kube_sim_change *change);
void check_approvals(struct checks *checks, const struct seen_rollout *seen, const struct rules *rules,
                     const struct active *grant, unsigned sender);
/* check_gate.c */
void check_gates(struct checks *checks, const struct seen_rollout *seen, const struct rules *rules,
                 const struct rollout *old, const struct active *grant, unsigned sender);
/* check_capacity.c */
/* Before it leaves its process. */
void check_sending(struct checks *checks, const struct replica *replica, const struct kube_request *request);
/* check_ledger.c */
void check_ledger(struct checks *checks, struct seen_rollout *seen);
/* The rollout is an emergency that may pass this by, and the ledger says who does so, and why. */
bool is_overridden(const struct seen_rollout *seen, const struct rules *rules, enum bypass what);
/* The same for what it may pass by now: somebody guards who may make an emergency, as far as the sender knows. */
bool may_override(const struct checks *checks, const struct seen_rollout *seen, const struct rules *rules,
                  enum bypass what, unsigned sender);
/* check_job.c */
void check_job(struct checks *checks, const struct kube_sim_change *change);
void check_job_shown(struct checks *checks, const struct pod *pod, unsigned sender);
void check_job_records(struct checks *checks, const struct rollout *now);
void check_job_answer(struct checks *checks, const struct kube_sim_served *served);
/* check_equipment.c */
void check_equipment(struct checks *checks, const cJSON *pod, const struct job_template *job);
/* check_turn.c */
void check_prepared(struct checks *checks, const struct seen_job *job);
void check_note(struct checks *checks, const struct node *old, const struct node *now);
void check_verified(struct checks *checks, const struct node *node);
void check_shown(struct checks *checks, const struct node *node, unsigned sender);
void check_unshown(struct checks *checks, const struct seen_node *seen, const struct node *old, unsigned sender);
/* channel.c */
void check_channel(struct checks *checks, const struct kube_sim_change *change);
void check_frozen(struct checks *checks, const struct revision *page); /* with rules */
/* check_pod.c */
const struct node *node_named(struct checks *checks, const char *name);
/* At work in one of these steps, with a grant. */
bool may_work_on(struct checks *checks, const struct node *node, unsigned steps);
void check_pod(struct checks *checks, const struct kube_sim_change *change);
void check_request(void *arg, const struct kube_sim_served *served); /* hooks.served */

#endif
