/*
 * The nodes' hosts: they run the job pods that stand on them, each in its own way.
 *
 * What a host does with a job is drawn when the job begins. A node that is not Ready does nothing, until it is.
 */
#include "test/sim/world.h"

#include <kube/client.h>
#include <kube/time.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum conduct {
	CONDUCT_SUCCEED,
	CONDUCT_FAIL,
	CONDUCT_HANG,      /* until its deadline */
	CONDUCT_LIE,       /* ends well and has changed nothing */
	CONDUCT_LAG,       /* the version shows some time later */
	CONDUCT_OTHER,     /* another version shows */
	CONDUCT_TWICE,     /* the container runs twice */
	CONDUCT_NOT_READY, /* the node is not Ready for a while after it */
	CONDUCT_REBOOT,    /* the node comes back with another bootID */
	CONDUCT_COUNT
};
static const char *const conduct_names[] = {
    "succeeds", "fails", "hangs", "lies", "lags", "shows another version", "runs twice", "takes its node down",
    "reboots"};

enum stage { STAGE_START, STAGE_RUN, STAGE_CHANGE, STAGE_BACK, STAGE_OVER };

struct job {
	struct job *prev, *next;
	struct hosts *hosts;
	char name[64], uid[40], node[16], node_uid[40], component[32], version[64], from[64];
	char step[16];
	bool changes; /* it brings its node to another version: neither prepare nor verify do */
	enum conduct conduct;
	enum stage stage;
	int runs;
	bool waits; /* for a Secret */
	int64_t deadline_s;
	struct kube_timer timer, deadline;
};

struct hosts {
	struct world *world;
	struct job *jobs;
	int mood; /* percent of jobs that do not simply succeed */
	unsigned boots;
};

static struct kube_env *env_of(const struct job *job)
{
	return kube_sim_env(job->hosts->world->sim);
}

static void forget(struct job *job)
{
	kube_timer_stop(env_of(job), &job->timer);
	kube_timer_stop(env_of(job), &job->deadline);
	DL_DELETE(job->hosts->jobs, job);
	free(job);
}

/* ---- what is there ---- */

static const cJSON *pod_of(const struct job *job)
{
	const cJSON *pod = kube_sim_api_get(job->hosts->world->api, &kube_pods, JOB_NAMESPACE, job->name);
	return pod && strcmp(text_at(pod, "metadata.uid"), job->uid) == 0 ? pod : NULL;
}

static const cJSON *node_of(const struct job *job)
{
	const cJSON *node = kube_sim_api_get(job->hosts->world->api, &kube_nodes, NULL, job->node);
	return node && strcmp(text_at(node, "metadata.uid"), job->node_uid) == 0 ? node : NULL;
}

static bool is_ready(const cJSON *node)
{
	const cJSON *condition = cJSON_GetArrayItem(kube_json_get(node, "status.conditions"), 0);
	return strcmp(text_at(condition, "status"), "True") == 0;
}

/* ---- what is written ---- */

static void patch_node(const struct job *job, const char *status)
{
	char target[128];

	snprintf(target, sizeof(target), NODES "/%s/status", job->node);
	kube_sim_api_do(job->hosts->world->api, "PATCH", target, KUBE_PATCH_MERGE, "{'status':{%s}}", status);
}

static void set_ready(const struct job *job, bool ready)
{
	char text[256], now[KUBE_TIME_TEXT_SIZE];

	snprintf(text, sizeof(text), "'conditions':[{'type':'Ready','status':'%s','lastTransitionTime':'%s'}]",
	         ready ? "True" : "False", kube_time_format(world_now_ms(job->hosts->world), now));
	patch_node(job, text);
}

/* Where nodes show the version of a component, and how. */
static const struct shown {
	const char *component, *member, *prefix, *other;
} shown[] = {
    {"ContainerRuntime", "containerRuntimeVersion", "containerd://", "1.6.99"},
    {"Kubelet", "kubeletVersion", "v", "1.33.2"},
    {"Kernel", "kernelVersion", "", "6.1.66"},
    {"Custom", NULL, "", "1.6.0"}, /* a label, or an annotation */
};

static const struct shown *shown_of(const struct job *job)
{
	size_t i = 0;
	while (i + 1 < KUBE_ARRAY_LEN(shown) && strcmp(shown[i].component, job->component) != 0)
		i++;
	return &shown[i];
}

static void set_version(const struct job *job)
{
	const struct shown *how = shown_of(job);
	char version[96], text[256], target[128];

	if (!job->changes)
		return;
	if (strcmp(job->step, "rollback") == 0)
		snprintf(version, sizeof(version), "%s", job->from);
	else
		snprintf(version, sizeof(version), "%s%s", how->prefix,
		         job->conduct == CONDUCT_OTHER ? how->other : job->version);
	if (how->member) {
		snprintf(text, sizeof(text), "'nodeInfo':{'%s':'%s'}", how->member, version);
		patch_node(job, text);
		return;
	}
	snprintf(target, sizeof(target), NODES "/%s", job->node);
	kube_sim_api_do(job->hosts->world->api, "PATCH", target, KUBE_PATCH_MERGE,
	                job->hosts->world->annotates ? "{'metadata':{'annotations':{'" FIRMWARE_SHOWN "':'%s'}}}"
	                                             : "{'metadata':{'labels':{'firmware':'%s'}}}",
	                version);
}

