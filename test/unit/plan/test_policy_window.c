/* plan_policy(): whether windows can be carried out, whether one is open, and the next. It is Monday, 14:13:20Z. */
#include "test/unit/plan/world.h"

static struct world w;
static struct policy_result result;

static void plan(const char *windows, const char *now)
{
	const struct node *nodes[1];
	struct policy_snapshot s = {.zones = w.zones, .nodes = nodes, .node_count = 1};

	world_set_policy(&w, kube_arena_printf(&w.arena, "%s,%s", policy_spec(&w, 1, false, NULL, ""), windows), false);
	if (now)
		ck_assert_int_eq(kube_time_parse(now, &w.now_ms, NULL), 0);
	nodes[0] = &w.nodes[0]->node;
	s.now_ms = w.now_ms;
	s.policy = w.policy;
	plan_policy(&s, &w.arena, &result);
}

static void begin(void)
{
	world_init(&w, NULL);
	world_add_nodes(&w, 1);
}

static void check_condition(const char *type, int status, const char *reason, const char *says)
{
	const struct condition *c = condition_get(&result.wanted.conditions, type);
	ck_assert_msg(c != NULL, "there is no condition %s", type);
	ck_assert_msg(c->status == status && !strcmp(c->reason, reason), "%s is %s/%s: %s", type,
	              condition_status_names[c->status], c->reason, c->message);
	ck_assert_msg(strstr(c->message, says) != NULL, "\"%s\" does not say: %s", c->message, says);
}

static size_t created(void)
{
	size_t count = 0;
	for (size_t i = 0; i < result.actions.count; i++)
		count += result.actions.items[i].type == ACTION_CREATE_ROLLOUT;
	return count;
}

#define CRON(schedule, zone) \
	"'windows':[{'name':'n','type':'Cron','schedule':'" schedule "','duration':'2h','timeZone':'" zone "'}]"
#define FREEZE(from, to) "'freezes':[{'name':'f','from':'" from "','to':'" to "','reason':'audit'}]"

