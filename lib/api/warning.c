#include "lib/api/warning.h"

#include <string.h>

static const char *skip(const char *at, const char *what)
{
	return at + strspn(at, what);
}

/* A quoted string; its contents go to out where that is not NULL. Returns what follows it, or NULL. */
static const char *read_quoted(const char *at, char *out)
{
	size_t len = 0;
	if (*at++ != '"')
		return NULL;
	for (; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		if (out && len < WARNING_TEXT_SIZE - 1)
			out[len++] = (unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at;
	}
	if (out)
		out[len] = '\0';
	return *at ? at + 1 : NULL;
}

/* warn-code SP warn-agent SP quoted-string [ SP quoted-date ]. Returns what follows, or NULL. */
static const char *read_one(const char *at, char out[WARNING_TEXT_SIZE], bool *ret_ours)
{
	if (strspn(at, "0123456789") != 3 || at[3] != ' ')
		return NULL;
	*ret_ours = strncmp(at, "299", 3) == 0;
	at = skip(at + 3, " ");
	at = skip(at + strcspn(at, " ,\""), " ");
	at = read_quoted(at, out);
	if (!at)
		return NULL;
	const char *date = skip(at, " ");
	return *date == '"' ? read_quoted(date, NULL) : at;
}

bool warning_next(const char **list, char out[WARNING_TEXT_SIZE])
{
	for (const char *at = skip(*list, ", \t"); at && *at; at = at ? skip(at, ", \t") : NULL) {
		bool ours = false;
		at = read_one(at, out, &ours);
		if (at && ours && *out) {
			*list = at;
			return true;
		}
	}
	return false;
}

/* FNV-1a */
static uint64_t hash(const char *text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return h;
}

bool warnings_note(struct warnings *warnings, const char *text, int64_t mono_ms)
{
	uint64_t h = hash(text);
	unsigned slot = warnings->next % WARNINGS_REMEMBERED;
	for (unsigned i = 0; i < WARNINGS_REMEMBERED; i++) {
		if (!warnings->told[i].used || warnings->told[i].hash != h)
			continue;
		if (mono_ms - warnings->told[i].told_ms < WARNING_REPEAT_MS)
			return false;
		warnings->told[i].told_ms = mono_ms;
		return true;
	}
	warnings->next++;
	warnings->told[slot].hash = h;
	warnings->told[slot].told_ms = mono_ms;
	warnings->told[slot].used = true;
	return true;
}
