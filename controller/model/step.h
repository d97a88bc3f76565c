/* The life of a node target (Pending → Claimed → Preparing → Draining → Patching → Rebooting → Verifying → Settling →
 * Patched, and the ways out). */
#ifndef MODEL_STEP_H
#define MODEL_STEP_H

#include <stdbool.h>

enum step {
	STEP_NONE, /* pending: no state on the node */
	STEP_CLAIMED,
	STEP_PREPARING,
	STEP_DRAINING,
	STEP_PATCHING,
	STEP_REBOOTING,
	STEP_VERIFYING,
	STEP_SETTLING,
	STEP_PATCHED,
	STEP_FAILED,
	STEP_ROLLING_BACK,
	STEP_ROLLED_BACK,
	STEP_QUARANTINED,
	STEP_SKIPPED,
	STEP_COUNT
};
extern const char *const step_names[]; /* "" for NONE, then "Claimed" …; NULL-terminated */

/* Patched, Failed, RolledBack, Quarantined, Skipped. */
bool step_ended(enum step step);
/* The ends that count as a failure: Failed, RolledBack, Quarantined. */
bool step_bad(enum step step);

#endif
