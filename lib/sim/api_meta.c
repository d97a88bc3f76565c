/* What must hold of every object's metadata (apimachinery pkg/api/validation, pkg/util/validation). */
#include "lib/sim/api.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SUBDOMAIN 253
#define MAX_LABEL 63

static bool lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* "[a-z0-9]([-a-z0-9]*[a-z0-9])?" */
static bool is_dns_label(const char *text, size_t len)
{
	if (len == 0 || !lower_or_digit(text[0]) || !lower_or_digit(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!lower_or_digit(text[i]) && text[i] != '-')
			return false;
	return true;
}

static bool is_subdomain(const char *text, size_t len)
{
	if (len > MAX_SUBDOMAIN)
		return false;
	for (size_t part;; text += part + 1, len -= part + 1) {
		const char *dot = memchr(text, '.', len);
		part = dot ? (size_t)(dot - text) : len;
		if (!is_dns_label(text, part))
			return false;
		if (!dot)
			return true;
	}
}

/* "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]" */
static bool is_name_part(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > MAX_LABEL || !isalnum((unsigned char)text[0]) || !isalnum((unsigned char)text[len - 1]))
		return false;
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}

static bool is_qualified(const char *name)
{
	const char *slash = strchr(name, '/');
	return slash ? is_subdomain(name, (size_t)(slash - name)) && is_name_part(slash + 1) : is_name_part(name);
}

/* ---- members ---- */

static void check_name(const struct api_kind *kind, const char *name, struct api_problems *problems)
{
	size_t len = strlen(name);
	bool label = kind->about.resource == &kube_namespaces;
	bool good = label ? len <= MAX_LABEL && is_dns_label(name, len) : is_subdomain(name, len);

	if (!*name)
		api_problem(problems, "FieldValueRequired", "metadata.name",
		            "Required value: name or generateName is required");
	else if (!good)
		api_problem(
		    problems, "FieldValueInvalid", "metadata.name",
		    "Invalid value: \"%s\": a lowercase RFC 1123 %s must consist of lower case alphanumeric characters, "
		    "'-' or '.', and must start and end with an alphanumeric character",
		    name, label ? "label" : "subdomain");
}

static void check_labels(const cJSON *metadata, struct api_problems *problems)
{
	const cJSON *label;

	cJSON_ArrayForEach (label, cJSON_GetObjectItemCaseSensitive(metadata, "labels")) {
		const char *value = cJSON_GetStringValue(label);
		if (!is_qualified(label->string))
			api_problem(problems, "FieldValueInvalid", "metadata.labels", "Invalid value: \"%s\": no qualified name",
			            label->string);
		if (value && *value && !is_name_part(value))
			api_problem(problems, "FieldValueInvalid", "metadata.labels", "Invalid value: \"%s\": no label value",
			            value);
	}
	cJSON_ArrayForEach (label, cJSON_GetObjectItemCaseSensitive(metadata, "annotations"))
		if (!is_qualified(label->string))
			api_problem(problems, "FieldValueInvalid", "metadata.annotations",
			            "Invalid value: \"%s\": no qualified name", label->string);
}

static void check_owners(const cJSON *metadata, struct api_problems *problems)
{
	static const char *const needed[] = {"apiVersion", "kind", "name", "uid"};
	const cJSON *owner;
	char field[64];
	int controllers = 0;

	cJSON_ArrayForEach (owner, cJSON_GetObjectItemCaseSensitive(metadata, "ownerReferences")) {
		for (size_t i = 0; i < KUBE_ARRAY_LEN(needed); i++) {
			const char *text = kube_json_str(owner, needed[i]);
			snprintf(field, sizeof(field), "metadata.ownerReferences.%s", needed[i]);
			if (!text || !*text)
				api_problem(problems, "FieldValueInvalid", field, "Invalid value: \"\": must not be empty");
		}
		controllers += cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(owner, "controller"));
	}
	if (controllers > 1)
		api_problem(problems, "FieldValueInvalid", "metadata.ownerReferences",
		            "Invalid value: Only one reference can have Controller set to true");
}

void api_check_meta(const struct api_kind *kind, const cJSON *json, struct api_problems *problems)
{
	const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	const char *name = kube_json_str(metadata, "name");

	check_name(kind, name ? name : "", problems);
	check_labels(metadata, problems);
	check_owners(metadata, problems);
}

/* ---- changes ---- */

static bool has_text(const cJSON *list, const char *text)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, list)
		if (cJSON_GetStringValue(item) && strcmp(cJSON_GetStringValue(item), text) == 0)
			return true;
	return false;
}

static void check_finalizers(const cJSON *was, const cJSON *is, struct api_problems *problems)
{
	const cJSON *item;

	if (!cJSON_GetObjectItemCaseSensitive(was, "deletionTimestamp"))
		return;
	cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(is, "finalizers"))
		if (!has_text(cJSON_GetObjectItemCaseSensitive(was, "finalizers"), cJSON_GetStringValue(item)))
			api_problem(problems, "FieldValueForbidden", "metadata.finalizers",
			            "Forbidden: no new finalizers can be added if the object is being deleted, found new "
			            "finalizers []string{\"%s\"}",
			            cJSON_GetStringValue(item));
}

void api_check_meta_change(const cJSON *old, const cJSON *next, struct api_problems *problems)
{
	static const char *const fixed[] = {"uid", "deletionTimestamp", "deletionGracePeriodSeconds"};
	const cJSON *was = cJSON_GetObjectItemCaseSensitive(old, "metadata");
	const cJSON *is = cJSON_GetObjectItemCaseSensitive(next, "metadata");
	char field[64];

	for (size_t i = 0; i < KUBE_ARRAY_LEN(fixed); i++) {
		const cJSON *a = cJSON_GetObjectItemCaseSensitive(was, fixed[i]);
		const cJSON *b = cJSON_GetObjectItemCaseSensitive(is, fixed[i]);
		snprintf(field, sizeof(field), "metadata.%s", fixed[i]);
		if (b && !cJSON_IsNull(b) && !cJSON_Compare(a, b, true))
			api_problem(problems, "FieldValueInvalid", field, "Invalid value: field is immutable");
	}
	check_finalizers(was, is, problems);
}

/* ---- unknown members ---- */

void api_prune_meta(cJSON *json, struct api_unknown *unknown)
{
	static const char *const known[] = {
	    "name",        "generateName",      "namespace",         "uid",    "resourceVersion",
	    "generation",  "creationTimestamp", "deletionTimestamp", "labels", "deletionGracePeriodSeconds",
	    "annotations", "ownerReferences",   "finalizers",
	};
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata"), *member, *next;

	for (member = metadata ? metadata->child : NULL; member; member = next) {
		bool is_known = false,
		     ignored = strcmp(member->string, "managedFields") == 0 || strcmp(member->string, "selfLink") == 0;
		next = member->next;
		for (size_t i = 0; i < KUBE_ARRAY_LEN(known) && !is_known; i++)
			is_known = strcmp(known[i], member->string) == 0;
		if (is_known && !cJSON_IsNull(member))
			continue;
		if (!is_known && !ignored)
			api_note_unknown(unknown, "metadata", member->string);
		cJSON_Delete(cJSON_DetachItemViaPointer(metadata, member));
	}
}
