/* Exec plugins, impersonation, proxies and unverified servers, as kubeconfigs set them. */
#include "lib/auth/proxy.h"
#include "test/unit/auth/folder.h"
#include "test/unit/check_main.h"

static struct kube_config *load_good(const char *row)
{
	struct kube_config *config = NULL;
	struct kube_err err;
	int rc = load(in_dir("config"), NULL, &config, &err);
	ck_assert_msg(rc == 0, "%s: %s", row, err.message);
	return config;
}

/* "a|b|" */
static const char *joined(char **list)
{
	static char text[512];
	size_t len = 0;
	text[0] = '\0';
	for (; list && *list; list++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s|", *list);
	return text;
}

/* ---- exec plugins ---- */

#define V1 "apiVersion: client.authentication.k8s.io/v1"
#define V1BETA1 "apiVersion: client.authentication.k8s.io/v1beta1"

static const struct {
	const char *exec;
	const char *argv, *env, *install_hint;
	bool asks; /* where there is a terminal */
} plugins[] = {
    {V1 ", command: aws, interactiveMode: Never", "aws|", "", "", false},
    {V1 ", command: aws, interactiveMode: IfAvailable, args: [eks, 'get token', '']", "aws|eks|get token||", "", "",
     true},
    {V1BETA1 ", command: aws, args: null, env: null", "aws|", "", "", true},
    {V1BETA1 ", command: aws, env: [{name: A, value: 'b c=d'}, {name: E}], installHint: get it", "aws|", "A=b c=d|E=|",
     "get it", true},
    {V1BETA1 ", command: ./bin/plugin", "$DIR/./bin/plugin|", "", "", true},
    {V1BETA1 ", command: bin/plugin", "$DIR/bin/plugin|", "", "", true},
    {V1BETA1 ", command: /bin/plugin", "/bin/plugin|", "", "", true},
};

START_TEST(exec_plugins_are_read)
{
	set_up();
	for (size_t i = 0; i < 2 * KUBE_ARRAY_LEN(plugins); i++) {
		char row[32], user[512];
		snprintf(row, sizeof(row), "row %zu", i / 2);
		snprintf(user, sizeof(user), "exec: {%s}", plugins[i / 2].exec);
		write_config("config", LOCAL, user);
		load_terminal = i % 2;
		struct kube_config *config = load_good(row);
		ck_assert_ptr_nonnull(config->exec);
		ck_same(row, joined(config->exec->argv), plugins[i / 2].argv);
		ck_same(row, joined(config->exec->env), plugins[i / 2].env);
		ck_same(row, config->exec->install_hint, plugins[i / 2].install_hint);
		ck_same(row, config->exec->user, "user \"u\" in $DIR/config");
		ck_assert_ptr_null(config->exec->cluster);
		ck_assert_int_eq(config->exec->terminal, load_terminal && plugins[i / 2].asks);
		kube_config_free(config);
	}
	load_terminal = false;
	tear_down();
}
END_TEST

START_TEST(a_plugin_may_ask_where_there_is_a_terminal)
{
	set_up();
	write_config("config", LOCAL, "exec: {" V1 ", command: aws, interactiveMode: Always}");
	load_terminal = true;
	struct kube_config *config = load_good("Always");
	ck_assert(config->exec->terminal);
	kube_config_free(config);
	load_terminal = false;
	ck_refused("Always", KUBE_E_AUTH, "asks at the terminal (interactiveMode Always), and there is none");
	tear_down();
}
END_TEST

static const struct {
	const char *exec;
	int code;
	const char *says;
} bad_plugins[] = {
    {V1 ", interactiveMode: Never", KUBE_E_AUTH, "the exec plugin of user \"u\" in $DIR/config has no command"},
    {V1 ", command: '', interactiveMode: Never", KUBE_E_AUTH, "has no command"},
    {"command: aws", KUBE_E_AUTH, "needs the apiVersion client.authentication.k8s.io/v1 or v1beta1"},
    {"command: aws, apiVersion: client.authentication.k8s.io/v1alpha1", KUBE_E_AUTH, "needs the apiVersion"},
    {V1 ", command: aws", KUBE_E_AUTH, "needs an interactiveMode"},
    {V1 ", command: aws, interactiveMode: Sometimes", KUBE_E_PARSE, "interactiveMode"},
    {V1BETA1 ", command: aws, env: [{value: x}]", KUBE_E_AUTH, "no name"},
    {V1BETA1 ", command: aws, env: [{name: 'A=B', value: x}]", KUBE_E_AUTH, "no name"},
    {V1BETA1 ", command: aws, args: [1]", KUBE_E_PARSE, "args[0]"},
    {V1BETA1 ", command: [aws]", KUBE_E_PARSE, "command"},
};

START_TEST(bad_exec_plugins_are_refused)
{
	set_up();
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bad_plugins); i++) {
		char user[256];
		snprintf(user, sizeof(user), "exec: {%s}", bad_plugins[i].exec);
		write_config("config", LOCAL, user);
		ck_refused(bad_plugins[i].exec, bad_plugins[i].code, bad_plugins[i].says);
	}
	tear_down();
}
END_TEST

