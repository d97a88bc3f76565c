#include "controller/model/put.h"
#include "controller/status/internal.h"

#include <string.h>

int status_out_of_memory(struct kube_err *err)
{
	return kube_fail(err, KUBE_E_NOMEM, "out of memory while a status was put together");
}

/* kstatus reads the presence of these two, whatever they say. */
static bool only_when_true(const char *type)
{
	return strcmp(type, "Reconciling") == 0 || strcmp(type, "Stalled") == 0;
}

/* Of the two it reads whichever stands first: who needs help is not getting on by himself. */
static bool shown(const struct condition *wanted, const struct conditions *all)
{
	if (strcmp(wanted->type, "Reconciling") == 0 && condition_true(all, "Stalled"))
		return false;
	return wanted->status == CONDITION_TRUE || !only_when_true(wanted->type);
}

struct maker {
	cJSON *list;
	int64_t observed_generation, now_ms;
	size_t message_bytes;
};

static bool add(const struct maker *maker, const struct condition *wanted, const struct condition *existing)
{
	bool kept = existing && existing->status == wanted->status;
	cJSON *json = cJSON_CreateObject();
	bool ok = put_str(json, "type", wanted->type) && put_str(json, "status", condition_status_names[wanted->status]) &&
	          put_text(json, "reason", wanted->reason, CONDITION_REASON_BYTES) &&
	          put_text(json, "message", wanted->message, maker->message_bytes) &&
	          put_time(json, "lastTransitionTime", kept ? existing->last_transition_ms : maker->now_ms) &&
	          put_int(json, "observedGeneration", maker->observed_generation);
	if (ok)
		return put_entry(maker->list, json);
	cJSON_Delete(json);
	return false;
}

cJSON *conditions_json(const struct conditions *wanted, const struct conditions *existing, int64_t observed_generation,
                       int64_t now_ms, size_t message_bytes)
{
	const struct maker maker = {cJSON_CreateArray(), observed_generation, now_ms, message_bytes};
	bool ok = maker.list != NULL;

	for (size_t i = 0; ok && i < existing->count; i++) {
		const struct condition *now = condition_get(wanted, existing->items[i].type);
		if (now && shown(now, wanted))
			ok = add(&maker, now, &existing->items[i]);
	}
	for (size_t i = 0; ok && i < wanted->count; i++) {
		const struct condition *now = &wanted->items[i];
		if (shown(now, wanted) && !condition_get(existing, now->type))
			ok = add(&maker, now, NULL);
	}
	if (ok)
		return maker.list;
	cJSON_Delete(maker.list);
	return NULL;
}
