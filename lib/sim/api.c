/* The simulated API server: requests come in, meet their fate, and are answered. */
#include "lib/sim/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* A request that the server has, whether or not the client still waits for it. */
struct api_arrival {
	struct api_arrival *prev, *next;
	struct kube_sim_api *api;
	struct kube_exchange *exchange;
	struct kube_request request; /* its texts are our own copies */
	struct kube_sim_fate fate;
	struct kube_timer timer;
};

/* ---- one request ---- */

static void serve_named(const struct api_request *request, struct api_answer *answer)
{
	const char *method = request->method;

	if (strcmp(request->subresource, "status") == 0 && !request->kind->about.has_status)
		api_not_found(request, answer);
	else if (strcmp(method, "GET") == 0)
		api_get(request, answer);
	else if (strcmp(method, "PUT") == 0)
		api_update(request, answer);
	else if (strcmp(method, "PATCH") == 0)
		api_patch(request, answer);
	else if (strcmp(method, "DELETE") == 0)
		api_delete(request, answer);
	else if (strcmp(method, "POST") == 0 && strcmp(request->subresource, "eviction") == 0)
		api_evict(request, answer);
	else if (strcmp(method, "POST") == 0 && strcmp(request->subresource, "binding") == 0)
		api_bind(request, answer);
	else
		api_refuse(request, answer, 405, "MethodNotAllowed", NULL, "the server does not allow this method");
}

void api_serve(const struct api_request *request, struct api_answer *answer)
{
	bool needs_body = strcmp(request->method, "POST") == 0 || request->method[0] == 'P';

	if (needs_body && !request->body)
		api_refuse_plainly(answer, 400, "BadRequest", "the object provided is unrecognized: it is no JSON");
	else if (request->name[0])
		serve_named(request, answer);
	else if (strcmp(request->method, "GET") == 0)
		api_list(request, answer);
	else if (strcmp(request->method, "POST") == 0)
		api_create(request, answer);
	else if (strcmp(request->method, "DELETE") == 0)
		api_delete_collection(request, answer);
	else
		api_refuse(request, answer, 405, "MethodNotAllowed", NULL, "the server does not allow this method");
}

int kube_sim_api_call(struct kube_sim_api *api, const char *method, const char *target, const char *content_type,
                      const cJSON *body, cJSON **ret_answer)
{
	struct api_request request;
	struct api_answer answer = {.retry_after_s = -1};

	if (api_parse_target(api, target, &request, &answer)) {
		request.method = method;
		request.content_type = content_type ? content_type : "application/json";
		request.body = body;
		api_serve(&request, &answer);
	}
	if (ret_answer)
		*ret_answer = api_parse_json(answer.text, strlen(answer.text));
	free(answer.text);
	return answer.status;
}

int kube_sim_api_do(struct kube_sim_api *api, const char *method, const char *target, const char *content_type,
                    const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	int len = vasprintf(&text, fmt, ap);
	va_end(ap);
	api_must(len < 0 ? NULL : text);
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	_cleanup_json_ cJSON *body = api_parse_json(text, strlen(text));
	return kube_sim_api_call(api, method, target, content_type, body, NULL);
}

/* ---- from the transport ---- */

static void forget(struct api_arrival *arrival)
{
	kube_timer_stop(kube_sim_env(arrival->api->sim), &arrival->timer);
	DL_DELETE(arrival->api->arrivals, arrival);
	free((char *)arrival->request.method);
	free((char *)arrival->request.target);
	free((char *)arrival->request.content_type);
	free((void *)arrival->request.body);
	free(arrival);
}

static void reply(struct api_arrival *arrival, const struct api_answer *answer)
{
	struct kube_sim *sim = arrival->api->sim;
	struct kube_exchange *exchange = arrival->exchange;
	int64_t delay_ms = arrival->fate.answer_ms;

	if (arrival->fate.silent)
		return;
	if (arrival->fate.lost) {
		kube_sim_reply_end(sim, exchange, delay_ms, KUBE_E_CLOSED, "the connection broke");
		return;
	}
	kube_sim_reply_head(sim, exchange, delay_ms, answer->status, answer->retry_after_s,
	                    answer->text[0] == '{' ? "application/json" : "text/plain; charset=utf-8");
	kube_sim_reply_data(sim, exchange, delay_ms, answer->text, strlen(answer->text));
	kube_sim_reply_end(sim, exchange, delay_ms, 0, NULL);
}

static void tell_served(const struct api_arrival *arrival, int status)
{
	const struct kube_sim_api *api = arrival->api;
	const struct kube_sim_served served = {
	    .request = &arrival->request,
	    .sender = kube_sim_sender(arrival->exchange),
	    .status = status,
	    .heard = !arrival->fate.lost && !arrival->fate.silent,
	};

	for (size_t i = 0; i < api->hook_count; i++)
		if (api->hooks[i].served)
			api->hooks[i].served(api->hooks[i].arg, &served);
}

static void refuse_as_fated(const struct kube_sim_fate *fate, struct api_answer *answer)
{
	free(answer->text);
	answer->status = fate->status;
	answer->retry_after_s = fate->retry_after_s > 0 ? fate->retry_after_s : -1;
	answer->text = api_status_text(fate->status, fate->reason, "the simulation refuses this request");
}

static void serve_arrival(struct api_arrival *arrival, struct api_request *request, struct api_answer *answer)
{
	const struct kube_request *sent = &arrival->request;
	_cleanup_json_ cJSON *body = sent->body ? api_parse_json(sent->body, sent->body_len) : NULL;

	request->method = sent->method;
	request->content_type = sent->content_type;
	request->behind_ms = arrival->fate.behind_ms;
	request->body = body;
	request->raw = sent->body;
	request->api->sender = kube_sim_sender(arrival->exchange);
	api_serve(request, answer);
	request->api->sender = 0;
}

