/* Pods with a volume of their own, and what attaches and detaches it: a moment after the pod is gone it is detached. */
#include "test/sim/world.h"

#include <stdlib.h>
#include <string.h>

struct disk {
	struct kube_timer timer;
	struct world *world;
	char name[32]; /* of pod, claim, volume and attachment */
	char node[32];
	bool local, attached, sticks;
};

struct disks {
	struct world *world;
	struct disk items[MAX_NODES];
	size_t count;
};

static void create(struct world *world, const char *target, const char *quoted)
{
	int status = kube_sim_api_do(world->api, "POST", target, NULL, "%s", quoted);
	if (status != 201)
		world_fail(world, "the world is drawn wrongly: POST %s gives %d: %s", target, status, quoted);
}

static void draw_disk(struct world *world, struct disk *disk)
{
	char text[512];

	disk->local = draw_chance(world, 20);
	disk->sticks = draw_chance(world, 10);
	snprintf(text, sizeof(text),
	         "{'apiVersion':'v1','kind':'PersistentVolume','metadata':{'name':'%s'},'spec':{'claimRef':{'namespace':"
	         "'shop','name':'%s'},'%s':{}}}",
	         disk->name, disk->name, disk->local ? "local" : "csi");
	create(world, "/api/v1/persistentvolumes", text);
	snprintf(text, sizeof(text),
	         "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'%s','labels':{'app':'app2'},'ownerReferences':[{"
	         "'apiVersion':'apps/v1','kind':'StatefulSet','name':'set','uid':'set','controller':true}]},'spec':{"
	         "'nodeName':'%s','containers':[],'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'%s'}}]}}",
	         disk->name, disk->node, disk->name);
	create(world, "/api/v1/namespaces/shop/pods", text);
	disk->attached = !disk->local;
	if (!disk->attached)
		return;
	snprintf(
	    text, sizeof(text),
	    "{'apiVersion':'storage.k8s.io/v1','kind':'VolumeAttachment','metadata':{'name':'%s'},'spec':{'attacher':'x',"
	    "'nodeName':'%s','source':{'persistentVolumeName':'%s'}}}",
	    disk->name, disk->node, disk->name);
	create(world, "/apis/storage.k8s.io/v1/volumeattachments", text);
}

void disks_draw(struct disks *disks)
{
	struct world *world = disks->world;
	bool any = draw_chance(world, 25);

	for (size_t i = 1; any && i < world->node_count && disks->count < MAX_NODES; i++) {
		if (!draw_chance(world, 40))
			continue;
		struct disk *disk = &disks->items[disks->count++];
		disk->world = world;
		snprintf(disk->name, sizeof(disk->name), "disk-%zu", i);
		snprintf(disk->node, sizeof(disk->node), "n%02zu", i);
		draw_disk(world, disk);
	}
}

static void detach(struct kube_timer *timer, void *arg)
{
	struct disk *disk = arg;
	char target[128];

	(void)timer;
	snprintf(target, sizeof(target), "/apis/storage.k8s.io/v1/volumeattachments/%s", disk->name);
	disk->attached = false;
	kube_sim_api_call(disk->world->api, "DELETE", target, NULL, NULL, NULL);
}

static void on_changed(void *arg, const struct kube_sim_change *change)
{
	struct disks *disks = arg;

	if (change->resource != &kube_pods || change->new_json)
		return;
	for (size_t i = 0; i < disks->count; i++) {
		struct disk *disk = &disks->items[i];
		if (disk->attached && !disk->sticks && strcmp(disk->name, text_at(change->old_json, "metadata.name")) == 0)
			kube_timer_start(kube_sim_env(disks->world->sim), &disk->timer, draw_between(disks->world, 100, 20000),
			                 detach, disk);
	}
}

const char *disks_left_on(const struct disks *disks, const char *node)
{
	for (size_t i = 0; i < disks->count; i++) {
		const struct disk *disk = &disks->items[i];
		if (disk->attached && strcmp(disk->node, node) == 0 &&
		    !kube_sim_api_get(disks->world->api, &kube_pods, "shop", disk->name))
			return disk->name;
	}
	return NULL;
}

bool disks_are_local(const struct disks *disks, const char *pod)
{
	for (size_t i = 0; i < disks->count; i++)
		if (disks->items[i].local && strcmp(disks->items[i].name, pod) == 0)
			return true;
	return false;
}

struct disks *disks_new(struct world *world)
{
	struct disks *disks = calloc(1, sizeof(*disks));

	disks->world = world;
	kube_sim_api_add_hooks(world->api, &(struct kube_sim_api_hooks){.changed = on_changed, .arg = disks});
	return disks;
}

void disks_free(struct disks *disks)
{
	if (!disks)
		return;
	for (size_t i = 0; i < disks->count; i++)
		kube_timer_stop(kube_sim_env(disks->world->sim), &disks->items[i].timer);
	free(disks);
}
