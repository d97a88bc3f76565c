#include "test/unit/plan/world.h"
#include "test/unit/tzif.h"

/* controller/cmd/snapshot.h has it; its other declarations need the whole controller. */
void plan_assemble(const struct rollout_status *status, const struct revision *const *pages, size_t page_count,
                   struct kube_arena *arena, const struct plan **ret_plan, const char **ret_error);

#define MAX_NODES 4000
#define MAX_PODS 8000

static cJSON *parse(const char *quoted)
{
	char *text = strdup(quoted);
	cJSON *json = NULL;
	struct kube_err err = {0};

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	int rc = kube_json_parse(text, strlen(text), &json, &err);
	ck_assert_msg(rc == 0, "%s: %s", err.message, text);
	free(text);
	return json;
}

/* Lives as long as the world. */
static void *decode(struct world *world, const struct kube_projection *projection, const cJSON *json)
{
	struct kube_object *object = NULL;
	struct kube_err err = {0};
	int rc = kube_object_decode(projection, json, &object, &err);
	ck_assert_msg(rc == 0, "%s", err.message);
	struct world_kept *kept = kube_arena_alloc(&world->arena, sizeof(*kept));
	*kept = (struct world_kept){object, world->kept};
	world->kept = kept;
	return object;
}

static const char *keep(struct world *world, const char *text)
{
	return text ? kube_arena_strdup(&world->arena, text) : NULL;
}

/* ---- making it ---- */

void world_set_policy(struct world *world, const char *spec, bool suspend)
{
	char *head = kube_arena_printf(
	    &world->arena,
	    "{'metadata':{'name':'pool','uid':'policy-uid','generation':%lld,'annotations':{%s%s%s}},"
	    "'spec':{'suspend':%s,%s},'status':{'observedGeneration':-1}}",
	    (long long)(world->generation ? world->generation : 1), world->author ? "'patchwright.io/author':'" : "",
	    world->author ? world->author : "", world->author ? "'" : "", suspend ? "true" : "false", spec);
	_cleanup_json_ cJSON *json = parse(head);

	world->policy = decode(world, &policy_projection, json);
}

void world_init(struct world *world, const char *spec)
{
	struct kube_arena texts = world->arena; /* a test may have put its texts there already */

	*world = (struct world){.arena = texts,
	                        .now_ms = START_MS,
	                        .server_version = "v1.34.4",
	                        .cut = -1,
	                        .epoch = 1,
	                        .look_again_ms = KUBE_TIME_NONE,
	                        .pod_grace_ms = 2000,
	                        .pod_start_ms = 3000};
	world->arena.limit_bytes = (size_t)1 << 30;
	kube_arena_init(&world->pass, (size_t)1 << 30);
	world->zone_entries[0] = (struct zone_entry){.name = "Etc/UTC", .zone = zone_utc()};
	world->zone_entries[1] =
	    (struct zone_entry){.name = "Europe/Berlin", .zone = zone_of_rule("CET-1CEST,M3.5.0,M10.5.0/3", &world->arena)};
	world->zones = (struct zone_list){.items = world->zone_entries, .count = KUBE_ARRAY_LEN(world->zone_entries)};
	world->nodes = kube_arena_alloc(&world->arena, MAX_NODES * sizeof(*world->nodes));
	world->pods = kube_arena_alloc(&world->arena, MAX_PODS * sizeof(*world->pods));
	if (spec)
		world_set_policy(world, spec, false);
}

void world_finish(struct world *world)
{
	for (size_t i = 0; i < world->rollout_count; i++)
		cJSON_Delete(world->rollouts[i].json);
	for (struct world_kept *kept = world->kept; kept; kept = kept->next)
		kube_object_unref(kept->object);
	kube_arena_finish(&world->pass);
	kube_arena_finish(&world->arena);
}

const char *policy_spec(struct world *world, int patches, bool rollback, const char *strategy, const char *drain)
{
	const char *job = "{'image':'x','timeout':'1m'}";
	const char *back = rollback ? ",'rollback':{'image':'y','timeout':'1m'}" : "";
	const char *second =
	    patches < 2
	        ? ""
	        : kube_arena_printf(&world->arena, ",{'component':'Kernel','version':'6.1.9','job':%s%s}", job, back);
	return kube_arena_printf(&world->arena,
	                         "'target':{'type':'Nodes','nodes':{'selector':{'matchLabels':{'pool':'workers'}}}},"
	                         "'patches':[{'component':'ContainerRuntime','version':'" NEW "','job':%s%s}%s],"
	                         "'strategy':{%s},'drain':{%s}",
	                         job, back, second, strategy ? strategy : "", drain ? drain : "");
}

static void name_object(struct world *world, struct kube_object *object, const char *ns, const char *name)
{
	object->key = ns ? kube_arena_printf(&world->arena, "%s/%s", ns, name) : keep(world, name);
	object->namespace_ = ns ? keep(world, ns) : "";
	object->name = keep(world, name);
	object->uid = kube_arena_printf(&world->arena, "uid-%s-%zu", name, ++world->lost_count);
	object->resource_version = "1";
	object->generation = 1;
	object->created_ms = world->now_ms;
	object->deleted_ms = KUBE_TIME_NONE;
}

/* value NULL takes the key off. */
static void put(struct world *world, struct kube_strmap *map, const char *key, const char *value)
{
	struct kube_str_pair *pairs = kube_arena_alloc(&world->arena, (map->count + 1) * sizeof(*pairs));
	size_t count = 0;

	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->items[i].key, key) != 0)
			pairs[count++] = map->items[i];
	if (value)
		pairs[count++] = (struct kube_str_pair){keep(world, key), keep(world, value)};
	*map = (struct kube_strmap){pairs, count};
}

void world_label(struct world *world, struct world_node *node, const char *key, const char *value)
{
	put(world, &node->node.labels, key, value);
}

static void show(struct world_node *node, int info, const char *version)
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
	show(node, NODE_INFO_CONTAINER_RUNTIME, OLD);
	show(node, NODE_INFO_KERNEL, "6.1.8");
	show(node, NODE_INFO_KUBELET, "v1.34.0");
	show(node, NODE_INFO_OS_IMAGE, "Debian 12");
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

static struct world_node *node_by_uid(const struct world *world, const char *uid)
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
	put(world, &world_node(world, name)->node.annotations, key, value);
}

void world_hold(struct world *world, const char *name, const char *why)
{
	world_annotate(world, name, PW_ANNOTATION_HOLD, why);
}

static bool held(const struct world_node *node)
{
	return kube_strmap_get(&node->node.annotations, PW_ANNOTATION_HOLD) != NULL;
}

struct world_pod *world_add_pod(struct world *world, const char *node, const char *name, const char *app)
{
	struct world_pod *pod = kube_arena_alloc(&world->arena, sizeof(*pod));
	struct kube_str_pair *label = kube_arena_alloc(&world->arena, sizeof(*label));

