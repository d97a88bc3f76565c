/* Programs run by the loop: what they are given, what comes back, and that none is left behind. */
#include "test/unit/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <kube/loop.h>
#include <kube/mem.h>
#include <kube/program.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 40000

struct fixture {
	struct kube_loop *loop;
	struct kube_env *env;
	struct kube_timer patience;
	int calls, code, status;
	char output[4096], last_words[KUBE_PROGRAM_LAST_WORDS_BYTES], message[512];
	size_t output_len;
};

static void give_up(struct kube_timer *timer, void *arg)
{
	(void)timer;
	(void)arg;
	ck_abort_msg("nothing happened for %d ms", PATIENCE_MS);
}

static void set_up(struct fixture *f)
{
	*f = (struct fixture){.calls = 0};
	ck_assert_int_eq(kube_loop_new(&f->loop, NULL), 0);
	f->env = kube_loop_env(f->loop);
	ck_assert_int_eq(kube_timer_start(f->env, &f->patience, PATIENCE_MS, give_up, NULL), 0);
}

static void tear_down(struct fixture *f)
{
	kube_timer_stop(f->env, &f->patience);
	kube_loop_free(f->loop);
}

static void on_end(void *arg, const struct kube_program_end *end, const struct kube_err *err)
{
	struct fixture *f = arg;
	f->calls++;
	f->code = err ? err->code : 0;
	f->status = end->status;
	f->output_len = end->output_len;
	snprintf(f->message, sizeof(f->message), "%s", err ? err->message : "");
	snprintf(f->output, sizeof(f->output), "%s", end->output);
	snprintf(f->last_words, sizeof(f->last_words), "%s", end->last_words);
	kube_loop_stop(f->loop);
}

static struct kube_run *start(struct fixture *f, const char *const *argv, const char *const *env, int64_t timeout_ms)
{
	const struct kube_program program = {.argv = argv, .env = env, .timeout_ms = timeout_ms, .max_output_bytes = 3000};
	struct kube_run *run = NULL;
	struct kube_err err;
	int rc = kube_program_run(f->env, &program, on_end, f, &run, &err);
	ck_assert_msg(rc == 0, "%s", err.message);
	ck_assert_int_eq(f->calls, 0);
	return run;
}

static void run_script(struct fixture *f, const char *script, int64_t timeout_ms)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	start(f, argv, NULL, timeout_ms);
	kube_loop_run(f->loop);
	ck_assert_int_eq(f->calls, 1);
}

START_TEST(arguments_and_environment_arrive_as_they_are)
{
	const char *const argv[] = {"/bin/sh",       "-c", "printf '%s|' \"$@\" \"$KUBE_TEST\" \"$KUBE_KEPT\"", "sh", "a b",
	                            "$(id);`id`\n'", NULL};
	const char *const env[] = {"KUBE_TEST=x y=\"$z\"", NULL};
	struct fixture f;
	set_up(&f);
	setenv("KUBE_TEST", "ours", 1);
	setenv("KUBE_KEPT", "kept", 1);
	start(&f, argv, env, PATIENCE_MS);
	kube_loop_run(f.loop);
	ck_assert_int_eq(f.code, 0);
	ck_assert_int_eq(f.status, 0);
	ck_assert_str_eq(f.output, "a b|$(id);`id`\n'|x y=\"$z\"|kept|");
	ck_assert_uint_eq(f.output_len, strlen(f.output));
	ck_assert_str_eq(f.last_words, "");
	tear_down(&f);
}
END_TEST

static const struct {
	const char *script;
	int code, status;
	const char *output, *last_words, *says;
} ends[] = {
    {"exit 7", 0, 7, "", "", ""},
    {"kill -TERM $$", 0, 143, "", "", ""},
    {"cat; echo end", 0, 0, "end\n", "", ""}, /* nobody is at its standard input */
    {"echo one >&2; echo; printf 'two\\tthree\\n\\n' >&2; exit 1", 0, 1, "\n", "two?three", ""},
    {"seq -f %040g 100 >&2; echo last >&2", 0, 0, "", "last", ""},
    {"head -c 3000 /dev/zero | tr '\\0' x; exit 2", 0, 2, NULL, "", ""},
    {"head -c 3001 /dev/zero; sleep 1000", KUBE_E_LIMIT, 0, "", "", "the program sh wrote more than 3000 bytes"},
};

START_TEST(tells_how_it_ended)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(ends); i++) {
		struct fixture f;
		set_up(&f);
		run_script(&f, ends[i].script, PATIENCE_MS);
		ck_assert_msg(f.code == ends[i].code, "row %zu: %d %s", i, f.code, f.message);
		ck_assert_msg(f.status == ends[i].status, "row %zu: %d", i, f.status);
		ck_assert_str_eq(f.last_words, ends[i].last_words);
		ck_assert_str_eq(f.message, ends[i].says);
		if (ends[i].output)
			ck_assert_str_eq(f.output, ends[i].output);
		else
			ck_assert_uint_eq(f.output_len, 3000);
		tear_down(&f);
	}
}
END_TEST

static void ck_not_started(const struct kube_program *program, int code, const char *says)
{
	struct kube_run *run = NULL;
	struct kube_err err;
	struct fixture f;
	set_up(&f);
	ck_assert_int_eq(kube_program_run(f.env, program, on_end, &f, &run, &err), code);
	ck_assert_msg(strstr(err.message, says) != NULL, "%s", err.message);
	ck_assert_ptr_null(run);
	tear_down(&f); /* runs what is left on the loop */
	ck_assert_int_eq(f.calls, 0);
}

