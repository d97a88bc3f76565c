/* metav1.Status answers, with the words of the real server (apimachinery pkg/api/errors). */
#include "lib/sim/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* details NULL: none; it changes hands. reason NULL: none. code 0: success, and it is not said. */
static cJSON *status_json(int code, const char *reason, const char *message, cJSON *details)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "kind", "Status");
	cJSON_AddStringToObject(json, "apiVersion", "v1");
	cJSON_AddObjectToObject(json, "metadata");
	cJSON_AddStringToObject(json, "status", code < 300 ? "Success" : "Failure");
	if (message)
		cJSON_AddStringToObject(json, "message", message);
	if (reason)
		cJSON_AddStringToObject(json, "reason", reason);
	if (details)
		cJSON_AddItemToObject(json, "details", details);
	if (code)
		cJSON_AddNumberToObject(json, "code", code);
	return json;
}

char *api_status_text(int code, const char *reason, const char *message)
{
	_cleanup_json_ cJSON *json = status_json(code, reason, message, NULL);
	return api_must(cJSON_PrintUnformatted(json));
}

static void answer_with(struct api_answer *answer, int code, const char *reason, const char *message, cJSON *details)
{
	_cleanup_json_ cJSON *json = status_json(code, reason, message, details);

	if (details && answer->retry_after_s > 0)
		cJSON_AddNumberToObject(details, "retryAfterSeconds", answer->retry_after_s);
	answer->status = code;
	answer->text = api_must(cJSON_PrintUnformatted(json));
}

static void add_cause(cJSON *details, const char *reason, const char *message, const char *field)
{
	cJSON *causes = cJSON_GetObjectItemCaseSensitive(details, "causes"), *item = cJSON_CreateObject();

	cJSON_AddItemToArray(causes ? causes : cJSON_AddArrayToObject(details, "causes"), item);
	cJSON_AddStringToObject(item, "reason", reason);
	cJSON_AddStringToObject(item, "message", message);
	if (field)
		cJSON_AddStringToObject(item, "field", field);
}

/* kind is a plural or a kind, as the case may be. */
static cJSON *details_of(const struct api_request *request, const char *name, const char *kind)
{
	cJSON *details = cJSON_CreateObject();

	if (*name)
		cJSON_AddStringToObject(details, "name", name);
	if (*request->kind->about.resource->group)
		cJSON_AddStringToObject(details, "group", request->kind->about.resource->group);
	cJSON_AddStringToObject(details, "kind", kind);
	return details;
}

#define PRINT(out, fmt) \
	do { \
		va_list ap; \
		va_start(ap, fmt); \
		vsnprintf(out, sizeof(out), fmt, ap); \
		va_end(ap); \
	} while (0)

void api_refuse(const struct api_request *request, struct api_answer *answer, int code, const char *reason,
                const struct api_cause *cause, const char *fmt, ...)
{
	char message[API_MESSAGE_SIZE];
	cJSON *details = details_of(request, request->name, request->kind->about.resource->plural);

	PRINT(message, fmt);
	if (cause)
		add_cause(details, cause->reason, cause->message, cause->field);
	answer_with(answer, code, reason, message, details);
}

void api_refuse_of_kind(const struct api_request *request, struct api_answer *answer, int code, const char *reason,
                        const char *fmt, ...)
{
	char message[API_MESSAGE_SIZE];

	PRINT(message, fmt);
	answer_with(answer, code, reason, message, details_of(request, request->name, request->kind->about.resource->kind));
}

void api_refuse_plainly(struct api_answer *answer, int code, const char *reason, const char *fmt, ...)
{
	char message[API_MESSAGE_SIZE];

	PRINT(message, fmt);
	answer_with(answer, code, reason, message, NULL);
}

void api_refuse_with_cause(struct api_answer *answer, int code, const char *reason, const struct api_cause *cause,
                           const char *fmt, ...)
{
	char message[API_MESSAGE_SIZE];
	cJSON *details = cJSON_CreateObject();

	PRINT(message, fmt);
	if (cause)
		add_cause(details, cause->reason, cause->message, cause->field);
	answer_with(answer, code, reason, message, details);
}

