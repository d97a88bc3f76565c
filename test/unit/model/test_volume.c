/* PersistentVolumes and VolumeAttachments: whose they are, and where. */
#include "controller/model/pod.h"
#include "controller/model/volume.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include <kube/time.h>
#include <stdio.h>

static struct volume *volume_of(const char *spec)
{
	static char text[2048];
	snprintf(text, sizeof(text), "{'metadata':{'name':'pv-1'},'spec':{%s}}", spec);
	return (struct volume *)object_of(&volume_projection, text);
}

static struct node node_of(const char *name, struct kube_str_pair *host)
{
	return (struct node){.object.name = name, .labels = {.items = host, .count = host ? 1 : 0}};
}

#define CLAIM "'claimRef':{'namespace':'shop','name':'data'}"
#define AFFINITY(terms) CLAIM ",'csi':{'driver':'x'},'nodeAffinity':{'required':{'nodeSelectorTerms':[" terms "]}}"
#define TERM(requirements) "{'matchExpressions':[" requirements "]}"
#define HOST(op, values) "{'key':'kubernetes.io/hostname','operator':'" op "','values':[" values "]}"

START_TEST(volumes)
{
	static const struct {
		const char *spec, *claim;
		bool bound; /* to node n1, whose hostname is h1 */
	} cases[] = {
	    {"'csi':{'driver':'x'}", "", false},
	    {CLAIM ",'csi':{'driver':'x'}", "shop/data", false},
	    {CLAIM ",'hostPath':{'path':'/data'}", "shop/data", true},
	    {CLAIM ",'local':{'path':'/data'}", "shop/data", true},
	    {AFFINITY(TERM(HOST("In", "'h1'"))), "shop/data", true},
	    {AFFINITY(TERM(HOST("In", "'n1'"))), "shop/data", true},
	    {AFFINITY(TERM(HOST("In", "'h2'"))), "shop/data", false},
	    {AFFINITY(TERM(HOST("In", "'h1','h2'"))), "shop/data", false},
	    {AFFINITY(TERM(HOST("NotIn", "'h1'"))), "shop/data", false},
	    {AFFINITY(TERM(HOST("Exists", ""))), "shop/data", false},
	    {AFFINITY(TERM("{'key':'topology.topolvm.io/node','operator':'In','values':['n1']}")), "shop/data", true},
	    {AFFINITY(TERM("{'key':'topology.ebs.csi.aws.com/zone','operator':'In','values':['eu-1']}")), "shop/data",
	     false},
	    {AFFINITY(TERM("{'key':'zone','operator':'In','values':['eu-1']}," HOST("In", "'h1'"))), "shop/data", true},
	    {AFFINITY(TERM(HOST("In", "'h1'")) "," TERM(HOST("In", "'h2'"))), "shop/data", false},
	    {AFFINITY("{'matchFields':[{'key':'metadata.name','operator':'In','values':['n1']}]}"), "shop/data", true},
	    {AFFINITY("{}"), "shop/data", false},
	    {"'claimRef':null,'nodeAffinity':null,'hostPath':null", "", false},
	};
	struct kube_str_pair host = {"kubernetes.io/hostname", "h1"};
	struct node node = node_of("n1", &host), bare = node_of("n9", NULL);

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct volume *volume = volume_of(cases[i].spec);
		const char *index = volume_claim_index(&volume->object);
		ck_assert_str_eq(volume->claim, cases[i].claim);
		ck_assert_str_eq(index ? index : "", cases[i].claim);
		ck_assert_msg(volume_bound_to(volume, &node) == cases[i].bound, "%s", cases[i].spec);
		ck_assert_int_eq(volume_bound_to(volume, &bare), volume->local);
		kube_object_unref(&volume->object);
	}
}
END_TEST

START_TEST(a_volume_that_is_bound_is_another)
{
	struct volume *free_one = volume_of("'csi':{}"), *bound = volume_of(CLAIM), *again = volume_of(CLAIM);
	ck_assert(!volume_projection.same(&free_one->object, &bound->object));
	ck_assert(volume_projection.same(&again->object, &bound->object));
	kube_object_unref(&free_one->object);
	kube_object_unref(&bound->object);
	kube_object_unref(&again->object);
}
END_TEST

START_TEST(attachments)
{
	struct attachment *attachment = (struct attachment *)object_of(
	    &attachment_projection,
	    "{'metadata':{'name':'csi-1'},'spec':{'attacher':'x','nodeName':'n1','source':{'persistentVolumeName':'pv-1'}},"
	    "'status':{'attached':true}}");
	ck_assert_str_eq(attachment->volume, "pv-1");
	ck_assert_str_eq(attachment_node_index(&attachment->object), "n1");
	kube_object_unref(&attachment->object);
	attachment = (struct attachment *)object_of(
	    &attachment_projection,
	    "{'metadata':{'name':'csi-2'},'spec':{'nodeName':'n1','source':{'inlineVolumeSpec':{}}}}");
	ck_assert_str_eq(attachment->volume, "");
	kube_object_unref(&attachment->object);
}
END_TEST

