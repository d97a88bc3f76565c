/* Gets and lists. A list is a state of the past or the present: pages go on at the version of the first one. */
#include "lib/sim/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void api_get(const struct api_request *request, struct api_answer *answer)
{
	char key[320];

	api_key(request->namespace_, request->name, key, sizeof(key));
	const struct api_object *object = api_find(request->kind, key);
	if (!object) {
		api_not_found(request, answer);
		return;
	}
	answer->status = 200;
	answer->text = api_must(strdup(object->text));
}

/* Where a list begins: at which version, behind which key. */
struct start {
	int64_t version;
	char after[320];
};

/* A watch cache may be behind, but knows all that is older than what it has shown last. */
static int64_t cached_version(const struct api_request *request, int64_t at_least)
{
	const struct api_kind *kind = request->kind;
	int64_t until_ms = kube_sim_server_ms(request->api->sim) - request->behind_ms;
	int64_t version = request->api->version;

	if (request->behind_ms <= 0)
		return version;
	for (size_t i = kind->event_count; i-- > 0 && kind->events[i].at_ms > until_ms;)
		version = kind->events[i].version - 1;
	if (version < request->api->compacted)
		version = request->api->compacted;
	return version > at_least ? version : at_least;
}

static bool continue_from(const struct api_request *request, struct start *start, struct api_answer *answer)
{
	long long version = 0;

	if (sscanf(request->continue_, "%lld:%319s", &version, start->after) != 2) {
		api_refuse(request, answer, 400, "BadRequest", NULL, "continue key is not valid");
		return false;
	}
	start->version = version;
	if (version >= request->api->compacted)
		return true;
	api_refuse(request, answer, 410, "Expired", NULL,
	           "The provided continue parameter is too old to display a consistent list result. You can start a new "
	           "list without the continue parameter.");
	return false;
}

static bool find_start(const struct api_request *request, struct start *start, struct api_answer *answer)
{
	int64_t asked = atoll(request->version);

	if (request->continue_[0])
		return continue_from(request, start, answer);
	start->version = request->version[0] ? cached_version(request, asked) : request->api->version;
	if (asked <= request->api->version)
		return true;
	answer->retry_after_s = 1;
	api_refuse(request, answer, 504, "Timeout",
	           &(struct api_cause){"ResourceVersionTooLarge", "Too large resource version", NULL},
	           "Too large resource version: %lld, current: %lld", (long long)asked, (long long)request->api->version);
	return false;
}

static bool matches(const struct api_request *request, const struct api_event *event)
{
	if (!request->namespace_[0] && !request->labels[0] && !request->fields[0])
		return true;
	_cleanup_json_ cJSON *json = api_must(cJSON_Parse(event->text));
	return api_selected(json, request->namespace_, request->labels, request->fields);
}

static char *print_list(const struct api_request *request, int64_t version, const char *continue_key,
                        const struct kube_buf *items)
{
	const struct kube_resource *resource = request->kind->about.resource;
	struct kube_buf out;

	kube_buf_init(&out, API_MAX_TEXT_BYTES);
	kube_buf_addf(&out, "{\"kind\":\"%sList\",\"apiVersion\":\"", resource->kind);
	kube_resource_api_version(&out, resource);
	kube_buf_addf(&out, "\",\"metadata\":{\"resourceVersion\":\"%lld\"", (long long)version);
	if (continue_key)
		kube_buf_addf(&out, ",\"continue\":\"%lld:%s\"", (long long)version, continue_key);
	kube_buf_adds(&out, "},\"items\":[");
	kube_buf_add(&out, items->data, items->len);
	kube_buf_adds(&out, "]}");
	return api_must(kube_buf_take(&out));
}

void api_list(const struct api_request *request, struct api_answer *answer)
{
	struct start start = {0};
	size_t count, taken = 0;
	const char *last = NULL, *continue_key = NULL;
	_cleanup_buf_ struct kube_buf items = {0};

	if (!find_start(request, &start, answer))
		return;
	/* The watch cache, which serves "0", knows no pages. */
	bool paged = request->limit > 0 && strcmp(request->version, "0") != 0;
	_cleanup_free_ const struct api_event **state = api_state_at(request->kind, start.version, &count);
	kube_buf_init(&items, API_MAX_TEXT_BYTES);
	for (size_t i = 0; i < count && !continue_key; i++) {
		if (strcmp(state[i]->key, start.after) <= 0 || !matches(request, state[i]))
			continue;
		if (paged && taken == (size_t)request->limit) {
			continue_key = last;
			continue;
		}
		kube_buf_adds(&items, taken++ ? "," : "");
		kube_buf_adds(&items, state[i]->text);
		last = state[i]->key;
	}
	answer->status = 200;
	answer->text = print_list(request, start.version, continue_key, &items);
}
