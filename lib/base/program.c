#include <kube/program.h>
#include <string.h>

int kube_program_run(struct kube_env *env, const struct kube_program *program, kube_program_fn *fn, void *arg,
                     struct kube_run **ret_run, struct kube_err *err)
{
	if (!env->ops->run)
		return kube_fail(err, KUBE_E_INVALID, "no programs can be run here");
	if (!program->argv || !program->argv[0] || !*program->argv[0])
		return kube_fail(err, KUBE_E_INVALID, "a program to run needs a name");
	if (program->timeout_ms <= 0 || program->max_output_bytes == 0)
		return kube_fail(err, KUBE_E_INVALID, "the program %s needs a time limit and a limit of its output",
		                 program->argv[0]);
	return env->ops->run(env, program, fn, arg, ret_run, err);
}

void kube_program_kill(struct kube_env *env, struct kube_run *run)
{
	env->ops->kill(env, run);
}

static const char *line_end(const char *begin, const char *end)
{
	while (end > begin && (unsigned char)end[-1] <= ' ')
		end--;
	return end;
}

const char *kube_program_last_words(const char *text, char out[KUBE_PROGRAM_LAST_WORDS_BYTES])
{
	const char *end = line_end(text, text + strlen(text)), *begin = end;
	size_t len = 0;
	while (begin > text && begin[-1] != '\n' && begin[-1] != '\r')
		begin--;
	for (; begin < end && len < KUBE_PROGRAM_LAST_WORDS_BYTES - 1; begin++)
		out[len++] = (unsigned char)*begin < ' ' || *begin == 0x7f ? '?' : *begin;
	out[len] = '\0';
	return out;
}
