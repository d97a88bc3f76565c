/* One job pod: what is done about it by what is known, in the cache and beside it. */
#include "controller/plan/step.h"
#include "test/unit/plan/world.h"

static struct world w;

enum verdict { WAITS, CREATES, READS, LOST, TIMEOUT, NOT_CREATED, GIVEN_BACK };
static const char *const verdict_names[] = {
    "waits", "creates", "reads", "fails: JobLost", "fails: JobTimeout", "fails: JobNotCreated", "is given back"};

enum where { NOWHERE, RUNNING, SUCCEEDED };

struct job_case {
	const char *what;
	bool recorded;           /* the status has its UID */
	bool existed, absent;    /* the fact; both false: none */
	enum where cached, read; /* in the cache, in the fact */
	int64_t read_after;      /* seconds after the step began */
	int64_t after;           /* now, seconds after the step began */
	bool busy, aborting, other;
	bool of_another; /* what is known is about another job on the node */
	enum verdict verdict;
};

#define TIMEOUT_S 60 /* of policy_spec()'s job */
#define OVERDUE_S 121

static const struct job_case cases[] = {
    {.what = "nothing is known", .verdict = CREATES},
    {.what = "a creation is on its way", .busy = true, .verdict = WAITS},
    {.what = "another job runs on the node", .other = true, .verdict = WAITS},
    {.what = "another was made, and nobody has seen its end", .of_another = true, .existed = true, .verdict = READS},
    {.what = "another was made, and runs", .of_another = true, .existed = true, .read = RUNNING, .verdict = READS},
    {.what = "another was made, and has ended",
     .of_another = true,
     .existed = true,
     .read = SUCCEEDED,
     .verdict = CREATES},
    {.what = "another was made, and is gone", .of_another = true, .existed = true, .absent = true, .verdict = CREATES},
    {.what = "another was made, and the cache shows it",
     .of_another = true,
     .existed = true,
     .other = true,
     .verdict = WAITS},
    {.what = "the server has none, and none was asked for since", .absent = true, .verdict = CREATES},
    {.what = "it was made", .existed = true, .verdict = READS},
    {.what = "it was made, and the cache will show it", .existed = true, .busy = true, .verdict = WAITS},
    {.what = "it was made, and is gone", .existed = true, .absent = true, .verdict = LOST},
    {.what = "the status has it", .recorded = true, .verdict = READS},
    {.what = "the status has it, and it is gone", .recorded = true, .absent = true, .verdict = LOST},
    {.what = "the status has it, and another runs", .recorded = true, .other = true, .verdict = READS},
    {.what = "the time is up", .after = TIMEOUT_S + 1, .verdict = READS},
    {.what = "the time is up with a creation on its way", .after = TIMEOUT_S + 1, .busy = true, .verdict = WAITS},
    {.what = "the time is up and there is none", .after = TIMEOUT_S + 1, .absent = true, .verdict = NOT_CREATED},
    {.what = "the time is up behind another job",
     .after = TIMEOUT_S + 1,
     .absent = true,
     .other = true,
     .verdict = NOT_CREATED},
    {.what = "the time is up and it is gone", .after = TIMEOUT_S + 1, .existed = true, .absent = true, .verdict = LOST},
    {.what = "given back, nothing is known", .aborting = true, .verdict = READS},
    {.what = "given back, a creation is on its way", .aborting = true, .busy = true, .verdict = WAITS},
    {.what = "given back, there is none", .aborting = true, .absent = true, .verdict = GIVEN_BACK},
    {.what = "given back, it is gone", .aborting = true, .existed = true, .absent = true, .verdict = LOST},
    {.what = "given back, it runs", .aborting = true, .cached = RUNNING, .verdict = WAITS},
    {.what = "it runs", .cached = RUNNING, .verdict = WAITS},
    {.what = "it runs, as it was read", .existed = true, .read = RUNNING, .verdict = READS},
    {.what = "it is overdue, as the cache has it", .cached = RUNNING, .after = OVERDUE_S, .verdict = READS},
    {.what = "it is overdue, and was read too early",
     .cached = RUNNING,
     .existed = true,
     .read = RUNNING,
     .read_after = 30,
     .after = OVERDUE_S,
     .verdict = READS},
    {.what = "it is overdue",
     .cached = RUNNING,
     .existed = true,
     .read = RUNNING,
     .read_after = OVERDUE_S,
     .after = OVERDUE_S,
     .verdict = TIMEOUT},
};

