/*
 * Events against a client that is faked here: requests wait in a list until the test answers them, and time is virtual.
 * (The four functions of kube/client.h that events need are defined in this file.)
 */
#include <kube/events.h>

#include "test/unit/check_main.h"

#include <kube/json.h>
#include <kube/time.h>
#include <stdio.h>
#include <string.h>

#define WALL_MS 1795260000123
#define MINUTE_MS (60 * 1000)

struct kube_op {
	kube_reply_fn *fn;
	void *arg;
	char method[8], namespace_[300], name[300], content_type[64];
	cJSON *body;
};

struct kube_client {
	struct kube_env env;
	int64_t mono_ms;
	uint64_t random;
	struct kube_op *ops[8]; /* in flight, oldest first */
	size_t op_count, sent, cancelled;
	int refuse; /* kube_client_send() fails with this */
};

static struct kube_client client;
static struct kube_events *events;

static int64_t fake_wall(struct kube_env *env)
{
	(void)env;
	return WALL_MS + client.mono_ms;
}

static int64_t fake_mono(struct kube_env *env)
{
	(void)env;
	return client.mono_ms * 1000;
}

static void fake_random(struct kube_env *env, void *bytes, size_t len)
{
	(void)env;
	client.random += 0x9e3779b97f4a7c15;
	memset(bytes, 0, len);
	memcpy(bytes, &client.random, len < 8 ? len : 8);
}

static void fake_rearm(struct kube_env *env, int64_t due_ms)
{
	(void)env;
	(void)due_ms;
}

struct kube_env *kube_client_env(struct kube_client *self)
{
	return &self->env;
}

int64_t kube_client_server_ms(struct kube_client *self)
{
	return WALL_MS + self->mono_ms;
}

int kube_client_send(struct kube_client *self, const struct kube_call *call, kube_reply_fn *fn, void *arg,
                     struct kube_op **ret_op, struct kube_err *err)
{
	if (self->refuse)
		return kube_fail(err, self->refuse, "refused at once");
	struct kube_op *op = calloc(1, sizeof(*op));
	ck_assert_ptr_eq(call->resource, &kube_events);
	ck_assert_uint_lt(self->op_count, KUBE_ARRAY_LEN(self->ops));
	op->fn = fn;
	op->arg = arg;
	snprintf(op->method, sizeof(op->method), "%s", call->method);
	snprintf(op->namespace_, sizeof(op->namespace_), "%s", call->namespace_);
	snprintf(op->name, sizeof(op->name), "%s", call->name ? call->name : "");
	snprintf(op->content_type, sizeof(op->content_type), "%s", call->content_type ? call->content_type : "");
	op->body = cJSON_Duplicate(call->body, true);
	self->ops[self->op_count++] = op;
	self->sent++;
	*ret_op = op;
	return 0;
}

/* Takes the oldest request out of the list. */
static struct kube_op *shift_op(void)
{
	ck_assert_uint_gt(client.op_count, 0);
	struct kube_op *op = client.ops[0];
	memmove(client.ops, client.ops + 1, --client.op_count * sizeof(client.ops[0]));
	return op;
}

static void free_op(struct kube_op *op)
{
	cJSON_Delete(op->body);
	free(op);
}

void kube_op_cancel(struct kube_op *op)
{
	size_t i = 0;
	while (i < client.op_count && client.ops[i] != op)
		i++;
	ck_assert_uint_lt(i, client.op_count); /* it is in flight */
	memmove(client.ops + i, client.ops + i + 1, (--client.op_count - i) * sizeof(client.ops[0]));
	client.cancelled++;
	free_op(op);
}

/* Answers the oldest request: code 0, or a transport's code, or KUBE_E_API with a status. */
static void reply(int code, int http_status)
{
	struct kube_op *op = shift_op();
	struct kube_err err = {.code = code, .http_status = http_status, .message = "POST /…: no"};
	op->fn(op->arg, NULL, code ? &err : NULL);
	free_op(op);
}

static void reply_all(void)
{
	while (client.op_count > 0)
		reply(0, 0);
}

/* Lets time pass, timer by timer. */
static void pass(int64_t ms)
{
	int64_t until_ms = client.mono_ms + ms;
	while (kube_env_next_due(&client.env) <= until_ms) {
		if (kube_env_next_due(&client.env) > client.mono_ms)
			client.mono_ms = kube_env_next_due(&client.env);
		kube_env_run_timers(&client.env);
	}
	client.mono_ms = until_ms;
}

