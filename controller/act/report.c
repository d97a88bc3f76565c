/* A page of the report: who, what, from, to, when, by which job and which decisions (crds/patchreports.yaml). */
#include "controller/act/bodies.h"
#include "controller/status/status.h"
#include <kube/time.h>
#include <stdio.h>
#include <string.h>

static void add_version(cJSON *list, int component, const char *version)
{
	if (!version || !*version)
		return;
	cJSON *item = body_object(list, NULL);
	body_string(item, "component", component_names[component]);
	body_string(item, "version", version);
}

static void add_rules_versions(cJSON *spec, const struct rules *rules)
{
	cJSON *versions = body_array(spec, "versions");
	for (size_t i = 0; i < rules->patches.count; i++)
		add_version(versions, rules->patches.items[i].component, rules->patches.items[i].version);
}

static void add_counts(cJSON *spec, const struct counts *counts)
{
	cJSON *object = body_object(spec, "counts");
	body_int(object, "total", counts->total);
	body_int(object, "pending", counts->pending);
	body_int(object, "active", counts->active);
	body_int(object, "patched", counts->patched);
	body_int(object, "failed", counts->failed);
	body_int(object, "rolledBack", counts->rolled_back);
	body_int(object, "skipped", counts->skipped);
	body_int(object, "excepted", counts->excepted);
}

/* From the claim, and as the node shows it now. */
static void add_from_to(cJSON *item, const struct report_target *target, const struct rules *rules)
{
	const struct node_state *state = target->state;
	cJSON *from = body_array(item, "from");
	for (size_t i = 0; state && i < state->from.count && i < rules->patches.count; i++)
		add_version(from, rules->patches.items[i].component, state->from.items[i]);
	cJSON *to = body_array(item, "to");
	for (size_t i = 0; target->node && i < rules->patches.count; i++) {
		const struct patch *patch = &rules->patches.items[i];
		add_version(to, patch->component, node_observed(target->node, &patch->observed));
	}
}

/* The first step that began after this one; steps that were passed in the same millisecond keep their order. */
static int64_t next_time(const struct node_state *state, int step)
{
	int64_t next = KUBE_TIME_NONE;
	for (int other = 0; other < STEP_COUNT; other++) {
		int64_t at = state->times[other];
		bool later = at > state->times[step] || (at == state->times[step] && other > step);
		if (at != KUBE_TIME_NONE && later && (next == KUBE_TIME_NONE || at < next))
			next = at;
	}
	return next;
}

static void add_steps(cJSON *item, const struct node_state *state)
{
	cJSON *steps = body_array(item, "steps");
	for (int step = STEP_CLAIMED; step < STEP_COUNT; step++) {
		if (state->times[step] == KUBE_TIME_NONE)
			continue;
		cJSON *entry = body_object(steps, NULL);
		body_string(entry, "step", step_names[step]);
		body_time(entry, "at", state->times[step]);
		int64_t next = next_time(state, step);
		if (next != KUBE_TIME_NONE)
			body_int(entry, "seconds", (next - state->times[step]) / 1000);
	}
}

/* "job/0=0": step "job", patch 0, exit code 0. */
static void add_jobs(cJSON *item, const struct node_state *state)
{
	cJSON *jobs = body_array(item, "jobs");
	for (size_t i = 0; i < state->exits.count; i++) {
		const char *text = state->exits.items[i];
		const char *equals = strchr(text, '=');
		if (!equals)
			continue;
		cJSON *job = body_object(jobs, NULL);
		char step[33];
		snprintf(step, sizeof(step), "%.*s", (int)(equals - text), text);
		body_string(job, "step", step);
		long long code = strtoll(equals + 1, NULL, 10);
		body_int(job, "exitCode", code);
		/* What a failed job said last is the reason of its target's failure. */
		if (code != 0 && i + 1 == state->exits.count)
			body_string(job, "message", state->message);
	}
}

static void add_target(cJSON *targets, const struct report_target *target, const struct rules *rules)
{
	cJSON *item = body_object(targets, NULL);
	body_string(item, "node", target->target->node);
	body_string(item, "nodeUID", target->target->node_uid);
	body_string(item, "wave", target->wave);
	const char *not_begun = target->excepted ? "Excepted" : "Pending";
	body_string(item, "step", target->step == STEP_NONE ? not_begun : step_names[target->step]);
	body_string(item, "reason", target->reason);
	body_string(item, "message", target->message);
	add_from_to(item, target, rules);
	if (!target->state)
		return;
	body_int(item, "attempts", target->state->attempt);
	body_time(item, "startedAt", target->state->started_ms);
	if (step_ended((enum step)target->step))
		body_time(item, "finishedAt", target->state->since_ms);
	add_steps(item, target->state);
	add_jobs(item, target->state);
}

static void add_lists(cJSON *spec, const struct report_page *page)
{
	cJSON *targets = body_array(spec, "targets");
	for (size_t i = 0; page->plan && i < page->target_count; i++)
		add_target(targets, &page->targets[i], page->plan->rules);
	cJSON *decisions = body_array(spec, "decisions");
	for (size_t i = 0; i < page->decision_count; i++)
		body_add(decisions, NULL, decision_json(page->decisions[i]));
}

cJSON *report_body(const struct report_page *page)
{
	const struct rollout *rollout = page->rollout;
	cJSON *body = body_of(&pw_reports);
	cJSON *metadata = body_object(body, "metadata");
	body_string(metadata, "name", page->name);
	body_string(body_object(metadata, "labels"), PW_LABEL_ROLLOUT, rollout->object.name);
	cJSON *spec = body_object(body, "spec");
	cJSON *reference = body_object(spec, "rolloutRef");
	body_string(reference, "name", rollout->object.name);
	body_string(reference, "uid", rollout->object.uid);
	body_string(body_object(spec, "policyRef"), "name", rollout->policy_name);
	body_int(spec, "page", page->page);
	body_int(spec, "pages", page->pages);
	body_string(spec, "outcome", outcome_names[page->outcome]);
	if (page->plan) {
		body_string(spec, "planHash", page->plan->hash);
		add_rules_versions(spec, page->plan->rules);
	}
	add_counts(spec, page->counts);
	body_time(spec, "startedAt", page->started_ms);
	body_time(spec, "finishedAt", page->finished_ms);
	add_lists(spec, page);
	return body;
}
