/* Every answer of the Eviction API, and what it means (kube-semantics "Eviction"). */
#include "controller/observe/eviction.h"
#include "test/unit/check_main.h"
#include <kube/client.h>
#include <kube/json.h>
#include <stdio.h>
#include <string.h>

struct answer_case {
	int http_status;
	const char *reason, *cause, *message;
	enum eviction_result result;
	const char *kind, *name; /* kind NULL: it is over */
};

static const struct answer_case answers[] = {
    {404, "NotFound", "", "pods \"cart-0\" not found", EVICTION_GONE, NULL, ""},
    {429, "TooManyRequests", "DisruptionBudget",
     "Cannot evict pod as it would violate the pod's disruption budget. The disruption budget cart needs 3 healthy "
     "pods "
     "and has 3 currently",
     EVICTION_BLOCKED, "PodDisruptionBudget", "cart"},
    {429, "TooManyRequests", "DisruptionBudget",
     "Cannot evict pod as it would violate the pod's disruption budget. The disruption budget a.b-c is still being "
     "processed by the server.",
     EVICTION_BLOCKED, "PodDisruptionBudget", "a.b-c"},
    {429, "TooManyRequests", "DisruptionBudget", "Cannot evict pod as it would violate the pod's disruption budget.",
     EVICTION_BLOCKED, "PodDisruptionBudget", ""},
    {429, "TooManyRequests", "", "too many requests, please try again later", EVICTION_THROTTLED, "APIServer", ""},
    {409, "Conflict", "", "Precondition failed: UID in precondition: 1, UID in object meta: 2", EVICTION_GONE, NULL,
     ""},
    {409, "Conflict", "", "Operation cannot be fulfilled on poddisruptionbudgets \"cart\"", EVICTION_CONFLICT,
     "APIServer", ""},
    {500, "InternalError", "",
     "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
     EVICTION_AMBIGUOUS, "PodDisruptionBudget", ""},
    {500, "InternalError", "", "etcdserver: request timed out", EVICTION_ERROR, "APIServer", ""},
    {503, "ServiceUnavailable", "", "apiserver not ready", EVICTION_ERROR, "APIServer", ""},
    {504, "Timeout", "", "Timeout: request did not complete within requested timeout", EVICTION_ERROR, "APIServer", ""},
    {403, "Forbidden", "NamespaceTerminating", "namespace shop is being terminated", EVICTION_TERMINATING, "Namespace",
     ""},
    {403, "Forbidden", "", "pods \"cart-0\" is forbidden: User \"x\" cannot create resource \"pods/eviction\"",
     EVICTION_FORBIDDEN, "APIServer", ""},
    {403, "Forbidden", "", "poddisruptionbudgets.policy \"cart\" is forbidden: pdb disruptions allowed is negative",
     EVICTION_FORBIDDEN, "APIServer", ""},
    {403, "Forbidden", "", "admission webhook \"guard.example.com\" denied the request: not today", EVICTION_DENIED,
     "Webhook", "guard.example.com"},
    {400, "BadRequest", "", "admission webhook \"guard.example.com\" denied the request: not today", EVICTION_DENIED,
     "Webhook", "guard.example.com"},
    {429, "TooManyRequests", "", "admission webhook \"guard.example.com\" denied the request: slower", EVICTION_DENIED,
     "Webhook", "guard.example.com"},
    {500, "InternalError", "",
     "Internal error occurred: failed calling webhook \"guard.example.com\": failed to call webhook: connection "
     "refused",
     EVICTION_DENIED, "Webhook", "guard.example.com"},
    {422, "Invalid", "",
     "pods \"cart-0\" is forbidden: ValidatingAdmissionPolicy 'no-evict' with binding 'b' denied "
     "request: no",
     EVICTION_DENIED, "ValidatingAdmissionPolicy", "no-evict"},
    {404, "", "", "the server answered with HTTP status 404 (NotFound) and no text", EVICTION_ERROR, "APIServer", ""},
    {405, "MethodNotAllowed", "", "the server does not allow this method", EVICTION_ERROR, "APIServer", ""},
};

static struct kube_err error_of(const struct answer_case *c)
{
	struct kube_err err = {0};
	kube_fail(&err, KUBE_E_API, "POST /api/v1/namespaces/shop/pods/cart-0/eviction: %s", c->message);
	err.http_status = c->http_status;
	err.retry_after_s = -1;
	snprintf(err.reason, sizeof(err.reason), "%s", c->reason);
	snprintf(err.cause, sizeof(err.cause), "%s", c->cause);
	return err;
}

