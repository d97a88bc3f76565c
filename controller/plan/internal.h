/* What the files of the planner share. Not for others. */
#ifndef PLAN_INTERNAL_H
#define PLAN_INTERNAL_H

#include "controller/model/names.h"
#include "controller/plan/plan.h"
#include "controller/plan/window.h"
#include <kube/time.h>

/* ---- observed.c: what a node shows against what is wanted ---- */

enum standing {
	STANDING_UP_TO_DATE,
	STANDING_OUTDATED,
	STANDING_NEWER,   /* it would be a downgrade, which the patch does not allow */
	STANDING_REFUSED, /* outdated, but not to be brought there from what it shows: see upgrade.c */
	STANDING_UNKNOWN  /* the node shows nothing that can be compared */
};

enum standing version_standing(const char *shown, const struct patch *patch);
enum standing patch_standing(const struct node *node, const struct patch *patch);
/* "containerd://1.6.20", or "nothing". */
const char *shown_version(const struct node *node, const struct patch *patch);

/* ---- upgrade.c: whether it may be brought there; server: the API server's version, NULL while it is not known ---- */

enum standing upgrade_standing(const char *shown, const struct patch *patch, const char *server);
/* Over all patches: UNKNOWN or REFUSED when one is, else OUTDATED, NEWER, UP_TO_DATE. */
enum standing node_standing(const struct node *node, const struct rules *rules, const char *server);
/* The comparisons of late, of rules and server of one pass: most nodes show one of a few versions. */
struct standings {
	struct known_standing {
		const struct patch *patch; /* NULL: none */
		const char *shown;
		enum standing standing;
	} items[8];
	size_t next; /* the oldest, once all are taken */
};
/* node_standing() for one node after the other. */
enum standing node_standing_of_many(const struct node *node, const struct rules *rules, const char *server,
                                    struct standings *standings);
#define SERVER_UNKNOWN \
	"the API server has not told its version yet, and a kubelet may not become newer than that: GET /version must " \
	"answer"
/* A kubelet is to be patched, and nobody knows yet what its API server allows. */
bool server_unknown(const struct rules *rules, const char *server);
/* Why node_standing() is REFUSED: a sentence that names the node. */
const char *upgrade_refusal(const struct node *node, const struct rules *rules, const char *server,
                            struct kube_arena *arena);

/* ---- channel.c: versions that another one says ---- */

enum channel_state {
	CHANNEL_PENDING, /* nobody has answered yet; what was resolved is as good as before */
	CHANNEL_FINE,
	CHANNEL_BACK,
	CHANNEL_WAITING,
	CHANNEL_BROKEN
};
struct channel_report {
	enum channel_state state;
	const char *reason, *message; /* of the condition Resolved; NULL: the policy has no channel */
	bool unresolved;              /* the rules lack a version: nothing can be said of nodes */
	bool lacking;                 /* and so does what is written now */
	int64_t look_again_ms;
};
/* Sets want->resolved. */
void plan_channels(const struct policy_snapshot *s, struct kube_arena *arena, struct policy_wanted *want,
                   struct channel_report *ret_report);

/* ---- the pass over a running rollout ---- */

enum target_kind { TARGET_GONE, TARGET_PENDING, TARGET_UP_TO_DATE, TARGET_EXCEPTED, TARGET_WORKING, TARGET_ENDED };

struct target_pass {
	const struct target_view *view;
	const struct wave_spec *wave;
	enum target_kind kind;
	const struct node_state *state; /* this rollout's, on the node; NULL: none */
	const struct active *granted;   /* in the snapshot's status; NULL: not */
	enum step ended;                /* for ENDED */
};

/* What windows and freezes say in a pass: start.c. */
struct opening {
	struct window_set all;     /* as the rules have them */
	struct window_set windows; /* of them: those that the rollout has to wait for */
	struct window_view view;   /* of these, now; closed when there is a problem */
	const char *problem;       /* why nothing can be told of the windows; NULL */
	const char *reason;        /* why pending targets do not start; NULL: they may, or there are none */
	const char *waits;         /* "waiting for window night, opens …"; NULL: for nothing that comes by itself */
	bool hopeless;             /* somebody has to do something */
};

/* What approvals say in a pass: approval.c. */
struct approving {
	bool asked;                           /* the rollout, or one of its waves, needs some */
	const char *problem_reason, *problem; /* why none counts; NULL */
	struct authors authors;               /* of the policy, since the last plan that was approved */
	struct approval_status *items;        /* all that there are, and have been used */
	size_t count;
	const char *missing; /* what the current wave waits for, and what to create; NULL: nothing */
	const char *tally;   /* the same in few words */
};

