/*
 * patches[].channel: a version that is not written in the policy but said elsewhere; and status.resolved: what came of
 * it. Only what stands in status.resolved is ever used: it goes into the rules as if it had been written there.
 */
#ifndef MODEL_CHANNEL_H
#define MODEL_CHANNEL_H

#include "controller/model/policy.h"

#define CHANNEL_VERSION_BYTES 64 /* of a version, as in the schema */
#define CHANNEL_TEXT_BYTES 256   /* of what a channel says: a version, and blanks around it */

extern const struct kube_json_field channel_table[], resolved_table[];

/* After decoding: the member that the type needs is there, and `source` is made. KUBE_E_PARSE, KUBE_E_NOMEM. */
int channel_complete(struct channel *channel, size_t patch, struct kube_arena *arena, struct kube_err *err);

/* A version that may be used: of the characters that a root shell may see, and one that can be compared with what nodes
 * show, except for Custom, where any will do. */
bool channel_version_ok(const struct patch *patch, const char *version);

/* What status.resolved says of this patch's channel; NULL: nothing. */
const struct resolved *channel_resolved(const struct policy *policy, const struct patch *patch);

/* Puts the resolved versions into the rules. */
void channels_apply(struct policy *policy);

/* The first patch whose channel has not said a version yet; NULL: there is none. */
const struct patch *rules_unresolved(const struct rules *rules);

#endif
