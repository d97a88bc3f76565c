/* What happens to the cluster: watches, nodes, people, and the controller itself. */
#include "test/sim/fault.h"
#include "test/sim/replica.h"

#include <kube/client.h>
#include <kube/time.h>
#include <string.h>

/* ---- pieces ---- */

static const cJSON *any(struct world *world, const struct kube_resource *resource)
{
	size_t count = kube_sim_api_count(world->api, resource);
	return count ? kube_sim_api_at(world->api, resource, (size_t)draw_between(world, 0, (int64_t)count - 1)) : NULL;
}

static const char *name_of(const cJSON *json)
{
	return text_at(json, "metadata.name");
}

static void patch(struct world *world, const char *collection, const cJSON *json, const char *subresource,
                  const char *quoted)
{
	char target[256];

	snprintf(target, sizeof(target), "%s/%s%s", collection, name_of(json), subresource);
	int status = kube_sim_api_do(world->api, "PATCH", target, KUBE_PATCH_MERGE, "%s", quoted);
	world_trace(world, "fault: PATCH %s %s: %d", target, quoted, status);
}

static void delete (struct world *world, const char *collection, const cJSON *json)
{
	char target[256];

	snprintf(target, sizeof(target), "%s/%s", collection, name_of(json));
	world_trace(world, "fault: DELETE %s", target);
	kube_sim_api_call(world->api, "DELETE", target, NULL, NULL, NULL);
}

static bool is_cordoned(const cJSON *node)
{
	return cJSON_IsTrue(kube_json_get(node, "spec.unschedulable"));
}

static bool is_ready(const cJSON *node)
{
	return strcmp(text_at(cJSON_GetArrayItem(kube_json_get(node, "status.conditions"), 0), "status"), "True") == 0;
}

static void set_ready(struct world *world, const cJSON *node, bool ready)
{
	char text[256], now[KUBE_TIME_TEXT_SIZE];

	snprintf(text, sizeof(text), "{'status':{'conditions':[{'type':'Ready','status':'%s','lastTransitionTime':'%s'}]}}",
	         ready ? "True" : "Unknown", kube_time_format(world_now_ms(world), now));
	patch(world, NODES, node, "/status", text);
}

/* ---- events ---- */

static void disturb_watch(struct faults *faults, enum kube_sim_disturbance disturbance)
{
	struct world *world = faults->world;
	size_t count = kube_sim_api_watch_count(world->api);

	if (count == 0)
		return;
	size_t watch = (size_t)draw_between(world, 0, (int64_t)count - 1);
	world_trace(world, "fault: watch %zu is disturbed (%d)", watch, (int)disturbance);
	kube_sim_api_disturb(world->api, watch, disturbance);
}

static void close_watch(struct faults *faults)
{
	disturb_watch(faults, KUBE_SIM_WATCH_CLOSE);
}

static void break_watch(struct faults *faults)
{
	disturb_watch(faults, KUBE_SIM_WATCH_BREAK);
}

static void stall_watch(struct faults *faults)
{
	disturb_watch(faults, KUBE_SIM_WATCH_STALL);
}

static void expire_watch(struct faults *faults)
{
	disturb_watch(faults, KUBE_SIM_WATCH_EXPIRE);
}

static void repeat_event(struct faults *faults)
{
	disturb_watch(faults, KUBE_SIM_WATCH_REPEAT);
}

static void compact(struct faults *faults)
{
	world_trace(faults->world, "fault: the past is compacted");
	kube_sim_api_compact(faults->world->api);
	disturb_watch(faults, KUBE_SIM_WATCH_BREAK);
}

static const char *state_of(const cJSON *node)
{
	const cJSON *annotations = kube_json_get(node, "metadata.annotations");
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(annotations, PW_ANNOTATION_STATE));
}

/* Mostly one in work. */
static const cJSON *some_node(struct faults *faults)
{
	const cJSON *node = any(faults->world, &kube_nodes);
	int most = draw_chance(faults->world, 70) ? 6 : 0;

	for (int tries = 0; tries < most && node && !state_of(node); tries++)
		node = any(faults->world, &kube_nodes);
	return node;
}

