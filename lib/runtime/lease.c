#include "lib/runtime/lease.h"

#include <kube/json.h>
#include <kube/time.h>
#include <string.h>

#define MAX_NUMBER ((double)INT32_MAX) /* both are int32 in the API */

static int64_t number(const cJSON *lease, const char *path)
{
	const cJSON *value = kube_json_get(lease, path);

	if (!cJSON_IsNumber(value) || value->valuedouble < 0)
		return 0;
	return (int64_t)(value->valuedouble < MAX_NUMBER ? value->valuedouble : MAX_NUMBER);
}

const char *lease_holder(const cJSON *lease)
{
	const char *holder = kube_json_str(lease, "spec.holderIdentity");

	return holder ? holder : "";
}

int64_t lease_duration_ms(const cJSON *lease)
{
	return number(lease, "spec.leaseDurationSeconds") * 1000;
}

int64_t lease_transitions(const cJSON *lease)
{
	return number(lease, "spec.leaseTransitions");
}

bool lease_same_record(const cJSON *a, const cJSON *b)
{
	return cJSON_Compare(kube_json_get(a, "spec"), kube_json_get(b, "spec"), true);
}

/* acquired NULL: now. */
static bool set_spec(cJSON *lease, const struct lease_claim *claim, const char *acquired, int64_t transitions)
{
	char now[KUBE_TIME_TEXT_SIZE];
	kube_time_format_micro(claim->now_ms, now);
	cJSON_DeleteItemFromObjectCaseSensitive(lease, "spec");
	cJSON *spec = cJSON_AddObjectToObject(lease, "spec");
	return spec && cJSON_AddStringToObject(spec, "holderIdentity", claim->holder) &&
	       cJSON_AddNumberToObject(spec, "leaseDurationSeconds", (double)(claim->duration_ms / 1000)) &&
	       cJSON_AddStringToObject(spec, "acquireTime", acquired ? acquired : now) &&
	       cJSON_AddStringToObject(spec, "renewTime", now) &&
	       cJSON_AddNumberToObject(spec, "leaseTransitions", (double)transitions);
}

cJSON *lease_create_body(const char *namespace_, const char *name, const struct lease_claim *claim)
{
	cJSON *lease = cJSON_CreateObject();
	bool fine = lease && cJSON_AddStringToObject(lease, "apiVersion", "coordination.k8s.io/v1") &&
	            cJSON_AddStringToObject(lease, "kind", "Lease");
	cJSON *metadata = fine ? cJSON_AddObjectToObject(lease, "metadata") : NULL;
	if (metadata && cJSON_AddStringToObject(metadata, "namespace", namespace_) &&
	    cJSON_AddStringToObject(metadata, "name", name) && set_spec(lease, claim, NULL, 0))
		return lease;
	cJSON_Delete(lease);
	return NULL;
}

cJSON *lease_update_body(const cJSON *lease, const struct lease_claim *claim)
{
	bool comes = *claim->holder && strcmp(claim->holder, lease_holder(lease)) != 0;
	bool stays = *claim->holder && !comes;
	const char *acquired = stays ? kube_json_str(lease, "spec.acquireTime") : NULL;
	cJSON *body = cJSON_Duplicate(lease, true);
	/* acquired lives in the old document */
	if (body && set_spec(body, claim, acquired, lease_transitions(lease) + (comes ? 1 : 0)))
		return body;
	cJSON_Delete(body);
	return NULL;
}
