#include "controller/model/names.h"
#include "controller/model/rollout.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include <kube/digest.h>

#define RULES \
	"{'patches':[{'component':'Kubelet','job':{'image':'i'},'version':'1.34.2'}]," \
	"'target':{'nodes':{'selector':{'matchLabels':{'pool':'w'}}},'type':'Nodes'}}"
#define META \
	"'metadata':{'name':'r-plan-1','namespace':'patchwright-system','uid':'x','resourceVersion':'1'," \
	"'labels':{'patchwright.io/rollout':'r','patchwright.io/page':'plan'},'ownerReferences':[{'apiVersion':" \
	"'patchwright.io/v1alpha1','kind':'PatchRollout','name':'r','uid':'u','controller':true}]}"
#define PLAN \
	"{" META ",'revision':1,'data':{'planHash':'ph','policyHash':'','pages':2,'rules':" RULES "," \
	"'targets':[{'n':'n1','u':'u1','w':0},{'n':'n2','u':'u2','w':1,'x':'old'}]}}"
#define LEDGER \
	"{" META ",'revision':2,'data':{'decisions':[{'id':'i','seq':5,'at':'2026-11-21T11:22:38Z','type':'Skip'," \
	"'subject':'n1','hash':'h'}]}}"

/* PLAN with the hash of its rules. */
static cJSON *plan_json(void)
{
	_cleanup_json_ cJSON *rules = json_of(RULES);
	_cleanup_free_ char *text = kube_json_canonical(rules);
	char digest[KUBE_SHA256_HEX_SIZE], quoted[KUBE_SHA256_HEX_SIZE + 2];
	cJSON *json = json_of(PLAN);

	kube_sha256_hex(text, strlen(text), digest);
	quoted[0] = '\'';
	memcpy(quoted + 1, digest, 64);
	memcpy(quoted + 65, "'", 2);
	json_set(json, "data>policyHash", quoted);
	return json;
}

static cJSON *ledger_json(void)
{
	cJSON *json = json_of(LEDGER);
	json_set(json, "metadata>labels>patchwright.io/page", "'ledger'");
	return json;
}

static struct revision *take_revision(cJSON *json)
{
	struct revision *revision = (struct revision *)object_of_json(&revision_projection, json);
	cJSON_Delete(json);
	return revision;
}

START_TEST(test_plan_page)
{
	struct revision *page = take_revision(plan_json());

	ck_assert_ptr_null(page->data_error);
	ck_assert_str_eq(page->rollout_name, "r");
	ck_assert_str_eq(page->rollout_uid, "u");
	ck_assert_str_eq(revision_rollout_index(&page->object), "u");
	ck_assert(!page->ledger);
	ck_assert_int_eq(page->number, 1);
	ck_assert_int_eq(page->pages, 2);
	ck_assert_str_eq(page->plan_hash, "ph");
	ck_assert_uint_eq(strlen(page->policy_hash), 64);
	ck_assert_str_eq(page->rules->patches.items[0].version, "1.34.2");
	ck_assert_uint_eq(page->rules->waves.count, 2);
	ck_assert_uint_eq(page->targets.count, 2);
	ck_assert_str_eq(page->targets.items[1].node, "n2");
	ck_assert_str_eq(page->targets.items[1].node_uid, "u2");
	ck_assert_int_eq(page->targets.items[1].wave, 1);
	ck_assert_ptr_null(page->targets.items[0].exception);
	ck_assert_str_eq(page->targets.items[1].exception, "old");
	kube_object_unref(&page->object);
}
END_TEST

START_TEST(test_pinned_versions)
{
	cJSON *json = plan_json();
	json_set(json, "data>versions", "[{'component':'Kubelet','version':'1.34.1'}]");
	struct revision *page = take_revision(json);

	ck_assert_ptr_null(page->data_error);
	ck_assert_str_eq(page->rules->patches.items[0].version, "1.34.1");
	kube_object_unref(&page->object);
}
END_TEST

START_TEST(test_second_page)
{
	cJSON *json = plan_json();
	json_set(json, "revision", "2");
	json_set(json, "data>rules", NULL);
	json_set(json, "data>targets>0>w", "15");
	struct revision *page = take_revision(json);
	ck_assert_ptr_null(page->data_error);
	ck_assert_ptr_null(page->rules);
	ck_assert_uint_eq(page->targets.count, 2);
	kube_object_unref(&page->object);
}
END_TEST

START_TEST(test_ledger_page)
{
	struct revision *page = take_revision(ledger_json());
	ck_assert_ptr_null(page->data_error);
	ck_assert(page->ledger);
	ck_assert_int_eq(page->number, 2);
	ck_assert_uint_eq(page->decisions.count, 1);
	ck_assert_int_eq(page->decisions.items[0].seq, 5);
	ck_assert_int_eq(page->decisions.items[0].type, DECISION_SKIP);
	ck_assert_str_eq(page->decisions.items[0].evidence, "");
	kube_object_unref(&page->object);
}
END_TEST