static void begin(void)
{
	static const struct kube_env_ops ops = {
	    .wall_ms = fake_wall, .mono_us = fake_mono, .random = fake_random, .rearm = fake_rearm};
	client = (struct kube_client){0};
	kube_env_init(&client.env, &ops);
	ck_assert_int_eq(kube_events_new(&client, "patchwright.io/controller", "host_1234", &events, NULL), 0);
}

static void end(void)
{
	kube_events_free(events);
	kube_env_finish(&client.env);
	ck_assert_uint_eq(client.op_count, 0);
}

static const struct kube_resource rollouts = {"patchwright.io", "v1alpha1", "patchrollouts", "PatchRollout", false};
static const struct kube_resource pods = {"", "v1", "pods", "Pod", true};

static struct kube_event sample(void)
{
	return (struct kube_event){
	    .regarding = {&rollouts, "", "workers-7c9f4", "uid-1", "42"},
	    .reason = "Started",
	    .action = "Start",
	    .note = "node-1 starts",
	};
}

static void emit_note(const char *note)
{
	struct kube_event event = sample();
	event.note = note;
	kube_events_emit(events, &event);
}

static void emit_number(int number)
{
	char note[32];
	snprintf(note, sizeof(note), "note %d", number);
	emit_note(note);
}

static const char *sent_str(size_t i, const char *path)
{
	ck_assert_uint_lt(i, client.op_count);
	return kube_json_str(client.ops[i]->body, path);
}

static int sent_count(size_t i)
{
	ck_assert_uint_lt(i, client.op_count);
	const cJSON *count = kube_json_get(client.ops[i]->body, "series.count");
	return count ? count->valueint : 0;
}

static void assert_member(const char *path, const char *want)
{
	const char *have = sent_str(0, path);
	if (want)
		ck_assert_msg(have && strcmp(have, want) == 0, "%s: want %s, got %s", path, want, have ? have : "none");
	else
		ck_assert_msg(kube_json_get(client.ops[0]->body, path) == NULL, "%s must be absent", path);
}

START_TEST(a_cluster_scoped_object_gets_its_event_in_default)
{
	struct kube_event event = sample();
	char time[KUBE_TIME_TEXT_SIZE];
	begin();
	client.mono_ms = 5;
	kube_events_emit(events, &event);
	ck_assert_uint_eq(client.op_count, 1);
	ck_assert_str_eq(client.ops[0]->method, "POST");
	ck_assert_str_eq(client.ops[0]->namespace_, "default");
	ck_assert_str_eq(client.ops[0]->name, "");
	assert_member("apiVersion", "events.k8s.io/v1");
	assert_member("kind", "Event");
	assert_member("metadata.namespace", "default");
	assert_member("eventTime", kube_time_format_micro(WALL_MS + 5, time));
	assert_member("reportingController", "patchwright.io/controller");
	assert_member("reportingInstance", "host_1234");
	assert_member("type", "Normal");
	assert_member("reason", "Started");
	assert_member("action", "Start");
	assert_member("note", "node-1 starts");
	assert_member("regarding.apiVersion", "patchwright.io/v1alpha1");
	assert_member("regarding.kind", "PatchRollout");
	assert_member("regarding.namespace", NULL);
	assert_member("regarding.name", "workers-7c9f4");
	assert_member("regarding.uid", "uid-1");
	assert_member("regarding.resourceVersion", "42");
	assert_member("related", NULL);
	assert_member("series", NULL);
	end();
}
END_TEST

START_TEST(a_namespaced_object_with_a_related_one)
{
	struct kube_event event = sample();
	const struct kube_event_ref node = {&rollouts, NULL, "workers", "uid-2", NULL};
	begin();
	event.regarding = (struct kube_event_ref){&pods, "shop", "cart-0", "uid-3", NULL};
	event.related = &node;
	event.warning = true;
	kube_events_emit(events, &event);
	ck_assert_str_eq(client.ops[0]->namespace_, "shop");
	assert_member("metadata.namespace", "shop");
	assert_member("type", "Warning");
	assert_member("regarding.apiVersion", "v1");
	assert_member("regarding.kind", "Pod");
	assert_member("regarding.namespace", "shop");
	assert_member("regarding.resourceVersion", NULL);
	assert_member("related.apiVersion", "patchwright.io/v1alpha1");
	assert_member("related.kind", "PatchRollout");
	assert_member("related.name", "workers");
	assert_member("related.uid", "uid-2");
	assert_member("related.namespace", NULL);
	end();
}
END_TEST

