/* Who owns what we create: one controller at most, and nothing cluster-scoped is owned by something namespaced. */
#include "controller/act/bodies.h"
#include "lib/auth/yaml.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"
#include <stdio.h>

static struct policy policy = {.object = {.name = "p", .uid = "pu"}};
static struct rollout rollout = {.object = {.name = "r", .uid = "ru"}, .policy_name = "p", .hash = "00aa"};

static cJSON *make_rollout(void)
{
	return rollout_body(&policy, "r");
}

static cJSON *make_plan_page(void)
{
	return revision_body("r-plan-1", "ns", &rollout, false, 1, cJSON_CreateObject());
}

static cJSON *make_ledger_page(void)
{
	return revision_body("r-ledger-1", "ns", &rollout, true, 1, ledger_data(NULL, 0));
}

static cJSON *make_report(void)
{
	static struct counts counts;
	const struct report_page page = {.name = "r-ru-1", .rollout = &rollout, .counts = &counts};
	return report_body(&page);
}

static cJSON *make_job(void)
{
	static const struct patch patch = {.version = "1", .job = {.image = "i"}};
	const struct job_create job = {.name = "j",
	                               .step = "job",
	                               .node = "n",
	                               .node_uid = "nu",
	                               .rollout = &rollout,
	                               .patch = &patch,
	                               .job = &patch.job,
	                               .from_version = "0",
	                               .wave = "all"};
	return job_body(&job, "jobs");
}

static const struct {
	cJSON *(*make)(void);
	const struct kube_resource *resource, *owner; /* owner NULL: it outlives all, or is deleted by us */
} created[] = {
    {make_rollout, &pw_rollouts, &pw_policies},
    {make_plan_page, &kube_controller_revisions, &pw_rollouts},
    {make_ledger_page, &kube_controller_revisions, &pw_rollouts},
    {make_report, &pw_reports, NULL},
    {make_job, &kube_pods, NULL},
};

static void check_owner(const cJSON *reference, const struct kube_resource *resource, const struct kube_resource *owner)
{
	ck_assert_str_eq(kube_json_str(reference, "kind"), owner->kind);
	ck_assert(cJSON_IsTrue(kube_json_get(reference, "controller")));
	ck_assert(*kube_json_str(reference, "uid"));
	/* The garbage collector takes a namespaced owner of something cluster-scoped for one that does not exist, and
	 * deletes what it owns. */
	ck_assert_msg(!owner->namespaced, "%s is owned by %s, which has a namespace", resource->kind, owner->kind);
}

START_TEST(nothing_is_owned_by_something_namespaced)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(created); i++) {
		_cleanup_json_ cJSON *body = created[i].make();
		const cJSON *owners = kube_json_get(body, "metadata.ownerReferences");
		ck_assert_str_eq(kube_json_str(body, "kind"), created[i].resource->kind);
		ck_assert_int_eq(kube_json_get(body, "metadata.namespace") != NULL, created[i].resource->namespaced);
		ck_assert_int_eq(cJSON_GetArraySize(owners), created[i].owner ? 1 : 0);
		if (created[i].owner)
			check_owner(cJSON_GetArrayItem(owners, 0), created[i].resource, created[i].owner);
	}
}
END_TEST

static cJSON *read_crd(const char *plural)
{
	char path[64], text[1 << 18];
	struct kube_err err = {0};
	cJSON *crd = NULL;

	snprintf(path, sizeof(path), "crds/%s.yaml", plural);
	FILE *file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s cannot be read: the tests run in the root of the tree", path);
	size_t len = fread(text, 1, sizeof(text), file);
	fclose(file);
	ck_assert_uint_lt(len, sizeof(text));
	int rc = kube_yaml_parse(text, len, &crd, &err);
	ck_assert_msg(rc == 0, "%s: %s", path, err.message);
	return crd;
}

START_TEST(scopes_are_those_of_the_crds)
{
	static const struct kube_resource *const ours[] = {&pw_policies, &pw_rollouts, &pw_reports, &pw_approvals};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(ours); i++) {
		_cleanup_json_ cJSON *crd = read_crd(ours[i]->plural);
		ck_assert_str_eq(kube_json_str(crd, "spec.names.kind"), ours[i]->kind);
		ck_assert_str_eq(kube_json_str(crd, "spec.scope"), ours[i]->namespaced ? "Namespaced" : "Cluster");
	}
}
END_TEST

CHECK_MAIN("owners", nothing_is_owned_by_something_namespaced, scopes_are_those_of_the_crds)
