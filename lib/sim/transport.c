#include "lib/sim/internal.h"
#include <kube/mem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#define HTTP_DATE_SIZE 64

enum answer_type { ANSWER_HEAD, ANSWER_DATA, ANSWER_END };

/* A piece of an answer on its way. */
struct answer {
	struct answer *prev, *next; /* call->answers */
	struct sim_call *call;
	struct kube_timer timer;
	enum answer_type type;
	int status, retry_after_s; /* of a head */
	int code;                  /* of an end */
	size_t len;
	char text[]; /* data; or a head's content type, an end's message */
};

/* A request that the client still listens to. */
struct sim_call {
	struct kube_sim *sim;
	struct kube_env *timers, *answers_env; /* the client's */
	struct kube_exchange *exchange;
	struct kube_exchange_handlers handlers;
	void *arg;
	struct kube_request request; /* its texts are our own copies */
	char *method, *target, *accept, *content_type, *body;
	struct kube_request_auth auth; /* the same */
	char *auth_texts[4];
	struct kube_timer arrival; /* at the server, in its env: what is sent arrives, whatever becomes of the client */
	struct kube_timer timeout, idle;
	struct answer *answers;
	int64_t last_due_ms; /* of the answers: they arrive in the order in which they were given */
	bool broken;         /* there was no memory for a piece: nothing comes behind it but the end */
	struct kube_timer end;
};

static void free_call(struct sim_call *call)
{
	free(call->method);
	free(call->target);
	free(call->accept);
	free(call->content_type);
	free(call->body);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(call->auth_texts); i++)
		kube_wipe_str(&call->auth_texts[i]);
	free(call);
}

/* From here on the client hears nothing more. */
static void close_call(struct sim_call *call)
{
	call->exchange->call = NULL;
	kube_timer_stop(&call->sim->env, &call->arrival);
	kube_timer_stop(call->timers, &call->timeout);
	kube_timer_stop(call->timers, &call->idle);
	kube_timer_release(call->answers_env, &call->end);
	while (call->answers) {
		struct answer *answer = call->answers;
		DL_DELETE(call->answers, answer);
		kube_timer_stop(call->answers_env, &answer->timer);
		free(answer);
	}
}

static void end_call(struct sim_call *call, int code, const char *message)
{
	struct kube_exchange_handlers handlers = call->handlers;
	void *arg = call->arg;
	struct kube_err err;

	close_call(call);
	free_call(call);
	if (code)
		kube_fail(&err, code, "%s", message);
	handlers.on_done(arg, code ? &err : NULL);
}

/* The client's side */

static int copy_text(const char *text, char **ret_copy)
{
	if (!text)
		return 0;
	*ret_copy = strdup(text);
	return *ret_copy ? 0 : KUBE_E_NOMEM;
}

static int copy_auth(struct sim_call *call, const struct kube_request_auth *from)
{
	const char *const texts[] = {from->token, from->username, from->password, from->ca_pem};
	const char **const copies[] = {&call->auth.token, &call->auth.username, &call->auth.password, &call->auth.ca_pem};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(texts); i++) {
		if (copy_text(texts[i], &call->auth_texts[i]))
			return KUBE_E_NOMEM;
		*copies[i] = call->auth_texts[i];
	}
	call->request.auth = &call->auth;
	return 0;
}

static int copy_request(struct sim_call *call, const struct kube_request *request)
{
	call->request = *request;
	if (request->auth && copy_auth(call, request->auth))
		return KUBE_E_NOMEM;
	if (copy_text(request->method, &call->method) || copy_text(request->target, &call->target) ||
	    copy_text(request->accept, &call->accept) || copy_text(request->content_type, &call->content_type))
		return KUBE_E_NOMEM;
	call->request.method = call->method;
	call->request.target = call->target;
	call->request.accept = call->accept;
	call->request.content_type = call->content_type;
	if (!request->body)
		return 0;
	call->body = calloc(1, request->body_len + 1); /* servers may read it as a text */
	if (!call->body)
		return KUBE_E_NOMEM;
	memcpy(call->body, request->body, request->body_len);
	call->request.body = call->body;
	return 0;
}

