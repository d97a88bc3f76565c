#include "controller/model/approval.h"
#include "controller/model/internal.h"
#include "controller/model/names.h"

#define AT(member) offsetof(struct approval, member)
static const struct kube_json_field rollout_ref_table[] = {
    {.name = "name", .type = KUBE_JSON_STRING, .offset = AT(rollout_name), .required = true},
    {.name = "uid", .type = KUBE_JSON_STRING, .offset = AT(rollout_uid), .required = true},
    KUBE_JSON_END,
};

static const struct kube_json_field spec_table[] = {
    {.name = "rolloutRef", .type = KUBE_JSON_OBJECT, .required = true, .table = rollout_ref_table},
    {.name = "planHash", .type = KUBE_JSON_STRING, .offset = AT(plan_hash), .required = true},
    {.name = "wave", .type = KUBE_JSON_STRING, .offset = AT(wave)},
    {.name = "user", .type = KUBE_JSON_STRING, .offset = AT(user), .required = true},
    KUBE_JSON_END,
};

static const struct kube_json_field approval_table[] = {
    {.name = "spec", .type = KUBE_JSON_OBJECT, .required = true, .table = spec_table},
    KUBE_JSON_END,
};

static int decode(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	struct approval *approval = (struct approval *)self;
	int rc = kube_json_decode(item, approval_table, approval, arena, err);
	if (!rc && !approval->wave)
		approval->wave = "";
	return rc;
}

static bool same(const struct kube_object *a, const struct kube_object *b)
{
	return same_object(a, b) && same_fields(approval_table, a, b);
}

const struct kube_projection approval_projection = {
    .resource = &pw_approvals,
    .size = sizeof(struct approval),
    .decode = decode,
    .same = same,
};

const char *approval_rollout_index(const struct kube_object *object)
{
	return ((const struct approval *)object)->rollout_name;
}
