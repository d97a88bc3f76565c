/* People who approve rollouts: late, twice, in the wrong place, and against their word. Once the trouble is over they
 * do it well. */
#include "test/admission.h"
#include "test/sim/world.h"

#include <kube/client.h>
#include <kube/time.h>
#include <string.h>

#define MAX_APPROVALS_MADE 300
#define ADMISSION "/apis/admissionregistration.k8s.io/v1/"
#define BINDINGS ADMISSION "validatingadmissionpolicybindings"

struct people {
	struct world *world;
	struct kube_timer timer;
	bool careful;
	unsigned approvals, authors;
};

static struct kube_env *env_of(const struct people *people)
{
	return kube_sim_env(people->world->sim);
}

/* "… approvals of wave early; needed: …" */
static void wave_of(const char *message, char *out, size_t size)
{
	const char *at = strstr(message, " approvals of wave ");
	const char *from = at ? at + strlen(" approvals of wave ") : "";
	snprintf(out, size, "%.*s", (int)strcspn(from, ";"), from);
}

static void approve(struct people *people, const cJSON *rollout, const char *message)
{
	static const char *const users[] = {"bob", "carol", "dave", "erin", "alice"};
	struct world *world = people->world;
	bool lazy = !people->careful;
	char wave[64];

	if (people->approvals >= MAX_APPROVALS_MADE)
		return;
	wave_of(message, wave, sizeof(wave));
	const char *hash = lazy && draw_chance(world, 10) ? "0" : text_at(rollout, "status.plan.hash");
	const char *user = users[draw_between(world, 0, lazy ? 4 : 3)];
	world_trace(world, "%s approves %s, wave \"%s\"", user, text_at(rollout, "metadata.name"), wave);
	kube_sim_api_do(world->api, "POST", "/apis/patchwright.io/v1alpha1/patchapprovals", NULL,
	                "{'apiVersion':'patchwright.io/v1alpha1','kind':'PatchApproval','metadata':{'name':'a%u'},'spec':{"
	                "'rolloutRef':{'name':'%s','uid':'%s'},'planHash':'%s','wave':'%s','user':'%s'}}",
	                people->approvals++, text_at(rollout, "metadata.name"), text_at(rollout, "metadata.uid"), hash,
	                lazy && draw_chance(world, 10) ? "elsewhere" : wave, user);
}

/* Somebody who is no author yet answers for it as it is. */
static void take_over(struct people *people, const char *collection, const char *name)
{
	char target[256];
	snprintf(target, sizeof(target), "%s/%s", collection, name);
	kube_sim_api_do(people->world->api, "PATCH", target, KUBE_PATCH_MERGE,
	                "{'metadata':{'annotations':{'" PW_ANNOTATION_AUTHOR "':'author-%u'}}}", people->authors++);
}

static void look_at(struct people *people, const cJSON *rollout)
{
	const cJSON *approved = condition_of(rollout, "Approved");
	const char *reason = text_at(approved, "reason");
	char name[64], policy[64];

	if (strcmp(reason, "WaitingForApproval") == 0)
		approve(people, rollout, text_at(approved, "message"));
	if (strcmp(reason, "AuthorUnknown") != 0)
		return;
	bool by_hand = !kube_json_get(rollout, "metadata.ownerReferences");
	snprintf(name, sizeof(name), "%s", text_at(rollout, "metadata.name"));
	snprintf(policy, sizeof(policy), "%s", text_at(rollout, "spec.policyRef.name"));
	take_over(people, POLICIES, policy);
	if (by_hand)
		take_over(people, ROLLOUTS, name);
}

static void take_back(struct people *people)
{
	struct world *world = people->world;
	size_t count = kube_sim_api_count(world->api, &pw_approvals);
	char target[256];

	if (count == 0)
		return;
	const cJSON *approval =
	    kube_sim_api_at(world->api, &pw_approvals, (size_t)draw_between(world, 0, (int64_t)count - 1));
	snprintf(target, sizeof(target), "/apis/patchwright.io/v1alpha1/patchapprovals/%s",
	         text_at(approval, "metadata.name"));
	world_trace(world, "approval %s is taken back", text_at(approval, "metadata.name"));
	kube_sim_api_call(world->api, "DELETE", target, NULL, NULL, NULL);
}

/* ---- the admission policies ---- */

static const char *const guards[] = {APPROVALS_ADMISSION, RIGHTS_ADMISSION, AUTHORS_ADMISSION};

static void install(struct world *world, const char *kind, const char *collection, const char *name)
{
	_cleanup_json_ cJSON *json = admission_installed(kind, name);

	if (kube_sim_api_call(world->api, "POST", collection, NULL, json, NULL) != 201)
		world_fail(world, "the %s %s cannot be installed", kind, name);
}

static void people_guard(struct world *world, const char *name, bool on)
{
	char target[128];

	if (on == (kube_sim_api_get(world->api, &pw_admission_bindings, NULL, name) != NULL))
		return;
	world_trace(world, "the admission policy %s is %s", name, on ? "bound" : "no longer bound");
	snprintf(target, sizeof(target), BINDINGS "/%s", name);
	if (on)
		install(world, "ValidatingAdmissionPolicyBinding", BINDINGS, name);
	else
		kube_sim_api_call(world->api, "DELETE", target, NULL, NULL, NULL);
}

void people_install(struct world *world)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(guards); i++) {
		install(world, "ValidatingAdmissionPolicy", ADMISSION "validatingadmissionpolicies", guards[i]);
		people_guard(world, guards[i], true);
	}
}

/* ---- what they do ---- */

static void on_time(struct kube_timer *timer, void *arg)
{
	struct people *people = arg;
	struct world *world = people->world;

	for (size_t i = 0; people->careful && i < KUBE_ARRAY_LEN(guards); i++)
		people_guard(world, guards[i], true);
	for (size_t i = 0; i < kube_sim_api_count(world->api, &pw_rollouts); i++)
		look_at(people, kube_sim_api_at(world->api, &pw_rollouts, i));
	if (!people->careful && draw_chance(world, 10))
		take_back(people);
	int tidies = world->theme == THEME_GUARD ? 50 : 2;
	const char *guard = guards[draw_between(world, 0, KUBE_ARRAY_LEN(guards) - 1)];
	if (!people->careful && draw_chance(world, tidies)) /* somebody tidies up what he does not know */
		people_guard(world, guard, false);
	else if (draw_chance(world, 20))
		people_guard(world, guard, true);
	kube_timer_start(env_of(people), timer, draw_between(world, 5000, people->careful ? 60000 : 200000), on_time,
	                 people);
}

/* ---- life ---- */

struct people *people_new(struct world *world)
{
	struct people *people = calloc(1, sizeof(*people));

	people->world = world;
	kube_timer_start(env_of(people), &people->timer, 1000, on_time, people);
	return people;
}

void people_be_careful(struct people *people)
{
	people->careful = true;
}

void people_free(struct people *people)
{
	if (people)
		kube_timer_stop(env_of(people), &people->timer);
	free(people);
}
