/* What gates look at in the cluster. */
#ifndef TEST_SIM_INSIDE_H
#define TEST_SIM_INSIDE_H

#include "test/sim/world.h"

#define INSIDE_NAMESPACE "ops"

extern const struct kube_resource sim_backups;

struct inside *inside_new(struct world *world);
void inside_end(struct inside *inside); /* from here on all of it holds */
void inside_free(struct inside *inside);
/* One of type Resource or Pods. at: what stands in its list. */
void inside_add_gate(struct inside *inside, struct kube_buf *out, const char *at, const char *on_error);
int64_t inside_held_until_ms(const struct inside *inside);                        /* the object's condition */
bool inside_enough(const struct inside *inside, int64_t matching, int64_t ready); /* pods */

#endif
