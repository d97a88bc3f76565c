/* What gates ask, outside the cluster. */
#ifndef TEST_SIM_OUTSIDE_H
#define TEST_SIM_OUTSIDE_H

#include "test/sim/world.h"

struct outside *outside_new(struct world *world);
void outside_end(struct outside *outside); /* from here on it says yes */
void outside_free(struct outside *outside);
/* When it said yes last. */
int64_t outside_yes_until_ms(const struct outside *outside);

#endif
