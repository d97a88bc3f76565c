/* The policy, rollouts and approvals, decoded from what the API server would store. */
#include "test/unit/plan/world_internal.h"

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

void world_set_policy(struct world *world, const char *spec, bool suspend)
{
	char *head = kube_arena_printf(
	    &world->arena,
	    "{'metadata':{'name':'pool','uid':'policy-uid','generation':%lld,'annotations':{%s%s%s}},"
	    "'spec':{'suspend':%s,%s},'status':{'observedGeneration':-1}}",
	    (long long)(world->generation ? world->generation : 1), world->author ? "'patchwright.io/author':'" : "",
	    world->author ? world->author : "", world->author ? "'" : "", suspend ? "true" : "false", spec);
	_cleanup_json_ cJSON *json = world_parse(head);

	world->policy = world_decode(world, &policy_projection, json);
}

static void refresh(struct world *world, struct world_rollout *rollout)
{
	rollout->rollout = world_decode(world, &rollout_projection, rollout->json);
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

	*rollout = (struct world_rollout){.json = world_parse(text)};
	refresh(world, rollout);
	return rollout;
}

void world_approve(struct world *world, const struct world_rollout *rollout, const char *user, const char *wave)
{
	const struct rollout *of = rollout->rollout;
	char created[KUBE_TIME_TEXT_SIZE];
	_cleanup_json_ cJSON *json = world_parse(kube_arena_printf(
	    &world->arena,
	    "{'metadata':{'name':'a%zu','uid':'a%zu','creationTimestamp':'%s'},'spec':{'rolloutRef':{'name':"
	    "'%s','uid':'%s'},'planHash':'%s','user':'%s','wave':'%s'}}",
	    world->approval_count, world->approval_count, kube_time_format(world->now_ms, created), of->object.name,
	    of->object.uid, of->status.plan_hash, user, wave));

	ck_assert_uint_lt(world->approval_count, KUBE_ARRAY_LEN(world->approvals));
	world->approvals[world->approval_count++] = world_decode(world, &approval_projection, json);
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
	set_path(rollout->json, path, value ? world_parse(value) : NULL);
	refresh(world, rollout);
}

void world_drop_rollout(struct world_rollout *rollout)
{
	rollout->gone = true;
}

void world_delete_rollout(struct world *world, struct world_rollout *rollout)
{
	char at[KUBE_TIME_TEXT_SIZE];
	if (!rollout->rollout->finalizer) {
		world_drop_rollout(rollout);
		return;
	}
	world_set_rollout(world, rollout, "metadata.deletionTimestamp",
	                  kube_arena_printf(&world->arena, "'%s'", kube_time_format(world->now_ms, at)));
}

static void add_revision(struct world *world, const struct rollout *rollout, const char *name, bool ledger,
                         int64_t number, cJSON *data)
{
	_cleanup_json_ cJSON *json = world_parse(kube_arena_printf(
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
	struct revision *revision = world_decode(world, &revision_projection, json);
	ck_assert_msg(!revision->data_error, "%s: %s", name, revision->data_error);
	world->revisions[world->revision_count++] = revision;
}

void world_create_revision(struct world *world, const struct action *action)
{
	cJSON *data = cJSON_Parse(action->create_revision.data);
	add_revision(world, action->create_revision.rollout, action->create_revision.name, action->create_revision.ledger,
	             action->create_revision.number, data);
}

void world_finalize(struct world *world, struct world_rollout *rollout, bool on)
{
	world_set_rollout(world, rollout, "metadata.finalizers", on ? "['patchwright.io/rollout']" : NULL);
	if (!on && rollout->rollout->object.deleted_ms != KUBE_TIME_NONE)
		world_drop_rollout(rollout);
	rollout->busy = world->lag;
}

void world_create_report(struct world *world, const struct report_page *page)
{
	for (size_t i = 0; i < world->report_count; i++)
		ck_assert_msg(strcmp(world->reports[i].name, page->name) != 0, "report %s was made twice", page->name);
	for (size_t i = 0; i < page->target_count; i++)
		ck_assert_ptr_nonnull(page->targets[i].wave);
	world->reports[world->report_count++] = (struct world_report){.name = world_keep(world, page->name),
	                                                              .outcome = page->outcome,
	                                                              .targets = page->target_count,
	                                                              .decisions = page->decision_count};
	struct world_report *report = &world->reports[world->report_count - 1];
	for (size_t i = 0; i < page->target_count && i < KUBE_ARRAY_LEN(report->reasons); i++)
		report->reasons[i] = world_keep(world, page->targets[i].reason);
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

bool world_write_status(struct world *world, struct world_rollout *rollout)
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
