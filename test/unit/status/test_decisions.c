/* Which decisions and grants stand in a status, and what leaves for a ledger page. */
#include "test/unit/check_main.h"
#include "test/unit/status/wanted.h"

#include <stdio.h>

/* A status that was written, and the rollout that has it. */
struct world {
	struct kube_arena arena;
	struct rollout *rollout;
	struct revision pages[64];
	const struct revision *ledger[64];
	size_t page_count;
	size_t writes;
};

static void world_init(struct world *world)
{
	*world = (struct world){.rollout = rollout_with(NULL)};
}

static void world_finish(struct world *world)
{
	kube_object_unref(&world->rollout->object);
	kube_arena_finish(&world->arena);
}

static void store_status(struct world *world, cJSON *status)
{
	_cleanup_free_ char *decisions = cJSON_PrintUnformatted(kube_json_get(status, "decisions"));
	ck_assert_uint_le(strlen(decisions), 40 << 10);
	struct rollout *next = rollout_with(status);
	kube_object_unref(&world->rollout->object);
	world->rollout = next;
	world->writes++;
	cJSON_Delete(status);
}

/* As the ControllerRevision would hold them: copies. */
static void store_page(struct world *world, const struct rollout_status_write *write)
{
	struct revision *page = &world->pages[world->page_count];
	ck_assert_int_eq(write->spill.page, (int64_t)world->page_count + 1);
	page->ledger = true;
	page->number = write->spill.page;
	page->decisions.count = write->spill.count;
	page->decisions.items = kube_arena_calloc(&world->arena, write->spill.count, sizeof(struct decision));
	for (size_t i = 0; i < write->spill.count; i++) {
		_cleanup_json_ cJSON *json = decision_json(write->spill.items[i]);
		ck_assert_int_eq(kube_json_decode(json, decision_table, &page->decisions.items[i], &world->arena, NULL), 0);
	}
	world->ledger[world->page_count++] = page;
}

/* The whole ledger: pages and status, in one chain without gaps from 1 to count. */
static void check_ledger(const struct world *world, size_t count)
{
	const struct decision *all[2048];
	struct kube_err err = {0};
	size_t n = 0;

	for (size_t page = 0; page < world->page_count; page++)
		for (size_t i = 0; i < world->pages[page].decisions.count; i++)
			all[n++] = &world->pages[page].decisions.items[i];
	for (size_t i = 0; i < world->rollout->status.decisions.count; i++)
		all[n++] = &world->rollout->status.decisions.items[i];
	ck_assert_uint_eq(n, count);
	ck_assert_int_eq(all[0]->seq, 1);
	ck_assert_msg(ledger_verify(all, n, &err) == 0, "%s", err.message);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_msg(strcmp(all[i]->id, all[j]->id) != 0, "%s is in the ledger twice", all[i]->id);
}

/* Composes, creates pages and writes until the status is what is wanted. */
static void settle(struct world *world, const struct rollout_status *wanted)
{
	for (int round = 0; round < 100; round++) {
		struct rollout_status_write write =
		    compose(world->rollout, wanted, world->ledger, world->page_count, &world->arena);
		if (write.spill.count > 0) {
			ck_assert_ptr_null(write.status);
			ck_assert(write.urgent);
			store_page(world, &write);
		} else if (write.status) {
			store_status(world, write.status);
		} else {
			return;
		}
		ck_assert_uint_le(world->rollout->status.decisions.count, MAX_DECISIONS);
	}
	ck_abort_msg("it never settles");
}

START_TEST(test_sealed_and_chained)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing();

	world_init(&world);
	want_starts(&wanted, &world.arena, 0, 3);
	settle(&world, &wanted);
	ck_assert_uint_eq(world.writes, 1);
	check_ledger(&world, 3);
	ck_assert_str_eq(world.rollout->status.decisions.items[2].subject, "n2");
	world_finish(&world);
}
END_TEST

