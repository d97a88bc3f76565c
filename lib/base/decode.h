/* What decoding by tables needs whatever the form of the document: where we are, and how errors say it. */
#ifndef LIB_BASE_DECODE_H
#define LIB_BASE_DECODE_H

#include <kube/json.h>

/* A list from here up to the root. Either a member's name, a key of a map, or an index. */
struct place {
	const struct place *parent;
	const char *name, *key;
	size_t index;
	int depth;
};

struct decoder {
	struct kube_arena *arena;
	struct kube_err *err;
};

/* Puts the path ("spec.patches[1].job") before the message that is in err already; returns code. */
int decode_at(const struct decoder *decoder, const struct place *place, int code);
int decode_no_memory(const struct decoder *decoder, const struct place *place);
/* Whether the field's table wants this error of one of its elements, or of itself, to be overlooked. */
bool decode_overlooks(const struct decoder *decoder, const struct kube_json_field *field, int code);
/* The index of the string among words. KUBE_E_PARSE. */
int decode_word(const struct decoder *decoder, const struct place *place, const char *text, const char *const *words,
                int *ret_index);

#endif
