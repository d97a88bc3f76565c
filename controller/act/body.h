/*
 * Request bodies as cJSON trees, without a check after each line: as with plan_alloc(), a refused allocation ends the
 * process with a message, which is safe because all our state is on API objects.
 *
 * Strings that are NULL and times that are KUBE_TIME_NONE are left out. parent may be an array: then name is NULL.
 */
#ifndef ACT_BODY_H
#define ACT_BODY_H

#include <cjson/cJSON.h>
#include <kube/json.h>
#include <kube/resource.h>
#include <stdbool.h>
#include <stdint.h>

cJSON *body_new(void);       /* {} */
cJSON *body_new_array(void); /* [] */
cJSON *body_add(cJSON *parent, const char *name,
                cJSON *item); /* item changes hands; returns it; NULL ends the process */
cJSON *body_object(cJSON *parent, const char *name);
cJSON *body_array(cJSON *parent, const char *name);
void body_string(cJSON *parent, const char *name, const char *value);
void body_int(cJSON *parent, const char *name, int64_t value);
void body_bool(cJSON *parent, const char *name, bool value);
void body_null(cJSON *parent, const char *name);
void body_time(cJSON *parent, const char *name, int64_t ms);
void body_strings(cJSON *parent, const char *name, const struct kube_strlist *list); /* left out when empty */

/* {"apiVersion":…,"kind":…} of a resource. */
cJSON *body_of(const struct kube_resource *resource);
/* The controlling owner, without blocking its deletion. */
void body_owner(cJSON *metadata, const struct kube_resource *resource, const char *name, const char *uid);

/* One operation of a JSON patch; value changes hands, NULL: none (remove). */
void body_op(cJSON *patch, const char *op, const char *path, cJSON *value);
void body_op_string(cJSON *patch, const char *op, const char *path, const char *value);
/* The API server compares bytes (evanphx/json-patch), so the value is written as Go writes it: with < > & escaped. */
void body_test_string(cJSON *patch, const char *path, const char *value);
/* "/metadata/annotations/<key>" with '~' and '/' escaped (RFC 6901). Returns out. */
const char *body_annotation_path(const char *key, char *out, size_t size);
#define BODY_PATH_SIZE 320

/* Delete options that name the one object that is meant. */
cJSON *body_delete_options(const char *uid);

#endif
