/* What the files of the world share. Tests include world.h. */
#ifndef TEST_UNIT_PLAN_WORLD_INTERNAL_H
#define TEST_UNIT_PLAN_WORLD_INTERNAL_H

#include "test/unit/plan/world.h"

/* ---- world.c ---- */

cJSON *world_parse(const char *quoted);
void *world_decode(struct world *world, const struct kube_projection *projection, const cJSON *json);
const char *world_keep(struct world *world, const char *text);
void world_look_again(struct world *world, int64_t at_ms);

/* ---- world_cluster.c ---- */

void world_put(struct world *world, struct kube_strmap *map, const char *key, const char *value);
void world_show(struct world_node *node, int info, const char *version);
struct world_node *world_node_by_uid(const struct world *world, const char *uid);
bool world_held(const struct world_node *node);

/* ---- world_rollout.c ---- */

void world_drop_rollout(struct world_rollout *rollout);
void world_create_revision(struct world *world, const struct action *action);
void world_finalize(struct world *world, struct world_rollout *rollout, bool on);
void world_create_report(struct world *world, const struct report_page *page);
bool world_write_status(struct world *world, struct world_rollout *rollout);

/* ---- world_snapshot.c ---- */

bool world_job_of(const struct world_pod *pod, const struct rollout *rollout);
void world_fill_nodes(struct world *world, struct rollout_snapshot *s);

/* ---- world_effect.c ---- */

bool world_in_active(const struct rollout *rollout, const char *uid);
struct world_pod *world_find_pod(const struct world *world, const struct pod *pod);
bool world_act(struct world *world, struct world_rollout *rollout, const struct action *action);

/* ---- world_job.c ---- */

void world_create_job(struct world *world, const struct job_create *create);
bool world_read_job(struct world *world, const struct job_read *read);
void world_release_job(struct world *world, const struct pod *pod);
void world_delete_jobs(struct world *world, const char *hash);
void world_end_job(struct world *world, struct world_pod *job);

/* ---- world_look.c ---- */

const struct world_report *world_report_of(const struct world *world, const struct rollout *rollout, size_t page);

#endif
