#include "controller/model/condition.h"
#include "controller/model/rollout.h"
#include "controller/model/step.h"
#include "test/unit/check_main.h"

#include <string.h>

START_TEST(test_steps)
{
	static const struct {
		enum step step;
		const char *name;
		bool ended, bad;
	} cases[] = {
	    {STEP_NONE, "", false, false},
	    {STEP_CLAIMED, "Claimed", false, false},
	    {STEP_PREPARING, "Preparing", false, false},
	    {STEP_DRAINING, "Draining", false, false},
	    {STEP_PATCHING, "Patching", false, false},
	    {STEP_REBOOTING, "Rebooting", false, false},
	    {STEP_VERIFYING, "Verifying", false, false},
	    {STEP_SETTLING, "Settling", false, false},
	    {STEP_PATCHED, "Patched", true, false},
	    {STEP_FAILED, "Failed", true, true},
	    {STEP_ROLLING_BACK, "RollingBack", false, false},
	    {STEP_ROLLED_BACK, "RolledBack", true, true},
	    {STEP_QUARANTINED, "Quarantined", true, true},
	    {STEP_SKIPPED, "Skipped", true, false},
	};
	ck_assert_uint_eq(KUBE_ARRAY_LEN(cases), STEP_COUNT);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		ck_assert_str_eq(step_names[cases[i].step], cases[i].name);
		ck_assert_msg(step_ended(cases[i].step) == cases[i].ended, "%s", cases[i].name);
		ck_assert_msg(step_bad(cases[i].step) == cases[i].bad, "%s", cases[i].name);
	}
	ck_assert_ptr_null(step_names[STEP_COUNT]);
}
END_TEST

START_TEST(test_words)
{
	ck_assert_str_eq(outcome_names[OUTCOME_NONE], "");
	ck_assert_str_eq(outcome_names[OUTCOME_ROLLED_BACK], "RolledBack");
	ck_assert_str_eq(outcome_names[OUTCOME_SUPERSEDED], "Superseded");
	ck_assert_ptr_null(outcome_names[OUTCOME_SUPERSEDED + 1]);
	ck_assert_str_eq(wave_state_names[WAVE_SOAKING], "Soaking");
	ck_assert_ptr_null(wave_state_names[WAVE_FAILED + 1]);
	ck_assert_str_eq(decision_type_names[DECISION_START], "Start");
	ck_assert_str_eq(decision_type_names[DECISION_SKIP], "Skip");
	ck_assert_str_eq(decision_type_names[DECISION_HALT], "Halt");
	ck_assert_str_eq(decision_type_names[DECISION_ROLL_BACK_FAILED], "RollBackFailed");
	ck_assert_str_eq(decision_type_names[DECISION_ROLLBACK_IMPOSSIBLE], "RollbackImpossible");
	ck_assert_str_eq(decision_type_names[DECISION_FINISH], "Finish");
	ck_assert_ptr_null(decision_type_names[DECISION_FINISH + 1]);
	ck_assert_str_eq(component_names[COMPONENT_CUSTOM], "Custom");
	ck_assert_ptr_null(component_names[COMPONENT_CUSTOM + 1]);
}
END_TEST

START_TEST(test_conditions)
{
	struct condition items[] = {
	    {.type = "Ready", .status = CONDITION_FALSE},
	    {.type = "Stalled", .status = CONDITION_TRUE},
	    {.type = "Healthy", .status = CONDITION_UNKNOWN},
	};
	const struct conditions conditions = {items, KUBE_ARRAY_LEN(items)};
	ck_assert_ptr_eq(condition_get(&conditions, "Stalled"), &items[1]);
	ck_assert_ptr_null(condition_get(&conditions, "Stall"));
	ck_assert(condition_true(&conditions, "Stalled"));
	ck_assert(!condition_true(&conditions, "Ready"));
	ck_assert(!condition_true(&conditions, "Healthy"));
	ck_assert(!condition_true(&conditions, "Reconciling"));
}
END_TEST

CHECK_MAIN("step", test_steps, test_words, test_conditions)
