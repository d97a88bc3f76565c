#include "test/sim/inside.h"
#include "test/sim/outside.h"
#include "test/sim/replica.h"

#include <kube/client.h>
#include <kube/log.h>
#include <kube/time.h>
#include <stdarg.h>
#include <string.h>

#define START_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define SETTLE_MS (4 * 3600 * INT64_C(1000))
#define REST_MS (10 * 60 * INT64_C(1000))
#define LAST_MS (75 * 60 * INT64_C(1000))
#define GUARDED_MS 6000 /* what was made before counts for nothing: controller/plan/approval.c */
#define MAX_STEPS 100000ul

/* ---- randomness ---- */

static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t dice_between(uint64_t *state, int64_t low, int64_t high)
{
	return low + (int64_t)(next(state) % (uint64_t)(high - low + 1));
}

uint64_t draw(struct world *world)
{
	return next(&world->random_state);
}

int64_t draw_between(struct world *world, int64_t low, int64_t high)
{
	return dice_between(&world->random_state, low, high);
}

bool draw_rare(struct world *world, int percent)
{
	return dice_between(&world->rare_state, 1, 100) <= percent;
}

bool draw_chance(struct world *world, int percent)
{
	return draw_between(world, 1, 100) <= percent;
}

static enum theme draw_theme(uint64_t seed)
{
	uint64_t state = seed ^ UINT64_C(0x7468656d65);
	int64_t lot = dice_between(&state, 1, 25);
	return lot <= THEME_ROOM ? (enum theme)lot : THEME_NONE;
}

/* ---- telling ---- */

int64_t world_now_ms(const struct world *world)
{
	return kube_sim_server_ms(world->sim);
}

static void print(struct world *world, const char *fmt, va_list ap)
{
	int64_t ms = world_now_ms(world) - START_MS;
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	fprintf(world->trace, "%6lld.%03lld %s\n", (long long)(ms / 1000), (long long)(ms % 1000), text);
}

void world_trace(struct world *world, const char *fmt, ...)
{
	va_list ap;

	if (!world->trace)
		return;
	va_start(ap, fmt);
	print(world, fmt, ap);
	va_end(ap);
}

void world_fail(struct world *world, const char *fmt, ...)
{
	va_list ap;

	if (world->failure[0])
		return;
	va_start(ap, fmt);
	vsnprintf(world->failure, sizeof(world->failure), fmt, ap);
	va_end(ap);
	if (!world->probing)
		world_trace(world, "FAILED: %s", world->failure);
}

static long long log_time(void *arg)
{
	return world_now_ms(arg);
}

static void set_up_log(struct world *world)
{
	static FILE *nowhere;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	kube_log_setup(&(struct kube_log_config){
	    .level = world->trace ? KUBE_LOG_INFO : KUBE_LOG_ERROR,
	    .stream = world->trace ? world->trace : nowhere,
	    .wall_ms = log_time,
	    .wall_arg = world,
	});
}

/* ---- a run ---- */

static void set_up(struct world *world)
{
	static const struct kube_sim_kind kinds[] = {
	    {.resource = &pw_policies, .custom = true, .has_status = true, .has_generation = true},
	    {.resource = &pw_rollouts,
	     .custom = true,
	     .has_status = true,
	     .has_generation = true,
	     .immutable = "spec.policyRef"},
	    {.resource = &pw_reports, .custom = true, .has_generation = true, .immutable = "spec"},
	    {.resource = &pw_approvals, .custom = true, .has_generation = true, .immutable = "spec"},
	    {.resource = &pw_admission_policies, .has_generation = true},
	    {.resource = &pw_admission_bindings, .has_generation = true},
	    {.resource = &sim_secrets},
	    {.resource = &sim_backups, .custom = true, .has_status = true, .has_generation = true},
	};
	int64_t pace = draw_between(world, 1, 5);
	const struct kube_sim_cluster_options options = {
	    .replace_ms = 300 * pace,
	    .schedule_ms = 200 * pace,
	    .start_ms = 2000 * pace,
	    .stop_ms = 2000 * pace,
	    .disruption_ms = 100 * pace,
	    .collect_ms = 2000 * pace,
	};

	world->options = (struct options){
	    .namespace_ = OWN_NAMESPACE, .job_namespace = JOB_NAMESPACE, .images = {"*"}, .image_count = 1};
	kube_sim_new(world->seed, START_MS, &world->sim, NULL);
	set_up_log(world);
	world->api = kube_sim_api_new(world->sim);
	for (size_t i = 0; i < KUBE_ARRAY_LEN(kinds); i++)
		kube_sim_api_add_kind(world->api, &kinds[i]);
	world->cluster = kube_sim_cluster_new(world->api, &options);
	if (draw_chance(world, 20))
		world->options.max_unavailable_total =
		    (struct kube_intstr){.set = true, .percent = draw_chance(world, 40), .value = draw_between(world, 1, 4)};
	if (world->options.max_unavailable_total.percent)
		world->options.max_unavailable_total.value *= 10;
	bool rivals = !world->calm && draw_chance(world, 5);
	world->options.leader_elect = !rivals && (draw_chance(world, 60) || world->theme == THEME_LEASE);
	if (draw_chance(world, 70)) /* quiet ones cost less time */
		world->options.election = (struct kube_elector_times){.lease_ms = 60000, .renew_ms = 40000, .retry_ms = 10000};
	world->replicas = replicas_new(world, rivals || world->options.leader_elect ? MAX_REPLICAS : 1);
	world->replicas->rivals = rivals;
	world->checks = checks_new(world);
	world->hosts = hosts_new(world);
	world->disks = disks_new(world);
	world->outside = outside_new(world);
	world->inside = inside_new(world);
	people_install(world);
	kube_sim_run(world->sim, GUARDED_MS, SIZE_MAX);
	draw_cluster(world);
	world->people = people_new(world);
}

