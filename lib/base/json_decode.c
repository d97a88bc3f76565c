#include "lib/base/decode.h"
#include <kube/json.h>
#include <kube/time.h>
#include <stdio.h>
#include <string.h>

/* RFC 8259 6: beyond it two different numbers become the same double. */
#define MAX_EXACT_INT ((double)((INT64_C(1) << 53) - 1))

static int decode_object(const struct decoder *decoder, const struct place *place, const cJSON *obj,
                         const struct kube_json_field *table, void *out);

static const char *type_name(const cJSON *value)
{
	if (cJSON_IsString(value))
		return "a string";
	if (cJSON_IsNumber(value))
		return "a number";
	if (cJSON_IsBool(value))
		return "a boolean";
	if (cJSON_IsObject(value))
		return "an object";
	return cJSON_IsArray(value) ? "a list" : "null";
}

static int wrong_type(const struct decoder *decoder, const struct place *place, const char *expected,
                      const cJSON *value)
{
	kube_fail(decoder->err, KUBE_E_PARSE, "expected %s, got %s", expected, type_name(value));
	return decode_at(decoder, place, KUBE_E_PARSE);
}

static int decode_string(const struct decoder *decoder, const struct place *place, const cJSON *value,
                         const char **ret_text)
{
	if (!cJSON_IsString(value))
		return wrong_type(decoder, place, "a string", value);
	const char *text = kube_arena_strdup(decoder->arena, value->valuestring);
	if (!text)
		return decode_no_memory(decoder, place);
	*ret_text = text;
	return 0;
}

static int decode_int(const struct decoder *decoder, const struct place *place, const cJSON *value, int64_t *ret_number)
{
	if (!cJSON_IsNumber(value))
		return wrong_type(decoder, place, "a whole number", value);
	double number = value->valuedouble;
	if (!(number >= -MAX_EXACT_INT && number <= MAX_EXACT_INT) || (double)(int64_t)number != number) {
		kube_fail(decoder->err, KUBE_E_PARSE, "expected a whole number within 2^53, got %.17g", number);
		return decode_at(decoder, place, KUBE_E_PARSE);
	}
	*ret_number = (int64_t)number;
	return 0;
}

static int decode_optional_int(const struct decoder *decoder, const struct place *place, const cJSON *value,
                               struct kube_optional_int *ret_number)
{
	int64_t number;
	int rc = decode_int(decoder, place, value, &number);

	if (!rc)
		*ret_number = (struct kube_optional_int){.set = true, .value = number};
	return rc;
}

/* A time or a duration: a string that parse() understands. */
static int decode_parsed(const struct decoder *decoder, const struct place *place, const cJSON *value,
                         const char *expected, int (*parse)(const char *, int64_t *, struct kube_err *),
                         int64_t *ret_ms)
{
	if (!cJSON_IsString(value))
		return wrong_type(decoder, place, expected, value);
	int rc = parse(value->valuestring, ret_ms, decoder->err);
	return rc ? decode_at(decoder, place, rc) : 0;
}

/* intstr.IntOrString: a number is an int32; a string must be a percentage (GetScaledValueFromIntOrPercent). */
static int decode_intstr(const struct decoder *decoder, const struct place *place, const cJSON *value,
                         struct kube_intstr *ret_intstr)
{
	static const char expected[] = "a whole number or a percentage such as \"10%\"";
	struct kube_intstr result = {.set = true};

	if (cJSON_IsNumber(value)) {
		double number = value->valuedouble;
		if (number >= INT32_MIN && number <= INT32_MAX && (double)(int64_t)number == number) {
			result.value = (int64_t)number;
			*ret_intstr = result;
			return 0;
		}
		kube_fail(decoder->err, KUBE_E_PARSE, "expected %s, got %.17g", expected, number);
		return decode_at(decoder, place, KUBE_E_PARSE);
	}
	if (!cJSON_IsString(value))
		return wrong_type(decoder, place, expected, value);
	const char *text = value->valuestring;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 9 || strcmp(text + digits, "%") != 0) {
		kube_fail(decoder->err, KUBE_E_PARSE, "expected %s, got \"%s\"", expected, text);
		return decode_at(decoder, place, KUBE_E_PARSE);
	}
	result.percent = true;
	for (size_t i = 0; i < digits; i++)
		result.value = result.value * 10 + (text[i] - '0');
	*ret_intstr = result;
	return 0;
}

