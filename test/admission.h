/* The objects of crds/admission.yaml, for tests that run in the root of the repository. */
#ifndef TEST_ADMISSION_H
#define TEST_ADMISSION_H

#include "controller/model/admission.h"
#include "lib/auth/yaml.h"

#include <kube/json.h>
#include <stdio.h>
#include <string.h>

/* kind: "ValidatingAdmissionPolicy", or with "Binding" behind it. The caller owns it. NULL: there is none. */
static inline cJSON *admission_installed(const char *kind, const char *name)
{
	static const char mark[] = "\n---\n";
	char text[65536];
	FILE *file = fopen("crds/admission.yaml", "r");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	if (file)
		fclose(file);
	text[len] = '\0';
	for (const char *at = text, *end; at; at = end ? end + strlen(mark) : NULL) {
		cJSON *json = NULL;
		end = strstr(at, mark);
		if (kube_yaml_parse(at, end ? (size_t)(end - at) : strlen(at), &json, NULL) != 0)
			return NULL;
		const char *its_kind = cJSON_GetStringValue(kube_json_get(json, "kind"));
		const char *its_name = cJSON_GetStringValue(kube_json_get(json, "metadata.name"));
		if (its_kind && its_name && !strcmp(its_kind, kind) && !strcmp(its_name, name))
			return json;
		cJSON_Delete(json);
	}
	return NULL;
}

#endif