/* What is wanted again is in the ledger already: in the status, on a page, or twice in one list. */
START_TEST(test_each_once)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing(), again = wanted_nothing();

	world_init(&world);
	for (size_t first = 0; first < 90; first += 30) {
		want_starts(&wanted, &world.arena, first, 30);
		settle(&world, &wanted);
	}
	check_ledger(&world, 90);
	ck_assert_uint_ge(world.page_count, 1);
	want_starts(&again, &world.arena, 0, 3); /* of the first, on a page by now */
	again.decisions.items[1] = decision_of(&world.arena, DECISION_FAIL, "n1", 1);
	again.decisions.items[2] = again.decisions.items[1];
	settle(&world, &again);
	check_ledger(&world, 91);
	world_finish(&world);
}
END_TEST

/* The oldest leave, 20 stay; what a page holds is left out from then on. */
START_TEST(test_spill)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing();

	world_init(&world);
	want_starts(&wanted, &world.arena, 0, 50);
	settle(&world, &wanted);
	ck_assert_uint_eq(world.page_count, 0);
	ck_assert_uint_eq(world.rollout->status.decisions.count, 50);

	want_starts(&wanted, &world.arena, 50, 1);
	struct rollout_status_write write = compose(world.rollout, &wanted, NULL, 0, &world.arena);
	ck_assert_ptr_null(write.status);
	ck_assert_uint_eq(write.spill.count, 30);
	ck_assert_int_eq(write.spill.page, 1);
	for (size_t i = 0; i < write.spill.count; i++)
		ck_assert_int_eq(write.spill.items[i]->seq, (int64_t)i + 1);
	store_page(&world, &write);

	write = compose(world.rollout, &wanted, world.ledger, 1, &world.arena);
	ck_assert_uint_eq(write.spill.count, 0);
	store_status(&world, write.status);
	ck_assert_uint_eq(world.rollout->status.decisions.count, 21);
	ck_assert_int_eq(world.rollout->status.decisions.items[0].seq, 31);
	check_ledger(&world, 51);
	world_finish(&world);
}
END_TEST

/* A page without anything new to say also shortens the status. */
START_TEST(test_page_after_a_crash)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing(), more = wanted_nothing();

	world_init(&world);
	want_starts(&wanted, &world.arena, 0, 50);
	settle(&world, &wanted);
	want_starts(&more, &world.arena, 50, 1);
	struct rollout_status_write write = compose(world.rollout, &more, NULL, 0, &world.arena);
	store_page(&world, &write); /* here the controller died; the next one wants nothing new */
	settle(&world, &wanted);
	ck_assert_uint_eq(world.rollout->status.decisions.count, 20);
	check_ledger(&world, 50);
	world_finish(&world);
}
END_TEST

/* A status that was lost (restored without it) goes on where the pages end. */
START_TEST(test_lost_status)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing();

	world_init(&world);
	want_starts(&wanted, &world.arena, 0, 50);
	settle(&world, &wanted);
	want_starts(&wanted, &world.arena, 50, 1);
	struct rollout_status_write write = compose(world.rollout, &wanted, NULL, 0, &world.arena);
	store_page(&world, &write);
	kube_object_unref(&world.rollout->object);
	world.rollout = rollout_with(NULL);
	settle(&world, &wanted);
	ck_assert_uint_eq(world.rollout->status.decisions.count, 1);
	ck_assert_int_eq(world.rollout->status.decisions.items[0].seq, 31);
	check_ledger(&world, 31);
	world_finish(&world);
}
END_TEST

static bool has_start(const struct world *world, const char *node)
{
	for (size_t i = 0; i < world->rollout->status.decisions.count; i++)
		if (strcmp(world->rollout->status.decisions.items[i].subject, node) == 0)
			return true;
	for (size_t page = 0; page < world->page_count; page++)
		for (size_t i = 0; i < world->pages[page].decisions.count; i++)
			if (strcmp(world->pages[page].decisions.items[i].subject, node) == 0)
				return true;
	return false;
}

