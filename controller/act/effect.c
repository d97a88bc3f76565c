#include "controller/act/effect.h"
#include <kube/log.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#define MAX_MARKS 2000 /* marks that are not busy any more are swept beyond this */

#define GONE_PAUSE_MS 5000      /* the watch says in that time that an object is gone */
#define MAX_REPEAT_AGE_MS 15000 /* the client repeats no request for longer */
#define MAX_LATE_MS 1000        /* a turn that comes later was missed: the process was frozen */

static const struct effect_retry retry_failed = {.first_ms = 1000, .tolerated = 0};
/* The cache is a moment behind; it will show why. Told only when it goes on. */
static const struct effect_retry retry_stale = {.first_ms = 50, .tolerated = 5};
static const struct effect_retry retry_exists = {.first_ms = 200, .tolerated = 3};
/* The server is busy and says so. */
static const struct effect_retry retry_throttled = {.first_ms = 1000, .tolerated = 3};

struct running {
	struct act *act;
	struct effect effect; /* strings in the arena */
	struct kube_arena arena;
	struct kube_timer turn; /* active: it waits for delay_ms to be over, with call and body; else these are nothing */
	struct kube_call call;  /* strings in the arena */
	cJSON *body;
	struct kube_op *op; /* NULL while it waits */
	int64_t decided_ms; /* mono */
	struct running *prev, *next;
};

/* Whom an object was created for, until the cache shows it. */
struct mark {
	char *id;
	char *object_key;
	struct kube_pending *pending;
	UT_hash_handle hh;
};

struct act {
	struct act_options options;
	struct running *running; /* utlist, doubly linked */
	size_t in_flight;
	struct mark *marks;
};

const struct act_options *act_options(const struct act *act)
{
	return &act->options;
}

int64_t act_now_ms(const struct act *act)
{
	return kube_client_server_ms(act->options.client);
}

static int64_t now_mono_ms(const struct act *act)
{
	return kube_env_mono_ms(kube_client_env(act->options.client));
}

uint64_t act_random(const struct act *act)
{
	return kube_env_random64(kube_client_env(act->options.client));
}

int act_new(const struct act_options *options, struct act **ret_act, struct kube_err *err)
{
	struct act *act = calloc(1, sizeof(*act));
	if (!act)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for effects");
	act->options = *options;
	*ret_act = act;
	return 0;
}

static void free_mark(struct mark *mark)
{
	free(mark->id);
	free(mark->object_key);
	free(mark);
}

static void running_free(struct running *running)
{
	if (!running)
		return;
	if (running->act)
		kube_timer_stop(kube_client_env(running->act->options.client), &running->turn);
	cJSON_Delete(running->body);
	kube_arena_finish(&running->arena);
	free(running);
}

void act_free(struct act *act)
{
	if (!act)
		return;
	struct running *running, *next;
	DL_FOREACH_SAFE(act->running, running, next)
	{
		if (running->op)
			kube_op_cancel(running->op);
		running_free(running);
	}
	struct mark *mark, *after;
	HASH_ITER (hh, act->marks, mark, after) {
		HASH_DEL(act->marks, mark);
		free_mark(mark);
	}
	free(act);
}

size_t act_in_flight(const struct act *act)
{
	return act->in_flight;
}

/* ---- marks ---- */

static bool marked(const struct act *act, const char *id)
{
	const struct mark *mark;
	HASH_FIND_STR(act->marks, id, mark);
	return mark && kube_pending_busy(mark->pending, mark->object_key);
}

bool act_job_busy(const struct act *act, const char *node_uid)
{
	return marked(act, node_uid);
}

bool act_creating(const struct act *act, const char *policy_uid)
{
	return marked(act, policy_uid);
}

static void sweep_marks(struct act *act)
{
	struct mark *mark, *next;
	HASH_ITER (hh, act->marks, mark, next) {
		if (kube_pending_busy(mark->pending, mark->object_key))
			continue;
		HASH_DEL(act->marks, mark);
		free_mark(mark);
	}
}

