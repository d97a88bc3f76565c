/* Kubeconfig files and in-cluster credentials: what wins, what is refused, and how it is said. */
#include "test/unit/auth/folder.h"
#include "test/unit/check_main.h"

#include <sys/stat.h>

static const struct {
	const char *cluster, *user;
	const char *server, *tls_server_name, *token, *token_file;
	bool has_ca, has_cert;
} good[] = {
    {LOCAL, "", "https://127.0.0.1:6443", NULL, NULL, NULL, false, false},
    {"server: 'https://a:6443//'", "", "https://a:6443", NULL, NULL, NULL, false, false},
    {"server: 'https://a/k8s/c1/'", "", "https://a/k8s/c1", NULL, NULL, NULL, false, false},
    {"server: 'http://127.0.0.1:8001'", "", "http://127.0.0.1:8001", NULL, NULL, NULL, false, false},
    {LOCAL ", tls-server-name: api", "", "https://127.0.0.1:6443", "api", NULL, NULL, false, false},
    {LOCAL ", tls-server-name: ''", "", "https://127.0.0.1:6443", NULL, NULL, NULL, false, false},
    {LOCAL ", certificate-authority-data: $CA", "", "https://127.0.0.1:6443", NULL, NULL, NULL, true, false},
    {LOCAL ", certificate-authority: ca.crt", "", "https://127.0.0.1:6443", NULL, NULL, NULL, true, false},
    {LOCAL ", certificate-authority: $DIR/ca.crt", "", "https://127.0.0.1:6443", NULL, NULL, NULL, true, false},
    {LOCAL ", certificate-authority: gone.crt, certificate-authority-data: $CA", "", "https://127.0.0.1:6443", NULL,
     NULL, NULL, true, false},
    {LOCAL ", insecure-skip-tls-verify: false, proxy-url: '', extensions: [{name: x}], other: 1", "",
     "https://127.0.0.1:6443", NULL, NULL, NULL, false, false},
    {LOCAL, "token: abc", "https://127.0.0.1:6443", NULL, "abc", NULL, false, false},
    {LOCAL, "tokenFile: token", "https://127.0.0.1:6443", NULL, NULL, "$DIR/token", false, false},
    {LOCAL, "tokenFile: ./token", "https://127.0.0.1:6443", NULL, NULL, "$DIR/./token", false, false},
    {LOCAL, "token: abc, tokenFile: /later", "https://127.0.0.1:6443", NULL, "abc", "/later", false, false},
    {LOCAL, "client-certificate-data: $CERT, client-key-data: $KEY", "https://127.0.0.1:6443", NULL, NULL, NULL, false,
     true},
    {LOCAL, "client-certificate: client.crt, client-key: $DIR/client.key", "https://127.0.0.1:6443", NULL, NULL, NULL,
     false, true},
    {LOCAL, "token: abc, username: me, password: p-w-x", "https://127.0.0.1:6443", NULL, "abc", NULL, false, false},
    {LOCAL, "exec: null, auth-provider: null, as: null", "https://127.0.0.1:6443", NULL, NULL, NULL, false, false},
};

START_TEST(reads_a_kubeconfig)
{
	set_up();
	for (size_t i = 0; i < KUBE_ARRAY_LEN(good); i++) {
		struct kube_config *config = NULL;
		struct kube_err err;
		char row[32];
		snprintf(row, sizeof(row), "row %zu", i);
		write_config("config", good[i].cluster, good[i].user);
		int rc = load(in_dir("config"), NULL, &config, &err);
		ck_assert_msg(rc == 0, "%s: %s", row, err.message);
		ck_same(row, config->server, good[i].server);
		ck_same(row, config->tls_server_name, good[i].tls_server_name);
		ck_same(row, config->token, good[i].token);
		ck_same(row, config->token_file, good[i].token_file);
		ck_same(row, config->ca_pem, good[i].has_ca ? ca.cert_pem : NULL);
		ck_same(row, config->client_cert_pem, good[i].has_cert ? client.cert_pem : NULL);
		ck_same(row, config->client_key_pem, good[i].has_cert ? client.key_pem : NULL);
		ck_same(row, config->context, "c");
		ck_same(row, config->namespace_, "ns");
		ck_same(row, config->origin, "$DIR/config");
		kube_config_free(config);
	}
	tear_down();
}
END_TEST

