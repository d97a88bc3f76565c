/* Channels: what they say, since when, and what a policy makes of it. The status is written and read again after each
 * look, as the API server would. */
#include "controller/model/channel.h"
#include "test/unit/model/decode.h"
#include "test/unit/plan/world.h"

#define SOURCE "ConfigMap channels/containerd"
#define AGE_S 3600

static struct world w;
static struct policy *policy;
static struct policy_result result;
static struct channel_fact fact;
static cJSON *json;

/* minimum_age "": none. */
static void begin(const char *component, const char *minimum_age, const char *more)
{
	world_init(&w, NULL);
	world_add_nodes(&w, 3);
	json = json_of(kube_arena_printf(
	    &w.arena,
	    "{'metadata':{'name':'pool','uid':'policy-uid','generation':1},'spec':{'target':{'nodes':{'selector':{"
	    "'matchLabels':{'pool':'workers'}}}},'strategy':{'waves':[{'name':'all'}]},'patches':[{'component':'%s',"
	    "'channel':{'type':'ConfigMap','configMap':{'name':'channels','key':'containerd'}},"
	    "%s%s%s'observed':{'type':'NodeInfo','nodeInfo':'containerRuntimeVersion'},'job':{'image':'x'}}%s]}}",
	    component, *minimum_age ? "'minimumAge':'" : "", minimum_age, *minimum_age ? "'," : "", more));
	policy = (struct policy *)object_of_json(&policy_projection, json);
	fact = (struct channel_fact){0};
}

static void end(void)
{
	kube_object_unref(&policy->object);
	cJSON_Delete(json);
	world_finish(&w);
}

/* One pass; what it wants stands in the status afterwards. */
static void look(void)
{
	static const struct node *nodes[10];
	struct channel_fact facts[MAX_PATCHES] = {fact, fact, fact};
	struct policy_snapshot s = {.now_ms = w.now_ms,
	                            .server_version = w.server_version,
	                            .zones = w.zones,
	                            .policy = policy,
	                            .nodes = nodes,
	                            .channels = facts};
	cJSON *status = NULL;

	for (size_t i = 0; i < w.node_count; i++)
		nodes[s.node_count++] = &w.nodes[i]->node;
	plan_policy(&s, &w.arena, &result);
	ck_assert_int_eq(policy_status_compose(policy, &result.wanted, w.now_ms, &w.arena, &status, NULL), 0);
	if (!status)
		return;
	cJSON_DeleteItemFromObjectCaseSensitive(json, "status");
	cJSON_AddItemToObject(json, "status", status);
	kube_object_unref(&policy->object);
	policy = (struct policy *)object_of_json(&policy_projection, json);
}

static const struct condition *wanted(const char *type)
{
	for (size_t i = 0; i < result.wanted.conditions.count; i++)
		if (!strcmp(result.wanted.conditions.items[i].type, type))
			return &result.wanted.conditions.items[i];
	ck_abort_msg("there is no condition %s", type);
}

static size_t created(void)
{
	size_t count = 0;
	for (size_t i = 0; i < result.actions.count; i++)
		count += result.actions.items[i].type == ACTION_CREATE_ROLLOUT;
	return count;
}

static void check_seen(const char *what, const char *which, const struct seen_version *seen, const char *expected)
{
	ck_assert_msg(seen->version ? expected && !strcmp(seen->version, expected) : !expected, "%s: %s is %s, not %s",
	              what, which, seen->version ? seen->version : "none", expected ? expected : "none");
}

/* What a channel says as the hours pass, and what stands in the status then. */
struct moment {
	int64_t at_s;
	const char *says; /* NULL: it cannot be had */
	const char *now, *candidate, *previous, *reason;
};