	name_object(world, &pod->pod.object, "shop", name);
	*label = (struct kube_str_pair){"app", keep(world, app)};
	pod->pod.labels = (struct kube_strmap){.items = label, .count = 1};
	pod->pod.node_name = keep(world, node);
	pod->pod.phase = POD_RUNNING;
	pod->pod.ready = true;
	pod->pod.owner_kind = "ReplicaSet";
	pod->pod.owner_name = pod->pod.owner_uid = keep(world, app);
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
	*label = (struct kube_str_pair){"app", keep(world, app)};
	pdb->pdb.selector.match_labels = (struct kube_strmap){.items = label, .count = 1};
	pdb->pdb.has_selector = true;
	pdb->pdb.disruptions_allowed = allowed;
	for (size_t i = 0; i < world->pod_count; i++)
		pdb->pdb.current_healthy +=
		    world->pods[i]->pod.ready && !strcmp(world->pods[i]->pod.labels.items[0].value, app);
	pdb->pdb.desired_healthy = pdb->pdb.current_healthy - allowed;
	return pdb;
}

/* ---- rollouts are decoded from what the API server would store ---- */

static void refresh(struct world *world, struct world_rollout *rollout)
{
	rollout->rollout = decode(world, &rollout_projection, rollout->json);
}

struct world_rollout *world_add_rollout(struct world *world, const char *name)
{
	char created[KUBE_TIME_TEXT_SIZE];
	struct world_rollout *rollout = &world->rollouts[world->rollout_count++];
	char *text = kube_arena_printf(
	    &world->arena,
	    "{'metadata':{'name':'%s','uid':'%08zx-rollout','generation':1,'creationTimestamp':'%s','resourceVersion':'1',"
	    "'ownerReferences':[{'apiVersion':'patchwright.io/v1alpha1','kind':'PatchPolicy','name':'pool','uid':"
	    "'policy-uid','controller':true}]},'spec':{'policyRef':{'name':'pool'}},'status':{'observedGeneration':-1}}",
	    name, ++world->lost_count, kube_time_format(world->now_ms, created));

	*rollout = (struct world_rollout){.json = parse(text)};
	refresh(world, rollout);
	return rollout;
}

void world_approve(struct world *world, const struct world_rollout *rollout, const char *user, const char *wave)
{
	const struct rollout *of = rollout->rollout;
	char created[KUBE_TIME_TEXT_SIZE];
	_cleanup_json_ cJSON *json = parse(kube_arena_printf(
	    &world->arena,
	    "{'metadata':{'name':'a%zu','uid':'a%zu','creationTimestamp':'%s'},'spec':{'rolloutRef':{'name':"
	    "'%s','uid':'%s'},'planHash':'%s','user':'%s','wave':'%s'}}",
	    world->approval_count, world->approval_count, kube_time_format(world->now_ms, created), of->object.name,
	    of->object.uid, of->status.plan_hash, user, wave));

	ck_assert_uint_lt(world->approval_count, KUBE_ARRAY_LEN(world->approvals));
	world->approvals[world->approval_count++] = decode(world, &approval_projection, json);
}

static void set_path(cJSON *json, const char *path, cJSON *value)
{
	size_t len = strcspn(path, ".");
	char *name = strndup(path, len);

	if (path[len]) {
		cJSON *next = cJSON_GetObjectItemCaseSensitive(json, name);
		set_path(next ? next : cJSON_AddObjectToObject(json, name), path + len + 1, value);
	} else {
		cJSON_DeleteItemFromObjectCaseSensitive(json, name);
		if (value)
			cJSON_AddItemToObject(json, name, value);
	}
	free(name);
}

void world_set_rollout(struct world *world, struct world_rollout *rollout, const char *path, const char *value)
{
	set_path(rollout->json, path, value ? parse(value) : NULL);
	refresh(world, rollout);
}

static void drop_rollout(struct world_rollout *rollout)
{
	rollout->gone = true;
}

void world_delete_rollout(struct world *world, struct world_rollout *rollout)
{
	char at[KUBE_TIME_TEXT_SIZE];
	if (!rollout->rollout->finalizer) {
		drop_rollout(rollout);
		return;
	}
	world_set_rollout(world, rollout, "metadata.deletionTimestamp",
	                  kube_arena_printf(&world->arena, "'%s'", kube_time_format(world->now_ms, at)));
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

	node->node.state_text = keep(world, text);
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

static int64_t sooner(int64_t a, int64_t b)
{
	return a == KUBE_TIME_NONE || (b != KUBE_TIME_NONE && b < a) ? b : a;
}

/* ---- the snapshot ---- */

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct pod_view *)a)->pod->object.key, ((const struct pod_view *)b)->pod->object.key);
}

static struct pod_view view_of(const struct world_pod *pod)
{
	return (struct pod_view){
	    .pod = &pod->pod, .busy = pod->busy > 0, .orphan = pod->orphan, .fact = pod->fact.kind ? &pod->fact : NULL};
}

static const struct volume *const *volumes_of(struct world *world, const struct world_pod *pod)
{
	const struct volume **volumes = plan_alloc(&world->pass, sizeof(struct volume *));
	for (size_t i = 0; i < world->volume_count; i++)
		if (world->volumes[i].pod == pod)
			*volumes = &world->volumes[i].volume;
	return volumes;
}

static void fill_attachments(struct world *world, struct target_view *view)
{
	struct attachment_view *attachments = plan_alloc(&world->pass, world->volume_count * sizeof(*attachments));
	for (size_t i = 0; i < world->volume_count; i++) {
		const struct world_volume *volume = &world->volumes[i];
		if (!strcmp(volume->attachment.node_name, view->target->node) && (volume->sticks || !volume->pod->gone))
			attachments[view->attachment_count++] = (struct attachment_view){&volume->attachment, &volume->volume};
	}
	view->attachments = attachments;
}

static bool job_of(const struct world_pod *pod, const struct rollout *rollout)
{
	return !pod->gone && pod->pod.job_step && !strcmp(pod->pod.rollout_hash, rollout->hash);
}

/* What the cache has shown and shows no more is gone. */
static const struct job_fact *seen_fact(struct world *world, struct world_node *node)
{
	for (size_t i = 0; i < world->pod_count; i++)
		if (world->pods[i]->gone && !world->pods[i]->hidden &&
		    !strcmp(world->pods[i]->pod.object.name, node->fact.name))
			node->fact.existed = node->fact.absent = true;
	return &node->fact;
}

/* As controller/cmd/snapshot.c fills it. */
static void fill_target(struct world *world, const struct rollout *rollout, struct target_view *view)
{
	struct world_node *node = node_by_uid(world, view->target->node_uid);
	if (!node)
		return;
	struct pod_view *pods = plan_alloc(&world->pass, world->pod_count * sizeof(*pods));
	struct pod_view *jobs = plan_alloc(&world->pass, world->pod_count * sizeof(*jobs));
	const struct pod **bound = plan_alloc(&world->pass, world->pod_count * sizeof(*bound));
	bool concerns = node->node.state && !strcmp(node->node.state->rollout_uid, rollout->object.uid);

	concerns = concerns || (node->node.unschedulable && !node->node.state);
	for (size_t i = 0; i < world->pod_count; i++)
		if (!world->pods[i]->gone && pod_upgrade_index(&world->pods[i]->pod.object) &&
		    !strcmp(pod_upgrade_index(&world->pods[i]->pod.object), node->node.object.name))
			view->upgrade_pod = &world->pods[i]->pod;

	view->node = &node->node;
	view->busy = node->busy > 0;
	for (size_t i = 0; i < rollout->status.active.count; i++)
		concerns = concerns || !strcmp(rollout->status.active.items[i].node_uid, view->target->node_uid);
	for (size_t i = 0; i < world->pod_count; i++) {
		const struct world_pod *pod = world->pods[i];
		if (job_of(pod, rollout) && !pod->hidden && !strcmp(pod->pod.job_node_uid, view->target->node_uid))
			jobs[view->job_count++] = view_of(pod);
		if (!concerns || pod->gone || pod->hidden || strcmp(pod->pod.node_name, view->target->node) != 0)
			continue;
		if (pod->pod.job_step)
			bound[view->bound_job_count++] = &pod->pod;
		else
			pods[view->pod_count++] = view_of(pod);
		if (pod->pod.claims)
			pods[view->pod_count - 1].volumes = volumes_of(world, pod);
	}
	fill_attachments(world, view);
	qsort(pods, view->pod_count, sizeof(*pods), by_key);
	view->pods = pods;
	view->jobs = jobs;
	view->bound_jobs = bound;
	if (concerns && node->fact.name)
		view->job_fact = seen_fact(world, node);
}

