/* The frozen plan from its pages: whole and sound, or a sentence that says why not. And the fencing numbers. */
#include "controller/cmd/snapshot.h"
#include "test/unit/check_main.h"
#include <string.h>

static struct rules rules;
static struct target first_targets[] = {{"n1", "u1", 0, NULL}, {"n2", "u2", 0, NULL}},
                     second_targets[] = {{"n3", "u3", 1, NULL}};
static const char *names[] = {"r-plan-h-1", "r-plan-h-2"};

struct pages {
	struct revision items[3];
	const struct revision *list[3];
	size_t count;
	struct rollout_status status;
};

static struct revision page(const char *name, int64_t number)
{
	return (struct revision){
	    .object = {.name = name}, .number = number, .pages = 2, .plan_hash = "h", .policy_hash = "ph"};
}

/* A good plan of two pages, and a page of an earlier attempt that nobody means. */
static void good(struct pages *p)
{
	memset(p, 0, sizeof(*p));
	p->items[0] = page(names[1], 2);
	p->items[0].targets.items = second_targets;
	p->items[0].targets.count = 1;
	p->items[1] = page(names[0], 1);
	p->items[1].targets.items = first_targets;
	p->items[1].targets.count = 2;
	p->items[1].rules = &rules;
	p->items[2] = page("r-plan-old-1", 1);
	p->items[2].plan_hash = "old";
	for (p->count = 0; p->count < 3; p->count++)
		p->list[p->count] = &p->items[p->count];
	p->status =
	    (struct rollout_status){.plan_hash = "h", .policy_hash = "ph", .revisions = {.items = names, .count = 2}};
}

static void lose_second(struct pages *p)
{
	p->list[0] = p->list[2];
	p->count = 2;
}

static void spoil(struct pages *p)
{
	p->items[1].data_error = "rules: no";
}

static void other_plan(struct pages *p)
{
	p->items[0].plan_hash = "x";
}

static void other_policy(struct pages *p)
{
	p->items[0].policy_hash = "x";
}

static void other_number(struct pages *p)
{
	p->items[0].number = 1;
}

static void more_pages(struct pages *p)
{
	p->items[1].pages = 3;
}

static void no_rules(struct pages *p)
{
	p->items[1].rules = NULL;
}

static void a_ledger(struct pages *p)
{
	p->items[0].ledger = true;
}

static void no_names(struct pages *p)
{
	p->status.revisions.count = 0;
}

START_TEST(targets_are_in_the_order_of_the_pages)
{
	struct kube_arena arena = {0};
	struct pages p;
	const struct plan *plan;
	const char *error;
	good(&p);
	plan_assemble(&p.status, p.list, p.count, &arena, &plan, &error);
	ck_assert_msg(!error, "%s", error);
	ck_assert_str_eq(plan->hash, "h");
	ck_assert_str_eq(plan->policy_hash, "ph");
	ck_assert_ptr_eq(plan->rules, &rules);
	ck_assert_uint_eq(plan->target_count, 3);
	ck_assert_str_eq(plan->targets[0]->node, "n1");
	ck_assert_str_eq(plan->targets[1]->node, "n2");
	ck_assert_str_eq(plan->targets[2]->node, "n3");
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(nothing_is_planned_yet)
{
	struct kube_arena arena = {0};
	struct pages p;
	const struct plan *plan;
	const char *error;
	good(&p);
	p.status.plan_hash = NULL; /* the pages are there, the status does not mean them yet */
	plan_assemble(&p.status, p.list, p.count, &arena, &plan, &error);
	ck_assert_ptr_null(plan);
	ck_assert_ptr_null(error);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
	static const struct {
		void (*change)(struct pages *p);
		const char *says;
	} cases[] = {
	    {lose_second, "page 2 of 2 (ControllerRevision r-plan-h-2) is missing"},
	    {spoil, "r-plan-h-1 cannot be read: rules: no"},
	    {other_plan, "r-plan-h-2 belongs to another plan"},
	    {other_policy, "r-plan-h-2 belongs to another plan"},
	    {other_number, "page 1 of 2, not 2 of 2"},
	    {more_pages, "page 1 of 3, not 1 of 2"},
	    {no_rules, "lacks the rules"},
	    {a_ledger, "page 2 of 2 (ControllerRevision r-plan-h-2) is missing"},
	    {no_names, "names no pages"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_arena arena = {0};
		struct pages p;
		const struct plan *plan;
		const char *error;
		good(&p);
		cases[i].change(&p);
		plan_assemble(&p.status, p.list, p.count, &arena, &plan, &error);
		ck_assert_ptr_null(plan);
		ck_assert_msg(error && strstr(error, cases[i].says), "%s, not %s", error ? error : "no error", cases[i].says);
		kube_arena_finish(&arena);
	}
}
END_TEST

START_TEST(epoch_is_one_more_at_first_and_then_ours)
{
	struct tracks tracks = {0};
	struct track *track = tracks_get(&tracks, "rollout/r", "u1");
	ck_assert_int_eq(track_epoch(track, 4), 5);
	ck_assert_int_eq(track_epoch(track, 4), 5); /* our write is not seen yet */
	track_wrote_epoch(track, 5);
	ck_assert_int_eq(track_epoch(track, 5), 5);
	ck_assert_ptr_eq(tracks_get(&tracks, "rollout/r", "u1"), track);
	ck_assert_int_eq(track_epoch(track, 6), 0); /* somebody else wrote that */
	tracks_finish(&tracks);
}
END_TEST

/* The cache of a new process may be old, and the leader before may have chosen the same number. */
START_TEST(epoch_is_ours_only_once_we_have_written_it)
{
	struct tracks tracks = {0};
	struct track *track = tracks_get(&tracks, "rollout/r", "u1");
	ck_assert_int_eq(track_epoch(track, 4), 5);
	ck_assert_int_eq(track_epoch(track, 5), 6);
	ck_assert_int_eq(track_epoch(track, 9), 10);
	track_wrote_epoch(track, 5); /* an answer that comes late */
	ck_assert_int_eq(track_epoch(track, 10), 11);
	track_wrote_epoch(track, 11);
	ck_assert_int_eq(track_epoch(track, 11), 11);
	ck_assert_int_eq(track_epoch(track, 10), 11); /* a watch that is behind */
	ck_assert_int_eq(track_epoch(track, 12), 0);
	tracks_finish(&tracks);
}
END_TEST

START_TEST(another_uid_is_another_rollout)
{
	struct tracks tracks = {0};
	ck_assert_int_eq(track_epoch(tracks_get(&tracks, "rollout/r", "u1"), 4), 5);
	ck_assert_int_eq(track_epoch(tracks_get(&tracks, "rollout/r", "u2"), 0), 1);
	tracks_drop(&tracks, "rollout/r");
	ck_assert_int_eq(track_epoch(tracks_get(&tracks, "rollout/r", "u2"), 7), 8);
	tracks_finish(&tracks);
}
END_TEST

CHECK_MAIN("plan_pages", targets_are_in_the_order_of_the_pages, nothing_is_planned_yet, what_is_wrong_is_said,
           epoch_is_one_more_at_first_and_then_ours, epoch_is_ours_only_once_we_have_written_it,
           another_uid_is_another_rollout)
