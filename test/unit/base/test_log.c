#include "test/unit/check_main.h"
#include <cjson/cJSON.h>
#include <kube/log.h>
#include <kube/mem.h>
#include <string.h>

static char *captured; /* what was logged since start() */
static size_t captured_len;
static FILE *stream;

static long long fixed_time(void *arg)
{
	return *(const long long *)arg;
}

static long long time_ms = 1795260158123; /* 2026-11-21T11:22:38.123Z */

static void start(enum kube_log_format format, enum kube_log_level level)
{
	struct kube_log_config config = {.level = level, .format = format, .wall_ms = fixed_time, .wall_arg = &time_ms};

	stream = config.stream = open_memstream(&captured, &captured_len);
	kube_log_setup(&config);
}

static const char *text(void)
{
	fflush(stream);
	return captured;
}

static void finish(void)
{
	kube_log_setup(&(struct kube_log_config){.level = KUBE_LOG_ERROR});
	fclose(stream);
	free(captured);
}

START_TEST(text_form)
{
	start(KUBE_LOG_TEXT, KUBE_LOG_DEBUG);
	kube_log(KUBE_LOG_INFO, "node cordoned", "node", "worker-1", "why", "needs quoting", NULL);
	kube_log(KUBE_LOG_ERROR, "no pairs", NULL);
	ck_assert_str_eq(text(), "2026-11-21T11:22:38.123Z INFO  node cordoned node=worker-1 why=\"needs quoting\"\n"
	                         "2026-11-21T11:22:38.123Z ERROR no pairs\n");
	finish();
}
END_TEST

START_TEST(json_form)
{
	start(KUBE_LOG_JSON, KUBE_LOG_DEBUG);
	kube_log(KUBE_LOG_WARN, "node \"a\"", "k", "v w", NULL);
	ck_assert_str_eq(text(), "{\"ts\":\"2026-11-21T11:22:38.123Z\",\"level\":\"warn\",\"msg\":\"node \\\"a\\\"\","
	                         "\"k\":\"v w\"}\n");
	finish();
}
END_TEST

START_TEST(no_clock_no_time_field)
{
	start(KUBE_LOG_TEXT, KUBE_LOG_DEBUG);
	struct kube_log_config config = {.stream = stream};
	kube_log_setup(&config);
	kube_log(KUBE_LOG_INFO, "m", NULL);
	config.format = KUBE_LOG_JSON;
	kube_log_setup(&config);
	kube_log(KUBE_LOG_INFO, "m", NULL);
	ck_assert_str_eq(text(), "INFO  m\n{\"level\":\"info\",\"msg\":\"m\"}\n");
	finish();
}
END_TEST

