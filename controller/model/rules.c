/* The governing part of a policy, decoded with the defaults of crds/patchpolicies.yaml. */
#include "controller/model/channel.h"
#include "controller/model/internal.h"
#include "controller/model/names.h"

#include <string.h>

#define MINUTE_MS INT64_C(60000)

const char *const component_names[] = {"Kubelet", "ContainerRuntime", "Kernel", "OperatingSystem", "Custom", NULL};

static const char *const observed_words[] = {"", "NodeInfo", "Label", "Annotation", NULL};
static const char *const node_info_words[] = {"kubeletVersion", "containerRuntimeVersion", "kernelVersion", "osImage",
                                              NULL};

/* A union fails closed: a member that this version does not know is no member. */
static int decode_target_type(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	(void)field, (void)arena;
	if (cJSON_IsString(value) && strcmp(value->valuestring, "Nodes") == 0)
		return 0;
	return kube_fail(err, KUBE_E_PARSE, "expected Nodes");
}

static int decode_resources(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	if (!cJSON_IsObject(value))
		return kube_fail(err, KUBE_E_PARSE, "expected an object with limits and requests");
	_cleanup_free_ char *text = kube_json_canonical(value);
	const char *copy = kube_arena_strdup(arena, text);
	if (!copy)
		return meta_out_of_memory(err);
	*(const char **)field = copy;
	return 0;
}

static const struct kube_json_field env_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = offsetof(struct env_var, name), .required = true},
    {.name = "value", .type = KUBE_JSON_STRING, .offset = offsetof(struct env_var, value)},
    KUBE_JSON_END,
};

static const struct kube_json_field secret_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = offsetof(struct job_secret, name), .required = true},
    {.name = "path", .type = KUBE_JSON_STRING, .offset = offsetof(struct job_secret, path), .required = true},
    KUBE_JSON_END,
};

static const struct kube_json_field job_table[] = {
    {.name = "image", .type = KUBE_JSON_STRING, .offset = offsetof(struct job_template, image), .required = true},
    {.name = "command", .type = KUBE_JSON_STRLIST, .offset = offsetof(struct job_template, command)},
    {.name = "args", .type = KUBE_JSON_STRLIST, .offset = offsetof(struct job_template, args)},
    {.name = "env",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct job_template, env),
     .table = env_table,
     .size = sizeof(struct env_var)},
    {.name = "secrets",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct job_template, secrets),
     .table = secret_table,
     .size = sizeof(struct job_secret)},
    {.name = "retries", .type = KUBE_JSON_INT, .offset = offsetof(struct job_template, retries)},
    {.name = "hostPath", .type = KUBE_JSON_STRING, .offset = offsetof(struct job_template, host_path)},
    {.name = "privileged", .type = KUBE_JSON_BOOL, .offset = offsetof(struct job_template, privileged)},
    {.name = "timeout", .type = KUBE_JSON_DURATION, .offset = offsetof(struct job_template, timeout_ms)},
    {.name = "resources",
     .type = KUBE_JSON_CUSTOM,
     .offset = offsetof(struct job_template, resources),
     .decode = decode_resources},
    KUBE_JSON_END,
};

static const struct kube_json_field observed_table[] = {
    {.name = "type",
     .type = KUBE_JSON_ENUM,
     .offset = offsetof(struct observed, type),
     .required = true,
     .words = observed_words},
    {.name = "nodeInfo",
     .type = KUBE_JSON_ENUM,
     .offset = offsetof(struct observed, node_info),
     .words = node_info_words},
    {.name = "label", .type = KUBE_JSON_STRING, .offset = offsetof(struct observed, label)},
    {.name = "annotation", .type = KUBE_JSON_STRING, .offset = offsetof(struct observed, annotation)},
    KUBE_JSON_END,
};

static const struct kube_json_field reboot_table[] = {
    {.name = "expected", .type = KUBE_JSON_BOOL, .offset = offsetof(struct patch, reboot_expected)},
    {.name = "timeout", .type = KUBE_JSON_DURATION, .offset = offsetof(struct patch, reboot_timeout_ms)},
    KUBE_JSON_END,
};

