/* Leader election on the virtual clock: who holds the lease, since when, and never two at a time. */
#include "test/unit/check_main.h"
#include "test/unit/runtime/lease_server.h"

/* ---- settings ---- */

START_TEST(times_keep_their_order)
{
	static const struct {
		struct kube_elector_times times;
		const char *says; /* NULL: fine */
	} cases[] = {
	    {{0, 0, 0}, NULL},
	    {{3000, 2000, 500}, NULL},
	    {{15000, 14999, 2000}, NULL},
	    {{15000, 15000, 2000}, "longer than the renew deadline"},
	    {{9000, 0, 0}, "longer than the renew deadline"},
	    {{15000, 2401, 2000}, NULL},
	    {{15000, 2400, 2000}, "1.2 times the retry period"},
	    {{15000, 10000, INT64_MAX}, "1.2 times the retry period"},
	    {{2500, 2000, 500}, "whole seconds"},
	    {{-1, 0, 0}, "above 0"},
	    {{15000, -5, 0}, "above 0"},
	    {{15000, 10000, -5}, "above 0"},
	    {{INT64_MAX / 1000 * 1000, 10000, 2000}, "whole seconds"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_err err = {0};
		int rc = kube_elector_check_times(&cases[i].times, &err);
		ck_assert_msg((rc == 0) == !cases[i].says, "case %zu: %d", i, rc);
		if (cases[i].says)
			ck_assert_msg(rc == KUBE_E_INVALID && strstr(err.message, cases[i].says), "case %zu: %s", i, err.message);
	}
}
END_TEST

START_TEST(an_identity_is_new_each_time)
{
	char one[KUBE_ELECTOR_IDENTITY_SIZE], two[KUBE_ELECTOR_IDENTITY_SIZE], host[400];
	lease_set_up(&t, 5);
	struct kube_env *env = kube_sim_env(t.sim);
	ck_assert_ptr_eq(kube_elector_identity(env, "host-1", one), one);
	kube_elector_identity(env, "host-1", two);
	ck_assert_str_ne(one, two);
	ck_assert_int_eq(strncmp(one, "host-1_", 7), 0);
	ck_assert_uint_eq(strlen(one), 7 + 36);
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		ck_assert_msg(strchr(dash ? "-" : "0123456789abcdef", one[7 + i]) != NULL, "%s", one);
	}
	ck_assert_int_eq(one[7 + 14], '4');
	ck_assert_ptr_nonnull(strchr("89ab", one[7 + 19]));
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	ck_assert_uint_eq(strlen(kube_elector_identity(env, host, one)), 253 + 37);
	lease_tear_down(&t);
}
END_TEST

/* ---- taking it ---- */

START_TEST(the_first_makes_the_lease_and_renews_it)
{
	char acquired[64];
	struct process *a = leader_a();
	ck_assert_int_eq(a->started, 1);
	ck_assert_str_eq(lease_text(&t, "apiVersion"), "coordination.k8s.io/v1");
	ck_assert_str_eq(lease_text(&t, "kind"), "Lease");
	ck_assert_str_eq(lease_text(&t, "metadata.name"), "pw");
	ck_assert_str_eq(lease_text(&t, "metadata.namespace"), "ns");
	ck_assert_str_eq(lease_text(&t, "spec.holderIdentity"), "id-a");
	ck_assert_int_eq(lease_number(&t, "spec.leaseDurationSeconds"), 15);
	ck_assert_int_eq(lease_number(&t, "spec.leaseTransitions"), 0);
	ck_assert_str_eq(lease_text(&t, "spec.renewTime"), lease_text(&t, "spec.acquireTime"));
	snprintf(acquired, sizeof(acquired), "%s", lease_text(&t, "spec.acquireTime"));
	ck_assert_uint_eq(strlen(acquired), strlen("2026-01-01T00:00:00.123000Z")); /* MicroTime */
	ck_assert_int_eq(acquired[19], '.');
	lease_run(&t, 20000);
	ck_assert(held('a'));
	ck_assert_str_eq(lease_text(&t, "spec.acquireTime"), acquired);
	ck_assert_str_ne(lease_text(&t, "spec.renewTime"), acquired);
	ck_assert_int_eq(lease_number(&t, "spec.leaseTransitions"), 0);
	/* Only writes, every 2 s. */
	ck_assert_uint_eq(lease_calls(&t, 'a', "GET", 0), 1);
	ck_assert_uint_ge(lease_calls(&t, 'a', "PUT", 0), 9);
	ck_assert_uint_le(lease_calls(&t, 'a', "PUT", 0), 10);
	ck_assert_int_eq(a->started, 1);
	ck_assert_int_eq(a->failed, 0);
	lease_tear_down(&t);
}
END_TEST

