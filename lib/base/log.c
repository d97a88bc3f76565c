#include "utf8.h"
#include <kube/log.h>
#include <kube/mem.h>
#include <kube/time.h>
#include <stdarg.h>
#include <string.h>

#define MAX_ENTRY_BYTES 8192
#define TAIL_BYTES 32 /* kept free so that a cut entry can still be closed and marked */

static struct kube_log_config sink = {.level = KUBE_LOG_INFO, .format = KUBE_LOG_TEXT};

static const char *const level_words[] = {"debug", "info", "warn", "error"};
static const char *const format_words[] = {"text", "json"};

struct line {
	size_t len;
	bool cut; /* something did not fit: nothing more goes in */
	char data[MAX_ENTRY_BYTES];
};

void kube_log_setup(const struct kube_log_config *config)
{
	sink = *config;
}

bool kube_log_enabled(enum kube_log_level level)
{
	return level >= sink.level;
}

/* Adds all of s or, when it does not fit, nothing. A quote in the tail may have gone beyond the limit already. */
static void put(struct line *line, const char *s, size_t len)
{
	const size_t limit = sizeof(line->data) - TAIL_BYTES;

	if (line->cut || line->len > limit || len > limit - line->len) {
		line->cut = true;
		return;
	}
	memcpy(line->data + line->len, s, len);
	line->len += len;
}

/* Adds to the tail that put() keeps free. */
static void put_tail(struct line *line, const char *s)
{
	size_t len = strlen(s);

	if (len <= sizeof(line->data) - line->len) {
		memcpy(line->data + line->len, s, len);
		line->len += len;
	}
}

/* Control characters of ASCII and Latin-1, and what breaks or reorders a line on a terminal. */
static bool is_unsafe(uint32_t point)
{
	return point < 0x20 || (point >= 0x7F && point <= 0x9F) || (point >= 0x200E && point <= 0x200F) ||
	       (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

static void put_unsafe(struct line *line, uint32_t point)
{
	static const char named[] = "\nn\rr\tt";
	char escape[8];

	for (const char *name = named; *name; name += 2) {
		if ((uint32_t)*name == point) {
			put(line, (const char[]){'\\', name[1]}, 2);
			return;
		}
	}
	int len = snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)(point & 0xFFFF));
	put(line, escape, (size_t)len);
}

/* Adds s with everything unsafe escaped as in JSON; with quoted, also the quote and the backslash. */
static void put_escaped(struct line *line, const char *s, bool quoted)
{
	size_t left = strlen(s);

	while (left > 0 && !line->cut) {
		uint32_t point;
		size_t took = utf8_next(s, left, &point);
		if (is_unsafe(point))
			put_unsafe(line, point);
		else if (quoted && (point == '"' || point == '\\'))
			put(line, (const char[]){'\\', (char)point}, 2);
		else if (point == UTF8_REPLACEMENT)
			put(line, "\xEF\xBF\xBD", 3);
		else
			put(line, s, took);
		s += took;
		left -= took;
	}
}

static bool needs_quotes(const char *s)
{
	size_t left = strlen(s);

	if (left == 0)
		return true;
	while (left > 0) {
		uint32_t point;
		size_t took = utf8_next(s, left, &point);
		if (is_unsafe(point) || point == UTF8_REPLACEMENT || point == ' ' || point == '"' || point == '=' ||
		    point == '\\')
			return true;
		s += took;
		left -= took;
	}
	return false;
}

/* False when not even the opening quote fits. */
static bool put_string(struct line *line, const char *s, bool quoted)
{
	if (quoted)
		put(line, "\"", 1);
	if (line->cut)
		return false;
	put_escaped(line, s, quoted);
	if (quoted)
		put_tail(line, "\"");
	return true;
}

/* A pair of which not even the key fits is left out whole. */
static void put_pair(struct line *line, const char *key, const char *value)
{
	bool json = sink.format == KUBE_LOG_JSON;
	size_t start = line->len;

	if (line->cut)
		return;
	if (!json || start > 1)
		put(line, json ? "," : " ", 1);
	put_string(line, key, json || needs_quotes(key));
	put(line, json ? ":" : "=", 1);
	if (!put_string(line, value, json || needs_quotes(value)))
		line->len = start;
}

/* "2026-11-21T11:22:38.123Z" */
static void time_text(char out[KUBE_TIME_TEXT_SIZE])
{
	kube_time_format_micro(sink.wall_ms(sink.wall_arg), out);
	char *dot = strchr(out, '.');
	if (dot)
		memcpy(dot + 4, "Z", 2);
}

static void put_head(struct line *line, enum kube_log_level level, const char *message)
{
	static const char *const padded[] = {"DEBUG ", "INFO  ", "WARN  ", "ERROR "};
	char time[KUBE_TIME_TEXT_SIZE] = "";

	if (sink.wall_ms)
		time_text(time);
	if (sink.format == KUBE_LOG_JSON) {
		put(line, "{", 1);
		if (sink.wall_ms)
			put_pair(line, "ts", time);
		put_pair(line, "level", level_words[level]);
		put_pair(line, "msg", message);
		return;
	}
	if (sink.wall_ms) {
		put(line, time, strlen(time));
		put(line, " ", 1);
	}
	put(line, padded[level], strlen(padded[level]));
	put_escaped(line, message, false);
}

static void write_line(struct line *line)
{
	bool json = sink.format == KUBE_LOG_JSON;
	FILE *stream = sink.stream ? sink.stream : stderr;

	if (line->cut)
		put_tail(line, json ? ",\"cut\":\"true\"" : " cut=true");
	put_tail(line, json ? "}\n" : "\n");
	fwrite(line->data, 1, line->len, stream);
	fflush(stream);
}

void kube_log(enum kube_log_level level, const char *message, ...)
{
	struct line line; /* not zeroed: only the first len bytes count */
	va_list ap;

	if (!kube_log_enabled(level))
		return;
	line.len = 0;
	line.cut = false;
	put_head(&line, level, message);
	va_start(ap, message);
	for (;;) {
		const char *key = va_arg(ap, const char *);
		const char *value = key ? va_arg(ap, const char *) : NULL;
		if (!value)
			break;
		put_pair(&line, key, value);
	}
	va_end(ap);
	write_line(&line);
}

static int find_word(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(word, words[i]) == 0)
			return (int)i;
	}
	return -1;
}

int kube_log_level_parse(const char *word, enum kube_log_level *ret_level, struct kube_err *err)
{
	int found = find_word(word, level_words, KUBE_ARRAY_LEN(level_words));

	if (found < 0)
		return kube_fail(err, KUBE_E_INVALID, "unknown log level \"%s\": use debug, info, warn or error", word);
	*ret_level = (enum kube_log_level)found;
	return 0;
}

int kube_log_format_parse(const char *word, enum kube_log_format *ret_format, struct kube_err *err)
{
	int found = find_word(word, format_words, KUBE_ARRAY_LEN(format_words));

	if (found < 0)
		return kube_fail(err, KUBE_E_INVALID, "unknown log format \"%s\": use text or json", word);
	*ret_format = (enum kube_log_format)found;
	return 0;
}
