/* Programs in virtual time: what the test plays is what the caller gets. */
#include "test/unit/check_main.h"
#include <kube/mem.h>
#include <kube/sim.h>
#include <stdio.h>
#include <string.h>

struct stage {
	struct kube_sim *sim;
	int played, ended, code, status;
	int64_t ended_ms;
	char output[64], last_words[64], argv1[64], env0[64];
	int64_t delay_ms; /* of its end; negative: never */
	struct kube_run *run;
};

static void play(void *arg, struct kube_sim *sim, struct kube_run *run, const struct kube_program *program)
{
	struct stage *stage = arg;
	stage->played++;
	snprintf(stage->argv1, sizeof(stage->argv1), "%s", program->argv[1]);
	snprintf(stage->env0, sizeof(stage->env0), "%s", program->env[0]);
	if (stage->delay_ms >= 0)
		kube_sim_program_end(sim, run, stage->delay_ms, 3, "out", "so\nit ended");
}

static void on_end(void *arg, const struct kube_program_end *end, const struct kube_err *err)
{
	struct stage *stage = arg;
	stage->ended++;
	stage->code = err ? err->code : 0;
	stage->status = end->status;
	stage->ended_ms = kube_env_mono_ms(kube_sim_env(stage->sim));
	snprintf(stage->output, sizeof(stage->output), "%.*s", (int)end->output_len, end->output);
	snprintf(stage->last_words, sizeof(stage->last_words), "%s", end->last_words);
}

static void run(struct stage *stage, size_t max_output_bytes)
{
	char argument[] = "-v", variable[] = "A=b";
	const char *const argv[] = {"plugin", argument, NULL}, *const env[] = {variable, NULL};
	const struct kube_program program = {
	    .argv = argv, .env = env, .timeout_ms = 1000, .max_output_bytes = max_output_bytes};
	ck_assert_int_eq(kube_sim_new(1, 0, &stage->sim, NULL), 0);
	kube_sim_programs(stage->sim, play, stage);
	ck_assert_int_eq(kube_program_run(kube_sim_env(stage->sim), &program, on_end, stage, &stage->run, NULL), 0);
	argument[0] = variable[0] = '?'; /* they have been copied */
}

START_TEST(a_program_ends_as_it_is_played)
{
	struct stage stage = {.delay_ms = 250};
	run(&stage, 3);
	ck_assert_int_eq(stage.played, 0);
	kube_sim_run(stage.sim, 5000, 100);
	ck_assert_int_eq(stage.played, 1);
	ck_assert_str_eq(stage.argv1, "-v");
	ck_assert_str_eq(stage.env0, "A=b");
	ck_assert_int_eq(stage.ended, 1);
	ck_assert_int_eq(stage.code, 0);
	ck_assert_int_eq(stage.status, 3);
	ck_assert_int_eq(stage.ended_ms, 250);
	ck_assert_str_eq(stage.output, "out");
	ck_assert_str_eq(stage.last_words, "it ended");
	kube_sim_free(stage.sim);
}
END_TEST

START_TEST(limits_hold)
{
	struct stage silent = {.delay_ms = -1}, talkative = {.delay_ms = 0};
	run(&silent, 3);
	kube_sim_run(silent.sim, 5000, 100);
	ck_assert_int_eq(silent.code, KUBE_E_TIMEOUT);
	ck_assert_int_eq(silent.ended_ms, 1000);
	kube_sim_free(silent.sim);
	run(&talkative, 2);
	kube_sim_run(talkative.sim, 5000, 100);
	ck_assert_int_eq(talkative.code, KUBE_E_LIMIT);
	kube_sim_free(talkative.sim);
}
END_TEST

START_TEST(a_killed_one_is_silent)
{
	struct stage stage = {.delay_ms = 250};
	run(&stage, 3);
	kube_sim_run(stage.sim, 100, 100);
	ck_assert_int_eq(stage.played, 1);
	kube_program_kill(kube_sim_env(stage.sim), stage.run);
	kube_sim_run(stage.sim, 5000, 100);
	kube_sim_program_end(stage.sim, stage.run, 0, 0, "", "");
	kube_sim_run(stage.sim, 6000, 100);
	ck_assert_int_eq(stage.ended, 0);
	kube_sim_free(stage.sim);
}
END_TEST

START_TEST(without_a_player_there_is_no_program)
{
	const char *const argv[] = {"plugin", NULL};
	const struct kube_program program = {.argv = argv, .timeout_ms = 1, .max_output_bytes = 1};
	struct kube_sim *sim;
	struct kube_run *none = NULL;
	ck_assert_int_eq(kube_sim_new(1, 0, &sim, NULL), 0);
	ck_assert_int_eq(kube_program_run(kube_sim_env(sim), &program, NULL, NULL, &none, NULL), KUBE_E_NOTFOUND);
	ck_assert_ptr_null(none);
	kube_sim_free(sim);
}
END_TEST

CHECK_MAIN("program", a_program_ends_as_it_is_played, limits_hold, a_killed_one_is_silent,
           without_a_player_there_is_no_program)
