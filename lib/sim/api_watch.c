/* Watches: what happened since a version, then what happens, with bookmarks. */
#include "lib/sim/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define BOOKMARK_MS 60000
#define LAST_BOOKMARK_MS 2000 /* before the end */

static void drop(struct api_watch *watch)
{
	struct kube_env *env = kube_sim_env(watch->api->sim);

	kube_timer_stop(env, &watch->bookmark);
	kube_timer_stop(env, &watch->timeout);
	DL_DELETE(watch->api->watches, watch);
	free(watch);
}

void api_watches_finish(struct kube_sim_api *api)
{
	while (api->watches)
		drop(api->watches);
}

static void send_line(struct api_watch *watch, const char *type, const char *object)
{
	_cleanup_buf_ struct kube_buf line = {0};

	kube_buf_init(&line, API_MAX_TEXT_BYTES);
	if (watch->stalled)
		return;
	kube_buf_addf(&line, "{\"type\":\"%s\",\"object\":", type);
	kube_buf_adds(&line, object);
	kube_buf_adds(&line, "}\n");
	api_must(line.data);
	kube_sim_reply_data(watch->api->sim, watch->exchange, watch->lag_ms, line.data, line.len);
}

static bool selects(const struct api_watch *watch, const cJSON *json)
{
	return json && api_selected(json, watch->namespace_, watch->labels, watch->fields);
}

/* What leaves a selection is shown as it was in it. */
static void send_departure(struct api_watch *watch, const cJSON *old, const struct api_event *event)
{
	_cleanup_json_ cJSON *json = api_must(cJSON_Duplicate(old, true));
	char version[32];

	api_print_version(event->version, version);
	api_set(cJSON_GetObjectItemCaseSensitive(json, "metadata"), "resourceVersion", cJSON_CreateString(version));
	_cleanup_free_ char *text = api_must(cJSON_PrintUnformatted(json));
	send_line(watch, "DELETED", text);
}

/* To a watch with a selector, an object that begins to match is added, and one that ceases to is deleted. */
static void tell_one(struct api_watch *watch, const struct api_event *event, const cJSON *old, const cJSON *json)
{
	bool selective = watch->namespace_[0] || watch->labels[0] || watch->fields[0];
	const char *type = event->type;

	if (selective) {
		bool before = selects(watch, old), after = selects(watch, json);
		if (!before && !after)
			return;
		type = !after ? "DELETED" : before ? "MODIFIED" : "ADDED";
	}
	watch->last_type = type;
	watch->last_text = event->text;
	if (selective && type[0] == 'D' && json)
		send_departure(watch, old, event);
	else
		send_line(watch, type, event->text);
}

void api_tell(struct kube_sim_api *api, const struct api_kind *kind, const struct api_event *event, const cJSON *old,
              const cJSON *json)
{
	struct api_watch *watch, *next;

	DL_FOREACH_SAFE(api->watches, watch, next)
	{
		if (!kube_sim_open(api->sim, watch->exchange))
			drop(watch);
		else if (watch->kind == kind)
			tell_one(watch, event, old, json);
	}
}

/* What happened before the watch was there: for each key the event before is what it was. */
static void catch_up(struct api_watch *watch, int64_t version)
{
	const struct api_kind *kind = watch->kind;
	size_t from = kind->event_count;

	while (from > 0 && kind->events[from - 1].version > version)
		from--;
	for (size_t i = from; i < kind->event_count; i++) {
		const struct api_event *event = &kind->events[i];
		_cleanup_json_ cJSON *json = api_must(cJSON_Parse(event->text)), *old = NULL;
		for (size_t k = i; k-- > 0 && !old;)
			if (strcmp(kind->events[k].key, event->key) == 0)
				old = api_must(cJSON_Parse(kind->events[k].text));
		tell_one(watch, event, event->type[0] == 'A' ? NULL : old, event->type[0] == 'D' ? NULL : json);
	}
}

