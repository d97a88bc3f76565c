/* A status replaces the one that was looked at: the resourceVersion makes every grant a compare-and-set. */
#include "controller/act/bodies.h"

cJSON *status_body(const struct kube_object *object, const cJSON *status)
{
	cJSON *body = body_of(object->projection->resource);
	cJSON *metadata = body_object(body, "metadata");
	body_string(metadata, "name", object->name);
	body_string(metadata, "uid", object->uid);
	body_string(metadata, "resourceVersion", object->resource_version);
	body_add(body, "status", cJSON_Duplicate(status, true));
	return body;
}