static const struct kube_json_field patch_table[] = {
    {.name = "component",
     .type = KUBE_JSON_ENUM,
     .offset = offsetof(struct patch, component),
     .required = true,
     .words = component_names},
    {.name = "version", .type = KUBE_JSON_STRING, .offset = offsetof(struct patch, version)},
    {.name = "channel",
     .type = KUBE_JSON_POINTER,
     .offset = offsetof(struct patch, channel),
     .table = channel_table,
     .size = sizeof(struct channel)},
    {.name = "minimumAge", .type = KUBE_JSON_DURATION, .offset = offsetof(struct patch, minimum_age_ms)},
    {.name = "supportedFrom", .type = KUBE_JSON_STRLIST, .offset = offsetof(struct patch, supported_from)},
    {.name = "allowDowngrade", .type = KUBE_JSON_BOOL, .offset = offsetof(struct patch, allow_downgrade)},
    {.name = "observed", .type = KUBE_JSON_OBJECT, .offset = offsetof(struct patch, observed), .table = observed_table},
    {.name = "observeTimeout", .type = KUBE_JSON_DURATION, .offset = offsetof(struct patch, observe_timeout_ms)},
    {.name = "job",
     .type = KUBE_JSON_OBJECT,
     .offset = offsetof(struct patch, job),
     .required = true,
     .table = job_table},
    {.name = "prepare",
     .type = KUBE_JSON_POINTER,
     .offset = offsetof(struct patch, prepare),
     .table = job_table,
     .size = sizeof(struct job_template)},
    {.name = "verify",
     .type = KUBE_JSON_POINTER,
     .offset = offsetof(struct patch, verify),
     .table = job_table,
     .size = sizeof(struct job_template)},
    {.name = "reboot", .type = KUBE_JSON_OBJECT, .table = reboot_table},
    {.name = "rollback",
     .type = KUBE_JSON_POINTER,
     .offset = offsetof(struct patch, rollback),
     .table = job_table,
     .size = sizeof(struct job_template)},
    KUBE_JSON_END,
};

/* The nesting of spec is flattened: these objects stand for parts of the same struct rules. */
static const struct kube_json_field nodes_table[] = {
    {.name = "selector",
     .type = KUBE_JSON_OBJECT,
     .offset = offsetof(struct rules, selector),
     .required = true,
     .table = kube_selector_table},
    KUBE_JSON_END,
};

static const struct kube_json_field target_table[] = {
    {.name = "type", .type = KUBE_JSON_CUSTOM, .decode = decode_target_type},
    {.name = "nodes", .type = KUBE_JSON_OBJECT, .required = true, .table = nodes_table},
    KUBE_JSON_END,
};

static const struct kube_json_field rollback_table[] = {
    {.name = "timeout", .type = KUBE_JSON_DURATION, .offset = offsetof(struct rules, rollback_timeout_ms)},
    KUBE_JSON_END,
};

static const struct kube_json_field rules_table[] = {
    {.name = "target", .type = KUBE_JSON_OBJECT, .required = true, .table = target_table},
    {.name = "patches",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct rules, patches),
     .required = true,
     .table = patch_table,
     .size = sizeof(struct patch)},
    {.name = "strategy", .type = KUBE_JSON_OBJECT, .table = strategy_table},
    {.name = "drain", .type = KUBE_JSON_OBJECT, .offset = offsetof(struct rules, drain), .table = drain_table},
    {.name = "rollback", .type = KUBE_JSON_OBJECT, .table = rollback_table},
    {.name = "windows",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct rules, windows),
     .table = window_table,
     .size = sizeof(struct window_spec)},
    {.name = "freezes",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct rules, freezes),
     .table = freeze_table,
     .size = sizeof(struct freeze_spec)},
    {.name = "gates",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct rules, gates),
     .table = gate_table,
     .size = sizeof(struct gate_spec)},
    {.name = "approval",
     .type = KUBE_JSON_OBJECT,
     .offset = offsetof(struct rules, approval),
     .table = approval_rules_table},
    {.name = "emergency",
     .type = KUBE_JSON_OBJECT,
     .offset = offsetof(struct rules, emergency),
     .table = emergency_rules_table},
    KUBE_JSON_END,
};

static void default_job(const cJSON *item, struct job_template *job)
{
	if (!kube_json_get(item, "hostPath"))
		job->host_path = "/host";
	if (!kube_json_get(item, "privileged"))
		job->privileged = true;
	if (!kube_json_get(item, "timeout"))
		job->timeout_ms = 15 * MINUTE_MS;
	for (size_t i = 0; i < job->env.count; i++)
		if (!job->env.items[i].value)
			job->env.items[i].value = "";
}

static void default_jobs(const cJSON *item, struct patch *patch)
{
	default_job(kube_json_get(item, "job"), &patch->job);
	if (patch->prepare)
		default_job(kube_json_get(item, "prepare"), patch->prepare);
	if (patch->verify)
		default_job(kube_json_get(item, "verify"), patch->verify);
	if (patch->rollback)
		default_job(kube_json_get(item, "rollback"), patch->rollback);
}

