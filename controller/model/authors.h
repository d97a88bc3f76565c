/*
 * Who wrote a policy since its last plan that was approved: status.authors, and what the policy itself shows.
 *
 * metadata.generation counts the changes of a spec, and the annotation patchwright.io/author, which the admission
 * policy authors.patchwright.io keeps honest, says who wrote the last one. A change that was not seen has an author who
 * is not known. A change of what does not govern rollouts (suspend, trigger, historyLimit) has no author.
 */
#ifndef MODEL_AUTHORS_H
#define MODEL_AUTHORS_H

#include <kube/json.h>
#include <stdbool.h>
#include <stdint.h>

#define MAX_AUTHORS 20

struct policy;

struct author {
	const char *user; /* "": not known */
	int64_t generation;
};

struct author_list {
	struct author *items;
	size_t count;
};

struct authors {
	int64_t generation; /* of the newest spec that was looked at; 0: none was */
	const char *policy_hash;
	struct author_list list;
};

extern const struct kube_json_field authors_table[];

void authors_complete(struct authors *authors); /* after decoding: puts "" where a user is absent */

/*
 * What status.authors should say now. approved_generation: of the newest plan that was approved; what was written up to
 * then does not count any more. items: room for MAX_AUTHORS, which the result points at.
 */
struct authors authors_now(const struct policy *policy, int64_t approved_generation, struct author *items);
/* The first whose name is not known; NULL: all are. */
const struct author *authors_unknown(const struct authors *authors);
bool authors_have(const struct authors *authors, const char *user);

#endif
