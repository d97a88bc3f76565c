#include "controller/model/text.h"

#include <stdbool.h>
#include <string.h>

/* Within a UTF-8 sequence, not at its beginning (RFC 3629 3). */
static bool continues(char byte)
{
	return ((unsigned char)byte & 0xC0) == 0x80;
}

size_t text_cut(const char *text, size_t max_bytes)
{
	size_t len = text ? strnlen(text, max_bytes) : 0;

	if (len < max_bytes || text == NULL || text[len] == '\0')
		return len;
	while (len > 0 && continues(text[len]))
		len--;
	return len;
}

const char *text_tail(const char *text, size_t max_bytes)
{
	size_t len = strlen(text);

	if (len <= max_bytes)
		return text;
	text += len - max_bytes;
	while (continues(*text))
		text++;
	return text;
}

const char *text_keep(struct kube_arena *arena, const char *text, size_t max_bytes)
{
	return kube_arena_strndup(arena, text ? text : "", text_cut(text, max_bytes));
}

const char *text_line(struct kube_arena *arena, const char *text)
{
	char *line = kube_arena_strdup(arena, text);

	for (char *c = line; c && *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	for (size_t len = line ? strlen(line) : 0; len > 0 && line[len - 1] == ' '; len--)
		line[len - 1] = '\0';
	return line;
}
