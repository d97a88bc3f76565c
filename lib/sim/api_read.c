/* Gets and lists. A list is a state of the past or the present: pages go on at the version of the first one. */
#include "lib/sim/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void api_get(const struct api_request *request, struct api_answer *answer)
{
	char key[API_KEY_SIZE];

	api_key(request->namespace_, request->name, key, sizeof(key));
	const struct api_object *object = api_find(request->kind, key);
	if (!object) {
		api_not_found(request, answer);
		return;
	}
	answer->status = 200;
	answer->text = api_must(strdup(object->text));
}

/* ---- where a list begins ---- */

/* At which version, behind which key. */
struct start {
	int64_t version;
	char after[API_KEY_SIZE];
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

/* With a token for the rest as it is now. */
static void refuse_old_token(const char *after, struct api_answer *answer)
{
	api_refuse_plainly(answer, 410, "Expired",
	                   "The provided continue parameter is too old to display a consistent list result. You can start "
	                   "a new list without the continue parameter, or use the continue token in this response to "
	                   "retrieve the remainder of the results. Continuing with the provided token results in an "
	                   "inconsistent list - objects that were created, modified, or deleted between the time the first "
	                   "chunk was returned and now may show up in the list.");
	_cleanup_json_ cJSON *status = api_must(cJSON_Parse(answer->text));
	_cleanup_free_ char *token = api_print_token(-1, after);
	cJSON_AddStringToObject(cJSON_GetObjectItemCaseSensitive(status, "metadata"), "continue", token);
	free(answer->text);
	answer->text = api_must(cJSON_PrintUnformatted(status));
}

static bool continue_from(const struct api_request *request, struct start *start, struct api_answer *answer)
{
	char after[API_KEY_SIZE];

	if (request->version[0] && strcmp(request->version, "0") != 0) {
		api_refuse_plainly(answer, 400, "BadRequest", "specifying resource version is not allowed when using continue");
		return false;
	}
	if (!api_read_token(request->continue_, &start->version, after, sizeof(after))) {
		api_refuse_plainly(answer, 400, "BadRequest", "invalid continue token: continue key is not valid");
		return false;
	}
	if (start->version >= 0 && start->version < request->api->compacted) {
		refuse_old_token(after, answer);
		return false;
	}
	if (start->version < 0)
		start->version = request->api->version;
	api_key(request->namespace_, after, start->after, sizeof(start->after));
	return true;
}

static bool is_too_new(const struct api_request *request, struct api_answer *answer)
{
	static const struct api_cause cause = {"ResourceVersionTooLarge", "Too large resource version", NULL};

	if (atoll(request->version) <= request->api->version)
		return false;
	answer->retry_after_s = 1;
	api_refuse_with_cause(answer, 504, "Timeout", &cause, "Timeout: Too large resource version: %s, current: %lld",
	                      request->version, (long long)request->api->version);
	return true;
}

/* Without a match a limit makes a version exact. */
static bool is_exact(const struct api_request *request)
{
	bool said = request->version[0] && strcmp(request->version, "0") != 0;
	return said && (strcmp(request->match, "Exact") == 0 || (!request->match[0] && request->limit > 0));
}

static bool find_start(const struct api_request *request, struct start *start, struct api_answer *answer)
{
	const char *version = request->version;
	int64_t asked = atoll(version);

	if (request->continue_[0])
		return continue_from(request, start, answer);
	if (strspn(version, "0123456789") != strlen(version)) {
		api_refuse_plainly(
		    answer, 400, "BadRequest",
		    "invalid resource version: resourceVersion: Invalid value: \"%s\": strconv.ParseUint: parsing "
		    "\"%s\": invalid syntax",
		    version, version);
		return false;
	}
	if (is_too_new(request, answer))
		return false;
	if (is_exact(request) && asked < request->api->compacted) {
		api_refuse_plainly(answer, 410, "Expired", "The resourceVersion for the provided list is too old.");
		return false;
	}
	start->version = is_exact(request) ? asked : version[0] ? cached_version(request, asked) : request->api->version;
	return true;
}

/* ---- pages ---- */

static bool is_selective(const struct api_request *request)
{
	return request->labels[0] || request->fields[0];
}

static bool matches(const struct api_request *request, const struct api_event *event)
{
	size_t len = strlen(request->namespace_);

	if (len > 0 && (strncmp(event->key, request->namespace_, len) != 0 || event->key[len] != '/'))
		return false;
	if (!is_selective(request))
		return true;
	_cleanup_json_ cJSON *json = api_must(cJSON_Parse(event->text));
	return api_selected(json, "", request->labels, request->fields);
}

struct page {
	struct kube_buf items;
	int64_t count, left; /* left: only when it is counted */
	const char *last;    /* key */
	bool full;
};

void api_add_item(const struct api_kind *kind, struct kube_buf *out, const char *text)
{
	if (!kind->about.custom)
		kube_buf_adds(out, "{");
	kube_buf_adds(out, kind->about.custom ? text : text + kind->type_len);
}

static void add_to_page(const struct api_request *request, const struct api_event *event, int64_t limit,
                        struct page *page)
{
	if (limit > 0 && page->count == limit) {
		page->full = true;
		page->left++;
		return;
	}
	kube_buf_adds(&page->items, page->count++ ? "," : "");
	api_add_item(request->kind, &page->items, event->text);
	page->last = event->key;
}

static char *print_list(const struct api_request *request, int64_t version, const struct page *page)
{
	const struct kube_resource *resource = request->kind->about.resource;
	struct kube_buf out;

	if (page->items.failed)
		api_must(NULL);
	kube_buf_init(&out, API_MAX_TEXT_BYTES);
	kube_buf_addf(&out, "{\"kind\":\"%sList\",\"apiVersion\":\"", resource->kind);
	kube_resource_api_version(&out, resource);
	kube_buf_addf(&out, "\",\"metadata\":{\"resourceVersion\":\"%lld\"", (long long)version);
	if (page->full) {
		const char *slash = request->namespace_[0] ? strchr(page->last, '/') : NULL;
		_cleanup_free_ char *token = api_print_token(version, slash ? slash + 1 : page->last);
		kube_buf_addf(&out, ",\"continue\":\"%s\"", token);
		if (!is_selective(request))
			kube_buf_addf(&out, ",\"remainingItemCount\":%lld", (long long)page->left);
	}
	kube_buf_adds(&out, "},\"items\":[");
	kube_buf_add(&out, page->items.data, page->items.len);
	kube_buf_adds(&out, "]}");
	return api_must(kube_buf_take(&out));
}

void api_list(const struct api_request *request, struct api_answer *answer)
{
	struct start start = {0};
	struct page page = {0};
	size_t count;

	if (!api_options_hold(request, answer) || !api_can_select(request, answer) || !find_start(request, &start, answer))
		return;
	/* The watch cache, which serves "0", knows no pages. */
	int64_t limit = strcmp(request->version, "0") == 0 && !request->continue_[0] ? 0 : request->limit;
	_cleanup_free_ const struct api_event **state = api_state_at(request->kind, start.version, &count);
	kube_buf_init(&page.items, API_MAX_TEXT_BYTES);
	for (size_t i = 0; i < count; i++)
		if (strcmp(state[i]->key, start.after) > 0 && matches(request, state[i]))
			add_to_page(request, state[i], limit, &page);
	answer->status = 200;
	answer->text = print_list(request, start.version, &page);
	kube_buf_finish(&page.items);
}
