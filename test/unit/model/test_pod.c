#include "controller/model/names.h"
#include "controller/model/pod.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include <stdio.h>

#define JOB \
	"{'metadata':{'name':'pw-1','namespace':'jobs','uid':'u','resourceVersion':'1','generation':1," \
	"'labels':{'patchwright.io/step':'job','patchwright.io/rollout-hash':'abc'}," \
	"'annotations':{'patchwright.io/node':'n-uid','patchwright.io/rollout':'r'}," \
	"'finalizers':['example.com/x','patchwright.io/job']}," \
	"'spec':{'nodeName':'n1','volumes':[{'name':'host','hostPath':{'path':'/'}}]}," \
	"'status':{'phase':'Failed','reason':'DeadlineExceeded','message':'too slow','podIP':'10.0.0.1'," \
	"'conditions':[{'type':'Ready','status':'False'}]," \
	"'containerStatuses':[{'name':'job','state':{'terminated':{'exitCode':17,'reason':'Error','message':'no " \
	"space'}}}]}}"

static struct pod *pod_of(const char *quoted)
{
	return (struct pod *)object_of(&pod_projection, quoted);
}

START_TEST(test_job_pod)
{
	struct pod *pod = pod_of(JOB);
	ck_assert_str_eq(pod->object.key, "jobs/pw-1");
	ck_assert_str_eq(pod->node_name, "n1");
	ck_assert_int_eq(pod->phase, POD_FAILED);
	ck_assert(!pod->ready && !pod->mirror && !pod->empty_dir);
	ck_assert_str_eq(pod->owner_kind, "");
	ck_assert_str_eq(pod->job_step, "job");
	ck_assert_str_eq(pod->rollout_hash, "abc");
	ck_assert_str_eq(pod->job_node_uid, "n-uid");
	ck_assert(pod->job_finalizer);
	ck_assert_str_eq(pod->status_reason, "DeadlineExceeded");
	ck_assert_str_eq(pod->status_message, "too slow");
	ck_assert(pod->exited);
	ck_assert_int_eq(pod->exit_code, 17);
	ck_assert_str_eq(pod->exit_message, "no space");
	ck_assert_str_eq(pod->waiting_reason, "");
	ck_assert_str_eq(pod_node_index(&pod->object), "n1");
	ck_assert_str_eq(pod_rollout_index(&pod->object), "abc");
	ck_assert(pod_finished(pod));
	kube_object_unref(&pod->object);
}
END_TEST

/* What a drain asks. */
START_TEST(test_drain_facts)
{
	static const struct {
		const char *json;
		int phase;
		bool ready, mirror, empty_dir, finished;
		const char *owner, *node;
	} cases[] = {
	    {"{'metadata':{'name':'p'}}", POD_PENDING, false, false, false, false, "", NULL},
	    {"{'metadata':{'name':'p','labels':null,'ownerReferences':null,'finalizers':null},'spec':{'nodeName':null,"
	     "'volumes':null},'status':{'phase':null,'conditions':null,'containerStatuses':null}}",
	     POD_PENDING, false, false, false, false, "", NULL},
	    {"{'metadata':{'name':'p'},'spec':{'nodeName':'n','volumes':[{'name':'a','emptyDir':{}}]},'status':{'phase':"
	     "'Running','conditions':[{'type':'PodScheduled','status':'True'},{'type':'Ready','status':'True'}]}}",
	     POD_RUNNING, true, false, true, false, "", "n"},
	    {"{'metadata':{'name':'p'},'spec':{'volumes':[{'emptyDir':null},null]},'status':{'phase':'Succeeded'}}",
	     POD_SUCCEEDED, false, false, false, true, "", NULL},
	    {"{'metadata':{'name':'p','annotations':{'kubernetes.io/config.mirror':'h'}},'status':{'phase':'Unknown'}}",
	     POD_UNKNOWN, false, true, false, false, "", NULL},
	    {"{'metadata':{'name':'p','annotations':{'kubernetes.io/config.mirror':7}},'status':{'phase':'Melting'}}",
	     POD_UNKNOWN, false, false, false, false, "", NULL},
	    {"{'metadata':{'name':'p','ownerReferences':[{'kind':'Node','name':'x','uid':'y'},{'kind':'DaemonSet','name':'"
	     "d',"
	     "'uid':'z','controller':true}]},'status':{'phase':'Failed'}}",
	     POD_FAILED, false, false, false, true, "DaemonSet/d/z", NULL},
	    {"{'metadata':{'name':'p','ownerReferences':[{'kind':'ReplicaSet','name':'r','uid':'z','controller':false}]}}",
	     POD_PENDING, false, false, false, false, "", NULL},
	    {"{'metadata':{'name':'p','ownerReferences':['x',{'controller':true}]}}", POD_PENDING, false, false, false,
	     false, "", NULL},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct pod *pod = pod_of(cases[i].json);
		char owner[64] = "";
		if (*pod->owner_kind)
			snprintf(owner, sizeof(owner), "%s/%s/%s", pod->owner_kind, pod->owner_name, pod->owner_uid);
		ck_assert_msg(pod->phase == cases[i].phase, "%s", cases[i].json);
		ck_assert_msg(pod->ready == cases[i].ready, "%s", cases[i].json);
		ck_assert_msg(pod->mirror == cases[i].mirror, "%s", cases[i].json);
		ck_assert_msg(pod->empty_dir == cases[i].empty_dir, "%s", cases[i].json);
		ck_assert_msg(pod_finished(pod) == cases[i].finished, "%s", cases[i].json);
		ck_assert_str_eq(owner, cases[i].owner);
		ck_assert_str_eq(pod_node_index(&pod->object), cases[i].node ? cases[i].node : "");
		ck_assert_ptr_null(pod->job_step);
		ck_assert_ptr_null(pod_rollout_index(&pod->object));
		ck_assert(!pod->exited);
		kube_object_unref(&pod->object);
	}
}
END_TEST

