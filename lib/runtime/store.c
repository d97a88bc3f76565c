#include <kube/store.h>

#include "lib/runtime/pool.h"

#include <stdint.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

struct entry;

/* The objects with one value of one index. It is there only while it has members, or is about to get one. */
struct bucket {
	UT_hash_handle hh;
	struct entry *members;
	size_t count; /* of them */
	char value[];
};

struct link {
	struct bucket *bucket; /* NULL: not in this index */
	struct entry *prev, *next;
};

struct entry {
	UT_hash_handle hh; /* the key is the object's */
	struct kube_object *object;
	uint64_t round; /* of the last kube_store_replace() that named it */
	struct link links[];
};

struct kube_store {
	struct kube_pool *pool;
	struct entry *entries;
	struct entry *last; /* that an iteration has come to: its next step need not look for it; NULL: none */
	size_t max_objects;
	uint64_t round;
	int index_count, handler_count;
	struct index {
		kube_index_fn *fn;
		struct bucket *buckets;
	} indexes[KUBE_STORE_MAX_INDEXES];
	struct handler {
		kube_change_fn *fn;
		void *arg;
	} handlers[KUBE_STORE_MAX_HANDLERS];
};

int kube_store_new(size_t max_objects, struct kube_store **ret_store, struct kube_err *err)
{
	struct kube_store *store = calloc(1, sizeof(*store));

	if (store)
		store->pool = pool_new();
	if (!store || !store->pool) {
		free(store);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a store");
	}
	store->max_objects = max_objects;
	*ret_store = store;
	return 0;
}

int kube_store_add_handler(struct kube_store *store, kube_change_fn *fn, void *arg, struct kube_err *err)
{
	if (store->handler_count == KUBE_STORE_MAX_HANDLERS)
		return kube_fail(err, KUBE_E_LIMIT, "a store takes at most %d handlers", KUBE_STORE_MAX_HANDLERS);
	store->handlers[store->handler_count++] = (struct handler){fn, arg};
	return 0;
}

void kube_store_remove_handler(struct kube_store *store, kube_change_fn *fn, void *arg)
{
	for (int i = 0; i < store->handler_count; i++) {
		if (store->handlers[i].fn != fn || store->handlers[i].arg != arg)
			continue;
		store->handler_count--;
		memmove(&store->handlers[i], &store->handlers[i + 1],
		        (size_t)(store->handler_count - i) * sizeof(struct handler));
		return;
	}
}

int kube_store_add_index(struct kube_store *store, kube_index_fn *fn, int *ret_index, struct kube_err *err)
{
	if (store->entries)
		return kube_fail(err, KUBE_E_INVALID, "an index must be added before the first object");
	if (store->index_count == KUBE_STORE_MAX_INDEXES)
		return kube_fail(err, KUBE_E_LIMIT, "a store takes at most %d indexes", KUBE_STORE_MAX_INDEXES);
	store->indexes[store->index_count].fn = fn;
	*ret_index = store->index_count++;
	return 0;
}

struct kube_pool *store_pool(struct kube_store *store)
{
	return store->pool;
}

/* Reading */

static struct entry *find(const struct kube_store *store, const char *key)
{
	struct entry *entry = NULL;

	HASH_FIND_STR(store->entries, key, entry);
	return entry;
}

struct kube_object *kube_store_get(const struct kube_store *store, const char *key)
{
	struct entry *entry = find(store, key);

	return entry ? entry->object : NULL;
}

size_t kube_store_count(const struct kube_store *store)
{
	return HASH_COUNT(store->entries);
}

size_t kube_store_max(const struct kube_store *store)
{
	return store->max_objects;
}

static struct entry *entry_of(const struct kube_store *store, const struct kube_object *object)
{
	return store->last && store->last->object == object ? store->last : find(store, object->key);
}

/* Where an iteration is does not count as a change of the store. */
static struct kube_object *step_to(const struct kube_store *store, struct entry *entry)
{
	((struct kube_store *)store)->last = entry;
	return entry ? entry->object : NULL;
}

