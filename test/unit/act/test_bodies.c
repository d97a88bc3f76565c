/* The other bodies: evictions, finalizers, pages, rollouts, statuses, deletions. */
#include "controller/act/bodies.h"
#include "test/unit/act/apply.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"
#include <kube/time.h>

static void check_document(cJSON *is, const char *quoted)
{
	_cleanup_json_ cJSON *expected = json_of(quoted);
	_cleanup_free_ char *a = kube_json_canonical(is), *b = kube_json_canonical(expected);
	ck_assert_str_eq(a, b);
	cJSON_Delete(is);
}

static struct pod pod = {.object = {.name = "cart-0", .namespace_ = "shop", .key = "shop/cart-0", .uid = "p1"}};

START_TEST(eviction_means_one_pod)
{
	check_document(evict_body(&pod, -1),
	               "{'apiVersion':'policy/v1','kind':'Eviction','metadata':{'name':'cart-0','namespace':'shop'},"
	               "'deleteOptions':{'preconditions':{'uid':'p1'}}}");
	check_document(evict_body(&pod, 0),
	               "{'apiVersion':'policy/v1','kind':'Eviction','metadata':{'name':'cart-0','namespace':'shop'},"
	               "'deleteOptions':{'preconditions':{'uid':'p1'},'gracePeriodSeconds':0}}");
}
END_TEST

START_TEST(release_takes_only_our_finalizer)
{
	check_document(job_release_body(&pod),
	               "{'metadata':{'uid':'p1','$deleteFromPrimitiveList/finalizers':['patchwright.io/job']}}");
}
END_TEST

START_TEST(deletion_means_one_object)
{
	check_document(body_delete_options("u1"), "{'apiVersion':'v1','kind':'DeleteOptions','preconditions':{'uid':'u1'},"
	                                          "'propagationPolicy':'Background'}");
}
END_TEST

static struct rollout rollout_with(const char **finalizers, size_t count)
{
	return (struct rollout){
	    .object = {.name = "r", .key = "r", .uid = "u1", .resource_version = "7"},
	    .finalizers = {.items = finalizers, .count = count},
	};
}

struct finalizer_case {
	const char *finalizers[3];
	bool on;
	const char *after; /* NULL: there is nothing to do */
};

static const struct finalizer_case finalizers[] = {
    {{NULL}, true, "['patchwright.io/rollout']"},      {{"x"}, true, "['x','patchwright.io/rollout']"},
    {{"x", "patchwright.io/rollout"}, true, NULL},     {{"patchwright.io/rollout", "x"}, false, "['x']"},
    {{"x", "patchwright.io/rollout"}, false, "['x']"}, {{"x"}, false, NULL},
};

static cJSON *rollout_document(const struct finalizer_case *c)
{
	cJSON *document = json_of("{'metadata':{'uid':'u1','resourceVersion':'7'}}");
	cJSON *list = NULL;
	for (size_t i = 0; c->finalizers[i]; i++) {
		if (!list)
			list = cJSON_AddArrayToObject(cJSON_GetObjectItem(document, "metadata"), "finalizers");
		cJSON_AddItemToArray(list, cJSON_CreateString(c->finalizers[i]));
	}
	return document;
}

static struct rollout rollout_of(const struct finalizer_case *c)
{
	size_t count = 0;
	while (c->finalizers[count])
		count++;
	return rollout_with((const char **)c->finalizers, count);
}

START_TEST(finalizer_on_and_off)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(finalizers); i++) {
		const struct finalizer_case *c = &finalizers[i];
		struct rollout rollout = rollout_of(c);
		_cleanup_json_ cJSON *body = rollout_finalizer_body(&rollout, c->on);
		_cleanup_json_ cJSON *document = rollout_document(c);
		ck_assert_int_eq(body != NULL, c->after != NULL);
		if (!body)
			continue;
		ck_assert_msg(apply_json_patch(document, body), "case %zu", i);
		check_document(cJSON_Duplicate(kube_json_get(document, "metadata.finalizers"), true), c->after);
		/* The same on another object of that name. */
		_cleanup_json_ cJSON *other = rollout_document(c);
		json_set(other, "metadata>uid", "'u2'");
		ck_assert(!apply_json_patch(other, body));
	}
}
END_TEST

