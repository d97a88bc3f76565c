#include "lib/runtime/elector_internal.h"

#include <inttypes.h>
#include <kube/mem.h>
#include <stdio.h>
#include <string.h>

/* ---- settings ---- */

static struct kube_elector_times with_defaults(const struct kube_elector_times *times)
{
	return (struct kube_elector_times){
	    .lease_ms = times->lease_ms ? times->lease_ms : KUBE_ELECTOR_LEASE_MS,
	    .renew_ms = times->renew_ms ? times->renew_ms : KUBE_ELECTOR_RENEW_MS,
	    .retry_ms = times->retry_ms ? times->retry_ms : KUBE_ELECTOR_RETRY_MS,
	};
}

int kube_elector_check_times(const struct kube_elector_times *times, struct kube_err *err)
{
	const struct kube_elector_times t = with_defaults(times);

	if (t.lease_ms <= 0 || t.renew_ms <= 0 || t.retry_ms <= 0)
		return kube_fail(err, KUBE_E_INVALID, "lease duration, renew deadline and retry period must be above 0");
	if (t.lease_ms % 1000 != 0 || t.lease_ms / 1000 > INT32_MAX)
		return kube_fail(err, KUBE_E_INVALID,
		                 "the lease duration must be of whole seconds: a Lease knows no smaller ones");
	if (t.lease_ms <= t.renew_ms)
		return kube_fail(err, KUBE_E_INVALID,
		                 "the lease duration (%" PRId64 " ms) must be longer than the renew deadline (%" PRId64 " ms)",
		                 t.lease_ms, t.renew_ms);
	if (t.retry_ms >= t.renew_ms || t.renew_ms * 5 <= t.retry_ms * 6)
		return kube_fail(err, KUBE_E_INVALID,
		                 "the renew deadline (%" PRId64 " ms) must be longer than 1.2 times the retry period (%" PRId64
		                 " ms)",
		                 t.renew_ms, t.retry_ms);
	return 0;
}

const char *kube_elector_identity(struct kube_env *env, const char *hostname, char out[KUBE_ELECTOR_IDENTITY_SIZE])
{
	uint64_t high = kube_env_random64(env), low = kube_env_random64(env);

	high = (high & ~UINT64_C(0xf000)) | 0x4000;               /* RFC 9562: version 4 */
	low = (low & ~(UINT64_C(3) << 62)) | (UINT64_C(2) << 62); /* and its variant */
	snprintf(out, KUBE_ELECTOR_IDENTITY_SIZE,
	         "%.253s_%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64, hostname, high >> 32,
	         (high >> 16) & 0xffff, high & 0xffff, low >> 48, low & UINT64_C(0xffffffffffff));
	return out;
}

/* ---- what is told ---- */

void elector_healthy(struct kube_elector *e)
{
	if (!e->failure[0])
		return;
	e->failure[0] = '\0';
	if (e->options.on_health)
		e->options.on_health(e->options.arg, NULL);
}

void elector_unhealthy(struct kube_elector *e, const struct kube_err *err)
{
	if (strcmp(e->failure, err->message) == 0)
		return;
	snprintf(e->failure, sizeof(e->failure), "%s", err->message);
	if (e->options.on_health)
		e->options.on_health(e->options.arg, err);
}

/* ---- time ---- */

int64_t elector_now_ms(const struct kube_elector *e)
{
	return kube_env_mono_ms(e->env);
}

static int64_t held_until_ms(const struct kube_elector *e)
{
	return e->renewed_ms + e->options.times.renew_ms;
}

void elector_end(struct kube_elector *e)
{
	e->state = ELECTOR_ENDED;
	kube_timer_stop(e->env, &e->next);
	kube_timer_stop(e->env, &e->deadline);
	kube_op_cancel(take(e->op));
}

void elector_lose(struct kube_elector *e, const struct kube_err *err)
{
	elector_end(e);
	if (e->options.on_lost)
		e->options.on_lost(e->options.arg, err);
}

void elector_lose_by_time(struct kube_elector *e)
{
	struct kube_err err;

	kube_fail(&err, KUBE_E_TIMEOUT,
	          "lease %s/%s was not renewed for %" PRId64 " ms, the renew deadline (last: %s): another one may lead",
	          e->options.namespace_, e->options.name, elector_now_ms(e) - e->renewed_ms,
	          e->failure[0] ? e->failure : "no answer in time, or this process did not run");
	elector_lose(e, &err);
}

