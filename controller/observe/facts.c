#include "controller/observe/facts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct eviction_entry {
	char *uid;
	char *namespace_, *name, *message;
	struct eviction_fact fact;
	int64_t base_ms;
	UT_hash_handle hh;
};

struct effect_entry {
	char *id; /* "<key>\n<what>": neither holds a line break */
	size_t key_len;
	char reason[64];
	char *message;
	struct effect_error error; /* as told */
	bool told;
	unsigned failures;
	int64_t base_ms, retry_at_ms;
	UT_hash_handle hh;
};

struct facts {
	struct eviction_entry *evictions; /* uthash keeps the order of insertion: the first is the oldest */
	struct effect_entry *effects;
	struct job_facts *jobs;
};

int facts_new(struct facts **ret_facts, struct kube_err *err)
{
	struct facts *facts = calloc(1, sizeof(*facts));
	if (!facts)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for facts");
	int rc = job_facts_new(&facts->jobs, err);
	if (rc < 0) {
		free(facts);
		return rc;
	}
	*ret_facts = facts;
	return 0;
}

struct job_facts *facts_jobs(const struct facts *facts)
{
	return facts->jobs;
}

static void free_eviction(struct eviction_entry *entry)
{
	if (!entry)
		return;
	free(entry->uid);
	free(entry->namespace_);
	free(entry->name);
	free(entry->message);
	free(entry);
}

static void free_effect(struct effect_entry *entry)
{
	if (!entry)
		return;
	free(entry->id);
	free(entry->message);
	free(entry);
}

static void remove_eviction(struct facts *facts, struct eviction_entry *entry)
{
	HASH_DEL(facts->evictions, entry);
	free_eviction(entry);
}

static void remove_effect(struct facts *facts, struct effect_entry *entry)
{
	HASH_DEL(facts->effects, entry);
	free_effect(entry);
}

void facts_free(struct facts *facts)
{
	if (!facts)
		return;
	while (facts->evictions)
		remove_eviction(facts, facts->evictions);
	while (facts->effects)
		remove_effect(facts, facts->effects);
	job_facts_free(facts->jobs);
	free(facts);
}

size_t facts_count(const struct facts *facts)
{
	return HASH_COUNT(facts->evictions) + HASH_COUNT(facts->effects);
}

/* ---- evictions ---- */

static struct eviction_entry *find_eviction(const struct facts *facts, const char *uid)
{
	struct eviction_entry *entry;
	HASH_FIND_STR(facts->evictions, uid, entry);
	return entry;
}

const struct eviction_fact *facts_eviction(const struct facts *facts, const char *pod_uid)
{
	const struct eviction_entry *entry = find_eviction(facts, pod_uid);
	return entry ? &entry->fact : NULL;
}

int64_t facts_eviction_base(const struct facts *facts, const char *pod_uid)
{
	const struct eviction_entry *entry = find_eviction(facts, pod_uid);
	return entry ? entry->base_ms : 0;
}

void facts_drop_eviction(struct facts *facts, const char *pod_uid)
{
	struct eviction_entry *entry = find_eviction(facts, pod_uid);
	if (entry)
		remove_eviction(facts, entry);
}

/* The server does not always say which budget refused. */
static bool refused_by(const struct eviction_entry *entry, const char *namespace_, const char *name)
{
	return strcmp(entry->fact.kind, "PodDisruptionBudget") == 0 && strcmp(entry->namespace_, namespace_) == 0 &&
	       (!*entry->name || strcmp(entry->name, name) == 0);
}

bool facts_budget_relieved(struct facts *facts, const char *namespace_, const char *name)
{
	struct eviction_entry *entry, *next;
	bool relieved = false;
	HASH_ITER (hh, facts->evictions, entry, next) {
		if (!refused_by(entry, namespace_, name))
			continue;
		entry->fact.retry_at_ms = entry->fact.since_ms;
		entry->base_ms = 0;
		relieved = true;
	}
	return relieved;
}

