#include <kube/events.h>

#include "lib/runtime/event_record.h"

#include <kube/json.h>
#include <kube/log.h>
#include <kube/mem.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#define REWRITE_MS (30 * 60 * 1000) /* a running series is written at most this often */
#define FINISH_MS (6 * 60 * 1000)   /* a series is over after this much quiet */
#define RETRY_MS 10000              /* pause when the server cannot be reached; jitter doubles it at most */
#define MAX_ATTEMPTS 12
#define MAX_IN_FLIGHT 4

/*
 * One event and its repetitions. It is in the index while it may repeat, and in the queue or in flight while the server
 * lacks something of it; it lives as long as any of these holds.
 */
struct series {
	UT_hash_handle hh;            /* by identity */
	struct series *prev, *next;   /* events->recent, the quietest first */
	struct series *qprev, *qnext; /* events->queue or events->flying */
	struct kube_events *events;
	struct kube_op *op; /* in flight */
	bool indexed, queued;
	bool created;                    /* the object is on the server */
	unsigned attempts;               /* that did not reach the server, since the last that did */
	int64_t seen_ms;                 /* mono time of the last occurrence */
	int64_t rewrite_ms;              /* mono time from which the series may be written again */
	int64_t sent_count, known_count; /* occurrences in the last request; on the server */
	struct event_record record;
	size_t identity_len;
	char *block; /* record.text points into it; it begins with the identity */
};

struct kube_events {
	struct kube_client *client;
	char *controller, *instance;
	struct series *index, *recent, *queue;
	struct series *flying; /* with an op; such a series is never queued as well */
	size_t queued, in_flight, dropped;
	struct kube_timer finish_timer, retry_timer; /* reserved: no series waits for ever */
};

static void pump(struct kube_events *events);

/* The life of a series */

static void release(struct series *series)
{
	if (series->indexed || series->queued || series->op)
		return;
	free(series->block);
	free(series);
}

static struct series *new_series(struct kube_events *events, char *block, size_t identity_len)
{
	struct series *series = calloc(1, sizeof(*series));
	if (!series)
		return NULL;
	series->events = events;
	series->block = block;
	series->identity_len = identity_len;
	for (size_t i = 0; i < EVENT_TEXT_COUNT; i++) {
		series->record.text[i] = block;
		block += strlen(block) + 1;
	}
	HASH_ADD_KEYPTR(hh, events->index, series->block, series->identity_len, series);
	if (!series->hh.tbl) { /* no memory for the index; block stays the caller's */
		free(series);
		return NULL;
	}
	DL_APPEND(events->recent, series);
	series->indexed = true;
	return series;
}

/* False when there is no room. */
static bool enqueue(struct series *series)
{
	struct kube_events *events = series->events;
	if (series->queued)
		return true;
	if (events->queued >= KUBE_EVENTS_MAX_QUEUED)
		return false;
	DL_APPEND2(events->queue, series, qprev, qnext);
	series->queued = true;
	events->queued++;
	return true;
}

static void dequeue(struct series *series)
{
	DL_DELETE2(series->events->queue, series, qprev, qnext);
	series->queued = false;
	series->events->queued--;
}

static void land(struct series *series)
{
	DL_DELETE2(series->events->flying, series, qprev, qnext);
	series->op = NULL;
	series->events->in_flight--;
}

static void unindex(struct series *series)
{
	HASH_DEL(series->events->index, series);
	DL_DELETE(series->events->recent, series);
	series->indexed = false;
}

/* Takes a series out of the index; a count that the server lacks goes out as its last word. */
static void finish_series(struct series *series)
{
	unindex(series);
	if (series->created && !series->op && series->record.count > series->known_count)
		enqueue(series);
	release(series);
}

static void on_finish_timer(struct kube_timer *timer, void *arg);

static void arm_finish_timer(struct kube_events *events)
{
	struct kube_env *env = kube_client_env(events->client);
	if (!events->recent || kube_timer_active(&events->finish_timer))
		return;
	int64_t delay_ms = events->recent->seen_ms + FINISH_MS - kube_env_mono_ms(env);
	kube_timer_start(env, &events->finish_timer, delay_ms > 0 ? delay_ms : 0, on_finish_timer, events);
}

