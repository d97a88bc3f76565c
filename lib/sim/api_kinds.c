/* What the server knows of single kinds: the rules of their registries (K8S pkg/registry). */
#include "lib/sim/api.h"

#include <stdlib.h>
#include <string.h>

#define EMPTY_NODE_INFO \
	"\"nodeInfo\":{\"machineID\":\"\",\"systemUUID\":\"\",\"bootID\":\"\",\"kernelVersion\":\"\",\"osImage\":\"\"," \
	"\"containerRuntimeVersion\":\"\",\"kubeletVersion\":\"\",\"kubeProxyVersion\":\"\",\"operatingSystem\":\"\"," \
	"\"architecture\":\"\"}"

static const struct {
	const struct kube_resource *resource;
	struct api_rules rules;
} kinds[] = {
    {&kube_namespaces,
     {.any_version = true,
      .defaults = "{\"spec\":{\"finalizers\":[\"kubernetes\"]},\"status\":{\"phase\":\"Active\"}}",
      .fields = "status.phase"}},
    {&kube_nodes,
     {.any_version = true,
      .defaults =
          "{\"spec\":{},\"status\":{\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":0}}," EMPTY_NODE_INFO "}}",
      .fields = "spec.unschedulable"}},
    {&kube_pods,
     {.any_version = true,
      .resets_status = true,
      .returns_deleted = true,
      .defaults = "{\"spec\":{\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30},\"status\":{\"phase\":"
                  "\"Pending\"}}",
      .fields = "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork "
                "status.phase status.podIP status.nominatedNodeName"}},
    {&kube_pdbs,
     {.resets_status = true,
      .defaults =
          "{\"status\":{\"disruptionsAllowed\":0,\"currentHealthy\":0,\"desiredHealthy\":0,\"expectedPods\":0}}"}},
    {&kube_replica_sets,
     {.any_version = true,
      .resets_status = true,
      .fixed = "spec.selector",
      .defaults = "{\"spec\":{\"replicas\":1},\"status\":{\"replicas\":0}}",
      .fields = "status.replicas"}},
    {&kube_controller_revisions, {.any_version = true, .fixed = "data"}},
    {&kube_leases, {.put_creates = true, .defaults = "{\"spec\":{}}"}},
    {&kube_events,
     {.any_version = true,
      .put_creates = true,
      .fields = "regarding.kind regarding.namespace regarding.name regarding.uid reason reportingController type"}},
};

const struct api_rules *api_rules_of(const struct api_kind *kind)
{
	static const struct api_rules custom = {.resets_status = true}, none = {.any_version = true};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(kinds); i++)
		if (kinds[i].resource == kind->about.resource)
			return &kinds[i].rules;
	return kind->about.custom ? &custom : &none;
}

static void fill(cJSON *json, const cJSON *defaults)
{
	const cJSON *member;

	cJSON_ArrayForEach (member, defaults) {
		cJSON *is = cJSON_GetObjectItemCaseSensitive(json, member->string);
		if (!is || cJSON_IsNull(is))
			api_set(json, member->string, api_must(cJSON_Duplicate(member, true)));
		else if (cJSON_IsObject(is))
			fill(is, member);
	}
}

void api_fill_in(const struct api_kind *kind, cJSON *json)
{
	const char *text = api_rules_of(kind)->defaults;
	_cleanup_json_ cJSON *defaults = text ? api_must(cJSON_Parse(text)) : NULL;

	fill(json, defaults);
	if (kind->about.resource != &kube_namespaces)
		return;
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	cJSON *labels = cJSON_GetObjectItemCaseSensitive(metadata, "labels");
	if (!cJSON_IsObject(labels)) {
		api_set(metadata, "labels", cJSON_CreateObject());
		labels = cJSON_GetObjectItemCaseSensitive(metadata, "labels");
	}
	api_set(labels, "kubernetes.io/metadata.name", cJSON_CreateString(kube_json_str(metadata, "name")));
}

/* What is empty is not written at all: these fields are omitempty in the real types. */
void api_drop_empty(cJSON *json)
{
	static const char *const fields[][2] = {{"metadata", "annotations"}, {"metadata", "labels"},
	                                        {"metadata", "finalizers"},  {"metadata", "ownerReferences"},
	                                        {"spec", "taints"},          {"spec", "unschedulable"}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(fields); i++) {
		cJSON *parent = cJSON_GetObjectItemCaseSensitive(json, fields[i][0]);
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(parent, fields[i][1]);
		bool empty = cJSON_IsFalse(item) || cJSON_IsNull(item) || (item && !cJSON_IsBool(item) && !item->child);
		if (empty)
			api_set(parent, fields[i][1], NULL);
	}
}

/* ---- what stays as it was created ---- */

static cJSON *only_fixed_of_pod(const cJSON *json)
{
	static const char *const free_members[] = {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"};
	cJSON *spec = api_must(cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(json, "spec"), true)), *container;

	for (size_t i = 0; i < KUBE_ARRAY_LEN(free_members); i++)
		api_set(spec, free_members[i], NULL);
	cJSON_ArrayForEach (container, cJSON_GetObjectItemCaseSensitive(spec, "containers"))
		api_set(container, "image", NULL);
	return spec;
}

static bool same(const cJSON *a, const cJSON *b)
{
	return (!a && !b) || cJSON_Compare(a, b, true);
}

void api_check_fixed(const struct api_kind *kind, const cJSON *old, const cJSON *next, struct api_problems *problems)
{
	const char *fixed[] = {api_rules_of(kind)->fixed, kind->about.immutable};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(fixed); i++)
		if (fixed[i] && !same(kube_json_get(old, fixed[i]), kube_json_get(next, fixed[i])))
			api_problem(problems, "FieldValueInvalid", fixed[i], "Invalid value: field is immutable");
	if (kind->about.resource != &kube_pods || !kube_json_get(old, "spec") || !kube_json_get(next, "spec"))
		return;
	_cleanup_json_ cJSON *was = only_fixed_of_pod(old), *is = only_fixed_of_pod(next);
	if (!cJSON_Compare(was, is, true))
		api_problem(problems, "FieldValueForbidden", "spec",
		            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
		            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
		            "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
		            "previously negative)");
}
