#include "controller/model/names.h"
#include "controller/model/node.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include <kube/time.h>
#include <stdio.h>

#define STATE \
	"{\\\"nodeUID\\\":\\\"u1\\\",\\\"rolloutUID\\\":\\\"r1\\\",\\\"rollout\\\":\\\"r\\\",\\\"wave\\\":\\\"w\\\"," \
	"\\\"step\\\":\\\"Draining\\\",\\\"since\\\":\\\"2026-11-21T11:00:00Z\\\",\\\"started\\\":\\\"2026-11-21T11:00:" \
	"00Z\\\"}"

#define NODE \
	"{'metadata':{'name':'n1','uid':'u1','resourceVersion':'10','labels':{'pool':'workers','zone':'a'}," \
	"'annotations':{'example.com/v':'1.2','patchwright.io/hold':'wait','patchwright.io/state':'" STATE "'}}," \
	"'spec':{'podCIDR':'10.0.0.0/24','taints':[{'key':'k','value':'v','effect':'NoSchedule'}]}," \
	"'status':{'capacity':{'cpu':'4'},'conditions':[" \
	"{'type':'MemoryPressure','status':'False','lastHeartbeatTime':'2026-11-21T11:00:00Z'}," \
	"{'type':'Ready','status':'True','lastHeartbeatTime':'2026-11-21T11:00:00Z'," \
	"'lastTransitionTime':'2026-11-21T10:00:00Z'}]," \
	"'nodeInfo':{'bootID':'b1','operatingSystem':'linux','kubeletVersion':'v1.34.1'," \
	"'containerRuntimeVersion':'containerd://1.7.27','kernelVersion':'6.1.0','osImage':'Debian GNU/Linux 12'}}}"

static struct node *node_of(const char *quoted)
{
	return (struct node *)object_of(&node_projection, quoted);
}

START_TEST(test_decode)
{
	struct node *node = node_of(NODE);
	int64_t ten = 0;

	kube_time_parse("2026-11-21T10:00:00Z", &ten, NULL);
	ck_assert_str_eq(node->object.key, "n1");
	ck_assert_str_eq(kube_strmap_get(&node->labels, "zone"), "a");
	ck_assert_str_eq(kube_strmap_get(&node->annotations, PW_ANNOTATION_HOLD), "wait");
	ck_assert_uint_eq(node->taints.count, 1);
	ck_assert_str_eq(node->taints.items[0].effect, "NoSchedule");
	ck_assert(!node->unschedulable);
	ck_assert(!node->quarantined);
	ck_assert(node->ready);
	ck_assert_int_eq(node->ready_since_ms, ten);
	ck_assert_str_eq(node->boot_id, "b1");
	ck_assert_str_eq(node->os, "linux");
	ck_assert_str_eq(node->node_info[NODE_INFO_KUBELET], "v1.34.1");
	ck_assert_str_eq(node->node_info[NODE_INFO_CONTAINER_RUNTIME], "containerd://1.7.27");
	ck_assert_str_eq(node->node_info[NODE_INFO_KERNEL], "6.1.0");
	ck_assert_str_eq(node->node_info[NODE_INFO_OS_IMAGE], "Debian GNU/Linux 12");
	ck_assert_ptr_nonnull(node->state_text);
	ck_assert_ptr_null(node->state_error);
	ck_assert_int_eq(node->state->step, STEP_DRAINING);
	kube_object_unref(&node->object);
}
END_TEST

