/* Nodes with what runs on them: pods, volumes, PodDisruptionBudgets. */
#include "test/unit/plan/world_internal.h"

static void name_object(struct world *world, struct kube_object *object, const char *ns, const char *name)
{
	object->key = ns ? kube_arena_printf(&world->arena, "%s/%s", ns, name) : world_keep(world, name);
	object->namespace_ = ns ? world_keep(world, ns) : "";
	object->name = world_keep(world, name);
	object->uid = kube_arena_printf(&world->arena, "uid-%s-%zu", name, ++world->lost_count);
	object->resource_version = "1";
	object->generation = 1;
	object->created_ms = world->now_ms;
	object->deleted_ms = KUBE_TIME_NONE;
}

/* value NULL takes the key off. */
void world_put(struct world *world, struct kube_strmap *map, const char *key, const char *value)
{
	struct kube_str_pair *pairs = kube_arena_alloc(&world->arena, (map->count + 1) * sizeof(*pairs));
	size_t count = 0;

	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->items[i].key, key) != 0)
			pairs[count++] = map->items[i];
	if (value)
		pairs[count++] = (struct kube_str_pair){world_keep(world, key), world_keep(world, value)};
	*map = (struct kube_strmap){pairs, count};
}

void world_label(struct world *world, struct world_node *node, const char *key, const char *value)
{
	world_put(world, &node->node.labels, key, value);
}

void world_show(struct world_node *node, int info, const char *version)
{
	bool scheme = info == NODE_INFO_CONTAINER_RUNTIME && !strstr(version, "://");
	snprintf(node->info[info], sizeof(node->info[info]), "%s%s", scheme ? "containerd://" : "", version);
	node->node.node_info[info] = node->info[info];
}

struct world_node *world_add_node(struct world *world, const char *name)
{
	struct world_node *node = kube_arena_alloc(&world->arena, sizeof(*node));
	name_object(world, &node->node.object, NULL, name);
	world_label(world, node, "pool", "workers");
	node->node.ready = true;
	node->node.ready_since_ms = world->now_ms - MINUTES(60);
	node->node.boot_id = "boot-1";
	node->node.os = "linux";
	node->later.at_ms = KUBE_TIME_NONE;
	world_show(node, NODE_INFO_CONTAINER_RUNTIME, OLD);
	world_show(node, NODE_INFO_KERNEL, "6.1.8");
	world_show(node, NODE_INFO_KUBELET, "v1.34.0");
	world_show(node, NODE_INFO_OS_IMAGE, "Debian 12");
	world->nodes[world->node_count++] = node;
	return node;
}

void world_add_nodes(struct world *world, int count)
{
	char name[16];
	for (int i = 1; i <= count; i++) {
		snprintf(name, sizeof(name), "n%02d", i);
		world_add_node(world, name);
	}
}

struct world_node *world_node(const struct world *world, const char *name)
{
	for (size_t i = 0; i < world->node_count; i++)
		if (!world->nodes[i]->gone && !strcmp(world->nodes[i]->node.object.name, name))
			return world->nodes[i];
	return NULL;
}

struct world_node *world_node_by_uid(const struct world *world, const char *uid)
{
	for (size_t i = 0; i < world->node_count; i++)
		if (!world->nodes[i]->gone && !strcmp(world->nodes[i]->node.object.uid, uid))
			return world->nodes[i];
	return NULL;
}

void world_set_ready(struct world *world, const char *name, bool ready)
{
	struct world_node *node = world_node(world, name);
	node->node.ready = ready;
	node->node.ready_since_ms = world->now_ms;
}

void world_annotate(struct world *world, const char *name, const char *key, const char *value)
{
	world_put(world, &world_node(world, name)->node.annotations, key, value);
}

void world_hold(struct world *world, const char *name, const char *why)
{
	world_annotate(world, name, PW_ANNOTATION_HOLD, why);
}

bool world_held(const struct world_node *node)
{
	return kube_strmap_get(&node->node.annotations, PW_ANNOTATION_HOLD) != NULL;
}

void world_delete_node(struct world *world, const char *name)
{
	struct world_node *node = world_node(world, name);
	node->gone = true;
	for (size_t i = 0; i < world->pod_count; i++)
		if (!strcmp(world->pods[i]->pod.node_name, name) && !world->pods[i]->pod.job_finalizer)
			world->pods[i]->gone = true;
}

static void set_state_text(struct world *world, struct world_node *node, const char *text)
{
	struct node_state *state = NULL;
	struct kube_err err = {0};

	node->node.state_text = world_keep(world, text);
	node->node.state = NULL;
	if (!text)
		return;
	int rc = node_state_parse(node->node.state_text, &world->arena, &state, &err);
	ck_assert_msg(rc == 0, "a state that cannot be read was written: %s: %s", err.message, text);
	node->node.state = state;
}

void world_set_state(struct world *world, struct world_node *node, const struct node_state *state)
{
	set_state_text(world, node, state ? node_state_format(state, &world->arena) : NULL);
}

struct world_pod *world_add_pod(struct world *world, const char *node, const char *name, const char *app)
{
	struct world_pod *pod = kube_arena_alloc(&world->arena, sizeof(*pod));
	struct kube_str_pair *label = kube_arena_alloc(&world->arena, sizeof(*label));

	name_object(world, &pod->pod.object, "shop", name);
	*label = (struct kube_str_pair){"app", world_keep(world, app)};
	pod->pod.labels = (struct kube_strmap){.items = label, .count = 1};
	pod->pod.node_name = world_keep(world, node);
	pod->pod.phase = POD_RUNNING;
	pod->pod.ready = true;
	pod->pod.owner_kind = "ReplicaSet";
	pod->pod.owner_name = pod->pod.owner_uid = world_keep(world, app);
	pod->pod.status_reason = pod->pod.status_message = pod->pod.exit_message = pod->pod.waiting_reason = "";
	pod->end_ms = KUBE_TIME_NONE;
	world->pods[world->pod_count++] = pod;
	return pod;
}

struct world_volume *world_add_volume(struct world *world, struct world_pod *pod, const char *name)
{
	struct world_volume *volume = &world->volumes[world->volume_count++];

	name_object(world, &volume->volume.object, NULL, name);
	name_object(world, &volume->attachment.object, NULL, kube_arena_printf(&world->arena, "csi-%s", name));
	volume->volume.claim = kube_arena_printf(&world->arena, "shop/%s", name);
	volume->attachment.node_name = pod->pod.node_name;
	volume->attachment.volume = volume->volume.object.name;
	volume->pod = pod;
	pod->claim[0] = volume->volume.object.name;
	pod->pod.claims = pod->claim;
	return volume;
}

struct world_pdb *world_add_pdb(struct world *world, const char *name, const char *app, int64_t allowed)
{
	struct world_pdb *pdb = &world->pdbs[world->pdb_count++];
	struct kube_str_pair *label = kube_arena_alloc(&world->arena, sizeof(*label));

	name_object(world, &pdb->pdb.object, "shop", name);
	*label = (struct kube_str_pair){"app", world_keep(world, app)};
	pdb->pdb.selector.match_labels = (struct kube_strmap){.items = label, .count = 1};
	pdb->pdb.has_selector = true;
	pdb->pdb.disruptions_allowed = allowed;
	for (size_t i = 0; i < world->pod_count; i++)
		pdb->pdb.current_healthy +=
		    world->pods[i]->pod.ready && !strcmp(world->pods[i]->pod.labels.items[0].value, app);
	pdb->pdb.desired_healthy = pdb->pdb.current_healthy - allowed;
	return pdb;
}
