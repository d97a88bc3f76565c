/* Objects, their versions, and what was when. */
#include "lib/sim/api.h"

#include <kube/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *api_must(void *memory)
{
	if (!memory) {
		fputs("simulated API server: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void api_start(struct kube_env *env, struct kube_timer *timer, int64_t delay_ms, kube_timer_fn *fn, void *arg)
{
	api_must(kube_timer_start(env, timer, delay_ms, fn, arg) ? NULL : timer);
}

/* cJSON does not tell a bad text from lack of memory. */
cJSON *api_parse_json(const char *text, size_t len)
{
	cJSON *json = cJSON_ParseWithLength(text, len), *again = NULL;

	if (!json && kube_json_parse(text, len, &again, NULL) != KUBE_E_PARSE) {
		cJSON_Delete(again);
		api_must(NULL);
	}
	return json;
}

void *api_grow(void *items, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return items;
	*cap = *cap ? *cap * 2 : 32;
	return api_must(reallocarray(items, *cap, size));
}

const char *api_now(const struct kube_sim_api *api, char out[32])
{
	return kube_time_format(kube_sim_server_ms(api->sim), out);
}

void api_print_version(int64_t version, char out[32])
{
	snprintf(out, 32, "%lld", (long long)version);
}

void api_key(const char *namespace_, const char *name, char *out, size_t size)
{
	bool namespaced = namespace_ && *namespace_;
	snprintf(out, size, "%s%s%s", namespaced ? namespace_ : "", namespaced ? "/" : "", name);
}

struct api_kind *api_kind_of(const struct kube_sim_api *api, const struct kube_resource *resource)
{
	for (size_t i = 0; i < api->kind_count; i++)
		if (api->kinds[i].about.resource == resource)
			return (struct api_kind *)&api->kinds[i];
	return NULL;
}

/* Where the key is, or would be. */
static size_t place_of(const struct api_kind *kind, const char *key)
{
	size_t low = 0, high = kind->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(kind->objects[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct api_object *api_find(const struct api_kind *kind, const char *key)
{
	size_t at = place_of(kind, key);
	bool there = at < kind->count && strcmp(kind->objects[at].key, key) == 0;

	return there ? &kind->objects[at] : NULL;
}

static struct api_object *insert(struct api_kind *kind, const char *key)
{
	size_t at = place_of(kind, key);

	kind->objects = api_grow(kind->objects, kind->count, &kind->cap, sizeof(*kind->objects));
	memmove(&kind->objects[at + 1], &kind->objects[at], (kind->count - at) * sizeof(*kind->objects));
	kind->count++;
	kind->objects[at] = (struct api_object){.key = api_must(strdup(key))};
	return &kind->objects[at];
}

static void tell(struct kube_sim_api *api, const struct api_kind *kind, const struct api_event *event,
                 const cJSON *old_json, const cJSON *new_json)
{
	const struct kube_sim_change change = {kind->about.resource, old_json, new_json, api->sender};

	api_tell(api, kind, event, old_json, new_json);
	for (size_t i = 0; i < api->hook_count; i++)
		if (api->hooks[i].changed)
			api->hooks[i].changed(api->hooks[i].arg, &change);
}

static void put_first(cJSON *json, const char *name, const char *value)
{
	cJSON *item = cJSON_CreateString(value);

	api_set(json, name, NULL);
	cJSON_AddItemToObject(json, name, item);
	cJSON_DetachItemViaPointer(json, item);
	cJSON_InsertItemInArray(json, 0, item);
}

/* Every text begins with what the object is. */
static void say_type(struct api_kind *kind, cJSON *json)
{
	const struct kube_resource *resource = kind->about.resource;
	const cJSON *first = json->child;
	char version[128];

	if (kind->type_len > 0 && first && strcmp(first->string, "kind") == 0 && first->next &&
	    strcmp(first->next->string, "apiVersion") == 0)
		return;
	snprintf(version, sizeof(version), "%s%s%s", resource->group, *resource->group ? "/" : "", resource->version);
	kind->type_len = (size_t)snprintf(NULL, 0, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",", resource->kind, version);
	put_first(json, "apiVersion", version);
	put_first(json, "kind", resource->kind);
}

/* The next version of everything is this one of this object. */
static struct api_event *record(struct kube_sim_api *api, struct api_kind *kind, const char *type, const char *key,
                                cJSON *json)
{
	char version[32];

	say_type(kind, json);
	api_print_version(++api->version, version);
	api_set(cJSON_GetObjectItemCaseSensitive(json, "metadata"), "resourceVersion", cJSON_CreateString(version));
	kind->events = api_grow(kind->events, kind->event_count, &kind->event_cap, sizeof(*kind->events));
	struct api_event *event = &kind->events[kind->event_count++];
	*event = (struct api_event){
	    .type = type,
	    .version = api->version,
	    .at_ms = kube_sim_server_ms(api->sim),
	    .key = api_must(strdup(key)),
	    .text = api_must(cJSON_PrintUnformatted(json)),
	};
	return event;
}

struct api_object *api_put(struct kube_sim_api *api, struct api_kind *kind, const char *key, cJSON *json)
{
	struct api_object *object = api_find(kind, key);
	cJSON *old = object ? object->json : NULL;

	if (!object)
		object = insert(kind, key);
	object->json = json;
	const struct api_event *event = record(api, kind, old ? "MODIFIED" : "ADDED", key, json);
	object->text = event->text;
	tell(api, kind, event, old, json);
	cJSON_Delete(old);
	return object;
}

void api_remove(struct kube_sim_api *api, struct api_kind *kind, struct api_object *object)
{
	struct api_object gone = *object;
	size_t at = (size_t)(object - kind->objects);

	const struct api_event *event = record(api, kind, "DELETED", gone.key, gone.json);
	kind->count--;
	memmove(&kind->objects[at], &kind->objects[at + 1], (kind->count - at) * sizeof(*kind->objects));
	tell(api, kind, event, gone.json, NULL);
	cJSON_Delete(gone.json);
	free(gone.key);
}

/* ---- the past ---- */

static size_t place_in(const struct api_event *const *state, size_t count, const char *key)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(state[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct api_event **api_state_at(const struct api_kind *kind, int64_t version, size_t *ret_count)
{
	const struct api_event **state = api_must(calloc(kind->event_count + 1, sizeof(struct api_event *)));
	size_t count = 0;

	for (size_t i = 0; i < kind->event_count && kind->events[i].version <= version; i++) {
		const struct api_event *event = &kind->events[i];
		size_t at = place_in(state, count, event->key);
		bool there = at < count && strcmp(state[at]->key, event->key) == 0;
		if (event->type[0] == 'D') {
			count -= there;
			if (there)
				memmove(&state[at], &state[at + 1], (count - at) * sizeof(struct api_event *));
			continue;
		}
		if (!there)
			memmove(&state[at + 1], &state[at], (count++ - at) * sizeof(struct api_event *));
		state[at] = event;
	}
	*ret_count = count;
	return state;
}

/* ---- looking ---- */

size_t kube_sim_api_count(const struct kube_sim_api *api, const struct kube_resource *resource)
{
	const struct api_kind *kind = api_kind_of(api, resource);
	return kind ? kind->count : 0;
}

const cJSON *kube_sim_api_at(const struct kube_sim_api *api, const struct kube_resource *resource, size_t index)
{
	return api_kind_of(api, resource)->objects[index].json;
}

const cJSON *kube_sim_api_get(const struct kube_sim_api *api, const struct kube_resource *resource,
                              const char *namespace_, const char *name)
{
	const struct api_kind *kind = api_kind_of(api, resource);
	char key[API_KEY_SIZE];

	api_key(namespace_, name, key, sizeof(key));
	const struct api_object *object = kind ? api_find(kind, key) : NULL;
	return object ? object->json : NULL;
}

int64_t kube_sim_api_version(const struct kube_sim_api *api)
{
	return api->version;
}
