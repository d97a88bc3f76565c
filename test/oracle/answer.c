/*
 * answer ZONEINFO: says what windows decide, for whoever knows better (test/oracle/windows.py).
 *
 * Reads one JSON document a line: {"spec": …, "at": [seconds, …]}, of a policy's spec with windows and freezes, or
 * {"zone": …, "at": […]}. Writes one line for each time:
 *
 *   <open|closed> <window or -> <freeze or -> <closes or -> <next opening or ->
 *   <offset from UTC in seconds>
 *
 * or, once for a document that is refused, "refused <reason>".
 */
#include "controller/cmd/zones.h"
#include "controller/plan/window.h"
#include <kube/json.h>
#include <kube/time.h>
#include <stdio.h>
#include <string.h>

static void print_time(int64_t ms)
{
	if (ms == KUBE_TIME_NONE)
		printf(" -");
	else
		printf(" %lld", (long long)(ms / 1000));
}

static void answer_windows(const struct window_set *set, int64_t at_ms)
{
	struct window_view view;
	int64_t next_ms = KUBE_TIME_NONE;

	window_look(set, at_ms, &view);
	if (!window_next(set, at_ms, &next_ms))
		next_ms = KUBE_TIME_NONE;
	printf("%s %s %s", view.open ? "open" : "closed", view.window ? view.window->name : "-",
	       view.freeze ? view.freeze->name : "-");
	print_time(view.closes_ms);
	print_time(next_ms);
	printf("\n");
}

static int prepare(const cJSON *spec, struct zones *zones, struct kube_arena *arena, struct window_set *set,
                   struct kube_err *err)
{
	struct rules *rules = kube_arena_alloc(arena, sizeof(*rules));
	int rc = rules_decode(spec, rules, arena, err);

	if (!rc)
		rc = rules_check(rules, err);
	if (rc)
		return rc;
	struct zone_list list = zones_for(zones, (const struct rules *const[]){rules}, 1, 0);
	return window_set_init(rules, &list, arena, set, err);
}

static const struct zone *find_zone(struct zones *zones, const char *name)
{
	struct window_spec window = {.name = "w", .zone = name};
	struct rules rules = {.windows = {.items = &window, .count = 1}};
	struct zone_list list = zones_for(zones, (const struct rules *const[]){&rules}, 1, 0);

	for (size_t i = 0; i < list.count; i++)
		if (!strcmp(list.items[i].name, name))
			return list.items[i].zone;
	return NULL;
}

static void answer(const cJSON *document, struct zones *zones)
{
	struct kube_arena arena __attribute__((cleanup(kube_arena_finish))) = {0};
	const char *name = kube_json_str(document, "zone");
	const struct zone *zone = name ? find_zone(zones, name) : NULL;
	struct window_set set;
	struct kube_err err = {0};
	const cJSON *at;

	if (name ? !zone : prepare(kube_json_get(document, "spec"), zones, &arena, &set, &err) != 0) {
		printf("refused %s\n", err.reason[0] ? err.reason : "Invalid");
		return;
	}
	cJSON_ArrayForEach (at, kube_json_get(document, "at")) {
		int64_t at_s = (int64_t)at->valuedouble;
		if (zone)
			printf("%lld\n", (long long)zone_span_at(zone, at_s).offset_s);
		else
			answer_windows(&set, at_s * 1000);
	}
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *line = NULL;
	struct zones *zones = NULL;
	size_t size = 0;
	ssize_t len;

	if (argc != 2 || zones_new(argv[1], &zones, NULL) != 0)
		return 2;
	while ((len = getline(&line, &size, stdin)) > 0) {
		_cleanup_json_ cJSON *document = NULL;
		if (kube_json_parse(line, (size_t)len, &document, NULL) != 0)
			return 2;
		answer(document, zones);
	}
	zones_free(zones);
	return 0;
}
