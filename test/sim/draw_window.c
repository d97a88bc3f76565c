/* What a seed draws: spec.windows and spec.freezes. */
#include "test/sim/world.h"

#include <kube/time.h>

#define MINUTE_MS INT64_C(60000)

/* Each hour, or every other one, for long enough that the slowest node fits. */
static void add_cron(struct world *world, struct kube_buf *out)
{
	kube_buf_addf(out, "{'name':'cron','type':'Cron','schedule':'%lld %s * * *','duration':'%lldm'}",
	              (long long)draw_between(world, 0, 59), draw_chance(world, 70) ? "*" : "*/2",
	              (long long)draw_between(world, 40, 58));
}

/* All of them begin on a Thursday at midnight. */
static void add_weekly(struct world *world, struct kube_buf *out)
{
	kube_buf_addf(out,
	              "{'name':'weekly','type':'Weekly','days':['Thu'],'start':'%02lld:%02lld','duration':'%lldm',"
	              "'timeZone':'UTC'}",
	              (long long)draw_between(world, 0, 1), (long long)draw_between(world, 0, 59),
	              (long long)draw_between(world, 300, 420)); /* it outlives the run */
}

static void add_freeze(struct world *world, struct kube_buf *out)
{
	int64_t from_ms = world_now_ms(world) + draw_between(world, -10, 20) * MINUTE_MS;
	char from[KUBE_TIME_TEXT_SIZE], to[KUBE_TIME_TEXT_SIZE];

	kube_time_format(from_ms, from);
	kube_time_format(from_ms + draw_between(world, 1, 40) * MINUTE_MS, to);
	kube_buf_addf(out, ",'freezes':[{'name':'freeze','from':'%s','to':'%s','reason':'a quiet week'}]", from, to);
}

void draw_windows(struct world *world, struct kube_buf *out)
{
	bool cron = draw_chance(world, 50);

	if (draw_chance(world, 20)) {
		kube_buf_adds(out, ",'windows':[");
		if (cron)
			add_cron(world, out);
		if (!cron || draw_chance(world, 30)) {
			kube_buf_adds(out, cron ? "," : "");
			add_weekly(world, out);
		}
		kube_buf_adds(out, "]");
	}
	if (draw_chance(world, 10))
		add_freeze(world, out);
}