void api_refuse_options(struct api_answer *answer, const char *kind, const struct api_cause *cause)
{
	char message[API_MESSAGE_SIZE];
	cJSON *details = cJSON_CreateObject();

	cJSON_AddStringToObject(details, "group", "meta.k8s.io");
	cJSON_AddStringToObject(details, "kind", kind);
	add_cause(details, cause->reason, cause->message, cause->field);
	snprintf(message, sizeof(message), "%s.meta.k8s.io \"\" is invalid: %s: %s", kind, cause->field, cause->message);
	answer_with(answer, 422, "Invalid", message, details);
}

const char *api_qualified(const struct api_request *request, char *out, size_t size)
{
	const struct kube_resource *resource = request->kind->about.resource;
	snprintf(out, size, "%s%s%s", resource->plural, *resource->group ? "." : "", resource->group);
	return out;
}

void api_not_found(const struct api_request *request, struct api_answer *answer)
{
	char kind[128];
	api_refuse(request, answer, 404, "NotFound", NULL, "%s \"%s\" not found",
	           api_qualified(request, kind, sizeof(kind)), request->name);
}

void api_no_such_path(struct api_answer *answer)
{
	api_refuse_with_cause(answer, 404, "NotFound", NULL, "the server could not find the requested resource");
}

void api_no_such_group(struct api_answer *answer)
{
	answer->status = 404;
	answer->text = api_must(strdup("404 page not found\n"));
}

void api_conflict(const struct api_request *request, struct api_answer *answer, const char *why)
{
	char kind[128];
	api_refuse(request, answer, 409, "Conflict", NULL, "Operation cannot be fulfilled on %s \"%s\": %s",
	           api_qualified(request, kind, sizeof(kind)), request->name, why);
}

void api_success(struct api_answer *answer, int code)
{
	answer->status = code;
	answer->text = api_status_text(code, NULL, NULL);
}

void api_deleted(const struct api_request *request, struct api_answer *answer, const cJSON *json)
{
	const char *name = kube_json_str(json, "metadata.name");
	cJSON *details = details_of(request, name, request->kind->about.resource->plural);

	cJSON_AddStringToObject(details, "uid", kube_json_str(json, "metadata.uid"));
	_cleanup_json_ cJSON *json_answer = status_json(0, NULL, NULL, details);
	answer->status = 200;
	answer->text = api_must(cJSON_PrintUnformatted(json_answer));
}

/* ---- what is wrong with an object ---- */

void api_problem(struct api_problems *problems, const char *reason, const char *field, const char *fmt, ...)
{
	struct api_problem *problem = &problems->items[problems->count];

	if (problems->count == KUBE_ARRAY_LEN(problems->items))
		return;
	problems->count++;
	problem->reason = reason;
	snprintf(problem->field, sizeof(problem->field), "%s", field);
	PRINT(problem->message, fmt);
}

bool api_is_valid(const struct api_request *request, const struct api_problems *problems, struct api_answer *answer)
{
	const struct kube_resource *resource = request->kind->about.resource;
	_cleanup_buf_ struct kube_buf message = {0};
	bool several = problems->count > 1;

	if (problems->count == 0)
		return true;
	kube_buf_init(&message, API_MAX_TEXT_BYTES);
	kube_buf_addf(&message, "%s%s%s \"%s\" is invalid: %s", resource->kind, *resource->group ? "." : "",
	              resource->group, request->name, several ? "[" : "");
	cJSON *details = details_of(request, request->name, resource->kind);
	for (size_t i = 0; i < problems->count; i++) {
		const struct api_problem *problem = &problems->items[i];
		kube_buf_addf(&message, "%s%s: %s", i ? ", " : "", problem->field, problem->message);
		add_cause(details, problem->reason, problem->message, problem->field);
	}
	kube_buf_adds(&message, several ? "]" : "");
	answer_with(answer, 422, "Invalid", api_must(message.data), details);
	return false;
}