struct kube_object *kube_store_next(const struct kube_store *store, const struct kube_object *previous)
{
	struct entry *entry = previous ? entry_of(store, previous) : store->entries;

	if (entry && previous)
		entry = entry->hh.next;
	return step_to(store, entry);
}

static const struct bucket *find_bucket(const struct kube_store *store, int index, const char *value)
{
	struct bucket *bucket = NULL;

	HASH_FIND_STR(store->indexes[index].buckets, value, bucket);
	return bucket;
}

size_t kube_store_index_count(const struct kube_store *store, int index, const char *value)
{
	const struct bucket *bucket = find_bucket(store, index, value);

	return bucket ? bucket->count : 0;
}

struct kube_object *kube_store_index_next(const struct kube_store *store, int index, const char *value,
                                          const struct kube_object *previous)
{
	struct entry *entry;

	if (previous) {
		entry = entry_of(store, previous);
		return step_to(store, entry ? entry->links[index].next : NULL);
	}
	const struct bucket *bucket = find_bucket(store, index, value);
	return step_to(store, bucket ? bucket->members : NULL);
}

/* Indexes */

static void drop_if_empty(struct index *index, struct bucket *bucket)
{
	if (!bucket || bucket->members)
		return;
	HASH_DEL(index->buckets, bucket);
	free(bucket);
}

static struct bucket *get_bucket(struct index *index, const char *value)
{
	struct bucket *bucket = NULL;
	size_t len = strlen(value);

	HASH_FIND(hh, index->buckets, value, len, bucket);
	if (bucket)
		return bucket;
	bucket = calloc(1, sizeof(*bucket) + len + 1);
	if (!bucket)
		return NULL;
	memcpy(bucket->value, value, len + 1);
	HASH_ADD_KEYPTR(hh, index->buckets, bucket->value, len, bucket);
	if (!bucket->hh.tbl) {
		free(bucket);
		return NULL;
	}
	return bucket;
}

/* Finds or makes the buckets that object belongs into. On failure nothing is left behind. */
static bool find_buckets(struct kube_store *store, const struct kube_object *object,
                         struct bucket *ret_buckets[KUBE_STORE_MAX_INDEXES])
{
	for (int i = 0; i < store->index_count; i++) {
		const char *value = store->indexes[i].fn(object);
		ret_buckets[i] = value ? get_bucket(&store->indexes[i], value) : NULL;
		if (!value || ret_buckets[i])
			continue;
		while (--i >= 0)
			drop_if_empty(&store->indexes[i], ret_buckets[i]);
		return false;
	}
	return true;
}

static void move_to_bucket(struct kube_store *store, struct entry *entry, int i, struct bucket *bucket)
{
	struct bucket *old_bucket = entry->links[i].bucket;

	if (old_bucket == bucket)
		return;
	if (old_bucket) {
		DL_DELETE2(old_bucket->members, entry, links[i].prev, links[i].next);
		old_bucket->count--;
		drop_if_empty(&store->indexes[i], old_bucket);
	}
	entry->links[i] = (struct link){.bucket = bucket};
	if (!bucket)
		return;
	DL_APPEND2(bucket->members, entry, links[i].prev, links[i].next);
	bucket->count++;
}

/* Changing */

static void notify(const struct kube_store *store, const struct kube_change *change)
{
	for (int i = 0; i < store->handler_count; i++)
		store->handlers[i].fn(store->handlers[i].arg, change);
}

/* A deletion and re-creation is a change however alike the two objects are. */
static bool differs(const struct kube_object *a, const struct kube_object *b)
{
	if (strcmp(a->uid, b->uid) != 0)
		return true;
	if (*a->resource_version && strcmp(a->resource_version, b->resource_version) == 0)
		return false;
	return !b->projection->same || !b->projection->same(a, b);
}

