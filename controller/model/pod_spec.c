/* k8s.io/api/core/v1/generated.proto PodSpec and what is in it: volumes, requests, and where the pod may run. */
#include "controller/model/pod_spec.h"

#include <string.h>

static const struct kube_json_field nothing_table[] = {KUBE_JSON_END};

static const struct kube_json_field claim_table[] = {
    {.name = "claimName",
     .number = 1,
     .type = KUBE_JSON_STRING,
     .offset = offsetof(struct volume_part, claim),
     .lenient = true},
    KUBE_JSON_END,
};

#define PRESENCE(its_name, its_number, member) \
	{ \
		.name = (its_name), .number = (its_number), .type = KUBE_JSON_POINTER, \
		.offset = offsetof(struct volume_part, member), .lenient = true, .table = nothing_table, \
		.size = sizeof(struct nothing) \
	}
#define CLAIM(its_number) \
	{ \
		.name = "persistentVolumeClaim", .number = (its_number), .type = KUBE_JSON_OBJECT, .lenient = true, \
		.table = claim_table \
	}
/* VolumeSource is a message of its own, which JSON inlines. */
static const struct kube_json_field volume_source_table[] = {
    PRESENCE("emptyDir", 2, empty_dir),
    CLAIM(10),
    PRESENCE("ephemeral", 29, ephemeral),
    KUBE_JSON_END,
};
static const struct kube_json_field volume_table[] = {
    {.name = "name",
     .number = 1,
     .type = KUBE_JSON_STRING,
     .offset = offsetof(struct volume_part, name),
     .lenient = true},
    PRESENCE("emptyDir", 0, empty_dir),
    CLAIM(0),
    PRESENCE("ephemeral", 0, ephemeral),
    {.name = "volumeSource", .number = 2, .type = KUBE_JSON_OBJECT, .table = volume_source_table},
    KUBE_JSON_END,
};

static const struct kube_json_field container_resources_table[] = {
    RESOURCE_LIST("requests", 2, offsetof(struct container_needs, requests)),
    KUBE_JSON_END,
};
static const struct kube_json_field container_table[] = {
    {.name = "resources", .number = 8, .type = KUBE_JSON_OBJECT, .lenient = true, .table = container_resources_table},
    {.name = "restartPolicy",
     .number = 24,
     .type = KUBE_JSON_STRING,
     .offset = offsetof(struct container_needs, restart_policy),
     .lenient = true},
    KUBE_JSON_END,
};

#define IN(member) offsetof(struct toleration, member)
static const struct kube_json_field toleration_table[] = {
    {.name = "key", .number = 1, .type = KUBE_JSON_STRING, .offset = IN(key), .lenient = true},
    {.name = "operator", .number = 2, .type = KUBE_JSON_STRING, .offset = IN(operator_), .lenient = true},
    {.name = "value", .number = 3, .type = KUBE_JSON_STRING, .offset = IN(value), .lenient = true},
    {.name = "effect", .number = 4, .type = KUBE_JSON_STRING, .offset = IN(effect), .lenient = true},
    KUBE_JSON_END,
};
#undef IN

#define AT(member) offsetof(struct pod_spec_parts, member)
#define CONTAINERS(its_name, its_number, member) \
	{ \
		.name = (its_name), .number = (its_number), .type = KUBE_JSON_LIST, .offset = AT(member), .lenient = true, \
		.table = container_table, .size = sizeof(struct container_needs) \
	}
static const struct kube_json_field pod_resources_table[] = {
    RESOURCE_LIST("requests", 2, AT(requests)),
    KUBE_JSON_END,
};
const struct kube_json_field pod_spec_table[] = {
    {.name = "volumes",
     .number = 1,
     .type = KUBE_JSON_LIST,
     .offset = AT(volumes),
     .lenient = true,
     .table = volume_table,
     .size = sizeof(struct volume_part)},
    CONTAINERS("containers", 2, containers),
    {.name = "nodeSelector", .number = 7, .type = KUBE_JSON_STRMAP, .offset = AT(node_selector), .lenient = true},
    {.name = "nodeName", .number = 10, .type = KUBE_JSON_STRING, .offset = AT(node_name)},
    CONTAINERS("initContainers", 20, init_containers),
    {.name = "tolerations",
     .number = 22,
     .type = KUBE_JSON_LIST,
     .offset = AT(tolerations),
     .lenient = true,
     .table = toleration_table,
     .size = sizeof(struct toleration)},
    RESOURCE_LIST("overhead", 32, AT(overhead)),
    {.name = "resources", .number = 40, .type = KUBE_JSON_OBJECT, .lenient = true, .table = pod_resources_table},
    KUBE_JSON_END,
};
#undef AT

/* ---- volumes ---- */

static bool has_empty_dir(const struct pod_spec_parts *parts)
{
	for (size_t i = 0; i < parts->volumes.count; i++)
		if (parts->volumes.items[i].empty_dir)
			return true;
	return false;
}

static bool claims(const struct volume_part *volume)
{
	return volume->claim || (volume->ephemeral && volume->name);
}