static const struct {
	const char *cluster, *user;
	int code;
	const char *says;
} bad_parts[] = {
    {"", "", KUBE_E_INVALID, "the cluster \"k\" in $DIR/config has no server"},
    {"server: ''", "", KUBE_E_INVALID, "has no server"},
    {"server: 'a:6443'", "", KUBE_E_INVALID, "the cluster \"k\" in $DIR/config: "},
    {"server: 'http://10.0.0.1'", "", KUBE_E_INVALID, "plain http"},
    {LOCAL ", insecure-skip-tls-verify: true", "", KUBE_E_INVALID, "insecure-skip-tls-verify"},
    {LOCAL ", insecure-skip-tls-verify: 'yes'", "", KUBE_E_PARSE, "insecure-skip-tls-verify"},
    {LOCAL ", proxy-url: 'ftp://me:p-w-x@p:3128'", "", KUBE_E_INVALID,
     "the cluster's proxy-url is not the URL of a proxy"},
    {LOCAL ", proxy-url: 'p:3128'", "", KUBE_E_INVALID, "proxy-url"},
    {LOCAL ", tls-server-name: 'a b'", "", KUBE_E_INVALID, "tls-server-name \"a b\""},
    {LOCAL ", certificate-authority: gone.crt", "", KUBE_E_NOTFOUND, "$DIR/gone.crt does not exist"},
    {LOCAL ", certificate-authority: empty", "", KUBE_E_PARSE, "certificate-authority of cluster \"k\""},
    {LOCAL ", certificate-authority: client.key", "", KUBE_E_PARSE, "not a PEM certificate"},
    {LOCAL ", certificate-authority: .", "", KUBE_E_IO, "certificate-authority of cluster \"k\""},
    {LOCAL ", certificate-authority-data: '%%%'", "", KUBE_E_PARSE, "not base64"},
    {LOCAL ", certificate-authority-data: 'YWJj'", "", KUBE_E_PARSE, "not a PEM certificate"},
    {LOCAL ", certificate-authority-data: 'YQBi'", "", KUBE_E_PARSE, "NUL"},
    {LOCAL ", certificate-authority-data: 'YWJ'", "", KUBE_E_PARSE, "not base64"},
    {LOCAL, "client-certificate-data: $CERT", KUBE_E_AUTH, "has a client-certificate but no client-key"},
    {LOCAL, "client-key-data: $KEY", KUBE_E_AUTH, "has a client-key but no client-certificate"},
    {LOCAL, "client-certificate-data: $CERT, client-key-data: $OTHERKEY", KUBE_E_AUTH, "does not belong"},
    {LOCAL, "client-certificate-data: $KEY, client-key-data: $KEY", KUBE_E_PARSE, "client-certificate of user \"u\""},
    {LOCAL, "client-certificate-data: $CERT, client-key-data: $CERT", KUBE_E_PARSE, "client-key of user \"u\""},
    {LOCAL, "client-certificate: gone.crt, client-key: client.key", KUBE_E_NOTFOUND, "$DIR/gone.crt"},
    {LOCAL, "client-certificate: client.crt, client-key: gone.key", KUBE_E_NOTFOUND, "$DIR/gone.key"},
    {LOCAL, "token: 12345", KUBE_E_PARSE, "token"},
    {LOCAL, "token: 'a b'", KUBE_E_AUTH, "blanks or control characters"},
    {LOCAL, "token: \"a\\r\\nX: y\"", KUBE_E_AUTH, "blanks or control characters"},
    {LOCAL, "tokenFile: gone", KUBE_E_AUTH, "$DIR/gone"},
    {LOCAL, "auth-provider: {name: oidc}", KUBE_E_AUTH, "an auth-provider"},
    {LOCAL, "username: me, password: p-w-x", KUBE_E_AUTH, "username and password only"},
};

