/*
 * One Lease behind the simulated transport, and processes that want it. A process has clocks and timers of its own, so
 * that it can be frozen as by SIGSTOP, and names itself in the Accept header, so that the server can tell them apart.
 */
#ifndef TEST_UNIT_RUNTIME_LEASE_SERVER_H
#define TEST_UNIT_RUNTIME_LEASE_SERVER_H

#include <check.h>
#include <kube/elector.h>
#include <kube/json.h>
#include <kube/sim.h>
#include <kube/time.h>
#include <stdio.h>
#include <string.h>

#define LEASE_PATH "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
#define ANSWER_MS 5
#define MAX_CALLS 400
#define PROCESSES 3

struct call_log {
	char who;
	char what[8]; /* method */
	int64_t at_ms;
	int status;
};

struct process {
	struct kube_env env; /* first: ops get it back */
	struct kube_transport transport;
	struct kube_sim *sim;
	struct kube_timer pump;
	bool frozen;
	char name[2];
	char identity[16];
	struct kube_client *client;
	struct kube_elector *elector;
	int started, lost, failed, works;
	int64_t started_ms, lost_ms;
	char lost_message[512], failure[512];
	char holders[128];
};

struct lease_server {
	struct kube_sim *sim;
	cJSON *lease; /* NULL: none */
	long version;
	/* Faults; `only` 0: for everybody. */
	char only;
	const char *method; /* NULL: all */
	int status;         /* answered instead, when not 0 */
	bool silent;        /* no answer at all, and nothing is done */
	bool answer_lost;   /* it is done, but nobody hears of it */
	int64_t delay_ms;   /* of each answer; 0: ANSWER_MS */
	struct call_log calls[MAX_CALLS];
	size_t count;
	struct process processes[PROCESSES];
};

/* ---- the server ---- */

static inline void lease_set_version(struct lease_server *server)
{
	char text[32];
	cJSON *metadata = cJSON_GetObjectItem(server->lease, "metadata");
	snprintf(text, sizeof(text), "%ld", ++server->version);
	cJSON_DeleteItemFromObject(metadata, "resourceVersion");
	cJSON_AddStringToObject(metadata, "resourceVersion", text);
}

static inline void lease_store(struct lease_server *server, const cJSON *body)
{
	cJSON_Delete(server->lease);
	server->lease = cJSON_Duplicate(body, true);
	lease_set_version(server);
}

static inline const char *lease_text(const struct lease_server *server, const char *path)
{
	const char *text = kube_json_str(server->lease, path);
	return text ? text : "";
}

static inline int64_t lease_number(const struct lease_server *server, const char *path)
{
	const cJSON *value = kube_json_get(server->lease, path);
	ck_assert_msg(cJSON_IsNumber(value), "no number %s", path);
	return (int64_t)value->valuedouble;
}

/* The status, having done what was asked for. */
static inline int lease_do(struct lease_server *server, const struct kube_request *request)
{
	_cleanup_json_ cJSON *body = NULL;
	bool one = strcmp(request->target, LEASE_PATH "/pw") == 0;
	if (request->body_len)
		ck_assert_int_eq(kube_json_parse(request->body, request->body_len, &body, NULL), 0);
	if (strcmp(request->method, "POST") == 0) {
		ck_assert_str_eq(request->target, LEASE_PATH);
		if (server->lease)
			return 409;
		lease_store(server, body);
		return 201;
	}
	ck_assert_msg(one, "%s", request->target);
	if (!server->lease)
		return 404;
	if (strcmp(request->method, "GET") == 0)
		return 200;
	ck_assert_str_eq(request->method, "PUT");
	const char *version = kube_json_str(body, "metadata.resourceVersion");
	ck_assert_msg(version != NULL, "an update without a precondition");
	if (strcmp(version, lease_text(server, "metadata.resourceVersion")) != 0)
		return 409;
	lease_store(server, body);
	return 200;
}

