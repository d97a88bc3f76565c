#include "test/fleet/agent.h"
#include "test/fleet/behaviour.h"
#include "test/fleet/objects.h"
#include <kube/log.h>
#include <kube/time.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define SIMULATED "kwok.x-k8s.io/node"
#define BEHAVE "fleet.patchwright.io/behave"
#define READY "fleet.patchwright.io/ready"
#define REBOOT_MS 1000
#define MAX_OBJECTS 200000

/* A job pod in play. Each stage ends in calls, whose answer leads to the next one. */
enum stage {
	STAGE_STARTING,
	STAGE_RUNNING,
	STAGE_SILENT, /* the host goes down: the simulation's heartbeats are stopped first … */
	STAGE_DOWN,   /* … then the node is NotReady */
	STAGE_BOOTING,
	STAGE_UP, /* new bootID, Ready */
	STAGE_HEARTBEAT,
	STAGE_CHANGING, /* the version */
	STAGE_ENDING,   /* the pod */
	STAGE_LAGGING,
	STAGE_OVER
};

struct work {
	struct agent *agent;
	char *uid, *node_uid;
	struct kube_object *pod; /* our reference */
	struct kube_arena arena;
	struct behaviour behaviour;
	enum stage stage;
	int runs;  /* how often the container has run */
	bool held; /* its time is over, and its node says that it is to wait */
	int exit_code;
	const char *end_reason, *end_message;
	struct kube_timer timer, deadline;
	struct kube_op *op;
	UT_hash_handle hh;
};

struct agent {
	struct agent_options options;
	struct kube_env *env;
	struct kube_store *nodes, *pods;
	struct kube_reflector *node_reflector, *pod_reflector;
	struct work *works;
};

static void enter(struct work *work, enum stage stage);

static const struct fleet_pod *pod_of(const struct work *work)
{
	return (const struct fleet_pod *)work->pod;
}

/* NULL: it is gone; another node of its name is another host. */
static const struct fleet_node *node_of(const struct work *work)
{
	const struct kube_object *node = kube_store_get(work->agent->nodes, pod_of(work)->node_name);
	return node && !strcmp(node->uid, work->node_uid) ? (const struct fleet_node *)node : NULL;
}

/* ---- calls ---- */

static void next_stage(struct work *work);

static void answered(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct work *work = arg;

	(void)json;
	work->op = NULL;
	if (err)
		kube_log(KUBE_LOG_WARN, "a write was refused", "pod", work->pod->key, "error", err->message, NULL);
	next_stage(work);
}

static void patch(struct work *work, const struct kube_resource *resource, const char *namespace_, const char *name,
                  const char *subresource, cJSON *body)
{
	struct kube_call call = {.method = "PATCH",
	                         .resource = resource,
	                         .namespace_ = namespace_,
	                         .name = name,
	                         .subresource = subresource,
	                         .content_type = KUBE_PATCH_STRATEGIC,
	                         .body = body};
	struct kube_err err = {0};

	if (kube_client_send(work->agent->options.client, &call, answered, work, &work->op, &err) != 0)
		kube_log(KUBE_LOG_ERROR, "cannot send", "pod", work->pod->key, "error", err.message, NULL);
	cJSON_Delete(body);
}

static cJSON *add_object(cJSON *parent, const char *name)
{
	return cJSON_AddObjectToObject(parent, name);
}

static void add_time(cJSON *object, const char *name, struct work *work)
{
	char text[KUBE_TIME_TEXT_SIZE];
	cJSON_AddStringToObject(object, name, kube_time_format(kube_client_server_ms(work->agent->options.client), text));
}

static cJSON *container_status(cJSON *status, int restarts)
{
	cJSON *list = cJSON_AddArrayToObject(status, "containerStatuses"), *item = cJSON_CreateObject();

	cJSON_AddItemToArray(list, item);
	cJSON_AddStringToObject(item, "name", "job");
	cJSON_AddStringToObject(item, "image", "simulated");
	cJSON_AddStringToObject(item, "imageID", "");
	cJSON_AddBoolToObject(item, "ready", false);
	cJSON_AddNumberToObject(item, "restartCount", restarts);
	return add_object(item, "state");
}

