/* patches[].channel and the ConfigMaps that it names, decoded. */
#include "controller/model/channel.h"
#include "controller/model/config_map.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include <stdio.h>

#define CHANNEL "'channel':{'type':'ConfigMap','configMap':{'name':'a','key':'b'}}"

static const char *policy_text(const char *patch)
{
	static char text[1024];
	snprintf(text, sizeof(text),
	         "{'metadata':{'name':'p'},'spec':{'target':{'nodes':{'selector':{'matchLabels':{'a':'b'}}}},'patches':[{"
	         "'component':'Kernel','job':{'image':'i'}%s}]}}",
	         patch);
	return text;
}

START_TEST(what_is_refused)
{
	static const struct {
		const char *patch, *says;
	} cases[] = {
	    {"", "patches[0].version: required, but absent"},
	    {",'version':'1'," CHANNEL, "patches[0]: version and channel exclude each other"},
	    {",'channel':{'type':'Git'}", "channel.type"},
	    {",'channel':{'type':'ConfigMap'}", "patches[0].channel.configMap: required, but absent"},
	    {",'channel':{'type':'ConfigMap','configMap':{'name':'a'}}", "key: required"},
	    {",'minimumAge':'soon'," CHANNEL, "minimumAge"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		check_refused(&policy_projection, policy_text(cases[i].patch), cases[i].says);
}
END_TEST

START_TEST(a_channel)
{
	struct policy *policy = (struct policy *)object_of(&policy_projection, policy_text(",'minimumAge':'72h'," CHANNEL));
	const struct patch *patch = &policy->rules.patches.items[0];
	struct kube_err err = {0};

	ck_assert_ptr_null(patch->version);
	ck_assert_ptr_eq(rules_unresolved(&policy->rules), patch);
	ck_assert_str_eq(patch->channel->source, "ConfigMap a/b");
	ck_assert_int_eq(patch->minimum_age_ms, INT64_C(72) * 3600 * 1000);
	ck_assert_msg(rules_check(&policy->rules, &err) == 0, "%s", err.message);
	kube_object_unref(&policy->object);
}
END_TEST

START_TEST(config_maps)
{
	char text[1024], long_value[600];
	memset(long_value, 'x', sizeof(long_value) - 1);
	long_value[sizeof(long_value) - 1] = '\0';
	snprintf(text, sizeof(text), "{'metadata':{'namespace':'n','name':'c'},'data':{'a':'1.7.27\\n','b':'','c':'%s'}}",
	         long_value);
	struct config_map *map = (struct config_map *)object_of(&config_map_projection, text);

	ck_assert_str_eq(map->object.key, "n/c");
	ck_assert_str_eq(kube_strmap_get(&map->data, "a"), "1.7.27\n");
	ck_assert_str_eq(kube_strmap_get(&map->data, "b"), "");
	ck_assert_uint_eq(strlen(kube_strmap_get(&map->data, "c")), CHANNEL_TEXT_BYTES + 1);
	ck_assert_ptr_null(kube_strmap_get(&map->data, "d"));
	kube_object_unref(&map->object);
	map = (struct config_map *)object_of(&config_map_projection, "{'metadata':{'namespace':'n','name':'c'}}");
	ck_assert_uint_eq(map->data.count, 0);
	kube_object_unref(&map->object);
}
END_TEST

START_TEST(what_is_a_change)
{
	static const struct same_case cases[] = {{"data>a", "'2'", false},
	                                         {"data>b", "'2'", false},
	                                         {"data>a", NULL, false},
	                                         {"metadata>labels", "{'a':'b'}", true}};
	check_same(&config_map_projection, "{'metadata':{'namespace':'n','name':'c'},'data':{'a':'1'}}", cases,
	           KUBE_ARRAY_LEN(cases));
}
END_TEST

CHECK_MAIN("model/channel", what_is_refused, a_channel, config_maps, what_is_a_change)
