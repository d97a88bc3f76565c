/*
 * What gates and channels ask: a server outside the cluster that says yes, says no, or is out of reach, for a while
 * each. It has a randomness of its own, so that worlds without gates are what they are without it.
 */
#include "test/sim/outside.h"
#include "test/sim/inside.h"

#include <kube/client.h>
#include <stdlib.h>
#include <string.h>

#define CALENDAR "https://outside.example/calendar"
#define CHANNEL "https://outside.example/runtime"
#define METRICS "https://metrics.ops.svc"
/* These want a token. */
#define PRIVATE "private.example"
#define PRIVATE_CALENDAR "https://" PRIVATE "/calendar"
#define PRIVATE_CHANNEL "https://" PRIVATE "/runtime"
#define PRIVATE_METRICS "https://" PRIVATE "/metrics"
#define HIGH "/high" /* part of an address: what is asked there is good when it is high */
#define TOKEN "s3cret"

enum mood { MOOD_YES, MOOD_NO, MOOD_STRANGE, MOOD_AWAY, MOOD_SILENT, MOOD_COUNT };
static const char *const mood_names[] = {"yes", "no", "something strange", "nothing, it is away", "nothing at all"};

struct outside {
	struct world *world;
	uint64_t random_state;
	enum mood mood;
	int64_t yes_until_ms; /* when it said yes last, by the server's time: now, while it does */
	uint64_t secret_dice;
	bool asked_with_token;
	bool meant;             /* the Secrets are as they should be */
	int64_t meant_until_ms; /* the same as yes_until_ms */
	struct kube_timer timer;
};

static int64_t between(struct outside *outside, int64_t low, int64_t high)
{
	return dice_between(&outside->random_state, low, high);
}

/* ---- Secrets ---- */

/* For gates and for channels, with the token in base64. */
static void put_secrets(struct outside *outside, bool marked, const char *hosts)
{
	static const char *const uses[] = {"gate", "channel"};
	char rest[256], name[32];

	for (size_t i = 0; i < KUBE_ARRAY_LEN(uses); i++) {
		snprintf(name, sizeof(name), "%s-token", uses[i]);
		snprintf(rest, sizeof(rest),
		         ",'labels':{'" PW_MARK_USE "':'%s'},'annotations':{'" PW_ANNOTATION_HOSTS
		         "':'%s'}},'data':{'token':'czNjcmV0'",
		         marked ? uses[i] : "analysis", hosts);
		secret_put(outside->world, OWN_NAMESPACE, name, rest);
	}
}

static void take_secrets(struct outside *outside)
{
	secret_take(outside->world, OWN_NAMESPACE, "gate-token");
	secret_take(outside->world, OWN_NAMESPACE, "channel-token");
}

static void turn_secrets(struct outside *outside, int64_t lot)
{
	if (outside->meant)
		outside->meant_until_ms = world_now_ms(outside->world);
	outside->meant = lot > 3;
	if (lot == 1)
		take_secrets(outside);
	else
		put_secrets(outside, lot != 2, lot == 3 ? "other.example" : "other.example, " PRIVATE);
}

static bool draw_token(struct outside *outside)
{
	if (!draw_rare(outside->world, 25))
		return false;
	if (!outside->asked_with_token)
		turn_secrets(outside, dice_between(&outside->secret_dice, outside->world->calm ? 4 : 1, 6));
	outside->asked_with_token = true;
	return true;
}

/* It is sent to whom it is meant for, as far as the Secret said so when it was read. */
static void check_token(struct outside *outside, const struct kube_request *request)
{
	struct world *world = outside->world;
	const char *token = request->auth ? request->auth->token : NULL;
	int64_t ago_ms = outside->meant ? 0 : world_now_ms(world) - outside->meant_until_ms;

	if (!token)
		return;
	if (strncmp(request->target, "https://" PRIVATE "/", strlen("https://" PRIVATE "/")) != 0)
		world_fail(world, "a token is sent to %s, and no policy says so", request->target);
	if (strcmp(token, TOKEN) != 0 || (ago_ms > world->decision_ms && world->freezes == 0))
		world_fail(world, "a token is sent to %s, and its Secret has not been for that for %lld ms", request->target,
		           (long long)ago_ms);
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

	if (outside->asked_with_token)
		turn_secrets(outside, dice_between(&outside->secret_dice, 1, 6));
	set_mood(outside, yes ? MOOD_YES : (enum mood)between(outside, MOOD_NO, MOOD_COUNT - 1));
	kube_timer_start(kube_sim_env(outside->world->sim), timer, between(outside, 1000, 120000), on_timer, outside);
}

int64_t outside_yes_until_ms(const struct outside *outside)
{
	return outside->mood == MOOD_YES ? world_now_ms(outside->world) : outside->yes_until_ms;
}

/* ---- answers ---- */

