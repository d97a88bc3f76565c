/* Programs that a function of the test plays. */
#include "lib/base/strv.h"
#include "lib/sim/internal.h"

#include <kube/mem.h>
#include <stdlib.h>
#include <string.h>

/* Outlives the program, up to the end of the simulation, so that a late end finds out that nobody waits any more. */
struct kube_run {
	struct kube_sim *sim;
	struct kube_run *next;
	struct kube_program program; /* its texts are our own copies */
	char **argv, **env;
	struct kube_timer start, timeout, ending;
	int status;
	char *output, *errors;
	kube_program_fn *fn; /* NULL when it is over */
	void *arg;
};

static void free_run(struct kube_run *run)
{
	kube_strv_free(run->argv);
	kube_strv_free(run->env);
	free(run->output);
	free(run->errors);
	free(run);
}

static void stop(struct kube_run *run)
{
	run->fn = NULL;
	kube_timer_stop(&run->sim->env, &run->start);
	kube_timer_stop(&run->sim->env, &run->timeout);
	kube_timer_stop(&run->sim->env, &run->ending);
}

static void end(struct kube_run *run, const struct kube_err *err)
{
	char words[KUBE_PROGRAM_LAST_WORDS_BYTES];
	const struct kube_program_end result = {
	    .status = run->status,
	    .output = run->output ? run->output : "",
	    .output_len = run->output ? strlen(run->output) : 0,
	    .last_words = kube_program_last_words(run->errors ? run->errors : "", words),
	};
	kube_program_fn *fn = run->fn;
	stop(run);
	fn(run->arg, &result, err);
}

static void on_start(struct kube_timer *timer, void *arg)
{
	struct kube_run *run = arg;
	(void)timer;
	run->sim->play(run->sim->play_arg, run->sim, run, &run->program);
}

static void on_timeout(struct kube_timer *timer, void *arg)
{
	struct kube_run *run = arg;
	struct kube_err err;
	(void)timer;
	kube_fail(&err, KUBE_E_TIMEOUT, "the program %s did not end within %lld ms", run->argv[0],
	          (long long)run->program.timeout_ms);
	end(run, &err);
}

static void on_end(struct kube_timer *timer, void *arg)
{
	struct kube_run *run = arg;
	struct kube_err err;
	(void)timer;
	bool too_long = strlen(run->output) > run->program.max_output_bytes;
	if (too_long)
		kube_fail(&err, KUBE_E_LIMIT, "the program %s wrote more than %zu bytes", run->argv[0],
		          run->program.max_output_bytes);
	end(run, too_long ? &err : NULL);
}

int sim_program_run(struct kube_env *env, const struct kube_program *program, kube_program_fn *fn, void *arg,
                    struct kube_run **ret_run, struct kube_err *err)
{
	struct kube_sim *sim = (struct kube_sim *)env;
	if (!sim->play)
		return kube_fail(err, KUBE_E_NOTFOUND, "there is no program %s", program->argv[0]);
	struct kube_run *run = calloc(1, sizeof(*run));
	if (!run)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a program");
	*run = (struct kube_run){.sim = sim, .program = *program, .fn = fn, .arg = arg};
	run->argv = kube_strv_copy(program->argv);
	run->env = kube_strv_copy(program->env);
	run->program.argv = (const char *const *)run->argv;
	run->program.env = (const char *const *)run->env;
	if (!run->argv || !run->env || kube_timer_start(env, &run->start, 0, on_start, run) != 0 ||
	    kube_timer_start(env, &run->timeout, program->timeout_ms, on_timeout, run) != 0) {
		stop(run);
		free_run(run);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a program");
	}
	run->next = sim->runs;
	sim->runs = run;
	*ret_run = run;
	return 0;
}

void sim_program_kill(struct kube_env *env, struct kube_run *run)
{
	(void)env;
	stop(run);
}

void kube_sim_programs(struct kube_sim *sim, kube_sim_program_fn *fn, void *arg)
{
	sim->play = fn;
	sim->play_arg = arg;
}

/* Without memory it never ends by itself: the deadline comes. */
void kube_sim_program_end(struct kube_sim *sim, struct kube_run *run, int64_t delay_ms, int status, const char *output,
                          const char *errors)
{
	if (!run->fn || run->output)
		return;
	run->status = status;
	run->output = strdup(output);
	run->errors = strdup(errors);
	if (run->output && run->errors)
		kube_timer_start(&sim->env, &run->ending, delay_ms, on_end, run);
}

void sim_programs_finish(struct kube_sim *sim)
{
	while (sim->runs) {
		struct kube_run *run = sim->runs;
		sim->runs = run->next;
		stop(run);
		free_run(run);
	}
}