struct pass {
	const struct rollout_snapshot *s;
	const struct rules *rules;
	struct kube_arena *arena;
	struct rollout_result *out;
	struct rollout_status *want; /* = &out->wanted */
	size_t decision_capacity;    /* of want->decisions */
	struct target_pass *targets; /* by index of s->targets */
	struct pdb_room *rooms;      /* of all PodDisruptionBudgets, by namespace */
	struct standings standings;
	bool aborting;            /* deleted, or its policy is, or aborted: what is in work is given back */
	const char *abort_reason; /* set while aborting */
	const char *paused;       /* by whom, and why; NULL: it is not */
	bool superseded;          /* the policy was changed since the plan was made */
	bool suspended;           /* the policy is */
	bool stopping;            /* superseded, suspended, paused or halted: what is in work goes on, nothing new begins */
	struct opening start;
	enum { GATES_NOT_LOOKED_AT, GATES_LET_START, GATES_HOLD } gates; /* gate.c, once a pass */
	const char *gate_waits;                                          /* which gate holds new work, and why */
	const char *gate_failed; /* which gate ends the rollout, and why; NULL: none */
	struct approving approving;
	const char *held_back;   /* why the next pending target is not started; NULL */
	const char *held_reason; /* the same in one word, where it has one; NULL */
	size_t waiting_on;       /* targets in work that are blocked */
	const struct blocker *first_blocker;
};

/* KUBE_TIME_NONE is later than any time. */
int64_t earlier_ms(int64_t a_ms, int64_t b_ms);
/* At the latest; KUBE_TIME_NONE changes nothing. */
void look_again_at(struct rollout_result *out, int64_t at_ms);
/* Adds a decision; the composer drops it when its id is in the ledger already. type, subject and attempt make the id.
 */
void decide(struct pass *pass, enum decision_type type, const char *subject, int64_t attempt, const char *rule,
            const char *reason, const char *evidence);
/* The same for what a person has decided. */
void decide_as(struct pass *pass, const char *actor, enum decision_type type, const char *subject, int64_t attempt,
               const char *rule, const char *reason, const char *evidence);
void emit_event(struct pass *pass, const struct kube_object *regarding, bool warning, const char *reason,
                const char *action, const char *note);
const char *wave_name(const struct pass *pass, int64_t wave);

/* ---- disruption.c, drain.c, drain_step.c ---- */

struct drain_view {
	size_t remaining;       /* pods that still have to leave */
	size_t attached;        /* volumes of theirs that still hang on the node, once they are gone */
	size_t forcible;        /* of them: neither on their way nor kept by the policy itself */
	struct blocker blocker; /* kind NULL: nothing is in the way */
};
void rooms_init(struct pass *pass);
/* Looks at the pods on a target's node anew, adds an action for each that may go now. */
void drain_target(struct pass *pass, const struct target_pass *target, struct drain_view *ret_view);
void step_draining(struct pass *pass, const struct target_pass *target, struct active *entry);

/* The reasons of a target without which the rollout goes on: it could not be drained (drain.onTimeout), or somebody
 * took it back meanwhile. */
#define REASON_NOT_DRAINED "NotDrained"
#define REASON_FOREIGN_UNCORDON "ForeignUncordon"
bool left_behind(const char *reason); /* NULL is fine */

/* ---- target.c ---- */

/* Carries one working target on: adds its actions, and its entry in want->active unless it has ended. */
void target_advance(struct pass *pass, struct target_pass *target);
/* Takes the finalizers off this target's job pods whose result stands on the node, or can no longer matter. */
void target_release_jobs(struct pass *pass, const struct target_pass *target);

/* ---- rollback.c ---- */

/* The patch to begin taking back with: the last attempted one that has a rollback job; -1: none has. */
int64_t rollback_first(const struct pass *pass, const struct target_pass *target);
void target_roll_back(struct pass *pass, const struct target_pass *target, struct active *entry);

/* ---- claim.c ---- */

/* The first write to a granted node, which it may not need any more, or not yet. */
void target_claim(struct pass *pass, struct target_pass *target, struct active *entry);
/* The other rollout, not done yet, that the state on the node belongs to; NULL: none. */
const struct rollout *record_holder(const struct pass *pass, const struct node *node);

