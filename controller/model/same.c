#include "controller/model/internal.h"

#include <string.h>

bool same_str(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool same_strmap(const struct kube_strmap *a, const struct kube_strmap *b)
{
	if (a->count != b->count)
		return false;
	if (a->items == b->items) /* a shared one */
		return true;
	for (size_t i = 0; i < a->count; i++) /* the API server writes maps sorted by key */
		if (!same_str(a->items[i].key, b->items[i].key) || !same_str(a->items[i].value, b->items[i].value))
			return false;
	return true;
}

bool same_strlist(const struct kube_strlist *a, const struct kube_strlist *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_str(a->items[i], b->items[i]))
			return false;
	return true;
}

static bool same_intstr(const struct kube_intstr *a, const struct kube_intstr *b)
{
	return a->set == b->set && a->percent == b->percent && a->value == b->value;
}

static bool same_optional_int(const struct kube_optional_int *a, const struct kube_optional_int *b)
{
	return a->set == b->set && a->value == b->value;
}

/* A pointer to a struct of another type is no void * to C, so it is read as bytes. */
static const void *pointer_at(const void *field)
{
	const void *pointer;
	memcpy(&pointer, field, sizeof(pointer));
	return pointer;
}

static bool same_pointer(const struct kube_json_field *field, const void *a, const void *b)
{
	const void *x = pointer_at(a), *y = pointer_at(b);
	return x == y || (x && y && same_fields(field->table, x, y));
}

static bool same_list(const struct kube_json_field *field, const void *a, const void *b)
{
	struct kube_list x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (x.count != y.count)
		return false;
	for (size_t i = 0; i < x.count; i++) {
		size_t at = i * field->size;
		if (!same_fields(field->table, (const char *)x.items + at, (const char *)y.items + at))
			return false;
	}
	return true;
}

static bool same_field(const struct kube_json_field *field, const void *a, const void *b)
{
	switch (field->type) {
	case KUBE_JSON_STRING: return same_str(pointer_at(a), pointer_at(b));
	case KUBE_JSON_BOOL: return *(const bool *)a == *(const bool *)b;
	case KUBE_JSON_INT:
	case KUBE_JSON_TIME:
	case KUBE_JSON_DURATION: return *(const int64_t *)a == *(const int64_t *)b;
	case KUBE_JSON_OPTIONAL_INT: return same_optional_int(a, b);
	case KUBE_JSON_INTSTR: return same_intstr(a, b);
	case KUBE_JSON_STRMAP: return same_strmap(a, b);
	case KUBE_JSON_STRLIST: return same_strlist(a, b);
	case KUBE_JSON_OBJECT: return same_fields(field->table, a, b);
	case KUBE_JSON_POINTER: return same_pointer(field, a, b);
	case KUBE_JSON_LIST: return same_list(field, a, b);
	case KUBE_JSON_ENUM: return *(const int *)a == *(const int *)b;
	case KUBE_JSON_CUSTOM: return true;
	}
	return false;
}

bool same_fields(const struct kube_json_field *table, const void *a, const void *b)
{
	for (const struct kube_json_field *field = table; field->name; field++)
		if (!same_field(field, (const char *)a + field->offset, (const char *)b + field->offset))
			return false;
	return true;
}

bool same_object(const struct kube_object *a, const struct kube_object *b)
{
	return a->deleted_ms == b->deleted_ms && same_str(a->uid, b->uid);
}
