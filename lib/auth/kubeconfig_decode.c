/* From JSON to the structs of kubeconfig files (client-go: tools/clientcmd/api/v1). */
#include "lib/auth/kubeconfig.h"

#include <string.h>

#define EXEC_EXTENSION "client.authentication.k8s.io/exec" /* its contents go to exec plugins */

/* For members whose mere presence matters. */
static int decode_presence(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	(void)value;
	(void)arena;
	(void)err;
	*(bool *)field = true;
	return 0;
}

#define STRING_AT(owner, member, json_name) \
	{ \
		.name = (json_name), .type = KUBE_JSON_STRING, .offset = offsetof(owner, member) \
	}
/* A cluster's extensions: a list of {name, extension}; all but one are other programs'. */
static int decode_extensions(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	const cJSON *item;
	cJSON_ArrayForEach (item, value) {
		const char *name = kube_json_str(item, "name");
		const cJSON *extension = kube_json_get(item, "extension");
		if (!name || !extension || strcmp(name, EXEC_EXTENSION) != 0)
			continue;
		char *text = cJSON_PrintUnformatted(extension);
		*(const char **)field = text ? kube_arena_strdup(arena, text) : NULL;
		free(text);
		if (!*(const char **)field)
			return kube_fail(err, KUBE_E_NOMEM, "out of memory for an extension");
	}
	return 0;
}

