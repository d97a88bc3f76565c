#include "lib/runtime/slots.h"

#include <kube/err.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 16

uint32_t slots_hash(const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	uint32_t hash = UINT32_C(0x811c9dc5);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT32_C(0x01000193);
	return hash;
}

void slots_finish(struct slots *slots)
{
	free(slots->at);
	*slots = (struct slots){.at = NULL};
}

static size_t home(const struct slots *slots, uint32_t hash)
{
	return hash & (slots->size - 1);
}

static size_t after(const struct slots *slots, size_t slot)
{
	return (slot + 1) & (slots->size - 1);
}

uint32_t slots_find(const struct slots *slots, const struct slots_owner *about, const void *owner, uint32_t hash,
                    const void *key)
{
	if (slots->used == 0)
		return SLOTS_NONE;
	for (size_t slot = home(slots, hash); slots->at[slot] != SLOTS_NONE; slot = after(slots, slot)) {
		uint32_t number = slots->at[slot];
		if (about->hash(owner, number) == hash && about->is(owner, number, key))
			return number;
	}
	return SLOTS_NONE;
}

static void place(struct slots *slots, uint32_t hash, uint32_t number)
{
	size_t slot = home(slots, hash);

	while (slots->at[slot] != SLOTS_NONE)
		slot = after(slots, slot);
	slots->at[slot] = number;
}

static int grow(struct slots *slots, const struct slots_owner *about, const void *owner)
{
	struct slots larger = {.size = slots->size ? slots->size * 2 : FIRST_SIZE, .used = slots->used};

	larger.at = malloc(larger.size * sizeof(*larger.at));
	if (!larger.at)
		return KUBE_E_NOMEM;
	memset(larger.at, 0xff, larger.size * sizeof(*larger.at));
	for (size_t slot = 0; slot < slots->size; slot++)
		if (slots->at[slot] != SLOTS_NONE)
			place(&larger, about->hash(owner, slots->at[slot]), slots->at[slot]);
	free(slots->at);
	*slots = larger;
	return 0;
}

int slots_add(struct slots *slots, const struct slots_owner *about, const void *owner, uint32_t hash, uint32_t number)
{
	/* One slot at least stays free: it ends every search. */
	if ((slots->used + 1) * 4 > slots->size * 3 && grow(slots, about, owner))
		return KUBE_E_NOMEM;
	place(slots, hash, number);
	slots->used++;
	return 0;
}

static size_t slot_of(const struct slots *slots, uint32_t hash, uint32_t number)
{
	size_t slot = home(slots, hash);

	while (slots->at[slot] != number)
		slot = after(slots, slot);
	return slot;
}

/* Knuth 6.4 R: whoever is found past the hole only because it was taken moves up. */
void slots_remove(struct slots *slots, const struct slots_owner *about, const void *owner, uint32_t hash,
                  uint32_t number)
{
	size_t hole = slot_of(slots, hash, number), mask = slots->size - 1;

	for (size_t slot = after(slots, hole); slots->at[slot] != SLOTS_NONE; slot = after(slots, slot)) {
		size_t way = (slot - home(slots, about->hash(owner, slots->at[slot]))) & mask;
		if (way < ((slot - hole) & mask))
			continue;
		slots->at[hole] = slots->at[slot];
		hole = slot;
	}
	slots->at[hole] = SLOTS_NONE;
	slots->used--;
}

void slots_renumber(struct slots *slots, uint32_t hash, uint32_t from, uint32_t to)
{
	slots->at[slot_of(slots, hash, from)] = to;
}