START_TEST(refuses_bad_clusters_and_users)
{
	set_up();
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bad_parts); i++) {
		char row[32];
		snprintf(row, sizeof(row), "row %zu", i);
		write_config("config", bad_parts[i].cluster, bad_parts[i].user);
		ck_refused(row, bad_parts[i].code, bad_parts[i].says);
	}
	tear_down();
}
END_TEST

#define PARTS "clusters: [{name: k, cluster: {server: 'https://a'}}]\nusers: [{name: u}, {name: v}]\n"

static const struct {
	const char *text;
	int code;
	const char *says;
} bad_files[] = {
    {"", KUBE_E_NOTFOUND, "sets no current-context"},
    {"{}", KUBE_E_NOTFOUND, "there are no contexts"},
    {"[]", KUBE_E_PARSE, "the kubeconfig $DIR/config is not valid: "},
    {"just words", KUBE_E_PARSE, "not a kubeconfig"},
    {"a: [", KUBE_E_PARSE, "$DIR/config is not valid: line "},
    {"kind: Pod", KUBE_E_INVALID, "it is a Pod"},
    {"apiVersion: v2", KUBE_E_INVALID, "apiVersion v2"},
    {"clusters: {}", KUBE_E_PARSE, "clusters"},
    {"clusters: [1]", KUBE_E_PARSE, "clusters[0]"},
    {"clusters: [{cluster: {}}]", KUBE_E_PARSE, "clusters[0].name"},
    {"users: [{name: u, user: [a]}]", KUBE_E_PARSE, "users[0].user"},
    {"contexts: [{name: c, context: {cluster: [a]}}]", KUBE_E_PARSE, "contexts[0].context.cluster"},
    {"current-context: [c]", KUBE_E_PARSE, "current-context"},
    {"clusters: [{name: k}, {name: k}]", KUBE_E_INVALID, "the cluster \"k\" occurs twice"},
    {"users: [{name: k}, {name: k}]", KUBE_E_INVALID, "the user \"k\" occurs twice"},
    {"contexts: [{name: k}, {name: k}]", KUBE_E_INVALID, "the context \"k\" occurs twice"},
    {"contexts: [{name: a}, {name: b}]", KUBE_E_NOTFOUND, "the contexts are: a, b"},
    {"current-context: x\ncontexts: [{name: a}, {name: b}]", KUBE_E_NOTFOUND,
     "has no context \"x\": the contexts are: a, b"},
    {"current-context: c\ncontexts: [{name: c}]", KUBE_E_INVALID, "the context \"c\" names no cluster"},
    {"current-context: c\ncontexts: [{name: c, context: {cluster: x}}]\n" PARTS, KUBE_E_NOTFOUND,
     "has no cluster \"x\": the clusters are: k"},
    {"current-context: c\ncontexts: [{name: c, context: {cluster: k, user: x}}]\n" PARTS, KUBE_E_NOTFOUND,
     "has no user \"x\": the users are: u, v"},
    {"current-context: c\ncontexts: [{name: c, context: {cluster: x}}]\n", KUBE_E_NOTFOUND, "there are no clusters"},
    {"a: &a {}\nusers: *a", KUBE_E_PARSE, "aliases"},
    {"kind: Config\nkind: Config", KUBE_E_PARSE, "occurs twice"},
};

START_TEST(refuses_bad_files)
{
	set_up();
	for (size_t i = 0; i < KUBE_ARRAY_LEN(bad_files); i++) {
		write_file("config", bad_files[i].text);
		ck_refused(bad_files[i].text, bad_files[i].code, bad_files[i].says);
	}
	tear_down();
}
END_TEST

START_TEST(bounds_a_list_of_names)
{
	struct kube_config *config = NULL;
	struct kube_err err;
	set_up();
	FILE *file = fopen(in_dir("config"), "w");
	fputs("contexts:\n", file);
	for (int i = 0; i < 1000; i++)
		fprintf(file, "- name: context-%d\n", i);
	fclose(file);
	ck_assert_int_eq(load(in_dir("config"), "x", &config, &err), KUBE_E_NOTFOUND);
	ck_assert_msg(strstr(err.message, "context-0, context-1") && strstr(err.message, "…"), "%s", err.message);
	file = fopen(in_dir("config"), "a");
	fputs("- name: one-more\n", file);
	fclose(file);
	ck_assert_int_eq(load(in_dir("config"), "x", &config, &err), KUBE_E_LIMIT);
	tear_down();
}
END_TEST