static void set_pod_status(const struct job *job, const char *status)
{
	char target[160];

	snprintf(target, sizeof(target), "/api/v1/namespaces/%s/pods/%s/status", JOB_NAMESPACE, job->name);
	kube_sim_api_do(job->hosts->world->api, "PATCH", target, KUBE_PATCH_MERGE, "{'status':{%s}}", status);
}

static void end_pod(const struct job *job, int exit_code, const char *reason)
{
	char text[256];

	snprintf(text, sizeof(text),
	         "'phase':'%s','reason':'%s','containerStatuses':[{'name':'job','state':{'terminated':{'exitCode':%d}}}]",
	         exit_code ? "Failed" : "Succeeded", reason, exit_code);
	set_pod_status(job, text);
}

/* ---- the timeline ---- */

static void next_stage(struct kube_timer *timer, void *arg);

static void after(struct job *job, enum stage stage, int64_t ms)
{
	job->stage = stage;
	kube_timer_start(env_of(job), &job->timer, ms, next_stage, job);
}

static int64_t some_seconds(struct job *job, int64_t most)
{
	return draw_between(job->hosts->world, 200, most * 1000);
}

static void on_deadline(struct kube_timer *timer, void *arg)
{
	struct job *job = arg;
	const cJSON *node = node_of(job);

	(void)timer;
	if (node && !is_ready(node)) {
		kube_timer_start(env_of(job), &job->deadline, 5000, on_deadline, job);
		return;
	}
	if (node && pod_of(job) && job->stage <= STAGE_RUN) {
		end_pod(job, 137, "DeadlineExceeded");
		forget(job);
	}
}

static void start_deadline(struct job *job)
{
	kube_timer_start(env_of(job), &job->deadline, job->deadline_s * 1000, on_deadline, job);
}

static const char *missing_secret(const struct job *job, const cJSON *pod)
{
	const cJSON *volume;

	cJSON_ArrayForEach (volume, kube_json_get(pod, "spec.volumes")) {
		const char *name = text_at(volume, "secret.secretName");
		if (*name && !secret_there(job->hosts->world, JOB_NAMESPACE, name))
			return name;
	}
	return NULL;
}

/* A kubelet mounts before it starts the container, and tries again until the deadline. Somebody may see to it. */
static bool waits_for_secret(struct job *job, const cJSON *pod)
{
	const char *name = missing_secret(job, pod);

	if (!name)
		return false;
	if (!job->waits)
		start_deadline(job);
	if (draw_rare(job->hosts->world, job->hosts->world->calm ? 100 : job->waits ? 5 : 50))
		secret_put(job->hosts->world, JOB_NAMESPACE, name, "");
	job->waits = true;
	after(job, STAGE_START, 5000);
	return true;
}

static void start(struct job *job)
{
	set_pod_status(job, "'phase':'Running'");
	if (!job->waits)
		start_deadline(job);
	after(job, STAGE_RUN, some_seconds(job, 20));
}

static void finish_run(struct job *job)
{
	switch (job->conduct) {
	case CONDUCT_FAIL:
		if (draw_chance(job->hosts->world, 50))
			set_version(job);
		end_pod(job, 1, "Error");
		forget(job);
		return;
	case CONDUCT_HANG: return; /* the deadline ends it */
	case CONDUCT_LIE:
		end_pod(job, 0, "Completed");
		forget(job);
		return;
	case CONDUCT_LAG:
		end_pod(job, 0, "Completed");
		after(job, STAGE_CHANGE, some_seconds(job, 100));
		return;
	case CONDUCT_TWICE:
		set_version(job);
		if (++job->runs < 2) {
			after(job, STAGE_RUN, some_seconds(job, 20));
			return;
		}
		break;
	case CONDUCT_NOT_READY:
	case CONDUCT_REBOOT:
		set_ready(job, false);
		after(job, STAGE_BACK, some_seconds(job, 120));
		return;
	case CONDUCT_SUCCEED:
	case CONDUCT_OTHER:
	case CONDUCT_COUNT: break;
	}
	set_version(job);
	end_pod(job, 0, "Completed");
	forget(job);
}

/* The node is up again, and so is what ran on it: a pod's container goes on when only the kubelet was away. */
static void come_back(struct job *job)
{
	char text[64];

	set_version(job);
	if (job->conduct == CONDUCT_REBOOT) {
		snprintf(text, sizeof(text), "'nodeInfo':{'bootID':'boot-again-%u'}", ++job->hosts->boots);
		patch_node(job, text);
	}
	set_ready(job, true);
	if (pod_of(job))
		end_pod(job, 0, "Completed");
	forget(job);
}

