/* Invariants of job pods: bound and bounded, alone on their node, on a node that is at that step, once an attempt. */
#include "controller/model/version.h"
#include "test/sim/check.h"

#include <kube/json.h>
#include <string.h>

static bool is_over(const cJSON *pod)
{
	const char *phase = text_at(pod, "status.phase");
	return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

static bool is_true(const cJSON *pod, const char *path)
{
	return cJSON_IsTrue(kube_json_get(pod, path));
}

/* One that is being deleted runs on until its kubelet says otherwise. */
static void check_alone(struct checks *checks, const cJSON *pod)
{
	const struct kube_sim_api *api = checks->world->api;

	for (size_t i = 0; i < kube_sim_api_count(api, &kube_pods); i++) {
		const cJSON *other = kube_sim_api_at(api, &kube_pods, i);
		if (other != pod && is_job_pod(other) && !is_over(other) &&
		    strcmp(text_at(other, "spec.nodeName"), text_at(pod, "spec.nodeName")) == 0)
			world_fail(checks->world, "job pods %s and %s are on node %s at the same time",
			           text_at(other, "metadata.name"), text_at(pod, "metadata.name"), text_at(pod, "spec.nodeName"));
	}
}

/* ---- who knows of it ---- */

static struct seen_job *job_of(struct checks *checks, const char *uid)
{
	for (size_t i = checks->job_count; i-- > 0;)
		if (strcmp(checks->jobs[i].uid, uid) == 0)
			return &checks->jobs[i];
	return NULL;
}

static struct seen_job *newest_job(struct checks *checks, const char *name)
{
	for (size_t i = checks->job_count; i-- > 0;)
		if (strcmp(checks->jobs[i].name, name) == 0)
			return &checks->jobs[i];
	return NULL;
}

static bool is_known_to(const struct seen_job *job, unsigned sender)
{
	for (size_t i = 0; i < job->knowing_count; i++)
		if (job->knowing[i] == sender)
			return true;
	return false;
}

static void make_known(struct seen_job *job, unsigned sender)
{
	if (job && !is_known_to(job, sender) && job->knowing_count < MAX_KNOWING)
		job->knowing[job->knowing_count++] = sender;
}

void check_job_shown(struct checks *checks, const struct pod *pod, unsigned sender)
{
	if (pod->job_step)
		make_known(job_of(checks, pod->object.uid), sender);
}

/* An answer to a creation tells of the pod, even one that it exists already; so does that to a read. */
void check_job_answer(struct checks *checks, const struct kube_sim_served *served)
{
	static const char collection[] = "/api/v1/namespaces/" JOB_NAMESPACE "/pods";
	const struct kube_request *request = served->request;
	size_t len = strlen(collection);

	if (!served->heard || strncmp(request->target, collection, len) != 0)
		return;
	if (strcmp(request->method, "GET") == 0 && request->target[len] == '/' && served->status == 200)
		make_known(newest_job(checks, request->target + len + 1), served->sender);
	if (strcmp(request->method, "POST") != 0 || (served->status != 201 && served->status != 409))
		return;
	_cleanup_json_ cJSON *body = cJSON_ParseWithLength(request->body, request->body_len);
	make_known(newest_job(checks, text_at(body, "metadata.name")), served->sender);
}

void check_job_records(struct checks *checks, const struct rollout *now)
{
	for (size_t i = 0; i < now->status.active.count; i++) {
		const char *uid = now->status.active.items[i].job_uid;
		struct seen_job *job = uid ? job_of(checks, uid) : NULL;
		if (job)
			job->recorded = true;
	}
}

/* ---- a job pod comes ---- */

/*
 * Once an attempt. A pod that somebody takes away by force before its UID is in the status, and of which the process
 * that looks next was never told, looks like one that was never made: no rule could tell them apart. That, and nothing
 * else, may be made again; jobs keep a marker of each attempt on their host for it.
 */
static void check_once(struct checks *checks, const char *name, unsigned sender)
{
	const struct seen_job *before = newest_job(checks, name);

	if (!before)
		return;
	if (before->recorded)
		world_fail(checks->world, "job pod %s is created a second time, and the status had its UID", name);
	else if (!before->taken)
		world_fail(checks->world, "job pod %s is created a second time, and nobody else has removed it", name);
	else if (is_known_to(before, sender))
		world_fail(checks->world, "job pod %s is created a second time by a controller that knew of it", name);
}

static const char *entry_of(const cJSON *map, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(map, name));
	return text ? text : "";
}