START_TEST(test_same)
{
	static const struct same_case cases[] = {
	    {"metadata>resourceVersion", "'11'", true},
	    {"status>conditions>1>lastHeartbeatTime", "'2026-11-21T12:00:00Z'", true},
	    {"status>conditions>0>status", "'True'", true},
	    {"status>capacity>cpu", "'8'", true},
	    {"spec>podCIDR", "'10.0.1.0/24'", true},
	    {"metadata>uid", "'u2'", false},
	    {"metadata>deletionTimestamp", "'2026-11-21T12:00:00Z'", false},
	    {"metadata>labels>zone", "'b'", false},
	    {"metadata>labels>new", "''", false},
	    {"metadata>annotations>example.com/v", "'1.3'", false},
	    {"metadata>annotations>patchwright.io/hold", NULL, false},
	    {"metadata>annotations>patchwright.io/state", "'x'", false},
	    {"spec>unschedulable", "true", false},
	    {"spec>taints>0>effect", "'NoExecute'", false},
	    {"spec>taints>0>value", NULL, false},
	    {"spec>taints", NULL, false},
	    {"status>conditions>1>status", "'Unknown'", false},
	    {"status>conditions>1>lastTransitionTime", "'2026-11-21T10:00:01Z'", false},
	    {"status>nodeInfo>bootID", "'b2'", false},
	    {"status>nodeInfo>kubeletVersion", "'v1.34.2'", false},
	    {"status>nodeInfo>containerRuntimeVersion", "'x'", false},
	    {"status>nodeInfo>kernelVersion", "'x'", false},
	    {"status>nodeInfo>osImage", "'x'", false},
	};
	check_same(&node_projection, NODE, cases, KUBE_ARRAY_LEN(cases));
}
END_TEST

/* Whatever stands in a node, it is decoded, and never as better than it is. */
START_TEST(test_hostile)
{
	static const struct {
		const char *json;
		bool ready, state_error, windows;
		size_t annotations;
	} cases[] = {
	    {"{'metadata':{'name':'n'}}", false, false, false, 0},
	    {"{'metadata':{'name':'n','labels':null,'annotations':null},'spec':null,'status':null}", false, false, false,
	     0},
	    {"{'metadata':{'name':'n'},'spec':{'taints':null},'status':{'conditions':null,'nodeInfo':null}}", false, false,
	     false, 0},
	    {"{'metadata':{'name':'n'},'status':{'conditions':[null,7,'Ready',{},{'type':null},{'type':'Ready'}]}}", false,
	     false, false, 0},
	    {"{'metadata':{'name':'n'},'status':{'conditions':[{'type':'Ready','status':'True','lastTransitionTime':'x'}]}"
	     "}",
	     true, false, false, 0},
	    {"{'metadata':{'name':'n'},'status':{'conditions':[{'type':'Ready','status':'Unknown'}]}}", false, false, false,
	     0},
	    {"{'metadata':{'name':'n','annotations':{'a':7,'b':null,'c':{},'d':'kept'}}}", false, false, false, 1},
	    {"{'metadata':{'name':'n','annotations':{'patchwright.io/state':'{'}}}", false, true, false, 1},
	    {"{'metadata':{'name':'n','annotations':{'patchwright.io/state':''}}}", false, true, false, 1},
	    {"{'metadata':{'name':'n','annotations':{'patchwright.io/state':'[]'}}}", false, true, false, 1},
	    {"{'metadata':{'name':'n','annotations':{'patchwright.io/state':'null'}}}", false, true, false, 1},
	    {"{'metadata':{'name':'n','labels':{'kubernetes.io/os':'windows'}}}", false, false, true, 0},
	    {"{'metadata':{'name':'n','labels':{'kubernetes.io/os':'windows'}},'status':{'nodeInfo':{'operatingSystem':''}}"
	     "}",
	     false, false, true, 0},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct node *node = node_of(cases[i].json);
		ck_assert_msg(node->ready == cases[i].ready, "%s", cases[i].json);
		ck_assert_msg((node->state_error != NULL) == cases[i].state_error, "%s", cases[i].json);
		ck_assert_msg((node->state_text != NULL) == cases[i].state_error, "%s", cases[i].json);
		ck_assert_ptr_null(node->state);
		ck_assert_uint_eq(node->annotations.count, cases[i].annotations);
		ck_assert_str_eq(node->os, cases[i].windows ? "windows" : "");
		ck_assert_str_eq(node->boot_id, "");
		ck_assert_str_eq(node->node_info[3], "");
		ck_assert(node->ready_since_ms == KUBE_TIME_NONE);
		kube_object_unref(&node->object);
	}
}
END_TEST