static void turn_node(struct faults *faults)
{
	const cJSON *node = some_node(faults);
	if (node)
		set_ready(faults->world, node, !is_ready(node));
}

static void cordon_node(struct faults *faults)
{
	const cJSON *node = some_node(faults);
	if (node)
		patch(faults->world, NODES, node, "",
		      is_cordoned(node) ? "{'spec':{'unschedulable':null}}" : "{'spec':{'unschedulable':true}}");
}

/* Somebody does not want it to be drained. */
static void lift_cordon(struct faults *faults)
{
	for (size_t i = 0; i < kube_sim_api_count(faults->world->api, &kube_nodes); i++) {
		const cJSON *node = kube_sim_api_at(faults->world->api, &kube_nodes, i);
		const char *state = state_of(node);
		if (state && strstr(state, "\"step\":\"Draining\"") && is_cordoned(node)) {
			patch(faults->world, NODES, node, "", "{'spec':{'unschedulable':null}}");
			return;
		}
	}
}

static bool is_annotated(const cJSON *node, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(kube_json_get(node, "metadata.annotations"), key) != NULL;
}

/* value: as JSON, with single quotes; "null" takes it off. */
static void annotate(struct world *world, const cJSON *node, const char *key, const char *value)
{
	char body[256];

	snprintf(body, sizeof(body), "{'metadata':{'annotations':{'%s':%s}}}", key, value);
	patch(world, NODES, node, "", body);
}

static void toggle(struct world *world, const cJSON *node, const char *key, const char *value)
{
	annotate(world, node, key, is_annotated(node, key) ? "null" : value);
}

static void take_off(struct world *world, const char *key)
{
	for (size_t i = 0; i < kube_sim_api_count(world->api, &kube_nodes); i++)
		if (is_annotated(kube_sim_api_at(world->api, &kube_nodes, i), key))
			annotate(world, kube_sim_api_at(world->api, &kube_nodes, i), key, "null");
}

static void hold_node(struct faults *faults)
{
	const cJSON *node = some_node(faults);

	if (node)
		toggle(faults->world, node, PW_ANNOTATION_HOLD, "'somebody looks at it'");
}

/* ---- other operators ---- */

static void mark_node(struct faults *faults)
{
	const cJSON *node = any(faults->world, &kube_nodes);
	if (node)
		toggle(faults->world, node, REBOOT_MARK, "'now'");
}

static void unlock(struct world *world)
{
	const cJSON *daemon_set = kube_sim_api_get(world->api, &kube_daemon_sets, "shop", "ds");
	if (daemon_set)
		patch(world, "/apis/apps/v1/namespaces/shop/daemonsets", daemon_set, "",
		      "{'metadata':{'annotations':{'weave.works/kured-node-lock':null}}}");
}

/* As kured does; some locks are never given back. */
static void lock_node(struct faults *faults)
{
	struct world *world = faults->world;
	const cJSON *node = any(world, &kube_nodes);
	const cJSON *daemon_set = kube_sim_api_get(world->api, &kube_daemon_sets, "shop", "ds");
	char text[320], now[KUBE_TIME_TEXT_SIZE];

	if (!node || !daemon_set || draw_chance(world, 40)) {
		unlock(world);
		return;
	}
	snprintf(text, sizeof(text),
	         "{'metadata':{'annotations':{'weave.works/kured-node-lock':'{\\'nodeID\\':\\'%s\\',\\'created\\':\\'%s\\',"
	         "\\'TTL\\':%lld}'}}}",
	         name_of(node), kube_time_format(world_now_ms(world), now),
	         draw_chance(world, 50) ? 0LL : (long long)draw_between(world, 1, 600) * 1000000000LL);
	patch(world, "/apis/apps/v1/namespaces/shop/daemonsets", daemon_set, "", text);
}

/* Heartbeats and the like: another version of the same. */
static void touch_node(struct faults *faults)
{
	const cJSON *node = any(faults->world, &kube_nodes);
	char text[128];

	snprintf(text, sizeof(text), "{'status':{'heartbeat':%lld}}", (long long)world_now_ms(faults->world));
	if (node)
		patch(faults->world, NODES, node, "/status", text);
}