START_TEST(a_plugin_that_wants_the_cluster_gets_it)
{
	static const char cluster[] =
	    LOCAL ", certificate-authority: ca.crt, tls-server-name: api, proxy-url: 'http://p:1', extensions: "
	          "[{name: other, extension: 1}, {name: client.authentication.k8s.io/exec, extension: {audience: [x]}}]";
	static const char exec[] = "exec: {" V1 ", command: aws, interactiveMode: Never, provideClusterInfo: true}";
	set_up();
	write_config("config", cluster, exec);
	struct kube_config *config = load_good("cluster");
	ck_same("cluster", config->exec->cluster,
	        "{\"server\":\"https://127.0.0.1:6443\",\"tls-server-name\":\"api\",\"certificate-authority-data\":\"$CA\","
	        "\"proxy-url\":\"http://p:1\",\"config\":{\"audience\":[\"x\"]}}");
	kube_config_free(config);
	write_config("config", LOCAL, exec);
	config = load_good("bare cluster");
	ck_same("bare cluster", config->exec->cluster, "{\"server\":\"https://127.0.0.1:6443\"}");
	kube_config_free(config);
	tear_down();
}
END_TEST

/* ---- impersonation ---- */

START_TEST(impersonation_is_read)
{
	set_up();
	write_config("config", LOCAL,
	             "token: abc, as: jane, as-uid: 1-2, as-groups: [dev, 'a b'], "
	             "as-user-extra: {scopes: [view, edit], 'example.com/x': ['1']}");
	struct kube_config *config = load_good("all");
	ck_assert_str_eq(config->token, "abc");
	ck_assert_str_eq(config->impersonation.user, "jane");
	ck_assert_str_eq(config->impersonation.uid, "1-2");
	ck_assert_str_eq(joined(config->impersonation.groups), "dev|a b|");
	ck_assert_str_eq(joined(config->impersonation.extra), "scopes|view|scopes|edit|example.com/x|1|");
	kube_config_free(config);
	write_config("config", LOCAL, "as: jane, as-groups: [], as-user-extra: {}");
	config = load_good("user only");
	ck_assert_str_eq(config->impersonation.user, "jane");
	ck_assert_ptr_null(config->impersonation.uid);
	ck_assert_str_eq(joined(config->impersonation.groups), "");
	kube_config_free(config);
	write_config("config", LOCAL, "as: ''");
	config = load_good("nobody");
	ck_assert_ptr_null(config->impersonation.user);
	kube_config_free(config);
	tear_down();
}
END_TEST

static const struct {
	const char *user;
	int code;
	const char *says;
} bad_impersonations[] = {
    {"as-groups: [a]", KUBE_E_INVALID,
     "the user \"u\" in $DIR/config sets as-uid, as-groups or as-user-extra without as"},
    {"as-uid: a", KUBE_E_INVALID, "without as"},
    {"as: '', as-user-extra: {a: [b]}", KUBE_E_INVALID, "without as"},
    {"as: \"a\\r\\nX: y\"", KUBE_E_INVALID, "control characters"},
    {"as: a, as-groups: [\"a\\n\"]", KUBE_E_INVALID, "control characters"},
    {"as: a, as-groups: ['']", KUBE_E_INVALID, "empty value"},
    {"as: a, as-user-extra: {k: [\"a\\n\"]}", KUBE_E_INVALID, "control characters"},
    {"as: a, as-user-extra: {'': [b]}", KUBE_E_INVALID, "empty value"},
    {"as: a, as-user-extra: {k: b}", KUBE_E_PARSE, "as-user-extra"},
    {"as: a, as-user-extra: [b]", KUBE_E_PARSE, "as-user-extra"},
    {"as: [a]", KUBE_E_PARSE, "as"},
};