static void on_arrival(struct kube_timer *timer, void *arg)
{
	struct sim_call *call = arg;
	struct kube_sim *sim = call->sim;

	(void)timer;
	if (sim->serve_outside && call->target[0] != '/')
		sim->serve_outside(sim->outside_arg, sim, call->exchange, &call->request);
	else if (sim->serve)
		sim->serve(sim->serve_arg, sim, call->exchange, &call->request);
	else
		end_call(call, KUBE_E_CONNECT, "nobody serves");
}

static void on_timeout(struct kube_timer *timer, void *arg)
{
	(void)timer;
	end_call(arg, KUBE_E_TIMEOUT, "the request took too long");
}

static void on_idle(struct kube_timer *timer, void *arg)
{
	(void)timer;
	end_call(arg, KUBE_E_TIMEOUT, "the connection was silent for too long");
}

/* Cannot fail once the first start has succeeded. */
static int restart_idle(struct sim_call *call)
{
	int64_t silence_ms = call->request.idle_timeout_ms;

	return silence_ms > 0 ? kube_timer_start(call->timers, &call->idle, silence_ms, on_idle, call) : 0;
}

static int start_timers(struct sim_call *call)
{
	int64_t timeout_ms = call->request.timeout_ms;

	if (timeout_ms > 0 && kube_timer_start(call->timers, &call->timeout, timeout_ms, on_timeout, call))
		return KUBE_E_NOMEM;
	if (restart_idle(call) || kube_timer_reserve(call->answers_env, &call->end))
		return KUBE_E_NOMEM;
	return kube_timer_start(&call->sim->env, &call->arrival, 0, on_arrival, call);
}

static struct kube_exchange *add_exchange(struct kube_sim *sim, struct sim_call *call)
{
	struct kube_exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->call = call;
	exchange->next = sim->exchanges;
	sim->exchanges = exchange;
	return exchange;
}

int sim_send(struct kube_sim *sim, const struct sim_client *client, const struct kube_request *request,
             const struct kube_exchange_handlers *handlers, void *arg, struct kube_exchange **ret_exchange,
             struct kube_err *err)
{
	struct sim_call *call = calloc(1, sizeof(*call));

	if (!call || copy_request(call, request) || !(call->exchange = add_exchange(sim, call))) {
		if (call)
			free_call(call);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	}
	call->sim = sim;
	call->timers = client->timers;
	call->answers_env = client->answers;
	call->exchange->sender = client->id;
	call->handlers = *handlers;
	call->arg = arg;
	if (start_timers(call)) {
		close_call(call);
		free_call(call);
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for a request");
	}
	*ret_exchange = call->exchange;
	return 0;
}

static int own_send(struct kube_transport *transport, const struct kube_request *request,
                    const struct kube_exchange_handlers *handlers, void *arg, struct kube_exchange **ret_exchange,
                    struct kube_err *err)
{
	struct kube_sim *sim = (struct kube_sim *)((char *)transport - offsetof(struct kube_sim, transport));
	const struct sim_client client = {&sim->env, &sim->env, SIM_OWN_SENDER};

	return sim_send(sim, &client, request, handlers, arg, ret_exchange, err);
}

void sim_cancel(struct kube_transport *transport, struct kube_exchange *exchange)
{
	struct sim_call *call = exchange->call;

	(void)transport;
	if (!call)
		return;
	close_call(call);
	free_call(call);
}

/* The server's side */

