/* A page of the report. */
#include "controller/act/bodies.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"
#include <kube/time.h>

#define START INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static struct patch patches[] = {
    {.component = COMPONENT_CONTAINER_RUNTIME,
     .version = "1.7.27",
     .observed = {.type = OBSERVED_NODE_INFO, .node_info = NODE_INFO_CONTAINER_RUNTIME}},
    {.component = COMPONENT_CUSTOM, .version = "2", .observed = {.type = OBSERVED_LABEL, .label = "fw"}},
};
static struct rules rules = {.patches = {.items = patches, .count = 2}};
static struct plan plan = {.hash = "ph", .rules = &rules};
static struct rollout rollout = {.object = {.name = "r", .uid = "ru"}, .policy_name = "p"};
static struct counts counts = {.total = 3, .patched = 1, .failed = 1, .skipped = 1};
static struct target targets[] = {{"n1", "u1", 0, NULL}, {"n2", "u2", 1, NULL}, {"n3", "u3", 1, NULL}};
static const char *from[] = {"containerd://1.6.20", "1"};
static const char *good_exits[] = {"job/0=0", "job/1=0"}, *bad_exits[] = {"job/0=0", "job/1=3"};

static struct node_state state_of(int step, const char **exits)
{
	struct node_state state = {
	    .step = step,
	    .attempt = 1,
	    .started_ms = START,
	    .since_ms = START + 90000,
	    .from = {.items = from, .count = 2},
	    .exits = {.items = exits, .count = 2},
	};
	for (int i = 0; i < STEP_COUNT; i++)
		state.times[i] = KUBE_TIME_NONE;
	state.times[STEP_CLAIMED] = state.times[STEP_DRAINING] = START;
	state.times[STEP_PATCHING] = START + 30500;
	state.times[step] = START + 90000;
	return state;
}

static cJSON *make_page(struct report_page *page)
{
	struct decision decision = {.id = "i",
	                            .seq = 1,
	                            .at_ms = START,
	                            .type = DECISION_START,
	                            .subject = "n1",
	                            .rule = "r",
	                            .actor = "a",
	                            .reason = "x",
	                            .evidence = "e",
	                            .previous = "",
	                            .hash = "h"};
	const struct decision *const decisions[] = {&decision};
	page->name = "r-ru-1";
	page->page = 1;
	page->pages = 1;
	page->rollout = &rollout;
	page->counts = &counts;
	page->started_ms = START;
	page->finished_ms = START + 100000;
	page->decisions = decisions;
	page->decision_count = 1;
	return report_body(page);
}

static void check_member(const cJSON *json, const char *path, const char *quoted)
{
	_cleanup_json_ cJSON *expected = json_of(quoted);
	_cleanup_free_ char *is = kube_json_canonical(kube_json_get(json, path)), *should = kube_json_canonical(expected);
	ck_assert_msg(is && strcmp(is, should) == 0, "%s: %s\nnot %s", path, is ? is : "absent", should);
}

static cJSON *full_page(void)
{
	struct kube_object *node =
	    object_of(&node_projection, "{'metadata':{'name':'n1','uid':'u1','labels':{'fw':'2'}},"
	                                "'status':{'nodeInfo':{'containerRuntimeVersion':'containerd://1.7.27'}}}");
	struct node_state patched = state_of(STEP_PATCHED, good_exits), failed = state_of(STEP_FAILED, bad_exits);
	failed.message = "job pod pw-1 ended with exit code 3: no space";
	struct report_target items[] = {
	    {.target = &targets[0], .wave = "canary", .node = (struct node *)node, .state = &patched, .step = STEP_PATCHED},
	    {.target = &targets[1],
	     .wave = "rest",
	     .state = &failed,
	     .step = STEP_FAILED,
	     .reason = "JobFailed",
	     .message = failed.message},
	    {.target = &targets[2], .wave = "rest", .step = STEP_NONE, .reason = "NotStarted"},
	};
	struct report_page page = {
	    .outcome = OUTCOME_FAILED, .plan = &plan, .targets = items, .target_count = KUBE_ARRAY_LEN(items)};
	cJSON *body = make_page(&page);
	kube_object_unref(node);
	return body;
}

