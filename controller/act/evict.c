/* policy/v1 Eviction of one pod, meant by its UID. */
#include "controller/act/effect.h"
#include <kube/log.h>
#include <string.h>

cJSON *evict_body(const struct pod *pod, int64_t grace_period_s)
{
	cJSON *body = body_new();
	body_string(body, "apiVersion", "policy/v1");
	body_string(body, "kind", "Eviction");
	cJSON *metadata = body_object(body, "metadata");
	body_string(metadata, "name", pod->object.name);
	body_string(metadata, "namespace", pod->object.namespace_);
	cJSON *options = body_object(body, "deleteOptions");
	body_string(body_object(options, "preconditions"), "uid", pod->object.uid);
	if (grace_period_s >= 0)
		body_int(options, "gracePeriodSeconds", grace_period_s);
	return body;
}

/* Told when it is accepted and when who refuses changes: a budget may say the same for hours. */
static void log_answer(const struct effect *effect, const struct eviction_answer *answer,
                       const struct eviction_fact *before)
{
	if (answer->over)
		kube_log(KUBE_LOG_INFO, "pod evicted", "pod", effect->object_key, "result",
		         eviction_result_names[answer->result], "for", effect->key, NULL);
	else if (!before || strcmp(before->kind, answer->kind) != 0 || strcmp(before->name, answer->name) != 0)
		kube_log(KUBE_LOG_INFO, "eviction refused; it is tried again", "pod", effect->object_key, "result",
		         eviction_result_names[answer->result], "by", answer->kind, "name", answer->name, "for", effect->key,
		         "error", answer->message, NULL);
}

void evict_answered(struct act *act, const struct effect *effect, const struct kube_err *err)
{
	const struct act_options *options = act_options(act);
	struct eviction_answer answer;
	eviction_classify(err, facts_eviction_base(options->facts, effect->uid), act_random(act), &answer);
	log_answer(effect, &answer, facts_eviction(options->facts, effect->uid));
	if (options->on_eviction)
		options->on_eviction(options->arg, eviction_result_names[answer.result]);
	/* Without memory the refusal is forgotten, and asked for again with the next look. */
	facts_note_eviction(options->facts, effect->uid, effect->namespace_, &answer, act_now_ms(act), NULL);
	if (!answer.over)
		options->again(options->arg, effect->key, answer.delay_ms);
}
