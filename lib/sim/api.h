/* What the files of the simulated API server share. */
#ifndef LIB_SIM_API_H
#define LIB_SIM_API_H

#include "lib/sim/must.h"

#include <kube/json.h>
#include <kube/sim_api.h>

#define API_MAX_KINDS 32
#define API_MAX_HOOKS 8
#define API_MAX_TEXT_BYTES ((size_t)256 << 20)
#define API_MESSAGE_SIZE 640
#define API_KEY_SIZE 400 /* of "namespace/name" */
/* Finalizers that the garbage collector takes off. */
#define API_FOREGROUND "foregroundDeletion"
#define API_ORPHAN "orphan"

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
	size_t type_len; /* a text begins with so many bytes of kind and apiVersion, which items of lists lack */
};

/* A request, taken apart. */
struct api_request {
	struct kube_sim_api *api;
	const char *method, *content_type;
	struct api_kind *kind;
	char namespace_[64], name[320], subresource[64];
	char version[32], match[32], continue_[512], labels[512], fields[512]; /* "" when absent */
	bool watch, bookmarks, initial_events, dry_run, strict;
	int64_t limit, timeout_s, behind_ms;
	const cJSON *body; /* NULL: none */
	const char *raw;   /* the body as it was sent; NULL: as it is printed */
};

struct api_answer {
	int status, retry_after_s; /* -1: no such header */
	char *text;                /* JSON, or what is no JSON at all */
};

struct api_watch {
	struct api_watch *prev, *next;
	struct kube_sim_api *api;
	struct api_kind *kind;
	struct kube_exchange *exchange;
	char namespace_[64], labels[512], fields[512];
	int64_t lag_ms;
	int64_t from, end_ms; /* the version that it knew at its beginning; mono time, 0: none */
	bool bookmarks, stalled;
	const char *last_type, *last_text; /* of the event that was sent last; borrowed from the history; NULL: none */
	struct kube_timer bookmark, timeout;
};

/* How a kind of the server's own differs from others. */
struct api_rules {
	bool any_version;     /* a PUT without a resourceVersion is taken */
	bool put_creates;     /* a PUT of what is missing creates it */
	bool resets_status;   /* a status is not created along */
	bool returns_deleted; /* a DELETE answers with what it has deleted */
	const char *defaults; /* a JSON object */
	const char *fixed;    /* a path that stays as it was created */
	const char *fields;   /* that can be selected, besides those of the metadata; separated by blanks */
};

/* What is wrong with an object. */
struct api_problems {
	struct api_problem {
		const char *reason;
		char field[160], message[API_MESSAGE_SIZE];
	} items[16];
	size_t count;
};

/* Members that no schema knows, as paths. */
struct api_unknown {
	char names[16][256];
	size_t count;
};

