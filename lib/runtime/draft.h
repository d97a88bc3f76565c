/*
 * An object between its document and the cache: first only what it is, so that nothing is made of a version that is
 * there already, then the object.
 */
#ifndef LIB_RUNTIME_DRAFT_H
#define LIB_RUNTIME_DRAFT_H

#include "lib/runtime/document.h"

#include <kube/object.h>

struct draft {
	const struct kube_projection *projection;
	struct kube_arena arena; /* of all below and the parts; used again for the next one */
	struct document document;
	const char *name, *namespace_, *uid, *resource_version; /* "" when absent */
	const char *key;
	int64_t generation;
	int64_t created_ms, deleted_ms; /* 0 when absent */
};

void draft_init(struct draft *draft, const struct kube_projection *projection);
void draft_finish(struct draft *draft); /* zeroed is fine */
/* Forgets the draft before. On failure the key is there if the document tells it, else "". The document is borrowed. */
int draft_read(struct draft *draft, const struct document *document, struct kube_err *err);
/*
 * Makes the object; pool may be NULL. before: a version of it, or NULL. A large object that is decoded by hand is read
 * once and not twice where that is about as large; an eighth of its memory may stay unused then.
 */
int draft_make(struct draft *draft, struct kube_pool *pool, const struct kube_object *before,
               struct kube_object **ret_object, struct kube_err *err);

#endif
