/* plan_policy(): conditions, the next rollout, history. And the nodes of rollouts that are gone. */
#include "test/unit/plan/kstatus.h"
#include "test/unit/plan/world.h"

static struct world w;
static struct policy_snapshot s;
static struct policy_result result;

static void begin(int nodes, int outdated)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, NULL, ""), false);
	world_add_nodes(&w, nodes);
	for (int i = outdated; i < nodes; i++)
		w.nodes[i]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://" NEW;
	s = (struct policy_snapshot){0};
}

/* Everything that is not set stays as the caller of plan_policy() has set it in s. */
static void plan(void)
{
	static const struct node *nodes[100];
	static const struct rollout *rollouts[40];
	static bool busy[40];

	s.now_ms = w.now_ms;
	s.policy = w.policy;
	s.nodes = nodes;
	s.rollouts = rollouts;
	s.rollout_busy = busy;
	s.node_count = s.rollout_count = 0;
	for (size_t i = 0; i < w.node_count; i++)
		nodes[s.node_count++] = &w.nodes[i]->node;
	for (size_t i = 0; i < w.rollout_count; i++) {
		if (w.rollouts[i].gone)
			continue;
		busy[s.rollout_count] = w.rollouts[i].busy > 0;
		rollouts[s.rollout_count++] = w.rollouts[i].rollout;
	}
	plan_policy(&s, &w.arena, &result);
}

static const struct condition *wanted(const char *type)
{
	for (size_t i = 0; i < result.wanted.conditions.count; i++)
		if (!strcmp(result.wanted.conditions.items[i].type, type))
			return &result.wanted.conditions.items[i];
	return NULL;
}

static void check_condition(const char *what, const char *type, int status, const char *reason)
{
	const struct condition *c = wanted(type);
	ck_assert_msg(c != NULL, "%s: there is no condition %s", what, type);
	ck_assert_msg(c->status == status && !strcmp(c->reason, reason), "%s: %s is %s/%s", what, type,
	              condition_status_names[c->status], c->reason);
	ck_assert(c->message && *c->message);
}

static const char *read_by_kstatus(void)
{
	struct kube_err err = {0};
	cJSON *object = cJSON_CreateObject(), *status = NULL;

	cJSON_AddNumberToObject(cJSON_AddObjectToObject(object, "metadata"), "generation",
	                        (double)w.policy->object.generation);
	ck_assert_int_eq(policy_status_compose(w.policy, &result.wanted, w.now_ms, &w.arena, &status, &err), 0);
	cJSON_AddItemToObject(object, "status", status);
	const char *reading = kstatus(object);
	cJSON_Delete(object);
	return reading;
}

static size_t created(void)
{
	size_t count = 0;
	for (size_t i = 0; i < result.actions.count; i++)
		count += result.actions.items[i].type == ACTION_CREATE_ROLLOUT;
	return count;
}

static struct world_rollout *add_done(const char *name, const char *outcome, int64_t finished_ms)
{
	char at[KUBE_TIME_TEXT_SIZE];
	struct world_rollout *r = world_add_rollout(&w, name);
	world_set_rollout(&w, r, "status",
	                  kube_arena_printf(&w.arena,
	                                    "{'outcome':'%s','summary':'the sum','plan':{'hash':'h','policyHash':'%s'},"
	                                    "'startedAt':'2026-09-21T00:00:00Z','finishedAt':'%s','versions':["
	                                    "{'component':'ContainerRuntime','version':'1.7.27'}]}",
	                                    outcome, w.policy->hash, kube_time_format(finished_ms, at)));
	return r;
}