START_TEST(the_others_wait_with_jitter)
{
	int64_t last_ms = 0, shortest_ms = INT64_MAX, longest_ms = 0;
	leader_a();
	struct process *b = lease_start(&t, 'b');
	lease_run(&t, 300000);
	ck_assert(held('a') && !held('b'));
	ck_assert_int_eq(b->started, 0);
	ck_assert_int_eq(b->failed, 0);
	ck_assert_str_eq(b->holders, "id-a ");
	ck_assert_uint_eq(lease_calls(&t, 'b', "PUT", 0), 0);
	for (size_t i = 0; i < t.count; i++) {
		if (t.calls[i].who != 'b')
			continue;
		int64_t pause_ms = t.calls[i].at_ms - last_ms - ANSWER_MS;
		if (last_ms) {
			shortest_ms = pause_ms < shortest_ms ? pause_ms : shortest_ms;
			longest_ms = pause_ms > longest_ms ? pause_ms : longest_ms;
		}
		last_ms = t.calls[i].at_ms;
	}
	ck_assert_int_ge(shortest_ms, 2000);
	ck_assert_int_lt(shortest_ms, 2500);
	ck_assert_int_le(longest_ms, LONGEST_RETRY_MS);
	ck_assert_int_gt(longest_ms, 3900);
	lease_tear_down(&t);
}
END_TEST

/* The time at which b leads after a died, since the last renewal of a. */
static int64_t take_over_ms(uint64_t seed, int64_t jump_ms)
{
	lease_set_up(&t, seed);
	struct process *a = lease_start(&t, 'a');
	lease_run(&t, 1000);
	struct process *b = lease_start(&t, 'b');
	lease_run(&t, 20000 + (int64_t)seed * 137);
	kube_sim_wall_jump(t.sim, jump_ms);
	lease_run(&t, 10000);
	ck_assert(held('a') && !held('b'));
	int64_t renewed_ms = 0;
	char acquired[64];
	snprintf(acquired, sizeof(acquired), "%s", lease_text(&t, "spec.acquireTime"));
	for (size_t i = 0; i < t.count; i++)
		if (t.calls[i].who == 'a')
			renewed_ms = t.calls[i].at_ms;
	process_kill(a);
	kube_sim_wall_jump(t.sim, -3 * jump_ms);
	lease_run(&t, A_WHILE_MS + LONGEST_RETRY_MS);
	ck_assert_int_eq(b->started, 1);
	ck_assert_int_eq(lease_number(&t, "spec.leaseTransitions"), 1);
	ck_assert_str_eq(lease_text(&t, "spec.holderIdentity"), "id-b");
	ck_assert_str_ne(lease_text(&t, "spec.acquireTime"), acquired);
	int64_t took_ms = b->started_ms - renewed_ms;
	lease_tear_down(&t);
	return took_ms;
}

START_TEST(a_dead_holder_is_followed_when_its_lease_has_run_out)
{
	for (uint64_t seed = 1; seed <= (getenv("UNIT_LIGHT") ? 3 : 30); seed++) {
		int64_t took_ms = take_over_ms(seed, 0);
		/* b saw the last renewal up to one retry after it happened, and looks again up to one retry after the end. */
		ck_assert_int_ge(took_ms, LEASE_MS);
		ck_assert_int_le(took_ms, LEASE_MS + 2 * (LONGEST_RETRY_MS + 20));
	}
}
END_TEST

