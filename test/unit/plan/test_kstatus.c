/* What kstatus reads in a rollout, from its creation to its end. */
#include "test/unit/plan/kstatus.h"
#include "test/unit/plan/world.h"

#define ONE_WAVE "'order':['Name'],'waves':[{'name':'all'}]"
#define NIGHT(duration) \
	",'windows':[{'name':'night','type':'Weekly','days':['Mon','Tue','Wed','Thu','Fri','Sat','Sun'],'start':'02:00'," \
	"'duration':'" duration "'}]"
#define FAR_OFF MINUTES(60 * 24)

static struct world w;
static struct world_rollout *r;

static void begin(const char *strategy, const char *more)
{
	world_init(&w, NULL);
	w.author = "alice";
	w.guard.since_ms = START_MS - MINUTES(60);
	world_set_policy(
	    &w, kube_arena_printf(&w.arena, "%s%s", policy_spec(&w, 1, false, strategy, "'timeout':'3h'"), more), false);
	world_add_nodes(&w, 2);
	r = world_add_rollout(&w, "r1");
}

static void intend(const char *action)
{
	world_set_rollout(&w, r, "spec.intent",
	                  kube_arena_printf(&w.arena, "{'action':'%s','by':'alice','reason':'the disks'}", action));
	world_set_rollout(&w, r, "metadata.generation", "2");
}

static void not_looked_at(void)
{
	begin(ONE_WAVE, "");
}

static void planned(void)
{
	not_looked_at();
	while (!r->rollout->status.plan_hash)
		ck_assert(world_step(&w));
}

static void at_work(void)
{
	begin(ONE_WAVE, "");
	world_run_to(&w, "n01", STEP_PATCHING);
}

static void closed(void)
{
	begin(ONE_WAVE, NIGHT("3h"));
	world_run(&w, MINUTES(10));
}

static void without_window(void)
{
	begin(ONE_WAVE, NIGHT("10m"));
	w.pod_grace_ms = MINUTES(12);
	world_add_pod(&w, "n01", "p1", "app");
	world_add_pod(&w, "n02", "p2", "app");
	world_run(&w, FAR_OFF); /* the first node shows how long one takes */
}

static void not_approved(void)
{
	begin(ONE_WAVE, ",'approval':{'mode':'Rollout'}");
	world_run(&w, MINUTES(10));
}

static void without_guard(void)
{
	not_approved();
	w.guard = (struct guard){.problem = "the policy is missing"};
	world_run(&w, MINUTES(10));
}

static void guarded_again(void)
{
	without_guard();
	w.guard = (struct guard){.since_ms = w.now_ms};
	world_run(&w, MINUTES(10));
}

static void without_policy(void)
{
	begin(ONE_WAVE, "");
	w.policy = NULL;
	world_run(&w, MINUTES(10));
}

static void with_policy_again(void)
{
	struct policy *policy;
	begin(ONE_WAVE, "");
	policy = w.policy;
	w.policy = NULL;
	world_run(&w, MINUTES(10));
	w.policy = policy;
	world_run_to(&w, "n01", STEP_PATCHING);
}

static void not_yet_read(void)
{
	at_work();
	intend("Pause");
}

static void paused(void)
{
	not_yet_read();
	world_run(&w, FAR_OFF);
}

static void aborted(void)
{
	at_work();
	intend("Abort");
	world_run(&w, FAR_OFF);
}

static void failed(void)
{
	begin(ONE_WAVE, "");
	w.nodes[0]->host = HOST_FAILS;
	world_run(&w, FAR_OFF);
}

static void succeeded(void)
{
	begin(ONE_WAVE, "");
	world_run(&w, FAR_OFF);
}

static void deleted(void)
{
	at_work();
	world_delete_rollout(&w, r);
}

static const struct {
	const char *what;
	void (*bring_about)(void);
	const char *reading, *ready; /* ready: status of the condition that `kubectl wait` looks at; "": absent */
} rows[] = {
    {"nobody has looked at it", not_looked_at, "InProgress", ""},
    {"planned", planned, "InProgress", "False"},
    {"at work", at_work, "InProgress", "False"},
    {"the window is closed", closed, "InProgress", "False"},
    {"no window is long enough", without_window, "Failed", "False"},
    {"not approved yet", not_approved, "InProgress", "False"},
    {"approvals count for nothing", without_guard, "Failed", "False"},
    {"approvals count again", guarded_again, "InProgress", "False"},
    {"its policy is missing", without_policy, "Failed", "False"},
    {"its policy came after it", with_policy_again, "InProgress", "False"},
    {"its spec has changed", not_yet_read, "InProgress", "False"},
    {"paused", paused, "InProgress", "False"},
    {"aborted", aborted, "Failed", "False"},
    {"failed", failed, "Failed", "False"},
    {"succeeded", succeeded, "Current", "True"},
    {"being deleted", deleted, "Terminating", "False"},
};

START_TEST(each_state_has_its_reading)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		rows[i].bring_about();
		const struct conditions *conditions = &r->rollout->status.conditions;
		const struct condition *ready = condition_get(conditions, "Ready");
		ck_assert_msg(strcmp(kstatus(r->json), rows[i].reading) == 0, "%s: %s, %s", rows[i].what, kstatus(r->json),
		              r->rollout->status.summary);
		ck_assert_msg(strcmp(ready ? condition_status_names[ready->status] : "", rows[i].ready) == 0, "%s: Ready",
		              rows[i].what);
		ck_assert_msg(!condition_get(conditions, "Reconciling") || !condition_get(conditions, "Stalled"),
		              "%s: the order of two conditions decides", rows[i].what);
		world_finish(&w);
	}
}
END_TEST

CHECK_MAIN("kstatus", each_state_has_its_reading)
