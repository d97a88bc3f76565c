/*
 * What a real API server sent (test/data/wire/record), as JSON and as protobuf, through the reflector into the cache:
 * both must come to the same, member by member.
 */
#include "controller/model/names.h"
#include "controller/model/node.h"
#include "controller/model/pod.h"
#include "controller/model/volume.h"
#include "test/unit/check_main.h"

#include <kube/client.h>
#include <kube/reflector.h>
#include <kube/sim.h>
#include <kube/time.h>
#include <stdio.h>
#include <string.h>

#define DATA "test/data/wire/"
#define MAX_STEPS 4
#define LIMIT 100000
#define RUN_MS 5000

/* ---- a reflector and a server that plays files ---- */

struct server {
	struct kube_sim *sim;
	struct kube_client *client;
	struct kube_store *store;
	struct kube_reflector *reflector;
	const char *files[MAX_STEPS]; /* without ".json" or ".pb" */
	int statuses[MAX_STEPS];      /* 0: 200 */
	bool proto, watch_list;
	size_t chunk;
	size_t cut; /* of the first answer only so many bytes come; 0: all */
	unsigned requests;
	char changes[2048]; /* "+a ~b -c " */
	char error[512];
};

static char *read_file(const char *name, const char *ending, size_t *ret_len)
{
	char path[128];
	snprintf(path, sizeof(path), DATA "%s.%s", name, ending);
	FILE *file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s is missing", path);
	fseek(file, 0, SEEK_END);
	*ret_len = (size_t)ftell(file);
	rewind(file);
	char *bytes = malloc(*ret_len + 1);
	ck_assert_uint_eq(fread(bytes, 1, *ret_len, file), *ret_len);
	fclose(file);
	return bytes;
}

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	struct server *server = arg;
	unsigned number = server->requests++;
	bool watch = strstr(request->target, "watch=true") != NULL;
	size_t len;

	ck_assert_str_eq(request->accept, "application/vnd.kubernetes.protobuf,application/json");
	if (number >= MAX_STEPS || !server->files[number])
		return;
	char *bytes = read_file(server->files[number], server->proto ? "pb" : "json", &len);
	if (server->cut && number == 0)
		len = server->cut;
	int status = server->statuses[number] ? server->statuses[number] : 200;
	const char *type = !server->proto           ? "application/json"
	                   : watch && status == 200 ? "application/vnd.kubernetes.protobuf;stream=watch"
	                                            : "application/vnd.kubernetes.protobuf";
	kube_sim_reply_head(sim, exchange, 0, status, -1, type);
	for (size_t at = 0; at < len; at += server->chunk)
		kube_sim_reply_data(sim, exchange, 0, bytes + at, len - at < server->chunk ? len - at : server->chunk);
	if (!watch)
		kube_sim_reply_end(sim, exchange, 0, 0, NULL);
	free(bytes);
}

static void on_change(void *arg, const struct kube_change *change)
{
	struct server *server = arg;
	const struct kube_object *any = change->new_object ? change->new_object : change->old_object;
	char mark = !change->new_object ? '-' : !change->old_object ? '+' : change->changed ? '~' : '=';
	size_t len = strlen(server->changes);

	snprintf(server->changes + len, sizeof(server->changes) - len, "%c%s ", mark, any->name);
}

static void on_health(void *arg, const struct kube_err *err)
{
	struct server *server = arg;
	if (err && !server->error[0])
		snprintf(server->error, sizeof(server->error), "%s", err->message);
}

/* Plays the files; server says which, in which form and in what pieces. */
static void play(struct server *server, const struct kube_projection *projection)
{
	ck_assert_int_eq(kube_sim_new(1, 0, &server->sim, NULL), 0);
	kube_sim_serve(server->sim, serve, server);
	ck_assert_int_eq(kube_client_new(kube_sim_env(server->sim), kube_sim_transport(server->sim), &server->client, NULL),
	                 0);
	ck_assert_int_eq(kube_store_new(1000, &server->store, NULL), 0);
	kube_store_add_handler(server->store, on_change, server, NULL);
	const struct kube_reflector_options options = {.client = server->client,
	                                               .projection = projection,
	                                               .store = server->store,
	                                               .watch_list = server->watch_list,
	                                               .on_health = on_health,
	                                               .on_left_out = on_health,
	                                               .arg = server};
	ck_assert_int_eq(kube_reflector_new(&options, &server->reflector, NULL), 0);
	kube_reflector_start(server->reflector);
	ck_assert_uint_lt(kube_sim_run(server->sim, RUN_MS, LIMIT), LIMIT);
}

