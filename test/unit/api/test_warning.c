/* Warnings of the API server, and who throttles us. */
#include "lib/api/warning.h"
#include "test/unit/check_main.h"

#include <kube/client.h>
#include <kube/log.h>
#include <kube/mem.h>
#include <kube/sim.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *list;
	const char *texts; /* each with '|' behind it */
} lists[] = {
    {"", ""},
    {"299 - \"one\"", "one|"},
    {"299 - \"one\", 299 - \"two\"", "one|two|"},
    {"299 - \"one\",299 kube/1 \"two\"", "one|two|"},
    {"299 - \"a, \\\"b\\\" \\\\ c\"", "a, \"b\" \\ c|"},
    {"299 - \"one\" \"Sun, 06 Nov 1994 08:49:37 GMT\", 299 - \"two\"", "one|two|"},
    {"199 - \"other\", 299 - \"ours\"", "ours|"},
    {"299 - \"\", 299 - \"x\"", "x|"},
    {" , ,299 - \"x\", ", "x|"},
    {"299 - \"tab\there\x7f\"", "tab?here?|"},
    {"299 - \"open", ""},
    {"299 - \"one\", 299 - \"open\\", "one|"},
    {"299 - one", ""},
    {"299", ""},
    {"99 - \"x\"", ""},
    {"2999 - \"x\"", ""},
    {"words", ""},
};

START_TEST(lists_are_taken_apart)
{
	for (size_t i = 0; i < KUBE_ARRAY_LEN(lists); i++) {
		char text[WARNING_TEXT_SIZE], all[1024] = "";
		const char *at = lists[i].list;
		while (warning_next(&at, text))
			snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s|", text);
		ck_assert_msg(strcmp(all, lists[i].texts) == 0, "row %zu: %s", i, all);
	}
}
END_TEST

START_TEST(texts_are_cut)
{
	char list[2 * WARNING_TEXT_SIZE], text[WARNING_TEXT_SIZE];
	const char *at = list;
	size_t len = (size_t)snprintf(list, sizeof(list), "299 - \"");
	memset(list + len, 'x', sizeof(list) - len);
	strcpy(list + sizeof(list) - 2, "\"");
	ck_assert(warning_next(&at, text));
	ck_assert_uint_eq(strlen(text), WARNING_TEXT_SIZE - 1);
	ck_assert(!warning_next(&at, text));
}
END_TEST

static void count_warning(void *arg, const char *text)
{
	size_t len = strlen(arg);
	snprintf((char *)arg + len, 256 - len, "%s|", text);
}

static void note(struct kube_client *client, int status, const char *warning)
{
	const struct kube_response_head head = {
	    .status = status, .date = "", .warning = warning, .flow_schema_uid = "fs-1", .priority_level_uid = "pl-1"};
	kube_client_note_head(client, &head);
}

START_TEST(each_is_told_once_an_hour)
{
	struct kube_sim *sim;
	struct kube_client *client;
	char told[256] = "";
	ck_assert_int_eq(kube_sim_new(1, 0, &sim, NULL), 0);
	ck_assert_int_eq(kube_client_new(kube_sim_env(sim), kube_sim_transport(sim), &client, NULL), 0);
	note(client, 200, "299 - \"nobody listens\"");
	kube_client_on_warning(client, count_warning, told);
	note(client, 200, "299 - \"a\", 299 - \"b\"");
	note(client, 404, "299 - \"a\"");
	ck_assert_str_eq(told, "a|b|");
	kube_sim_run(sim, WARNING_REPEAT_MS - 1, 1);
	note(client, 200, "299 - \"a\"");
	ck_assert_str_eq(told, "a|b|");
	kube_sim_run(sim, WARNING_REPEAT_MS, 1);
	note(client, 200, "299 - \"a\"");
	note(client, 200, "299 - \"a\"");
	ck_assert_str_eq(told, "a|b|a|");
	kube_client_free(client);
	kube_sim_free(sim);
}
END_TEST

START_TEST(what_is_remembered_is_bounded)
{
	struct warnings warnings = {.next = 0};
	char text[32];
	for (int i = 0; i <= WARNINGS_REMEMBERED; i++) {
		snprintf(text, sizeof(text), "warning %d", i);
		ck_assert(warnings_note(&warnings, text, 0));
		ck_assert(!warnings_note(&warnings, text, 0));
	}
	ck_assert(!warnings_note(&warnings, "warning 1", 0));
	ck_assert(warnings_note(&warnings, "warning 0", 0)); /* the oldest has given way */
}
END_TEST

START_TEST(who_throttles_is_logged)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);
	struct kube_log_config log = {.level = KUBE_LOG_DEBUG, .stream = stream};
	struct kube_sim *sim;
	struct kube_client *client;
	kube_log_setup(&log);
	ck_assert_int_eq(kube_sim_new(1, 0, &sim, NULL), 0);
	ck_assert_int_eq(kube_client_new(kube_sim_env(sim), kube_sim_transport(sim), &client, NULL), 0);
	note(client, 200, "");
	note(client, 503, "");
	fflush(stream);
	ck_assert_uint_eq(len, 0);
	note(client, 429, "");
	fflush(stream);
	ck_assert_msg(strstr(text, "flowSchemaUID=fs-1") && strstr(text, "priorityLevelUID=pl-1"), "%s", text);
	kube_client_free(client);
	kube_sim_free(sim);
	log.stream = NULL;
	kube_log_setup(&log);
	fclose(stream);
	free(text);
}
END_TEST

CHECK_MAIN("warning", lists_are_taken_apart, texts_are_cut, each_is_told_once_an_hour, what_is_remembered_is_bounded,
           who_throttles_is_logged)
