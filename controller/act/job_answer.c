/* What is learned of job pods by writing and reading them; see observe/job_facts.h. */
#include "controller/act/effect.h"
#include <kube/log.h>

static struct job_facts *facts_of(const struct act *act)
{
	return facts_jobs(act_options(act)->facts);
}

void job_asked(struct act *act, const struct effect *effect)
{
	if (effect->kind == EFFECT_CREATE)
		job_facts_asked(facts_of(act), effect->job_node, effect->job);
}

static void job_read(struct act *act, const struct effect *effect, const cJSON *json)
{
	struct kube_object *object = NULL;
	struct kube_err err = {0};
	if (kube_object_decode(&pod_projection, json, &object, &err) == 0)
		job_facts_read(facts_of(act), effect->job_node, object, act_now_ms(act));
	else
		kube_log(KUBE_LOG_WARN, "a job pod cannot be decoded", "effect", effect->what, "error", err.message, NULL);
	kube_object_unref(object);
	act_options(act)->again(act_options(act)->arg, effect->key, 0);
}

void job_written(struct act *act, const struct effect *effect, const cJSON *json)
{
	switch (effect->kind) {
	case EFFECT_CREATE:
		job_facts_exists(facts_of(act), effect->job_node, effect->job, kube_json_str(json, "metadata.uid"));
		break;
	case EFFECT_READ: job_read(act, effect, json); break;
	case EFFECT_PATCH: job_facts_drop(facts_of(act), effect->job_node, effect->job); break;
	case EFFECT_STATUS:
	case EFFECT_DELETE:
	case EFFECT_EVICT: break;
	}
}

void job_not_made(struct act *act, const struct effect *effect)
{
	job_facts_exists(facts_of(act), effect->job_node, effect->job, NULL);
	act_options(act)->again(act_options(act)->arg, effect->key, 0);
}

void job_not_there(struct act *act, const struct effect *effect)
{
	if (effect->kind != EFFECT_READ)
		return;
	job_facts_absent(facts_of(act), effect->job_node, effect->job, NULL);
	act_options(act)->again(act_options(act)->arg, effect->key, 0);
}
