/* What proc(5) says of this process, for its metrics. Internal to lib/runtime. */
#ifndef KUBE_RUNTIME_PROCESS_H
#define KUBE_RUNTIME_PROCESS_H

/* What cannot be read is negative. */
struct process_usage {
	double cpu_seconds;                   /* user and system */
	double virtual_bytes, resident_bytes; /* address space; what of it is in memory */
	double start_seconds;                 /* since the epoch */
	double open_fds, max_fds;             /* max_fds is INFINITY without a limit */
};

struct process_usage process_usage_read(void);

#endif