static void fill_targets(struct world *world, const struct rollout *rollout, struct rollout_snapshot *s)
{
	size_t count = s->plan ? s->plan->target_count : 0;
	struct target_view *targets = plan_alloc(&world->pass, count * sizeof(*targets));
	struct pod_view *strays = plan_alloc(&world->pass, world->pod_count * sizeof(*strays));

	for (size_t i = 0; i < count; i++) {
		targets[i].target = s->plan->targets[i];
		fill_target(world, rollout, &targets[i]);
	}
	for (size_t i = 0; i < world->pod_count; i++) {
		bool taken = false;
		for (size_t k = 0; k < count && job_of(world->pods[i], rollout); k++)
			taken =
			    taken || (targets[k].node && !strcmp(targets[k].target->node_uid, world->pods[i]->pod.job_node_uid));
		if (job_of(world->pods[i], rollout) && !taken)
			strays[s->stray_job_count++] = view_of(world->pods[i]);
	}
	s->targets = targets;
	s->target_count = count;
	s->stray_jobs = strays;
}

static struct node_load load_of(struct world *world, const char *node)
{
	const struct pod **pods = plan_alloc(&world->pass, world->pod_count * sizeof(*pods));
	size_t count = 0;

	for (size_t i = 0; i < world->pod_count; i++)
		if (!world->pods[i]->gone && !strcmp(world->pods[i]->pod.node_name, node))
			pods[count++] = &world->pods[i]->pod;
	return (struct node_load){.pods = pods, .count = count};
}

static void fill_loads(struct world *world, struct rollout_snapshot *s)
{
	struct node_load *loads = plan_alloc(&world->pass, s->node_count * sizeof(*loads));

	if (!world->policy || !world->policy->rules.drain.require_capacity)
		return;
	for (size_t i = 0; i < s->node_count; i++)
		loads[i] = load_of(world, s->nodes[i]->object.name);
	s->loads = loads;
	s->unscheduled = load_of(world, "");
}

static void fill_nodes(struct world *world, struct rollout_snapshot *s)
{
	const struct node **nodes = plan_alloc(&world->pass, world->node_count * sizeof(*nodes));
	size_t *counts = plan_alloc(&world->pass, world->node_count * sizeof(*counts));

	for (size_t i = 0; i < world->node_count; i++) {
		if (world->nodes[i]->gone)
			continue;
		nodes[s->node_count] = &world->nodes[i]->node;
		for (size_t p = 0; p < world->pod_count; p++)
			counts[s->node_count] +=
			    !world->pods[p]->gone && !strcmp(world->pods[p]->pod.node_name, world->nodes[i]->node.object.name);
		s->node_count++;
	}
	s->nodes = nodes;
	s->pods_per_node = counts;
	fill_loads(world, s);
}

static void fill_pages(struct world *world, const struct rollout *rollout, struct rollout_snapshot *s)
{
	const struct revision **ledger = plan_alloc(&world->pass, world->revision_count * sizeof(*ledger));
	const struct revision **pages = plan_alloc(&world->pass, world->revision_count * sizeof(*pages));
	const char **names = plan_alloc(&world->pass, world->revision_count * sizeof(*names));

	for (size_t i = 0; i < world->revision_count; i++) {
		const struct revision *revision = world->revisions[i];
		if (strcmp(revision->rollout_uid, rollout->object.uid) != 0)
			continue;
		pages[s->page_count] = revision;
		names[s->page_count++] = revision->object.name;
		if (revision->ledger)
			ledger[s->ledger_count++] = revision;
	}
	s->page_names = names;
	s->ledger = ledger;
	plan_assemble(&rollout->status, pages, s->page_count, &world->pass, &s->plan, &s->plan_error);
}

/* Of its plan, and still there. */
static struct node_list planned_nodes(struct world *world, const struct rollout *rollout)
{
	const struct node **nodes = plan_alloc(&world->pass, world->node_count * sizeof(*nodes));
	size_t count = 0;

	for (size_t r = 0; r < world->revision_count; r++) {
		const struct revision *page = world->revisions[r];
		bool is_plan = !page->ledger && !strcmp(page->rollout_uid, rollout->object.uid);
		for (size_t i = 0; is_plan && i < page->targets.count; i++) {
			struct world_node *node = node_by_uid(world, page->targets.items[i].node_uid);
			if (node)
				nodes[count++] = &node->node;
		}
	}
	return (struct node_list){nodes, count};
}

static void fill_others(struct world *world, const struct world_rollout *self, struct rollout_snapshot *s)
{
	const struct rollout **others = plan_alloc(&world->pass, world->rollout_count * sizeof(*others));
	struct node_list *planned = plan_alloc(&world->pass, world->rollout_count * sizeof(*planned));

	for (size_t i = 0; i < world->rollout_count; i++) {
		const struct world_rollout *other = &world->rollouts[i];
		if (other == self || other->gone)
			continue;
		if (!rollout_done(other->rollout))
			planned[s->other_count] = planned_nodes(world, other->rollout);
		s->others_planning |= other->busy > 0 && !other->rollout->status.plan_hash;
		others[s->other_count++] = other->rollout;
	}
	s->rollouts = others;
	s->planned_nodes = planned;
}

static void take_snapshot(struct world *world, const struct world_rollout *self)
{
	struct rollout_snapshot *s = &world->snapshot;
	const char **reports = plan_alloc(&world->pass, world->report_count * sizeof(*reports));
	const struct pdb **pdbs = plan_alloc(&world->pass, sizeof(world->pdbs));

	*s = (struct rollout_snapshot){.now_ms = world->now_ms,
	                               .server_version = world->server_version,
	                               .zones = world->zones,
	                               .rollout = self->rollout,
	                               .rollout_busy = self->busy > 0,
	                               .policy = world->policy,
	                               .policies = world->policies,
	                               .policy_count = world->policy_count,
	                               .policy_replaced = world->policy_replaced,
	                               .epoch = world->epoch,
	                               .lockers = world->lockers,
	                               .locker_count = world->locker_count,
	                               .max_unavailable_total = world->max_unavailable_total,
	                               .gate_facts = world->gate_facts,
	                               .self = world->self,
	                               .report_names = reports,
	                               .pdbs = pdbs,
	                               .pdb_count = world->pdb_count};
	for (size_t i = 0; i < world->pdb_count; i++)
		pdbs[i] = &world->pdbs[i].pdb;
	s->approvals = world->approvals;
	s->approval_count = world->approval_count;
	s->approval_guard = world->guard;
	s->emergency_guard = world->emergency_guard;
	s->author_guard = world->author_guard;
	fill_others(world, self, s);
	for (size_t i = 0; i < world->report_count; i++)
		reports[s->report_count++] = world->reports[i].name;
	fill_nodes(world, s);
	fill_pages(world, self->rollout, s);
	fill_targets(world, self->rollout, s);
}

