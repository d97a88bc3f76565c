/*
 * Gates: what must hold outside before a node is started. A gate that is closed, or whose source cannot be asked, holds
 * new work only. An answer counts for the gate's interval; then it is asked again, as long as a node waits for it.
 */
#include "controller/plan/internal.h"
#include <string.h>

#define NOBODY "$." /* no text matches: even the empty one, which a missing label is, lacks the character */
#define STATUS_TIME_MS 1000
#define SLOW_SERVER_MS (60 * 1000) /* twice the time that a request may take */

/* ---- {{active}} ---- */

/* Of what a node's name may hold only the dot means something else to a regular expression. A class needs no backslash,
 * which quotes of PromQL would have to double. */
static const char *as_regex(const char *name, struct kube_arena *arena)
{
	const char *text = "";
	for (const char *dot; (dot = strchr(name, '.')); name = dot + 1)
		text = plan_printf(arena, "%s%.*s[.]", text, (int)(dot - name), name);
	return plan_printf(arena, "%s%s", text, name);
}

const char *gate_query(const char *query, const struct active *active, size_t active_count, struct kube_arena *arena)
{
	const char *nodes = active_count ? "" : NOBODY, *text = "";
	if (!strstr(query, GATE_PLACEHOLDER_ACTIVE))
		return query;
	for (size_t i = 0; i < active_count; i++)
		nodes = plan_printf(arena, "%s%s%s", nodes, i ? "|" : "", as_regex(active[i].node, arena));
	for (const char *at; (at = strstr(query, GATE_PLACEHOLDER_ACTIVE)); query = at + strlen(GATE_PLACEHOLDER_ACTIVE))
		text = plan_printf(arena, "%s%.*s%s", text, (int)(at - query), query, nodes);
	return plan_printf(arena, "%s%s", text, query);
}

static void ask(struct pass *pass, const struct gate_spec *gate)
{
	struct rollout_result *out = pass->out;
	const struct rollout_status *want = pass->want;
	if (!out->questions.items)
		out->questions.items = plan_alloc(pass->arena, MAX_GATES * sizeof(*out->questions.items));
	out->questions.items[out->questions.count++] = (struct question){
	    .gate = gate,
	    .query = gate->type == GATE_PROMETHEUS
	                 ? gate_query(gate->prometheus.query, want->active.items, want->active.count, pass->arena)
	                 : NULL,
	};
}

/* ---- the status ---- */

static const struct gate_status *find(const struct rollout_status *status, const char *name)
{
	for (size_t i = 0; i < status->gates.count; i++)
		if (strcmp(status->gates.items[i].name, name) == 0)
			return &status->gates.items[i];
	return NULL;
}

/* What was told stands until there is another answer. */
static struct gate_status status_of(const struct pass *pass, const struct gate_spec *gate, const struct gate_fact *fact)
{
	const struct gate_status *before = find(&pass->s->rollout->status, gate->name);
	if (fact->verdict == GATE_UNKNOWN && before)
		return *before;
	bool goes_on = before && before->verdict == fact->verdict && before->since_ms != KUBE_TIME_NONE;
	return (struct gate_status){
	    .name = gate->name,
	    .verdict = fact->verdict,
	    .message = fact->message,
	    .at_ms = fact->verdict == GATE_UNKNOWN ? KUBE_TIME_NONE : fact->at_ms,
	    .since_ms = goes_on ? before->since_ms : pass->s->now_ms,
	};
}

/* ---- one gate ---- */

/* Each time that it stops the rollout is a decision of its own: its beginning tells it from the others. */
static void hold(struct pass *pass, const struct gate_spec *gate, const struct gate_status *status, bool answered)
{
	char since[KUBE_TIME_TEXT_SIZE];
	bool closed = status->verdict == GATE_CLOSED;
	const char *text =
	    plan_printf(pass->arena, "gate %s %s since %s: %s", gate->name, closed ? "is closed" : "cannot be judged",
	                kube_time_format(status->since_ms, since), status->message);
	if (!pass->gate_waits)
		pass->gate_waits = text;
	decide(pass, DECISION_WAIT, gate->name, status->since_ms / STATUS_TIME_MS, "gates",
	       closed ? "GateClosed" : "GateError", text);
	if (!closed && answered && gate->on_error == GATE_ON_ERROR_FAIL && !pass->gate_failed)
		pass->gate_failed = plan_printf(pass->arena, "%s; its onError is Fail", text);
}

