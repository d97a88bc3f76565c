#include <kube/update.h>

#include <kube/json.h>
#include <kube/mem.h>
#include <string.h>

struct kube_update {
	struct kube_update_options options; /* texts are our own copies */
	struct kube_op *op;
	struct kube_timer pause;
	unsigned tries;
	bool telling; /* done is being called */
};

static void on_read(void *arg, const cJSON *json, const struct kube_err *err);

static void free_update(struct kube_update *update)
{
	free((char *)update->options.namespace_);
	free((char *)update->options.name);
	free((char *)update->options.subresource);
	free(update);
}

static void tell(struct kube_update *update, const cJSON *object, const struct kube_err *err)
{
	update->telling = true;
	update->options.done(update->options.arg, err ? NULL : object, err);
	free_update(update);
}

static int send(struct kube_update *update, const char *method, const cJSON *body, kube_reply_fn *fn,
                struct kube_err *err)
{
	const struct kube_update_options *options = &update->options;
	const struct kube_call call = {
	    .method = method,
	    .resource = options->resource,
	    .namespace_ = options->namespace_,
	    .name = options->name,
	    .subresource = body ? options->subresource : NULL,
	    .body = body,
	};
	return kube_client_send(options->client, &call, fn, update, &update->op, err);
}

static void read_again(struct kube_timer *timer, void *arg)
{
	struct kube_update *update = arg;
	struct kube_err err;
	(void)timer;
	if (send(update, "GET", NULL, on_read, &err) != 0)
		tell(update, NULL, &err);
}

/* 10 ms doubled at each try, and up to as much again. */
static void pause_then_read(struct kube_update *update)
{
	struct kube_env *env = kube_client_env(update->options.client);
	int64_t delay_ms = (int64_t)KUBE_UPDATE_FIRST_DELAY_MS << (update->tries - 1);
	struct kube_err err;
	if (kube_timer_start(env, &update->pause, kube_env_random_between(env, delay_ms, 2 * delay_ms), read_again,
	                     update) == 0)
		return;
	kube_fail(&err, KUBE_E_NOMEM, "out of memory for an update");
	tell(update, NULL, &err);
}

static bool is_conflict(const struct kube_err *err)
{
	return kube_err_is(err, 409) && strcmp(err->reason, "Conflict") == 0;
}

static void on_written(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct kube_update *update = arg;
	update->op = NULL;
	if (err && is_conflict(err) && update->tries < KUBE_UPDATE_TRIES)
		pause_then_read(update);
	else
		tell(update, json, err);
}

static void on_read(void *arg, const cJSON *json, const struct kube_err *err)
{
	struct kube_update *update = arg;
	struct kube_err own;
	update->op = NULL;
	if (err) {
		tell(update, NULL, err);
		return;
	}
	_cleanup_json_ cJSON *object = cJSON_Duplicate(json, true);
	kube_err_reset(&own);
	update->tries++;
	int rc = object ? update->options.change(update->options.arg, object, &own)
	                : kube_fail(&own, KUBE_E_NOMEM, "out of memory for an update");
	if (rc == 0)
		rc = send(update, "PUT", object, on_written, &own);
	if (rc < 0)
		tell(update, NULL, &own);
	else if (rc == KUBE_UPDATE_NOTHING)
		tell(update, json, NULL);
}

static bool copy(const char **text)
{
	bool given = *text != NULL;
	if (given)
		*text = strdup(*text);
	return !given || *text;
}

int kube_update_start(const struct kube_update_options *options, struct kube_update **ret_update, struct kube_err *err)
{
	struct kube_update *update = calloc(1, sizeof(*update));
	if (!update)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for an update");
	update->options = *options;
	bool copied = copy(&update->options.namespace_);
	copied &= copy(&update->options.name);
	copied &= copy(&update->options.subresource);
	int rc =
	    copied ? send(update, "GET", NULL, on_read, err) : kube_fail(err, KUBE_E_NOMEM, "out of memory for an update");
	if (rc != 0)
		free_update(update);
	else if (ret_update)
		*ret_update = update;
	return rc;
}

void kube_update_cancel(struct kube_update *update)
{
	if (!update || update->telling) /* from within done: it is over already */
		return;
	kube_op_cancel(update->op);
	kube_timer_stop(kube_client_env(update->options.client), &update->pause);
	free_update(update);
}
