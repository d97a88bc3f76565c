/* Reading of kubeconfig files, and look-up by name across several. */
#include "lib/auth/kubeconfig.h"

#include "lib/auth/file.h"
#include "lib/auth/yaml.h"

#include <kube/json.h>
#include <string.h>

#define MAX_LISTED_BYTES 200 /* names in one message */

enum entry_kind { CONTEXT, CLUSTER, USER };
static const char *const kind_names[] = {"context", "cluster", "user"};

void kubeconfig_finish(struct kubeconfig *config)
{
	kube_arena_finish(&config->arena);
}

static size_t entry_count(const struct kubeconfig_file *file, enum entry_kind kind)
{
	switch (kind) {
	case CONTEXT: return file->contexts.count;
	case CLUSTER: return file->clusters.count;
	case USER: return file->users.count;
	}
	return 0;
}

static const char *entry_name(const struct kubeconfig_file *file, enum entry_kind kind, size_t i)
{
	switch (kind) {
	case CONTEXT: return file->contexts.items[i].name;
	case CLUSTER: return file->clusters.items[i].name;
	case USER: return file->users.items[i].name;
	}
	return "";
}

/* client-go refuses a name that occurs twice in one file; across files the first one wins. */
static int check_names(const struct kubeconfig_file *file, enum entry_kind kind, struct kube_err *err)
{
	size_t count = entry_count(file, kind);
	if (count > KUBECONFIG_MAX_ENTRIES)
		return kube_fail(err, KUBE_E_LIMIT, "more than %d %ss", KUBECONFIG_MAX_ENTRIES, kind_names[kind]);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(entry_name(file, kind, i), entry_name(file, kind, k)) == 0)
				return kube_fail(err, KUBE_E_INVALID, "the %s \"%s\" occurs twice", kind_names[kind],
				                 entry_name(file, kind, i));
	return 0;
}

static int check_file(const struct kubeconfig_file *file, struct kube_err *err)
{
	if (file->kind && strcmp(file->kind, "Config") != 0)
		return kube_fail(err, KUBE_E_INVALID, "it is a %s, not a kubeconfig (kind: Config)", file->kind);
	if (file->api_version && strcmp(file->api_version, "v1") != 0)
		return kube_fail(err, KUBE_E_INVALID, "apiVersion %s is unknown, expected v1", file->api_version);
	int rc = check_names(file, CONTEXT, err);
	if (rc == 0)
		rc = check_names(file, CLUSTER, err);
	if (rc == 0)
		rc = check_names(file, USER, err);
	return rc;
}

static int decode_text(struct kubeconfig *config, const struct kube_buf *text, struct kubeconfig_file *file,
                       struct kube_err *err)
{
	_cleanup_json_ cJSON *json = NULL;
	int rc = kube_yaml_parse(text->data ? text->data : "", text->len, &json, err);
	if (rc != 0 || cJSON_IsNull(json)) /* an empty file is an empty kubeconfig */
		return rc;
	if (!cJSON_IsObject(json))
		return kube_fail(err, KUBE_E_PARSE, "it is not a mapping and so not a kubeconfig");
	rc = kubeconfig_decode(json, file, &config->arena, err);
	return rc == 0 ? check_file(file, err) : rc;
}

int kubeconfig_add(struct kubeconfig *config, const char *path, struct kube_err *err)
{
	if (config->count == KUBECONFIG_MAX_FILES)
		return kube_fail(err, KUBE_E_LIMIT, "more than %d kubeconfig files are named", KUBECONFIG_MAX_FILES);
	_cleanup_secret_buf_ struct kube_buf text = {0};
	kube_buf_init(&text, KUBE_FILE_MAX_KUBECONFIG);
	int rc = kube_file_read("kubeconfig", path, &text, err);
	if (rc != 0)
		return rc;
	struct kubeconfig_file file = {.path = kube_arena_strdup(&config->arena, path)};
	if (!file.path)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the kubeconfig %s", path);
	rc = decode_text(config, &text, &file, err);
	if (rc != 0)
		return kube_err_prefix(err, "the kubeconfig %s is not valid", path);
	config->files[config->count++] = file;
	return 0;
}

