/* What a seed draws: nodes in zones, workloads with budgets, policies. */
#include "test/sim/world.h"

#include <kube/buf.h>
#include <kube/time.h>
#include <string.h>

static void create(struct world *world, const char *target, const char *quoted)
{
	int status = kube_sim_api_do(world->api, "POST", target, NULL, "%s", quoted);
	if (status != 201)
		world_fail(world, "the world is drawn wrongly: POST %s gives %d: %s", target, status, quoted);
}

/* ---- nodes ---- */

void draw_node(struct world *world, size_t index)
{
	static const char *const words[] = {"low", "high", "critical"};
	char text[1280], annotations[192] = "", held[192] = "";
	bool control_plane = index == 0, other_pool = !control_plane && draw_chance(world, 8);
	bool full = world->theme == THEME_ROOM;
	const char *runtime = draw_chance(world, 10) ? "1.7.27" : draw_chance(world, 3) ? "1.7.30" : "1.6.20";

	if (draw_chance(world, 25))
		snprintf(annotations, sizeof(annotations), ",'patchwright.io/criticality':'%s'",
		         words[draw_between(world, 0, 2)]);
	if (!world->calm && draw_chance(world, 8))
		snprintf(annotations, sizeof(annotations), ",'" REBOOT_MARK "':'now'");
	if (!world->calm && draw_chance(world, 5))
		snprintf(annotations, sizeof(annotations), ",'" PW_ANNOTATION_HOLD "':'somebody looks at it'");
	if (draw_chance(world, 25)) {
		const char *before = draw_chance(world, 50) ? "true" : "false";
		snprintf(held, sizeof(held),
		         ",'cluster-autoscaler.kubernetes.io/scale-down-disabled':'%s','" DRAWN_SCALE_DOWN "':'%s'", before,
		         before);
	}
	snprintf(text, sizeof(text),
	         "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n%02zu','labels':{'pool':'%s',"
	         "'topology.kubernetes.io/"
	         "zone':'z%lld','firmware':'%s'%s%s},'annotations':{'" FIRMWARE_SHOWN
	         "':'%s'%s%s}},'spec':{%s},'status':{'conditions':[{'type':"
	         "'Ready','status':'True','lastTransitionTime':'2025-12-31T23:00:00Z'}],'nodeInfo':{'operatingSystem':"
	         "'linux','bootID':'boot-%zu-0','kernelVersion':'6.1.20','kubeletVersion':'v1.33.1','"
	         "containerRuntimeVersion':'containerd://%s'},'allocatable':{'cpu':'%lldm','memory':'8Gi','pods':'%lld'}}}",
	         index, other_pool ? "other" : "w", (long long)draw_between(world, 1, 3),
	         world->annotates ? "0.1.0" : "1.0.0", control_plane ? ",'node-role.kubernetes.io/control-plane':''" : "",
	         draw_chance(world, 12) ? ",'gpu':'old'" : "", world->annotates ? "1.0.0" : "0.1.0", held, annotations,
	         !world->calm && draw_chance(world, 6) ? "'unschedulable':true" : "", index, runtime,
	         world->calm ? 64000ll
	                     : (long long)(full ? draw_between(world, 600, 1000) : draw_between(world, 1000, 4000)),
	         world->calm ? 110ll : (long long)draw_between(world, 4, 20));
	create(world, NODES, text);
}

/* ---- workloads ---- */

static void draw_budget(struct world *world, const char *app, int64_t replicas)
{
	char text[512], limit[96];

	switch (draw_between(world, 0, 9)) {
	case 0:
	case 1: return;
	case 2: snprintf(limit, sizeof(limit), "'minAvailable':%lld", (long long)replicas); break; /* allows nothing */
	case 3: snprintf(limit, sizeof(limit), "'minAvailable':'50%%'"); break;
	case 4: snprintf(limit, sizeof(limit), "'maxUnavailable':'30%%','unhealthyPodEvictionPolicy':'AlwaysAllow'"); break;
	default: snprintf(limit, sizeof(limit), "'maxUnavailable':1"); break;
	}
	snprintf(text, sizeof(text),
	         "{'apiVersion':'policy/v1','kind':'PodDisruptionBudget','metadata':{'name':'%s'},'spec':{'selector':{"
	         "'matchLabels':{'app':'%s'}},%s}}",
	         app, app, limit);
	create(world, "/apis/policy/v1/namespaces/shop/poddisruptionbudgets", text);
}

