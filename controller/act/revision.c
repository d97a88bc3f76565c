/* A page of the plan or of the ledger: an immutable ControllerRevision, owned by its rollout. */
#include "controller/act/bodies.h"
#include "controller/status/status.h"

cJSON *revision_body(const char *name, const char *namespace_, const struct rollout *rollout, bool ledger,
                     int64_t number, cJSON *data)
{
	cJSON *body = body_of(&kube_controller_revisions);
	cJSON *metadata = body_object(body, "metadata");
	body_string(metadata, "name", name);
	body_string(metadata, "namespace", namespace_);
	cJSON *labels = body_object(metadata, "labels");
	body_string(labels, PW_LABEL_ROLLOUT, rollout->object.name);
	body_string(labels, PW_LABEL_PAGE, ledger ? "ledger" : "plan");
	body_owner(metadata, &pw_rollouts, rollout->object.name, rollout->object.uid);
	body_int(body, "revision", number);
	body_add(body, "data", data);
	return body;
}

cJSON *ledger_data(const struct decision *const *decisions, size_t count)
{
	cJSON *data = body_new();
	cJSON *list = body_array(data, "decisions");
	for (size_t i = 0; i < count; i++)
		body_add(list, NULL, decision_json(decisions[i]));
	return data;
}