START_TEST(claims_of_pods)
{
	static const char text[] =
	    "{'metadata':{'name':'web-0','namespace':'shop'},'spec':{'volumes':[{'name':'a','emptyDir':{}},"
	    "{'name':'b','persistentVolumeClaim':{'claimName':'data-web-0'}},{'name':'scratch','ephemeral':{"
	    "'volumeClaimTemplate':{}}},{'name':'c','configMap':{'name':'x'}}]}}";
	struct pod *pod = (struct pod *)object_of(&pod_projection, text);
	ck_assert_str_eq(pod->claims[0], "data-web-0");
	ck_assert_str_eq(pod->claims[1], "web-0-scratch");
	ck_assert_ptr_null(pod->claims[2]);
	kube_object_unref(&pod->object);
	pod = (struct pod *)object_of(&pod_projection, "{'metadata':{'name':'web-0','namespace':'shop'},'spec':{}}");
	ck_assert_ptr_null(pod->claims);
	kube_object_unref(&pod->object);
}
END_TEST

/* As kured writes it: one node, or with --concurrency several. */
START_TEST(locks_of_daemon_sets)
{
	static const struct {
		const char *lock;
		size_t count;
		const char *last;
		int64_t until_ms;
	} cases[] = {
	    {"{\\'nodeID\\':\\'n1\\',\\'metadata\\':{\\'unschedulable\\':false},"
	     "\\'created\\':\\'2026-01-01T00:00:00.5Z\\',\\'TTL\\':0}",
	     1, "n1", KUBE_TIME_NONE},
	    {"{\\'nodeID\\':\\'n1\\',\\'created\\':\\'2026-01-01T00:00:00Z\\',\\'TTL\\':1800000000000}", 1, "n1",
	     INT64_C(1767225600000) + 1800000},
	    {"{\\'maxOwners\\':2,\\'locks\\':[{\\'nodeID\\':\\'n1\\'},{\\'nodeID\\':\\'n2\\'}]}", 2, "n2", KUBE_TIME_NONE},
	    {"{\\'maxOwners\\':2,\\'locks\\':[]}", 0, NULL, 0},
	    {"{}", 0, NULL, 0},
	    {"not JSON", 0, NULL, 0},
	    {"{\\'nodeID\\':7}", 0, NULL, 0},
	    {"", 0, NULL, 0},
	};
	char text[512];

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof(text),
		         "{'metadata':{'name':'kured','namespace':'x','annotations':{'weave.works/kured-node-lock':'%s'}}}",
		         cases[i].lock);
		struct daemon_set *d = (struct daemon_set *)object_of(&daemon_set_projection, text);
		ck_assert_msg(d->locks.count == cases[i].count, "%s", cases[i].lock);
		if (d->locks.count) {
			ck_assert_str_eq(d->locks.items[d->locks.count - 1].node, cases[i].last);
			ck_assert_int_eq(d->locks.items[d->locks.count - 1].until_ms, cases[i].until_ms);
		}
		kube_object_unref(&d->object);
	}
}
END_TEST

START_TEST(a_lock_that_changes_is_another)
{
	static const char bare[] = "{'metadata':{'name':'kured','namespace':'x'}}";
	static const char locked[] =
	    "{'metadata':{'name':'kured','namespace':'x','annotations':{'weave.works/kured-node-lock':'{}'}}}";
	struct kube_object *free_one = object_of(&daemon_set_projection, bare);
	struct kube_object *again = object_of(&daemon_set_projection, bare);
	struct kube_object *held = object_of(&daemon_set_projection, locked);
	ck_assert(daemon_set_projection.same(free_one, again));
	ck_assert(!daemon_set_projection.same(free_one, held));
	kube_object_unref(free_one);
	kube_object_unref(again);
	kube_object_unref(held);
}
END_TEST

START_TEST(pods_that_upgrade_a_node)
{
	static const struct {
		const char *labels, *phase, *index;
	} cases[] = {{"'upgrade.cattle.io/node':'n1'", "Running", "n1"},
	             {"'upgrade.cattle.io/node':'n1'", "Pending", "n1"},
	             {"'upgrade.cattle.io/node':'n1'", "Succeeded", NULL},
	             {"'upgrade.cattle.io/node':'n1'", "Failed", NULL},
	             {"'app':'n1'", "Running", NULL}};
	char text[256];

	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof(text), "{'metadata':{'name':'p','namespace':'x','labels':{%s}},'status':{'phase':'%s'}}",
		         cases[i].labels, cases[i].phase);
		struct kube_object *pod = object_of(&pod_projection, text);
		ck_assert_pstr_eq(pod_upgrade_index(pod), cases[i].index);
		kube_object_unref(pod);
	}
}
END_TEST

CHECK_MAIN("model/volume", locks_of_daemon_sets, a_lock_that_changes_is_another, pods_that_upgrade_a_node, volumes,
           a_volume_that_is_bound_is_another, attachments, claims_of_pods)
