/* What gates and channels ask, outside the cluster. */
#ifndef TEST_SIM_OUTSIDE_H
#define TEST_SIM_OUTSIDE_H

#include "test/sim/world.h"

/* A channel's, which says what the ConfigMap of channel.c says. *ret_secret: what else stands in
 * spec.patches[].channel. */
const char *draw_channel_url(struct world *world, const char **ret_secret);

struct outside *outside_new(struct world *world);
void outside_end(struct outside *outside); /* from here on it says yes */
void outside_free(struct outside *outside);
/* When it said yes last. */
int64_t outside_yes_until_ms(const struct outside *outside);

#endif
