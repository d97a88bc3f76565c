/* What the files of the simulated API server share. */
#ifndef LIB_SIM_API_H
#define LIB_SIM_API_H

#include <kube/json.h>
#include <kube/sim_api.h>

#define API_MAX_KINDS 16
#define API_MAX_HOOKS 4
#define API_MAX_TEXT_BYTES ((size_t)256 << 20)

/* One version of an object: the history is the storage, and what is there now points into it. */
struct api_event {
	const char *type; /* ADDED, MODIFIED, DELETED */
	int64_t version, at_ms;
	char *key;  /* "namespace/name" or "name" */
	char *text; /* the object, printed */
};

struct api_object {
	char *key;
	cJSON *json;
	const char *text; /* borrowed from its newest event */
};

struct api_kind {
	struct kube_sim_kind about;
	struct api_object *objects; /* sorted by key */
	size_t count, cap;
	struct api_event *events; /* sorted by version */
	size_t event_count, event_cap;
};

/* A request, taken apart. */
struct api_request {
	struct kube_sim_api *api;
	const char *method, *content_type;
	struct api_kind *kind;
	char namespace_[64], name[254], subresource[64];
	char version[32], match[32], continue_[512], labels[512], fields[512]; /* "" when absent */
	bool watch, bookmarks;
	int64_t limit, timeout_s, behind_ms;
	const cJSON *body; /* NULL: none */
};

struct api_answer {
	int status, retry_after_s; /* -1: no such header */
	char *text;
};

struct api_watch {
	struct api_watch *prev, *next;
	struct kube_sim_api *api;
	struct api_kind *kind;
	struct kube_exchange *exchange;
	char namespace_[64], labels[512], fields[512];
	int64_t lag_ms;
	bool bookmarks, stalled;
	const char *last_type, *last_text; /* of the event that was sent last; borrowed from the history; NULL: none */
	struct kube_timer bookmark, timeout;
};

struct kube_sim_api {
	struct kube_sim *sim;
	struct api_kind kinds[API_MAX_KINDS];
	size_t kind_count;
	struct kube_sim_api_hooks hooks[API_MAX_HOOKS];
	size_t hook_count;
	int64_t version, compacted, next_uid;
	unsigned sender; /* of the request that is worked on; 0: none from the transport */
	struct api_watch *watches;
	struct api_arrival *arrivals; /* requests on their way to us */
};

void *api_must(void *memory);                                        /* ends the process when it is NULL */
void *api_grow(void *items, size_t count, size_t *cap, size_t size); /* room for one more */

/* api_target.c: false: there is nothing at this path. */
bool api_parse_target(struct kube_sim_api *api, const char *target, struct api_request *ret_request);

/* api_store.c */
struct api_kind *api_kind_of(const struct kube_sim_api *api, const struct kube_resource *resource);
struct api_object *api_find(const struct api_kind *kind, const char *key);
void api_key(const char *namespace_, const char *name, char *out, size_t size);
/* Gives it a new version and tells everybody; json changes hands. */
struct api_object *api_put(struct kube_sim_api *api, struct api_kind *kind, const char *key, cJSON *json);
void api_remove(struct kube_sim_api *api, struct api_kind *kind, struct api_object *object);
/* The objects as they were at a version, in order of key. The caller frees the array. */
const struct api_event **api_state_at(const struct api_kind *kind, int64_t version, size_t *ret_count);
const char *api_now(const struct kube_sim_api *api, char out[32]);
void api_print_version(int64_t version, char out[32]);

/* api_status.c: metav1.Status answers. */
struct api_cause {
	const char *reason, *message, *field;
};
void api_refuse(const struct api_request *request, struct api_answer *answer, int code, const char *reason,
                const struct api_cause *cause, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void api_not_found(const struct api_request *request, struct api_answer *answer);
void api_conflict(const struct api_request *request, struct api_answer *answer, const char *why);
void api_success(struct api_answer *answer, int code);
char *api_status_text(int code, const char *reason, const char *message);

/* api_read.c, api_write.c, api_delete.c, api_evict.c */
void api_get(const struct api_request *request, struct api_answer *answer);
void api_list(const struct api_request *request, struct api_answer *answer);
void api_create(const struct api_request *request, struct api_answer *answer);
void api_update(const struct api_request *request, struct api_answer *answer);
void api_patch(const struct api_request *request, struct api_answer *answer);
void api_delete(const struct api_request *request, struct api_answer *answer);
void api_delete_collection(const struct api_request *request, struct api_answer *answer);
void api_evict(const struct api_request *request, struct api_answer *answer);
/* False: a precondition of the DeleteOptions does not hold, and the answer says so. */
bool api_preconditions_hold(const struct api_request *request, const struct api_object *object, const cJSON *options,
                            struct api_answer *answer);
/* Begins or completes the deletion of an object. */
void api_delete_object(struct kube_sim_api *api, struct api_kind *kind, struct api_object *object,
                       const cJSON *options);
/* Nothing holds it any more: no finalizer, no grace period. */
bool api_deletion_complete(const cJSON *json);
void api_serve(const struct api_request *request, struct api_answer *answer);

/* api_patch.c: what a patch makes of a document; false: it does not apply. */
bool api_apply_json_patch(cJSON *document, const cJSON *patch);
void api_apply_merge_patch(cJSON *document, const cJSON *patch);
void api_apply_strategic_patch(cJSON *document, const cJSON *patch);
void api_set(cJSON *parent, const char *name, cJSON *item); /* adds or replaces; NULL removes */

/* api_select.c */
bool api_selected(const cJSON *json, const char *namespace_, const char *labels, const char *fields);

/* api_evict.c, for the cluster's controllers too */
bool api_pdb_protects(const cJSON *pdb, const cJSON *pod);
bool api_is_ready(const cJSON *object); /* a pod or a node: its condition Ready is True */

/* api_watch.c */
void api_watch(const struct api_request *request, struct kube_exchange *exchange, int64_t delay_ms, int64_t lag_ms);
void api_tell(struct kube_sim_api *api, const struct api_kind *kind, const struct api_event *event, const cJSON *old,
              const cJSON *json);
void api_watches_finish(struct kube_sim_api *api);

#endif