/* In the text form; what JSON shows is the same escape, always within quotes. */
START_TEST(values_are_quoted_and_escaped)
{
	static const struct {
		const char *value, *text, *json;
	} rows[] = {
	    {"plain", "plain", "plain"},
	    {"", "\"\"", ""},
	    {"a b", "\"a b\"", "a b"},
	    {"a=b", "\"a=b\"", "a=b"},
	    {"say \"x\"", "\"say \\\"x\\\"\"", "say \\\"x\\\""},
	    {"c:\\d", "\"c:\\\\d\"", "c:\\\\d"},
	    {"a\nb", "\"a\\nb\"", "a\\nb"},
	    {"\r\t", "\"\\r\\t\"", "\\r\\t"},
	    {"\x1b[31m", "\"\\u001b[31m\"", "\\u001b[31m"},
	    {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"", "\\u0001\\u001f\\u007f"},
	    {"\xC2\x85\xC2\x9B", "\"\\u0085\\u009b\"", "\\u0085\\u009b"},
	    {"\xE2\x80\xA8", "\"\\u2028\"", "\\u2028"},
	    {"\xE2\x80\xAE", "\"\\u202e\"", "\\u202e"},
	    {"gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},
	    {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
	    {"a\xFFz", "\"a\xEF\xBF\xBDz\"", "a\xEF\xBF\xBDz"},
	    {"\xC3", "\"\xEF\xBF\xBD\"", "\xEF\xBF\xBD"},
	    {"\xC3(", "\"\xEF\xBF\xBD(\"", "\xEF\xBF\xBD("},
	    {"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"", "\xEF\xBF\xBD\xEF\xBF\xBD"}, /* overlong "/" */
	    {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"",
	     "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* surrogate */
	    {"\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"",
	     "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* above U+10FFFF */
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		char expected[256];
		start(KUBE_LOG_TEXT, KUBE_LOG_DEBUG);
		kube_log(KUBE_LOG_INFO, "m", "k", rows[i].value, "z", "1", NULL);
		snprintf(expected, sizeof(expected), "2026-11-21T11:22:38.123Z INFO  m k=%s z=1\n", rows[i].text);
		ck_assert_str_eq(text(), expected);
		finish();
		start(KUBE_LOG_JSON, KUBE_LOG_DEBUG);
		kube_log(KUBE_LOG_INFO, "m", "k", rows[i].value, "z", "1", NULL);
		snprintf(expected, sizeof(expected),
		         "{\"ts\":\"2026-11-21T11:22:38.123Z\",\"level\":\"info\",\"msg\":\"m\",\"k\":\"%s\",\"z\":\"1\"}\n",
		         rows[i].json);
		ck_assert_str_eq(text(), expected);
		finish();
	}
}
END_TEST

START_TEST(messages_and_keys_cannot_break_the_line)
{
	start(KUBE_LOG_TEXT, KUBE_LOG_DEBUG);
	kube_log(KUBE_LOG_INFO, "two\nlines \x1b[0m", "k\ne y", "v", NULL);
	ck_assert_str_eq(text(), "2026-11-21T11:22:38.123Z INFO  two\\nlines \\u001b[0m \"k\\ne y\"=v\n");
	finish();
}
END_TEST

START_TEST(the_first_null_ends_the_list)
{
	start(KUBE_LOG_TEXT, KUBE_LOG_DEBUG);
	kube_log(KUBE_LOG_INFO, "m", "a", "1", "b", NULL);
	ck_assert_str_eq(text(), "2026-11-21T11:22:38.123Z INFO  m a=1\n");
	finish();
}
END_TEST

/* Whatever is too long, and wherever the cut falls: one line, at most 8 KiB, whole as JSON, and it says so. */
START_TEST(long_entries_are_cut_visibly)
{
	static char key[9000], value[9000];

	for (int format = KUBE_LOG_TEXT; format <= KUBE_LOG_JSON; format++) {
		for (size_t len = 7900; len < 8300; len++) {
			memset(value, 'v', sizeof(value));
			strcpy(value + len, "\xE2\x82\xAC\n\"");
			start((enum kube_log_format)format, KUBE_LOG_DEBUG);
			kube_log(KUBE_LOG_INFO, "m", "first", value, "second", "two", "third", "3 3", NULL);
			size_t total = strlen(text());
			ck_assert_uint_le(total, 8192);
			ck_assert_ptr_eq(strchr(captured, '\n'), captured + total - 1);
			bool whole = strstr(captured, "\"3 3\"") != NULL;
			ck_assert_msg(whole == (strstr(captured, "cut") == NULL), "%s", captured + total - 100);
			if (format == KUBE_LOG_JSON) {
				cJSON *json = cJSON_Parse(captured);
				ck_assert_msg(json != NULL, "%s", captured + total - 100);
				const char *mark = cJSON_GetStringValue(cJSON_GetObjectItem(json, "cut"));
				ck_assert(whole ? mark == NULL : mark && strcmp(mark, "true") == 0);
				cJSON_Delete(json);
			} else if (!whole) {
				ck_assert_str_eq(captured + total - 10, " cut=true\n");
			}
			finish();
		}
	}
	memset(key, 'k', sizeof(key) - 1);
	for (int format = KUBE_LOG_TEXT; format <= KUBE_LOG_JSON; format++) {
		start((enum kube_log_format)format, KUBE_LOG_DEBUG);
		kube_log(KUBE_LOG_INFO, "m", key, "v", "a", "b", NULL);
		ck_assert_str_eq(text(), format == KUBE_LOG_TEXT ? "2026-11-21T11:22:38.123Z INFO  m cut=true\n"
		                                                 : "{\"ts\":\"2026-11-21T11:22:38.123Z\",\"level\":\"info\","
		                                                   "\"msg\":\"m\",\"cut\":\"true\"}\n");
		finish();
		start((enum kube_log_format)format, KUBE_LOG_DEBUG);
		kube_log(KUBE_LOG_INFO, key, "a", "b", NULL);
		ck_assert_ptr_nonnull(strstr(text(), "kkk"));
		ck_assert_ptr_nonnull(strstr(captured, "cut"));
		ck_assert_uint_le(strlen(captured), 8192);
		finish();
	}
}
END_TEST

/* A value that ends at any place around the limit is followed by more: what closes it is not written beyond the end. */
START_TEST(pairs_behind_the_limit_are_left_out)
{
	static char value[8192];
	const enum kube_log_format formats[] = {KUBE_LOG_TEXT, KUBE_LOG_JSON};

	for (size_t i = 0; i < 2 * (sizeof(value) - 8000); i++) {
		size_t len = 8000 + i / 2;
		memset(value, 'x', len);
		value[0] = ' '; /* is quoted in either form */
		value[len] = '\0';
		start(formats[i % 2], KUBE_LOG_DEBUG);
		kube_log(KUBE_LOG_INFO, "m", "first key", value, "second key", value, "third key", "v", NULL);
		ck_assert_uint_le(strlen(text()), 8192);
		ck_assert_ptr_eq(strchr(captured, '\n'), captured + strlen(captured) - 1);
		ck_assert_ptr_nonnull(strstr(captured, "cut"));
		finish();
	}
}
END_TEST

START_TEST(levels_below_the_configured_one_are_dropped)
{
	static const enum kube_log_level levels[] = {KUBE_LOG_DEBUG, KUBE_LOG_INFO, KUBE_LOG_WARN, KUBE_LOG_ERROR};

	for (size_t at = 0; at < KUBE_ARRAY_LEN(levels); at++) {
		for (size_t entry = 0; entry < KUBE_ARRAY_LEN(levels); entry++) {
			start(KUBE_LOG_TEXT, levels[at]);
			ck_assert_int_eq(kube_log_enabled(levels[entry]), entry >= at);
			kube_log(levels[entry], "m", NULL);
			ck_assert_int_eq(strlen(text()) > 0, entry >= at);
			finish();
		}
	}
}
END_TEST

START_TEST(words_are_read)
{
	static const struct {
		const char *word;
		int level, format; /* -1: refused */
	} rows[] = {
	    {"debug", KUBE_LOG_DEBUG, -1},
	    {"info", KUBE_LOG_INFO, -1},
	    {"warn", KUBE_LOG_WARN, -1},
	    {"error", KUBE_LOG_ERROR, -1},
	    {"text", -1, KUBE_LOG_TEXT},
	    {"json", -1, KUBE_LOG_JSON},
	    {"", -1, -1},
	    {"INFO", -1, -1},
	    {"warning", -1, -1},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		enum kube_log_level level = (enum kube_log_level)77;
		enum kube_log_format format = (enum kube_log_format)77;
		struct kube_err err = {0};
		ck_assert_int_eq(kube_log_level_parse(rows[i].word, &level, &err), rows[i].level < 0 ? KUBE_E_INVALID : 0);
		ck_assert_int_eq((int)level, rows[i].level < 0 ? 77 : rows[i].level);
		ck_assert_int_eq(err.code, rows[i].level < 0 ? KUBE_E_INVALID : 0);
		if (rows[i].level < 0)
			ck_assert_ptr_nonnull(strstr(err.message, "debug, info, warn or error"));
		ck_assert_int_eq(kube_log_format_parse(rows[i].word, &format, &err), rows[i].format < 0 ? KUBE_E_INVALID : 0);
		ck_assert_int_eq((int)format, rows[i].format < 0 ? 77 : rows[i].format);
	}
}
END_TEST

CHECK_MAIN("log", text_form, json_form, no_clock_no_time_field, values_are_quoted_and_escaped,
           messages_and_keys_cannot_break_the_line, the_first_null_ends_the_list, long_entries_are_cut_visibly,
           pairs_behind_the_limit_are_left_out, levels_below_the_configured_one_are_dropped, words_are_read)