/* ---- hold.c: patchwright.io/hold ---- */

#define BLOCKED_BY_HOLD "Hold" /* active[].blockedBy.kind */

/* Why a person holds the node; NULL: nobody does. */
const char *node_hold(const struct node *node, struct kube_arena *arena);
/* True when the target's turn is over: it is held, or it begins its step anew after a hold. */
bool hold_target(struct pass *pass, const struct target_pass *target, struct active *entry);
/* In work, and held: nobody gives it back. */
bool held_at_work(const struct node *node);

/* ---- neighbour.c ---- */

#define REASON_NODE_HELD "NodeHeld"
#define REASON_NEIGHBOUR "NeighbourAtWork"

/* Who else works on the node, in one sentence; NULL: nobody. */
const char *neighbour_at_work(struct pass *pass, const struct target_view *view);

/* ---- autoscaler.c ---- */

/* For node_state.held: what our annotations on the node replace. ours: it was in work already, and its state is lost.
 */
struct kube_strlist hold_off_autoscalers(struct pass *pass, const struct node *node, bool ours);

/* ---- failure.c ---- */

/* Puts the target on the status' list of failures; false when that is full. */
bool list_failure(struct pass *pass, const struct target_pass *target, const char *reason, const char *message);

/* Decides that the target has failed, and its way out: roll-back, quarantine or uncordon. */
void fail_target(struct pass *pass, const struct target_pass *target, struct active *entry, const char *reason,
                 const char *message);
/* Gives a target back that is not to be carried on. */
void give_back(struct pass *pass, struct active *entry, const char *reason, const char *message);
/* The node follows what was decided of it. */
void follow_decision(struct pass *pass, const struct target_pass *target);

/* ---- entry.c: shared by the files about a target ---- */

/* The patches of this target that were to be done: what it showed at the claim was older. */
bool patch_needed(const struct pass *pass, const struct node_state *state, size_t patch);
/* The first patch from index `from` on that is needed; the number of patches: none. */
size_t next_patch(const struct pass *pass, const struct node_state *state, size_t from);
/* The same of those that have a job of this word ("prepare", "verify"). */
size_t next_with_job(const struct pass *pass, const struct node_state *state, const char *step, size_t from);
/* Puts a state into a step that begins now. */
void enter_step(const struct pass *pass, struct node_state *state, enum step step);
/* The node is cordoned by us as long as it is in this state. */
bool cordon_ours(const struct node_state *state);
/* A copy of the target's state in another step, its times kept. */
struct node_state *state_next(const struct pass *pass, const struct target_pass *target, enum step step);
void state_add_exit(const struct pass *pass, struct node_state *state, const char *step, size_t patch,
                    int64_t exit_code);
struct action *write_node(struct pass *pass, const struct target_pass *target, const struct node_state *state,
                          enum change cordon);
void entry_keep(struct pass *pass, const struct active *entry);
void entry_block(struct pass *pass, const struct target_pass *target, struct active *entry,
                 const struct blocker *blocker);
const char *blocker_text(const struct pass *pass, const struct blocker *blocker);
/* An Event on the target's node. */
void write_event(struct pass *pass, const struct target_pass *target, bool warning, const char *reason,
                 const char *note);
/* Decides an end or a way out: the status says so first, the node follows when that is seen. */
void entry_settle(struct active *entry, enum step step, const char *reason, const char *message);
struct job_view;
/* Once the job's pod is there, the status names it. */
void entry_note_job(struct active *entry, const struct job_view *job);

/* ---- halt.c: strategy.failureBudget ---- */

/* Targets of this rollout that have failed so far, those on a way out included. */
size_t failures_so_far(const struct pass *pass);
bool over_failure_budget(const struct pass *pass);
/* Those of the rollout that no exception keeps as they are: what its percentages are of. */
size_t targets_to_patch(const struct pass *pass);
const char *failure_budget_text(const struct pass *pass); /* "none may", "at most 3 may" */
bool wave_failed(const struct pass *pass);
/* Nothing new begins any more: too many have failed, or a wave has. */
bool rollout_halted(const struct pass *pass);
/* Ended badly, or on the way there, and not just left behind. */
bool target_bad(const struct pass *pass, const struct target_pass *target);
bool entry_failing(const struct active *entry);
/* Of the status' list: that of a node, and the first that is no node left behind. NULL: none. */
const struct failure *listed_failure(const struct rollout_status *status, const char *node_uid);
const struct failure *first_failure(const struct rollout_status *status);
/* The target stands in the status' list of failures, or of what was left behind. */
bool failure_listed(const struct rollout_status *status, const char *node_uid);

