#include "controller/status/status.h"
#include "test/unit/check_main.h"
#include "test/unit/status/wanted.h"

#include <kube/digest.h>

#define COUNT 4

struct chain {
	struct decision decisions[COUNT];
	const struct decision *list[COUNT];
};

static struct chain *chain_of(struct kube_arena *arena)
{
	struct chain *chain = kube_arena_alloc(arena, sizeof(*chain));
	const char *previous = NULL;

	for (int i = 0; i < COUNT; i++) {
		struct decision *decision = &chain->decisions[i];
		*decision = decision_of(arena, DECISION_START, kube_arena_printf(arena, "n%d", i), 1);
		ledger_seal(decision, i + 1, previous, arena);
		previous = decision->hash;
		chain->list[i] = decision;
	}
	return chain;
}

/* The hash that anybody can compute from the document with sha256sum and sorted keys. */
START_TEST(test_seal)
{
	static const char canonical[] =
	    "{\"actor\":\"patchwright\",\"at\":\"" NOW_TEXT
	    "\",\"evidence\":\"2 of 10 nodes are unavailable, at most 3 may be\","
	    "\"id\":\"n1-1-0\",\"previous\":\"abc\",\"reason\":\"WithinBudget\",\"rule\":\"maxUnavailable\",\"seq\":7,"
	    "\"subject\":\"n1\",\"type\":\"Start\"}";
	struct kube_arena arena = {0};
	char digest[KUBE_SHA256_HEX_SIZE];
	struct decision decision = decision_of(&arena, DECISION_START, "n1", 1);

	ledger_seal(&decision, 7, "abc", &arena);
	ck_assert_int_eq(decision.seq, 7);
	ck_assert_str_eq(decision.previous, "abc");
	ck_assert_str_eq(decision.hash, kube_sha256_hex(canonical, strlen(canonical), digest));
	kube_arena_finish(&arena);
}
END_TEST

/* What is written and read back still verifies: times have whole seconds there. */
START_TEST(test_survives_the_server)
{
	struct kube_arena arena = {0};
	struct decision decision = decision_of(&arena, DECISION_FAIL, "n1", 1), back = {0};
	const struct decision *list[] = {&back};

	decision.at_ms = NOW + 987;
	decision.evidence = "exit 1: \"no space\"\n\xe2\x82\xac";
	ledger_seal(&decision, 1, NULL, &arena);
	_cleanup_json_ cJSON *json = decision_json(&decision);
	_cleanup_free_ char *text = cJSON_PrintUnformatted(json);
	_cleanup_json_ cJSON *parsed = cJSON_Parse(text);
	ck_assert_int_eq(kube_json_decode(parsed, decision_table, &back, &arena, NULL), 0);
	ck_assert_int_eq(ledger_verify(list, 1, NULL), 0);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(test_verify_whole_and_part)
{
	struct kube_arena arena = {0};
	struct chain *chain = chain_of(&arena);
	ck_assert_int_eq(ledger_verify(chain->list, COUNT, NULL), 0);
	ck_assert_int_eq(ledger_verify(chain->list + 2, COUNT - 2, NULL), 0); /* the earlier ones are on a page */
	ck_assert_int_eq(ledger_verify(chain->list, 0, NULL), 0);
	kube_arena_finish(&arena);
}
END_TEST

/* Every field is under the hash, and no decision can be taken out, put in or moved. */
START_TEST(test_tampering)
{
	enum {
		ID,
		AT,
		TYPE,
		SUBJECT,
		RULE,
		ACTOR,
		REASON,
		EVIDENCE,
		PREVIOUS,
		SEQ,
		HASH,
		NO_HASH,
		REMOVED,
		SWAPPED,
		RESEALED,
		OTHER_PREVIOUS,
		OTHER_SEQ,
		FIRST,
		ALL
	};
	for (int what = 0; what < ALL; what++) {
		struct kube_arena arena = {0};
		struct kube_err err = {0};
		struct chain *chain = chain_of(&arena);
		struct decision *d = &chain->decisions[1];
		size_t count = COUNT;
		const char *names = "decision 2";

		switch (what) {
		case ID: d->id = "x"; break;
		case AT: d->at_ms += 1000; break;
		case TYPE: d->type = DECISION_SKIP; break;
		case SUBJECT: d->subject = "x"; break;
		case RULE: d->rule = "x"; break;
		case ACTOR: d->actor = "x"; break;
		case REASON: d->reason = "x"; break;
		case EVIDENCE: d->evidence = "x"; break;
		case PREVIOUS: d->previous = "x"; break;
		case SEQ: d->seq = 3, names = "decision 3"; break;
		case HASH: d->hash = chain->decisions[0].hash; break;
		case NO_HASH: d->hash = NULL; break;
		case REMOVED:
			chain->list[1] = chain->list[2], chain->list[2] = chain->list[3], count--;
			names = "decision 3";
			break;
		case SWAPPED: chain->list[1] = &chain->decisions[2], chain->list[2] = d, names = "decision 3"; break;
		case RESEALED: /* altered and given a good hash: its successor tells */
			d->evidence = "x";
			ledger_seal(d, 2, chain->decisions[0].hash, &arena);
			names = "decision 3";
			break;
		case OTHER_PREVIOUS: ledger_seal(d, 2, "abc", &arena); break;
		case OTHER_SEQ:
			ledger_seal(d, 4, chain->decisions[0].hash, &arena);
			names = "decision 4";
			break;
		case FIRST: /* a beginning that follows something */
			ledger_seal(&chain->decisions[0], 1, "abc", &arena);
			names = "decision 1";
			break;
		}
		ck_assert_msg(ledger_verify(chain->list, count, &err) == KUBE_E_INVALID, "case %d is not noticed", what);
		ck_assert_msg(strstr(err.message, names) != NULL, "case %d: \"%s\" does not name %s", what, err.message, names);
		kube_arena_finish(&arena);
	}
}
END_TEST

CHECK_MAIN("ledger", test_seal, test_survives_the_server, test_verify_whole_and_part, test_tampering)
