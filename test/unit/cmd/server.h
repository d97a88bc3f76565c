/*
 * A small API server behind the simulated transport, enough for a whole rollout: collections in memory, watches,
 * resourceVersions as preconditions, status, patches, deletions with finalizers, evictions. Writes are answered after
 * 5 ms and seen by watches after 8 ms.
 */
#ifndef TEST_UNIT_CMD_SERVER_H
#define TEST_UNIT_CMD_SERVER_H

#include "test/unit/act/apply.h"
#include "test/unit/model/decode.h"
#include <kube/client.h>
#include <kube/sim.h>
#include <stdio.h>

#define ANSWER_MS 5
#define EVENT_MS 8
#define MAX_OBJECTS 64
#define MAX_WATCHES 32

struct stored {
	char collection[128]; /* "/api/v1/nodes"; of namespaced types without the namespace: "/api/v1/pods" */
	cJSON *json;
};

struct watching {
	char collection[128];
	struct kube_exchange *exchange;
};

struct server {
	struct kube_sim *sim;
	struct stored objects[MAX_OBJECTS];
	size_t count;
	struct watching watches[MAX_WATCHES];
	size_t watch_count;
	long version, uid;
	bool crds, namespaces;
	const char *odd_list;   /* the list of this collection is none; NULL: all are */
	unsigned refuse_writes; /* so many writes to come are answered with 500 */
	int64_t events_ms;      /* until the answer to an Event; 0: ANSWER_MS */
	bool events_lost;       /* it never comes */
	/* What came. */
	unsigned posts, puts, patches, deletes, evictions, events;
	void (*on_write)(struct server *server, const char *method, const char *target, const cJSON *object);
};

static inline void send_json(struct server *server, struct kube_exchange *exchange, int status, const cJSON *json)
{
	_cleanup_free_ char *text = cJSON_PrintUnformatted(json);
	kube_sim_reply_json(server->sim, exchange, ANSWER_MS, status, text);
}

static inline void send_status(struct server *server, struct kube_exchange *exchange, int code, const char *reason)
{
	char text[256];
	snprintf(text, sizeof(text), "{\"kind\":\"Status\",\"code\":%d,\"reason\":\"%s\",\"message\":\"%s\"}", code, reason,
	         reason);
	kube_sim_reply_json(server->sim, exchange, ANSWER_MS, code, text);
}

static inline void tell_watches(struct server *server, const char *type, const struct stored *object)
{
	cJSON *event = cJSON_CreateObject();
	cJSON_AddStringToObject(event, "type", type);
	cJSON_AddItemToObject(event, "object", cJSON_Duplicate(object->json, true));
	char *line = cJSON_PrintUnformatted(event);
	for (size_t i = 0; i < server->watch_count; i++) {
		struct watching *watch = &server->watches[i];
		if (strcmp(watch->collection, object->collection) != 0 || !kube_sim_open(server->sim, watch->exchange))
			continue;
		kube_sim_reply_data(server->sim, watch->exchange, EVENT_MS, line, strlen(line));
		kube_sim_reply_data(server->sim, watch->exchange, EVENT_MS, "\n", 1);
	}
	free(line);
	cJSON_Delete(event);
}

static inline void set_version(struct server *server, cJSON *json)
{
	char text[32];
	snprintf(text, sizeof(text), "'%ld'", ++server->version);
	json_set(json, "metadata>resourceVersion", text);
}

static inline struct stored *add_object(struct server *server, const char *collection, cJSON *json)
{
	char uid[32];
	ck_assert_uint_lt(server->count, MAX_OBJECTS);
	struct stored *object = &server->objects[server->count++];
	snprintf(object->collection, sizeof(object->collection), "%s", collection);
	object->json = json;
	snprintf(uid, sizeof(uid), "'uid-%08ld'", ++server->uid);
	json_set(json, "metadata>uid", uid);
	json_set(json, "metadata>creationTimestamp", "'2026-01-01T00:00:00Z'");
	set_version(server, json);
	tell_watches(server, "ADDED", object);
	return object;
}

static inline struct stored *find_object(struct server *server, const char *collection, const char *name)
{
	for (size_t i = 0; i < server->count; i++) {
		const char *is = kube_json_str(server->objects[i].json, "metadata.name");
		if (strcmp(server->objects[i].collection, collection) == 0 && strcmp(is, name) == 0)
			return &server->objects[i];
	}
	return NULL;
}

static inline void remove_object(struct server *server, struct stored *object)
{
	set_version(server, object->json);
	tell_watches(server, "DELETED", object);
	cJSON_Delete(object->json);
	*object = server->objects[--server->count];
}