static struct entry *add_entry(struct kube_store *store, const struct kube_object *object)
{
	struct entry *entry = calloc(1, sizeof(*entry) + (size_t)store->index_count * sizeof(struct link));

	if (!entry)
		return NULL;
	HASH_ADD_KEYPTR(hh, store->entries, object->key, strlen(object->key), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return NULL;
	}
	return entry;
}

/* Takes over the reference on success. The limit is the caller's affair. */
static bool put(struct kube_store *store, struct kube_object *object)
{
	struct bucket *buckets[KUBE_STORE_MAX_INDEXES];
	struct entry *entry = find(store, object->key);

	if (entry && entry->object == object) { /* a list that names what the store has already */
		entry->round = store->round;
		kube_object_unref(object);
		return true;
	}
	if (!find_buckets(store, object, buckets))
		return false;
	if (!entry)
		entry = add_entry(store, object);
	if (!entry) {
		for (int i = 0; i < store->index_count; i++)
			drop_if_empty(&store->indexes[i], buckets[i]);
		return false;
	}
	struct kube_object *old = entry->object;
	entry->object = object;
	entry->hh.key = object->key; /* the same text; the old object's copy of it goes away */
	entry->round = store->round;
	for (int i = 0; i < store->index_count; i++)
		move_to_bucket(store, entry, i, buckets[i]);
	notify(store, &(struct kube_change){old, object, .changed = !old || differs(old, object)});
	kube_object_unref(old);
	return true;
}

static void remove_entry(struct kube_store *store, struct entry *entry)
{
	struct kube_object *old = entry->object;

	for (int i = 0; i < store->index_count; i++)
		move_to_bucket(store, entry, i, NULL);
	HASH_DEL(store->entries, entry);
	if (store->last == entry)
		store->last = NULL;
	free(entry);
	notify(store, &(struct kube_change){old, NULL, .changed = true});
	kube_object_unref(old);
}

static int too_many(const struct kube_store *store, const struct kube_object *object, struct kube_err *err)
{
	return kube_fail(err, KUBE_E_LIMIT, "there are more than %zu objects of kind %s: raise the cache's limit",
	                 store->max_objects, object->projection->resource->kind);
}

static int no_memory(const struct kube_object *object, struct kube_err *err)
{
	return kube_fail(err, KUBE_E_NOMEM, "out of memory for %s %s", object->projection->resource->kind, object->key);
}

int kube_store_put(struct kube_store *store, struct kube_object *object, struct kube_err *err)
{
	int rc = 0;

	if (kube_store_count(store) >= store->max_objects && !find(store, object->key))
		rc = too_many(store, object, err);
	else if (!put(store, object))
		rc = no_memory(object, err);
	if (rc)
		kube_object_unref(object);
	return rc;
}

void kube_store_remove(struct kube_store *store, const char *key)
{
	struct entry *entry = find(store, key);

	if (entry)
		remove_entry(store, entry);
}

static void remove_unnamed(struct kube_store *store)
{
	struct entry *entry, *next;

	HASH_ITER (hh, store->entries, entry, next) {
		if (entry->round != store->round)
			remove_entry(store, entry);
	}
}

int kube_store_replace(struct kube_store *store, struct kube_object **objects, size_t count, struct kube_err *err)
{
	size_t done = 0;
	int rc = 0;

	if (count > store->max_objects)
		rc = too_many(store, objects[0], err);
	store->round++;
	for (; !rc && done < count; done++) {
		if (!put(store, objects[done])) {
			rc = no_memory(objects[done], err);
			break;
		}
	}
	if (!rc)
		remove_unnamed(store);
	for (; done < count; done++)
		kube_object_unref(objects[done]);
	return rc;
}

void kube_store_free(struct kube_store *store)
{
	if (!store)
		return;
	store->handler_count = 0;
	struct entry *entry, *next;
	HASH_ITER (hh, store->entries, entry, next) {
		remove_entry(store, entry);
	}
	pool_free(store->pool);
	free(store);
}
