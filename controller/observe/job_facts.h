/*
 * What is known of the job pod that was asked for last on each node, beside the cache, which may be blind for minutes:
 * that the server has made it, what a read of it showed, that it is gone. In memory only: a restart costs a read.
 *
 * Bounded; when it is full the oldest entry goes. Without memory nothing is known, which costs a read too.
 */
#ifndef OBSERVE_JOB_FACTS_H
#define OBSERVE_JOB_FACTS_H

#include "controller/plan/plan.h"

#define JOB_FACTS_MAX 20000

struct job_facts;

int job_facts_new(struct job_facts **ret_facts, struct kube_err *err);
void job_facts_free(struct job_facts *facts); /* NULL is fine */

/* A request to create it goes out: whatever was known of another one on this node is over, and of this one only that
 * it was there once. */
void job_facts_asked(struct job_facts *facts, const char *node_uid, const char *name);
/* It is there. uid NULL: not known (AlreadyExists). */
void job_facts_exists(struct job_facts *facts, const char *node_uid, const char *name, const char *uid);
/* As the server shows it; object is a struct pod, and is kept. */
void job_facts_read(struct job_facts *facts, const char *node_uid, struct kube_object *object, int64_t now_ms);
/* There is none, says the server itself, or the cache that had shown it. uid NULL: not known. */
void job_facts_absent(struct job_facts *facts, const char *node_uid, const char *name, const char *uid);
/* The cache, which had shown it, shows it no more. Of several on a node that nobody has asked for the youngest matters.
 */
void job_facts_vanished(struct job_facts *facts, const struct pod *pod);
/* Its result is on its node. */
void job_facts_drop(struct job_facts *facts, const char *node_uid, const char *name);

/* NULL: nothing is known. Borrowed until the next change about this node. */
const struct job_fact *job_facts_get(const struct job_facts *facts, const char *node_uid);

#endif