static void http_date(const struct kube_sim *sim, char out[HTTP_DATE_SIZE])
{
	time_t seconds = kube_sim_server_ms(sim) / 1000;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	/* No locale is set, hence English names. */
	strftime(out, HTTP_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static void deliver_head(struct sim_call *call, const struct answer *answer)
{
	char date[HTTP_DATE_SIZE];
	struct kube_response_head head = {
	    .status = answer->status,
	    .retry_after_s = answer->retry_after_s,
	    .content_type = answer->text,
	    .date = date,
	    .warning = "",
	    .flow_schema_uid = "",
	    .priority_level_uid = "",
	};

	http_date(call->sim, date);
	if (call->handlers.on_head)
		call->handlers.on_head(call->arg, &head);
}

static void deliver_data(struct sim_call *call, const struct answer *answer)
{
	struct kube_exchange *exchange = call->exchange;
	int rc = call->handlers.on_data(call->arg, answer->text, answer->len);

	if (rc < 0 && exchange->call)
		end_call(call, rc, "the receiver refused the data");
}

/* The handlers may cancel the request: answer belongs to nobody else by then. */
static void on_answer(struct kube_timer *timer, void *arg)
{
	struct answer *answer = arg;
	struct sim_call *call = answer->call;

	(void)timer;
	DL_DELETE(call->answers, answer);
	restart_idle(call);
	switch (answer->type) {
	case ANSWER_HEAD: deliver_head(call, answer); break;
	case ANSWER_DATA: deliver_data(call, answer); break;
	case ANSWER_END: end_call(call, answer->code, answer->text); break;
	}
	free(answer);
}

static void on_end(struct kube_timer *timer, void *arg)
{
	(void)timer;
	end_call(arg, KUBE_E_NOMEM, "out of memory for an answer");
}

static void break_off(struct sim_call *call)
{
	call->broken = true;
	kube_timer_start(call->answers_env, &call->end, call->last_due_ms - call->sim->mono_ms, on_end, call);
}

static void add_answer(struct kube_sim *sim, struct kube_exchange *exchange, int64_t delay_ms,
                       const struct answer *like, const char *text, size_t len)
{
	struct sim_call *call = exchange->call;
	int64_t due_ms = sim->mono_ms + delay_ms;

	if (!call || call->broken)
		return;
	if (due_ms < call->last_due_ms)
		due_ms = call->last_due_ms;
	call->last_due_ms = due_ms;
	struct answer *answer = calloc(1, sizeof(*answer) + len + 1);
	if (answer) {
		*answer = *like;
		answer->call = call;
		answer->len = len;
		memcpy(answer->text, text, len);
	}
	if (!answer || kube_timer_start(call->answers_env, &answer->timer, due_ms - sim->mono_ms, on_answer, answer)) {
		free(answer);
		break_off(call);
		return;
	}
	DL_APPEND(call->answers, answer);
}

void kube_sim_reply_head(struct kube_sim *sim, struct kube_exchange *exchange, int64_t delay_ms, int status,
                         int retry_after_s, const char *content_type)
{
	struct answer head = {.type = ANSWER_HEAD, .status = status, .retry_after_s = retry_after_s};

	add_answer(sim, exchange, delay_ms, &head, content_type, strlen(content_type));
}

void kube_sim_reply_data(struct kube_sim *sim, struct kube_exchange *exchange, int64_t delay_ms, const char *bytes,
                         size_t len)
{
	add_answer(sim, exchange, delay_ms, &(struct answer){.type = ANSWER_DATA}, bytes, len);
}

void kube_sim_reply_end(struct kube_sim *sim, struct kube_exchange *exchange, int64_t delay_ms, int code,
                        const char *message)
{
	struct answer end = {.type = ANSWER_END, .code = code};

	if (!message)
		message = kube_code_text(code);
	add_answer(sim, exchange, delay_ms, &end, message, strlen(message));
}

void kube_sim_reply_json(struct kube_sim *sim, struct kube_exchange *exchange, int64_t delay_ms, int status,
                         const char *json)
{
	kube_sim_reply_head(sim, exchange, delay_ms, status, -1, "application/json");
	kube_sim_reply_data(sim, exchange, delay_ms, json, strlen(json));
	kube_sim_reply_end(sim, exchange, delay_ms, 0, NULL);
}

bool kube_sim_open(const struct kube_sim *sim, const struct kube_exchange *exchange)
{
	(void)sim;
	return exchange->call != NULL;
}

unsigned kube_sim_sender(const struct kube_exchange *exchange)
{
	return exchange->sender;
}

void kube_sim_serve(struct kube_sim *sim, kube_sim_serve_fn *fn, void *arg)
{
	sim->serve = fn;
	sim->serve_arg = arg;
}

void kube_sim_serve_outside(struct kube_sim *sim, kube_sim_serve_fn *fn, void *arg)
{
	sim->serve_outside = fn;
	sim->outside_arg = arg;
}

/* Life */

struct kube_transport *kube_sim_transport(struct kube_sim *sim)
{
	return &sim->transport;
}

void sim_transport_init(struct kube_sim *sim)
{
	static const struct kube_transport_ops ops = {own_send, sim_cancel};

	sim->transport.ops = &ops;
}

void sim_transport_finish(struct kube_sim *sim)
{
	while (sim->exchanges) {
		struct kube_exchange *exchange = sim->exchanges;
		sim->exchanges = exchange->next;
		sim_cancel(&sim->transport, exchange);
		free(exchange);
	}
}
