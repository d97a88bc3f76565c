/* What a seed draws: spec.strategy. */
#include "test/sim/world.h"

static void add_order(struct world *world, struct kube_buf *out)
{
	static const char *const keys[] = {"Criticality", "Zone", "PodCount", "Name"};
	int64_t first = draw_between(world, 0, 3), count = draw_between(world, 1, 4);

	kube_buf_adds(out, "'order':[");
	for (int64_t i = 0; i < count; i++)
		kube_buf_addf(out, "%s'%s'", i ? "," : "", keys[(first + i) % 4]);
	kube_buf_adds(out, "],");
}

static void add_limit(struct world *world, struct kube_buf *out)
{
	if (draw_chance(world, 30))
		kube_buf_addf(out, "'maxUnavailable':'%lld%%',", (long long)draw_between(world, 5, 60));
	else
		kube_buf_addf(out, "'maxUnavailable':%lld,", (long long)draw_between(world, 1, 4));
}

static void add_failure_budget(struct world *world, struct kube_buf *out)
{
	if (draw_chance(world, 40))
		kube_buf_addf(out, "'failureBudget':%lld,", (long long)draw_between(world, 0, 4));
	else if (draw_chance(world, 30))
		kube_buf_addf(out, "'failureBudget':'%lld%%',", (long long)draw_between(world, 0, 50));
}

static void add_topology(struct world *world, struct kube_buf *out)
{
	kube_buf_addf(out, "'topology':{'key':'topology.kubernetes.io/zone','maxDomainsInProgress':%lld}",
	              (long long)draw_between(world, 1, 2));
}

static void add_wave(struct world *world, struct kube_buf *out, int64_t number, bool last)
{
	kube_buf_addf(out, "%s{'name':'w%lld','soak':'%llds'", number > 1 ? "," : "", (long long)number,
	              (long long)(draw_chance(world, 30) ? 0 : draw_between(world, 1, 90)));
	bool selector = !last && draw_chance(world, 20);
	if (selector)
		kube_buf_addf(out, ",'selector':{'matchLabels':{'topology.kubernetes.io/zone':'z%lld'}}",
		              (long long)draw_between(world, 1, 3));
	if (!last && draw_chance(world, 30))
		kube_buf_addf(out, ",'size':'%lld%%'", (long long)draw_between(world, 1, 45));
	else if (!last && (!selector || draw_chance(world, 50)))
		kube_buf_addf(out, ",'size':%lld", (long long)draw_between(world, 1, 4));
	if (draw_chance(world, 20))
		kube_buf_addf(out, ",'maxUnavailable':%lld", (long long)draw_between(world, 1, 6));
	if (draw_chance(world, 10)) {
		kube_buf_adds(out, ",");
		add_topology(world, out);
	}
	if (draw_chance(world, 10))
		kube_buf_adds(out, ",'approval':true");
	kube_buf_adds(out, "}");
}

void draw_approval(struct world *world, struct kube_buf *out)
{
	static const char *const modes[] = {"None", "Rollout", "Wave"};
	kube_buf_addf(out, ",'approval':{'mode':'%s','required':%lld,'separationOfDuties':%s,'expiresAfter':'%lldm'}",
	              modes[draw_between(world, 0, 2)], (long long)draw_between(world, 1, 2),
	              draw_chance(world, 70) ? "true" : "false", (long long)draw_between(world, 5, 120));
}

void draw_strategy(struct world *world, struct kube_buf *out)
{
	int64_t waves = draw_between(world, 1, 3);

	kube_buf_adds(out, "'strategy':{");
	if (draw_chance(world, 30))
		add_order(world, out);
	add_limit(world, out);
	add_failure_budget(world, out);
	if (draw_chance(world, 30)) {
		add_topology(world, out);
		kube_buf_adds(out, ",");
	}
	kube_buf_adds(out, "'waves':[");
	for (int64_t i = 1; i <= waves; i++)
		add_wave(world, out, i, i == waves);
	kube_buf_addf(out, "],'settle':{'readyFor':'%llds','timeout':'%llds'},'onFailure':'%s'}",
	              (long long)draw_between(world, 0, 15), (long long)draw_between(world, 60, 300),
	              draw_chance(world, 50) ? "Quarantine" : "Uncordon");
}