START_TEST(wall_clocks_do_not_matter)
{
	static const int64_t jumps_ms[] = {3600000, -3600000, INT64_C(86400000) * 400, -INT64_C(86400000) * 400, 12000};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(jumps_ms); i++)
		ck_assert_int_eq(take_over_ms(3, jumps_ms[i]), take_over_ms(3, 0));
}
END_TEST

START_TEST(a_record_counts_from_when_it_was_seen_and_for_as_long_as_it_says)
{
	static const struct {
		const char *holder;
		int duration_s;
		int64_t from_ms, to_ms; /* when we lead */
	} cases[] = {
	    {"", 15, 0, 50},
	    {"id-x", 60, 60000, 60000 + LONGEST_RETRY_MS + 50},
	    {"id-x", 1, 1000, LONGEST_RETRY_MS + 50},
	    {"id-a", 15, 0, 50}, /* our own: the answer to our write was lost */
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		lease_set_up(&t, 11);
		set_record(cases[i].holder, cases[i].duration_s);
		struct process *a = lease_start(&t, 'a');
		lease_run(&t, 70000);
		ck_assert_int_eq(a->started, 1);
		ck_assert_int_ge(a->started_ms, cases[i].from_ms);
		ck_assert_int_le(a->started_ms, cases[i].to_ms);
		ck_assert_int_eq(lease_number(&t, "spec.leaseTransitions"), strcmp(cases[i].holder, "id-a") == 0 ? 7 : 8);
		ck_assert_str_eq(lease_text(&t, "metadata.labels.team"), "x");
		lease_tear_down(&t);
	}
}
END_TEST

START_TEST(only_the_record_keeps_a_holder_alive)
{
	lease_set_up(&t, 2);
	set_record("id-x", 15);
	struct process *a = lease_start(&t, 'a');
	for (int i = 0; i < 30 && !a->started; i++) { /* somebody touches the object all the time */
		lease_set_version(&t);
		lease_run(&t, 999);
	}
	ck_assert_int_eq(a->started, 1);
	ck_assert_int_ge(a->started_ms, 15000);
	ck_assert_int_le(a->started_ms, A_WHILE_MS);
	lease_tear_down(&t);
}
END_TEST

START_TEST(two_at_once_give_one_holder)
{
	for (uint64_t seed = 1; seed <= (getenv("UNIT_LIGHT") ? 3 : 30); seed++) {
		lease_set_up(&t, seed);
		if (seed % 2)
			set_record("", 1);
		lease_start(&t, 'a');
		lease_start(&t, 'b');
		lease_start(&t, 'c');
		lease_run(&t, 60000);
		ck_assert_int_eq(held('a') + held('b') + held('c'), 1);
		for (size_t i = 0; i < PROCESSES; i++) {
			ck_assert_int_eq(t.processes[i].failed, 0); /* to be second is no failure */
			ck_assert_int_eq(t.processes[i].lost, 0);
			ck_assert_int_eq(t.processes[i].started, held((char)('a' + i)));
		}
		lease_tear_down(&t);
	}
}
END_TEST

START_TEST(a_write_whose_answer_was_lost_is_found_again)
{
	lease_set_up(&t, 1);
	t.method = "POST";
	t.answer_lost = true;
	struct process *a = lease_start(&t, 'a');
	lease_run(&t, 5100); /* the request's own time: half of the renew deadline */
	ck_assert_int_eq(a->started, 0);
	ck_assert_int_eq(a->failed, 1);
	lease_run(&t, LONGEST_RETRY_MS);
	ck_assert_int_eq(a->started, 1);
	ck_assert_int_eq(a->works, 1);
	ck_assert_int_eq(lease_number(&t, "spec.leaseTransitions"), 0);
	lease_tear_down(&t);
}
END_TEST

