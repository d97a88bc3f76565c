#include "test/probe/probe.h"

#include <kube/events.h>
#include <kube/json.h>
#include <kube/update.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#define MAX_WORDS 5

/* One command under way. */
struct task {
	struct probe *probe;
	struct task *prev, *next;
	char id[32], label[128];
	struct kube_op *op;
	struct kube_update *update;
	struct kube_exchange *exchange;
	struct kube_buf line;
	int status;
};

struct probe {
	struct kube_client *client;
	struct kube_events *events;
	int64_t start_ms;
	struct task *tasks;
};

/* ---- answers ---- */

static cJSON *answer(const struct probe *probe, const char *id, const char *event)
{
	cJSON *json = cJSON_CreateObject();
	if (id)
		cJSON_AddStringToObject(json, "id", id);
	cJSON_AddStringToObject(json, "event", event);
	cJSON_AddNumberToObject(json, "ms", (double)(kube_env_mono_ms(kube_client_env(probe->client)) - probe->start_ms));
	return json;
}

static void say(cJSON *json)
{
	_cleanup_free_ char *text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	if (text)
		puts(text);
	fflush(stdout);
}

static void add_error(cJSON *json, const struct kube_err *err)
{
	cJSON *error = cJSON_AddObjectToObject(json, "error");
	cJSON_AddNumberToObject(error, "code", err->code);
	cJSON_AddStringToObject(error, "text", kube_code_text(err->code));
	cJSON_AddNumberToObject(error, "status", err->http_status);
	cJSON_AddStringToObject(error, "reason", err->reason);
	cJSON_AddStringToObject(error, "message", err->message);
}

static void on_warning(void *arg, const char *text)
{
	cJSON *json = answer(arg, NULL, "warning");
	cJSON_AddStringToObject(json, "text", text);
	say(json);
}

/* ---- tasks ---- */

static void end_task(struct task *task)
{
	DL_DELETE(task->probe->tasks, task);
	kube_buf_finish(&task->line);
	free(task);
}

static void done(struct task *task, const cJSON *body, const struct kube_err *err)
{
	cJSON *json = answer(task->probe, task->id, "done");
	if (err)
		add_error(json, err);
	if (body)
		cJSON_AddItemToObject(json, "json", cJSON_Duplicate(body, true));
	say(json);
	end_task(task);
}

static struct task *new_task(struct probe *probe, const char *id)
{
	struct task *task = calloc(1, sizeof(*task));
	if (!task)
		return NULL;
	task->probe = probe;
	snprintf(task->id, sizeof(task->id), "%s", id);
	kube_buf_init(&task->line, PROBE_MAX_LINE_BYTES);
	DL_APPEND(probe->tasks, task);
	return task;
}

static void on_reply(void *arg, const cJSON *json, const struct kube_err *err)
{
	done(arg, json, err);
}

static void call(struct task *task, char *const words[MAX_WORDS + 1])
{
	_cleanup_json_ cJSON *body = words[5] ? cJSON_Parse(words[5]) : NULL;
	const char *question = strchr(words[3], '?');
	struct kube_err err;
	if (question)
		*strchr(words[3], '?') = '\0';
	const struct kube_call request = {
	    .method = words[2],
	    .target = words[3],
	    .query = question ? question + 1 : NULL,
	    .content_type = words[4] && strcmp(words[4], "-") != 0 ? words[4] : NULL,
	    .body = body,
	};
	kube_err_reset(&err);
	if (words[5] && !body)
		kube_fail(&err, KUBE_E_PARSE, "the body is no JSON");
	else if (kube_client_send(task->probe->client, &request, on_reply, task, &task->op, &err) == 0)
		return;
	done(task, NULL, &err);
}

/* ---- watches ---- */

static void on_head(void *arg, const struct kube_response_head *head)
{
	struct task *task = arg;
	cJSON *json = answer(task->probe, task->id, "head");
	task->status = head->status;
	cJSON_AddNumberToObject(json, "status", head->status);
	say(json);
}

static int on_data(void *arg, const char *bytes, size_t len)
{
	struct task *task = arg;
	for (const char *end = bytes + len; bytes < end; bytes++) {
		if (*bytes != '\n') {
			kube_buf_add(&task->line, bytes, 1);
			continue;
		}
		cJSON *json = answer(task->probe, task->id, "line");
		cJSON_AddItemToObject(json, "json", cJSON_Parse(task->line.data ? task->line.data : "null"));
		say(json);
		kube_buf_reset(&task->line);
	}
	return task->line.failed;
}

static void on_done(void *arg, const struct kube_err *err)
{
	struct task *task = arg;
	task->exchange = NULL;
	done(task, NULL, err);
}

