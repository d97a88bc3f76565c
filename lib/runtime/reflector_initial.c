/* The beginning of a watch that sends a list first (client-go reflector.go watchList). */
#include "lib/runtime/reflector_internal.h"

#include <string.h>

/* A version that has expired asks for the newest; a server without such watches, for a list. */
void reflector_initial_refused(struct kube_reflector *r, struct kube_err *err)
{
	bool expired = reflector_is_expired(err) && !r->version_expired;
	bool unknown = err->http_status == 400 || err->http_status == 422;

	if (!expired && !unknown) {
		reflector_fail(r, REFLECTOR_WAITING_TO_LIST, err);
		return;
	}
	r->version_expired |= expired;
	r->plain_list = unknown;
	reflector_list(r);
}

int reflector_initial_object(struct kube_reflector *r, bool modified, struct kube_object *object, struct kube_err *err)
{
	if (modified)
		reflector_remove_listed(r, object->key);
	int rc = reflector_add_listed(r, object);
	if (rc)
		reflector_list_error(r, rc, err);
	return rc;
}

static const struct kube_json_field annotations_table[] = {
    {.name = "annotations", .number = 12, .type = KUBE_JSON_STRMAP, .offset = 0},
    KUBE_JSON_END,
};
static const struct kube_json_field bookmark_table[] = {
    {.name = "metadata", .number = 1, .type = KUBE_JSON_OBJECT, .table = annotations_table},
    KUBE_JSON_END,
};

static bool ends_initial_events(struct kube_reflector *r, const struct document *bookmark)
{
	struct kube_strmap annotations = {.count = 0};

	if (document_decode(bookmark, bookmark_table, &annotations, &r->draft.arena, NULL))
		return false;
	const char *end = kube_strmap_get(&annotations, "k8s.io/initial-events-end");
	return end && strcmp(end, "true") == 0;
}

/* Without the mark it comes from a server that has not understood what was asked for. */
bool reflector_initial_bookmark(struct kube_reflector *r, const struct document *bookmark)
{
	if (!ends_initial_events(r, bookmark)) {
		reflector_end_exchange(r);
		r->plain_list = true;
		reflector_list(r);
		return false;
	}
	r->watch.initial = false;
	return reflector_listed(r, r->draft.resource_version);
}
