/* watch-nodes: a line for each node that comes, goes, or becomes ready or not, until a signal ends it. */
#include <kube/json.h>
#include <kube/reflector.h>
#include <kube/session.h>
#include <stdio.h>
#include <string.h>

/* What is kept of a node: nothing but what is shown. */
struct node {
	struct kube_object object; /* key, uid, resourceVersion and the like */
	bool ready, cordoned;
};

static int decode(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	struct node *node = (struct node *)self;
	const cJSON *condition;

	(void)arena; /* for texts that are kept */
	(void)err;
	node->cordoned = cJSON_IsTrue(kube_json_get(item, "spec.unschedulable"));
	cJSON_ArrayForEach (condition, kube_json_get(item, "status.conditions")) {
		const char *type = kube_json_str(condition, "type"), *status = kube_json_str(condition, "status");
		if (type && status && strcmp(type, "Ready") == 0)
			node->ready = strcmp(status, "True") == 0;
	}
	return 0;
}

/* Heartbeats change a node every few seconds: they are no news. */
static bool same(const struct kube_object *a, const struct kube_object *b)
{
	const struct node *old_node = (const struct node *)a, *new_node = (const struct node *)b;

	return strcmp(a->uid, b->uid) == 0 && old_node->ready == new_node->ready &&
	       old_node->cordoned == new_node->cordoned;
}

static const struct kube_projection projection = {
    .resource = &kube_nodes, .size = sizeof(struct node), .decode = decode, .same = same};

static void on_change(void *arg, const struct kube_change *change)
{
	const struct node *node = (const struct node *)(change->new_object ? change->new_object : change->old_object);

	(void)arg;
	if (!change->changed)
		return;
	printf("%-8s %s %s%s\n",
	       !change->old_object  ? "added"
	       : change->new_object ? "changed"
	                            : "deleted",
	       node->object.name, node->ready ? "Ready" : "NotReady", node->cordoned ? ",SchedulingDisabled" : "");
	fflush(stdout);
}

static void on_health(void *arg, const struct kube_err *err)
{
	(void)arg;
	fprintf(stderr, "watch-nodes: %s\n", err ? err->message : "the API server answers again");
}

static void on_signal(void *arg, int signo, int count)
{
	(void)signo;
	(void)count;
	kube_loop_stop(arg);
}

int main(void)
{
	struct kube_session session = {0};
	struct kube_reflector_options options = {
	    .projection = &projection, .watch_list = true, .on_health = on_health, .on_left_out = on_health};
	struct kube_reflector *reflector = NULL;
	struct kube_err err = {0};

	int rc = kube_session_open(&session, NULL, "watch-nodes/1", &err);
	options.client = session.client;
	if (!rc)
		rc = kube_store_new(10000, &options.store, &err);
	if (!rc)
		rc = kube_store_add_handler(options.store, on_change, NULL, &err);
	if (!rc)
		rc = kube_reflector_new(&options, &reflector, &err);
	if (!rc)
		rc = kube_loop_on_signal(session.loop, on_signal, session.loop, &err);
	if (!rc) {
		kube_reflector_start(reflector);
		kube_loop_run(session.loop);
	}
	kube_reflector_free(reflector);
	kube_store_free(options.store);
	kube_session_close(&session);
	if (rc)
		fprintf(stderr, "watch-nodes: %s\n", err.message);
	return rc ? 1 : 0;
}
