/* TZif files, behind an instant of eight bytes: what instants and clocks say of each other holds. */
#include "controller/model/zone.h"
#include "test/fuzz/fuzz.h"

#define LAST_S INT64_C(250000000000) /* in the year 9892 */

static int64_t instant(const uint8_t **data, size_t *size)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | fuzz_byte(data, size);
	return (int64_t)(value % LAST_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kube_arena arena = {0};
	struct kube_err err = {0};
	const struct zone *zone = NULL;
	int64_t at_s = instant(&data, &size);
	char *copy = fuzz_text(data, size);

	if (zone_decode(copy, size, &arena, &zone, &err) == 0) {
		struct zone_span span = zone_span_at(zone, at_s);
		REQUIRE(span.from_s <= at_s && at_s < span.until_s);
		int64_t shown_s = zone_latest_local(zone, at_s), first_s = zone_first_instant(zone, shown_s);
		REQUIRE(shown_s >= at_s + span.offset_s);
		REQUIRE(first_s <= at_s && zone_first_instant(zone, shown_s + 1) > at_s);
		REQUIRE(zone_latest_local(zone, first_s) >= shown_s);
	} else {
		REQUIRE(err.code && err.message[0]);
	}
	free(copy);
	kube_arena_finish(&arena);
	return 0;
}
