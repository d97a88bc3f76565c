/* DaemonSet: that it is there, and whom kured's lock on it (github.com/kubereboot/kured, pkg/daemonsetlock) is for. */
#include "controller/model/internal.h"
#include "controller/model/volume.h"

#include <kube/time.h>
#include <string.h>

#define LOCK_ANNOTATION "weave.works/kured-node-lock"
#define MAX_LOCKS 100
#define NS_PER_MS 1000000

struct parts {
	struct kube_strmap annotations;
};

/* k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto ObjectMeta */
static const struct kube_json_field metadata_table[] = {
    {.name = "annotations",
     .number = 12,
     .type = KUBE_JSON_STRMAP,
     .offset = offsetof(struct parts, annotations),
     .lenient = true},
    KUBE_JSON_END,
};

static const struct kube_json_field daemon_set_table[] = {
    {.name = "metadata", .number = 1, .type = KUBE_JSON_OBJECT, .table = metadata_table},
    KUBE_JSON_END,
};

/* ---- the lock: one node, or with --concurrency a list of them ---- */

struct lock_part {
	const char *node;
	int64_t created_ms, ttl_ns;
};

struct lock_parts {
	struct lock_part *items;
	size_t count;
};

#define IN(member) offsetof(struct lock_part, member)
static const struct kube_json_field lock_table[] = {
    {.name = "nodeID", .type = KUBE_JSON_STRING, .offset = IN(node)},
    {.name = "created", .type = KUBE_JSON_TIME, .offset = IN(created_ms), .lenient = true},
    {.name = "TTL", .type = KUBE_JSON_INT, .offset = IN(ttl_ns), .lenient = true},
    KUBE_JSON_END,
};

static const struct kube_json_field locks_table[] = {
    {.name = "locks",
     .type = KUBE_JSON_LIST,
     .offset = 0,
     .lenient = true,
     .table = lock_table,
     .size = sizeof(struct lock_part)},
    KUBE_JSON_END,
};
#undef IN

static void add_lock(struct daemon_set *self, const struct lock_part *part)
{
	bool ends = part->ttl_ns > 0 && part->created_ms > 0;

	if (part->node && *part->node && self->locks.count < MAX_LOCKS)
		self->locks.items[self->locks.count++] = (struct reboot_lock){
		    .node = part->node,
		    .until_ms = ends ? part->created_ms + part->ttl_ns / NS_PER_MS : KUBE_TIME_NONE,
		};
}

/* What cannot be read locks nothing: kured would not find its node in it either. */
static int read_locks(struct daemon_set *self, struct kube_arena *arena, struct kube_err *err)
{
	_cleanup_json_ cJSON *json = NULL;
	struct lock_part one = {0};
	struct lock_parts several = {0};

	if (kube_json_parse(self->lock_text, strlen(self->lock_text), &json, NULL) != 0)
		return 0;
	int rc = kube_json_decode(json, lock_table, &one, arena, NULL);
	if (rc == 0)
		rc = kube_json_decode(json, locks_table, &several, arena, NULL);
	if (rc != 0)
		return rc == KUBE_E_NOMEM ? meta_out_of_memory(err) : 0;
	self->locks.items = kube_arena_calloc(arena, MAX_LOCKS, sizeof(*self->locks.items));
	if (!self->locks.items)
		return meta_out_of_memory(err);
	add_lock(self, &one);
	for (size_t i = 0; i < several.count; i++)
		add_lock(self, &several.items[i]);
	return 0;
}

static int make(void *all, struct kube_object *object, struct kube_maker *maker, struct kube_err *err)
{
	const struct parts *parts = all;
	struct daemon_set *self = (struct daemon_set *)object;
	const char *text = kube_strmap_get(&parts->annotations, LOCK_ANNOTATION);

	if (!text)
		return 0;
	self->lock_text = kube_arena_strdup(maker->arena, text);
	return self->lock_text ? read_locks(self, maker->arena, err) : meta_out_of_memory(err);
}

static bool same(const struct kube_object *a, const struct kube_object *b)
{
	return same_object(a, b) &&
	       same_str(((const struct daemon_set *)a)->lock_text, ((const struct daemon_set *)b)->lock_text);
}

const struct kube_projection daemon_set_projection = {
    .resource = &kube_daemon_sets,
    .size = sizeof(struct daemon_set),
    .table = daemon_set_table,
    .parts_size = sizeof(struct parts),
    .make = make,
    .same = same,
};
