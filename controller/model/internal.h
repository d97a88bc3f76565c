/* What the files of the model share. Not for others. */
#ifndef MODEL_INTERNAL_H
#define MODEL_INTERNAL_H

#include "controller/model/rollout.h"
#include <kube/json.h>
#include <kube/object.h>

/* ---- meta.c: parts of metadata ---- */

const char *meta_label(const cJSON *item, const char *key);      /* NULL when absent */
const char *meta_annotation(const cJSON *item, const char *key); /* NULL when absent */
/* The annotation patchwright.io/author, "" when absent. KUBE_E_NOMEM. */
int meta_author(const cJSON *item, const char **ret_author, struct kube_arena *arena, struct kube_err *err);
bool meta_has_finalizer(const cJSON *item, const char *finalizer);
/* The ownerReference with controller: true; NULL: none. */
const cJSON *meta_controller(const cJSON *item);
/* A copy of the string at a dotted path of obj, "" when absent; NULL when out of memory. */
const char *meta_str(const cJSON *obj, const char *path, struct kube_arena *arena);
int meta_out_of_memory(struct kube_err *err);
/* Canonical JSON of the value at a dotted path, in the arena. KUBE_E_NOMEM. */
int meta_canonical(const cJSON *obj, const char *path, const char *absent, const char **ret_text,
                   struct kube_arena *arena, struct kube_err *err);

/* ---- parts.c: what is read of built-in types before they are projected; for other tables to name ---- */

struct condition_part {
	const char *type, *status;
	int64_t since_ms; /* lastTransitionTime; 0 when absent */
};
struct condition_parts {
	struct condition_part *items;
	size_t count;
};
extern const struct kube_json_field condition_part_table[];
/* NULL: none of that type. */
const struct condition_part *condition_part_get(const struct condition_parts *conditions, const char *type);
bool condition_part_true(const struct condition_part *condition); /* NULL is not */

struct owner_part {
	const char *kind, *name, *uid;
	bool controller;
};
struct owner_parts {
	struct owner_part *items;
	size_t count;
};
extern const struct kube_json_field owner_part_table[];
/* The one with controller: true; all empty: none. */
struct owner_part owner_part_controller(const struct owner_parts *owners);

/* ---- same.c: whether two projections say the same ---- */

bool same_str(const char *a, const char *b); /* NULL equals NULL only */
bool same_strmap(const struct kube_strmap *a, const struct kube_strmap *b);
bool same_strlist(const struct kube_strlist *a, const struct kube_strlist *b);
/* Everything that a decoding table names, fields of type CUSTOM aside: those are the caller's. */
bool same_fields(const struct kube_json_field *table, const void *a, const void *b);
/* The same object, as far as every kind needs it: UID and whether it is being deleted. */
bool same_object(const struct kube_object *a, const struct kube_object *b);

/* ---- condition.c ---- */

/* Puts "" where a message is absent. */
void conditions_complete(struct conditions *conditions);

/* ---- strategy.c, strategy_check.c: spec.strategy ---- */

extern const struct kube_json_field strategy_table[];
/* The defaults of what is no list, before decoding; then those of the waves. */
void strategy_init(struct rules *rules);
int strategy_default(const cJSON *strategy, struct rules *rules, struct kube_arena *arena, struct kube_err *err);
int strategy_check(const struct rules *rules, struct kube_err *err);

/* ---- words.c ---- */

/* The words of a list as bits, by their index in words, which NULL ends. expected: all of them, for people. */
int words_decode(const cJSON *list, const char *const *words, const char *expected, uint32_t *ret_bits,
                 struct kube_err *err);

/* ---- approval_rules.c: spec.approval ---- */

extern const struct kube_json_field approval_rules_table[];
struct approval_rules approval_rules_defaults(void);

/* ---- emergency.c: spec.emergency of a policy ---- */

extern const struct kube_json_field emergency_rules_table[];
struct emergency_rules emergency_rules_defaults(void);

/* ---- window_spec.c ---- */

extern const struct kube_json_field window_table[], freeze_table[];
/* What each type of window needs must be there; defaults. */
int windows_complete(const cJSON *spec, struct rules *rules, struct kube_err *err);
int windows_check(const struct rules *rules, struct kube_err *err); /* the part of rules_check() */

/* ---- gate.c ---- */

extern const struct kube_json_field gate_table[];
/* What each type of gate needs must be there; defaults. */
int gates_complete(const cJSON *spec, struct rules *rules, struct kube_err *err);
int gates_check(const struct rules *rules, struct kube_err *err); /* the part of rules_check() */

/* ---- exception.c ---- */

extern const struct kube_json_field exception_table[], exception_status_table[];

/* ---- rollout_status.c ---- */

int rollout_status_decode(const cJSON *status, struct rollout_status *ret_status, struct kube_arena *arena,
                          struct kube_err *err);
/* Puts "" where a decision's text is absent. */
void decisions_complete(struct decision *items, size_t count);

extern const struct kube_json_field version_of_table[];

#endif