static void on_finish_timer(struct kube_timer *timer, void *arg)
{
	struct kube_events *events = arg;
	int64_t now_ms = kube_env_mono_ms(kube_client_env(events->client));
	(void)timer;
	while (events->recent && events->recent->seen_ms + FINISH_MS <= now_ms)
		finish_series(events->recent);
	arm_finish_timer(events);
	pump(events);
}

/* Requests */

static void drop(struct series *series, const struct kube_err *err)
{
	series->events->dropped++;
	kube_log(KUBE_LOG_DEBUG, "event dropped", "event", series->record.text[EVENT_TEXT_EVENT_NAME], "namespace",
	         series->record.text[EVENT_TEXT_NAMESPACE], "reason", series->record.text[EVENT_TEXT_REASON], "error",
	         err->message, NULL);
}

static void on_retry_timer(struct kube_timer *timer, void *arg)
{
	(void)timer;
	pump(arg);
}

/* The server was not reached: everything waits a while, the failed one first in line. */
static void retry_later(struct series *series, const struct kube_err *err)
{
	struct kube_events *events = series->events;
	struct kube_env *env = kube_client_env(events->client);
	if (++series->attempts >= MAX_ATTEMPTS || events->queued >= KUBE_EVENTS_MAX_QUEUED) {
		drop(series, err);
		return;
	}
	DL_PREPEND2(events->queue, series, qprev, qnext);
	series->queued = true;
	events->queued++;
	if (!kube_timer_active(&events->retry_timer))
		kube_timer_start(env, &events->retry_timer, kube_env_random_between(env, RETRY_MS, 2 * RETRY_MS),
		                 on_retry_timer, events);
}

static void on_failure(struct series *series, const struct kube_err *err)
{
	bool answered = err->code == KUBE_E_API;
	if (!answered && err->code != KUBE_E_NOMEM && err->code != KUBE_E_INVALID) {
		retry_later(series, err);
		return;
	}
	series->attempts = 0;
	if (series->created && kube_err_is(err, 404)) { /* expired meanwhile: a new one, with its series */
		series->created = false;
		if (enqueue(series))
			return;
	}
	/* Refused, as in a namespace that is gone or going: repetitions are silent until the next rewrite. */
	drop(series, err);
}

static void on_success(struct series *series, int64_t known_count)
{
	series->created = true;
	series->attempts = 0;
	series->known_count = known_count;
	/* The second occurrence came while the first was on its way, or the series ended meanwhile. */
	if (series->record.count > known_count && (known_count == 1 || !series->indexed))
		enqueue(series);
}

static void on_reply(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct series *series = arg;
	struct kube_events *events = series->events;
	(void)json;
	land(series);
	if (!err)
		on_success(series, series->sent_count);
	else if (!series->created && kube_err_is(err, 409)) /* an earlier attempt arrived, its answer did not */
		on_success(series, 1);
	else
		on_failure(series, err);
	release(series);
	pump(events);
}

static int send_series(struct series *series, struct kube_err *err)
{
	struct kube_events *events = series->events;
	_cleanup_json_ cJSON *body = series->created
	                                 ? event_record_patch(&series->record)
	                                 : event_record_body(&series->record, events->controller, events->instance);
	const struct kube_call call = {
	    .method = series->created ? "PATCH" : "POST",
	    .resource = &kube_events,
	    .namespace_ = series->record.text[EVENT_TEXT_NAMESPACE],
	    .name = series->created ? series->record.text[EVENT_TEXT_EVENT_NAME] : NULL,
	    .content_type = series->created ? KUBE_PATCH_MERGE : NULL,
	    .body = body,
	};
	if (!body)
		return kube_fail(err, KUBE_E_NOMEM, "event: out of memory");
	series->sent_count = series->record.count;
	series->rewrite_ms = kube_env_mono_ms(kube_client_env(events->client)) + REWRITE_MS;
	int rc = kube_client_send(events->client, &call, on_reply, series, &series->op, err);
	if (rc < 0)
		return rc;
	DL_APPEND2(events->flying, series, qprev, qnext);
	events->in_flight++;
	return 0;
}

