#include "lib/base/utf8.h"

#include <kube/client.h>
#include <kube/json.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_HTTP_STATUS 500

struct cause {
	const char *reason, *message;
};

struct status {
	const char *message, *reason;
	int64_t code, retry_after_s;
	struct {
		struct cause *items;
		size_t count;
	} causes;
};

/* k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto StatusCause, StatusDetails, Status. Lenient: proxies answer too,
 * and what there is of a status is better than nothing. */
static const struct kube_json_field cause_table[] = {
    {.name = "reason",
     .number = 1,
     .type = KUBE_JSON_STRING,
     .offset = offsetof(struct cause, reason),
     .lenient = true},
    {.name = "message",
     .number = 2,
     .type = KUBE_JSON_STRING,
     .offset = offsetof(struct cause, message),
     .lenient = true},
    KUBE_JSON_END,
};

#define AT(member) offsetof(struct status, member)
static const struct kube_json_field details_table[] = {
    {.name = "causes",
     .number = 4,
     .type = KUBE_JSON_LIST,
     .offset = AT(causes),
     .lenient = true,
     .table = cause_table,
     .size = sizeof(struct cause)},
    {.name = "retryAfterSeconds", .number = 5, .type = KUBE_JSON_INT, .offset = AT(retry_after_s), .lenient = true},
    KUBE_JSON_END,
};

static const struct kube_json_field status_table[] = {
    {.name = "message", .number = 3, .type = KUBE_JSON_STRING, .offset = AT(message), .lenient = true},
    {.name = "reason", .number = 4, .type = KUBE_JSON_STRING, .offset = AT(reason), .lenient = true},
    {.name = "details", .number = 5, .type = KUBE_JSON_OBJECT, .lenient = true, .table = details_table},
    {.name = "code", .number = 6, .type = KUBE_JSON_INT, .offset = AT(code), .lenient = true},
    KUBE_JSON_END,
};

/* Cut between two code points: it may end up in a status, which is UTF-8. */
static void copy_text(char *out, size_t size, const char *text)
{
	int len = snprintf(out, size, "%s", text ? text : "");

	if (len > 0 && (size_t)len >= size)
		out[utf8_floor(out, size - 1)] = '\0';
}

/* What the cause says beyond the message: for an eviction only it names the PodDisruptionBudget. */
static const char *cause_message(const struct cause *cause, const char *message)
{
	const char *text = cause ? cause->message : NULL;

	return text && *text && !strstr(message, text) ? text : NULL;
}

/* What a status says by itself, where the text is missing or was cut (metav1.StatusReason). */
static const char *reason_of(int http_status)
{
	static const struct {
		int http_status;
		const char *reason;
	} reasons[] = {
	    {400, "BadRequest"},       {401, "Unauthorized"},       {403, "Forbidden"}, {404, "NotFound"},
	    {405, "MethodNotAllowed"}, {409, "Conflict"},           {410, "Gone"},      {422, "Invalid"},
	    {429, "TooManyRequests"},  {500, "InternalError"},      {504, "Timeout"},   {413, "RequestEntityTooLarge"},
	    {406, "NotAcceptable"},    {503, "ServiceUnavailable"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(reasons); i++)
		if (reasons[i].http_status == http_status)
			return reasons[i].reason;
	return "no reason";
}

static void fill(struct kube_err *err, int http_status, int retry_after_s, const struct status *status)
{
	const char *message = status->message ? status->message : "";
	const struct cause *cause = status->causes.count > 0 ? &status->causes.items[0] : NULL;
	int code = status->code > 0 && status->code < 1000 ? (int)status->code : DEFAULT_HTTP_STATUS;
	int document_s = status->retry_after_s > 0 && status->retry_after_s < INT32_MAX ? (int)status->retry_after_s : -1;

	if (!http_status)
		http_status = code;
	if (*message && cause_message(cause, message))
		kube_fail(err, KUBE_E_API, "%s %s", message, cause_message(cause, message));
	else if (*message)
		kube_fail(err, KUBE_E_API, "%s", message);
	else
		kube_fail(err, KUBE_E_API, "the server answered with HTTP status %d (%s) and no text", http_status,
		          reason_of(http_status));
	err->http_status = http_status;
	err->retry_after_s = retry_after_s >= 0 ? retry_after_s : document_s; /* some answers have it there only */
	copy_text(err->reason, sizeof(err->reason), status->reason);
	copy_text(err->cause, sizeof(err->cause), cause ? cause->reason : NULL);
}

void kube_err_from_status(struct kube_err *err, int http_status, int retry_after_s, const cJSON *json)
{
	struct kube_arena arena = {0};
	struct status status = {0};

	if (!err)
		return;
	kube_json_decode(json, status_table, &status, &arena, NULL);
	fill(err, http_status, retry_after_s, &status);
	kube_arena_finish(&arena);
}

void kube_err_from_status_proto(struct kube_err *err, int http_status, int retry_after_s, struct kube_proto message)
{
	struct kube_arena arena = {0};
	struct status status = {0};

	kube_proto_decode(message, status_table, &status, &arena, NULL);
	fill(err, http_status, retry_after_s, &status);
	kube_arena_finish(&arena);
}
