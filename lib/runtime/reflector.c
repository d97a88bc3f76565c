#include "lib/runtime/reflector_internal.h"

#include "lib/runtime/pool.h"

#include <stdio.h>
#include <string.h>

#define MAX_REFUSAL_BYTES ((size_t)1 << 20)
#define MAX_LIST_REST_BYTES ((size_t)1 << 20)
#define MAX_TARGET_BYTES ((size_t)64 << 10)

/* kube-apiserver takes the first that it can serve. */
#define PROTO_OR_JSON KUBE_PROTO_CONTENT_TYPE ",application/json"
#define UNSTARTED_MS (24 * 3600 * INT64_C(1000)) /* holds the timer's place; nothing happens then */

static kube_timer_fn on_timer;

/* Life */

static int copy_text(const char **text)
{
	if (*text)
		*text = strdup(*text);
	return *text ? 0 : KUBE_E_NOMEM;
}

static int copy_options(struct kube_reflector *r, const struct kube_reflector_options *options)
{
	const char **texts[] = {&r->options.namespace_, &r->options.label_selector, &r->options.field_selector};
	bool missing = false;

	r->options = *options;
	for (size_t i = 0; i < KUBE_ARRAY_LEN(texts); i++)
		missing |= *texts[i] && copy_text(texts[i]);
	return missing ? KUBE_E_NOMEM : 0;
}

static void destroy(struct kube_reflector *r)
{
	reflector_drop_listing(r);
	wire_list_finish(&r->listing.wire);
	wire_stream_finish(&r->watch.wire);
	draft_finish(&r->draft);
	kube_buf_finish(&r->refusal);
	free(r->version);
	free((char *)r->options.namespace_);
	free((char *)r->options.label_selector);
	free((char *)r->options.field_selector);
	free(r);
}

int kube_reflector_new(const struct kube_reflector_options *options, struct kube_reflector **ret_reflector,
                       struct kube_err *err)
{
	struct kube_reflector *r = calloc(1, sizeof(*r));

	if (!r || copy_options(r, options)) {
		if (r)
			destroy(r);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a reflector");
	}
	r->env = kube_client_env(options->client);
	wire_list_init(&r->listing.wire, KUBE_REFLECTOR_MAX_EVENT_BYTES, MAX_LIST_REST_BYTES);
	wire_stream_init(&r->watch.wire, KUBE_REFLECTOR_MAX_EVENT_BYTES);
	draft_init(&r->draft, options->projection);
	kube_buf_init(&r->refusal, MAX_REFUSAL_BYTES);
	if (kube_timer_start(r->env, &r->timer, UNSTARTED_MS, on_timer, r)) {
		destroy(r);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a reflector");
	}
	*ret_reflector = r;
	return 0;
}

void kube_reflector_start(struct kube_reflector *r)
{
	if (r->step == REFLECTOR_STOPPED)
		reflector_list(r);
}

void kube_reflector_free(struct kube_reflector *r)
{
	if (!r || r->freed)
		return;
	reflector_end_exchange(r);
	kube_timer_stop(r->env, &r->timer);
	kube_timer_stop(r->env, &r->calm_timer);
	r->freed = true;
	if (r->entered == 0)
		destroy(r);
}

void reflector_enter(struct kube_reflector *r)
{
	r->entered++;
}

void reflector_leave(struct kube_reflector *r)
{
	if (--r->entered == 0 && r->freed)
		destroy(r);
}

bool kube_reflector_synced(const struct kube_reflector *r)
{
	return r->synced;
}

unsigned kube_reflector_lists(const struct kube_reflector *r)
{
	return r->lists;
}

unsigned kube_reflector_watches(const struct kube_reflector *r)
{
	return r->watches;
}

/* Exchanges */

void reflector_add_selectors(const struct kube_reflector *r, struct kube_buf *query)
{
	if (r->options.label_selector) {
		kube_buf_adds(query, "&labelSelector=");
		kube_buf_add_urlencoded(query, r->options.label_selector);
	}
	if (r->options.field_selector) {
		kube_buf_adds(query, "&fieldSelector=");
		kube_buf_add_urlencoded(query, r->options.field_selector);
	}
}

int reflector_send(struct kube_reflector *r, const char *query, const struct kube_exchange_handlers *handlers,
                   struct kube_err *err)
{
	_cleanup_buf_ struct kube_buf target = {0};

	kube_buf_init(&target, MAX_TARGET_BYTES);
	int rc = kube_resource_path(&target, r->options.projection->resource, r->options.namespace_, NULL, NULL, err);
	if (rc)
		return rc;
	rc = kube_buf_addf(&target, "?%s", query);
	if (rc)
		return kube_fail(err, rc, "no room for the path and query of a request");
	struct kube_request request = {
	    .method = "GET",
	    .target = target.data,
	    .watch = r->step == REFLECTOR_WATCHING,
	    .accept = r->options.projection->table ? PROTO_OR_JSON : NULL,
	};
	r->status = 0;
	r->retry_after_s = -1;
	kube_buf_reset(&r->refusal);
	return kube_transport_send(kube_client_transport(r->options.client), &request, handlers, r, &r->exchange, err);
}

void reflector_note_head(struct kube_reflector *r, const struct kube_response_head *head)
{
	r->status = head->status;
	r->retry_after_s = head->retry_after_s;
	r->form = form_of(head->content_type);
	kube_client_note_head(r->options.client, head);
	kube_client_count_request(r->options.client, "GET", r->options.projection->resource, head->status);
}

void reflector_end_exchange(struct kube_reflector *r)
{
	struct kube_exchange *exchange = take(r->exchange);

	if (exchange)
		kube_transport_cancel(kube_client_transport(r->options.client), exchange);
}

