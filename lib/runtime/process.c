#include "lib/runtime/process.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Fields of /proc/self/stat, counted from the state (field 3) on: the name before it may contain anything. */
enum { STAT_UTIME = 11, STAT_STIME = 12, STAT_STARTTIME = 19, STAT_VSIZE = 20, STAT_RSS = 21, STAT_FIELDS = 22 };

static bool read_stat(double fields[STAT_FIELDS])
{
	char text[2048];
	FILE *file = fopen("/proc/self/stat", "re");
	if (!file)
		return false;
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	char *at = strrchr(text, ')');
	if (!at || at[1] != ' ' || !at[2])
		return false;
	at += 3; /* behind the state letter */
	for (int i = 1; i < STAT_FIELDS; i++) {
		char *end;
		fields[i] = strtod(at, &end);
		if (end == at)
			return false;
		at = end;
	}
	return true;
}

/* Seconds since the epoch at which the machine started; negative when unknown. */
static double read_boot_seconds(void)
{
	char line[256];
	int64_t seconds = -1;
	FILE *file = fopen("/proc/stat", "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "btime %" SCNd64, &seconds) == 1)
			break;
	fclose(file);
	return (double)seconds;
}

static double count_fds(void)
{
	double count = -1; /* for the descriptor of the listing itself */
	DIR *dir = opendir("/proc/self/fd");
	if (!dir)
		return -1;
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		count += isdigit((unsigned char)entry->d_name[0]) != 0;
	closedir(dir);
	return count;
}

struct process_usage process_usage_read(void)
{
	struct process_usage process = {-1, -1, -1, -1, count_fds(), -1};
	double fields[STAT_FIELDS] = {0}, boot = read_boot_seconds(), ticks = (double)sysconf(_SC_CLK_TCK);
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		process.max_fds = limit.rlim_cur == RLIM_INFINITY ? INFINITY : (double)limit.rlim_cur;
	if (ticks <= 0 || !read_stat(fields))
		return process;
	process.cpu_seconds = (fields[STAT_UTIME] + fields[STAT_STIME]) / ticks;
	process.virtual_bytes = fields[STAT_VSIZE];
	process.resident_bytes = fields[STAT_RSS] * (double)sysconf(_SC_PAGESIZE);
	if (boot >= 0)
		process.start_seconds = boot + fields[STAT_STARTTIME] / ticks;
	return process;
}
