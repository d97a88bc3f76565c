/* The simulated outside: a clock, a transport, processes and programs. They report lack of memory as real ones do. */
#include "test/nomem/sweep.h"

#include <kube/mem.h>
#include <kube/sim.h>
#include <string.h>

#define CROWD 63 /* timers; with one more the heap of an environment grows */

static void never(struct kube_timer *timer, void *arg)
{
	(void)timer, (void)arg;
	ck_abort_msg("a timer of an hour fires");
}

/* So that the timers that follow need memory. */
static void crowd(struct kube_env *env, struct kube_timer timers[CROWD])
{
	memset(timers, 0, CROWD * sizeof(*timers));
	for (size_t i = 0; i < CROWD; i++)
		ck_assert_int_eq(kube_timer_start(env, &timers[i], 3600 * 1000, never, NULL), 0);
}

/* ---- requests ---- */

struct heard {
	int heads, done, code;
	char text[16];
};

static void on_head(void *arg, const struct kube_response_head *head)
{
	struct heard *heard = arg;
	heard->heads += head->status == 200 ? 1 : 100;
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	struct heard *heard = arg;
	strncat(heard->text, heard->heads == 1 ? bytes : "headless", len);
	return 0;
}

static void on_done(void *arg, const struct kube_err *err)
{
	struct heard *heard = arg;
	heard->done++;
	heard->code = err ? err->code : 0;
}

static void serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange, const struct kube_request *request)
{
	(void)arg, (void)request;
	kube_sim_reply_head(sim, exchange, 10, 200, -1, "text/plain");
	kube_sim_reply_data(sim, exchange, 20, "one ", 4);
	kube_sim_reply_data(sim, exchange, 30, "two", 3);
	kube_sim_reply_end(sim, exchange, 40, 0, NULL);
}

/* All of the answer comes, in order, or the beginning of it and an end that says why; always one end. */
static int ask(struct kube_sim *sim, struct kube_transport *transport, struct kube_err *err)
{
	static const struct kube_exchange_handlers handlers = {on_head, on_data, on_done};
	static const struct kube_request request = {.method = "POST",
	                                            .target = "/x",
	                                            .accept = "text/plain",
	                                            .content_type = "text/plain",
	                                            .body = "body",
	                                            .body_len = 4,
	                                            .timeout_ms = 60000,
	                                            .idle_timeout_ms = 30000};
	struct kube_exchange *exchange = NULL;
	struct heard heard = {.heads = 0};

	kube_sim_serve(sim, serve, NULL);
	sweep_begin();
	int code = kube_transport_send(transport, &request, &handlers, &heard, &exchange, err);
	if (!code)
		kube_sim_run(sim, 100, 1000);
	sweep_end();
	ck_assert_int_eq(heard.done, code ? 0 : 1);
	if (code)
		return code;
	ck_assert_msg(strncmp("one two", heard.text, strlen(heard.text)) == 0, "%s", heard.text);
	if (heard.code)
		return kube_fail(err, heard.code, "no answer");
	ck_assert_int_eq(heard.heads, 1);
	ck_assert_str_eq(heard.text, "one two");
	return 0;
}

static int use_transport(void *arg, struct kube_err *err)
{
	struct kube_timer others[CROWD];
	struct kube_sim *sim = NULL;

	(void)arg;
	ck_assert_int_eq(kube_sim_new(1, 0, &sim, NULL), 0);
	crowd(kube_sim_env(sim), others);
	int code = ask(sim, kube_sim_transport(sim), err);
	kube_sim_free(sim);
	return code;
}

START_TEST(requests)
{
	sweep("simulated request", use_transport, NULL);
}
END_TEST

/* ---- processes ---- */

static void fire(struct kube_timer *timer, void *arg)
{
	(void)timer;
	++*(int *)arg;
}

/* Its timers fire and its answers come, also when memory was short on the clock that they hang on. */
static int use_process(void *arg, struct kube_err *err)
{
	struct kube_sim_process *process = NULL;
	struct kube_timer others[CROWD], timer = {0};
	struct kube_sim *sim = NULL;
	int fired = 0;

	(void)arg;
	ck_assert_int_eq(kube_sim_new(1, 0, &sim, NULL), 0);
	crowd(kube_sim_env(sim), others);
	sweep_begin();
	int code = kube_sim_process_new(sim, &process, err);
	if (!code && kube_timer_start(kube_sim_process_env(process), &timer, 50, fire, &fired) != 0)
		code = kube_fail(err, KUBE_E_NOMEM, "no timer");
	sweep_end();
	if (!code) {
		code = ask(sim, kube_sim_process_transport(process), err);
		ck_assert_int_eq(fired, code && fired == 0 ? 0 : 1);
		kube_sim_run(sim, 100, 1000);
		ck_assert_int_eq(fired, 1);
	}
	kube_sim_process_free(process);
	kube_sim_free(sim);
	return code;
}

START_TEST(processes)
{
	sweep("simulated process", use_process, NULL);
}
END_TEST

/* ---- programs ---- */

static void play(void *arg, struct kube_sim *sim, struct kube_run *run, const struct kube_program *program)
{
	(void)arg;
	kube_sim_program_end(sim, run, 1000, 3, program->argv[1], "last words\n");
}

static void on_end(void *arg, const struct kube_program_end *end, const struct kube_err *err)
{
	struct heard *heard = arg;
	heard->done++;
	heard->code = err ? err->code : 0;
	if (!err && end->status == 3)
		strncat(heard->text, end->output, sizeof(heard->text) - 1);
}

/* It ends as it was played, or at its deadline. */
static int use_program(void *arg, struct kube_err *err)
{
	static const char *const argv[] = {"cat", "text", NULL};
	static const char *const env[] = {"A=b", NULL};
	static const struct kube_program program = {.argv = argv, .env = env, .timeout_ms = 5000, .max_output_bytes = 100};
	struct kube_timer others[CROWD];
	struct heard heard = {.done = 0};
	struct kube_run *run = NULL;
	struct kube_sim *sim = NULL;

	(void)arg;
	ck_assert_int_eq(kube_sim_new(1, 0, &sim, NULL), 0);
	crowd(kube_sim_env(sim), others);
	kube_sim_programs(sim, play, NULL);
	sweep_begin();
	int code = kube_program_run(kube_sim_env(sim), &program, on_end, &heard, &run, err);
	if (!code)
		kube_sim_run(sim, 10000, 1000);
	sweep_end();
	ck_assert_int_eq(heard.done, code ? 0 : 1);
	if (!code && heard.code != KUBE_E_TIMEOUT) {
		ck_assert_int_eq(heard.code, 0);
		ck_assert_str_eq(heard.text, "text");
	}
	kube_sim_free(sim);
	return code;
}

START_TEST(programs)
{
	sweep("simulated program", use_program, NULL);
}
END_TEST

CHECK_MAIN("allocation failures: simulation", requests, processes, programs)