struct api_path {
	char text[160];
	size_t len;
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

/* Parses len bytes; NULL for what is no JSON. */
cJSON *api_parse_json(const char *text, size_t len);
void *api_grow(void *items, size_t count, size_t *cap, size_t size); /* room for one more */

/* api_target.c: false: no object or list is at this path, and the answer (optional) says what is: discovery, or
 * nothing.
 */
bool api_parse_target(struct kube_sim_api *api, const char *target, struct api_request *ret_request,
                      struct api_answer *answer);

/* api_discovery.c: false: the target is no group and version that there is. */
bool api_discover(const struct kube_sim_api *api, const char *target, struct api_answer *answer);

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
/* The details name the kind, not the plural. */
void api_refuse_of_kind(const struct api_request *request, struct api_answer *answer, int code, const char *reason,
                        const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Without details; reason NULL: none. */
void api_refuse_plainly(struct api_answer *answer, int code, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The details name no object; cause NULL: they are empty. */
void api_refuse_with_cause(struct api_answer *answer, int code, const char *reason, const struct api_cause *cause,
                           const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* ListOptions or DeleteOptions that cannot be. */
void api_refuse_options(struct api_answer *answer, const char *kind, const struct api_cause *cause);
void api_not_found(const struct api_request *request, struct api_answer *answer);
void api_no_such_path(struct api_answer *answer);
void api_no_such_group(struct api_answer *answer); /* no JSON */
void api_conflict(const struct api_request *request, struct api_answer *answer, const char *why);
void api_success(struct api_answer *answer, int code);
void api_deleted(const struct api_request *request, struct api_answer *answer, const cJSON *json);
char *api_status_text(int code, const char *reason, const char *message);
const char *api_qualified(const struct api_request *request, char *out, size_t size); /* "leases.coordination.k8s.io" */
void api_problem(struct api_problems *problems, const char *reason, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* False: there are problems, and the answer (422) says which. */
bool api_is_valid(const struct api_request *request, const struct api_problems *problems, struct api_answer *answer);

/* api_kinds.c */
const struct api_rules *api_rules_of(const struct api_kind *kind);
void api_fill_in(const struct api_kind *kind, cJSON *json); /* the defaults of a kind */
void api_drop_empty(cJSON *json);
void api_check_fixed(const struct api_kind *kind, const cJSON *old, const cJSON *next, struct api_problems *problems);

/* api_meta.c */
void api_check_meta(const struct api_kind *kind, const cJSON *json, struct api_problems *problems);
void api_check_meta_change(const cJSON *old, const cJSON *next, struct api_problems *problems);
void api_prune_meta(cJSON *json, struct api_unknown *unknown);

/* api_schema.c, api_schema_check.c; schema NULL: anything goes */
const cJSON *api_member(const cJSON *schema, const char *name);
const cJSON *api_schema_of_member(const cJSON *schema, const char *name);
size_t api_path_add(struct api_path *path, const char *name); /* returns the length before, for api_path_cut() */
size_t api_path_add_index(struct api_path *path, int index);
void api_path_cut(struct api_path *path, size_t len);
void api_note_unknown(struct api_unknown *unknown, const char *where, const char *name);
char *api_print_unknown(struct api_unknown *unknown); /* the caller frees */
void api_prune(const cJSON *schema, cJSON *value, struct api_path *path, struct api_unknown *unknown);
void api_fill_in_defaults(const cJSON *schema, cJSON *value);
void api_check_schema(const cJSON *schema, const cJSON *value, struct api_path *path, struct api_problems *problems);

/* api_create.c */
const char *api_text(const cJSON *json, const char *path); /* "" when there is none */
/* Each false: no, and the answer says so. */
bool api_body_fits(const struct api_request *request, struct api_answer *answer);
bool api_namespace_takes(const struct api_request *request, struct api_answer *answer);
/* Unknown members are dropped (or refused), defaults filled in. */
bool api_bring_into_form(const struct api_request *request, cJSON *json, bool patched, struct api_answer *answer);
void api_create(const struct api_request *request, struct api_answer *answer);

/* api_write.c: writes what an object is to become; next changes hands. Nothing changes where nothing differs. */
void api_replace(const struct api_request *request, struct api_object *object, cJSON *next, bool patched,
                 struct api_answer *answer);

/* api_read.c, api_change.c, api_delete.c, api_evict.c */
void api_get(const struct api_request *request, struct api_answer *answer);
void api_list(const struct api_request *request, struct api_answer *answer);
/* One item of a list: those of the server's own kinds do not say what they are. */
void api_add_item(const struct api_kind *kind, struct kube_buf *out, const char *text);
void api_update(const struct api_request *request, struct api_answer *answer);
void api_patch(const struct api_request *request, struct api_answer *answer);
void api_delete(const struct api_request *request, struct api_answer *answer);
void api_delete_collection(const struct api_request *request, struct api_answer *answer);
void api_evict(const struct api_request *request, struct api_answer *answer);
void api_bind(const struct api_request *request, struct api_answer *answer);
/* False: a precondition of the DeleteOptions does not hold, and the answer says so. */
bool api_preconditions_hold(const struct api_request *request, const struct api_object *object, const cJSON *options,
                            struct api_answer *answer);
/* Begins or completes the deletion of an object. */
void api_delete_object(struct kube_sim_api *api, struct api_kind *kind, struct api_object *object,
                       const cJSON *options);
/* Nothing holds it any more: no finalizer, no grace period. */
bool api_deletion_complete(const cJSON *json);
void api_serve(const struct api_request *request, struct api_answer *answer);

/* api_json_patch.c: what the text of a patch makes of a document; NULL: it does not apply. */
cJSON *api_apply_json_patch(const cJSON *document, const char *patch);

/* api_patch.c */
void api_apply_merge_patch(cJSON *document, const cJSON *patch);
void api_apply_strategic_patch(cJSON *document, const cJSON *patch);
void api_set(cJSON *parent, const char *name, cJSON *item); /* adds or replaces; NULL removes */

/* api_token.c: continue tokens. after: a key, without the namespace of a list in one. version -1: whatever is newest.
 */
char *api_print_token(int64_t version, const char *after);
bool api_read_token(const char *token, int64_t *ret_version, char *after, size_t size);

/* api_options.c, api_select.c: false: no, and the answer says why. */
bool api_options_hold(const struct api_request *request, struct api_answer *answer);
bool api_can_select(const struct api_request *request, struct api_answer *answer);
bool api_selected(const cJSON *json, const char *namespace_, const char *labels, const char *fields);

/* api_evict.c, for the cluster's controllers too */
bool api_pdb_protects(const cJSON *pdb, const cJSON *pod);
void api_pdb_say_allowed(const struct kube_sim_api *api, cJSON *pdb);
bool api_is_ready(const cJSON *object); /* a pod or a node: its condition Ready is True */

/* api_watch.c */
/* False: the watch is refused, and the answer says why. */
bool api_watch(const struct api_request *request, struct kube_exchange *exchange, int64_t delay_ms, int64_t lag_ms,
               struct api_answer *answer);
void api_tell(struct kube_sim_api *api, const struct api_kind *kind, const struct api_event *event, const cJSON *old,
              const cJSON *json);
void api_watches_finish(struct kube_sim_api *api);

#endif