static struct eviction_entry *eviction_new(const char *uid, const char *namespace_,
                                           const struct eviction_answer *answer)
{
	struct eviction_entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->uid = strdup(uid);
	entry->namespace_ = strdup(namespace_);
	/* The namespace that is terminating is the pod's own. */
	entry->name = strdup(answer->result == EVICTION_TERMINATING ? namespace_ : answer->name);
	entry->message = strdup(answer->message);
	if (!entry->uid || !entry->namespace_ || !entry->name || !entry->message) {
		free_eviction(entry);
		return NULL;
	}
	return entry;
}

/* Only a budget is in the pod's namespace; webhooks, policies and namespaces are in none. */
static void fill_fact(struct eviction_entry *entry, const struct eviction_answer *answer, int64_t since_ms,
                      int64_t now_ms)
{
	entry->base_ms = answer->base_ms;
	entry->fact = (struct eviction_fact){
	    .kind = answer->kind,
	    .namespace_ = strcmp(answer->kind, "PodDisruptionBudget") == 0 ? entry->namespace_ : "",
	    .name = entry->name,
	    .message = entry->message,
	    .since_ms = since_ms,
	    .retry_at_ms = now_ms + answer->delay_ms,
	};
}

int facts_note_eviction(struct facts *facts, const char *pod_uid, const char *pod_namespace,
                        const struct eviction_answer *answer, int64_t now_ms, struct kube_err *err)
{
	struct eviction_entry *old = find_eviction(facts, pod_uid);
	if (answer->over) {
		facts_drop_eviction(facts, pod_uid);
		return 0;
	}
	struct eviction_entry *entry = eviction_new(pod_uid, pod_namespace, answer);
	if (!entry)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the answer to an eviction");
	fill_fact(entry, answer, old ? old->fact.since_ms : now_ms, now_ms);
	if (old)
		remove_eviction(facts, old);
	else if (HASH_COUNT(facts->evictions) >= FACTS_MAX_EVICTIONS)
		remove_eviction(facts, facts->evictions);
	HASH_ADD_KEYPTR(hh, facts->evictions, entry->uid, strlen(entry->uid), entry);
	if (!entry->hh.tbl) {
		free_eviction(entry);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the answer to an eviction");
	}
	return 0;
}

/* ---- effects ---- */

static bool of_key(const struct effect_entry *entry, const char *key)
{
	return strlen(key) == entry->key_len && memcmp(entry->id, key, entry->key_len) == 0;
}

static struct effect_entry *find_effect(const struct facts *facts, const char *key, const char *what)
{
	char id[1024];
	struct effect_entry *entry = NULL;
	if ((size_t)snprintf(id, sizeof(id), "%s\n%s", key, what) < sizeof(id))
		HASH_FIND_STR(facts->effects, id, entry);
	return entry;
}

static struct effect_entry *effect_new(const char *key, const char *what)
{
	char id[1024];
	if ((size_t)snprintf(id, sizeof(id), "%s\n%s", key, what) >= sizeof(id))
		return NULL;
	struct effect_entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->id = strdup(id);
	entry->key_len = strlen(key);
	entry->message = strdup("");
	if (entry->id && entry->message)
		return entry;
	free_effect(entry);
	return NULL;
}

static struct effect_entry *add_effect(struct facts *facts, const char *key, const char *what)
{
	struct effect_entry *entry = effect_new(key, what);
	if (!entry)
		return NULL;
	if (HASH_COUNT(facts->effects) >= FACTS_MAX_EFFECTS)
		remove_effect(facts, facts->effects);
	HASH_ADD_KEYPTR(hh, facts->effects, entry->id, strlen(entry->id), entry);
	if (entry->hh.tbl)
		return entry;
	free_effect(entry);
	return NULL;
}

/* What failed without an answer has no metav1.Status reason. */
static const char *reason_of(const struct kube_err *failure)
{
	if (failure->reason[0])
		return failure->reason;
	switch (failure->code) {
	case KUBE_E_CONNECT:
	case KUBE_E_CLOSED:
	case KUBE_E_IO: return "ServerUnreachable";
	case KUBE_E_TLS: return "ServerUntrusted";
	case KUBE_E_TIMEOUT: return "Timeout";
	case KUBE_E_AUTH: return "NoCredentials";
	case KUBE_E_LIMIT: return "LimitExceeded";
	case KUBE_E_NOMEM: return "OutOfMemory";
	default: return "Failed";
	}
}