/* A rollout that cannot even begin: the policy is not at work either. */
START_TEST(a_rollout_that_cannot_begin)
{
	begin(3, 1);
	struct world_rollout *r = world_add_rollout(&w, "r1");
	world_set_rollout(
	    &w, r, "status",
	    "{'conditions':[{'type':'Stalled','status':'True','reason':'VersionNotAllowed','message':'no way',"
	    "'lastTransitionTime':'2026-09-21T00:00:00Z'}]}");
	plan();
	check_condition("it cannot begin", "Stalled", CONDITION_TRUE, "VersionNotAllowed");
	ck_assert_str_eq(wanted("Ready")->message, "PatchRollout r1: no way");
	world_finish(&w);
}
END_TEST

START_TEST(conditions)
{
	static const struct {
		const char *what;
		int nodes, outdated;
		bool suspend, manual, current, creating, error, unknown, newer;
		const char *done;
		const char *ready; /* reason of Ready */
		int ready_status;
		const char *other; /* Stalled or Reconciling; NULL: neither */
		const char *up_to_date;
		size_t created;
	} cases[] = {
	    {"up to date", 3, 0, .ready = "UpToDate", .ready_status = CONDITION_TRUE, .up_to_date = "AllAtVersion"},
	    {"outdated", 3, 1, .ready = "RolloutStarting", .other = "Reconciling", .up_to_date = "Outdated", .created = 1},
	    {"being created", 3, 1, .creating = true, .ready = "RolloutStarting", .other = "Reconciling",
	     .up_to_date = "Outdated"},
	    {"in progress", 3, 1, .current = true, .ready = "RolloutInProgress", .other = "Reconciling",
	     .up_to_date = "Outdated"},
	    {"suspended", 3, 1, .suspend = true, .ready = "Suspended", .up_to_date = "Outdated"},
	    {"suspended, nothing to do", 3, 0, .suspend = true, .ready = "UpToDate", .ready_status = CONDITION_TRUE,
	     .up_to_date = "AllAtVersion"},
	    {"manual", 3, 1, .manual = true, .ready = "TriggerManual", .up_to_date = "Outdated"},
	    {"failed before", 3, 1, .done = "Failed", .ready = "RolloutFailed", .other = "Stalled",
	     .up_to_date = "Outdated"},
	    {"rolled back before", 3, 1, .done = "RolledBack", .ready = "RolloutFailed", .other = "Stalled",
	     .up_to_date = "Outdated"},
	    {"aborted before", 3, 1, .done = "Aborted", .ready = "RolloutFailed", .other = "Stalled",
	     .up_to_date = "Outdated"},
	    {"superseded before", 3, 1, .done = "Superseded", .ready = "RolloutStarting", .other = "Reconciling",
	     .up_to_date = "Outdated", .created = 1},
	    {"succeeded before", 3, 1, .done = "Succeeded", .ready = "RolloutStarting", .other = "Reconciling",
	     .up_to_date = "Outdated", .created = 1},
	    {"failed before, but it is done by now", 3, 0, .done = "Failed", .ready = "UpToDate",
	     .ready_status = CONDITION_TRUE, .up_to_date = "AllAtVersion"},
	    {"no nodes", 0, 0, .ready = "NoTargets", .other = "Stalled", .up_to_date = "NoTargets"},
	    {"nothing to see", 3, 0, .unknown = true, .ready = "NotObserved", .other = "Stalled",
	     .up_to_date = "AllAtVersion"},
	    {"newer", 3, 0, .newer = true, .ready = "UpToDate", .ready_status = CONDITION_TRUE,
	     .up_to_date = "AllAtVersion"},
	    {"an effect fails", 3, 1, .error = true, .ready = "Forbidden", .other = "Stalled", .up_to_date = "Outdated",
	     .created = 1},
	};
	static const struct effect_error error = {
	    .what = "create PatchRollout", .reason = "Forbidden", .message = "no right"};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		begin(cases[i].nodes, cases[i].outdated);
		w.policy->suspend = cases[i].suspend;
		w.policy->trigger = cases[i].manual ? TRIGGER_MANUAL : TRIGGER_AUTOMATIC;
		if (cases[i].current)
			world_add_rollout(&w, "r1");
		if (cases[i].done)
			add_done("r0", cases[i].done, w.now_ms);
		if (cases[i].unknown)
			w.nodes[0]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "";
		if (cases[i].newer)
			w.nodes[0]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://2.0.0";
		s.creating = cases[i].creating;
		s.effect_error = cases[i].error ? &error : NULL;
		plan();
		const char *what = cases[i].what;
		check_condition(what, "Accepted", CONDITION_TRUE, "Valid");
		check_condition(what, "Ready", cases[i].ready_status, cases[i].ready);
		const char *other = cases[i].other;
		ck_assert_msg((wanted("Stalled") != NULL) == (other && !strcmp(other, "Stalled")), "%s: Stalled", what);
		ck_assert_msg((wanted("Reconciling") != NULL) == (other && !strcmp(other, "Reconciling")), "%s: Reconciling",
		              what);
		const char *reading = cases[i].ready_status == CONDITION_TRUE  ? "Current"
		                      : other && strcmp(other, "Stalled") == 0 ? "Failed"
		                                                               : "InProgress";
		ck_assert_msg(strcmp(read_by_kstatus(), reading) == 0, "%s: kstatus reads %s", what, read_by_kstatus());
		bool ok = !strcmp(cases[i].up_to_date, "AllAtVersion");
		check_condition(what, "UpToDate", ok ? CONDITION_TRUE : CONDITION_FALSE, cases[i].up_to_date);
		check_condition(what, "Drifted", cases[i].outdated ? CONDITION_TRUE : CONDITION_FALSE,
		                cases[i].outdated ? "Outdated" : "InSync");
		ck_assert_msg(created() == cases[i].created, "%s: %zu rollouts", what, created());
		ck_assert_int_eq(result.wanted.targets.total, cases[i].nodes);
		ck_assert_int_eq(result.wanted.targets.outdated, cases[i].outdated);
		ck_assert_int_eq(result.wanted.targets.unsupported, cases[i].unknown || cases[i].newer);
		ck_assert_int_eq(result.look_again_ms, KUBE_TIME_NONE);
		world_finish(&w);
	}
}
END_TEST

