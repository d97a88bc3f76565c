/*
 * JSON patches, RFC 6902 as evanphx/json-patch (v4) has it: `test` compares strings as they are written, and Go writes
 * <, >, &, U+2028 and U+2029 as \u escapes. So document and patch both have their texts held, as Go writes them and as
 * they were sent: "\u003c" is then six characters and no "<".
 */
#include "lib/sim/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- escapes ---- */

static const char *escape_of(const char *c, size_t *ret_len)
{
	static const struct {
		const char *sign, *escape;
	} signs[] = {{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}, {"\u2028", "\\u2028"}, {"\u2029", "\\u2029"}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(signs); i++) {
		*ret_len = strlen(signs[i].sign);
		if (strncmp(c, signs[i].sign, *ret_len) == 0)
			return signs[i].escape;
	}
	return NULL;
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || strchr("\"\\<>&\xe2", *text))
			return false;
	return true;
}

/* As Go prints it; none of these signs is ever outside a string. */
static void add_as_go(struct kube_buf *out, const char *text)
{
	size_t len;

	while (*text) {
		size_t plain = strcspn(text, "<>&\xe2");
		const char *escape = escape_of(text + plain, &len);
		kube_buf_add(out, text, plain);
		if (escape)
			kube_buf_adds(out, escape);
		else
			kube_buf_add(out, text + plain, len = text[plain] != '\0');
		text += plain + len;
	}
}

/* Each escape becomes the text that stands for it. */
static cJSON *parse_held(const char *text)
{
	_cleanup_buf_ struct kube_buf held = {0};

	kube_buf_init(&held, API_MAX_TEXT_BYTES);
	for (size_t plain; plain = strcspn(text, "\\"), text[plain]; text++) {
		kube_buf_add(&held, text, plain);
		text += plain + 1;
		if (!*text)
			return NULL;
		kube_buf_adds(&held, *text == '"' ? "\\\\\\\"" : *text == '\\' ? "\\\\\\\\" : "\\\\");
		if (*text != '"' && *text != '\\')
			kube_buf_add(&held, text, 1);
	}
	kube_buf_adds(&held, text);
	if (held.failed)
		api_must(NULL);
	return held.len ? api_parse_json(held.data, held.len) : NULL;
}

/* What stands between the quotes when Go writes this text; NULL: the text itself. */
static char *hold(const char *text)
{
	struct kube_buf out;

	if (is_plain(text))
		return NULL;
	_cleanup_json_ cJSON *json = cJSON_CreateString(text);
	_cleanup_free_ char *printed = api_must(cJSON_PrintUnformatted(json));
	kube_buf_init(&out, API_MAX_TEXT_BYTES);
	printed[strlen(printed) - 1] = '\0';
	add_as_go(&out, printed + 1);
	return api_must(kube_buf_take(&out));
}

static char *release(const char *held)
{
	_cleanup_buf_ struct kube_buf written = {0};

	if (!strchr(held, '\\'))
		return NULL;
	kube_buf_init(&written, API_MAX_TEXT_BYTES);
	kube_buf_addf(&written, "\"%s\"", held);
	_cleanup_json_ cJSON *json = api_must(cJSON_Parse(api_must(written.data)));
	return take(json->valuestring);
}

static void replace_text(char **text, char *(*change)(const char *text))
{
	char *changed = *text ? change(*text) : NULL;

	if (!changed)
		return;
	cJSON_free(*text);
	*text = changed;
}

/* Names and values, all the way down. */
static void change_texts(cJSON *json, char *(*change)(const char *text))
{
	cJSON *child;

	replace_text(&json->string, change);
	replace_text(&json->valuestring, change);
	cJSON_ArrayForEach (child, json)
		change_texts(child, change);
}

/* ---- pointers ---- */

/* The next segment of a JSON pointer, unescaped; advances *path. */
static bool next_segment(const char **path, char *out, size_t size)
{
	size_t len = 0;

	if (**path != '/')
		return false;
	for ((*path)++; **path && **path != '/' && len + 1 < size; (*path)++) {
		char c = **path;
		if (c == '~')
			c = *++(*path) == '1' ? '/' : '~';
		out[len++] = c;
	}
	out[len] = '\0';
	return true;
}