/* The newest entry is the last one: a failure that comes again is appended anew. */
static bool tell(struct facts *facts, struct effect_entry *entry, const struct kube_err *failure, int64_t now_ms)
{
	const char *reason = reason_of(failure);
	bool news = !entry->told || strcmp(entry->reason, reason) != 0;
	char *message = strdup(failure->message);
	if (message) {
		free(entry->message);
		entry->message = message;
	}
	snprintf(entry->reason, sizeof(entry->reason), "%s", reason);
	entry->told = true;
	entry->error = (struct effect_error){
	    .what = entry->id + entry->key_len + 1,
	    .reason = entry->reason,
	    .message = entry->message,
	    .http_status = failure->http_status,
	    .at_ms = news ? now_ms : entry->error.at_ms,
	};
	if (news && entry->hh.next) {
		HASH_DEL(facts->effects, entry);
		HASH_ADD_KEYPTR(hh, facts->effects, entry->id, strlen(entry->id), entry);
	}
	return news;
}

int facts_effect_failed(struct facts *facts, const char *key, const char *what, const struct kube_err *failure,
                        const struct effect_retry *retry, int64_t now_ms, uint64_t random, int64_t *ret_delay_ms,
                        bool *ret_news, struct kube_err *err)
{
	struct effect_entry *entry = find_effect(facts, key, what);
	if (!entry)
		entry = add_effect(facts, key, what);
	if (!entry)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a failure of: %s", what);
	entry->failures++;
	entry->base_ms = entry->base_ms > 0 ? entry->base_ms * 2 : retry->first_ms;
	if (entry->base_ms > FACTS_EFFECT_RETRY_MAX_MS)
		entry->base_ms = FACTS_EFFECT_RETRY_MAX_MS;
	int64_t delay_ms = entry->base_ms - (int64_t)(random % (uint64_t)(entry->base_ms / 5 + 1));
	int64_t wished_ms = (int64_t)failure->retry_after_s * 1000;
	if (wished_ms > FACTS_EFFECT_RETRY_MAX_MS)
		wished_ms = FACTS_EFFECT_RETRY_MAX_MS;
	*ret_delay_ms = delay_ms > wished_ms ? delay_ms : wished_ms;
	entry->retry_at_ms = now_ms + *ret_delay_ms;
	*ret_news = entry->failures > retry->tolerated && tell(facts, entry, failure, now_ms);
	return 0;
}

bool facts_effect_done(struct facts *facts, const char *key, const char *what)
{
	struct effect_entry *entry = find_effect(facts, key, what);
	if (!entry)
		return false;
	bool told = entry->told;
	remove_effect(facts, entry);
	return told;
}

void facts_effect_pause(struct facts *facts, const char *key, const char *what, int64_t until_ms)
{
	facts_effect_done(facts, key, what);
	struct effect_entry *entry = add_effect(facts, key, what);
	if (entry)
		entry->retry_at_ms = until_ms;
}

int64_t facts_effect_wait_ms(const struct facts *facts, const char *key, const char *what, int64_t now_ms)
{
	const struct effect_entry *entry = find_effect(facts, key, what);
	int64_t wait_ms = entry ? entry->retry_at_ms - now_ms : 0;
	return wait_ms > 0 && wait_ms <= FACTS_EFFECT_RETRY_MAX_MS ? wait_ms : 0; /* longer: the clock was set back */
}

const struct effect_error *facts_effect_error(struct facts *facts, const char *key, int64_t now_ms)
{
	const struct effect_error *newest = NULL;
	struct effect_entry *entry, *next;
	HASH_ITER (hh, facts->effects, entry, next) {
		if (!of_key(entry, key))
			continue;
		if (now_ms - entry->retry_at_ms > FACTS_EFFECT_FORGET_MS)
			remove_effect(facts, entry);
		else if (entry->told)
			newest = &entry->error;
	}
	return newest;
}

void facts_drop_key(struct facts *facts, const char *key)
{
	struct effect_entry *entry, *next;
	HASH_ITER (hh, facts->effects, entry, next) {
		if (of_key(entry, key))
			remove_effect(facts, entry);
	}
}
