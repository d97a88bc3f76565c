/* What the files of the zones share. Not for others. */
#ifndef MODEL_ZONE_INTERNAL_H
#define MODEL_ZONE_INTERNAL_H

#include "controller/model/zone.h"

#define ZONE_MAX_OFFSET_S (26 * 3600) /* RFC 9636: offsets lie between -25 and +26 hours */
#define ZONE_FOREVER_S (INT64_MAX / 4)

/* ---- posix_tz.c: "CET-1CEST,M3.5.0,M10.5.0/3", which governs the time behind the last transition of a table ---- */

struct tz_date {
	enum { TZ_DATE_JULIAN, TZ_DATE_DAY, TZ_DATE_MONTH } type; /* "J60" (no leap day), "59" (from 0), "M3.5.0" */
	int day;                                                  /* JULIAN, DAY */
	int month, week, weekday;                                 /* MONTH; week 5: the last one */
	int64_t time_s;                                           /* local time on that day; may be < 0 and > 24 h */
};

struct posix_tz {
	bool has_dst;
	int64_t standard_s, dst_s; /* offsets: local time - UTC */
	struct tz_date start, end; /* of daylight-saving time */
};

/* KUBE_E_PARSE. */
int posix_tz_parse(const char *text, struct posix_tz *ret_tz, struct kube_err *err);
struct zone_span posix_tz_span(const struct posix_tz *tz, int64_t at_s);

/* ---- zone.c, tzif.c ---- */

struct zone {
	/* Transitions in ascending order; offsets[i] holds from at_s[i] on, before_s until the first. */
	int64_t *at_s;
	int32_t *offsets;
	size_t count;
	int64_t before_s;
	bool has_tail;
	struct posix_tz tail; /* from the last transition on */
};

#endif