START_TEST(what_cannot_be_carried_out)
{
	begin(2, 2);
	w.policy->rules.patches.items[0].version = "latest";
	plan();
	check_condition("latest", "Accepted", CONDITION_FALSE, "Invalid");
	check_condition("latest", "Ready", CONDITION_FALSE, "Invalid");
	check_condition("latest", "Stalled", CONDITION_TRUE, "Invalid");
	ck_assert_ptr_nonnull(strstr(wanted("Accepted")->message, "latest"));
	ck_assert_uint_eq(created(), 0);
	world_finish(&w);
}
END_TEST

/* A canary whose selector is misspelt must not be passed over. */
START_TEST(a_wave_that_covers_nothing)
{
	begin(2, 2);
	world_set_policy(&w,
	                 policy_spec(&w, 1, false,
	                             "'waves':[{'name':'canary','selector':{'matchLabels':{'stage':'canary'}}},"
	                             "{'name':'rest'}]",
	                             ""),
	                 false);
	s.policy = w.policy;
	plan();
	check_condition("misspelt", "Accepted", CONDITION_FALSE, "WaveCoversNothing");
	check_condition("misspelt", "Stalled", CONDITION_TRUE, "WaveCoversNothing");
	ck_assert_ptr_nonnull(strstr(wanted("Accepted")->message, "(canary)"));
	ck_assert_uint_eq(created(), 0);
	world_label(&w, w.nodes[1], "stage", "canary");
	plan();
	check_condition("labelled", "Accepted", CONDITION_TRUE, "Valid");
	ck_assert_uint_eq(created(), 1);
	world_finish(&w);
}
END_TEST

