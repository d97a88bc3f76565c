#include "lib/runtime/reflector_internal.h"

#include <string.h>

#define SHORTEST_SERVER_TIMEOUT_S 300
#define LONGEST_SERVER_TIMEOUT_S 600
#define GRACE_MS 5000              /* after the server's timeout */
#define OPEN_SILENCE_MS 65000      /* until the head of the answer, and in the list that a watch begins with */
#define BOOKMARK_SILENCE_MS 150000 /* servers that send bookmarks send one a minute */
#define CALM_MS 1000               /* open for so long: it works. Closed before, without news: it does not */
#define MAX_QUERY_BYTES ((size_t)32 << 10)
#define MAX_REFUSALS 5 /* in a row, before a list is tried: something between may let only lists through */

#define EVENT_TYPES(X) \
	X(ADDED) \
	X(MODIFIED) \
	X(DELETED) \
	X(BOOKMARK) \
	X(ERROR)

enum event_type {
	EVENT_UNKNOWN,
#define EVENT_ENUM(name) EVENT_##name,
	EVENT_TYPES(EVENT_ENUM)
#undef EVENT_ENUM
};

static enum event_type event_type(const char *word)
{
#define EVENT_WORD(name) \
	if (strcmp(word, #name) == 0) \
		return EVENT_##name;
	EVENT_TYPES(EVENT_WORD)
#undef EVENT_WORD
	return EVENT_UNKNOWN;
}

static void fail(struct kube_reflector *r, enum reflector_step next, struct kube_err *err)
{
	reflector_end_exchange(r);
	reflector_fail(r, next, err);
}

/* False once an event has ended the watch, or its handlers the reflector. */
static bool is_watching(const struct kube_reflector *r)
{
	return r->step == REFLECTOR_WATCHING && r->exchange;
}

static void on_calm(struct kube_timer *timer, void *arg)
{
	struct kube_reflector *r = arg;

	(void)timer;
	reflector_enter(r);
	reflector_works(r);
	reflector_leave(r);
}

/* Without memory "it works" is reported later. */
static void start_calm(struct kube_reflector *r)
{
	kube_timer_start(r->env, &r->calm_timer, CALM_MS, on_calm, r);
}

/*
 * A server that starts refuses what it will take in a moment: it has no rules of RBAC yet, or its storage is not ready.
 * That says nothing about our version. An ERROR event does: whatever came after the version cannot be sent.
 */
static bool passes(struct kube_reflector *r, const struct kube_err *err)
{
	int status = err->http_status;

	if (status == 429)
		return true;
	return r->status != 200 && (status == 401 || status == 403 || status >= 500) && ++r->refusals < MAX_REFUSALS;
}

/* The server refused the watch, at its opening or by an ERROR event. */
static void refused(struct kube_reflector *r, struct kube_err *err)
{
	reflector_end_exchange(r);
	if (r->watch.initial)
		reflector_initial_refused(r, err);
	else if (reflector_is_expired(err))
		reflector_expired(r, err);
	else
		reflector_fail(r, passes(r, err) ? REFLECTOR_WAITING_TO_WATCH : REFLECTOR_WAITING_TO_LIST, err);
}

/* Events */

static void on_error_event(struct kube_reflector *r, const struct document *status)
{
	struct kube_err err;

	reflector_read_status(status, 0, -1, &err);
	refused(r, &err);
}

/* Without the key there is nothing to remove; with it, an older version must not pass for the present one. */
static void leave_out(struct kube_reflector *r, struct kube_err *err)
{
	if (*r->draft.key && r->watch.initial)
		reflector_remove_listed(r, r->draft.key);
	else if (*r->draft.key)
		kube_store_remove(r->options.store, r->draft.key);
	if (err && !r->freed)
		reflector_report_object(r, err);
}

static void on_object(struct kube_reflector *r, enum event_type type, const struct document *document)
{
	struct kube_object *object;
	struct kube_err err;

	int rc = reflector_read(r, document, &object, &err);
	if (rc && rc != KUBE_E_NOMEM) {
		leave_out(r, &err);
		return;
	}
	if (!rc)
		rc = r->watch.initial ? reflector_initial_object(r, type == EVENT_MODIFIED, object, &err)
		                      : kube_store_put(r->options.store, object, &err);
	if (rc && !r->freed)
		fail(r, REFLECTOR_WAITING_TO_LIST, &err);
}

static void on_unknown(struct kube_reflector *r, const char *type)
{
	struct kube_err err;

	kube_fail(&err, KUBE_E_PARSE, "a watch event of the unknown type \"%s\" is left out", type);
	reflector_report_object(r, &err);
}

static void on_bookmark(struct kube_reflector *r, const struct document *bookmark)
{
	draft_read(&r->draft, bookmark, NULL); /* one without a name */
	r->watch.silence_ms = BOOKMARK_SILENCE_MS;
	if (r->watch.initial && reflector_initial_bookmark(r, bookmark))
		start_calm(r);
}

static void on_event(struct kube_reflector *r, const struct wire_open *event)
{
	enum event_type type = event_type(event->event);

	switch (type) {
	case EVENT_ERROR: on_error_event(r, &event->document); return;
	case EVENT_ADDED:
	case EVENT_MODIFIED: on_object(r, type, &event->document); break;
	case EVENT_DELETED:
		draft_read(&r->draft, &event->document, NULL);
		leave_out(r, NULL);
		break;
	case EVENT_BOOKMARK: on_bookmark(r, &event->document); break;
	case EVENT_UNKNOWN:
		draft_read(&r->draft, &event->document, NULL);
		on_unknown(r, event->event);
		break;
	}
	if (is_watching(r) && !r->watch.initial)
		reflector_set_version(r, r->draft.resource_version);
}

/* KUBE_E_CANCELED when the watch has ended; another one may have begun. */
static int on_bytes(void *arg, const char *bytes, size_t len)
{
	struct kube_reflector *r = arg;
	unsigned number = r->watches;
	_cleanup_wire_ struct wire_open event = {.parsed = NULL};
	struct kube_err err;

	if (wire_open_event(r->watch.wire.form, bytes, len, &event, &err))
		fail(r, REFLECTOR_WAITING_TO_LIST, &err);
	else
		on_event(r, &event);
	return is_watching(r) && r->watches == number ? 0 : KUBE_E_CANCELED;
}

/* The exchange */

static int64_t silence_ms(const struct kube_reflector *r)
{
	return r->watch.initial ? OPEN_SILENCE_MS : r->watch.silence_ms;
}

static void on_head(void *arg, const struct kube_response_head *head)
{
	struct kube_reflector *r = arg;

	reflector_note_head(r, head);
	if (head->status != 200)
		return;
	r->refusals = 0;
	wire_stream_begin(&r->watch.wire, r->form);
	r->watch.opened_ms = kube_env_mono_ms(r->env);
	reflector_set_deadline(r, silence_ms(r));
	if (!r->watch.initial)
		start_calm(r);
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	struct kube_reflector *r = arg;
	struct kube_err err;

	if (r->status != 200) {
		kube_buf_add(&r->refusal, bytes, len); /* one that is too long says nothing useful */
		return 0;
	}
	reflector_enter(r);
	int rc = wire_stream_feed(&r->watch.wire, bytes, len, on_bytes, r);
	if (rc && rc != KUBE_E_CANCELED) {
		kube_fail(&err, rc, "an event of more than %zu bytes: it can only be listed", KUBE_REFLECTOR_MAX_EVENT_BYTES);
		fail(r, REFLECTOR_WAITING_TO_LIST, &err);
	} else if (!rc) {
		reflector_set_deadline(r, silence_ms(r));
	}
	reflector_leave(r);
	return 0;
}

/* However the connection ended, the server has not said that it cannot go on from our version. */
static void broken(struct kube_reflector *r, const struct kube_err *err)
{
	struct kube_err own = *err;

	if (r->status == 0)
		kube_client_count_request(r->options.client, "GET", r->options.projection->resource, 0);
	reflector_fail(r, REFLECTOR_WAITING_TO_WATCH, &own);
}

/* The server's timeout, in general. One that closes at once without news would have us run in circles. */
static void closed(struct kube_reflector *r)
{
	struct kube_err err;

	kube_timer_stop(r->env, &r->calm_timer);
	if (r->watch.initial) {
		kube_fail(&err, KUBE_E_CLOSED, "the server closed the watch before its list was complete");
		reflector_fail(r, REFLECTOR_WAITING_TO_LIST, &err);
		return;
	}
	if (r->watch.advanced || kube_env_mono_ms(r->env) - r->watch.opened_ms >= CALM_MS) {
		reflector_works(r);
		if (!r->freed)
			reflector_watch(r);
		return;
	}
	kube_fail(&err, KUBE_E_CLOSED, "the server closed the watch within a second and without an event");
	reflector_fail(r, REFLECTOR_WAITING_TO_LIST, &err);
}

static void on_done(void *arg, const struct kube_err *err)
{
	struct kube_reflector *r = arg;
	struct kube_err refusal;

	reflector_enter(r);
	r->exchange = NULL;
	if (err) {
		broken(r, err);
	} else if (r->status == 200) {
		closed(r);
	} else {
		reflector_refusal(r, &refusal);
		refused(r, &refusal);
	}
	reflector_leave(r);
}

/* Requests */

static int make_query(const struct kube_reflector *r, int64_t timeout_s, struct kube_buf *query)
{
	const char *version = r->watch.initial ? reflector_version_to_list(r) : r->version;

	kube_buf_adds(query, "watch=true&allowWatchBookmarks=true");
	kube_buf_addf(query, "&timeoutSeconds=%lld", (long long)timeout_s);
	if (r->watch.initial)
		kube_buf_adds(query, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
	if (version && *version) {
		kube_buf_adds(query, "&resourceVersion=");
		kube_buf_add_urlencoded(query, version);
	}
	reflector_add_selectors(r, query);
	return query->failed;
}

void reflector_watch(struct kube_reflector *r)
{
	static const struct kube_exchange_handlers handlers = {on_head, on_data, on_done};
	_cleanup_buf_ struct kube_buf query = {0};
	struct kube_err err;

	int64_t timeout_s = kube_env_random_between(r->env, SHORTEST_SERVER_TIMEOUT_S, LONGEST_SERVER_TIMEOUT_S);
	r->step = REFLECTOR_WATCHING;
	r->watches++;
	r->watch.silence_ms = timeout_s * 1000 + GRACE_MS;
	r->watch.advanced = false;
	reflector_set_deadline(r, OPEN_SILENCE_MS);
	kube_buf_init(&query, MAX_QUERY_BYTES);
	int rc = make_query(r, timeout_s, &query);
	if (rc)
		kube_fail(&err, rc, "no room for the query of a watch: shorten the selectors");
	else
		rc = reflector_send(r, query.data, &handlers, &err);
	if (rc)
		reflector_fail(r, REFLECTOR_WAITING_TO_LIST, &err);
}