START_TEST(what_cannot_be_started_is_said_at_once)
{
	const char *const absent[] = {"/nonexistent/plugin", NULL}, *const folder[] = {"/tmp", NULL};
	const char *const unknown[] = {"no-such-program-anywhere", NULL}, *const none[] = {NULL};
	ck_not_started(&(struct kube_program){.argv = absent, .timeout_ms = 1, .max_output_bytes = 1}, KUBE_E_NOTFOUND,
	               "there is no program /nonexistent/plugin");
	ck_not_started(&(struct kube_program){.argv = unknown, .timeout_ms = 1, .max_output_bytes = 1}, KUBE_E_NOTFOUND,
	               "no-such-program-anywhere");
	ck_not_started(&(struct kube_program){.argv = folder, .timeout_ms = 1, .max_output_bytes = 1}, KUBE_E_IO,
	               "the program /tmp cannot be started");
	ck_not_started(&(struct kube_program){.argv = none, .timeout_ms = 1, .max_output_bytes = 1}, KUBE_E_INVALID,
	               "needs a name");
	ck_not_started(&(struct kube_program){.argv = unknown, .max_output_bytes = 1}, KUBE_E_INVALID, "a time limit");
	ck_not_started(&(struct kube_program){.argv = unknown, .timeout_ms = 1}, KUBE_E_INVALID, "a limit of its output");
}
END_TEST

/* A fifo that is held open for reading ends when the last program that has it open for writing is gone. */
static int open_fifo(char path[64])
{
	snprintf(path, 64, "/tmp/test-program-%d", (int)getpid());
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
	return fd;
}

/* Reads what they wrote, to the end: until they all are gone. */
static void await_gone(int fd, const char *path, const char *wrote)
{
	char text[64] = "";
	size_t len = 0;
	for (ssize_t n; (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0;)
		len += (size_t)n;
	ck_assert_str_eq(text, wrote);
	close(fd);
	unlink(path);
}

/* The shell and its child hold the fifo; the child ignores SIGTERM. */
static const char two_programs[] = "exec 3>$FIFO; (trap '' TERM; echo child >&3; sleep 1000) & echo parent >&3; wait";

static void start_two(struct fixture *f, const char *path, int64_t timeout_ms, struct kube_run **ret_run)
{
	char variable[128];
	const char *const argv[] = {"sh", "-c", two_programs, NULL}, *const env[] = {variable, NULL};
	snprintf(variable, sizeof(variable), "FIFO=%s", path);
	*ret_run = start(f, argv, env, timeout_ms);
}

/* Both have written their line, in whatever order. */
static void await_two_lines(int fd)
{
	char text[64];
	size_t len = 0;
	while (len < strlen("parent\nchild\n")) {
		ssize_t n = read(fd, text, sizeof(text));
		if (n > 0)
			len += (size_t)n;
		else
			usleep(1000); /* not opened for writing yet */
	}
}

START_TEST(its_deadline_ends_it_with_all_it_has_started)
{
	char path[64];
	struct kube_run *run;
	struct fixture f;
	set_up(&f);
	int fd = open_fifo(path);
	start_two(&f, path, 500, &run);
	await_two_lines(fd);
	kube_loop_run(f.loop);
	ck_assert_int_eq(f.calls, 1);
	ck_assert_int_eq(f.code, KUBE_E_TIMEOUT);
	ck_assert_str_eq(f.message, "the program sh did not end within 500 ms");
	await_gone(fd, path, "");
	tear_down(&f);
}
END_TEST

START_TEST(it_may_be_killed_and_is_silent_then)
{
	char path[64];
	struct kube_run *run;
	struct fixture f;
	set_up(&f);
	int fd = open_fifo(path);
	start_two(&f, path, PATIENCE_MS, &run);
	await_two_lines(fd);
	kube_program_kill(f.env, run);
	await_gone(fd, path, "");
	run_script(&f, "exit 0", PATIENCE_MS); /* the loop goes on */
	tear_down(&f);
}
END_TEST

START_TEST(none_outlives_the_loop)
{
	char path[64];
	struct kube_run *run;
	struct fixture f;
	set_up(&f);
	int fd = open_fifo(path);
	start_two(&f, path, PATIENCE_MS, &run);
	await_two_lines(fd);
	tear_down(&f);
	await_gone(fd, path, "");
	ck_assert_int_eq(f.calls, 0);
	ck_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD); /* no zombie either */
}
END_TEST

static void end_and_kill(void *arg, const struct kube_program_end *end, const struct kube_err *err)
{
	struct kube_run **run = arg;
	(void)end;
	(void)err;
	ck_assert_ptr_nonnull(*run);
	*run = NULL;
}

/* Several at once, each with its own answer. */
START_TEST(many_run_at_once)
{
	struct fixture f;
	struct kube_run *runs[20];
	set_up(&f);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(runs); i++) {
		const char *const argv[] = {"true", NULL};
		const struct kube_program program = {.argv = argv, .timeout_ms = PATIENCE_MS, .max_output_bytes = 1};
		ck_assert_int_eq(kube_program_run(f.env, &program, end_and_kill, &runs[i], &runs[i], NULL), 0);
	}
	for (size_t i = 0; i < KUBE_ARRAY_LEN(runs); i++)
		while (runs[i]) {
			f.calls = 0;
			run_script(&f, "exit 0", PATIENCE_MS);
		}
	tear_down(&f);
}
END_TEST

CHECK_MAIN("program", arguments_and_environment_arrive_as_they_are, tells_how_it_ended,
           what_cannot_be_started_is_said_at_once, its_deadline_ends_it_with_all_it_has_started,
           it_may_be_killed_and_is_silent_then, none_outlives_the_loop, many_run_at_once)