/* Without memory for a mark the object is asked for once more, and the answer is AlreadyExists. */
static void set_mark(struct act *act, const struct effect *effect)
{
	struct mark *old, *mark;
	if (HASH_COUNT(act->marks) >= MAX_MARKS)
		sweep_marks(act);
	HASH_FIND_STR(act->marks, effect->mark, old);
	if (old) {
		HASH_DEL(act->marks, old);
		free_mark(old);
	}
	mark = calloc(1, sizeof(*mark));
	if (!mark)
		return;
	mark->id = strdup(effect->mark);
	mark->object_key = strdup(effect->object_key);
	mark->pending = effect->pending;
	if (mark->id && mark->object_key) {
		HASH_ADD_KEYPTR(hh, act->marks, mark->id, strlen(mark->id), mark);
		if (mark->hh.tbl)
			return;
	}
	free_mark(mark);
}

/* ---- what an answer means ---- */

static enum effect_verdict verdict_of_creation(const struct kube_err *err)
{
	if (err->http_status == 409)
		return strcmp(err->reason, "AlreadyExists") == 0 ? EFFECT_EXISTS : EFFECT_STALE;
	return EFFECT_FAILED; /* 404: its namespace; 422: its contents */
}

static enum effect_verdict verdict_of_write(enum effect_kind kind, const struct kube_err *err)
{
	/* Without this reason it is not about the object: a proxy's, or that of a server which does not serve its kind
	 * (yet). */
	if (err->http_status == 404 && strcmp(err->reason, "NotFound") == 0)
		return EFFECT_GONE;
	if (err->http_status == 409)
		return EFFECT_STALE;
	/* A JSON patch whose test fails is a 422; so is a status that the schema refuses, which no new look can help. */
	return err->http_status == 422 && kind == EFFECT_PATCH ? EFFECT_STALE : EFFECT_FAILED;
}

enum effect_verdict effect_verdict(enum effect_kind kind, const struct kube_err *err)
{
	if (!err)
		return EFFECT_WRITTEN;
	if (err->code == KUBE_E_CANCELED)
		return EFFECT_STALE;
	if (err->code != KUBE_E_API)
		return EFFECT_FAILED;
	return kind == EFFECT_CREATE ? verdict_of_creation(err) : verdict_of_write(kind, err);
}

static void log_done(const struct effect *effect)
{
	const char *const *l = effect->log;
	if (effect->done)
		kube_log(KUBE_LOG_INFO, effect->done, l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7], l[8], l[9], NULL);
}

static const char *member(const cJSON *object, const char *name)
{
	const char *text = kube_json_str(object, name);
	return text ? text : "";
}

/* The ledger's newest hash is in the log too: a chain that nobody else has seen proves nothing. */
static void log_decisions(const struct effect *effect, const cJSON *json)
{
	const cJSON *decision;
	cJSON_ArrayForEach (decision, kube_json_get(json, "status.decisions")) {
		const cJSON *seq = kube_json_get(decision, "seq");
		if (!cJSON_IsNumber(seq) || (int64_t)seq->valuedouble <= effect->last_seq)
			continue;
		kube_log(KUBE_LOG_INFO, "decision", "rollout", effect->object_key, "type", member(decision, "type"), "subject",
		         member(decision, "subject"), "rule", member(decision, "rule"), "reason", member(decision, "reason"),
		         "evidence", member(decision, "evidence"), "hash", member(decision, "hash"), NULL);
	}
}

static void failed(struct act *act, const struct effect *effect, const struct kube_err *why,
                   const struct effect_retry *retry)
{
	int64_t delay_ms = retry->first_ms;
	bool news = false;
	facts_effect_failed(act->options.facts, effect->key, effect->what, why, retry, act_now_ms(act), act_random(act),
	                    &delay_ms, &news, NULL);
	if (news)
		kube_log(KUBE_LOG_WARN, "effect failed; it is tried again", "for", effect->key, "effect", effect->what,
		         "reason", why->reason[0] ? why->reason : kube_code_text(why->code), "error", why->message, NULL);
	act->options.again(act->options.arg, effect->key, delay_ms);
}

void effect_refused(struct act *act, const struct effect *effect, const struct kube_err *refusal)
{
	failed(act, effect, refusal, &retry_failed);
}

static void tell_epoch(struct act *act, const struct effect *effect, const cJSON *json)
{
	const cJSON *epoch = kube_json_get(json, "status.epoch");
	if (cJSON_IsNumber(epoch) && act->options.on_epoch)
		act->options.on_epoch(act->options.arg, effect->key, (int64_t)epoch->valuedouble);
}