START_TEST(every_answer_has_its_meaning)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct answer_case *c = &answers[i];
		struct kube_err err = error_of(c);
		struct eviction_answer answer;
		eviction_classify(&err, 0, 12345, &answer);
		ck_assert_msg(answer.result == c->result, "%s: %s, not %s", c->message, eviction_result_names[answer.result],
		              eviction_result_names[c->result]);
		ck_assert_msg(answer.over == (c->kind == NULL), "%s", c->message);
		if (!c->kind)
			continue;
		ck_assert_str_eq(answer.kind, c->kind);
		ck_assert_str_eq(answer.name, c->name);
		ck_assert_str_eq(answer.message, err.message);
		ck_assert_int_gt(answer.delay_ms, 0);
	}
}
END_TEST

START_TEST(success_is_over)
{
	struct eviction_answer answer;
	eviction_classify(NULL, 20000, 1, &answer);
	ck_assert_int_eq(answer.result, EVICTION_ACCEPTED);
	ck_assert(answer.over);
}
END_TEST

START_TEST(no_answer_is_an_error_to_retry)
{
	static const int codes[] = {KUBE_E_CONNECT, KUBE_E_TIMEOUT, KUBE_E_CLOSED, KUBE_E_TLS};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct kube_err err = {0};
		struct eviction_answer answer;
		kube_fail(&err, codes[i], "no answer");
		err.retry_after_s = -1;
		eviction_classify(&err, 0, 7, &answer);
		ck_assert_int_eq(answer.result, EVICTION_ERROR);
		ck_assert(!answer.over);
		ck_assert_int_gt(answer.delay_ms, 0);
	}
}
END_TEST

/* The very document that the API server sends (K8S pkg/registry/core/pod/storage/eviction.go) names the budget. */
START_TEST(budget_is_found_in_the_servers_document)
{
	static const char text[] =
	    "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"Cannot evict pod as it would violate the pod's "
	    "disruption budget.\",\"reason\":\"TooManyRequests\",\"details\":{\"causes\":[{\"reason\":\"DisruptionBudget\","
	    "\"message\":\"The disruption budget web needs 2 healthy pods and has 2 currently\"}]},\"code\":429}";
	struct kube_err err = {0};
	struct eviction_answer answer;
	_cleanup_json_ cJSON *json = NULL;
	ck_assert_int_eq(kube_json_parse(text, strlen(text), &json, &err), 0);
	kube_err_from_status(&err, 429, -1, json);
	eviction_classify(&err, 0, 7, &answer);
	ck_assert_int_eq(answer.result, EVICTION_BLOCKED);
	ck_assert_str_eq(answer.name, "web");
}
END_TEST

/* 5 s at first, doubled to 30 s; jittered below the base by at most a fifth; never 0. */
START_TEST(delays_grow_to_their_cap_with_jitter)
{
	static const int64_t bases[] = {5000, 10000, 20000, 30000, 30000};
	struct kube_err err = error_of(&answers[1]);
	for (uint64_t random = 0; random < 100000; random += 997) {
		int64_t base = 0;
		for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
			struct eviction_answer answer;
			eviction_classify(&err, base, random, &answer);
			base = answer.base_ms;
			ck_assert_int_eq(base, bases[i]);
			ck_assert_int_le(answer.delay_ms, bases[i]);
			ck_assert_int_gt(answer.delay_ms, bases[i] * 4 / 5 - 1);
		}
	}
}
END_TEST

START_TEST(jitter_differs)
{
	struct kube_err err = error_of(&answers[1]);
	struct eviction_answer a, b;
	eviction_classify(&err, 0, 1, &a);
	eviction_classify(&err, 0, 500, &b);
	ck_assert_int_ne(a.delay_ms, b.delay_ms);
}
END_TEST

START_TEST(retry_after_is_heeded_up_to_the_cap)
{
	struct kube_err err = error_of(&answers[2]);
	struct eviction_answer answer;
	for (uint64_t random = 0; random < 2000; random += 97) {
		err.retry_after_s = 10;
		eviction_classify(&err, 0, random, &answer);
		ck_assert_int_eq(answer.delay_ms, 10000 + (int64_t)random % 1000); /* many are told the same */
		err.retry_after_s = 3600;
		eviction_classify(&err, 0, random, &answer);
		ck_assert_int_eq(answer.delay_ms, EVICTION_RETRY_MAX_MS - (int64_t)random % 1000);
	}
}
END_TEST

START_TEST(several_budgets_are_asked_for_rarely)
{
	struct kube_err err = error_of(&answers[7]);
	struct eviction_answer answer;
	eviction_classify(&err, 0, 0, &answer);
	ck_assert_int_eq(answer.base_ms, EVICTION_RETRY_MAX_MS);
}
END_TEST

CHECK_MAIN("eviction", every_answer_has_its_meaning, success_is_over, no_answer_is_an_error_to_retry,
           budget_is_found_in_the_servers_document, delays_grow_to_their_cap_with_jitter, jitter_differs,
           retry_after_is_heeded_up_to_the_cap, several_budgets_are_asked_for_rarely)