START_TEST(not_acceptable)
{
	static const struct {
		const char *spec, *reason, *says;
	} rows[] = {
	    {CRON("0 2 * * *", "Europe/Atlantis"), "UnknownTimeZone",
	     "spec.windows[0].timeZone of window n: there is no time zone Europe/Atlantis"},
	    {CRON("0 2 31 4 *", "Etc/UTC"), "ScheduleNeverFires",
	     "spec.windows[0].schedule of window n: \"0 2 31 4 *\" never fires"},
	    {CRON("0 2 L * *", "Etc/UTC"), "InvalidSchedule", "\"L\" is no day of month"},
	    {CRON("0 2 * * *", "Etc/UTC") "," FREEZE("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z"), "WindowNeverOpens",
	     "no window opens in the next five years (freeze f (audit) is on until 2036-01-01T00:00:00Z): shorten "
	     "spec.freezes"},
	    {FREEZE("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z"), "WindowNeverOpens", "shorten spec.freezes"},
	    {CRON("0 2 * * *", "Etc/UTC") "," FREEZE("2026-09-22T00:00:00Z", "2036-01-01T00:00:00Z"), "WindowNeverOpens",
	     "(freezes cover all that do)"},
	    {FREEZE("2026-09-22T00:00:00Z", "2026-09-22T00:00:00Z"), "InvalidFreeze", "must be later than from"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		begin();
		plan(rows[i].spec, NULL);
		check_condition("Accepted", CONDITION_FALSE, rows[i].reason, rows[i].says);
		check_condition("Stalled", CONDITION_TRUE, rows[i].reason, rows[i].says);
		check_condition("Ready", CONDITION_FALSE, rows[i].reason, rows[i].says);
		ck_assert_ptr_null(condition_get(&result.wanted.conditions, "WindowOpen"));
		ck_assert_int_eq(result.wanted.next_window.opens_ms, KUBE_TIME_NONE);
		ck_assert_uint_eq(created(), 0);
		ck_assert_int_gt(result.look_again_ms, w.now_ms); /* a zone may be installed, time goes on */

		/* A rollout that somebody makes says the same, and is not planned. */
		struct world_rollout *r = world_add_rollout(&w, "r1");
		world_run(&w, MINUTES(1));
		ck_assert_ptr_null(r->rollout->status.plan_hash);
		const struct condition *stalled = condition_get(&r->rollout->status.conditions, "Stalled");
		ck_assert_str_eq(stalled->reason, "PolicyNotAccepted");
		ck_assert_msg(strstr(stalled->message, rows[i].says) != NULL, "%s", stalled->message);
		world_finish(&w);
	}
}
END_TEST

START_TEST(open_and_next)
{
	static const char night[] = CRON("0 2 * * *", "Etc/UTC");
	static const struct {
		const char *spec, *now;
		int status;
		const char *reason, *says, *opens, *closes, *name, *look;
	} rows[] = {
	    {night, "2026-09-21T14:00:00Z", CONDITION_FALSE, "WindowClosed", "window n opens at 2026-09-22T02:00:00Z",
	     "2026-09-22T02:00:00Z", "2026-09-22T04:00:00Z", "n", "2026-09-22T02:00:00Z"},
	    {night, "2026-09-22T02:00:00Z", CONDITION_TRUE, "WindowOpen", "window n is open until 2026-09-22T04:00:00Z",
	     "2026-09-23T02:00:00Z", "2026-09-23T04:00:00Z", "n", "2026-09-22T04:00:00Z"},
	    {night, "2026-09-22T04:00:00Z", CONDITION_FALSE, "WindowClosed", "window n opens at 2026-09-23T02:00:00Z",
	     "2026-09-23T02:00:00Z", "2026-09-23T04:00:00Z", "n", "2026-09-23T02:00:00Z"},
	    {CRON("30 2 29 3 *", "Europe/Berlin"), "2026-09-21T14:00:00Z", CONDITION_FALSE, "WindowClosed",
	     "2027-03-29T00:30", "2027-03-29T00:30:00Z", "2027-03-29T02:30:00Z", "n", "2027-03-29T00:30:00Z"},
	    {CRON("0 2 * * *", "Etc/UTC") "," FREEZE("2026-09-21T00:00:00Z", "2026-09-24T12:00:00Z"),
	     "2026-09-22T03:00:00Z", CONDITION_FALSE, "Frozen",
	     "freeze f (audit) is on until 2026-09-24T12:00:00Z; window n opens at 2026-09-25T02", "2026-09-25T02:00:00Z",
	     "2026-09-25T04:00:00Z", "n", "2026-09-24T12:00:00Z"},
	    {FREEZE("2026-12-18T00:00:00Z", "2027-01-04T00:00:00Z"), "2026-09-22T03:00:00Z", CONDITION_TRUE, "WindowOpen",
	     "no freeze is on", "", "", "", "2026-12-18T00:00:00Z"},
	    {FREEZE("2026-12-18T00:00:00Z", "2027-01-04T00:00:00Z"), "2026-12-17T23:00:00Z", CONDITION_TRUE, "WindowOpen",
	     "no freeze is on until 2026-12-18T00:00:00Z", "2027-01-04T00:00:00Z", "", "", "2026-12-18T00:00:00Z"},
	    {FREEZE("2026-12-18T00:00:00Z", "2027-01-04T00:00:00Z"), "2027-01-05T00:00:00Z", CONDITION_TRUE, "WindowOpen",
	     "no freeze is on", "", "", "", ""},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		char text[KUBE_TIME_TEXT_SIZE];
		begin();
		plan(rows[i].spec, rows[i].now);
		check_condition("Accepted", CONDITION_TRUE, "Valid", "");
		check_condition("WindowOpen", rows[i].status, rows[i].reason, rows[i].says);
		const char *name = result.wanted.next_window.name;
		ck_assert_str_eq(kube_time_format(result.wanted.next_window.opens_ms, text), rows[i].opens);
		ck_assert_str_eq(kube_time_format(result.wanted.next_window.closes_ms, text), rows[i].closes);
		ck_assert_str_eq(name ? name : "", rows[i].name);
		ck_assert_str_eq(kube_time_format(result.look_again_ms, text), rows[i].look);
		ck_assert_uint_eq(created(), 1); /* a rollout is planned whether it is open or not */
		world_finish(&w);
	}
}
END_TEST

START_TEST(no_windows)
{
	begin();
	plan("'windows':[],'freezes':[]", NULL);
	ck_assert_ptr_null(condition_get(&result.wanted.conditions, "WindowOpen"));
	ck_assert_int_eq(result.wanted.next_window.opens_ms, KUBE_TIME_NONE);
	ck_assert_int_eq(result.look_again_ms, KUBE_TIME_NONE);
	world_finish(&w);
}
END_TEST

CHECK_MAIN("policy window", not_acceptable, open_and_next, no_windows)
