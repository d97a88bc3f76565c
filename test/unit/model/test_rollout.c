#include "controller/model/rollout.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"

#include <kube/digest.h>
#include <kube/time.h>

#define AT "'2026-11-21T11:22:38Z'"
#define AT_MS INT64_C(1795260158000)

#define STATUS \
	"{'observedGeneration':2,'plan':{'hash':'ph','policyHash':'yh','revisions':['r-plan-1','r-plan-2'],'forUID':'u'}," \
	"'epoch':3,'conditions':[{'type':'Ready','status':'Unknown','reason':'Working','message':'m'," \
	"'lastTransitionTime':" AT ",'observedGeneration':2}],'outcome':'RolledBack','summary':'s','progress':'1/3'," \
	"'counts':{'total':10,'pending':1,'active':2,'patched':3,'failed':4,'rolledBack':5,'skipped':6}," \
	"'versions':[{'component':'Kernel','version':'6.1'}],'currentWave':'canary'," \
	"'waves':[{'name':'canary','state':'Soaking','total':1,'patched':1,'failed':0,'startedAt':" AT ",'finishedAt':" AT \
	",'soakUntil':" AT ",'reason':'Why','message':'so'},{'name':'rest','state':'Pending','total':9}]," \
	"'active':[{'node':'n1','nodeUID':'nu1','wave':'rest','step':'Draining','since':" AT ",'attempt':2," \
	"'foreignCordon':true,'reason':'R','message':'M','job':{'name':'pw-1','uid':'ju'},'blockedBy':{'kind':" \
	"'PodDisruptionBudget','namespace':'shop','name':'cart','pod':'shop/cart-0','message':'no','since':" AT "}}," \
	"{'node':'n2','nodeUID':'nu2','step':'Claimed'}]," \
	"'failed':[{'node':'n3','nodeUID':'nu3','wave':'canary','step':'Patching','reason':'JobFailed','message':'x','at'" \
	":" AT "},{'node':'n4','step':'Draining'}]," \
	"'decisions':[{'id':'i','seq':1,'at':" AT ",'type':'Start','subject':'n1','rule':'budget','actor':'patchwright'," \
	"'reason':'Ok','evidence':'e','previous':'','hash':'h'},{'id':'j','seq':2,'at':" AT ",'type':'RollBackDone'}]," \
	"'startedAt':" AT ",'finishedAt':" AT "}"

#define ROLLOUT \
	"{'metadata':{'name':'r','uid':'u','generation':2,'resourceVersion':'1','finalizers':['a','patchwright.io/" \
	"rollout']," \
	"'ownerReferences':[{'apiVersion':'patchwright.io/v1alpha1','kind':'PatchPolicy','name':'p','uid':'pu'," \
	"'controller':true}]},'spec':{'policyRef':{'name':'p'}},'status':" STATUS "}"

static struct rollout *rollout_of(const char *quoted)
{
	return (struct rollout *)object_of(&rollout_projection, quoted);
}

START_TEST(test_object)
{
	char digest[KUBE_SHA256_HEX_SIZE];
	struct rollout *rollout = rollout_of(ROLLOUT);

	ck_assert_str_eq(rollout->policy_name, "p");
	ck_assert_str_eq(rollout->owner_uid, "pu");
	ck_assert(rollout->finalizer);
	ck_assert_uint_eq(rollout->finalizers.count, 2);
	kube_sha256_hex("u", 1, digest);
	ck_assert_uint_eq(strlen(rollout->hash), 16);
	ck_assert(strncmp(rollout->hash, digest, 16) == 0);
	ck_assert(strncmp(rollout->status_json, "{\"active\":[{\"attempt\":2,", 24) == 0);
	kube_object_unref(&rollout->object);
}
END_TEST