static inline void lease_answer(struct lease_server *server, struct kube_exchange *exchange, int status,
                                int64_t delay_ms)
{
	_cleanup_free_ char *text = NULL;
	if (status < 300)
		text = cJSON_PrintUnformatted(server->lease);
	else if (asprintf(&text, "{\"kind\":\"Status\",\"code\":%d,\"reason\":\"R%d\",\"message\":\"no\"}", status,
	                  status) < 0)
		text = NULL;
	ck_assert_ptr_nonnull(text);
	kube_sim_reply_json(server->sim, exchange, delay_ms, status, text);
}

static inline void lease_serve(void *arg, struct kube_sim *sim, struct kube_exchange *exchange,
                               const struct kube_request *request)
{
	struct lease_server *server = arg;
	char who = request->accept[0];
	bool fault =
	    (!server->only || server->only == who) && (!server->method || strcmp(server->method, request->method) == 0);
	ck_assert_uint_lt(server->count, MAX_CALLS);
	struct call_log *call = &server->calls[server->count++];
	*call = (struct call_log){.who = who, .at_ms = kube_env_mono_ms(kube_sim_env(sim))};
	snprintf(call->what, sizeof(call->what), "%s", request->method);
	if (fault && server->silent)
		return;
	call->status = fault && server->status ? server->status : lease_do(server, request);
	if (!fault || !server->answer_lost)
		lease_answer(server, exchange, call->status, fault && server->delay_ms ? server->delay_ms : ANSWER_MS);
}

/* ---- a process: its own timers on the common clock ---- */

static inline int64_t process_mono(struct kube_env *env)
{
	struct process *p = (struct process *)env;
	return kube_env_mono_ms(kube_sim_env(p->sim));
}

static inline int64_t process_wall(struct kube_env *env)
{
	return kube_env_wall_ms(kube_sim_env(((struct process *)env)->sim));
}

static inline void process_random(struct kube_env *env, void *bytes, size_t len)
{
	uint64_t number = kube_env_random64(kube_sim_env(((struct process *)env)->sim));
	ck_assert_uint_eq(len, sizeof(number));
	memcpy(bytes, &number, len);
}

static inline void process_run(struct kube_timer *timer, void *arg)
{
	struct process *p = arg;
	(void)timer;
	if (!p->frozen)
		kube_env_run_timers(&p->env);
}

static inline void process_rearm(struct kube_env *env, int64_t due_ms)
{
	struct process *p = (struct process *)env;
	if (due_ms == INT64_MAX)
		kube_timer_stop(kube_sim_env(p->sim), &p->pump);
	else
		kube_timer_start(kube_sim_env(p->sim), &p->pump, due_ms - process_mono(env), process_run, p);
}

static inline int process_send(struct kube_transport *transport, const struct kube_request *request,
                               const struct kube_exchange_handlers *handlers, void *arg,
                               struct kube_exchange **ret_exchange, struct kube_err *err)
{
	struct process *p = (struct process *)((char *)transport - offsetof(struct process, transport));
	struct kube_request named = *request;
	named.accept = p->name;
	return kube_transport_send(kube_sim_transport(p->sim), &named, handlers, arg, ret_exchange, err);
}

static inline void process_cancel(struct kube_transport *transport, struct kube_exchange *exchange)
{
	struct process *p = (struct process *)((char *)transport - offsetof(struct process, transport));
	kube_transport_cancel(kube_sim_transport(p->sim), exchange);
}

static inline void process_freeze(struct process *p)
{
	p->frozen = true;
}

static inline void process_thaw(struct process *p)
{
	p->frozen = false;
	kube_timer_start(kube_sim_env(p->sim), &p->pump, 0, process_run, p);
}

/* ---- its elector ---- */

static inline void process_on_started(void *arg)
{
	struct process *p = arg;
	ck_assert(kube_elector_held(p->elector));
	p->started++;
	p->started_ms = kube_env_mono_ms(kube_sim_env(p->sim));
}

