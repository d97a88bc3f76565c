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
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

void kube_wipe_str(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void kube_arena_init(struct kube_arena *arena, size_t limit_bytes)
{
	*arena = (struct kube_arena){.limit_bytes = limit_bytes};
}

void kube_arena_init_fixed(struct kube_arena *arena, void *memory, size_t size)
{
	unsigned char *low = memory;

	*arena = (struct kube_arena){.low = low, .high = low + size, .limit_bytes = size};
}

static void free_chunks(struct kube_arena_chunk **chunks)
{
	while (*chunks) {
		struct kube_arena_chunk *chunk = *chunks;
		*chunks = chunk->next;
		free(chunk);
	}
}

void kube_arena_finish(struct kube_arena *arena)
{
	if (!arena)
		return;
	free_chunks(&arena->head);
	arena->low = arena->high = NULL;
	arena->used_bytes = 0;
}

void kube_arena_reset(struct kube_arena *arena)
{
	struct kube_arena_chunk *head = arena->head;

	arena->used_bytes = 0;
	if (!head)
		return;
	free_chunks(&head->next);
	memset(head->bytes, 0, (size_t)(arena->low - head->bytes));
	memset(arena->high, 0, (size_t)(head->bytes + head->size - arena->high));
	arena->low = head->bytes;
	arena->high = head->bytes + head->size;
}

static struct kube_arena_chunk *new_chunk(size_t size)
{
	struct kube_arena_chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (chunk)
		chunk->size = size;
	return chunk;
}

/*
 * An allocation that is large beside a chunk gets one of its own, behind the head, whose rest stays in use. A fixed
 * arena never comes here: its limit is where its memory ends.
 */
static unsigned char *alloc_in_new_chunk(struct kube_arena *arena, size_t size, bool text)
{
	struct kube_arena_chunk *head = arena->head;
	size_t usual = head ? head->size * 2 : FIRST_CHUNK_BYTES;

	if (usual > LARGEST_CHUNK_BYTES)
		usual = LARGEST_CHUNK_BYTES;
	bool own = head && size > usual / 2;
	struct kube_arena_chunk *chunk = new_chunk(own || size > usual ? size : usual);
	if (!chunk)
		return NULL;
	struct kube_arena_chunk **place = own ? &head->next : &arena->head;
	chunk->next = *place;
	*place = chunk;
	if (own)
		return chunk->bytes;
	arena->low = chunk->bytes + (text ? 0 : size);
	arena->high = chunk->bytes + chunk->size - (text ? size : 0);
	return text ? arena->high : chunk->bytes;
}

/* Texts take no part in the alignment: in which order both come makes no difference to the sum. */
static void *alloc(struct kube_arena *arena, size_t size, bool text)
{
	const size_t align = alignof(max_align_t);
	size_t limit = arena->limit_bytes ? arena->limit_bytes : KUBE_ARENA_DEFAULT_LIMIT;

	if (size == 0)
		size = 1;
	if (size > limit || size > SIZE_MAX - sizeof(struct kube_arena_chunk) - align)
		return NULL;
	if (!text)
		size = (size + align - 1) & ~(align - 1);
	if (size > limit || arena->used_bytes > limit - size)
		return NULL;
	unsigned char *memory;
	if (size > (size_t)(arena->high - arena->low)) {
		memory = alloc_in_new_chunk(arena, size, text);
		if (!memory)
			return NULL;
	} else if (text) {
		memory = arena->high -= size;
	} else {
		memory = arena->low;
		arena->low += size;
	}
	arena->used_bytes += size;
	return memory;
}

void *kube_arena_alloc(struct kube_arena *arena, size_t size)
{
	return alloc(arena, size, false);
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
	char *copy = alloc(arena, len + 1, true);
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
	char *out = alloc(arena, (size_t)len + 1, true);
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
