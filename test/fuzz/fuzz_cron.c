/* Cron schedules, a line, and the names of time zones, another: what fires next has fired when its time comes. */
#include "controller/model/cron.h"
#include "controller/model/zone.h"
#include "test/fuzz/fuzz.h"

#define NOW_S INT64_C(1800000000)
#define YEARS_S (9 * INT64_C(366) * 86400) /* one 29 February is among them */

static void schedule(const char *text)
{
	struct kube_err err = {0};
	struct cron cron;
	int64_t next_s = 0, previous_s = 0;

	if (cron_parse(text, &cron, &err) != 0) {
		REQUIRE(err.code == KUBE_E_INVALID && err.message[0]);
		return;
	}
	bool found = cron_next(&cron, NOW_S, NOW_S + YEARS_S, &next_s);
	REQUIRE(found == cron_ever(&cron));
	if (!found)
		return;
	REQUIRE(next_s > NOW_S && next_s % 60 == 0);
	REQUIRE(cron_previous(&cron, next_s, 0, &previous_s) && previous_s == next_s);
	REQUIRE(!cron_previous(&cron, next_s - 1, 0, &previous_s) || previous_s <= NOW_S);
}

/* Whatever the name is, it leads to nothing outside its folder. */
static void name(const char *text)
{
	if (zone_name_valid(text))
		REQUIRE(text[0] && text[0] != '/' && !strchr(text, '.') && strlen(text) <= ZONE_NAME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_cut(&data, &size, '\n'), *zone = fuzz_cut(&data, &size, '\n');

	schedule(text);
	name(zone);
	free(text);
	free(zone);
	return 0;
}
