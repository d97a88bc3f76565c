/* One write in flight, from its sending to what its answer means. Internal to controller/act. */
#ifndef ACT_EFFECT_H
#define ACT_EFFECT_H

#include "controller/act/act.h"

enum effect_kind { EFFECT_CREATE, EFFECT_PATCH, EFFECT_STATUS, EFFECT_DELETE, EFFECT_EVICT, EFFECT_READ };

enum effect_verdict {
	EFFECT_WRITTEN,
	EFFECT_GONE,   /* the object is gone: as good as done */
	EFFECT_EXISTS, /* a creation: something of that name is there */
	EFFECT_STALE,  /* nothing was written: the object differs from what was looked at */
	EFFECT_FAILED
};
/* What an answer means. err NULL: success. Pure. */
enum effect_verdict effect_verdict(enum effect_kind kind, const struct kube_err *err);

#define EFFECT_LOG_PAIRS 5

struct effect {
	enum effect_kind kind;
	const char *key;              /* the queue key of the plan */
	const char *what;             /* "create pod patchwright-jobs/pw-1": names the effect in facts and messages */
	struct kube_pending *pending; /* of the object's store */
	const char *object_key;       /* in that store */
	const char *mark;             /* whom a creation is for, or a read of a job pod: UID of the node or policy; NULL:
	                                 nothing that is asked for by act_job_busy() or act_creating() */
	const char *job, *job_node;   /* the job pod that this is about, and the UID of its node; NULL: none */
	const char *uid, *namespace_; /* EVICT: of the pod */
	const char *done;             /* what is logged on success; NULL: nothing */
	const char *log[2 * EFFECT_LOG_PAIRS]; /* with these keys and values */
	int64_t delay_ms; /* sent so much later, but its object is busy from now on; without retries only */
	int64_t pause_ms; /* after a success it is not sent again for so long; 0: no matter */
	int64_t last_seq; /* status of a rollout: newest decision before this one; -1: no rollout */
};

/* Sends it unless its object is busy or it waits after a failure. Copies effect. False: it was not sent. */
bool effect_send(struct act *act, const struct effect *effect, const struct kube_call *call);
/* As if the server had refused it. */
void effect_refused(struct act *act, const struct effect *effect, const struct kube_err *refusal);
bool effect_ready(const struct act *act, const struct effect *effect);

/* job_answer.c: what the answers to the creation, read and release of a job pod leave behind. */
void job_asked(struct act *act, const struct effect *effect);
void job_written(struct act *act, const struct effect *effect, const cJSON *json);
void job_not_made(struct act *act, const struct effect *effect);
void job_not_there(struct act *act, const struct effect *effect);

/* evict.c: what the answer to an eviction leaves behind. */
void evict_answered(struct act *act, const struct effect *effect, const struct kube_err *err);

/* Borrowed by the files of controller/act. */
const struct act_options *act_options(const struct act *act);
int64_t act_now_ms(const struct act *act);
uint64_t act_random(const struct act *act);

#endif
