/* Several processes on one simulated clock. */
#include "test/unit/check_main.h"

#include <kube/sim.h>
#include <string.h>

static struct {
	struct kube_sim *sim;
	struct kube_sim_process *a, *b;
	unsigned senders[4], arrivals;
	char order[8]; /* 't'imer or 'a'nswer, as they come to a */
} t;

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	(void)arg;
	(void)request;
	t.senders[t.arrivals++] = kube_sim_sender(exchange);
	kube_sim_reply_json(sim, exchange, 50, 200, "{}");
}

static void set_up(void)
{
	memset(&t, 0, sizeof(t));
	ck_assert_int_eq(kube_sim_new(1, 1000000, &t.sim, NULL), 0);
	kube_sim_serve(t.sim, serve, NULL);
	ck_assert_int_eq(kube_sim_process_new(t.sim, &t.a, NULL), 0);
	ck_assert_int_eq(kube_sim_process_new(t.sim, &t.b, NULL), 0);
}

static void tear_down(void)
{
	kube_sim_process_free(t.a);
	kube_sim_process_free(t.b);
	kube_sim_free(t.sim);
}

static void note(char what)
{
	size_t len = strlen(t.order);
	ck_assert_uint_lt(len + 1, sizeof(t.order));
	t.order[len] = what;
}

static void on_timer(struct kube_timer *timer, void *arg)
{
	(void)timer;
	(void)arg;
	note('t');
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	(void)bytes;
	(void)len;
	return 0;
}

static void on_done(void *arg, const struct kube_err *err)
{
	(void)arg;
	note(err ? 'x' : 'a');
}

static struct kube_exchange *send_from(struct kube_sim_process *process, int64_t timeout_ms)
{
	static const struct kube_exchange_handlers handlers = {.on_data = on_data, .on_done = on_done};
	const struct kube_request request = {.method = "GET", .target = "/", .timeout_ms = timeout_ms};
	struct kube_transport *transport = process ? kube_sim_process_transport(process) : kube_sim_transport(t.sim);
	struct kube_exchange *exchange;
	ck_assert_int_eq(kube_transport_send(transport, &request, &handlers, NULL, &exchange, NULL), 0);
	return exchange;
}

static void run_to(int64_t mono_ms)
{
	kube_sim_run(t.sim, mono_ms, 1000);
}

START_TEST(each_has_a_wall_clock_and_all_have_one_time)
{
	set_up();
	struct kube_env *a = kube_sim_process_env(t.a), *b = kube_sim_process_env(t.b);
	kube_sim_process_wall_jump(t.a, -7000);
	run_to(100);
	ck_assert_int_eq(kube_env_mono_ms(a), 100);
	ck_assert_int_eq(kube_env_mono_ms(b), 100);
	ck_assert_int_eq(kube_env_wall_ms(a), 993100);
	ck_assert_int_eq(kube_env_wall_ms(b), 1000100);
	ck_assert_int_eq(kube_sim_server_ms(t.sim), 1000100);
	ck_assert(kube_env_random64(a) != kube_env_random64(b));
	tear_down();
}
END_TEST

START_TEST(the_server_can_tell_them_apart)
{
	set_up();
	send_from(t.b, 0);
	send_from(NULL, 0);
	send_from(t.a, 0);
	run_to(100);
	ck_assert_str_eq(t.order, "aaa");
	ck_assert_uint_eq(t.senders[0], kube_sim_process_id(t.b));
	ck_assert_uint_eq(t.senders[1], 1);
	ck_assert_uint_eq(t.senders[2], kube_sim_process_id(t.a));
	ck_assert_uint_ne(kube_sim_process_id(t.a), kube_sim_process_id(t.b));
	tear_down();
}
END_TEST

/* What it has sent arrives, and is answered while nothing of it runs. */
START_TEST(a_frozen_one_hears_later)
{
	for (int answers_first = 0; answers_first < 2; answers_first++) {
		struct kube_timer timer = {0};
		set_up();
		send_from(t.a, 0);
		kube_timer_start(kube_sim_process_env(t.a), &timer, 20, on_timer, NULL);
		kube_sim_process_freeze(t.a);
		run_to(500);
		ck_assert_uint_eq(t.arrivals, 1);
		ck_assert_str_eq(t.order, "");
		kube_sim_process_thaw(t.a, answers_first);
		run_to(500);
		ck_assert_str_eq(t.order, answers_first ? "at" : "ta");
		ck_assert_int_eq(kube_env_mono_ms(kube_sim_process_env(t.a)), 500);
		tear_down();
	}
}
END_TEST

START_TEST(a_frozen_one_may_wake_up_to_a_timeout)
{
	for (int answers_first = 0; answers_first < 2; answers_first++) {
		set_up();
		send_from(t.a, 100);
		kube_sim_process_freeze(t.a);
		run_to(500);
		kube_sim_process_thaw(t.a, answers_first);
		run_to(1000);
		ck_assert_str_eq(t.order, answers_first ? "a" : "x");
		tear_down();
	}
}
END_TEST

START_TEST(others_go_on)
{
	set_up();
	kube_sim_process_freeze(t.a);
	send_from(t.b, 0);
	run_to(100);
	ck_assert_str_eq(t.order, "a");
	kube_sim_process_thaw(t.b, true); /* it is not frozen */
	run_to(200);
	ck_assert_str_eq(t.order, "a");
	tear_down();
}
END_TEST

START_TEST(one_ends_with_something_under_way)
{
	struct kube_timer timer = {0};
	set_up();
	struct kube_exchange *exchange = send_from(t.a, 0);
	kube_timer_start(kube_sim_process_env(t.a), &timer, 20, on_timer, NULL);
	run_to(10);
	kube_transport_cancel(kube_sim_process_transport(t.a), exchange);
	kube_sim_process_free(t.a);
	t.a = NULL;
	run_to(500);
	ck_assert_str_eq(t.order, "");
	tear_down();
}
END_TEST

CHECK_MAIN("sim/process", each_has_a_wall_clock_and_all_have_one_time, the_server_can_tell_them_apart,
           a_frozen_one_hears_later, a_frozen_one_may_wake_up_to_a_timeout, others_go_on,
           one_ends_with_something_under_way)
