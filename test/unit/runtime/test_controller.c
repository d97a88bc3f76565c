/* A controller of things on the simulated API server: what is reconciled when, and how it starts and ends. */
#include "test/unit/check_main.h"
#include "test/unit/runtime/thing.h"

#include <kube/controller.h>
#include <kube/queue.h>
#include <kube/sim_api.h>

#define THINGS "/apis/test.example/v1/namespaces/ns/things"
#define LEASE "/apis/coordination.k8s.io/v1/namespaces/ns/leases/thing-controller"
#define LIMIT 100000

static struct {
	struct kube_sim *sim;
	struct kube_sim_api *api;
	bool lease_lost; /* writes of the lease get no answer */
	bool lease_refused, things_refused;
} world;

struct replica {
	struct kube_sim_process *process;
	struct kube_client *client;
	struct kube_controller *controller;
	char text[4096]; /* what was reconciled: "key=value ", or "key- " for what is gone */
	bool hold;       /* reconciliations end when the test says so */
	enum kube_outcome outcome;
	int64_t again_ms;
	int working, ended, code, troubles, works;
	int64_t last_ms;
};

static void fate(void *arg, const struct kube_request *request, struct kube_sim_fate *fate)
{
	(void)arg;
	bool lease = strstr(request->target, "leases");
	fate->status = (lease ? world.lease_refused : world.things_refused) ? 500 : 0;
	fate->silent = world.lease_lost && strcmp(request->method, "GET") != 0 && strstr(request->target, "leases");
}

static void begin(void)
{
	static const struct kube_sim_kind kind = {.resource = &things, .custom = true};
	static const struct kube_sim_api_hooks hooks = {.fate = fate};

	ck_assert_int_eq(kube_sim_new(3, 1767225600000, &world.sim, NULL), 0);
	world.api = kube_sim_api_new(world.sim);
	kube_sim_api_add_kind(world.api, &kind);
	kube_sim_api_add_hooks(world.api, &hooks);
	world.lease_lost = world.lease_refused = world.things_refused = false;
	ck_assert_int_eq(kube_sim_api_do(world.api, "POST", "/api/v1/namespaces", NULL, "{'metadata':{'name':'ns'}}"), 201);
}

static void end(void)
{
	kube_sim_api_free(world.api);
	kube_sim_free(world.sim);
}

static void run(int64_t ms)
{
	int64_t until_ms = kube_env_mono_ms(kube_sim_env(world.sim)) + ms;

	ck_assert_uint_lt(kube_sim_run(world.sim, until_ms, LIMIT), LIMIT);
}

static void make(const char *name, const char *value)
{
	ck_assert_int_eq(kube_sim_api_do(world.api, "POST", THINGS, NULL,
	                                 "{'metadata':{'name':'%s'},'spec':{'value':'%s'}}", name, value),
	                 201);
}

static void change(const char *name, const char *value)
{
	char target[256];

	snprintf(target, sizeof(target), THINGS "/%s", name);
	ck_assert_int_eq(kube_sim_api_do(world.api, "PATCH", target, KUBE_PATCH_MERGE, "{'spec':{'value':'%s'}}", value),
	                 200);
}

static void reconcile(void *arg, const char *key, const struct kube_object *object)
{
	struct replica *replica = arg;
	size_t len = strlen(replica->text);

	ck_assert(kube_controller_may_act(replica->controller));
	ck_assert(kube_controller_synced(replica->controller));
	replica->last_ms = kube_env_mono_ms(kube_sim_env(world.sim));
	snprintf(replica->text + len, sizeof(replica->text) - len, object ? "%s=%s " : "%s- ", key,
	         object ? ((const struct thing *)object)->value : "");
	if (!replica->hold)
		kube_controller_done(replica->controller, key, replica->outcome, replica->again_ms);
}

static void on_working(void *arg)
{
	((struct replica *)arg)->working++;
}

static void on_health(void *arg, const struct kube_err *err)
{
	struct replica *replica = arg;

	replica->troubles += err != NULL;
	replica->works += err == NULL;
}

static void on_end(void *arg, const struct kube_err *err)
{
	struct replica *replica = arg;

	replica->ended++;
	replica->code = err ? err->code : 0;
}

