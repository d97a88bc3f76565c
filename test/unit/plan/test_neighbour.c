/* Neighbours: who else works on a node is waited for by name, autoscalers are held off, and the cluster has one limit.
 */
#include "test/unit/plan/world.h"

#define ONE_WAVE "'maxUnavailable':4,'waves':[{'name':'all'}]"

static struct world w;

static struct world_rollout *begin(int nodes, const char *drain)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, ONE_WAVE, drain), false);
	world_add_nodes(&w, nodes);
	return world_add_rollout(&w, "r1");
}

static void check_done(const struct world_rollout *r)
{
	ck_assert_msg(r->rollout->status.outcome == OUTCOME_SUCCEEDED, "%s", r->rollout->status.summary);
	world_check_tidy(&w, r);
}

/* n01 waits, for who it is; the other one does not. */
static void check_waits(const struct world_rollout *r, const char *who)
{
	const struct condition *progressing = condition_get(&r->rollout->status.conditions, "Progressing");
	const struct wave_status *wave = &r->rollout->status.waves.items[0];

	ck_assert_int_eq(r->rollout->status.counts.patched, 1);
	ck_assert_uint_eq(w.claims, 1);
	ck_assert_msg(strstr(r->rollout->status.summary, who) != NULL, "%s does not name %s", r->rollout->status.summary,
	              who);
	ck_assert_str_eq(progressing->reason, "NeighbourAtWork");
	ck_assert_int_eq(progressing->status, CONDITION_FALSE);
	ck_assert_str_eq(wave->reason, "NeighbourAtWork");
	ck_assert_ptr_nonnull(strstr(wave->message, "node n01 is worked on by "));
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_WAIT, "NeighbourAtWork"), 1);
}

struct mark_case {
	const char *taint, *annotation, *value, *who; /* who NULL: it is nobody's mark */
};

static const struct mark_case marks[] = {
    {NULL, "weave.works/kured-reboot-in-progress", "2026-01-01T00:00:00Z", "kured"},
    {NULL, "flatcar-linux-update.v1.flatcar-linux.net/reboot-in-progress", "true", "flatcar-linux-update-operator"},
    {NULL, "flatcar-linux-update.v1.flatcar-linux.net/reboot-in-progress", "false", NULL},
    {NULL, "machineconfiguration.openshift.io/state", "Working", "machine-config-operator"},
    {NULL, "machineconfiguration.openshift.io/state", "Done", NULL},
    {NULL, "weave.works/kured-most-recent-reboot-needed", "2026-01-01T00:00:00Z", NULL},
    {"ToBeDeletedByClusterAutoscaler", NULL, NULL, "cluster-autoscaler"},
    {"DeletionCandidateOfClusterAutoscaler", NULL, NULL, NULL},
    {"karpenter.sh/disrupted", NULL, NULL, "Karpenter"},
    {"karpenter.sh/disruption", NULL, NULL, "Karpenter"},
    {"medik8s.io/drain", NULL, NULL, "node-maintenance-operator"},
    {"example.com/dedicated", NULL, NULL, NULL},
};

static void set_mark(const struct mark_case *c, struct taint *taint)
{
	*taint = (struct taint){.key = c->taint, .value = "", .effect = "NoSchedule"};
	if (c->annotation)
		world_annotate(&w, "n01", c->annotation, c->value);
	else
		w.nodes[0]->node.taints.items = taint;
	w.nodes[0]->node.taints.count = c->taint ? 1 : 0;
}

static void clear_mark(const struct mark_case *c)
{
	if (c->annotation)
		world_annotate(&w, "n01", c->annotation, NULL);
	w.nodes[0]->node.taints.count = 0;
}

START_TEST(marks_on_the_node)
{
	struct taint taint;

	for (size_t i = 0; i < KUBE_ARRAY_LEN(marks); i++) {
		struct world_rollout *r = begin(2, "");
		set_mark(&marks[i], &taint);
		world_run(&w, MINUTES(600));
		if (marks[i].who) {
			check_waits(r, marks[i].who);
			clear_mark(&marks[i]);
			world_run(&w, MINUTES(600));
		}
		check_done(r);
		world_finish(&w);
	}
}
END_TEST

static struct daemon_set kured(struct reboot_lock *lock)
{
	struct daemon_set daemon_set = {.object.key = "kube-system/kured", .lock_text = "{}"};
	daemon_set.locks.items = lock;
	daemon_set.locks.count = 1;
	return daemon_set;
}

