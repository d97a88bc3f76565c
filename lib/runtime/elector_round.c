/* A round of leader election: read, write, and what the answers mean. */
#include "lib/runtime/elector_internal.h"

#include "lib/runtime/lease.h"

#include <kube/json.h>
#include <kube/mem.h>
#include <string.h>

#define MAX_REPLY_BYTES ((size_t)256 << 10)
#define MIN_TIMEOUT_MS 1000
#define RELEASED_MS 1000 /* the duration that client-go leaves in a lease that it gives back */

/* ---- requests ---- */

static kube_reply_fn on_reply;

static void failed(struct kube_elector *e, const struct kube_err *err)
{
	if (e->state == ELECTOR_RELEASING) {
		elector_end(e); /* nobody is left to try again: the lease runs out */
		return;
	}
	elector_rest(e);
	if (!kube_err_is(err, 409)) /* another one was faster: no failure */
		elector_unhealthy(e, err);
}

static void failed_for_memory(struct kube_elector *e)
{
	struct kube_err err;

	kube_fail(&err, KUBE_E_NOMEM, "out of memory for leader election");
	failed(e, &err);
}

static void send(struct kube_elector *e, enum elector_request request, struct kube_call *call)
{
	int64_t timeout_ms = e->options.times.renew_ms / 2;
	struct kube_err err;

	call->resource = &kube_leases;
	call->namespace_ = e->options.namespace_;
	call->timeout_ms = timeout_ms > MIN_TIMEOUT_MS ? timeout_ms : MIN_TIMEOUT_MS;
	call->max_reply_bytes = MAX_REPLY_BYTES;
	call->no_retry = true; /* the next attempt is one */
	e->request = request;
	e->sent_ms = elector_now_ms(e);
	kube_err_reset(&err);
	if (kube_client_send(e->options.client, call, on_reply, e, &e->op, &err) < 0)
		failed(e, &err);
}

static void send_read(struct kube_elector *e, enum elector_request request)
{
	struct kube_call call = {.method = "GET", .name = e->options.name};

	if (request == REQUEST_READ)
		e->read_first = true;
	send(e, request, &call);
}

static void send_write(struct kube_elector *e)
{
	bool releasing = e->state == ELECTOR_RELEASING;
	const struct lease_claim claim = {
	    .holder = releasing ? "" : e->options.identity,
	    .duration_ms = releasing ? RELEASED_MS : e->options.times.lease_ms,
	    .now_ms = kube_client_server_ms(e->options.client),
	};
	_cleanup_json_ cJSON *body = e->lease ? lease_update_body(e->lease, &claim)
	                                      : lease_create_body(e->options.namespace_, e->options.name, &claim);
	struct kube_call call = {
	    .method = e->lease ? "PUT" : "POST",
	    .name = e->lease ? e->options.name : NULL,
	    .body = body,
	};

	if (body) {
		send(e, releasing ? REQUEST_RELEASE : REQUEST_WRITE, &call);
		return;
	}
	e->sent_ms = elector_now_ms(e);
	failed_for_memory(e);
}

/* The holder's fast path is one write of what it knows; whoever knows less reads first. */
void elector_attempt(struct kube_elector *e)
{
	if (e->op)
		return; /* its answer goes on */
	if (e->state == ELECTOR_LEADING && !kube_elector_held(e)) {
		elector_lose_by_time(e);
		return;
	}
	e->read_first = false;
	if (e->state == ELECTOR_LEADING && e->lease)
		send_write(e);
	else
		send_read(e, REQUEST_READ);
}

void elector_send_verify(struct kube_elector *e)
{
	e->verify_wanted = false;
	send_read(e, REQUEST_VERIFY);
}

void elector_send_release(struct kube_elector *e)
{
	e->read_first = false;
	if (e->lease)
		send_write(e);
	else
		send_read(e, REQUEST_READ);
}

/* ---- answers ---- */

static void tell_holder(struct kube_elector *e)
{
	const char *holder = lease_holder(e->lease);

	if (e->told_holder && strcmp(e->told_holder, holder) == 0)
		return;
	free(e->told_holder);
	e->told_holder = strdup(holder);
	if (e->options.on_holder)
		e->options.on_holder(e->options.arg, holder);
}

static void lose_to(struct kube_elector *e, const char *holder)
{
	struct kube_err err;

	kube_fail(&err, KUBE_E_CANCELED, "lease %s/%s is held by %s now, no longer by us", e->options.namespace_,
	          e->options.name, *holder ? holder : "nobody");
	elector_lose(e, &err);
}

static bool is_ours(const struct kube_elector *e, const cJSON *lease)
{
	return strcmp(lease_holder(lease), e->options.identity) == 0;
}

