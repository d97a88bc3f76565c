/* ConfigMap, projected: for channels. */
#ifndef MODEL_CONFIG_MAP_H
#define MODEL_CONFIG_MAP_H

#include <kube/json.h>
#include <kube/object.h>

struct config_map {
	struct kube_object object;
	struct kube_strmap data; /* of each value the beginning: CHANNEL_TEXT_BYTES, and one more where there are more */
};

extern const struct kube_projection config_map_projection;

#endif
