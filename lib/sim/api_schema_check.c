/* What a structural schema refuses, with the causes of the real server (k8s.io/kube-openapi pkg/validation). */
#include "lib/sim/api.h"

#include <kube/time.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

static const char *type_of(const cJSON *value)
{
	if (cJSON_IsString(value))
		return "string";
	if (cJSON_IsBool(value))
		return "boolean";
	if (cJSON_IsArray(value))
		return "array";
	if (cJSON_IsObject(value))
		return "object";
	if (cJSON_IsNumber(value))
		return value->valuedouble == floor(value->valuedouble) ? "integer" : "number";
	return "null";
}

static bool has_type(const cJSON *schema, const cJSON *value)
{
	const char *wanted = kube_json_str(schema, "type"), *is = type_of(value);

	if (cJSON_IsNull(value))
		return cJSON_IsTrue(api_member(schema, "nullable"));
	if (cJSON_IsTrue(api_member(schema, "x-kubernetes-int-or-string")))
		return strcmp(is, "integer") == 0 || strcmp(is, "string") == 0;
	return !wanted || strcmp(wanted, is) == 0 || (strcmp(wanted, "number") == 0 && strcmp(is, "integer") == 0);
}

static bool limit(const cJSON *schema, const char *name, double *ret_limit)
{
	const cJSON *number = api_member(schema, name);

	if (cJSON_IsNumber(number))
		*ret_limit = number->valuedouble;
	return cJSON_IsNumber(number);
}

