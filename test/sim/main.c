/*
 * sim: plays seeds. A seed that fails is played again with a trace.
 *
 *   sim [--calm] [--first N] [--jobs N] SEEDS     seeds N (1) to N + SEEDS - 1
 *   sim [--calm] --seed N                         one seed, with its trace
 */
#include "test/sim/world.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct arguments {
	bool calm;
	uint64_t first, count, seed;
	int jobs;
};

static volatile uint64_t running; /* the seed in play, for the signal handler */

static void on_crash(int number)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "seed %llu: signal %d\n", (unsigned long long)running, number);

	if (write(STDOUT_FILENO, text, (size_t)len) != len)
		_exit(3);
	signal(number, SIG_DFL);
	raise(number);
}

static double seconds(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The trace of a long run is long: its end is what matters. */
static void show_trace(uint64_t seed, bool calm)
{
	char name[] = "/tmp/sim-trace-XXXXXX", command[96];
	struct world world;
	int fd = mkstemp(name);
	FILE *trace = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!trace)
		return;
	world_run(&world, seed, calm, trace);
	fclose(trace);
	fflush(stdout);
	snprintf(command, sizeof(command), "tail -n 60 %s", name);
	if (system(command) != 0)
		perror("tail");
	unlink(name);
}

static int play(const struct arguments *arguments, int worker)
{
	struct world world;
	int failed = 0;

	for (uint64_t i = (uint64_t)worker; i < arguments->count; i += (uint64_t)arguments->jobs) {
		running = arguments->first + i;
		if (world_run(&world, running, arguments->calm, NULL))
			continue;
		printf("seed %llu: %s\n", (unsigned long long)running, world.failure);
		fflush(stdout);
		if (failed++ == 0)
			show_trace(running, arguments->calm);
		if (failed == 5)
			break;
	}
	return failed;
}

static int play_all(const struct arguments *arguments)
{
	double start = seconds();
	int failed = 0, status;

	fflush(stdout);
	for (int worker = 0; worker < arguments->jobs; worker++)
		if (fork() == 0)
			exit(play(arguments, worker) > 0);
	while (wait(&status) > 0)
		failed += status != 0;
	double took = seconds() - start;
	printf("%llu seeds in %.1f s, %.1f a second: %s\n", (unsigned long long)arguments->count, took,
	       (double)arguments->count / took, failed ? "FAILED" : "everything held");
	return failed != 0;
}

static int play_one(const struct arguments *arguments)
{
	struct world world;

	running = arguments->seed;
	bool held = world_run(&world, arguments->seed, arguments->calm, stdout);
	printf("seed %llu: %s (%lu steps, %lu changes, %lu jobs, %lu kills, %lu freezes, %lu rollouts)\n",
	       (unsigned long long)arguments->seed, held ? "everything held" : world.failure, world.steps, world.changes,
	       world.jobs, world.kills, world.freezes, world.finished);
	return !held;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.first = 1, .count = 100, .jobs = (int)sysconf(_SC_NPROCESSORS_ONLN)};

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(argv[i], "--calm") == 0)
			arguments.calm = true;
		else if (strcmp(argv[i], "--first") == 0)
			arguments.first = strtoull(value, NULL, 10), i++;
		else if (strcmp(argv[i], "--jobs") == 0)
			arguments.jobs = atoi(value), i++;
		else if (strcmp(argv[i], "--seed") == 0)
			arguments.seed = strtoull(value, NULL, 10), i++;
		else
			arguments.count = strtoull(argv[i], NULL, 10);
	}
	signal(SIGSEGV, on_crash);
	signal(SIGABRT, on_crash);
	return arguments.seed ? play_one(&arguments) : play_all(&arguments);
}
