/* TZif files (RFC 9636): the 64-bit block of version 2 and later, and the TZ string behind it. */
#include "controller/model/zone_internal.h"

#include <string.h>

#define HEADER_BYTES 44
#define MAX_TAIL 128

/* Bytes that are read from the front; nothing is read beyond their end. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

/* What the header of a block says there is. */
struct counts {
	uint32_t isut, isstd, leap, time, type, chars;
};

struct block {
	struct counts counts;
	const uint8_t *times, *types, *infos;
};

static int malformed(struct kube_err *err, const char *what)
{
	return kube_fail(err, KUBE_E_PARSE, "it is no sound TZif file: %s", what);
}

/* NULL when there is not so much. */
static const uint8_t *take_bytes(struct bytes *bytes, uint64_t len)
{
	const uint8_t *at = bytes->at;

	if (len > bytes->left)
		return NULL;
	bytes->at += len;
	bytes->left -= (size_t)len;
	return at;
}

static uint64_t big_endian(const uint8_t *at, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | at[i];
	return value;
}

static int take_header(struct bytes *bytes, struct counts *ret_counts, struct kube_err *err)
{
	const uint8_t *header = take_bytes(bytes, HEADER_BYTES);
	uint32_t counts[6];

	if (!header || memcmp(header, "TZif", 4) != 0)
		return kube_fail(err, KUBE_E_PARSE, "it does not begin with \"TZif\"");
	if (header[4] < '2')
		return kube_fail(err, KUBE_E_PARSE, "it is of version 1, which ends in 2037; install a newer tzdata");
	for (size_t i = 0; i < KUBE_ARRAY_LEN(counts); i++)
		counts[i] = (uint32_t)big_endian(header + 20 + 4 * i, 4);
	*ret_counts = (struct counts){counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]};
	return 0;
}

static uint64_t block_bytes(const struct counts *c, uint64_t time_bytes)
{
	return c->time * (time_bytes + 1) + (uint64_t)c->type * 6 + c->chars + c->leap * (time_bytes + 4) + c->isstd +
	       (uint64_t)c->isut;
}

/* The block of version 1, with times of 32 bits, comes first and is passed over. */
static int take_block(struct bytes *bytes, struct block *ret_block, struct kube_err *err)
{
	struct counts *counts = &ret_block->counts;

	int rc = take_header(bytes, counts, err);
	if (rc)
		return rc;
	if (!take_bytes(bytes, block_bytes(counts, 4)))
		return malformed(err, "it ends within its first block");
	rc = take_header(bytes, counts, err);
	if (rc)
		return rc;
	ret_block->times = take_bytes(bytes, block_bytes(counts, 8));
	if (!ret_block->times)
		return malformed(err, "it ends within its second block");
	ret_block->types = ret_block->times + (size_t)counts->time * 8;
	ret_block->infos = ret_block->types + counts->time;
	if (counts->type == 0 || counts->type > 256)
		return malformed(err, "it has no local time types, or too many");
	if (counts->leap > 0)
		return kube_fail(err, KUBE_E_PARSE, "it counts leap seconds, which the clocks of a cluster do not");
	return 0;
}

static int take_offset(const struct block *block, size_t type, int32_t *ret_offset, struct kube_err *err)
{
	if (type >= block->counts.type)
		return malformed(err, "a transition leads to a type that is not there");
	int32_t offset = (int32_t)big_endian(block->infos + 6 * type, 4);
	if (offset <= -ZONE_MAX_OFFSET_S || offset >= ZONE_MAX_OFFSET_S)
		return malformed(err, "an offset from UTC is longer than a day");
	*ret_offset = offset;
	return 0;
}

static int read_transitions(const struct block *block, struct zone *zone, struct kube_err *err)
{
	int32_t first;
	int rc = take_offset(block, 0, &first, err);

	zone->before_s = rc ? 0 : first;
	for (size_t i = 0; !rc && i < zone->count; i++) {
		zone->at_s[i] = (int64_t)big_endian(block->times + 8 * i, 8);
		if (zone->at_s[i] < -ZONE_FOREVER_S || zone->at_s[i] > ZONE_FOREVER_S)
			return malformed(err, "a transition lies beyond all time");
		if (i > 0 && zone->at_s[i] <= zone->at_s[i - 1])
			return malformed(err, "its transitions are not in order");
		rc = take_offset(block, block->types[i], &zone->offsets[i], err);
	}
	return rc;
}

/* A newline, the TZ string or nothing, a newline. */
static int read_tail(struct bytes *bytes, struct zone *zone, struct kube_err *err)
{
	const uint8_t *newline = take_bytes(bytes, 1);
	const uint8_t *end = newline && bytes->left ? memchr(bytes->at, '\n', bytes->left) : NULL;
	char text[MAX_TAIL];

	if (!end || *newline != '\n')
		return malformed(err, "the line behind its second block is missing");
	size_t len = (size_t)(end - bytes->at);
	if (len >= sizeof(text) || memchr(bytes->at, '\0', len))
		return malformed(err, "the line behind its second block is no TZ string");
	memcpy(text, bytes->at, len);
	text[len] = '\0';
	zone->has_tail = len > 0;
	return len > 0 ? posix_tz_parse(text, &zone->tail, err) : 0;
}

int zone_decode(const void *bytes, size_t len, struct kube_arena *arena, const struct zone **ret_zone,
                struct kube_err *err)
{
	struct bytes rest = {.at = bytes, .left = len};
	struct block block;

	int rc = take_block(&rest, &block, err);
	if (rc)
		return rc;
	struct zone *zone = kube_arena_alloc(arena, sizeof(*zone));
	if (!zone)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a time zone");
	zone->count = block.counts.time;
	zone->at_s = kube_arena_calloc(arena, zone->count, sizeof(*zone->at_s));
	zone->offsets = kube_arena_calloc(arena, zone->count, sizeof(*zone->offsets));
	if (!zone->at_s || !zone->offsets)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a time zone");
	rc = read_transitions(&block, zone, err);
	if (!rc)
		rc = read_tail(&rest, zone, err);
	if (!rc)
		*ret_zone = zone;
	return rc;
}