/* The name part of the event's name; its suffix has to be "." and 16 hex digits. */
static void assert_event_name(const char *regarding, const char *want)
{
	struct kube_event event = sample();
	begin();
	event.regarding.name = regarding;
	kube_events_emit(events, &event);
	const char *name = sent_str(0, "metadata.name");
	size_t len = strlen(name);
	ck_assert_uint_le(len, 253);
	ck_assert_uint_eq(len, strlen(want) + 17);
	ck_assert_int_eq(strncmp(name, want, len - 17), 0);
	ck_assert_int_eq(name[len - 17], '.');
	ck_assert_uint_eq(strspn(name + len - 16, "0123456789abcdef"), 16);
	end();
}

START_TEST(names_stay_dns_subdomains)
{
	char longest[254], cut[254];
	memset(longest, 'a', 253);
	longest[253] = '\0';
	snprintf(cut, sizeof(cut), "%.236s", longest);
	assert_event_name(longest, cut);
	longest[235] = '.'; /* the cut may not end with a separator */
	longest[234] = '-';
	snprintf(cut, sizeof(cut), "%.234s", longest);
	assert_event_name(longest, cut);
	assert_event_name("ip-10-0-0-1.ec2.internal", "ip-10-0-0-1.ec2.internal");
	assert_event_name("system:node", "event");
	assert_event_name("Upper", "event");
	assert_event_name("a..b", "event");
	assert_event_name("a-.b", "event");
	assert_event_name("-a", "event");
	assert_event_name("", "event");
}
END_TEST

START_TEST(texts_are_cut_to_what_the_server_takes)
{
	char note[1100], reason[200], instance[200];
	struct kube_event event = sample();
	memset(note, 'n', sizeof(note));
	memcpy(note + 1023, "\xc3\xbc", 2); /* a character across the limit */
	note[sizeof(note) - 1] = '\0';
	memset(reason, 'R', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	memset(instance, 'i', sizeof(instance));
	instance[sizeof(instance) - 1] = '\0';
	begin();
	kube_events_free(events);
	ck_assert_int_eq(kube_events_new(&client, "patchwright.io/controller", instance, &events, NULL), 0);
	event.note = note;
	event.reason = event.action = reason;
	kube_events_emit(events, &event);
	ck_assert_uint_eq(strlen(sent_str(0, "note")), 1023);
	ck_assert_uint_eq(strlen(sent_str(0, "reason")), 128);
	ck_assert_uint_eq(strlen(sent_str(0, "action")), 128);
	ck_assert_uint_eq(strlen(sent_str(0, "reportingInstance")), 128);
	end();
}
END_TEST

START_TEST(the_second_occurrence_is_patched_and_later_ones_counted)
{
	char name[300], time[KUBE_TIME_TEXT_SIZE];
	begin();
	emit_note("x");
	snprintf(name, sizeof(name), "%s", sent_str(0, "metadata.name"));
	reply(0, 0);
	pass(MINUTE_MS);
	emit_note("x");
	ck_assert_uint_eq(client.op_count, 1);
	ck_assert_str_eq(client.ops[0]->method, "PATCH");
	ck_assert_str_eq(client.ops[0]->name, name);
	ck_assert_str_eq(client.ops[0]->namespace_, "default");
	ck_assert_str_eq(client.ops[0]->content_type, KUBE_PATCH_MERGE);
	ck_assert_int_eq(sent_count(0), 2);
	assert_member("series.lastObservedTime", kube_time_format_micro(WALL_MS + MINUTE_MS, time));
	ck_assert_int_eq(cJSON_GetArraySize(client.ops[0]->body), 1); /* the rest is immutable */
	reply(0, 0);
	for (int i = 0; i < 29; i++) { /* 29 minutes after the patch: nothing */
		pass(MINUTE_MS);
		emit_note("x");
	}
	ck_assert_uint_eq(client.op_count, 0);
	pass(MINUTE_MS);
	emit_note("x");
	ck_assert_uint_eq(client.op_count, 1);
	ck_assert_int_eq(sent_count(0), 32);
	reply(0, 0);
	end();
}
END_TEST

START_TEST(a_series_ends_after_six_quiet_minutes)
{
	begin();
	emit_note("x");
	reply(0, 0);
	emit_note("x");
	reply(0, 0);
	emit_note("x");
	emit_note("x");
	pass(6 * MINUTE_MS - 1);
	ck_assert_uint_eq(client.op_count, 0);
	pass(1);
	ck_assert_uint_eq(client.op_count, 1); /* its last word */
	ck_assert_str_eq(client.ops[0]->method, "PATCH");
	ck_assert_int_eq(sent_count(0), 4);
	reply(0, 0);
	ck_assert_int_eq(kube_env_next_due(&client.env), INT64_MAX); /* nothing is left to watch */
	emit_note("x");
	ck_assert_str_eq(client.ops[0]->method, "POST"); /* a new event */
	ck_assert_int_eq(sent_count(0), 0);
	end();
}
END_TEST

START_TEST(a_single_event_is_forgotten_without_a_word)
{
	begin();
	emit_note("x");
	reply(0, 0);
	pass(5 * MINUTE_MS);
	emit_note("y"); /* another one's quiet is its own */
	reply(0, 0);
	pass(2 * MINUTE_MS);
	emit_note("y");
	ck_assert_str_eq(client.ops[0]->method, "PATCH");
	reply(0, 0);
	emit_note("x");
	ck_assert_str_eq(client.ops[0]->method, "POST");
	ck_assert_uint_eq(client.sent, 4);
	end();
}
END_TEST

START_TEST(what_makes_the_same_event)
{
	struct kube_event rows[10];
	const bool same[10] = {true, true, true}; /* the first three differ in what may differ */
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++)
		rows[i] = sample();
	rows[0].regarding.resource_version = "43";
	rows[1].action = "Other";
	rows[2].related = &rows[0].regarding;
	rows[3].regarding.uid = "uid-9";
	rows[4].regarding.name = "workers-7c9f5";
	rows[5].regarding.resource = &pods;
	rows[6].regarding.namespace_ = "shop";
	rows[7].warning = true;
	rows[8].reason = "Ended";
	rows[9].note = "node-2 starts";
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct kube_event event = sample();
		begin();
		kube_events_emit(events, &event);
		reply(0, 0);
		kube_events_emit(events, &rows[i]);
		ck_assert_msg((strcmp(client.ops[0]->method, "PATCH") == 0) == same[i], "row %zu", i);
		end();
	}
}
END_TEST