static void check_moments(const char *what, const char *minimum_age, const struct moment *moments, size_t count)
{
	begin("ContainerRuntime", minimum_age, "");
	for (size_t i = 0; i < count; i++) {
		const char *where = kube_arena_printf(&w.arena, "%s, after %lld s", what, (long long)moments[i].at_s);
		w.now_ms = START_MS + SECONDS(moments[i].at_s);
		fact = moments[i].says ? (struct channel_fact){.text = moments[i].says}
		                       : (struct channel_fact){.reason = "ChannelNotFound", .message = "there is none"};
		look();
		ck_assert_uint_eq(policy->resolved.count, 1);
		const struct resolved *resolved = &policy->resolved.items[0];
		ck_assert_str_eq(resolved->channel, SOURCE);
		check_seen(where, "now", &resolved->now, moments[i].now);
		const char *version = cJSON_GetStringValue(kube_json_get(json, "status.version"));
		check_seen(where, "status.version", &(struct seen_version){.version = version}, moments[i].now);
		check_seen(where, "candidate", &resolved->candidate, moments[i].candidate);
		check_seen(where, "previous", &resolved->previous, moments[i].previous);
		ck_assert_msg(!strcmp(wanted("Resolved")->reason, moments[i].reason), "%s: %s", where,
		              wanted("Resolved")->reason);
		bool fine = moments[i].now && strncmp(moments[i].reason, "Channel", 7) != 0;
		bool back = !strcmp(moments[i].reason, "ChannelWentBack");
		ck_assert_msg((wanted("Resolved")->status == CONDITION_TRUE) == (fine || back), "%s: the status", where);
		check_seen(where, "the version of the patch", &(struct seen_version){policy->rules.patches.items[0].version, 0},
		           moments[i].now);
	}
	end();
}

#define CHECK_MOMENTS(what, minimum_age, ...) \
	do { \
		static const struct moment moments[] = {__VA_ARGS__}; \
		check_moments(what, minimum_age, moments, KUBE_ARRAY_LEN(moments)); \
	} while (0)

START_TEST(without_a_minimum_age)
{
	CHECK_MOMENTS("it moves", "", {0, "1.7.27", "1.7.27", NULL, NULL, "Resolved"},
	              {1, "1.7.28\n", "1.7.28", NULL, "1.7.27", "Resolved"},
	              {2, " 1.7.29 ", "1.7.29", NULL, "1.7.28", "Resolved"});
	CHECK_MOMENTS("it goes back", "", {0, "1.7.28", "1.7.28", NULL, NULL, "Resolved"},
	              {1, "1.7.27", "1.7.27", NULL, "1.7.28", "ChannelWentBack"},
	              {2, "1.7.28", "1.7.28", NULL, "1.7.27", "Resolved"});
	CHECK_MOMENTS(
	    "it breaks", "", {0, NULL, NULL, NULL, NULL, "ChannelNotFound"}, {1, "", NULL, NULL, NULL, "ChannelEmpty"},
	    {2, "1.7.27", "1.7.27", NULL, NULL, "Resolved"}, {3, NULL, "1.7.27", NULL, NULL, "ChannelNotFound"},
	    {4, " \r\n", "1.7.27", NULL, NULL, "ChannelEmpty"}, {5, "latest", "1.7.27", NULL, NULL, "ChannelInvalid"},
	    {6, "1.7.28; reboot", "1.7.27", NULL, NULL, "ChannelInvalid"},
	    {7, "1.7.28\n1.7.29", "1.7.27", NULL, NULL, "ChannelInvalid"},
	    {8, "$(reboot)", "1.7.27", NULL, NULL, "ChannelInvalid"}, {9, "1.7.28", "1.7.28", NULL, "1.7.27", "Resolved"});
}
END_TEST

START_TEST(with_a_minimum_age)
{
	CHECK_MOMENTS("it waits", "1h", {0, "1.7.27", NULL, "1.7.27", NULL, "MinimumAge"},
	              {AGE_S - 1, "1.7.27", NULL, "1.7.27", NULL, "MinimumAge"},
	              {AGE_S, "1.7.27", "1.7.27", NULL, NULL, "Resolved"},
	              {AGE_S + 10, "1.7.28", "1.7.27", "1.7.28", NULL, "MinimumAge"},
	              {2 * AGE_S + 10, "1.7.28", "1.7.28", NULL, "1.7.27", "Resolved"});
	CHECK_MOMENTS("it is withdrawn in time", "1h", {0, "1.7.27", NULL, "1.7.27", NULL, "MinimumAge"},
	              {AGE_S, "1.7.27", "1.7.27", NULL, NULL, "Resolved"},
	              {AGE_S + 1, "1.7.28", "1.7.27", "1.7.28", NULL, "MinimumAge"},
	              {AGE_S + 2, "1.7.27", "1.7.27", NULL, NULL, "Resolved"},
	              {AGE_S + 3, "1.7.28", "1.7.27", "1.7.28", NULL, "MinimumAge"},
	              {2 * AGE_S + 2, "1.7.28", "1.7.27", "1.7.28", NULL, "MinimumAge"},
	              {2 * AGE_S + 3, "1.7.28", "1.7.28", NULL, "1.7.27", "Resolved"},
	              /* what was used before need not wait again: a recall takes effect at once */
	              {2 * AGE_S + 4, "1.7.27", "1.7.27", NULL, "1.7.28", "ChannelWentBack"});
	CHECK_MOMENTS("it cannot be read for a while", "1h", {0, "1.7.27", NULL, "1.7.27", NULL, "MinimumAge"},
	              {10, NULL, NULL, "1.7.27", NULL, "ChannelNotFound"},
	              {AGE_S + 10, "x", NULL, "1.7.27", NULL, "ChannelInvalid"},
	              {AGE_S + 11, "1.7.27", "1.7.27", NULL, NULL, "Resolved"});
}
END_TEST

