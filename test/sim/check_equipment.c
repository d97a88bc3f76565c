/* A job pod has what its policy gives it, and nothing more. */
#include "test/sim/check.h"

#include <string.h>

#define OWN_VARIABLES 7 /* PATCHWRIGHT_… */

static const cJSON *container_of(const cJSON *pod)
{
	return cJSON_GetArrayItem(kube_json_get(pod, "spec.containers"), 0);
}

static bool has_env(const cJSON *pod, const struct job_template *job)
{
	const cJSON *env = kube_json_get(container_of(pod), "env"), *variable;
	size_t own = 0, count = 0;

	cJSON_ArrayForEach (variable, env) {
		const struct env_var *given = count < job->env.count ? &job->env.items[count++] : NULL;
		const char *name = text_at(variable, "name");
		if (given && (strcmp(name, given->name) != 0 || strcmp(text_at(variable, "value"), given->value) != 0))
			return false;
		own += !given && strncmp(name, "PATCHWRIGHT_", strlen("PATCHWRIGHT_")) == 0;
	}
	return own == OWN_VARIABLES && (size_t)cJSON_GetArraySize(env) == own + job->env.count;
}

static const cJSON *mount_of(const cJSON *pod, const char *volume)
{
	const cJSON *mount;

	cJSON_ArrayForEach (mount, kube_json_get(container_of(pod), "volumeMounts"))
		if (strcmp(text_at(mount, "name"), volume) == 0)
			return mount;
	return NULL;
}

static bool is_given(const cJSON *volume, const cJSON *mount, const struct job_template *job)
{
	const char *path = text_at(mount, "mountPath"), *secret = text_at(volume, "secret.secretName");

	if (strcmp(text_at(volume, "hostPath.path"), "/") == 0)
		return *job->host_path && strcmp(path, job->host_path) == 0;
	for (size_t i = 0; i < job->secrets.count; i++)
		if (strcmp(job->secrets.items[i].name, secret) == 0 && strcmp(job->secrets.items[i].path, path) == 0)
			return cJSON_IsTrue(kube_json_get(mount, "readOnly"));
	return false;
}

static bool has_volumes(const cJSON *pod, const struct job_template *job)
{
	const cJSON *volumes = kube_json_get(pod, "spec.volumes"), *volume;
	const cJSON *mounts = kube_json_get(container_of(pod), "volumeMounts");
	size_t count = job->secrets.count + (*job->host_path != '\0');

	cJSON_ArrayForEach (volume, volumes)
		if (!is_given(volume, mount_of(pod, text_at(volume, "name")), job))
			return false;
	return (size_t)cJSON_GetArraySize(volumes) == count && (size_t)cJSON_GetArraySize(mounts) == count;
}

static bool is_as_privileged(const cJSON *pod, const struct job_template *job)
{
	bool privileged = cJSON_IsTrue(kube_json_get(container_of(pod), "securityContext.privileged"));
	bool host_pid = cJSON_IsTrue(kube_json_get(pod, "spec.hostPID"));

	return privileged == job->privileged && host_pid == job->privileged && !kube_json_get(pod, "spec.hostNetwork") &&
	       !kube_json_get(pod, "spec.hostIPC");
}

void check_equipment(struct checks *checks, const cJSON *pod, const struct job_template *job)
{
	const char *odd = !has_env(pod, job)            ? "environment"
	                  : !has_volumes(pod, job)      ? "volumes"
	                  : !is_as_privileged(pod, job) ? "privileges"
	                                                : NULL;

	if (odd)
		world_fail(checks->world, "job pod %s has not the %s that its policy says", text_at(pod, "metadata.name"), odd);
}