/* A page that cannot be used says why, and holds nothing. */
START_TEST(test_unusable)
{
	static const struct {
		bool ledger;
		const char *path, *value, *says;
	} cases[] = {
	    {false, "data", NULL, "data"},
	    {false, "data", "null", "data"},
	    {false, "data", "'text'", "object"},
	    {false, "data>planHash", NULL, "planHash"},
	    {false, "data>pages", "'2'", "pages"},
	    {false, "data>pages", "0", "page 1 of 0"},
	    {false, "revision", "0", "page 0 of 2"},
	    {false, "revision", "3", "page 3 of 2"},
	    {false, "data>rules", NULL, "rules"},
	    {false, "data>rules>patches>0>version", "'1.34.3'", "hash"},
	    {false, "data>policyHash", "'00'", "hash"},
	    {false, "data>versions", "[{'component':'Kernel','version':'6.1'}]",
	     "spec.versions[0]: the policy has 0 patches of Kernel"},
	    {false, "data>targets", "{}", "targets"},
	    {false, "data>targets>0", "null", "targets[0]"},
	    {false, "data>targets>1>u", NULL, "targets[1].u"},
	    {false, "data>targets>1>w", "2", "targets[1].w"}, /* the rules have two waves */
	    {false, "data>targets>1>w", "-1", "targets[1].w"},
	    {false, "metadata>labels>patchwright.io/page", "'other'", "patchwright.io/page"},
	    {false, "metadata>labels>patchwright.io/page", NULL, "patchwright.io/page"},
	    {false, "metadata>ownerReferences", NULL, "owner"},
	    {false, "metadata>ownerReferences>0>controller", "false", "owner"},
	    {true, "data>decisions", NULL, "decisions"},
	    {true, "data>decisions>0>type", "'Guess'", "decisions[0].type"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		cJSON *json = cases[i].ledger ? ledger_json() : plan_json();
		json_set(json, cases[i].path, cases[i].value);
		struct revision *page = take_revision(json);
		ck_assert_msg(page->data_error != NULL, "%s", cases[i].path);
		ck_assert_msg(strstr(page->data_error, cases[i].says) != NULL, "\"%s\" does not say %s", page->data_error,
		              cases[i].says);
		ck_assert_ptr_null(page->rules);
		ck_assert_uint_eq(page->targets.count, 0);
		ck_assert_uint_eq(page->decisions.count, 0);
		kube_object_unref(&page->object);
	}
}
END_TEST

START_TEST(test_too_many_targets)
{
	cJSON *json = plan_json(), *targets = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "data"), "targets");
	for (int i = 2; i < PLAN_PAGE_TARGETS; i++)
		cJSON_AddItemToArray(targets, json_of("{'n':'n','u':'u','w':0}"));
	struct kube_object *full = object_of_json(&revision_projection, json);
	ck_assert_ptr_null(((struct revision *)full)->data_error);
	kube_object_unref(full);
	cJSON_AddItemToArray(targets, json_of("{'n':'n','u':'u','w':0}"));
	struct revision *page = take_revision(json);
	ck_assert_ptr_nonnull(page->data_error);
	kube_object_unref(&page->object);
}
END_TEST

/* DaemonSets and StatefulSets keep revisions too. */
START_TEST(test_not_ours)
{
	struct revision *page = (struct revision *)object_of(
	    &revision_projection,
	    "{'metadata':{'name':'ds-1','ownerReferences':[{'apiVersion':'apps/v1','kind':'DaemonSet',"
	    "'name':'ds','uid':'d','controller':true}]},'revision':7,'data':{'spec':{}}}");
	ck_assert_ptr_null(revision_rollout_index(&page->object));
	ck_assert_ptr_nonnull(page->data_error);
	ck_assert_str_eq(page->rollout_name, "");
	kube_object_unref(&page->object);

	cJSON *json = plan_json();
	json_set(json, "metadata>ownerReferences>0>apiVersion", "'patchwright.io.example.com/v1'");
	page = take_revision(json);
	ck_assert_ptr_null(revision_rollout_index(&page->object));
	kube_object_unref(&page->object);
}
END_TEST

START_TEST(test_same)
{
	static const struct same_case cases[] = {
	    {"metadata>resourceVersion", "'2'", true},
	    {"metadata>annotations", "{'a':'b'}", true},
	    {"metadata>uid", "'y'", false},
	    {"metadata>deletionTimestamp", "'2026-11-21T11:22:38Z'", false},
	    {"metadata>labels>patchwright.io/rollout", "'s'", false},
	    {"metadata>labels>patchwright.io/page", "'ledger'", false},
	    {"metadata>ownerReferences>0>uid", "'v'", false},
	    {"revision", "2", false},
	};
	check_same(&revision_projection, PLAN, cases, KUBE_ARRAY_LEN(cases));
}
END_TEST

START_TEST(test_report)
{
	static const struct same_case cases[] = {
	    {"metadata>resourceVersion", "'2'", true},
	    {"metadata>uid", "'y'", false},
	    {"metadata>deletionTimestamp", "'2026-11-21T11:22:38Z'", false},
	};
	check_same(&report_projection, "{'metadata':{'name':'r-1','uid':'x'},'spec':{}}", cases, KUBE_ARRAY_LEN(cases));
	ck_assert_str_eq(report_projection.resource->plural, "patchreports");
	ck_assert_str_eq(rollout_projection.resource->plural, "patchrollouts");
	ck_assert_str_eq(policy_projection.resource->plural, "patchpolicies");
	ck_assert(!pw_reports.namespaced && !pw_rollouts.namespaced && !pw_policies.namespaced);
}
END_TEST

CHECK_MAIN("revision", test_plan_page, test_pinned_versions, test_second_page, test_ledger_page, test_unusable,
           test_too_many_targets, test_not_ours, test_same, test_report)
