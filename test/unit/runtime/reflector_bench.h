/*
 * A reflector of things between a store and a server that plays a script: each request takes the next step, which says
 * what the request must look like and how it is answered. After the last step every request stays unanswered.
 */
#ifndef TEST_UNIT_RUNTIME_REFLECTOR_BENCH_H
#define TEST_UNIT_RUNTIME_REFLECTOR_BENCH_H

#include "test/unit/runtime/thing.h"

#include <kube/reflector.h>
#include <kube/sim.h>

#define BENCH_LIMIT 100000 /* callbacks in one run: more is a hot loop */
#define BENCH_MAX_REQUESTS 256

enum { STAYS_OPEN = 1 };

struct step {
	const char *expect, *expect_too; /* parts of the target */
	const char *never;               /* no part of it */
	int status;                      /* 0: the connection ends with `end`, without an answer */
	int retry_after_s;               /* 0: no such header */
	const char *body;
	int end; /* 0: complete, STAYS_OPEN, or an error code */
	int64_t end_after_ms;
};

struct bench {
	struct kube_sim *sim;
	struct kube_client *client;
	struct kube_store *store;
	struct kube_reflector *reflector;
	const struct step *steps;
	size_t step_count;
	size_t requests;
	int64_t at_ms[BENCH_MAX_REQUESTS]; /* when each request came */
	struct kube_exchange *last;        /* of the last request */
	char last_target[1024];
	size_t chunk; /* bodies come in pieces of so many bytes; 0: whole */
	struct thing_log log;
	unsigned synced, failed, works, left_out;
	char message[sizeof(((struct kube_err *)NULL)->message)]; /* of the last failure, or of what was left out last */
	int free_on;                                              /* one of the below */
};

enum { FREE_NEVER, FREE_ON_SYNCED, FREE_ON_HEALTH, FREE_ON_LEFT_OUT, FREE_ON_CHANGE };

static inline void bench_free_reflector(struct bench *bench, int now)
{
	if (bench->free_on == now)
		kube_reflector_free(take(bench->reflector));
}

static inline void bench_body(struct bench *bench, struct kube_exchange *exchange, const char *text)
{
	size_t len = strlen(text), chunk = bench->chunk ? bench->chunk : len;

	for (size_t at = 0; at < len; at += chunk)
		kube_sim_reply_data(bench->sim, exchange, 0, text + at, len - at < chunk ? len - at : chunk);
}

static inline void bench_serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange,
                               const struct kube_request *request)
{
	struct bench *bench = arg;
	size_t number = bench->requests++;

	ck_assert_uint_lt(number, BENCH_MAX_REQUESTS);
	ck_assert_str_eq(request->method, "GET");
	bench->at_ms[number] = kube_env_mono_ms(kube_sim_env(sim));
	bench->last = exchange;
	snprintf(bench->last_target, sizeof(bench->last_target), "%s", request->target);
	if (number >= bench->step_count)
		return;
	const struct step *step = &bench->steps[number];
	const char *expect[] = {step->expect, step->expect_too};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(expect); i++)
		ck_assert_msg(!expect[i] || strstr(request->target, expect[i]), "request %zu: no %s in %s", number, expect[i],
		              request->target);
	ck_assert_msg(!step->never || !strstr(request->target, step->never), "request %zu: %s in %s", number, step->never,
	              request->target);
	if (step->status)
		kube_sim_reply_head(sim, exchange, 0, step->status, step->retry_after_s ? step->retry_after_s : -1,
		                    "application/json");
	if (step->body)
		bench_body(bench, exchange, step->body);
	if (step->end != STAYS_OPEN)
		kube_sim_reply_end(sim, exchange, step->end_after_ms, step->end, NULL);
}

static inline void bench_on_synced(void *arg)
{
	struct bench *bench = arg;

	bench->synced++;
	ck_assert(kube_reflector_synced(bench->reflector));
	bench_free_reflector(bench, FREE_ON_SYNCED);
}

static inline void bench_on_health(void *arg, const struct kube_err *err)
{
	struct bench *bench = arg;

	bench->failed += err ? 1 : 0;
	bench->works += err ? 0 : 1;
	if (err)
		snprintf(bench->message, sizeof(bench->message), "%s", err->message);
	bench_free_reflector(bench, FREE_ON_HEALTH);
}

static inline void bench_on_left_out(void *arg, const struct kube_err *err)
{
	struct bench *bench = arg;

	bench->left_out++;
	snprintf(bench->message, sizeof(bench->message), "%s", err->message);
	bench_free_reflector(bench, FREE_ON_LEFT_OUT);
}

