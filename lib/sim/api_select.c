/* Label and field selectors of queries, as far as they are used: "a=b,c!=d,e,!f". */
#include "lib/sim/api.h"

#include <stdio.h>
#include <string.h>

static const char *label_of(const cJSON *json, const char *name)
{
	const cJSON *labels = kube_json_get(json, "metadata.labels");
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(labels, name));
}

static const char *field_of(const cJSON *json, const char *path)
{
	const char *value = kube_json_str(json, path);
	return value ? value : ""; /* fields are always there */
}

static bool holds(const cJSON *json, char *term, bool labels)
{
	bool absent = term[0] == '!';
	char *name = term + absent, *equals = strchr(name, '=');
	bool differs = equals && equals > name && equals[-1] == '!';

	if (equals) {
		equals[differs ? -1 : 0] = '\0';
		equals += equals[1] == '=' ? 2 : 1;
	}
	const char *is = labels ? label_of(json, name) : field_of(json, name);
	if (!equals)
		return absent ? !is : is != NULL;
	return differs != (is && strcmp(is, equals) == 0);
}

static bool all_hold(const cJSON *json, const char *selector, bool labels)
{
	char copy[512], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", selector);
	for (char *term = strtok_r(copy, ",", &save); term; term = strtok_r(NULL, ",", &save))
		if (!holds(json, term, labels))
			return false;
	return true;
}

bool api_selected(const cJSON *json, const char *namespace_, const char *labels, const char *fields)
{
	if (*namespace_ && strcmp(field_of(json, "metadata.namespace"), namespace_) != 0)
		return false;
	return all_hold(json, labels, true) && all_hold(json, fields, false);
}
