#include "test/nomem/sweep.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ROUNDS 20000

static size_t nth, more;
static bool failed;

void sweep_begin(void)
{
	alloc_arm(nth, more);
}

void sweep_end(void)
{
	failed |= alloc_disarm();
}

static int play(sweep_fn *round, void *arg, size_t number, size_t others, struct kube_err *err)
{
	nth = number;
	more = others;
	failed = false;
	kube_err_reset(err);
	int code = round(arg, err);
	sweep_end();
	return code;
}

/* Twice without a failure: what libraries keep for good is there then. */
static void warm_up(const char *name, sweep_fn *round, void *arg)
{
	struct kube_err err;

	for (int i = 0; i < 2; i++)
		ck_assert_msg(play(round, arg, 0, 0, &err) == 0, "%s does not work at all: %s", name, err.message);
	ck_assert_msg(alloc_count() > 0, "%s allocates nothing: is the allocator ours?", name);
}

static void check_code(const char *name, int code, const struct kube_err *err)
{
	if (code != 0 && code != KUBE_E_NOMEM)
		alloc_show(STDOUT_FILENO);
	ck_assert_msg(code == 0 || code == KUBE_E_NOMEM, "%s, allocation %zu (and %zu more): %s (%s)", name, nth, more,
	              kube_code_text(code), err->message);
	ck_assert_msg(code == 0 || (err->code == code && *err->message), "%s, allocation %zu: no message", name, nth);
}

/* Plays a round and returns how many blocks are left of it. */
static size_t leak(sweep_fn *round, void *arg, size_t number, size_t others, int *ret_code, struct kube_err *err)
{
	size_t live = alloc_live();

	*ret_code = play(round, arg, number, others, err);
	return alloc_live() - live;
}

/* others: how many allocations fail beside the nth. Returns how many rounds reported the failure. */
static size_t sweep_with(const char *name, sweep_fn *round, void *arg, size_t others)
{
	size_t reported = 0;

	warm_up(name, round, arg);
	for (size_t i = 1; i < MAX_ROUNDS; i++) {
		struct kube_err err;
		int code;
		size_t blocks = leak(round, arg, i, others, &code, &err);
		if (blocks > 0) /* what a library makes at its first failure stays, too: a leak comes again */
			blocks = leak(round, arg, i, others, &code, &err);
		if (blocks > 0)
			alloc_show(STDOUT_FILENO);
		ck_assert_msg(blocks == 0, "%s, allocation %zu (and %zu more): %zd blocks leak", name, i, others,
		              (ssize_t)blocks);
		check_code(name, code, &err);
		if (!failed) {
			ck_assert_int_eq(code, 0);
			return reported;
		}
		reported += code != 0;
	}
	ck_abort_msg("%s never gets through", name);
	return 0;
}

void sweep(const char *name, sweep_fn *round, void *arg)
{
	ck_assert_msg(sweep_with(name, round, arg, 0) > 0, "%s reports no failure", name);
	sweep_with(name, round, arg, SIZE_MAX / 2);
}

void sweep_survived(const char *name, sweep_fn *round, void *arg)
{
	ck_assert_msg(sweep_with(name, round, arg, 0) == 0, "%s reports a failure", name);
	ck_assert_msg(sweep_with(name, round, arg, 3) == 0, "%s reports a failure", name);
}

/* In the child: exit code 0 when no failure was met, 77 when one was met and outlived. */
static void play_alone(sweep_fn *round, void *arg, size_t number, int output)
{
	struct kube_err err;

	dup2(output, STDERR_FILENO);
	int code = play(round, arg, number, 0, &err);
	_exit(code ? 99 : (failed ? 77 : 0));
}

static int run_child(sweep_fn *round, void *arg, size_t number, char *out, size_t size)
{
	int pipe_fds[2], status = 0;
	size_t len = 0;

	ck_assert_int_eq(pipe(pipe_fds), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		play_alone(round, arg, number, pipe_fds[1]);
	close(pipe_fds[1]);
	for (ssize_t n; len + 1 < size && (n = read(pipe_fds[0], out + len, size - len - 1)) > 0;)
		len += (size_t)n;
	out[len] = '\0';
	close(pipe_fds[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

/* Where memory is asked for, by the number of the allocation. Returns how many there are. */
static size_t trace(sweep_fn *round, void *arg, uint64_t places[MAX_ROUNDS])
{
	struct kube_err err;

	alloc_trace(places, MAX_ROUNDS);
	play(round, arg, 0, 0, &err);
	ck_assert_uint_lt(alloc_count(), MAX_ROUNDS);
	return alloc_count();
}

static bool contains(const uint64_t *places, size_t from, size_t to, uint64_t place)
{
	while (from < to && places[from] != place)
		from++;
	return from < to;
}

void sweep_fatal(const char *name, sweep_fn *round, void *arg, const char *last_words)
{
	static uint64_t places[MAX_ROUNDS];
	char out[4096];
	size_t ended = 0;

	warm_up(name, round, arg);
	size_t count = trace(round, arg, places);
	for (size_t i = 1; i <= count; i++) {
		if (contains(places, 0, i - 1, places[i - 1]) && contains(places, i, count, places[i - 1]))
			continue;
		int status = run_child(round, arg, i, out, sizeof(out));
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			continue;
		ended++;
		ck_assert_msg(strstr(out, last_words) && !strstr(out, "Sanitizer"), "%s, allocation %zu: status %x, %s", name,
		              i, (unsigned)status, out);
	}
	ck_assert_msg(ended > 0, "%s meets no failure", name);
}