START_TEST(a_second_occurrence_while_the_first_is_in_flight)
{
	begin();
	emit_note("x");
	emit_note("x");
	emit_note("x");
	ck_assert_uint_eq(client.op_count, 1);
	reply(0, 0);
	ck_assert_uint_eq(client.op_count, 1);
	ck_assert_str_eq(client.ops[0]->method, "PATCH");
	ck_assert_int_eq(sent_count(0), 3);
	reply(0, 0);
	ck_assert(kube_events_idle(events));
	end();
}
END_TEST

START_TEST(few_requests_at_a_time_in_order)
{
	char want[32];
	begin();
	for (int i = 0; i < 20; i++)
		emit_number(i);
	emit_number(19); /* still in the queue: it goes out as a series */
	for (int i = 0; i < 20; i++) {
		ck_assert_uint_le(client.op_count, 4);
		snprintf(want, sizeof(want), "note %d", i);
		ck_assert_str_eq(sent_str(0, "note"), want);
		ck_assert_int_eq(sent_count(0), i == 19 ? 2 : 0);
		ck_assert(!kube_events_idle(events));
		reply(0, 0);
	}
	ck_assert(kube_events_idle(events));
	ck_assert_uint_eq(client.sent, 20);
	end();
}
END_TEST

START_TEST(a_full_queue_drops)
{
	begin();
	for (int i = 0; i < 4 + KUBE_EVENTS_MAX_QUEUED; i++)
		emit_number(i);
	ck_assert_uint_eq(kube_events_dropped(events), 0);
	emit_note("too much");
	emit_note("too much");
	ck_assert_uint_eq(kube_events_dropped(events), 2);
	reply_all();
	ck_assert_uint_eq(client.sent, 4 + KUBE_EVENTS_MAX_QUEUED);
	emit_note("too much");
	ck_assert_uint_eq(client.op_count, 1);
	end();
}
END_TEST

