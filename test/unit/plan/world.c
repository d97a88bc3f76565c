/* The world itself: its beginning and its end, a step of the controller, and the time. */
#include "test/unit/plan/world_internal.h"
#include "test/unit/tzif.h"

#define MAX_NODES 4000
#define MAX_PODS 8000

cJSON *world_parse(const char *quoted)
{
	char *text = strdup(quoted);
	cJSON *json = NULL;
	struct kube_err err = {0};

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	int rc = kube_json_parse(text, strlen(text), &json, &err);
	ck_assert_msg(rc == 0, "%s: %s", err.message, text);
	free(text);
	return json;
}

/* Lives as long as the world. */
void *world_decode(struct world *world, const struct kube_projection *projection, const cJSON *json)
{
	struct kube_object *object = NULL;
	struct kube_err err = {0};
	int rc = kube_object_decode(projection, json, &object, &err);
	ck_assert_msg(rc == 0, "%s", err.message);
	struct world_kept *kept = kube_arena_alloc(&world->arena, sizeof(*kept));
	*kept = (struct world_kept){object, world->kept};
	world->kept = kept;
	return object;
}

const char *world_keep(struct world *world, const char *text)
{
	return text ? kube_arena_strdup(&world->arena, text) : NULL;
}

void world_init(struct world *world, const char *spec)
{
	struct kube_arena texts = world->arena; /* a test may have put its texts there already */

	*world = (struct world){.arena = texts,
	                        .now_ms = START_MS,
	                        .server_version = "v1.34.4",
	                        .cut = -1,
	                        .epoch = 1,
	                        .look_again_ms = KUBE_TIME_NONE,
	                        .pod_grace_ms = 2000,
	                        .pod_start_ms = 3000};
	world->arena.limit_bytes = (size_t)1 << 30;
	kube_arena_init(&world->pass, (size_t)1 << 30);
	world->zone_entries[0] = (struct zone_entry){.name = "Etc/UTC", .zone = zone_utc()};
	world->zone_entries[1] =
	    (struct zone_entry){.name = "Europe/Berlin", .zone = zone_of_rule("CET-1CEST,M3.5.0,M10.5.0/3", &world->arena)};
	world->zones = (struct zone_list){.items = world->zone_entries, .count = KUBE_ARRAY_LEN(world->zone_entries)};
	world->nodes = kube_arena_alloc(&world->arena, MAX_NODES * sizeof(*world->nodes));
	world->pods = kube_arena_alloc(&world->arena, MAX_PODS * sizeof(*world->pods));
	if (spec)
		world_set_policy(world, spec, false);
}

void world_finish(struct world *world)
{
	for (size_t i = 0; i < world->rollout_count; i++)
		cJSON_Delete(world->rollouts[i].json);
	for (struct world_kept *kept = world->kept; kept; kept = kept->next)
		kube_object_unref(kept->object);
	kube_arena_finish(&world->pass);
	kube_arena_finish(&world->arena);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a == KUBE_TIME_NONE || (b != KUBE_TIME_NONE && b < a) ? b : a;
}

void world_forget(struct world *world)
{
	for (size_t i = 0; i < world->node_count; i++)
		world->nodes[i]->fact = (struct job_fact){0};
}

/* The controller dies before its next effect, and another one takes over. */
static bool dies(struct world *world)
{
	if (world->cut < 0 || world->cut-- > 0)
		return false;
	world->crashes++;
	world->epoch++;
	world_forget(world);
	return true;
}

void world_look_again(struct world *world, int64_t at_ms)
{
	world->look_again_ms = sooner(world->look_again_ms, at_ms);
}

static bool answer_questions(struct world *world)
{
	bool answered = false;
	for (size_t i = 0; i < world->result.questions.count; i++) {
		const struct question *question = &world->result.questions.items[i];
		size_t gate = (size_t)(question->gate - world->snapshot.plan->rules->gates.items);
		world->questions++;
		world->query = question->query ? world_keep(world, question->query) : NULL;
		if (world->gates[gate] == GATE_UNKNOWN)
			continue;
		world->gate_facts[gate] = (struct gate_fact){
		    .verdict = world->gates[gate], .message = gate_verdict_names[world->gates[gate]], .at_ms = world->now_ms};
		answered = true;
	}
	return answered;
}

static bool step_rollout(struct world *world, struct world_rollout *rollout)
{
	bool changed = false;

	world_plan(world, rollout);
	for (size_t i = 0; i < world->result.actions.count; i++) {
		if (dies(world))
			return true;
		changed = world_act(world, rollout, &world->result.actions.items[i]) || changed;
		if (rollout->gone)
			return true;
	}
	/* A finalizer or a node write does not change the status that was looked at. */
	if (world->result.write_status) {
		if (dies(world))
			return true;
		world->snapshot.rollout = rollout->rollout;
		changed = world_write_status(world, rollout) || changed;
	}
	world_look_again(world, world->result.look_again_ms);
	return answer_questions(world) || changed;
}

static void create_rollout_for(struct world *world, const char *name)
{
	for (size_t i = 0; i < world->rollout_count; i++)
		ck_assert_msg(world->rollouts[i].gone || strcmp(world->rollouts[i].rollout->object.name, name) != 0,
		              "rollout %s was made twice", name);
	world_add_rollout(world, name);
}

