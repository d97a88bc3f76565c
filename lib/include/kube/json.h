/*
 * JSON (cJSON) decoded by tables.
 *
 * A table says which members a struct wants, of which type, and where they go. What the table does not
 * name is ignored; JSON null counts as absent; an absent member leaves the (zeroed) field as it is, unless
 * it is required. The same tables decode protobuf (kube/proto.h) where they say the fields' numbers. Errors name the
 * path: "spec.patches[1].job.timeout: expected a duration such as "15m"". Everything that is decoded is copied into the
 * arena: the cJSON tree may go afterwards.
 */
#ifndef KUBE_JSON_H
#define KUBE_JSON_H

#include <cjson/cJSON.h>
#include <kube/buf.h>
#include <kube/err.h>
#include <kube/mem.h>
#include <stdbool.h>
#include <stdint.h>

KUBE_BEGIN_DECLS

#define KUBE_JSON_MAX_LIST 100000 /* longest list that a table decodes */
#define KUBE_JSON_MAX_DEPTH 64    /* deeper documents are refused by kube_json_parse */

/* An int-or-string of the Kubernetes API: a count, or a percentage such as "10%". */
struct kube_intstr {
	bool set;
	bool percent;
	int64_t value;
};

struct kube_optional_int {
	bool set;
	int64_t value;
};

/* A map of strings (labels, annotations, nodeSelector). Order as in the document. */
struct kube_strmap {
	struct kube_str_pair {
		const char *key;
		const char *value;
	} * items;
	size_t count;
};

struct kube_strlist {
	const char **items;
	size_t count;
};

/* The generic list that KUBE_JSON_LIST fills: declare `struct { struct foo *items; size_t count; } foos;`. */
struct kube_list {
	void *items;
	size_t count;
};

enum kube_json_type {
	KUBE_JSON_STRING,       /* const char *; copied */
	KUBE_JSON_BOOL,         /* bool */
	KUBE_JSON_INT,          /* int64_t; a number with a fraction or beyond 2^53 - 1 is an error */
	KUBE_JSON_OPTIONAL_INT, /* struct kube_optional_int: for where 0 must differ from absent */
	KUBE_JSON_TIME, /* int64_t ms since the epoch; set it to KUBE_TIME_NONE beforehand if 0 must differ from absent */
	KUBE_JSON_DURATION, /* int64_t ms */
	KUBE_JSON_INTSTR,   /* struct kube_intstr */
	KUBE_JSON_STRMAP,   /* struct kube_strmap */
	KUBE_JSON_STRLIST,  /* struct kube_strlist */
	KUBE_JSON_OBJECT,   /* an embedded struct, decoded by .table */
	KUBE_JSON_POINTER,  /* a struct * of .size bytes, decoded by .table; NULL when absent */
	KUBE_JSON_LIST,     /* items/count of structs of .size bytes, each decoded by .table */
	KUBE_JSON_ENUM,     /* int: index of the string in .words (NULL-terminated); unknown words are errors that list the
	                       known ones */
	KUBE_JSON_CUSTOM,   /* .decode is called with the member; its errors need not name the member */
};

struct kube_json_field {
	const char *name;
	enum kube_json_type type;
	size_t offset;
	unsigned number; /* of the field in protobuf; 0: protobuf has it elsewhere, or not at all */
	bool required;
	bool lenient; /* what is of another type, or an element that is, counts as absent: an element is left zeroed, or out
	                 of a map */
	const struct kube_json_field *table;
	size_t size;
	const char *const *words;
	int (*decode)(const cJSON *value, void *field, struct kube_arena *arena, struct kube_err *err);
};
/* A table ends with a field whose name is NULL. */
#define KUBE_JSON_END \
	{ \
		.name = NULL \
	}

/* Decodes obj into out (zeroed by the caller; after an error some fields are set). KUBE_E_PARSE, KUBE_E_LIMIT,
 * KUBE_E_NOMEM. */
int kube_json_decode(const cJSON *obj, const struct kube_json_field *table, void *out, struct kube_arena *arena,
                     struct kube_err *err);

/* Parses len bytes of JSON. The caller owns the tree (cJSON_Delete). A \u0000 within a string becomes U+FFFD: C strings
 * would end there. KUBE_E_PARSE with a position; KUBE_E_LIMIT for a too deep one. */
int kube_json_parse(const char *text, size_t len, cJSON **ret_json, struct kube_err *err);

/* Reads along a dotted path ("metadata.name"); NULL when any part is absent or null. Borrowed. */
const cJSON *kube_json_get(const cJSON *obj, const char *path);
/* The string at a dotted path, or NULL. Borrowed. */
const char *kube_json_str(const cJSON *obj, const char *path);

/* The same document always gives the same bytes: members sorted by key, no blanks. The caller frees; NULL when out of
 * memory. */
char *kube_json_canonical(const cJSON *json);

const char *kube_strmap_get(const struct kube_strmap *map, const char *key); /* NULL when absent */
/* With all texts. KUBE_E_NOMEM. */
int kube_strmap_copy(const struct kube_strmap *map, struct kube_arena *arena, struct kube_strmap *ret_copy);
int kube_strlist_copy(const struct kube_strlist *list, struct kube_arena *arena, struct kube_strlist *ret_copy);

static inline void kube_json_deletep(cJSON **json)
{
	cJSON_Delete(*json);
}
#ifdef KUBE_SHORT_NAMES
#define _cleanup_json_ _cleanup_(kube_json_deletep)
#endif

KUBE_END_DECLS

#endif