void world_plan(struct world *world, struct world_rollout *rollout)
{
	kube_arena_finish(&world->pass);
	kube_arena_init(&world->pass, (size_t)1 << 30);
	take_snapshot(world, rollout);
	plan_rollout(&world->snapshot, &world->pass, &world->result);
	if (world->snapshot.rollout_busy)
		ck_assert_msg(world->result.actions.count == 0 && !world->result.write_status,
		              "something is done about a rollout whose own last write is not visible");
}

/* ---- effects, and what must hold at each ---- */

static bool in_active(const struct rollout *rollout, const char *uid)
{
	for (size_t i = 0; i < rollout->status.active.count; i++)
		if (!strcmp(rollout->status.active.items[i].node_uid, uid))
			return true;
	return false;
}

/* By whom it may be touched: while the record of this rollout stands on a node, others wait. */
static bool granted_anywhere(const struct world *world, const struct node *node)
{
	const char *uid = node->object.uid;
	if (node->state && step_ended((enum step)node->state->step) &&
	    !strcmp(node->state->rollout_uid, world->snapshot.rollout->object.uid))
		return false;
	for (size_t i = 0; i < world->rollout_count; i++)
		if (!world->rollouts[i].gone && in_active(world->rollouts[i].rollout, uid))
			return true;
	return false;
}

/* Invariant 1: a node that was available is only taken within the budget. */
static void check_budget(const struct world *world, const struct target *target)
{
	const struct rules *rules = world->snapshot.plan->rules;
	const struct wave_spec *wave = &rules->waves.items[target->wave];
	int64_t nodes = 0, unavailable = 0;

	for (size_t i = 0; i < world->node_count; i++) {
		const struct node *node = &world->nodes[i]->node;
		if (world->nodes[i]->gone ||
		    (!node_selected(node, rules) && !in_active(world->snapshot.rollout, node->object.uid)))
			continue;
		nodes++;
		unavailable += !node->ready || node->unschedulable || granted_anywhere(world, node);
	}
	const struct kube_intstr *limit = wave->max_unavailable.set ? &wave->max_unavailable : &rules->max_unavailable;
	int64_t allowed = limit->percent ? nodes * limit->value / 100 : limit->value;
	ck_assert_msg(unavailable <= (allowed < 1 ? 1 : allowed), "%s was cordoned: %lld of %lld are unavailable, %lld may",
	              target->node, (long long)unavailable, (long long)nodes, (long long)allowed);
}

static const struct target *target_of(const struct world *world, const char *uid)
{
	for (size_t i = 0; i < world->snapshot.target_count; i++)
		if (!strcmp(world->snapshot.targets[i].target->node_uid, uid))
			return world->snapshot.targets[i].target;
	return NULL;
}

/* Invariant 6. */
static void check_waves(const struct world *world, const struct target *target)
{
	const struct rollout_status *status = &world->snapshot.rollout->status;
	for (int64_t w = 0; w < target->wave; w++)
		ck_assert_msg((size_t)w < status->waves.count && status->waves.items[w].state == WAVE_PASSED,
		              "%s was started before wave %lld had passed", target->node, (long long)w);
}

static const struct world_report *report_of(const struct world *world, const struct rollout *rollout, size_t page)
{
	char name[200];
	snprintf(name, sizeof(name), "%s-%.8s-%zu", rollout->object.name, rollout->object.uid, page);
	for (size_t i = 0; i < world->report_count; i++)
		if (!strcmp(world->reports[i].name, name))
			return &world->reports[i];
	return NULL;
}

/* Each page of the report that there will be is known to exist: it is written from what stands on the nodes. */
static void check_reported(const struct world *world)
{
	size_t pages = (world->snapshot.target_count + 249) / 250, seen = 0;
	for (size_t page = 1; page <= pages; page++) {
		const struct world_report *report = report_of(world, world->snapshot.rollout, page);
		for (size_t i = 0; report && i < world->snapshot.report_count; i++)
			seen += !strcmp(world->snapshot.report_names[i], report->name);
	}
	ck_assert_msg(seen >= pages, "a state was removed before all %zu pages of the report existed", pages);
}

/* As controller/act/node_patch.c does it. */
static void write_held(struct world *world, const struct node_write *write, struct node *node)
{
	for (size_t i = 0; i < HELD_COUNT; i++) {
		const char *before = node_state_held(node->state, i), *after = node_state_held(write->state, i);
		const char *now = kube_strmap_get(&node->annotations, held_annotations[i]);
		if (!before && write->claim)
			before = node_state_held_last(write->state, i);
		if (write->claim && after)
			put(world, &node->annotations, held_annotations[i], HELD_VALUE);
		else if (before && !after && now && !strcmp(now, HELD_VALUE))
			put(world, &node->annotations, held_annotations[i], strcmp(before, HELD_ABSENT) != 0 ? before + 1 : NULL);
	}
}

static void patch_node(struct world *world, const struct node_write *write)
{
	struct world_node *node = node_by_uid(world, write->node->object.uid);
	const struct rollout *rollout = world->snapshot.rollout;
	bool ended = rollout->status.outcome != OUTCOME_NONE || !world->snapshot.plan;

	ck_assert_ptr_nonnull(node);
	ck_assert_msg(node->busy == 0, "a busy node was written");
	ck_assert_msg(!held(node) || (!write->state && step_ended((enum step)node->node.state->step)),
	              "%s is held, and was written", node->node.object.name);
	ck_assert_msg(ended || in_active(rollout, node->node.object.uid), "%s was touched without a grant",
	              node->node.object.name);
	if (write->claim) {
		const struct target *target = target_of(world, node->node.object.uid);
		world->claims++;
		check_waves(world, target);
		if (!node->node.unschedulable)
			check_budget(world, target);
	}
	if (!write->state && world->snapshot.plan && rollout->status.outcome != OUTCOME_NONE)
		check_reported(world);
	write_held(world, write, &node->node);
	world_set_state(world, node, write->state);
	if (write->applied)
		put(world, &node->node.annotations, write->applied->observed.annotation, write->applied->version);
	if (write->cordon != CHANGE_NONE)
		node->node.unschedulable = write->cordon == CHANGE_ON;
	if (write->quarantine != CHANGE_NONE)
		node->node.quarantined = write->quarantine == CHANGE_ON;
	ck_assert_msg(!node->cordoned_before || node->node.unschedulable, "%s was cordoned before us, and is not any more",
	              node->node.object.name);
	node->busy = world->lag ? world->lag + 2 : 0; /* longer than the rollout: the caches are not one */
	world->writes++;
}

