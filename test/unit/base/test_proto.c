#include "test/unit/check_main.h"
#include "test/unit/proto_text.h"

#include <kube/time.h>

enum colour { NO_COLOUR, RED, BLUE };
static const char *const colours[] = {"", "Red", "Blue", NULL};

struct part {
	const char *name;
	int64_t weight;
	struct kube_strlist tags;
};

struct thing {
	const char *text;
	bool flag;
	int64_t number;
	struct kube_optional_int code;
	int64_t time_ms;
	struct kube_strmap map;
	struct kube_strlist strings;
	struct part part, *maybe;
	struct {
		struct part *items;
		size_t count;
	} parts;
	enum colour colour;
};

enum { TEXT = 1, FLAG, NUMBER, CODE, TIME, MAP, STRINGS, PART, MAYBE, PARTS, COLOUR, UNKNOWN };

static const struct kube_json_field part_table[] = {
    {.name = "name", .number = 1, .type = KUBE_JSON_STRING, .offset = offsetof(struct part, name), .required = true},
    {.name = "weight", .number = 200, .type = KUBE_JSON_INT, .offset = offsetof(struct part, weight)},
    {.name = "tags", .number = 3, .type = KUBE_JSON_STRLIST, .offset = offsetof(struct part, tags)},
    KUBE_JSON_END,
};

#define AT(member) offsetof(struct thing, member)
static const struct kube_json_field thing_table[] = {
    {.name = "jsonOnly", .type = KUBE_JSON_DURATION, .offset = AT(number)},
    {.name = "text", .number = TEXT, .type = KUBE_JSON_STRING, .offset = AT(text)},
    {.name = "flag", .number = FLAG, .type = KUBE_JSON_BOOL, .offset = AT(flag)},
    {.name = "number", .number = NUMBER, .type = KUBE_JSON_INT, .offset = AT(number)},
    {.name = "code", .number = CODE, .type = KUBE_JSON_OPTIONAL_INT, .offset = AT(code)},
    {.name = "time", .number = TIME, .type = KUBE_JSON_TIME, .offset = AT(time_ms)},
    {.name = "map", .number = MAP, .type = KUBE_JSON_STRMAP, .offset = AT(map)},
    {.name = "strings", .number = STRINGS, .type = KUBE_JSON_STRLIST, .offset = AT(strings)},
    {.name = "part", .number = PART, .type = KUBE_JSON_OBJECT, .offset = AT(part), .table = part_table},
    {.name = "maybe",
     .number = MAYBE,
     .type = KUBE_JSON_POINTER,
     .offset = AT(maybe),
     .table = part_table,
     .size = sizeof(struct part)},
    {.name = "parts",
     .number = PARTS,
     .type = KUBE_JSON_LIST,
     .offset = AT(parts),
     .table = part_table,
     .size = sizeof(struct part)},
    {.name = "colour", .number = COLOUR, .type = KUBE_JSON_ENUM, .offset = AT(colour), .words = colours},
    KUBE_JSON_END,
};

static void add_part(struct kube_buf *out, unsigned number, const char *name, int64_t weight, const char *tag)
{
	struct kube_buf part = pb_new();

	pb_text(&part, 1, name);
	pb_varint(&part, 200, weight);
	pb_text(&part, 3, tag);
	pb_text(&part, 3, "");
	pb_message(out, number, &part);
}

/* One of everything, with repeated fields apart from each other and what no table names between them. */
static struct kube_buf whole_thing(void)
{
	struct kube_buf out = pb_new();

