/*
 * api-player: plays requests to an API server as the library sends them, one after the other, as a test tells it.
 *
 * With --kubeconfig the server is a real one, reached through libcurl; else it is the simulated one, with the simulated
 * cluster's controllers around it and virtual time. Each line of the input is a command, a JSON object; each line of
 * the output is its answer:
 *
 *   {"request": {"method", "target", "contentType", "body"}}   {"status", "retryAfter", "body"}; body is the bare text,
 *                                                              retryAfter is -1 when there is no such header
 *   {"watch": ID, "target"}                                    the same, when the head is there; body is that of a
 * refusal
 *   {"events": ID, "count", "timeoutMs"}                       {"lines", "ended"}: what came since the last call, as
 * soon as it is so much, or the watch has ended, or time is up
 *   {"close": ID}                                              {}
 *   {"pass": MS}                                               {}; the simulation's controllers work meanwhile
 *   {"crd": CUSTOMRESOURCEDEFINITION}                          {}; simulation only: the kind is served from now on
 *
 * What cannot be answered gives {"error"}.
 */
#ifndef TEST_PLAYER_H
#define TEST_PLAYER_H

#include <cjson/cJSON.h>
#include <kube/buf.h>
#include <kube/env.h>
#include <kube/http.h>
#include <kube/sim_api.h>

#define PLAYER_MAX_BYTES ((size_t)64 << 20)

struct player_watch;
struct player_kind;

struct player {
	struct kube_env *env;
	struct kube_transport *transport;
	bool done; /* what is waited for has come */
	struct player_watch *watches;

	struct kube_loop *loop; /* the real server; all NULL in the simulation */
	struct kube_config *config;
	struct kube_http *http;

	struct kube_sim *sim; /* the simulated one */
	struct kube_sim_api *api;
	struct kube_sim_cluster *cluster;
	struct player_kind *kinds;
};

/* kubeconfig NULL: the simulated server. Whatever was made is for player_finish(), also after an error. */
int player_init(struct player *player, const char *kubeconfig, struct kube_err *err);
void player_finish(struct player *player);
/* Runs the loop, or the virtual clock, until player_wake(). */
void player_wait(struct player *player);
void player_wake(struct player *player);

/* command.c: the answer to a command; the caller owns it. */
cJSON *player_obey(struct player *player, const cJSON *command);

/* exchange.c */
cJSON *player_request(struct player *player, const cJSON *request);
cJSON *player_watch(struct player *player, const cJSON *command);
cJSON *player_events(struct player *player, const cJSON *command);
cJSON *player_close(struct player *player, const cJSON *command);
void player_close_all(struct player *player);

/* kind.c: false: it is no usable CustomResourceDefinition. */
bool player_add_crd(struct player *player, const cJSON *crd);
void player_free_kinds(struct player *player);

#endif
