/* The head of a response line by line, Retry-After, the server's URL, texts that become part of requests, what an exec
 * plugin prints, and NO_PROXY. */
#include "lib/auth/exec.h"
#include "lib/auth/proxy.h"
#include "lib/auth/server.h"
#include "lib/auth/token.h"
#include "lib/http/internal.h"
#include "test/fuzz/fuzz.h"

#include <kube/resource.h>
#include <kube/sim.h>

static int heads;

static void on_head(void *arg, const struct kube_response_head *head)
{
	const struct kube_exchange *exchange = arg;

	heads++;
	REQUIRE(head->status >= 200 && head->status <= 999 && head->retry_after_s >= -1);
	REQUIRE(strlen(head->content_type) < sizeof(exchange->head.content_type));
	REQUIRE(strlen(head->date) < sizeof(exchange->head.date));
	REQUIRE(strlen(head->warning) < sizeof(exchange->head.warning));
}

/* As libcurl does: one call a line, not terminated, never an empty one. */
static void read_head(struct kube_sim *sim, const uint8_t *data, size_t size)
{
	const struct kube_config config = {.token = (char *)"t"};
	const struct kube_credentials_options options = {.env = kube_sim_env(sim), .config = &config};
	struct kube_http http = {.env = kube_sim_env(sim)};
	struct kube_exchange exchange = {.http = &http, .handlers.on_head = on_head, .arg = &exchange};

	REQUIRE(kube_credentials_new(&options, &http.credentials, NULL) == 0);
	heads = 0;
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) + 1 : size;
		char *line = malloc(len);
		REQUIRE(line);
		memcpy(line, data, len);
		REQUIRE(http_on_header(line, 1, len, &exchange) == len);
		free(line);
		data += len;
		size -= len;
	}
	REQUIRE(heads <= 1);
	kube_credentials_free(http.credentials);
}

static void read_url(const char *text)
{
	struct kube_server server = {0};
	struct kube_err err = {0};

	int code = kube_server_parse(text, &server, &err);
	REQUIRE(code == err.code);
	if (!code)
		REQUIRE(kube_server_name_ok(server.host) && *server.port && (server.https || server.loopback) &&
		        (!*server.path || *server.path == '/') && !strpbrk(server.path, "\r\n"));
	kube_server_finish(&server);
}

/* What is taken for good stands in a request line as it is. */
static void make_path(const char *text)
{
	struct kube_buf path = {0};

	kube_buf_init(&path, 4096);
	if (kube_resource_path(&path, &kube_pods, text, text, NULL, NULL) == 0)
		REQUIRE(strspn(path.data, "abcdefghijklmnopqrstuvwxyz0123456789-./") == path.len && !strstr(path.data, ".."));
	kube_buf_reset(&path);
	if (kube_buf_add_urlencoded(&path, text) == 0 && path.len > 0)
		REQUIRE(!strpbrk(path.data, " /?&#\r\n"));
	kube_buf_finish(&path);
	if (kube_token_ok(text))
		REQUIRE(!strpbrk(text, " \r\n"));
}

static void read_answer(const uint8_t *data, size_t size)
{
	const struct kube_exec exec = {.api_version = (char *)"client.authentication.k8s.io/v1"};
	struct kube_exec_answer answer = {0};
	struct kube_err err = {0};

	int code = kube_exec_decode(&exec, (const char *)data, size, &answer, &err);
	REQUIRE(code == err.code && !*err.message == !code);
	if (!code)
		REQUIRE((answer.token || answer.cert_pem) && !answer.cert_pem == !answer.key_pem);
	if (answer.token)
		REQUIRE(kube_token_ok(answer.token));
	kube_exec_answer_finish(&answer);
}

/* "<list>\n<host>\n<port>" */
static void bypass(const uint8_t *data, size_t size)
{
	char *list = fuzz_cut(&data, &size, '\n'), *host = fuzz_cut(&data, &size, '\n');
	char *port = fuzz_cut(&data, &size, '\n');

	kube_proxy_bypassed(list, host, port);
	REQUIRE(kube_proxy_bypassed("*", host, port) || !kube_server_name_ok(host));
	free(list);
	free(host);
	free(port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kube_sim *sim = NULL;
	char *text;

	REQUIRE(kube_sim_new(1, INT64_C(1795260158000), &sim, NULL) == 0);
	switch (fuzz_byte(&data, &size) % 5) {
	case 0: read_head(sim, data, size); break;
	case 1:
		text = fuzz_text(data, size);
		read_url(text);
		free(text);
		break;
	case 2:
		text = fuzz_text(data, size);
		make_path(text);
		REQUIRE(http_retry_after_s(text, "", 0) >= -1);
		free(text);
		break;
	case 3: read_answer(data, size); break;
	case 4: bypass(data, size); break;
	}
	kube_sim_free(sim);
	return 0;
}