static struct world_pod *find_pod(const struct world *world, const struct pod *pod)
{
	for (size_t i = 0; i < world->pod_count; i++)
		if (&world->pods[i]->pod == pod)
			return world->pods[i];
	ck_abort_msg("no such pod");
	return NULL;
}

static void take_from_budgets(struct world *world, const struct pod *pod)
{
	size_t found = 0;
	for (size_t i = 0; i < world->pdb_count; i++) {
		struct pdb *pdb = &world->pdbs[i].pdb;
		if (!kube_selector_matches(&pdb->selector, &pod->labels) || pod->phase != POD_RUNNING)
			continue;
		ck_assert_msg(++found == 1, "the Eviction API refuses a pod of two budgets");
		if (!pod->ready)
			continue;
		ck_assert_msg(pdb->disruptions_allowed > 0, "pod %s is protected by %s", pod->object.key, pdb->object.name);
		pdb->disruptions_allowed--;
		pdb->current_healthy--;
		ck_assert(world->pdbs[i].back_count < KUBE_ARRAY_LEN(world->pdbs[i].back_ms));
		world->pdbs[i].back_ms[world->pdbs[i].back_count++] = world->now_ms + world->pod_grace_ms + world->pod_start_ms;
	}
}

static void end_pod(struct world *world, const struct pod *pod)
{
	struct world_pod *own = find_pod(world, pod);
	const struct world_node *node = world_node(world, pod->node_name);

	ck_assert_msg(own->busy == 0 && !own->gone, "pod %s is busy or gone", pod->object.key);
	ck_assert_msg(!held(node), "pod %s is evicted from a node that is held", pod->object.key);
	ck_assert_msg(node->node.unschedulable, "%s is drained without a cordon", pod->node_name);
	ck_assert_msg(in_active(world->snapshot.rollout, node->node.object.uid), "drained without a grant");
	own->pod.object.deleted_ms = world->now_ms;
	if (!own->stays)
		own->end_ms = world->now_ms + world->pod_grace_ms;
	own->busy = world->lag;
	if (pod != world->self)
		return;
	for (size_t i = 0; i < world->pod_count; i++)
		ck_assert_msg(world->pods[i] == own || world->pods[i]->gone ||
		                  strcmp(world->pods[i]->pod.node_name, pod->node_name) != 0,
		              "our own pod goes before %s", world->pods[i]->pod.object.key);
	world->self = NULL;
}

static void evict(struct world *world, const struct pod *pod)
{
	end_pod(world, pod);
	take_from_budgets(world, pod);
	world->evictions++;
}

/* No budget is asked: the decision for that stands in the status, with the grant. */
static void delete_pod(struct world *world, const struct pod *pod)
{
	const struct rollout_status *status = &world->snapshot.rollout->status;
	const struct active *active = NULL;

	for (size_t i = 0; i < status->active.count; i++)
		if (!strcmp(status->active.items[i].node, pod->node_name))
			active = &status->active.items[i];
	ck_assert_msg(active && active->forced, "pod %s is deleted, and that was not decided", pod->object.key);
	end_pod(world, pod);
	world->deletions++;
}

static enum host host_of(const struct world *world, const struct world_pod *job)
{
	const struct world_node *node = node_by_uid(world, job->pod.job_node_uid);
	return !node ? HOST_DEAD : job->rollback ? node->rollback_host : node->host;
}

/* What is known of this job pod; of another one on the node nothing any more. */
static struct job_fact *node_fact(struct world *world, const char *node_uid, const char *name)
{
	struct world_node *node = node_by_uid(world, node_uid);

	if (!node->fact.name || strcmp(node->fact.name, name) != 0)
		node->fact = (struct job_fact){.name = keep(world, name), .read_ms = KUBE_TIME_NONE};
	return &node->fact;
}

static void create_job(struct world *world, const struct job_create *create)
{
	for (size_t i = 0; i < world->job_name_count; i++)
		ck_assert_msg(strcmp(world->job_names[i], create->name) != 0, "job pod %s was made twice", create->name);
	world->job_names[world->job_name_count++] = keep(world, create->name);
	const struct world_node *node = node_by_uid(world, create->node_uid);
	ck_assert_msg(in_active(world->snapshot.rollout, create->node_uid), "a job without a grant");
	ck_assert_msg(!held(node), "a job on a node that is held");
	ck_assert_msg(node->node.state && !strcmp(node->node.state->rollout_uid, create->rollout->object.uid),
	              "a job on a node that does not carry the rollout's state");
	for (size_t i = 0; i < world->pod_count; i++)
		ck_assert_msg(world->pods[i]->gone || !world->pods[i]->pod.job_step || world->pods[i]->ended ||
		                  strcmp(world->pods[i]->pod.job_node_uid, create->node_uid) != 0 ||
		                  host_of(world, world->pods[i]) == HOST_DEAD,
		              "two jobs run on %s at once", create->node);

	struct world_pod *pod = world_add_pod(world, create->node, create->name, "job");
	pod->pod.owner_kind = "";
	pod->pod.job_step = keep(world, create->step);
	pod->pod.rollout_hash = keep(world, create->rollout->hash);
	pod->pod.job_node_uid = keep(world, create->node_uid);
	pod->pod.job_finalizer = true;
	pod->rollback = !strcmp(create->step, "rollback");
	pod->attempt = create->attempt;
	pod->from = keep(world, create->from_version);
	struct patch *patch = kube_arena_alloc(&world->arena, sizeof(*patch));
	*patch = *create->patch;
	patch->version = keep(world, patch->version);
	pod->patch = patch;
	switch (host_of(world, pod)) {
	case HOST_DEAD:
		pod->pod.phase = POD_PENDING;
		pod->pod.waiting_reason = "ContainerCreating";
		break;
	case HOST_HANGS: pod->end_ms = world->now_ms + create->job->timeout_ms; break;
	default: pod->end_ms = world->now_ms + JOB_MS;
	}
	pod->busy = world->lag;
	node_fact(world, create->node_uid, create->name)->existed = true;
}

/* The server's own answer, at once; not more often than it is asked for. False: it is too early. */
static bool read_job(struct world *world, const struct job_read *read)
{
	struct job_fact *fact = node_fact(world, read->node_uid, read->name);

	if (fact->read_ms != KUBE_TIME_NONE && world->now_ms < fact->read_ms + JOB_READ_MS) {
		world->look_again_ms = sooner(world->look_again_ms, fact->read_ms + JOB_READ_MS);
		return false;
	}
	fact->pod = NULL;
	for (size_t i = 0; i < world->pod_count; i++)
		if (!world->pods[i]->gone && !strcmp(world->pods[i]->pod.object.name, read->name))
			fact->pod = &world->pods[i]->pod;
	fact->existed |= fact->pod != NULL;
	fact->absent = !fact->pod;
	fact->read_ms = world->now_ms;
	world->reads++;
	return true;
}

/* A deletion is graceful: the kubelet ends the containers first. */
static bool vanishes(const struct world_pod *job)
{
	return job->pod.object.deleted_ms != KUBE_TIME_NONE && !job->pod.job_finalizer && job->end_ms == KUBE_TIME_NONE;
}

static void release_job(struct world *world, const struct pod *pod)
{
	struct world_pod *own = find_pod(world, pod);
	ck_assert_msg(own->busy == 0, "a busy job pod was written");
	ck_assert_msg(own->pod.job_finalizer, "a finalizer that is not there was taken off");
	own->pod.job_finalizer = false;
	own->gone = vanishes(own);
	own->busy = world->lag;
}

