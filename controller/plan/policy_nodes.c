/* What the nodes of a policy show: how many are at its versions, and which are left as they are. */
#include "controller/plan/policy.h"
#include <string.h>

#define MAX_VERSIONS 50

static void count_version(struct policy_pass *pass, const struct patch *patch, const char *shown)
{
	struct policy_wanted *want = pass->want;

	for (size_t i = 0; i < want->versions.count; i++) {
		struct version_count *known = &want->versions.items[i];
		if (known->component == patch->component && !strcmp(known->version, shown)) {
			known->count++;
			return;
		}
	}
	if (want->versions.count < MAX_VERSIONS)
		want->versions.items[want->versions.count++] =
		    (struct version_count){.component = patch->component, .version = shown, .count = 1};
}

static bool is_excepted(struct policy_pass *pass, const struct node *node, enum standing standing)
{
	const struct exception_spec *exception = node_exception(pass->s->policy, node, pass->s->now_ms);

	if (!exception || standing == STANDING_UP_TO_DATE || standing == STANDING_NEWER)
		return false;
	for (size_t i = 0; i < pass->want->exceptions.count; i++)
		pass->want->exceptions.items[i].nodes += !strcmp(pass->want->exceptions.items[i].name, exception->name);
	pass->want->targets.excepted++;
	return true;
}

static void count_standing(struct policy_pass *pass, const struct node *node, enum standing standing)
{
	struct policy_wanted *want = pass->want;

	switch (standing) {
	case STANDING_UP_TO_DATE: want->targets.up_to_date++; break;
	case STANDING_OUTDATED:
		want->targets.outdated++;
		if (node->object.created_ms > pass->newest_outdated_ms)
			pass->newest_outdated_ms = node->object.created_ms;
		break;
	case STANDING_NEWER: want->targets.unsupported++; break;
	case STANDING_REFUSED:
		want->targets.unsupported++;
		if (!pass->first_refused)
			pass->first_refused = node;
		break;
	case STANDING_UNKNOWN:
		want->targets.unsupported++;
		if (!pass->first_unknown)
			pass->first_unknown = node;
		break;
	}
}

static void count_node(struct policy_pass *pass, const struct node *node)
{
	const struct rules *rules = &pass->s->policy->rules;

	pass->want->targets.total++;
	for (size_t i = 0; i < rules->patches.count; i++)
		count_version(pass, &rules->patches.items[i], shown_version(node, &rules->patches.items[i]));
	if (pass->channels.unresolved)
		return;
	enum standing standing = node_standing_of_many(node, rules, pass->s->server_version, &pass->standings);
	if (!is_excepted(pass, node, standing))
		count_standing(pass, node, standing);
}

/* Those that hold now, and those that have held. */
static void list_exceptions(struct policy_pass *pass)
{
	const struct policy *policy = pass->s->policy;
	struct policy_wanted *want = pass->want;

	want->exceptions.items = plan_alloc(pass->arena, policy->exceptions.count * sizeof(*want->exceptions.items));
	for (size_t i = 0; i < policy->exceptions.count; i++) {
		const struct exception_spec *exception = &policy->exceptions.items[i];
		if (exception_counts(policy, exception, pass->s->now_ms))
			want->exceptions.items[want->exceptions.count++] =
			    (struct exception_status){.name = exception->name, .expires_ms = exception->expires_ms};
	}
}

void policy_count_nodes(struct policy_pass *pass)
{
	struct policy_wanted *want = pass->want;

	want->versions.items = plan_alloc(pass->arena, MAX_VERSIONS * sizeof(*want->versions.items));
	list_exceptions(pass);
	/* A node on its way out is no target: its rollout would have nothing to do, end at once, and be made again. */
	for (size_t i = 0; i < pass->s->node_count; i++)
		if (node_selected(pass->s->nodes[i], &pass->s->policy->rules) &&
		    pass->s->nodes[i]->object.deleted_ms == KUBE_TIME_NONE)
			count_node(pass, pass->s->nodes[i]);
	want->progress =
	    plan_printf(pass->arena, "%lld/%lld", (long long)want->targets.up_to_date, (long long)want->targets.total);
}