static void stop(struct server *server)
{
	kube_reflector_free(server->reflector);
	kube_store_free(server->store);
	kube_client_free(server->client);
	kube_sim_free(server->sim);
}

/* ---- every member, as a text ---- */

static void add_map(struct kube_buf *out, const char *name, const struct kube_strmap *map)
{
	for (size_t i = 0; i < map->count; i++)
		kube_buf_addf(out, "%s[%s]=%s\n", name, map->items[i].key, map->items[i].value);
}

static void add_text(struct kube_buf *out, const char *name, const char *text)
{
	kube_buf_addf(out, "%s=%s%s%s\n", name, text ? "'" : "", text ? text : "none", text ? "'" : "");
}

static void add_number(struct kube_buf *out, const char *name, int64_t number)
{
	kube_buf_addf(out, "%s=%lld\n", name, (long long)number);
}

static void add_object(struct kube_buf *out, const struct kube_object *object)
{
	add_text(out, "key", object->key);
	add_text(out, "namespace", object->namespace_);
	add_text(out, "name", object->name);
	add_text(out, "uid", object->uid);
	add_text(out, "resourceVersion", object->resource_version);
	add_number(out, "generation", object->generation);
	add_number(out, "created", object->created_ms);
	add_number(out, "deleted", object->deleted_ms);
}

static void add_node(struct kube_buf *out, const struct kube_object *object)
{
	const struct node *node = (const struct node *)object;

	add_map(out, "labels", &node->labels);
	add_map(out, "annotations", &node->annotations);
	for (size_t i = 0; i < node->taints.count; i++) {
		add_text(out, "taint", node->taints.items[i].key);
		add_text(out, "value", node->taints.items[i].value);
		add_text(out, "effect", node->taints.items[i].effect);
	}
	add_number(out, "unschedulable", node->unschedulable);
	add_number(out, "quarantined", node->quarantined);
	add_number(out, "ready", node->ready);
	add_number(out, "readySince", node->ready_since_ms);
	add_number(out, "cpu", node->allocatable.cpu_m);
	add_number(out, "memory", node->allocatable.memory);
	add_number(out, "pods", node->allocatable.pods);
	add_text(out, "bootID", node->boot_id);
	add_text(out, "os", node->os);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(node->node_info); i++)
		add_text(out, "nodeInfo", node->node_info[i]);
	add_text(out, "state", node->state_text);
	add_text(out, "stateError", node->state_error);
	add_number(out, "step", node->state ? node->state->step : -1);
}

static void add_place(struct kube_buf *out, const struct pod_place *place)
{
	add_map(out, "nodeSelector", &place->node_selector);
	for (size_t i = 0; i < place->tolerations.count; i++) {
		add_text(out, "toleration", place->tolerations.items[i].key);
		add_text(out, "operator", place->tolerations.items[i].operator_);
		add_text(out, "value", place->tolerations.items[i].value);
		add_text(out, "effect", place->tolerations.items[i].effect);
	}
}

static void add_pod(struct kube_buf *out, const struct kube_object *object)
{
	const struct pod *pod = (const struct pod *)object;

	add_map(out, "labels", &pod->labels);
	add_text(out, "nodeName", pod->node_name);
	add_number(out, "phase", pod->phase);
	add_number(out, "ready", pod->ready);
	add_number(out, "mirror", pod->mirror);
	add_number(out, "emptyDir", pod->empty_dir);
	add_number(out, "cpu", pod->cpu_m);
	add_number(out, "memory", pod->memory_kib);
	for (size_t i = 0; pod->claims && pod->claims[i]; i++)
		add_text(out, "claim", pod->claims[i]);
	add_number(out, "place", pod->place != NULL);
	if (pod->place)
		add_place(out, pod->place);
	add_text(out, "ownerKind", pod->owner_kind);
	add_text(out, "ownerName", pod->owner_name);
	add_text(out, "ownerUID", pod->owner_uid);
	add_text(out, "jobStep", pod->job_step);
	add_text(out, "rolloutHash", pod->rollout_hash);
	add_text(out, "jobNodeUID", pod->job_node_uid);
	add_number(out, "jobFinalizer", pod->job_finalizer);
	add_text(out, "reason", pod->status_reason);
	add_text(out, "message", pod->status_message);
	add_number(out, "exited", pod->exited);
	add_number(out, "exitCode", pod->exit_code);
	add_text(out, "exitMessage", pod->exit_message);
	add_text(out, "waitingReason", pod->waiting_reason);
}

