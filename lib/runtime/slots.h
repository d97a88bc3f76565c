/*
 * A hash table of numbers, for owners that keep their entries in an array: 4 bytes a slot, open addressing. The owner
 * says what hash an entry has and whether it is the one with a key.
 */
#ifndef LIB_RUNTIME_SLOTS_H
#define LIB_RUNTIME_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTS_NONE UINT32_MAX

struct slots {
	uint32_t *at;
	size_t size, used; /* size: a power of two, or 0 */
};

struct slots_owner {
	uint32_t (*hash)(const void *owner, uint32_t number);
	bool (*is)(const void *owner, uint32_t number, const void *key);
};

void slots_finish(struct slots *slots); /* zeroed is fine */
/* The number of the entry with that key and hash, or SLOTS_NONE. */
uint32_t slots_find(const struct slots *slots, const struct slots_owner *about, const void *owner, uint32_t hash,
                    const void *key);
/* Adds a number whose key is not there. KUBE_E_NOMEM. */
int slots_add(struct slots *slots, const struct slots_owner *about, const void *owner, uint32_t hash, uint32_t number);
/* Takes out a number that is there, whose entry must still be. */
void slots_remove(struct slots *slots, const struct slots_owner *about, const void *owner, uint32_t hash,
                  uint32_t number);
/* The entry has moved within the owner's array. */
void slots_renumber(struct slots *slots, uint32_t hash, uint32_t from, uint32_t to);

/* FNV-1a */
uint32_t slots_hash(const void *bytes, size_t len);

#endif
