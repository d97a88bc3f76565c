#include <kube/client.h>
#include <kube/json.h>
#include <stdio.h>
#include <string.h>

static void copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

/* Some answers carry the delay in the document only. */
static int retry_after(const cJSON *status)
{
	const cJSON *seconds = kube_json_get(status, "details.retryAfterSeconds");

	return cJSON_IsNumber(seconds) && seconds->valuedouble > 0 ? seconds->valueint : -1;
}

/* What the cause says beyond the message: for an eviction only it names the PodDisruptionBudget. */
static const char *cause_message(const cJSON *cause, const char *message)
{
	const char *text = kube_json_str(cause, "message");

	return text && *text && !strstr(message, text) ? text : NULL;
}

void kube_err_from_status(struct kube_err *err, int http_status, int retry_after_s, const cJSON *status)
{
	const char *message = kube_json_str(status, "message");
	const cJSON *causes = kube_json_get(status, "details.causes");
	const cJSON *cause = cJSON_IsArray(causes) ? causes->child : NULL;

	if (!err)
		return;
	if (message && *message && cause_message(cause, message))
		kube_fail(err, KUBE_E_API, "%s %s", message, cause_message(cause, message));
	else if (message && *message)
		kube_fail(err, KUBE_E_API, "%s", message);
	else
		kube_fail(err, KUBE_E_API, "the server answered with HTTP status %d and gave no reason", http_status);
	err->http_status = http_status;
	err->retry_after_s = retry_after_s >= 0 ? retry_after_s : retry_after(status);
	copy_text(err->reason, sizeof(err->reason), kube_json_str(status, "reason"));
	if (cause)
		copy_text(err->cause, sizeof(err->cause), kube_json_str(cause, "reason"));
}