static void send_bookmark(struct api_watch *watch, bool initial_events_end)
{
	const struct kube_resource *resource = watch->kind->about.resource;
	_cleanup_buf_ struct kube_buf text = {0};

	kube_buf_init(&text, 1024);
	kube_buf_addf(&text, "{\"kind\":\"%s\",\"apiVersion\":\"", resource->kind);
	kube_resource_api_version(&text, resource);
	kube_buf_addf(&text, "\",\"metadata\":{\"resourceVersion\":\"%lld\"%s}}", (long long)watch->api->version,
	              initial_events_end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
	send_line(watch, "BOOKMARK", api_must(text.data));
}

static int64_t newest_of(const struct api_kind *kind)
{
	return kind->event_count > 0 ? kind->events[kind->event_count - 1].version : 0;
}

static void on_bookmark(struct kube_timer *timer, void *arg);

/* About once a minute, and shortly before the end. */
static void start_bookmark(struct api_watch *watch)
{
	struct kube_env *env = kube_sim_env(watch->api->sim);
	int64_t now_ms = kube_env_mono_ms(env), next_ms = now_ms + BOOKMARK_MS;

	if (watch->end_ms > 0 && watch->end_ms - LAST_BOOKMARK_MS < next_ms)
		next_ms = watch->end_ms - LAST_BOOKMARK_MS;
	if (next_ms > now_ms)
		api_start(env, &watch->bookmark, next_ms - now_ms, on_bookmark, watch);
}

static void on_bookmark(struct kube_timer *timer, void *arg)
{
	struct api_watch *watch = arg;

	(void)timer;
	if (!kube_sim_open(watch->api->sim, watch->exchange)) {
		drop(watch);
		return;
	}
	const struct api_kind *kind = watch->kind;
	if (kind->event_count > 0 &&
	    kind->events[kind->event_count - 1].version > watch->from) /* else it says nothing new */
		send_bookmark(watch, false);
	start_bookmark(watch);
}

static void end(struct api_watch *watch, int code)
{
	if (!watch->stalled)
		kube_sim_reply_end(watch->api->sim, watch->exchange, watch->lag_ms, code, NULL);
	drop(watch);
}

static void on_timeout(struct kube_timer *timer, void *arg)
{
	(void)timer;
	end(arg, 0);
}

static void send_expired(struct api_watch *watch, int64_t version)
{
	char message[128];

	snprintf(message, sizeof(message), "too old resource version: %lld (%lld)", (long long)version,
	         (long long)watch->api->version);
	_cleanup_free_ char *status = api_status_text(410, "Expired", message);
	send_line(watch, "ERROR", status);
	end(watch, 0);
}

static bool may_watch(const struct api_request *request, struct api_answer *answer)
{
	const char *version = request->version;

	if (!api_options_hold(request, answer) || !api_can_select(request, answer))
		return false;
	if (strspn(version, "0123456789") == strlen(version))
		return true;
	api_refuse_plainly(answer, 500, NULL,
	                   "resourceVersion: Invalid value: \"%s\": strconv.ParseUint: parsing \"%s\": invalid syntax",
	                   version, version);
	return false;
}

static struct api_watch *open_watch(const struct api_request *request, struct kube_exchange *exchange, int64_t lag_ms)
{
	struct kube_sim_api *api = request->api;
	struct api_watch *watch = api_must(calloc(1, sizeof(*watch)));

	*watch = (struct api_watch){
	    .api = api, .kind = request->kind, .exchange = exchange, .lag_ms = lag_ms, .bookmarks = request->bookmarks};
	memcpy(watch->namespace_, request->namespace_, sizeof(watch->namespace_));
	memcpy(watch->labels, request->labels, sizeof(watch->labels));
	memcpy(watch->fields, request->fields, sizeof(watch->fields));
	watch->from = atoll(request->version);
	if (request->timeout_s > 0)
		watch->end_ms = kube_env_mono_ms(kube_sim_env(api->sim)) + request->timeout_s * 1000;
	DL_APPEND(api->watches, watch);
	return watch;
}

/* "0" and "", and whoever asks for it, begin with what is there. */
static void send_initial(struct api_watch *watch, bool with_bookmark)
{
	const struct api_kind *kind = watch->kind;

	watch->from = watch->api->version;
	for (size_t i = 0; i < kind->count; i++)
		if (selects(watch, kind->objects[i].json))
			send_line(watch, "ADDED", kind->objects[i].text);
	if (with_bookmark && watch->bookmarks)
		send_bookmark(watch, true);
}

bool api_watch(const struct api_request *request, struct kube_exchange *exchange, int64_t delay_ms, int64_t lag_ms,
               struct api_answer *answer)
{
	struct kube_sim_api *api = request->api;

	if (!may_watch(request, answer))
		return false;
	struct api_watch *watch = open_watch(request, exchange, lag_ms);
	kube_sim_reply_head(api->sim, exchange, delay_ms, 200, -1, "application/json");
	if (watch->from > 0 && watch->from < api->compacted && !request->initial_events) {
		send_expired(watch, watch->from);
		return true;
	}
	if (watch->from == 0 || request->initial_events)
		send_initial(watch, request->initial_events);
	else
		catch_up(watch, watch->from);
	if (newest_of(watch->kind) > watch->from)
		watch->from = newest_of(watch->kind);
	if (watch->bookmarks)
		start_bookmark(watch);
	if (request->timeout_s > 0)
		api_start(kube_sim_env(api->sim), &watch->timeout, request->timeout_s * 1000, on_timeout, watch);
	return true;
}

/* ---- disturbances ---- */

static void repeat(struct api_watch *watch)
{
	if (watch->last_text)
		send_line(watch, watch->last_type, watch->last_text);
}

size_t kube_sim_api_watch_count(const struct kube_sim_api *api)
{
	const struct api_watch *watch;
	size_t count = 0;

	DL_COUNT(api->watches, watch, count);
	return count;
}

void kube_sim_api_disturb(struct kube_sim_api *api, size_t index, enum kube_sim_disturbance disturbance)
{
	struct api_watch *watch = api->watches;

	while (watch && index-- > 0)
		watch = watch->next;
	if (!watch)
		return;
	switch (disturbance) {
	case KUBE_SIM_WATCH_CLOSE: end(watch, 0); break;
	case KUBE_SIM_WATCH_BREAK: end(watch, KUBE_E_CLOSED); break;
	case KUBE_SIM_WATCH_STALL: watch->stalled = true; break;
	case KUBE_SIM_WATCH_EXPIRE: send_expired(watch, 1); break;
	case KUBE_SIM_WATCH_REPEAT: repeat(watch); break;
	}
}

void kube_sim_api_compact(struct kube_sim_api *api)
{
	api->compacted = api->version;
}
