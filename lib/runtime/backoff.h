/* Growing delays between attempts, as client-go's reflector waits. */
#ifndef LIB_RUNTIME_BACKOFF_H
#define LIB_RUNTIME_BACKOFF_H

#include <kube/env.h>

#define BACKOFF_FIRST_MS 800
#define BACKOFF_MAX_MS 30000
#define BACKOFF_RESET_MS 120000 /* quiet for this long after a delay: start over */

struct backoff { /* zeroed is fine */
	int64_t next_ms;
	int64_t quiet_since_ms; /* mono time at which the last delay ends */
};

/* The delay before the next attempt: uniform in [d, 2d), d doubled each time up to the maximum. */
int64_t backoff_next(struct backoff *backoff, struct kube_env *env);

#endif