	pb_text(&out, TEXT, "t");
	pb_varint(&out, FLAG, 1);
	pb_text(&out, STRINGS, "x");
	pb_varint(&out, NUMBER, -12);
	pb_varint(&out, CODE, 0);
	pb_time(&out, TIME, 1, 2000000);
	pb_pair(&out, MAP, "b", "2");
	add_part(&out, PARTS, "p", 1, "one");
	pb_text(&out, UNKNOWN, "whatever");
	pb_varint(&out, UNKNOWN + 1, 7);
	pb_raw_varint(&out, (UNKNOWN + 2) << 3 | KUBE_PROTO_64);
	kube_buf_add(&out, "12345678", 8);
	pb_raw_varint(&out, (UNKNOWN + 3) << 3 | KUBE_PROTO_32);
	kube_buf_add(&out, "1234", 4);
	pb_text(&out, STRINGS, "");
	pb_pair(&out, MAP, "a", "");
	add_part(&out, PART, "q", INT64_MAX, "two");
	add_part(&out, MAYBE, "r", INT64_MIN, "three");
	add_part(&out, PARTS, "s", 2, "four");
	pb_text(&out, COLOUR, "Blue");
	return out;
}

static int decode(struct kube_proto message, struct thing *thing, struct kube_arena *arena, struct kube_err *err)
{
	thing->time_ms = KUBE_TIME_NONE;
	return kube_proto_decode(message, thing_table, thing, arena, err);
}

START_TEST(every_type_is_decoded)
{
	_cleanup_buf_ struct kube_buf message = whole_thing();
	struct kube_arena arena = {0};
	struct thing thing = {0};
	struct kube_err err = {0};

	ck_assert_msg(decode(pb_of(&message), &thing, &arena, &err) == 0, "%s", err.message);
	memset(message.data, 'x', message.len); /* everything is copied */
	ck_assert_str_eq(thing.text, "t");
	ck_assert(thing.flag);
	ck_assert_int_eq(thing.number, -12);
	ck_assert(thing.code.set);
	ck_assert_int_eq(thing.code.value, 0);
	ck_assert_int_eq(thing.time_ms, 1002);
	ck_assert_uint_eq(thing.map.count, 2);
	ck_assert_str_eq(thing.map.items[0].key, "b");
	ck_assert_str_eq(thing.map.items[0].value, "2");
	ck_assert_str_eq(kube_strmap_get(&thing.map, "a"), "");
	ck_assert_uint_eq(thing.strings.count, 2);
	ck_assert_str_eq(thing.strings.items[0], "x");
	ck_assert_str_eq(thing.strings.items[1], "");
	ck_assert_str_eq(thing.part.name, "q");
	ck_assert_int_eq(thing.part.weight, INT64_MAX);
	ck_assert_str_eq(thing.maybe->name, "r");
	ck_assert_int_eq(thing.maybe->weight, INT64_MIN);
	ck_assert_uint_eq(thing.parts.count, 2);
	ck_assert_str_eq(thing.parts.items[0].name, "p");
	ck_assert_str_eq(thing.parts.items[1].name, "s");
	ck_assert_uint_eq(thing.parts.items[1].tags.count, 2);
	ck_assert_str_eq(thing.parts.items[1].tags.items[0], "four");
	ck_assert_int_eq(thing.colour, BLUE);
	kube_arena_finish(&arena);
}
END_TEST

/* Go writes "" and the zero time where JSON has no member. */
START_TEST(what_is_empty_counts_as_absent)
{
	_cleanup_buf_ struct kube_buf message = pb_new();
	struct kube_arena arena = {0};
	struct thing thing = {0};

	ck_assert_int_eq(decode(pb_of(&message), &thing, &arena, NULL), 0);
	pb_text(&message, TEXT, "");
	pb_text(&message, TIME, "");
	pb_text(&message, COLOUR, "");
	ck_assert_int_eq(decode(pb_of(&message), &thing, &arena, NULL), 0);
	ck_assert_ptr_null(thing.text);
	ck_assert(thing.time_ms == KUBE_TIME_NONE);
	ck_assert_int_eq(thing.colour, NO_COLOUR);
	ck_assert_ptr_null(thing.maybe);
	ck_assert(!thing.code.set);
	ck_assert_uint_eq(thing.map.count + thing.strings.count + thing.parts.count, 0);
	kube_arena_finish(&arena);
}
END_TEST

/* A message that comes twice: its lists are those of the last one, and nothing is written beyond the memory of either.
 */
