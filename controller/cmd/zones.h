/*
 * Time zones from files: the cache between a zoneinfo folder (tzdata) and plans, which read nothing.
 *
 * A file is read when a policy first names its zone, and again when it was read an hour ago, so that a new tzdata is
 * seen; one that could not be read is tried again after a minute. At most ZONES_MAX zones are kept: those that nobody
 * asks for any more make room.
 */
#ifndef CMD_ZONES_H
#define CMD_ZONES_H

#include "controller/model/policy.h"
#include "controller/model/zone.h"

#define ZONES_MAX 128

struct zones;

/* folder is borrowed. KUBE_E_NOMEM. */
int zones_new(const char *folder, struct zones **ret_zones, struct kube_err *err);
void zones_free(struct zones *zones); /* NULL is fine */

/* The zones that these rules name. Valid until the next call. mono_ms: a clock that only goes forward. */
struct zone_list zones_for(struct zones *zones, const struct rules *const *rules, size_t count, int64_t mono_ms);

#endif