START_TEST(refusals_drop_without_a_retry)
{
	static const int statuses[] = {400, 403, 404, 422, 429, 500, 503};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(statuses); i++) {
		begin();
		emit_note("x");
		reply(KUBE_E_API, statuses[i]);
		ck_assert_uint_eq(kube_events_dropped(events), 1);
		ck_assert(kube_events_idle(events));
		emit_note("x"); /* repetitions do not hammer */
		pass(5 * MINUTE_MS);
		emit_note("x");
		ck_assert_uint_eq(client.sent, 1);
		emit_note("other"); /* and others are not held up */
		ck_assert_uint_eq(client.sent, 2);
		reply(0, 0);
		pass(6 * MINUTE_MS);
		ck_assert_uint_eq(client.sent, 2); /* what is not there gets no last word */
		emit_note("x");
		ck_assert_str_eq(client.ops[0]->method, "POST");
		end();
	}
}
END_TEST

START_TEST(a_refused_patch_is_not_repeated)
{
	begin();
	emit_note("x");
	reply(0, 0);
	emit_note("x");
	reply(KUBE_E_API, 403);
	ck_assert_uint_eq(client.op_count, 0);
	emit_note("x");
	ck_assert_uint_eq(client.op_count, 0);
	end();
}
END_TEST

START_TEST(an_expired_event_is_made_anew_with_its_series)
{
	char name[300];
	begin();
	emit_note("x");
	snprintf(name, sizeof(name), "%s", sent_str(0, "metadata.name"));
	reply(0, 0);
	emit_note("x");
	reply(KUBE_E_API, 404);
	ck_assert_uint_eq(client.op_count, 1);
	ck_assert_str_eq(client.ops[0]->method, "POST");
	ck_assert_str_eq(sent_str(0, "metadata.name"), name);
	ck_assert_int_eq(sent_count(0), 2);
	ck_assert_uint_eq(kube_events_dropped(events), 0);
	reply(KUBE_E_API, 404); /* so it was the namespace */
	ck_assert_uint_eq(client.op_count, 0);
	ck_assert_uint_eq(kube_events_dropped(events), 1);
	end();
}
END_TEST

START_TEST(an_unreachable_server_is_tried_again_later)
{
	begin();
	emit_note("first");
	emit_note("second");
	reply(KUBE_E_CONNECT, 0);
	reply(KUBE_E_TIMEOUT, 0);
	emit_note("third"); /* waits as well */
	ck_assert_uint_eq(client.op_count, 0);
	ck_assert(!kube_events_idle(events));
	pass(9999);
	ck_assert_uint_eq(client.op_count, 0);
	pass(10001);
	ck_assert_uint_eq(client.op_count, 3);
	reply(KUBE_E_API, 409); /* the earlier attempt had arrived */
	reply_all();
	ck_assert(kube_events_idle(events));
	ck_assert_uint_eq(kube_events_dropped(events), 0);
	emit_note("first"); /* they are known to exist */
	emit_note("second");
	ck_assert_str_eq(client.ops[0]->method, "PATCH");
	ck_assert_str_eq(client.ops[1]->method, "PATCH");
	end();
}
END_TEST

