/*
 * Time zones: which offset from UTC the clocks of a place have, and when.
 *
 * A zone is decoded from the bytes of a TZif file (RFC 9636, version 2 or later) and never changes. Nothing in here
 * reads a file or a clock. Instants are seconds since the epoch; local times are what a clock on the wall shows, as
 * seconds since 1970-01-01T00:00 of that clock.
 */
#ifndef MODEL_ZONE_H
#define MODEL_ZONE_H

#include <kube/err.h>
#include <kube/mem.h>
#include <stdbool.h>
#include <stdint.h>

#define ZONE_MAX_BYTES ((size_t)64 << 10) /* of a TZif file; the largest of the database has 4 KiB */
#define ZONE_NAME_MAX 64

struct zone;

/* KUBE_E_PARSE says what is wrong with the bytes; KUBE_E_NOMEM. The zone lives as long as the arena. */
int zone_decode(const void *bytes, size_t len, struct kube_arena *arena, const struct zone **ret_zone,
                struct kube_err *err);
const struct zone *zone_utc(void);

/*
 * Whether a name can be one of the IANA database: "Europe/Berlin", "Etc/GMT+1". It can then be looked up below a folder
 * without leading out of it. Names that mean another zone on each machine ("localtime"), or count leap seconds
 * ("right/…"), are none.
 */
bool zone_name_valid(const char *name);

/* A stretch of time with one offset; it need not be the longest possible. */
struct zone_span {
	int64_t from_s, until_s; /* [from_s, until_s) */
	int64_t offset_s;        /* local time - UTC */
};
struct zone_span zone_span_at(const struct zone *zone, int64_t at_s);

/*
 * The first instant at which the clocks show local_s or later. So a time that is skipped as clocks go forward comes
 * down to the moment at which they do, and one that is shown twice to the first of the two.
 */
int64_t zone_first_instant(const struct zone *zone, int64_t local_s);
/* The latest time that the clocks have shown up to at_s, which after they went back is not the one that they show. */
int64_t zone_latest_local(const struct zone *zone, int64_t at_s);

/* ---- the zones that are at hand for a plan ---- */

struct zone_entry {
	const char *name;
	const struct zone *zone; /* NULL: there is none, as problem says */
	const char *problem;     /* a clause: "/usr/share/zoneinfo holds no such zone"; NULL when there is one */
};

struct zone_list {
	const struct zone_entry *items;
	size_t count;
};

#endif