static void start(struct replica *replica, const char *identity)
{
	const struct kube_controller_options options = {.projection = &thing_projection,
	                                                .namespace_ = "ns",
	                                                .lease_namespace = "ns",
	                                                .lease_name = identity ? "thing-controller" : NULL,
	                                                .identity = identity,
	                                                .reconcile = reconcile,
	                                                .on_working = on_working,
	                                                .on_health = on_health,
	                                                .on_end = on_end,
	                                                .arg = replica};
	struct kube_controller_options mine = options;

	*replica = (struct replica){.hold = false};
	ck_assert_int_eq(kube_sim_process_new(world.sim, &replica->process, NULL), 0);
	ck_assert_int_eq(kube_client_new(kube_sim_process_env(replica->process),
	                                 kube_sim_process_transport(replica->process), &replica->client, NULL),
	                 0);
	mine.client = replica->client;
	ck_assert_int_eq(kube_controller_new(&mine, &replica->controller, NULL), 0);
	kube_controller_start(replica->controller);
}

static void finish(struct replica *replica)
{
	kube_controller_free(replica->controller);
	kube_client_free(replica->client);
	kube_sim_process_free(replica->process);
}

static void check_text(struct replica *replica, const char *expected)
{
	ck_assert_str_eq(replica->text, expected);
	replica->text[0] = '\0';
}

static const char *holder(void)
{
	const char *text =
	    kube_json_str(kube_sim_api_get(world.api, &kube_leases, "ns", "thing-controller"), "spec.holderIdentity");

	return text ? text : "";
}

START_TEST(all_is_well_when_cache_and_lease_are)
{
	struct replica a;

	begin();
	start(&a, "a");
	run(1000);
	world.lease_refused = world.things_refused = true;
	kube_sim_api_disturb(world.api, 0, KUBE_SIM_WATCH_BREAK);
	run(5000);
	ck_assert_int_ge(a.troubles, 2);
	world.lease_refused = false;
	run(3000);
	ck_assert_int_eq(a.works, 0);
	world.things_refused = false;
	run(60000);
	ck_assert_int_eq(a.works, 1);
	finish(&a);
	end();
}
END_TEST

START_TEST(all_at_first_then_what_changes)
{
	struct replica a;

	begin();
	make("x", "1");
	make("y", "1");
	start(&a, NULL);
	ck_assert(!kube_controller_may_act(a.controller));
	run(1000);
	ck_assert_int_eq(a.working, 1);
	check_text(&a, "ns/x=1 ns/y=1 ");
	change("y", "2");
	run(1000);
	check_text(&a, "ns/y=2 ");
	ck_assert_int_eq(
	    kube_sim_api_do(world.api, "PATCH", THINGS "/y", KUBE_PATCH_MERGE, "{'metadata':{'labels':{'a':'b'}}}"),
	    200); /* of no interest: see thing_same() */
	ck_assert_int_eq(kube_sim_api_do(world.api, "DELETE", THINGS "/x", NULL, "{}"), 200);
	run(1000);
	check_text(&a, "ns/x- ");
	kube_controller_enqueue(a.controller, "ns/y");
	run(1000);
	check_text(&a, "ns/y=2 ");
	ck_assert_int_eq(a.troubles, 0);
	finish(&a);
	end();
}
END_TEST

START_TEST(a_key_is_reconciled_again_when_it_changed_meanwhile)
{
	struct replica a;

	begin();
	make("x", "1");
	make("y", "1");
	start(&a, NULL);
	a.hold = true;
	run(1000);
	change("x", "2");
	change("x", "3");
	run(60000);
	check_text(&a, "ns/x=1 ns/y=1 "); /* both are under way, neither twice */
	kube_controller_done(a.controller, "ns/x", KUBE_SUCCEEDED, 0);
	run(1000);
	check_text(&a, "ns/x=3 ");
	finish(&a);
	end();
}
END_TEST

