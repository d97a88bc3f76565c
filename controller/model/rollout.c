#include "controller/model/rollout.h"
#include "controller/model/internal.h"
#include "controller/model/names.h"

#include <kube/digest.h>
#include <string.h>

#define HASH_DIGITS 16

static const struct kube_json_field metadata_table[] = {
    {.name = "finalizers", .type = KUBE_JSON_STRLIST, .offset = offsetof(struct rollout, finalizers)},
    KUBE_JSON_END,
};

static const struct kube_json_field policy_ref_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = offsetof(struct rollout, policy_name), .required = true},
    KUBE_JSON_END,
};

const char *const intent_names[] = {"Run", "Pause", "Abort", NULL};

static const struct kube_json_field intent_table[] = {
    {.name = "action", .type = KUBE_JSON_ENUM, .offset = offsetof(struct intent, action), .words = intent_names},
    {.name = "by", .type = KUBE_JSON_STRING, .offset = offsetof(struct intent, by)},
    {.name = "reason", .type = KUBE_JSON_STRING, .offset = offsetof(struct intent, reason)},
    KUBE_JSON_END,
};

static const struct kube_json_field emergency_table[] = {
    {.name = "enabled", .type = KUBE_JSON_BOOL, .offset = offsetof(struct emergency, enabled)},
    {.name = "reason", .type = KUBE_JSON_STRING, .offset = offsetof(struct emergency, reason)},
    KUBE_JSON_END,
};

static const struct kube_json_field spec_table[] = {
    {.name = "policyRef", .type = KUBE_JSON_OBJECT, .required = true, .table = policy_ref_table},
    {.name = "versions",
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct rollout, pins),
     .table = version_of_table,
     .size = sizeof(struct version_of)},
    {.name = "intent", .type = KUBE_JSON_OBJECT, .offset = offsetof(struct rollout, intent), .table = intent_table},
    {.name = "emergency",
     .type = KUBE_JSON_OBJECT,
     .offset = offsetof(struct rollout, emergency),
     .table = emergency_table},
    KUBE_JSON_END,
};

static const struct kube_json_field rollout_table[] = {
    {.name = "metadata", .type = KUBE_JSON_OBJECT, .required = true, .table = metadata_table},
    {.name = "spec", .type = KUBE_JSON_OBJECT, .required = true, .table = spec_table},
    KUBE_JSON_END,
};

/* Of its job pods; a UID may be too long, or of other characters, than a label value allows. */
static const char *label_hash(const char *uid, struct kube_arena *arena)
{
	char digest[KUBE_SHA256_HEX_SIZE];
	return kube_arena_strndup(arena, kube_sha256_hex(uid, strlen(uid), digest), HASH_DIGITS);
}

static int decode(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	struct rollout *rollout = (struct rollout *)self;
	rollout->intent = (struct intent){.by = "", .reason = ""};
	rollout->emergency = (struct emergency){.reason = ""};
	int rc = kube_json_decode(item, rollout_table, rollout, arena, err);
	if (!rc)
		rc = rollout_status_decode(kube_json_get(item, "status"), &rollout->status, arena, err);
	if (!rc)
		rc = meta_canonical(item, "status", "", &rollout->status_json, arena, err);
	if (!rc)
		rc = meta_author(item, &rollout->author, arena, err);
	if (rc)
		return rc;
	rollout->finalizer = meta_has_finalizer(item, PW_FINALIZER_ROLLOUT);
	rollout->owner_uid = meta_str(meta_controller(item), "uid", arena);
	rollout->hash = label_hash(self->uid, arena);
	return rollout->owner_uid && rollout->hash ? 0 : meta_out_of_memory(err);
}

static bool same(const struct kube_object *a, const struct kube_object *b)
{
	const struct rollout *x = (const struct rollout *)a, *y = (const struct rollout *)b;
	return same_object(a, b) && a->generation == b->generation && same_fields(rollout_table, x, y) &&
	       same_str(x->owner_uid, y->owner_uid) && same_str(x->author, y->author) &&
	       same_str(x->status_json, y->status_json);
}

const struct kube_projection rollout_projection = {
    .resource = &pw_rollouts,
    .size = sizeof(struct rollout),
    .decode = decode,
    .same = same,
};
