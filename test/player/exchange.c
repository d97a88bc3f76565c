/* Requests and watches: both are exchanges whose text is kept until somebody asks for it. */
#include "test/player/player.h"

#include <kube/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define REQUEST_TIMEOUT_MS 60000

/* An exchange, of a request or of a watch. */
struct player_watch {
	struct player_watch *prev, *next;
	struct player *player;
	char id[32];
	struct kube_exchange *exchange; /* NULL when it has ended */
	int status, retry_after_s;
	char failure[512];
	struct kube_buf text;
};

static void on_head(void *arg, const struct kube_response_head *head)
{
	struct player_watch *watch = arg;

	watch->status = head->status;
	watch->retry_after_s = head->retry_after_s;
	if (head->status == 200)
		player_wake(watch->player);
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	struct player_watch *watch = arg;

	player_wake(watch->player);
	return kube_buf_add(&watch->text, bytes, len);
}

static void on_done(void *arg, const struct kube_err *err)
{
	struct player_watch *watch = arg;

	watch->exchange = NULL;
	if (err)
		snprintf(watch->failure, sizeof(watch->failure), "%s", err->message);
	player_wake(watch->player);
}

static struct player_watch *open_exchange(struct player *player, const char *id, const struct kube_request *request)
{
	static const struct kube_exchange_handlers handlers = {on_head, on_data, on_done};
	struct player_watch *watch = calloc(1, sizeof(*watch));
	struct kube_err err;

	if (!watch)
		abort();
	watch->player = player;
	snprintf(watch->id, sizeof(watch->id), "%s", id);
	kube_buf_init(&watch->text, PLAYER_MAX_BYTES);
	if (kube_transport_send(player->transport, request, &handlers, watch, &watch->exchange, &err) != 0)
		snprintf(watch->failure, sizeof(watch->failure), "%s", err.message);
	DL_APPEND(player->watches, watch);
	return watch;
}

static void free_exchange(struct player_watch *watch)
{
	if (watch->exchange)
		kube_transport_cancel(watch->player->transport, watch->exchange);
	DL_DELETE(watch->player->watches, watch);
	kube_buf_finish(&watch->text);
	free(watch);
}

static cJSON *head_of(const struct player_watch *watch)
{
	cJSON *answer = cJSON_CreateObject();

	if (watch->failure[0]) {
		cJSON_AddStringToObject(answer, "error", watch->failure);
		return answer;
	}
	cJSON_AddNumberToObject(answer, "status", watch->status);
	cJSON_AddNumberToObject(answer, "retryAfter", watch->retry_after_s);
	return answer;
}

cJSON *player_request(struct player *player, const cJSON *command)
{
	const char *body = kube_json_str(command, "body");
	const struct kube_request request = {
	    .method = kube_json_str(command, "method"),
	    .target = kube_json_str(command, "target"),
	    .content_type = body ? kube_json_str(command, "contentType") : NULL,
	    .body = body,
	    .body_len = body ? strlen(body) : 0,
	    .timeout_ms = REQUEST_TIMEOUT_MS,
	};
	struct player_watch *exchange = open_exchange(player, "", &request);

	while (exchange->exchange)
		player_wait(player);
	cJSON *answer = head_of(exchange);
	cJSON_AddStringToObject(answer, "body", exchange->text.len ? exchange->text.data : "");
	free_exchange(exchange);
	return answer;
}

static struct player_watch *find(const struct player *player, const char *id)
{
	struct player_watch *watch;

	DL_FOREACH (player->watches, watch)
		if (id && strcmp(watch->id, id) == 0)
			return watch;
	return NULL;
}

cJSON *player_watch(struct player *player, const cJSON *command)
{
	const struct kube_request request = {.method = "GET", .target = kube_json_str(command, "target")};
	struct player_watch *watch = open_exchange(player, kube_json_str(command, "watch"), &request);

	while (watch->exchange && watch->status != 200)
		player_wait(player);
	cJSON *answer = head_of(watch);
	if (watch->status != 200)
		cJSON_AddStringToObject(answer, "body", watch->text.len ? watch->text.data : "");
	return answer;
}

/* ---- events ---- */

struct deadline {
	struct kube_timer timer;
	struct player *player;
	bool over;
};

static void on_deadline(struct kube_timer *timer, void *arg)
{
	struct deadline *deadline = arg;

	(void)timer;
	deadline->over = true;
	player_wake(deadline->player);
}

static int lines_in(const struct kube_buf *text)
{
	int count = 0;
	for (size_t i = 0; i < text->len; i++)
		count += text->data[i] == '\n';
	return count;
}

/* What the watch has said by now, in whole lines, is taken from it. */
static cJSON *take_lines(struct player_watch *watch)
{
	cJSON *lines = cJSON_CreateArray();
	const char *end;

	while (watch->text.len > 0 && (end = memchr(watch->text.data, '\n', watch->text.len))) {
		size_t len = (size_t)(end - watch->text.data);
		watch->text.data[len] = '\0';
		cJSON_AddItemToArray(lines, cJSON_CreateString(watch->text.data));
		kube_buf_consume(&watch->text, len + 1);
	}
	return lines;
}

cJSON *player_events(struct player *player, const cJSON *command)
{
	struct player_watch *watch = find(player, kube_json_str(command, "events"));
	struct deadline deadline = {.player = player};
	cJSON *answer = cJSON_CreateObject();
	const cJSON *count = kube_json_get(command, "count"), *timeout = kube_json_get(command, "timeoutMs");

	if (!watch || !count || !timeout) {
		cJSON_AddStringToObject(answer, "error", "there is no such watch, or no count, or no timeoutMs");
		return answer;
	}
	kube_timer_start(player->env, &deadline.timer, (int64_t)timeout->valuedouble, on_deadline, &deadline);
	while (!deadline.over && watch->exchange && lines_in(&watch->text) < count->valueint)
		player_wait(player);
	kube_timer_stop(player->env, &deadline.timer);
	cJSON_AddItemToObject(answer, "lines", take_lines(watch));
	cJSON_AddBoolToObject(answer, "ended", watch->exchange == NULL);
	return answer;
}

cJSON *player_close(struct player *player, const cJSON *command)
{
	struct player_watch *watch = find(player, kube_json_str(command, "close"));

	if (watch)
		free_exchange(watch);
	return cJSON_CreateObject();
}

void player_close_all(struct player *player)
{
	while (player->watches)
		free_exchange(player->watches);
}
