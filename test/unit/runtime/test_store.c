#include "test/unit/check_main.h"
#include "test/unit/runtime/thing.h"

/* As many pods as a large cluster has; fewer where every access is checked (make valgrind). */
#define MANY (size_t)(getenv("UNIT_LIGHT") ? 6000 : 150000)

static struct kube_store *new_store(size_t max, struct thing_log *log)
{
	struct kube_store *store;

	ck_assert_int_eq(kube_store_new(max, &store, NULL), 0);
	if (log)
		ck_assert_int_eq(kube_store_add_handler(store, thing_note, log, NULL), 0);
	return store;
}

static void put(struct kube_store *store, const char *name, const char *uid, const char *version, const char *value)
{
	ck_assert_int_eq(kube_store_put(store, thing_new(name, uid, version, value), NULL), 0);
}

/* The names of all objects, or of those with one index value: "a b ". */
static const char *names(const struct kube_store *store, int index, const char *value, char out[256])
{
	const struct kube_object *object = NULL;
	size_t count = 0;

	out[0] = '\0';
	for (;; count++) {
		object = value ? kube_store_index_next(store, index, value, object) : kube_store_next(store, object);
		if (!object)
			break;
		strcat(strcat(out, object->name), " ");
	}
	ck_assert_uint_eq(value ? kube_store_index_count(store, index, value) : kube_store_count(store), count);
	return out;
}

START_TEST(changes_are_told)
{
	struct thing_log log = {""};
	struct kube_store *store = new_store(10, &log);

	put(store, "a", "u1", "1", "x");
	put(store, "a", "u1", "2", "y");
	put(store, "a", "u1", "3", "y");     /* another version, but nothing that counts */
	put(store, "a", "u1", "3", "other"); /* one version cannot have two contents */
	put(store, "a", "u2", "4", "other"); /* deleted and created again */
	kube_store_remove(store, "ns/a");
	kube_store_remove(store, "ns/a");
	ck_assert_str_eq(log.text, "+a ~a =a =a ~a -a ");
	ck_assert_uint_eq(kube_store_count(store), 0);
	kube_store_free(store);
}
END_TEST

struct view {
	struct kube_store *store;
	int index;
	unsigned seen;
};

/* A handler must find store and indexes as they are after the change, and the old object still alive. */
static void look(void *arg, const struct kube_change *change)
{
	struct view *view = arg;
	char text[256];

	view->seen++;
	if (change->old_object)
		ck_assert_str_eq(thing_value(change->old_object), "x");
	ck_assert_ptr_eq(kube_store_get(view->store, "ns/a"), change->new_object);
	ck_assert_str_eq(names(view->store, view->index, "x", text), change->old_object ? "" : "a ");
	ck_assert_str_eq(names(view->store, view->index, "y", text), change->old_object && change->new_object ? "a " : "");
	ck_assert_uint_eq(kube_store_count(view->store), change->new_object ? 1 : 0);
}

START_TEST(handlers_see_the_change)
{
	struct view view = {.store = new_store(10, NULL)};

	ck_assert_int_eq(kube_store_add_index(view.store, thing_value, &view.index, NULL), 0);
	ck_assert_int_eq(kube_store_add_handler(view.store, look, &view, NULL), 0);
	put(view.store, "a", "u", "1", "x");
	put(view.store, "a", "u", "2", "y");
	ck_assert_uint_eq(view.seen, 2);
	kube_store_free(view.store);
}
END_TEST

START_TEST(indexes_follow)
{
	struct kube_store *store = new_store(10, NULL);
	char text[256];
	int index;

	ck_assert_int_eq(kube_store_add_index(store, thing_value, &index, NULL), 0);
	put(store, "a", "u", "1", "x");
	put(store, "b", "u", "1", "x");
	put(store, "c", "u", "1", "y");
	put(store, "d", "u", "1", ""); /* in no index */
	ck_assert_str_eq(names(store, index, "x", text), "a b ");
	ck_assert_str_eq(names(store, index, "y", text), "c ");
	ck_assert_str_eq(names(store, index, "", text), "");
	put(store, "a", "u", "2", "y");
	put(store, "d", "u", "2", "x");
	ck_assert_str_eq(names(store, index, "x", text), "b d ");
	ck_assert_str_eq(names(store, index, "y", text), "c a ");
	put(store, "c", "u", "2", "");
	kube_store_remove(store, "ns/a");
	ck_assert_str_eq(names(store, index, "y", text), "");
	ck_assert_str_eq(names(store, index, NULL, text), "b c d ");
	kube_store_free(store);
}
END_TEST

START_TEST(replace_makes_the_contents_equal)
{
	struct thing_log log = {""};
	struct kube_store *store = new_store(3, &log);
	char text[256];
	int index;

	ck_assert_int_eq(kube_store_add_index(store, thing_value, &index, NULL), 0);
	put(store, "a", "u", "1", "x");
	put(store, "b", "u", "1", "x");
	put(store, "c", "u", "1", "x");
	log.text[0] = '\0';
	/* Three go, three stay or come: never more than the limit, although for a moment both are there. */
	struct kube_object *next[] = {kube_object_ref(kube_store_get(store, "ns/b")), thing_new("d", "u", "2", "x"),
	                              thing_new("e", "u", "2", "y")};
	ck_assert_int_eq(kube_store_replace(store, next, 3, NULL), 0);
	ck_assert_str_eq(log.text, "+d +e -a -c ");
	ck_assert_str_eq(names(store, 0, NULL, text), "b d e ");
	ck_assert_str_eq(names(store, index, "x", text), "b d ");
	ck_assert_int_eq(kube_store_replace(store, NULL, 0, NULL), 0);
	ck_assert_uint_eq(kube_store_count(store), 0);
	kube_store_free(store);
}
END_TEST