static inline void bench_on_change(void *arg, const struct kube_change *change)
{
	struct bench *bench = arg;

	thing_note(&bench->log, change);
	bench_free_reflector(bench, FREE_ON_CHANGE);
}

static inline void bench_new_reflector(struct bench *bench, bool watch_list)
{
	const struct kube_reflector_options options = {.client = bench->client,
	                                               .projection = &thing_projection,
	                                               .store = bench->store,
	                                               .watch_list = watch_list,
	                                               .on_synced = bench_on_synced,
	                                               .on_health = bench_on_health,
	                                               .on_left_out = bench_on_left_out,
	                                               .arg = bench};
	ck_assert_int_eq(kube_reflector_new(&options, &bench->reflector, NULL), 0);
}

/* Not started yet. */
static inline void bench_setup_seed(struct bench *bench, const struct step *steps, size_t step_count, uint64_t seed)
{
	*bench = (struct bench){.steps = steps, .step_count = step_count};
	ck_assert_int_eq(kube_sim_new(seed, 0, &bench->sim, NULL), 0);
	kube_sim_serve(bench->sim, bench_serve, bench);
	ck_assert_int_eq(kube_client_new(kube_sim_env(bench->sim), kube_sim_transport(bench->sim), &bench->client, NULL),
	                 0);
	ck_assert_int_eq(kube_store_new(1000, &bench->store, NULL), 0);
	ck_assert_int_eq(kube_store_add_handler(bench->store, bench_on_change, bench, NULL), 0);
	bench_new_reflector(bench, false);
}

#define bench_setup(bench, steps) bench_setup_seed(bench, steps, KUBE_ARRAY_LEN(steps), 1)

static inline void bench_teardown(struct bench *bench)
{
	kube_reflector_free(bench->reflector);
	kube_store_free(bench->store);
	kube_client_free(bench->client);
	kube_sim_free(bench->sim);
}

static inline void bench_run(struct bench *bench, int64_t until_ms)
{
	ck_assert_uint_lt(kube_sim_run(bench->sim, until_ms, BENCH_LIMIT), BENCH_LIMIT);
}

/* Starts it and runs until until_ms. Every step must have been played by then. */
static inline void bench_play(struct bench *bench, int64_t until_ms)
{
	if (bench->requests == 0)
		kube_reflector_start(bench->reflector);
	bench_run(bench, until_ms);
	ck_assert_msg(bench->requests >= bench->step_count, "only %zu requests came", bench->requests);
}

/* "a=x b=y " in the order of insertion */
static inline const char *bench_contents(const struct bench *bench, char out[512])
{
	out[0] = '\0';
	for (const struct kube_object *o = NULL; (o = kube_store_next(bench->store, o));)
		snprintf(out + strlen(out), 512 - strlen(out), "%s=%s ", o->name, ((const struct thing *)o)->value);
	return out;
}

/* JSON of the script */

#define THING(name, uid, version, value) \
	"{\"metadata\":{\"namespace\":\"ns\",\"name\":\"" name "\",\"uid\":\"" uid "\",\"resourceVersion\":\"" version \
	"\"},\"spec\":{\"value\":\"" value "\"}}"
#define PAGE(version, token, items) \
	"{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" token \
	"\"},\"items\":[" items "]}\n"
#define LIST(version, items) PAGE(version, "", items)
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define BOOKMARK(version) EVENT("BOOKMARK", "{\"kind\":\"Thing\",\"metadata\":{\"resourceVersion\":\"" version "\"}}")
#define STATUS(code, reason, message) \
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":" #code ",\"reason\":\"" reason "\",\"message\":\"" message \
	"\"}"
#define EXPIRED STATUS(410, "Expired", "too old resource version: 10 (99)")
#define TOO_LARGE \
	"{\"kind\":\"Status\",\"code\":504,\"reason\":\"Timeout\",\"message\":\"m\",\"details\":{\"causes\":[{\"reason\":" \
	"\"ResourceVersionTooLarge\",\"message\":\"Too large resource version\"}],\"retryAfterSeconds\":1}}"

/* A list of nothing at version 10, and a watch that stays open. */
#define EMPTY_LIST \
	{ \
		.expect = "resourceVersion=0", .status = 200, .body = LIST("10", "") \
	}
#define OPEN_WATCH(rv) \
	{ \
		.expect = "watch=true", .expect_too = "resourceVersion=" rv, .status = 200, .end = STAYS_OPEN \
	}

#endif
