/* Pods with volumes: those that are on the node only, and those that have to be detached first. Orphaned DaemonSet
 * pods. */
#include "test/unit/plan/world.h"

static struct world w;
static struct world_rollout *r;

static void begin(const char *drain)
{
	world_init(&w, NULL);
	world_set_policy(&w, policy_spec(&w, 1, false, "'waves':[{'name':'all'}]", drain), false);
	world_add_nodes(&w, 1);
	r = world_add_rollout(&w, "r1");
}

static const struct blocker *wait_blocked(void)
{
	world_run_to(&w, "n01", STEP_DRAINING);
	while (!world_active(r, "n01") || !world_active(r, "n01")->blocked_by.kind)
		ck_assert(world_tick(&w, w.now_ms + MINUTES(1)));
	return &world_active(r, "n01")->blocked_by;
}

static void check_patched(void)
{
	world_run(&w, MINUTES(600));
	ck_assert_msg(r->rollout->status.outcome == OUTCOME_SUCCEEDED, "%s", r->rollout->status.summary);
	ck_assert_int_eq(r->rollout->status.counts.patched, 1);
	world_check_tidy(&w, r);
}

START_TEST(local_volumes)
{
	static const char *places[] = {"eu-1", "n01"};
	static const struct {
		const char *drain;
		bool local, pinned, known, pending, blocks;
	} cases[] = {
	    {"", .local = true, .known = true, .blocks = true},
	    {"", .pinned = true, .known = true, .blocks = true},
	    {"", .known = true},
	    {"", .blocks = true}, /* no volume is known that it is bound to */
	    {"", .pending = true},
	    {"", .local = true, .known = true, .pending = true, .blocks = true},
	    {"'localVolumes':'Delete'", .local = true, .known = true},
	    {"'localVolumes':'Delete'", .pinned = true, .known = true},
	    {"'localVolumes':'Delete'", .known = false},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		begin(cases[i].drain);
		struct world_pod *pod = world_add_pod(&w, "n01", "db", "db");
		struct world_volume *volume = world_add_volume(&w, pod, "data");
		volume->volume.local = cases[i].local;
		volume->volume.places = (struct kube_strlist){places, cases[i].pinned ? 2 : 1};
		if (!cases[i].known)
			w.volume_count = 0;
		if (cases[i].pending)
			pod->pod.phase = POD_PENDING;
		if (cases[i].blocks) {
			ck_assert_str_eq(wait_blocked()->pod, "shop/db");
			ck_assert_int_eq(pod->pod.object.deleted_ms, KUBE_TIME_NONE);
			ck_assert_ptr_nonnull(
			    strstr(wait_blocked()->message, cases[i].known ? "data is on this node only" : "data"));
		} else {
			check_patched();
			ck_assert(pod->gone);
		}
		world_finish(&w);
	}
}
END_TEST

START_TEST(volumes_are_detached_first)
{
	begin("");
	struct world_pod *pod = world_add_pod(&w, "n01", "db", "db");
	struct world_volume *volume = world_add_volume(&w, pod, "data");
	volume->sticks = true;
	const struct blocker *blocker = wait_blocked();
	ck_assert(pod->gone);
	ck_assert_str_eq(blocker->kind, "VolumeAttachment");
	ck_assert_str_eq(blocker->name, "csi-data");
	ck_assert_ptr_nonnull(strstr(blocker->message, "volume data (PersistentVolumeClaim shop/data) is still attached"));
	world_run(&w, MINUTES(5));
	ck_assert_int_eq(world_step_of(&w, "n01"), STEP_DRAINING);
	ck_assert_uint_eq(world_decisions(&w, r, DECISION_WAIT, "DrainBlocked"), 1);
	volume->sticks = false;
	check_patched();
	world_finish(&w);
}
END_TEST

START_TEST(volumes_that_nobody_waits_for)
{
	for (int i = 0; i < 2; i++) {
		begin(i ? "'waitForVolumeDetach':false" : "'podSelector':{'matchLabels':{'app':'other'}}");
		world_add_volume(&w, world_add_pod(&w, "n01", "db", "db"), "data")->sticks = true; /* it stays, where not */
		check_patched();
		world_finish(&w);
	}
}
END_TEST

/* A pod that stays has a volume attached, and so has one that leaves. */
START_TEST(volumes_of_pods_that_stay)
{
	begin("");
	struct world_pod *daemon = world_add_pod(&w, "n01", "agent", "agent");
	daemon->pod.owner_kind = "DaemonSet";
	world_add_volume(&w, daemon, "cache");
	struct world_volume *volume = world_add_volume(&w, world_add_pod(&w, "n01", "db", "db"), "data");
	volume->sticks = true;
	ck_assert_str_eq(wait_blocked()->name, "csi-data");
	volume->sticks = false;
	check_patched();
	ck_assert(!daemon->gone);
	world_finish(&w);
}
END_TEST

/* What is attached when the time is up is a drain that was not over, too. */
START_TEST(volumes_that_are_not_detached_in_time)
{
	static const struct {
		const char *answer;
		int outcome;
		int64_t patched;
	} cases[] = {{"Abort", OUTCOME_FAILED, 0},
	             {"Skip", OUTCOME_SUCCEEDED, 0},
	             {"Quarantine", OUTCOME_SUCCEEDED, 0},
	             {"Force", OUTCOME_SUCCEEDED, 1}};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		begin(kube_arena_printf(&w.arena, "'timeout':'5m','onTimeout':'%s'", cases[i].answer));
		world_add_volume(&w, world_add_pod(&w, "n01", "db", "db"), "data")->sticks = true;
		world_run(&w, MINUTES(600));
		const struct rollout_status *status = &r->rollout->status;
		ck_assert_msg(status->outcome == cases[i].outcome, "%s: %s", cases[i].answer, status->summary);
		ck_assert_int_eq(status->counts.patched, cases[i].patched);
		ck_assert_uint_eq(world_decisions(&w, r, DECISION_OVERRIDE, "Force"), (size_t)cases[i].patched);
		if (!cases[i].patched)
			ck_assert_ptr_nonnull(strstr(status->failed.items[0].message, "1 volumes were still attached after 5m"));
		ck_assert_uint_eq(w.deletions, 0);
		world_finish(&w);
	}
}
END_TEST

START_TEST(orphaned_daemon_pods)
{
	for (int orphan = 0; orphan < 2; orphan++)
		for (int allowed = 0; allowed < 2; allowed++) {
			begin(allowed ? "'unmanagedPods':'Delete'" : "");
			struct world_pod *pod = world_add_pod(&w, "n01", "agent", "agent");
			pod->pod.owner_kind = "DaemonSet";
			pod->orphan = orphan;
			if (orphan && !allowed) {
				ck_assert_ptr_nonnull(strstr(wait_blocked()->message, "its DaemonSet agent is gone"));
			} else {
				check_patched();
				ck_assert_int_eq(pod->gone, orphan);
			}
			world_finish(&w);
		}
}
END_TEST

CHECK_MAIN("plan/drain_volumes", local_volumes, volumes_are_detached_first, volumes_that_nobody_waits_for,
           volumes_of_pods_that_stay, volumes_that_are_not_detached_in_time, orphaned_daemon_pods)
