/* A leader election: what elector.c (life, time) and elector_round.c (requests, answers) share. */
#ifndef LIB_RUNTIME_ELECTOR_INTERNAL_H
#define LIB_RUNTIME_ELECTOR_INTERNAL_H

#include <cjson/cJSON.h>
#include <kube/elector.h>

enum elector_state {
	ELECTOR_STOPPED,
	ELECTOR_FOLLOWING,
	ELECTOR_LEADING,
	ELECTOR_RELEASING, /* it ends as soon as the lease is given back, or was not ours */
	ELECTOR_ENDED
};

enum elector_request {
	REQUEST_READ,   /* to write what is right next */
	REQUEST_VERIFY, /* to see whether we still hold it */
	REQUEST_WRITE,  /* that takes or keeps the lease */
	REQUEST_RELEASE
};

struct kube_elector {
	struct kube_elector_options options; /* texts are our own */
	struct kube_env *env;
	enum elector_state state;
	enum elector_request request; /* what op is */
	struct kube_op *op;           /* in flight; at most one */
	int64_t sent_ms;              /* mono: when op was sent */
	bool read_first;              /* this attempt has read the lease: a write that fails now ends it */
	bool verify_wanted;           /* when op is done */
	cJSON *lease;                 /* as the server last showed it; NULL: none, or not known */
	int64_t changed_ms;           /* mono: when its record was seen to differ from the one before */
	int64_t renewed_ms;           /* mono: sending of the last write that made or kept it ours */
	struct kube_timer next;       /* attempt; reserved, as is the other */
	struct kube_timer deadline;   /* LEADING: renewed_ms + renew_ms */
	char *told_holder;            /* on_holder */
	char failure[512];            /* on_health; "" when attempts work */
};

/* elector.c */
int64_t elector_now_ms(const struct kube_elector *e);
void elector_end(struct kube_elector *e);
void elector_lose(struct kube_elector *e, const struct kube_err *err);
void elector_lose_by_time(struct kube_elector *e);
void elector_rest(struct kube_elector *e);         /* until the next attempt */
void elector_set_deadline(struct kube_elector *e); /* renewed_ms has moved */
void elector_healthy(struct kube_elector *e);
void elector_unhealthy(struct kube_elector *e, const struct kube_err *err);

/* elector_round.c */
void elector_attempt(struct kube_elector *e); /* nothing while a request is in flight */
void elector_send_verify(struct kube_elector *e);
void elector_send_release(struct kube_elector *e);

#endif
