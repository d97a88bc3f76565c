/*
 * The soak of a wave: its patched nodes must be Ready, and show their versions, for a time without a break. A node that
 * turns bad meanwhile begins the soak anew when it is back. It has failed when it is not back within settle.timeout,
 * shows an older version, or comes and goes so often that the soak is not over in time; what failed so uses up the
 * failure budget like any other failure.
 */
#include "controller/plan/internal.h"

/* One break just before the end, as long as it may be, and another soak: more than that is no bad luck any more. */
static int64_t soak_deadline(const struct pass *pass, const struct wave_status *wave, int64_t soak_ms)
{
	return wave->finished_ms + 2 * soak_ms + pass->rules->settle_timeout_ms;
}

static void lose(struct pass *pass, const struct target_pass *target, struct soak_view *view, const char *reason,
                 const char *message)
{
	const char *node = target->view->target->node;

	if (!list_failure(pass, target, reason, message)) {
		view->unlisted = pass->s->rollout->status.failed.count >= MAX_FAILED;
		return;
	}
	view->lost++;
	decide(pass, DECISION_FAIL, node, target->state->attempt, "soak", reason, message);
	emit_event(pass, &target->view->node->object, true, reason, "Soak", message);
	emit_event(pass, &pass->s->rollout->object, true, "TargetFailed", "Fail",
	           plan_printf(pass->arena, "%s: %s", node, message));
}

/* The bad one, or the one that came back last. */
struct suspect {
	const struct target_pass *target;
	int64_t since_ms;
};

static int64_t down_since(const struct node *node, const struct wave_status *wave)
{
	return node->ready_since_ms == KUBE_TIME_NONE ? wave->finished_ms : node->ready_since_ms;
}

/* The condition has whole seconds, rounded down. */
static int64_t ready_after(const struct node *node)
{
	return node->ready_since_ms == KUBE_TIME_NONE ? KUBE_TIME_NONE : node->ready_since_ms + 999;
}

static void look_at_down(struct pass *pass, const struct target_pass *target, struct wave_status *wave,
                         struct suspect *down, struct soak_view *view)
{
	const struct node *node = target->view->node;
	int64_t since = down_since(node, wave), limit = since + pass->rules->settle_timeout_ms;
	char text[KUBE_TIME_TEXT_SIZE], time[KUBE_DURATION_TEXT_SIZE];

	if (pass->s->now_ms >= limit) {
		lose(pass, target, view, "NodeNotReady",
		     plan_printf(pass->arena, "it was patched, and is not Ready since %s: longer than settle.timeout (%s)",
		                 kube_time_format(since, text), kube_duration_format(pass->rules->settle_timeout_ms, time)));
		return;
	}
	look_again_at(pass->out, limit);
	if (!down->target || since < down->since_ms)
		*down = (struct suspect){target, since};
}

/* What became of the wave's nodes that are patched and have not failed since. */
static void look_at_nodes(struct pass *pass, size_t index, struct wave_status *wave, struct suspect *down,
                          struct suspect *last, struct soak_view *view)
{
	for (size_t i = 0; i < pass->s->target_count; i++) {
		const struct target_pass *target = &pass->targets[i];
		const struct node *node = target->view->node;
		if ((size_t)target->view->target->wave != index || !target_patched(pass, target))
			continue;
		enum standing standing = target_standing(pass, node);
		if (standing == STANDING_OUTDATED || standing == STANDING_REFUSED) /* older than what it came from, too */
			lose(pass, target, view, "VersionLost",
			     plan_printf(pass->arena, "it was patched, and shows %s again",
			                 shown_version(node, &pass->rules->patches.items[0])));
		else if (!node->ready)
			look_at_down(pass, target, wave, down, view);
		else if (!last->target || ready_after(node) > last->since_ms)
			*last = (struct suspect){target, ready_after(node)};
	}
}

static void tell_break(struct pass *pass, struct wave_status *wave, const struct suspect *down)
{
	char since[KUBE_TIME_TEXT_SIZE], limit[KUBE_TIME_TEXT_SIZE];

	wave->soak_until_ms = KUBE_TIME_NONE;
	wave->reason = "NodeNotReady";
	wave->message = plan_printf(
	    pass->arena, "%s is not Ready since %s: the soak begins anew when it is, and the node has failed at %s",
	    down->target->view->target->node, kube_time_format(down->since_ms, since),
	    kube_time_format(down->since_ms + pass->rules->settle_timeout_ms, limit));
}

static const char *soak_text(const struct pass *pass, const struct wave_status *wave, const struct wave_spec *spec)
{
	char soak[KUBE_DURATION_TEXT_SIZE];
	return plan_printf(pass->arena, "wave %s would soak for %s", wave->name, kube_duration_format(spec->soak_ms, soak));
}

void soak_look(struct pass *pass, size_t index, struct wave_status *wave, struct soak_view *ret_view)
{
	const struct wave_spec *spec = &pass->rules->waves.items[index];
	int64_t soak_ms = may_bypass(pass, BYPASS_SOAK) ? 0 : spec->soak_ms; /* its nodes must be well all the same */
	struct suspect down = {0}, last = {.since_ms = KUBE_TIME_NONE};
	int64_t deadline = soak_deadline(pass, wave, soak_ms);

	*ret_view = (struct soak_view){0};
	look_at_nodes(pass, index, wave, &down, &last, ret_view);
	int64_t quiet_since = last.since_ms > wave->finished_ms ? last.since_ms : wave->finished_ms;
	int64_t end = (down.target ? pass->s->now_ms : quiet_since) + soak_ms;
	if (end > deadline) {
		const struct suspect *worst = down.target ? &down : &last;
		char soak[KUBE_DURATION_TEXT_SIZE], time[KUBE_DURATION_TEXT_SIZE];
		lose(
		    pass, worst->target, ret_view, "NodeUnstable",
		    plan_printf(pass->arena,
		                "it was patched, and turned NotReady again and again: its wave could not soak for %s within %s",
		                kube_duration_format(soak_ms, soak), kube_duration_format(deadline - wave->finished_ms, time)));
		return;
	}
	if (down.target) {
		tell_break(pass, wave, &down);
		return;
	}
	wave->soak_until_ms = end;
	wave->reason = "Soaking";
	wave->message = "";
	ret_view->over = !ret_view->lost && pass->s->now_ms >= end; /* what was lost stands in the status first */
	if (pass->s->now_ms < end)
		look_again_at(pass->out, end);
	else if (ret_view->over && pass->s->now_ms < quiet_since + spec->soak_ms)
		decide_override(pass, BYPASS_SOAK, soak_text(pass, wave, spec));
}