/* An object without finalizers goes; else it is marked. */
static inline void delete_object(struct server *server, struct stored *object)
{
	if (cJSON_GetArraySize(kube_json_get(object->json, "metadata.finalizers")) == 0) {
		remove_object(server, object);
		return;
	}
	json_set(object->json, "metadata>deletionTimestamp", "'2026-01-01T00:00:01Z'");
	set_version(server, object->json);
	tell_watches(server, "MODIFIED", object);
}

static inline void touch_object(struct server *server, struct stored *object)
{
	if (kube_json_get(object->json, "metadata.deletionTimestamp")) {
		delete_object(server, object);
		return;
	}
	set_version(server, object->json);
	tell_watches(server, "MODIFIED", object);
}

/* ---- requests ---- */

struct request_path {
	char collection[128], name[128], subresource[32];
	bool watch;
};

/* "/api/v1/namespaces/x/pods/p/eviction?…": group and version, then perhaps a namespace, then plural, name, sub. */
static inline struct request_path parse_target(const char *text)
{
	struct request_path target = {0};
	char path[512], *save = NULL, *words[10] = {0};
	size_t count = 0, prefix;
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(text, "?"), text);
	target.watch = strstr(text, "watch=true") || strstr(text, "watch=1");
	for (char *word = strtok_r(path, "/", &save); word && count < 9; word = strtok_r(NULL, "/", &save))
		words[count++] = word;
	prefix = strcmp(words[0], "api") == 0 ? 2 : 3;
	size_t at = prefix;
	if (strcmp(words[at], "namespaces") == 0 && words[at + 1] && words[at + 2])
		at += 2;
	snprintf(target.collection, sizeof(target.collection), "/%s/%s%s%s/%s", words[0], words[1], prefix == 3 ? "/" : "",
	         prefix == 3 ? words[2] : "", words[at]);
	snprintf(target.name, sizeof(target.name), "%s", words[at + 1] ? words[at + 1] : "");
	snprintf(target.subresource, sizeof(target.subresource), "%s", words[at + 1] && words[at + 2] ? words[at + 2] : "");
	return target;
}

static inline void list(struct server *server, struct kube_exchange *exchange, const struct request_path *target)
{
	_cleanup_json_ cJSON *json = cJSON_CreateObject();
	char version[32];
	snprintf(version, sizeof(version), "%ld", server->version);
	cJSON_AddStringToObject(json, "kind", "List");
	cJSON_AddStringToObject(cJSON_AddObjectToObject(json, "metadata"), "resourceVersion", version);
	cJSON *items = cJSON_AddArrayToObject(json, "items");
	for (size_t i = 0; i < server->count; i++)
		if (strcmp(server->objects[i].collection, target->collection) == 0)
			cJSON_AddItemToArray(items, cJSON_Duplicate(server->objects[i].json, true));
	send_json(server, exchange, 200, json);
}

static inline void get(struct server *server, struct kube_exchange *exchange, const struct request_path *target)
{
	if (strstr(target->collection, "patchwright.io") && !server->crds) {
		kube_sim_reply_json(server->sim, exchange, ANSWER_MS, 404, "{\"kind\":\"Status\",\"code\":404}");
	} else if (strcmp(target->collection, "/api/v1/namespaces") == 0) {
		kube_sim_reply_json(server->sim, exchange, ANSWER_MS, server->namespaces ? 200 : 404,
		                    server->namespaces ? "{\"kind\":\"Namespace\"}" : "{\"kind\":\"Status\",\"code\":404}");
	} else if (target->watch) {
		ck_assert_uint_lt(server->watch_count, MAX_WATCHES);
		struct watching *watch = &server->watches[server->watch_count++];
		snprintf(watch->collection, sizeof(watch->collection), "%s", target->collection);
		watch->exchange = exchange;
		kube_sim_reply_head(server->sim, exchange, ANSWER_MS, 200, -1, "application/json");
	} else if (server->odd_list && strcmp(target->collection, server->odd_list) == 0) {
		kube_sim_reply_json(server->sim, exchange, ANSWER_MS, 200, "{}");
	} else {
		list(server, exchange, target);
	}
}

static inline void post(struct server *server, struct kube_exchange *exchange, const struct request_path *target,
                        const cJSON *body)
{
	struct stored *old = target->name[0] ? find_object(server, target->collection, target->name) : NULL;
	if (strcmp(target->subresource, "eviction") == 0) {
		server->evictions++;
		send_status(server, exchange, old ? 201 : 404, old ? "Success" : "NotFound");
		if (old)
			remove_object(server, old);
		return;
	}
	if (find_object(server, target->collection, kube_json_str(body, "metadata.name"))) {
		send_status(server, exchange, 409, "AlreadyExists");
		return;
	}
	struct stored *object = add_object(server, target->collection, cJSON_Duplicate(body, true));
	send_json(server, exchange, 201, object->json);
}

