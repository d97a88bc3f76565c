#include "controller/model/step.h"

#include <stddef.h>

const char *const step_names[] = {
    "",        "Claimed", "Preparing",   "Draining",   "Patching",    "Rebooting", "Verifying", "Settling",
    "Patched", "Failed",  "RollingBack", "RolledBack", "Quarantined", "Skipped",   NULL};

bool step_ended(enum step step)
{
	return step == STEP_PATCHED || step == STEP_SKIPPED || step_bad(step);
}

bool step_bad(enum step step)
{
	return step == STEP_FAILED || step == STEP_ROLLED_BACK || step == STEP_QUARANTINED;
}