static void add_pdb(struct kube_buf *out, const struct kube_object *object)
{
	const struct pdb *pdb = (const struct pdb *)object;

	add_map(out, "matchLabels", &pdb->selector.match_labels);
	for (size_t i = 0; i < pdb->selector.match_expressions.count; i++) {
		const struct kube_requirement *expression = &pdb->selector.match_expressions.items[i];
		add_text(out, "expression", expression->key);
		add_number(out, "operator", expression->op);
		for (size_t v = 0; v < expression->values.count; v++)
			add_text(out, "value", expression->values.items[v]);
	}
	add_number(out, "hasSelector", pdb->has_selector);
	add_number(out, "disruptionsAllowed", pdb->disruptions_allowed);
	add_number(out, "currentHealthy", pdb->current_healthy);
	add_number(out, "desiredHealthy", pdb->desired_healthy);
	add_number(out, "observedGeneration", pdb->observed_generation);
	add_number(out, "alwaysAllow", pdb->always_allow_unhealthy);
}

static void add_volume(struct kube_buf *out, const struct kube_object *object)
{
	const struct volume *volume = (const struct volume *)object;

	add_text(out, "claim", volume->claim);
	add_number(out, "local", volume->local);
	for (size_t i = 0; i < volume->places.count; i++)
		add_text(out, "place", volume->places.items[i]);
}

static void add_attachment(struct kube_buf *out, const struct kube_object *object)
{
	add_text(out, "node", ((const struct attachment *)object)->node_name);
	add_text(out, "volume", ((const struct attachment *)object)->volume);
}

static void add_nothing(struct kube_buf *out, const struct kube_object *object)
{
	(void)out, (void)object;
}

typedef void add_members(struct kube_buf *out, const struct kube_object *object);

static void check_equal(struct server *a, struct server *b, add_members *add)
{
	const struct kube_object *x = NULL;

	ck_assert_uint_gt(kube_store_count(a->store), 0);
	ck_assert_uint_eq(kube_store_count(a->store), kube_store_count(b->store));
	while ((x = kube_store_next(a->store, x))) {
		const struct kube_object *objects[] = {x, kube_store_get(b->store, x->key)};
		struct kube_buf texts[2];
		ck_assert_msg(objects[1] != NULL, "%s is missing", x->key);
		for (int i = 0; i < 2; i++) {
			kube_buf_init(&texts[i], 1 << 20);
			add_object(&texts[i], objects[i]);
			add(&texts[i], objects[i]);
		}
		ck_assert_str_eq(texts[0].data, texts[1].data);
		ck_assert(x->projection->same(objects[0], objects[1]));
		kube_buf_finish(&texts[0]);
		kube_buf_finish(&texts[1]);
	}
}

/* ---- tests ---- */

static const struct kind {
	const char *file;
	const struct kube_projection *projection;
	add_members *add;
	size_t count;
} kinds[] = {
    {"nodes", &node_projection, add_node, 4},
    {"pods", &pod_projection, add_pod, 9},
    {"poddisruptionbudgets", &pdb_projection, add_pdb, 4},
    {"persistentvolumes", &volume_projection, add_volume, 6},
    {"volumeattachments", &attachment_projection, add_attachment, 2},
    {"daemonsets", &daemon_set_projection, add_nothing, 1},
};