static void patch_pod_running(struct work *work)
{
	cJSON *body = cJSON_CreateObject(), *status = add_object(body, "status");

	cJSON_AddStringToObject(status, "phase", "Running");
	add_time(status, "startTime", work);
	add_time(add_object(container_status(status, work->runs), "running"), "startedAt", work);
	patch(work, &kube_pods, work->pod->namespace_, work->pod->name, "status", body);
}

static void patch_pod_ended(struct work *work)
{
	cJSON *body = cJSON_CreateObject(), *status = add_object(body, "status");

	cJSON_AddStringToObject(status, "phase", work->exit_code ? "Failed" : "Succeeded");
	if (work->end_reason)
		cJSON_AddStringToObject(status, "reason", work->end_reason);
	cJSON *ended = add_object(container_status(status, work->runs > 1 ? work->runs - 1 : 0), "terminated");
	cJSON_AddNumberToObject(ended, "exitCode", work->exit_code);
	cJSON_AddStringToObject(ended, "reason", work->exit_code ? "Error" : "Completed");
	if (work->end_message)
		cJSON_AddStringToObject(ended, "message", work->end_message);
	add_time(ended, "finishedAt", work);
	patch(work, &kube_pods, work->pod->namespace_, work->pod->name, "status", body);
}

static void patch_node_version(struct work *work, const struct fleet_node *node)
{
	static const char *const members[] = {"kubeletVersion", "containerRuntimeVersion", "kernelVersion", "osImage"};
	const struct fleet_pod *pod = pod_of(work);
	const char *version = pod->rollback             ? pod->from_version
	                      : work->behaviour.version ? work->behaviour.version
	                                                : pod->version;
	const char *member = behaviour_node_info(pod->component);
	cJSON *body = cJSON_CreateObject();

	if (!member) {
		const char *label = pod->marker_label ? pod->marker_label : "fleet.patchwright.io/version";
		cJSON_AddStringToObject(add_object(add_object(body, "metadata"), "labels"), label, version);
		patch(work, &kube_nodes, NULL, node->object.name, NULL, body);
		return;
	}
	const char *old_value = "";
	for (size_t i = 0; i < KUBE_ARRAY_LEN(members); i++)
		if (!strcmp(member, members[i]) && node->info[i])
			old_value = node->info[i];
	cJSON_AddStringToObject(add_object(add_object(body, "status"), "nodeInfo"), member,
	                        behaviour_dress(old_value, version, &work->arena));
	patch(work, &kube_nodes, NULL, node->object.name, "status", body);
}

static cJSON *ready_condition(cJSON *status, struct work *work, bool ready)
{
	cJSON *list = cJSON_AddArrayToObject(status, "conditions"), *item = cJSON_CreateObject();

	cJSON_AddItemToArray(list, item);
	cJSON_AddStringToObject(item, "type", "Ready");
	cJSON_AddStringToObject(item, "status", ready ? "True" : "False");
	cJSON_AddStringToObject(item, "reason", ready ? "KubeletReady" : "KubeletStopped");
	cJSON_AddStringToObject(item, "message", ready ? "simulated" : "simulated outage");
	add_time(item, "lastHeartbeatTime", work);
	add_time(item, "lastTransitionTime", work);
	return item;
}

static void patch_node_ready(struct work *work, const struct fleet_node *node, bool ready)
{
	cJSON *body = cJSON_CreateObject(), *status = add_object(body, "status");

	ready_condition(status, work, ready);
	if (ready) {
		uint64_t high = kube_env_random64(work->agent->env), low = kube_env_random64(work->agent->env);
		cJSON_AddStringToObject(
		    add_object(status, "nodeInfo"), "bootID",
		    kube_arena_printf(&work->arena, "%016llx%016llx", (unsigned long long)high, (unsigned long long)low));
	}
	patch(work, &kube_nodes, NULL, node->object.name, "status", body);
}

