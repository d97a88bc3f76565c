/*
 * Canonical JSON: members in order of their names, no blanks, texts and numbers as cJSON prints them. Written in one
 * go: statuses are compared in this form at every look.
 */
#include <kube/buf.h>
#include <kube/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((size_t)256 << 20)
#define FEW_MEMBERS 32
#define EXACT 1e15 /* whole numbers below are printed with all their digits */

static int add(struct kube_buf *out, const cJSON *json);

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

/* Members mostly come in order, or are few. */
static void sort(const cJSON **members, size_t count)
{
	if (count > FEW_MEMBERS) {
		qsort(members, count, sizeof(*members), compare_names);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		const cJSON *member = members[i];
		size_t at = i;
		for (; at > 0 && strcmp(members[at - 1]->string, member->string) > 0; at--)
			members[at] = members[at - 1];
		members[at] = member;
	}
}

static int add_escape(struct kube_buf *out, unsigned char c)
{
	static const char letters[] = {
	    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};

	if (c < sizeof(letters) && letters[c])
		return kube_buf_add(out, (const char[]){'\\', letters[c]}, 2);
	return kube_buf_addf(out, "\\u%04x", c);
}

static bool needs_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

static int add_escaped(struct kube_buf *out, const char *text)
{
	int rc = kube_buf_add(out, "\"", 1);

	while (rc == 0 && *text) {
		size_t plain = 0;
		while (text[plain] && !needs_escape((unsigned char)text[plain]))
			plain++;
		rc = kube_buf_add(out, text, plain);
		text += plain;
		if (rc == 0 && *text)
			rc = add_escape(out, (unsigned char)*text++);
	}
	return rc ? rc : kube_buf_add(out, "\"", 1);
}

static int add_text(struct kube_buf *out, const char *text)
{
	size_t len = 0;

	while (!needs_escape((unsigned char)text[len])) /* true for the NUL */
		len++;
	if (text[len])
		return add_escaped(out, text);
	char *room = kube_buf_extend(out, len + 2);
	if (!room)
		return out->failed;
	room[0] = '"';
	memcpy(room + 1, text, len);
	room[len + 1] = '"';
	return 0;
}

static int add_printed(struct kube_buf *out, const cJSON *json)
{
	_cleanup_free_ char *text = cJSON_PrintUnformatted(json);

	return text ? kube_buf_adds(out, text) : KUBE_E_NOMEM;
}

static int add_number(struct kube_buf *out, const cJSON *json)
{
	double value = json->valuedouble;
	char digits[24], *at = digits + sizeof(digits);

	if (!(fabs(value) < EXACT) || value != trunc(value) || (value == 0 && signbit(value)))
		return add_printed(out, json);
	uint64_t left = (uint64_t)fabs(value);
	do
		*--at = (char)('0' + left % 10);
	while (left /= 10);
	if (value < 0)
		*--at = '-';
	return kube_buf_add(out, at, (size_t)(digits + sizeof(digits) - at));
}

static int add_members(struct kube_buf *out, const cJSON **members, size_t count)
{
	int rc = kube_buf_add(out, "{", 1);

	sort(members, count);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = i ? kube_buf_add(out, ",", 1) : 0;
		rc = rc ? rc : add_text(out, members[i]->string);
		rc = rc ? rc : kube_buf_add(out, ":", 1);
		rc = rc ? rc : add(out, members[i]);
	}
	return rc ? rc : kube_buf_add(out, "}", 1);
}

static int add_object(struct kube_buf *out, const cJSON *json)
{
	size_t count = (size_t)cJSON_GetArraySize(json), next = 0;
	const cJSON *few[FEW_MEMBERS], *child;
	_cleanup_free_ const cJSON **many = count > FEW_MEMBERS ? calloc(count, sizeof(*many)) : NULL;
	const cJSON **members = count > FEW_MEMBERS ? many : few;

	if (!members)
		return KUBE_E_NOMEM;
	cJSON_ArrayForEach (child, json)
		members[next++] = child;
	return add_members(out, members, count);
}

static int add_array(struct kube_buf *out, const cJSON *json)
{
	const cJSON *child;
	int rc = kube_buf_add(out, "[", 1);

	cJSON_ArrayForEach (child, json) {
		rc = rc || child == json->child ? rc : kube_buf_add(out, ",", 1);
		rc = rc ? rc : add(out, child);
	}
	return rc ? rc : kube_buf_add(out, "]", 1);
}

static int add(struct kube_buf *out, const cJSON *json)
{
	if (cJSON_IsObject(json))
		return add_object(out, json);
	if (cJSON_IsArray(json))
		return add_array(out, json);
	if (cJSON_IsString(json))
		return add_text(out, json->valuestring);
	return cJSON_IsNumber(json) ? add_number(out, json) : add_printed(out, json);
}

char *kube_json_canonical(const cJSON *json)
{
	_cleanup_buf_ struct kube_buf out = {0};

	kube_buf_init(&out, MAX_BYTES);
	return json && add(&out, json) == 0 ? kube_buf_take(&out) : NULL;
}
