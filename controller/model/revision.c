/* ControllerRevisions that hold pages of a plan or of a ledger. */
#include "controller/model/internal.h"
#include "controller/model/names.h"

#include <kube/digest.h>
#include <string.h>

#define MAX_LEDGER_PAGE 500

#define AT(member) offsetof(struct revision, member)
static const struct kube_json_field target_table[] = {
    {.name = "n", .type = KUBE_JSON_STRING, .offset = offsetof(struct target, node), .required = true},
    {.name = "u", .type = KUBE_JSON_STRING, .offset = offsetof(struct target, node_uid), .required = true},
    {.name = "w", .type = KUBE_JSON_INT, .offset = offsetof(struct target, wave), .required = true},
    {.name = "x", .type = KUBE_JSON_STRING, .offset = offsetof(struct target, exception)},
    KUBE_JSON_END,
};

static const struct kube_json_field plan_table[] = {
    {.name = "planHash", .type = KUBE_JSON_STRING, .offset = AT(plan_hash), .required = true},
    {.name = "policyHash", .type = KUBE_JSON_STRING, .offset = AT(policy_hash), .required = true},
    {.name = "pages", .type = KUBE_JSON_INT, .offset = AT(pages), .required = true},
    {.name = "versions",
     .type = KUBE_JSON_LIST,
     .offset = AT(pins),
     .table = version_of_table,
     .size = sizeof(struct version_of)},
    {.name = "targets",
     .type = KUBE_JSON_LIST,
     .offset = AT(targets),
     .required = true,
     .table = target_table,
     .size = sizeof(struct target)},
    KUBE_JSON_END,
};

static const struct kube_json_field ledger_table[] = {
    {.name = "decisions",
     .type = KUBE_JSON_LIST,
     .offset = AT(decisions),
     .required = true,
     .table = decision_table,
     .size = sizeof(struct decision)},
    KUBE_JSON_END,
};

static int decode_rules(const cJSON *data, struct revision *revision, struct kube_arena *arena, struct kube_err *err)
{
	char digest[KUBE_SHA256_HEX_SIZE];
	const cJSON *json = kube_json_get(data, "rules");
	struct rules *rules = kube_arena_alloc(arena, sizeof(*rules));
	_cleanup_free_ char *text = json ? kube_json_canonical(json) : NULL;

	if (!json)
		return kube_fail(err, KUBE_E_PARSE, "rules: required on page 1, but absent");
	if (!rules || !text)
		return meta_out_of_memory(err);
	if (strcmp(kube_sha256_hex(text, strlen(text), digest), revision->policy_hash) != 0)
		return kube_fail(err, KUBE_E_PARSE, "rules: they have the hash %.16s, not policyHash %.16s", digest,
		                 revision->policy_hash);
	int rc = rules_decode(json, rules, arena, err);
	if (rc)
		return kube_err_prefix(err, "rules");
	rc = rules_pin(rules, &revision->pins, err);
	if (!rc)
		revision->rules = rules;
	return rc;
}

static int check_plan(const struct revision *revision, struct kube_err *err)
{
	size_t waves = revision->rules ? revision->rules->waves.count : MAX_WAVES;

	if (revision->number < 1 || revision->number > revision->pages)
		return kube_fail(err, KUBE_E_PARSE, "it is page %lld of %lld", (long long)revision->number,
		                 (long long)revision->pages);
	if (revision->targets.count > PLAN_PAGE_TARGETS)
		return kube_fail(err, KUBE_E_LIMIT, "targets: %zu entries, more than %d", revision->targets.count,
		                 PLAN_PAGE_TARGETS);
	for (size_t i = 0; i < revision->targets.count; i++) {
		int64_t wave = revision->targets.items[i].wave;
		if (wave < 0 || wave >= (int64_t)waves)
			return kube_fail(err, KUBE_E_PARSE, "targets[%zu].w: there is no wave %lld", i, (long long)wave);
	}
	return 0;
}

static int decode_plan(const cJSON *data, struct revision *revision, struct kube_arena *arena, struct kube_err *err)
{
	int rc = kube_json_decode(data, plan_table, revision, arena, err);
	if (!rc && revision->number == 1)
		rc = decode_rules(data, revision, arena, err);
	return rc ? rc : check_plan(revision, err);
}