/* Where the kubelet reports a component's version. */
static void default_observed(struct patch *patch)
{
	static const int info[] = {
	    [COMPONENT_KUBELET] = NODE_INFO_KUBELET,
	    [COMPONENT_CONTAINER_RUNTIME] = NODE_INFO_CONTAINER_RUNTIME,
	    [COMPONENT_KERNEL] = NODE_INFO_KERNEL,
	    [COMPONENT_OPERATING_SYSTEM] = NODE_INFO_OS_IMAGE,
	};
	if (patch->component != COMPONENT_CUSTOM)
		patch->observed = (struct observed){.type = OBSERVED_NODE_INFO, .node_info = info[patch->component]};
}

static int check_observed(const cJSON *item, const struct observed *observed, size_t index, struct kube_err *err)
{
	static const char *const members[] = {
	    [OBSERVED_DEFAULT] = "type",
	    [OBSERVED_NODE_INFO] = "nodeInfo",
	    [OBSERVED_LABEL] = "label",
	    [OBSERVED_ANNOTATION] = "annotation",
	};
	const char *member = members[observed->type];

	if (observed->type != OBSERVED_DEFAULT && kube_json_get(item, member))
		return 0;
	return kube_fail(err, KUBE_E_PARSE, "patches[%zu].observed.%s: required, but absent", index, member);
}

static bool is_applied_note(const char *annotation)
{
	return strncmp(annotation, PW_ANNOTATION_APPLIED, strlen(PW_ANNOTATION_APPLIED)) == 0;
}

/* Either the version or who says it. */
static int complete_version(struct patch *patch, size_t index, struct kube_arena *arena, struct kube_err *err)
{
	if (patch->version && patch->channel)
		return kube_fail(err, KUBE_E_PARSE, "patches[%zu]: version and channel exclude each other", index);
	if (!patch->version && !patch->channel)
		return kube_fail(err, KUBE_E_PARSE, "patches[%zu].version: required, but absent", index);
	return patch->channel ? channel_complete(patch->channel, index, arena, err) : 0;
}

/* Lists are decoded into zeroed items, so what is absent in an item is set afterwards. */
static int default_patches(const cJSON *spec, struct rules *rules, struct kube_arena *arena, struct kube_err *err)
{
	const cJSON *item;
	size_t index = 0;

	cJSON_ArrayForEach (item, kube_json_get(spec, "patches")) {
		struct patch *patch = &rules->patches.items[index];
		const cJSON *observed = kube_json_get(item, "observed");
		int rc = complete_version(patch, index, arena, err);
		if (!rc && observed)
			rc = check_observed(observed, &patch->observed, index, err);
		if (rc)
			return rc;
		if (!observed)
			default_observed(patch);
		patch->applied = patch->observed.type == OBSERVED_ANNOTATION && is_applied_note(patch->observed.annotation);
		if (!kube_json_get(item, "observeTimeout"))
			patch->observe_timeout_ms = 5 * MINUTE_MS;
		if (!kube_json_get(item, "reboot.timeout"))
			patch->reboot_timeout_ms = 30 * MINUTE_MS;
		default_jobs(item, patch);
		index++;
	}
	return 0;
}

static int check_limits(const struct rules *rules, struct kube_err *err)
{
	if (rules->patches.count == 0 || rules->patches.count > MAX_PATCHES)
		return kube_fail(err, KUBE_E_LIMIT, "patches: %zu entries, expected 1 to %d", rules->patches.count,
		                 MAX_PATCHES);
	return 0;
}

int rules_decode(const cJSON *spec, struct rules *ret_rules, struct kube_arena *arena, struct kube_err *err)
{
	struct rules rules = {
	    .drain = drain_defaults(),
	    .rollback_timeout_ms = 30 * MINUTE_MS,
	    .approval = approval_rules_defaults(),
	    .emergency = emergency_rules_defaults(),
	};
	strategy_init(&rules);
	int rc = kube_json_decode(spec, rules_table, &rules, arena, err);
	if (!rc)
		rc = check_limits(&rules, err);
	if (!rc)
		rc = default_patches(spec, &rules, arena, err);
	if (!rc)
		rc = strategy_default(kube_json_get(spec, "strategy"), &rules, arena, err);
	if (!rc)
		rc = windows_complete(spec, &rules, err);
	if (!rc)
		rc = gates_complete(spec, &rules, err);
	if (!rc)
		*ret_rules = rules;
	return rc;
}