void reflector_read_status(const struct document *status, int http_status, int retry_after_s, struct kube_err *ret_err)
{
	if (status->form == FORM_PROTO)
		kube_err_from_status_proto(ret_err, http_status, retry_after_s, status->proto);
	else
		kube_err_from_status(ret_err, http_status, retry_after_s, status->json);
}

void reflector_refusal(struct kube_reflector *r, struct kube_err *ret_err)
{
	const struct kube_buf *refusal = &r->refusal;
	const char *bytes = refusal->data ? refusal->data : "";
	_cleanup_wire_ struct wire_open open = {.parsed = NULL};

	if (r->form == FORM_PROTO)
		kube_proto_unwrap(kube_proto_of(bytes, refusal->len), &open.document.proto, NULL);
	else
		wire_open(FORM_JSON, bytes, refusal->len, &open, NULL);
	open.document.form = r->form;
	reflector_read_status(&open.document, r->status, r->retry_after_s, ret_err);
}

static bool is_version(const struct kube_object *stored, const struct draft *draft)
{
	return *draft->resource_version && strcmp(stored->uid, draft->uid) == 0 &&
	       strcmp(stored->resource_version, draft->resource_version) == 0;
}

int reflector_read(struct kube_reflector *r, const struct document *document, struct kube_object **ret_object,
                   struct kube_err *err)
{
	int rc = draft_read(&r->draft, document, err);
	if (rc)
		return rc;
	struct kube_object *stored = kube_store_get(r->options.store, r->draft.key);
	if (!stored || !is_version(stored, &r->draft))
		return draft_make(&r->draft, store_pool(r->options.store), stored, ret_object, err);
	*ret_object = kube_object_ref(stored);
	return 0;
}

bool reflector_is_expired(const struct kube_err *err)
{
	if (err->code != KUBE_E_API)
		return false;
	/* Servers before 1.18 name no cause. */
	return err->http_status == 410 || strcmp(err->reason, "Expired") == 0 ||
	       strcmp(err->cause, "ResourceVersionTooLarge") == 0 || strstr(err->message, "Too large resource version");
}

/* Without memory the version stays the one before: the server sends again what we have already. */
void reflector_set_version(struct kube_reflector *r, const char *version)
{
	if (!version || !*version || (r->version && strcmp(r->version, version) == 0))
		return;
	char *copy = strdup(version);
	if (!copy)
		return;
	free(r->version);
	r->version = copy;
	r->watch.advanced = true;
}

/* Time */

static void silent(struct kube_reflector *r)
{
	bool listing = r->step == REFLECTOR_LISTING;
	struct kube_err err;

	reflector_end_exchange(r);
	kube_fail(&err, KUBE_E_TIMEOUT, "the server has been silent for too long: the connection is given up");
	reflector_fail(r, listing ? REFLECTOR_WAITING_TO_LIST : REFLECTOR_WAITING_TO_WATCH, &err);
}

static void on_timer(struct kube_timer *timer, void *arg)
{
	struct kube_reflector *r = arg;

	(void)timer;
	reflector_enter(r);
	switch (r->step) {
	case REFLECTOR_STOPPED: break;
	case REFLECTOR_LISTING:
	case REFLECTOR_WATCHING: silent(r); break;
	case REFLECTOR_WAITING_TO_LIST: reflector_list(r); break;
	case REFLECTOR_WAITING_TO_WATCH: reflector_watch(r); break;
	}
	reflector_leave(r);
}

void reflector_set_deadline(struct kube_reflector *r, int64_t silence_ms)
{
	kube_timer_start(r->env, &r->timer, silence_ms, on_timer, r);
}

/* Health */

void reflector_fail(struct kube_reflector *r, enum reflector_step next, struct kube_err *err)
{
	const char *verb = r->step == REFLECTOR_LISTING || r->watch.initial ? "list" : "watch";
	int64_t delay_ms = backoff_next(&r->backoff, r->env);
	int64_t asked_ms = (int64_t)err->retry_after_s * 1000;

	kube_timer_stop(r->env, &r->calm_timer);
	reflector_drop_listing(r);
	if (r->watch.initial) {
		r->plain_list = r->status != 0 && r->status != 429; /* a list may succeed where this has not */
		next = REFLECTOR_WAITING_TO_LIST;
	}
	r->watch.initial = false;
	r->step = next;
	if (asked_ms > delay_ms)
		delay_ms = asked_ms < BACKOFF_MAX_MS ? asked_ms : BACKOFF_MAX_MS;
	kube_timer_start(r->env, &r->timer, delay_ms, on_timer, r);
	kube_err_prefix(err, "cannot %s %s", verb, r->options.projection->resource->plural);
	if (r->failing && strcmp(r->failed_message, err->message) == 0)
		return;
	r->failing = true;
	snprintf(r->failed_message, sizeof(r->failed_message), "%s", err->message);
	if (r->options.on_health)
		r->options.on_health(r->options.arg, err);
}

void reflector_works(struct kube_reflector *r)
{
	if (!r->failing)
		return;
	r->failing = false;
	if (r->options.on_health)
		r->options.on_health(r->options.arg, NULL);
}

/* FNV-1a */
static uint64_t hash(const char *text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return h;
}

/* An object that is written every few seconds must not be reported as often. */
void reflector_report_object(struct kube_reflector *r, struct kube_err *err)
{
	uint64_t h = hash(err->message);

	for (unsigned i = 0; i < REFLECTOR_REMEMBERED_REPORTS; i++)
		if (r->reported[i] == h)
			return;
	r->reported[r->next_reported++ % REFLECTOR_REMEMBERED_REPORTS] = h;
	if (r->options.on_left_out)
		r->options.on_left_out(r->options.arg, err);
}
