/*
 * cJSON's builders for a server that has no answer for lack of memory: where they would leave something out they end
 * the process (api_must). What they are given as NULL stays out, as ever. Included by api.h, so that no file of the
 * server has the others.
 */
#ifndef LIB_SIM_MUST_H
#define LIB_SIM_MUST_H

#include <cjson/cJSON.h>
#include <kube/env.h>

/* Its argument; without one the process ends with a sentence. */
void *api_must(void *memory);
/* kube_timer_start(), likewise. */
void api_start(struct kube_env *env, struct kube_timer *timer, int64_t delay_ms, kube_timer_fn *fn, void *arg);

static inline cJSON *api_duplicate(const cJSON *item, cJSON_bool recurse)
{
	return item ? api_must(cJSON_Duplicate(item, recurse)) : NULL;
}

static inline cJSON *api_create_string(const char *text)
{
	return text ? api_must(cJSON_CreateString(text)) : NULL;
}

static inline cJSON *api_add_string(cJSON *object, const char *name, const char *text)
{
	return object && text ? api_must(cJSON_AddStringToObject(object, name, text)) : NULL;
}

static inline cJSON *api_add_number(cJSON *object, const char *name, double number)
{
	return object ? api_must(cJSON_AddNumberToObject(object, name, number)) : NULL;
}

static inline cJSON *api_add_true(cJSON *object, const char *name)
{
	return object ? api_must(cJSON_AddTrueToObject(object, name)) : NULL;
}

static inline cJSON *api_add_object(cJSON *object, const char *name)
{
	return object ? api_must(cJSON_AddObjectToObject(object, name)) : NULL;
}

static inline cJSON *api_add_array(cJSON *object, const char *name)
{
	return object ? api_must(cJSON_AddArrayToObject(object, name)) : NULL;
}

static inline cJSON_bool api_add_member(cJSON *object, const char *name, cJSON *item)
{
	return object && item && api_must(cJSON_AddItemToObject(object, name, item) ? item : NULL);
}

/* Some releases of cJSON leave the member without a name. */
static inline cJSON_bool api_replace_member(cJSON *object, const char *name, cJSON *item)
{
	return cJSON_GetObjectItemCaseSensitive(object, name) && item &&
	       api_must(cJSON_ReplaceItemInObjectCaseSensitive(object, name, item) ? item->string : NULL);
}

#define cJSON_CreateObject() api_must(cJSON_CreateObject())
#define cJSON_CreateArray() api_must(cJSON_CreateArray())
#define cJSON_CreateNumber(number) api_must(cJSON_CreateNumber(number))
#define cJSON_CreateString api_create_string
#define cJSON_Duplicate api_duplicate
#define cJSON_AddStringToObject api_add_string
#define cJSON_AddNumberToObject api_add_number
#define cJSON_AddTrueToObject api_add_true
#define cJSON_AddObjectToObject api_add_object
#define cJSON_AddArrayToObject api_add_array
#define cJSON_AddItemToObject api_add_member
#define cJSON_ReplaceItemInObjectCaseSensitive api_replace_member

#endif
