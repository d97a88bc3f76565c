/*
 * Windows and freezes: the cases that people ask about. test/oracle asks ten thousand more, of somebody else.
 */
#include "controller/plan/window.h"

#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"
#include "test/unit/tzif.h"

#include <kube/time.h>

static struct kube_arena arena;

__attribute__((destructor)) static void put_away(void)
{
	kube_arena_finish(&arena);
}
static struct zone_entry entries[8];

static struct zone_list zones(void)
{
	static const char *const rules[][2] = {
	    {"Etc/UTC", "UTC0"},
	    {"Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"},
	    {"America/New_York", "EST5EDT,M3.2.0,M11.1.0"},
	    {"Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"},
	    {"Asia/Kathmandu", "<+0545>-5:45"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rules); i++)
		entries[i] = (struct zone_entry){.name = rules[i][0], .zone = zone_of_rule(rules[i][1], &arena)};
	entries[5] = (struct zone_entry){.name = "Mars/Olympus", .problem = "/tz has no such file"};
	return (struct zone_list){.items = entries, .count = 6};
}

static struct rules *rules_of(const char *windows, const char *freezes)
{
	struct rules *rules = kube_arena_alloc(&arena, sizeof(*rules));
	struct kube_err err = {0};
	_cleanup_json_ cJSON *spec =
	    json_of(kube_arena_printf(&arena,
	                              "{'target':{'nodes':{'selector':{'matchLabels':{'a':'b'}}}},'patches':[{'component':"
	                              "'Kubelet','version':'1.34.4','job':{'image':'i'}}],'windows':[%s],'freezes':[%s]}",
	                              windows, freezes));
	ck_assert_msg(rules_decode(spec, rules, &arena, &err) == 0, "%s: %s", windows, err.message);
	return rules;
}

static struct window_set set_of(const char *windows, const char *freezes)
{
	struct rules *rules = rules_of(windows, freezes);
	struct zone_list list = zones();
	struct window_set set;
	struct kube_err err = {0};
	int rc = rules_check(rules, &err);
	if (!rc)
		rc = window_set_init(rules, &list, &arena, &set, &err);
	ck_assert_msg(rc == 0, "%s: %s", windows, err.message);
	return set;
}

static int64_t at(const char *text)
{
	int64_t ms;
	struct kube_err err = {0};
	ck_assert_msg(kube_time_parse(text, &ms, &err) == 0, "%s", err.message);
	return ms;
}

#define WEEKLY(days, start, duration, zone) \
	"{'name':'w','type':'Weekly','days':[" days "],'start':'" start "','duration':'" duration "','timeZone':'" zone "'}"
#define CRON(schedule, duration, zone) \
	"{'name':'c','type':'Cron','schedule':'" schedule "','duration':'" duration "','timeZone':'" zone "'}"
#define FREEZE(from, to) "{'name':'f','from':'" from "','to':'" to "'}"
#define ALL_DAYS "'Mon','Tue','Wed','Thu','Fri','Sat','Sun'"

struct row {
	const char *at;
	const char *closes; /* NULL: it is closed; "": open, without an end in sight */
	const char *next;   /* NULL: none */
};

static void check(const char *windows, const char *freezes, const struct row *rows, size_t count)
{
	struct window_set set = set_of(windows, freezes);

	for (size_t i = 0; i < count; i++) {
		struct window_view view;
		int64_t next_ms = KUBE_TIME_NONE;
		char text[KUBE_TIME_TEXT_SIZE];
		window_look(&set, at(rows[i].at), &view);
		ck_assert_msg(view.open == (rows[i].closes != NULL), "%s at %s: %s", windows, rows[i].at,
		              view.open ? "open" : "closed");
		ck_assert_str_eq(kube_time_format(view.closes_ms, text), rows[i].closes ? rows[i].closes : "");
		bool found = window_next(&set, at(rows[i].at), &next_ms);
		ck_assert_msg(found == (rows[i].next != NULL), "%s at %s", windows, rows[i].at);
		ck_assert_str_eq(kube_time_format(next_ms, text), rows[i].next ? rows[i].next : "");
	}
}
#define CHECK(windows, freezes, ...) \
	do { \
		static const struct row rows[] = {__VA_ARGS__}; \
		check(windows, freezes, rows, KUBE_ARRAY_LEN(rows)); \
	} while (0)

