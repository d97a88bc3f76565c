/* Leader election on the virtual clock: processes that freeze, ask, end; and everything at once. */
#include "test/unit/check_main.h"
#include "test/unit/runtime/lease_server.h"

/* ---- freezing ---- */

START_TEST(a_frozen_holder_knows_before_anything_else)
{
	struct process *a = leader_a(), *b = lease_start(&t, 'b');
	lease_run(&t, 9000); /* between two renewals */
	sim_process_freeze(&a->machine);
	lease_run(&t, A_WHILE_MS + LONGEST_RETRY_MS);
	ck_assert_int_eq(b->started, 1);
	ck_assert_int_eq(a->lost, 0); /* none of its timers has run */
	ck_assert(!held('a'));        /* and yet it may do nothing */
	ck_assert(kube_elector_overdue(a->elector));
	int64_t woken_ms = lease_now(&t);
	unsigned sent = a->machine.sent;
	sim_process_thaw(&a->machine);
	lease_run(&t, 30000);
	ck_assert_int_eq(a->lost, 1);
	ck_assert_int_eq(a->lost_ms, woken_ms);
	ck_assert_uint_eq(a->machine.sent, sent);
	ck_assert(held('b'));
	ck_assert(!kube_elector_overdue(a->elector));
	lease_tear_down(&t);
}
END_TEST

START_TEST(a_short_freeze_is_nothing)
{
	struct process *a = leader_a();
	lease_run(&t, 9000);
	sim_process_freeze(&a->machine);
	lease_run(&t, 7000);
	ck_assert(held('a'));
	sim_process_thaw(&a->machine);
	lease_run(&t, 30000);
	ck_assert(held('a'));
	ck_assert_int_eq(a->lost, 0);
	lease_tear_down(&t);
}
END_TEST

START_TEST(an_answer_from_before_a_freeze_renews_nothing)
{
	static const struct kube_elector_times times = {.lease_ms = 1000, .renew_ms = 900, .retry_ms = 100};
	lease_set_up(&t, 1);
	struct process *a = process_new(&t, 'a', &times);
	kube_elector_start(a->elector);
	lease_run(&t, 50);
	ck_assert(held('a'));
	t.delay_ms = 950;
	lease_run(&t, 90); /* a renewal is on its way */
	ck_assert_uint_eq(lease_calls(&t, 'a', "PUT", 0), 1);
	sim_process_freeze(&a->machine);
	lease_run(&t, 1100); /* the answer comes, and no timer runs */
	sim_process_thaw(&a->machine);
	lease_run(&t, 0);
	ck_assert(!held('a'));
	ck_assert_int_eq(a->lost, 1);
	lease_tear_down(&t);
}
END_TEST

/* ---- asking ---- */

START_TEST(whoever_asks_learns_at_once)
{
	struct process *a = leader_a();
	int64_t since_ms = lease_now(&t);
	kube_elector_verify(a->elector);
	lease_run(&t, 50);
	ck_assert(held('a'));
	ck_assert_uint_eq(lease_calls(&t, 'a', "GET", since_ms), 1);
	ck_assert_uint_eq(lease_calls(&t, 'a', "PUT", since_ms), 0);
	lease_run(&t, 20000);
	ck_assert(held('a'));
	ck_assert_uint_ge(lease_calls(&t, 'a', "PUT", since_ms), 9);
	set_record("id-x", 15);
	kube_elector_verify(a->elector);
	lease_run(&t, 50);
	ck_assert_int_eq(a->lost, 1);
	kube_elector_verify(a->elector); /* no matter */
	lease_tear_down(&t);
}
END_TEST

START_TEST(who_asks_during_a_renewal_gets_a_read_after_it)
{
	struct process *a = leader_a();
	t.delay_ms = 500;
	lease_run(&t, 2000);
	int64_t since_ms = lease_now(&t);
	ck_assert_uint_eq(lease_calls(&t, 'a', "PUT", 0), 1);
	set_record("id-x", 15); /* after the renewal was done, before its answer is there */
	kube_elector_verify(a->elector);
	kube_elector_verify(a->elector);
	lease_run(&t, 1100);
	ck_assert_uint_eq(lease_calls(&t, 'a', "GET", since_ms), 1);
	ck_assert_int_eq(a->lost, 1);
	lease_tear_down(&t);
}
END_TEST

