/*
 * Memory: scope-bound cleanup for locals, and a bounded arena.
 *
 * Library functions return KUBE_E_NOMEM when allocation fails; they never exit.
 */
#ifndef KUBE_MEM_H
#define KUBE_MEM_H

#include <kube/decls.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

KUBE_BEGIN_DECLS

/* Calls fn with the address of the local variable when that goes out of scope (GCC and Clang). */
#define KUBE_CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void kube_freep(void *p)
{
	free(*(void **)p);
	*(void **)p = NULL;
}

/* For secrets: overwrites and frees *text, which may be NULL, and leaves NULL. */
void kube_wipe_str(char **text);

/* Hands a pointer on: yields its value and leaves NULL behind. */
#define KUBE_TAKE(p) \
	({ \
		__typeof__(p) *take_p_ = &(p); \
		__typeof__(p) take_v_ = *take_p_; \
		*take_p_ = NULL; \
		take_v_; \
	})

/* The short names are for whoever asks for them before the first include: they could be anyone's. */
#ifdef KUBE_SHORT_NAMES
#define _cleanup_(fn) KUBE_CLEANUP(fn)
#define _cleanup_free_ _cleanup_(kube_freep)
#define take(p) KUBE_TAKE(p)
#endif

#define KUBE_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * A bump allocator. Memory is zeroed, aligned for any type (texts: not at all), and freed only all at once. Total size
 * is limited: an allocation beyond the limit returns NULL, as does one that malloc refuses. A zeroed arena is valid and
 * has the default limit.
 */
#define KUBE_ARENA_DEFAULT_LIMIT ((size_t)64 << 20)

struct kube_arena_chunk;

struct kube_arena {
	struct kube_arena_chunk *head; /* NULL: none yet, or the memory is the caller's */
	unsigned char *low, *high;     /* what is free: aligned memory is taken from below, texts from above */
	size_t used_bytes;             /* handed out so far; whatever the order, it fits into as many bytes in one piece */
	size_t limit_bytes;            /* 0: KUBE_ARENA_DEFAULT_LIMIT */
};

void kube_arena_init(struct kube_arena *arena, size_t limit_bytes);
/* Hands out size bytes (at least 1) at memory, which are zeroed, aligned for any type, stay the caller's, and are the
 * limit. */
void kube_arena_init_fixed(struct kube_arena *arena, void *memory, size_t size);
void kube_arena_finish(struct kube_arena *arena); /* frees everything; NULL and zeroed are fine */
/* Forgets everything, and keeps memory for what comes next. */
void kube_arena_reset(struct kube_arena *arena);

void *kube_arena_alloc(struct kube_arena *arena, size_t size);
/* count * size with overflow check. */
void *kube_arena_calloc(struct kube_arena *arena, size_t count, size_t size);
char *kube_arena_strdup(struct kube_arena *arena, const char *s); /* NULL gives NULL */
char *kube_arena_strndup(struct kube_arena *arena, const char *s, size_t n);
char *kube_arena_printf(struct kube_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *kube_arena_vprintf(struct kube_arena *arena, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

KUBE_END_DECLS

#endif