static cJSON *child_of(cJSON *parent, const char *name)
{
	if (cJSON_IsArray(parent))
		return *name >= '0' && *name <= '9' ? cJSON_GetArrayItem(parent, (int)strtol(name, NULL, 10)) : NULL;
	return cJSON_GetObjectItemCaseSensitive(parent, name);
}

/* The container of what the path names, and the last segment; NULL: there is none. */
static cJSON *find_parent(cJSON *document, const char *path, char *name, size_t size)
{
	cJSON *at = document;

	while (at && next_segment(&path, name, size)) {
		if (!*path)
			return cJSON_IsObject(at) || cJSON_IsArray(at) ? at : NULL;
		at = child_of(at, name);
	}
	return NULL;
}

/* ---- operations ---- */

/* cJSON_InsertItemInArray() of some releases refuses every place but the first. */
static void insert_value(cJSON *list, int at, cJSON *value)
{
	int behind = cJSON_GetArraySize(list) - at;

	cJSON_AddItemToArray(list, value);
	for (int i = 0; i < behind; i++)
		cJSON_AddItemToArray(list, cJSON_DetachItemFromArray(list, at));
}

static bool add_value(cJSON *parent, const char *name, const cJSON *value)
{
	if (!cJSON_IsArray(parent)) {
		api_set(parent, name, api_must(cJSON_Duplicate(value, true)));
		return true;
	}
	int size = cJSON_GetArraySize(parent), at = strcmp(name, "-") == 0 ? size : (int)strtol(name, NULL, 10);
	if (at < 0 || at > size)
		return false;
	insert_value(parent, at, api_must(cJSON_Duplicate(value, true)));
	return true;
}

/* In an object the member need not be there. */
static bool replace_value(cJSON *parent, const char *name, const cJSON *value)
{
	cJSON *child = child_of(parent, name);

	if (!cJSON_IsArray(parent))
		return add_value(parent, name, value);
	return child && cJSON_ReplaceItemViaPointer(parent, child, api_must(cJSON_Duplicate(value, true)));
}

static bool remove_value(cJSON *parent, const char *name)
{
	cJSON *child = child_of(parent, name);

	if (child)
		cJSON_Delete(cJSON_DetachItemViaPointer(parent, child));
	return child || cJSON_IsObject(parent);
}

static bool move_value(cJSON *document, const cJSON *operation, cJSON *parent, const char *name, bool stays)
{
	const char *from = kube_json_str(operation, "from");
	char old_name[256];
	cJSON *old_parent = from ? find_parent(document, from, old_name, sizeof(old_name)) : NULL;
	const cJSON *child = old_parent ? child_of(old_parent, old_name) : NULL;

	if (!child)
		return false;
	_cleanup_json_ cJSON *value = api_must(cJSON_Duplicate(child, true));
	return (stays || remove_value(old_parent, old_name)) && add_value(parent, name, value);
}

static bool apply_operation(cJSON *document, const cJSON *operation)
{
	const char *op = kube_json_str(operation, "op"), *path = kube_json_str(operation, "path");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(operation, "value");
	char name[256];
	cJSON *parent = op && path ? find_parent(document, path, name, sizeof(name)) : NULL;

	if (!parent)
		return false;
	if (strcmp(op, "test") == 0) { /* a test for null passes where there is nothing */
		const cJSON *child = child_of(parent, name);
		return child ? cJSON_Compare(child, value, true) : cJSON_IsNull(value);
	}
	if (strcmp(op, "add") == 0)
		return value && add_value(parent, name, value);
	if (strcmp(op, "replace") == 0)
		return value && replace_value(parent, name, value);
	if (strcmp(op, "remove") == 0)
		return remove_value(parent, name);
	return (strcmp(op, "move") == 0 || strcmp(op, "copy") == 0) &&
	       move_value(document, operation, parent, name, op[0] == 'c');
}

cJSON *api_apply_json_patch(const cJSON *document, const char *patch)
{
	_cleanup_json_ cJSON *operations = parse_held(patch), *held = NULL;
	const cJSON *operation;

	if (!cJSON_IsArray(operations))
		return NULL;
	held = cJSON_Duplicate(document, true);
	change_texts(held, hold);
	cJSON_ArrayForEach (operation, operations)
		if (!apply_operation(held, operation))
			return NULL;
	change_texts(held, release);
	return take(held);
}