/* The heartbeats of the simulation stop while this says "false". */
static void patch_node_annotation(struct work *work, const struct fleet_node *node, const char *ready)
{
	cJSON *body = cJSON_CreateObject();
	cJSON_AddStringToObject(add_object(add_object(body, "metadata"), "annotations"), READY, ready);
	patch(work, &kube_nodes, NULL, node->object.name, NULL, body);
}

/* ---- the timeline ---- */

static bool changes_host(const struct work *work)
{
	const struct fleet_pod *pod = pod_of(work);
	return !pod->rollback && !pod->prepare && !pod->verify;
}

/* Whether the node says so now. */
static bool is_held(const struct work *work)
{
	const struct fleet_node *node = node_of(work);
	struct kube_arena arena = {0};
	struct behaviour now = {0};

	if (node && changes_host(work))
		behaviour_parse(kube_strmap_get(&node->annotations, BEHAVE), &arena, &now, NULL);
	kube_arena_finish(&arena);
	return (work->stage == STAGE_RUNNING && now.hold) || (work->stage == STAGE_LAGGING && now.hide);
}

static void go_on(struct work *work)
{
	work->held = is_held(work);
	if (!work->held)
		next_stage(work);
}

static void timer_fired(struct kube_timer *timer, void *arg)
{
	(void)timer;
	go_on(arg);
}

static void after(struct work *work, int64_t delay_ms)
{
	kube_timer_start(work->agent->env, &work->timer, delay_ms, timer_fired, work);
}

static void end_with(struct work *work, int exit_code, const char *reason, const char *message)
{
	work->exit_code = exit_code;
	work->end_reason = reason;
	work->end_message = message;
	enter(work, STAGE_ENDING);
}

