/* Kubeconfig files as they stand on disk: decoded, looked up across several files, not yet resolved. */
#ifndef KUBE_AUTH_KUBECONFIG_H
#define KUBE_AUTH_KUBECONFIG_H

#include <kube/err.h>
#include <kube/json.h>
#include <kube/mem.h>
#include <stdbool.h>
#include <stddef.h>

#define KUBECONFIG_MAX_FILES 32     /* files in KUBECONFIG */
#define KUBECONFIG_MAX_ENTRIES 1000 /* clusters, contexts or users of one file */

struct kubeconfig_cluster {
	const char *name;
	const char *server, *ca_file, *ca_data, *tls_server_name, *proxy_url;
	const char *exec_config; /* JSON of the extension that is meant for exec plugins; NULL: none */
	bool insecure;
};

struct kubeconfig_variable {
	const char *name, *value;
};

struct kubeconfig_exec {
	const char *api_version, *command, *install_hint;
	struct kube_strlist args;
	struct {
		struct kubeconfig_variable *items;
		size_t count;
	} env;
	bool provide_cluster_info;
	int interactive_mode; /* enum kubeconfig_interactive_mode */
};

enum kubeconfig_interactive_mode {
	KUBECONFIG_INTERACTIVE_UNSET,
	KUBECONFIG_INTERACTIVE_NEVER,
	KUBECONFIG_INTERACTIVE_IF_AVAILABLE,
	KUBECONFIG_INTERACTIVE_ALWAYS,
};

/* One member of as-user-extra. */
struct kubeconfig_extra {
	const char *key;
	struct kube_strlist values;
};

struct kubeconfig_user {
	const char *name;
	const char *cert_file, *cert_data, *key_file, *key_data, *token, *token_file;
	const char *username, *password;
	struct kubeconfig_exec *exec; /* NULL: none */
	bool auth_provider;
	const char *as, *as_uid;
	struct kube_strlist as_groups;
	struct {
		struct kubeconfig_extra *items;
		size_t count;
	} as_extra;
};

struct kubeconfig_context {
	const char *name;
	const char *cluster, *user, *namespace_;
};

struct kubeconfig_file {
	const char *path;
	const char *api_version, *kind, *current_context;
	struct {
		struct kubeconfig_cluster *items;
		size_t count;
	} clusters;
	struct {
		struct kubeconfig_user *items;
		size_t count;
	} users;
	struct {
		struct kubeconfig_context *items;
		size_t count;
	} contexts;
};

struct kubeconfig {
	struct kube_arena arena; /* owns every string */
	struct kubeconfig_file files[KUBECONFIG_MAX_FILES];
	size_t count;
};

void kubeconfig_finish(struct kubeconfig *config);

/* Reads one more file. Its entries stand behind those of the files before. KUBE_E_NOTFOUND, KUBE_E_PARSE, … */
int kubeconfig_add(struct kubeconfig *config, const char *path, struct kube_err *err);
/* The files' names, for messages: "a, b". Borrowed from the arena; NULL when out of memory. */
const char *kubeconfig_origin(struct kubeconfig *config);
/* No file, or nothing in them. */
bool kubeconfig_empty(const struct kubeconfig *config);

/* kubeconfig_decode.c: texts are copied into the arena. */
int kubeconfig_decode(const cJSON *json, struct kubeconfig_file *file, struct kube_arena *arena, struct kube_err *err);

/* "" when no file names one. */
const char *kubeconfig_current_context(const struct kubeconfig *config);
/* The first entry of that name in the order of the files, and its file. KUBE_E_NOTFOUND lists the ones there are. */
int kubeconfig_find_context(struct kubeconfig *config, const char *name, const struct kubeconfig_context **ret_context,
                            struct kube_err *err);
int kubeconfig_find_cluster(struct kubeconfig *config, const char *name, const struct kubeconfig_cluster **ret_cluster,
                            const struct kubeconfig_file **ret_file, struct kube_err *err);
int kubeconfig_find_user(struct kubeconfig *config, const char *name, const struct kubeconfig_user **ret_user,
                         const struct kubeconfig_file **ret_file, struct kube_err *err);
/* "the contexts are: a, b" or "there are no contexts". NULL when out of memory. */
const char *kubeconfig_list_contexts(struct kubeconfig *config);

#endif
