#include "test/unit/check_main.h"
#include "test/unit/status/wanted.h"

#include <stdio.h>

static struct version_of kernel[] = {{COMPONENT_KERNEL, "6.1.112"}};
static const char *revisions[] = {"r-plan-1"};

/* A rollout in the middle of its work. */
static struct rollout_status working(struct kube_arena *arena)
{
	struct rollout_status wanted = wanted_nothing();
	struct wave_status *waves = kube_arena_calloc(arena, 2, sizeof(*waves));
	struct active *active = kube_arena_calloc(arena, 1, sizeof(*active));
	struct failure *failed = kube_arena_calloc(arena, 1, sizeof(*failed));
	struct decision *decision = kube_arena_alloc(arena, sizeof(*decision));

	waves[0] = (struct wave_status){"canary", WAVE_PASSED, 1, 1, 0, NOW - 3000, NOW - 2000, NOW - 1000, "", "", 0};
	waves[1] =
	    (struct wave_status){"rest", WAVE_RUNNING, 2, 0, 1, NOW, KUBE_TIME_NONE, KUBE_TIME_NONE, "Busy", "it is", 0};
	active[0] = (struct active){
	    .node = "n1",
	    .node_uid = "uid-1",
	    .wave = "rest",
	    .step = STEP_DRAINING,
	    .since_ms = NOW,
	    .attempt = 1,
	    .job_name = "pw-1",
	    .job_uid = "job-uid",
	    .blocked_by = {"PodDisruptionBudget", "shop", "cart", "shop/cart-0", "needs 2 healthy pods", NOW - 5000},
	};
	failed[0] = (struct failure){"n2", "uid-2", "rest", STEP_PATCHING, "JobFailed", "exit 1", NOW};
	*decision = decision_of(arena, DECISION_START, "n1", 1);
	wanted.observed_generation = 2;
	wanted.plan_hash = "ph";
	wanted.policy_hash = "yh";
	wanted.for_uid = "u";
	wanted.revisions = (struct kube_strlist){revisions, 1};
	wanted.epoch = 3;
	wanted.conditions = plan_conditions(arena);
	plan_want(&wanted.conditions, "Progressing", CONDITION_TRUE, "Draining", "m");
	wanted.summary = "wave rest 0/2";
	wanted.progress = "1/3";
	wanted.current_wave = "rest";
	wanted.counts = (struct counts){3, 0, 1, 1, 1, 0, 0, 0};
	wanted.versions.items = kernel;
	wanted.versions.count = 1;
	wanted.waves.items = waves;
	wanted.waves.count = 2;
	wanted.active.items = active;
	wanted.active.count = 1;
	wanted.failed.items = failed;
	wanted.failed.count = 1;
	wanted.started_ms = NOW - 3000;
	wanted.decisions.items = decision;
	wanted.decisions.count = 1;
	return wanted;
}

