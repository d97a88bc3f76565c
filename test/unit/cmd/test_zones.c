/* The cache of time zones: files that are there, are not, change, and are too many. */
#include "controller/cmd/zones.h"

#include "test/unit/check_main.h"

#include <errno.h>
#include <kube/mem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MINUTE_MS INT64_C(60000)

static char folder[64];
static struct zones *zones;
static int64_t now_ms;

static void set_up(void)
{
	strcpy(folder, "/tmp/test-zones-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(zones_new(folder, &zones, NULL), 0);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

/* A zone of one fixed offset. */
static void write_zone(const char *name, const char *rule)
{
	char file[200] = "";
	memcpy(file, "TZif2", 5);
	memcpy(file + 44, "TZif2", 5);
	file[44 + 20 + 4 * 4 + 3] = 1;
	int len = snprintf(file + 94, sizeof(file) - 94, "\n%s\n", rule);
	write_file(name, file, 94 + (size_t)len);
}

static void remove_file(const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_int_eq(remove(path), 0);
}

static const struct zone_entry *ask(const char *name)
{
	struct window_spec window = {.name = "w", .zone = name};
	const struct rules rules = {.windows = {.items = &window, .count = 1}};
	struct zone_list list = zones_for(zones, (const struct rules *const[]){&rules}, 1, now_ms);

	for (size_t i = 0; i < list.count; i++)
		if (!strcmp(list.items[i].name, name))
			return &list.items[i];
	return NULL;
}

static int64_t offset_of(const char *name)
{
	const struct zone_entry *entry = ask(name);
	ck_assert_msg(entry && entry->zone, "%s: %s", name, entry ? entry->problem : "nothing");
	return zone_span_at(entry->zone, 0).offset_s;
}

START_TEST(found)
{
	set_up();
	write_zone("East", "EEE-2");
	ck_assert_int_eq(offset_of("East"), 7200);
	ck_assert_int_eq(offset_of("Etc/UTC"), 0); /* without a file */
	ck_assert_int_eq(offset_of("UTC"), 0);
	zones_free(zones);
	remove_file("East");
	rmdir(folder);
}
END_TEST

START_TEST(not_found)
{
	static const struct {
		const char *name, *says;
	} rows[] = {
	    {"Mars/Olympus", "has no such file"},
	    {"../passwd", "no name of a place"},
	    {"localtime", "no name of a place"},
	    {"Group", "a group of zones"},
	    {"Text", "does not begin with \"TZif\""},
	    {"Large", "larger than"},
	    {"Closed", "cannot be read"},
	};
	_cleanup_free_ char *large = calloc(1, ZONE_MAX_BYTES + 1);
	char path[256];

	set_up();
	snprintf(path, sizeof(path), "%s/Group", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/Closed", folder);
	ck_assert_int_eq(symlink("Closed", path), 0); /* leads to itself */
	write_file("Text", "hello", 5);
	write_file("Large", large, ZONE_MAX_BYTES + 1);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		const struct zone_entry *entry = ask(rows[i].name);
		ck_assert(entry && !entry->zone);
		ck_assert_msg(strstr(entry->problem, rows[i].says) != NULL, "%s: %s", rows[i].name, entry->problem);
	}
	ck_assert_ptr_null(ask("A2345678901234567890123456789012345678901234567890123456789012345"));
	zones_free(zones);
	remove_file("Group");
	remove_file("Text");
	remove_file("Large");
	remove_file("Closed");
	rmdir(folder);
}
END_TEST

START_TEST(no_folder)
{
	ck_assert_int_eq(zones_new("/nowhere/zoneinfo", &zones, NULL), 0);
	const struct zone_entry *entry = ask("Europe/Berlin");
	ck_assert(entry && !entry->zone);
	ck_assert_ptr_nonnull(strstr(entry->problem, "no folder /nowhere/zoneinfo: install tzdata"));
	ck_assert_int_eq(offset_of("Etc/UTC"), 0);
	zones_free(zones);
}
END_TEST

START_TEST(files_change)
{
	set_up();
	ck_assert_ptr_null(ask("Late")->zone);
	write_zone("Late", "LLL-1");
	now_ms += MINUTE_MS - 1;
	ck_assert_ptr_null(ask("Late")->zone);
	now_ms += 1;
	ck_assert_int_eq(offset_of("Late"), 3600);
	write_zone("Late", "LLL-3");
	now_ms += 60 * MINUTE_MS - 1;
	ck_assert_int_eq(offset_of("Late"), 3600);
	now_ms += 1;
	ck_assert_int_eq(offset_of("Late"), 3 * 3600);
	remove_file("Late");
	now_ms += 600 * MINUTE_MS;
	ck_assert_int_eq(offset_of("Late"), 3 * 3600); /* what was good stays */
	zones_free(zones);
	rmdir(folder);
}
END_TEST

START_TEST(too_many)
{
	static char names[ZONES_MAX + 2][16];
	struct window_spec windows[ZONES_MAX + 2];
	struct rules rules = {.windows = {.items = windows, .count = ZONES_MAX + 2}};

	set_up();
	write_zone("Home", "HHH-4");
	ck_assert_int_eq(offset_of("Home"), 4 * 3600);
	for (size_t i = 0; i < ZONES_MAX + 2; i++) {
		snprintf(names[i], sizeof(names[i]), "Z%zu", i);
		windows[i] = (struct window_spec){.name = "w", .zone = names[i]};
	}
	struct zone_list list = zones_for(zones, (const struct rules *const[]){&rules}, 1, 0);
	ck_assert_uint_eq(list.count, ZONES_MAX);
	for (size_t i = 0; i < list.count; i++)
		ck_assert(strcmp(list.items[i].name, "Home") != 0 && strcmp(list.items[i].name, names[ZONES_MAX]) != 0);
	/* What nobody asks for any more makes room. */
	ck_assert_ptr_nonnull(ask(names[ZONES_MAX]));
	ck_assert_int_eq(offset_of("Home"), 4 * 3600);
	zones_free(zones);
	remove_file("Home");
	rmdir(folder);
}
END_TEST

CHECK_MAIN("zones", found, not_found, no_folder, files_change, too_many)