/* 2026-11-20 is a Friday. "fri 22:00-02:00" is Friday night, not the night before Friday. */
START_TEST(over_midnight_and_the_end_of_the_week)
{
	CHECK(WEEKLY("'Fri'", "22:00", "4h", "Etc/UTC"), "", {"2026-11-20T00:30:00Z", NULL, "2026-11-20T22:00:00Z"},
	      {"2026-11-20T21:59:59Z", NULL, "2026-11-20T22:00:00Z"},
	      {"2026-11-20T22:00:00Z", "2026-11-21T02:00:00Z", "2026-11-27T22:00:00Z"},
	      {"2026-11-21T01:59:59Z", "2026-11-21T02:00:00Z", "2026-11-27T22:00:00Z"},
	      {"2026-11-21T02:00:00Z", NULL, "2026-11-27T22:00:00Z"});
	CHECK(WEEKLY("'Sat'", "20:00", "30h", "Etc/UTC"), "",
	      {"2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z", "2026-11-28T20:00:00Z"},
	      {"2026-11-23T02:00:00Z", NULL, "2026-11-28T20:00:00Z"});
	/* from one day into the next without a break */
	CHECK(WEEKLY("'Sat','Sun'", "00:00", "24h", "Europe/Berlin"), "",
	      {"2026-11-21T12:00:00Z", "2026-11-22T23:00:00Z", "2026-11-27T23:00:00Z"});
	CHECK(WEEKLY(ALL_DAYS, "00:00", "24h", "Etc/UTC"), "", {"2026-11-21T12:00:00Z", "", NULL});
}
END_TEST

START_TEST(zones_far_from_utc)
{
	CHECK(WEEKLY("'Mon'", "02:00", "1h", "Asia/Kathmandu"), "", {"2026-11-22T20:14:59Z", NULL, "2026-11-22T20:15:00Z"},
	      {"2026-11-22T20:15:00Z", "2026-11-22T21:15:00Z", "2026-11-29T20:15:00Z"});
	CHECK(CRON("30 22 * * SUN", "1h", "America/New_York"), "", {"2026-11-23T03:00:00Z", NULL, "2026-11-23T03:30:00Z"},
	      {"2026-11-23T03:30:00Z", "2026-11-23T04:30:00Z", "2026-11-30T03:30:00Z"});
}
END_TEST

/* Clocks go from 02:00 to 03:00 on 29 March 2026 at 01:00Z, and from 03:00 to 02:00 on 25 October at 01:00Z. */
START_TEST(clocks_go_forward)
{
	CHECK(WEEKLY("'Sun'", "02:30", "2h", "Europe/Berlin"), "", {"2026-03-29T00:59:59Z", NULL, "2026-03-29T01:00:00Z"},
	      {"2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z", "2026-04-05T00:30:00Z"});
	/* four hours are four hours */
	CHECK(WEEKLY("'Sun'", "00:00", "4h", "Europe/Berlin"), "",
	      {"2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z", "2026-04-04T22:00:00Z"});
	CHECK(CRON("*/15 2 29 3 *", "10m", "Europe/Berlin"), "",
	      {"2026-03-29T01:00:00Z", "2026-03-29T01:10:00Z", "2027-03-29T00:00:00Z"},
	      {"2026-03-29T01:10:00Z", NULL, "2027-03-29T00:00:00Z"});
	/* half an hour, in October */
	CHECK(WEEKLY("'Sun'", "02:15", "1h", "Australia/Lord_Howe"), "",
	      {"2026-10-03T15:29:59Z", NULL, "2026-10-03T15:30:00Z"},
	      {"2026-10-03T15:30:00Z", "2026-10-03T16:30:00Z", "2026-10-10T15:15:00Z"});
}
END_TEST

START_TEST(clocks_go_back)
{
	CHECK(WEEKLY("'Sun'", "02:30", "30m", "Europe/Berlin"), "", {"2026-10-25T00:29:59Z", NULL, "2026-10-25T00:30:00Z"},
	      {"2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-11-01T01:30:00Z"},
	      {"2026-10-25T01:30:00Z", NULL, "2026-11-01T01:30:00Z"});
	CHECK(WEEKLY("'Sun'", "01:00", "4h", "Europe/Berlin"), "",
	      {"2026-10-24T23:00:00Z", "2026-10-25T03:00:00Z", "2026-11-01T00:00:00Z"});
	CHECK(CRON("30 1 * * *", "15m", "America/New_York"), "",
	      {"2026-11-01T05:30:00Z", "2026-11-01T05:45:00Z", "2026-11-02T06:30:00Z"},
	      {"2026-11-01T06:30:00Z", NULL, "2026-11-02T06:30:00Z"});
}
END_TEST

START_TEST(several_windows)
{
	static const char windows[] = WEEKLY("'Sat'", "02:00", "4h", "Etc/UTC") "," CRON(
	    "0 5 * * 6", "3h", "Etc/UTC") "," CRON("0 8 * * 6", "1h", "Etc/UTC");
	struct window_set set;
	struct window_view view;

	/* the names are the same in all three, so that only the merging is looked at */
	struct rules *rules = rules_of(windows, "");
	struct zone_list list = zones();
	ck_assert_int_eq(window_set_init(rules, &list, &arena, &set, NULL), 0);
	window_look(&set, at("2026-11-21T03:00:00Z"), &view);
	ck_assert(view.open && view.closes_ms == at("2026-11-21T09:00:00Z")); /* 02–06, 05–08, 08–09 */
	ck_assert_str_eq(view.window->name, "w");
	ck_assert_int_eq(view.longest_ms, 4 * 3600000);
	window_look(&set, at("2026-11-21T06:30:00Z"), &view);
	ck_assert_str_eq(view.window->name, "c");
	ck_assert_int_eq(view.longest_ms, 3 * 3600000);
	window_look(&set, at("2026-11-21T09:00:00Z"), &view);
	ck_assert(!view.open && !view.window && view.longest_ms == 0);
}
END_TEST

