/* Takes our finalizer, and only ours, off a job pod whose result is on its node. */
#include "controller/act/bodies.h"

cJSON *job_release_body(const struct pod *pod)
{
	cJSON *body = body_new();
	cJSON *metadata = body_object(body, "metadata");
	body_string(metadata, "uid", pod->object.uid);
	/* A directive of strategic merge patches: no matter where in the list it stands, and harmless when it is gone. */
	body_string(body_array(metadata, "$deleteFromPrimitiveList/finalizers"), NULL, PW_FINALIZER_JOB);
	return body;
}