START_TEST(the_last_one_counts)
{
	_cleanup_buf_ struct kube_buf message = pb_new();
	struct kube_arena arena = {0};
	struct thing thing = {0};

	pb_text(&message, TEXT, "first");
	pb_text(&message, TEXT, "second");
	add_part(&message, PART, "one", 1, "a");
	add_part(&message, PART, "two", 2, "b");
	add_part(&message, PART, "three", 3, "c");
	ck_assert_int_eq(decode(pb_of(&message), &thing, &arena, NULL), 0);
	ck_assert_str_eq(thing.text, "second");
	ck_assert_str_eq(thing.part.name, "three");
	ck_assert_uint_eq(thing.part.tags.count, 2);
	ck_assert_str_eq(thing.part.tags.items[0], "c");
	kube_arena_finish(&arena);
}
END_TEST

struct loose {
	struct kube_strmap map;
	struct kube_strlist strings;
	struct {
		struct part *items;
		size_t count;
	} parts;
	int64_t number;
};

static const struct kube_json_field loose_table[] = {
    {.name = "map", .number = 1, .type = KUBE_JSON_STRMAP, .offset = offsetof(struct loose, map), .lenient = true},
    {.name = "strings",
     .number = 2,
     .type = KUBE_JSON_STRLIST,
     .offset = offsetof(struct loose, strings),
     .lenient = true},
    {.name = "parts",
     .number = 3,
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct loose, parts),
     .lenient = true,
     .table = part_table,
     .size = sizeof(struct part)},
    {.name = "number", .number = 4, .type = KUBE_JSON_INT, .offset = offsetof(struct loose, number), .lenient = true},
    KUBE_JSON_END,
};

