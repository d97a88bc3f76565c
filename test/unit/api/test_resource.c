#include "test/unit/check_main.h"

#include <kube/resource.h>
#include <string.h>

static char long_name[300];

START_TEST(paths)
{
	static const struct {
		const struct kube_resource *resource;
		const char *namespace_, *name, *subresource, *path;
	} cases[] = {
	    {&kube_nodes, NULL, NULL, NULL, "/api/v1/nodes"},
	    {&kube_nodes, "", "a.b-c", "status", "/api/v1/nodes/a.b-c/status"},
	    {&kube_namespaces, NULL, "kube-system", NULL, "/api/v1/namespaces/kube-system"},
	    {&kube_pods, NULL, NULL, NULL, "/api/v1/pods"},
	    {&kube_pods, "", NULL, NULL, "/api/v1/pods"},
	    {&kube_pods, "ns", NULL, NULL, "/api/v1/namespaces/ns/pods"},
	    {&kube_pods, "ns", "p-0", "eviction", "/api/v1/namespaces/ns/pods/p-0/eviction"},
	    {&kube_pdbs, NULL, NULL, NULL, "/apis/policy/v1/poddisruptionbudgets"},
	    {&kube_controller_revisions, "n", "r", NULL, "/apis/apps/v1/namespaces/n/controllerrevisions/r"},
	    {&kube_leases, "n", "l", NULL, "/apis/coordination.k8s.io/v1/namespaces/n/leases/l"},
	    {&kube_events, "default", NULL, NULL, "/apis/events.k8s.io/v1/namespaces/default/events"},
	    {&kube_replica_sets, NULL, NULL, NULL, "/apis/apps/v1/replicasets"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct kube_buf out;
		kube_buf_init(&out, 1024);
		ck_assert_int_eq(kube_buf_adds(&out, "x"), 0); /* appended */
		ck_assert_int_eq(
		    kube_resource_path(&out, cases[i].resource, cases[i].namespace_, cases[i].name, cases[i].subresource, NULL),
		    0);
		ck_assert_str_eq(out.data + 1, cases[i].path);
	}
}
END_TEST

/* Nothing that comes from data may lead to another path. */
START_TEST(names_are_checked)
{
	static const struct {
		const struct kube_resource *resource;
		const char *namespace_, *name, *subresource;
	} cases[] = {
	    {&kube_pods, "ns", "", NULL},        {&kube_pods, "ns", "a/b", NULL},
	    {&kube_pods, "ns", "..", NULL},      {&kube_pods, "ns", "a..b", NULL},
	    {&kube_pods, "ns", ".a", NULL},      {&kube_pods, "ns", "a.", NULL},
	    {&kube_pods, "ns", "-a", NULL},      {&kube_pods, "ns", "a-", NULL},
	    {&kube_pods, "ns", "a.-b", NULL},    {&kube_pods, "ns", "a-.b", NULL},
	    {&kube_pods, "ns", "A", NULL},       {&kube_pods, "ns", "a?b", NULL},
	    {&kube_pods, "ns", "a%2Fb", NULL},   {&kube_pods, "ns", "a b", NULL},
	    {&kube_pods, "ns", "a\n", NULL},     {&kube_pods, "ns", "\xC3\xA4", NULL},
	    {&kube_pods, "ns", long_name, NULL}, {&kube_pods, "a.b", "a", NULL}, /* a namespace is one label */
	    {&kube_pods, "../x", "a", NULL},     {&kube_pods, NULL, "a", NULL},  /* needs its namespace */
	    {&kube_pods, "", "a", NULL},         {&kube_nodes, "ns", "a", NULL}, /* has none */
	    {&kube_pods, "ns", "a", "x/y"},      {&kube_pods, "ns", "a", ""},
	    {&kube_pods, "ns", NULL, "status"},
	};

	memset(long_name, 'a', 254);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct kube_buf out;
		struct kube_err err;
		kube_buf_init(&out, 1024);
		ck_assert_int_eq(
		    kube_resource_path(&out, cases[i].resource, cases[i].namespace_, cases[i].name, cases[i].subresource, &err),
		    KUBE_E_INVALID);
		ck_assert_uint_eq(out.len, 0);
		ck_assert_ptr_nonnull(strstr(err.message, cases[i].resource->kind[0] == 'N' ? "Node" : "\""));
	}
	_cleanup_buf_ struct kube_buf out;
	kube_buf_init(&out, 1024);
	long_name[253] = '\0';
	ck_assert_int_eq(kube_resource_path(&out, &kube_pods, "ns", long_name, NULL, NULL), 0);
}
END_TEST

START_TEST(no_room)
{
	_cleanup_buf_ struct kube_buf out;
	struct kube_err err;

	kube_buf_init(&out, 12);
	ck_assert_int_eq(kube_resource_path(&out, &kube_nodes, NULL, "a", NULL, &err), KUBE_E_LIMIT);
	ck_assert_int_eq(err.code, KUBE_E_LIMIT);
}
END_TEST

START_TEST(api_versions)
{
	_cleanup_buf_ struct kube_buf out;

	kube_buf_init(&out, 64);
	ck_assert_int_eq(kube_resource_api_version(&out, &kube_nodes), 0);
	ck_assert_int_eq(kube_buf_adds(&out, " "), 0);
	ck_assert_int_eq(kube_resource_api_version(&out, &kube_leases), 0);
	ck_assert_str_eq(out.data, "v1 coordination.k8s.io/v1");
}
END_TEST

CHECK_MAIN("api/resource", paths, names_are_checked, no_room, api_versions)