static void delete_jobs(struct world *world, const char *hash)
{
	for (size_t i = 0; i < world->pod_count; i++) {
		struct world_pod *pod = world->pods[i];
		if (pod->gone || !pod->pod.job_step || strcmp(pod->pod.rollout_hash, hash) != 0)
			continue;
		pod->pod.object.deleted_ms = world->now_ms;
		pod->gone = vanishes(pod);
	}
}

static void add_revision(struct world *world, const struct rollout *rollout, const char *name, bool ledger,
                         int64_t number, cJSON *data)
{
	_cleanup_json_ cJSON *json = parse(kube_arena_printf(
	    &world->arena,
	    "{'metadata':{'name':'%s','namespace':'patchwright-system','uid':'%s-uid','labels':{'patchwright.io/rollout':"
	    "'%s','patchwright.io/page':'%s'},'ownerReferences':[{'apiVersion':'patchwright.io/v1alpha1','kind':"
	    "'PatchRollout','name':'%s','uid':'%s','controller':true}]},'revision':%lld}",
	    name, name, rollout->object.name, ledger ? "ledger" : "plan", rollout->object.name, rollout->object.uid,
	    (long long)number));

	ck_assert_ptr_nonnull(data);
	cJSON_AddItemToObject(json, "data", data);
	for (size_t i = 0; i < world->revision_count; i++)
		ck_assert_msg(strcmp(world->revisions[i]->object.name, name) != 0, "revision %s was made twice", name);
	struct revision *revision = decode(world, &revision_projection, json);
	ck_assert_msg(!revision->data_error, "%s: %s", name, revision->data_error);
	world->revisions[world->revision_count++] = revision;
}

static void create_revision(struct world *world, const struct action *action)
{
	cJSON *data = cJSON_Parse(action->create_revision.data);
	add_revision(world, action->create_revision.rollout, action->create_revision.name, action->create_revision.ledger,
	             action->create_revision.number, data);
}

static void finalize(struct world *world, struct world_rollout *rollout, bool on)
{
	world_set_rollout(world, rollout, "metadata.finalizers", on ? "['patchwright.io/rollout']" : NULL);
	if (!on && rollout->rollout->object.deleted_ms != KUBE_TIME_NONE)
		drop_rollout(rollout);
	rollout->busy = world->lag;
}

static void create_report(struct world *world, const struct report_page *page)
{
	for (size_t i = 0; i < world->report_count; i++)
		ck_assert_msg(strcmp(world->reports[i].name, page->name) != 0, "report %s was made twice", page->name);
	for (size_t i = 0; i < page->target_count; i++)
		ck_assert_ptr_nonnull(page->targets[i].wave);
	world->reports[world->report_count++] = (struct world_report){.name = keep(world, page->name),
	                                                              .outcome = page->outcome,
	                                                              .targets = page->target_count,
	                                                              .decisions = page->decision_count};
	struct world_report *report = &world->reports[world->report_count - 1];
	for (size_t i = 0; i < page->target_count && i < KUBE_ARRAY_LEN(report->reasons); i++)
		report->reasons[i] = keep(world, page->targets[i].reason);
}

/* True when it changed anything. */
static bool act(struct world *world, struct world_rollout *rollout, const struct action *action)
{
	switch (action->type) {
	case ACTION_CREATE_ROLLOUT:
	case ACTION_DELETE_ROLLOUT: ck_abort_msg("a rollout does not make rollouts"); break;
	case ACTION_CREATE_REVISION: create_revision(world, action); break;
	case ACTION_FINALIZE_ROLLOUT: finalize(world, rollout, action->finalize.on); break;
	case ACTION_PATCH_NODE: patch_node(world, &action->node); break;
	case ACTION_EVICT_POD: evict(world, action->evict.pod); break;
	case ACTION_DELETE_POD: delete_pod(world, action->evict.pod); break;
	case ACTION_CREATE_JOB: create_job(world, &action->job); break;
	case ACTION_READ_JOB: return read_job(world, &action->read_job);
	case ACTION_RELEASE_JOB: release_job(world, action->pod); break;
	case ACTION_DELETE_JOBS: delete_jobs(world, action->delete_jobs); break;
	case ACTION_CREATE_REPORT: create_report(world, &action->report); break;
	case ACTION_EMIT_EVENT: return false;
	}
	return true;
}

static void spill(struct world *world, const struct rollout *rollout, const struct rollout_status_write *write)
{
	cJSON *data = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(data, "decisions");
	for (size_t i = 0; i < write->spill.count; i++)
		cJSON_AddItemToArray(list, decision_json(write->spill.items[i]));
	add_revision(world, rollout,
	             kube_arena_printf(&world->arena, "%s-ledger-%lld", rollout->object.name, (long long)write->spill.page),
	             true, write->spill.page, data);
}

static bool write_status(struct world *world, struct world_rollout *rollout)
{
	struct rollout_status_write write = {0};
	struct kube_err err = {0};
	int rc = rollout_status_compose(world->snapshot.rollout, &world->result.wanted, world->snapshot.ledger,
	                                world->snapshot.ledger_count, world->now_ms, &world->pass, &write, &err);
	ck_assert_msg(rc == 0, "%s", err.message);
	if (write.spill.count) {
		spill(world, rollout->rollout, &write);
		return true;
	}
	if (!write.status)
		return false;
	set_path(rollout->json, "status", write.status);
	refresh(world, rollout);
	rollout->busy = world->lag;
	return true;
}

/* ---- steps ---- */

void world_forget(struct world *world)
{
	for (size_t i = 0; i < world->node_count; i++)
		world->nodes[i]->fact = (struct job_fact){0};
}

/* The controller dies before its next effect, and another one takes over. */
static bool dies(struct world *world)
{
	if (world->cut < 0 || world->cut-- > 0)
		return false;
	world->crashes++;
	world->epoch++;
	world_forget(world);
	return true;
}

static void look_again(struct world *world, int64_t at_ms)
{
	if (at_ms != KUBE_TIME_NONE && (world->look_again_ms == KUBE_TIME_NONE || at_ms < world->look_again_ms))
		world->look_again_ms = at_ms;
}

static bool answer_questions(struct world *world)
{
	bool answered = false;
	for (size_t i = 0; i < world->result.questions.count; i++) {
		const struct question *question = &world->result.questions.items[i];
		size_t gate = (size_t)(question->gate - world->snapshot.plan->rules->gates.items);
		world->questions++;
		world->query = question->query ? keep(world, question->query) : NULL;
		if (world->gates[gate] == GATE_UNKNOWN)
			continue;
		world->gate_facts[gate] = (struct gate_fact){
		    .verdict = world->gates[gate], .message = gate_verdict_names[world->gates[gate]], .at_ms = world->now_ms};
		answered = true;
	}
	return answered;
}