static void delete_node(struct faults *faults)
{
	const cJSON *node = some_node(faults);

	if (!node || kube_sim_api_count(faults->world->api, &kube_nodes) < 3 || faults->nodes_deleted++ >= 4)
		return;
	size_t index = (size_t)atoi(name_of(node) + 1);
	delete (faults->world, NODES, node);
	if (draw_chance(faults->world, 50))
		draw_node(faults->world, index); /* another machine under the same name */
}

void fault_move_node(struct faults *faults)
{
	const cJSON *node = some_node(faults);
	bool other = node && strcmp(text_at(node, "metadata.labels.pool"), "other") == 0;
	if (node)
		patch(faults->world, NODES, node, "",
		      other ? "{'metadata':{'labels':{'pool':'w'}}}" : "{'metadata':{'labels':{'pool':'other'}}}");
}

/* ---- the controller's processes ---- */

static struct replica *any_replica(struct faults *faults)
{
	struct replicas *replicas = faults->world->replicas;
	return &replicas->items[draw_between(faults->world, 0, (int64_t)replicas->count - 1)];
}

static void kill_replica(struct faults *faults)
{
	replica_kill(any_replica(faults), fault_away_ms(faults->world));
}

static void stop_replica(struct faults *faults)
{
	replica_stop(any_replica(faults));
}

static void freeze_replica(struct faults *faults)
{
	replica_freeze(any_replica(faults), fault_frozen_ms(faults->world));
}

static void jump_clock(struct faults *faults)
{
	replica_set_clock(any_replica(faults), draw_between(faults->world, -7200, 7200) * 1000);
}

/* ---- people ---- */

static void edit_policy(struct faults *faults)
{
	struct world *world = faults->world;
	const cJSON *policy = any(world, &pw_policies);
	char text[128];

	if (!policy)
		return;
	if (draw_chance(world, 50))
		snprintf(text, sizeof(text), "{'spec':{'strategy':{'maxUnavailable':%lld}}}",
		         (long long)draw_between(world, 1, 4));
	else
		snprintf(text, sizeof(text), "{'spec':{'drain':{'timeout':'%llds'}}}", (long long)draw_between(world, 30, 300));
	patch(world, POLICIES, policy, "", text);
}

static void suspend_policy(struct faults *faults)
{
	const cJSON *policy = any(faults->world, &pw_policies);
	bool suspended = policy && cJSON_IsTrue(kube_json_get(policy, "spec.suspend"));
	if (policy)
		patch(faults->world, POLICIES, policy, "",
		      suspended ? "{'spec':{'suspend':false}}" : "{'spec':{'suspend':true}}");
}

static void delete_policy(struct faults *faults)
{
	const cJSON *policy = any(faults->world, &pw_policies);

	if (!policy || !draw_chance(faults->world, 30))
		return;
	size_t index = (size_t)atoi(name_of(policy) + 1);
	delete (faults->world, POLICIES, policy);
	if (draw_chance(faults->world, 70))
		draw_policy(faults->world, index);
}

/* Pause, go on, or end it. What has ended, or is to end, stays so: the API server sees to that. */
static void intend(struct faults *faults)
{
	const cJSON *rollout = any(faults->world, &pw_rollouts);
	const char *action = rollout ? text_at(rollout, "spec.intent.action") : "";
	bool ends = draw_chance(faults->world, 20);

	if (!rollout || *text_at(rollout, "status.outcome") || strcmp(action, "Abort") == 0)
		return;
	patch(faults->world, ROLLOUTS, rollout, "",
	      ends                           ? "{'spec':{'intent':{'action':'Abort','by':'alice','reason':'enough'}}}"
	      : strcmp(action, "Pause") == 0 ? "{'spec':{'intent':{'action':'Run','by':'bob','reason':'go on'}}}"
	                                     : "{'spec':{'intent':{'action':'Pause','by':'alice','reason':'wait'}}}");
}

static void delete_rollout(struct faults *faults)
{
	const cJSON *rollout = any(faults->world, &pw_rollouts);
	if (rollout && draw_chance(faults->world, 50) && faults->rollouts_deleted++ < 20)
		delete (faults->world, ROLLOUTS, rollout);
	else
		intend(faults);
}

