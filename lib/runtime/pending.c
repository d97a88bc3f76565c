#include <kube/pending.h>
#include <kube/time.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define MAX_KEYS 100000
#define MAX_WRITES 16 /* to one key at a time */
#define MAX_SHOWN 16

/*
 * One key with writes. The store may show a write before its answer comes, and other writers' versions after it:
 * because versions are compared for equality only, the last ones that it showed are remembered while a call is open.
 */
struct entry {
	UT_hash_handle hh;
	struct kube_pending *pending;
	unsigned open;                    /* writes without an answer */
	unsigned awaited_count;           /* answers whose version the store has not shown */
	char *awaited[MAX_WRITES];        /* versions */
	bool blind;                       /* an answer whose version there was no memory for: busy until the expiry */
	bool deleting;                    /* an accepted deletion that the store has not shown */
	struct kube_object *target;       /* what the writes go to; NULL while it does not exist */
	struct kube_object *before;       /* what the store showed when the first of the writes began; NULL: nothing */
	unsigned shown_count, next_shown; /* shown is a ring */
	struct kube_object *shown[MAX_SHOWN];
	struct kube_timer timer; /* always active: until the key expires while busy, until on_idle afterwards */
	char key[];
};

struct kube_pending {
	struct kube_env *env;
	struct kube_store *store;
	void (*on_idle)(void *arg, const char *key);
	void *arg;
	struct entry *entries;
};

static bool is_busy(const struct entry *entry)
{
	return entry->open > 0 || entry->awaited_count > 0 || entry->blind || entry->deleting;
}

static void drop_awaited(struct entry *entry)
{
	while (entry->awaited_count > 0)
		free(entry->awaited[--entry->awaited_count]);
	entry->deleting = false;
}

static void drop_shown(struct entry *entry)
{
	for (unsigned i = 0; i < entry->shown_count; i++)
		kube_object_unref(entry->shown[i]);
	entry->shown_count = entry->next_shown = 0;
}

/* Its timer is stopped. */
static void free_entry(struct entry *entry)
{
	drop_awaited(entry);
	drop_shown(entry);
	kube_object_unref(entry->target);
	kube_object_unref(entry->before);
	free(entry);
}

static struct entry *find(const struct kube_pending *pending, const char *key)
{
	struct entry *entry = NULL;

	HASH_FIND_STR(pending->entries, key, entry);
	return entry;
}

/* The write has replaced what the store shows. */
static bool is_behind(const struct entry *entry)
{
	const struct kube_object *now = kube_store_get(entry->pending->store, entry->key);
	bool written = entry->awaited_count > 0 || entry->deleting;

	return written && now && entry->before && strcmp(now->uid, entry->before->uid) == 0 &&
	       strcmp(now->resource_version, entry->before->resource_version) == 0;
}

/* Calls on_idle from the loop, unless another write has begun by then. */
static void on_timer(struct kube_timer *timer, void *arg)
{
	struct entry *entry = arg;
	struct kube_pending *pending = entry->pending;

	/* A call has a deadline of its own, and the expiry counts from its answer. */
	if (entry->open > 0 || is_behind(entry)) {
		kube_timer_start(pending->env, timer, KUBE_PENDING_EXPIRE_MS, on_timer, entry);
		return;
	}
	HASH_DEL(pending->entries, entry);
	if (pending->on_idle)
		pending->on_idle(pending->arg, entry->key); /* may free pending */
	free_entry(entry);
}

/* The timer is active, hence these cannot fail. */
static void restart(struct entry *entry, int64_t delay_ms)
{
	kube_timer_start(entry->pending->env, &entry->timer, delay_ms, on_timer, entry);
}

static void remember(struct entry *entry, struct kube_object *object)
{
	unsigned slot = entry->next_shown;

	entry->next_shown = (slot + 1) % MAX_SHOWN;
	if (entry->shown_count == MAX_SHOWN)
		kube_object_unref(entry->shown[slot]);
	else
		entry->shown_count++;
	entry->shown[slot] = kube_object_ref(object);
}

static bool was_shown(const struct entry *entry, const char *resource_version)
{
	for (unsigned i = 0; i < entry->shown_count; i++)
		if (strcmp(entry->shown[i]->resource_version, resource_version) == 0)
			return true;
	return false;
}

static void set_target(struct entry *entry, struct kube_object *object)
{
	kube_object_unref(entry->target);
	entry->target = kube_object_ref(object);
}

static bool is_gone(const struct entry *entry, const struct kube_object *object)
{
	if (!object) /* or not there yet, when its creation is awaited */
		return entry->target || entry->awaited_count == 0;
	return object->deleted_ms != KUBE_TIME_NONE || strcmp(object->uid, entry->target->uid) != 0;
}