static bool step_rollout(struct world *world, struct world_rollout *rollout)
{
	bool changed = false;

	world_plan(world, rollout);
	for (size_t i = 0; i < world->result.actions.count; i++) {
		if (dies(world))
			return true;
		changed = act(world, rollout, &world->result.actions.items[i]) || changed;
		if (rollout->gone)
			return true;
	}
	/* A finalizer or a node write does not change the status that was looked at. */
	if (world->result.write_status) {
		if (dies(world))
			return true;
		world->snapshot.rollout = rollout->rollout;
		changed = write_status(world, rollout) || changed;
	}
	look_again(world, world->result.look_again_ms);
	return answer_questions(world) || changed;
}

static void create_rollout_for(struct world *world, const char *name)
{
	for (size_t i = 0; i < world->rollout_count; i++)
		ck_assert_msg(world->rollouts[i].gone || strcmp(world->rollouts[i].rollout->object.name, name) != 0,
		              "rollout %s was made twice", name);
	world_add_rollout(world, name);
}

static bool step_policy(struct world *world)
{
	const struct rollout *rollouts[40];
	bool busy[40] = {false};
	struct policy_snapshot s = {.now_ms = world->now_ms,
	                            .server_version = world->server_version,
	                            .zones = world->zones,
	                            .policy = world->policy,
	                            .nodes = world->snapshot.nodes,
	                            .rollouts = rollouts,
	                            .rollout_busy = busy};
	struct policy_result result;
	struct rollout_snapshot all = {0};

	fill_nodes(world, &all);
	s.nodes = all.nodes;
	s.node_count = all.node_count;
	for (size_t i = 0; i < world->rollout_count; i++)
		if (!world->rollouts[i].gone)
			rollouts[s.rollout_count++] = world->rollouts[i].rollout;
	plan_policy(&s, &world->pass, &result);
	for (size_t i = 0; i < result.actions.count; i++) {
		const struct action *action = &result.actions.items[i];
		if (action->type == ACTION_CREATE_ROLLOUT)
			create_rollout_for(world, action->create_rollout.name);
		else
			for (size_t r = 0; r < world->rollout_count; r++)
				if (world->rollouts[r].rollout == action->delete_rollout)
					drop_rollout(&world->rollouts[r]);
	}
	look_again(world, result.look_again_ms);
	return result.actions.count > 0;
}

static bool wear_off(int *busy)
{
	if (*busy == 0)
		return false;
	(*busy)--;
	return true;
}

static bool see_writes(struct world *world)
{
	bool changed = false;
	for (size_t i = 0; i < world->node_count; i++)
		changed = wear_off(&world->nodes[i]->busy) || changed;
	for (size_t i = 0; i < world->pod_count; i++)
		changed = wear_off(&world->pods[i]->busy) || changed;
	for (size_t i = 0; i < world->rollout_count; i++)
		changed = wear_off(&world->rollouts[i].busy) || changed;
	return changed;
}

bool world_step(struct world *world)
{
	bool changed = false;

	world->look_again_ms = KUBE_TIME_NONE;
	world->steps++;
	if (world->on_step)
		world->on_step(world);
	for (size_t i = 0; i < world->rollout_count; i++)
		if (!world->rollouts[i].gone && !world->rollouts[i].idle)
			changed = step_rollout(world, &world->rollouts[i]) || changed;
	if (world->auto_policy && world->policy)
		changed = step_policy(world) || changed;
	return see_writes(world) || changed;
}

/* ---- the time ---- */

/* What prepares or verifies changes nothing. */
static bool end_side_job(struct world_node *node, struct world_pod *job)
{
	bool prepare = !strcmp(job->pod.job_step, "prepare");

	if (!node || (!prepare && strcmp(job->pod.job_step, "verify") != 0))
		return false;
	job->ended = job->pod.exited = true;
	job->end_ms = KUBE_TIME_NONE;
	job->pod.exit_code = prepare ? node->prepare_exit : node->verify_exit;
	job->pod.phase = job->pod.exit_code ? POD_FAILED : POD_SUCCEEDED;
	return true;
}

static void restart(struct world *world, struct world_node *node, enum host host, int info, const char *version)
{
	world_set_ready(world, node->node.object.name, false);
	if (host == HOST_GOES_DOWN)
		return;
	node->later.info = info;
	node->later.at_ms = world->now_ms + MINUTES(1);
	node->later.restarted = true;
	snprintf(node->later.version, sizeof(node->later.version), "%s", version);
}

static bool dies_with_node(enum host host)
{
	return host == HOST_REBOOTS || host == HOST_RESTARTS || host == HOST_RESTARTS_OLD || host == HOST_GOES_DOWN ||
	       host == HOST_NO_RESTART;
}

static void end_job(struct world *world, struct world_pod *job)
{
	struct world_node *node = node_by_uid(world, job->pod.job_node_uid);
	enum host host = host_of(world, job);
	const char *version = job->rollback ? job->from : job->patch->version;

	if (end_side_job(node, job))
		return;
	if (host == HOST_FAILS_ONCE)
		host = job->attempt > 1 ? HOST_OBEYS : HOST_FAILS;
	bool well = host != HOST_FAILS && host != HOST_BREAKS && host != HOST_HANGS && !dies_with_node(host);

	job->ended = true;
	job->end_ms = KUBE_TIME_NONE;
	job->pod.phase = well ? POD_SUCCEEDED : POD_FAILED;
	job->pod.ready = false;
	job->pod.exited = host != HOST_HANGS && !dies_with_node(host);
	job->pod.exit_code = well ? 0 : 3;
	if (host == HOST_HANGS)
		job->pod.status_reason = "DeadlineExceeded";
	job->gone = vanishes(job);
	if (!node)
		return;
	bool shown = job->patch->observed.type == OBSERVED_NODE_INFO;
	if (shown && (host == HOST_OBEYS || host == HOST_BREAKS || host == HOST_SINKS))
		show(node, job->patch->observed.node_info, version);
	if (host == HOST_WRONG)
		show(node, job->patch->observed.node_info, "1.0.1");
	if (host == HOST_REBOOTS)
		node->node.boot_id = "boot-2";
	if (host == HOST_RESTARTS || host == HOST_RESTARTS_OLD || host == HOST_GOES_DOWN)
		restart(world, node, host, job->patch->observed.node_info,
		        host == HOST_RESTARTS ? version : node->node.node_info[job->patch->observed.node_info]);
	if (host == HOST_SINKS)
		world_set_ready(world, node->node.object.name, false);
	if (host == HOST_LAGS) {
		node->later.info = job->patch->observed.node_info;
		node->later.at_ms = world->now_ms + MINUTES(1);
		snprintf(node->later.version, sizeof(node->later.version), "%s", version);
	}
}

static bool due(const struct world *world, int64_t at_ms)
{
	return at_ms != KUBE_TIME_NONE && at_ms <= world->now_ms;
}

static void pods_come_back(struct world *world, struct world_pdb *pdb)
{
	size_t left = 0;
	for (size_t i = 0; i < pdb->back_count; i++) {
		if (due(world, pdb->back_ms[i])) {
			pdb->pdb.disruptions_allowed++;
			pdb->pdb.current_healthy++;
		} else {
			pdb->back_ms[left++] = pdb->back_ms[i];
		}
	}
	pdb->back_count = left;
}

