/*
 * A reflector against a server that sends anything. The input is a series of answers: <flags> <status> <length, two
 * bytes> <bytes>. Flags say how the answer ends, in which pieces, after which time and in which form it comes.
 */
#include "test/fuzz/fuzz.h"

#include <kube/reflector.h>
#include <kube/sim.h>

#define MAX_OBJECTS 20
#define MAX_ANSWERS 40

struct thing {
	struct kube_object object;
	const char *value;
};

static const struct kube_resource things = {
    .group = "test.example", .version = "v1", .plural = "things", .kind = "Thing", .namespaced = true};

static const struct kube_json_field spec_table[] = {
    {.name = "value", .number = 1, .type = KUBE_JSON_STRING, .offset = 0, .required = true},
    KUBE_JSON_END,
};
static const struct kube_json_field thing_table[] = {
    {.name = "spec", .number = 2, .type = KUBE_JSON_OBJECT, .table = spec_table},
    KUBE_JSON_END,
};

static int make(void *parts, struct kube_object *self, struct kube_maker *maker, struct kube_err *err)
{
	const char *value = *(const char *const *)parts;

	if (!value)
		return kube_fail(err, KUBE_E_PARSE, "spec.value: expected a string");
	((struct thing *)self)->value = kube_share_text(maker, value);
	return 0;
}

static const size_t shared[] = {offsetof(struct thing, value)};
static const struct kube_projection projection = {
    .resource = &things,
    .size = sizeof(struct thing),
    .table = thing_table,
    .parts_size = sizeof(const char *),
    .make = make,
    .shared = shared,
    .shared_count = 1,
};

struct server {
	const uint8_t *data;
	size_t size;
	int answers;
};

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	static const int statuses[] = {200, 200, 200, 200, 410, 429, 500, 404};
	struct server *server = arg;

	(void)request;
	if (server->size == 0 || server->answers++ == MAX_ANSWERS)
		return; /* silence */
	uint8_t flags = fuzz_byte(&server->data, &server->size);
	int status = statuses[fuzz_byte(&server->data, &server->size) % KUBE_ARRAY_LEN(statuses)];
	size_t len = (size_t)fuzz_byte(&server->data, &server->size) << 8 | fuzz_byte(&server->data, &server->size);
	len = len < server->size ? len : server->size;
	size_t piece = flags & 1 ? 7 : len + 1;
	int64_t delay_ms = flags & 2 ? 2000 : 0;
	kube_sim_reply_head(sim, exchange, 0, status, flags & 4 ? 1 : -1,
	                    flags & 32 ? KUBE_PROTO_CONTENT_TYPE : "application/json");
	for (size_t at = 0; at < len; at += piece)
		kube_sim_reply_data(sim, exchange, delay_ms, (const char *)server->data + at,
		                    at + piece < len ? piece : len - at);
	server->data += len;
	server->size -= len;
	if (!(flags & 8))
		kube_sim_reply_end(sim, exchange, delay_ms, flags & 16 ? KUBE_E_CLOSED : 0, NULL);
}

static void on_change(void *arg, const struct kube_change *change)
{
	size_t *live = arg;

	REQUIRE(change->old_object || change->new_object);
	REQUIRE(change->old_object != change->new_object);
	if (!change->old_object)
		++*live;
	if (!change->new_object)
		--*live;
}

static void run(struct kube_sim *sim, struct kube_client *client, bool watch_list)
{
	struct kube_store *store = NULL;
	struct kube_reflector *reflector = NULL;
	size_t live = 0;

	REQUIRE(kube_store_new(MAX_OBJECTS, &store, NULL) == 0);
	REQUIRE(kube_store_add_handler(store, on_change, &live, NULL) == 0);
	const struct kube_reflector_options options = {
	    .client = client, .projection = &projection, .store = store, .watch_list = watch_list};
	REQUIRE(kube_reflector_new(&options, &reflector, NULL) == 0);
	kube_reflector_start(reflector);
	/* An hour: more than all answers can last, and no loop that turns without time. */
	REQUIRE(kube_sim_run(sim, 3600 * 1000, 100000) < 100000);
	REQUIRE(live == kube_store_count(store) && live <= MAX_OBJECTS);
	REQUIRE(live == 0 || kube_reflector_synced(reflector));
	kube_reflector_free(reflector);
	kube_store_free(store);
}

static void play(const uint8_t *data, size_t size, bool watch_list)
{
	struct server server = {.data = data, .size = size};
	struct kube_sim *sim = NULL;
	struct kube_client *client = NULL;

	REQUIRE(kube_sim_new(1, INT64_C(1795260158000), &sim, NULL) == 0);
	kube_sim_serve(sim, serve, &server);
	REQUIRE(kube_client_new(kube_sim_env(sim), kube_sim_transport(sim), &client, NULL) == 0);
	run(sim, client, watch_list);
	kube_client_free(client);
	kube_sim_free(sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	play(data, size, false);
	play(data, size, true);
	return 0;
}