static void settle(struct entry *entry, const struct kube_object *object)
{
	for (unsigned i = entry->awaited_count; i-- > 0;) {
		if (!was_shown(entry, entry->awaited[i]))
			continue;
		free(entry->awaited[i]);
		entry->awaited[i] = entry->awaited[--entry->awaited_count];
	}
	if (entry->deleting && is_gone(entry, object))
		entry->deleting = false;
	if (entry->open == 0)
		drop_shown(entry);
	if (!is_busy(entry))
		restart(entry, 0);
}

static void on_change(void *arg, const struct kube_change *change)
{
	struct kube_pending *pending = arg;
	const struct kube_object *any = change->new_object ? change->new_object : change->old_object;
	struct entry *entry = find(pending, any->key);

	if (!entry || !is_busy(entry))
		return;
	if (change->new_object) {
		remember(entry, change->new_object);
		if (!entry->target)
			set_target(entry, change->new_object);
	}
	settle(entry, change->new_object);
}

int kube_pending_new(struct kube_env *env, struct kube_store *store, void (*on_idle)(void *arg, const char *key),
                     void *arg, struct kube_pending **ret_pending, struct kube_err *err)
{
	struct kube_pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the set of pending writes");
	*pending = (struct kube_pending){.env = env, .store = store, .on_idle = on_idle, .arg = arg};
	int rc = kube_store_add_handler(store, on_change, pending, err);
	if (rc) {
		free(pending);
		return rc;
	}
	*ret_pending = pending;
	return 0;
}

void kube_pending_free(struct kube_pending *pending)
{
	struct entry *entry, *next;

	if (!pending)
		return;
	kube_store_remove_handler(pending->store, on_change, pending);
	HASH_ITER (hh, pending->entries, entry, next) {
		HASH_DEL(pending->entries, entry);
		kube_timer_stop(pending->env, &entry->timer);
		free_entry(entry);
	}
	free(pending);
}

static struct entry *add_entry(struct kube_pending *pending, const char *key)
{
	size_t len = strlen(key);
	struct entry *entry = calloc(1, sizeof(*entry) + len + 1);

	if (!entry)
		return NULL;
	entry->pending = pending;
	memcpy(entry->key, key, len + 1);
	HASH_ADD_KEYPTR(hh, pending->entries, entry->key, len, entry);
	if (!entry->hh.tbl) {
		free(entry);
		return NULL;
	}
	if (kube_timer_start(pending->env, &entry->timer, KUBE_PENDING_EXPIRE_MS, on_timer, entry)) {
		HASH_DEL(pending->entries, entry);
		free(entry);
		return NULL;
	}
	return entry;
}

int kube_pending_begin(struct kube_pending *pending, const char *key, struct kube_err *err)
{
	struct entry *entry = find(pending, key);
	struct kube_object *object = kube_store_get(pending->store, key);

	if (entry && entry->open + entry->awaited_count >= MAX_WRITES)
		return kube_fail(err, KUBE_E_LIMIT, "more than %d writes to %s are under way: wait for their answers",
		                 MAX_WRITES, key);
	if (!entry && HASH_COUNT(pending->entries) >= MAX_KEYS)
		return kube_fail(err, KUBE_E_LIMIT, "writes to more than %d objects are under way", MAX_KEYS);
	if (!entry)
		entry = add_entry(pending, key);
	if (!entry)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a write to %s", key);
	if (object && !entry->deleting)
		set_target(entry, object);
	if (!is_busy(entry)) {
		kube_object_unref(entry->before);
		entry->before = kube_object_ref(object);
	}
	if (entry->open++ == 0 && object)
		remember(entry, object); /* a write that changes nothing is answered with this version */
	return 0;
}

static void await(struct entry *entry, const char *resource_version)
{
	char *copy = strdup(resource_version);

	if (copy)
		entry->awaited[entry->awaited_count++] = copy;
	else
		entry->blind = true;
}

void kube_pending_end(struct kube_pending *pending, const char *key, const char *resource_version)
{
	struct entry *entry = find(pending, key);

	if (!entry || entry->open == 0)
		return;
	restart(entry, KUBE_PENDING_EXPIRE_MS);
	if (resource_version && *resource_version)
		await(entry, resource_version);
	else if (resource_version)
		entry->deleting = true;
	entry->open--;
	/* Versions must be looked up before the last answer lets them go: settle() does so in this order. */
	settle(entry, kube_store_get(pending->store, key));
}

bool kube_pending_busy(const struct kube_pending *pending, const char *key)
{
	const struct entry *entry = find(pending, key);

	return entry && is_busy(entry);
}

size_t kube_pending_count(const struct kube_pending *pending)
{
	size_t count = 0;

	for (const struct entry *entry = pending->entries; entry; entry = entry->hh.next)
		count += is_busy(entry) ? 1 : 0;
	return count;
}