static void done(struct act *act, const struct effect *effect, const cJSON *json)
{
	if (facts_effect_done(act->options.facts, effect->key, effect->what))
		kube_log(KUBE_LOG_INFO, "effect works again", "for", effect->key, "effect", effect->what, NULL);
	log_done(effect);
	if (effect->pause_ms > 0) {
		facts_effect_pause(act->options.facts, effect->key, effect->what, act_now_ms(act) + effect->pause_ms);
		act->options.again(act->options.arg, effect->key, effect->pause_ms);
	}
	if (effect->kind == EFFECT_STATUS && effect->last_seq >= 0) {
		log_decisions(effect, json);
		tell_epoch(act, effect, json);
	}
	if (effect->job)
		job_written(act, effect, json);
}

/* Only job pods have names that say what they are: one that is there already is adopted once it has been read. */
static void exists(struct act *act, const struct effect *effect, const struct kube_err *err)
{
	if (!effect->job) {
		failed(act, effect, err, &retry_exists);
		return;
	}
	facts_effect_done(act->options.facts, effect->key, effect->what);
	job_not_made(act, effect);
}

/* The cache still shows it, perhaps as being deleted, and its plan would write again at once. */
static void gone(struct act *act, const struct effect *effect)
{
	facts_effect_done(act->options.facts, effect->key, effect->what);
	if (effect->kind == EFFECT_STATUS || effect->kind == EFFECT_PATCH)
		facts_effect_pause(act->options.facts, effect->key, effect->what, act_now_ms(act) + GONE_PAUSE_MS);
	if (effect->job)
		job_not_there(act, effect);
}

static void conclude(struct act *act, const struct effect *effect, const cJSON *json, const struct kube_err *err)
{
	switch (effect_verdict(effect->kind, err)) {
	case EFFECT_WRITTEN: done(act, effect, json); break;
	case EFFECT_GONE: gone(act, effect); break;
	case EFFECT_EXISTS: exists(act, effect, err); break;
	case EFFECT_STALE:
		if (effect->kind == EFFECT_STATUS && err->http_status == 409 && act->options.on_conflict)
			act->options.on_conflict(act->options.arg);
		failed(act, effect, err, &retry_stale);
		break;
	case EFFECT_FAILED: failed(act, effect, err, err->http_status == 429 ? &retry_throttled : &retry_failed); break;
	}
}

/* What the cache has to show before the object is free again; NULL: nothing was written. */
static const char *awaited_version(const struct effect *effect, const cJSON *json, const struct kube_err *err)
{
	enum effect_verdict verdict = effect_verdict(effect->kind, err);
	if (verdict == EFFECT_GONE)
		return effect->kind == EFFECT_READ ? NULL : "";
	if (verdict != EFFECT_WRITTEN)
		return NULL;
	if (effect->kind == EFFECT_DELETE || effect->kind == EFFECT_EVICT)
		return "";
	if (effect->kind == EFFECT_READ)
		return NULL;
	return kube_json_str(json, "metadata.resourceVersion");
}

static void answered(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct running *running = arg;
	struct act *act = running->act;
	const struct effect *effect = &running->effect;
	DL_DELETE(act->running, running);
	act->in_flight--;
	kube_pending_end(effect->pending, effect->object_key, awaited_version(effect, json, err));
	if (effect->kind == EFFECT_EVICT)
		evict_answered(act, effect, err);
	else
		conclude(act, effect, json, err);
	running_free(running);
}

/* ---- sending ---- */

bool effect_ready(const struct act *act, const struct effect *effect)
{
	if (kube_pending_busy(effect->pending, effect->object_key))
		return false; /* its end brings the key back */
	int64_t wait_ms = facts_effect_wait_ms(act->options.facts, effect->key, effect->what, act_now_ms(act));
	/* Asked for anew, because the server's time, by which it waits, may have been set back meanwhile. */
	if (wait_ms > 0)
		act->options.again(act->options.arg, effect->key, wait_ms);
	return wait_ms == 0;
}