/* ---- soak.c ---- */

struct soak_view {
	size_t lost;   /* nodes that failed in this pass because they turned bad */
	bool unlisted; /* one more has failed than the status has room for */
	bool over;     /* it was long enough */
};
/* Looks at the nodes of a wave that soaks, and tells in it what it waits for. */
void soak_look(struct pass *pass, size_t index, struct wave_status *wave, struct soak_view *ret_view);

/* ---- wave.c, budget.c ---- */

#define OTHERS_BUSY_MS 20 /* a write and its watch event take about so long */

void waves_advance(struct pass *pass);
/* No further node is started, in this wave or a later one. */
void fail_wave(struct pass *pass, struct wave_status *wave, const char *reason, const char *message);
bool waves_all_passed(const struct pass *pass);
/* Index of the first wave that has not passed; the number of waves when all have. */
size_t waves_current(const struct pass *pass);
/* Grants what the current wave and the budget allow. */
void grant_targets(struct pass *pass);

/* ---- gate.c ---- */

/* Whether all gates of this moment let a node of the wave start; if not, which one is in pass->gate_waits. What is in
 * work goes on whatever they say. */
bool gates_open(struct pass *pass, const struct wave_spec *wave);
/* What is sent for a query: its placeholders replaced. */
const char *gate_query(const char *query, const struct active *active, size_t active_count, struct kube_arena *arena);

/* ---- approval.c: spec.approval ---- */

/* Nobody has looked at it when it was made. */
bool older_than_guard(const struct guard *guard, const struct kube_object *object);

void approvals_look(struct pass *pass);
/* Whether the current wave has the approvals that it needs to begin; if not, that is decided and told. */
bool approvals_allow(struct pass *pass);
/* Its first node is granted: what allowed it has been used, and is not looked at again. */
void approvals_use(struct pass *pass);
void approvals_want(struct pass *pass); /* the condition Approved, and Stalled where waiting does not help */

/* ---- emergency.c: spec.emergency ---- */

struct refusal {
	const char *reason, *text;
};
/* Why a rollout that is an emergency may not be one, and what to do; text NULL: it may, or is none. */
struct refusal emergency_refusal(const struct rollout_snapshot *s, const struct rollout *rollout,
                                 const struct rules *rules, struct kube_arena *arena);
/* The rollout is an emergency that does not wait for this. */
bool may_bypass(const struct pass *pass, enum bypass what);
/* Whose emergency it is, and why, as a clause. */
const char *emergency_text(const struct pass *pass);
void emergency_want(struct pass *pass); /* Stalled, where it may not be one any more */
/* It passes by what is in the way. */
void decide_override(struct pass *pass, enum bypass what, const char *in_the_way);

/* ---- start.c, expect.c, window_check.c: windows and freezes ---- */

#define ZONES_LOOK_MS (INT64_C(5) * 60 * 1000) /* a time zone that is missing may be installed */

void start_look(struct pass *pass);
/* Whether windows and freezes let a pending target start now; if not, why, and until when, is decided and told. */
bool start_allowed(struct pass *pass);
/* Whether one that was granted may be touched for the first time. */
bool start_still_open(struct pass *pass);
void start_want(struct pass *pass); /* the condition WindowOpen, and Stalled where waiting does not help */

struct expectation {
	size_t targets;                      /* from how many it was learned; 0: from none */
	int64_t step_ms[STEP_COUNT], sum_ms; /* the longest of each step */
	int64_t limits_ms;                   /* what the policy's own limits add up to */
};
void expect_node(const struct pass *pass, struct expectation *ret_expected);
/* How long a node is expected to take that is started while this is open. */
int64_t expected_ms(const struct expectation *expected, const struct window_view *view);
const char *expected_text(const struct expectation *expected, const struct window_view *view, struct kube_arena *arena);

/* Whether a policy can be carried out, as far as it alone tells: rules_check(), its time zones, and that windows and
 * freezes leave a time to work in. */
int policy_check(const struct policy *policy, const struct zone_list *zones, int64_t now_ms, struct kube_arena *arena,
                 struct window_set *ret_windows, struct kube_err *err);

/* ---- self.c: the controller's own node ---- */