/* Counts the children of a list or object, up to the limit, and gets memory for them. */
static int start_list(const struct decoder *decoder, const struct place *place, const cJSON *value, size_t item_size,
                      struct kube_list *ret_list)
{
	const cJSON *child;
	size_t count = 0;

	cJSON_ArrayForEach (child, value)
		count++;
	if (count > KUBE_JSON_MAX_LIST) {
		kube_fail(decoder->err, KUBE_E_LIMIT, "%zu entries, more than %d", count, KUBE_JSON_MAX_LIST);
		return decode_at(decoder, place, KUBE_E_LIMIT);
	}
	void *items = count ? kube_arena_calloc(decoder->arena, count, item_size) : NULL;
	if (count && !items)
		return decode_no_memory(decoder, place);
	*ret_list = (struct kube_list){.items = items, .count = count};
	return 0;
}

static int decode_strmap(const struct decoder *decoder, const struct place *place, const cJSON *value,
                         const struct kube_json_field *field, struct kube_strmap *ret_map)
{
	struct kube_list list;
	const cJSON *child;
	size_t count = 0;

	if (!cJSON_IsObject(value))
		return wrong_type(decoder, place, "an object of strings", value);
	int rc = start_list(decoder, place, value, sizeof(struct kube_str_pair), &list);
	if (rc)
		return rc;
	struct kube_str_pair *pairs = list.items;
	cJSON_ArrayForEach (child, value) {
		struct place here = {.parent = place, .key = child->string};
		if (cJSON_IsNull(child))
			continue;
		rc = decode_string(decoder, &here, child, &pairs[count].value);
		if (decode_overlooks(decoder, field, rc))
			continue;
		if (rc)
			return rc;
		pairs[count].key = kube_arena_strdup(decoder->arena, child->string);
		if (!pairs[count].key)
			return decode_no_memory(decoder, &here);
		count++;
	}
	*ret_map = (struct kube_strmap){.items = pairs, .count = count};
	return 0;
}

static int decode_strlist(const struct decoder *decoder, const struct place *place, const cJSON *value,
                          const struct kube_json_field *field, struct kube_strlist *ret_list)
{
	struct kube_list list;
	const cJSON *child;
	struct place here = {.parent = place};

	if (!cJSON_IsArray(value))
		return wrong_type(decoder, place, "a list of strings", value);
	int rc = start_list(decoder, place, value, sizeof(const char *), &list);
	if (rc)
		return rc;
	const char **items = list.items;
	cJSON_ArrayForEach (child, value) {
		rc = decode_string(decoder, &here, child, &items[here.index]);
		if (rc && !decode_overlooks(decoder, field, rc))
			return rc;
		here.index++;
	}
	*ret_list = (struct kube_strlist){.items = items, .count = list.count};
	return 0;
}

static int decode_list(const struct decoder *decoder, const struct place *place, const cJSON *value,
                       const struct kube_json_field *field, struct kube_list *ret_list)
{
	struct kube_list list;
	const cJSON *child;
	struct place here = {.parent = place, .depth = place->depth + 1};

	if (!cJSON_IsArray(value))
		return wrong_type(decoder, place, "a list", value);
	int rc = start_list(decoder, place, value, field->size, &list);
	if (rc)
		return rc;
	cJSON_ArrayForEach (child, value) {
		void *item = (char *)list.items + here.index * field->size;
		rc = decode_object(decoder, &here, child, field->table, item);
		if (decode_overlooks(decoder, field, rc))
			memset(item, 0, field->size);
		else if (rc)
			return rc;
		here.index++;
	}
	*ret_list = list;
	return 0;
}

static int decode_pointer(const struct decoder *decoder, const struct place *place, const cJSON *value,
                          const struct kube_json_field *field, void **ret_object)
{
	void *object = kube_arena_alloc(decoder->arena, field->size);

	if (!object)
		return decode_no_memory(decoder, place);
	int rc = decode_object(decoder, place, value, field->table, object);
	if (rc)
		return rc;
	*ret_object = object;
	return 0;
}

static int decode_enum(const struct decoder *decoder, const struct place *place, const cJSON *value,
                       const char *const *words, int *ret_index)
{
	if (!cJSON_IsString(value))
		return wrong_type(decoder, place, "a string", value);
	return decode_word(decoder, place, value->valuestring, words, ret_index);
}