START_TEST(a_read_that_outlasts_the_pause_does_not_stop_the_renewals)
{
	struct process *a = leader_a();
	lease_run(&t, 1800);
	t.delay_ms = 1000;
	kube_elector_verify(a->elector);
	lease_run(&t, 10);
	t.delay_ms = 0;
	lease_run(&t, 30000);
	ck_assert(held('a'));
	ck_assert_int_eq(a->lost, 0);
	t.status = 500; /* a read that fails decides nothing */
	kube_elector_verify(a->elector);
	lease_run(&t, 50);
	t.status = 0;
	lease_run(&t, 30000);
	ck_assert(held('a'));
	lease_tear_down(&t);
}
END_TEST

/* ---- giving it back ---- */

static void check_given_back(int64_t transitions)
{
	ck_assert_str_eq(lease_text(&t, "spec.holderIdentity"), "");
	ck_assert_int_eq(lease_number(&t, "spec.leaseDurationSeconds"), 1);
	ck_assert_int_eq(lease_number(&t, "spec.leaseTransitions"), transitions);
}

START_TEST(a_lease_that_is_given_back_is_taken_at_once)
{
	struct process *a = leader_a(), *b = lease_start(&t, 'b');
	lease_run(&t, 30000);
	kube_elector_release(a->elector);
	kube_elector_release(a->elector); /* no matter */
	ck_assert(!held('a'));            /* from now on */
	lease_run(&t, 2 * ANSWER_MS);
	check_given_back(0);
	ck_assert(kube_elector_ended(a->elector));
	ck_assert_int_eq(a->lost, 0);
	int64_t since_ms = lease_now(&t);
	lease_run(&t, LONGEST_RETRY_MS + 20);
	ck_assert_int_eq(b->started, 1);
	ck_assert_int_le(b->started_ms - since_ms, LONGEST_RETRY_MS + 20);
	ck_assert_int_eq(lease_number(&t, "spec.leaseTransitions"), 1);
	lease_run(&t, 60000);
	ck_assert_uint_eq(lease_calls(&t, 'a', "PUT", since_ms), 0);
	lease_tear_down(&t);
}
END_TEST

START_TEST(it_is_given_back_whatever_is_under_way)
{
	static const struct {
		int64_t at_ms;      /* of the release, since the start */
		const char *method; /* in flight then */
	} cases[] = {{3, "GET"}, {8, "POST"}, {2013, "PUT"}};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		lease_set_up(&t, 1);
		struct process *a = lease_start(&t, 'a');
		lease_run(&t, cases[i].at_ms);
		ck_assert_str_eq(t.calls[t.count - 1].what, cases[i].method);
		kube_elector_release(a->elector);
		ck_assert(!kube_elector_ended(a->elector));
		lease_run(&t, 100);
		ck_assert(kube_elector_ended(a->elector));
		ck_assert_int_eq(a->started, i == 2);
		if (i == 0)
			ck_assert_ptr_null(t.lease);
		else
			check_given_back(0);
		lease_tear_down(&t);
	}
}
END_TEST

START_TEST(giving_back_touches_only_what_is_ours_and_ends_in_time)
{
	static const struct {
		const char *holder; /* NULL: still ours, and the object was touched */
		bool silent;
		int status;
		size_t puts;
	} cases[] = {{"id-x", false, 0, 1}, {NULL, false, 0, 2}, {NULL, true, 0, 1}, {NULL, false, 500, 1}};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct process *a = leader_a();
		if (cases[i].holder)
			set_record(cases[i].holder, 15);
		else
			lease_set_version(&t);
		t.silent = cases[i].silent;
		t.status = cases[i].status;
		int64_t since_ms = lease_now(&t);
		kube_elector_release(a->elector);
		lease_run(&t, RENEW_MS + 100);
		ck_assert(kube_elector_ended(a->elector));
		ck_assert_uint_eq(lease_calls(&t, 'a', "PUT", since_ms), cases[i].puts);
		if (cases[i].puts == 2)
			check_given_back(0);
		else
			ck_assert_str_eq(lease_text(&t, "spec.holderIdentity"), cases[i].holder ? cases[i].holder : "id-a");
		ck_assert_int_eq(a->lost, 0);
		lease_tear_down(&t);
	}
}
END_TEST