/* Which file, and which context. */
static const struct {
	const char *kubeconfig, *context; /* the options */
	const char *list, *home;          /* the environment */
	int code;
	const char *server, *token, *says;
} choices[] = {
    {"$DIR/config", NULL, "$DIR/second", "$DIR", 0, "https://first", "one", NULL},
    {NULL, NULL, "$DIR/second", "$DIR", 0, "https://second", "two", NULL},
    {"", "", "$DIR/second", "$DIR", 0, "https://second", "two", NULL},
    {NULL, NULL, "$DIR/config:$DIR/second", NULL, 0, "https://first", "one", NULL},
    {NULL, NULL, "$DIR/second:$DIR/config", NULL, 0, "https://second", "two", NULL},
    {NULL, NULL, "$DIR/gone::$DIR/second", NULL, 0, "https://second", "two", NULL},
    {NULL, "other", "$DIR/config:$DIR/second", NULL, 0, "https://first", "three",
     NULL}, /* cluster k of the first file */
    {NULL, NULL, NULL, "$DIR", 0, "https://home", "home", NULL},
    {NULL, NULL, "", "$DIR", 0, "https://home", "home", NULL},
    {"$DIR/gone", NULL, "$DIR/second", "$DIR", KUBE_E_NOTFOUND, NULL, NULL, "the kubeconfig $DIR/gone does not exist"},
    {"$DIR/config", "x", NULL, NULL, KUBE_E_NOTFOUND, NULL, NULL, "the contexts are: c"},
    {NULL, "x", "$DIR/config:$DIR/second", NULL, KUBE_E_NOTFOUND, NULL, NULL, "the contexts are: c, c, other"},
    {NULL, NULL, "$DIR/gone", "$DIR", KUBE_E_NOTFOUND, NULL, NULL, "no cluster is configured"}, /* the list, not home */
    {NULL, NULL, NULL, NULL, KUBE_E_NOTFOUND, NULL, NULL, "no cluster is configured"},
    {NULL, "x", NULL, NULL, KUBE_E_NOTFOUND, NULL, NULL, "no kubeconfig file to look the context \"x\" up"},
    {NULL, NULL, "$DIR/config:$DIR", NULL, KUBE_E_IO, NULL, NULL, "cannot read the kubeconfig $DIR"},
};

START_TEST(picks_the_file_and_the_context)
{
	set_up();
	write_config("config", "server: 'https://first'", "token: one");
	write_file("second", "current-context: c\n"
	                     "contexts: [{name: c, context: {cluster: k, user: u}},"
	                     " {name: other, context: {cluster: k, user: w}}]\n"
	                     "clusters: [{name: k, cluster: {server: 'https://second'}}]\n"
	                     "users: [{name: u, user: {token: two}}, {name: w, user: {token: three}}]\n");
	ck_assert_int_eq(mkdir(in_dir(".kube"), 0700), 0);
	write_config(".kube/config", "server: 'https://home'", "token: home");
	for (size_t i = 0; i < KUBE_ARRAY_LEN(choices); i++) {
		_cleanup_free_ char *kubeconfig = choices[i].kubeconfig ? expand(choices[i].kubeconfig) : NULL;
		_cleanup_free_ char *list = choices[i].list ? expand(choices[i].list) : NULL;
		_cleanup_free_ char *home = choices[i].home ? expand(choices[i].home) : NULL;
		_cleanup_free_ char *says = choices[i].says ? expand(choices[i].says) : NULL;
		struct kube_config *config = NULL;
		struct kube_err err;
		env_kubeconfig = list;
		env_home = home;
		int rc = load(kubeconfig, choices[i].context, &config, &err);
		ck_assert_msg(rc == choices[i].code, "row %zu: %d %s", i, rc, err.message);
		if (rc == 0) {
			ck_same("server", config->server, choices[i].server);
			ck_same("token", config->token, choices[i].token);
		} else {
			ck_assert_msg(strstr(err.message, says) != NULL, "row %zu: %s", i, err.message);
		}
		kube_config_free(config);
	}
	env_kubeconfig = env_home = NULL;
	tear_down();
}
END_TEST

