/* Job pods, and what becomes of a host when one ends. */
#include "test/unit/plan/world_internal.h"

static enum host host_of(const struct world *world, const struct world_pod *job)
{
	const struct world_node *node = world_node_by_uid(world, job->pod.job_node_uid);
	return !node ? HOST_DEAD : job->rollback ? node->rollback_host : node->host;
}

/* What is known of this job pod; of another one on the node nothing any more. */
static struct job_fact *node_fact(struct world *world, const char *node_uid, const char *name)
{
	struct world_node *node = world_node_by_uid(world, node_uid);

	if (!node->fact.name || strcmp(node->fact.name, name) != 0)
		node->fact = (struct job_fact){.name = world_keep(world, name), .read_ms = KUBE_TIME_NONE};
	return &node->fact;
}

void world_create_job(struct world *world, const struct job_create *create)
{
	for (size_t i = 0; i < world->job_name_count; i++)
		ck_assert_msg(strcmp(world->job_names[i], create->name) != 0, "job pod %s was made twice", create->name);
	world->job_names[world->job_name_count++] = world_keep(world, create->name);
	const struct world_node *node = world_node_by_uid(world, create->node_uid);
	ck_assert_msg(world_in_active(world->snapshot.rollout, create->node_uid), "a job without a grant");
	ck_assert_msg(!world_held(node), "a job on a node that is held");
	ck_assert_msg(node->node.state && !strcmp(node->node.state->rollout_uid, create->rollout->object.uid),
	              "a job on a node that does not carry the rollout's state");
	for (size_t i = 0; i < world->pod_count; i++)
		ck_assert_msg(world->pods[i]->gone || !world->pods[i]->pod.job_step || world->pods[i]->ended ||
		                  strcmp(world->pods[i]->pod.job_node_uid, create->node_uid) != 0 ||
		                  host_of(world, world->pods[i]) == HOST_DEAD,
		              "two jobs run on %s at once", create->node);

	struct world_pod *pod = world_add_pod(world, create->node, create->name, "job");
	pod->pod.owner_kind = "";
	pod->pod.job_step = world_keep(world, create->step);
	pod->pod.rollout_hash = world_keep(world, create->rollout->hash);
	pod->pod.job_node_uid = world_keep(world, create->node_uid);
	pod->pod.job_finalizer = true;
	pod->rollback = !strcmp(create->step, "rollback");
	pod->attempt = create->attempt;
	pod->from = world_keep(world, create->from_version);
	struct patch *patch = kube_arena_alloc(&world->arena, sizeof(*patch));
	*patch = *create->patch;
	patch->version = world_keep(world, patch->version);
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
bool world_read_job(struct world *world, const struct job_read *read)
{
	struct job_fact *fact = node_fact(world, read->node_uid, read->name);

	if (fact->read_ms != KUBE_TIME_NONE && world->now_ms < fact->read_ms + JOB_READ_MS) {
		world_look_again(world, fact->read_ms + JOB_READ_MS);
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

void world_release_job(struct world *world, const struct pod *pod)
{
	struct world_pod *own = world_find_pod(world, pod);
	ck_assert_msg(own->busy == 0, "a busy job pod was written");
	ck_assert_msg(own->pod.job_finalizer, "a finalizer that is not there was taken off");
	own->pod.job_finalizer = false;
	own->gone = vanishes(own);
	own->busy = world->lag;
}

void world_delete_jobs(struct world *world, const char *hash)
{
	for (size_t i = 0; i < world->pod_count; i++) {
		struct world_pod *pod = world->pods[i];
		if (pod->gone || !pod->pod.job_step || strcmp(pod->pod.rollout_hash, hash) != 0)
			continue;
		pod->pod.object.deleted_ms = world->now_ms;
		pod->gone = vanishes(pod);
	}
}

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

void world_end_job(struct world *world, struct world_pod *job)
{
	struct world_node *node = world_node_by_uid(world, job->pod.job_node_uid);
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
		world_show(node, job->patch->observed.node_info, version);
	if (host == HOST_WRONG)
		world_show(node, job->patch->observed.node_info, "1.0.1");
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
