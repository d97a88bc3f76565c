/* spec.windows and spec.freezes: read, and what is refused that a schema cannot see. */
#include "controller/model/policy.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include <kube/time.h>
#include <stdio.h>

#define SPEC(windows, freezes) \
	"{'target':{'nodes':{'selector':{'matchLabels':{'a':'b'}}}},'patches':[{'component':'Kubelet','version':'1'," \
	"'job':{'image':'i'}}],'windows':[" windows "],'freezes':[" freezes "]}"
#define WEEKLY "{'name':'night','type':'Weekly','days':['Sat','Sun'],'start':'22:30','duration':'4h'"
#define CRON(schedule) "{'name':'c','type':'Cron','schedule':'" schedule "','duration':'2h'}"
#define FREEZE(from, to) "{'name':'f','from':'" from "','to':'" to "'}"

static struct kube_arena arena;

__attribute__((destructor)) static void put_away(void)
{
	kube_arena_finish(&arena);
}

static int decode(const char *spec, struct rules *rules, struct kube_err *err)
{
	_cleanup_json_ cJSON *json = json_of(spec);
	return rules_decode(json, rules, &arena, err);
}

START_TEST(read)
{
	struct rules rules;
	struct kube_err err = {0};
	static const char spec[] = SPEC(
	    WEEKLY ",'timeZone':'Europe/Berlin'}," CRON("0 2 * * 1-5"),
	    "{'name':'year-end','from':'2026-12-18T00:00:00Z','to':'2027-01-04T00:00:00Z','reason':'inventory'}," FREEZE(
	        "2026-05-01T00:00:00+02:00", "2026-05-02T00:00:00Z"));

	ck_assert_msg(decode(spec, &rules, &err) == 0, "%s", err.message);
	ck_assert_uint_eq(rules.windows.count, 2);
	const struct window_spec *weekly = &rules.windows.items[0], *cron = &rules.windows.items[1];
	ck_assert_str_eq(weekly->name, "night");
	ck_assert_int_eq(weekly->type, WINDOW_WEEKLY);
	ck_assert_uint_eq(weekly->days, 1 | 1 << 6);
	ck_assert_int_eq(weekly->start_min, 22 * 60 + 30);
	ck_assert_int_eq(weekly->duration_ms, 4 * 3600000);
	ck_assert_str_eq(weekly->zone, "Europe/Berlin");
	ck_assert_int_eq(cron->type, WINDOW_CRON);
	ck_assert_str_eq(cron->schedule, "0 2 * * 1-5");
	ck_assert_str_eq(cron->zone, "Etc/UTC"); /* by default */
	ck_assert_uint_eq(rules.freezes.count, 2);
	ck_assert_str_eq(rules.freezes.items[0].reason, "inventory");
	ck_assert_str_eq(rules.freezes.items[1].reason, "");
	ck_assert_int_eq(rules.freezes.items[1].to_ms - rules.freezes.items[1].from_ms, 26 * 3600000);
	ck_assert_int_eq(rules_check(&rules, &err), 0);
}
END_TEST

START_TEST(none)
{
	struct rules rules;
	ck_assert_int_eq(decode("{'target':{'nodes':{'selector':{'matchLabels':{'a':'b'}}}},'patches':[{'component':"
	                        "'Kubelet','version':'1','job':{'image':'i'}}],'windows':null}",
	                        &rules, NULL),
	                 0);
	ck_assert(rules.windows.count == 0 && rules.freezes.count == 0);
	ck_assert_int_eq(rules_check(&rules, NULL), 0);
}
END_TEST

