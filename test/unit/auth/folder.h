/* A folder with kubeconfigs, certificates and a service account's files, and an environment of its own. */
#ifndef TEST_UNIT_AUTH_FOLDER_H
#define TEST_UNIT_AUTH_FOLDER_H

#include "test/unit/http/certs.h"

#include <kube/config.h>
#include <kube/mem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char dir[32];
static struct test_cert ca, client, stranger;
static char *ca_data, *client_data, *client_key_data, *stranger_key_data;

/* The environment of kube_config_load(). */
static const char *env_kubeconfig, *env_home, *env_host, *env_port;
static const char *env_https_proxy, *env_http_proxy, *env_no_proxy, *env_lower_https_proxy, *env_lower_no_proxy;

static inline const char *fake_env(const char *name)
{
	const struct {
		const char *name, *value;
	} variables[] = {
	    {"KUBECONFIG", env_kubeconfig},
	    {"HOME", env_home},
	    {"KUBERNETES_SERVICE_HOST", env_host},
	    {"KUBERNETES_SERVICE_PORT", env_port},
	    {"HTTPS_PROXY", env_https_proxy},
	    {"HTTP_PROXY", env_http_proxy},
	    {"NO_PROXY", env_no_proxy},
	    {"https_proxy", env_lower_https_proxy},
	    {"no_proxy", env_lower_no_proxy},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(variables); i++)
		if (strcmp(name, variables[i].name) == 0)
			return variables[i].value;
	return NULL;
}

static inline const char *in_dir(const char *name)
{
	static char paths[8][128];
	static int next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static inline void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_dir(name), "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	fclose(file);
}

static inline void set_up(void)
{
	strcpy(dir, "/tmp/test-config-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ca = test_cert_new("ca", NULL, NULL, 86400);
	client = test_cert_new("client", "DNS:client", &ca, 86400);
	stranger = test_cert_new("stranger", "DNS:stranger", &ca, 86400);
	ca_data = test_base64(ca.cert_pem);
	client_data = test_base64(client.cert_pem);
	client_key_data = test_base64(client.key_pem);
	stranger_key_data = test_base64(stranger.key_pem);
	write_file("ca.crt", ca.cert_pem);
	write_file("client.crt", client.cert_pem);
	write_file("client.key", client.key_pem);
	write_file("token", "file-token\n");
	write_file("namespace", "system\n");
	write_file("empty", "");
}

static inline void tear_down(void)
{
	static const char *const names[] = {"ca.crt", "client.crt", "client.key", "token",       "namespace",
	                                    "empty",  "config",     "second",     ".kube/config"};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(names); i++)
		unlink(in_dir(names[i]));
	rmdir(in_dir(".kube"));
	ck_assert_int_eq(rmdir(dir), 0);
	test_cert_free(&ca);
	test_cert_free(&client);
	test_cert_free(&stranger);
	free(ca_data);
	free(client_data);
	free(client_key_data);
	free(stranger_key_data);
}

/* Replaces $CA, $CERT, $KEY and $OTHERKEY by base64, and $DIR. The caller frees. */
static inline char *expand(const char *text)
{
	char *out = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&out, &len);
	const struct {
		const char *name, *value;
	} variables[] = {{"$CA", ca_data},
	                 {"$CERT", client_data},
	                 {"$KEY", client_key_data},
	                 {"$OTHERKEY", stranger_key_data},
	                 {"$DIR", dir}};
	while (*text) {
		size_t i = 0;
		while (i < KUBE_ARRAY_LEN(variables) && strncmp(text, variables[i].name, strlen(variables[i].name)) != 0)
			i++;
		if (i == KUBE_ARRAY_LEN(variables)) {
			fputc(*text++, stream);
			continue;
		}
		fputs(variables[i].value, stream);
		text += strlen(variables[i].name);
	}
	fclose(stream);
	return out;
}

/* A file with context c of cluster k and user u; each part is the inside of a flow mapping. */
static inline void write_config(const char *name, const char *cluster, const char *user)
{
	_cleanup_free_ char *k = expand(cluster), *u = expand(user), *text = NULL;
	ck_assert_int_gt(asprintf(&text,
	                          "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
	                          "contexts: [{name: c, context: {cluster: k, user: u, namespace: ns}}]\n"
	                          "clusters: [{name: k, cluster: {%s}}]\nusers: [{name: u, user: {%s}}]\n",
	                          k, u),
	                 0);
	write_file(name, text);
}

/* Of kube_config_options. */
static bool load_terminal, load_allow_insecure;

static inline int load(const char *kubeconfig, const char *context, struct kube_config **ret_config,
                       struct kube_err *err)
{
	struct kube_config_options options = {
	    .kubeconfig = kubeconfig,
	    .context = context,
	    .terminal = load_terminal,
	    .allow_insecure = load_allow_insecure,
	    .get_env = fake_env,
	    .service_account_dir = dir,
	};
	kube_err_reset(err);
	return kube_config_load(&options, ret_config, err);
}

#define LOCAL "server: 'https://127.0.0.1:6443'"

static inline void ck_same(const char *row, const char *got, const char *wanted)
{
	_cleanup_free_ char *expanded = wanted ? expand(wanted) : NULL;
	ck_assert_msg((got == NULL) == (wanted == NULL), "%s: %s", row, got ? got : "(none)");
	if (wanted)
		ck_assert_msg(strcmp(got, expanded) == 0, "%s: \"%s\", not \"%s\"", row, got, expanded);
}

/* The sentence names the file, and nothing comes out. */
static inline void ck_refused(const char *row, int code, const char *says)
{
	struct kube_config *config = NULL;
	struct kube_err err;
	_cleanup_free_ char *expanded = expand(says);
	int rc = load(in_dir("config"), NULL, &config, &err);
	ck_assert_msg(rc == code, "%s: %d %s", row, rc, err.message);
	ck_assert_int_eq(err.code, code);
	ck_assert_msg(strstr(err.message, expanded) != NULL, "%s: \"%s\" lacks \"%s\"", row, err.message, expanded);
	ck_assert_msg(strstr(err.message, "p-w-x") == NULL, "%s: %s", row, err.message);
	ck_assert_ptr_null(config);
}

#endif