static inline void process_on_lost(void *arg, const struct kube_err *err)
{
	struct process *p = arg;
	ck_assert(!kube_elector_held(p->elector));
	ck_assert(kube_elector_ended(p->elector));
	p->lost++;
	p->lost_ms = kube_env_mono_ms(kube_sim_env(p->sim));
	snprintf(p->lost_message, sizeof(p->lost_message), "%s", err->message);
}

static inline void process_on_holder(void *arg, const char *identity)
{
	struct process *p = arg;
	size_t len = strlen(p->holders);
	snprintf(p->holders + len, sizeof(p->holders) - len, "%s ", identity);
}

static inline void process_on_health(void *arg, const struct kube_err *err)
{
	struct process *p = arg;
	p->failed += err ? 1 : 0;
	p->works += err ? 0 : 1;
	if (err)
		snprintf(p->failure, sizeof(p->failure), "%s", err->message);
}

/* "a", "b", …: its identity is "id-a". Not started yet. */
static inline struct process *process_new(struct lease_server *server, char name,
                                          const struct kube_elector_times *times)
{
	static const struct kube_env_ops env_ops = {process_wall, process_mono, process_random, process_rearm};
	static const struct kube_transport_ops transport_ops = {process_send, process_cancel};
	struct process *p = &server->processes[name - 'a'];
	*p = (struct process){.sim = server->sim, .transport = {&transport_ops}, .name = {name, '\0'}};
	snprintf(p->identity, sizeof(p->identity), "id-%c", name);
	kube_env_init(&p->env, &env_ops);
	ck_assert_int_eq(kube_client_new(&p->env, &p->transport, &p->client, NULL), 0);
	const struct kube_elector_options options = {
	    .client = p->client,
	    .namespace_ = "ns",
	    .name = "pw",
	    .identity = p->identity,
	    .times = times ? *times : (struct kube_elector_times){0},
	    .on_started = process_on_started,
	    .on_lost = process_on_lost,
	    .on_holder = process_on_holder,
	    .on_health = process_on_health,
	    .arg = p,
	};
	ck_assert_int_eq(kube_elector_new(&options, &p->elector, NULL), 0);
	return p;
}

static inline void process_kill(struct process *p)
{
	if (!p->client)
		return;
	kube_elector_free(p->elector);
	kube_client_free(p->client);
	kube_env_finish(&p->env);
	kube_timer_stop(kube_sim_env(p->sim), &p->pump);
	p->elector = NULL;
	p->client = NULL;
}

/* ---- a test ---- */

static inline void lease_set_up(struct lease_server *server, uint64_t seed)
{
	memset(server, 0, sizeof(*server));
	ck_assert_int_eq(kube_sim_new(seed, INT64_C(1767225600123), &server->sim, NULL), 0); /* 2026-01-01T00:00:00.123Z */
	kube_sim_serve(server->sim, lease_serve, server);
}

static inline void lease_tear_down(struct lease_server *server)
{
	for (size_t i = 0; i < PROCESSES; i++)
		process_kill(&server->processes[i]);
	cJSON_Delete(server->lease);
	kube_sim_free(server->sim);
}

static inline int64_t lease_now(const struct lease_server *server)
{
	return kube_env_mono_ms(kube_sim_env(server->sim));
}

static inline void lease_run(struct lease_server *server, int64_t ms)
{
	ck_assert_uint_lt(kube_sim_run(server->sim, lease_now(server) + ms, 100000), 100000);
}

static inline struct process *lease_start(struct lease_server *server, char name)
{
	struct process *p = process_new(server, name, NULL);
	kube_elector_start(p->elector);
	return p;
}

/* How many requests of that method a process has sent since a time. */
static inline size_t lease_calls(const struct lease_server *server, char who, const char *method, int64_t since_ms)
{
	size_t count = 0;
	for (size_t i = 0; i < server->count; i++)
		count += server->calls[i].who == who && strcmp(server->calls[i].what, method) == 0 &&
		         server->calls[i].at_ms >= since_ms;
	return count;
}

#endif
