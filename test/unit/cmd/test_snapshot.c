/* What a plan of a rollout sees of the caches: which pods and job pods belong to which target. */
#include "controller/cmd/snapshot.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"
#include <kube/sim.h>
#include <stdio.h>

#define NOW_MS INT64_C(1790000000000)
#define HASH (t.rollout->hash)

static struct {
	struct kube_sim *sim;
	struct options options;
	struct controller *controller;
	const struct rollout *rollout;
	struct kube_arena arena;
	struct rollout_snapshot s;
} t;

static const struct kube_object *put(enum cache_id id, const char *quoted)
{
	struct cache *cache = &t.controller->caches[id];
	struct kube_object *object = object_of(cache->projection, quoted);
	ck_assert_int_eq(kube_store_put(cache->store, object, NULL), 0);
	return object;
}

/* step NULL: the node has no state. */
static void put_node(const char *name, const char *uid, const char *step)
{
	char state[512] = "", text[1024];
	if (step)
		snprintf(state, sizeof(state),
		         "'patchwright.io/state':'{\\\"nodeUID\\\":\\\"%s\\\",\\\"rolloutUID\\\":\\\"r-uid\\\",\\\"rollout\\\":"
		         "\\\"r\\\",\\\"wave\\\":\\\"w\\\",\\\"step\\\":\\\"%s\\\",\\\"since\\\":\\\"2026-09-21T00:00:00Z\\\","
		         "\\\"started\\\":\\\"2026-09-21T00:00:00Z\\\"}'",
		         uid, step);
	snprintf(text, sizeof(text), "{'metadata':{'name':'%s','uid':'%s','annotations':{%s}},'spec':{},'status':{}}", name,
	         uid, state);
	const struct node *node = (const struct node *)put(CACHE_NODES, text);
	ck_assert(!step == !node->state);
}

static void put_pod(const char *name, const char *node)
{
	char text[512];
	snprintf(text, sizeof(text), "{'metadata':{'name':'%s','namespace':'shop','uid':'%s'},'spec':{'nodeName':'%s'}}",
	         name, name, node);
	put(CACHE_PODS, text);
}

static void put_job(const char *namespace_, const char *name, const char *hash, const char *node, const char *node_uid)
{
	char text[512];
	snprintf(
	    text, sizeof(text),
	    "{'metadata':{'name':'%s','namespace':'%s','uid':'%s','labels':{'patchwright.io/step':'job',"
	    "'patchwright.io/rollout-hash':'%s'},'annotations':{'patchwright.io/node':'%s'}},'spec':{'nodeName':'%s'}}",
	    name, namespace_, name, hash, node_uid, node);
	put(CACHE_PODS, text);
}

/* A plan for n1 … n5, of which n4 is in status.active. */
static void put_plan(void)
{
	static const char policy[] = "{'metadata':{'name':'p','uid':'p-uid'},'spec':{'target':{'type':'Nodes','nodes':{"
	                             "'selector':{'matchLabels':{'pool':'w'}}}},'patches':[{'component':'Kernel','version':"
	                             "'6.2','job':{'image':'i'}}],'strategy':{'waves':[{'name':'w'}]}}}";
	static char text[4096];
	const struct policy *p = (const struct policy *)put(CACHE_POLICIES, policy);
	snprintf(text, sizeof(text),
	         "{'metadata':{'name':'r','uid':'r-uid'},'spec':{'policyRef':{'name':'p'}},'status':{'plan':{'hash':'h',"
	         "'policyHash':'%s','revisions':['r-1']},'active':[{'node':'n4','nodeUID':'u4','step':'Claimed'}]}}",
	         p->hash);
	t.rollout = (const struct rollout *)put(CACHE_ROLLOUTS, text);
	snprintf(
	    text, sizeof(text),
	    "{'metadata':{'name':'r-1','namespace':'jobs','labels':{'patchwright.io/rollout':'r','patchwright.io/page':"
	    "'plan'},'ownerReferences':[{'apiVersion':'patchwright.io/v1alpha1','kind':'PatchRollout','name':'r','uid':"
	    "'r-uid','controller':true}]},'revision':1,'data':{'planHash':'h','policyHash':'%s','pages':1,'rules':%s,"
	    "'targets':[{'n':'n1','u':'u1','w':0},{'n':'n2','u':'u2','w':0},{'n':'n3','u':'u3','w':0},{'n':'n4','u':"
	    "'u4','w':0},{'n':'n5','u':'u5','w':0}]}}",
	    p->hash, p->rules_json);
	put(CACHE_REVISIONS, text);
}

