#include "controller/model/internal.h"
#include "controller/model/names.h"

static int decode(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	(void)item, (void)self, (void)arena, (void)err;
	return 0;
}

const struct kube_projection report_projection = {
    .resource = &pw_reports,
    .size = sizeof(struct report),
    .decode = decode,
    .same = same_object,
};