static const char *answer_of(const struct outside *outside, const char *target)
{
	bool yes = outside->mood == MOOD_YES;

	if (!strstr(target, "/api/v1/query"))
		return outside->mood == MOOD_STRANGE ? "[" : yes ? "{\"open\":true}" : "{\"open\":false}";
	if (outside->mood == MOOD_STRANGE)
		return "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}";
	return yes == (strstr(target, HIGH "/") != NULL)
	           ? "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"2\"]}}"
	           : "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"0\"]}}";
}

static bool lacks_token(const struct kube_request *request)
{
	bool has = request->auth && request->auth->token;
	return !has && strstr(request->target, PRIVATE);
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

	check_token(outside, request);
	if (outside->mood == MOOD_AWAY)
		kube_sim_reply_end(sim, exchange, 5, KUBE_E_CONNECT, "nobody is there");
	else if (lacks_token(request))
		kube_sim_reply_json(sim, exchange, 5, 401, "");
	else if (outside->mood != MOOD_SILENT && strstr(request->target, "/runtime"))
		answer_channel(outside, sim, exchange);
	else if (outside->mood != MOOD_SILENT)
		kube_sim_reply_json(sim, exchange, between(outside, 1, 1000), 200, answer_of(outside, request->target));
}

/* ---- what a policy has of it ---- */

#define TOKEN_REF(use) ",'secretRef':{'name':'" use "-token'}"

static const char *const at[] = {"'Rollout'", "'Wave'", "'Node'", "'Rollout','Wave','Node'", "'Node'"};

static void add_calendar(struct outside *outside, struct kube_buf *out, const char *on_error)
{
	bool token = draw_token(outside);

	kube_buf_addf(out,
	              "{'name':'calendar','at':[%s],'type':'HTTP','http':{'url':'%s','field':'open','value':'true'%s},"
	              "'timeout':'2s','interval':'%llds','onError':'%s'}",
	              at[between(outside, 0, 4)], token ? PRIVATE_CALENDAR : CALENDAR, token ? TOKEN_REF("gate") : "",
	              (long long)between(outside, 3, 60), on_error);
}

static void add_alerts(struct outside *outside, struct kube_buf *out, const char *on_error)
{
	bool token = draw_token(outside), high = draw_rare(outside->world, 75);

	kube_buf_addf(out,
	              "{'name':'alerts','at':[%s],'type':'Prometheus','prometheus':{'address':'%s%s','query':"
	              "'count(ALERTS{node!~\\\"{{active}}\\\"})',%s%s},'timeout':'2s','interval':'%llds','onError':'%s'}",
	              at[between(outside, 0, 4)], token ? PRIVATE_METRICS : METRICS, high ? HIGH : "",
	              high ? "'min':'1','max':'5'" : "'max':'0'", token ? TOKEN_REF("gate") : "",
	              (long long)between(outside, 3, 60), on_error);
}

void draw_gates(struct world *world, struct kube_buf *out)
{
	struct outside *outside = world->outside;
	bool metrics = between(outside, 1, 100) <= 50, both = between(outside, 1, 100) <= 20;
	uint64_t dice = world->seed ^ UINT64_C(0x6661696c);
	const char *on_error = dice_between(&dice, 1, 4) == 1 ? "Fail" : "Wait";
	bool outer = between(outside, 1, 100) <= 20, inner = draw_rare(world, 15);

	if (!outer && !inner)
		return;
	kube_buf_adds(out, ",'gates':[");
	if (outer && (!metrics || both))
		add_calendar(outside, out, on_error);
	if (outer && metrics && both)
		kube_buf_adds(out, ",");
	if (outer && metrics)
		add_alerts(outside, out, on_error);
	if (outer && inner)
		kube_buf_adds(out, ",");
	if (inner)
		inside_add_gate(world->inside, out, "'Node'", on_error);
	kube_buf_adds(out, "]");
}

const char *draw_channel_url(struct world *world, const char **ret_secret)
{
	bool token = draw_token(world->outside);

	*ret_secret = token ? TOKEN_REF("channel") : "";
	return token ? PRIVATE_CHANNEL : CHANNEL;
}

/* ---- life ---- */

struct outside *outside_new(struct world *world)
{
	struct outside *outside = calloc(1, sizeof(*outside));

	outside->world = world;
	outside->random_state = world->seed ^ UINT64_C(0x6f757473696465);
	outside->secret_dice = world->seed ^ UINT64_C(0x746f6b656e);
	kube_sim_serve_outside(world->sim, serve, outside);
	if (!world->calm)
		kube_timer_start(kube_sim_env(world->sim), &outside->timer, between(outside, 1000, 60000), on_timer, outside);
	return outside;
}

void outside_end(struct outside *outside)
{
	kube_timer_stop(kube_sim_env(outside->world->sim), &outside->timer);
	set_mood(outside, MOOD_YES);
	if (outside->asked_with_token)
		turn_secrets(outside, 4);
}

void outside_free(struct outside *outside)
{
	kube_timer_stop(kube_sim_env(outside->world->sim), &outside->timer);
	kube_sim_serve_outside(outside->world->sim, NULL, NULL);
	free(outside);
}
