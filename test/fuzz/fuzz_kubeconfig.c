/* Kubeconfig files, and through them YAML, base64, PEM and server URLs. */
#include "test/fuzz/fuzz.h"

#include <kube/config.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *no_env(const char *name)
{
	(void)name;
	return NULL;
}

/* A file in memory that has a path. */
static void write_file(int fd, const uint8_t *data, size_t size)
{
	REQUIRE(ftruncate(fd, 0) == 0);
	REQUIRE(pwrite(fd, data, size, 0) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[32];
	struct kube_config *config = NULL;
	struct kube_err err = {0};

	if (fd < 0) {
		fd = memfd_create("kubeconfig", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	write_file(fd, data, size);
	const struct kube_config_options options = {.kubeconfig = path, .get_env = no_env, .service_account_dir = "/none"};
	int code = kube_config_load(&options, &config, &err);
	REQUIRE(!config == (code != 0));
	REQUIRE(code == err.code && !*err.message == !code);
	if (config) {
		REQUIRE(strncmp(config->server, "https://", 8) == 0 || strncmp(config->server, "http://", 7) == 0 ||
		        !strstr(config->server, "://") || strcasestr(config->server, "http"));
		REQUIRE(config->namespace_ && config->context && config->origin);
		REQUIRE(!config->client_cert_pem == !config->client_key_pem);
	}
	kube_config_free(config);
	return 0;
}