static size_t characters_in(const char *text)
{
	size_t count = 0;
	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static bool matches(const char *pattern, const char *text)
{
	regex_t regex;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return true; /* beyond POSIX: it is left to the real server */
	bool found = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

static void check_string(const cJSON *schema, const char *text, const char *at, struct api_problems *problems)
{
	const char *pattern = kube_json_str(schema, "pattern"), *format = kube_json_str(schema, "format");
	double most = 0, least = 0;
	int64_t ms;

	/* The first that does not hold is the only one that is told. */
	if (limit(schema, "maxLength", &most) && characters_in(text) > (size_t)most)
		api_problem(problems, "FieldValueTooLong", at, "Too long: may not be more than %g bytes", most);
	else if (limit(schema, "minLength", &least) && characters_in(text) < (size_t)least)
		api_problem(problems, "FieldValueInvalid", at,
		            "Invalid value: \"%s\": %s in body should be at least %g chars long", text, at, least);
	else if (pattern && !matches(pattern, text))
		api_problem(problems, "FieldValueInvalid", at, "Invalid value: \"%s\": %s in body should match '%s'", text, at,
		            pattern);
	else if (format && strcmp(format, "date-time") == 0 && kube_time_parse(text, &ms, NULL) != 0)
		api_problem(problems, "FieldValueTypeInvalid", at,
		            "Invalid value: \"%s\": %s in body must be of type date-time: \"%s\"", text, at, text);
}

static void check_number(const cJSON *schema, double value, const char *at, struct api_problems *problems)
{
	double bound = 0;

	if (limit(schema, "minimum", &bound) && value < bound)
		api_problem(problems, "FieldValueInvalid", at,
		            "Invalid value: %g: %s in body should be greater than or equal to %g", value, at, bound);
	if (limit(schema, "maximum", &bound) && value > bound)
		api_problem(problems, "FieldValueInvalid", at,
		            "Invalid value: %g: %s in body should be less than or equal to %g", value, at, bound);
}

static void check_enum(const cJSON *schema, const cJSON *value, const char *at, struct api_problems *problems)
{
	const cJSON *words = api_member(schema, "enum"), *word;
	char all[256] = "";

	cJSON_ArrayForEach (word, words) {
		size_t len = strlen(all);
		if (cJSON_Compare(word, value, true))
			return;
		snprintf(all + len, sizeof(all) - len, "%s\"%s\"", len ? ", " : "", cJSON_GetStringValue(word));
	}
	if (words)
		api_problem(problems, "FieldValueNotSupported", at, "Unsupported value: \"%s\": supported values: %s",
		            cJSON_IsString(value) ? value->valuestring : "", all);
}

/* ---- lists ---- */

static bool same_keys(const cJSON *a, const cJSON *b, const cJSON *keys)
{
	const cJSON *key;

	if (!keys)
		return cJSON_Compare(a, b, true);
	cJSON_ArrayForEach (key, keys)
		if (!cJSON_Compare(api_member(a, cJSON_GetStringValue(key)), api_member(b, cJSON_GetStringValue(key)), true))
			return false;
	return true;
}

/* Lists that are sets or maps hold nothing twice. */
static void check_unique(const cJSON *schema, const cJSON *list, struct api_path *path, struct api_problems *problems)
{
	const char *type = kube_json_str(schema, "x-kubernetes-list-type");
	const cJSON *keys = api_member(schema, "x-kubernetes-list-map-keys"), *item, *earlier;
	int i = 0;

	if (!type || strcmp(type, "atomic") == 0)
		return;
	cJSON_ArrayForEach (item, list) {
		size_t len = api_path_add_index(path, i++);
		for (earlier = list->child; earlier != item; earlier = earlier->next)
			if (same_keys(earlier, item, keys)) {
				api_problem(problems, "FieldValueDuplicate", path->text, "Duplicate value");
				break;
			}
		api_path_cut(path, len);
	}
}

static void check_count(const cJSON *schema, const char *most, const char *least, int count, const char *at,
                        struct api_problems *problems)
{
	double bound = 0;

	if (limit(schema, most, &bound) && count > (int)bound)
		api_problem(problems, "FieldValueTooMany", at, "Too many: %d: must have at most %g items", count, bound);
	if (limit(schema, least, &bound) && count < (int)bound)
		api_problem(problems, "FieldValueInvalid", at, "Invalid value: %d: %s in body should have at least %g items",
		            count, at, bound);
}

static void check_list(const cJSON *schema, const cJSON *list, struct api_path *path, struct api_problems *problems)
{
	const cJSON *item;
	int i = 0;

	check_count(schema, "maxItems", "minItems", cJSON_GetArraySize(list), path->text, problems);
	check_unique(schema, list, path, problems);
	cJSON_ArrayForEach (item, list) {
		size_t len = api_path_add_index(path, i++);
		api_check_schema(api_member(schema, "items"), item, path, problems);
		api_path_cut(path, len);
	}
}

/* ---- objects ---- */

static void check_object(const cJSON *schema, const cJSON *object, struct api_path *path, struct api_problems *problems)
{
	const cJSON *member, *name;

	check_count(schema, "maxProperties", "minProperties", cJSON_GetArraySize(object), path->text, problems);
	cJSON_ArrayForEach (name, api_member(schema, "required")) {
		if (api_member(object, cJSON_GetStringValue(name)))
			continue;
		size_t len = api_path_add(path, cJSON_GetStringValue(name));
		api_problem(problems, "FieldValueRequired", path->text, "Required value");
		api_path_cut(path, len);
	}
	cJSON_ArrayForEach (member, object) {
		size_t len = api_path_add(path, member->string);
		api_check_schema(api_schema_of_member(schema, member->string), member, path, problems);
		api_path_cut(path, len);
	}
}

void api_check_schema(const cJSON *schema, const cJSON *value, struct api_path *path, struct api_problems *problems)
{
	if (!schema)
		return;
	if (!has_type(schema, value)) {
		const char *wanted = kube_json_str(schema, "type");
		api_problem(problems, "FieldValueTypeInvalid", path->text,
		            "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"", type_of(value), path->text,
		            wanted ? wanted : "integer,string", type_of(value));
		return;
	}
	check_enum(schema, value, path->text, problems);
	if (cJSON_IsString(value))
		check_string(schema, value->valuestring, path->text, problems);
	else if (cJSON_IsNumber(value))
		check_number(schema, value->valuedouble, path->text, problems);
	else if (cJSON_IsArray(value))
		check_list(schema, value, path, problems);
	else if (cJSON_IsObject(value))
		check_object(schema, value, path, problems);
}
