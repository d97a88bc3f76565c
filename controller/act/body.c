#include "controller/act/body.h"
#include <kube/buf.h>
#include <kube/json.h>
#include <kube/mem.h>
#include <kube/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(void)
{
	fputs("patchwright-controller: out of memory for a request; it ends and is started again\n", stderr);
	abort();
}

cJSON *body_add(cJSON *parent, const char *name, cJSON *item)
{
	bool added = item && (name ? cJSON_AddItemToObject(parent, name, item) : cJSON_AddItemToArray(parent, item));
	if (!added)
		out_of_memory();
	return item;
}

static cJSON *must(cJSON *item)
{
	if (!item)
		out_of_memory();
	return item;
}

cJSON *body_new(void)
{
	return must(cJSON_CreateObject());
}

cJSON *body_new_array(void)
{
	return must(cJSON_CreateArray());
}

cJSON *body_object(cJSON *parent, const char *name)
{
	return body_add(parent, name, cJSON_CreateObject());
}

cJSON *body_array(cJSON *parent, const char *name)
{
	return body_add(parent, name, cJSON_CreateArray());
}

void body_string(cJSON *parent, const char *name, const char *value)
{
	if (value)
		body_add(parent, name, cJSON_CreateString(value));
}

void body_int(cJSON *parent, const char *name, int64_t value)
{
	body_add(parent, name, cJSON_CreateNumber((double)value));
}

void body_bool(cJSON *parent, const char *name, bool value)
{
	body_add(parent, name, cJSON_CreateBool(value));
}

void body_null(cJSON *parent, const char *name)
{
	body_add(parent, name, cJSON_CreateNull());
}

void body_time(cJSON *parent, const char *name, int64_t ms)
{
	char text[KUBE_TIME_TEXT_SIZE];
	if (ms != KUBE_TIME_NONE)
		body_string(parent, name, kube_time_format(ms, text));
}

void body_strings(cJSON *parent, const char *name, const struct kube_strlist *list)
{
	if (list->count == 0)
		return;
	cJSON *array = body_array(parent, name);
	for (size_t i = 0; i < list->count; i++)
		body_string(array, NULL, list->items[i]);
}

static void api_version(cJSON *object, const struct kube_resource *resource)
{
	_cleanup_buf_ struct kube_buf text = {0};
	kube_buf_init(&text, 256);
	if (kube_resource_api_version(&text, resource) < 0)
		out_of_memory();
	body_string(object, "apiVersion", text.data);
}

cJSON *body_of(const struct kube_resource *resource)
{
	cJSON *object = body_new();
	api_version(object, resource);
	body_string(object, "kind", resource->kind);
	return object;
}

void body_owner(cJSON *metadata, const struct kube_resource *resource, const char *name, const char *uid)
{
	cJSON *owner = body_object(body_array(metadata, "ownerReferences"), NULL);
	api_version(owner, resource);
	body_string(owner, "kind", resource->kind);
	body_string(owner, "name", name);
	body_string(owner, "uid", uid);
	body_bool(owner, "controller", true);
	body_bool(owner, "blockOwnerDeletion", false);
}

void body_op(cJSON *patch, const char *op, const char *path, cJSON *value)
{
	cJSON *operation = body_object(patch, NULL);
	body_string(operation, "op", op);
	body_string(operation, "path", path);
	if (value)
		body_add(operation, "value", value);
}

void body_op_string(cJSON *patch, const char *op, const char *path, const char *value)
{
	body_op(patch, op, path, must(cJSON_CreateString(value)));
}

/* How many bytes at `at` Go's encoder (encoding/json) escapes because HTML or JavaScript might misread them; 0: none.
 */
static size_t escaped_by_go(const char *at, const char **ret_escape)
{
	static const struct {
		const char *text, *escape;
	} escapes[] = {
	    {"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}, {"\xe2\x80\xa8", "\\u2028"}, {"\xe2\x80\xa9", "\\u2029"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(escapes); i++)
		if (strncmp(at, escapes[i].text, strlen(escapes[i].text)) == 0) {
			*ret_escape = escapes[i].escape;
			return strlen(escapes[i].text);
		}
	return 0;
}

void body_test_string(cJSON *patch, const char *path, const char *value)
{
	_cleanup_json_ cJSON *string = must(cJSON_CreateString(value));
	_cleanup_free_ char *text = cJSON_PrintUnformatted(string);
	_cleanup_buf_ struct kube_buf buf = {0};
	const char *escape;

	if (!text)
		out_of_memory();
	kube_buf_init(&buf, 6 * strlen(text) + 1);
	for (const char *at = text; *at;) {
		size_t len = escaped_by_go(at, &escape);
		int rc = len ? kube_buf_adds(&buf, escape) : kube_buf_add(&buf, at, 1);
		if (rc < 0)
			out_of_memory();
		at += len ? len : 1;
	}
	body_op(patch, "test", path, must(cJSON_CreateRaw(buf.data)));
}

const char *body_annotation_path(const char *key, char *out, size_t size)
{
	size_t len = (size_t)snprintf(out, size, "/metadata/annotations/");
	for (; *key && len + 3 < size; key++) {
		if (*key == '~' || *key == '/') {
			out[len++] = '~';
			out[len++] = *key == '~' ? '0' : '1';
		} else {
			out[len++] = *key;
		}
	}
	out[len] = '\0';
	return out;
}

cJSON *body_delete_options(const char *uid)
{
	cJSON *options = body_new();
	body_string(options, "apiVersion", "v1");
	body_string(options, "kind", "DeleteOptions");
	body_string(body_object(options, "preconditions"), "uid", uid);
	body_string(options, "propagationPolicy", "Background");
	return options;
}
