/*
 * One Lease behind the simulated transport, and processes that want it.
 */
#ifndef TEST_UNIT_RUNTIME_LEASE_SERVER_H
#define TEST_UNIT_RUNTIME_LEASE_SERVER_H

#include "test/unit/sim_process.h"

#include <kube/elector.h>
#include <kube/json.h>
#include <kube/time.h>
#include <stdio.h>

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
	struct sim_process machine;
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

/* ---- a process and its elector ---- */

static inline void process_on_started(void *arg)
{
	struct process *p = arg;
	ck_assert(kube_elector_held(p->elector));
	p->started++;
	p->started_ms = kube_env_mono_ms(kube_sim_env(p->machine.sim));
}

static inline void process_on_lost(void *arg, const struct kube_err *err)
{
	struct process *p = arg;
	ck_assert(!kube_elector_held(p->elector));
	ck_assert(kube_elector_ended(p->elector));
	p->lost++;
	p->lost_ms = kube_env_mono_ms(kube_sim_env(p->machine.sim));
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
	struct process *p = &server->processes[name - 'a'];
	*p = (struct process){0};
	sim_process_init(&p->machine, server->sim, name);
	snprintf(p->identity, sizeof(p->identity), "id-%c", name);
	ck_assert_int_eq(kube_client_new(p->machine.env, &p->machine.transport, &p->client, NULL), 0);
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
	sim_process_finish(&p->machine);
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

/* ---- the test that runs ---- */

#define RENEW_MS KUBE_ELECTOR_RENEW_MS
#define LEASE_MS KUBE_ELECTOR_LEASE_MS
#define LONGEST_RETRY_MS 4400
#define A_WHILE_MS (LEASE_MS + LONGEST_RETRY_MS + 100) /* by then a dead holder has a successor */

static struct lease_server t;

static inline bool held(char name)
{
	const struct process *p = &t.processes[name - 'a'];
	return p->elector && kube_elector_held(p->elector);
}

static inline struct process *leader_a(void)
{
	lease_set_up(&t, 1);
	struct process *a = lease_start(&t, 'a');
	lease_run(&t, 100);
	ck_assert(held('a'));
	return a;
}

static inline void set_record(const char *holder, int duration_s)
{
	char text[512];
	snprintf(
	    text, sizeof(text),
	    "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"pw\",\"namespace\":"
	    "\"ns\",\"labels\":{\"team\":\"x\"}},\"spec\":{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":%d,"
	    "\"renewTime\":\"2019-01-01T00:00:00.000000Z\",\"acquireTime\":\"2019-01-01T00:00:00.000000Z\","
	    "\"leaseTransitions\":7}}",
	    holder, duration_s);
	_cleanup_json_ cJSON *json = cJSON_Parse(text);
	lease_store(&t, json);
}

#endif