static void tear_down(struct world *world)
{
	replicas_free(world->replicas);
	faults_free(world->faults);
	people_free(world->people);
	hosts_free(world->hosts);
	disks_free(world->disks);
	outside_free(world->outside);
	inside_free(world->inside);
	checks_free(world->checks);
	kube_sim_cluster_free(world->cluster);
	kube_sim_api_free(world->api);
	kube_sim_free(world->sim);
}

/* Step by step, so that the first thing that does not hold ends the run. */
static void run_until(struct world *world, int64_t mono_ms)
{
	struct kube_env *env = kube_sim_env(world->sim);

	while (!world->failure[0] && kube_env_next_due(env) <= mono_ms) {
		kube_sim_step(world->sim);
		if (++world->steps > MAX_STEPS)
			world_fail(world, "still busy after %lu steps: something runs in circles", MAX_STEPS);
	}
}

/* Many that somebody has made take longer, one after the other, than there is time. */
static void withdraw_waiting(struct world *world)
{
	for (size_t i = kube_sim_api_count(world->api, &pw_rollouts); i-- > 0;) {
		const cJSON *rollout = kube_sim_api_at(world->api, &pw_rollouts, i);
		char target[128];
		snprintf(target, sizeof(target), ROLLOUTS "/%s", text_at(rollout, "metadata.name"));
		if (!kube_json_get(rollout, "metadata.ownerReferences") && !*text_at(rollout, "status.plan.hash"))
			kube_sim_api_call(world->api, "DELETE", target, NULL, NULL, NULL);
	}
}

/* Nodes that could not be drained are tried again each hour, and windows open each hour: nothing of that must be under
 * way at the end. */
static void begin_nothing_new(struct world *world)
{
	for (size_t i = 0; i < kube_sim_api_count(world->api, &pw_policies); i++) {
		const cJSON *policy = kube_sim_api_at(world->api, &pw_policies, i);
		const char *why = text_at(condition_of(policy, "Reconciling"), "reason");
		char target[128];
		snprintf(target, sizeof(target), POLICIES "/%s", text_at(policy, "metadata.name"));
		if (strcmp(why, "NotDrained") == 0 || strcmp(why, "RolloutInProgress") == 0)
			kube_sim_api_do(world->api, "PATCH", target, KUBE_PATCH_MERGE,
			                "{'spec':{'trigger':'Manual','windows':null,'freezes':null}}");
	}
	withdraw_waiting(world);
}

/* As at the end, tried out. */
static bool is_at_rest(struct world *world)
{
	world->probing = true;
	checks_at_rest(world->checks);
	world->probing = false;
	bool at_rest = !world->failure[0];
	world->failure[0] = '\0';
	return at_rest;
}

/* Until it has been at rest for a while. Some worlds run for the whole time: what comes back does so late. */
static void settle(struct world *world)
{
	int64_t end_ms = kube_env_mono_ms(kube_sim_env(world->sim)) + SETTLE_MS, now_ms = end_ms - SETTLE_MS;
	int64_t quiet_ms = now_ms + world->knowledge_ms;
	bool whole = draw_chance(world, 5);
	int rests = 0;

	while (!world->failure[0] && now_ms < end_ms && rests < (whole ? INT32_MAX : 2)) {
		now_ms += REST_MS;
		run_until(world, now_ms);
		if (now_ms >= quiet_ms)
			checks_progress(world->checks);
		if (now_ms >= end_ms - LAST_MS)
			begin_nothing_new(world);
		if (!world->failure[0])
			rests = is_at_rest(world) ? rests + 1 : 0;
	}
	if (!world->failure[0])
		checks_at_rest(world->checks);
}

bool world_run(struct world *world, uint64_t seed, bool calm, FILE *trace)
{
	*world = (struct world){
	    .seed = seed, .random_state = seed, .rare_state = seed ^ UINT64_C(0x72617265), .calm = calm, .trace = trace};
	draw(world);
	world->theme = draw_theme(seed);
	world->annotates = draw_rare(world, 30);
	world->decision_ms = 2000;
	set_up(world);
	/* Mostly short: two short worlds show more than a long one. */
	int64_t trouble_ms = calm ? 0 : draw_between(world, 60, draw_chance(world, 75) ? 500 : 1200) * 1000;
	world->faults = calm ? NULL : faults_new(world);
	replicas_start(world->replicas);
	run_until(world, trouble_ms);
	if (world->faults)
		faults_end(world->faults);
	people_be_careful(world->people);
	outside_end(world->outside);
	inside_end(world->inside);
	world_trace(world, "---- from here on nothing goes wrong ----");
	replicas_heal(world->replicas);
	settle(world);
	tear_down(world);
	return !world->failure[0];
}