START_TEST(test_members)
{
#define TIME(name, text) "\"" name "\":\"2026-11-21T11:22:" text "Z\""
	static const char before[] =
	    "{\"active\":[{\"attempt\":1,\"blockedBy\":{\"kind\":\"PodDisruptionBudget\",\"message\":\"needs 2 healthy "
	    "pods\","
	    "\"name\":\"cart\",\"namespace\":\"shop\",\"pod\":\"shop/cart-0\"," TIME(
	        "since",
	        "33") "},\"foreignCordon\":false,"
	              "\"job\":{\"name\":\"pw-1\",\"uid\":\"job-uid\"},\"node\":\"n1\",\"nodeUID\":\"uid-1\"," TIME(
	                  "since", "38") ","
	                                 "\"step\":\"Draining\",\"wave\":\"rest\"}],\"conditions\":[{" TIME(
	                                     "lastTransitionTime",
	                                     "38") ",\"message\":\"m\","
	                                           "\"observedGeneration\":2,\"reason\":\"Draining\",\"status\":\"True\","
	                                           "\"type\":\"Progressing\"}],\"counts\":{"
	                                           "\"active\":1,\"excepted\":0,\"failed\":1,\"patched\":1,\"pending\":0,"
	                                           "\"rolledBack\":0,"
	                                           "\"skipped\":0,\"total\":3},"
	                                           "\"currentWave\":\"rest\",\"decisions\":[{";
	static const char after[] = "}],\"epoch\":3,\"failed\":[{" TIME(
	    "at",
	    "38") ",\"message\":\"exit 1\",\"node\":\"n2\",\"nodeUID\":\"uid-2\","
	          "\"reason\":\"JobFailed\",\"step\":\"Patching\",\"wave\":\"rest\"}],\"observedGeneration\":2,\"plan\":{"
	          "\"forUID\":"
	          "\"u\",\"hash\":\"ph\",\"policyHash\":\"yh\",\"revisions\":[\"r-plan-1\"]},\"progress\":\"1/3\"," TIME(
	              "startedAt",
	              "35") ",\"summary\":\"wave rest "
	                    "0/2\",\"versions\":[{\"component\":\"Kernel\",\"version\":\"6.1.112\"}],\"waves\":[{"
	                    "\"failed\":0," TIME("finishedAt", "36") ",\"name\":\"canary\",\"patched\":1," TIME(
	                        "soakUntil",
	                        "37") "," TIME("startedAt",
	                                       "35") ",\"state\":\"Passed\",\"total\":1},{\"failed\":1,\"message\":\"it "
	                                             "is\","
	                                             "\"name\":\"rest\",\"patched\":0,\"reason\":"
	                                             "\"Busy\"," TIME("startedAt",
	                                                              "38") ",\"state\":\"Running\",\"total\":2}]}";
	struct kube_arena arena = {0};
	struct rollout *rollout = rollout_with(NULL);
	struct rollout_status wanted = working(&arena);
	struct rollout_status_write write = compose(rollout, &wanted, NULL, 0, &arena);
	_cleanup_free_ char *text = kube_json_canonical(write.status);

	ck_assert_msg(strncmp(text, before, strlen(before)) == 0, "%s", text);
	ck_assert_str_eq(strstr(text, "}],\"epoch\""), after);
	ck_assert(write.urgent);
	cJSON_Delete(write.status);
	kube_object_unref(&rollout->object);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(test_before_planning)
{
	struct kube_arena arena = {0};
	struct rollout *rollout = rollout_with(NULL);
	struct rollout_status wanted = wanted_nothing();
	struct rollout_status_write write = compose(rollout, &wanted, NULL, 0, &arena);
	_cleanup_free_ char *text = kube_json_canonical(write.status);

	ck_assert_str_eq(text, "{\"active\":[],\"conditions\":[],\"counts\":{\"active\":0,\"excepted\":0,\"failed\":0,"
	                       "\"patched\":0,\"pending\":0,"
	                       "\"rolledBack\":0,\"skipped\":0,\"total\":0},\"decisions\":[],\"epoch\":1,\"failed\":[],"
	                       "\"observedGeneration\":1,\"versions\":[],\"waves\":[]}");
	cJSON_Delete(write.status);
	kube_object_unref(&rollout->object);
	kube_arena_finish(&arena);
}
END_TEST

/* The rollout whose status is what working() wants. */
static struct rollout *written(struct kube_arena *arena)
{
	struct rollout *empty = rollout_with(NULL);
	struct rollout_status wanted = working(arena);
	struct rollout_status_write write = compose(empty, &wanted, NULL, 0, arena);
	struct rollout *rollout = rollout_with(write.status);
	cJSON_Delete(write.status);
	kube_object_unref(&empty->object);
	return rollout;
}

START_TEST(test_nothing_to_write)
{
	struct kube_arena arena = {0};
	struct rollout *rollout = written(&arena);
	struct rollout_status wanted = working(&arena);
	struct rollout_status_write write = {0};

	ck_assert_int_eq(rollout_status_compose(rollout, &wanted, NULL, 0, NOW + 3600000, &arena, &write, NULL), 0);
	ck_assert_ptr_null(write.status);
	ck_assert(!write.urgent);
	ck_assert_uint_eq(write.spill.count, 0);
	kube_object_unref(&rollout->object);
	kube_arena_finish(&arena);
}
END_TEST

static void other_summary(struct rollout_status *w)
{
	w->summary = "x";
}
static void other_counts(struct rollout_status *w)
{
	w->counts.patched++;
}
static void other_condition(struct rollout_status *w)
{
	w->conditions.items[0].status = CONDITION_FALSE;
}
static void next_step(struct rollout_status *w)
{
	w->active.items[0].step = STEP_PATCHING;
}
static void other_message(struct rollout_status *w)
{
	w->active.items[0].blocked_by.message = "x";
}
static void unblocked(struct rollout_status *w)
{
	w->active.items[0].blocked_by.kind = NULL;
}
static void released(struct rollout_status *w)
{
	w->active.count = 0;
}
static void other_job(struct rollout_status *w)
{
	w->active.items[0].job_uid = "x";
}
static void wave_state(struct rollout_status *w)
{
	w->waves.items[1].state = WAVE_SOAKING;
}
static void other_pdb(struct rollout_status *w)
{
	w->active.items[0].blocked_by.name = "x";
}
static void other_pod(struct rollout_status *w)
{
	w->active.items[0].blocked_by.pod = "x";
}
static void other_kind(struct rollout_status *w)
{
	w->active.items[0].blocked_by.kind = "Webhook";
}
static void new_grant(struct rollout_status *w)
{
	w->active.items[0].node_uid = "x";
}
static void failing(struct rollout_status *w)
{
	w->active.items[0].step = STEP_FAILED;
}
static void rolling_back(struct rollout_status *w)
{
	w->active.items[0].step = STEP_ROLLING_BACK;
}
static void ended(struct rollout_status *w)
{
	w->outcome = OUTCOME_SUCCEEDED;
}
static void new_epoch(struct rollout_status *w)
{
	w->epoch++;
}
static void new_plan(struct rollout_status *w)
{
	w->plan_hash = "x";
}
static void decided(struct rollout_status *w)
{
	w->decisions.items[0].id = "x";
}

/* What others wait for is written at once; what only tells may wait for more. */
START_TEST(test_urgent)
{
	static const struct {
		const char *name;
		void (*change)(struct rollout_status *);
		bool urgent;
	} cases[] = {
	    {"summary", other_summary, false},
	    {"counts", other_counts, false},
	    {"condition", other_condition, false},
	    {"step forward", next_step, false},
	    {"the blocker's message", other_message, false},
	    {"no longer blocked", unblocked, false},
	    {"target done", released, false},
	    {"job seen", other_job, false},
	    {"wave", wave_state, false},
	    {"another budget blocks", other_pdb, true},
	    {"the next pod is blocked by the same", other_pod, false},
	    {"another kind blocks", other_kind, true},
	    {"grant", new_grant, true},
	    {"failure", failing, true},
	    {"roll-back", rolling_back, true},
	    {"end", ended, true},
	    {"epoch", new_epoch, true},
	    {"plan", new_plan, true},
	    {"decision", decided, true},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_arena arena = {0};
		struct rollout *rollout = written(&arena);
		struct rollout_status wanted = working(&arena);
		cases[i].change(&wanted);
		struct rollout_status_write write = compose(rollout, &wanted, NULL, 0, &arena);
		ck_assert_msg(write.status != NULL, "%s: not written", cases[i].name);
		ck_assert_msg(write.urgent == cases[i].urgent, "%s: urgent %d", cases[i].name, write.urgent);
		cJSON_Delete(write.status);
		kube_object_unref(&rollout->object);
		kube_arena_finish(&arena);
	}
}
END_TEST

struct lengths {
	size_t name, label, word, message;
};

/* Every list full, every text as long as given. */
static struct rollout_status fullest(struct kube_arena *arena, const struct lengths *lengths)
{
	size_t name = lengths->name, label = lengths->label;
	struct rollout_status wanted = working(arena);
	const char *text = text_of(arena, 'm', lengths->message), *word = text_of(arena, 'R', lengths->word);

	want_starts(&wanted, arena, 0, MAX_ACTIVE);
	wanted.waves.items = kube_arena_calloc(arena, MAX_WAVES + 4, sizeof(struct wave_status));
	wanted.waves.count = MAX_WAVES + 4;
	wanted.gates.items = kube_arena_calloc(arena, MAX_GATES + 4, sizeof(struct gate_status));
	wanted.gates.count = MAX_GATES + 4;
	for (size_t i = 0; i < wanted.gates.count; i++)
		wanted.gates.items[i] = (struct gate_status){.name = kube_arena_printf(arena, "%064zu", i),
		                                             .verdict = GATE_UNKNOWN,
		                                             .message = text_of(arena, 'g', 300),
		                                             .at_ms = NOW,
		                                             .since_ms = NOW};
	wanted.failed.items = kube_arena_calloc(arena, MAX_FAILED + 30, sizeof(struct failure));
	wanted.failed.count = MAX_FAILED + 30;
	wanted.versions.items = kube_arena_calloc(arena, MAX_PATCHES + 1, sizeof(struct version_of));
	wanted.versions.count = MAX_PATCHES + 1;
	wanted.revisions.items = kube_arena_calloc(arena, 40, sizeof(char *));
	wanted.revisions.count = 40;
	wanted.conditions = plan_conditions(arena);
	wanted.summary = wanted.progress = wanted.current_wave = text;
	for (size_t i = 0; i < MAX_WANTED_CONDITIONS; i++)
		plan_want(&wanted.conditions, kube_arena_printf(arena, "Condition%zu", i), CONDITION_TRUE, word, text);
	for (size_t i = 0; i < wanted.waves.count; i++)
		wanted.waves.items[i] =
		    (struct wave_status){kube_arena_printf(arena, "%s%zu", text_of(arena, 'w', label - 3), i),
		                         WAVE_RUNNING,
		                         1,
		                         1,
		                         1,
		                         NOW,
		                         NOW,
		                         NOW,
		                         text,
		                         text,
		                         NOW};
	for (size_t i = 0; i < wanted.versions.count; i++)
		wanted.versions.items[i] = (struct version_of){COMPONENT_OPERATING_SYSTEM, text};
	for (size_t i = 0; i < wanted.revisions.count; i++)
		wanted.revisions.items[i] = text;
	for (size_t i = 0; i < wanted.failed.count; i++)
		wanted.failed.items[i] = (struct failure){text_of(arena, 'f', name),
		                                          kube_arena_printf(arena, "f%zu-%s", i, text_of(arena, 'u', 34)),
		                                          text_of(arena, 'w', label),
		                                          STEP_QUARANTINED,
		                                          word,
		                                          text,
		                                          NOW};
	for (size_t i = 0; i < MAX_ACTIVE; i++) {
		struct active *active = &wanted.active.items[i];
		struct decision *decision = &wanted.decisions.items[i];
		active->node = kube_arena_printf(arena, "%s%zu", text_of(arena, 'n', name - 3), 100 + i);
		active->node_uid = kube_arena_printf(arena, "%s%zu", text_of(arena, 'u', 33), 100 + i);
		active->wave = text_of(arena, 'w', label);
		active->step = STEP_ROLLING_BACK;
		active->foreign_cordon = true;
		active->reason = word;
		active->message = text;
		active->job_name = text_of(arena, 'j', label);
		active->job_uid = text_of(arena, 'u', 36);
		active->blocked_by = (struct blocker){
		    word, text_of(arena, 's', label), text_of(arena, 'b', name), text_of(arena, 'p', name + label + 1), text,
		    NOW};
		*decision = decision_of(arena, DECISION_ROLLBACK_IMPOSSIBLE, active->node, 1);
		decision->id = kube_arena_printf(arena, "%032zu", i);
		decision->rule = decision->actor = decision->reason = word;
		decision->evidence = text;
	}
	return wanted;
}

struct limit {
	const char *list, *member; /* list NULL: a member of the status itself */
	size_t max;
};

static void check_length(const cJSON *object, const struct limit *limit)
{
	const char *text = kube_json_str(object, limit->member);
	ck_assert_msg(!text || strlen(text) <= limit->max, "%s.%s: %zu bytes", limit->list ? limit->list : "",
	              limit->member, strlen(text ? text : ""));
}

/* The maxLength and maxItems of crds/patchrollouts.yaml. */
static void check_limits(const cJSON *status)
{
	static const struct limit lists[] = {
	    {"plan.revisions", NULL, 32}, {"conditions", NULL, 16}, {"versions", NULL, 8}, {"waves", NULL, 16},
	    {"gates", NULL, 8},           {"active", NULL, 100},    {"failed", NULL, 50},  {"decisions", NULL, 50},
	};
	static const struct limit texts[] = {
	    {NULL, "summary", 512},
	    {NULL, "progress", 32},
	    {NULL, "currentWave", 63},
	    {"conditions", "reason", 64},
	    {"conditions", "message", 512},
	    {"versions", "version", 256},
	    {"waves", "name", 63},
	    {"waves", "reason", 256},
	    {"gates", "name", 63},
	    {"gates", "message", 256},
	    {"active", "node", 253},
	    {"active", "nodeUID", 40},
	    {"active", "reason", 128},
	    {"active", "message", 512},
	    {"active", "job.name", 63},
	    {"active", "blockedBy.kind", 40},
	    {"active", "blockedBy.name", 253},
	    {"active", "blockedBy.pod", 320},
	    {"active", "blockedBy.message", 512},
	    {"failed", "node", 253},
	    {"failed", "reason", 64},
	    {"failed", "message", 256},
	    {"decisions", "id", 32},
	    {"decisions", "subject", 280},
	    {"decisions", "rule", 128},
	    {"decisions", "actor", 128},
	    {"decisions", "reason", 128},
	    {"decisions", "evidence", 512},
	};
	const cJSON *item;

	for (size_t i = 0; i < KUBE_ARRAY_LEN(lists); i++)
		ck_assert_msg(cJSON_GetArraySize(kube_json_get(status, lists[i].list)) <= (int)lists[i].max, "%s",
		              lists[i].list);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(texts); i++) {
		if (!texts[i].list)
			check_length(status, &texts[i]);
		const cJSON *list = texts[i].list ? kube_json_get(status, texts[i].list) : NULL;
		cJSON_ArrayForEach (item, list)
			check_length(item, &texts[i]);
	}
}