/* Of one outcome: how long until the key is reconciled for the second, third, … time; 0: it is not. */
static void check_delays(enum kube_outcome outcome, int64_t again_ms, const int64_t *delays_ms, size_t count)
{
	struct replica a;

	begin();
	make("x", "1");
	start(&a, NULL);
	a.outcome = outcome;
	a.again_ms = again_ms;
	run(0);
	while (!*a.text)
		ck_assert(kube_sim_step(world.sim));
	for (size_t i = 0; i < count; i++) {
		int64_t before_ms = a.last_ms;
		a.text[0] = '\0';
		while (!*a.text && kube_env_mono_ms(kube_sim_env(world.sim)) < before_ms + 60000)
			ck_assert(kube_sim_step(world.sim));
		int64_t delay_ms = *a.text ? a.last_ms - before_ms : 0;
		ck_assert_int_ge(delay_ms, delays_ms[i]);
		ck_assert_int_le(delay_ms, delays_ms[i] + delays_ms[i] / 10);
	}
	finish(&a);
	end();
}

START_TEST(outcomes)
{
	static const int64_t failed[] = {5, 10, 20, 40, 80}, again[] = {7000, 7000, 7000}, never[] = {0};

	check_delays(KUBE_FAILED, 0, failed, KUBE_ARRAY_LEN(failed));
	check_delays(KUBE_FAILED, 7000, failed, KUBE_ARRAY_LEN(failed));
	check_delays(KUBE_SUCCEEDED, 7000, again, KUBE_ARRAY_LEN(again));
	check_delays(KUBE_SUCCEEDED, 0, never, 1);
	check_delays(KUBE_GIVEN_UP, 7000, never, 1);
}
END_TEST

START_TEST(success_forgets_the_back_off)
{
	struct replica a;

	begin();
	make("x", "1");
	start(&a, NULL);
	a.outcome = KUBE_FAILED;
	run(1000); /* 5, 10, … 320 ms: the next one is far away */
	a.outcome = KUBE_SUCCEEDED;
	run(1000);
	a.text[0] = '\0';
	a.outcome = KUBE_FAILED;
	change("x", "2");
	run(30);
	check_text(&a, "ns/x=2 ns/x=2 ns/x=2 "); /* at 0, 5 and 15 ms */
	finish(&a);
	end();
}
END_TEST

START_TEST(one_of_two_works)
{
	struct replica a, b;

	begin();
	make("x", "1");
	start(&a, "a");
	run(1000);
	start(&b, "b");
	run(10000);
	ck_assert_str_eq(holder(), "a");
	check_text(&a, "ns/x=1 ");
	change("x", "2");
	run(10000);
	check_text(&a, "ns/x=2 ");
	check_text(&b, "");
	ck_assert(kube_controller_synced(b.controller)); /* it waits with a warm cache */
	struct kube_queue_stats stats;
	kube_queue_get_stats(kube_controller_queue(b.controller), &stats);
	ck_assert_uint_eq(stats.adds, 0);
	ck_assert(!kube_controller_may_act(b.controller));
	kube_controller_stop(a.controller);
	run(5000); /* the lease was given back: no need to wait until it has run out */
	ck_assert_int_eq(a.ended, 1);
	ck_assert_int_eq(a.code, 0);
	ck_assert_str_eq(holder(), "b");
	check_text(&b, "ns/x=2 "); /* all, as at any start */
	ck_assert(!kube_controller_may_act(a.controller));
	finish(&a);
	finish(&b);
	end();
}
END_TEST

START_TEST(a_stop_lets_work_end_and_then_gives_the_lease_back)
{
	struct replica a;

	begin();
	make("x", "1");
	start(&a, "a");
	a.hold = true;
	run(5000);
	change("x", "2"); /* is not begun any more */
	run(100);
	kube_controller_stop(a.controller);
	kube_controller_stop(a.controller);
	run(10000);
	ck_assert_int_eq(a.ended, 0);
	ck_assert(kube_controller_may_act(a.controller)); /* what is under way may be brought to its end */
	ck_assert_str_eq(holder(), "a");
	kube_controller_done(a.controller, "ns/x", KUBE_FAILED, 0);
	run(1000);
	ck_assert_int_eq(a.ended, 1);
	ck_assert_int_eq(a.code, 0);
	ck_assert_str_eq(holder(), "");
	check_text(&a, "ns/x=1 ");
	ck_assert(!kube_controller_may_act(a.controller));
	finish(&a);
	end();
}
END_TEST