/* True when the answer is there; false for a watch, which goes on. */
static bool work_on(struct api_arrival *arrival, struct api_answer *answer)
{
	const struct kube_sim_fate *fate = &arrival->fate;
	struct api_request request;

	if (fate->status && !fate->done) {
		refuse_as_fated(fate, answer);
	} else if (strcmp(arrival->request.target, "/version") == 0) {
		answer->status = 200;
		answer->text = api_must(strdup("{\"major\":\"1\",\"minor\":\"34\",\"gitVersion\":\"v1.34.4\"}"));
	} else if (!api_parse_target(arrival->api, arrival->request.target, &request, answer)) {
		return true;
	} else if (request.watch) {
		if (fate->silent)
			return false;
		return !api_watch(&request, arrival->exchange, fate->answer_ms, fate->watch_lag_ms, answer);
	} else {
		serve_arrival(arrival, &request, answer);
		if (fate->status)
			refuse_as_fated(fate, answer);
	}
	return true;
}

static void on_arrival(struct kube_timer *timer, void *arg)
{
	struct api_arrival *arrival = arg;
	struct api_answer answer = {.retry_after_s = -1};

	(void)timer;
	bool answered = work_on(arrival, &answer);
	tell_served(arrival, answered ? answer.status : 200);
	if (answered)
		reply(arrival, &answer);
	free(answer.text);
	forget(arrival);
}

static char *copy(const char *text)
{
	return api_must(strdup(text));
}

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	struct kube_sim_api *api = arg;
	struct api_arrival *arrival = api_must(calloc(1, sizeof(*arrival)));

	arrival->api = api;
	arrival->exchange = exchange;
	arrival->fate.sender = kube_sim_sender(exchange);
	arrival->request.method = copy(request->method);
	arrival->request.target = copy(request->target);
	arrival->request.content_type = copy(request->content_type ? request->content_type : "application/json");
	if (request->body) {
		arrival->request.body = api_must(calloc(1, request->body_len + 1));
		memcpy((void *)arrival->request.body, request->body, request->body_len);
		arrival->request.body_len = request->body_len;
	}
	DL_APPEND(api->arrivals, arrival);
	for (size_t i = 0; i < api->hook_count; i++)
		if (api->hooks[i].fate)
			api->hooks[i].fate(api->hooks[i].arg, request, &arrival->fate);
	if (arrival->fate.arrival_ms > 0)
		api_start(kube_sim_env(sim), &arrival->timer, arrival->fate.arrival_ms, on_arrival, arrival);
	else
		on_arrival(&arrival->timer, arrival);
}

/* ---- life ---- */

/* What were left out silently, nobody would miss. */
static void must_fit(size_t count, size_t max, const char *what)
{
	if (count < max)
		return;
	fprintf(stderr, "simulated API server: more than %zu %s\n", max, what);
	abort();
}

void kube_sim_api_add_kind(struct kube_sim_api *api, const struct kube_sim_kind *kind)
{
	must_fit(api->kind_count, API_MAX_KINDS, "kinds");
	api->kinds[api->kind_count++].about = *kind;
}

void kube_sim_api_add_hooks(struct kube_sim_api *api, const struct kube_sim_api_hooks *hooks)
{
	must_fit(api->hook_count, API_MAX_HOOKS, "sets of hooks");
	api->hooks[api->hook_count++] = *hooks;
}

struct kube_sim *kube_sim_api_sim(struct kube_sim_api *api)
{
	return api->sim;
}

struct kube_sim_api *kube_sim_api_new(struct kube_sim *sim)
{
	static const struct kube_sim_kind kinds[] = {
	    {.resource = &kube_namespaces, .has_status = true},
	    {.resource = &kube_nodes, .has_status = true},
	    {.resource = &kube_pods, .has_status = true, .has_generation = true},
	    {.resource = &kube_pdbs, .has_status = true, .has_generation = true},
	    {.resource = &kube_daemon_sets, .has_status = true, .has_generation = true},
	    {.resource = &kube_persistent_volumes, .has_status = true},
	    {.resource = &kube_volume_attachments, .has_status = true},
	    {.resource = &kube_replica_sets, .has_status = true, .has_generation = true},
	    {.resource = &kube_controller_revisions},
	    {.resource = &kube_config_maps},
	    {.resource = &kube_leases},
	    {.resource = &kube_events},
	};
	struct kube_sim_api *api = api_must(calloc(1, sizeof(*api)));

	api->sim = sim;
	for (size_t i = 0; i < KUBE_ARRAY_LEN(kinds); i++)
		kube_sim_api_add_kind(api, &kinds[i]);
	kube_sim_serve(sim, serve, api);
	return api;
}

static void free_kind(struct api_kind *kind)
{
	for (size_t i = 0; i < kind->count; i++) {
		free(kind->objects[i].key);
		cJSON_Delete(kind->objects[i].json);
	}
	for (size_t i = 0; i < kind->event_count; i++) {
		free(kind->events[i].key);
		free(kind->events[i].text);
	}
	free(kind->objects);
	free(kind->events);
}

void kube_sim_api_free(struct kube_sim_api *api)
{
	if (!api)
		return;
	kube_sim_serve(api->sim, NULL, NULL);
	api_watches_finish(api);
	while (api->arrivals)
		forget(api->arrivals);
	for (size_t i = 0; i < api->kind_count; i++)
		free_kind(&api->kinds[i]);
	free(api);
}
