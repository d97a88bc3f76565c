#include "controller/model/zone_internal.h"

#include <string.h>

/* So long after clocks went back they have shown again all that they had shown before. */
#define REACH_S (2 * (int64_t)ZONE_MAX_OFFSET_S)

const struct zone *zone_utc(void)
{
	static const struct zone utc = {0};
	return &utc;
}

static bool name_char(char c)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), digit = c >= '0' && c <= '9';
	return letter || digit || c == '+' || c == '-' || c == '_';
}

bool zone_name_valid(const char *name)
{
	static const char *const no_places[] = {"localtime", "posixrules", "Factory"};
	size_t len = strlen(name);

	if (len == 0 || len > ZONE_NAME_MAX || name[0] == '/' || name[len - 1] == '/')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!name_char(name[i]) && (name[i] != '/' || name[i + 1] == '/'))
			return false;
	for (size_t i = 0; i < KUBE_ARRAY_LEN(no_places); i++)
		if (!strcmp(name, no_places[i]))
			return false;
	return strncmp(name, "right/", strlen("right/")) != 0;
}

/* How many transitions are behind an instant. */
static size_t transitions_until(const struct zone *zone, int64_t at_s)
{
	size_t low = 0, high = zone->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (zone->at_s[middle] <= at_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct zone_span zone_span_at(const struct zone *zone, int64_t at_s)
{
	size_t behind = transitions_until(zone, at_s);
	struct zone_span span = {.from_s = -ZONE_FOREVER_S, .until_s = ZONE_FOREVER_S, .offset_s = zone->before_s};

	if (behind == zone->count && zone->has_tail)
		span = posix_tz_span(&zone->tail, at_s);
	else if (behind > 0)
		span.offset_s = zone->offsets[behind - 1];
	if (behind > 0 && zone->at_s[behind - 1] > span.from_s)
		span.from_s = zone->at_s[behind - 1];
	if (behind < zone->count)
		span.until_s = zone->at_s[behind];
	return span;
}

int64_t zone_first_instant(const struct zone *zone, int64_t local_s)
{
	struct zone_span span = zone_span_at(zone, local_s - ZONE_MAX_OFFSET_S);

	while (local_s - span.offset_s >= span.until_s)
		span = zone_span_at(zone, span.until_s);
	int64_t at_s = local_s - span.offset_s;
	return at_s < span.from_s ? span.from_s : at_s;
}

int64_t zone_latest_local(const struct zone *zone, int64_t at_s)
{
	struct zone_span span = zone_span_at(zone, at_s);
	int64_t latest_s = at_s + span.offset_s;

	while (span.from_s > at_s - REACH_S) {
		span = zone_span_at(zone, span.from_s - 1);
		if (span.until_s - 1 + span.offset_s > latest_s)
			latest_s = span.until_s - 1 + span.offset_s;
	}
	return latest_s;
}
