/* hello-operator: each ConfigMap of our namespace that has the label "hello" and data.name gets a data.greeting, and
 * keeps it. Several may run: the one that holds the Lease "hello-operator" works. */
#include <kube/controller.h>
#include <kube/json.h>
#include <kube/log.h>
#include <kube/session.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct config_map {
	struct kube_object object;
	const char *name, *greeting; /* NULL: absent */
};
static const struct kube_resource config_maps = {"", "v1", "configmaps", "ConfigMap", true};

static struct kube_session session;
static struct kube_controller *controller;

static int decode(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	struct config_map *map = (struct config_map *)self;
	const char *name = kube_json_str(item, "data.name"), *greeting = kube_json_str(item, "data.greeting");
	map->name = kube_arena_strdup(arena, name);
	map->greeting = kube_arena_strdup(arena, greeting);
	return (name && !map->name) || (greeting && !map->greeting) ? kube_fail(err, KUBE_E_NOMEM, "out of memory") : 0;
}
static const struct kube_projection projection = {&config_maps, sizeof(struct config_map), .decode = decode};

static void on_written(void *arg, const cJSON *json, const struct kube_err *err)
{
	char *key = arg; /* our copy */
	(void)json;
	kube_log(err ? KUBE_LOG_WARN : KUBE_LOG_INFO, err ? err->message : "greeted", "configmap", key, NULL);
	kube_controller_done(controller, key, err ? KUBE_FAILED : KUBE_SUCCEEDED, 0);
	free(key);
}

static void greet(const struct config_map *map, const char *key, const char *greeting)
{
	cJSON *body = cJSON_CreateObject(), *metadata = cJSON_AddObjectToObject(body, "metadata");
	cJSON_AddStringToObject(metadata, "uid", map->object.uid); /* this very one, as it is in the cache, or a 409 */
	cJSON_AddStringToObject(metadata, "resourceVersion", map->object.resource_version);
	cJSON_AddStringToObject(cJSON_AddObjectToObject(body, "data"), "greeting", greeting);
	struct kube_call call = {"PATCH", &config_maps, map->object.namespace_, map->object.name, .body = body};
	call.content_type = KUBE_PATCH_MERGE;
	call.query = "fieldManager=hello-operator";
	char *copy = strdup(key);
	if (!copy || kube_client_send(session.client, &call, on_written, copy, NULL, NULL) != 0) {
		kube_controller_done(controller, key, KUBE_FAILED, 0);
		free(copy);
	}
	cJSON_Delete(body);
}

static void reconcile(void *arg, const char *key, const struct kube_object *object)
{
	const struct config_map *map = (const struct config_map *)object; /* NULL: deleted */
	char greeting[256];
	(void)arg;
	snprintf(greeting, sizeof(greeting), "Hello, %s!", map && map->name ? map->name : "");
	if (map && map->name && (!map->greeting || strcmp(map->greeting, greeting) != 0))
		greet(map, key, greeting);
	else
		kube_controller_done(controller, key, KUBE_SUCCEEDED, 0);
}

static void on_working(void *arg)
{
	kube_log(KUBE_LOG_INFO, "we lead", "identity", arg, NULL);
}

static void on_health(void *arg, const struct kube_err *err)
{
	kube_log(err ? KUBE_LOG_WARN : KUBE_LOG_INFO, err ? err->message : "it works again", "identity", arg, NULL);
}

static void on_end(void *arg, const struct kube_err *err)
{
	kube_log(err ? KUBE_LOG_ERROR : KUBE_LOG_INFO, err ? err->message : "ends", "identity", arg, NULL);
	if (err) /* the lease is lost: another one may work by now */
		_exit(1);
	kube_loop_stop(session.loop);
}

static void on_signal(void *arg, int signo, int count)
{
	(void)arg, (void)signo, (void)count;
	kube_controller_stop(controller); /* ends within 30 s */
}

static int set_up(char *identity, struct kube_err *err)
{
	struct kube_controller_options options = {.client = session.client, .projection = &projection, .arg = identity};
	char host[128] = "";
	gethostname(host, sizeof(host) - 1);
	options.namespace_ = session.config->namespace_, options.label_selector = "hello";
	options.lease_namespace = session.config->namespace_, options.lease_name = "hello-operator";
	options.identity = kube_elector_identity(kube_loop_env(session.loop), host, identity);
	options.reconcile = reconcile, options.on_working = on_working;
	options.on_health = options.on_left_out = on_health, options.on_end = on_end;
	int rc = kube_controller_new(&options, &controller, err);
	return rc ? rc : kube_loop_on_signal(session.loop, on_signal, NULL, err);
}

int main(void)
{
	char identity[KUBE_ELECTOR_IDENTITY_SIZE];
	struct kube_err err = {0};
	if (kube_session_open(&session, NULL, "hello-operator/1", &err) == 0 && set_up(identity, &err) == 0) {
		kube_controller_start(controller);
		kube_loop_run(session.loop);
	}
	kube_controller_free(controller);
	kube_session_close(&session);
	if (err.code)
		fprintf(stderr, "hello-operator: %s\n", err.message);
	return err.code ? 1 : 0;
}
