/* spec.windows and spec.freezes: decoded, and what a schema cannot say about them. */
#include "controller/model/cron.h"
#include "controller/model/internal.h"

#include <kube/time.h>
#include <stdio.h>
#include <string.h>

static const char *const type_words[] = {"Weekly", "Cron", NULL};
static const char *const day_words[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", NULL};

static int decode_days(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	(void)arena;
	return words_decode(value, day_words, "Mon, Tue, Wed, Thu, Fri, Sat or Sun", field, err);
}

/* "02:30" */
static int decode_start(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	const char *text = cJSON_IsString(value) ? value->valuestring : "";
	int hour, minute, len = 0;

	(void)arena;
	if (strlen(text) != 5 || strspn(text, "0123456789:") != 5 || sscanf(text, "%2d:%2d%n", &hour, &minute, &len) != 2 ||
	    len != 5 || hour > 23 || minute > 59)
		return kube_fail(err, KUBE_E_PARSE, "expected a time of day from 00:00 to 23:59");
	*(int64_t *)field = hour * 60 + minute;
	return 0;
}

#define AT(member) offsetof(struct window_spec, member)
const struct kube_json_field window_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(name), .required = true},
    {.name = "type", .type = KUBE_JSON_ENUM, .offset = AT(type), .required = true, .words = type_words},
    {.name = "days", .type = KUBE_JSON_CUSTOM, .offset = AT(days), .decode = decode_days},
    {.name = "start", .type = KUBE_JSON_CUSTOM, .offset = AT(start_min), .decode = decode_start},
    {.name = "schedule", .type = KUBE_JSON_STRING, .offset = AT(schedule)},
    {.name = "duration", .type = KUBE_JSON_DURATION, .offset = AT(duration_ms), .required = true},
    {.name = "timeZone", .type = KUBE_JSON_STRING, .offset = AT(zone)},
    KUBE_JSON_END,
};
#undef AT

#define AT(member) offsetof(struct freeze_spec, member)
const struct kube_json_field freeze_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(name), .required = true},
    {.name = "from", .type = KUBE_JSON_TIME, .offset = AT(from_ms), .required = true},
    {.name = "to", .type = KUBE_JSON_TIME, .offset = AT(to_ms), .required = true},
    {.name = "reason", .type = KUBE_JSON_STRING, .offset = AT(reason)},
    KUBE_JSON_END,
};
#undef AT

static int complete_window(const cJSON *item, struct window_spec *window, size_t index, struct kube_err *err)
{
	static const char *const members[][2] = {[WINDOW_WEEKLY] = {"days", "start"}, [WINDOW_CRON] = {"schedule", NULL}};
	const char *const *needed = members[window->type];

	for (size_t i = 0; i < KUBE_ARRAY_LEN(members[0]) && needed[i]; i++)
		if (!kube_json_get(item, needed[i]))
			return kube_fail(err, KUBE_E_PARSE, "windows[%zu].%s: required, but absent", index, needed[i]);
	if (!window->zone)
		window->zone = "Etc/UTC";
	return 0;
}

int windows_complete(const cJSON *spec, struct rules *rules, struct kube_err *err)
{
	const cJSON *item;
	size_t index = 0;
	int rc = 0;

	if (rules->windows.count > MAX_WINDOWS || rules->freezes.count > MAX_FREEZES)
		return kube_fail(err, KUBE_E_LIMIT, "%zu windows and %zu freezes, expected at most %d and %d",
		                 rules->windows.count, rules->freezes.count, MAX_WINDOWS, MAX_FREEZES);
	cJSON_ArrayForEach (item, kube_json_get(spec, "windows")) {
		rc = complete_window(item, &rules->windows.items[index], index, err);
		if (rc)
			return rc;
		index++;
	}
	for (size_t i = 0; i < rules->freezes.count; i++)
		if (!rules->freezes.items[i].reason)
			rules->freezes.items[i].reason = "";
	return 0;
}

/* ---- checks ---- */

static int refuse(struct kube_err *err, const char *reason, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int refuse(struct kube_err *err, const char *reason, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	kube_fail(err, KUBE_E_INVALID, "%s", text);
	if (err)
		snprintf(err->reason, sizeof(err->reason), "%s", reason);
	return KUBE_E_INVALID;
}

static int check_schedule(const struct window_spec *window, size_t index, struct kube_err *err)
{
	struct kube_err problem = {0};
	struct cron cron;

	if (cron_parse(window->schedule, &cron, &problem) != 0)
		return refuse(err, "InvalidSchedule", "spec.windows[%zu].schedule of window %.63s: %s", index, window->name,
		              problem.message);
	if (!cron_ever(&cron))
		return refuse(err, "ScheduleNeverFires",
		              "spec.windows[%zu].schedule of window %.63s: \"%.64s\" never fires, because none of its months "
		              "has such a day: correct the third or the fourth field",
		              index, window->name, window->schedule);
	return 0;
}

static int check_window(const struct rules *rules, size_t index, struct kube_err *err)
{
	const struct window_spec *window = &rules->windows.items[index];

	for (size_t i = 0; i < index; i++)
		if (!strcmp(rules->windows.items[i].name, window->name))
			return refuse(err, "Invalid", "spec.windows[%zu].name: \"%.63s\" stands there twice", index, window->name);
	if (window->duration_ms <= 0)
		return refuse(err, "WindowNeverOpens", "spec.windows[%zu].duration of window %.63s: must be above 0", index,
		              window->name);
	if (window->type == WINDOW_CRON)
		return check_schedule(window, index, err);
	if (!window->days)
		return refuse(err, "WindowNeverOpens", "spec.windows[%zu].days of window %.63s: name at least one day", index,
		              window->name);
	return 0;
}

static int check_freeze(const struct rules *rules, size_t index, struct kube_err *err)
{
	const struct freeze_spec *freeze = &rules->freezes.items[index];

	for (size_t i = 0; i < index; i++)
		if (!strcmp(rules->freezes.items[i].name, freeze->name))
			return refuse(err, "Invalid", "spec.freezes[%zu].name: \"%.63s\" stands there twice", index, freeze->name);
	if (freeze->to_ms <= freeze->from_ms)
		return refuse(err, "InvalidFreeze", "spec.freezes[%zu].to of freeze %.63s: must be later than from", index,
		              freeze->name);
	return 0;
}

int windows_check(const struct rules *rules, struct kube_err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < rules->windows.count; i++)
		rc = check_window(rules, i, err);
	for (size_t i = 0; !rc && i < rules->freezes.count; i++)
		rc = check_freeze(rules, i, err);
	return rc;
}