START_TEST(who_holds_nothing_gives_nothing_back)
{
	leader_a();
	struct process *b = lease_start(&t, 'b'), *c = process_new(&t, 'c', NULL);
	lease_run(&t, 1000);
	kube_elector_release(b->elector);
	kube_elector_release(c->elector); /* never started */
	ck_assert(kube_elector_ended(b->elector));
	ck_assert(kube_elector_ended(c->elector));
	lease_run(&t, 30000);
	ck_assert(held('a'));
	ck_assert_uint_eq(lease_calls(&t, 'b', "PUT", 0), 0);
	ck_assert_uint_eq(lease_calls(&t, 'b', "GET", 0), 1);
	lease_tear_down(&t);
}
END_TEST

/* ---- everything at once ---- */

static int64_t draw(int64_t low, int64_t high)
{
	return kube_env_random_between(kube_sim_env(t.sim), low, high);
}

/* One of three processes has trouble of some kind for some time. */
static void draw_fault(void)
{
	static const char *const methods[] = {NULL, "GET", "PUT", "POST"};
	struct process *p = &t.processes[draw(0, PROCESSES - 1)];
	t.only = draw(0, 2) ? p->machine.name[0] : 0;
	t.method = methods[draw(0, 3)];
	t.silent = t.answer_lost = false;
	t.status = 0;
	t.delay_ms = 0;
	switch (draw(0, 7)) {
	case 0: t.silent = true; break;
	case 1: t.answer_lost = true; break;
	case 2: t.status = (int)draw(0, 1) ? 500 : 409; break;
	case 3: t.delay_ms = draw(1, 4900); break;
	case 4: sim_process_freeze(&p->machine); break;
	case 5: process_kill(p); break;
	case 6: kube_elector_release(p->elector); break;
	case 7: kube_sim_wall_jump(t.sim, draw(-100000, 100000)); break;
	}
}

static void heal(void)
{
	t.silent = t.answer_lost = false;
	t.status = 0;
	t.delay_ms = 0;
	for (size_t i = 0; i < PROCESSES; i++) {
		struct process *p = &t.processes[i];
		if (p->machine.frozen)
			sim_process_thaw(&p->machine);
		lease_run(&t, 1);
		if (p->elector && kube_elector_ended(p->elector))
			process_kill(p);
		if (!p->elector)
			lease_start(&t, (char)('a' + i));
	}
}

static void watch(int64_t ms)
{
	for (int64_t until_ms = lease_now(&t) + ms; lease_now(&t) < until_ms;) {
		lease_run(&t, 25);
		ck_assert_int_le(held('a') + held('b') + held('c'), 1);
	}
}

START_TEST(never_two_and_always_one_in_the_end)
{
	for (uint64_t seed = 1; seed <= (getenv("UNIT_LIGHT") ? 3 : 60); seed++) {
		lease_set_up(&t, seed);
		for (char name = 'a'; name <= 'c'; name++)
			lease_start(&t, name);
		for (int round = 0; round < 5; round++) {
			watch(draw(0, 12000));
			draw_fault();
			watch(draw(0, 25000));
			heal();
			t.count = 0;
		}
		watch(LEASE_MS + 2 * LONGEST_RETRY_MS + 10000);
		ck_assert_msg(held('a') + held('b') + held('c') == 1, "nobody leads with seed %d", (int)seed);
		lease_tear_down(&t);
	}
}
END_TEST

CHECK_MAIN("elector, trouble", a_frozen_holder_knows_before_anything_else, a_short_freeze_is_nothing,
           an_answer_from_before_a_freeze_renews_nothing, whoever_asks_learns_at_once,
           who_asks_during_a_renewal_gets_a_read_after_it, a_read_that_outlasts_the_pause_does_not_stop_the_renewals,
           a_lease_that_is_given_back_is_taken_at_once, it_is_given_back_whatever_is_under_way,
           giving_back_touches_only_what_is_ours_and_ends_in_time, who_holds_nothing_gives_nothing_back,
           never_two_and_always_one_in_the_end)
