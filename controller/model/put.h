/* Adding members to a cJSON object. Each returns false when out of memory, so that they can be joined with &&. */
#ifndef MODEL_PUT_H
#define MODEL_PUT_H

#include <cjson/cJSON.h>
#include <kube/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool put_str(cJSON *obj, const char *key, const char *text);                      /* NULL is written as "" */
bool put_str_if(cJSON *obj, const char *key, const char *text, size_t max_bytes); /* nothing for NULL, "" and 0 bytes */
bool put_text(cJSON *obj, const char *key, const char *text, size_t max_bytes);   /* cut between characters */
bool put_int(cJSON *obj, const char *key, int64_t value);                         /* within 2^53 */
bool put_bool(cJSON *obj, const char *key, bool value);
bool put_time(cJSON *obj, const char *key, int64_t ms); /* metav1.Time; nothing for KUBE_TIME_NONE */
bool put_strlist(cJSON *obj, const char *key, const struct kube_strlist *list, size_t max_count, size_t max_bytes);
/* Takes item over, also when it fails; item NULL is a failure. */
bool put_item(cJSON *obj, const char *key, cJSON *item);
bool put_entry(cJSON *list, cJSON *item);
/* A list that is absent when it has no items: then *ret_list is NULL. */
bool put_list_if(cJSON *obj, const char *key, size_t count, cJSON **ret_list);

#endif
