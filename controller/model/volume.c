#include "controller/model/volume.h"
#include "controller/model/internal.h"

#include <stdio.h>
#include <string.h>

/* ---- what is read: k8s.io/api/core/v1/generated.proto PersistentVolume, PersistentVolumeSpec, NodeSelector ---- */

struct nothing {
	char unused;
};

struct requirement_part {
	const char *key, *operator_;
	struct kube_strlist values;
};

struct requirement_parts {
	struct requirement_part *items;
	size_t count;
};

struct term_part {
	struct requirement_parts expressions, fields;
};

struct parts {
	const char *claim_namespace, *claim_name;
	const struct nothing *host_path, *local;
	struct {
		struct term_part *items;
		size_t count;
	} terms;
};

#define IN(member) offsetof(struct requirement_part, member)
static const struct kube_json_field requirement_table[] = {
    {.name = "key", .number = 1, .type = KUBE_JSON_STRING, .offset = IN(key)},
    {.name = "operator", .number = 2, .type = KUBE_JSON_STRING, .offset = IN(operator_)},
    {.name = "values", .number = 3, .type = KUBE_JSON_STRLIST, .offset = IN(values)},
    KUBE_JSON_END,
};
#undef IN

#define REQUIREMENTS(its_name, its_number, member) \
	{ \
		.name = (its_name), .number = (its_number), .type = KUBE_JSON_LIST, \
		.offset = offsetof(struct term_part, member), .lenient = true, .table = requirement_table, \
		.size = sizeof(struct requirement_part) \
	}
static const struct kube_json_field term_table[] = {
    REQUIREMENTS("matchExpressions", 1, expressions),
    REQUIREMENTS("matchFields", 2, fields),
    KUBE_JSON_END,
};

#define AT(member) offsetof(struct parts, member)
static const struct kube_json_field selector_table[] = {
    {.name = "nodeSelectorTerms",
     .number = 1,
     .type = KUBE_JSON_LIST,
     .offset = AT(terms),
     .lenient = true,
     .table = term_table,
     .size = sizeof(struct term_part)},
    KUBE_JSON_END,
};

static const struct kube_json_field affinity_table[] = {
    {.name = "required", .number = 1, .type = KUBE_JSON_OBJECT, .lenient = true, .table = selector_table},
    KUBE_JSON_END,
};

static const struct kube_json_field claim_table[] = {
    {.name = "namespace", .number = 2, .type = KUBE_JSON_STRING, .offset = AT(claim_namespace)},
    {.name = "name", .number = 3, .type = KUBE_JSON_STRING, .offset = AT(claim_name)},
    KUBE_JSON_END,
};

static const struct kube_json_field nothing_table[] = {KUBE_JSON_END};

#define SOURCE(its_name, its_number, member) \
	{ \
		.name = (its_name), .number = (its_number), .type = KUBE_JSON_POINTER, .offset = AT(member), .lenient = true, \
		.table = nothing_table, .size = sizeof(struct nothing) \
	}
/* PersistentVolumeSource is a message of its own, which JSON inlines. */
static const struct kube_json_field source_table[] = {
    SOURCE("hostPath", 3, host_path),
    SOURCE("local", 20, local),
    KUBE_JSON_END,
};

static const struct kube_json_field spec_table[] = {
    SOURCE("hostPath", 0, host_path),
    SOURCE("local", 0, local),
    {.name = "persistentVolumeSource", .number = 2, .type = KUBE_JSON_OBJECT, .table = source_table},
    {.name = "claimRef", .number = 4, .type = KUBE_JSON_OBJECT, .lenient = true, .table = claim_table},
    {.name = "nodeAffinity", .number = 9, .type = KUBE_JSON_OBJECT, .lenient = true, .table = affinity_table},
    KUBE_JSON_END,
};

static const struct kube_json_field volume_table[] = {
    {.name = "spec", .number = 2, .type = KUBE_JSON_OBJECT, .table = spec_table},
    KUBE_JSON_END,
};
#undef AT

/* ---- what is made of it ---- */

/* "kubernetes.io/hostname In (n1)", and what drivers have in its place: topology.topolvm.io/node In (n1). */
static const char *single_value(const struct requirement_part *requirement)
{
	bool one = requirement->operator_ && strcmp(requirement->operator_, "In") == 0 && requirement->values.count == 1;
	return one ? requirement->values.items[0] : NULL;
}

static int add_places(const struct requirement_parts *requirements, struct kube_arena *arena, struct volume *volume)
{
	for (size_t i = 0; i < requirements->count; i++) {
		const char *value = single_value(&requirements->items[i]);
		if (!value)
			continue;
		value = kube_arena_strdup(arena, value);
		if (!value)
			return KUBE_E_NOMEM;
		volume->places.items[volume->places.count++] = value;
	}
	return 0;
}

/* Terms are alternatives: of several none binds. */
static int make_places(const struct parts *parts, struct kube_arena *arena, struct volume *volume)
{
	const struct term_part *term = parts->terms.count == 1 ? &parts->terms.items[0] : NULL;

	if (!term || term->expressions.count + term->fields.count == 0)
		return 0;
	volume->places.items =
	    kube_arena_calloc(arena, term->expressions.count + term->fields.count, sizeof(*volume->places.items));
	if (!volume->places.items)
		return KUBE_E_NOMEM;
	int rc = add_places(&term->expressions, arena, volume);
	return rc ? rc : add_places(&term->fields, arena, volume);
}

static int make_volume(void *all, struct kube_object *self, struct kube_maker *maker, struct kube_err *err)
{
	const struct parts *parts = all;
	struct volume *volume = (struct volume *)self;
	bool bound = parts->claim_namespace && parts->claim_name;

	volume->claim = bound ? kube_arena_printf(maker->arena, "%s/%s", parts->claim_namespace, parts->claim_name) : "";
	volume->local = parts->host_path || parts->local;
	if (!volume->claim || make_places(parts, maker->arena, volume) != 0)
		return meta_out_of_memory(err);
	return 0;
}

/* Source and affinity never change. */
static bool same_volume(const struct kube_object *a, const struct kube_object *b)
{
	return same_object(a, b) && same_str(((const struct volume *)a)->claim, ((const struct volume *)b)->claim);
}

const struct kube_projection volume_projection = {
    .resource = &kube_persistent_volumes,
    .size = sizeof(struct volume),
    .table = volume_table,
    .parts_size = sizeof(struct parts),
    .make = make_volume,
    .same = same_volume,
};

const char *volume_claim_index(const struct kube_object *object)
{
	const struct volume *volume = (const struct volume *)object;
	return *volume->claim ? volume->claim : NULL;
}

bool volume_bound_to(const struct volume *volume, const struct node *node)
{
	const char *host = kube_strmap_get(&node->labels, "kubernetes.io/hostname");

	for (size_t i = 0; i < volume->places.count; i++) {
		const char *place = volume->places.items[i];
		if (strcmp(place, node->object.name) == 0 || (host && strcmp(place, host) == 0))
			return true;
	}
	return volume->local;
}