/* Of another type at the first place, in the middle and at the end: the others are there, and nothing is NULL. */
START_TEST(lenient_fields_overlook_what_does_not_fit)
{
	_cleanup_buf_ struct kube_buf message = pb_new();
	struct kube_arena arena = {0};
	struct loose loose = {0};

	for (int i = 0; i < 3; i++) {
		for (unsigned number = 1; number <= 3; number++) {
			pb_varint(&message, number, 7);
			pb_bytes(&message, number, "\x0a\x05x", 3);
		}
		pb_pair(&message, 1, "k", "v");
		pb_text(&message, 2, "text");
		add_part(&message, 3, "p", 1, "t");
		pb_text(&message, 4, "no number");
	}
	ck_assert_int_eq(kube_proto_decode(pb_of(&message), loose_table, &loose, &arena, NULL), 0);
	ck_assert_uint_eq(loose.map.count, 3);
	for (size_t i = 0; i < loose.map.count; i++)
		ck_assert_str_eq(loose.map.items[i].key, "k");
	ck_assert_uint_eq(loose.strings.count, 6); /* of bytes every text is one */
	ck_assert_uint_eq(loose.parts.count, 6);
	ck_assert_ptr_null(loose.parts.items[0].name);
	ck_assert_str_eq(loose.parts.items[5].name, "p");
	ck_assert_int_eq(loose.number, 0);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(errors_name_the_path)
{
	struct kube_buf part = pb_new(), nameless = pb_new(), cut = pb_new(), late = pb_new();
	pb_varint(&part, 1, 5);
	pb_varint(&nameless, 200, 5);
	kube_buf_add(&cut, "\x0a\x05x", 3);
	pb_varint(&late, 2, 1000000000);
	struct {
		unsigned number;
		struct kube_buf *body; /* NULL: a varint */
		const char *message;
	} rows[] = {
	    {TEXT, NULL, "text: a field of another type"},
	    {FLAG, &late, "flag: a field of another type"},
	    {MAP, NULL, "map: a field of another type"},
	    {PARTS, &part, "parts[0].name: a field of another type"},
	    {PARTS, &nameless, "parts[0].name: required, but absent"},
	    {MAYBE, &nameless, "maybe.name: required, but absent"},
	    {PART, &cut, "part: a field that is cut"},
	    {MAP, &cut, "map[0]: no entry of a map"},
	    {TIME, &cut, "time: no time"},
	    {TIME, &late, "time: no time"},
	    {COLOUR, &cut, "colour: expected one of , Red, Blue; got"},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct kube_buf message = pb_new();
		struct kube_arena arena = {0};
		struct thing thing = {0};
		struct kube_err err = {0};
		if (rows[i].body)
			pb_bytes(&message, rows[i].number, rows[i].body->data, rows[i].body->len);
		else
			pb_varint(&message, rows[i].number, 5);
		ck_assert_int_eq(decode(pb_of(&message), &thing, &arena, &err), KUBE_E_PARSE);
		ck_assert_msg(strncmp(err.message, rows[i].message, strlen(rows[i].message)) == 0, "%s: %s", rows[i].message,
		              err.message);
		kube_arena_finish(&arena);
	}
	kube_buf_finish(&part);
	kube_buf_finish(&nameless);
	kube_buf_finish(&cut);
	kube_buf_finish(&late);
}
END_TEST

START_TEST(wire_format_is_checked)
{
	static const struct {
		const char *bytes;
		size_t len;
		int rc;
	} rows[] = {
	    {"", 0, 0},
	    {"\x08\x01", 2, 1},
	    {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, 1},
	    {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, KUBE_E_PARSE}, /* a varint without end */
	    {"\x08", 1, KUBE_E_PARSE},
	    {"\x80", 1, KUBE_E_PARSE},
	    {"\x0a\x01", 2, KUBE_E_PARSE},
	    {"\x0a\x01x", 3, 1},
	    {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 12, KUBE_E_PARSE}, /* a length beyond everything */
	    {"\x09"
	     "1234567",
	     8, KUBE_E_PARSE},
	    {"\x09"
	     "12345678",
	     9, 1},
	    {"\x0d"
	     "1234",
	     5, 1},
	    {"\x0d"
	     "123",
	     4, KUBE_E_PARSE},
	    {"\x02\x00", 2, KUBE_E_PARSE},                         /* field 0 */
	    {"\x0b\x0c", 2, KUBE_E_PARSE},                         /* a group */
	    {"\x0e\x00", 2, KUBE_E_PARSE},                         /* no wire type */
	    {"\xf8\xff\xff\xff\xff\xff\x01\x01", 8, KUBE_E_PARSE}, /* a number beyond 2^29 */
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct kube_proto message = kube_proto_of(rows[i].bytes, rows[i].len);
		struct kube_proto_field field;
		ck_assert_msg(kube_proto_next(&message, &field) == rows[i].rc, "row %zu", i);
		ck_assert_msg(rows[i].rc < 0 || message.at == message.end, "row %zu", i);
	}
}
END_TEST

START_TEST(lists_have_a_maximum)
{
	for (size_t extra = 0; extra < 2; extra++) {
		_cleanup_buf_ struct kube_buf message = pb_new();
		struct kube_arena arena = {0};
		struct thing thing = {0};
		struct kube_err err = {0};
		for (size_t i = 0; i < KUBE_JSON_MAX_LIST + extra; i++)
			pb_text(&message, STRINGS, "a");
		ck_assert_int_eq(decode(pb_of(&message), &thing, &arena, &err), extra ? KUBE_E_LIMIT : 0);
		ck_assert_uint_eq(thing.strings.count, extra ? 0 : KUBE_JSON_MAX_LIST);
		kube_arena_finish(&arena);
	}
}
END_TEST

struct tree {
	struct {
		struct tree *items;
		size_t count;
	} children;
};
static const struct kube_json_field tree_table[] = {
    {.name = "children",
     .number = 1,
     .type = KUBE_JSON_LIST,
     .offset = offsetof(struct tree, children),
     .table = tree_table,
     .size = sizeof(struct tree)},
    KUBE_JSON_END,
};

START_TEST(depth_has_a_maximum)
{
	struct kube_arena arena = {0};
	struct kube_err err = {0};
	struct tree root = {0};
	struct kube_buf message = pb_new();

	for (int i = 0; i < 200; i++) {
		struct kube_buf parent = pb_new();
		pb_message(&parent, 1, &message);
		message = parent;
	}
	ck_assert_int_eq(kube_proto_decode(pb_of(&message), tree_table, &root, &arena, &err), KUBE_E_LIMIT);
	ck_assert_int_eq(strncmp(err.message, "children[0].children[0].", 24), 0);
	kube_buf_finish(&message);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(memory_ends)
{
	_cleanup_buf_ struct kube_buf message = whole_thing();

	for (size_t limit = 1;; limit++) {
		struct kube_arena arena;
		struct thing thing = {0};
		struct kube_err err = {0};
		kube_arena_init(&arena, limit);
		int rc = decode(pb_of(&message), &thing, &arena, &err);
		kube_arena_finish(&arena);
		if (rc == 0) {
			ck_assert_uint_gt(limit, 200);
			break;
		}
		ck_assert_int_eq(rc, KUBE_E_NOMEM);
		ck_assert_int_eq(err.code, KUBE_E_NOMEM);
	}
}
END_TEST

/* Cut anywhere, or with any byte changed: an error or some other thing, never an access beyond (the sanitizers tell).
 */
START_TEST(damaged_messages_do_no_harm)
{
	_cleanup_buf_ struct kube_buf message = whole_thing();
	size_t refused = 0;

	for (size_t len = 0; len < message.len; len++) {
		unsigned char *exact = malloc(len ? len : 1);
		memcpy(exact, message.data, len);
		for (size_t at = 0; at <= len; at++) {
			for (int bit = 0; bit < (len + 1 == message.len ? 8 : 1); bit++) {
				struct kube_arena arena = {0};
				struct thing thing = {0};
				if (at < len)
					exact[at] ^= (unsigned char)(1 << bit);
				refused += decode(kube_proto_of(exact, len), &thing, &arena, NULL) != 0;
				if (at < len)
					exact[at] ^= (unsigned char)(1 << bit);
				kube_arena_finish(&arena);
			}
		}
		free(exact);
	}
	ck_assert_uint_gt(refused, 100);
}
END_TEST

START_TEST(the_envelope_comes_off)
{
	_cleanup_buf_ struct kube_buf document = pb_new();
	struct kube_buf object = pb_new();
	struct kube_proto inside = {NULL, NULL};
	struct kube_err err = {0};

	pb_text(&object, TEXT, "t");
	pb_document(&document, "Thing", &object);
	ck_assert_int_eq(kube_proto_unwrap(pb_of(&document), &inside, &err), 0);
	ck_assert_uint_eq((size_t)(inside.end - inside.at), 3);
	ck_assert_int_eq(memcmp(inside.at, "\x0a\x01t", 3), 0);
	ck_assert_int_eq(kube_proto_unwrap(kube_proto_of("{\"a\":1}", 7), &inside, &err), KUBE_E_PARSE);
	ck_assert_int_eq(kube_proto_unwrap(kube_proto_of("k8s", 3), &inside, &err), KUBE_E_PARSE);
	ck_assert_int_eq(kube_proto_unwrap(kube_proto_of("", 0), &inside, NULL), KUBE_E_PARSE);
	for (size_t len = 0; len < document.len; len++) /* cut: refused, or as if it had no object */
		if (kube_proto_unwrap(kube_proto_of(document.data, len), &inside, &err) == 0)
			ck_assert(inside.at == inside.end || inside.end - inside.at == 3);
}
END_TEST

CHECK_MAIN("proto", every_type_is_decoded, what_is_empty_counts_as_absent, the_last_one_counts,
           lenient_fields_overlook_what_does_not_fit, errors_name_the_path, wire_format_is_checked,
           lists_have_a_maximum, depth_has_a_maximum, memory_ends, damaged_messages_do_no_harm, the_envelope_comes_off)