static void draw_workload(struct world *world, size_t index)
{
	int64_t replicas = draw_between(world, 1, 6);
	char text[512], app[32];

	snprintf(app, sizeof(app), "app%zu", index);
	snprintf(
	    text, sizeof(text),
	    "{'apiVersion':'apps/v1','kind':'ReplicaSet','metadata':{'name':'%s'},'spec':{'replicas':%lld,'template':{"
	    "'metadata':{'labels':{'app':'%s'}},'spec':{'containers':[{'name':'main','image':'i','resources':{'requests':{"
	    "'cpu':'%lldm'}}}]%s}}}}",
	    app, (long long)replicas, app, (long long)draw_between(world, 50, 900),
	    draw_chance(world, 5) ? ",'volumes':[{'name':'x','emptyDir':{}}]" : "");
	create(world, "/apis/apps/v1/namespaces/shop/replicasets", text);
	draw_budget(world, app, replicas);
}

/* Pods that a drain must leave alone, or that stop it. */
static void draw_single_pods(struct world *world)
{
	char daemon[160];
	const char *const kinds[] = {
	    daemon,
	    "'annotations':{'kubernetes.io/config.mirror':'x'}",
	    "'labels':{'app':'app1'},"
	    "'ownerReferences':[{'apiVersion':'batch/v1','kind':'Job','name':'job','uid':'job','controller':true}]",
	    "'labels':{'app':'app0'}",
	};
	char text[512];

	create(world, "/apis/apps/v1/namespaces/shop/daemonsets",
	       "{'apiVersion':'apps/v1','kind':'DaemonSet','metadata':{'name':'ds'},'spec':{}}");
	snprintf(daemon, sizeof(daemon),
	         "'ownerReferences':[{'apiVersion':'apps/v1','kind':'DaemonSet','name':'ds','uid':'%s','controller':true}]",
	         text_at(kube_sim_api_get(world->api, &kube_daemon_sets, "shop", "ds"), "metadata.uid"));
	for (size_t i = 1; i < world->node_count; i++) {
		bool unmanaged = draw_chance(world, 2);
		if (!unmanaged && !draw_chance(world, 30))
			continue;
		snprintf(text, sizeof(text),
		         "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'single-%zu',%s},'spec':{'nodeName':'n%02zu',"
		         "'containers':[]}}",
		         i, kinds[unmanaged ? 3 : draw_between(world, 0, 2)], i);
		create(world, "/api/v1/namespaces/shop/pods", text);
	}
}

/* ---- policies ---- */

static void draw_exceptions(struct world *world, struct kube_buf *out)
{
	char at[KUBE_TIME_TEXT_SIZE];

	if (!draw_chance(world, 20))
		return;
	kube_time_format(world_now_ms(world) + draw_between(world, 30, 600) * 60000, at);
	kube_buf_addf(out,
	              ",'exceptions':[{'name':'%s,'selector':{'matchLabels':{'gpu':'old'}},'reason':'driver pinned',"
	              "'expires':'%s'}]",
	              draw_rare(world, 50) ? REFERRING "','reference':'" REFERENCE "'" : "legacy'", at);
}

/* Where people may not wait for everything, some do not. */
static void draw_emergency(struct world *world, struct kube_buf *out)
{
	static const char *const words[] = {"Windows", "Freezes", "Soak", "Approval"};
	size_t left_out = (size_t)draw_between(world, 0, 4);
	const char *comma = "";

	kube_buf_adds(out, ",'emergency':{'allow':true,'bypass':[");
	for (size_t i = 0; i < KUBE_ARRAY_LEN(words); i++) {
		if (i == left_out)
			continue;
		kube_buf_addf(out, "%s'%s'", comma, words[i]);
		comma = ",";
	}
	kube_buf_adds(out, "]}");
}

