/* api-player: see player.h. */
#include "test/player/player.h"

#include <kube/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer(struct player *player, const char *line, size_t len)
{
	struct kube_err err;
	_cleanup_json_ cJSON *command = NULL, *json = NULL;

	if (kube_json_parse(line, len, &command, &err) == 0) {
		json = player_obey(player, command);
	} else {
		json = cJSON_CreateObject();
		cJSON_AddStringToObject(json, "error", err.message);
	}
	_cleanup_free_ char *text = cJSON_PrintUnformatted(json);
	puts(text ? text : "{\"error\":\"out of memory\"}");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct player player = {0};
	struct kube_err err;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (argc != 1 && (argc != 3 || strcmp(argv[1], "--kubeconfig") != 0)) {
		fputs("usage: api-player [--kubeconfig FILE] (see test/player/player.h)\n", stderr);
		return EXIT_FAILURE;
	}
	int rc = player_init(&player, argc == 3 ? argv[2] : NULL, &err);
	if (rc)
		fprintf(stderr, "api-player: %s\n", err.message);
	for (ssize_t len; !rc && (len = getline(&line, &size, stdin)) > 0;)
		answer(&player, line, (size_t)len);
	player_finish(&player);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
