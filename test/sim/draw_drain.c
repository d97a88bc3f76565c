/* What a seed draws: spec.drain. */
#include "test/sim/world.h"

/* Workloads are labelled app=app0, app1, … */
static void add_order(struct world *world, struct kube_buf *out)
{
	int64_t count = draw_between(world, 1, 3), rest = draw_between(world, 0, 4);

	kube_buf_adds(out, ",'order':[");
	for (int64_t i = 0; i < count; i++)
		if (i == rest)
			kube_buf_addf(out, "%s{'name':'rest','selector':{}}", i ? "," : "");
		else
			kube_buf_addf(out, "%s{'name':'g%lld','selector':{'matchLabels':{'app':'app%lld'}}}", i ? "," : "",
			              (long long)i, (long long)((i + rest) % 5));
	kube_buf_adds(out, "]");
}

void draw_drain(struct world *world, struct kube_buf *out)
{
	static const char *const answers[] = {"Abort", "Force", "Skip", "Quarantine"};
	int64_t timeout_s = draw_between(world, 60, 400);

	kube_buf_addf(out,
	              "'drain':{'enabled':%s,'timeout':'%llds','onTimeout':'%s','parallelism':%lld,"
	              "'deleteEmptyDirData':%s,'unmanagedPods':'%s'",
	              draw_chance(world, 90) ? "true" : "false", (long long)timeout_s, answers[draw_between(world, 0, 3)],
	              (long long)draw_between(world, 1, 10), draw_chance(world, 70) ? "true" : "false",
	              draw_chance(world, 70) ? "Delete" : "Block");
	if (draw_chance(world, 20))
		kube_buf_addf(out, ",'waitForJobs':'%llds'", (long long)draw_between(world, 0, timeout_s - 1));
	if (draw_chance(world, 20))
		kube_buf_addf(out, ",'skipWaitForDeleteTimeout':'%llds'", (long long)draw_between(world, 1, 120));
	if (draw_chance(world, 20))
		kube_buf_addf(out, ",'gracePeriodSeconds':%lld", (long long)draw_between(world, 0, 59));
	if (draw_chance(world, 30))
		kube_buf_adds(out, ",'localVolumes':'Delete'");
	if (draw_chance(world, 20))
		kube_buf_adds(out, ",'waitForVolumeDetach':false");
	if (draw_chance(world, 15))
		kube_buf_adds(out, ",'podSelector':{'matchExpressions':[{'key':'app','operator':'NotIn','values':['app1']}]}");
	if (draw_chance(world, 20) || world->theme == THEME_ROOM)
		kube_buf_adds(out, ",'requireCapacity':true");
	if (draw_chance(world, 30))
		add_order(world, out);
	kube_buf_adds(out, "}");
}
