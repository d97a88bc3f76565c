/* Wanted statuses and the objects that they make, for the tests of status/. */
#ifndef TEST_UNIT_STATUS_WANTED_H
#define TEST_UNIT_STATUS_WANTED_H

#include "controller/status/status.h"
#include "test/unit/model/decode.h"

#include <kube/time.h>

#define NOW INT64_C(1795260158000)
#define NOW_TEXT "2026-11-21T11:22:38Z"

/* The rollout that has this status (NULL: none). */
static inline struct rollout *rollout_with(const cJSON *status)
{
	_cleanup_json_ cJSON *json =
	    json_of("{'metadata':{'name':'r','uid':'u','resourceVersion':'1'},'spec':{'policyRef':{'name':'p'}}}");
	if (status)
		cJSON_AddItemToObject(json, "status", cJSON_Duplicate(status, true));
	return (struct rollout *)object_of_json(&rollout_projection, json);
}

static inline struct rollout_status wanted_nothing(void)
{
	return (struct rollout_status){
	    .observed_generation = 1, .epoch = 1, .started_ms = KUBE_TIME_NONE, .finished_ms = KUBE_TIME_NONE};
}

/* A fixed text of len bytes, in the arena. */
static inline const char *text_of(struct kube_arena *arena, char with, size_t len)
{
	char *text = kube_arena_alloc(arena, len + 1);
	memset(text, with, len);
	return text;
}

static inline struct decision decision_of(struct kube_arena *arena, int type, const char *subject, int64_t attempt)
{
	return (struct decision){
	    .id = kube_arena_printf(arena, "%s-%lld-%d", subject, (long long)attempt, type),
	    .at_ms = NOW,
	    .type = type,
	    .subject = subject,
	    .rule = "maxUnavailable",
	    .actor = "patchwright",
	    .reason = "WithinBudget",
	    .evidence = "2 of 10 nodes are unavailable, at most 3 may be",
	};
}

/* Sets wanted.decisions to count Start decisions for the nodes n<first>, n<first + 1>, …, with their grants. */
static inline void want_starts(struct rollout_status *wanted, struct kube_arena *arena, size_t first, size_t count)
{
	wanted->decisions.items = kube_arena_calloc(arena, count, sizeof(struct decision));
	wanted->decisions.count = count;
	wanted->active.items = kube_arena_calloc(arena, count, sizeof(struct active));
	wanted->active.count = count;
	for (size_t i = 0; i < count; i++) {
		const char *node = kube_arena_printf(arena, "n%zu", first + i);
		wanted->decisions.items[i] = decision_of(arena, DECISION_START, node, 1);
		wanted->active.items[i] = (struct active){.node = node,
		                                          .node_uid = kube_arena_printf(arena, "uid-%zu", first + i),
		                                          .wave = "rest",
		                                          .step = STEP_CLAIMED,
		                                          .since_ms = NOW,
		                                          .attempt = 1};
	}
}

static inline struct rollout_status_write compose(const struct rollout *rollout, const struct rollout_status *wanted,
                                                  const struct revision *const *ledger, size_t ledger_count,
                                                  struct kube_arena *arena)
{
	struct rollout_status_write write = {0};
	struct kube_err err = {0};
	int rc = rollout_status_compose(rollout, wanted, ledger, ledger_count, NOW, arena, &write, &err);
	ck_assert_msg(rc == 0, "%s", err.message);
	return write;
}

#endif