START_TEST(lock_of_kured)
{
	struct reboot_lock lock = {.node = "n01", .until_ms = KUBE_TIME_NONE};
	struct daemon_set daemon_set = kured(&lock);
	struct world_rollout *r = begin(2, "");

	w.lockers[w.locker_count++] = &daemon_set;
	world_run(&w, MINUTES(600));
	check_waits(r, "kured, which holds its lock for the node (DaemonSet kube-system/kured)");
	w.locker_count = 0;
	world_run(&w, MINUTES(60));
	check_done(r);
	world_finish(&w);
}
END_TEST

/* Nobody has to give it back. */
START_TEST(lock_that_runs_out)
{
	struct reboot_lock lock = {.node = "n01", .until_ms = START_MS + MINUTES(30)};
	struct daemon_set daemon_set = kured(&lock);
	struct world_rollout *r = begin(1, "");

	w.lockers[w.locker_count++] = &daemon_set;
	world_run(&w, MINUTES(29));
	ck_assert_uint_eq(w.claims, 0);
	world_run(&w, MINUTES(60));
	check_done(r);
	world_finish(&w);
}
END_TEST

START_TEST(upgrade_of_the_node)
{
	struct world_rollout *r = begin(2, "");
	struct world_pod *pod = world_add_pod(&w, "n01", "apply-k3s-on-n01", "suc");
	struct kube_str_pair label = {"upgrade.cattle.io/node", "n01"};

	pod->pod.labels = (struct kube_strmap){&label, 1};
	world_run(&w, MINUTES(600));
	check_waits(r, "system-upgrade-controller (pod shop/apply-k3s-on-n01)");
	pod->pod.phase = POD_SUCCEEDED;
	world_run(&w, MINUTES(60));
	check_done(r);
	world_finish(&w);
}
END_TEST

static struct world_pod *drained_by_others(bool daemon)
{
	struct world_pod *pod = world_add_pod(&w, "n01", "cart", "cart");
	w.nodes[0]->node.unschedulable = w.nodes[0]->cordoned_before = true;
	pod->pod.object.deleted_ms = w.now_ms + SECONDS(30);
	if (daemon)
		pod->pod.owner_kind = "DaemonSet";
	return pod;
}

START_TEST(somebody_drains_it)
{
	struct world_rollout *r = begin(2, "");
	struct world_pod *pod = drained_by_others(false);

	world_run(&w, MINUTES(9));
	check_waits(r, "somebody who drains it (pod shop/cart is leaving)");
	pod->gone = true;
	world_run(&w, MINUTES(60));
	check_done(r);
	ck_assert(w.nodes[0]->node.unschedulable);
	world_finish(&w);
}
END_TEST

/* What is stuck, or belongs to the node, is no drain. */
START_TEST(nobody_drains_it)
{
	struct world_rollout *r = begin(2, "");

	drained_by_others(true);
	world_run(&w, MINUTES(9));
	ck_assert_uint_eq(w.claims, 2);
	check_done(r);
	world_finish(&w);
	r = begin(2, "");
	drained_by_others(false)->stays = true;
	world_run(&w, MINUTES(11));
	ck_assert_uint_eq(w.claims, 2);
	world_finish(&w);
}
END_TEST

/* It comes after the grant, and before the claim: the grant goes, and no job has been there. */
START_TEST(between_grant_and_claim)
{
	struct world_rollout *r = begin(1, "");

	while (!world_active(r, "n01"))
		world_step(&w);
	ck_assert_uint_eq(w.claims, 0);
	set_mark(&marks[0], &(struct taint){0});
	world_run(&w, MINUTES(60));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_ptr_null(world_active(r, "n01"));
	clear_mark(&marks[0]);
	world_run(&w, MINUTES(60));
	check_done(r);
	world_finish(&w);
}
END_TEST

/* ---- autoscalers ---- */

static const char *value_of(enum held which)
{
	return kube_strmap_get(&w.nodes[0]->node.annotations, held_annotations[which]);
}