/* K8S pkg/controller/volume/ephemeral: the claim of an ephemeral volume is named <pod>-<volume>. */
static int make_claims(const struct pod_spec_parts *parts, struct kube_arena *arena, struct pod *pod)
{
	size_t count = 0;

	for (size_t i = 0; i < parts->volumes.count; i++)
		count += claims(&parts->volumes.items[i]);
	if (count == 0)
		return 0;
	const char **names = kube_arena_calloc(arena, count + 1, sizeof(*names));
	if (!names)
		return KUBE_E_NOMEM;
	pod->claims = names;
	for (size_t i = 0; i < parts->volumes.count; i++) {
		const struct volume_part *volume = &parts->volumes.items[i];
		if (!claims(volume))
			continue;
		*names = volume->claim ? kube_arena_strdup(arena, volume->claim)
		                       : kube_arena_printf(arena, "%s-%s", pod->object.name, volume->name);
		if (!*names++)
			return KUBE_E_NOMEM;
	}
	return 0;
}

/* ---- requests ---- */

static struct resources plus(struct resources a, struct resources b)
{
	return (struct resources){.cpu_m = a.cpu_m + b.cpu_m, .memory = a.memory + b.memory};
}

static struct resources larger(struct resources a, struct resources b)
{
	return (struct resources){.cpu_m = a.cpu_m > b.cpu_m ? a.cpu_m : b.cpu_m,
	                          .memory = a.memory > b.memory ? a.memory : b.memory};
}

/* K8S component-helpers/resource PodRequests(): init containers run one after the other, beside the sidecars that were
 * started before; then the containers run, beside all sidecars. */
static struct resources requests(const struct pod_spec_parts *parts)
{
	struct resources sidecars = {0}, peak = {0}, sum = {0};

	for (size_t i = 0; i < parts->init_containers.count; i++) {
		const struct container_needs *container = &parts->init_containers.items[i];
		struct resources own = resources_of(&container->requests);
		bool sidecar = container->restart_policy && strcmp(container->restart_policy, "Always") == 0;
		if (sidecar)
			sidecars = plus(sidecars, own);
		peak = larger(peak, sidecar ? sidecars : plus(sidecars, own));
	}
	for (size_t i = 0; i < parts->containers.count; i++)
		sum = plus(sum, resources_of(&parts->containers.items[i].requests));
	struct resources all = larger(plus(sum, sidecars), peak), pod = resources_of(&parts->requests);
	if (pod.cpu_m > 0)
		all.cpu_m = pod.cpu_m;
	if (pod.memory > 0)
		all.memory = pod.memory;
	return plus(all, resources_of(&parts->overhead));
}

static uint32_t clamp(int64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* ---- where it may run ---- */

/* The admission controller gives these to every pod, for a while only. */
static bool is_common(const struct toleration *toleration)
{
	return toleration->key && (strcmp(toleration->key, "node.kubernetes.io/not-ready") == 0 ||
	                           strcmp(toleration->key, "node.kubernetes.io/unreachable") == 0);
}

static bool copy_text(const char **text, struct kube_arena *arena)
{
	*text = kube_arena_strdup(arena, *text ? *text : "");
	return *text != NULL;
}

static int copy_tolerations(const struct pod_spec_parts *parts, struct kube_arena *arena, struct pod_place *place)
{
	place->tolerations.items = kube_arena_calloc(arena, parts->tolerations.count, sizeof(*place->tolerations.items));
	if (!place->tolerations.items)
		return KUBE_E_NOMEM;
	for (size_t i = 0; i < parts->tolerations.count; i++) {
		struct toleration *copy = &place->tolerations.items[place->tolerations.count];
		if (is_common(&parts->tolerations.items[i]))
			continue;
		*copy = parts->tolerations.items[i];
		if (!copy_text(&copy->key, arena) || !copy_text(&copy->operator_, arena) || !copy_text(&copy->value, arena) ||
		    !copy_text(&copy->effect, arena))
			return KUBE_E_NOMEM;
		place->tolerations.count++;
	}
	return 0;
}

/* Of a DaemonSet's pod nobody asks where else it could run. */
static int make_place(const struct pod_spec_parts *parts, struct kube_arena *arena, struct pod *pod)
{
	size_t tolerations = 0;

	for (size_t i = 0; i < parts->tolerations.count; i++)
		tolerations += !is_common(&parts->tolerations.items[i]);
	if ((tolerations == 0 && parts->node_selector.count == 0) || strcmp(pod->owner_kind, "DaemonSet") == 0)
		return 0;
	struct pod_place *place = kube_arena_alloc(arena, sizeof(*place));
	if (!place || kube_strmap_copy(&parts->node_selector, arena, &place->node_selector) != 0)
		return KUBE_E_NOMEM;
	pod->place = place;
	return copy_tolerations(parts, arena, place);
}

int pod_spec_make(const struct pod_spec_parts *parts, struct kube_arena *arena, struct pod *pod)
{
	struct resources needs = requests(parts);

	pod->empty_dir = has_empty_dir(parts);
	pod->cpu_m = clamp(needs.cpu_m);
	pod->memory_kib = clamp((needs.memory + 1023) / 1024);
	int rc = make_claims(parts, arena, pod);
	return rc ? rc : make_place(parts, arena, pod);
}
