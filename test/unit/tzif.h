/* A time zone for tests that has nothing but a rule, such as "CET-1CEST,M3.5.0,M10.5.0/3". */
#ifndef TEST_UNIT_TZIF_H
#define TEST_UNIT_TZIF_H

#include "controller/model/zone.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* A TZif file of version 2: an empty block, one with a single local time type, and the rule. */
static inline const struct zone *zone_of_rule(const char *rule, struct kube_arena *arena)
{
	char file[2 * 44 + 6 + 100] = "";
	const struct zone *zone = NULL;
	struct kube_err err = {0};

	for (int block = 0; block < 2; block++)
		memcpy(file + (size_t)block * 44, "TZif2", 5);
	file[44 + 20 + 4 * 4 + 3] = 1; /* the number of types */
	int len = snprintf(file + 94, sizeof(file) - 94, "\n%s\n", rule);
	ck_assert_msg(zone_decode(file, 94 + (size_t)len, arena, &zone, &err) == 0, "%s: %s", rule, err.message);
	return zone;
}

#endif