static void deadline_passed(struct kube_timer *timer, void *arg)
{
	struct work *work = arg;

	(void)timer;
	if (work->stage >= STAGE_ENDING || work->behaviour.not_ready || work->behaviour.lost)
		return; /* over, or there is no kubelet to end it */
	kube_op_cancel(work->op);
	work->op = NULL;
	kube_timer_stop(work->agent->env, &work->timer);
	work->held = false;
	end_with(work, 137, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
}

static bool fails(const struct work *work)
{
	const struct fleet_pod *pod = pod_of(work);
	const char *fail_version = work->agent->options.fail_version;

	if (pod->rollback)
		return work->behaviour.rollback_fail;
	if (pod->prepare || pod->verify)
		return pod->prepare ? work->behaviour.prepare_fail : work->behaviour.verify_fail;
	if (work->behaviour.fail_once && pod->first)
		return true;
	return work->behaviour.fail || (fail_version && pod->version && !strcmp(fail_version, pod->version));
}

/* The job has run for its time. */
static void run_over(struct work *work)
{
	const struct behaviour *b = &work->behaviour;
	bool host_goes_down = !pod_of(work)->rollback && (b->not_ready || b->reboot || b->lost);

	work->runs++;
	if (fails(work)) {
		const char *text = kube_arena_printf(
		    &work->arena,
		    "installing %s\nself-test: 1 of 3 checks failed\nerror: the runtime does not start with this version",
		    pod_of(work)->version);
		end_with(work, 1, NULL, text);
	} else if (pod_of(work)->prepare || pod_of(work)->verify) {
		end_with(work, 0, NULL, "done"); /* changes nothing */
	} else if (b->hang && !pod_of(work)->rollback) {
		return; /* the deadline ends it */
	} else if (host_goes_down) {
		enter(work, STAGE_SILENT);
	} else if (!pod_of(work)->rollback && (b->lie || b->hide || b->lag_ms)) {
		end_with(work, 0, NULL, "done");
	} else {
		enter(work, STAGE_CHANGING);
	}
}

static void next_stage(struct work *work)
{
	const struct behaviour *b = &work->behaviour;

	switch (work->stage) {
	case STAGE_STARTING: enter(work, STAGE_RUNNING); break;
	case STAGE_RUNNING: run_over(work); break;
	case STAGE_SILENT: enter(work, STAGE_DOWN); break;
	case STAGE_DOWN:
		if (b->reboot)
			enter(work, STAGE_BOOTING);
		break;
	case STAGE_BOOTING: enter(work, STAGE_UP); break;
	case STAGE_UP: enter(work, STAGE_HEARTBEAT); break;
	case STAGE_HEARTBEAT: enter(work, STAGE_CHANGING); break;
	case STAGE_CHANGING:
		if (b->twice && work->runs < 2 && !pod_of(work)->rollback)
			enter(work, STAGE_STARTING);
		else if (work->end_message)
			enter(work, STAGE_OVER); /* a late change: the pod has ended long ago */
		else
			end_with(work, 0, NULL, "done");
		break;
	case STAGE_ENDING:
		enter(work, (b->hide || b->lag_ms) && !work->exit_code && changes_host(work) ? STAGE_LAGGING : STAGE_OVER);
		break;
	case STAGE_LAGGING: enter(work, STAGE_CHANGING); break;
	case STAGE_OVER: break;
	}
}

static void enter(struct work *work, enum stage stage)
{
	const struct fleet_node *node = node_of(work);
	const struct agent_options *options = &work->agent->options;

	work->stage = node || stage == STAGE_OVER ? stage : STAGE_OVER; /* a node that is gone has no host */
	switch (work->stage) {
	case STAGE_STARTING: patch_pod_running(work); break;
	case STAGE_RUNNING:
		after(work, work->behaviour.delay_ms >= 0 ? work->behaviour.delay_ms : options->delay_ms);
		break;
	case STAGE_SILENT: patch_node_annotation(work, node, "false"); break;
	case STAGE_DOWN: patch_node_ready(work, node, false); break;
	case STAGE_BOOTING: after(work, REBOOT_MS); break;
	case STAGE_UP: patch_node_ready(work, node, true); break;
	case STAGE_HEARTBEAT: patch_node_annotation(work, node, "true"); break;
	case STAGE_CHANGING: patch_node_version(work, node); break;
	case STAGE_ENDING: patch_pod_ended(work); break;
	case STAGE_LAGGING: after(work, work->behaviour.lag_ms); break;
	case STAGE_OVER: kube_timer_stop(work->agent->env, &work->deadline); break;
	}
}

/* ---- coming and going of pods ---- */

static void forget(struct agent *agent, struct work *work)
{
	HASH_DEL(agent->works, work);
	kube_op_cancel(work->op);
	kube_timer_stop(agent->env, &work->timer);
	kube_timer_stop(agent->env, &work->deadline);
	kube_object_unref(work->pod);
	kube_arena_finish(&work->arena);
	free(work->uid);
	free(work->node_uid);
	free(work);
}

static void begin(struct agent *agent, struct kube_object *object)
{
	const struct fleet_pod *pod = (const struct fleet_pod *)object;
	const struct fleet_node *node = (const struct fleet_node *)kube_store_get(agent->nodes, pod->node_name);
	struct kube_err err = {0};
	struct work *work = NULL;

	if (!node || !kube_strmap_get(&node->annotations, SIMULATED))
		return;
	work = calloc(1, sizeof(*work));
	if (!work)
		return;
	work->agent = agent;
	work->uid = strdup(object->uid);
	work->node_uid = strdup(node->object.uid);
	work->pod = kube_object_ref(object);
	if (behaviour_parse(kube_strmap_get(&node->annotations, BEHAVE), &work->arena, &work->behaviour, &err) != 0)
		kube_log(KUBE_LOG_ERROR, "the node's behaviour cannot be read", "node", node->object.name, "error", err.message,
		         NULL);
	HASH_ADD_KEYPTR(hh, agent->works, work->uid, strlen(work->uid), work);
	if (pod->deadline_ms)
		kube_timer_start(agent->env, &work->deadline, pod->deadline_ms, deadline_passed, work);
	enter(work, STAGE_STARTING);
}

static bool ended(const struct fleet_pod *pod)
{
	return !strcmp(pod->phase, "Succeeded") || !strcmp(pod->phase, "Failed");
}

static void consider(struct agent *agent, struct kube_object *object)
{
	const struct fleet_pod *pod = (const struct fleet_pod *)object;
	struct work *work = NULL;

	HASH_FIND(hh, agent->works, object->uid, strlen(object->uid), work);
	if (!work && !ended(pod) && *pod->node_name)
		begin(agent, object);
}

static void pod_changed(void *arg, const struct kube_change *change)
{
	struct agent *agent = arg;
	struct work *work = NULL;

	if (change->new_object) {
		consider(agent, change->new_object);
		return;
	}
	HASH_FIND(hh, agent->works, change->old_object->uid, strlen(change->old_object->uid), work);
	if (work && work->stage != STAGE_LAGGING && work->stage != STAGE_CHANGING)
		forget(agent, work);
}

/* Job pods that were seen before their node was. */
static void consider_earlier(struct agent *agent, const char *node)
{
	for (struct kube_object *pod = kube_store_next(agent->pods, NULL); pod; pod = kube_store_next(agent->pods, pod))
		if (!strcmp(((const struct fleet_pod *)pod)->node_name, node))
			consider(agent, pod);
}

static void node_changed(void *arg, const struct kube_change *change)
{
	struct agent *agent = arg;
	const struct kube_object *node = change->new_object ? change->new_object : change->old_object;
	struct work *work, *next;

	HASH_ITER (hh, agent->works, work, next)
		if (work->held && !strcmp(pod_of(work)->node_name, node->name))
			go_on(work);
	if (!change->old_object)
		consider_earlier(agent, node->name);
}

static void health(void *arg, const struct kube_err *err)
{
	(void)arg;
	if (err)
		kube_log(KUBE_LOG_WARN, "watching failed", "error", err->message, NULL);
}

static int make_stores(struct agent *agent, struct kube_err *err)
{
	int result = kube_store_new(MAX_OBJECTS, &agent->nodes, err);
	if (!result)
		result = kube_store_new(MAX_OBJECTS, &agent->pods, err);
	if (!result)
		result = kube_store_add_handler(agent->nodes, node_changed, agent, err);
	return result ? result : kube_store_add_handler(agent->pods, pod_changed, agent, err);
}

static int make_reflectors(struct agent *agent, struct kube_err *err)
{
	struct kube_reflector_options nodes = {.client = agent->options.client,
	                                       .projection = &fleet_node_projection,
	                                       .store = agent->nodes,
	                                       .on_health = health,
	                                       .on_left_out = health,
	                                       .arg = agent};
	struct kube_reflector_options pods = {.client = agent->options.client,
	                                      .projection = &fleet_pod_projection,
	                                      .store = agent->pods,
	                                      .namespace_ = agent->options.job_namespace,
	                                      .label_selector = "patchwright.io/step",
	                                      .on_health = health,
	                                      .on_left_out = health,
	                                      .arg = agent};
	int result = kube_reflector_new(&nodes, &agent->node_reflector, err);
	return result ? result : kube_reflector_new(&pods, &agent->pod_reflector, err);
}

int agent_new(const struct agent_options *options, struct agent **ret_agent, struct kube_err *err)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	if (!agent)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory");
	agent->options = *options;
	agent->env = kube_client_env(options->client);
	int result = make_stores(agent, err);
	if (!result)
		result = make_reflectors(agent, err);
	if (result) {
		agent_free(agent);
		return result;
	}
	kube_reflector_start(agent->node_reflector);
	kube_reflector_start(agent->pod_reflector);
	*ret_agent = agent;
	return 0;
}

void agent_free(struct agent *agent)
{
	struct work *work, *next;

	if (!agent)
		return;
	kube_reflector_free(agent->pod_reflector);
	kube_reflector_free(agent->node_reflector);
	HASH_ITER (hh, agent->works, work, next)
		forget(agent, work);
	kube_store_free(agent->pods);
	kube_store_free(agent->nodes);
	free(agent);
}
