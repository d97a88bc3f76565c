/* What a seed draws: spec.patches. */
#include "test/sim/world.h"

#include <string.h>

/* Of a component: what the first nodes show is older than `wanted`. */
static const struct choice {
	const char *name, *wanted, *supported_from, *too_new; /* ranges that hold for what nodes show, and do not */
	const char *observed;
} components[] = {
    {"ContainerRuntime", "1.7.27", ">=1.6.0 <2.0.0", ">=1.7.0", NULL},
    {"Kubelet", "1.33.5", ">=1.33.0", ">=1.33.2", NULL},
    {"Kernel", "6.1.90", ">=6.1.0", ">=6.1.50", NULL},
    {"Custom", "2.0.0", ">=1.0.0", ">=1.5.0", "{'type':'Label','label':'firmware'}"},
};

/* What a job has besides. Each by itself: the next one has it or not. */
static void add_equipment(struct world *world, struct kube_buf *out)
{
	static const char *const equipment[] = {
	    ",'env':[{'name':'MIRROR','value':'registry.example'},{'name':'QUIET','value':''}]",
	    ",'secrets':[{'name':'" PATCHER_SECRET "','path':'/run/secrets/patcher'}]",
	    ",'hostPath':''",
	    ",'privileged':false",
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(equipment); i++)
		if (draw_rare(world, 10))
			kube_buf_adds(out, equipment[i]);
}

/* A job that is meant to reboot its node says so to the host by its arguments. */
static void add_job(struct world *world, struct kube_buf *out, const char *name, bool reboots)
{
	kube_buf_addf(out,
	              "'%s':{'image':'i@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',"
	              "'timeout':'%llds'%s",
	              name, (long long)draw_between(world, 30, 180), reboots ? ",'args':['reboot']" : "");
	if (draw_chance(world, 25))
		kube_buf_addf(out, ",'retries':%lld", (long long)draw_between(world, 1, 3));
	add_equipment(world, out);
	kube_buf_adds(out, "}");
}

static void add_other_jobs(struct world *world, struct kube_buf *out, bool verified)
{
	static const struct {
		const char *name;
		int percent;
	} jobs[] = {{"rollback", 60}, {"prepare", 15}, {"verify", 15}};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(jobs); i++)
		if (draw_chance(world, jobs[i].percent) || (verified && strcmp(jobs[i].name, "verify") == 0)) {
			kube_buf_adds(out, ",");
			add_job(world, out, jobs[i].name, false);
		}
}

static void add_patch(struct world *world, struct kube_buf *out, const struct choice *choice)
{
	bool reboots = draw_chance(world, 15);

	kube_buf_addf(out, "{'component':'%s','observeTimeout':'%llds',", choice->name,
	              (long long)draw_between(world, 20, 120));
	bool follows = strcmp(choice->name, "ContainerRuntime") == 0 && draw_channel(world, out);
	if (!follows)
		kube_buf_addf(out, "'version':'%s',", choice->wanted);
	bool unseen = choice->observed && draw_chance(world, 40); /* no node shows it: it is noted when it was verified */
	if (choice->observed && !unseen)
		kube_buf_addf(out, "'observed':%s,",
		              world->annotates ? "{'type':'Annotation','annotation':'" FIRMWARE_SHOWN "'}" : choice->observed);
	if (draw_chance(world, 15))
		kube_buf_addf(out, "'supportedFrom':['%s'],",
		              draw_chance(world, 80) ? choice->supported_from : choice->too_new);
	if (!follows && draw_chance(world, 15))
		kube_buf_adds(out, "'allowDowngrade':true,");
	if (reboots)
		kube_buf_addf(out, "'reboot':{'expected':true,'timeout':'%llds'},", (long long)draw_between(world, 100, 300));
	add_job(world, out, "job", reboots);
	add_other_jobs(world, out, unseen);
	kube_buf_adds(out, "}");
}

/* Policy 0 brings its nodes to another runtime, the others to another kubelet; some of them to more than that. */
void draw_patches(struct world *world, size_t index, struct kube_buf *out)
{
	size_t main = index == 0 ? 0 : 1;

	kube_buf_adds(out, "'patches':[");
	add_patch(world, out, &components[main]);
	for (size_t i = main + 1; i < KUBE_ARRAY_LEN(components); i++)
		if (draw_chance(world, 15)) {
			kube_buf_adds(out, ",");
			add_patch(world, out, &components[i]);
		}
	kube_buf_adds(out, "]");
}
