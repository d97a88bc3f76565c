#include <errno.h>
#include <kube/json.h>
#include <limits.h>
#include <string.h>

#define ESCAPED_NUL "\\u0000"
#define ESCAPED_REPLACEMENT "\\ufffd"

/* What has to be known of a text before cJSON sees it: its parser recurses, and its strings end at a NUL. */
struct scan {
	size_t depth, deepest;
	size_t raw_nul_at; /* SIZE_MAX: there is none */
	bool escaped_nul;
};

/* Returns the index of the quote that closes the string which opened before start, or len. */
static size_t scan_string(const char *text, size_t len, size_t start, struct scan *scan)
{
	static const bool stops[UCHAR_MAX + 1] = {['\0'] = true, ['"'] = true, ['\\'] = true};
	size_t i = start;

	for (;; i++) {
		while (i < len && !stops[(unsigned char)text[i]])
			i++;
		if (i >= len || text[i] == '"')
			return i;
		if (text[i] == '\\') {
			if (len - i >= strlen(ESCAPED_NUL) && memcmp(text + i, ESCAPED_NUL, strlen(ESCAPED_NUL)) == 0)
				scan->escaped_nul = true;
			i++; /* an escaped quote closes nothing */
		} else if (scan->raw_nul_at == SIZE_MAX) {
			scan->raw_nul_at = i;
		}
	}
}

static void scan_text(const char *text, size_t len, struct scan *scan)
{
	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '"': i = scan_string(text, len, i + 1, scan); break;
		case '{':
		case '[':
			if (++scan->depth > scan->deepest)
				scan->deepest = scan->depth;
			break;
		case '}':
		case ']':
			if (scan->depth > 0)
				scan->depth--;
			break;
		case '\0':
			if (scan->raw_nul_at == SIZE_MAX)
				scan->raw_nul_at = i;
			break;
		default: break;
		}
	}
}

/*
 * Anyone who may annotate an object may put \u0000 into it, which cJSON would take for the end of the string.
 * Refusing the document would let that one object stop a whole watch, so the character is replaced.
 */
static char *replace_escaped_nuls(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	for (size_t i = 0; i + strlen(ESCAPED_NUL) <= len; i++) {
		if (copy[i] != '\\')
			continue;
		if (memcmp(copy + i, ESCAPED_NUL, strlen(ESCAPED_NUL)) == 0)
			memcpy(copy + i, ESCAPED_REPLACEMENT, strlen(ESCAPED_REPLACEMENT));
		i++;
	}
	return copy;
}

static int parse(const char *text, size_t len, cJSON **ret_json, struct kube_err *err)
{
	const char *end = text;
	cJSON *json;

	errno = 0;
	json = cJSON_ParseWithLengthOpts(text, len, &end, false);
	if (!json && errno == ENOMEM) /* cJSON itself does not tell this from a bad document */
		return kube_fail(err, KUBE_E_NOMEM, "out of memory while parsing %zu bytes of JSON", len);
	if (!json)
		return kube_fail(err, KUBE_E_PARSE, "not valid JSON at byte %zu of %zu", (size_t)(end - text), len);
	size_t rest = (size_t)(end - text);
	while (rest < len && memchr(" \t\r\n", text[rest], 4))
		rest++;
	if (rest < len) {
		cJSON_Delete(json);
		return kube_fail(err, KUBE_E_PARSE, "not valid JSON: something follows the document at byte %zu of %zu", rest,
		                 len);
	}
	*ret_json = json;
	return 0;
}

int kube_json_parse(const char *text, size_t len, cJSON **ret_json, struct kube_err *err)
{
	struct scan scan = {.raw_nul_at = SIZE_MAX};
	_cleanup_free_ char *copy = NULL;

	if (len == 0)
		return kube_fail(err, KUBE_E_PARSE, "expected JSON, got nothing (byte 0 of 0)");
	scan_text(text, len, &scan);
	if (scan.raw_nul_at != SIZE_MAX)
		return kube_fail(err, KUBE_E_PARSE, "not valid JSON: a NUL at byte %zu of %zu", scan.raw_nul_at, len);
	if (scan.deepest > KUBE_JSON_MAX_DEPTH)
		return kube_fail(err, KUBE_E_LIMIT, "the JSON is nested %zu levels deep, more than %d", scan.deepest,
		                 KUBE_JSON_MAX_DEPTH);
	if (scan.escaped_nul) {
		copy = replace_escaped_nuls(text, len);
		if (!copy)
			return kube_fail(err, KUBE_E_NOMEM, "out of memory while parsing %zu bytes of JSON", len);
		text = copy;
	}
	return parse(text, len, ret_json, err);
}

static const cJSON *member(const cJSON *obj, const char *name, size_t len)
{
	const cJSON *child;

	if (!cJSON_IsObject(obj))
		return NULL;
	cJSON_ArrayForEach (child, obj) {
		if (strncmp(child->string, name, len) == 0 && child->string[len] == '\0')
			return child;
	}
	return NULL;
}

const cJSON *kube_json_get(const cJSON *obj, const char *path)
{
	const cJSON *at = obj;

	for (;;) {
		size_t len = strcspn(path, ".");
		at = member(at, path, len);
		if (!at || cJSON_IsNull(at))
			return NULL;
		if (path[len] == '\0')
			return at;
		path += len + 1;
	}
}

const char *kube_json_str(const cJSON *obj, const char *path)
{
	const cJSON *value = kube_json_get(obj, path);

	return cJSON_IsString(value) ? value->valuestring : NULL;
}