/* Both of them say so, and one that is alone does not. */
START_TEST(policies_that_overlap)
{
	begin(3, 0);
	struct policy other = *w.policy, third = *w.policy;
	const struct policy *all[] = {w.policy, &other, &third};
	other.object.name = "other";
	third.object.name = "third";
	s.policies = all;
	s.policy_count = 1;
	plan();
	ck_assert_ptr_null(wanted("Overlapping"));
	s.policy_count = 2;
	plan();
	check_condition("two", "Overlapping", CONDITION_TRUE, "TargetsOverlap");
	ck_assert_ptr_nonnull(
	    strstr(wanted("Overlapping")->message, "PatchPolicy other selects 3 of the same nodes (n01)"));
	s.policy_count = 3;
	plan();
	ck_assert_ptr_nonnull(strstr(wanted("Overlapping")->message, "; so do 1 more policies"));
	for (size_t i = 0; i < w.node_count; i++)
		w.nodes[i]->node.labels.count = 0;
	plan();
	ck_assert_ptr_null(wanted("Overlapping"));
	world_finish(&w);
}
END_TEST

static bool goes_nowhere(void)
{
	plan();
	if (wanted("DrainGoesNowhere"))
		check_condition("nowhere", "DrainGoesNowhere", CONDITION_TRUE, "NoOtherNode");
	return wanted("DrainGoesNowhere") != NULL;
}

START_TEST(small_clusters)
{
	static struct taint taint = {.key = "node-role.kubernetes.io/control-plane", .value = "", .effect = "NoSchedule"};
	struct node_state state = {.step = STEP_PATCHING};

	begin(1, 1);
	ck_assert(goes_nowhere());
	ck_assert_ptr_nonnull(strstr(wanted("DrainGoesNowhere")->message, "for the pods of n01"));
	w.policy->rules.drain.enabled = false;
	ck_assert(!goes_nowhere());
	w.policy->rules.drain.enabled = true;
	world_add_node(&w, "n02");
	ck_assert(!goes_nowhere());
	struct node *second = &w.nodes[1]->node;
	second->ready = false;
	ck_assert(goes_nowhere());
	second->ready = second->unschedulable = true;
	ck_assert(goes_nowhere());
	second->state = &state; /* in work: we give it back */
	ck_assert(!goes_nowhere());
	state.foreign_cordon = true;
	ck_assert(goes_nowhere());
	second->state = NULL;
	second->unschedulable = false;
	second->taints.items = &taint;
	second->taints.count = 1;
	ck_assert(goes_nowhere());
	taint.effect = "PreferNoSchedule";
	ck_assert(!goes_nowhere());
	second->os = "windows";
	ck_assert(goes_nowhere());
	world_finish(&w);
}
END_TEST

START_TEST(nothing_is_done_about_a_busy_policy)
{
	begin(2, 2);
	s.policy_busy = true;
	plan();
	ck_assert(!result.write_status && result.actions.count == 0);
	s.policy_busy = false;
	w.policy->object.deleted_ms = w.now_ms;
	plan();
	ck_assert(!result.write_status && result.actions.count == 0);
	world_finish(&w);
}
END_TEST

START_TEST(names)
{
	begin(2, 2);
	plan();
	const char *first = result.actions.items[0].create_rollout.name;
	ck_assert_uint_eq(strlen(first), strlen("pool-") + 5);
	ck_assert_int_eq(strncmp(first, "pool-", 5), 0);
	plan();
	ck_assert_str_eq(result.actions.items[0].create_rollout.name, first); /* the same view, the same name */
	add_done(first, "Superseded", w.now_ms);
	plan();
	const char *second = result.actions.items[0].create_rollout.name;
	ck_assert_str_ne(second, first);
	w.rollouts[0].rollout->status.policy_hash = "another";
	add_done(second, "Superseded", w.now_ms - SECONDS(60)); /* older: the name that comes next is taken */
	plan();
	ck_assert_str_ne(result.actions.items[0].create_rollout.name, second);
	ck_assert_str_ne(result.actions.items[0].create_rollout.name, first);
	world_finish(&w);
}
END_TEST