static const char *label_of(const cJSON *pod, const char *name)
{
	return entry_of(kube_json_get(pod, "metadata.labels"), name);
}

static const char *annotation_of(const cJSON *pod, const char *name)
{
	return entry_of(kube_json_get(pod, "metadata.annotations"), name);
}

/* At which a node is that gets such a job. */
static enum step step_of(const cJSON *pod)
{
	static const struct {
		const char *word;
		enum step step;
	} steps[] = {{"prepare", STEP_PREPARING}, {"verify", STEP_VERIFYING}, {"rollback", STEP_ROLLING_BACK}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(steps); i++)
		if (strcmp(label_of(pod, PW_LABEL_STEP), steps[i].word) == 0)
			return steps[i].step;
	return STEP_PATCHING;
}

static const struct job_template *template_of(const struct patch *patch, enum step step)
{
	if (step == STEP_PREPARING)
		return patch->prepare;
	if (step == STEP_VERIFYING)
		return patch->verify;
	return step == STEP_ROLLING_BACK ? patch->rollback : &patch->job;
}

static const char *variable_of(const cJSON *pod, const char *name)
{
	const cJSON *container = cJSON_GetArrayItem(kube_json_get(pod, "spec.containers"), 0), *variable;

	cJSON_ArrayForEach (variable, kube_json_get(container, "env"))
		if (strcmp(text_at(variable, "name"), name) == 0)
			return text_at(variable, "value");
	return "";
}

/* No node is taken back but by who allows it, and by a rollback. */
static void check_upwards(struct checks *checks, const cJSON *pod, const struct patch *patch)
{
	const char *from = variable_of(pod, "PATCHWRIGHT_FROM_VERSION"), *to = variable_of(pod, "PATCHWRIGHT_VERSION");
	int order = 0;

	if (step_of(pod) == STEP_PATCHING && !patch->allow_downgrade && version_compare(from, to, &order, NULL) == 0 &&
	    order > 0)
		world_fail(checks->world, "job pod %s takes node %s from %s to %s", text_at(pod, "metadata.name"),
		           text_at(pod, "spec.nodeName"), from, to);
}

/* One that the policy has, and no more often than it allows. */
static void check_attempt(struct checks *checks, const cJSON *pod, const struct node *node)
{
	const struct rules *rules = rules_of(seen_rollout(checks, node->state->rollout_uid));
	const char *component = variable_of(pod, "PATCHWRIGHT_COMPONENT");
	const struct job_template *template = NULL;

	for (size_t i = 0; rules && i < rules->patches.count; i++)
		if (strcmp(component_names[rules->patches.items[i].component], component) == 0) {
			template = template_of(&rules->patches.items[i], step_of(pod));
			check_upwards(checks, pod, &rules->patches.items[i]);
		}
	if (template)
		check_equipment(checks, pod, template);
	if (rules && (!template || atoll(variable_of(pod, "PATCHWRIGHT_ATTEMPT")) > template->retries + 1))
		world_fail(checks->world, "job pod %s is attempt %s at %s %s, which the policy does not allow",
		           text_at(pod, "metadata.name"), variable_of(pod, "PATCHWRIGHT_ATTEMPT"), label_of(pod, PW_LABEL_STEP),
		           component);
}

/* Somebody took its rollout away past its finalizer, and another one may have the node by now. */
static bool comes_late(const struct checks *checks, const cJSON *pod)
{
	for (size_t i = 0; i < checks->rollout_count; i++) {
		const struct seen_rollout *seen = checks->rollouts[i];
		if (!seen->now && strcmp(seen->hash, label_of(pod, PW_LABEL_ROLLOUT_HASH)) == 0)
			return world_now_ms(checks->world) - seen->gone_ms <= UNDER_WAY_MS;
	}
	return false;
}