/* Past its finalizer: nobody puts anything away. */
static void drop_rollout(struct faults *faults)
{
	const cJSON *rollout = any(faults->world, &pw_rollouts);
	char name[256];

	if (!rollout || !draw_chance(faults->world, 60) || faults->rollouts_deleted++ >= 20)
		return;
	snprintf(name, sizeof(name), "%s", name_of(rollout));
	patch(faults->world, ROLLOUTS, rollout, "", "{'metadata':{'finalizers':null}}");
	rollout = kube_sim_api_get(faults->world->api, &pw_rollouts, NULL, name);
	if (rollout)
		delete (faults->world, ROLLOUTS, rollout);
}

/* All that there is of ours, in this way. */
static void uninstall(struct faults *faults)
{
	const cJSON *policy = any(faults->world, &pw_policies);

	if (!draw_chance(faults->world, 10))
		return;
	for (int i = 0; i < 8; i++)
		drop_rollout(faults);
	if (policy)
		delete (faults->world, POLICIES, policy);
}

static void create_rollout(struct faults *faults)
{
	const cJSON *policy = any(faults->world, &pw_policies);
	if (!policy || kube_sim_api_count(faults->world->api, &pw_rollouts) > 8)
		return;
	world_trace(faults->world, "fault: somebody creates a rollout");
	if (draw_chance(faults->world, 30)) {
		draw_emergency_rollout(faults->world, name_of(policy));
		return;
	}
	bool pinned = draw_chance(faults->world, 20);
	kube_sim_api_do(faults->world->api, "POST", ROLLOUTS, NULL,
	                "{'apiVersion':'patchwright.io/v1alpha1','kind':'PatchRollout','metadata':{'name':'by-hand-%lld'},"
	                "'spec':{'policyRef':{'name':'%s'}%s}}",
	                (long long)draw_between(faults->world, 1, 999999), name_of(policy),
	                pinned ? ",'versions':[{'component':'ContainerRuntime','version':'1.7.26'}]" : "");
}

static const cJSON *some_pod(struct faults *faults, bool job)
{
	for (int tries = 0; tries < 10; tries++) {
		const cJSON *pod = any(faults->world, &kube_pods);
		if (pod && is_job_pod(pod) == job)
			return pod;
	}
	return NULL;
}

static void take_job(struct faults *faults)
{
	const cJSON *pod = some_pod(faults, true);
	char name[256];

	if (!pod)
		return;
	snprintf(name, sizeof(name), "%s", name_of(pod));
	if (draw_chance(faults->world, 50))
		patch(faults->world, "/api/v1/namespaces/" JOB_NAMESPACE "/pods", pod, "", "{'metadata':{'finalizers':null}}");
	pod = kube_sim_api_get(faults->world->api, &kube_pods, JOB_NAMESPACE, name);
	if (pod)
		delete (faults->world, "/api/v1/namespaces/" JOB_NAMESPACE "/pods", pod);
}

static void upset_pod(struct faults *faults)
{
	const cJSON *pod = some_pod(faults, false);
	if (pod && kube_json_get(pod, "metadata.ownerReferences"))
		patch(faults->world, "/api/v1/namespaces/shop/pods", pod, "/status",
		      "{'status':{'conditions':[{'type':'Ready','status':'False'}]}}");
}

static void change_budget(struct faults *faults)
{
	const cJSON *pdb = any(faults->world, &kube_pdbs);
	if (pdb)
		patch(faults->world, "/apis/policy/v1/namespaces/shop/poddisruptionbudgets", pdb, "",
		      draw_chance(faults->world, 40) ? "{'spec':{'minAvailable':'100%','maxUnavailable':null}}"
		                                     : "{'spec':{'minAvailable':null,'maxUnavailable':1}}");
}

static void add_budget(struct faults *faults)
{
	if (draw_chance(faults->world, 30))
		kube_sim_api_do(faults->world->api, "POST", "/apis/policy/v1/namespaces/shop/poddisruptionbudgets", NULL,
		                "{'apiVersion':'policy/v1','kind':'PodDisruptionBudget','metadata':{'name':'another'},'spec':{"
		                "'maxUnavailable':1,'selector':{'matchLabels':{'app':'app0'}}}}");
}

static void move_channel(struct faults *faults)
{
	channel_move(faults->world);
}

