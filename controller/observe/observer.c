#include "controller/observe/observer.h"
#include "controller/model/pod.h"
#include "controller/observe/verdict.h"

#include <kube/buf.h>
#include <kube/mem.h>
#include <kube/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define MAX_QUERY_BYTES ((size_t)256 << 10) /* with the names of all nodes in work */

struct entry {
	char *id; /* "<owner>/<gate>" */
	size_t owner_len;
	struct observer *observer;
	int verdict;
	char message[256];
	int64_t at_ms;
	struct inquiry *inquiry; /* NULL: it is not being asked */
	UT_hash_handle hh;
};

/* One gate that is being asked. */
struct inquiry {
	struct entry *entry;
	struct kube_arena arena;
	struct gate_spec gate;
	char *key;
	int64_t asked_ms;
	struct fetch *fetch;
	struct kube_op *op;
	struct kube_resource resource; /* what discovery said of the kind */
};

struct observer {
	struct observer_options options;
	struct entry *entries; /* uthash keeps the order of insertion: the first is the oldest */
	size_t asking;
};

static struct kube_client *client_of(const struct observer *observer)
{
	return observer->options.fetcher->client;
}

/* ---- entries ---- */

static void end_inquiry(struct entry *entry)
{
	struct inquiry *inquiry = take(entry->inquiry);
	if (!inquiry)
		return;
	entry->observer->asking--;
	fetch_cancel(inquiry->fetch);
	if (inquiry->op)
		kube_op_cancel(inquiry->op);
	kube_arena_finish(&inquiry->arena);
	free(inquiry->key);
	free(inquiry);
}

static void remove_entry(struct observer *observer, struct entry *entry)
{
	HASH_DEL(observer->entries, entry);
	end_inquiry(entry);
	free(entry->id);
	free(entry);
}

static struct entry *find(const struct observer *observer, const char *owner, const char *gate)
{
	char id[400];
	struct entry *entry = NULL;
	if ((size_t)snprintf(id, sizeof(id), "%s/%s", owner, gate) < sizeof(id))
		HASH_FIND_STR(observer->entries, id, entry);
	return entry;
}

static struct entry *add(struct observer *observer, const char *owner, const char *gate)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	if (entry && asprintf(&entry->id, "%s/%s", owner, gate) >= 0) {
		entry->owner_len = strlen(owner);
		entry->observer = observer;
		if (HASH_COUNT(observer->entries) >= OBSERVER_MAX_FACTS)
			remove_entry(observer, observer->entries);
		HASH_ADD_KEYPTR(hh, observer->entries, entry->id, strlen(entry->id), entry);
		if (entry->hh.tbl)
			return entry;
		free(entry->id);
	}
	free(entry);
	return NULL;
}

int observer_new(const struct observer_options *options, struct observer **ret_observer, struct kube_err *err)
{
	struct observer *observer = calloc(1, sizeof(*observer));
	if (!observer)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for what gates say");
	observer->options = *options;
	*ret_observer = observer;
	return 0;
}

void observer_free(struct observer *observer)
{
	while (observer && observer->entries)
		remove_entry(observer, observer->entries);
	free(observer);
}

void observer_drop(struct observer *observer, const char *owner)
{
	struct entry *entry, *next;
	HASH_ITER (hh, observer->entries, entry, next) {
		if (strlen(owner) == entry->owner_len && memcmp(entry->id, owner, entry->owner_len) == 0)
			remove_entry(observer, entry);
	}
}

struct gate_fact observer_fact(const struct observer *observer, const char *owner, const char *gate)
{
	const struct entry *entry = find(observer, owner, gate);
	if (!entry)
		return (struct gate_fact){.verdict = GATE_UNKNOWN, .message = ""};
	return (struct gate_fact){.verdict = entry->verdict, .message = entry->message, .at_ms = entry->at_ms};
}

/* ---- answers ---- */

static void answer(struct inquiry *inquiry, struct verdict verdict)
{
	struct entry *entry = inquiry->entry;
	const struct observer_options *options = &entry->observer->options;
	_cleanup_free_ char *key = take(inquiry->key);
	entry->verdict = verdict.verdict;
	snprintf(entry->message, sizeof(entry->message), "%s", verdict.message);
	entry->at_ms = inquiry->asked_ms;
	end_inquiry(entry);
	options->again(options->arg, key, 0);
}

static void answer_err(struct inquiry *inquiry, const struct kube_err *err)
{
	answer(inquiry, verdict_error("%s", err->message));
}