START_TEST(test_status)
{
	struct rollout *rollout = rollout_of(ROLLOUT);
	const struct rollout_status *status = &rollout->status;

	ck_assert_int_eq(status->observed_generation, 2);
	ck_assert_str_eq(status->plan_hash, "ph");
	ck_assert_str_eq(status->policy_hash, "yh");
	ck_assert_str_eq(status->for_uid, "u");
	ck_assert_uint_eq(status->revisions.count, 2);
	ck_assert_int_eq(status->epoch, 3);
	ck_assert_int_eq(status->conditions.items[0].status, CONDITION_UNKNOWN);
	ck_assert_int_eq(status->conditions.items[0].last_transition_ms, AT_MS);
	ck_assert_int_eq(status->outcome, OUTCOME_ROLLED_BACK);
	ck_assert_str_eq(status->summary, "s");
	ck_assert_str_eq(status->progress, "1/3");
	ck_assert_str_eq(status->current_wave, "canary");
	ck_assert_int_eq(status->counts.total, 10);
	ck_assert_int_eq(status->counts.pending, 1);
	ck_assert_int_eq(status->counts.active, 2);
	ck_assert_int_eq(status->counts.patched, 3);
	ck_assert_int_eq(status->counts.failed, 4);
	ck_assert_int_eq(status->counts.rolled_back, 5);
	ck_assert_int_eq(status->counts.skipped, 6);
	ck_assert_int_eq(status->versions.items[0].component, COMPONENT_KERNEL);
	ck_assert_int_eq(status->started_ms, AT_MS);
	ck_assert_int_eq(status->finished_ms, AT_MS);
	kube_object_unref(&rollout->object);
}
END_TEST

START_TEST(test_lists)
{
	struct rollout *rollout = rollout_of(ROLLOUT);
	const struct wave_status *waves = rollout->status.waves.items;
	const struct active *active = rollout->status.active.items;
	const struct failure *failed = rollout->status.failed.items;
	const struct decision *decisions = rollout->status.decisions.items;

	ck_assert_uint_eq(rollout->status.waves.count, 2);
	ck_assert_int_eq(waves[0].state, WAVE_SOAKING);
	ck_assert_int_eq(waves[0].soak_until_ms, AT_MS);
	ck_assert_str_eq(waves[0].reason, "Why");
	ck_assert_str_eq(waves[0].message, "so");
	ck_assert_str_eq(waves[1].message, "");
	ck_assert(waves[1].started_ms == KUBE_TIME_NONE);
	ck_assert(waves[1].finished_ms == KUBE_TIME_NONE);
	ck_assert(waves[1].soak_until_ms == KUBE_TIME_NONE);
	ck_assert_str_eq(waves[1].reason, "");

	ck_assert_uint_eq(rollout->status.active.count, 2);
	ck_assert_int_eq(active[0].step, STEP_DRAINING);
	ck_assert_int_eq(active[0].since_ms, AT_MS);
	ck_assert_int_eq(active[0].attempt, 2);
	ck_assert(active[0].foreign_cordon);
	ck_assert_str_eq(active[0].reason, "R");
	ck_assert_str_eq(active[0].message, "M");
	ck_assert_str_eq(active[0].job_name, "pw-1");
	ck_assert_str_eq(active[0].job_uid, "ju");
	ck_assert_str_eq(active[0].blocked_by.kind, "PodDisruptionBudget");
	ck_assert_str_eq(active[0].blocked_by.namespace_, "shop");
	ck_assert_str_eq(active[0].blocked_by.name, "cart");
	ck_assert_str_eq(active[0].blocked_by.pod, "shop/cart-0");
	ck_assert_int_eq(active[0].blocked_by.since_ms, AT_MS);
	ck_assert_ptr_null(active[1].blocked_by.kind);
	ck_assert_ptr_null(active[1].job_name);
	ck_assert_ptr_null(active[1].reason);
	ck_assert_str_eq(active[1].wave, "");

	ck_assert_int_eq(failed[0].step, STEP_PATCHING);
	ck_assert_int_eq(failed[0].at_ms, AT_MS);
	ck_assert_str_eq(failed[1].message, "");
	ck_assert_int_eq(decisions[0].type, DECISION_START);
	ck_assert_str_eq(decisions[0].evidence, "e");
	ck_assert_int_eq(decisions[1].type, DECISION_ROLL_BACK_DONE);
	ck_assert_str_eq(decisions[1].evidence, "");
	ck_assert_str_eq(decisions[1].hash, "");
	kube_object_unref(&rollout->object);
}
END_TEST

