/*
 * What gates look at in the cluster: the condition of an object, and pods that are Ready. Both hold, or do not in one
 * way or another, for a while each.
 */
#include "test/sim/inside.h"

#include <kube/client.h>
#include <stdlib.h>
#include <string.h>

#define BACKUPS "/apis/ops.example/v1/backups"
#define BACKUP BACKUPS "/nightly"
#define GUARDS 3

enum state { STATE_HOLDS, STATE_NOT, STATE_BEHIND, STATE_SILENT, STATE_GONE };
static const char *const state_names[] = {"hold", "do not hold", "are behind", "say nothing", "are gone"};

const struct kube_resource sim_backups = {
    .group = "ops.example", .version = "v1", .plural = "backups", .kind = "Backup", .namespaced = false};

struct inside {
	struct world *world;
	uint64_t dice;
	bool used;
	struct kube_intstr least; /* Ready guards */
	enum state state;
	int64_t held_until_ms; /* the condition, by the server's time */
	struct kube_timer timer;
};

static int64_t between(struct inside *inside, int64_t low, int64_t high)
{
	return dice_between(&inside->dice, low, high);
}

/* ---- the object ---- */

static void set_condition(struct inside *inside, enum state state)
{
	struct kube_sim_api *api = inside->world->api;

	if (state == STATE_GONE) {
		kube_sim_api_call(api, "DELETE", BACKUP, NULL, NULL, NULL);
		return;
	}
	kube_sim_api_do(api, "POST", BACKUPS, NULL,
	                "{'apiVersion':'ops.example/v1','kind':'Backup','metadata':{'name':'nightly'},'spec':{}}");
	const cJSON *generation =
	    kube_json_get(kube_sim_api_get(api, &sim_backups, NULL, "nightly"), "metadata.generation");
	kube_sim_api_do(api, "PATCH", BACKUP "/status", KUBE_PATCH_MERGE,
	                "{'status':{'observedGeneration':%d,'conditions':[{'type':'%s','status':'%s'}]}}",
	                (int)cJSON_GetNumberValue(generation), state == STATE_SILENT ? "Begun" : "Complete",
	                state == STATE_NOT ? "False" : "True");
	if (state == STATE_BEHIND)
		kube_sim_api_do(api, "PATCH", BACKUP, KUBE_PATCH_MERGE, "{'spec':{'round':%lld}}",
		                (long long)between(inside, 1, 999999));
}

int64_t inside_held_until_ms(const struct inside *inside)
{
	return inside->state == STATE_HOLDS ? world_now_ms(inside->world) : inside->held_until_ms;
}

/* ---- the pods: on a node that no policy means ---- */

bool inside_enough(const struct inside *inside, int64_t matching, int64_t ready)
{
	int64_t value = inside->least.value, least = inside->least.percent ? (matching * value + 99) / 100 : value;
	return matching > 0 && ready >= least;
}

static void set_guard(struct inside *inside, int number, bool there, bool ready)
{
	struct kube_sim_api *api = inside->world->api;
	char target[96];

	snprintf(target, sizeof(target), "/api/v1/namespaces/" INSIDE_NAMESPACE "/pods/guard-%d", number);
	if (!there) {
		kube_sim_api_do(api, "DELETE", target, NULL, "{'gracePeriodSeconds':0}");
		return;
	}
	kube_sim_api_do(api, "POST", "/api/v1/namespaces/" INSIDE_NAMESPACE "/pods", NULL,
	                "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'guard-%d','labels':{'app':'guard'}},'spec':{"
	                "'nodeName':'n00','restartPolicy':'Never','containers':[]}}",
	                number);
	strcat(target, "/status");
	kube_sim_api_do(api, "PATCH", target, KUBE_PATCH_MERGE,
	                "{'status':{'phase':'Running','conditions':[{'type':'Ready','status':'%s'}]}}",
	                ready ? "True" : "False");
}