START_TEST(a_stop_takes_no_longer_than_it_may)
{
	struct replica a;

	begin();
	make("x", "1");
	start(&a, NULL);
	a.hold = true;
	run(1000);
	kube_controller_stop(a.controller);
	run(KUBE_CONTROLLER_STOP_MS - 100);
	ck_assert_int_eq(a.ended, 0);
	run(200);
	ck_assert_int_eq(a.ended, 1);
	ck_assert_int_eq(a.code, KUBE_E_TIMEOUT);
	ck_assert(!kube_controller_may_act(a.controller));
	finish(&a);
	end();
}
END_TEST

START_TEST(the_end_is_told_once)
{
	struct replica a;

	begin();
	make("x", "1");
	start(&a, "a");
	a.hold = true;
	run(5000);
	kube_controller_stop(a.controller);
	run(KUBE_CONTROLLER_STOP_MS + 100);
	ck_assert_int_eq(a.ended, 1);
	world.lease_lost = true;
	run(60000);
	ck_assert_int_eq(a.ended, 1);
	ck_assert_int_eq(a.code, KUBE_E_TIMEOUT);
	finish(&a);
	end();
}
END_TEST

START_TEST(a_stop_before_the_beginning)
{
	struct replica a;

	begin();
	make("x", "1");
	start(&a, "a");
	kube_controller_stop(a.controller);
	run(60000);
	ck_assert_int_eq(a.ended, 1);
	ck_assert_int_eq(a.code, 0);
	ck_assert_int_eq(a.working, 0);
	check_text(&a, "");
	ck_assert_str_eq(holder(), "");
	finish(&a);
	end();
}
END_TEST

START_TEST(a_lost_lease_is_the_end)
{
	struct replica a;

	begin();
	make("x", "1");
	start(&a, "a");
	run(5000);
	ck_assert_int_eq(a.working, 1);
	world.lease_lost = true;
	run(KUBE_ELECTOR_RENEW_MS + 2 * KUBE_ELECTOR_RETRY_MS);
	ck_assert_int_eq(a.ended, 1);
	ck_assert_int_ne(a.code, 0);
	ck_assert(!kube_controller_may_act(a.controller));
	a.text[0] = '\0';
	change("x", "2");
	run(60000);
	check_text(&a, "");
	ck_assert_int_eq(a.ended, 1);
	finish(&a);
	end();
}
END_TEST

START_TEST(trouble_is_told)
{
	struct replica a;

	begin();
	start(&a, NULL);
	run(1000);
	ck_assert_uint_eq(kube_sim_api_watch_count(world.api), 1);
	kube_sim_api_disturb(world.api, 0, KUBE_SIM_WATCH_BREAK);
	run(10000);
	ck_assert_int_eq(a.troubles, 1);
	ck_assert_int_eq(a.works, 1);
	finish(&a);
	end();
}
END_TEST

START_TEST(bad_times_of_a_lease)
{
	struct kube_controller_options options = {.projection = &thing_projection,
	                                          .lease_namespace = "ns",
	                                          .lease_name = "l",
	                                          .identity = "a",
	                                          .lease_times = {.lease_ms = 1000, .renew_ms = 2000, .retry_ms = 100},
	                                          .reconcile = reconcile,
	                                          .on_end = on_end};
	struct kube_controller *controller = NULL;
	struct kube_err err;

	begin();
	ck_assert_int_eq(kube_client_new(kube_sim_env(world.sim), kube_sim_transport(world.sim), &options.client, NULL), 0);
	ck_assert_int_eq(kube_controller_new(&options, &controller, &err), KUBE_E_INVALID);
	ck_assert_ptr_null(controller);
	kube_controller_free(NULL);
	kube_client_free(options.client);
	end();
}
END_TEST

CHECK_MAIN("runtime/controller", all_at_first_then_what_changes, all_is_well_when_cache_and_lease_are,
           a_key_is_reconciled_again_when_it_changed_meanwhile, outcomes, success_forgets_the_back_off,
           one_of_two_works, a_stop_lets_work_end_and_then_gives_the_lease_back, a_stop_takes_no_longer_than_it_may,
           the_end_is_told_once, a_stop_before_the_beginning, a_lost_lease_is_the_end, trouble_is_told,
           bad_times_of_a_lease)