static void check_new(struct checks *checks, const cJSON *pod, unsigned sender)
{
	const char *name = text_at(pod, "metadata.name"), *node = text_at(pod, "spec.nodeName");
	const cJSON *deadline = kube_json_get(pod, "spec.activeDeadlineSeconds");

	check_once(checks, name, sender);
	hold_check_named(checks, node, "gets a job pod");
	if (!*node || !cJSON_IsNumber(deadline) || deadline->valuedouble <= 0 ||
	    is_true(pod, "spec.automountServiceAccountToken"))
		world_fail(checks->world, "job pod %s is not bound to a node, has no deadline or has an API token", name);
	/* One that was on its way when its node vanished comes late, perhaps to another machine of that name. */
	const struct node *machine = node_named(checks, node);
	const char *meant = annotation_of(pod, PW_ANNOTATION_NODE);
	bool vanished = !checks->world->calm && (!machine || strcmp(machine->object.uid, meant) != 0);
	if (vanished)
		return;
	if (may_work_on(checks, machine, 1u << step_of(pod)))
		check_attempt(checks, pod, machine);
	else if (!comes_late(checks, pod))
		world_fail(checks->world, "%s pod %s is created, but node %s is not at that step, or not granted",
		           label_of(pod, PW_LABEL_STEP), name, node);
	check_alone(checks, pod);
}

static bool shows_attachment(const struct checks *checks, unsigned sender, const char *name)
{
	const struct replica *replica = replicas_find(checks->world->replicas, sender);
	return replica && replica->controller && kube_store_get(replica->controller->caches[CACHE_ATTACHMENTS].store, name);
}

/* The pods have left, and so have their volumes, as far as the process was told of them. */
static void check_detached(struct checks *checks, const cJSON *pod, unsigned sender)
{
	const struct node *node = node_named(checks, text_at(pod, "spec.nodeName"));
	const struct seen_node *seen = node ? seen_node(checks, node->object.uid) : NULL;
	const struct rules *rules = node && node->state ? rules_of(seen_rollout(checks, node->state->rollout_uid)) : NULL;
	const char *left = disks_left_on(checks->world->disks, text_at(pod, "spec.nodeName"));

	if (!left || !shows_attachment(checks, sender, left) || !rules || !rules->drain.enabled ||
	    !rules->drain.wait_for_detach || node->state->step != STEP_PATCHING)
		return;
	if (rules->drain.on_timeout != DRAIN_FORCE || seen->forced_ms == INT64_MIN)
		world_fail(checks->world, "job pod %s is created, but volume %s still hangs on node %s",
		           text_at(pod, "metadata.name"), left, node->object.name);
}

static void note_new(struct checks *checks, const cJSON *pod)
{
	if (checks->job_count == MAX_JOBS)
		return;
	struct seen_job *job = &checks->jobs[checks->job_count++];
	snprintf(job->name, sizeof(job->name), "%s", text_at(pod, "metadata.name"));
	snprintf(job->uid, sizeof(job->uid), "%s", text_at(pod, "metadata.uid"));
	snprintf(job->component, sizeof(job->component), "%s", variable_of(pod, "PATCHWRIGHT_COMPONENT"));
	snprintf(job->rollout_hash, sizeof(job->rollout_hash), "%s", label_of(pod, PW_LABEL_ROLLOUT_HASH));
	snprintf(job->node_uid, sizeof(job->node_uid), "%s", annotation_of(pod, PW_ANNOTATION_NODE));
	job->step = step_of(pod);
	check_prepared(checks, job);
}

static void note_change(struct checks *checks, const struct kube_sim_change *change)
{
	const cJSON *pod = change->new_json ? change->new_json : change->old_json;
	struct seen_job *job = job_of(checks, text_at(pod, "metadata.uid"));

	if (!job)
		return;
	job->taken = !change->new_json && change->sender == 0;
	job->succeeded |= strcmp(text_at(pod, "status.phase"), "Succeeded") == 0;
}

void check_job(struct checks *checks, const struct kube_sim_change *change)
{
	if (!change->old_json) {
		check_new(checks, change->new_json, change->sender);
		check_detached(checks, change->new_json, change->sender);
		note_new(checks, change->new_json);
	} else {
		note_change(checks, change);
	}
}
