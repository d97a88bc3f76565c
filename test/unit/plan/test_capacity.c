/* drain.requireCapacity: a node is started only when the pods that its drain evicts fit elsewhere. */
#include "test/unit/plan/world.h"

#define STRATEGY "'maxUnavailable':%d,'order':['Name'],'waves':[{'name':'all'}]"
#define MI(n) ((uint32_t)(n)*1024)

static struct world w;

/* Nodes with 2 CPUs, 1 GiB and room for three pods. */
static struct world_rollout *begin(int nodes, int at_once, const char *drain)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, kube_arena_printf(&w.arena, STRATEGY, at_once), drain), false);
	world_add_nodes(&w, nodes);
	for (size_t i = 0; i < w.node_count; i++)
		w.nodes[i]->node.allocatable = (struct resources){.cpu_m = 2000, .memory = INT64_C(1) << 30, .pods = 3};
	return world_add_rollout(&w, "r1");
}

static struct pod *add_pod(const char *node, uint32_t cpu_m, uint32_t memory_kib)
{
	struct pod *pod = &world_add_pod(&w, node, kube_arena_printf(&w.arena, "p%zu", w.pod_count), "app")->pod;
	pod->cpu_m = cpu_m;
	pod->memory_kib = memory_kib;
	return pod;
}

/* Plans until the first nodes are granted, or it is said why not. */
static bool started(struct world_rollout *r, const char *node)
{
	for (int i = 0; i < 20 && !r->rollout->status.plan_hash; i++)
		world_step(&w);
	ck_assert_ptr_nonnull(r->rollout->status.plan_hash);
	world_plan(&w, r);
	for (size_t i = 0; i < w.result.wanted.active.count; i++)
		if (!strcmp(w.result.wanted.active.items[i].node, node))
			return true;
	return false;
}

static const char *progress(void)
{
	const struct condition *progressing = condition_get(&w.result.wanted.conditions, "Progressing");
	return progressing ? progressing->message : "";
}

static struct pod_place *place_of(struct pod *pod)
{
	struct pod_place *place = plan_alloc(&w.arena, sizeof(*place));
	pod->place = place;
	return place;
}

static void taint(int node, const char *effect)
{
	struct taint *taint = plan_alloc(&w.arena, sizeof(*taint));
	*taint = (struct taint){.key = "gpu", .value = "yes", .effect = effect};
	w.nodes[node]->node.taints.items = taint;
	w.nodes[node]->node.taints.count = 1;
}

static void tolerate(struct pod *pod, const char *key, const char *operator_, const char *value, const char *effect)
{
	struct toleration *toleration = plan_alloc(&w.arena, sizeof(*toleration));
	struct pod_place *place = place_of(pod);
	*toleration = (struct toleration){key, operator_, value, effect};
	place->tolerations.items = toleration;
	place->tolerations.count = 1;
}

static void selects(struct pod *pod, const char *key, const char *value)
{
	struct kube_str_pair *pair = plan_alloc(&w.arena, sizeof(*pair));
	*pair = (struct kube_str_pair){key, value};
	place_of(pod)->node_selector = (struct kube_strmap){.items = pair, .count = 1};
}