START_TEST(test_exit)
{
	static const struct {
		const char *state;
		bool exited;
		int64_t code;
		const char *message, *waiting;
	} cases[] = {
	    {"{'running':{}}", false, 0, "", ""},
	    {"{}", false, 0, "", ""},
	    {"null", false, 0, "", ""},
	    {"{'waiting':{'reason':'ImagePullBackOff','message':'x'}}", false, 0, "", "ImagePullBackOff"},
	    {"{'terminated':{'exitCode':0,'reason':'Completed'}}", true, 0, "", ""},
	    {"{'terminated':{'exitCode':1,'reason':'Error'}}", true, 1, "", ""},
	    {"{'terminated':{'exitCode':137,'reason':'OOMKilled'}}", true, 137, "OOMKilled", ""},
	    {"{'terminated':{'exitCode':137,'reason':'OOMKilled','message':'last line'}}", true, 137, "last line", ""},
	    /* a log's lines, in a status that is read as one */
	    {"{'terminated':{'exitCode':1,'message':'\\u001b[31mred\\r\\n\\tgrün\\n\\n'}}", true, 1, " [31mred   grün", ""},
	    {"{'terminated':{'exitCode':1,'message':'\\n'}}", true, 1, "", ""},
	    {"{'terminated':{'exitCode':null}}", true, -1, "", ""}, /* no code is no success */
	    {"{'terminated':{'exitCode':'0'}}", true, -1, "", ""},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		_cleanup_json_ cJSON *json = json_of(JOB);
		json_set(json, "status>containerStatuses>0>state", cases[i].state);
		struct pod *pod = (struct pod *)object_of_json(&pod_projection, json);
		ck_assert_msg(pod->exited == cases[i].exited, "%s", cases[i].state);
		ck_assert_int_eq(pod->exit_code, cases[i].code);
		ck_assert_str_eq(pod->exit_message, cases[i].message);
		ck_assert_str_eq(pod->waiting_reason, cases[i].waiting);
		kube_object_unref(&pod->object);
	}
}
END_TEST

/* The end of a long log is what is kept. */
START_TEST(test_long_message)
{
	_cleanup_json_ cJSON *json = json_of(JOB);
	char text[4 + 2000];
	memset(text, 'x', sizeof(text));
	snprintf(text + 1990, 10, "the end'");
	text[0] = '\'';
	json_set(json, "status>containerStatuses>0>state>terminated>message", text);
	json_set(json, "status>message", text);
	struct pod *pod = (struct pod *)object_of_json(&pod_projection, json);
	ck_assert_uint_eq(strlen(pod->exit_message), 512);
	ck_assert_str_eq(pod->exit_message + 512 - 7, "the end");
	ck_assert_uint_eq(strlen(pod->status_message), 512);
	kube_object_unref(&pod->object);
}
END_TEST

START_TEST(test_same)
{
	static const struct same_case cases[] = {
	    {"metadata>resourceVersion", "'2'", true},
	    {"metadata>generation", "2", true},
	    {"status>podIP", "'10.0.0.2'", true},
	    {"metadata>annotations>other", "'x'", true},
	    {"metadata>uid", "'v'", false},
	    {"metadata>deletionTimestamp", "'2026-11-21T11:00:00Z'", false},
	    {"metadata>labels>app", "'x'", false},
	    {"metadata>annotations>patchwright.io/node", "'other'", false},
	    {"metadata>annotations>kubernetes.io/config.mirror", "'x'", false},
	    {"metadata>finalizers>1", "'gone'", false},
	    {"metadata>ownerReferences", "[{'kind':'Job','name':'j','uid':'k','controller':true}]", false},
	    {"spec>nodeName", "'n2'", false},
	    {"spec>volumes>0", "{'emptyDir':{}}", false},
	    {"status>phase", "'Running'", false},
	    {"status>reason", "'Evicted'", false},
	    {"status>message", "'x'", false},
	    {"status>conditions>0>status", "'True'", false},
	    {"status>containerStatuses>0>state>terminated>exitCode", "0", false},
	    {"status>containerStatuses>0>state>terminated>message", "'x'", false},
	    {"status>containerStatuses>0>state", "{'waiting':{'reason':'x'}}", false},
	};
	check_same(&pod_projection, JOB, cases, KUBE_ARRAY_LEN(cases));
}
END_TEST

CHECK_MAIN("pod", test_job_pod, test_drain_facts, test_exit, test_long_message, test_same)