START_TEST(limits_hold)
{
	struct thing_log log = {""};
	struct kube_store *store = new_store(2, &log);
	struct kube_err err;
	int index;

	put(store, "a", "u", "1", "x");
	put(store, "b", "u", "1", "x");
	ck_assert_int_eq(kube_store_put(store, thing_new("c", "u", "1", "x"), &err), KUBE_E_LIMIT);
	ck_assert_ptr_nonnull(strstr(err.message, "Thing"));
	put(store, "b", "u", "2", "y"); /* an update needs no room */
	struct kube_object *three[] = {thing_new("d", "u", "1", "x"), thing_new("e", "u", "1", "x"),
	                               thing_new("f", "u", "1", "x")};
	ck_assert_int_eq(kube_store_replace(store, three, 3, &err), KUBE_E_LIMIT);
	ck_assert_str_eq(log.text, "+a +b ~b ");
	ck_assert_int_eq(kube_store_add_index(store, thing_value, &index, &err), KUBE_E_INVALID);
	for (int i = 1; i < KUBE_STORE_MAX_HANDLERS; i++)
		ck_assert_int_eq(kube_store_add_handler(store, thing_note, &log, NULL), 0);
	ck_assert_int_eq(kube_store_add_handler(store, thing_note, &log, &err), KUBE_E_LIMIT);
	ck_assert_uint_eq(kube_store_max(store), 2);
	kube_store_free(store);
}
END_TEST

START_TEST(removed_handlers_are_silent)
{
	struct thing_log first = {""}, second = {""};
	struct kube_store *store = new_store(2, &first);

	ck_assert_int_eq(kube_store_add_handler(store, thing_note, &second, NULL), 0);
	kube_store_remove_handler(store, thing_note, &first);
	kube_store_remove_handler(store, thing_note, &first);
	put(store, "a", "u", "1", "x");
	ck_assert_str_eq(first.text, "");
	ck_assert_str_eq(second.text, "+a ");
	kube_store_free(store);
}
END_TEST

static size_t count_all(const struct kube_store *store)
{
	size_t count = 0;

	for (const struct kube_object *o = NULL; (o = kube_store_next(store, o));)
		count++;
	return count;
}

/* Each step goes on from the object it is given, whatever other iterations have come to meanwhile. */
START_TEST(iterations_in_each_other)
{
	struct kube_store *store = new_store(10, NULL);
	const char *const order[] = {"a", "b", "c"};
	size_t at = 0;
	char text[256];
	int index;

	ck_assert_int_eq(kube_store_add_index(store, thing_value, &index, NULL), 0);
	put(store, "a", "u", "1", "x");
	put(store, "b", "u", "1", "y");
	put(store, "c", "u", "1", "x");
	for (const struct kube_object *o = NULL; (o = kube_store_next(store, o)); at++) {
		ck_assert_str_eq(o->name, order[at]);
		ck_assert_str_eq(names(store, index, "x", text), "a c ");
		ck_assert_str_eq(names(store, 0, NULL, text), "a b c ");
	}
	ck_assert_uint_eq(at, 3);
	const struct kube_object *first = kube_store_next(store, NULL);
	kube_store_remove(store, "ns/b");
	ck_assert_str_eq(kube_store_next(store, first)->name, "c");
	const struct kube_object *last = kube_store_next(store, first);
	put(store, "d", "u", "1", "x");
	ck_assert_str_eq(kube_store_next(store, last)->name, "d");
	ck_assert_str_eq(kube_store_index_next(store, index, "x", last)->name, "d");
	kube_store_remove(store, "ns/d");
	ck_assert_ptr_null(kube_store_next(store, last));
	kube_store_free(store);
}
END_TEST

/* Quadratic work on so many objects would run into the test's time limit. */
START_TEST(many_objects)
{
	struct kube_store *store = new_store(MANY, NULL);
	char name[32], value[32];
	size_t in_index = 0;
	int index;

	ck_assert_int_eq(kube_store_add_index(store, thing_value, &index, NULL), 0);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		snprintf(value, sizeof(value), "v%zu", i % 3);
		put(store, name, "u", "1", value);
	}
	ck_assert_uint_eq(count_all(store), MANY);
	for (const struct kube_object *o = NULL; (o = kube_store_index_next(store, index, "v1", o));)
		in_index++;
	ck_assert_uint_eq(in_index, MANY / 3);
	for (size_t i = 0; i < MANY; i += 2) {
		snprintf(name, sizeof(name), "ns/n%zu", i);
		kube_store_remove(store, name);
	}
	ck_assert_uint_eq(count_all(store), MANY / 2);
	kube_store_free(store);
}
END_TEST

CHECK_MAIN("runtime/store", changes_are_told, handlers_see_the_change, indexes_follow, replace_makes_the_contents_equal,
           limits_hold, removed_handlers_are_silent, iterations_in_each_other, many_objects)