/* n01 has pods; n02 and n03 are to take them. */
static void nothing(void) {}
static void one_that_fits(void)
{
	add_pod("n01", 2000, MI(1024));
}
static void too_much_cpu(void)
{
	add_pod("n01", 2001, 0);
}
static void too_much_memory(void)
{
	add_pod("n01", 0, MI(1025));
}
static void one_for_each(void)
{
	add_pod("n01", 1500, 0);
	add_pod("n01", 1500, 0);
}
static void one_too_many(void)
{
	one_for_each();
	add_pod("n01", 1500, 0);
}
static void others_are_full(void)
{
	add_pod("n01", 0, 0);
	for (int i = 0; i < 3; i++) {
		add_pod("n02", 0, 0);
		add_pod("n03", 0, 0);
	}
}
static void what_ended_takes_no_room(void)
{
	others_are_full();
	w.pods[1]->pod.phase = POD_SUCCEEDED;
}
static void others_are_in_use(void)
{
	add_pod("n01", 500, 0);
	add_pod("n02", 1501, 0);
	add_pod("n03", 1600, 0);
}
static void others_are_away(void)
{
	one_that_fits();
	w.nodes[1]->node.unschedulable = true;
	w.nodes[2]->node.ready = false;
}
static void one_looks_for_a_place_already(void)
{
	one_for_each();
	add_pod("", 1000, 0);
}
static void its_own_stay(void)
{
	add_pod("n01", 9000, 0)->owner_kind = "DaemonSet";
	add_pod("n01", 9000, 0)->mirror = true;
	add_pod("n01", 9000, 0)->phase = POD_FAILED;
}
static void nobody_starts_it_again(void)
{
	add_pod("n01", 9000, 0)->owner_kind = "";
}
static void others_are_tainted(void)
{
	one_that_fits();
	taint(1, "NoSchedule");
	taint(2, "NoExecute");
}
static void tainted_but_liked(void)
{
	others_are_tainted();
	tolerate(&w.pods[0]->pod, "gpu", "Exists", "", "");
}
static void tolerates_another_value(void)
{
	others_are_tainted();
	tolerate(&w.pods[0]->pod, "gpu", "Equal", "no", "");
}
static void tolerates_one_effect(void)
{
	others_are_tainted();
	tolerate(&w.pods[0]->pod, "gpu", "", "yes", "NoSchedule");
}
static void tolerates_everything(void)
{
	others_are_tainted();
	tolerate(&w.pods[0]->pod, "", "Exists", "", "");
}
static void taints_that_only_prefer(void)
{
	one_that_fits();
	taint(1, "PreferNoSchedule");
	taint(2, "PreferNoSchedule");
}
static void wants_a_label(void)
{
	selects(add_pod("n01", 100, 0), "disk", "ssd");
}
static void has_its_label(void)
{
	wants_a_label();
	world_label(&w, w.nodes[2], "disk", "ssd");
}
static void has_another_label(void)
{
	wants_a_label();
	world_label(&w, w.nodes[2], "disk", "hdd");
}

