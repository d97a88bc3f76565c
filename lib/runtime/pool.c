#include "lib/runtime/pool.h"

#include "lib/runtime/slots.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

/* A map's bytes are its pairs, whose texts are in the pool too. */
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
	const void *bytes; /* of a map: its pairs, whose texts may be anywhere */
	size_t len;
	bool is_map;
	uint32_t hash;
};

static struct kube_str_pair *pairs_of(struct shared *entry)
{
	return (struct kube_str_pair *)(void *)entry->bytes;
}

static uint32_t hash_of(const void *owner, uint32_t number)
{
	return ((const struct kube_pool *)owner)->entries[number]->hash;
}

static bool same_texts(const struct kube_str_pair *a, const struct kube_str_pair *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(a[i].key, b[i].key) != 0 || strcmp(a[i].value, b[i].value) != 0)
			return false;
	return true;
}

static bool is(const void *owner, uint32_t number, const void *key)
{
	struct shared *entry = ((const struct kube_pool *)owner)->entries[number];
	const struct key *wanted = key;

	if (entry->is_map != wanted->is_map || entry->len != wanted->len)
		return false;
	if (entry->is_map)
		return same_texts(pairs_of(entry), wanted->bytes, wanted->len / sizeof(struct kube_str_pair));
	return memcmp(entry->bytes, wanted->bytes, wanted->len) == 0;
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

/* One reference more to what has these bytes; NULL: there is none. */
static struct shared *find(struct kube_pool *pool, const struct key *key)
{
	uint32_t number = slots_find(&pool->slots, &about, pool, key->hash, key);

	if (number == SLOTS_NONE)
		return NULL;
	pool->entries[number]->refs++;
	return pool->entries[number];
}

/* What is not there yet, with one reference. NULL when out of memory. */
static struct shared *insert(struct kube_pool *pool, const struct key *key)
{
	struct shared *entry = key->len <= INT32_MAX ? malloc(sizeof(*entry) + key->len) : NULL;

	if (!entry)
		return NULL;
	*entry = (struct shared){.hash = key->hash, .refs = 1, .len = key->len & INT32_MAX, .is_map = key->is_map};
	memcpy(entry->bytes, key->bytes, key->len);
	if (add(pool, entry))
		return entry;
	free(entry);
	return NULL;
}

bool pool_text(struct kube_pool *pool, const char *text, const char **ret_text)
{
	size_t len = strlen(text) + 1;
	const struct key key = {.bytes = text, .len = len, .hash = slots_hash(text, len)};
	const struct shared *entry = find(pool, &key);

	if (!entry)
		entry = insert(pool, &key);
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

static uint32_t hash_of_texts(const struct kube_strmap *map)
{
	uint32_t hashes[2] = {0, 0}, hash = 0;

	for (size_t i = 0; i < map->count; i++) {
		hashes[0] = slots_hash(map->items[i].key, strlen(map->items[i].key));
		hashes[1] = slots_hash(map->items[i].value, strlen(map->items[i].value));
		hash = hash * 31 + slots_hash(hashes, sizeof(hashes));
	}
	return hash;
}

static struct shared *insert_map(struct kube_pool *pool, const struct kube_strmap *map, struct key key)
{
	_cleanup_free_ struct kube_str_pair *pairs = pool_texts(pool, map);

	if (!pairs)
		return NULL;
	key.bytes = pairs;
	struct shared *entry = insert(pool, &key);
	if (!entry)
		release_texts(pool, pairs, map->count);
	return entry;
}

bool pool_map(struct kube_pool *pool, const struct kube_strmap *map, struct kube_str_pair **ret_pairs)
{
	const struct key key = {map->items, map->count * sizeof(*map->items), .is_map = true, .hash = hash_of_texts(map)};
	struct shared *entry = NULL;

	if (map->count > 0) {
		entry = find(pool, &key);
		if (!entry)
			entry = insert_map(pool, map, key);
		if (!entry)
			return false;
	}
	*ret_pairs = entry ? pairs_of(entry) : NULL;
	return true;
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
		release_texts(pool, pairs_of(entry), entry->len / sizeof(struct kube_str_pair));
	drop(pool, entry);
	free(entry);
	free_if_unused(pool);
}
