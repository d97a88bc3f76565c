/* Maps and lists of strings. */
#include <kube/json.h>
#include <string.h>

const char *kube_strmap_get(const struct kube_strmap *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct kube_str_pair *pair = &map->items[i];
		if (pair->key[0] == key[0] && strcmp(pair->key, key) == 0) /* most keys differ at once */
			return pair->value;
	}
	return NULL;
}

int kube_strmap_copy(const struct kube_strmap *map, struct kube_arena *arena, struct kube_strmap *ret_copy)
{
	struct kube_str_pair *pairs = map->count ? kube_arena_calloc(arena, map->count, sizeof(*pairs)) : NULL;

	if (map->count && !pairs)
		return KUBE_E_NOMEM;
	for (size_t i = 0; i < map->count; i++) {
		pairs[i].key = kube_arena_strdup(arena, map->items[i].key);
		pairs[i].value = kube_arena_strdup(arena, map->items[i].value);
		if (!pairs[i].key || !pairs[i].value)
			return KUBE_E_NOMEM;
	}
	*ret_copy = (struct kube_strmap){.items = pairs, .count = map->count};
	return 0;
}

int kube_strlist_copy(const struct kube_strlist *list, struct kube_arena *arena, struct kube_strlist *ret_copy)
{
	const char **items = list->count ? kube_arena_calloc(arena, list->count, sizeof(*items)) : NULL;

	if (list->count && !items)
		return KUBE_E_NOMEM;
	for (size_t i = 0; i < list->count; i++) {
		items[i] = kube_arena_strdup(arena, list->items[i]);
		if (!items[i])
			return KUBE_E_NOMEM;
	}
	*ret_copy = (struct kube_strlist){.items = items, .count = list->count};
	return 0;
}
