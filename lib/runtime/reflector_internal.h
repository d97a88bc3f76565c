/*
 * A reflector's inside, shared by its files: reflector.c (life, waiting, health), reflector_list.c and
 * reflector_watch.c (one kind of request each, from sending it to what comes next), reflector_initial.c (watches that
 * begin with a list).
 *
 * One exchange at most is open. Whatever ends a step calls exactly one of reflector_list(), reflector_watch(),
 * reflector_expired() and reflector_fail() to begin the next.
 */
#ifndef LIB_RUNTIME_REFLECTOR_INTERNAL_H
#define LIB_RUNTIME_REFLECTOR_INTERNAL_H

#include "lib/runtime/backoff.h"
#include "lib/runtime/draft.h"
#include "lib/runtime/wire.h"

#include <kube/reflector.h>

enum reflector_step {
	REFLECTOR_STOPPED,
	REFLECTOR_LISTING,
	REFLECTOR_WATCHING,
	REFLECTOR_WAITING_TO_LIST,
	REFLECTOR_WAITING_TO_WATCH,
};

#define REFLECTOR_REMEMBERED_REPORTS 16

struct reflector_listing {
	struct wire_list wire;
	struct kube_object **objects;
	size_t count, cap;
	size_t page_bytes;
	unsigned pages;       /* that arrived */
	char *continue_token; /* NULL on the first page */
	bool unlimited;       /* a continue token has expired: all in one page */
};

struct reflector_watch {
	struct wire_stream wire;
	bool initial;       /* the objects that come make the list, until a bookmark says that these were all */
	int64_t opened_ms;  /* mono time */
	int64_t silence_ms; /* longest one allowed */
	bool advanced;      /* an event has moved the version */
};

struct kube_reflector {
	struct kube_reflector_options options; /* texts are our own copies */
	struct kube_env *env;
	enum reflector_step step;
	/*
	 * Always active once started, so that no lack of memory can leave the reflector without a next step: the end of the
	 * waiting, or the longest silence of the exchange.
	 */
	struct kube_timer timer;
	struct kube_timer calm_timer; /* a watch that has been open for a moment is one that works */
	struct backoff backoff;

	char *version;        /* the last resourceVersion that was seen; NULL: none yet */
	bool version_expired; /* the server no longer, or not yet, has it */
	bool plain_list;      /* the next list is no WatchList: the last one was refused, or has broken off */
	unsigned refusals;    /* of watches, in a row */
	int64_t listed_ms;    /* mono time at which the last list began */

	struct kube_exchange *exchange;
	int status, retry_after_s;
	enum form form;          /* of the answer */
	struct kube_buf refusal; /* the document of an answer other than 200 */
	struct draft draft;      /* the object that is being read */
	struct reflector_listing listing;
	struct reflector_watch watch;

	bool failing; /* failed_message was reported, and not that it works again */
	char failed_message[sizeof(((struct kube_err *)NULL)->message)];
	uint64_t reported[REFLECTOR_REMEMBERED_REPORTS]; /* hashes of reports about objects; a ring */
	unsigned next_reported;

	bool synced;
	unsigned lists, watches;
	unsigned entered; /* calls from the loop that are on the stack */
	bool freed;       /* in one of them: memory goes when the last one returns */
};

/* reflector.c */
void reflector_enter(struct kube_reflector *r);
void reflector_leave(struct kube_reflector *r);
/* Starts (again) the time after which reflector_silent() ends the exchange. */
void reflector_set_deadline(struct kube_reflector *r, int64_t silence_ms);
/* GET of the collection with query (which may be freed afterwards). */
int reflector_send(struct kube_reflector *r, const char *query, const struct kube_exchange_handlers *handlers,
                   struct kube_err *err);
void reflector_add_selectors(const struct kube_reflector *r, struct kube_buf *query);
void reflector_note_head(struct kube_reflector *r, const struct kube_response_head *head);
void reflector_end_exchange(struct kube_reflector *r);
/* What the answer of another status than 200 says. */
void reflector_refusal(struct kube_reflector *r, struct kube_err *ret_err);
/* What a metav1.Status says; http_status 0: the code that it names. */
void reflector_read_status(const struct document *status, int http_status, int retry_after_s, struct kube_err *ret_err);
/*
 * The object of a document. When the store has this very version of it that is what is given: a relist then costs
 * neither time nor memory. On failure r->draft.key names the object, if anything does.
 */
int reflector_read(struct kube_reflector *r, const struct document *document, struct kube_object **ret_object,
                   struct kube_err *err);
void reflector_set_version(struct kube_reflector *r, const char *version);
/* 410, or a version that the server has not reached yet. */
bool reflector_is_expired(const struct kube_err *err);
/* Backs off, then goes on with `next` (one of the two WAITING steps). Reports err; the reflector may be freed by that.
 */
void reflector_fail(struct kube_reflector *r, enum reflector_step next, struct kube_err *err);
void reflector_works(struct kube_reflector *r);
/* Reports an object that cannot be decoded; may free the reflector. */
void reflector_report_object(struct kube_reflector *r, struct kube_err *err);

/* reflector_list.c */
void reflector_list(struct kube_reflector *r);
void reflector_drop_listing(struct kube_reflector *r);
/* Takes over the reference. KUBE_E_LIMIT, KUBE_E_NOMEM. */
int reflector_add_listed(struct kube_reflector *r, struct kube_object *object);
void reflector_remove_listed(struct kube_reflector *r, const char *key);
/* The list is complete, and becomes the contents of the store. On failure, and when handlers have freed the reflector,
 * the next step has begun. */
bool reflector_listed(struct kube_reflector *r, const char *version);
/* What went wrong when reflector_add_listed() failed. */
void reflector_list_error(const struct kube_reflector *r, int code, struct kube_err *ret_err);
/* "0", "", or a known version. */
const char *reflector_version_to_list(const struct kube_reflector *r);
/* The watch says that our version is gone: list, but not in a tight loop. */
void reflector_expired(struct kube_reflector *r, struct kube_err *err);

/* reflector_watch.c: a watch from our version on or, when watch.initial is set, one that begins with the list. */
void reflector_watch(struct kube_reflector *r);

/* reflector_initial.c: the server refused such a watch, at its opening or by an ERROR event. */
void reflector_initial_refused(struct kube_reflector *r, struct kube_err *err);
/* Takes over the reference. What changes before the list is complete changes the list. */
int reflector_initial_object(struct kube_reflector *r, bool modified, struct kube_object *object, struct kube_err *err);
/* True when the list is complete and the watch goes on. */
bool reflector_initial_bookmark(struct kube_reflector *r, const struct document *bookmark);

#endif
