/*
 * What gates and channels ask: a server outside the cluster that says yes, says no, or is out of reach, for a while
 * each. It has a randomness of its own, so that worlds without gates are what they are without it.
 */
#include "test/sim/outside.h"

#include <kube/client.h>
#include <stdlib.h>
#include <string.h>

#define CALENDAR "https://outside.example/calendar"
#define METRICS "https://metrics.ops.svc"

enum mood { MOOD_YES, MOOD_NO, MOOD_STRANGE, MOOD_AWAY, MOOD_SILENT, MOOD_COUNT };
static const char *const mood_names[] = {"yes", "no", "something strange", "nothing, it is away", "nothing at all"};

struct outside {
	struct world *world;
	uint64_t random_state;
	enum mood mood;
	int64_t yes_until_ms; /* when it said yes last, by the server's time: now, while it does */
	bool over;
	struct kube_timer timer;
};

static int64_t between(struct outside *outside, int64_t low, int64_t high)
{
	return dice_between(&outside->random_state, low, high);
}

/* ---- moods ---- */

static void set_mood(struct outside *outside, enum mood mood)
{
	if (outside->mood == MOOD_YES)
		outside->yes_until_ms = world_now_ms(outside->world);
	outside->mood = mood;
	world_trace(outside->world, "outside: the answer is %s", mood_names[mood]);
}

static void on_timer(struct kube_timer *timer, void *arg)
{
	struct outside *outside = arg;
	bool yes = outside->mood != MOOD_YES && between(outside, 1, 100) <= 60;

	set_mood(outside, yes ? MOOD_YES : (enum mood)between(outside, MOOD_NO, MOOD_COUNT - 1));
	kube_timer_start(kube_sim_env(outside->world->sim), timer, between(outside, 1000, 120000), on_timer, outside);
}

int64_t outside_yes_until_ms(const struct outside *outside)
{
	return outside->mood == MOOD_YES ? world_now_ms(outside->world) : outside->yes_until_ms;
}

/* ---- answers ---- */

static const char *answer_of(const struct outside *outside, bool metrics)
{
	if (!metrics)
		return outside->mood == MOOD_STRANGE ? "[" : outside->mood == MOOD_YES ? "{\"open\":true}" : "{\"open\":false}";
	return outside->mood == MOOD_STRANGE ? "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}"
	       : outside->mood == MOOD_YES
	           ? "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"0\"]}}"
	           : "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"2\"]}}";
}

static void answer_channel(struct outside *outside, struct kube_sim *sim, struct kube_exchange *exchange)
{
	const cJSON *channels = kube_sim_api_get(outside->world->api, &kube_config_maps, OWN_NAMESPACE, "channels");
	bool there = kube_json_get(channels, "data.runtime") != NULL && outside->mood != MOOD_STRANGE;

	world_trace(outside->world, "outside: the channel is asked");
	kube_sim_reply_json(sim, exchange, between(outside, 1, 1000), there ? 200 : 404,
	                    there ? text_at(channels, "data.runtime") : "");
}

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	struct outside *outside = arg;
	bool metrics = strncmp(request->target, METRICS "/", sizeof(METRICS)) == 0;

	if (outside->mood == MOOD_AWAY)
		kube_sim_reply_end(sim, exchange, 5, KUBE_E_CONNECT, "nobody is there");
	else if (outside->mood != MOOD_SILENT && strcmp(request->target, OUTSIDE_CHANNEL) == 0)
		answer_channel(outside, sim, exchange);
	else if (outside->mood != MOOD_SILENT)
		kube_sim_reply_json(sim, exchange, between(outside, 1, 1000), 200, answer_of(outside, metrics));
}

/* ---- what a policy has of it ---- */

void draw_gates(struct world *world, struct kube_buf *out)
{
	static const char *const at[] = {"'Rollout'", "'Wave'", "'Node'", "'Rollout','Wave','Node'", "'Node'"};
	struct outside *outside = world->outside;
	bool metrics = between(outside, 1, 100) <= 50, both = between(outside, 1, 100) <= 20;
	uint64_t dice = world->seed ^ UINT64_C(0x6661696c);
	const char *on_error = dice_between(&dice, 1, 4) == 1 ? "Fail" : "Wait";

	if (between(outside, 1, 100) > 20)
		return;
	kube_buf_addf(out, ",'gates':[");
	if (!metrics || both)
		kube_buf_addf(out,
		              "{'name':'calendar','at':[%s],'type':'HTTP','http':{'url':'" CALENDAR
		              "','field':'open','value':'true'},'timeout':'2s','interval':'%llds','onError':'%s'}%s",
		              at[between(outside, 0, 4)], (long long)between(outside, 3, 60), on_error, metrics ? "," : "");
	if (metrics)
		kube_buf_addf(
		    out,
		    "{'name':'alerts','at':[%s],'type':'Prometheus','prometheus':{'address':'" METRICS
		    "','query':'count(ALERTS{node!~\\\"{{active}}\\\"})','max':'0'},'timeout':'2s','interval':'%llds',"
		    "'onError':'%s'}",
		    at[between(outside, 0, 4)], (long long)between(outside, 3, 60), on_error);
	kube_buf_adds(out, "]");
}

/* ---- life ---- */

struct outside *outside_new(struct world *world)
{
	struct outside *outside = calloc(1, sizeof(*outside));

	outside->world = world;
	outside->random_state = world->seed ^ UINT64_C(0x6f757473696465);
	kube_sim_serve_outside(world->sim, serve, outside);
	if (!world->calm)
		kube_timer_start(kube_sim_env(world->sim), &outside->timer, between(outside, 1000, 60000), on_timer, outside);
	return outside;
}

void outside_end(struct outside *outside)
{
	kube_timer_stop(kube_sim_env(outside->world->sim), &outside->timer);
	set_mood(outside, MOOD_YES);
}

void outside_free(struct outside *outside)
{
	kube_timer_stop(kube_sim_env(outside->world->sim), &outside->timer);
	kube_sim_serve_outside(outside->world->sim, NULL, NULL);
	free(outside);
}