START_TEST(lists_come_to_the_same)
{
	static const size_t chunks[] = {1, 7, 1000, 1 << 20};

	for (size_t k = 0; k < KUBE_ARRAY_LEN(kinds); k++) {
		for (size_t c = 0; c < KUBE_ARRAY_LEN(chunks); c++) {
			struct server json = {.files = {kinds[k].file}, .chunk = 1 << 20};
			struct server proto = {.files = {kinds[k].file}, .chunk = chunks[c], .proto = true};
			play(&json, kinds[k].projection);
			play(&proto, kinds[k].projection);
			ck_assert_uint_eq(kube_store_count(proto.store), kinds[k].count);
			ck_assert_str_eq(proto.changes, json.changes);
			check_equal(&json, &proto, kinds[k].add);
			ck_assert_str_eq(proto.error, "");
			stop(&json);
			stop(&proto);
		}
	}
}
END_TEST

/* The recorded objects hold something in every member, or the comparison above says nothing about it. */
START_TEST(what_was_recorded_says_something)
{
	struct server nodes = {.files = {"nodes"}, .chunk = 1 << 20, .proto = true};
	struct server pods = {.files = {"pods"}, .chunk = 1 << 20, .proto = true};
	struct server pdbs = {.files = {"poddisruptionbudgets"}, .chunk = 1 << 20, .proto = true};

	play(&nodes, &node_projection);
	const struct node *ready = (const struct node *)kube_store_get(nodes.store, "ready");
	const struct node *working = (const struct node *)kube_store_get(nodes.store, "working");
	const struct node *spoilt = (const struct node *)kube_store_get(nodes.store, "spoilt");
	ck_assert(ready->ready && !working->ready && !spoilt->ready);
	ck_assert_str_eq(kube_strmap_get(&ready->labels, "empty"), "");
	ck_assert_str_eq(kube_strmap_get(&ready->annotations, "nul"), "a\xef\xbf\xbd"
	                                                              "b");
	ck_assert_ptr_null(kube_strmap_get(&ready->annotations, "long"));
	ck_assert_str_eq(ready->node_info[NODE_INFO_KERNEL], "6.1.0-18-amd64");
	ck_assert_int_ne(ready->ready_since_ms, KUBE_TIME_NONE);
	ck_assert_int_eq(ready->allocatable.cpu_m, 7910);
	ck_assert_int_eq(ready->allocatable.memory, INT64_C(32) << 30);
	ck_assert_int_eq(ready->allocatable.pods, 110);
	ck_assert(working->unschedulable && working->quarantined);
	ck_assert_uint_eq(working->taints.count, 3); /* and one of the API server's */
	ck_assert_str_eq(working->taints.items[1].value, "v");
	ck_assert_int_eq(working->state->step, STEP_DRAINING);
	ck_assert_ptr_nonnull(spoilt->state_error);
	ck_assert_str_eq(spoilt->os, "windows");
	stop(&nodes);

	play(&pods, &pod_projection);
	const struct pod *web = (const struct pod *)kube_store_get(pods.store, "wire/web");
	const struct pod *failed = (const struct pod *)kube_store_get(pods.store, "wire/job-failed");
	ck_assert(web->ready && web->empty_dir && web->phase == POD_RUNNING);
	ck_assert_str_eq(web->owner_kind, "ReplicaSet");
	ck_assert(((const struct pod *)kube_store_get(pods.store, "wire/mirrored"))->mirror);
	const struct pod *volumes = (const struct pod *)kube_store_get(pods.store, "wire/volumes");
	ck_assert_str_eq(volumes->claims[0], "data-web-0");
	ck_assert_str_eq(volumes->claims[1], "volumes-scratch");
	ck_assert_uint_eq(volumes->cpu_m, 2250); /* the second init container, beside the sidecar */
	ck_assert_uint_eq(volumes->memory_kib, 2 * 64 * 1024 + (100000000 + 1023) / 1024);
	ck_assert_str_eq(kube_strmap_get(&volumes->place->node_selector, "disk"), "ssd");
	ck_assert_uint_eq(volumes->place->tolerations.count, 2);
	ck_assert_str_eq(volumes->place->tolerations.items[0].effect, "NoSchedule");
	ck_assert(kube_store_get(pods.store, "wire/leaving")->deleted_ms != KUBE_TIME_NONE);
	ck_assert_int_eq(failed->exit_code, 137);
	ck_assert_uint_eq(strlen(failed->exit_message), 512);
	ck_assert(failed->job_finalizer);
	ck_assert_str_eq(failed->status_reason, "DeadlineExceeded");
	ck_assert_str_eq(((const struct pod *)kube_store_get(pods.store, "wire/job-waits"))->waiting_reason,
	                 "ImagePullBackOff");
	stop(&pods);

	play(&pdbs, &pdb_projection);
	const struct pdb *labels = (const struct pdb *)kube_store_get(pdbs.store, "wire/labels");
	ck_assert(labels->always_allow_unhealthy && labels->disruptions_allowed == 1 && labels->current_healthy == 3);
	ck_assert_uint_eq(
	    ((const struct pdb *)kube_store_get(pdbs.store, "wire/expressions"))->selector.match_expressions.count, 4);
	ck_assert(!((const struct pdb *)kube_store_get(pdbs.store, "wire/nothing"))->has_selector);
	ck_assert(((const struct pdb *)kube_store_get(pdbs.store, "wire/everything"))->has_selector);
	stop(&pdbs);
}
END_TEST