/* Without memory (false) the lease is not known, and is read before the next write. NULL: there is none. */
static bool note_lease(struct kube_elector *e, const cJSON *json)
{
	if (!e->lease || !json || !lease_same_record(e->lease, json))
		e->changed_ms = elector_now_ms(e);
	cJSON_Delete(e->lease);
	e->lease = json ? cJSON_Duplicate(json, true) : NULL;
	return e->lease || !json;
}

static bool is_valid(const struct kube_elector *e)
{
	return *lease_holder(e->lease) && elector_now_ms(e) < e->changed_ms + lease_duration_ms(e->lease);
}

static void process_read(struct kube_elector *e)
{
	bool ours = is_ours(e, e->lease);

	switch (e->state) {
	case ELECTOR_FOLLOWING:
		if (ours || !is_valid(e)) { /* ours: a write that took it arrived, its answer did not */
			send_write(e);
			return;
		}
		elector_rest(e);
		elector_healthy(e);
		if (e->state == ELECTOR_FOLLOWING)
			tell_holder(e);
		return;
	case ELECTOR_LEADING:
		if (ours || !e->lease) /* deleted by somebody: made anew, unless another one is faster */
			send_write(e);
		else
			lose_to(e, lease_holder(e->lease));
		return;
	case ELECTOR_RELEASING:
		if (ours)
			send_write(e);
		else
			elector_end(e);
		return;
	case ELECTOR_STOPPED:
	case ELECTOR_ENDED: return;
	}
}

/* Whether we hold it is the only question; a failure is for the next renewal to find out about. */
static void process_verified(struct kube_elector *e, const cJSON *json, const struct kube_err *err)
{
	if (e->state == ELECTOR_RELEASING)
		process_read(e);
	else if (!err && !is_ours(e, json))
		lose_to(e, lease_holder(json));
	else if (!kube_timer_active(&e->next))
		elector_attempt(e);
}

/* The lease is ours from the sending of the write on: the server cannot have taken it earlier. */
static void process_held(struct kube_elector *e)
{
	bool news = e->state == ELECTOR_FOLLOWING;
	struct kube_err err;

	if (news && elector_now_ms(e) >= e->sent_ms + e->options.times.renew_ms) {
		kube_fail(&err, KUBE_E_TIMEOUT, "the answer that lease %s/%s is ours came too late to rely on",
		          e->options.namespace_, e->options.name);
		failed(e, &err);
		return;
	}
	e->renewed_ms = e->sent_ms;
	e->state = ELECTOR_LEADING;
	elector_healthy(e);
	elector_set_deadline(e);
	if (e->state == ELECTOR_LEADING && e->verify_wanted)
		elector_send_verify(e);
	if (e->state == ELECTOR_LEADING)
		elector_rest(e);
	if (e->state == ELECTOR_LEADING && news && e->options.on_started)
		e->options.on_started(e->options.arg);
}

static void process_written(struct kube_elector *e, const cJSON *json)
{
	struct kube_err err;

	note_lease(e, json);
	if (e->state == ELECTOR_RELEASING) { /* it was in flight when the release was asked for */
		elector_send_release(e);
	} else if (is_ours(e, json)) {
		process_held(e);
	} else {
		kube_fail(&err, KUBE_E_PARSE, "lease %s/%s: the write was accepted, and the answer does not show us as holder",
		          e->options.namespace_, e->options.name);
		failed(e, &err);
	}
}

static void process_failed_write(struct kube_elector *e, const struct kube_err *err)
{
	if (e->read_first)
		failed(e, err);
	else
		send_read(e, REQUEST_READ);
}

static bool is_lease(const cJSON *json)
{
	const char *kind = kube_json_str(json, "kind");

	return kind && strcmp(kind, kube_leases.kind) == 0;
}

static void process_answer(struct kube_elector *e, const cJSON *json, const struct kube_err *err)
{
	bool missing = kube_err_is(err, 404);

	switch (e->request) {
	case REQUEST_READ:
		if (err && !missing)
			failed(e, err);
		else if (!note_lease(e, json))
			failed_for_memory(e);
		else
			process_read(e);
		return;
	case REQUEST_VERIFY:
		if (!err || missing)
			note_lease(e, json);
		process_verified(e, json, err);
		return;
	case REQUEST_WRITE:
		if (err)
			process_failed_write(e, err);
		else
			process_written(e, json);
		return;
	case REQUEST_RELEASE:
		if (err)
			process_failed_write(e, err);
		else
			elector_end(e);
		return;
	}
}

static void on_reply(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct kube_elector *e = arg;
	struct kube_err strange;

	e->op = NULL;
	if (e->state == ELECTOR_LEADING && !kube_elector_held(e)) {
		elector_lose_by_time(e); /* the process did not run for a while; the deadline is about to say so */
		return;
	}
	if (!err && !is_lease(json)) {
		kube_fail(&strange, KUBE_E_PARSE, "lease %s/%s: the answer is no Lease", e->options.namespace_,
		          e->options.name);
		json = NULL;
		err = &strange;
	}
	process_answer(e, json, err);
}