static inline void put_status(struct server *server, struct kube_exchange *exchange, struct stored *object,
                              const cJSON *body)
{
	if (strcmp(kube_json_str(body, "metadata.resourceVersion"),
	           kube_json_str(object->json, "metadata.resourceVersion"))) {
		send_status(server, exchange, 409, "Conflict");
		return;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(object->json, "status");
	cJSON_AddItemToObject(object->json, "status", cJSON_Duplicate(kube_json_get(body, "status"), true));
	touch_object(server, object);
	send_json(server, exchange, 200, object->json);
}

/* The one directive that we use. */
static inline bool apply_strategic(cJSON *document, const cJSON *body)
{
	const cJSON *metadata = kube_json_get(body, "metadata");
	ck_assert_ptr_nonnull(cJSON_GetObjectItem(metadata, "$deleteFromPrimitiveList/finalizers"));
	if (strcmp(kube_json_str(metadata, "uid"), kube_json_str(document, "metadata.uid")) != 0)
		return false;
	json_set(document, "metadata>finalizers", "[]");
	return true;
}

static inline void patch(struct server *server, struct kube_exchange *exchange, struct stored *object,
                         const char *content_type, const cJSON *body)
{
	cJSON *copy = cJSON_Duplicate(object->json, true);
	bool merge_patch = strcmp(content_type, KUBE_PATCH_MERGE) == 0;
	bool done = merge_patch                                       ? apply_merge_patch(copy, body)
	            : strcmp(content_type, KUBE_PATCH_STRATEGIC) == 0 ? apply_strategic(copy, body)
	                                                              : apply_json_patch(copy, body);
	if (!done) {
		cJSON_Delete(copy);
		send_status(server, exchange, merge_patch ? 409 : 422, merge_patch ? "Conflict" : "Invalid");
		return;
	}
	cJSON_Delete(object->json);
	object->json = copy;
	_cleanup_json_ cJSON *answer = NULL;
	bool ends = kube_json_get(copy, "metadata.deletionTimestamp") != NULL;
	if (ends)
		answer = cJSON_Duplicate(copy, true);
	touch_object(server, object);
	send_json(server, exchange, 200, ends ? answer : object->json);
}

static inline void delete_request(struct server *server, struct kube_exchange *exchange,
                                  const struct request_path *target)
{
	size_t i = 0;
	send_status(server, exchange, 200, "Success");
	if (target->name[0]) {
		delete_object(server, find_object(server, target->collection, target->name));
		return;
	}
	while (i < server->count) { /* a collection; the only one that is deleted so is that of job pods */
		if (strcmp(server->objects[i].collection, target->collection) == 0 &&
		    strcmp(kube_json_str(server->objects[i].json, "metadata.namespace"), "patchwright-jobs") == 0)
			delete_object(server, &server->objects[i]);
		else
			i++;
	}
}

static inline void write_request(struct server *server, struct kube_exchange *exchange,
                                 const struct kube_request *request, const struct request_path *target,
                                 const cJSON *body)
{
	struct stored *object = find_object(server, target->collection, target->name);
	if (server->refuse_writes > 0) {
		server->refuse_writes--;
		send_status(server, exchange, 500, "InternalError");
	} else if (strcmp(request->method, "POST") == 0) {
		server->posts++;
		post(server, exchange, target, body);
	} else if (strcmp(request->method, "DELETE") == 0) {
		server->deletes++;
		delete_request(server, exchange, target);
	} else if (!object) {
		send_status(server, exchange, 404, "NotFound");
	} else if (strcmp(request->method, "PUT") == 0) {
		server->puts++;
		put_status(server, exchange, object, body);
	} else {
		server->patches++;
		patch(server, exchange, object, request->content_type, body);
	}
}

static inline void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange,
                         const struct kube_request *request)
{
	struct server *server = arg;
	_cleanup_json_ cJSON *body = NULL;
	(void)sim;
	if (strcmp(request->target, "/version") == 0) {
		kube_sim_reply_json(server->sim, exchange, ANSWER_MS, 200, "{\"gitVersion\":\"v1.34.4\"}");
		return;
	}
	struct request_path target = parse_target(request->target);
	if (strcmp(request->method, "GET") == 0) {
		get(server, exchange, &target);
		return;
	}
	if (strstr(target.collection, "events.k8s.io")) {
		server->events++;
		if (!server->events_lost)
			kube_sim_reply_json(server->sim, exchange, server->events_ms ? server->events_ms : ANSWER_MS, 201, "{}");
		return;
	}
	if (request->body_len > 0)
		ck_assert_int_eq(kube_json_parse(request->body, request->body_len, &body, NULL), 0);
	write_request(server, exchange, request, &target, body);
	if (server->on_write)
		server->on_write(server, request->method, request->target, body);
}

static inline void server_finish(struct server *server)
{
	while (server->count > 0)
		cJSON_Delete(server->objects[--server->count].json);
}

#endif
