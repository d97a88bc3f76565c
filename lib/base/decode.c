#include "lib/base/decode.h"
#include "lib/base/utf8.h"

#include <stdio.h>
#include <string.h>

#define MAX_PATH_BYTES 256

/* Returns the length; what does not fit is cut. */
static size_t write_path(const struct place *place, char out[MAX_PATH_BYTES])
{
	if (!place || !place->parent) {
		out[0] = '\0';
		return 0;
	}
	size_t len = write_path(place->parent, out), room = MAX_PATH_BYTES - len;
	int more;
	if (place->name)
		more = snprintf(out + len, room, "%s%s", len ? "." : "", place->name);
	else if (place->key)
		more = snprintf(out + len, room, "[\"%s\"]", place->key);
	else
		more = snprintf(out + len, room, "[%zu]", place->index);
	if (more < 0 || (size_t)more < room)
		return len + (more < 0 ? 0 : (size_t)more);
	len = utf8_floor(out, MAX_PATH_BYTES - 1);
	out[len] = '\0';
	return len;
}

int decode_at(const struct decoder *decoder, const struct place *place, int code)
{
	char path[MAX_PATH_BYTES];

	if (decoder->err && write_path(place, path) > 0)
		kube_err_prefix(decoder->err, "%s", path);
	return code;
}

int decode_no_memory(const struct decoder *decoder, const struct place *place)
{
	kube_fail(decoder->err, KUBE_E_NOMEM, "out of memory");
	return decode_at(decoder, place, KUBE_E_NOMEM);
}

bool decode_overlooks(const struct decoder *decoder, const struct kube_json_field *field, int code)
{
	if (code != KUBE_E_PARSE || !field->lenient)
		return false;
	kube_err_reset(decoder->err);
	return true;
}

static int unknown_word(const struct decoder *decoder, const struct place *place, const char *word,
                        const char *const *words)
{
	char known[384] = "";

	for (size_t i = 0, len = 0; words[i] && len < sizeof(known); i++) {
		int more = snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "", words[i]);
		len += more > 0 ? (size_t)more : 0;
	}
	kube_fail(decoder->err, KUBE_E_PARSE, "expected one of %s; got \"%s\"", known, word);
	return decode_at(decoder, place, KUBE_E_PARSE);
}

int decode_word(const struct decoder *decoder, const struct place *place, const char *text, const char *const *words,
                int *ret_index)
{
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	return unknown_word(decoder, place, text, words);
}
