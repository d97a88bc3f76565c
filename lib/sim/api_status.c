/* metav1.Status answers, with the words of the real server (apimachinery pkg/api/errors). */
#include "lib/sim/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cJSON *status_json(int code, const char *reason, const char *message)
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
	cJSON_AddNumberToObject(json, "code", code);
	return json;
}

char *api_status_text(int code, const char *reason, const char *message)
{
	_cleanup_json_ cJSON *json = status_json(code, reason, message);
	return api_must(cJSON_PrintUnformatted(json));
}

static void add_cause(cJSON *details, const struct api_cause *cause)
{
	cJSON *item = cJSON_CreateObject();

	cJSON_AddItemToArray(cJSON_AddArrayToObject(details, "causes"), item);
	cJSON_AddStringToObject(item, "reason", cause->reason);
	cJSON_AddStringToObject(item, "message", cause->message);
	if (cause->field)
		cJSON_AddStringToObject(item, "field", cause->field);
}

void api_refuse(const struct api_request *request, struct api_answer *answer, int code, const char *reason,
                const struct api_cause *cause, const char *fmt, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	_cleanup_json_ cJSON *json = status_json(code, reason, message);
	cJSON *details = cJSON_AddObjectToObject(json, "details");
	if (request->name[0])
		cJSON_AddStringToObject(details, "name", request->name);
	if (*request->kind->about.resource->group)
		cJSON_AddStringToObject(details, "group", request->kind->about.resource->group);
	cJSON_AddStringToObject(details, "kind", request->kind->about.resource->plural);
	if (cause)
		add_cause(details, cause);
	if (answer->retry_after_s > 0)
		cJSON_AddNumberToObject(details, "retryAfterSeconds", answer->retry_after_s);
	answer->status = code;
	answer->text = api_must(cJSON_PrintUnformatted(json));
}

static const char *qualified(const struct api_request *request, char *out, size_t size)
{
	const struct kube_resource *resource = request->kind->about.resource;
	snprintf(out, size, "%s%s%s", resource->plural, *resource->group ? "." : "", resource->group);
	return out;
}

void api_not_found(const struct api_request *request, struct api_answer *answer)
{
	char kind[128];
	api_refuse(request, answer, 404, "NotFound", NULL, "%s \"%s\" not found", qualified(request, kind, sizeof(kind)),
	           request->name);
}

void api_conflict(const struct api_request *request, struct api_answer *answer, const char *why)
{
	char kind[128];
	api_refuse(request, answer, 409, "Conflict", NULL, "Operation cannot be fulfilled on %s \"%s\": %s",
	           qualified(request, kind, sizeof(kind)), request->name, why);
}

void api_success(struct api_answer *answer, int code)
{
	answer->status = code;
	answer->text = api_status_text(code, NULL, NULL);
}