START_TEST(test_new)
{
	static const char *const cases[] = {
	    "{'metadata':{'name':'r'},'spec':{'policyRef':{'name':'p'}}}",
	    "{'metadata':{'name':'r','finalizers':null,'ownerReferences':null},'spec':{'policyRef':{'name':'p'}},"
	    "'status':null}",
	    "{'metadata':{'name':'r'},'spec':{'policyRef':{'name':'p'}},'status':{'plan':null,'conditions':null,"
	    "'outcome':null,'counts':null,'waves':null,'active':null,'failed':null,'decisions':null,'startedAt':null}}",
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct rollout *rollout = rollout_of(cases[i]);
		ck_assert(!rollout->finalizer);
		ck_assert_str_eq(rollout->owner_uid, "");
		ck_assert_int_eq(rollout->status.outcome, OUTCOME_NONE);
		ck_assert_ptr_null(rollout->status.plan_hash);
		ck_assert_str_eq(rollout->status.summary, "");
		ck_assert(rollout->status.started_ms == KUBE_TIME_NONE);
		ck_assert(rollout->status.finished_ms == KUBE_TIME_NONE);
		ck_assert_uint_eq(rollout->status.active.count, 0);
		if (i < 2)
			ck_assert_str_eq(rollout->status_json, "");
		kube_object_unref(&rollout->object);
	}
}
END_TEST

START_TEST(test_refused)
{
#define WITH(status) "{'metadata':{'name':'r'},'spec':{'policyRef':{'name':'p'}},'status':" status "}"
	static const struct {
		const char *json, *says;
	} cases[] = {
	    {"{'metadata':{'name':'r'}}", "PatchRollout r: spec"},
	    {"{'metadata':{'name':'r'},'spec':{}}", "spec.policyRef"},
	    {WITH("[]"), "PatchRollout r: status"},
	    {WITH("{'outcome':'Won'}"), "outcome"},
	    {WITH("{'epoch':'1'}"), "epoch"},
	    {WITH("{'active':[{'node':'n','nodeUID':'u','step':'Dancing'}]}"), "active[0].step"},
	    {WITH("{'active':[{'node':'n','step':'Claimed'}]}"), "active[0].nodeUID"},
	    {WITH("{'active':[null]}"), "active[0]"},
	    {WITH("{'decisions':[{'id':'i','seq':1,'at':'x','type':'Start'}]}"), "decisions[0].at"},
	    {WITH("{'decisions':[{'id':'i','seq':1.5,'at':'2026-11-21T11:22:38Z','type':'Start'}]}"), "decisions[0].seq"},
	    {WITH("{'waves':[{'name':'w','state':''}]}"), "waves[0].state"},
	    {WITH("{'startedAt':'soon'}"), "startedAt"},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++)
		check_refused(&rollout_projection, cases[i].json, cases[i].says);
}
END_TEST

START_TEST(test_same)
{
	static const struct same_case cases[] = {
	    {"metadata>resourceVersion", "'2'", true},
	    {"metadata>managedFields", "[{}]", true},
	    {"metadata>uid", "'v'", false},
	    {"metadata>generation", "3", false},
	    {"metadata>deletionTimestamp", AT, false},
	    {"metadata>finalizers", "['a']", false},
	    {"metadata>ownerReferences", NULL, false},
	    {"spec>policyRef>name", "'q'", false},
	    {"spec>versions", "[{'component':'Kernel','version':'6.1'}]", false},
	    {"spec>emergency", "{'enabled':true,'reason':'CVE-2027-1234'}", false},
	    {"status>epoch", "4", false},
	    {"status>active>0>blockedBy>message", "'other'", false},
	    {"status>decisions>0>evidence", "'other'", false},
	    {"status", NULL, false},
	};
	check_same(&rollout_projection, ROLLOUT, cases, KUBE_ARRAY_LEN(cases));
}
END_TEST

CHECK_MAIN("rollout", test_object, test_status, test_lists, test_new, test_refused, test_same)
