/*
 * One simulated world: what a seed draws, and the whole controller in it.
 *
 * A seed decides everything. What fails first is kept with its time; a second run of the same seed with a trace shows
 * how it came about.
 */
#ifndef TEST_SIM_WORLD_H
#define TEST_SIM_WORLD_H

#include "controller/cmd/controller.h"
#include "controller/model/admission.h"
#include "controller/model/approval.h"
#include "controller/model/node.h"
#include "controller/model/pod.h"
#include "controller/model/rollout.h"
#include <kube/buf.h>
#include <kube/sim_api.h>
#include <stdio.h>

#define NODES "/api/v1/nodes"
#define POLICIES "/apis/patchwright.io/v1alpha1/patchpolicies"
#define ROLLOUTS "/apis/patchwright.io/v1alpha1/patchrollouts"
#define JOB_NAMESPACE "patchwright-jobs"
#define OWN_NAMESPACE "patchwright-system"

#define DRAWN_SCALE_DOWN "drawn/scale-down" /* on a node: what its annotation for the autoscaler was drawn as */
#define REFERRING "change"                  /* the exception that has a reference */
#define REFERENCE "CHG-4711"
#define FIRMWARE_SHOWN "example.com/firmware" /* see world.annotates */
#define PATCHER_SECRET "patcher"              /* that jobs mount */
#define REBOOT_MARK "weave.works/kured-reboot-in-progress"

#define MAX_NODES 40
#define MAX_POLICIES 3

struct hosts;
struct disks;
struct outside;
struct inside;
struct faults;
struct checks;
struct people;
struct replicas;

/* Some worlds are about one thing that comes about too rarely by itself. */
enum theme {
	THEME_NONE,
	THEME_MOVES, /* nodes go from one policy to another in the midst of their rollouts */
	THEME_GUARD, /* somebody takes admission policies away, again and again */
	THEME_LEASE, /* who leads is refused, and sleeps before it repeats */
	THEME_ROOM,  /* full nodes, and drains that ask for room elsewhere */
};

struct world {
	uint64_t seed;
	uint64_t random_state, rare_state;
	FILE *trace; /* NULL: none */
	struct kube_sim *sim;
	struct kube_sim_api *api;
	struct kube_sim_cluster *cluster;
	struct hosts *hosts;
	struct disks *disks;
	struct outside *outside;
	struct inside *inside;
	struct faults *faults;
	struct people *people;
	struct checks *checks;
	struct options options;
	struct replicas *replicas;
	enum theme theme;
	bool calm;      /* no faults at all */
	bool annotates; /* nodes show their firmware by an annotation; the label is out of date, else the annotation is */
	bool probing;   /* what fails now is no news */
	size_t node_count, policy_count;
	int64_t knowledge_ms; /* what happened so long ago must be known to the controller */
	int64_t decision_ms;  /* from a look at its caches to the write that rests on it, with all repetitions */
	unsigned long steps, changes, kills, freezes, jobs, finished;
	char failure[1024]; /* "" while everything holds */
};

/* rng: independent of the sim's own randomness */
uint64_t draw(struct world *world);
int64_t draw_between(struct world *world, int64_t low, int64_t high);
bool draw_chance(struct world *world, int percent);
bool draw_rare(struct world *world, int percent); /* from a randomness of its own: worlds without it stay as they are */
/* What has a state of its own changes nothing else when it is drawn in another way. */
int64_t dice_between(uint64_t *state, int64_t low, int64_t high);

/* The first call counts. */
void world_fail(struct world *world, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_trace(struct world *world, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int64_t world_now_ms(const struct world *world); /* the server's time */

/* Plays one seed to its end. True: everything held. */
bool world_run(struct world *world, uint64_t seed, bool calm, FILE *trace);

/* draw.c: what is there at the beginning. */
void draw_cluster(struct world *world);
void draw_node(struct world *world, size_t index);
void draw_policy(struct world *world, size_t index);
void draw_emergency_rollout(struct world *world, const char *policy);       /* a PatchRollout that is one */
void draw_patches(struct world *world, size_t index, struct kube_buf *out); /* draw_patch.c */
void draw_windows(struct world *world, struct kube_buf *out);               /* draw_window.c */
void draw_strategy(struct world *world, struct kube_buf *out);              /* draw_strategy.c */
void draw_drain(struct world *world, struct kube_buf *out);                 /* draw_drain.c */
void draw_approval(struct world *world, struct kube_buf *out);              /* draw_strategy.c */

/* secret.c: Secrets that policies name, and that may be missing. */
extern const struct kube_resource sim_secrets;
void secret_put(struct world *world, const char *namespace_, const char *name, const char *rest); /* after its name */
void secret_take(struct world *world, const char *namespace_, const char *name);
bool secret_there(const struct world *world, const char *namespace_, const char *name);

/* channel.c */
bool draw_channel(struct world *world, struct kube_buf *out); /* false: there is none */
void channel_say(struct world *world, const char *data);      /* members of its data */
void channel_move(struct world *world);

void draw_gates(struct world *world, struct kube_buf *out); /* outside.c: what they ask, see outside.h */

/* host.c: nodes' hosts, which play the job pods. */
struct hosts *hosts_new(struct world *world);
void hosts_free(struct hosts *hosts);

/* disk.c: pods that have a volume. */
struct disks *disks_new(struct world *world);
void disks_draw(struct disks *disks);
void disks_free(struct disks *disks);
/* A volume that is attached to the node, whose pod is gone; NULL: none. */
const char *disks_left_on(const struct disks *disks, const char *node);
/* The pod's volume is on its node only. */
bool disks_are_local(const struct disks *disks, const char *pod);

/* people.c: who approve. */
void people_install(struct world *world); /* the admission policies; they must be there for a while */
struct people *people_new(struct world *world);
void people_be_careful(struct people *people);
void people_free(struct people *people);

/* fault.c */
struct faults *faults_new(struct world *world);
void faults_end(struct faults *faults); /* from here on nothing goes wrong, and what was broken is mended */
void faults_free(struct faults *faults);

/* check.c, check_*.c: the invariants of design.md, section 5. */
struct checks *checks_new(struct world *world);
void checks_at_rest(struct checks *checks);  /* the end: nothing is left over */
void checks_progress(struct checks *checks); /* nothing goes wrong: all moves, or says what it waits for */
struct replica;
void checks_watch(struct checks *checks, struct replica *replica); /* a new process: what does it learn? */
void checks_free(struct checks *checks);

/* json.c */
const char *text_at(const cJSON *json, const char *path); /* "" when absent */
bool is_job_pod(const cJSON *pod);
const cJSON *condition_of(const cJSON *json, const char *type); /* NULL: none */

#endif