START_TEST(a_changed_policy_may_try_again)
{
	begin(2, 2);
	struct world_rollout *r = add_done("r0", "Failed", w.now_ms);
	plan();
	ck_assert_uint_eq(created(), 0);
	world_set_rollout(&w, r, "status.plan.policyHash", "'other'");
	plan();
	ck_assert_uint_eq(created(), 1);
	world_finish(&w);
}
END_TEST

/* A failure is forgotten when a later attempt, made by a person, went well. */
START_TEST(the_latest_counts)
{
	begin(2, 2);
	add_done("r0", "Failed", w.now_ms - MINUTES(5));
	add_done("r1", "Succeeded", w.now_ms);
	plan();
	ck_assert_uint_eq(created(), 1);
	world_finish(&w);
}
END_TEST

START_TEST(history)
{
	static const struct {
		int64_t limit;
		size_t deleted;
		bool same_second; /* they all ended in it: the order is by name then */
	} cases[] = {{10, 0, false}, {3, 2, false}, {1, 4, false}, {0, 4, false}, {3, 2, true}, {1, 4, true}};
	/* The newest always stays: it says whether the last one failed. */
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		begin(2, 0);
		w.policy->history_limit = cases[i].limit;
		for (int k = 0; k < 5; k++)
			add_done(kube_arena_printf(&w.arena, "r%d", k), "Succeeded",
			         w.now_ms + (cases[i].same_second ? 0 : MINUTES(k)));
		plan();
		ck_assert_uint_eq(result.actions.count, cases[i].deleted);
		for (size_t k = 0; k < result.actions.count; k++) {
			ck_assert_int_eq(result.actions.items[k].type, ACTION_DELETE_ROLLOUT);
			ck_assert_str_eq(result.actions.items[k].delete_rollout->object.name, w.rollouts[k].rollout->object.name);
		}
		world_finish(&w);
	}
}
END_TEST

START_TEST(history_of_others_is_theirs)
{
	begin(2, 0);
	w.policy->history_limit = 1;
	for (int k = 0; k < 5; k++)
		add_done(kube_arena_printf(&w.arena, "r%d", k), "Succeeded", w.now_ms + MINUTES(k));
	world_set_rollout(&w, &w.rollouts[0], "metadata.ownerReferences", NULL);                       /* a person's */
	world_set_rollout(&w, &w.rollouts[1], "metadata.finalizers", "['patchwright.io/rollout']");    /* not done */
	world_set_rollout(&w, &w.rollouts[2], "metadata.deletionTimestamp", "'2026-11-21T00:00:00Z'"); /* going */
	w.rollouts[3].busy = 1;
	plan();
	ck_assert_uint_eq(result.actions.count, 0);
	world_finish(&w);
}
END_TEST

START_TEST(the_last_success)
{
	begin(2, 0);
	add_done("r0", "Succeeded", START_MS + MINUTES(1));
	add_done("r1", "Failed", START_MS + MINUTES(2));
	plan();
	_cleanup_json_ cJSON *json = cJSON_Parse(result.wanted.last_successful_json);
	ck_assert_str_eq(kube_json_str(json, "name"), "r0");
	ck_assert_ptr_nonnull(kube_json_get(json, "versions"));
	/* Once the rollout is history, what the policy says of it stays. */
	w.policy->last_successful_json = "{\"name\":\"older\"}";
	w.rollouts[0].gone = w.rollouts[1].gone = true;
	plan();
	ck_assert_str_eq(result.wanted.last_successful_json, "{\"name\":\"older\"}");
	/* A status that somebody wrote without its times. */
	w.rollouts[0].gone = false;
	world_set_rollout(&w, &w.rollouts[0], "status.startedAt", NULL);
	plan();
	ck_assert_ptr_nonnull(strstr(result.wanted.last_successful_json, "\"duration\":\"0s\""));
	world_set_rollout(&w, &w.rollouts[0], "status.finishedAt", NULL);
	plan();
	ck_assert_ptr_nonnull(result.wanted.last_successful_json);
	world_finish(&w);
}
END_TEST

