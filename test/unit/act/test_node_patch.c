/* What a node's step does to the node as the server has it, and on which nodes it must not do anything. */
#include "controller/act/bodies.h"
#include "test/unit/act/apply.h"
#include "test/unit/check_main.h"
#include "test/unit/model/decode.h"
#include <kube/client.h>
#include <kube/time.h>

/* STATE stands for the annotation as the controller itself writes it. */
#define NODE(annotations, spec) \
	"{'metadata':{'name':'n1','uid':'u1','resourceVersion':'7','annotations':{" annotations "}},'spec':{" spec "}}"
#define BARE "{'metadata':{'name':'n1','uid':'u1','resourceVersion':'7'},'spec':{}}"
#define OTHER_TAINT "{'key':'gpu','effect':'NoExecute','timeAdded':'2026-01-01T00:00:00Z'}"
#define QUARANTINE "{'key':'patchwright.io/quarantined','effect':'NoSchedule'}"

#define HELD "'cluster-autoscaler.kubernetes.io/scale-down-disabled':'true','karpenter.sh/do-not-disrupt':'true'"

enum state { STATE_NONE, STATE_DRAINING, STATE_PATCHING, STATE_HELD, STATE_ENDED };

static struct node_state state_of(enum state which)
{
	struct node_state state = {
	    .node_uid = "u1",
	    .rollout_uid = "r1",
	    .rollout = "r",
	    .wave = "canary",
	    .step = which == STATE_DRAINING ? STEP_DRAINING : STEP_PATCHING,
	    .attempt = 1,
	    .since_ms = 1000000,
	    .started_ms = 1000000,
	    .boot_id = "b",
	    .reason = "JobFailed",
	    .message = "a && b > c: <nil>", /* what Go's encoder escapes and cJSON does not */
	};
	static const char *held[] = {"-", "=10m"};
	if (which == STATE_HELD || which == STATE_ENDED)
		state.held = (struct kube_strlist){held, HELD_COUNT};
	if (which == STATE_ENDED)
		state.step = STEP_PATCHED;
	for (int i = 0; i < STEP_COUNT; i++)
		state.times[i] = KUBE_TIME_NONE;
	return state;
}

static void put_state(cJSON *node, enum state which, struct kube_arena *arena)
{
	cJSON *metadata = cJSON_GetObjectItem(node, "metadata");
	cJSON *annotations = cJSON_GetObjectItem(metadata, "annotations");
	struct node_state state = state_of(which);
	if (which == STATE_NONE)
		return;
	if (!annotations)
		annotations = cJSON_AddObjectToObject(metadata, "annotations");
	cJSON_AddStringToObject(annotations, PW_ANNOTATION_STATE, node_state_format(&state, arena));
}

#define NOTE "patchwright.io/applied.pool"

struct write_case {
	const char *label;
	const char *before;
	enum state old_state;
	bool claim;
	enum state new_state;
	enum change cordon, quarantine;
	const char *after;
};

