/* The job pod of api.md ("Jobs"), member by member, and which images may be in it. */
#include "controller/act/bodies.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct rollout rollout = {.object = {.name = "r-1"}, .hash = "00aa"};
static const char *args[] = {"--to", "1.7.27"};
static struct env_var env[] = {{"K", "v"}, {"PATCHWRIGHT_NODE", "feigned"}};

static struct patch make_patch(void)
{
	struct patch patch = {
	    .component = COMPONENT_CONTAINER_RUNTIME,
	    .version = "1.7.27",
	    .job = {.image = "reg/p@" DIGEST,
	            .args = {.items = args, .count = 2},
	            .env = {.items = env, .count = 2},
	            .host_path = "/host",
	            .privileged = true,
	            .timeout_ms = 900000,
	            .resources = "{\"limits\":{\"memory\":\"64Mi\"}}"},
	};
	return patch;
}

static cJSON *make_job(const struct patch *patch)
{
	struct job_create job = {
	    .name = "pw-1",
	    .step = "job",
	    .node = "n1",
	    .node_uid = "u1",
	    .rollout = &rollout,
	    .patch = patch,
	    .job = &patch->job,
	    .from_version = "containerd://1.6.20",
	    .wave = "canary",
	    .attempt = 2,
	};
	return job_body(&job, "patchwright-jobs");
}

static void check_document(const cJSON *is, const char *quoted)
{
	_cleanup_json_ cJSON *expected = json_of(quoted);
	_cleanup_free_ char *a = kube_json_canonical(is), *b = kube_json_canonical(expected);
	ck_assert_str_eq(a, b);
}

START_TEST(pod_is_exactly_that_of_the_contract)
{
	struct patch patch = make_patch();
	_cleanup_json_ cJSON *pod = make_job(&patch);
	check_document(
	    pod,
	    "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'pw-1','namespace':'patchwright-jobs',"
	    "'labels':{'patchwright.io/step':'job','patchwright.io/rollout-hash':'00aa'},"
	    "'annotations':{'patchwright.io/rollout':'r-1','patchwright.io/node':'u1'},'finalizers':['patchwright.io/"
	    "job']},"
	    "'spec':{'nodeName':'n1','restartPolicy':'Never','activeDeadlineSeconds':900,'automountServiceAccountToken':"
	    "false,"
	    "'enableServiceLinks':false,'priorityClassName':'system-node-critical','hostPID':true,"
	    "'tolerations':[{'operator':'Exists'}],"
	    "'volumes':[{'name':'host','hostPath':{'path':'/','type':'Directory'}}],"
	    "'containers':[{'name':'job','image':'reg/p@" DIGEST "','args':['--to','1.7.27'],'env':["
	    "{'name':'K','value':'v'},{'name':'PATCHWRIGHT_NODE','value':'feigned'},{'name':'PATCHWRIGHT_NODE','value':'n1'"
	    "},"
	    "{'name':'PATCHWRIGHT_COMPONENT','value':'ContainerRuntime'},{'name':'PATCHWRIGHT_VERSION','value':'1.7.27'},"
	    "{'name':'PATCHWRIGHT_FROM_VERSION','value':'containerd://1.6.20'},"
	    "{'name':'PATCHWRIGHT_ROLLOUT','value':'r-1'},{'name':'PATCHWRIGHT_WAVE','value':'canary'},"
	    "{'name':'PATCHWRIGHT_ATTEMPT','value':'2'}],'resources':{'limits':{'memory':'64Mi'}},"
	    "'securityContext':{'privileged':true},'terminationMessagePolicy':'FallbackToLogsOnError',"
	    "'volumeMounts':[{'name':'host','mountPath':'/host'}]}]}}");
}
END_TEST

/* No owner: deleting a rollout lets a running job end. No TTL, no service account token, no scheduler. */
START_TEST(nothing_else_can_end_or_move_it)
{
	struct patch patch = make_patch();
	_cleanup_json_ cJSON *pod = make_job(&patch);
	ck_assert_ptr_null(kube_json_get(pod, "metadata.ownerReferences"));
	ck_assert_ptr_null(kube_json_get(pod, "spec.schedulerName"));
	ck_assert_ptr_null(kube_json_get(pod, "spec.affinity"));
	ck_assert(cJSON_IsFalse(kube_json_get(pod, "spec.automountServiceAccountToken")));
}
END_TEST

START_TEST(without_privileges_and_host)
{
	struct patch patch = make_patch();
	patch.job.privileged = false;
	patch.job.host_path = "";
	patch.job.resources = NULL;
	patch.job.timeout_ms = 1500; /* the kubelet counts whole seconds: never less than was asked for */
	_cleanup_json_ cJSON *pod = make_job(&patch);
	const cJSON *container = cJSON_GetArrayItem(kube_json_get(pod, "spec.containers"), 0);
	ck_assert_ptr_null(kube_json_get(pod, "spec.hostPID"));
	ck_assert_ptr_null(kube_json_get(pod, "spec.volumes"));
	ck_assert_ptr_null(kube_json_get(container, "volumeMounts"));
	ck_assert_ptr_null(kube_json_get(container, "resources"));
	ck_assert(cJSON_IsFalse(kube_json_get(container, "securityContext.privileged")));
	ck_assert_int_eq(kube_json_get(pod, "spec.activeDeadlineSeconds")->valueint, 2);
}
END_TEST

struct image_case {
	const char *image, *glob;
	bool allow_tags, allowed;
	const char *says;
};

static const struct image_case images[] = {
    {"reg.example/p@" DIGEST, "*", false, true, NULL},
    {"reg.example/p:1.0@" DIGEST, "*", false, true, NULL},
    {"reg.example/p:1.0", "*", false, false, "carries no digest"},
    {"reg.example/p:1.0", "*", true, true, NULL},
    {"reg.example/p@sha256:abc", "*", false, false, "carries no digest"},
    {"reg.example/p@" DIGEST "x", "*", false, false, "carries no digest"},
    {"reg.example/p@" DIGEST "00", "*", false, false, "carries no digest"},
    {"reg.example/a/b/p@" DIGEST, "reg.example/*", false, true, NULL},
    {"reg.example.evil/p@" DIGEST, "reg.example/*", false, false, "--allowed-job-images"},
    {"evil/reg.example/p@" DIGEST, "reg.example/*", false, false, "--allowed-job-images"},
    {"reg.example/p:1.0", "other/*", true, false, "--allowed-job-images"},
    {"reg.example/patcher-x@" DIGEST, "reg.example/patcher-?@*", false, true, NULL},
};

START_TEST(image_rules)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(images); i++) {
		const struct image_case *c = &images[i];
		const char *globs[] = {"nothing/*", c->glob};
		struct image_rules rules = {.globs = globs, .count = 2, .allow_tags = c->allow_tags};
		struct kube_err err = {0};
		int rc = job_image_check(c->image, &rules, &err);
		ck_assert_msg((rc == 0) == c->allowed, "%s against %s", c->image, c->glob);
		if (c->allowed)
			continue;
		ck_assert_str_eq(err.reason, "ImageNotAllowed");
		ck_assert_msg(strstr(err.message, c->says) && strstr(err.message, c->image), "%s", err.message);
	}
}
END_TEST

START_TEST(no_rule_allows_nothing)
{
	struct image_rules rules = {0};
	ck_assert_int_lt(job_image_check("p@" DIGEST, &rules, NULL), 0);
}
END_TEST

CHECK_MAIN("job", pod_is_exactly_that_of_the_contract, nothing_else_can_end_or_move_it, without_privileges_and_host,
           image_rules, no_rule_allows_nothing)