/* One of the time before a pause, or before a window closed, says nothing of now. It came when the timeout was over at
 * the latest, and a plan waits for the writes of the one before it. */
static bool is_old_error(const struct gate_spec *gate, const struct gate_fact *fact, int64_t age_ms)
{
	int64_t counts_ms = gate->interval_ms + gate->timeout_ms + SLOW_SERVER_MS;

	return fact->verdict == GATE_ERROR && (age_ms < 0 || age_ms >= counts_ms);
}

static void look_at(struct pass *pass, size_t index, struct gate_status *status)
{
	static const struct gate_fact nothing = {.verdict = GATE_UNKNOWN, .message = "it has not been asked yet"};
	const struct gate_spec *gate = &pass->rules->gates.items[index];
	const struct gate_fact *fact = pass->s->gate_facts ? &pass->s->gate_facts[index] : &nothing;
	int64_t age_ms = pass->s->now_ms - fact->at_ms; /* below 0: the server's clock was set back */
	if (fact->verdict == GATE_UNKNOWN || is_old_error(gate, fact, age_ms))
		fact = &nothing;
	bool fresh = fact != &nothing && age_ms >= 0 && age_ms < gate->interval_ms;

	*status = status_of(pass, gate, fact);
	if (fresh && fact->verdict == GATE_OPEN)
		return;
	pass->gates = GATES_HOLD;
	if (status->verdict == GATE_CLOSED || status->verdict == GATE_ERROR)
		hold(pass, gate, status, fact != &nothing);
	if (fresh)
		look_again_at(pass->out, fact->at_ms + gate->interval_ms);
	else
		ask(pass, gate);
}

/* ---- all ---- */

static bool begun(const struct pass *pass, const struct wave_spec *wave)
{
	for (size_t i = 0; i < pass->s->target_count; i++) {
		const struct target_pass *target = &pass->targets[i];
		bool at_work_or_over = target->kind == TARGET_WORKING || target->kind == TARGET_ENDED;
		if (at_work_or_over && (!wave || target->wave == wave))
			return true;
	}
	return false;
}

static unsigned moment(const struct pass *pass, const struct wave_spec *wave)
{
	unsigned at = GATE_AT_NODE;
	if (!begun(pass, wave))
		at |= GATE_AT_WAVE;
	if (!begun(pass, NULL))
		at |= GATE_AT_ROLLOUT;
	return at;
}

static void look(struct pass *pass, const struct wave_spec *wave)
{
	struct rollout_status *want = pass->want;
	size_t count = pass->rules->gates.count;
	unsigned now = count ? moment(pass, wave) : 0;
	struct gate_status *items = plan_alloc(pass->arena, count * sizeof(*items));

	pass->gates = GATES_LET_START;
	for (size_t i = 0; i < count; i++) {
		const struct gate_spec *gate = &pass->rules->gates.items[i];
		const struct gate_status *before = find(&pass->s->rollout->status, gate->name);
		if (gate->at & now)
			look_at(pass, i, &items[i]);
		else if (before)
			items[i] = *before;
		else
			items[i] = (struct gate_status){
			    .name = gate->name, .message = "", .at_ms = KUBE_TIME_NONE, .since_ms = KUBE_TIME_NONE};
	}
	if (pass->gates == GATES_HOLD && !pass->gate_waits)
		pass->gate_waits = "a gate is being asked";
	want->gates.items = items;
	want->gates.count = count;
}

bool gates_open(struct pass *pass, const struct wave_spec *wave)
{
	if (pass->gates == GATES_NOT_LOOKED_AT)
		look(pass, wave);
	return pass->gates == GATES_LET_START;
}
