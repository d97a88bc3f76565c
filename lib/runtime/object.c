#include <kube/object.h>

#include "lib/runtime/draft.h"
#include "lib/runtime/pool.h"

#include <string.h>

/* Sharing */

const char *kube_share_text(struct kube_maker *maker, const char *text)
{
	const char *shared = text ? text : "";

	if (!maker->pool)
		return kube_arena_strdup(maker->arena, shared);
	if (!maker->measuring && !pool_text(maker->pool, shared, &shared))
		return NULL;
	return shared;
}

int kube_share_map(struct kube_maker *maker, const struct kube_strmap *map, struct kube_strmap *ret_map)
{
	struct kube_str_pair *pairs = map->items;

	if (!maker->pool)
		return kube_strmap_copy(map, maker->arena, ret_map);
	if (!maker->measuring && !pool_map(maker->pool, map, &pairs))
		return KUBE_E_NOMEM;
	*ret_map = (struct kube_strmap){.items = pairs, .count = map->count};
	return 0;
}

/* Objects that stand alone */

static int decode(const struct kube_projection *projection, const struct document *document,
                  struct kube_object **ret_object, struct kube_err *err)
{
	struct draft draft;

	draft_init(&draft, projection);
	int rc = draft_read(&draft, document, err);
	if (!rc)
		rc = draft_make(&draft, NULL, NULL, ret_object, err);
	draft_finish(&draft);
	return rc;
}

int kube_object_decode(const struct kube_projection *projection, const cJSON *item, struct kube_object **ret_object,
                       struct kube_err *err)
{
	struct document document = document_of_json(item);

	return decode(projection, &document, ret_object, err);
}

int kube_object_decode_proto(const struct kube_projection *projection, struct kube_proto item,
                             struct kube_object **ret_object, struct kube_err *err)
{
	struct document document = document_of_proto(item);

	return decode(projection, &document, ret_object, err);
}

/* References */

struct kube_object *kube_object_ref(struct kube_object *object)
{
	if (object)
		object->refs++;
	return object;
}

static void release_shared(struct kube_object *object)
{
	const struct kube_projection *projection = object->projection;
	struct kube_pool *pool = object->pool;
	const void *shared;

	for (size_t i = 0; projection && i < projection->shared_count; i++) {
		memcpy(&shared, (const char *)object + projection->shared[i], sizeof(shared));
		pool_release(pool, shared);
	}
	pool_release(pool, object->namespace_);
}

void kube_object_unref(struct kube_object *object)
{
	if (!object || --object->refs > 0)
		return;
	if (object->pool)
		release_shared(object);
	free(object);
}
