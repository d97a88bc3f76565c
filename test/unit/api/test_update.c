/* Read, change, write, and again after a conflict. */
#include "test/unit/check_main.h"

#include <kube/json.h>
#include <kube/sim.h>
#include <kube/update.h>
#include <stdio.h>
#include <string.h>

#define CONFLICT "{\"kind\":\"Status\",\"code\":409,\"reason\":\"Conflict\",\"message\":\"changed\"}"

/* One ConfigMap-like object on a server that counts, and refuses the first writes. */
struct bench {
	struct kube_sim *sim;
	struct kube_client *client;
	struct kube_update *update;
	int value, version, conflicts; /* conflicts: writes that come too late */
	int gets, puts, changes, changed_at[16];
	int64_t get_ms[16];
	const char *put_path; /* last */
	char target[256], *answer_put, *answer_get;
	int put_status, get_status; /* 0: as usual */
	int verdict;                /* of change */
	int ends, code, seen;       /* seen: the value that done was given */
	bool cancel_in_done;
};

static void serve_get(struct bench *bench, struct kube_sim *sim, struct kube_exchange *exchange)
{
	char json[256];
	bench->get_ms[bench->gets++] = kube_env_mono_ms(kube_sim_env(sim));
	snprintf(json, sizeof(json), "{\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"%d\"},\"value\":%d}",
	         bench->version, bench->value);
	kube_sim_reply_json(sim, exchange, 1, bench->get_status ? bench->get_status : 200, json);
}

static void serve_put(struct bench *bench, struct kube_sim *sim, struct kube_exchange *exchange, const char *body)
{
	_cleanup_json_ cJSON *json = cJSON_Parse(body);
	char version[16];
	bench->puts++;
	if (bench->conflicts > 0) { /* somebody else writes first */
		bench->conflicts--;
		bench->value += 100;
		bench->version++;
	}
	snprintf(version, sizeof(version), "%d", bench->version);
	if (bench->put_status) {
		kube_sim_reply_json(sim, exchange, 1, bench->put_status, "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\"}");
	} else if (strcmp(kube_json_str(json, "metadata.resourceVersion"), version) != 0) {
		kube_sim_reply_json(sim, exchange, 1, 409, CONFLICT);
	} else {
		bench->value = kube_json_get(json, "value")->valueint;
		bench->version++;
		kube_sim_reply_json(sim, exchange, 1, 200, body);
	}
}

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	struct bench *bench = arg;
	if (strcmp(request->method, "GET") == 0) {
		ck_assert_str_eq(request->target, "/api/v1/namespaces/ns/pods/n");
		serve_get(bench, sim, exchange);
		return;
	}
	ck_assert_str_eq(request->method, "PUT");
	snprintf(bench->target, sizeof(bench->target), "%s", request->target);
	serve_put(bench, sim, exchange, request->body);
}

static int increment(void *arg, cJSON *object, struct kube_err *err)
{
	struct bench *bench = arg;
	cJSON *value = cJSON_GetObjectItem(object, "value");
	bench->changed_at[bench->changes++] = value->valueint;
	if (bench->verdict < 0)
		return kube_fail(err, bench->verdict, "no");
	cJSON_SetNumberValue(value, value->valueint + 1);
	return bench->verdict;
}

static void on_done(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct bench *bench = arg;
	bench->ends++;
	bench->code = err ? err->code : 0;
	bench->seen = json ? kube_json_get(json, "value")->valueint : -1;
	if (bench->cancel_in_done)
		kube_update_cancel(bench->update);
}

static void begin(struct bench *bench, const char *subresource)
{
	ck_assert_int_eq(kube_sim_new(1, 0, &bench->sim, NULL), 0);
	ck_assert_int_eq(kube_client_new(kube_sim_env(bench->sim), kube_sim_transport(bench->sim), &bench->client, NULL),
	                 0);
	kube_sim_serve(bench->sim, serve, bench);
	char name[] = "n", namespace_[] = "ns";
	const struct kube_update_options options = {
	    .client = bench->client,
	    .resource = &kube_pods,
	    .namespace_ = namespace_,
	    .name = name,
	    .subresource = subresource,
	    .change = increment,
	    .done = on_done,
	    .arg = bench,
	};
	ck_assert_int_eq(kube_update_start(&options, &bench->update, NULL), 0);
	name[0] = namespace_[0] = '?'; /* copied */
}