START_TEST(freezes)
{
	/* no window: open but for the freeze, and then not closed again */
	CHECK("", FREEZE("2026-12-18T00:00:00Z", "2027-01-04T00:00:00Z"), {"2026-12-01T00:00:00Z", "", NULL},
	      {"2026-12-12T00:00:00Z", "2026-12-18T00:00:00Z", "2027-01-04T00:00:00Z"},
	      {"2026-12-18T00:00:00Z", NULL, "2027-01-04T00:00:00Z"},
	      {"2027-01-03T23:59:59Z", NULL, "2027-01-04T00:00:00Z"}, {"2027-01-04T00:00:00Z", "", NULL});
	/* a freeze ends a window early, or lets it begin late, or leaves it out */
	CHECK(WEEKLY(ALL_DAYS, "02:00", "4h", "Etc/UTC"), FREEZE("2026-12-18T03:00:00Z", "2026-12-20T05:00:00Z"),
	      {"2026-12-18T02:30:00Z", "2026-12-18T03:00:00Z", "2026-12-20T05:00:00Z"},
	      {"2026-12-19T02:30:00Z", NULL, "2026-12-20T05:00:00Z"},
	      {"2026-12-20T05:00:00Z", "2026-12-20T06:00:00Z", "2026-12-21T02:00:00Z"});
	/* one after the other, and one within the other */
	CHECK(WEEKLY(ALL_DAYS, "00:00", "24h", "Etc/UTC"),
	      FREEZE("2026-12-18T00:00:00Z", "2026-12-20T00:00:00Z") ",{'name':'g','from':'2026-12-20T00:00:00Z','to':"
	                                                             "'2026-12-25T00:00:00Z'},{'name':'h','from':'2026-12-"
	                                                             "19T00:00:00Z','to':'2026-12-19T01:00:00Z'}",
	      {"2026-12-18T12:00:00Z", NULL, "2026-12-25T00:00:00Z"});
}
END_TEST

START_TEST(what_never_opens)
{
	CHECK(WEEKLY("'Sat'", "02:00", "4h", "Etc/UTC"), FREEZE("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z"),
	      {"2026-12-18T12:00:00Z", NULL, NULL});
	CHECK(CRON("0 0 1 1 *", "24h", "Etc/UTC"), FREEZE("2026-12-31T00:00:00Z", "2027-01-03T00:00:00Z"),
	      {"2026-12-18T12:00:00Z", NULL, "2028-01-01T00:00:00Z"});
}
END_TEST

START_TEST(which_freeze_and_which_window)
{
	struct window_set set =
	    set_of(WEEKLY("'Fri'", "00:00", "24h", "Etc/UTC"), FREEZE("2026-12-18T10:00:00Z", "2026-12-18T11:00:00Z"));
	struct window_view view;
	ck_assert(window_set_limits(&set));
	window_look(&set, at("2026-12-18T10:30:00Z"), &view);
	ck_assert(!view.open && view.closes_ms == KUBE_TIME_NONE);
	ck_assert_str_eq(view.freeze->name, "f");
	ck_assert_str_eq(view.window->name, "w");
	set = set_of("", "");
	ck_assert(!window_set_limits(&set));
	window_look(&set, at("2026-12-18T10:30:00Z"), &view);
	ck_assert(view.open && !view.window && !view.freeze && view.closes_ms == KUBE_TIME_NONE);
}
END_TEST

START_TEST(zones_that_are_not_there)
{
	static const struct {
		const char *zone, *says;
	} rows[] = {{"Mars/Olympus", "(/tz has no such file)"}, {"Europe/Paris", "no time zone Europe/Paris"}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct rules *rules =
		    rules_of(kube_arena_printf(
		                 &arena, "{'name':'n','type':'Cron','schedule':'* * * * *','duration':'1h','timeZone':'%s'}",
		                 rows[i].zone),
		             "");
		struct zone_list list = zones();
		struct window_set set = {.count = 77};
		struct kube_err err = {0};
		ck_assert_int_eq(window_set_init(rules, &list, &arena, &set, &err), KUBE_E_INVALID);
		ck_assert_str_eq(err.reason, "UnknownTimeZone");
		ck_assert_ptr_nonnull(strstr(err.message, "spec.windows[0].timeZone of window n"));
		ck_assert_msg(strstr(err.message, rows[i].says) != NULL, "%s", err.message);
		ck_assert_uint_eq(set.count, 77);
	}
}
END_TEST

CHECK_MAIN("window", over_midnight_and_the_end_of_the_week, zones_far_from_utc, clocks_go_forward, clocks_go_back,
           several_windows, freezes, what_never_opens, which_freeze_and_which_window, zones_that_are_not_there)
