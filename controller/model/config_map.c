#include "controller/model/config_map.h"
#include "controller/model/channel.h"
#include "controller/model/internal.h"

/* k8s.io/api/core/v1/generated.proto ConfigMap */
struct parts {
	struct kube_strmap data;
};

static const struct kube_json_field config_map_table[] = {
    {.name = "data", .number = 2, .type = KUBE_JSON_STRMAP, .offset = offsetof(struct parts, data)},
    KUBE_JSON_END,
};

static const struct kube_json_field members[] = {
    {.name = "data", .type = KUBE_JSON_STRMAP, .offset = offsetof(struct config_map, data)},
    KUBE_JSON_END,
};

static int make(void *all, struct kube_object *self, struct kube_maker *maker, struct kube_err *err)
{
	const struct kube_strmap *data = &((const struct parts *)all)->data;
	struct config_map *config_map = (struct config_map *)self;
	struct kube_str_pair *pairs = kube_arena_calloc(maker->arena, data->count, sizeof(*pairs));

	if (!pairs)
		return meta_out_of_memory(err);
	for (size_t i = 0; i < data->count; i++) {
		pairs[i].key = kube_arena_strdup(maker->arena, data->items[i].key);
		pairs[i].value = kube_arena_strndup(maker->arena, data->items[i].value, CHANNEL_TEXT_BYTES + 1);
		if (!pairs[i].key || !pairs[i].value)
			return meta_out_of_memory(err);
	}
	config_map->data = (struct kube_strmap){.items = pairs, .count = data->count};
	return 0;
}

static bool same(const struct kube_object *a, const struct kube_object *b)
{
	return same_object(a, b) && same_fields(members, a, b);
}

const struct kube_projection config_map_projection = {
    .resource = &kube_config_maps,
    .size = sizeof(struct config_map),
    .table = config_map_table,
    .parts_size = sizeof(struct parts),
    .make = make,
    .same = same,
};