/* Grant before deed: at no time does a grant stand there without its Start, however many are wanted at once. */
START_TEST(test_no_grant_without_start)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing();

	world_init(&world);
	want_starts(&wanted, &world.arena, 0, 100);
	for (int round = 0; round < 20 && world.rollout->status.active.count < 100; round++) {
		struct rollout_status_write write =
		    compose(world.rollout, &wanted, world.ledger, world.page_count, &world.arena);
		ck_assert(write.urgent);
		if (write.spill.count > 0)
			store_page(&world, &write);
		else
			store_status(&world, write.status);
		for (size_t i = 0; i < world.rollout->status.active.count; i++)
			ck_assert(has_start(&world, world.rollout->status.active.items[i].node));
	}
	ck_assert_uint_eq(world.rollout->status.active.count, 100);
	check_ledger(&world, 100);
	world_finish(&world);
}
END_TEST

/* A failure whose decision has no room yet has not happened: neither in active nor in failed. */
START_TEST(test_no_failure_without_fail)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing();
	struct failure failed[MAX_FAILED];

	world_init(&world);
	want_starts(&wanted, &world.arena, 0, 40);
	settle(&world, &wanted);
	for (size_t i = 0; i < 40; i++) {
		struct active *active = &wanted.active.items[i];
		active->step = i % 2 ? STEP_FAILED : STEP_QUARANTINED;
		wanted.decisions.items[i] = decision_of(&world.arena, DECISION_FAIL, active->node, 1);
		failed[i] = (struct failure){active->node, active->node_uid, "rest", STEP_PATCHING, "JobFailed", "m", NOW};
	}
	wanted.failed.items = failed;
	wanted.failed.count = 40;
	for (int round = 0; round < 20; round++) {
		struct rollout_status_write write =
		    compose(world.rollout, &wanted, world.ledger, world.page_count, &world.arena);
		if (write.spill.count > 0)
			store_page(&world, &write);
		else if (write.status)
			store_status(&world, write.status);
		const struct rollout_status *status = &world.rollout->status;
		size_t settled = 0;
		ck_assert_uint_eq(status->active.count, 40);
		for (size_t i = 0; i < 40; i++)
			settled += step_bad((enum step)status->active.items[i].step);
		ck_assert_uint_eq(status->failed.count, settled);
	}
	ck_assert_uint_eq(world.rollout->status.failed.count, 40);
	check_ledger(&world, 80);
	world_finish(&world);
}
END_TEST

/* A grant that goes away with a decision stays until that decision stands there. */
START_TEST(test_leaving_is_held)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing(), leaving = wanted_nothing();

	world_init(&world);
	want_starts(&wanted, &world.arena, 0, 40);
	settle(&world, &wanted);
	want_starts(&leaving, &world.arena, 0, 40);
	leaving.active.count = 0;
	for (size_t i = 0; i < 40; i++)
		leaving.decisions.items[i] = decision_of(&world.arena, DECISION_SKIP, wanted.active.items[i].node, 1);
	struct rollout_status_write write = compose(world.rollout, &leaving, NULL, 0, &world.arena);
	store_page(&world, &write);
	write = compose(world.rollout, &leaving, world.ledger, 1, &world.arena);
	store_status(&world, write.status);
	ck_assert_uint_eq(world.rollout->status.decisions.count, 50);
	ck_assert_uint_eq(world.rollout->status.active.count, 10); /* 30 of the 40 decisions had room */
	settle(&world, &leaving);
	ck_assert_uint_eq(world.rollout->status.active.count, 0);
	check_ledger(&world, 80);
	world_finish(&world);
}
END_TEST

/* What ends comes before what begins, and what concerns the whole rollout before both. */
START_TEST(test_rank)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing();

	world_init(&world);
	want_starts(&wanted, &world.arena, 0, 100);
	wanted.decisions.items[98] = decision_of(&world.arena, DECISION_FAIL, "n98", 1);
	wanted.decisions.items[99] = decision_of(&world.arena, DECISION_HALT, "rest", 1);
	struct rollout_status_write write = compose(world.rollout, &wanted, NULL, 0, &world.arena);
	store_status(&world, write.status);
	const struct rollout_status *status = &world.rollout->status;
	ck_assert_uint_eq(status->decisions.count, 50);
	ck_assert_int_eq(status->decisions.items[47].type, DECISION_START);
	ck_assert_int_eq(status->decisions.items[48].type, DECISION_FAIL);
	ck_assert_int_eq(status->decisions.items[49].type, DECISION_HALT);
	check_ledger(&world, 50);
	world_finish(&world);
}
END_TEST