static bool step_policy(struct world *world)
{
	const struct rollout *rollouts[40];
	bool busy[40] = {false};
	struct policy_snapshot s = {.now_ms = world->now_ms,
	                            .server_version = world->server_version,
	                            .zones = world->zones,
	                            .policy = world->policy,
	                            .nodes = world->snapshot.nodes,
	                            .rollouts = rollouts,
	                            .rollout_busy = busy};
	struct policy_result result;
	struct rollout_snapshot all = {0};

	world_fill_nodes(world, &all);
	s.nodes = all.nodes;
	s.node_count = all.node_count;
	for (size_t i = 0; i < world->rollout_count; i++)
		if (!world->rollouts[i].gone)
			rollouts[s.rollout_count++] = world->rollouts[i].rollout;
	plan_policy(&s, &world->pass, &result);
	for (size_t i = 0; i < result.actions.count; i++) {
		const struct action *action = &result.actions.items[i];
		if (action->type == ACTION_CREATE_ROLLOUT)
			create_rollout_for(world, action->create_rollout.name);
		else
			for (size_t r = 0; r < world->rollout_count; r++)
				if (world->rollouts[r].rollout == action->delete_rollout)
					world_drop_rollout(&world->rollouts[r]);
	}
	world_look_again(world, result.look_again_ms);
	return result.actions.count > 0;
}

static bool wear_off(int *busy)
{
	if (*busy == 0)
		return false;
	(*busy)--;
	return true;
}

static bool see_writes(struct world *world)
{
	bool changed = false;
	for (size_t i = 0; i < world->node_count; i++)
		changed = wear_off(&world->nodes[i]->busy) || changed;
	for (size_t i = 0; i < world->pod_count; i++)
		changed = wear_off(&world->pods[i]->busy) || changed;
	for (size_t i = 0; i < world->rollout_count; i++)
		changed = wear_off(&world->rollouts[i].busy) || changed;
	return changed;
}

bool world_step(struct world *world)
{
	bool changed = false;

	world->look_again_ms = KUBE_TIME_NONE;
	world->steps++;
	if (world->on_step)
		world->on_step(world);
	for (size_t i = 0; i < world->rollout_count; i++)
		if (!world->rollouts[i].gone && !world->rollouts[i].idle)
			changed = step_rollout(world, &world->rollouts[i]) || changed;
	if (world->auto_policy && world->policy)
		changed = step_policy(world) || changed;
	return see_writes(world) || changed;
}

static bool due(const struct world *world, int64_t at_ms)
{
	return at_ms != KUBE_TIME_NONE && at_ms <= world->now_ms;
}

static void pods_come_back(struct world *world, struct world_pdb *pdb)
{
	size_t left = 0;
	for (size_t i = 0; i < pdb->back_count; i++) {
		if (due(world, pdb->back_ms[i])) {
			pdb->pdb.disruptions_allowed++;
			pdb->pdb.current_healthy++;
		} else {
			pdb->back_ms[left++] = pdb->back_ms[i];
		}
	}
	pdb->back_count = left;
}

static void happen(struct world *world)
{
	for (size_t i = 0; i < world->pod_count; i++) {
		struct world_pod *pod = world->pods[i];
		if (pod->gone || !due(world, pod->end_ms))
			continue;
		if (pod->pod.job_step)
			world_end_job(world, pod);
		else
			pod->gone = true;
	}
	for (size_t i = 0; i < world->node_count; i++) {
		struct world_node *node = world->nodes[i];
		if (!due(world, node->later.at_ms))
			continue;
		world_show(node, node->later.info, node->later.version);
		node->later.at_ms = KUBE_TIME_NONE;
		if (node->later.restarted) {
			node->node.boot_id = "boot-2";
			world_set_ready(world, node->node.object.name, true);
		}
	}
	for (size_t i = 0; i < world->pdb_count; i++)
		pods_come_back(world, &world->pdbs[i]);
}

static int64_t next_event(const struct world *world)
{
	int64_t next = world->look_again_ms;

	for (size_t i = 0; i < world->pod_count; i++)
		next = sooner(next, world->pods[i]->gone ? KUBE_TIME_NONE : world->pods[i]->end_ms);
	for (size_t i = 0; i < world->node_count; i++)
		next = sooner(next, world->nodes[i]->later.at_ms);
	for (size_t i = 0; i < world->pdb_count; i++)
		for (size_t k = 0; k < world->pdbs[i].back_count; k++)
			next = sooner(next, world->pdbs[i].back_ms[k]);
	return next;
}

bool world_tick(struct world *world, int64_t until_ms)
{
	if (world_step(world)) {
		ck_assert_msg(++world->still_steps < 1000, "it never comes to rest");
		return true;
	}
	int64_t next = next_event(world);
	ck_assert_msg(next == KUBE_TIME_NONE || next > world->now_ms,
	              "nothing was done, and yet it wants to look again %lld ms ago", (long long)(world->now_ms - next));
	world->still_steps = 0;
	if (next == KUBE_TIME_NONE || next > until_ms)
		return false;
	world->now_ms = next;
	happen(world);
	return true;
}

void world_run(struct world *world, int64_t for_ms)
{
	int64_t until = world->now_ms + for_ms;
	while (world_tick(world, until))
		;
	if (next_event(world) != KUBE_TIME_NONE)
		world->now_ms = until;
}

void world_run_to(struct world *world, const char *node, enum step step)
{
	int64_t until = world->now_ms + MINUTES(600);
	while (world_step_of(world, node) != step)
		ck_assert_msg(world_tick(world, until), "%s never got to %s", node, step_names[step]);
}
