/*
 * An allocator that refuses on purpose. It takes the place of malloc, calloc, realloc, free, strdup and strndup in the
 * whole program, shared libraries included, and hands on to the real ones (AddressSanitizer's, where that is in use).
 */
#ifndef TEST_NOMEM_ALLOC_H
#define TEST_NOMEM_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on the nth allocation (from 1) and the `more` that follow it fail. 0: none fails, they are counted. */
void alloc_arm(size_t nth, size_t more);
/* None fails any more. True when one has. */
bool alloc_disarm(void);
/* How many there were since alloc_arm(). */
size_t alloc_count(void);

/* From the next alloc_arm() to its alloc_disarm(): who asks for the nth allocation, as a hash of its callers, in
 * places[n - 1]. */
void alloc_trace(uint64_t *places, size_t max);

/* Writes who asked for the first block that was refused. */
void alloc_show(int fd);

/* What a test does in between, as a server for instance, neither fails nor counts. Pauses nest. */
void alloc_pause(void);
void alloc_resume(void);

/* Blocks that are allocated now. */
size_t alloc_live(void);

#endif
