#include "lib/runtime/reflector_internal.h"

#include <stdio.h>
#include <string.h>

#define PAGE_LIMIT 500
#define MAX_PAGES 100000
#define MAX_QUERY_BYTES ((size_t)32 << 10)
#define SILENCE_MS 65000 /* an API server gives up a request after 60 s */
/* A version that expires again so soon after a list is no reason to list without a pause. */
#define RELIST_PAUSE_MS 10000

static void send_page(struct kube_reflector *r);

static void drop_objects(struct reflector_listing *listing)
{
	while (listing->count > 0)
		kube_object_unref(listing->objects[--listing->count]);
	free(take(listing->objects));
	listing->cap = 0;
}

void reflector_drop_listing(struct kube_reflector *r)
{
	drop_objects(&r->listing);
	free(take(r->listing.continue_token));
	r->listing.pages = 0;
	r->listing.unlimited = false;
}

static void fail(struct kube_reflector *r, struct kube_err *err)
{
	reflector_end_exchange(r);
	reflector_fail(r, REFLECTOR_WAITING_TO_LIST, err);
}

/* Items */

static int make_room(struct kube_reflector *r)
{
	struct reflector_listing *listing = &r->listing;

	if (listing->count >= kube_store_max(r->options.store))
		return KUBE_E_LIMIT;
	if (listing->count == listing->cap) {
		size_t cap = listing->cap ? listing->cap * 2 : PAGE_LIMIT;
		struct kube_object **objects = realloc(listing->objects, cap * sizeof(struct kube_object *));
		if (!objects)
			return KUBE_E_NOMEM;
		listing->objects = objects;
		listing->cap = cap;
	}
	return 0;
}

int reflector_add_listed(struct kube_reflector *r, struct kube_object *object)
{
	int rc = make_room(r);

	if (rc)
		kube_object_unref(object);
	else
		r->listing.objects[r->listing.count++] = object;
	return rc;
}

void reflector_remove_listed(struct kube_reflector *r, const char *key)
{
	struct reflector_listing *listing = &r->listing;
	size_t kept = 0;

	for (size_t i = 0; i < listing->count; i++) {
		struct kube_object *object = listing->objects[i];
		if (strcmp(object->key, key) == 0)
			kube_object_unref(object);
		else
			listing->objects[kept++] = object;
	}
	listing->count = kept;
}

static int read_item(struct kube_reflector *r, const char *bytes, size_t len, struct kube_object **ret_object,
                     struct kube_err *err)
{
	_cleanup_wire_ struct wire_open open = {.parsed = NULL};
	const char *kind = r->options.projection->resource->kind;

	if (!bytes)
		return kube_fail(err, KUBE_E_LIMIT, "a %s of more than %zu bytes is left out", kind,
		                 KUBE_REFLECTOR_MAX_EVENT_BYTES);
	int rc = wire_open(r->listing.wire.form, bytes, len, &open, err);
	if (rc)
		return kube_err_prefix(err, "a %s is left out", kind);
	return reflector_read(r, &open.document, ret_object, err);
}

static int on_item(void *arg, const char *bytes, size_t len)
{
	struct kube_reflector *r = arg;
	struct kube_object *object;
	struct kube_err err;

	kube_err_reset(&err);
	int rc = read_item(r, bytes, len, &object, &err);
	if (rc == KUBE_E_NOMEM)
		return rc;
	if (rc) {
		reflector_report_object(r, &err);
		return r->freed ? KUBE_E_CANCELED : 0;
	}
	return reflector_add_listed(r, object);
}

/* The exchange */

static void on_head(void *arg, const struct kube_response_head *head)
{
	struct kube_reflector *r = arg;

	reflector_note_head(r, head);
	wire_list_begin(&r->listing.wire, r->form);
	reflector_set_deadline(r, SILENCE_MS);
}

void reflector_list_error(const struct kube_reflector *r, int code, struct kube_err *ret_err)
{
	if (code == KUBE_E_NOMEM)
		kube_fail(ret_err, code, "out of memory after %zu objects", r->listing.count);
	else if (code == KUBE_E_PARSE)
		kube_fail(ret_err, code, "the answer is no protobuf list: it breaks after %zu objects", r->listing.count);
	else
		kube_fail(ret_err, code,
		          "the list is longer than the cache's limit of %zu objects or %zu bytes a page: raise it",
		          kube_store_max(r->options.store), KUBE_REFLECTOR_MAX_PAGE_BYTES);
}

static void fail_items(struct kube_reflector *r, int code)
{
	struct kube_err err;

	if (r->freed)
		return;
	reflector_list_error(r, code, &err);
	fail(r, &err);
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	struct kube_reflector *r = arg;
	struct reflector_listing *listing = &r->listing;
	int rc = KUBE_E_LIMIT;

	reflector_enter(r);
	reflector_set_deadline(r, SILENCE_MS);
	if (r->status != 200) {
		kube_buf_add(&r->refusal, bytes, len); /* one that is too long says nothing useful */
		rc = 0;
	} else if (len <= KUBE_REFLECTOR_MAX_PAGE_BYTES - listing->page_bytes) {
		listing->page_bytes += len;
		rc = wire_list_feed(&listing->wire, bytes, len, on_item, r);
	}
	if (rc)
		fail_items(r, rc);
	reflector_leave(r);
	return 0;
}

