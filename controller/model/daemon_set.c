#include "controller/model/internal.h"
#include "controller/model/volume.h"

struct parts {
	char unused;
};

static const struct kube_json_field daemon_set_table[] = {KUBE_JSON_END};

static int make(void *parts, struct kube_object *self, struct kube_maker *maker, struct kube_err *err)
{
	(void)parts, (void)self, (void)maker, (void)err;
	return 0;
}

const struct kube_projection daemon_set_projection = {
    .resource = &kube_daemon_sets,
    .size = sizeof(struct daemon_set),
    .table = daemon_set_table,
    .parts_size = sizeof(struct parts),
    .make = make,
    .same = same_object,
};