/* As many as are enough, or one less. */
static void set_guards(struct inside *inside, enum state state)
{
	int ready = 0;

	while (!inside_enough(inside, GUARDS, ready))
		ready++;
	if (state != STATE_HOLDS)
		ready--;
	for (int i = 0; i < GUARDS; i++)
		set_guard(inside, i, state != STATE_GONE, i < ready);
}

/* ---- both ---- */

static void set_state(struct inside *inside, enum state state)
{
	if (inside->state == STATE_HOLDS)
		inside->held_until_ms = world_now_ms(inside->world);
	inside->state = state;
	world_trace(inside->world, "inside: what gates look at: they %s", state_names[state]);
	set_condition(inside, state);
	set_guards(inside, state);
}

/* Mostly one that a look has to tell from what holds. */
static enum state draw_state(struct inside *inside, int holds)
{
	static const enum state others[] = {STATE_NOT, STATE_NOT, STATE_BEHIND, STATE_BEHIND, STATE_SILENT, STATE_GONE};

	return between(inside, 1, 100) <= holds ? STATE_HOLDS : others[between(inside, 0, KUBE_ARRAY_LEN(others) - 1)];
}

static void on_timer(struct kube_timer *timer, void *arg)
{
	struct inside *inside = arg;

	set_state(inside, draw_state(inside, inside->state == STATE_HOLDS ? 0 : 60));
	kube_timer_start(kube_sim_env(inside->world->sim), timer, between(inside, 1000, 300000), on_timer, inside);
}

static void begin(struct inside *inside)
{
	if (inside->used)
		return;
	inside->used = true;
	inside->least = (struct kube_intstr){.set = true, .value = between(inside, 1, GUARDS)};
	if (between(inside, 1, 2) == 1)
		inside->least = (struct kube_intstr){.set = true, .percent = true, .value = between(inside, 1, 100)};
	kube_sim_api_do(inside->world->api, "POST", "/api/v1/namespaces", NULL,
	                "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'" INSIDE_NAMESPACE "'}}");
	set_state(inside, draw_state(inside, inside->world->calm ? 100 : 25));
	if (!inside->world->calm)
		kube_timer_start(kube_sim_env(inside->world->sim), &inside->timer, between(inside, 1000, 60000), on_timer,
		                 inside);
}

void inside_add_gate(struct inside *inside, struct kube_buf *out, const char *at, const char *on_error)
{
	begin(inside);
	if (between(inside, 1, 2) == 1)
		kube_buf_adds(out, "{'name':'backup','type':'Resource','resource':{'apiVersion':'ops.example/v1','kind':"
		                   "'Backup','name':'nightly','condition':'Complete'}");
	else
		kube_buf_addf(out,
		              "{'name':'guards','type':'Pods','pods':{'namespace':'" INSIDE_NAMESPACE
		              "','selector':{'matchLabels':{'app':'guard'}},'minReady':%s%lld%s}",
		              inside->least.percent ? "'" : "", (long long)inside->least.value,
		              inside->least.percent ? "%'" : "");
	kube_buf_addf(out, ",'at':[%s],'timeout':'2s','interval':'%llds','onError':'%s'}", at,
	              (long long)between(inside, 3, 20), on_error);
}

/* ---- life ---- */

struct inside *inside_new(struct world *world)
{
	struct inside *inside = calloc(1, sizeof(*inside));

	inside->world = world;
	inside->state = STATE_GONE;
	inside->dice = world->seed ^ UINT64_C(0x696e73696465);
	return inside;
}

void inside_end(struct inside *inside)
{
	kube_timer_stop(kube_sim_env(inside->world->sim), &inside->timer);
	if (!inside->used)
		return;
	if (!kube_sim_api_get(inside->world->api, &kube_nodes, NULL, "n00"))
		draw_node(inside->world, 0);
	set_state(inside, STATE_HOLDS);
}

void inside_free(struct inside *inside)
{
	kube_timer_stop(kube_sim_env(inside->world->sim), &inside->timer);
	free(inside);
}