static int size_of(const cJSON *status, const char *list)
{
	return cJSON_GetArraySize(kube_json_get(status, list));
}

/* Within 128 KiB with every list full: at usual lengths nothing is left out, at the greatest no grant and no decision.
 */
START_TEST(test_size)
{
	static const struct {
		struct lengths lengths;
		int failed;
		bool blockers;
	} cases[] = {
	    {{16, 12, 16, 60}, MAX_FAILED, true},
	    {{45, 20, 20, 100}, MAX_FAILED, true},
	    {{63, 20, 20, 2000}, 20, true},
	    {{253, 63, 128, 4096}, 5, false},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_arena arena = {0};
		struct rollout *rollout = rollout_with(NULL);
		struct rollout_status wanted = fullest(&arena, &cases[i].lengths);
		struct decision *decisions = wanted.decisions.items;
		/* The grants stand there already, so that none is held back for its decision. */
		wanted.decisions.count = 0;
		struct rollout_status_write write = compose(rollout, &wanted, NULL, 0, &arena);
		struct rollout *granted = rollout_with(write.status);
		cJSON_Delete(write.status);
		wanted.decisions.items = decisions;
		wanted.decisions.count = MAX_DECISIONS;
		write = compose(granted, &wanted, NULL, 0, &arena);
		_cleanup_free_ char *text = kube_json_canonical(write.status);
		ck_assert_msg(strlen(text) < (128 << 10), "case %zu: %zu bytes", i, strlen(text));
		check_limits(write.status);
		ck_assert_int_eq(size_of(write.status, "active"), MAX_ACTIVE);
		ck_assert_int_ge(size_of(write.status, "decisions"), 20);
		ck_assert_int_ge(size_of(write.status, "failed"), cases[i].failed);
		const cJSON *first = cJSON_GetArrayItem(kube_json_get(write.status, "active"), 0);
		ck_assert_int_eq(kube_json_get(first, "blockedBy") != NULL, cases[i].blockers);
		if (getenv("SIZES"))
			printf("names %zu, messages %zu: %zu bytes, %d failed, %d decisions\n", cases[i].lengths.name,
			       cases[i].lengths.message, strlen(text), size_of(write.status, "failed"),
			       size_of(write.status, "decisions"));
		cJSON_Delete(write.status);
		kube_object_unref(&rollout->object);
		kube_object_unref(&granted->object);
		kube_arena_finish(&arena);
	}
}
END_TEST

/* However long a text is, what is written once is right when it is read back. */
START_TEST(test_cut_once)
{
	struct kube_arena arena = {0};
	struct rollout *empty = rollout_with(NULL);
	struct rollout_status wanted = fullest(&arena, &(struct lengths){63, 63, 128, 2000});
	wanted.decisions.count = 0;
	struct rollout_status_write write = compose(empty, &wanted, NULL, 0, &arena);
	struct rollout *rollout = rollout_with(write.status);
	cJSON_Delete(write.status);
	write = compose(rollout, &wanted, NULL, 0, &arena);
	ck_assert_ptr_null(write.status);
	kube_object_unref(&empty->object);
	kube_object_unref(&rollout->object);
	kube_arena_finish(&arena);
}
END_TEST

CHECK_MAIN("rollout status", test_members, test_before_planning, test_nothing_to_write, test_urgent, test_size,
           test_cut_once)
