/* The steps of a target between its drain and its end, and their jobs. For the files of one target. Not for others. */
#ifndef PLAN_STEP_H
#define PLAN_STEP_H

#include "controller/plan/internal.h"

/* ---- job.c: one attempt of one job pod ---- */

enum job_progress { JOB_WAIT, JOB_DONE, JOB_FAILED };
struct job_view {
	enum job_progress progress;
	const char *reason, *message; /* of FAILED */
	const char *name, *uid;       /* of the pod, once it is there; uid NULL: not known */
	bool exists;
	bool absent;            /* none is there, which is sure, and none is made: all is being given back */
	struct blocker blocker; /* what it waits for before it is made; kind NULL: nothing */
	int64_t exit_code;
};
/* The word for the job of a step ("prepare", "job", "verify", "rollback"); NULL: it has none. */
const char *job_word(enum step step);
/* What a patch has for this word; NULL: none. */
const struct job_template *job_template_of(const struct patch *patch, const char *step);
/* step: its word. Adds ACTION_CREATE_JOB when the pod is to be made, ACTION_READ_JOB when the cache cannot
 * be relied upon. */
void job_run(struct pass *pass, const struct target_pass *target, size_t patch, const char *step,
             struct job_view *ret_view);
/* True when the job's pod is there and its container has ended. */
bool job_exit_code(const struct pass *pass, const struct target_pass *target, size_t patch, const char *step,
                   int64_t *ret_exit_code);
const char *job_pod_name(const struct rollout *rollout, const char *node_uid, size_t patch, const char *step,
                         int64_t attempt, struct kube_arena *arena);

/* ---- target_job.c: the job of the step that a target is in ---- */

/*
 * Carries the job of the target's step and patch on: makes it, records it, tries it again where that is allowed, fails
 * the target or gives it back. True: it has ended well, and what comes next is to be written.
 */
bool target_job_done(struct pass *pass, const struct target_pass *target, struct active *entry,
                     struct job_view *ret_job);
/* A job that has failed gets its next attempt where it has one left; false: it has none. */
bool job_retried(struct pass *pass, const struct target_pass *target, const struct job_view *job);
/* The state names a patch that the plan does not have: fails the target. */
bool patch_unusable(struct pass *pass, const struct target_pass *target, struct active *entry);

/* ---- prepare.c, patching.c, reboot.c, verify.c: one step each ---- */

void step_preparing(struct pass *pass, const struct target_pass *target, struct active *entry);
void step_patching(struct pass *pass, const struct target_pass *target, struct active *entry);
/* The patch in work is done: the next one, or what is left to see. */
void leave_patch(struct pass *pass, const struct target_pass *target, struct node_state *state);
/* Another boot ID than the one that was last accounted for. */
bool target_rebooted(const struct target_pass *target);
void fail_rebooted(struct pass *pass, const struct target_pass *target, struct active *entry);
/* A job that failed because its node went away. */
bool died_with_node(const struct target_pass *target, const struct job_view *job);
/* A reboot is expected after the job, or has taken the job with it. job NULL: nothing is known of its end. */
void begin_rebooting(struct pass *pass, const struct target_pass *target, const struct job_view *job);
void step_rebooting(struct pass *pass, const struct target_pass *target, struct active *entry);
/* Pods may come while the host is being changed; whoever uncordoned the node has decided that. */
void note_uncordon(struct pass *pass, const struct target_pass *target, const struct active *entry);
/* Every patch that was to be done shows its version. */
bool verified(const struct pass *pass, const struct target_pass *target);
void fail_not_observed(struct pass *pass, const struct target_pass *target, struct active *entry);
/* The longest observeTimeout. */
int64_t observe_timeout(const struct rules *rules);
/* To Verifying, or past it at once where there is nothing to wait for: state is the target's next one, written here. */
void enter_verifying(struct pass *pass, const struct target_pass *target, struct node_state *state);
void step_verifying(struct pass *pass, const struct target_pass *target, struct active *entry);
void tell_patched(struct pass *pass, const struct target_pass *target);

#endif
