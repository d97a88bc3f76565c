#include "test/player/player.h"

#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static int init_simulated(struct player *player, struct kube_err *err)
{
	static const struct kube_sim_cluster_options options = {20, 20, 20, 20, 20, 20};
	int rc = kube_sim_new(1, START_MS, &player->sim, err);

	if (rc)
		return rc;
	player->env = kube_sim_env(player->sim);
	player->transport = kube_sim_transport(player->sim);
	player->api = kube_sim_api_new(player->sim);
	player->cluster = kube_sim_cluster_new(player->api, &options);
	return 0;
}

static int init_real(struct player *player, const char *kubeconfig, struct kube_err *err)
{
	static const struct kube_http_options how = {.user_agent = "api-player/" PATCHWRIGHT_VERSION};
	int rc = kube_config_load(&(struct kube_config_options){.kubeconfig = kubeconfig}, &player->config, err);

	if (!rc)
		rc = kube_loop_new(&player->loop, err);
	if (!rc)
		rc = kube_http_new(player->loop, player->config, &how, &player->http, err);
	if (rc)
		return rc;
	player->env = kube_loop_env(player->loop);
	player->transport = kube_http_transport(player->http);
	return 0;
}

int player_init(struct player *player, const char *kubeconfig, struct kube_err *err)
{
	return kubeconfig ? init_real(player, kubeconfig, err) : init_simulated(player, err);
}

void player_finish(struct player *player)
{
	if (player->env)
		player_close_all(player);
	kube_http_free(player->http);
	kube_config_free(player->config);
	kube_loop_free(player->loop);
	kube_sim_cluster_free(player->cluster);
	kube_sim_api_free(player->api);
	kube_sim_free(player->sim);
	player_free_kinds(player);
}

void player_wait(struct player *player)
{
	if (player->sim) {
		while (!player->done && kube_sim_step(player->sim))
			;
	} else if (!player->done) {
		kube_loop_run(player->loop);
	}
	player->done = false;
}

void player_wake(struct player *player)
{
	player->done = true;
	if (player->loop)
		kube_loop_stop(player->loop);
}
