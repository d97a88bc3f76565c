/* Memory, actions, conditions and decisions: what all parts of the planner build their results with. */
#include "controller/plan/internal.h"
#include <kube/digest.h>
#include <stdio.h>
#include <string.h>

static void out_of_memory(void)
{
	static const char text[] = "patchwright: out of memory while planning; the work goes on after a restart\n";
	fwrite(text, 1, sizeof(text) - 1, stderr);
	_Exit(70);
}

void *plan_alloc(struct kube_arena *arena, size_t size)
{
	void *memory = kube_arena_alloc(arena, size ? size : 1);
	if (!memory)
		out_of_memory();
	return memory;
}

const char *plan_printf(struct kube_arena *arena, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *text = kube_arena_vprintf(arena, fmt, ap);
	va_end(ap);
	if (!text)
		out_of_memory();
	return text;
}

/* Room for one more item in an arena array; doubles by copying, as an arena cannot grow in place. */
static void *grow(struct kube_arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	size_t wanted = *capacity ? *capacity * 2 : 16;
	void *larger = plan_alloc(arena, wanted * size);
	if (count)
		memcpy(larger, items, count * size);
	*capacity = wanted;
	return larger;
}

struct action *plan_add_action(struct actions *actions, enum action_type type, struct kube_arena *arena)
{
	actions->items = grow(arena, actions->items, actions->count, &actions->capacity, sizeof(*actions->items));
	struct action *action = &actions->items[actions->count++];
	action->type = type;
	return action;
}

struct conditions plan_conditions(struct kube_arena *arena)
{
	return (struct conditions){.items = plan_alloc(arena, MAX_WANTED_CONDITIONS * sizeof(struct condition))};
}

void plan_want(struct conditions *conditions, const char *type, int status, const char *reason, const char *message)
{
	if (conditions->count == MAX_WANTED_CONDITIONS)
		return;
	conditions->items[conditions->count++] =
	    (struct condition){.type = type, .status = status, .reason = reason, .message = message};
}

int64_t earlier_ms(int64_t a_ms, int64_t b_ms)
{
	if (a_ms == KUBE_TIME_NONE || b_ms == KUBE_TIME_NONE)
		return a_ms == KUBE_TIME_NONE ? b_ms : a_ms;
	return a_ms < b_ms ? a_ms : b_ms;
}

void look_again_at(struct rollout_result *out, int64_t at_ms)
{
	out->look_again_ms = earlier_ms(out->look_again_ms, at_ms);
}

/* Overriding one rule says nothing about overriding another one. */
static const char *decision_id(const struct pass *pass, enum decision_type type, const char *subject, int64_t attempt,
                               const char *rule)
{
	char digest[KUBE_SHA256_HEX_SIZE];
	bool by_rule = type == DECISION_OVERRIDE;
	const char *text =
	    plan_printf(pass->arena, "%s/%s/%lld/%s%s%s", pass->s->rollout->object.uid, subject, (long long)attempt,
	                decision_type_names[type], by_rule ? "/" : "", by_rule ? rule : "");
	kube_sha256_hex(text, strlen(text), digest);
	return plan_printf(pass->arena, "%.16s", digest);
}

void decide_as(struct pass *pass, const char *actor, enum decision_type type, const char *subject, int64_t attempt,
               const char *rule, const char *reason, const char *evidence)
{
	struct rollout_status *want = pass->want;
	want->decisions.items = grow(pass->arena, want->decisions.items, want->decisions.count, &pass->decision_capacity,
	                             sizeof(*want->decisions.items));
	want->decisions.items[want->decisions.count++] = (struct decision){
	    .id = decision_id(pass, type, subject, attempt, rule),
	    .at_ms = pass->s->now_ms,
	    .type = type,
	    .subject = subject,
	    .rule = rule,
	    .actor = actor,
	    .reason = reason,
	    .evidence = evidence,
	};
}

void decide(struct pass *pass, enum decision_type type, const char *subject, int64_t attempt, const char *rule,
            const char *reason, const char *evidence)
{
	decide_as(pass, "patchwright", type, subject, attempt, rule, reason, evidence);
}

void emit_event(struct pass *pass, const struct kube_object *regarding, bool warning, const char *reason,
                const char *action, const char *note)
{
	struct action *emit = plan_add_action(&pass->out->actions, ACTION_EMIT_EVENT, pass->arena);
	emit->event = (struct event_emit){
	    .regarding = regarding, .warning = warning, .reason = reason, .action = action, .note = note};
}

const char *wave_name(const struct pass *pass, int64_t wave)
{
	bool known = wave >= 0 && (size_t)wave < pass->rules->waves.count;
	return known ? pass->rules->waves.items[wave].name : "";
}