START_TEST(bad_impersonation_is_refused)
{
	set_up();
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bad_impersonations); i++) {
		write_config("config", LOCAL, bad_impersonations[i].user);
		ck_refused(bad_impersonations[i].user, bad_impersonations[i].code, bad_impersonations[i].says);
	}
	tear_down();
}
END_TEST

/* ---- insecure-skip-tls-verify ---- */

START_TEST(unverified_servers_need_leave)
{
	set_up();
	write_config("config", LOCAL ", insecure-skip-tls-verify: true", "");
	ck_refused("not allowed", KUBE_E_INVALID, "sets insecure-skip-tls-verify, which is refused");
	load_allow_insecure = true;
	struct kube_config *config = load_good("allowed");
	ck_assert(config->insecure);
	kube_config_free(config);
	write_config("config", LOCAL, "");
	config = load_good("not asked for");
	ck_assert(!config->insecure);
	kube_config_free(config);
	write_config("config", LOCAL ", insecure-skip-tls-verify: true, certificate-authority: ca.crt", "");
	ck_refused("with a CA", KUBE_E_INVALID, "beside a certificate-authority");
	load_allow_insecure = false;
	tear_down();
}
END_TEST

/* ---- proxies ---- */

static const struct {
	const char *server, *proxy_url;
	const char *https_proxy, *http_proxy, *no_proxy, *lower_https_proxy, *lower_no_proxy;
	const char *chosen;
} proxies[] = {
    {"https://api.example:6443", "", NULL, NULL, NULL, NULL, NULL, NULL},
    {"https://api.example:6443", "http://p:3128", NULL, NULL, NULL, NULL, NULL, "http://p:3128/"},
    {"https://api.example:6443", "http://p:3128", "http://env", NULL, "*", NULL, NULL, "http://p:3128/"},
    {"https://127.0.0.1:6443", "http://p:3128", NULL, NULL, NULL, NULL, NULL, "http://p:3128/"},
    {"https://api.example:6443", "socks5://me:pw@p:1080", NULL, NULL, NULL, NULL, NULL, "socks5h://me:pw@p:1080/"},
    {"https://api.example:6443", "https://p", NULL, NULL, NULL, NULL, NULL, "https://p/"},
    {"https://api.example:6443", "", "http://env:1", "http://no", NULL, "http://lower", NULL, "http://env:1/"},
    {"https://api.example:6443", "", NULL, "http://no", NULL, "lower:2", NULL, "http://lower:2/"},
    {"https://api.example:6443", "", "me:pw@env:1", NULL, NULL, NULL, NULL, "http://me:pw@env:1/"},
    {"https://api.example:6443", "", "ftp.example:21", NULL, NULL, NULL, NULL, "http://ftp.example:21/"},
    {"https://api.example:6443", "", "http://env", NULL, "example", NULL, NULL, NULL},
    {"https://api.example:6443", "", "http://env", NULL, NULL, NULL, "api.example", NULL},
    {"https://api.example:6443", "", "http://env", NULL, "other", NULL, "api.example", "http://env/"},
    {"https://127.0.0.1:6443", "", "http://env", NULL, NULL, NULL, NULL, NULL},
    {"https://[::1]:6443", "", "http://env", NULL, NULL, NULL, NULL, NULL},
    {"https://localhost:6443", "", "http://env", NULL, NULL, NULL, NULL, NULL},
    {"http://127.0.0.1:6443", "", NULL, "http://env", NULL, NULL, NULL, NULL},
};

START_TEST(a_proxy_is_chosen)
{
	set_up();
	for (size_t i = 0; i < KUBE_ARRAY_LEN(proxies); i++) {
		char row[32], cluster[256];
		snprintf(row, sizeof(row), "row %zu", i);
		snprintf(cluster, sizeof(cluster), "server: '%s', proxy-url: '%s'", proxies[i].server, proxies[i].proxy_url);
		write_config("config", cluster, "");
		env_https_proxy = proxies[i].https_proxy;
		env_http_proxy = proxies[i].http_proxy;
		env_no_proxy = proxies[i].no_proxy;
		env_lower_https_proxy = proxies[i].lower_https_proxy;
		env_lower_no_proxy = proxies[i].lower_no_proxy;
		struct kube_config *config = load_good(row);
		ck_same(row, config->proxy_url, proxies[i].chosen);
		kube_config_free(config);
	}
	env_https_proxy = "http://[";
	env_no_proxy = env_lower_no_proxy = NULL;
	write_config("config", "server: 'https://api.example'", "");
	ck_refused("bad HTTPS_PROXY", KUBE_E_INVALID, "HTTPS_PROXY is not the URL of a proxy");
	env_https_proxy = NULL;
	tear_down();
}
END_TEST

