/* What happens to requests: delays, refusals, answers that never come although the work was done. */
#include "test/sim/fault.h"

#include <string.h>

struct refusal {
	int status;
	const char *reason;
	bool retry_after;
};

static void refuse(struct world *world, struct kube_sim_fate *fate, const struct refusal *refusals, size_t count)
{
	const struct refusal *refusal = &refusals[draw_between(world, 0, (int64_t)count - 1)];

	fate->status = refusal->status;
	fate->reason = refusal->reason;
	fate->retry_after_s = refusal->retry_after && draw_chance(world, 70) ? (int)draw_between(world, 1, 5) : 0;
}

static void trouble_read(struct world *world, const struct kube_request *request, struct kube_sim_fate *fate)
{
	static const struct refusal refusals[] = {
	    {429, "TooManyRequests", true}, {500, "InternalError", false}, {503, "ServiceUnavailable", false},
	    {504, "Timeout", false},        {410, "Expired", false},       {403, "Forbidden", false},
	};

	(void)request;
	if (draw_chance(world, 70))
		refuse(world, fate, refusals, KUBE_ARRAY_LEN(refusals));
	else if (draw_chance(world, 70))
		fate->lost = true;
	else
		fate->silent = true;
}

static void trouble_write(struct world *world, const struct kube_request *request, struct kube_sim_fate *fate)
{
	static const struct refusal refusals[] = {
	    {409, "Conflict", false},           {429, "TooManyRequests", true}, {500, "InternalError", true},
	    {503, "ServiceUnavailable", false}, {504, "Timeout", true},
	};
	bool creation = strcmp(request->method, "POST") == 0;

	if (draw_chance(world, 60)) {
		refuse(world, fate, refusals + creation, KUBE_ARRAY_LEN(refusals) - creation);
		fate->done = fate->status >= 500 && draw_chance(world, 50);
		return;
	}
	fate->lost = draw_chance(world, 60);
	fate->silent = !fate->lost;
	if (draw_chance(world, 40)) { /* nothing was done, and the client does not know */
		fate->status = 500;
		fate->reason = "InternalError";
	}
}

void fault_request(void *arg, const struct kube_request *request, struct kube_sim_fate *fate)
{
	struct faults *faults = arg;
	struct world *world = faults->world;
	bool read = strcmp(request->method, "GET") == 0;

	fate->arrival_ms = draw_between(world, 0, faults->over ? 5 : faults->latency_ms);
	fate->answer_ms = draw_between(world, 0, faults->over ? 5 : faults->latency_ms);
	if (faults->over)
		return;
	fate->watch_lag_ms = draw_between(world, 0, faults->lag_ms);
	fate->behind_ms = draw_between(world, 0, faults->behind_ms);
	if (draw_between(world, 1, 1000) > faults->refused)
		return;
	if (read)
		trouble_read(world, request, fate);
	else
		trouble_write(world, request, fate);
	world_trace(world, "fault: %s %s: %d%s%s%s", request->method, request->target, fate->status,
	            fate->done ? ", done" : "", fate->lost ? ", answer lost" : "", fate->silent ? ", no answer" : "");
}
