#include "test/player/player.h"

#include <kube/json.h>

static cJSON *refuse(const char *why)
{
	cJSON *answer = cJSON_CreateObject();
	cJSON_AddStringToObject(answer, "error", why);
	return answer;
}

static cJSON *request(struct player *player, const cJSON *command)
{
	return player_request(player, kube_json_get(command, "request"));
}

static void on_time(struct kube_timer *timer, void *arg)
{
	(void)timer;
	player_wake(arg);
}

static cJSON *pass(struct player *player, const cJSON *command)
{
	struct kube_timer timer = {0};

	kube_timer_start(player->env, &timer, kube_json_get(command, "pass")->valueint, on_time, player);
	while (kube_timer_active(&timer)) /* a watch may wake us earlier */
		player_wait(player);
	return cJSON_CreateObject();
}

static cJSON *crd(struct player *player, const cJSON *command)
{
	if (!player->api)
		return refuse("a real server learns its kinds otherwise");
	return player_add_crd(player, kube_json_get(command, "crd")) ? cJSON_CreateObject() : refuse("unusable");
}

cJSON *player_obey(struct player *player, const cJSON *command)
{
	static const struct {
		const char *word;
		cJSON *(*obey)(struct player *player, const cJSON *command);
	} commands[] = {
	    {"request", request},    {"watch", player_watch}, {"events", player_events},
	    {"close", player_close}, {"pass", pass},          {"crd", crd},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(commands); i++)
		if (kube_json_get(command, commands[i].word))
			return commands[i].obey(player, command);
	return refuse("there is no such command");
}