/* carol: she writes no policies. */
void draw_emergency_rollout(struct world *world, const char *policy)
{
	kube_sim_api_do(world->api, "POST", ROLLOUTS, NULL,
	                "{'apiVersion':'patchwright.io/v1alpha1','kind':'PatchRollout','metadata':{'name':'cve-%lld',"
	                "'annotations':{'" PW_ANNOTATION_AUTHOR
	                "':'carol'}},'spec':{'policyRef':{'name':'%s'},'emergency':{"
	                "'enabled':true,'reason':'it is exploited'}}}",
	                (long long)draw_between(world, 1, 999999), policy);
}

void draw_policy(struct world *world, size_t index)
{
	struct kube_buf out;

	bool other = index && (draw_chance(world, 40) || world->theme == THEME_MOVES);
	kube_buf_init(&out, 8192);
	kube_buf_addf(&out,
	              "{'apiVersion':'patchwright.io/v1alpha1','kind':'PatchPolicy','metadata':{'name':'p%zu'%s},'spec':{"
	              "'suspend':false,'historyLimit':%lld,'target':{'type':'Nodes','nodes':{'selector':{'matchLabels':{"
	              "'pool':'%s'}}}},",
	              index, draw_chance(world, 90) ? ",'annotations':{'" PW_ANNOTATION_AUTHOR "':'alice'}" : "",
	              (long long)draw_between(world, 0, 3), other ? "other" : "w");
	draw_patches(world, index, &out);
	kube_buf_adds(&out, ",");
	draw_strategy(world, &out);
	kube_buf_adds(&out, ",");
	draw_drain(world, &out);
	draw_exceptions(world, &out);
	kube_buf_addf(&out, ",'rollback':{'timeout':'%llds'}", (long long)draw_between(world, 120, 400));
	draw_windows(world, &out);
	if (draw_chance(world, 35) || world->theme == THEME_GUARD)
		draw_approval(world, &out);
	draw_gates(world, &out);
	bool emergency = draw_chance(world, 40) || world->theme == THEME_GUARD;
	if (emergency)
		draw_emergency(world, &out);
	kube_buf_adds(&out, "}}");
	create(world, POLICIES, out.data);
	kube_buf_finish(&out);
	if (emergency && (draw_chance(world, 50) || world->theme == THEME_GUARD)) {
		char name[16];
		snprintf(name, sizeof(name), "p%zu", index);
		draw_emergency_rollout(world, name);
	}
}

void draw_cluster(struct world *world)
{
	static const char *const namespaces[] = {JOB_NAMESPACE, OWN_NAMESPACE, "shop", "default"};
	char text[128];
	int64_t workloads = world->theme == THEME_ROOM ? 5 : draw_between(world, 0, 5);

	for (size_t i = 0; i < KUBE_ARRAY_LEN(namespaces); i++) {
		snprintf(text, sizeof(text), "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'%s'}}", namespaces[i]);
		create(world, "/api/v1/namespaces", text);
	}
	/* Mostly small: a bug shows in few nodes, and small worlds are quick. */
	world->node_count = (size_t)draw_between(world, 3, draw_chance(world, 85) ? 8 : 24);
	for (size_t i = 0; i < world->node_count; i++)
		draw_node(world, i);
	for (int64_t i = 0; i < workloads; i++)
		draw_workload(world, (size_t)i);
	draw_single_pods(world);
	disks_draw(world->disks);
	channel_say(world, "'runtime':'1.7.27'");
	world->policy_count = draw_chance(world, 75) ? 1 : (size_t)draw_between(world, 2, MAX_POLICIES);
	if (world->theme == THEME_MOVES)
		world->policy_count = 2;
	for (size_t i = 0; i < world->policy_count; i++)
		draw_policy(world, i);
}
