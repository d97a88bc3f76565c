#include "controller/model/pod.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#define PDB \
	"{'metadata':{'name':'cart','namespace':'shop','uid':'u','generation':2,'resourceVersion':'1'}," \
	"'spec':{'minAvailable':1,'selector':{'matchLabels':{'app':'cart'}},'unhealthyPodEvictionPolicy':'AlwaysAllow'}," \
	"'status':{'disruptionsAllowed':1,'currentHealthy':3,'desiredHealthy':2,'observedGeneration':2," \
	"'conditions':[{'type':'DisruptionAllowed'}],'disruptedPods':{'x':'2026-11-21T11:00:00Z'}}}"

START_TEST(test_decode)
{
	struct pdb *pdb = (struct pdb *)object_of(&pdb_projection, PDB);
	struct kube_str_pair pair = {"app", "cart"};
	const struct kube_strmap labels = {&pair, 1};

	ck_assert_str_eq(pdb->object.key, "shop/cart");
	ck_assert(pdb->has_selector);
	ck_assert(kube_selector_matches(&pdb->selector, &labels));
	ck_assert_int_eq(pdb->disruptions_allowed, 1);
	ck_assert_int_eq(pdb->current_healthy, 3);
	ck_assert_int_eq(pdb->desired_healthy, 2);
	ck_assert_int_eq(pdb->observed_generation, 2);
	ck_assert(pdb->always_allow_unhealthy);
	kube_object_unref(&pdb->object);
}
END_TEST

/* policy/v1: no selector matches nothing, an empty one everything. */
START_TEST(test_selector)
{
	static const struct {
		const char *json;
		bool has, always;
	} cases[] = {
	    {"{'metadata':{'name':'p'}}", false, false},
	    {"{'metadata':{'name':'p'},'spec':null,'status':null}", false, false},
	    {"{'metadata':{'name':'p'},'spec':{'selector':null,'unhealthyPodEvictionPolicy':null}}", false, false},
	    {"{'metadata':{'name':'p'},'spec':{'selector':{}}}", true, false},
	    {"{'metadata':{'name':'p'},'spec':{'selector':{},'unhealthyPodEvictionPolicy':'IfHealthyBudget'}}", true,
	     false},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct pdb *pdb = (struct pdb *)object_of(&pdb_projection, cases[i].json);
		ck_assert_msg(pdb->has_selector == cases[i].has, "%s", cases[i].json);
		ck_assert_msg(pdb->always_allow_unhealthy == cases[i].always, "%s", cases[i].json);
		ck_assert_int_eq(pdb->disruptions_allowed, 0);
		kube_object_unref(&pdb->object);
	}
}
END_TEST

START_TEST(test_same)
{
	static const struct same_case cases[] = {
	    {"metadata>resourceVersion", "'2'", true},
	    {"status>disruptedPods", NULL, true},
	    {"spec>minAvailable", "2", true}, /* its consequence is in the status, and the generation */
	    {"metadata>generation", "3", false},
	    {"spec>selector", "{'matchLabels':{'app':'other'}}", false},
	    {"spec>selector", "{'matchExpressions':[{'key':'app','operator':'In','values':['cart']}]}", false},
	    {"spec>selector", NULL, false},
	    {"spec>unhealthyPodEvictionPolicy", NULL, false},
	    {"status>disruptionsAllowed", "0", false},
	    {"status>currentHealthy", "2", false},
	    {"status>desiredHealthy", "3", false},
	    {"status>observedGeneration", "1", false},
	};
	check_same(&pdb_projection, PDB, cases, KUBE_ARRAY_LEN(cases));
}
END_TEST

CHECK_MAIN("pdb", test_decode, test_selector, test_same)
