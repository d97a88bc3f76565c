/*
 * Where lack of memory is the end of the process, as the header says, it is an orderly one: a sentence, and no step
 * further. That is the planner, whose state is on API objects.
 */
#include "test/nomem/sweep.h"
#include "test/unit/plan/world.h"

/* A pass over a rollout in the middle of its work. */
static int plan(void *arg, struct kube_err *err)
{
	struct world *world = arg;
	struct kube_arena arena = {0};
	struct rollout_result result;

	(void)err;
	sweep_begin();
	plan_rollout(&world->snapshot, &arena, &result);
	sweep_end();
	int code = result.write_status ? 0 : KUBE_E_INVALID;
	kube_arena_finish(&arena);
	return code;
}

START_TEST(planner)
{
	static struct world world;

	world_init(&world, NULL);
	world_set_policy(&world, policy_spec(&world, 1, true, "'waves':[{'name':'all'}]", ""), false);
	world_add_nodes(&world, 30);
	struct world_rollout *rollout = world_add_rollout(&world, "r");
	world_run(&world, MINUTES(1));
	world_plan(&world, rollout);
	sweep_fatal("planner", plan, &world, "out of memory while planning");
	world_finish(&world);
}
END_TEST

CHECK_MAIN("allocation failures: the end", planner)