START_TEST(what_failed_goes_before_what_waits)
{
	begin();
	for (int i = 0; i < 5; i++)
		emit_number(i); /* the last one waits */
	for (int i = 0; i < 4; i++)
		reply(KUBE_E_CONNECT, 0);
	pass(20000);
	ck_assert_uint_eq(client.op_count, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_ne(sent_str(i, "note"), "note 4");
	end();
}
END_TEST

START_TEST(attempts_end)
{
	begin();
	emit_note("x");
	for (int i = 0; i < 100 && client.op_count > 0; i++) {
		reply(KUBE_E_CLOSED, 0);
		pass(20000);
	}
	ck_assert_uint_eq(client.sent, 12);
	ck_assert_uint_eq(kube_events_dropped(events), 1);
	ck_assert(kube_events_idle(events));
	end();
}
END_TEST

START_TEST(the_count_survives_a_lost_answer)
{
	begin();
	emit_note("x");
	reply(KUBE_E_TIMEOUT, 0); /* it arrived, with no series */
	emit_note("x");
	emit_note("x");
	pass(20000);
	ck_assert_int_eq(sent_count(0), 3);
	reply(KUBE_E_API, 409);
	ck_assert_uint_eq(client.op_count, 1); /* so the series has to be patched in */
	ck_assert_str_eq(client.ops[0]->method, "PATCH");
	ck_assert_int_eq(sent_count(0), 3);
	reply(0, 0);
	ck_assert(kube_events_idle(events));
	end();
}
END_TEST

START_TEST(what_cannot_be_sent_is_dropped)
{
	begin();
	client.refuse = KUBE_E_INVALID;
	emit_note("x");
	ck_assert_uint_eq(kube_events_dropped(events), 1);
	ck_assert(kube_events_idle(events));
	end();
}
END_TEST

START_TEST(the_quietest_series_gives_way)
{
	begin();
	emit_number(0);
	reply_all();
	emit_number(0);
	emit_number(0);
	reply_all();
	for (int i = 1; i < KUBE_EVENTS_MAX_SERIES; i++) {
		client.mono_ms++;
		emit_number(i);
		reply_all();
	}
	emit_number(0); /* counted; now number 1 is the quietest */
	emit_note("one more");
	reply_all();
	size_t sent = client.sent;
	emit_number(0);
	ck_assert_uint_eq(client.sent, sent); /* still a running series */
	emit_number(2);
	ck_assert_str_eq(client.ops[0]->method, "PATCH");
	reply_all();
	emit_number(1);
	ck_assert_str_eq(client.ops[0]->method, "POST"); /* forgotten */
	end();
}
END_TEST

START_TEST(a_series_in_flight_may_end)
{
	begin();
	emit_note("x");
	emit_note("x");
	pass(6 * MINUTE_MS); /* the answer is late, the series is over */
	reply(0, 0);
	ck_assert_str_eq(client.ops[0]->method, "PATCH");
	ck_assert_int_eq(sent_count(0), 2);
	reply(0, 0);
	ck_assert(kube_events_idle(events));
	end();
}
END_TEST

START_TEST(what_a_patch_in_flight_lacks_is_the_last_word)
{
	begin();
	emit_note("x");
	reply(0, 0);
	emit_note("x");
	emit_note("x");      /* the patch on its way says 2 */
	pass(6 * MINUTE_MS); /* its answer is late, the series is over */
	reply(0, 0);
	ck_assert_uint_eq(client.op_count, 1);
	ck_assert_int_eq(sent_count(0), 3);
	reply(0, 0);
	ck_assert(kube_events_idle(events));
	end();
}
END_TEST

START_TEST(a_flush_sends_what_the_server_lacks)
{
	begin();
	emit_note("x");
	reply(0, 0);
	emit_note("x");
	reply(0, 0);
	emit_note("x"); /* counted only */
	emit_note("once");
	reply(KUBE_E_CONNECT, 0); /* waits for the server */
	ck_assert_uint_eq(client.op_count, 0);
	kube_events_flush(events);
	ck_assert_uint_eq(client.op_count, 2);
	ck_assert_str_eq(client.ops[0]->method, "POST");
	ck_assert_str_eq(client.ops[1]->method, "PATCH");
	ck_assert_int_eq(sent_count(1), 3);
	ck_assert(!kube_events_idle(events));
	reply_all();
	ck_assert(kube_events_idle(events));
	ck_assert_uint_eq(kube_events_dropped(events), 0);
	kube_events_flush(events); /* nothing is left */
	ck_assert_uint_eq(client.op_count, 0);
	end();
}
END_TEST

START_TEST(freeing_cancels_and_drops)
{
	begin();
	for (int i = 0; i < 10; i++)
		emit_number(i);
	pass(6 * MINUTE_MS); /* in flight and queued, but in no index any more */
	emit_number(10);
	size_t in_flight = client.op_count;
	ck_assert_uint_gt(in_flight, 0);
	end();
	ck_assert_uint_eq(client.cancelled, in_flight);
	kube_events_free(NULL);
}
END_TEST

CHECK_MAIN("events", a_cluster_scoped_object_gets_its_event_in_default, a_namespaced_object_with_a_related_one,
           names_stay_dns_subdomains, texts_are_cut_to_what_the_server_takes,
           the_second_occurrence_is_patched_and_later_ones_counted, a_series_ends_after_six_quiet_minutes,
           a_single_event_is_forgotten_without_a_word, what_makes_the_same_event,
           a_second_occurrence_while_the_first_is_in_flight, few_requests_at_a_time_in_order, a_full_queue_drops,
           refusals_drop_without_a_retry, a_refused_patch_is_not_repeated,
           an_expired_event_is_made_anew_with_its_series, an_unreachable_server_is_tried_again_later,
           what_failed_goes_before_what_waits, attempts_end, the_count_survives_a_lost_answer,
           what_cannot_be_sent_is_dropped, the_quietest_series_gives_way, a_series_in_flight_may_end,
           what_a_patch_in_flight_lacks_is_the_last_word, a_flush_sends_what_the_server_lacks,
           freeing_cancels_and_drops)