START_TEST(autoscalers_are_held_off)
{
	static const char long_value[] = "0123456789012345678901234567890123456789";
	static const struct {
		const char *before, *meanwhile;
	} cases[] = {{NULL, "true"}, {"false", "true"}, {"true", "true"},        {"10m", "true"},
	             {"", "true"},   {"\"", "\""},      {long_value, long_value}};
	static const enum host hosts[] = {HOST_OBEYS, HOST_FAILS};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases) * KUBE_ARRAY_LEN(hosts); i++) {
		size_t c = i / KUBE_ARRAY_LEN(hosts);
		struct world_rollout *r = begin(1, "");
		w.nodes[0]->host = hosts[i % KUBE_ARRAY_LEN(hosts)];
		for (size_t k = 0; k < HELD_COUNT; k++) {
			world_annotate(&w, "n01", held_annotations[k], cases[c].before);
			w.nodes[0]->held_before[k] = cases[c].before;
		}
		world_run_to(&w, "n01", STEP_PATCHING);
		ck_assert_str_eq(value_of(HELD_SCALE_DOWN), cases[c].meanwhile);
		ck_assert_str_eq(value_of(HELD_DISRUPTION), cases[c].meanwhile);
		world_run(&w, MINUTES(60));
		world_check_tidy(&w, r);
		world_finish(&w);
	}
}
END_TEST

/* What somebody else says meanwhile stands. */
START_TEST(somebody_changes_it_meanwhile)
{
	struct world_rollout *r = begin(1, "");

	world_run_to(&w, "n01", STEP_PATCHING);
	world_annotate(&w, "n01", held_annotations[HELD_SCALE_DOWN], "false");
	w.nodes[0]->held_before[HELD_SCALE_DOWN] = "false";
	world_run(&w, MINUTES(60));
	check_done(r);
	world_finish(&w);
}
END_TEST

/* The rollout is deleted in the middle, or its plan is lost. */
START_TEST(put_back_on_every_way_out)
{
	for (int plan_lost = 0; plan_lost < 2; plan_lost++) {
		struct world_rollout *r = begin(1, "");
		world_add_pod(&w, "n01", "cart", "cart")->stays = true;
		world_run_to(&w, "n01", STEP_DRAINING);
		ck_assert_str_eq(value_of(HELD_DISRUPTION), "true");
		if (plan_lost)
			w.revision_count = 0;
		world_delete_rollout(&w, r);
		world_run(&w, MINUTES(60));
		ck_assert_ptr_null(value_of(HELD_SCALE_DOWN));
		ck_assert_ptr_null(value_of(HELD_DISRUPTION));
		world_finish(&w);
	}
}
END_TEST

/* ---- --max-unavailable-total ---- */

static size_t at_work(const struct world_rollout *r)
{
	return r->rollout->status.active.count;
}

static void check_ceiling(struct kube_intstr total, size_t most)
{
	struct world_rollout *r = begin(6, "");
	size_t seen = 0;

	w.max_unavailable_total = total;
	world_add_node(&w, "other"); /* of no policy: not Ready, and it counts */
	world_node(&w, "other")->node.labels.count = 0;
	world_set_ready(&w, "other", false);
	int64_t until = w.now_ms + MINUTES(600);
	while (world_tick(&w, until))
		seen = at_work(r) > seen ? at_work(r) : seen;
	ck_assert_uint_eq(seen, most);
	check_done(r);
	world_finish(&w);
}

START_TEST(ceiling_of_the_cluster)
{
	check_ceiling((struct kube_intstr){0}, 4);
	check_ceiling((struct kube_intstr){.set = true, .value = 3}, 2);
	check_ceiling((struct kube_intstr){.set = true, .value = 40, .percent = true}, 1);
	check_ceiling((struct kube_intstr){.set = true, .value = 100, .percent = true}, 4);
}
END_TEST

START_TEST(ceiling_is_told)
{
	struct world_rollout *r = begin(2, "");

	w.max_unavailable_total = (struct kube_intstr){.set = true, .value = 1};
	world_add_node(&w, "other");
	world_node(&w, "other")->node.labels.count = 0;
	world_set_ready(&w, "other", false);
	world_run(&w, MINUTES(60));
	ck_assert_uint_eq(w.claims, 0);
	ck_assert_ptr_nonnull(
	    strstr(r->rollout->status.summary,
	           "1 of 3 nodes of the cluster are unavailable (other is not Ready), and at most 1 may be"));
	ck_assert_str_eq(condition_get(&r->rollout->status.conditions, "Progressing")->reason, "MaxUnavailableTotal");
	world_set_ready(&w, "other", true);
	world_run(&w, MINUTES(60));
	check_done(r);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("plan/neighbour", marks_on_the_node, lock_of_kured, lock_that_runs_out, upgrade_of_the_node,
           somebody_drains_it, nobody_drains_it, between_grant_and_claim, autoscalers_are_held_off,
           somebody_changes_it_meanwhile, put_back_on_every_way_out, ceiling_of_the_cluster, ceiling_is_told)