static void next_stage(struct kube_timer *timer, void *arg)
{
	struct job *job = arg;
	const cJSON *node = node_of(job), *pod = pod_of(job);

	(void)timer;
	if (!node || (!pod && job->stage != STAGE_CHANGE && job->stage != STAGE_BACK)) {
		forget(job);
		return;
	}
	if (!is_ready(node) && job->stage != STAGE_BACK) {
		after(job, job->stage, 1000);
		return;
	}
	/* Also one that never started: its kubelet gives it an end before it lets it go. */
	if (pod && job->stage <= STAGE_RUN && kube_json_get(pod, "metadata.deletionTimestamp")) {
		end_pod(job, 137, "Error");
		forget(job);
		return;
	}
	switch (job->stage) {
	case STAGE_START:
		if (!waits_for_secret(job, pod))
			start(job);
		break;
	case STAGE_RUN: finish_run(job); break;
	case STAGE_CHANGE:
		set_version(job);
		forget(job);
		break;
	case STAGE_BACK: come_back(job); break;
	case STAGE_OVER: break;
	}
}

/* ---- a job comes ---- */

static void copy_variable(const cJSON *pod, const char *name, char *out, size_t size)
{
	const cJSON *container = cJSON_GetArrayItem(kube_json_get(pod, "spec.containers"), 0), *variable;

	cJSON_ArrayForEach (variable, kube_json_get(container, "env"))
		if (strcmp(text_at(variable, "name"), name) == 0)
			snprintf(out, size, "%s", text_at(variable, "value"));
}

static bool is_to_reboot(const cJSON *pod)
{
	const cJSON *container = cJSON_GetArrayItem(kube_json_get(pod, "spec.containers"), 0);
	return cJSON_GetArraySize(kube_json_get(container, "args")) > 0;
}

static enum conduct draw_conduct(struct hosts *hosts, const cJSON *pod)
{
	if (!draw_chance(hosts->world, hosts->mood))
		return is_to_reboot(pod) ? CONDUCT_REBOOT : CONDUCT_SUCCEED;
	return (enum conduct)draw_between(hosts->world, CONDUCT_FAIL, CONDUCT_COUNT - 1);
}

static void begin(struct hosts *hosts, const cJSON *pod)
{
	const char *node = text_at(pod, "spec.nodeName");
	const cJSON *json = kube_sim_api_get(hosts->world->api, &kube_nodes, NULL, node);
	struct job *job = calloc(1, sizeof(*job));
	const cJSON *labels = kube_json_get(pod, "metadata.labels");

	job->hosts = hosts;
	snprintf(job->name, sizeof(job->name), "%s", text_at(pod, "metadata.name"));
	snprintf(job->uid, sizeof(job->uid), "%s", text_at(pod, "metadata.uid"));
	snprintf(job->node, sizeof(job->node), "%s", node);
	snprintf(job->node_uid, sizeof(job->node_uid), "%s", json ? text_at(json, "metadata.uid") : "");
	copy_variable(pod, "PATCHWRIGHT_COMPONENT", job->component, sizeof(job->component));
	copy_variable(pod, "PATCHWRIGHT_VERSION", job->version, sizeof(job->version));
	copy_variable(pod, "PATCHWRIGHT_FROM_VERSION", job->from, sizeof(job->from));
	snprintf(job->step, sizeof(job->step), "%s", cJSON_GetObjectItemCaseSensitive(labels, PW_LABEL_STEP)->valuestring);
	job->changes = strcmp(job->step, "job") == 0 || strcmp(job->step, "rollback") == 0;
	const cJSON *deadline = kube_json_get(pod, "spec.activeDeadlineSeconds");
	job->deadline_s = deadline ? (int64_t)deadline->valuedouble : INT32_MAX;
	job->conduct = draw_conduct(hosts, pod);
	hosts->world->jobs++;
	world_trace(hosts->world, "host %s: job %s (%s) %s", job->node, job->name, job->step, conduct_names[job->conduct]);
	DL_APPEND(hosts->jobs, job);
	after(job, STAGE_START, some_seconds(job, 4));
}

static void on_changed(void *arg, const struct kube_sim_change *change)
{
	if (change->resource == &kube_pods && !change->old_json && is_job_pod(change->new_json))
		begin(arg, change->new_json);
}

struct hosts *hosts_new(struct world *world)
{
	struct hosts *hosts = calloc(1, sizeof(*hosts));

	hosts->world = world;
	hosts->mood = world->calm || draw_chance(world, 30) ? 0 : (int)draw_between(world, 1, 40);
	kube_sim_api_add_hooks(world->api, &(struct kube_sim_api_hooks){.changed = on_changed, .arg = hosts});
	return hosts;
}

void hosts_free(struct hosts *hosts)
{
	if (!hosts)
		return;
	while (hosts->jobs)
		forget(hosts->jobs);
	free(hosts);
}