static struct pod *pod_of(struct world_rollout *r, enum where where, const char *name, int64_t created_ms)
{
	if (where == NOWHERE)
		return NULL;
	struct pod *pod = kube_arena_calloc(&w.arena, 1, sizeof(*pod));
	pod->object = (struct kube_object){.name = (char *)name,
	                                   .namespace_ = (char *)"jobs",
	                                   .uid = (char *)"job-uid",
	                                   .created_ms = created_ms,
	                                   .deleted_ms = KUBE_TIME_NONE};
	pod->phase = where == RUNNING ? POD_RUNNING : POD_SUCCEEDED;
	pod->job_step = "job";
	pod->rollout_hash = r->rollout->hash;
	pod->job_node_uid = w.nodes[0]->node.object.uid;
	pod->status_reason = pod->status_message = pod->exit_message = pod->waiting_reason = "";
	return pod;
}

static void arrange(struct world_rollout *r, const struct job_case *c, const char *name)
{
	struct target_view *view = (struct target_view *)&w.snapshot.targets[0];
	int64_t began_ms = view->node->state->since_ms;
	struct job_fact *fact = kube_arena_calloc(&w.arena, 1, sizeof(*fact));
	struct pod_view *job = kube_arena_calloc(&w.arena, 1, sizeof(*job));
	const struct pod **bound = kube_arena_calloc(&w.arena, 1, sizeof(*bound));

	w.snapshot.now_ms = began_ms + SECONDS(c->after);
	*fact = (struct job_fact){.name = c->of_another ? "another" : name,
	                          .existed = c->existed,
	                          .absent = c->absent,
	                          .pod = pod_of(r, c->read, name, began_ms),
	                          .read_ms = c->read ? began_ms + SECONDS(c->read_after) : KUBE_TIME_NONE};
	view->job_fact = c->existed || c->absent ? fact : NULL;
	job->pod = pod_of(r, c->cached, name, began_ms);
	view->jobs = job;
	view->job_count = c->cached != NOWHERE;
	bound[0] = pod_of(r, c->other ? RUNNING : NOWHERE, "another", began_ms);
	view->bound_jobs = bound;
	view->bound_job_count = c->other;
	view->job_busy = c->busy;
	if (c->aborting)
		w.snapshot.policy = NULL;
	if (c->recorded) {
		struct active *granted = &((struct rollout *)w.snapshot.rollout)->status.active.items[0];
		granted->job_name = name;
		granted->job_uid = "job-uid";
	}
}

/* A node is Patching; returns the name of its job pod. */
static const char *begin(const struct job_case *c)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, "'waves':[{'name':'all'}]", ""), false);
	world_add_nodes(&w, 1);
	struct world_rollout *r = world_add_rollout(&w, "r1");
	world_run_to(&w, "n01", STEP_PATCHING);
	world_plan(&w, r);
	const char *name = job_pod_name(r->rollout, w.nodes[0]->node.object.uid, 0, "job", 1, &w.arena);
	arrange(r, c, name);
	return name;
}

static enum verdict verdict_of(void)
{
	const struct active *entry = &w.result.wanted.active.items[0];

	ck_assert_uint_le(world_actions(&w, ACTION_CREATE_JOB) + world_actions(&w, ACTION_READ_JOB), 1);
	if (entry->reason && entry->step == STEP_SKIPPED)
		return GIVEN_BACK;
	if (entry->reason)
		return !strcmp(entry->reason, "JobLost") ? LOST : !strcmp(entry->reason, "JobTimeout") ? TIMEOUT : NOT_CREATED;
	if (world_actions(&w, ACTION_CREATE_JOB))
		return CREATES;
	return world_actions(&w, ACTION_READ_JOB) ? READS : WAITS;
}

static void check_case(const struct job_case *c)
{
	begin(c);
	plan_rollout(&w.snapshot, &w.pass, &w.result);
	enum verdict verdict = verdict_of();
	ck_assert_msg(verdict == c->verdict, "%s: it %s, and should be: it %s", c->what, verdict_names[verdict],
	              verdict_names[c->verdict]);
	if (c->of_another && verdict == READS)
		ck_assert_str_eq(world_action(&w, ACTION_READ_JOB)->read_job.name, "another");
	if (verdict == WAITS ? c->other : c->of_another && verdict == READS)
		ck_assert_str_eq(w.result.wanted.active.items[0].blocked_by.name, "another");
	if (c->other && verdict == NOT_CREATED)
		ck_assert_ptr_nonnull(strstr(w.result.wanted.active.items[0].message, "jobs/another"));
	world_finish(&w);
}

START_TEST(what_is_done_about_a_job_pod)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		check_case(&cases[i]);
}
END_TEST

/* ---- jobs that do not start ---- */

static const struct {
	const char *what;
	enum pod_phase phase;
	const char *waiting;
	int64_t after;    /* seconds since it was made */
	const char *told; /* NULL: nothing is in the way */
} pending_cases[] = {
    {"it runs", POD_RUNNING, "", 50, NULL},
    {"it is new", POD_PENDING, "", 1, NULL},
    {"it starts", POD_PENDING, "ContainerCreating", 59, NULL},
    {"a Secret is missing", POD_PENDING, "ContainerCreating", 61,
     "has not started (ContainerCreating): kubectl describe"},
    {"no kubelet takes it", POD_PENDING, "", 61, "has not started (Pending)"},
    {"its image is missing", POD_PENDING, "ErrImagePull", 1, "has not started (ErrImagePull)"},
};

