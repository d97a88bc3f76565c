/* Programs as processes of libuv's: each in a session of its own, so that it can be killed with what it has started. */
#include "lib/base/strv.h"
#include "lib/http/loop.h"

#include <kube/buf.h>
#include <kube/mem.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utlist.h>

#define ERRORS_KEPT_BYTES 1024 /* of standard error: its end */

struct kube_run {
	struct kube_loop *loop;
	struct kube_run *prev, *next; /* loop->runs */
	uv_process_t process;
	uv_pipe_t output_pipe, error_pipe;
	int open_handles; /* whose close callback has not come; the last one frees it */
	int open_pipes;   /* that have not ended */
	bool exited, own_session;
	struct kube_timer deadline;
	int64_t timeout_ms;
	struct kube_buf output;
	char chunk[4096];
	char errors[ERRORS_KEPT_BYTES + 1];
	size_t errors_len;
	int status;
	char *name;
	kube_program_fn *fn; /* NULL once it has been called, or must not be */
	void *arg;
};

static void free_run(struct kube_run *run)
{
	if (run->output.data)
		explicit_bzero(run->output.data, run->output.len);
	explicit_bzero(run->chunk, sizeof(run->chunk));
	kube_buf_finish(&run->output);
	free(run->name);
	free(run);
}

static void handle_closed(uv_handle_t *handle)
{
	struct kube_run *run = handle->data;
	if (--run->open_handles > 0)
		return;
	DL_DELETE(run->loop->runs, run);
	free_run(run);
}

static void close_handle(uv_handle_t *handle)
{
	if (handle->data && !uv_is_closing(handle))
		uv_close(handle, handle_closed);
}

static void close_pipes(struct kube_run *run)
{
	run->open_pipes = 0;
	close_handle((uv_handle_t *)&run->output_pipe);
	close_handle((uv_handle_t *)&run->error_pipe);
}

static void kill_all(struct kube_run *run)
{
	if (run->own_session)
		kill(-run->process.pid, SIGKILL);
	else if (!run->exited)
		kill(run->process.pid, SIGKILL);
}

/* The callback is due, once. A process that was killed is still waited for, so that it leaves no zombie. */
static void end(struct kube_run *run, const struct kube_err *err)
{
	char words[KUBE_PROGRAM_LAST_WORDS_BYTES];
	const struct kube_program_end result = {
	    .status = run->status,
	    .output = run->output.data ? run->output.data : "",
	    .output_len = run->output.len,
	    .last_words = kube_program_last_words(run->errors, words),
	};
	kube_program_fn *fn = take(run->fn);
	kube_timer_stop(&run->loop->env, &run->deadline);
	if (err)
		kill_all(run);
	close_pipes(run);
	if (fn)
		fn(run->arg, &result, err);
}

static void end_when_complete(struct kube_run *run)
{
	if (run->exited && run->open_pipes == 0 && run->fn)
		end(run, NULL);
}

static void deadline_passed(struct kube_timer *timer, void *arg)
{
	struct kube_run *run = arg;
	struct kube_err err;
	(void)timer;
	kube_err_reset(&err);
	kube_fail(&err, KUBE_E_TIMEOUT, "the program %s did not end within %lld ms", run->name, (long long)run->timeout_ms);
	end(run, &err);
}

static void exited(uv_process_t *process, int64_t status, int number)
{
	struct kube_run *run = process->data;
	run->exited = true;
	run->status = number ? 128 + number : (int)status;
	close_handle((uv_handle_t *)process);
	end_when_complete(run);
}

/* ---- what it writes ---- */

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
	struct kube_run *run = handle->data;
	(void)suggested;
	*ret_buf = uv_buf_init(run->chunk, sizeof(run->chunk));
}

static void pipe_ended(struct kube_run *run, uv_stream_t *stream)
{
	run->open_pipes--;
	close_handle((uv_handle_t *)stream);
	end_when_complete(run);
}

static void output_came(uv_stream_t *stream, ssize_t n, const uv_buf_t *chunk)
{
	struct kube_run *run = stream->data;
	struct kube_err err;
	if (n < 0) {
		pipe_ended(run, stream);
		return;
	}
	int rc = kube_buf_add(&run->output, chunk->base, (size_t)n);
	if (rc == 0)
		return;
	kube_err_reset(&err);
	if (rc == KUBE_E_LIMIT)
		kube_fail(&err, rc, "the program %s wrote more than %zu bytes", run->name, run->output.max);
	else
		kube_fail(&err, rc, "out of memory for what the program %s writes", run->name);
	end(run, &err);
}

static void errors_came(uv_stream_t *stream, ssize_t n, const uv_buf_t *chunk)
{
	struct kube_run *run = stream->data;
	if (n < 0) {
		pipe_ended(run, stream);
		return;
	}
	size_t len = (size_t)n < ERRORS_KEPT_BYTES ? (size_t)n : ERRORS_KEPT_BYTES;
	size_t kept = run->errors_len + len <= ERRORS_KEPT_BYTES ? run->errors_len : ERRORS_KEPT_BYTES - len;
	memmove(run->errors, run->errors + run->errors_len - kept, kept);
	memcpy(run->errors + kept, chunk->base + n - len, len);
	run->errors_len = kept + len;
	run->errors[run->errors_len] = '\0';
}

/* ---- its beginning ---- */