START_TEST(an_answer_that_comes_too_late_makes_no_leader)
{
	static const struct kube_elector_times times = {.lease_ms = 1000, .renew_ms = 900, .retry_ms = 100};
	lease_set_up(&t, 1);
	t.method = "POST";
	t.delay_ms = 950; /* within the request's time, which is 1 s at least */
	struct process *a = process_new(&t, 'a', &times);
	kube_elector_start(a->elector);
	lease_run(&t, 960);
	ck_assert_str_eq(lease_text(&t, "spec.holderIdentity"), "id-a");
	ck_assert(!held('a'));
	ck_assert_int_eq(a->started, 0);
	ck_assert_ptr_nonnull(strstr(a->failure, "too late"));
	lease_run(&t, 300);
	ck_assert_int_eq(a->started, 1);
	ck_assert(held('a'));
	lease_tear_down(&t);
}
END_TEST

/* ---- keeping it ---- */

START_TEST(a_holder_that_cannot_renew_ends_before_others_begin)
{
	static const struct {
		bool silent;
		int status;
	} cases[] = {{true, 0}, {false, 500}, {false, 403}};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct process *a = leader_a(), *b = lease_start(&t, 'b');
		lease_run(&t, 10000);
		int64_t renewed_ms = 0;
		for (size_t k = 0; k < t.count; k++)
			if (t.calls[k].who == 'a')
				renewed_ms = t.calls[k].at_ms;
		t.only = 'a';
		t.silent = cases[i].silent;
		t.status = cases[i].status;
		lease_run(&t, renewed_ms + RENEW_MS - 1 - lease_now(&t));
		ck_assert(held('a'));
		lease_run(&t, 1);
		ck_assert(!held('a'));
		ck_assert_int_eq(a->lost, 1);
		ck_assert_int_eq(a->lost_ms, renewed_ms + RENEW_MS);
		ck_assert_ptr_nonnull(strstr(a->lost_message, "ns/pw"));
		size_t calls = lease_calls(&t, 'a', "GET", 0) + lease_calls(&t, 'a', "PUT", 0);
		lease_run(&t, A_WHILE_MS);
		ck_assert_int_eq(b->started, 1);
		ck_assert_int_ge(b->started_ms, renewed_ms + LEASE_MS);
		ck_assert_int_eq(a->lost, 1);
		ck_assert_uint_eq(lease_calls(&t, 'a', "GET", 0) + lease_calls(&t, 'a', "PUT", 0), calls);
		lease_tear_down(&t);
	}
}
END_TEST

START_TEST(a_short_trouble_is_told_once_and_survived)
{
	struct process *a = leader_a();
	t.status = 500;
	lease_run(&t, 7000);
	ck_assert(held('a'));
	ck_assert_int_eq(a->failed, 1);
	ck_assert_ptr_nonnull(strstr(a->failure, "/leases/pw"));
	t.status = 0;
	lease_run(&t, 20000);
	ck_assert(held('a'));
	ck_assert_int_eq(a->works, 1);
	ck_assert_int_eq(a->lost, 0);
	lease_tear_down(&t);
}
END_TEST

START_TEST(who_may_read_and_not_write_is_told_so_once)
{
	lease_set_up(&t, 1);
	t.method = "POST";
	t.status = 403;
	struct process *a = lease_start(&t, 'a');
	lease_run(&t, 60000);
	ck_assert_int_eq(a->started, 0);
	ck_assert_int_eq(a->failed, 1);
	ck_assert_int_eq(a->works, 0);
	lease_tear_down(&t);
}
END_TEST

START_TEST(slow_answers_do_not_lose_it)
{
	struct process *a = leader_a();
	t.delay_ms = 4000;
	lease_run(&t, 120000);
	ck_assert(held('a'));
	ck_assert_int_eq(a->lost, 0);
	lease_tear_down(&t);
}
END_TEST

/* Half the renew deadline: there is time for another attempt. */
START_TEST(a_request_without_an_answer_has_half_the_deadline)
{
	leader_a();
	size_t first = t.count;
	t.silent = true;
	lease_run(&t, RENEW_MS + 2 * KUBE_ELECTOR_RETRY_MS);
	ck_assert_uint_ge(t.count, first + 2);
	ck_assert_int_eq(t.calls[first + 1].at_ms - t.calls[first].at_ms, RENEW_MS / 2); /* a read, at once */
	lease_tear_down(&t);
}
END_TEST