/* A map of lists. */
static int decode_extra(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err)
{
	struct kubeconfig_user *user =
	    (struct kubeconfig_user *)((char *)field - offsetof(struct kubeconfig_user, as_extra));
	const cJSON *member;
	size_t count = (size_t)cJSON_GetArraySize(value);
	if (!cJSON_IsObject(value))
		return kube_fail(err, KUBE_E_PARSE, "expected a map of lists of strings");
	user->as_extra.items = kube_arena_calloc(arena, count + 1, sizeof(*user->as_extra.items));
	if (!user->as_extra.items)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for as-user-extra");
	cJSON_ArrayForEach (member, value) {
		struct kubeconfig_extra *extra = &user->as_extra.items[user->as_extra.count++];
		const struct kube_json_field fields[] = {
		    {.name = member->string, .type = KUBE_JSON_STRLIST, .offset = offsetof(struct kubeconfig_extra, values)},
		    KUBE_JSON_END,
		};
		extra->key = kube_arena_strdup(arena, member->string);
		if (!extra->key)
			return kube_fail(err, KUBE_E_NOMEM, "out of memory for as-user-extra");
		int rc = kube_json_decode(value, fields, extra, arena, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static const struct kube_json_field variable_fields[] = {
    STRING_AT(struct kubeconfig_variable, name, "name"),
    STRING_AT(struct kubeconfig_variable, value, "value"),
    KUBE_JSON_END,
};

static const char *const interactive_words[] = {"", "Never", "IfAvailable", "Always", NULL};

static const struct kube_json_field exec_fields[] = {
    STRING_AT(struct kubeconfig_exec, api_version, "apiVersion"),
    STRING_AT(struct kubeconfig_exec, command, "command"),
    STRING_AT(struct kubeconfig_exec, install_hint, "installHint"),
    {.name = "args", .type = KUBE_JSON_STRLIST, .offset = offsetof(struct kubeconfig_exec, args)},
    {.name = "env",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct kubeconfig_exec, env),
     .table = variable_fields,
     .size = sizeof(struct kubeconfig_variable)},
    {.name = "provideClusterInfo",
     .type = KUBE_JSON_BOOL,
     .offset = offsetof(struct kubeconfig_exec, provide_cluster_info)},
    {.name = "interactiveMode",
     .type = KUBE_JSON_ENUM,
     .offset = offsetof(struct kubeconfig_exec, interactive_mode),
     .words = interactive_words},
    KUBE_JSON_END,
};

static const struct kube_json_field cluster_fields[] = {
    STRING_AT(struct kubeconfig_cluster, server, "server"),
    STRING_AT(struct kubeconfig_cluster, ca_file, "certificate-authority"),
    STRING_AT(struct kubeconfig_cluster, ca_data, "certificate-authority-data"),
    STRING_AT(struct kubeconfig_cluster, tls_server_name, "tls-server-name"),
    STRING_AT(struct kubeconfig_cluster, proxy_url, "proxy-url"),
    {.name = "insecure-skip-tls-verify",
     .type = KUBE_JSON_BOOL,
     .offset = offsetof(struct kubeconfig_cluster, insecure)},
    {.name = "extensions",
     .type = KUBE_JSON_CUSTOM,
     .offset = offsetof(struct kubeconfig_cluster, exec_config),
     .decode = decode_extensions},
    KUBE_JSON_END,
};

static const struct kube_json_field user_fields[] = {
    STRING_AT(struct kubeconfig_user, cert_file, "client-certificate"),
    STRING_AT(struct kubeconfig_user, cert_data, "client-certificate-data"),
    STRING_AT(struct kubeconfig_user, key_file, "client-key"),
    STRING_AT(struct kubeconfig_user, key_data, "client-key-data"),
    STRING_AT(struct kubeconfig_user, token, "token"),
    STRING_AT(struct kubeconfig_user, token_file, "tokenFile"),
    STRING_AT(struct kubeconfig_user, username, "username"),
    STRING_AT(struct kubeconfig_user, password, "password"),
    {.name = "exec",
     .type = KUBE_JSON_POINTER,
     .offset = offsetof(struct kubeconfig_user, exec),
     .table = exec_fields,
     .size = sizeof(struct kubeconfig_exec)},
    {.name = "auth-provider",
     .type = KUBE_JSON_CUSTOM,
     .offset = offsetof(struct kubeconfig_user, auth_provider),
     .decode = decode_presence},
    STRING_AT(struct kubeconfig_user, as, "as"),
    STRING_AT(struct kubeconfig_user, as_uid, "as-uid"),
    {.name = "as-groups", .type = KUBE_JSON_STRLIST, .offset = offsetof(struct kubeconfig_user, as_groups)},
    {.name = "as-user-extra",
     .type = KUBE_JSON_CUSTOM,
     .offset = offsetof(struct kubeconfig_user, as_extra),
     .decode = decode_extra},
    KUBE_JSON_END,
};

static const struct kube_json_field context_fields[] = {
    STRING_AT(struct kubeconfig_context, cluster, "cluster"),
    STRING_AT(struct kubeconfig_context, user, "user"),
    STRING_AT(struct kubeconfig_context, namespace_, "namespace"),
    KUBE_JSON_END,
};

/* An entry is {name: …, cluster: {…}}: both levels go into one struct. */
#define ENTRY_TABLE(table_name, struct_type, contents, contents_table) \
	static const struct kube_json_field table_name[] = { \
	    {.name = "name", .type = KUBE_JSON_STRING, .offset = offsetof(struct_type, name), .required = true}, \
	    {.name = (contents), .type = KUBE_JSON_OBJECT, .offset = 0, .table = (contents_table)}, \
	    KUBE_JSON_END, \
	}

ENTRY_TABLE(cluster_entry, struct kubeconfig_cluster, "cluster", cluster_fields);
ENTRY_TABLE(user_entry, struct kubeconfig_user, "user", user_fields);
ENTRY_TABLE(context_entry, struct kubeconfig_context, "context", context_fields);

#define LIST_AT(member, entry_type, entry_table) \
	{ \
		.name = #member, .type = KUBE_JSON_LIST, .offset = offsetof(struct kubeconfig_file, member), \
		.table = (entry_table), .size = sizeof(entry_type) \
	}

static const struct kube_json_field file_fields[] = {
    STRING_AT(struct kubeconfig_file, api_version, "apiVersion"),
    STRING_AT(struct kubeconfig_file, kind, "kind"),
    STRING_AT(struct kubeconfig_file, current_context, "current-context"),
    LIST_AT(clusters, struct kubeconfig_cluster, cluster_entry),
    LIST_AT(users, struct kubeconfig_user, user_entry),
    LIST_AT(contexts, struct kubeconfig_context, context_entry),
    KUBE_JSON_END,
};

int kubeconfig_decode(const cJSON *json, struct kubeconfig_file *file, struct kube_arena *arena, struct kube_err *err)
{
	return kube_json_decode(json, file_fields, file, arena, err);
}