/* ---- Prometheus and HTTP ---- */

static void on_fetched(void *arg, const struct fetch_answer *got, const struct kube_err *err)
{
	struct inquiry *inquiry = arg;
	inquiry->fetch = NULL;
	if (err)
		answer_err(inquiry, err);
	else if (inquiry->gate.type == GATE_PROMETHEUS)
		answer(inquiry, verdict_of_prometheus(&inquiry->gate, got->status, got->body, got->len));
	else
		answer(inquiry, verdict_of_http(&inquiry->gate, got->status, got->body, got->len));
}

static int ask_prometheus(struct inquiry *inquiry, const char *query, struct kube_err *err)
{
	const struct gate_spec *gate = &inquiry->gate;
	__attribute__((cleanup(kube_buf_finish))) struct kube_buf url, body;
	size_t len = strlen(gate->prometheus.address);
	while (len > 0 && gate->prometheus.address[len - 1] == '/')
		len--;
	kube_buf_init(&url, MAX_QUERY_BYTES);
	kube_buf_init(&body, MAX_QUERY_BYTES);
	kube_buf_addf(&url, "%.*s/api/v1/query", (int)len, gate->prometheus.address);
	kube_buf_adds(&body, "query=");
	kube_buf_add_urlencoded(&body, query);
	kube_buf_addf(&body, "&timeout=%lldms", (long long)gate->timeout_ms);
	if (url.failed || body.failed)
		return kube_fail(err, url.failed ? url.failed : body.failed, "the query is longer than %zu bytes",
		                 MAX_QUERY_BYTES);
	const struct fetch_request request = {
	    .url = url.data,
	    .secret = gate->prometheus.secret,
	    .use = "gate",
	    .method = "POST",
	    .content_type = "application/x-www-form-urlencoded",
	    .body = body.data,
	    .timeout_ms = gate->timeout_ms,
	};
	return fetch_start(inquiry->entry->observer->options.fetcher, &request, on_fetched, inquiry, &inquiry->fetch, err);
}

static int ask_http(struct inquiry *inquiry, struct kube_err *err)
{
	const struct fetch_request request = {
	    .url = inquiry->gate.http.url,
	    .secret = inquiry->gate.http.secret,
	    .use = "gate",
	    .timeout_ms = inquiry->gate.timeout_ms,
	};
	return fetch_start(inquiry->entry->observer->options.fetcher, &request, on_fetched, inquiry, &inquiry->fetch, err);
}

/* ---- pods ---- */

static void ask_pods(struct inquiry *inquiry, const struct kube_selector *selector)
{
	const struct kube_store *pods = inquiry->entry->observer->options.pods;
	int64_t matching = 0, ready = 0;
	for (const struct kube_object *o = kube_store_next(pods, NULL); o; o = kube_store_next(pods, o)) {
		const struct pod *pod = (const struct pod *)o;
		if (strcmp(o->namespace_, inquiry->gate.pods.namespace_) != 0 || pod_finished(pod) ||
		    !kube_selector_matches(selector, &pod->labels))
			continue;
		matching++;
		ready += pod->ready && o->deleted_ms == KUBE_TIME_NONE;
	}
	answer(inquiry, verdict_of_pods(&inquiry->gate, matching, ready));
}

/* ---- a condition of an object: its kind's plural first, then the object ---- */

static void on_object(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct inquiry *inquiry = arg;
	const struct gate_spec *gate = &inquiry->gate;
	inquiry->op = NULL;
	if (kube_err_is(err, 404))
		answer(inquiry, verdict_error("%.63s %.100s does not exist", gate->resource.kind, gate->resource.name));
	else if (kube_err_is(err, 403))
		answer(inquiry, verdict_error("the controller may not read %.63s: grant it the verb get on %.63s in \"%.80s\"",
		                              gate->resource.kind, inquiry->resource.plural, inquiry->resource.group));
	else if (err)
		answer_err(inquiry, err);
	else
		answer(inquiry, verdict_of_resource(gate, json));
}

static int send_call(struct inquiry *inquiry, struct kube_call *call, kube_reply_fn *fn, struct kube_err *err)
{
	call->method = "GET";
	call->timeout_ms = inquiry->gate.timeout_ms;
	call->max_reply_bytes = FETCH_MAX_BYTES;
	call->no_retry = true;
	return kube_client_send(client_of(inquiry->entry->observer), call, fn, inquiry, &inquiry->op, err);
}