static const struct {
	const char *host, *port, *missing; /* missing: a file that is taken away */
	int code;
	const char *server, *namespace_, *says;
} pods[] = {
    {"10.96.0.1", "443", NULL, 0, "https://10.96.0.1:443", "system", NULL},
    {"fd00::1", "443", NULL, 0, "https://[fd00::1]:443", "system", NULL},
    {"[fd00::1]", "443", NULL, 0, "https://[fd00::1]:443", "system", NULL},
    {"kubernetes.default.svc", "6443", "namespace", 0, "https://kubernetes.default.svc:6443", "default", NULL},
    {"10.96.0.1", "443", "token", KUBE_E_AUTH, NULL, NULL, "$DIR/token"},
    {"10.96.0.1", "443", "ca.crt", KUBE_E_NOTFOUND, NULL, NULL, "$DIR/ca.crt does not exist"},
    {"10.96.0.1", "no", NULL, KUBE_E_INVALID, NULL, NULL, "KUBERNETES_SERVICE_PORT"},
    {"10.96.0.1", "", NULL, KUBE_E_NOTFOUND, NULL, NULL, "no cluster is configured"},
    {NULL, "443", NULL, KUBE_E_NOTFOUND, NULL, NULL, "no cluster is configured"},
};

START_TEST(finds_itself_in_a_cluster)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(pods); i++) {
		struct kube_config *config = NULL;
		struct kube_err err;
		set_up();
		env_host = pods[i].host;
		env_port = pods[i].port;
		if (pods[i].missing)
			unlink(in_dir(pods[i].missing));
		env_kubeconfig = in_dir("empty"); /* an empty kubeconfig is none */
		_cleanup_free_ char *says = pods[i].says ? expand(pods[i].says) : NULL;
		int rc = load(NULL, NULL, &config, &err);
		ck_assert_msg(rc == pods[i].code, "row %zu: %d %s", i, rc, err.message);
		if (rc == 0) {
			ck_same("server", config->server, pods[i].server);
			ck_same("namespace", config->namespace_, pods[i].namespace_);
			ck_same("token_file", config->token_file, "$DIR/token");
			ck_same("ca", config->ca_pem, ca.cert_pem);
			ck_same("context", config->context, "in-cluster");
			ck_same("origin", config->origin, "$DIR");
			ck_assert_ptr_null(config->token);
		} else {
			ck_assert_msg(strstr(err.message, says) != NULL, "row %zu: %s", i, err.message);
		}
		kube_config_free(config);
		tear_down();
	}
	env_host = env_port = env_kubeconfig = NULL;
}
END_TEST

/* Someone who names a file or a context does not mean the pod's own cluster. */
START_TEST(explicit_choice_never_falls_back_to_the_pod)
{
	struct kube_config *config = NULL;
	struct kube_err err;
	set_up();
	env_host = "10.96.0.1";
	env_port = "443";
	ck_assert_int_eq(load(in_dir("empty"), NULL, &config, &err), KUBE_E_NOTFOUND);
	ck_assert_int_eq(load(in_dir("gone"), NULL, &config, &err), KUBE_E_NOTFOUND);
	ck_assert_int_eq(load(NULL, "c", &config, &err), KUBE_E_NOTFOUND);
	ck_assert_ptr_null(config);
	env_host = env_port = NULL;
	tear_down();
	kube_config_free(NULL);
}
END_TEST

CHECK_MAIN("config", reads_a_kubeconfig, refuses_bad_clusters_and_users, refuses_bad_files, bounds_a_list_of_names,
           picks_the_file_and_the_context, finds_itself_in_a_cluster, explicit_choice_never_falls_back_to_the_pod)