START_TEST(versions)
{
	begin(3, 2);
	plan();
	ck_assert_uint_eq(result.wanted.versions.count, 2);
	ck_assert_str_eq(result.wanted.versions.items[0].version, "containerd://" OLD);
	ck_assert_int_eq(result.wanted.versions.items[0].count, 2);
	ck_assert_int_eq(result.wanted.versions.items[1].count, 1);
	ck_assert_str_eq(result.wanted.progress, "1/3");
	world_finish(&w);
	begin(60, 60);
	for (size_t i = 0; i < w.node_count; i++)
		w.nodes[i]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = kube_arena_printf(&w.arena, "1.6.%zu", i);
	plan();
	ck_assert_uint_eq(result.wanted.versions.count, 50);
	ck_assert_int_eq(result.wanted.targets.outdated, 60);
	world_finish(&w);
}
END_TEST

/* A node that is going away (its machine's finalizers can take an hour) is no reason for a rollout: its plan would be
 * empty, it would succeed at once, and the next one would be made, without end. */
START_TEST(a_node_that_is_being_deleted_makes_no_rollout)
{
	begin(2, 1);
	w.nodes[0]->node.object.deleted_ms = w.now_ms;
	w.auto_policy = true;
	world_run(&w, MINUTES(10));
	ck_assert_uint_eq(w.rollout_count, 0);
	plan();
	ck_assert_uint_eq(created(), 0);
	ck_assert_int_eq(result.wanted.targets.total, 1);
	check_condition("going", "Ready", CONDITION_TRUE, "UpToDate");
	world_finish(&w);
}
END_TEST

START_TEST(a_policy_makes_rollouts_until_all_is_well)
{
	begin(3, 3);
	w.auto_policy = true;
	world_run(&w, MINUTES(600));
	ck_assert_uint_eq(w.rollout_count, 1);
	world_check_tidy(&w, &w.rollouts[0]);
	world_add_node(&w, "late");
	world_run(&w, MINUTES(600));
	ck_assert_uint_eq(w.rollout_count, 2);
	world_check_tidy(&w, &w.rollouts[1]);
	plan();
	check_condition("end", "Ready", CONDITION_TRUE, "UpToDate");
	world_finish(&w);
}
END_TEST

START_TEST(a_failed_version_is_not_tried_again)
{
	begin(3, 3);
	w.auto_policy = true;
	w.nodes[0]->host = HOST_FAILS;
	world_run(&w, MINUTES(600));
	ck_assert_uint_eq(w.rollout_count, 1);
	world_finish(&w);
}
END_TEST

/* What somebody has tried with other versions says nothing of the policy's own. */
START_TEST(a_failure_of_pinned_versions_is_not_the_policys)
{
	begin(3, 1);
	struct world_rollout *pinned = add_done("r0", "Failed", w.now_ms);
	world_set_rollout(&w, pinned, "spec.versions", "[{'component':'ContainerRuntime','version':'1.7.25'}]");
	plan();
	check_condition("others", "Ready", CONDITION_FALSE, "RolloutStarting");
	ck_assert_ptr_null(wanted("Stalled"));
	ck_assert_uint_eq(created(), 1);
	world_set_rollout(&w, pinned, "spec.versions", "[{'component':'ContainerRuntime','version':'" NEW "'}]");
	plan();
	check_condition("the policy's own", "Stalled", CONDITION_TRUE, "RolloutFailed");
	ck_assert_uint_eq(created(), 0);
	pinned = add_done("r1", "Succeeded", w.now_ms + SECONDS(1)); /* nor is it a reason to try those again */
	world_set_rollout(&w, pinned, "spec.versions", "[{'component':'ContainerRuntime','version':'1.7.25'}]");
	plan();
	check_condition("others after it", "Stalled", CONDITION_TRUE, "RolloutFailed");
	ck_assert_ptr_nonnull(strstr(wanted("Stalled")->message, "PatchRollout r0"));
	world_finish(&w);
}
END_TEST

