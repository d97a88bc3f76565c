/* Kubeconfig files with tokens and certificates, and the credentials of a pod. */
#include "test/nomem/crypto.h"
#include "test/nomem/sweep.h"

#include <kube/config.h>
#include <kube/mem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CORPUS "test/fuzz/corpus/kubeconfig/"

static const char *no_env(const char *name)
{
	(void)name;
	return NULL;
}

static const char *pod_env(const char *name)
{
	if (strcmp(name, "KUBERNETES_SERVICE_HOST") == 0)
		return "::1";
	return strcmp(name, "KUBERNETES_SERVICE_PORT") == 0 ? "6443" : NULL;
}

static int load(void *arg, struct kube_err *err)
{
	struct kube_config *config = NULL;

	crypto_count = 0;
	sweep_begin();
	int code = kube_config_load(arg, &config, err);
	sweep_end();
	ck_assert(!code == (config != NULL));
	if (config)
		ck_assert(config->server && config->namespace_ && config->origin && config->context &&
		          (config->token || config->token_file || config->client_key_pem));
	kube_config_free(config);
	OPENSSL_thread_stop(); /* else its queue of errors keeps more or less memory */
	return code;
}

START_TEST(token)
{
	struct kube_config_options options = {.kubeconfig = CORPUS "token", .get_env = no_env};

	sweep("kubeconfig with a token", load, &options);
}
END_TEST

START_TEST(certificates)
{
	struct kube_config_options options = {.kubeconfig = CORPUS "certs", .get_env = no_env};

	sweep("kubeconfig with certificates", load, &options);
}
END_TEST

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

START_TEST(in_cluster)
{
	char folder[] = "/tmp/nomem-XXXXXX", path[256];
	static const char *const names[] = {"token", "namespace", "ca.crt"};
	struct kube_config *config = NULL;
	const struct kube_config_options with_ca = {.kubeconfig = CORPUS "certs", .get_env = no_env};
	const struct kube_config_options options = {.get_env = pod_env, .service_account_dir = folder};

	ck_assert_int_eq(kube_config_load(&with_ca, &config, NULL), 0);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	write_file(folder, "token", "abc.def\n");
	write_file(folder, "namespace", "here");
	write_file(folder, "ca.crt", config->ca_pem);
	kube_config_free(config);
	sweep("in-cluster", load, (void *)&options);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}
END_TEST

CHECK_MAIN("allocation failures: configuration", token, certificates, in_cluster)