START_TEST(head_says_what_it_is_about)
{
	_cleanup_json_ cJSON *body = full_page();
	check_member(body, "metadata", "{'name':'r-ru-1','labels':{'patchwright.io/rollout':'r'}}");
	check_member(body, "spec.rolloutRef", "{'name':'r','uid':'ru'}");
	check_member(body, "spec.policyRef", "{'name':'p'}");
	check_member(body, "spec.outcome", "'Failed'");
	check_member(body, "spec.planHash", "'ph'");
	check_member(body, "spec.versions",
	             "[{'component':'ContainerRuntime','version':'1.7.27'},{'component':'Custom','version':'2'}]");
	check_member(body, "spec.counts",
	             "{'total':3,'pending':0,'active':0,'patched':1,'failed':1,'rolledBack':0,'skipped':1,'excepted':0}");
	check_member(body, "spec.startedAt", "'2026-01-01T00:00:00Z'");
	check_member(body, "spec.finishedAt", "'2026-01-01T00:01:40Z'");
	ck_assert_int_eq(cJSON_GetArraySize(kube_json_get(body, "spec.decisions")), 1);
}
END_TEST

START_TEST(target_that_was_patched)
{
	_cleanup_json_ cJSON *body = full_page();
	const cJSON *target = cJSON_GetArrayItem(kube_json_get(body, "spec.targets"), 0);
	check_member(target, "node", "'n1'");
	check_member(target, "nodeUID", "'u1'");
	check_member(target, "step", "'Patched'");
	check_member(target, "from",
	             "[{'component':'ContainerRuntime','version':'containerd://1.6.20'},"
	             "{'component':'Custom','version':'1'}]");
	check_member(target, "to",
	             "[{'component':'ContainerRuntime','version':'containerd://1.7.27'},"
	             "{'component':'Custom','version':'2'}]");
	check_member(target, "finishedAt", "'2026-01-01T00:01:30Z'");
	check_member(target, "jobs", "[{'step':'job/0','exitCode':0},{'step':'job/1','exitCode':0}]");
	/* Steps last until the next one began; one that was passed at once took no time. */
	check_member(target, "steps",
	             "[{'step':'Claimed','at':'2026-01-01T00:00:00Z','seconds':0},"
	             "{'step':'Draining','at':'2026-01-01T00:00:00Z','seconds':30},"
	             "{'step':'Patching','at':'2026-01-01T00:00:30Z','seconds':59},"
	             "{'step':'Patched','at':'2026-01-01T00:01:30Z'}]");
}
END_TEST

START_TEST(target_that_failed_says_why)
{
	_cleanup_json_ cJSON *body = full_page();
	const cJSON *target = cJSON_GetArrayItem(kube_json_get(body, "spec.targets"), 1);
	check_member(target, "reason", "'JobFailed'");
	check_member(target, "to", "[]"); /* the node is gone */
	check_member(target, "jobs",
	             "[{'step':'job/0','exitCode':0},{'step':'job/1','exitCode':3,"
	             "'message':'job pod pw-1 ended with exit code 3: no space'}]");
}
END_TEST

START_TEST(target_that_never_began)
{
	_cleanup_json_ cJSON *body = full_page();
	const cJSON *target = cJSON_GetArrayItem(kube_json_get(body, "spec.targets"), 2);
	check_member(target, "step", "'Pending'");
	check_member(target, "reason", "'NotStarted'");
	ck_assert_ptr_null(kube_json_get(target, "startedAt"));
	ck_assert_ptr_null(kube_json_get(target, "steps"));
}
END_TEST

/* Stopped before it was planned. */
START_TEST(page_without_a_plan)
{
	struct report_page page = {.outcome = OUTCOME_ABORTED};
	_cleanup_json_ cJSON *body = make_page(&page);
	check_member(body, "spec.outcome", "'Aborted'");
	check_member(body, "spec.targets", "[]");
	ck_assert_ptr_null(kube_json_get(body, "spec.planHash"));
}
END_TEST

CHECK_MAIN("report", head_says_what_it_is_about, target_that_was_patched, target_that_failed_says_why,
           target_that_never_began, page_without_a_plan)