static void finish(struct bench *bench)
{
	kube_client_free(bench->client);
	kube_sim_free(bench->sim);
}

static void play(struct bench *bench, const char *subresource)
{
	begin(bench, subresource);
	kube_sim_run(bench->sim, 60000, 1000);
	ck_assert_int_eq(bench->ends, 1);
	finish(bench);
}

START_TEST(an_object_is_read_changed_and_written)
{
	struct bench bench = {.value = 7};
	play(&bench, NULL);
	ck_assert_int_eq(bench.value, 8);
	ck_assert_int_eq(bench.seen, 8);
	ck_assert_str_eq(bench.target, "/api/v1/namespaces/ns/pods/n");
	struct bench status = {.value = 7};
	play(&status, "status");
	ck_assert_int_eq(status.value, 8);
	ck_assert_str_eq(status.target, "/api/v1/namespaces/ns/pods/n/status");
}
END_TEST

START_TEST(after_a_conflict_what_is_there_is_changed)
{
	struct bench bench = {.conflicts = 4};
	play(&bench, NULL);
	ck_assert_int_eq(bench.code, 0);
	ck_assert_int_eq(bench.value, 401);
	ck_assert_int_eq(bench.changes, KUBE_UPDATE_TRIES);
	for (int i = 0; i < bench.changes; i++)
		ck_assert_int_eq(bench.changed_at[i], 100 * i);
	for (int i = 1; i < bench.gets; i++) { /* each answer takes 1 ms */
		int64_t pause_ms = bench.get_ms[i] - bench.get_ms[i - 1] - 2, least_ms = INT64_C(10) << (i - 1);
		ck_assert_msg(pause_ms >= least_ms && pause_ms <= 2 * least_ms, "try %d after %d ms", i, (int)pause_ms);
	}
}
END_TEST

START_TEST(five_conflicts_are_enough)
{
	struct bench bench = {.conflicts = 100};
	play(&bench, NULL);
	ck_assert_int_eq(bench.code, KUBE_E_API);
	ck_assert_int_eq(bench.puts, KUBE_UPDATE_TRIES);
	ck_assert_int_eq(bench.gets, KUBE_UPDATE_TRIES);
	ck_assert_int_eq(bench.seen, -1);
}
END_TEST

static const struct {
	int get_status, put_status, verdict;
	int code, puts, value_seen;
} ends[] = {
    {404, 0, 0, KUBE_E_API, 0, -1},
    {0, 403, 0, KUBE_E_API, 1, -1},
    {0, 409, 0, KUBE_E_API, 1, -1}, /* AlreadyExists is no conflict */
    {0, 422, 0, KUBE_E_API, 1, -1},
    {0, 0, KUBE_UPDATE_NOTHING, 0, 0, 7},
    {0, 0, KUBE_E_INVALID, KUBE_E_INVALID, 0, -1},
};

START_TEST(everything_else_is_the_end)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(ends); i++) {
		struct bench bench = {
		    .value = 7, .get_status = ends[i].get_status, .put_status = ends[i].put_status, .verdict = ends[i].verdict};
		play(&bench, NULL);
		ck_assert_msg(bench.code == ends[i].code, "row %zu: %d", i, bench.code);
		ck_assert_msg(bench.puts == ends[i].puts, "row %zu: %d writes", i, bench.puts);
		ck_assert_msg(bench.seen == ends[i].value_seen, "row %zu: %d", i, bench.seen);
	}
}
END_TEST

/* During the read, during the write, in the pause, and in done. */
START_TEST(it_may_be_cancelled_at_any_time)
{
	static const int64_t at_ms[] = {0, 1, 5};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(at_ms); i++) {
		struct bench bench = {.conflicts = 1};
		begin(&bench, NULL);
		kube_sim_run(bench.sim, at_ms[i], 1000);
		kube_update_cancel(bench.update);
		kube_sim_run(bench.sim, 60000, 1000);
		ck_assert_int_eq(bench.ends, 0);
		finish(&bench);
	}
	struct bench bench = {.cancel_in_done = true};
	play(&bench, NULL);
	kube_update_cancel(NULL);
}
END_TEST

CHECK_MAIN("update", an_object_is_read_changed_and_written, after_a_conflict_what_is_there_is_changed,
           five_conflicts_are_enough, everything_else_is_the_end, it_may_be_cancelled_at_any_time)