/* ---- orphans ---- */

START_TEST(orphans)
{
	static const struct {
		const char *what;
		enum step step;
		bool foreign, cordoned, quarantined, known;
		bool released, uncordoned;
		bool held;
	} cases[] = {
	    {"in work", STEP_DRAINING, false, true, false, false, true, true, false},
	    {"in work, foreign cordon", STEP_PATCHING, true, true, false, false, true, false, false},
	    {"settling", STEP_SETTLING, false, false, false, false, true, true, false},
	    {"ended", STEP_PATCHED, false, false, false, false, true, false, false},
	    {"ended, and cordoned by somebody since", STEP_PATCHED, false, true, false, false, true, false, false},
	    {"quarantined", STEP_QUARANTINED, false, true, true, false, false, false, false},
	    {"failed again in quarantine", STEP_FAILED, false, true, true, false, false, false, false},
	    {"in work in quarantine", STEP_PATCHING, false, true, true, false, false, false, false},
	    {"the quarantine was lifted by hand", STEP_QUARANTINED, false, false, false, false, true, false, false},
	    {"its rollout exists", STEP_DRAINING, false, true, false, true, false, false, false},
	    {"held in work", STEP_DRAINING, false, true, false, false, false, false, true},
	    {"held after its end", STEP_PATCHED, false, false, false, false, true, false, true},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		world_init(&w, NULL);
		world_add_nodes(&w, 2);
		struct world_rollout *r = world_add_rollout(&w, "r1");
		struct node_state state = {.node_uid = "u",
		                           .rollout_uid = cases[i].known ? r->rollout->object.uid : "gone",
		                           .rollout = "r1",
		                           .wave = "all",
		                           .step = (int)cases[i].step,
		                           .foreign_cordon = cases[i].foreign};
		world_set_state(&w, w.nodes[0], &state);
		w.nodes[0]->node.unschedulable = cases[i].cordoned;
		if (cases[i].held)
			world_hold(&w, "n01", "");
		w.nodes[0]->node.quarantined = cases[i].quarantined;
		const struct node *nodes[] = {&w.nodes[0]->node, &w.nodes[1]->node};
		const struct rollout *rollouts[] = {r->rollout};
		struct actions actions;
		int64_t look_again_ms;
		plan_orphans(nodes, 2, rollouts, 1, w.now_ms + MINUTES(15), &w.arena, &actions, &look_again_ms);
		ck_assert(look_again_ms == KUBE_TIME_NONE);
		ck_assert_msg(actions.count == cases[i].released, "%s: %zu actions", cases[i].what, actions.count);
		if (actions.count) {
			ck_assert_ptr_null(actions.items[0].node.state);
			ck_assert_ptr_eq(actions.items[0].node.node, nodes[0]);
			ck_assert_int_eq(actions.items[0].node.quarantine, CHANGE_NONE);
			ck_assert_msg((actions.items[0].node.cordon == CHANGE_OFF) == cases[i].uncordoned, "%s: cordon",
			              cases[i].what);
		}
		world_finish(&w);
	}
}
END_TEST

CHECK_MAIN("plan/policy", a_rollout_that_cannot_begin, conditions, what_cannot_be_carried_out,
           a_wave_that_covers_nothing, policies_that_overlap, small_clusters, nothing_is_done_about_a_busy_policy,
           names, a_changed_policy_may_try_again, the_latest_counts, history, history_of_others_is_theirs,
           the_last_success, versions, a_node_that_is_being_deleted_makes_no_rollout,
           a_policy_makes_rollouts_until_all_is_well, a_failed_version_is_not_tried_again,
           a_failure_of_pinned_versions_is_not_the_policys, orphans)