static int decode_bool(const struct decoder *decoder, const struct place *place, const cJSON *value, bool *ret_bool)
{
	if (!cJSON_IsBool(value))
		return wrong_type(decoder, place, "true or false", value);
	*ret_bool = cJSON_IsTrue(value);
	return 0;
}

static int decode_custom(const struct decoder *decoder, const struct place *place, const cJSON *value,
                         const struct kube_json_field *field, void *out)
{
	int rc = field->decode(value, out, decoder->arena, decoder->err);

	return rc ? decode_at(decoder, place, rc) : 0;
}

/* Fields of the caller's own pointer, list and enum types are written by memcpy: they are no void * or int to C. */
static int decode_value(const struct decoder *decoder, const struct place *place, const cJSON *value,
                        const struct kube_json_field *field, void *out)
{
	union {
		void *pointer;
		struct kube_list list;
		int index;
	} result;
	int rc;

	switch (field->type) {
	case KUBE_JSON_STRING: return decode_string(decoder, place, value, out);
	case KUBE_JSON_BOOL: return decode_bool(decoder, place, value, out);
	case KUBE_JSON_INT: return decode_int(decoder, place, value, out);
	case KUBE_JSON_OPTIONAL_INT: return decode_optional_int(decoder, place, value, out);
	case KUBE_JSON_TIME: return decode_parsed(decoder, place, value, "a time (a string)", kube_time_parse, out);
	case KUBE_JSON_DURATION:
		return decode_parsed(decoder, place, value, "a duration such as \"15m\"", kube_duration_parse, out);
	case KUBE_JSON_INTSTR: return decode_intstr(decoder, place, value, out);
	case KUBE_JSON_STRMAP: return decode_strmap(decoder, place, value, field, out);
	case KUBE_JSON_STRLIST: return decode_strlist(decoder, place, value, field, out);
	case KUBE_JSON_OBJECT: return decode_object(decoder, place, value, field->table, out);
	case KUBE_JSON_POINTER:
		rc = decode_pointer(decoder, place, value, field, &result.pointer);
		if (!rc)
			memcpy(out, &result.pointer, sizeof(result.pointer));
		return rc;
	case KUBE_JSON_LIST:
		rc = decode_list(decoder, place, value, field, &result.list);
		if (!rc)
			memcpy(out, &result.list, sizeof(result.list));
		return rc;
	case KUBE_JSON_ENUM:
		rc = decode_enum(decoder, place, value, field->words, &result.index);
		if (!rc)
			memcpy(out, &result.index, sizeof(result.index));
		return rc;
	case KUBE_JSON_CUSTOM: return decode_custom(decoder, place, value, field, out);
	}
	return kube_fail(decoder->err, KUBE_E_INVALID, "the table names an unknown type for \"%s\"", field->name);
}

static int decode_object(const struct decoder *decoder, const struct place *place, const cJSON *obj,
                         const struct kube_json_field *table, void *out)
{
	if (!cJSON_IsObject(obj))
		return wrong_type(decoder, place, "an object", obj);
	if (place->depth > KUBE_JSON_MAX_DEPTH) {
		kube_fail(decoder->err, KUBE_E_LIMIT, "nested more than %d levels deep", KUBE_JSON_MAX_DEPTH);
		return decode_at(decoder, place, KUBE_E_LIMIT);
	}
	for (const struct kube_json_field *field = table; field->name; field++) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(obj, field->name);
		struct place here = {.parent = place, .name = field->name, .depth = place->depth + 1};
		if (value && !cJSON_IsNull(value)) {
			int rc = decode_value(decoder, &here, value, field, (char *)out + field->offset);
			if (rc && !decode_overlooks(decoder, field, rc))
				return rc;
		} else if (field->required) {
			kube_fail(decoder->err, KUBE_E_PARSE, "required, but absent");
			return decode_at(decoder, &here, KUBE_E_PARSE);
		}
	}
	return 0;
}

int kube_json_decode(const cJSON *obj, const struct kube_json_field *table, void *out, struct kube_arena *arena,
                     struct kube_err *err)
{
	const struct decoder decoder = {.arena = arena, .err = err};
	const struct place root = {.parent = NULL};

	return decode_object(&decoder, &root, obj, table, out);
}
