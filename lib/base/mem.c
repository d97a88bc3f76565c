#include <kube/mem.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Chunks double from the first to the largest size, so that an arena for one small object stays small. */
#define FIRST_CHUNK_BYTES ((size_t)1 << 10)
#define LARGEST_CHUNK_BYTES ((size_t)64 << 10)

struct kube_arena_chunk {
	struct kube_arena_chunk *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

void kube_arena_init(struct kube_arena *arena, size_t limit_bytes)
{
	*arena = (struct kube_arena){.limit_bytes = limit_bytes};
}

void kube_arena_finish(struct kube_arena *arena)
{
	if (!arena)
		return;
	while (arena->head) {
		struct kube_arena_chunk *chunk = arena->head;
		arena->head = chunk->next;
		free(chunk);
	}
	arena->used_bytes = 0;
}

/* An allocation that is large beside a chunk gets one of its own, behind the head, whose rest stays in use. */
static struct kube_arena_chunk *add_chunk(struct kube_arena *arena, size_t need)
{
	struct kube_arena_chunk *head = arena->head;
	size_t size = head ? head->size * 2 : FIRST_CHUNK_BYTES;
	bool fitted = !head && arena->first_bytes >= need;

	if (size > LARGEST_CHUNK_BYTES)
		size = LARGEST_CHUNK_BYTES;
	if (fitted)
		size = arena->first_bytes;
	bool own = !fitted && need > size / 2;
	if (own)
		size = need;
	struct kube_arena_chunk *chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->size = size;
	struct kube_arena_chunk **place = own && head ? &head->next : &arena->head;
	chunk->next = *place;
	*place = chunk;
	return chunk;
}

static void *alloc_aligned(struct kube_arena *arena, size_t size, size_t align)
{
	size_t limit = arena->limit_bytes ? arena->limit_bytes : KUBE_ARENA_DEFAULT_LIMIT;
	struct kube_arena_chunk *chunk = arena->head;

	if (size == 0)
		size = 1;
	if (size > limit || arena->used_bytes > limit - size || size > SIZE_MAX - sizeof(*chunk))
		return NULL;
	size_t start = chunk ? (chunk->used + align - 1) & ~(align - 1) : 0;
	if (!chunk || start > chunk->size || size > chunk->size - start) {
		chunk = add_chunk(arena, size);
		if (!chunk)
			return NULL;
		start = 0;
	}
	arena->used_bytes += start - chunk->used + size;
	chunk->used = start + size;
	return chunk->bytes + start;
}

void *kube_arena_alloc(struct kube_arena *arena, size_t size)
{
	return alloc_aligned(arena, size, alignof(max_align_t));
}

void *kube_arena_calloc(struct kube_arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return kube_arena_alloc(arena, bytes);
}

char *kube_arena_strndup(struct kube_arena *arena, const char *s, size_t n)
{
	if (!s)
		return NULL;
	size_t len = strnlen(s, n);
	if (len == SIZE_MAX)
		return NULL;
	char *copy = alloc_aligned(arena, len + 1, 1);
	if (copy)
		memcpy(copy, s, len); /* the rest is zeroed already */
	return copy;
}

char *kube_arena_strdup(struct kube_arena *arena, const char *s)
{
	return s ? kube_arena_strndup(arena, s, strlen(s)) : NULL;
}

char *kube_arena_vprintf(struct kube_arena *arena, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		return NULL;
	char *out = alloc_aligned(arena, (size_t)len + 1, 1);
	if (out)
		vsnprintf(out, (size_t)len + 1, fmt, ap);
	return out;
}

char *kube_arena_printf(struct kube_arena *arena, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *out = kube_arena_vprintf(arena, fmt, ap);
	va_end(ap);
	return out;
}
