/*
 * sim: plays seeds. A seed that fails is played again with a trace.
 *
 *   sim [OPTIONS] SEEDS           seeds 1 to SEEDS
 *   sim [--calm] --seed N         one seed, with its trace
 *
 *   --calm      nothing goes wrong
 *   --first N   seeds N to N + SEEDS - 1
 *   --jobs N    so many at a time; default: one a processor
 *   --stop      up to the first failure, without its trace
 */
#include "test/sim/world.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHOWN 3 /* failures that are played again with a trace */

struct arguments {
	bool calm, stop;
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

/* Shared by the workers. */
struct score {
	_Atomic uint64_t next, passed, failed;
};

static void play(const struct arguments *arguments, struct score *score)
{
	struct world world;
	uint64_t i;

	while ((i = score->next++) < arguments->count) {
		running = arguments->first + i;
		if (world_run(&world, running, arguments->calm, NULL)) {
			score->passed++;
			continue;
		}
		printf("seed %llu: %s\n", (unsigned long long)running, world.failure);
		fflush(stdout);
		if (score->failed++ < SHOWN && !arguments->stop)
			show_trace(running, arguments->calm);
		if (arguments->stop)
			score->next = arguments->count;
	}
}

/* The last line is "N passed, N failed", in seeds. */
static int play_all(const struct arguments *arguments)
{
	struct score *score = mmap(NULL, sizeof(*score), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double start = seconds();
	int status;

	if (score == MAP_FAILED)
		return 1;
	fflush(stdout);
	for (int worker = 0; worker < arguments->jobs; worker++)
		if (fork() == 0) {
			play(arguments, score);
			exit(0);
		}
	while (wait(&status) > 0)
		score->failed += status != 0; /* it has crashed */
	double took = seconds() - start;
	printf("seeds from %llu on: %.1f a second\n%llu passed, %llu failed\n", (unsigned long long)arguments->first,
	       (double)(score->passed + score->failed) / took, (unsigned long long)score->passed,
	       (unsigned long long)score->failed);
	return score->failed != 0;
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
		else if (strcmp(argv[i], "--stop") == 0)
			arguments.stop = true;
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