/* Others' finalizers must survive: the list has changed since it was looked at. */
START_TEST(finalizer_of_another_list)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(finalizers); i++) {
		const struct finalizer_case *c = &finalizers[i];
		struct rollout rollout = rollout_of(c);
		_cleanup_json_ cJSON *body = rollout_finalizer_body(&rollout, c->on);
		if (!body)
			continue;
		_cleanup_json_ cJSON *document = rollout_document(c);
		json_set(document, "metadata>finalizers", "['new','x','patchwright.io/rollout']");
		json_set(document, "metadata>resourceVersion", "'8'");
		ck_assert_msg(!apply_json_patch(document, body), "case %zu", i);
	}
}
END_TEST

START_TEST(rollout_belongs_to_its_policy)
{
	struct policy policy = {.object = {.name = "p", .uid = "pu"}};
	check_document(rollout_body(&policy, "p-abc"),
	               "{'apiVersion':'patchwright.io/v1alpha1','kind':'PatchRollout','metadata':{'name':'p-abc',"
	               "'labels':{'patchwright.io/policy':'p'},'ownerReferences':[{'apiVersion':'patchwright.io/v1alpha1',"
	               "'kind':'PatchPolicy','name':'p','uid':'pu','controller':true,'blockOwnerDeletion':false}]},"
	               "'spec':{'policyRef':{'name':'p'}}}");
}
END_TEST

START_TEST(page_belongs_to_its_rollout)
{
	struct rollout rollout = rollout_with(NULL, 0);
	check_document(revision_body("r-plan-1", "ns", &rollout, false, 2, cJSON_CreateRaw("{\"pages\":2}")),
	               "{'apiVersion':'apps/v1','kind':'ControllerRevision','metadata':{'name':'r-plan-1','namespace':'ns',"
	               "'labels':{'patchwright.io/rollout':'r','patchwright.io/page':'plan'},'ownerReferences':[{"
	               "'apiVersion':'patchwright.io/v1alpha1','kind':'PatchRollout','name':'r','uid':'u1',"
	               "'controller':true,'blockOwnerDeletion':false}]},'revision':2,'data':{'pages':2}}");
}
END_TEST

/* What we write must be what we can read. */
START_TEST(pages_can_be_read_back)
{
	struct rollout rollout = rollout_with(NULL, 0);
	struct decision decision = {.id = "0123456789abcdef",
	                            .seq = 3,
	                            .at_ms = 1000,
	                            .type = DECISION_START,
	                            .subject = "n1",
	                            .rule = "r",
	                            .actor = "patchwright",
	                            .reason = "x",
	                            .evidence = "e",
	                            .previous = "",
	                            .hash = "h"};
	const struct decision *const decisions[] = {&decision};
	_cleanup_json_ cJSON *body = revision_body("r-ledger-1", "ns", &rollout, true, 1, ledger_data(decisions, 1));
	struct kube_object *object = object_of_json(&revision_projection, body);
	const struct revision *page = (const struct revision *)object;
	ck_assert_ptr_null(page->data_error);
	ck_assert(page->ledger);
	ck_assert_str_eq(page->rollout_uid, "u1");
	ck_assert_uint_eq(page->decisions.count, 1);
	ck_assert_int_eq(page->decisions.items[0].seq, 3);
	ck_assert_str_eq(page->decisions.items[0].subject, "n1");
	kube_object_unref(object);
}
END_TEST

START_TEST(status_is_a_compare_and_set)
{
	struct rollout rollout = rollout_with(NULL, 0);
	_cleanup_json_ cJSON *status = json_of("{'epoch':1}");
	rollout.object.projection = &rollout_projection;
	check_document(status_body(&rollout.object, status),
	               "{'apiVersion':'patchwright.io/v1alpha1','kind':'PatchRollout',"
	               "'metadata':{'name':'r','uid':'u1','resourceVersion':'7'},'status':{'epoch':1}}");
}
END_TEST

CHECK_MAIN("bodies", eviction_means_one_pod, release_takes_only_our_finalizer, deletion_means_one_object,
           finalizer_on_and_off, finalizer_of_another_list, rollout_belongs_to_its_policy, page_belongs_to_its_rollout,
           pages_can_be_read_back, status_is_a_compare_and_set)