/* That a drain waits is told when there is room; the target itself is not kept back by it. */
START_TEST(test_wait_holds_nothing)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing();

	world_init(&world);
	want_starts(&wanted, &world.arena, 0, 60);
	for (size_t i = 50; i < 60; i++)
		wanted.decisions.items[i].type = DECISION_WAIT;
	struct rollout_status_write write = compose(world.rollout, &wanted, NULL, 0, &world.arena);
	store_status(&world, write.status);
	ck_assert_uint_eq(world.rollout->status.active.count, 60);
	world_finish(&world);
}
END_TEST

/* More grants than the schema takes: those that stand stay, new ones wait, with their Start. */
START_TEST(test_too_many_grants)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing();

	world_init(&world);
	want_starts(&wanted, &world.arena, 50, 90);
	settle(&world, &wanted);
	want_starts(&wanted, &world.arena, 0, 140);
	settle(&world, &wanted);
	ck_assert_uint_eq(world.rollout->status.active.count, MAX_ACTIVE);
	for (size_t i = 50; i < 140; i++) {
		char uid[32];
		bool found = false;
		snprintf(uid, sizeof(uid), "uid-%zu", i);
		for (size_t j = 0; j < MAX_ACTIVE; j++)
			found |= strcmp(world.rollout->status.active.items[j].node_uid, uid) == 0;
		ck_assert_msg(found, "%s lost its grant", uid);
	}
	check_ledger(&world, 100);
	world_finish(&world);
}
END_TEST

START_TEST(test_texts_are_cut)
{
	struct world world;
	struct rollout_status wanted = wanted_nothing();
	char evidence[MAX_EVIDENCE_BYTES + 8];

	world_init(&world);
	memset(evidence, 'e', sizeof(evidence));
	memcpy(evidence + MAX_EVIDENCE_BYTES - 1, "\xe2\x82\xac!", 5); /* the limit lies within the € */
	want_starts(&wanted, &world.arena, 0, 1);
	wanted.decisions.items[0].evidence = evidence;
	wanted.decisions.items[0].reason = text_of(&world.arena, 'R', 500);
	wanted.decisions.items[0].rule = NULL;
	settle(&world, &wanted);
	const struct decision *decision = &world.rollout->status.decisions.items[0];
	ck_assert_uint_eq(strlen(decision->evidence), MAX_EVIDENCE_BYTES - 1);
	ck_assert_uint_eq(strlen(decision->reason), 128);
	ck_assert_str_eq(decision->rule, "");
	check_ledger(&world, 1);
	world_finish(&world);
}
END_TEST

/* Long decisions leave earlier than 50 short ones. */
START_TEST(test_bytes)
{
	static const char letters[] = {'"',
	                               '\x1b'}; /* twice, and six times as long in JSON: of the latter 13 fill a status */

	for (size_t k = 0; k < sizeof(letters); k++) {
		struct world world;
		struct rollout_status wanted = wanted_nothing();
		world_init(&world);
		want_starts(&wanted, &world.arena, 0, 60);
		for (size_t i = 0; i < 60; i++)
			wanted.decisions.items[i].evidence = text_of(&world.arena, letters[k], MAX_EVIDENCE_BYTES);
		settle(&world, &wanted);
		check_ledger(&world, 60);
		ck_assert_uint_ge(world.page_count, 1);
		world_finish(&world);
	}
}
END_TEST

CHECK_MAIN("decisions", test_sealed_and_chained, test_each_once, test_spill, test_page_after_a_crash, test_lost_status,
           test_no_grant_without_start, test_no_failure_without_fail, test_leaving_is_held, test_rank,
           test_wait_holds_nothing, test_too_many_grants, test_texts_are_cut, test_bytes)
