#include "controller/model/put.h"
#include "controller/model/text.h"

#include <kube/time.h>
#include <string.h>

bool put_str(cJSON *obj, const char *key, const char *text)
{
	return cJSON_AddStringToObject(obj, key, text ? text : "") != NULL;
}

static cJSON *cut_string(const char *text, size_t max_bytes)
{
	size_t len = text_cut(text, max_bytes);

	if (!text || text[len] == '\0')
		return cJSON_CreateString(text ? text : "");
	_cleanup_free_ char *copy = strndup(text, len);
	return copy ? cJSON_CreateString(copy) : NULL;
}

bool put_text(cJSON *obj, const char *key, const char *text, size_t max_bytes)
{
	return put_item(obj, key, cut_string(text, max_bytes));
}

bool put_str_if(cJSON *obj, const char *key, const char *text, size_t max_bytes)
{
	return !text || !*text || max_bytes == 0 || put_text(obj, key, text, max_bytes);
}

bool put_int(cJSON *obj, const char *key, int64_t value)
{
	return cJSON_AddNumberToObject(obj, key, (double)value) != NULL;
}

bool put_bool(cJSON *obj, const char *key, bool value)
{
	return cJSON_AddBoolToObject(obj, key, value) != NULL;
}

bool put_time(cJSON *obj, const char *key, int64_t ms)
{
	char text[KUBE_TIME_TEXT_SIZE];
	return ms == KUBE_TIME_NONE || put_str(obj, key, kube_time_format(ms, text));
}

bool put_strlist(cJSON *obj, const char *key, const struct kube_strlist *list, size_t max_count, size_t max_bytes)
{
	cJSON *items = cJSON_AddArrayToObject(obj, key);
	bool ok = items != NULL;

	for (size_t i = 0; ok && i < list->count && i < max_count; i++)
		ok = put_entry(items, cut_string(list->items[i], max_bytes));
	return ok;
}

bool put_item(cJSON *obj, const char *key, cJSON *item)
{
	if (item && cJSON_AddItemToObject(obj, key, item))
		return true;
	cJSON_Delete(item);
	return false;
}

bool put_entry(cJSON *list, cJSON *item)
{
	if (item && cJSON_AddItemToArray(list, item))
		return true;
	cJSON_Delete(item);
	return false;
}

bool put_list_if(cJSON *obj, const char *key, size_t count, cJSON **ret_list)
{
	*ret_list = count ? cJSON_AddArrayToObject(obj, key) : NULL;
	return *ret_list || count == 0;
}