static void pump(struct kube_events *events)
{
	while (events->queue && events->in_flight < MAX_IN_FLIGHT && !kube_timer_active(&events->retry_timer)) {
		struct series *series = events->queue;
		struct kube_err err;
		dequeue(series);
		if (send_series(series, &err) < 0) {
			drop(series, &err);
			release(series);
		}
	}
}

/* Public */

int kube_events_new(struct kube_client *client, const char *controller, const char *instance,
                    struct kube_events **ret_events, struct kube_err *err)
{
	struct kube_events *events = calloc(1, sizeof(*events));
	if (!events)
		return kube_fail(err, KUBE_E_NOMEM, "events: out of memory");
	events->client = client;
	events->controller = strdup(controller);
	events->instance = strndup(instance, EVENT_WORD_MAX_LEN);
	struct kube_env *env = kube_client_env(client);
	if (!events->controller || !events->instance || kube_timer_reserve(env, &events->finish_timer) < 0 ||
	    kube_timer_reserve(env, &events->retry_timer) < 0) {
		kube_events_free(events);
		return kube_fail(err, KUBE_E_NOMEM, "events: out of memory");
	}
	*ret_events = events;
	return 0;
}

void kube_events_free(struct kube_events *events)
{
	if (!events)
		return;
	kube_timer_release(kube_client_env(events->client), &events->finish_timer);
	kube_timer_release(kube_client_env(events->client), &events->retry_timer);
	while (events->flying) {
		struct series *series = events->flying;
		kube_op_cancel(series->op);
		land(series);
		release(series);
	}
	while (events->queue) {
		struct series *series = events->queue;
		dequeue(series);
		release(series);
	}
	while (events->recent) {
		struct series *series = events->recent;
		unindex(series);
		release(series);
	}
	free(events->controller);
	free(events->instance);
	free(events);
}

/* A new event in the index and the queue; NULL when there is no room or memory. */
static struct series *begin_series(struct kube_events *events, struct kube_buf *texts, size_t identity_len)
{
	if (events->queued >= KUBE_EVENTS_MAX_QUEUED)
		return NULL;
	if (HASH_COUNT(events->index) >= KUBE_EVENTS_MAX_SERIES)
		finish_series(events->recent);
	char *block = kube_buf_take(texts);
	struct series *series = block ? new_series(events, block, identity_len) : NULL;
	if (!series) {
		free(block);
		return NULL;
	}
	series->record.event_ms = kube_client_server_ms(events->client);
	return series;
}

static void count_occurrence(struct series *series)
{
	struct kube_events *events = series->events;
	int64_t now_ms = kube_env_mono_ms(kube_client_env(events->client));
	bool second = series->created && series->sent_count == 1;

	series->record.count++;
	series->record.last_ms = kube_client_server_ms(events->client);
	series->seen_ms = now_ms;
	DL_DELETE(events->recent, series);
	DL_APPEND(events->recent, series);
	if (!series->op && (series->record.count == 1 || second || now_ms >= series->rewrite_ms))
		enqueue(series);
}

void kube_events_emit(struct kube_events *events, const struct kube_event *event)
{
	_cleanup_buf_ struct kube_buf texts = {0};
	struct series *series = NULL;
	size_t identity_len;

	kube_buf_init(&texts, EVENT_TEXT_MAX_BYTES);
	if (event_record_texts(&texts, event, kube_env_random64(kube_client_env(events->client)), &identity_len) == 0) {
		HASH_FIND(hh, events->index, texts.data, identity_len, series);
		if (!series)
			series = begin_series(events, &texts, identity_len);
	}
	if (!series) {
		events->dropped++;
		return;
	}
	count_occurrence(series);
	arm_finish_timer(events);
	pump(events);
}

void kube_events_flush(struct kube_events *events)
{
	while (events->recent)
		finish_series(events->recent);
	kube_timer_stop(kube_client_env(events->client), &events->retry_timer);
	pump(events);
}

bool kube_events_idle(const struct kube_events *events)
{
	return events->queued == 0 && events->in_flight == 0;
}

size_t kube_events_dropped(const struct kube_events *events)
{
	return events->dropped;
}