START_TEST(a_job_that_does_not_start_is_told)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(pending_cases); i++) {
		const char *name = begin(&(const struct job_case){.cached = RUNNING, .after = pending_cases[i].after});
		struct pod *pod = (struct pod *)w.snapshot.targets[0].jobs[0].pod;
		pod->phase = pending_cases[i].phase;
		pod->waiting_reason = pending_cases[i].waiting;
		plan_rollout(&w.snapshot, &w.pass, &w.result);
		const struct blocker *blocker = &w.result.wanted.active.items[0].blocked_by;
		ck_assert_msg(!blocker->kind == !pending_cases[i].told, "%s", pending_cases[i].what);
		if (pending_cases[i].told) {
			ck_assert_str_eq(blocker->name, name);
			ck_assert_msg(strstr(blocker->message, pending_cases[i].told) != NULL, "%s: %s", pending_cases[i].what,
			              blocker->message);
		}
		world_finish(&w);
	}
}
END_TEST

/* ---- job pods whose rollout is gone ---- */

struct orphan_case {
	const char *what;
	bool known, finished, node_gone, held, deleted, busy, young;
	bool beside_held; /* another one of its rollout still has our finalizer */
	size_t released, deletions;
};

static const struct orphan_case orphan_cases[] = {
    {.what = "its rollout is there", .known = true, .finished = true, .held = true},
    {.what = "it runs", .held = true},
    {.what = "it has ended", .finished = true, .held = true, .released = 1},
    {.what = "it has ended just now, and the list of rollouts may be older",
     .finished = true,
     .held = true,
     .young = true},
    {.what = "we write to it", .finished = true, .held = true, .busy = true},
    {.what = "its node is gone", .node_gone = true, .held = true, .released = 1},
    {.what = "it is let go", .finished = true, .deletions = 1},
    {.what = "it is let go, beside one that is not", .finished = true, .beside_held = true, .released = 1},
    {.what = "it is being deleted", .finished = true, .deleted = true},
    {.what = "it is being deleted and held", .finished = true, .deleted = true, .held = true, .released = 1},
};

static void check_orphan(const struct orphan_case *c)
{
	world_init(&w, NULL);
	world_add_nodes(&w, 1);
	struct world_rollout *r = world_add_rollout(&w, "r1");
	struct pod job = {.object = {.created_ms = START_MS, .deleted_ms = c->deleted ? START_MS : KUBE_TIME_NONE},
	                  .phase = c->finished ? POD_SUCCEEDED : POD_RUNNING,
	                  .job_step = "job",
	                  .rollout_hash = c->known ? r->rollout->hash : "0123",
	                  .job_node_uid = c->node_gone ? "gone" : w.nodes[0]->node.object.uid,
	                  .job_finalizer = c->held};
	struct pod other = job;
	other.job_finalizer = true;
	const struct pod_view jobs[] = {{.pod = &job, .busy = c->busy}, {.pod = &other}};
	const struct node *nodes[] = {&w.nodes[0]->node};
	const struct rollout *rollouts[] = {r->rollout};
	const struct orphan_jobs_snapshot snapshot = {.now_ms = START_MS + (c->young ? MINUTES(14) : MINUTES(16)),
	                                              .jobs = jobs,
	                                              .job_count = c->beside_held ? 2 : 1,
	                                              .nodes = nodes,
	                                              .node_count = 1,
	                                              .rollouts = rollouts,
	                                              .rollout_count = 1};
	struct actions actions;
	int64_t look_again_ms;
	size_t released = 0, deletions = 0;
	plan_orphan_jobs(&snapshot, &w.arena, &actions, &look_again_ms);
	for (size_t i = 0; i < actions.count; i++) {
		released += actions.items[i].type == ACTION_RELEASE_JOB;
		deletions += actions.items[i].type == ACTION_DELETE_JOBS;
	}
	ck_assert_msg(released == c->released && deletions == c->deletions && released + deletions == actions.count,
	              "%s: %zu are let go, %zu deletions", c->what, released, deletions);
	ck_assert_int_eq(look_again_ms, c->young ? START_MS + MINUTES(15) : KUBE_TIME_NONE);
	world_finish(&w);
}

START_TEST(job_pods_whose_rollout_is_gone)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(orphan_cases); i++)
		check_orphan(&orphan_cases[i]);
}
END_TEST

CHECK_MAIN("plan/job", what_is_done_about_a_job_pod, a_job_that_does_not_start_is_told, job_pods_whose_rollout_is_gone)