static int decode_ledger(const cJSON *data, struct revision *revision, struct kube_arena *arena, struct kube_err *err)
{
	int rc = kube_json_decode(data, ledger_table, revision, arena, err);
	if (!rc && revision->decisions.count > MAX_LEDGER_PAGE)
		rc = kube_fail(err, KUBE_E_LIMIT, "decisions: %zu entries, more than %d", revision->decisions.count,
		               MAX_LEDGER_PAGE);
	if (!rc)
		decisions_complete(revision->decisions.items, revision->decisions.count);
	return rc;
}

static int decode_data(const cJSON *item, struct revision *revision, struct kube_arena *arena, struct kube_err *err)
{
	const cJSON *data = kube_json_get(item, "data");
	const char *page = meta_label(item, PW_LABEL_PAGE);

	if (!page || !*revision->rollout_uid)
		return kube_fail(err, KUBE_E_PARSE, "it is no page of a rollout: label %s or its owner is missing",
		                 PW_LABEL_PAGE);
	if (!revision->ledger && strcmp(page, "plan") != 0)
		return kube_fail(err, KUBE_E_PARSE, "label %s: expected plan or ledger", PW_LABEL_PAGE);
	if (!data)
		return kube_fail(err, KUBE_E_PARSE, "data: required, but absent");
	return revision->ledger ? decode_ledger(data, revision, arena, err) : decode_plan(data, revision, arena, err);
}

/* What cannot be used must not be half used. */
static int spoil(struct revision *revision, const struct kube_err *problem, struct kube_arena *arena,
                 struct kube_err *err)
{
	revision->rules = NULL;
	revision->targets.count = 0;
	revision->decisions.count = 0;
	revision->data_error = kube_arena_strdup(arena, problem->message);
	return revision->data_error ? 0 : meta_out_of_memory(err);
}

/* Other controllers keep revisions too: only a PatchRollout makes one ours. */
static const char *owner_uid(const cJSON *item, struct kube_arena *arena)
{
	const cJSON *owner = meta_controller(item);
	const char *kind = kube_json_str(owner, "kind"), *api = kube_json_str(owner, "apiVersion");
	bool ours = kind && api && strcmp(kind, pw_rollouts.kind) == 0 && strncmp(api, PW_GROUP "/", sizeof(PW_GROUP)) == 0;

	return ours ? meta_str(owner, "uid", arena) : "";
}

static int decode(const cJSON *item, struct kube_object *self, struct kube_arena *arena, struct kube_err *err)
{
	static const struct kube_json_field table[] = {
	    {.name = "revision", .type = KUBE_JSON_INT, .offset = AT(number), .required = true},
	    KUBE_JSON_END,
	};
	struct revision *revision = (struct revision *)self;
	struct kube_err problem;
	const char *name = meta_label(item, PW_LABEL_ROLLOUT), *page = meta_label(item, PW_LABEL_PAGE);

	int rc = kube_json_decode(item, table, revision, arena, err);
	if (rc)
		return rc;
	revision->ledger = page && strcmp(page, "ledger") == 0;
	revision->rollout_name = kube_arena_strdup(arena, name ? name : "");
	revision->rollout_uid = owner_uid(item, arena);
	if (!revision->rollout_name || !revision->rollout_uid)
		return meta_out_of_memory(err);
	rc = decode_data(item, revision, arena, &problem);
	if (rc == KUBE_E_NOMEM)
		return meta_out_of_memory(err);
	return rc ? spoil(revision, &problem, arena, err) : 0;
}

/* The API server lets nobody change data. */
static bool same(const struct kube_object *a, const struct kube_object *b)
{
	const struct revision *x = (const struct revision *)a, *y = (const struct revision *)b;
	return same_object(a, b) && x->ledger == y->ledger && x->number == y->number &&
	       same_str(x->rollout_name, y->rollout_name) && same_str(x->rollout_uid, y->rollout_uid);
}

const struct kube_projection revision_projection = {
    .resource = &kube_controller_revisions,
    .size = sizeof(struct revision),
    .decode = decode,
    .same = same,
};

const char *revision_rollout_index(const struct kube_object *object)
{
	const struct revision *revision = (const struct revision *)object;
	return *revision->rollout_uid ? revision->rollout_uid : NULL;
}
