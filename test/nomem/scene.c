#include "test/nomem/scene.h"

#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(1795260158000)

static struct scene *scene_of_env(struct kube_env *env)
{
	return (struct scene *)((char *)env - offsetof(struct scene, env));
}

/* ---- environment ---- */

static int64_t wall_ms(struct kube_env *env)
{
	return kube_env_wall_ms(kube_sim_env(scene_of_env(env)->sim));
}

static int64_t mono_us(struct kube_env *env)
{
	return kube_env_mono_us(kube_sim_env(scene_of_env(env)->sim));
}

static void random_bytes(struct kube_env *env, void *bytes, size_t len)
{
	struct kube_env *sim = kube_sim_env(scene_of_env(env)->sim);
	sim->ops->random(sim, bytes, len);
}

/* The library's turn. */
static void on_due(struct kube_timer *timer, void *arg)
{
	struct scene *scene = arg;

	(void)timer;
	alloc_resume();
	kube_env_run_timers(&scene->env);
	alloc_pause();
}

static void rearm(struct kube_env *env, int64_t due_ms)
{
	struct scene *scene = scene_of_env(env);
	struct kube_env *sim = kube_sim_env(scene->sim);

	alloc_pause();
	if (due_ms == INT64_MAX)
		kube_timer_stop(sim, &scene->driver);
	else
		kube_timer_start(sim, &scene->driver, due_ms - kube_env_mono_ms(sim), on_due, scene);
	alloc_resume();
}

/* ---- transport ---- */

/* A request of the library's; takes the place of the simulation's exchange. */
struct wire {
	struct kube_exchange_handlers handlers;
	void *arg;
	struct kube_exchange *exchange;
};

static void on_head(void *arg, const struct kube_response_head *head)
{
	struct wire *wire = arg;

	alloc_resume();
	if (wire->handlers.on_head)
		wire->handlers.on_head(wire->arg, head);
	alloc_pause();
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	struct wire *wire = arg;

	alloc_resume();
	int code = wire->handlers.on_data(wire->arg, bytes, len); /* may cancel, and with that free the wire */
	alloc_pause();
	return code;
}

static void on_done(void *arg, const struct kube_err *err)
{
	struct wire wire = *(struct wire *)arg;

	free(arg);
	alloc_resume();
	wire.handlers.on_done(wire.arg, err);
	alloc_pause();
}

static struct kube_transport *sim_transport(struct kube_transport *transport)
{
	return kube_sim_transport(((struct scene *)((char *)transport - offsetof(struct scene, transport)))->sim);
}

static int send(struct kube_transport *transport, const struct kube_request *request,
                const struct kube_exchange_handlers *handlers, void *arg, struct kube_exchange **ret_exchange,
                struct kube_err *err)
{
	static const struct kube_exchange_handlers ours = {on_head, on_data, on_done};
	struct wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	wire->handlers = *handlers;
	wire->arg = arg;
	alloc_pause();
	int code = kube_transport_send(sim_transport(transport), request, &ours, wire, &wire->exchange, err);
	alloc_resume();
	if (code)
		free(wire);
	else
		*ret_exchange = (struct kube_exchange *)wire;
	return code;
}

static void cancel(struct kube_transport *transport, struct kube_exchange *exchange)
{
	struct wire *wire = (struct wire *)exchange;

	alloc_pause();
	kube_transport_cancel(sim_transport(transport), wire->exchange);
	alloc_resume();
	free(wire);
}

/* ---- life ---- */

void scene_init(struct scene *scene)
{
	static const struct kube_env_ops env_ops = {
	    .wall_ms = wall_ms, .mono_us = mono_us, .random = random_bytes, .rearm = rearm};
	static const struct kube_transport_ops transport_ops = {send, cancel};

	memset(scene, 0, sizeof(*scene));
	kube_env_init(&scene->env, &env_ops);
	scene->transport.ops = &transport_ops;
	ck_assert_int_eq(kube_sim_new(1, START_MS, &scene->sim, NULL), 0);
	scene->api = kube_sim_api_new(scene->sim);
	ck_assert_int_eq(kube_client_new(&scene->env, &scene->transport, &scene->client, NULL), 0);
}

void scene_finish(struct scene *scene)
{
	kube_client_free(scene->client);
	kube_env_finish(&scene->env);
	kube_sim_api_free(scene->api);
	kube_sim_free(scene->sim);
}

void scene_run(struct scene *scene, int64_t ms)
{
	alloc_pause();
	kube_sim_run(scene->sim, kube_env_mono_ms(kube_sim_env(scene->sim)) + ms, 100000);
	alloc_resume();
}

void scene_do(struct scene *scene, const char *method, const char *target, const char *body)
{
	int status = kube_sim_api_do(scene->api, method, target, NULL, "%s", body);

	ck_assert_msg(status < 300, "%s %s: %d", method, target, status);
}