void fault_event(struct faults *faults)
{
	static void (*const events[])(struct faults * faults) = {
	    close_watch,   break_watch,    stall_watch,    expire_watch, compact,      turn_node,       turn_node,
	    cordon_node,   touch_node,     delete_node,    kill_replica, jump_clock,   edit_policy,     suspend_policy,
	    delete_policy, delete_rollout, create_rollout, take_job,     upset_pod,    change_budget,   add_budget,
	    stop_replica,  freeze_replica, repeat_event,   hold_node,    drop_rollout, fault_move_node, mark_node,
	    lock_node,     move_channel,   lift_cordon,    uninstall,
	};
	size_t count = KUBE_ARRAY_LEN(events), kind = (size_t)draw_between(faults->world, 0, (int64_t)count - 1);
	uint64_t kinds = faults->kinds & ((UINT64_C(1) << count) - 1);

	/* One of those that happen in this world: a few kinds that come often meet each other. */
	while (kinds && !(kinds & (UINT64_C(1) << kind)))
		kind = (kind + 1) % count;
	if (kinds)
		events[kind](faults);
}

/* ---- the person ---- */

static bool anything_unfinished(struct world *world)
{
	for (size_t i = 0; i < kube_sim_api_count(world->api, &pw_rollouts); i++)
		if (!*text_at(kube_sim_api_at(world->api, &pw_rollouts, i), "status.outcome"))
			return true;
	return false;
}

/* A quarantine is looked at and lifted; a forgotten cordon too. What is in work is left alone. */
static void release(struct world *world, const cJSON *node)
{
	const char *state = state_of(node);
	bool at_rest = !state;
	for (int step = STEP_CLAIMED; state && step < STEP_COUNT; step++) {
		char word[32];
		snprintf(word, sizeof(word), "\"step\":\"%s\"", step_names[step]);
		at_rest |= step_ended((enum step)step) && strstr(state, word);
	}
	bool tainted = kube_json_get(node, "spec.taints") != NULL;
	if (at_rest && tainted)
		patch(world, NODES, node, "",
		      "{'metadata':{'annotations':{'" PW_ANNOTATION_STATE
		      "':null}},'spec':{'unschedulable':null,'taints':null}}");
	else if (at_rest && is_cordoned(node))
		patch(world, NODES, node, "", "{'spec':{'unschedulable':null}}");
}

void fault_mend(struct faults *faults)
{
	struct world *world = faults->world;

	channel_say(world, "'runtime':'1.7.28'");
	bool buys = world->theme != THEME_ROOM || ++faults->visits > 3; /* larger machines, in the end */
	for (size_t i = 0; buys && i < kube_sim_api_count(world->api, &kube_nodes); i++)
		patch(world, NODES, kube_sim_api_at(world->api, &kube_nodes, i), "/status",
		      "{'status':{'allocatable':{'cpu':'64','pods':'110'}}}");
	take_off(world, PW_ANNOTATION_HOLD);
	take_off(world, REBOOT_MARK);
	unlock(world);
	for (size_t i = 0; i < kube_sim_api_count(world->api, &kube_nodes); i++)
		if (!is_ready(kube_sim_api_at(world->api, &kube_nodes, i)))
			set_ready(world, kube_sim_api_at(world->api, &kube_nodes, i), true);
	for (size_t i = 0; i < kube_sim_api_count(world->api, &pw_policies); i++)
		if (cJSON_IsTrue(kube_json_get(kube_sim_api_at(world->api, &pw_policies, i), "spec.suspend")))
			patch(world, POLICIES, kube_sim_api_at(world->api, &pw_policies, i), "", "{'spec':{'suspend':false}}");
	for (size_t i = 0; i < kube_sim_api_count(world->api, &pw_rollouts); i++)
		if (strcmp(text_at(kube_sim_api_at(world->api, &pw_rollouts, i), "spec.intent.action"), "Pause") == 0)
			patch(world, ROLLOUTS, kube_sim_api_at(world->api, &pw_rollouts, i), "", "{'spec':{'intent':null}}");
	for (size_t i = 0; anything_unfinished(world) && i < kube_sim_api_count(world->api, &kube_nodes); i++)
		release(world, kube_sim_api_at(world->api, &kube_nodes, i));
}
