#include "test/nomem/alloc.h"

#include <errno.h>
#include <execinfo.h>
#include <stdlib.h>
#include <string.h>

#ifdef ALLOC_UNDER_ASAN
#include <sanitizer/lsan_interface.h>
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *block, size_t size);
void REAL(free)(void *block);

static struct {
	bool armed, failed;
	int paused;
	size_t count, first, last; /* of those that fail; 0: none */
	size_t live;
	void *callers[20]; /* of the first that failed */
	int caller_count;
	uint64_t *places; /* NULL: nobody wants to know */
	size_t place_max;
} state;

/* The first call of backtrace() loads a library, which keeps memory. */
__attribute__((constructor)) static void warm_up(void)
{
#ifdef ALLOC_UNDER_ASAN
	__lsan_disable();
#endif
	backtrace(state.callers, 1);
#ifdef ALLOC_UNDER_ASAN
	__lsan_enable();
#endif
}

void alloc_arm(size_t nth, size_t more)
{
	state.armed = true;
	state.failed = false;
	state.caller_count = 0;
	state.count = 0;
	state.first = nth;
	state.last = nth ? nth + more : 0;
}

void alloc_trace(uint64_t *places, size_t max)
{
	state.places = places;
	state.place_max = max;
}

bool alloc_disarm(void)
{
	state.armed = false;
	state.places = NULL;
	return state.failed;
}

size_t alloc_count(void)
{
	return state.count;
}

void alloc_pause(void)
{
	state.paused++;
}

void alloc_resume(void)
{
	state.paused--;
}

void alloc_show(int fd)
{
	backtrace_symbols_fd(state.callers, state.caller_count, fd);
}

size_t alloc_live(void)
{
	return state.live;
}

/* FNV-1a. */
static void note_place(void)
{
	void *callers[40];
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	state.paused++;
	int count = backtrace(callers, (int)(sizeof(callers) / sizeof(callers[0])));
	state.paused--;
	for (int i = 0; i < count; i++)
		hash = (hash ^ (uintptr_t)callers[i]) * UINT64_C(0x100000001b3);
	state.places[state.count - 1] = hash;
}

static bool refuses(void)
{
	if (!state.armed || state.paused)
		return false;
	state.count++;
	if (state.places && state.count <= state.place_max)
		note_place();
	if (state.count < state.first || state.count > state.last)
		return false;
	if (!state.failed) {
		state.failed = true;
		state.caller_count = backtrace(state.callers, (int)(sizeof(state.callers) / sizeof(state.callers[0])));
	}
	errno = ENOMEM;
	return true;
}

static void *counted(void *block)
{
	state.live += block ? 1 : 0;
	return block;
}

void *malloc(size_t size)
{
	return refuses() ? NULL : counted(REAL(malloc)(size));
}

void *calloc(size_t count, size_t size)
{
	return refuses() ? NULL : counted(REAL(calloc)(count, size));
}

void *realloc(void *block, size_t size)
{
	if (refuses())
		return NULL;
	void *moved = REAL(realloc)(block, size);
	if (!block)
		counted(moved);
	else if (!moved && size == 0)
		state.live--;
	return moved;
}

void *reallocarray(void *block, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(block, bytes);
}

void free(void *block)
{
	state.live -= block ? 1 : 0;
	REAL(free)(block);
}

char *strndup(const char *text, size_t max)
{
	size_t len = strnlen(text, max);
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *strdup(const char *text)
{
	return strndup(text, strlen(text));
}