/* Subresources are listed beside their resources: "deployments/status". */
static bool find_kind(struct inquiry *inquiry, const cJSON *list)
{
	const char *version = inquiry->gate.resource.api_version, *slash = strchr(version, '/');
	const cJSON *item;
	cJSON_ArrayForEach (item, kube_json_get(list, "resources")) {
		const char *kind = kube_json_str(item, "kind"), *name = kube_json_str(item, "name");
		if (!kind || !name || strcmp(kind, inquiry->gate.resource.kind) != 0 || strchr(name, '/'))
			continue;
		inquiry->resource = (struct kube_resource){
		    .group = slash ? kube_arena_strndup(&inquiry->arena, version, (size_t)(slash - version)) : "",
		    .version = slash ? slash + 1 : version,
		    .plural = kube_arena_strdup(&inquiry->arena, name),
		    .kind = inquiry->gate.resource.kind,
		    .namespaced = cJSON_IsTrue(kube_json_get(item, "namespaced")),
		};
		return inquiry->resource.group && inquiry->resource.plural;
	}
	return false;
}

static void on_kinds(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct inquiry *inquiry = arg;
	const struct gate_spec *gate = &inquiry->gate;
	struct kube_err problem = {0};
	inquiry->op = NULL;
	if (err && !kube_err_is(err, 404)) {
		answer_err(inquiry, err);
		return;
	}
	if (err || !find_kind(inquiry, json)) {
		answer(inquiry, verdict_error("the API server has no kind %.63s in %.100s", gate->resource.kind,
		                              gate->resource.api_version));
		return;
	}
	if (inquiry->resource.namespaced != (gate->resource.namespace_ != NULL)) {
		answer(inquiry, verdict_error("%.63s is %s: %s resource.namespace", gate->resource.kind,
		                              inquiry->resource.namespaced ? "in namespaces" : "of the cluster",
		                              inquiry->resource.namespaced ? "give" : "remove"));
		return;
	}
	struct kube_call call = {
	    .resource = &inquiry->resource, .namespace_ = gate->resource.namespace_, .name = gate->resource.name};
	if (send_call(inquiry, &call, on_object, &problem) != 0)
		answer_err(inquiry, &problem);
}

static int ask_resource(struct inquiry *inquiry, struct kube_err *err)
{
	const char *version = inquiry->gate.resource.api_version;
	char target[320];
	snprintf(target, sizeof(target), "%s/%s", strchr(version, '/') ? "/apis" : "/api", version);
	struct kube_call call = {.target = target};
	return send_call(inquiry, &call, on_kinds, err);
}

/* ---- questions ---- */

static struct inquiry *begin(struct entry *entry, const char *key, const struct question *question)
{
	struct inquiry *inquiry = calloc(1, sizeof(*inquiry));
	if (!inquiry)
		return NULL;
	inquiry->entry = entry;
	inquiry->key = strdup(key);
	inquiry->asked_ms = kube_client_server_ms(client_of(entry->observer));
	entry->inquiry = inquiry;
	entry->observer->asking++;
	if (inquiry->key && gate_copy(question->gate, &inquiry->arena, &inquiry->gate, NULL) == 0)
		return inquiry;
	end_inquiry(entry);
	return NULL;
}

static void send(struct inquiry *inquiry, const struct question *question)
{
	struct kube_err problem = {0};
	int rc = 0;
	switch ((enum gate_type)inquiry->gate.type) {
	case GATE_PROMETHEUS: rc = ask_prometheus(inquiry, question->query, &problem); break;
	case GATE_HTTP: rc = ask_http(inquiry, &problem); break;
	case GATE_PODS: ask_pods(inquiry, &question->gate->pods.selector); return;
	case GATE_RESOURCE: rc = ask_resource(inquiry, &problem); break;
	}
	if (rc != 0)
		answer_err(inquiry, &problem);
}

void observer_ask(struct observer *observer, const char *owner, const char *key, const struct question *question)
{
	struct entry *entry = find(observer, owner, question->gate->name);
	if (entry && entry->inquiry)
		return;
	if (!entry && observer->asking < OBSERVER_MAX_ASKING)
		entry = add(observer, owner, question->gate->name);
	struct inquiry *inquiry = entry && observer->asking < OBSERVER_MAX_ASKING ? begin(entry, key, question) : NULL;
	if (inquiry)
		send(inquiry, question);
	else
		observer->options.again(observer->options.arg, key, OBSERVER_BUSY_MS);
}