static void happen(struct world *world)
{
	for (size_t i = 0; i < world->pod_count; i++) {
		struct world_pod *pod = world->pods[i];
		if (pod->gone || !due(world, pod->end_ms))
			continue;
		if (pod->pod.job_step)
			end_job(world, pod);
		else
			pod->gone = true;
	}
	for (size_t i = 0; i < world->node_count; i++) {
		struct world_node *node = world->nodes[i];
		if (!due(world, node->later.at_ms))
			continue;
		show(node, node->later.info, node->later.version);
		node->later.at_ms = KUBE_TIME_NONE;
		if (node->later.restarted) {
			node->node.boot_id = "boot-2";
			world_set_ready(world, node->node.object.name, true);
		}
	}
	for (size_t i = 0; i < world->pdb_count; i++)
		pods_come_back(world, &world->pdbs[i]);
}

static int64_t next_event(const struct world *world)
{
	int64_t next = world->look_again_ms;

	for (size_t i = 0; i < world->pod_count; i++)
		next = sooner(next, world->pods[i]->gone ? KUBE_TIME_NONE : world->pods[i]->end_ms);
	for (size_t i = 0; i < world->node_count; i++)
		next = sooner(next, world->nodes[i]->later.at_ms);
	for (size_t i = 0; i < world->pdb_count; i++)
		for (size_t k = 0; k < world->pdbs[i].back_count; k++)
			next = sooner(next, world->pdbs[i].back_ms[k]);
	return next;
}

bool world_tick(struct world *world, int64_t until_ms)
{
	if (world_step(world)) {
		ck_assert_msg(++world->still_steps < 1000, "it never comes to rest");
		return true;
	}
	int64_t next = next_event(world);
	ck_assert_msg(next == KUBE_TIME_NONE || next > world->now_ms,
	              "nothing was done, and yet it wants to look again %lld ms ago", (long long)(world->now_ms - next));
	world->still_steps = 0;
	if (next == KUBE_TIME_NONE || next > until_ms)
		return false;
	world->now_ms = next;
	happen(world);
	return true;
}

void world_run(struct world *world, int64_t for_ms)
{
	int64_t until = world->now_ms + for_ms;
	while (world_tick(world, until))
		;
	if (next_event(world) != KUBE_TIME_NONE)
		world->now_ms = until;
}

void world_run_to(struct world *world, const char *node, enum step step)
{
	int64_t until = world->now_ms + MINUTES(600);
	while (world_step_of(world, node) != step)
		ck_assert_msg(world_tick(world, until), "%s never got to %s", node, step_names[step]);
}

/* ---- questions ---- */

enum step world_step_of(const struct world *world, const char *name)
{
	const struct world_node *node = world_node(world, name);
	return node && node->node.state ? (enum step)node->node.state->step : STEP_NONE;
}

const struct active *world_active(const struct world_rollout *rollout, const char *node)
{
	for (size_t i = 0; i < rollout->rollout->status.active.count; i++)
		if (!strcmp(rollout->rollout->status.active.items[i].node, node))
			return &rollout->rollout->status.active.items[i];
	return NULL;
}

static bool is_decision(const struct decision *decision, enum decision_type type, const char *reason)
{
	return decision->type == (int)type && (!reason || !strcmp(decision->reason, reason));
}

size_t world_decisions(const struct world *world, const struct world_rollout *rollout, enum decision_type type,
                       const char *reason)
{
	const struct rollout_status *status = &rollout->rollout->status;
	size_t found = 0;

	for (size_t i = 0; i < world->revision_count; i++)
		if (!strcmp(world->revisions[i]->rollout_uid, rollout->rollout->object.uid))
			for (size_t d = 0; d < world->revisions[i]->decisions.count; d++)
				found += is_decision(&world->revisions[i]->decisions.items[d], type, reason);
	for (size_t d = 0; d < status->decisions.count; d++)
		found += is_decision(&status->decisions.items[d], type, reason);
	return found;
}

size_t world_actions(const struct world *world, enum action_type type)
{
	size_t found = 0;
	for (size_t i = 0; i < world->result.actions.count; i++)
		found += world->result.actions.items[i].type == type;
	return found;
}

const struct action *world_action(const struct world *world, enum action_type type)
{
	for (size_t i = 0; i < world->result.actions.count; i++)
		if (world->result.actions.items[i].type == type)
			return &world->result.actions.items[i];
	return NULL;
}

const struct world_report *world_report(const struct world *world, const struct world_rollout *rollout, int page)
{
	return report_of(world, rollout->rollout, (size_t)page);
}

/* Invariant 8: each decision once, and the chain holds. */
static void check_ledger(const struct world *world, const struct world_rollout *rollout)
{
	const struct decision *all[2000];
	const struct rollout_status *status = &rollout->rollout->status;
	size_t count = 0;
	struct kube_err err = {0};

	for (size_t i = 0; i < world->revision_count; i++)
		if (!strcmp(world->revisions[i]->rollout_uid, rollout->rollout->object.uid))
			for (size_t d = 0; d < world->revisions[i]->decisions.count; d++)
				all[count++] = &world->revisions[i]->decisions.items[d];
	for (size_t d = 0; d < status->decisions.count; d++)
		if (count == 0 || all[count - 1]->seq < status->decisions.items[d].seq)
			all[count++] = &status->decisions.items[d];
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(strcmp(all[i]->id, all[k]->id) != 0, "%s of %s stands twice in the ledger",
			              decision_type_names[all[i]->type], all[i]->subject);
	ck_assert_msg(ledger_verify(all, count, &err) == 0, "%s", err.message);
}

void world_check_tidy(const struct world *world, const struct world_rollout *rollout)
{
	const struct rollout *r = rollout->rollout;

	ck_assert_msg(rollout->gone || rollout_done(r), "the rollout is not done: %s", r->status.summary);
	ck_assert_ptr_nonnull(world_report(world, rollout, 1));
	for (size_t i = 0; i < world->pod_count; i++)
		ck_assert_msg(!job_of(world->pods[i], r), "job pod %s is left", world->pods[i]->pod.object.name);
	for (size_t i = 0; i < world->node_count; i++) {
		const struct node *node = &world->nodes[i]->node;
		if (world->nodes[i]->gone)
			continue;
		ck_assert_msg(!node->state || node->quarantined, "%s still carries a state (%s)", node->object.name,
		              step_names[node->state->step]);
		ck_assert_msg(!node->unschedulable || node->quarantined || world->nodes[i]->cordoned_before,
		              "%s was left cordoned", node->object.name);
		for (size_t k = 0; k < HELD_COUNT; k++)
			ck_assert_pstr_eq(kube_strmap_get(&node->annotations, held_annotations[k]),
			                  world->nodes[i]->held_before[k]);
	}
	check_ledger(world, rollout);
}

void world_check_condition(const struct world_rollout *rollout, const char *type, int status, const char *reason,
                           const char *message)
{
	const struct condition *c = condition_get(&rollout->rollout->status.conditions, type);
	ck_assert_msg(c != NULL, "there is no condition %s", type);
	ck_assert_msg(c->status == status && !strcmp(c->reason, reason), "%s is %s/%s: %s", type,
	              condition_status_names[c->status], c->reason, c->message);
	ck_assert_msg(strstr(c->message, message) != NULL, "%s does not say: %s", c->message, message);
}

int64_t world_claimed_at(const struct world *world, const char *node)
{
	const struct node_state *state = world_node(world, node)->node.state;
	ck_assert_msg(state != NULL, "%s was not claimed", node);
	return state->started_ms;
}