/* What the schema refuses must not be half read either: a union fails closed. */
START_TEST(refused)
{
	static const struct {
		const char *spec, *says;
	} rows[] = {
	    {SPEC("{'name':'w','type':'Monthly','duration':'1h'}", ""), "windows[0].type"},
	    {SPEC("{'name':'w','duration':'1h'}", ""), "windows[0].type"},
	    {SPEC("{'type':'Cron','schedule':'* * * * *','duration':'1h'}", ""), "windows[0].name"},
	    {SPEC("{'name':'w','type':'Cron','schedule':'* * * * *'}", ""), "windows[0].duration"},
	    {SPEC("{'name':'w','type':'Cron','duration':'1h'}", ""), "windows[0].schedule"},
	    {SPEC("{'name':'w','type':'Weekly','start':'02:00','duration':'1h'}", ""), "windows[0].days"},
	    {SPEC("{'name':'w','type':'Weekly','days':['Sat'],'duration':'1h'}", ""), "windows[0].start"},
	    {SPEC("{'name':'w','type':'Weekly','days':['Saturday'],'start':'02:00','duration':'1h'}", ""), "Mon, Tue"},
	    {SPEC("{'name':'w','type':'Weekly','days':'Sat','start':'02:00','duration':'1h'}", ""), "list of Mon"},
	    {SPEC("{'name':'w','type':'Weekly','days':[6],'start':'02:00','duration':'1h'}", ""), "Mon, Tue"},
	    {SPEC("{'name':'w','type':'Weekly','days':['Sat'],'start':'24:00','duration':'1h'}", ""), "00:00 to 23:59"},
	    {SPEC("{'name':'w','type':'Weekly','days':['Sat'],'start':'2:000','duration':'1h'}", ""), "00:00 to 23:59"},
	    {SPEC("{'name':'w','type':'Weekly','days':['Sat'],'start':'12:60','duration':'1h'}", ""), "00:00 to 23:59"},
	    {SPEC("{'name':'w','type':'Weekly','days':['Sat'],'start':200,'duration':'1h'}", ""), "00:00 to 23:59"},
	    {SPEC("{'name':'w','type':'Weekly','days':['Sat'],'start':'02:00','duration':'soon'}", ""), "duration"},
	    {SPEC("", "{'name':'f','from':'2026-12-18','to':'2027-01-04T00:00:00Z'}"), "freezes[0].from"},
	    {SPEC("", "{'name':'f','from':'2026-12-18T00:00:00Z'}"), "freezes[0].to"},
	    {SPEC("", "{'from':'2026-12-18T00:00:00Z','to':'2027-01-04T00:00:00Z'}"), "freezes[0].name"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct rules rules;
		struct kube_err err = {0};
		ck_assert_msg(decode(rows[i].spec, &rules, &err) < 0, "taken: %s", rows[i].spec);
		ck_assert_msg(strstr(err.message, rows[i].says) != NULL, "\"%s\" does not say %s", err.message, rows[i].says);
	}
}
END_TEST

START_TEST(too_many)
{
	struct kube_buf buf;
	struct rules rules;
	struct kube_err err = {0};

	kube_buf_init(&buf, 1 << 20);
	kube_buf_adds(&buf, "{'target':{'nodes':{'selector':{'matchLabels':{'a':'b'}}}},'patches':[{'component':'Kubelet',"
	                    "'version':'1','job':{'image':'i'}}],'freezes':[");
	for (int i = 0; i <= MAX_FREEZES; i++)
		kube_buf_addf(&buf, "%s" FREEZE("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"), i ? "," : "");
	kube_buf_adds(&buf, "]}");
	ck_assert_int_eq(decode(buf.data, &rules, &err), KUBE_E_LIMIT);
	ck_assert_ptr_nonnull(strstr(err.message, "0 windows and 33 freezes, expected at most 16 and 32"));
	kube_buf_finish(&buf);
}
END_TEST

START_TEST(not_acceptable)
{
	static const struct {
		const char *spec, *reason, *says;
	} rows[] = {
	    {SPEC(CRON("0 2 30 2 *"), ""), "ScheduleNeverFires",
	     "spec.windows[0].schedule of window c: \"0 2 30 2 *\" never fires, because none of its months has such a day: "
	     "correct the third or the fourth field"},
	    {SPEC(CRON("0 2 L * *"), ""), "InvalidSchedule",
	     "spec.windows[0].schedule of window c: \"L\" is no day of month: it takes"},
	    {SPEC(CRON("0 2 * *"), ""), "InvalidSchedule", "it has 4 of 5 fields"},
	    {SPEC(WEEKLY "}," WEEKLY "}", ""), "Invalid", "spec.windows[1].name: \"night\" stands there twice"},
	    {SPEC("{'name':'w','type':'Weekly','days':[],'start':'02:00','duration':'1h'}", ""), "WindowNeverOpens",
	     "name at least one day"},
	    {SPEC("{'name':'w','type':'Cron','schedule':'* * * * *','duration':'0s'}", ""), "WindowNeverOpens",
	     "spec.windows[0].duration of window w: must be above 0"},
	    {SPEC("", FREEZE("2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z")), "InvalidFreeze",
	     "spec.freezes[0].to of freeze f: must be later than from"},
	    {SPEC("", FREEZE("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z") "," FREEZE("2026-05-01T00:00:00Z",
	                                                                                "2026-05-02T00:00:00Z")),
	     "Invalid", "spec.freezes[1].name: \"f\" stands there twice"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct rules rules;
		struct kube_err err = {0};
		ck_assert_int_eq(decode(rows[i].spec, &rules, &err), 0);
		ck_assert_msg(rules_check(&rules, &err) == KUBE_E_INVALID, "not refused: %s", rows[i].spec);
		ck_assert_str_eq(err.reason, rows[i].reason);
		ck_assert_msg(strstr(err.message, rows[i].says) != NULL, "\"%s\" does not say %s", err.message, rows[i].says);
		ck_assert_int_eq(rules_check(&rules, NULL), KUBE_E_INVALID);
	}
}
END_TEST

CHECK_MAIN("window_spec", read, none, refused, too_many, not_acceptable)