START_TEST(a_conflict_is_read_and_written_again)
{
	struct process *a = leader_a();
	lease_set_version(&t); /* somebody labels the object */
	int64_t since_ms = lease_now(&t);
	lease_run(&t, 2500);
	ck_assert_uint_eq(lease_calls(&t, 'a', "GET", since_ms), 1);
	ck_assert_uint_eq(lease_calls(&t, 'a', "PUT", since_ms), 2);
	ck_assert(held('a'));
	ck_assert_int_eq(a->failed, 0);
	ck_assert_int_eq(lease_number(&t, "spec.leaseTransitions"), 0);
	lease_tear_down(&t);
}
END_TEST

START_TEST(a_lease_that_was_taken_or_emptied_is_lost)
{
	static const char *const holders[] = {"id-x", ""};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(holders); i++) {
		struct process *a = leader_a();
		set_record(holders[i], 15);
		long version = t.version;
		lease_run(&t, 2100);
		ck_assert_int_eq(a->lost, 1);
		ck_assert_ptr_nonnull(strstr(a->lost_message, *holders[i] ? "id-x" : "nobody"));
		lease_run(&t, 60000);
		ck_assert_int_eq(t.version, version); /* not touched any more */
		ck_assert_int_eq(a->started, 1);
		lease_tear_down(&t);
	}
}
END_TEST

START_TEST(a_lease_that_was_deleted_is_made_again)
{
	struct process *a = leader_a();
	cJSON_Delete(take(t.lease));
	lease_run(&t, 2500);
	ck_assert(held('a'));
	ck_assert_str_eq(lease_text(&t, "spec.holderIdentity"), "id-a");
	ck_assert_int_eq(a->lost, 0);
	lease_tear_down(&t);
}
END_TEST

/* A proxy's idea of success. */
START_TEST(an_answer_that_is_no_lease_means_nothing)
{
	static const char *const methods[] = {"PUT", "GET"};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(methods); i++) {
		struct process *a = leader_a(), *b = process_new(&t, 'b', NULL);
		_cleanup_json_ cJSON *lease = t.lease;
		t.lease = cJSON_Parse("{\"kind\":\"Odd\",\"metadata\":{\"resourceVersion\":\"1\"}}");
		t.method = methods[i];
		t.status = 200;
		kube_elector_start(b->elector);
		int64_t since_ms = lease_now(&t);
		lease_run(&t, RENEW_MS + 100);
		ck_assert_int_eq(b->started, 0);
		if (i == 0)
			ck_assert_int_eq(a->lost, 1);
		else
			ck_assert_uint_eq(lease_calls(&t, 'b', "PUT", since_ms), 0);
		lease_tear_down(&t);
	}
}
END_TEST

CHECK_MAIN("elector", times_keep_their_order, an_identity_is_new_each_time, the_first_makes_the_lease_and_renews_it,
           the_others_wait_with_jitter, a_dead_holder_is_followed_when_its_lease_has_run_out, wall_clocks_do_not_matter,
           a_record_counts_from_when_it_was_seen_and_for_as_long_as_it_says, only_the_record_keeps_a_holder_alive,
           two_at_once_give_one_holder, a_write_whose_answer_was_lost_is_found_again,
           an_answer_that_comes_too_late_makes_no_leader, a_holder_that_cannot_renew_ends_before_others_begin,
           a_short_trouble_is_told_once_and_survived, who_may_read_and_not_write_is_told_so_once,
           slow_answers_do_not_lose_it, a_request_without_an_answer_has_half_the_deadline,
           a_conflict_is_read_and_written_again, a_lease_that_was_taken_or_emptied_is_lost,
           a_lease_that_was_deleted_is_made_again, an_answer_that_is_no_lease_means_nothing)
