/*
 * Cron schedules: five fields (minute, hour, day of month, month, day of week), as Kubernetes' CronJob reads them.
 *
 * A field is a list of *, a number, a range a-b, each with an optional step /n; "a/n" means from a to the end. Months
 * and weekdays may be given by their English names (JAN, SUN). Sunday is 0 or 7. Where both day fields are restricted,
 * a day matches that satisfies either (cron's rule); only a bare * is no restriction. What has no meaning everywhere
 * ("L", "W", "#", "?", "@daily") is refused.
 *
 * Times are local: seconds since 1970-01-01T00:00 on the clock of some place. What happens where clocks change is said
 * in controller/plan/window.h.
 */
#ifndef MODEL_CRON_H
#define MODEL_CRON_H

#include <kube/err.h>
#include <stdbool.h>
#include <stdint.h>

struct cron {
	uint64_t minutes;
	uint32_t hours, days, months; /* bits by their numbers */
	uint32_t weekdays;            /* bit 0: Sunday */
	bool any_day, any_weekday;    /* the field is * */
};

/* KUBE_E_INVALID names the field and what it takes. */
int cron_parse(const char *text, struct cron *ret_cron, struct kube_err *err);
/* At this minute of the day on each of these weekdays. */
struct cron cron_weekly(uint32_t weekdays, int minute_of_day);

/* Whether there is a date at all that it matches: 30 February is none. */
bool cron_ever(const struct cron *cron);
/* The first matching minute behind after_s, the last one up to and with until_s; false: none within limit_s. */
bool cron_next(const struct cron *cron, int64_t after_s, int64_t limit_s, int64_t *ret_local_s);
bool cron_previous(const struct cron *cron, int64_t until_s, int64_t limit_s, int64_t *ret_local_s);

#endif