static void on_next(struct kube_timer *timer, void *arg)
{
	(void)timer;
	elector_attempt(arg);
}

static void on_deadline(struct kube_timer *timer, void *arg)
{
	(void)timer;
	elector_lose_by_time(arg);
}

/*
 * client-go: followers jitter by up to 1.2 periods, so that they do not all come at once; the holder does not. As it
 * holds from the sending on, it also renews by that: a slow server costs it no time.
 */
void elector_rest(struct kube_elector *e)
{
	int64_t retry_ms = e->options.times.retry_ms;
	int64_t delay_ms = e->state == ELECTOR_LEADING ? e->sent_ms + retry_ms - elector_now_ms(e)
	                                               : kube_env_random_between(e->env, retry_ms, retry_ms * 11 / 5);

	kube_timer_start(e->env, &e->next, delay_ms, on_next, e);
}

void elector_set_deadline(struct kube_elector *e)
{
	kube_timer_start(e->env, &e->deadline, held_until_ms(e) - elector_now_ms(e), on_deadline, e);
}

/* ---- life ---- */

static int copy_texts(struct kube_elector *e)
{
	const char **texts[] = {&e->options.namespace_, &e->options.name, &e->options.identity};
	int rc = 0;

	for (size_t i = 0; i < KUBE_ARRAY_LEN(texts); i++) {
		*texts[i] = strdup(*texts[i]);
		if (!*texts[i])
			rc = KUBE_E_NOMEM;
	}
	return rc;
}

int kube_elector_new(const struct kube_elector_options *options, struct kube_elector **ret_elector,
                     struct kube_err *err)
{
	int rc = kube_elector_check_times(&options->times, err);
	if (rc < 0)
		return rc;
	if (!*options->identity)
		return kube_fail(err, KUBE_E_INVALID, "leader election needs an identity of this process");
	struct kube_elector *e = calloc(1, sizeof(*e));
	if (!e)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for leader election");
	e->options = *options;
	e->options.times = with_defaults(&options->times);
	e->env = kube_client_env(options->client);
	/* A holder that could not start a timer would neither renew the lease nor let it go. */
	if (copy_texts(e) < 0 || kube_timer_reserve(e->env, &e->next) < 0 || kube_timer_reserve(e->env, &e->deadline) < 0) {
		kube_elector_free(e);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for leader election");
	}
	*ret_elector = e;
	return 0;
}

void kube_elector_free(struct kube_elector *e)
{
	if (!e)
		return;
	elector_end(e);
	kube_timer_release(e->env, &e->next);
	kube_timer_release(e->env, &e->deadline);
	cJSON_Delete(e->lease);
	free(e->told_holder);
	free((char *)e->options.namespace_);
	free((char *)e->options.name);
	free((char *)e->options.identity);
	free(e);
}

void kube_elector_start(struct kube_elector *e)
{
	if (e->state != ELECTOR_STOPPED)
		return;
	e->state = ELECTOR_FOLLOWING;
	kube_timer_start(e->env, &e->next, 0, on_next, e);
}

bool kube_elector_held(const struct kube_elector *e)
{
	return e->state == ELECTOR_LEADING && elector_now_ms(e) < held_until_ms(e);
}

bool kube_elector_overdue(const struct kube_elector *e)
{
	return e->state == ELECTOR_LEADING && elector_now_ms(e) >= e->renewed_ms + e->options.times.lease_ms;
}

void kube_elector_verify(struct kube_elector *e)
{
	if (e->state != ELECTOR_LEADING)
		return;
	/* What is in flight may have been answered before whatever made the caller ask. */
	if (e->op)
		e->verify_wanted = true;
	else
		elector_send_verify(e);
}

void kube_elector_release(struct kube_elector *e)
{
	bool leading = e->state == ELECTOR_LEADING;

	if (e->state == ELECTOR_RELEASING || e->state == ELECTOR_ENDED)
		return;
	e->state = ELECTOR_RELEASING;
	kube_timer_stop(e->env, &e->next);
	kube_timer_stop(e->env, &e->deadline);
	if (e->op)
		return; /* its answer tells whether there is something to give back */
	if (leading)
		elector_send_release(e);
	else
		elector_end(e);
}

bool kube_elector_ended(const struct kube_elector *e)
{
	return e->state == ELECTOR_ENDED;
}