START_TEST(volumes_that_were_recorded_say_something)
{
	static const struct {
		const char *name, *claim;
		bool bound; /* to the node "ready" */
	} rows[] = {
	    {"free", "", false},
	    {"zonal", "wire/data-web-0", false},
	    {"pinned", "wire/data-web-1", true},
	    {"either", "wire/data-web-2", false},
	    {"local", "wire/data-web-3", true},
	    {"host", "wire/data-web-4", true},
	};
	struct server volumes = {.files = {"persistentvolumes"}, .chunk = 1 << 20, .proto = true};
	struct server attachments = {.files = {"volumeattachments"}, .chunk = 1 << 20, .proto = true};
	const struct node node = {.object.name = "ready"};

	play(&volumes, &volume_projection);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		const struct volume *volume = (const struct volume *)kube_store_get(volumes.store, rows[i].name);
		ck_assert_str_eq(volume->claim, rows[i].claim);
		ck_assert_msg(volume_bound_to(volume, &node) == rows[i].bound, "%s", rows[i].name);
	}
	stop(&volumes);
	play(&attachments, &attachment_projection);
	const struct attachment *first = (const struct attachment *)kube_store_get(attachments.store, "csi-1");
	ck_assert_str_eq(first->volume, "zonal");
	ck_assert_str_eq(first->node_name, "ready");
	ck_assert_str_eq(((const struct attachment *)kube_store_get(attachments.store, "csi-2"))->volume, "");
	stop(&attachments);
}
END_TEST

START_TEST(watches_come_to_the_same)
{
	static const size_t chunks[] = {1, 7, 1000, 1 << 20};

	for (size_t c = 0; c < KUBE_ARRAY_LEN(chunks); c++) {
		struct server json = {.files = {"empty", "watch"}, .chunk = chunks[c]};
		struct server proto = {.files = {"empty", "watch"}, .chunk = chunks[c], .proto = true};
		play(&json, &pod_projection);
		play(&proto, &pod_projection);
		ck_assert_str_eq(proto.changes, json.changes);
		ck_assert_ptr_nonnull(strstr(proto.changes, "+leaving "));
		ck_assert_ptr_nonnull(strstr(proto.changes, "~leaving "));
		check_equal(&json, &proto, add_pod);
		ck_assert_uint_eq(proto.requests, 2);
		ck_assert_str_eq(proto.error, "");
		stop(&json);
		stop(&proto);
	}
}
END_TEST

START_TEST(a_watch_that_begins_with_the_list_comes_to_the_same)
{
	static const size_t chunks[] = {1, 7, 1000, 1 << 20};

	for (size_t c = 0; c < KUBE_ARRAY_LEN(chunks); c++) {
		struct server list = {.files = {"pods"}, .chunk = chunks[c]};
		struct server json = {.files = {"watchlist"}, .watch_list = true, .chunk = chunks[c]};
		struct server proto = {.files = {"watchlist"}, .watch_list = true, .chunk = chunks[c], .proto = true};
		play(&list, &pod_projection);
		play(&json, &pod_projection);
		play(&proto, &pod_projection);
		ck_assert(kube_reflector_synced(json.reflector) && kube_reflector_synced(proto.reflector));
		check_equal(&list, &json, add_pod);
		check_equal(&list, &proto, add_pod);
		ck_assert_uint_eq(json.requests, 1);
		ck_assert_uint_eq(proto.requests, 1);
		ck_assert_str_eq(proto.error, "");
		stop(&list);
		stop(&json);
		stop(&proto);
	}
}
END_TEST