bool is_self(const struct pass *pass, const struct pod *pod);
/* This process runs on it. */
bool hosts_self(const struct pass *pass, const struct node *node);
/* Why draining the node would leave nobody who finishes the work, in one sentence; NULL: it would not. */
const char *self_drain_unsafe(struct pass *pass, const struct node *node);

/* ---- overlap.c, refuge.c ---- */

/* Which other policies select some of the same nodes, in one sentence; NULL: none. */
const char *policy_overlap(const struct policy_snapshot *snapshot, struct kube_arena *arena);
/* Why the pods of a node that the policy selects have nowhere to go; NULL: they have. */
const char *drain_goes_nowhere(const struct policy_snapshot *snapshot, struct kube_arena *arena);
/* The first two nodes that could take pods; there may be more. */
struct refuges {
	const struct node *nodes[2];
	size_t count;
};
struct refuges refuges_of(const struct node *const *nodes, size_t count);
bool has_refuge(const struct refuges *refuges, const struct node *drained);

/* ---- exception.c: the policy's exceptions ---- */

/* The first that holds now for this node; NULL: none. policy NULL is fine. */
const struct exception_spec *node_exception(const struct policy *policy, const struct node *node, int64_t now_ms);
/* It holds, or has held: one that had expired before it was seen is refused. */
bool exception_counts(const struct policy *policy, const struct exception_spec *exception, int64_t now_ms);
int exceptions_accept(const struct policy *policy, int64_t now_ms, struct kube_err *err);
/* When the next one expires; KUBE_TIME_NONE: none will. */
int64_t exceptions_change_ms(const struct policy *policy, int64_t now_ms);
/* Which one, until when and why, as a clause. */
const char *exception_text(const struct policy *policy, const char *name, struct kube_arena *arena);
/* The name of the one that keeps a target out; NULL: none. */
const char *target_exception(const struct rollout_snapshot *s, const struct target_view *view);
/* Decides it for the targets of each, and looks again when the next one expires. */
void exceptions_tell(struct pass *pass);

/* ---- intent.c: spec.intent ---- */

/* Decides what people want of it: sets paused or abort_reason. */
void intent_look(struct pass *pass);
/* The same for a rollout without a plan; true: it gets none now. */
bool intent_before_plan(const struct rollout_snapshot *s, struct kube_arena *arena, struct rollout_result *out);

/* ---- planning.c, summary.c, outcome.c ---- */

/* A rollout without a plan: waits for what must come first, then freezes its targets. */
void plan_first(const struct rollout_snapshot *snapshot, struct kube_arena *arena, struct rollout_result *out);
/* pause_reason: why nothing new begins ("Suspended", …), and the same in words; NULL: it may. */
void want_running(struct pass *pass, const char *pause_reason, const char *pause_text);
/* NONE while there is something left to do. */
enum outcome outcome_now(const struct pass *pass, bool halted);
void want_outcome(struct pass *pass, enum outcome outcome);

/* ---- rollout.c ---- */

enum standing target_standing(struct pass *pass, const struct node *node);
bool target_patched(const struct pass *pass, const struct target_pass *target);

/* Forgets the conditions that were carried over. */
void want_anew(struct rollout_status *want);
void want_waiting(struct rollout_result *out, const char *reason, const char *message);
void want_stall(struct rollout_result *out, const char *reason, const char *message);

/* Puts our finalizer on, or takes it off. */
void finalize_rollout(const struct rollout_snapshot *snapshot, struct kube_arena *arena, struct rollout_result *out,
                      bool on);

/* ---- finish.c ---- */

/* An ended rollout that still has our finalizer: report, then clean nodes and job pods, then let it go. */
void finish_rollout(const struct rollout_snapshot *snapshot, struct kube_arena *arena, struct rollout_result *out);
/* Job pods that come to light when it is done: created late, or by a cache that was blind. */
void finish_leftovers(const struct rollout_snapshot *snapshot, struct kube_arena *arena, struct rollout_result *out);
/* A rollout that is deleted and has no plan to go by. */
void abandon_rollout(const struct rollout_snapshot *snapshot, struct kube_arena *arena, struct rollout_result *out);
/* Takes our state off a node, and our cordon with it unless the state's end or a quarantine explains it. */
void release_node(const struct node *node, struct kube_arena *arena, struct actions *actions);
bool rollout_done(const struct rollout *rollout);
/* The node is quarantined, and its state is the reason: it stays until somebody, or the next rollout, frees the node.
 */
bool explains_quarantine(const struct node *node);

#endif
