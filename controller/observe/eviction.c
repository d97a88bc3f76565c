#include "controller/observe/eviction.h"
#include <stdio.h>
#include <string.h>

const char *const eviction_result_names[] = {
    "accepted",    "gone",      "blocked", "throttled", "conflict", "ambiguous",
    "terminating", "forbidden", "denied",  "error",     NULL,
};

/* Copies what stands between the end of `before` and the next `end` in text. False: there is no such place. */
static bool find_name(const char *text, const char *before, char end, char *out, size_t size)
{
	const char *at = strstr(text, before);
	if (!at)
		return false;
	at += strlen(before);
	size_t len = strcspn(at, (char[]){end, '\0'});
	if (len == 0 || len >= size || at[len] != end)
		return false;
	memcpy(out, at, len);
	out[len] = '\0';
	return true;
}

/* Webhooks choose their own status code, so only the sentence tells that it was one (apiserver pkg/admission). */
static bool denied_by_admission(const char *message, struct eviction_answer *answer)
{
	static const struct {
		const char *before;
		char end;
		const char *kind;
	} sentences[] = {
	    {"admission webhook \"", '"', "Webhook"},
	    {"failed calling webhook \"", '"', "Webhook"},
	    {"ValidatingAdmissionPolicy '", '\'', "ValidatingAdmissionPolicy"},
	};
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (find_name(message, sentences[i].before, sentences[i].end, answer->name, sizeof(answer->name))) {
			answer->kind = sentences[i].kind;
			return true;
		}
	}
	return false;
}

static enum eviction_result refused_by_budget(const char *message, struct eviction_answer *answer)
{
	answer->kind = "PodDisruptionBudget";
	/* The cause's sentence: "The disruption budget cart needs 3 healthy pods and has 3 currently". */
	find_name(message, "disruption budget ", ' ', answer->name, sizeof(answer->name));
	return EVICTION_BLOCKED;
}

static enum eviction_result classify_forbidden(const struct kube_err *err, struct eviction_answer *answer)
{
	if (strcmp(err->cause, "NamespaceTerminating") != 0)
		return EVICTION_FORBIDDEN;
	answer->kind = "Namespace";
	return EVICTION_TERMINATING;
}

static enum eviction_result classify(const struct kube_err *err, struct eviction_answer *answer)
{
	answer->kind = "APIServer";
	if (err->code != KUBE_E_API)
		return EVICTION_ERROR;
	if (err->http_status == 429 && strcmp(err->cause, "DisruptionBudget") == 0)
		return refused_by_budget(err->message, answer);
	if (denied_by_admission(err->message, answer))
		return EVICTION_DENIED;
	switch (err->http_status) {
	case 403: return classify_forbidden(err, answer);
	case 404: return strcmp(err->reason, "NotFound") == 0 ? EVICTION_GONE : EVICTION_ERROR; /* a proxy's */
	case 409: return strstr(err->message, "UID in precondition") ? EVICTION_GONE : EVICTION_CONFLICT;
	case 429: return EVICTION_THROTTLED;
	}
	if (err->http_status == 500 && strstr(err->message, "more than one PodDisruptionBudget")) {
		answer->kind = "PodDisruptionBudget";
		return EVICTION_AMBIGUOUS;
	}
	return EVICTION_ERROR;
}

static int64_t next_base(enum eviction_result result, int64_t previous_ms)
{
	if (result == EVICTION_AMBIGUOUS || previous_ms > EVICTION_RETRY_MAX_MS / 2)
		return EVICTION_RETRY_MAX_MS;
	return previous_ms > 0 ? previous_ms * 2 : EVICTION_RETRY_FIRST_MS;
}

/* Between four fifths and the whole of base, but not before the server's Retry-After: many pods are told the same one,
 * and so a part of base comes on top of it. */
static int64_t jittered(int64_t base_ms, int retry_after_s, uint64_t random)
{
	int64_t jitter = (int64_t)(random % (uint64_t)(base_ms / 5));
	int64_t delay = base_ms - jitter, least = (int64_t)retry_after_s * 1000;

	if (delay < least)
		delay = least + jitter;
	return delay < EVICTION_RETRY_MAX_MS ? delay : EVICTION_RETRY_MAX_MS - jitter;
}

void eviction_classify(const struct kube_err *err, int64_t previous_base_ms, uint64_t random,
                       struct eviction_answer *ret_answer)
{
	*ret_answer = (struct eviction_answer){.result = EVICTION_ACCEPTED};
	if (err)
		ret_answer->result = classify(err, ret_answer);
	ret_answer->over = ret_answer->result == EVICTION_ACCEPTED || ret_answer->result == EVICTION_GONE;
	if (ret_answer->over) {
		ret_answer->kind = NULL;
		return;
	}
	snprintf(ret_answer->message, sizeof(ret_answer->message), "%s", err->message);
	ret_answer->base_ms = next_base(ret_answer->result, previous_base_ms);
	ret_answer->delay_ms = jittered(ret_answer->base_ms, err->retry_after_s, random);
}