START_TEST(one_node)
{
	static const struct {
		const char *what;
		void (*make)(void);
		const char *says; /* NULL: it is started */
	} cases[] = {
	    {"nothing to move", nothing, NULL},
	    {"it fits exactly", one_that_fits, NULL},
	    {"CPU", too_much_cpu,
	     "pod shop/p0 of node n01 requests 2001m CPU and 0Mi, and of the 2 other nodes that may take "
	     "it none has room: at most 2000m CPU, 1024Mi and 3 pods are left on one"},
	    {"memory", too_much_memory, "requests 0m CPU and 1025Mi"},
	    {"one for each", one_for_each, NULL},
	    {"one too many", one_too_many, "at most 500m CPU"},
	    {"no place for a pod", others_are_full, "and 0 pods are left"},
	    {"an ended pod", what_ended_takes_no_room, NULL},
	    {"in use", others_are_in_use, "at most 499m CPU"},
	    {"no other node", others_are_away, "no other node that is Ready and schedulable"},
	    {"one before it", one_looks_for_a_place_already, "requests 1500m CPU"},
	    {"pods that stay", its_own_stay, NULL},
	    {"unmanaged", nobody_starts_it_again, NULL},
	    {"tainted", others_are_tainted, "has its labels and taints for it"},
	    {"tolerated", tainted_but_liked, NULL},
	    {"another value", tolerates_another_value, "labels and taints"},
	    {"one effect", tolerates_one_effect, NULL},
	    {"everything", tolerates_everything, NULL},
	    {"preferred", taints_that_only_prefer, NULL},
	    {"a label", wants_a_label, "labels and taints"},
	    {"its label", has_its_label, NULL},
	    {"another label", has_another_label, "labels and taints"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct world_rollout *r = begin(3, 3, "'requireCapacity':true,'deleteEmptyDirData':true");
		for (int k = 1; k < 3; k++)
			w.nodes[k]->node.node_info[NODE_INFO_CONTAINER_RUNTIME] = "containerd://" NEW;
		cases[i].make();
		bool starts = started(r, "n01");
		ck_assert_msg(starts == !cases[i].says, "%s: %s", cases[i].what, progress());
		if (cases[i].says) {
			ck_assert_msg(strstr(progress(), cases[i].says) != NULL, "%s: %s", cases[i].what, progress());
			ck_assert_int_ne(w.result.look_again_ms, KUBE_TIME_NONE);
		}
		world_finish(&w);
	}
}
END_TEST

START_TEST(only_where_it_is_asked_for)
{
	static const struct {
		const char *drain;
		bool starts;
	} cases[] = {
	    {"'requireCapacity':true", false},
	    {"", true},
	    {"'requireCapacity':false", true},
	    {"'requireCapacity':true,'enabled':false", true},
	    {"'requireCapacity':true,'podSelector':{'matchLabels':{'app':'other'}}", true},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct world_rollout *r = begin(3, 1, cases[i].drain);
		too_much_cpu();
		ck_assert_msg(started(r, "n01") == cases[i].starts, "%s", cases[i].drain);
		world_finish(&w);
	}
}
END_TEST

/* A node whose pods find no room does not stop one whose pods do. */
START_TEST(the_next_one_may)
{
	struct world_rollout *r = begin(3, 1, "'requireCapacity':true");
	too_much_cpu();
	ck_assert(!started(r, "n01"));
	ck_assert(started(r, "n02"));
	world_finish(&w);
}
END_TEST

/* What one node's pods were given is not given to those of another one, even if that other one is where they are. */
START_TEST(nodes_at_once)
{
	static const struct {
		uint32_t first, second, third;
		size_t started;
	} cases[] = {
	    {1500, 500, 0, 2},    /* both on n03 */
	    {1500, 1500, 0, 1},   /* n03 takes one of them */
	    {1000, 1000, 600, 1}, /* n01's has room on n02, but not when n02 is drained too */
	    {1500, 1500, 600, 0}, /* neither has room */
	    {100, 100, 1850, 1},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct world_rollout *r = begin(3, 2, "'requireCapacity':true");
		add_pod("n01", cases[i].first, 0);
		add_pod("n02", cases[i].second, 0);
		if (cases[i].third)
			add_pod("n03", cases[i].third, 0);
		started(r, "n01");
		ck_assert_msg(w.result.wanted.active.count == cases[i].started, "case %zu: %zu are started", i,
		              w.result.wanted.active.count);
		world_finish(&w);
	}
}
END_TEST

/* Pods that are on their way from a node in work take the room before those of the next one. */
START_TEST(what_is_in_work_comes_first)
{
	struct world_rollout *r = begin(3, 2, "'requireCapacity':true");
	struct world_pod *sticky = world_add_pod(&w, "n01", "sticky", "app");
	sticky->stays = true;
	sticky->pod.cpu_m = 1500;
	world_add_pdb(&w, "app", "app", 0);
	add_pod("n02", 1000, 0);
	world_run(&w, SECONDS(30));
	ck_assert_ptr_nonnull(world_active(r, "n01"));
	ck_assert_ptr_null(world_active(r, "n02"));
	world_finish(&w);
}
END_TEST

/* Rollouts end: the room comes. */
START_TEST(it_goes_on_when_there_is_room)
{
	struct world_rollout *r = begin(3, 1, "'requireCapacity':true");
	too_much_cpu();
	world_run(&w, MINUTES(30));
	ck_assert_int_eq(r->rollout->status.counts.patched, 2);
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_NONE);
	ck_assert_ptr_nonnull(strstr(r->rollout->status.summary, "drain.requireCapacity: pod shop/p0 of node n01"));
	w.nodes[2]->node.allocatable.cpu_m = 4000;
	world_run(&w, MINUTES(30));
	ck_assert_int_eq(r->rollout->status.outcome, OUTCOME_SUCCEEDED);
	world_check_tidy(&w, r);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/capacity", one_node, only_where_it_is_asked_for, the_next_one_may, nodes_at_once,
           what_is_in_work_comes_first, it_goes_on_when_there_is_room)