START_TEST(test_long_annotations)
{
	char json[2048], longer[NODE_ANNOTATION_KEEP_BYTES + 2], just[NODE_ANNOTATION_KEEP_BYTES + 1];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memset(just, 'y', sizeof(just) - 1);
	just[sizeof(just) - 1] = '\0';
	snprintf(json, sizeof(json),
	         "{'metadata':{'name':'n','annotations':{'a':'%s','b':'%s','patchwright.io/hold':'%s'}}}", longer, just,
	         longer);
	struct node *node = node_of(json);
	ck_assert_ptr_null(kube_strmap_get(&node->annotations, "a"));
	ck_assert_str_eq(kube_strmap_get(&node->annotations, "b"), just);
	ck_assert_str_eq(kube_strmap_get(&node->annotations, PW_ANNOTATION_HOLD), longer);
	kube_object_unref(&node->object);
}
END_TEST

START_TEST(test_observed)
{
	static const struct {
		struct observed observed;
		const char *version;
	} cases[] = {
	    {{.type = OBSERVED_DEFAULT}, NULL},
	    {{.type = OBSERVED_NODE_INFO, .node_info = NODE_INFO_KUBELET}, "v1.34.1"},
	    {{.type = OBSERVED_NODE_INFO, .node_info = NODE_INFO_OS_IMAGE}, "Debian GNU/Linux 12"},
	    {{.type = OBSERVED_LABEL, .label = "zone"}, "a"},
	    {{.type = OBSERVED_LABEL, .label = "example.com/v"}, NULL},
	    {{.type = OBSERVED_ANNOTATION, .annotation = "example.com/v"}, "1.2"},
	    {{.type = OBSERVED_ANNOTATION, .annotation = "zone"}, NULL},
	};
	struct node *node = node_of(NODE), *bare = node_of("{'metadata':{'name':'n','labels':{'zone':''}}}");

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		const char *version = node_observed(node, &cases[i].observed);
		if (cases[i].version)
			ck_assert_str_eq(version, cases[i].version);
		else
			ck_assert_ptr_null(version);
		ck_assert_ptr_null(node_observed(bare, &cases[i].observed));
	}
	kube_object_unref(&node->object);
	kube_object_unref(&bare->object);
}
END_TEST

START_TEST(test_selected)
{
	static const struct {
		const char *labels, *rest;
		bool selected, control_plane;
	} cases[] = {
	    {"'pool':'workers'", "", true, false},
	    {"'pool':'other'", "", false, false},
	    {"'x':'workers'", "", false, false},
	    {"'pool':'workers','node-role.kubernetes.io/control-plane':''", "", false, true},
	    {"'pool':'workers','node-role.kubernetes.io/master':'true'", "", false, true},
	    {"'pool':'workers','node-role.kubernetes.io/worker':''", "", true, false},
	    {"'pool':'workers','kubernetes.io/os':'windows'", "", false, false},
	    {"'pool':'workers'", ",'status':{'nodeInfo':{'operatingSystem':'windows'}}", false, false},
	    {"'pool':'workers','kubernetes.io/os':'linux'", "", true, false},
	    {"'pool':'workers','type':'virtual-kubelet'", "", false, false},
	    {"'pool':'workers','type':'kwok'", "", true, false},
	    {"'pool':'workers'", ",'spec':{'taints':[{'key':'virtual-kubelet.io/provider','effect':'NoSchedule'}]}", false,
	     false},
	    {"'pool':'workers'", ",'spec':{'taints':[{'key':'patchwright.io/quarantined','effect':'NoSchedule'}]}", true,
	     false},
	};
	struct kube_str_pair pair = {"pool", "workers"};
	const struct rules rules = {.selector = {.match_labels = {&pair, 1}}}, empty = {0};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		char json[512];
		snprintf(json, sizeof(json), "{'metadata':{'name':'n','labels':{%s}}%s}", cases[i].labels, cases[i].rest);
		struct node *node = node_of(json);
		ck_assert_msg(node_selected(node, &rules) == cases[i].selected, "%s", json);
		ck_assert_msg(node_control_plane(node) == cases[i].control_plane, "%s", json);
		ck_assert_msg(!node_selected(node, &empty), "an empty selector selects %s", json);
		ck_assert(node->quarantined == (strstr(json, PW_TAINT_QUARANTINED) != NULL));
		kube_object_unref(&node->object);
	}
}
END_TEST

CHECK_MAIN("node", test_decode, test_same, test_hostile, test_long_annotations, test_observed, test_selected)