START_TEST(what_is_a_version)
{
	char long_text[CHANNEL_TEXT_BYTES + 2], most[CHANNEL_VERSION_BYTES + 2];
	const struct {
		const char *component, *text, *reason;
	} cases[] = {
	    {"ContainerRuntime", "v1.7.27", "Resolved"},
	    {"ContainerRuntime", "\t1.7.27~ds1-1 \r\n", "Resolved"},
	    {"ContainerRuntime", "-1.7", "ChannelInvalid"},
	    {"ContainerRuntime", "1.7.27 # stable", "ChannelInvalid"},
	    {"ContainerRuntime", "stable", "ChannelInvalid"},
	    {"ContainerRuntime", "{\"version\":\"1.7.27\"}", "ChannelInvalid"},
	    {"ContainerRuntime", "1.7.27\xc3\xa9", "ChannelInvalid"},
	    {"ContainerRuntime", "1.7.27'", "ChannelInvalid"},
	    {"ContainerRuntime", long_text, "ChannelTooLarge"},
	    {"Custom", "stable", "Resolved"},
	    {"Custom", "a b", "ChannelInvalid"},
	    {"Custom", most, "ChannelInvalid"},
	    {"Custom", most + 1, "Resolved"},
	};

	memset(long_text, ' ', sizeof(long_text) - 1);
	memcpy(long_text, "1.7.27", 6);
	long_text[sizeof(long_text) - 1] = '\0';
	memset(most, '1', sizeof(most) - 1);
	most[sizeof(most) - 1] = '\0';
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		begin(cases[i].component, "", "");
		fact.text = cases[i].text;
		look();
		ck_assert_msg(!strcmp(wanted("Resolved")->reason, cases[i].reason), "%s: %s", cases[i].text,
		              wanted("Resolved")->reason);
		bool invalid = !strcmp(cases[i].reason, "ChannelInvalid");
		ck_assert_msg(!invalid || !strstr(wanted("Resolved")->message, cases[i].text), "%s is repeated", cases[i].text);
		end();
	}
}
END_TEST

/* Nothing is used that does not stand in the status: not by the rollout that is created, and not by the counts. */
START_TEST(first_written_then_used)
{
	begin("ContainerRuntime", "", "");
	fact.text = NEW;
	const char *hash = kube_arena_strdup(&w.arena, policy->hash);
	ck_assert_ptr_null(policy->rules.patches.items[0].version);
	look();
	ck_assert_uint_eq(created(), 0);
	ck_assert_int_eq(wanted("UpToDate")->status, CONDITION_UNKNOWN);
	ck_assert_int_eq(wanted("Drifted")->status, CONDITION_UNKNOWN);
	ck_assert_int_eq(result.wanted.targets.total, 3);
	ck_assert_int_eq(result.wanted.targets.outdated + result.wanted.targets.unsupported, 0);
	look();
	ck_assert_uint_eq(created(), 1);
	ck_assert_int_eq(result.wanted.targets.outdated, 3);
	ck_assert_str_ne(policy->hash, hash);
	end();
}
END_TEST

/* The rules of a policy whose channel says a version are those of one in which it is written. */
START_TEST(as_if_it_were_written)
{
	begin("ContainerRuntime", "1s", "");
	fact.text = NEW;
	look();
	w.now_ms += SECONDS(2);
	look();
	_cleanup_json_ cJSON *written = cJSON_Duplicate(json, true);
	json_set(written, "spec>patches>0>channel", NULL);
	json_set(written, "spec>patches>0>minimumAge", NULL);
	json_set(written, "spec>patches>0>version", "'" NEW "'");
	struct policy *other = (struct policy *)object_of_json(&policy_projection, written);
	ck_assert_str_eq(policy->rules_json, other->rules_json);
	ck_assert_str_eq(policy->hash, other->hash);
	kube_object_unref(&other->object);
	end();
}
END_TEST

