#include "controller/model/internal.h"
#include "controller/model/names.h"

#include <string.h>

/* Label and annotation keys hold dots, so they are no dotted path. */
static const char *pair(const cJSON *item, const char *map, const char *key)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(kube_json_get(item, map), key);
	return cJSON_IsString(value) ? value->valuestring : NULL;
}

const char *meta_label(const cJSON *item, const char *key)
{
	return pair(item, "metadata.labels", key);
}

const char *meta_annotation(const cJSON *item, const char *key)
{
	return pair(item, "metadata.annotations", key);
}

int meta_author(const cJSON *item, const char **ret_author, struct kube_arena *arena, struct kube_err *err)
{
	const char *author = meta_annotation(item, PW_ANNOTATION_AUTHOR);

	*ret_author = author && *author ? kube_arena_strdup(arena, author) : "";
	return *ret_author ? 0 : meta_out_of_memory(err);
}

bool meta_has_finalizer(const cJSON *item, const char *finalizer)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, kube_json_get(item, "metadata.finalizers"))
		if (cJSON_IsString(entry) && strcmp(entry->valuestring, finalizer) == 0)
			return true;
	return false;
}

const cJSON *meta_controller(const cJSON *item)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, kube_json_get(item, "metadata.ownerReferences"))
		if (cJSON_IsTrue(kube_json_get(entry, "controller")))
			return entry;
	return NULL;
}

const char *meta_str(const cJSON *obj, const char *path, struct kube_arena *arena)
{
	const char *text = kube_json_str(obj, path);
	return text && *text ? kube_arena_strdup(arena, text) : "";
}

int meta_out_of_memory(struct kube_err *err)
{
	return kube_fail(err, KUBE_E_NOMEM, "out of memory");
}

int meta_canonical(const cJSON *obj, const char *path, const char *absent, const char **ret_text,
                   struct kube_arena *arena, struct kube_err *err)
{
	const cJSON *value = kube_json_get(obj, path);

	if (!value) {
		*ret_text = absent;
		return 0;
	}
	_cleanup_free_ char *text = kube_json_canonical(value);
	const char *copy = kube_arena_strdup(arena, text);
	if (!copy)
		return meta_out_of_memory(err);
	*ret_text = copy;
	return 0;
}
