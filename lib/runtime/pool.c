#include "lib/runtime/pool.h"

#include "lib/runtime/slots.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

/* A map's bytes are its pairs: as their texts are in the pool too, equal maps have equal bytes. */
struct shared {
	uint32_t hash, refs;
	uint32_t number; /* place in pool->entries */
	uint32_t len : 31, is_map : 1;
	char bytes[] __attribute__((aligned(8)));
};

struct kube_pool {
	struct slots slots;
	struct shared **entries;
	size_t count, cap;
	bool owned;
};

struct kube_pool *pool_new(void)
{
	struct kube_pool *pool = calloc(1, sizeof(*pool));

	if (pool)
		pool->owned = true;
	return pool;
}

static void free_if_unused(struct kube_pool *pool)
{
	if (pool->owned || pool->count > 0)
		return;
	slots_finish(&pool->slots);
	free(pool->entries);
	free(pool);
}

void pool_free(struct kube_pool *pool)
{
	if (!pool)
		return;
	pool->owned = false;
	free_if_unused(pool);
}

size_t pool_count(const struct kube_pool *pool)
{
	return pool->count;
}

/* Looking up */

struct key {
	const void *bytes;
	size_t len;
	bool is_map;
};

static uint32_t hash_of(const void *owner, uint32_t number)
{
	return ((const struct kube_pool *)owner)->entries[number]->hash;
}

static bool is(const void *owner, uint32_t number, const void *key)
{
	const struct shared *entry = ((const struct kube_pool *)owner)->entries[number];
	const struct key *wanted = key;

	return entry->is_map == wanted->is_map && entry->len == wanted->len &&
	       memcmp(entry->bytes, wanted->bytes, wanted->len) == 0;
}

static const struct slots_owner about = {hash_of, is};

static bool add(struct kube_pool *pool, struct shared *entry)
{
	if (pool->count == pool->cap) {
		size_t cap = pool->cap ? pool->cap * 2 : FIRST_CAP;
		struct shared **entries = realloc(pool->entries, cap * sizeof(struct shared *));
		if (!entries)
			return false;
		pool->entries = entries;
		pool->cap = cap;
	}
	entry->number = (uint32_t)pool->count;
	pool->entries[pool->count] = entry;
	if (slots_add(&pool->slots, &about, pool, entry->hash, entry->number))
		return false;
	pool->count++;
	return true;
}

/* One reference more to what has these bytes, made from them when it is new. NULL when out of memory. */
static struct shared *get(struct kube_pool *pool, const struct key *key)
{
	uint32_t hash = slots_hash(key->bytes, key->len);
	uint32_t number = slots_find(&pool->slots, &about, pool, hash, key);

	if (number != SLOTS_NONE) {
		pool->entries[number]->refs++;
		return pool->entries[number];
	}
	struct shared *entry = key->len <= INT32_MAX ? malloc(sizeof(*entry) + key->len) : NULL;
	if (!entry)
		return NULL;
	*entry = (struct shared){.hash = hash, .refs = 1, .len = key->len & INT32_MAX, .is_map = key->is_map};
	memcpy(entry->bytes, key->bytes, key->len);
	if (add(pool, entry))
		return entry;
	free(entry);
	return NULL;
}

bool pool_text(struct kube_pool *pool, const char *text, const char **ret_text)
{
	const struct shared *entry = get(pool, &(struct key){.bytes = text, .len = strlen(text) + 1});

	if (entry)
		*ret_text = entry->bytes;
	return entry != NULL;
}

/* Maps */

static void release_texts(struct kube_pool *pool, const struct kube_str_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		pool_release(pool, pairs[i].key);
		pool_release(pool, pairs[i].value);
	}
}

/* Pairs of pooled texts, for the caller to free; NULL when out of memory. */
static struct kube_str_pair *pool_texts(struct kube_pool *pool, const struct kube_strmap *map)
{
	struct kube_str_pair *pairs = calloc(map->count, sizeof(*pairs));

	for (size_t i = 0; pairs && i < map->count; i++) {
		if (pool_text(pool, map->items[i].key, &pairs[i].key) && pool_text(pool, map->items[i].value, &pairs[i].value))
			continue;
		release_texts(pool, pairs, i + 1);
		free(take(pairs));
	}
	return pairs;
}

bool pool_map(struct kube_pool *pool, const struct kube_strmap *map, struct kube_str_pair **ret_pairs)
{
	if (map->count == 0) {
		*ret_pairs = NULL;
		return true;
	}
	_cleanup_free_ struct kube_str_pair *pairs = pool_texts(pool, map);
	if (!pairs)
		return false;
	struct shared *entry = get(pool, &(struct key){pairs, map->count * sizeof(*pairs), true});
	if (!entry || entry->refs > 1) /* the map that is there has its own references */
		release_texts(pool, pairs, map->count);
	if (entry)
		*ret_pairs = (struct kube_str_pair *)(void *)entry->bytes;
	return entry != NULL;
}

/* Releasing */

static void drop(struct kube_pool *pool, struct shared *entry)
{
	struct shared *last = pool->entries[pool->count - 1];

	slots_remove(&pool->slots, &about, pool, entry->hash, entry->number);
	if (last != entry) {
		slots_renumber(&pool->slots, last->hash, last->number, entry->number);
		pool->entries[entry->number] = last;
		last->number = entry->number;
	}
	pool->count--;
}

static struct shared *entry_of(const void *bytes)
{
	return (struct shared *)((uintptr_t)bytes - offsetof(struct shared, bytes));
}

void pool_release(struct kube_pool *pool, const void *shared)
{
	struct shared *entry = shared ? entry_of(shared) : NULL;

	if (!entry || --entry->refs > 0)
		return;
	if (entry->is_map)
		release_texts(pool, (const struct kube_str_pair *)(const void *)entry->bytes,
		              entry->len / sizeof(struct kube_str_pair));
	drop(pool, entry);
	free(entry);
	free_if_unused(pool);
}