bool reflector_listed(struct kube_reflector *r, const char *version)
{
	struct reflector_listing *listing = &r->listing;
	size_t count = listing->count;
	struct kube_err err;

	listing->count = 0; /* the references go to the store */
	int rc = kube_store_replace(r->options.store, listing->objects, count, &err);
	if (r->freed)
		return false;
	if (rc) {
		fail(r, &err);
		return false;
	}
	reflector_drop_listing(r);
	reflector_set_version(r, version);
	r->version_expired = r->plain_list = false;
	if (!r->synced) {
		r->synced = true;
		if (r->options.on_synced)
			r->options.on_synced(r->options.arg);
	}
	return !r->freed;
}

static void finish_list(struct kube_reflector *r, const char *version)
{
	if (reflector_listed(r, version))
		reflector_watch(r);
}

static int next_page(struct kube_reflector *r, const char *token)
{
	char *copy = strdup(token);

	if (!copy)
		return KUBE_E_NOMEM;
	free(r->listing.continue_token);
	r->listing.continue_token = copy;
	if (++r->listing.pages >= MAX_PAGES)
		return KUBE_E_LIMIT;
	send_page(r);
	return 0;
}

static void finish_page(struct kube_reflector *r)
{
	struct wire_list_meta meta;
	struct kube_err err;

	kube_arena_reset(&r->draft.arena);
	int rc = wire_list_end(&r->listing.wire, &r->draft.arena, &meta, &err);
	if (rc)
		fail(r, &err);
	else if (!*meta.continue_token)
		finish_list(r, meta.version);
	else if ((rc = next_page(r, meta.continue_token)))
		fail_items(r, rc);
}

/*
 * client-go pager and reflector: a continue token that has expired asks for everything at once, at the version of the
 * beginning; a version that has expired asks for the newest.
 */
static void refused(struct kube_reflector *r)
{
	struct kube_err err;
	bool later_page = r->listing.continue_token != NULL;

	reflector_refusal(r, &err);
	if (!reflector_is_expired(&err) || (!later_page && r->version_expired)) {
		fail(r, &err);
		return;
	}
	reflector_drop_listing(r);
	if (later_page)
		r->listing.unlimited = true;
	else
		r->version_expired = true;
	send_page(r);
}

static void on_done(void *arg, const struct kube_err *err)
{
	struct kube_reflector *r = arg;

	reflector_enter(r);
	r->exchange = NULL;
	if (err) {
		struct kube_err own = *err;
		if (r->status == 0)
			kube_client_count_request(r->options.client, "GET", r->options.projection->resource, 0);
		fail(r, &own);
	} else if (r->status == 200) {
		finish_page(r);
	} else {
		refused(r);
	}
	reflector_leave(r);
}

/* Requests */

/* "0": whatever a server's cache has; "": the newest, from etcd; a known version: nothing older than that. */
const char *reflector_version_to_list(const struct kube_reflector *r)
{
	if (r->version_expired)
		return "";
	return r->version ? r->version : "0";
}

static int make_query(const struct kube_reflector *r, struct kube_buf *query)
{
	const char *version = reflector_version_to_list(r);
	const char *token = r->listing.continue_token;
	/* A known version is answered from the server's cache only without a limit. */
	bool limited = !r->listing.unlimited && (!*version || strcmp(version, "0") == 0);

	kube_buf_addf(query, "limit=%d", limited ? PAGE_LIMIT : 0);
	if (token) {
		kube_buf_adds(query, "&continue=");
		kube_buf_add_urlencoded(query, token);
	} else if (*version) {
		kube_buf_adds(query, "&resourceVersion=");
		kube_buf_add_urlencoded(query, version);
	}
	reflector_add_selectors(r, query);
	return query->failed;
}

static void send_page(struct kube_reflector *r)
{
	static const struct kube_exchange_handlers handlers = {on_head, on_data, on_done};
	_cleanup_buf_ struct kube_buf query = {0};
	struct kube_err err;

	wire_list_begin(&r->listing.wire, FORM_JSON);
	r->listing.page_bytes = 0;
	reflector_set_deadline(r, SILENCE_MS);
	kube_buf_init(&query, MAX_QUERY_BYTES);
	int rc = make_query(r, &query);
	if (rc)
		kube_fail(&err, rc, "no room for the query of a list: shorten the selectors");
	else
		rc = reflector_send(r, query.data, &handlers, &err);
	if (rc)
		fail(r, &err);
}

void reflector_list(struct kube_reflector *r)
{
	r->step = REFLECTOR_LISTING;
	r->lists++;
	r->listed_ms = kube_env_mono_ms(r->env);
	reflector_drop_listing(r);
	r->watch.initial = r->options.watch_list && !r->plain_list;
	if (r->watch.initial)
		reflector_watch(r);
	else
		send_page(r);
}

void reflector_expired(struct kube_reflector *r, struct kube_err *err)
{
	if (kube_env_mono_ms(r->env) - r->listed_ms < RELIST_PAUSE_MS)
		reflector_fail(r, REFLECTOR_WAITING_TO_LIST, err);
	else
		reflector_list(r);
}