/* A status that somebody has tampered with does not reach a root shell; one of another channel says nothing. */
START_TEST(what_a_status_may_say)
{
	static const struct {
		const char *component, *channel, *version;
		bool used;
	} cases[] = {
	    {"ContainerRuntime", SOURCE, NEW, true},
	    {"ContainerRuntime", SOURCE, "1.7.27;reboot", false},
	    {"ContainerRuntime", SOURCE, "stable", false},
	    {"ContainerRuntime", "ConfigMap channels/other", NEW, false},
	    {"Kernel", SOURCE, NEW, false},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		begin("ContainerRuntime", "", "");
		json_set(json, "status>resolved",
		         kube_arena_printf(&w.arena, "[{'component':'%s','channel':'%s','version':'%s'}]", cases[i].component,
		                           cases[i].channel, cases[i].version));
		kube_object_unref(&policy->object);
		policy = (struct policy *)object_of_json(&policy_projection, json);
		ck_assert_msg((policy->rules.patches.items[0].version != NULL) == cases[i].used, "%s %s", cases[i].channel,
		              cases[i].version);
		end();
	}
}
END_TEST

/* What was resolved is wanted on, but the policy is not at rest: nobody knows whether it is the newest. */
START_TEST(a_broken_channel_is_told)
{
	begin("ContainerRuntime", "", "");
	for (size_t i = 0; i < w.node_count; i++)
		w.nodes[i]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://" NEW;
	fact.text = NEW;
	look();
	look();
	ck_assert_int_eq(wanted("Ready")->status, CONDITION_TRUE);
	fact = (struct channel_fact){.reason = "ChannelNotFound", .message = "there is no ConfigMap: create it"};
	look();
	ck_assert_int_eq(wanted("UpToDate")->status, CONDITION_TRUE);
	ck_assert_int_eq(wanted("Ready")->status, CONDITION_FALSE);
	ck_assert_str_eq(wanted("Stalled")->reason, "ChannelNotFound");
	ck_assert_str_eq(wanted("Resolved")->message, SOURCE ": there is no ConfigMap: create it");
	end();
}
END_TEST

/* Back to an older version: nodes that show the newer one stay, older ones are brought to what it says now. */
START_TEST(going_back_takes_no_node_back)
{
	begin("ContainerRuntime", "", "");
	w.nodes[0]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://1.7.28";
	w.nodes[1]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://1.7.27";
	for (const char *const *says = (const char *const[]){"1.7.28", "1.7.27", "1.7.27", NULL}; *says; says++) {
		fact.text = *says;
		look();
	}
	ck_assert_int_eq(result.wanted.targets.unsupported, 1);
	ck_assert_int_eq(result.wanted.targets.up_to_date, 1);
	ck_assert_int_eq(result.wanted.targets.outdated, 1);
	ck_assert_ptr_nonnull(strstr(wanted("Resolved")->message, "from 1.7.28 to 1.7.27"));
	end();
}
END_TEST

/* Of several channels the one that needs somebody is told; the policy waits for all. */
START_TEST(several_channels)
{
	begin("ContainerRuntime", "1h",
	      ",{'component':'Kernel','channel':{'type':'ConfigMap','configMap':{'name':'channels','key':'kernel'}},"
	      "'job':{'image':'x'}}");
	fact.text = NEW;
	look();
	ck_assert_uint_eq(policy->resolved.count, 2);
	ck_assert_str_eq(wanted("Resolved")->reason, "MinimumAge");
	ck_assert_int_eq(wanted("Resolved")->status, CONDITION_FALSE);
	ck_assert_int_eq(result.look_again_ms, w.now_ms + SECONDS(AGE_S));
	look();
	ck_assert_int_eq(wanted("UpToDate")->status, CONDITION_UNKNOWN);
	ck_assert_uint_eq(created(), 0);
	ck_assert_ptr_nonnull(rules_unresolved(&policy->rules));
	end();
}
END_TEST

/* A rollout by hand waits until there is a version. */
START_TEST(a_rollout_waits_for_its_version)
{
	begin("ContainerRuntime", "", "");
	w.policy = policy;
	struct world_rollout *r = world_add_rollout(&w, "r1");
	world_plan(&w, r);
	bool told = false;
	for (size_t i = 0; i < w.result.wanted.conditions.count; i++)
		told |= !strcmp(w.result.wanted.conditions.items[i].reason, "VersionNotResolved");
	ck_assert(told);
	ck_assert_uint_eq(w.result.actions.count, 0);
	end();
}
END_TEST

CHECK_MAIN("plan/channel", without_a_minimum_age, with_a_minimum_age, what_is_a_version, first_written_then_used,
           as_if_it_were_written, what_a_status_may_say, a_broken_channel_is_told, going_back_takes_no_node_back,
           several_channels, a_rollout_waits_for_its_version)
