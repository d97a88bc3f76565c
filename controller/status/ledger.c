/* The chain of decisions: each holds the hash of the one before it. */
#include "controller/model/put.h"
#include "controller/status/internal.h"

#include <kube/digest.h>
#include <string.h>

static cJSON *fields_json(const struct decision *decision)
{
	cJSON *json = cJSON_CreateObject();
	bool ok = put_str(json, "id", decision->id) && put_int(json, "seq", decision->seq) &&
	          put_time(json, "at", decision->at_ms) && put_str(json, "type", decision_type_names[decision->type]) &&
	          put_str(json, "subject", decision->subject) && put_str(json, "rule", decision->rule) &&
	          put_str(json, "actor", decision->actor) && put_str(json, "reason", decision->reason) &&
	          put_str(json, "evidence", decision->evidence) && put_str(json, "previous", decision->previous);
	if (ok)
		return json;
	cJSON_Delete(json);
	return NULL;
}

cJSON *decision_json(const struct decision *decision)
{
	cJSON *json = fields_json(decision);

	if (json && put_str(json, "hash", decision->hash))
		return json;
	cJSON_Delete(json);
	return NULL;
}

/* False when out of memory. */
static bool hash_of(const struct decision *decision, char out[KUBE_SHA256_HEX_SIZE])
{
	_cleanup_json_ cJSON *json = fields_json(decision);
	_cleanup_free_ char *text = json ? kube_json_canonical(json) : NULL;

	if (text)
		kube_sha256_hex(text, strlen(text), out);
	return text != NULL;
}

/* Out of memory leaves hash NULL. */
void ledger_seal(struct decision *decision, int64_t seq, const char *previous_hash, struct kube_arena *arena)
{
	char hash[KUBE_SHA256_HEX_SIZE];

	decision->seq = seq;
	decision->previous = previous_hash ? previous_hash : "";
	decision->hash = hash_of(decision, hash) ? kube_arena_strdup(arena, hash) : NULL;
}

static int broken(struct kube_err *err, const struct decision *decision, const char *what)
{
	return kube_fail(err, KUBE_E_INVALID, "decision %lld (%s, %s %s) %s", (long long)decision->seq, decision->id,
	                 decision_type_names[decision->type], decision->subject ? decision->subject : "", what);
}

/* before NULL: the list begins here. Only decision 1 begins the whole ledger. */
static int verify_one(const struct decision *decision, const struct decision *before, struct kube_err *err)
{
	char hash[KUBE_SHA256_HEX_SIZE];
	const char *previous = decision->previous ? decision->previous : "";

	if (!hash_of(decision, hash))
		return status_out_of_memory(err);
	if (!decision->hash || strcmp(decision->hash, hash) != 0)
		return broken(err, decision, "was altered: its hash is not that of its contents");
	if (before ? decision->seq != before->seq + 1 : decision->seq < 1)
		return broken(err, decision, "has the wrong sequence number: one before it is missing or was added");
	if (before ? strcmp(previous, before->hash) != 0 : (decision->seq == 1) != (*previous == '\0'))
		return broken(err, decision, "does not follow the one before it: its previous hash is another one");
	return 0;
}

int ledger_verify(const struct decision *const *decisions, size_t count, struct kube_err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++)
		rc = verify_one(decisions[i], i > 0 ? decisions[i - 1] : NULL, err);
	return rc;
}