static const struct write_case writes[] = {
    {"claim and cordon", NODE("'a':'b'", ""), STATE_NONE, true, STATE_DRAINING, CHANGE_ON, CHANGE_NONE,
     NODE("'a':'b'", "'unschedulable':true")},
    {"claim of a bare node", BARE, STATE_NONE, true, STATE_DRAINING, CHANGE_ON, CHANGE_NONE,
     NODE("", "'unschedulable':true")},
    {"claim leaves the cordon of others", NODE("'a':'b'", "'unschedulable':true"), STATE_NONE, true, STATE_DRAINING,
     CHANGE_NONE, CHANGE_NONE, NODE("'a':'b'", "'unschedulable':true")},
    {"claim replaces the state of an earlier rollout", NODE("'a':'b'", ""), STATE_PATCHING, true, STATE_DRAINING,
     CHANGE_ON, CHANGE_NONE, NODE("'a':'b'", "'unschedulable':true")},
    {"claim lifts a quarantine and keeps other taints", NODE("'a':'b'", "'taints':[" OTHER_TAINT "," QUARANTINE "]"),
     STATE_PATCHING, true, STATE_DRAINING, CHANGE_ON, CHANGE_OFF,
     NODE("'a':'b'", "'unschedulable':true,'taints':[" OTHER_TAINT "]")},
    {"next step", NODE("'a':'b'", "'unschedulable':true"), STATE_DRAINING, false, STATE_PATCHING, CHANGE_NONE,
     CHANGE_NONE, NODE("'a':'b'", "'unschedulable':true")},
    {"uncordon", NODE("", "'unschedulable':true"), STATE_DRAINING, false, STATE_PATCHING, CHANGE_OFF, CHANGE_NONE,
     NODE("", "")},
    {"uncordon of what is not cordoned", NODE("", ""), STATE_DRAINING, false, STATE_PATCHING, CHANGE_OFF, CHANGE_NONE,
     NODE("", "")},
    {"cordon of what is cordoned", NODE("", "'unschedulable':true"), STATE_DRAINING, false, STATE_PATCHING, CHANGE_ON,
     CHANGE_NONE, NODE("", "'unschedulable':true")},
    {"quarantine without taints", NODE("", "'unschedulable':true"), STATE_DRAINING, false, STATE_PATCHING, CHANGE_ON,
     CHANGE_ON, NODE("", "'unschedulable':true,'taints':[" QUARANTINE "]")},
    {"quarantine beside other taints", NODE("", "'taints':[" OTHER_TAINT "]"), STATE_DRAINING, false, STATE_PATCHING,
     CHANGE_ON, CHANGE_ON, NODE("", "'unschedulable':true,'taints':[" OTHER_TAINT "," QUARANTINE "]")},
    {"quarantine of what is quarantined", NODE("", "'taints':[" QUARANTINE "]"), STATE_DRAINING, false, STATE_PATCHING,
     CHANGE_NONE, CHANGE_ON, NODE("", "'taints':[" QUARANTINE "]")},
    {"release", NODE("'a':'b'", "'unschedulable':true"), STATE_PATCHING, false, STATE_NONE, CHANGE_OFF, CHANGE_NONE,
     NODE("'a':'b'", "")},
    {"release and end of quarantine", NODE("'a':'b'", "'unschedulable':true,'taints':[" QUARANTINE "]"), STATE_PATCHING,
     false, STATE_NONE, CHANGE_OFF, CHANGE_OFF, NODE("'a':'b'", "'taints':[]")},
    {"quarantine of a node that has lost its state", NODE("'a':'b'", ""), STATE_NONE, false, STATE_PATCHING, CHANGE_ON,
     CHANGE_ON, NODE("'a':'b'", "'unschedulable':true,'taints':[" QUARANTINE "]")},
    {"claim holds autoscalers off", NODE("'karpenter.sh/do-not-disrupt':'10m'", ""), STATE_NONE, true, STATE_HELD,
     CHANGE_ON, CHANGE_NONE, NODE(HELD, "'unschedulable':true")},
    {"claim of a node in quarantine holds autoscalers off", NODE("", "'taints':[" QUARANTINE "]"), STATE_PATCHING, true,
     STATE_HELD, CHANGE_ON, CHANGE_OFF, NODE(HELD, "'unschedulable':true,'taints':[]")},
    {"end puts back what was there", NODE(HELD, ""), STATE_HELD, false, STATE_ENDED, CHANGE_NONE, CHANGE_NONE,
     NODE("'karpenter.sh/do-not-disrupt':'10m'", "")},
    {"release puts back what was there", NODE(HELD, "'unschedulable':true"), STATE_HELD, false, STATE_NONE, CHANGE_OFF,
     CHANGE_NONE, NODE("'karpenter.sh/do-not-disrupt':'10m'", "")},
    {"end leaves what others say", NODE("'karpenter.sh/do-not-disrupt':'1h'", ""), STATE_HELD, false, STATE_ENDED,
     CHANGE_NONE, CHANGE_NONE, NODE("'karpenter.sh/do-not-disrupt':'1h'", "")},
    {"end of a node that has lost its state", NODE(HELD, "'unschedulable':true"), STATE_NONE, true, STATE_ENDED,
     CHANGE_OFF, CHANGE_NONE, NODE("'karpenter.sh/do-not-disrupt':'10m'", "")},
    {"end notes what was applied", NODE("", ""), STATE_PATCHING, false, STATE_ENDED, CHANGE_NONE, CHANGE_NONE,
     NODE("'" NOTE "':'2.0.0'", "")},
    {"quarantine of a bare node", BARE, STATE_NONE, false, STATE_PATCHING, CHANGE_ON, CHANGE_ON,
     NODE("", "'unschedulable':true,'taints':[" QUARANTINE "]")},
};

struct sent {
	cJSON *before; /* the node as it was looked at */
	cJSON *body;
	const char *content_type;
};

static struct sent send_write(const struct write_case *c, struct kube_arena *arena)
{
	static const struct patch applied = {.version = "2.0.0",
	                                     .observed = {.type = OBSERVED_ANNOTATION, .annotation = NOTE}};
	struct sent sent = {.before = json_of(c->before)};
	struct node_state state = state_of(c->new_state);
	put_state(sent.before, c->old_state, arena);
	struct kube_object *object = object_of_json(&node_projection, sent.before);
	struct node_write write = {
	    .node = (const struct node *)object,
	    .claim = c->claim,
	    .state = c->new_state == STATE_NONE ? NULL : &state,
	    .cordon = c->cordon,
	    .quarantine = c->quarantine,
	    .applied = strstr(c->after, NOTE) ? &applied : NULL,
	};
	sent.body = node_patch_body(&write, arena, &sent.content_type);
	kube_object_unref(object);
	return sent;
}