static const struct {
	const char *no_proxy, *host, *port;
	bool bypassed;
} bypasses[] = {
    {"", "a.example", "443", false},
    {"*", "a.example", "443", true},
    {"b,*", "10.1.2.3", "443", true},
    {"a.example", "a.example", "443", true},
    {"A.Example", "a.eXample", "443", true},
    {"example", "a.example", "443", true},
    {"xample", "a.example", "443", false},
    {".example", "a.example", "443", true},
    {".a.example", "a.example", "443", false},
    {"*.example", "a.example", "443", true},
    {"*.a.example", "a.example", "443", false},
    {"b.a.example", "a.example", "443", false},
    {" b , a.example ,c", "a.example", "443", true},
    {"a.example:443", "a.example", "443", true},
    {"a.example:444", "a.example", "443", false},
    {"10.0.0.0/8", "10.1.2.3", "443", true},
    {"10.0.0.0/8", "11.1.2.3", "443", false},
    {"10.1.2.0/23", "10.1.3.255", "443", true},
    {"10.1.2.0/23", "10.1.4.0", "443", false},
    {"10.1.2.3/32", "10.1.2.3", "443", true},
    {"0.0.0.0/0", "10.1.2.3", "443", true},
    {"0.0.0.0/0", "fd00::1", "443", false},
    {"10.0.0.0/33", "10.1.2.3", "443", false},
    {"10.0.0.0/", "10.0.0.0", "443", false},
    {"/8", "10.0.0.0", "443", false},
    {"10.0.0.0/8x", "10.0.0.0", "443", false},
    {"fd00::/8", "[fd00::1]", "443", true},
    {"fd00::/8", "[fe00::1]", "443", false},
    {"::ffff:10.0.0.0/8", "10.1.2.3", "443", true},
    {"10.1.2.3", "10.1.2.3", "443", true},
    {"10.1.2.3:6443", "10.1.2.3", "6443", true},
    {"10.1.2.3:6443", "10.1.2.3", "443", false},
    {"2.3", "10.1.2.3", "443", false},
    {"fd00::1", "[fd00::1]", "443", true},
    {"[fd00::1]", "[fd00:0::1]", "443", true},
    {"[fd00::1]:443", "[fd00::1]", "443", true},
    {"[fd00::1]:444", "[fd00::1]", "443", false},
    {":443", "a.example", "443", false},
};

START_TEST(no_proxy_means_what_it_means_to_kubectl)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bypasses); i++) {
		bool bypassed = kube_proxy_bypassed(bypasses[i].no_proxy, bypasses[i].host, bypasses[i].port);
		ck_assert_msg(bypassed == bypasses[i].bypassed, "row %zu: \"%s\" and %s", i, bypasses[i].no_proxy,
		              bypasses[i].host);
	}
}
END_TEST

/* Where things came from, to be looked at again. */
START_TEST(files_are_remembered)
{
	set_up();
	write_config("config", LOCAL ", certificate-authority: ca.crt",
	             "client-certificate: client.crt, client-key-data: $KEY");
	struct kube_config *config = load_good("files");
	ck_same("ca", config->ca_file, "$DIR/ca.crt");
	ck_same("cert", config->client_cert_file, "$DIR/client.crt");
	ck_same("key", config->client_key_file, NULL);
	kube_config_free(config);
	write_config("config", LOCAL ", certificate-authority: ca.crt, certificate-authority-data: $CA", "");
	config = load_good("data");
	ck_same("ca", config->ca_file, NULL);
	kube_config_free(config);
	tear_down();
}
END_TEST

CHECK_MAIN("user", exec_plugins_are_read, a_plugin_may_ask_where_there_is_a_terminal, bad_exec_plugins_are_refused,
           a_plugin_that_wants_the_cluster_gets_it, impersonation_is_read, bad_impersonation_is_refused,
           unverified_servers_need_leave, a_proxy_is_chosen, no_proxy_means_what_it_means_to_kubectl,
           files_are_remembered)