/* Refusals come in protobuf too: as an answer, and as an ERROR event. */
START_TEST(refusals_are_read)
{
	for (int proto = 0; proto < 2; proto++) {
		struct server refused = {.files = {"refusal"}, .statuses = {400}, .chunk = 5, .proto = proto};
		struct server expired = {.files = {"empty", "expired", "pods"}, .chunk = 5, .proto = proto};
		play(&refused, &pod_projection);
		ck_assert_msg(strstr(refused.error, "cannot list pods: found '==', expected: !, identifier") != NULL, "%s",
		              refused.error);
		stop(&refused);
		play(&expired, &pod_projection);
		ck_assert_msg(strstr(expired.error, "cannot watch pods: too old resource version: 1") != NULL, "%s",
		              expired.error);
		ck_assert_uint_eq(kube_store_count(expired.store), 9); /* listed again */
		stop(&expired);
	}
}
END_TEST

START_TEST(a_cut_list_is_asked_for_again)
{
	size_t len;
	free(read_file("nodes", "pb", &len));

	for (size_t cut = 1; cut < len - 4; cut += 101) { /* two empty fields end the envelope: without them it is whole */
		struct server server = {.files = {"nodes", "nodes"}, .chunk = 1000, .proto = true, .cut = cut};
		play(&server, &node_projection);
		ck_assert_msg(strstr(server.error, "cannot list nodes: the answer is no complete protobuf list") != NULL, "%s",
		              server.error);
		ck_assert_uint_eq(server.requests, 3);
		ck_assert_uint_eq(kube_store_count(server.store), 4);
		ck_assert_str_eq(server.changes, "+bare +ready +spoilt +working ");
		stop(&server);
	}
}
END_TEST

/* Cut anywhere, or damaged: an error or other objects, never an access beyond (the sanitizers tell), never a store that
 * is emptied. */
START_TEST(damaged_answers_do_no_harm)
{
	for (size_t k = 0; k < KUBE_ARRAY_LEN(kinds); k++) {
		size_t len;
		char *bytes = read_file(kinds[k].file, "pb", &len);
		struct kube_proto list, rest;
		struct kube_proto_field field;
		ck_assert_int_eq(kube_proto_unwrap(kube_proto_of(bytes, len), &list, NULL), 0);
		rest = list;
		while (kube_proto_next(&rest, &field) > 0) {
			size_t item_len = (size_t)(field.bytes.end - field.bytes.at), refused = 0;
			unsigned char *exact = malloc(item_len ? item_len : 1);
			memcpy(exact, field.bytes.at, item_len);
			for (size_t at = 0; field.number == 2 && at < item_len; at++) {
				struct kube_object *object = NULL;
				unsigned char kept = exact[at];
				exact[at] = (unsigned char)(kept + 1 + at % 255);
				refused +=
				    kube_object_decode_proto(kinds[k].projection, kube_proto_of(exact, item_len), &object, NULL) != 0;
				kube_object_unref(object);
				exact[at] = kept;
				object = NULL;
				if (kube_object_decode_proto(kinds[k].projection, kube_proto_of(exact, at), &object, NULL) == 0)
					kube_object_unref(object);
			}
			ck_assert(field.number != 2 || refused > 0);
			free(exact);
		}
		free(bytes);
	}
}
END_TEST

CHECK_MAIN("wire", lists_come_to_the_same, what_was_recorded_says_something, volumes_that_were_recorded_say_something,
           watches_come_to_the_same, a_watch_that_begins_with_the_list_comes_to_the_same, refusals_are_read,
           a_cut_list_is_asked_for_again, damaged_answers_do_no_harm)