static void free_sent(struct sent *sent)
{
	cJSON_Delete(sent->before);
	cJSON_Delete(sent->body);
}

/* False: 409 or 422. */
static bool server_applies(const struct sent *sent, cJSON *node)
{
	if (strcmp(sent->content_type, KUBE_PATCH_MERGE) == 0)
		return apply_merge_patch(node, sent->body);
	ck_assert_str_eq(sent->content_type, KUBE_PATCH_JSON);
	return apply_json_patch(node, sent->body);
}

START_TEST(write_does_what_is_meant)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(writes); i++) {
		const struct write_case *c = &writes[i];
		struct kube_arena arena = {0};
		struct sent sent = send_write(c, &arena);
		_cleanup_json_ cJSON *expected = json_of(c->after);
		put_state(expected, c->new_state, &arena);
		ck_assert_msg(server_applies(&sent, sent.before), "%s: refused", c->label);
		_cleanup_free_ char *is = kube_json_canonical(sent.before), *should = kube_json_canonical(expected);
		ck_assert_msg(strcmp(is, should) == 0, "%s:\n%s\nnot\n%s", c->label, is, should);
		free_sent(&sent);
		kube_arena_finish(&arena);
	}
}
END_TEST

/* Whatever we do, it must be that node, in that state of ours. */
START_TEST(another_node_or_state_is_left_alone)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(writes); i++) {
		const struct write_case *c = &writes[i];
		struct kube_arena arena = {0};
		struct sent sent = send_write(c, &arena);
		_cleanup_json_ cJSON *other = cJSON_Duplicate(sent.before, true);
		json_set(other, "metadata>uid", "'u2'");
		ck_assert_msg(!server_applies(&sent, other), "%s: written to another node", c->label);
		_cleanup_json_ cJSON *moved = cJSON_Duplicate(sent.before, true);
		/* Somebody's later write; what carries no resourceVersion tests the state instead. */
		json_set(moved, "metadata>resourceVersion", "'8'");
		json_set(moved, "metadata>annotations>patchwright.io/state", "'another'");
		ck_assert_msg(!server_applies(&sent, moved), "%s: written over another state", c->label);
		free_sent(&sent);
		kube_arena_finish(&arena);
	}
}
END_TEST

static size_t write_named(const char *label)
{
	size_t i = 0;
	while (i < KUBE_ARRAY_LEN(writes) && strcmp(writes[i].label, label) != 0)
		i++;
	ck_assert_uint_lt(i, KUBE_ARRAY_LEN(writes));
	return i;
}

START_TEST(changes_of_others_meanwhile)
{
	static const struct {
		const char *label, *path, *value;
		bool applies;
	} cases[] = {
	    /* A claim rests on everything that was looked at; a step must not fail because a kubelet reported something. */
	    {"claim and cordon", "metadata>resourceVersion", "'8'", false},
	    {"claim lifts a quarantine and keeps other taints", "metadata>resourceVersion", "'8'", false},
	    {"next step", "metadata>resourceVersion", "'8'", true},
	    {"release", "metadata>resourceVersion", "'8'", true},
	    /* Somebody uncordoned it: that is for the next plan to see. */
	    {"uncordon", "spec>unschedulable", NULL, false},
	    /* The list of taints is another one than the one that was looked at. */
	    {"quarantine without taints", "spec>taints", "[" OTHER_TAINT "]", false},
	    {"release and end of quarantine", "spec>taints", "[" OTHER_TAINT "," QUARANTINE "]", false},
	    {"release and end of quarantine", "spec>taints", "[" QUARANTINE "," OTHER_TAINT "]", true},
	    {"quarantine beside other taints", "spec>taints", "[]", true},
	    {"end puts back what was there", "metadata>annotations>karpenter.sh/do-not-disrupt", "'false'", false},
	};
	for (size_t i = 0; i < KUBE_ARRAY_LEN(cases); i++) {
		struct kube_arena arena = {0};
		struct sent sent = send_write(&writes[write_named(cases[i].label)], &arena);
		json_set(sent.before, cases[i].path, cases[i].value);
		ck_assert_msg(server_applies(&sent, sent.before) == cases[i].applies, "%s: %s = %s", cases[i].label,
		              cases[i].path, cases[i].value ? cases[i].value : "absent");
		free_sent(&sent);
		kube_arena_finish(&arena);
	}
}
END_TEST

CHECK_MAIN("node_patch", write_does_what_is_meant, another_node_or_state_is_left_alone, changes_of_others_meanwhile)