static void set_up(void)
{
	memset(&t, 0, sizeof(t));
	t.options = (struct options){.namespace_ = "jobs", .job_namespace = "jobs"};
	ck_assert_int_eq(kube_sim_new(1, NOW_MS, &t.sim, NULL), 0);
	const struct controller_options options = {
	    .options = &t.options,
	    .env = kube_sim_env(t.sim),
	    .transport = kube_sim_transport(t.sim),
	    .outgoing = kube_sim_transport(t.sim),
	    .host = "server",
	    .instance = "test",
	};
	ck_assert_int_eq(controller_new(&options, &t.controller, NULL), 0);
	put_plan();
}

static void tear_down(void)
{
	kube_arena_finish(&t.arena);
	controller_free(t.controller);
	kube_sim_free(t.sim);
}

static void look(void)
{
	snapshot_rollout(t.controller, t.rollout, KEY_ROLLOUT "r", 1, &t.arena, &t.s);
	ck_assert_msg(t.s.plan, "%s", t.s.plan_error);
	ck_assert_uint_eq(t.s.target_count, 5);
}

static const char *names(const struct pod_view *views, size_t count)
{
	const char *text = "";
	for (size_t i = 0; i < count; i++)
		text = plan_printf(&t.arena, "%s%s ", text, views[i].pod->object.name);
	return text;
}

/* Many plans are made while most nodes are done already, or wait. */
START_TEST(pods_of_nodes_at_work)
{
	set_up();
	put_node("n1", "u1", "Patched");
	put_node("n2", "u2", "Draining");
	put_node("n3", "u3", NULL);
	put_node("n4", "u4", NULL); /* granted */
	put_node("n5", "other", "Draining");
	for (int i = 1; i <= 5; i++) {
		char pod[8], node[8];
		snprintf(node, sizeof(node), "n%d", i);
		snprintf(pod, sizeof(pod), "b%d", i);
		put_pod(pod, node);
		snprintf(pod, sizeof(pod), "a%d", i);
		put_pod(pod, node);
	}
	look();
	static const char *const expected[] = {"", "a2 b2 ", "", "a4 b4 ", ""};
	for (size_t i = 0; i < 5; i++)
		ck_assert_str_eq(names(t.s.targets[i].pods, t.s.targets[i].pod_count), expected[i]);
	ck_assert_ptr_null(t.s.targets[4].node); /* another one under the same name */
	tear_down();
}
END_TEST

/* By the UID that the job was made for, whatever node it says to be on. */
START_TEST(jobs_of_targets)
{
	set_up();
	put_node("n1", "u1", "Patched");
	put_node("n2", "u2", "Patching");
	put_job("jobs", "second", HASH, "n2", "u2");
	put_job("jobs", "first", HASH, "n2", "u2");
	put_job("jobs", "of-another-rollout", "0123456789abcdef", "n2", "u2");
	put_job("shop", "forged", HASH, "n2", "u2");
	put_job("jobs", "done", HASH, "n1", "u1");
	look();
	ck_assert_str_eq(names(t.s.targets[0].jobs, t.s.targets[0].job_count), "done ");
	ck_assert_str_eq(names(t.s.targets[1].jobs, t.s.targets[1].job_count), "first second ");
	ck_assert_uint_eq(t.s.targets[2].job_count, 0);
	ck_assert_uint_eq(t.s.stray_job_count, 0);
	ck_assert_uint_eq(t.s.targets[1].bound_job_count, 3);
	tear_down();
}
END_TEST

START_TEST(stray_jobs)
{
	set_up();
	put_node("n1", "u1", "Patching");
	put_node("n2", "new", NULL);
	put_job("jobs", "of-n1", HASH, "n1", "u1");
	put_job("jobs", "of-no-target", HASH, "n1", "u9");
	put_job("jobs", "of-n3", HASH, "n3", "u3");
	put_job("jobs", "of-the-old-n2", HASH, "n2", "u2");
	put_job("jobs", "of-another-rollout", "0123456789abcdef", "n3", "u3");
	look();
	ck_assert_str_eq(names(t.s.targets[0].jobs, t.s.targets[0].job_count), "of-n1 ");
	ck_assert_str_eq(names(t.s.stray_jobs, t.s.stray_job_count), "of-the-old-n2 of-n3 of-no-target ");
	tear_down();
}
END_TEST

CHECK_MAIN("snapshot", pods_of_nodes_at_work, jobs_of_targets, stray_jobs)
