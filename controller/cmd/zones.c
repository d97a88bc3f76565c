#include "controller/cmd/zones.h"

#include <errno.h>
#include <fcntl.h>
#include <kube/buf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRESH_MS (INT64_C(3600) * 1000)
#define RETRY_MS (INT64_C(60) * 1000)

struct slot {
	char name[ZONE_NAME_MAX + 1];
	char problem[256]; /* "" when it could be read */
	struct kube_arena arena;
	const struct zone *zone;
	int64_t read_ms;
	uint64_t used; /* by which call it was asked for last */
};

struct zones {
	const char *folder;
	uint64_t calls;
	size_t count;
	struct slot slots[ZONES_MAX];
	struct zone_entry entries[ZONES_MAX]; /* by index of slots */
};

int zones_new(const char *folder, struct zones **ret_zones, struct kube_err *err)
{
	struct zones *zones = calloc(1, sizeof(*zones));
	if (!zones)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for time zones");
	zones->folder = folder;
	*ret_zones = zones;
	return 0;
}

void zones_free(struct zones *zones)
{
	for (size_t i = 0; zones && i < zones->count; i++)
		kube_arena_finish(&zones->slots[i].arena);
	free(zones);
}

/* ---- files ---- */

static void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int cannot_read(const char *folder, struct kube_err *err)
{
	if (errno != ENOENT && errno != ENOTDIR)
		return kube_fail(err, KUBE_E_IO, "its file in %s cannot be read: %m", folder);
	if (access(folder, X_OK) != 0)
		return kube_fail(err, KUBE_E_NOTFOUND, "the controller has no folder %s: install tzdata, or see --zoneinfo",
		                 folder);
	return kube_fail(err, KUBE_E_NOTFOUND, "%s has no such file", folder);
}

static int read_all(int fd, const char *folder, struct kube_buf *buf, struct kube_err *err)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot_read(folder, err);
		int rc = kube_buf_add(buf, chunk, (size_t)n);
		if (rc)
			return kube_fail(err, rc, "its file in %s is larger than %zu bytes", folder, buf->max);
	}
	return 0;
}

static int read_file(const char *folder, const char *name, struct kube_buf *buf, struct kube_err *err)
{
	char path[PATH_MAX];
	struct stat st;

	if (!zone_name_valid(name))
		return kube_fail(err, KUBE_E_INVALID, "that is no name of a place");
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
		return kube_fail(err, KUBE_E_LIMIT, "its path is too long");
	__attribute__((cleanup(closep))) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0)
		return cannot_read(folder, err);
	if (!S_ISREG(st.st_mode))
		return kube_fail(err, KUBE_E_INVALID, "it is a group of zones");
	return read_all(fd, folder, buf, err);
}

static int load(const struct zones *zones, const char *name, struct kube_arena *arena, const struct zone **ret_zone,
                struct kube_err *err)
{
	_cleanup_buf_ struct kube_buf buf = {0};

	if (!strcmp(name, "UTC") || !strcmp(name, "Etc/UTC")) { /* also where there is no tzdata */
		*ret_zone = zone_utc();
		return 0;
	}
	kube_buf_init(&buf, ZONE_MAX_BYTES);
	int rc = read_file(zones->folder, name, &buf, err);
	return rc ? rc : zone_decode(buf.data, buf.len, arena, ret_zone, err);
}

/* ---- slots ---- */

/* A zone that was good once stays when its file cannot be read any more. */
static void refresh(struct zones *zones, struct slot *slot, int64_t mono_ms)
{
	struct kube_arena arena = {0};
	struct kube_err err = {0};
	const struct zone *zone = NULL;

	slot->read_ms = mono_ms;
	if (load(zones, slot->name, &arena, &zone, &err) == 0) {
		kube_arena_finish(&slot->arena);
		slot->arena = arena;
		slot->zone = zone;
		slot->problem[0] = '\0';
		return;
	}
	kube_arena_finish(&arena);
	if (!slot->zone)
		snprintf(slot->problem, sizeof(slot->problem), "%.255s", err.message);
}

static struct slot *find(struct zones *zones, const char *name)
{
	for (size_t i = 0; i < zones->count; i++)
		if (!strcmp(zones->slots[i].name, name))
			return &zones->slots[i];
	return NULL;
}

/* A new slot, or that of the zone that was not asked for the longest; NULL: all are asked for in this call. */
static struct slot *vacate(struct zones *zones)
{
	struct slot *oldest = &zones->slots[0];

	if (zones->count < ZONES_MAX)
		return &zones->slots[zones->count++];
	for (size_t i = 1; i < ZONES_MAX; i++)
		if (zones->slots[i].used < oldest->used)
			oldest = &zones->slots[i];
	if (oldest->used == zones->calls)
		return NULL;
	kube_arena_finish(&oldest->arena);
	return oldest;
}

static void ask_for(struct zones *zones, const char *name, int64_t mono_ms)
{
	struct slot *slot = find(zones, name);

	if (strlen(name) > ZONE_NAME_MAX)
		return;
	if (!slot) {
		slot = vacate(zones);
		if (!slot)
			return;
		*slot = (struct slot){0};
		snprintf(slot->name, sizeof(slot->name), "%s", name);
		refresh(zones, slot, mono_ms);
	} else if (mono_ms - slot->read_ms >= (slot->zone ? FRESH_MS : RETRY_MS)) {
		refresh(zones, slot, mono_ms);
	}
	slot->used = zones->calls;
	zones->entries[slot - zones->slots] =
	    (struct zone_entry){.name = slot->name, .zone = slot->zone, .problem = slot->zone ? NULL : slot->problem};
}

struct zone_list zones_for(struct zones *zones, const struct rules *const *rules, size_t count, int64_t mono_ms)
{
	zones->calls++;
	for (size_t r = 0; r < count; r++)
		for (size_t i = 0; i < rules[r]->windows.count; i++)
			ask_for(zones, rules[r]->windows.items[i].zone, mono_ms);
	return (struct zone_list){.items = zones->entries, .count = zones->count};
}