static void watch(struct task *task, const char *target)
{
	static const struct kube_exchange_handlers handlers = {on_head, on_data, on_done};
	const struct kube_request request = {.method = "GET", .target = target, .watch = true};
	struct kube_err err;
	kube_err_reset(&err);
	if (kube_transport_send(kube_client_transport(task->probe->client), &request, &handlers, task, &task->exchange,
	                        &err) != 0)
		done(task, NULL, &err);
}

static void cancel_task(struct task *task)
{
	if (task->exchange)
		kube_transport_cancel(kube_client_transport(task->probe->client), task->exchange);
	kube_op_cancel(task->op);
	kube_update_cancel(task->update);
	end_task(task);
}

static void cancel(struct probe *probe, const char *id)
{
	struct task *task, *next;
	DL_FOREACH_SAFE(probe->tasks, task, next)
	if (strcmp(task->id, id) == 0)
		cancel_task(task);
}

/* ---- updates ---- */

static int add_one(void *arg, cJSON *object, struct kube_err *err)
{
	const struct task *task = arg;
	cJSON *metadata = cJSON_GetObjectItem(object, "metadata");
	cJSON *labels = cJSON_GetObjectItem(metadata, "labels");
	char text[32];
	(void)err;
	if (!labels)
		labels = cJSON_AddObjectToObject(metadata, "labels");
	const cJSON *old = cJSON_GetObjectItemCaseSensitive(labels, task->label);
	snprintf(text, sizeof(text), "%ld", cJSON_IsString(old) ? strtol(old->valuestring, NULL, 10) + 1 : 1);
	cJSON_DeleteItemFromObjectCaseSensitive(labels, task->label);
	cJSON_AddStringToObject(labels, task->label, text);
	return 0;
}

static void increment(struct task *task, const char *node, const char *label)
{
	const struct kube_update_options options = {
	    .client = task->probe->client,
	    .resource = &kube_nodes,
	    .name = node,
	    .change = add_one,
	    .done = on_reply,
	    .arg = task,
	};
	struct kube_err err;
	kube_err_reset(&err);
	snprintf(task->label, sizeof(task->label), "%s", label);
	if (kube_update_start(&options, &task->update, &err) != 0)
		done(task, NULL, &err);
}

/* ---- events ---- */

static void emit(struct task *task, const char *reason, const char *note)
{
	const struct kube_event event = {
	    .regarding =
	        {.resource = &kube_namespaces, .namespace_ = "", .name = "default", .uid = "", .resource_version = ""},
	    .reason = reason,
	    .action = "Testing",
	    .note = note,
	};
	kube_events_emit(task->probe->events, &event);
	done(task, NULL, NULL);
}

static void flush(struct task *task)
{
	kube_events_flush(task->probe->events);
	done(task, NULL, NULL);
}

/* ---- commands ---- */

void probe_command(struct probe *probe, char *line)
{
	char *words[MAX_WORDS + 1] = {NULL};
	size_t count = 0;
	for (; line && count < MAX_WORDS; count++)
		words[count] = strsep(&line, " ");
	if (line) /* the last one is all that is left */
		words[count++] = line;
	bool begins = count >= 2 && strcmp(words[0], "cancel") != 0;
	struct task *task = begins ? new_task(probe, words[1]) : NULL;
	if (count >= 4 && task && strcmp(words[0], "call") == 0)
		call(task, words);
	else if (count == 3 && task && strcmp(words[0], "watch") == 0)
		watch(task, words[2]);
	else if (count == 4 && task && strcmp(words[0], "increment") == 0)
		increment(task, words[2], words[3]);
	else if (count == 4 && task && strcmp(words[0], "event") == 0)
		emit(task, words[2], words[3]);
	else if (count == 2 && task && strcmp(words[0], "flush") == 0)
		flush(task);
	else if (count == 2 && !task)
		cancel(probe, words[1]);
	else
		say(answer(probe, count > 1 ? words[1] : "", "what?"));
}

int probe_new(struct kube_client *client, struct probe **ret_probe, struct kube_err *err)
{
	struct probe *probe = calloc(1, sizeof(*probe));
	if (!probe)
		return kube_fail(err, KUBE_E_NOMEM, "out of memory");
	int rc = kube_events_new(client, "kube-probe", "kube-probe-test", &probe->events, err);
	if (rc != 0) {
		free(probe);
		return rc;
	}
	probe->client = client;
	probe->start_ms = kube_env_mono_ms(kube_client_env(client));
	kube_client_on_warning(client, on_warning, probe);
	*ret_probe = probe;
	return 0;
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	while (probe->tasks)
		cancel_task(probe->tasks);
	kube_events_free(probe->events);
	free(probe);
}
