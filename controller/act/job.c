/*
 * A job is a pod that is bound to its node without a scheduler and belongs to no job controller: both may be what has
 * to be repaired.
 */
#include "controller/act/bodies.h"
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

static bool has_digest(const char *image)
{
	static const char mark[] = "@sha256:";
	const char *at = strstr(image, mark);
	if (!at)
		return false;
	at += sizeof(mark) - 1;
	return strspn(at, "0123456789abcdef") == 64 && at[64] == '\0';
}

static int refuse(struct kube_err *err, const char *image, const char *why)
{
	kube_fail(err, KUBE_E_INVALID, "the job image \"%s\" %s", image, why);
	if (err)
		snprintf(err->reason, sizeof(err->reason), "ImageNotAllowed");
	return KUBE_E_INVALID;
}

int job_image_check(const char *image, const struct image_rules *rules, struct kube_err *err)
{
	bool matches = false;
	/* "*" stands for slashes too: a glob names a registry or a folder of it. */
	for (size_t i = 0; i < rules->count && !matches; i++)
		matches = fnmatch(rules->globs[i], image, FNM_NOESCAPE) == 0;
	if (!matches)
		return refuse(err, image, "matches none of --allowed-job-images: use an allowed one, or allow it there");
	if (!rules->allow_tags && !has_digest(image))
		return refuse(err, image,
		              "carries no digest, so it could change under way: name it as <image>@sha256:<64 hex digits>, or "
		              "start the controller with --allow-image-tags");
	return 0;
}

static void add_variable(cJSON *env, const char *name, const char *value)
{
	cJSON *variable = body_object(env, NULL);
	body_string(variable, "name", name);
	body_string(variable, "value", value ? value : "");
}

/* Of two variables with one name the kubelet takes the later: ours come last, so that a policy cannot feign them. */
static void add_env(cJSON *container, const struct job_create *job)
{
	cJSON *env = body_array(container, "env");
	for (size_t i = 0; i < job->job->env.count; i++)
		add_variable(env, job->job->env.items[i].name, job->job->env.items[i].value);
	char attempt[24];
	snprintf(attempt, sizeof(attempt), "%lld", (long long)job->attempt);
	add_variable(env, "PATCHWRIGHT_NODE", job->node);
	add_variable(env, "PATCHWRIGHT_COMPONENT", component_names[job->patch->component]);
	add_variable(env, "PATCHWRIGHT_VERSION", job->patch->version);
	add_variable(env, "PATCHWRIGHT_FROM_VERSION", job->from_version);
	add_variable(env, "PATCHWRIGHT_ROLLOUT", job->rollout->object.name);
	add_variable(env, "PATCHWRIGHT_WAVE", job->wave);
	add_variable(env, "PATCHWRIGHT_ATTEMPT", attempt);
}

/* The array of this name, made where there is none yet. */
static cJSON *body_list(cJSON *parent, const char *name)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(parent, name);
	return list ? list : body_array(parent, name);
}

static void add_host_path(cJSON *spec, cJSON *container, const char *path)
{
	if (!path || !*path)
		return;
	cJSON *volume = body_object(body_list(spec, "volumes"), NULL);
	body_string(volume, "name", "host");
	cJSON *host_path = body_object(volume, "hostPath");
	body_string(host_path, "path", "/");
	body_string(host_path, "type", "Directory");
	cJSON *mount = body_object(body_list(container, "volumeMounts"), NULL);
	body_string(mount, "name", "host");
	body_string(mount, "mountPath", path);
}

/* The controller never reads them: the kubelet mounts them, or says why it cannot. */
static void add_secrets(cJSON *spec, cJSON *container, const struct job_template *job)
{
	for (size_t i = 0; i < job->secrets.count; i++) {
		char name[32];
		snprintf(name, sizeof(name), "secret-%zu", i);
		cJSON *volume = body_object(body_list(spec, "volumes"), NULL);
		body_string(volume, "name", name);
		body_string(body_object(volume, "secret"), "secretName", job->secrets.items[i].name);
		cJSON *mount = body_object(body_list(container, "volumeMounts"), NULL);
		body_string(mount, "name", name);
		body_string(mount, "mountPath", job->secrets.items[i].path);
		body_bool(mount, "readOnly", true);
	}
}

static cJSON *container_body(const struct job_create *job)
{
	cJSON *container = body_new();
	body_string(container, "name", job->step);
	body_string(container, "image", job->job->image);
	body_strings(container, "command", &job->job->command);
	body_strings(container, "args", &job->job->args);
	add_env(container, job);
	if (job->job->resources)
		body_add(container, "resources", cJSON_Parse(job->job->resources));
	body_bool(body_object(container, "securityContext"), "privileged", job->job->privileged);
	body_string(container, "terminationMessagePolicy", "FallbackToLogsOnError");
	return container;
}

static void add_spec(cJSON *body, const struct job_create *job)
{
	cJSON *spec = body_object(body, "spec");
	body_string(spec, "nodeName", job->node);
	body_string(spec, "restartPolicy", "Never");
	body_int(spec, "activeDeadlineSeconds", (job->job->timeout_ms + 999) / 1000);
	body_bool(spec, "automountServiceAccountToken", false);
	body_bool(spec, "enableServiceLinks", false);
	body_string(spec, "priorityClassName", "system-node-critical");
	if (job->job->privileged)
		body_bool(spec, "hostPID", true);
	body_string(body_object(body_array(spec, "tolerations"), NULL), "operator", "Exists");
	cJSON *container = body_add(body_array(spec, "containers"), NULL, container_body(job));
	add_host_path(spec, container, job->job->host_path);
	add_secrets(spec, container, job->job);
}

cJSON *job_body(const struct job_create *job, const char *namespace_)
{
	cJSON *body = body_of(&kube_pods);
	cJSON *metadata = body_object(body, "metadata");
	body_string(metadata, "name", job->name);
	body_string(metadata, "namespace", namespace_);
	cJSON *labels = body_object(metadata, "labels");
	body_string(labels, PW_LABEL_STEP, job->step);
	body_string(labels, PW_LABEL_ROLLOUT_HASH, job->rollout->hash);
	cJSON *annotations = body_object(metadata, "annotations");
	body_string(annotations, PW_ANNOTATION_ROLLOUT, job->rollout->object.name);
	body_string(annotations, PW_ANNOTATION_NODE, job->node_uid);
	body_string(body_array(metadata, "finalizers"), NULL, PW_FINALIZER_JOB);
	add_spec(body, job);
	return body;
}
