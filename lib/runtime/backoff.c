#include "lib/runtime/backoff.h"

int64_t backoff_next(struct backoff *backoff, struct kube_env *env)
{
	int64_t now_ms = kube_env_mono_ms(env);
	int64_t delay_ms = backoff->next_ms;

	if (delay_ms == 0 || now_ms - backoff->quiet_since_ms > BACKOFF_RESET_MS)
		delay_ms = BACKOFF_FIRST_MS;
	backoff->next_ms = delay_ms * 2 < BACKOFF_MAX_MS ? delay_ms * 2 : BACKOFF_MAX_MS;
	delay_ms = kube_env_random_between(env, delay_ms, 2 * delay_ms - 1);
	backoff->quiet_since_ms = now_ms + delay_ms;
	return delay_ms;
}