const char *kubeconfig_origin(struct kubeconfig *config)
{
	const char *origin = "";
	for (size_t i = 0; origin && i < config->count; i++)
		origin = kube_arena_printf(&config->arena, "%s%s%s", origin, i ? ", " : "", config->files[i].path);
	return origin;
}

bool kubeconfig_empty(const struct kubeconfig *config)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct kubeconfig_file *file = &config->files[i];
		if (file->clusters.count || file->users.count || file->contexts.count ||
		    (file->current_context && *file->current_context))
			return false;
	}
	return true;
}

const char *kubeconfig_current_context(const struct kubeconfig *config)
{
	for (size_t i = 0; i < config->count; i++)
		if (config->files[i].current_context && *config->files[i].current_context)
			return config->files[i].current_context;
	return "";
}

/* "the contexts are: a, b" */
static const char *list_names(struct kubeconfig *config, enum entry_kind kind)
{
	const char *names = "";
	size_t seen = 0;
	for (size_t f = 0; f < config->count; f++) {
		const struct kubeconfig_file *file = &config->files[f];
		for (size_t i = 0; names && i < entry_count(file, kind) && strlen(names) < MAX_LISTED_BYTES; i++)
			names = kube_arena_printf(&config->arena, "%s%s%s", names, seen++ ? ", " : "", entry_name(file, kind, i));
	}
	if (!names)
		return NULL;
	if (seen == 0)
		return kube_arena_printf(&config->arena, "there are no %ss", kind_names[kind]);
	return kube_arena_printf(&config->arena, "the %ss are: %s%s", kind_names[kind], names,
	                         strlen(names) < MAX_LISTED_BYTES ? "" : ", …");
}

const char *kubeconfig_list_contexts(struct kubeconfig *config)
{
	return list_names(config, CONTEXT);
}

static int find(struct kubeconfig *config, enum entry_kind kind, const char *name, size_t *ret_file, size_t *ret_index,
                struct kube_err *err)
{
	for (size_t f = 0; f < config->count; f++)
		for (size_t i = 0; i < entry_count(&config->files[f], kind); i++)
			if (strcmp(entry_name(&config->files[f], kind, i), name) == 0) {
				*ret_file = f;
				*ret_index = i;
				return 0;
			}
	const char *list = list_names(config, kind), *origin = kubeconfig_origin(config);
	if (!list || !origin)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the kubeconfig");
	return kube_fail(err, KUBE_E_NOTFOUND, "the kubeconfig %s has no %s \"%s\": %s", origin, kind_names[kind], name,
	                 list);
}

int kubeconfig_find_context(struct kubeconfig *config, const char *name, const struct kubeconfig_context **ret_context,
                            struct kube_err *err)
{
	size_t f, i;
	int rc = find(config, CONTEXT, name, &f, &i, err);
	if (rc == 0)
		*ret_context = &config->files[f].contexts.items[i];
	return rc;
}

int kubeconfig_find_cluster(struct kubeconfig *config, const char *name, const struct kubeconfig_cluster **ret_cluster,
                            const struct kubeconfig_file **ret_file, struct kube_err *err)
{
	size_t f, i;
	int rc = find(config, CLUSTER, name, &f, &i, err);
	if (rc == 0) {
		*ret_cluster = &config->files[f].clusters.items[i];
		*ret_file = &config->files[f];
	}
	return rc;
}

int kubeconfig_find_user(struct kubeconfig *config, const char *name, const struct kubeconfig_user **ret_user,
                         const struct kubeconfig_file **ret_file, struct kube_err *err)
{
	size_t f, i;
	int rc = find(config, USER, name, &f, &i, err);
	if (rc == 0) {
		*ret_user = &config->files[f].users.items[i];
		*ret_file = &config->files[f];
	}
	return rc;
}
