/* From a request's path and query to what is meant. */
#include "lib/sim/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 10

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (*text == '+')
			*text = ' ';
		bool escaped = *text == '%' && hex(text[1]) >= 0 && hex(text[2]) >= 0;
		*out++ = escaped ? (char)(hex(text[1]) * 16 + hex(text[2])) : *text;
		text += escaped ? 2 : 0;
	}
	*out = '\0';
}

static bool is_true(const char *value)
{
	return strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
}

static void take_parameter(struct api_request *request, const char *name, const char *value)
{
	const struct {
		const char *name;
		char *out;
		size_t size;
	} texts[] = {
	    {"resourceVersion", request->version, sizeof(request->version)},
	    {"resourceVersionMatch", request->match, sizeof(request->match)},
	    {"continue", request->continue_, sizeof(request->continue_)},
	    {"labelSelector", request->labels, sizeof(request->labels)},
	    {"fieldSelector", request->fields, sizeof(request->fields)},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(texts); i++)
		if (strcmp(name, texts[i].name) == 0)
			snprintf(texts[i].out, texts[i].size, "%s", value);
	if (strcmp(name, "watch") == 0)
		request->watch = is_true(value);
	else if (strcmp(name, "allowWatchBookmarks") == 0)
		request->bookmarks = is_true(value);
	else if (strcmp(name, "sendInitialEvents") == 0)
		request->initial_events = is_true(value);
	else if (strcmp(name, "dryRun") == 0)
		request->dry_run = strcmp(value, "All") == 0;
	else if (strcmp(name, "fieldValidation") == 0)
		request->strict = strcmp(value, "Strict") == 0;
	else if (strcmp(name, "limit") == 0)
		request->limit = atoll(value);
	else if (strcmp(name, "timeoutSeconds") == 0)
		request->timeout_s = atoll(value);
}

static void parse_query(struct api_request *request, char *query)
{
	char *save = NULL;

	for (char *part = strtok_r(query, "&", &save); part; part = strtok_r(NULL, "&", &save)) {
		char *value = strchr(part, '=');
		if (value)
			*value++ = '\0';
		else
			value = part + strlen(part);
		unescape(value);
		take_parameter(request, part, value);
	}
}

static struct api_kind *find_kind(struct kube_sim_api *api, const char *group, const char *version, const char *plural)
{
	for (size_t i = 0; i < api->kind_count; i++) {
		const struct kube_resource *resource = api->kinds[i].about.resource;
		if (strcmp(resource->group, group) == 0 && strcmp(resource->version, version) == 0 &&
		    strcmp(resource->plural, plural) == 0)
			return &api->kinds[i];
	}
	return NULL;
}

/* A kind has a namespace or none, and few subresources. */
static bool has_path(const struct api_request *request)
{
	const struct kube_sim_kind *about = &request->kind->about;
	const char *subresource = request->subresource;
	bool named = request->name[0] != '\0';

	if (about->resource->namespaced ? named && !request->namespace_[0] : request->namespace_[0] != '\0')
		return false;
	if (!subresource[0] || (strcmp(subresource, "status") == 0 && (about->has_status || about->custom)))
		return true;
	return about->resource == &kube_pods &&
	       (strcmp(subresource, "eviction") == 0 || strcmp(subresource, "binding") == 0);
}

/* "/api/v1/namespaces/shop/pods/web/eviction": version, then perhaps a namespace, then plural, name, subresource. */
static bool parse_path(struct kube_sim_api *api, char *path, struct api_request *request)
{
	char *words[MAX_WORDS + 1] = {NULL}, *save = NULL;
	size_t count = 0, at;

	for (char *word = strtok_r(path, "/", &save); word && count < MAX_WORDS; word = strtok_r(NULL, "/", &save))
		words[count++] = word;
	if (count < 3)
		return false;
	bool core = strcmp(words[0], "api") == 0;
	const char *group = core ? "" : words[1], *version = core ? words[1] : words[2];
	at = core ? 2 : 3;
	if (words[at] && strcmp(words[at], "namespaces") == 0 && words[at + 1] && words[at + 2]) {
		snprintf(request->namespace_, sizeof(request->namespace_), "%s", words[at + 1]);
		at += 2;
	}
	if (!words[at])
		return false;
	request->kind = find_kind(api, group, version, words[at]);
	if (words[at + 1])
		snprintf(request->name, sizeof(request->name), "%s", words[at + 1]);
	if (words[at + 1] && words[at + 2])
		snprintf(request->subresource, sizeof(request->subresource), "%s", words[at + 2]);
	return request->kind && has_path(request);
}

/* Groups of the server's own have a proper answer for what they lack. */
static bool is_served(const struct kube_sim_api *api, const char *target)
{
	if (strncmp(target, "/api/", 5) == 0)
		return true;
	for (size_t i = 0; i < api->kind_count; i++) {
		const char *group = api->kinds[i].about.resource->group;
		size_t len = strlen(group);
		if (!api->kinds[i].about.custom && strncmp(target, "/apis/", 6) == 0 && strncmp(target + 6, group, len) == 0 &&
		    target[6 + len] == '/')
			return true;
	}
	return false;
}

static bool refuse(const struct kube_sim_api *api, const char *target, struct api_answer *answer)
{
	if (answer && api_discover(api, target, answer))
		return false;
	if (answer && is_served(api, target))
		api_no_such_path(answer);
	else if (answer)
		api_no_such_group(answer);
	return false;
}

bool api_parse_target(struct kube_sim_api *api, const char *target, struct api_request *ret_request,
                      struct api_answer *answer)
{
	_cleanup_free_ char *copy = api_must(strdup(target));
	char *query = strchr(copy, '?');
	struct api_request request = {.api = api};

	if (query) {
		*query++ = '\0';
		parse_query(&request, query);
	}
	if (!parse_path(api, copy, &request))
		return refuse(api, target, answer);
	*ret_request = request;
	return true;
}