static int copy_string(struct kube_arena *arena, const char **string)
{
	if (!*string)
		return 0;
	*string = kube_arena_strdup(arena, *string);
	return *string ? 0 : KUBE_E_NOMEM;
}

static int copy_effect(struct running *running, const struct effect *effect)
{
	struct effect *copy = &running->effect;
	*copy = *effect;
	const char **strings[] = {&copy->key,        &copy->what, &copy->object_key, &copy->mark,    &copy->uid,
	                          &copy->namespace_, &copy->done, &copy->job,        &copy->job_node};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < KUBE_ARRAY_LEN(strings); i++)
		rc = copy_string(&running->arena, strings[i]);
	for (size_t i = 0; rc == 0 && i < KUBE_ARRAY_LEN(copy->log); i++)
		rc = copy_string(&running->arena, &copy->log[i]);
	return rc;
}

static bool may_act(const struct act *act)
{
	return !act->options.may_act || act->options.may_act(act->options.arg);
}

/* What was decided long ago, on a server that was busy or in a process that was frozen, is decided anew. */
static bool may_repeat(void *arg)
{
	const struct running *running = arg;
	return may_act(running->act) && now_mono_ms(running->act) - running->decided_ms < MAX_REPEAT_AGE_MS;
}

static int send_now(struct running *running, const struct kube_call *call, struct kube_err *err)
{
	struct kube_call own = *call;
	own.may_repeat = may_repeat;
	return kube_client_send(running->act->options.client, &own, answered, running, &running->op, err);
}

/* As if it had never been begun. */
static void take_out(struct running *running)
{
	DL_DELETE(running->act->running, running);
	running->act->in_flight--;
	kube_pending_end(running->effect.pending, running->effect.object_key, NULL);
	running_free(running);
}

static void on_turn(struct kube_timer *timer, void *arg)
{
	struct running *running = arg;
	struct kube_err err = {0};
	int64_t late_ms = now_mono_ms(running->act) - running->decided_ms - running->effect.delay_ms;
	(void)timer;
	if (!may_act(running->act) || late_ms > MAX_LATE_MS) {
		take_out(running);
		return;
	}
	if (send_now(running, &running->call, &err) < 0) {
		failed(running->act, &running->effect, &err, &retry_failed);
		take_out(running);
	}
}

static int wait_for_turn(struct running *running, const struct kube_call *call)
{
	struct kube_env *env = kube_client_env(running->act->options.client);
	running->call = *call;
	running->call.body = running->body = cJSON_Duplicate(call->body, true);
	int rc = call->body && !running->body ? KUBE_E_NOMEM : copy_string(&running->arena, &running->call.namespace_);
	if (rc == 0)
		rc = copy_string(&running->arena, &running->call.name);
	return rc ? rc : kube_timer_start(env, &running->turn, running->effect.delay_ms, on_turn, running);
}

static int start(struct act *act, struct running *running, const struct kube_call *call, struct kube_err *err)
{
	const struct effect *effect = &running->effect;
	int rc = kube_pending_begin(effect->pending, effect->object_key, err);
	if (rc < 0)
		return rc;
	running->act = act;
	running->decided_ms = now_mono_ms(act);
	if (effect->delay_ms == 0)
		rc = send_now(running, call, err);
	else if (wait_for_turn(running, call) < 0)
		rc = kube_fail(err, KUBE_E_NOMEM, "out of memory for: %s", effect->what);
	if (rc < 0)
		kube_pending_end(effect->pending, effect->object_key, NULL);
	return rc;
}

bool effect_send(struct act *act, const struct effect *effect, const struct kube_call *call)
{
	if (!may_act(act) || !effect_ready(act, effect))
		return false;
	struct kube_err err = {0};
	struct running *running = calloc(1, sizeof(*running));
	int rc = running ? copy_effect(running, effect) : KUBE_E_NOMEM;
	if (rc < 0)
		kube_fail(&err, rc, "out of memory for: %s", effect->what);
	else
		rc = start(act, running, call, &err);
	if (rc < 0) {
		running_free(running);
		failed(act, effect, &err, &retry_failed);
		return false;
	}
	DL_APPEND(act->running, running);
	act->in_flight++;
	if (effect->mark)
		set_mark(act, effect);
	if (effect->job)
		job_asked(act, effect);
	return true;
}