static bool overrides(const char *const *env, const char *entry)
{
	size_t len = strcspn(entry, "=") + 1;
	for (; env && *env; env++)
		if (strncmp(*env, entry, len) == 0)
			return true;
	return false;
}

/* Our own environment with env in front; the strings stay where they are. The caller frees the list. */
static char **merge_env(const char *const *env)
{
	size_t given = kube_strv_count(env), n = 0;
	char **merged = calloc(given + kube_strv_count((const char *const *)environ) + 1, sizeof(*merged));
	if (!merged)
		return NULL;
	for (; n < given; n++)
		merged[n] = (char *)env[n];
	for (char **entry = environ; entry && *entry; entry++)
		if (!overrides(env, *entry))
			merged[n++] = *entry;
	return merged;
}

static void add_handle(struct kube_run *run, uv_handle_t *handle)
{
	handle->data = run;
	run->open_handles++;
}

static void add_pipe(struct kube_run *run, uv_pipe_t *pipe, uv_stdio_container_t *ret_stdio)
{
	uv_pipe_init(&run->loop->uv, pipe, 0); /* cannot fail: it opens nothing */
	add_handle(run, (uv_handle_t *)pipe);
	run->open_pipes++;
	ret_stdio->flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
	ret_stdio->data.stream = (uv_stream_t *)pipe;
}

static void share(uv_stdio_container_t *stdio, int fd)
{
	stdio->flags = UV_INHERIT_FD;
	stdio->data.fd = fd;
}

static int spawn(struct kube_run *run, const struct kube_program *program)
{
	_cleanup_free_ char **env = merge_env(program->env);
	uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
	if (!env)
		return UV_ENOMEM;
	add_pipe(run, &run->output_pipe, &stdio[1]);
	if (program->terminal) {
		share(&stdio[0], STDIN_FILENO);
		share(&stdio[2], STDERR_FILENO);
	} else {
		add_pipe(run, &run->error_pipe, &stdio[2]);
	}
	const uv_process_options_t options = {
	    .exit_cb = exited,
	    .file = program->argv[0],
	    .args = (char **)program->argv,
	    .env = env,
	    .flags = program->terminal ? 0 : UV_PROCESS_DETACHED,
	    .stdio_count = 3,
	    .stdio = stdio,
	};
	int rc = uv_spawn(&run->loop->uv, &run->process, &options);
	add_handle(run, (uv_handle_t *)&run->process); /* to be closed, also when it failed */
	return rc;
}

static int cannot_start(struct kube_run *run, int number, struct kube_err *err)
{
	char name[KUBE_PROGRAM_LAST_WORDS_BYTES];
	kube_program_last_words(run->name, name);
	run->exited = true;
	run->fn = NULL;
	close_pipes(run);
	close_handle((uv_handle_t *)&run->process);
	if (run->open_handles == 0) { /* no handle was opened: nothing else frees it */
		DL_DELETE(run->loop->runs, run);
		free_run(run);
	}
	if (number == UV_ENOMEM)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the program %s", name);
	if (number == UV_ENOENT)
		return kube_fail(err, KUBE_E_NOTFOUND, "there is no program %s", name);
	return kube_fail(err, KUBE_E_IO, "the program %s cannot be started: %s", name, uv_strerror(number));
}

static struct kube_run *new_run(struct kube_loop *loop, const struct kube_program *program, kube_program_fn *fn,
                                void *arg)
{
	struct kube_run *run = calloc(1, sizeof(*run));
	if (!run)
		return NULL;
	run->loop = loop;
	run->name = strdup(program->argv[0]);
	run->timeout_ms = program->timeout_ms;
	run->own_session = !program->terminal;
	run->fn = fn;
	run->arg = arg;
	kube_buf_init(&run->output, program->max_output_bytes);
	if (!run->name || kube_timer_start(&loop->env, &run->deadline, run->timeout_ms, deadline_passed, run) != 0) {
		free_run(run);
		return NULL;
	}
	DL_APPEND(loop->runs, run);
	return run;
}

int loop_program_run(struct kube_env *env, const struct kube_program *program, kube_program_fn *fn, void *arg,
                     struct kube_run **ret_run, struct kube_err *err)
{
	struct kube_run *run = new_run((struct kube_loop *)env, program, fn, arg);
	if (!run)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the program %s", program->argv[0]);
	int rc = spawn(run, program);
	if (rc != 0) {
		kube_timer_stop(env, &run->deadline);
		return cannot_start(run, rc, err);
	}
	uv_read_start((uv_stream_t *)&run->output_pipe, give_chunk, output_came);
	if (run->error_pipe.data)
		uv_read_start((uv_stream_t *)&run->error_pipe, give_chunk, errors_came);
	*ret_run = run;
	return 0;
}

/* ---- its end ---- */

void loop_program_kill(struct kube_env *env, struct kube_run *run)
{
	if (!run->fn) /* its callback runs */
		return;
	run->fn = NULL;
	kube_timer_stop(env, &run->deadline);
	kill_all(run);
	close_pipes(run);
}

void loop_programs_end(struct kube_loop *loop)
{
	struct kube_run *run;
	DL_FOREACH (loop->runs, run) {
		loop_program_kill(&loop->env, run);
		if (!run->exited)
			waitpid(run->process.pid, NULL, 0);
		run->exited = true;
		close_handle((uv_handle_t *)&run->process);
	}
}
