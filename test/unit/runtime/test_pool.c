#include "lib/runtime/pool.h"
#include "lib/runtime/slots.h"
#include "test/unit/check_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Slots over an array of numbers whose hashes collide as wanted. */

#define NUMBERS 3000

struct owner {
	uint32_t keys[NUMBERS];
	uint32_t spread; /* hashes are keys modulo this */
};

static uint32_t hash_of(const void *owner, uint32_t number)
{
	const struct owner *o = owner;
	return o->keys[number] % o->spread;
}

static bool is(const void *owner, uint32_t number, const void *key)
{
	return ((const struct owner *)owner)->keys[number] == *(const uint32_t *)key;
}

static const struct slots_owner about = {hash_of, is};

static uint32_t find(const struct slots *slots, const struct owner *owner, uint32_t key)
{
	return slots_find(slots, &about, owner, key % owner->spread, &key);
}

/* Whatever the order and the collisions, what is in is found, and what is out is not. */
START_TEST(slots_hold_what_they_were_given)
{
	static const uint32_t spreads[] = {UINT32_MAX, 1000, 7, 1};

	uint32_t most = getenv("UNIT_LIGHT") ? NUMBERS / 10 : NUMBERS; /* fewer where every access is checked */

	for (size_t s = 0; s < KUBE_ARRAY_LEN(spreads); s++) {
		uint32_t count = spreads[s] < 10 ? most / 10 : most;
		static struct owner owner;
		static bool in[NUMBERS];
		struct slots slots = {0};
		owner.spread = spreads[s];
		memset(in, 0, sizeof(in));
		ck_assert_uint_eq(find(&slots, &owner, 5), SLOTS_NONE);
		for (uint32_t i = 0; i < count; i++)
			owner.keys[i] = i * 2654435761u;
		srandom(1);
		for (uint32_t step = 0; step < 20 * count; step++) {
			uint32_t i = (uint32_t)random() % count, key = owner.keys[i];
			if (in[i])
				slots_remove(&slots, &about, &owner, key % owner.spread, i);
			else
				ck_assert_int_eq(slots_add(&slots, &about, &owner, key % owner.spread, i), 0);
			in[i] = !in[i];
			if (step % (count / 3) == 0)
				for (uint32_t k = 0; k < count; k++)
					ck_assert_uint_eq(find(&slots, &owner, owner.keys[k]), in[k] ? k : SLOTS_NONE);
		}
		slots_finish(&slots);
	}
}
END_TEST

START_TEST(slots_follow_an_entry_that_moves)
{
	static struct owner owner = {.spread = 1, .keys = {10, 20, 30}};
	struct slots slots = {0};

	for (uint32_t i = 0; i < 3; i++)
		slots_add(&slots, &about, &owner, 0, i);
	owner.keys[7] = 20;
	slots_renumber(&slots, 0, 1, 7);
	ck_assert_uint_eq(find(&slots, &owner, 20), 7);
	ck_assert_uint_eq(find(&slots, &owner, 30), 2);
	slots_finish(&slots);
}
END_TEST

/* The pool */

static const char *text_of(struct kube_pool *pool, const char *text)
{
	const char *shared = NULL;

	ck_assert(pool_text(pool, text, &shared));
	ck_assert_str_eq(shared, text);
	return shared;
}

START_TEST(equal_texts_are_one)
{
	struct kube_pool *pool = pool_new();
	char text[] = "node-1";

	const char *a = text_of(pool, text), *b = text_of(pool, "node-1"), *c = text_of(pool, "node-2");
	text[0] = 'x'; /* copied */
	ck_assert_ptr_eq(a, b);
	ck_assert_ptr_ne(a, c);
	ck_assert_str_eq(a, "node-1");
	ck_assert_uint_eq(pool_count(pool), 2);
	pool_release(pool, a);
	ck_assert_str_eq(b, "node-1");
	pool_release(pool, b);
	ck_assert_uint_eq(pool_count(pool), 1);
	pool_release(pool, NULL);
	ck_assert_str_eq(c, "node-2");
	pool_release(pool, c);
	ck_assert_uint_eq(pool_count(pool), 0);
	ck_assert_ptr_eq(text_of(pool, ""), text_of(pool, ""));
	for (int i = 0; i < 2; i++) {
		const char *empty = text_of(pool, "");
		pool_release(pool, empty);
		pool_release(pool, empty);
	}
	pool_free(pool);
}
END_TEST

START_TEST(alike_is_not_equal)
{
	struct kube_str_pair pairs[][2] = {
	    {{"a", "b"}, {"c", "d"}}, {{"b", "a"}, {"c", "d"}}, {{"c", "d"}, {"a", "b"}}, {{"a", "bc"}, {"", "d"}}};
	struct kube_pool *pool = pool_new();
	struct kube_str_pair *shared[KUBE_ARRAY_LEN(pairs)];

	for (size_t i = 0; i < KUBE_ARRAY_LEN(pairs); i++) {
		ck_assert(pool_map(pool, &(struct kube_strmap){pairs[i], 2}, &shared[i]));
		for (size_t j = 0; j < i; j++)
			ck_assert_ptr_ne(shared[i], shared[j]);
		for (size_t j = 0; j < 2; j++) {
			ck_assert_str_eq(shared[i][j].key, pairs[i][j].key);
			ck_assert_str_eq(shared[i][j].value, pairs[i][j].value);
		}
	}
	for (size_t i = 0; i < KUBE_ARRAY_LEN(pairs); i++)
		pool_release(pool, shared[i]);
	ck_assert_uint_eq(pool_count(pool), 0);
	pool_free(pool);
}
END_TEST

START_TEST(equal_maps_are_one)
{
	char web[] = "web"; /* the same text elsewhere */
	struct kube_str_pair first[] = {{"app", "web"}, {"tier", "a"}}, other[] = {{"app", "web"}, {"tier", "b"}};
	struct kube_str_pair again[] = {{"app", web}, {"tier", "a"}};
	const struct kube_strmap maps[] = {{first, 2}, {again, 2}, {other, 2}, {first, 1}, {NULL, 0}};
	struct kube_pool *pool = pool_new();
	struct kube_str_pair *shared[KUBE_ARRAY_LEN(maps)];

	for (size_t i = 0; i < KUBE_ARRAY_LEN(maps); i++)
		ck_assert(pool_map(pool, &maps[i], &shared[i]));
	ck_assert_ptr_eq(shared[0], shared[1]);
	ck_assert_ptr_ne(shared[0], shared[2]);
	ck_assert_ptr_ne(shared[0], shared[3]);
	ck_assert_ptr_null(shared[4]);
	ck_assert_str_eq(shared[2][1].value, "b");
	ck_assert_ptr_eq(shared[0][0].key, shared[3][0].key);
	ck_assert_uint_eq(pool_count(pool), 3 + 5); /* maps; app, web, tier, a, b */
	pool_release(pool, shared[0]);
	pool_release(pool, shared[3]);
	ck_assert_str_eq(shared[1][1].value, "a");
	pool_release(pool, shared[1]);
	ck_assert_uint_eq(pool_count(pool), 1 + 4);
	pool_release(pool, shared[2]);
	pool_release(pool, shared[4]);
	ck_assert_uint_eq(pool_count(pool), 0);
	pool_free(pool);
}
END_TEST

/* Objects may outlive their store. The sanitizers and valgrind tell whether all of it is freed, and no sooner. */
START_TEST(it_lives_until_its_last_text_goes)
{
	struct kube_str_pair pair = {"app", "web"};
	struct kube_pool *pool = pool_new();
	struct kube_str_pair *map;

	const char *text = text_of(pool, "node-1");
	ck_assert(pool_map(pool, &(struct kube_strmap){&pair, 1}, &map));
	pool_free(pool);
	ck_assert_str_eq(map[0].value, "web");
	pool_release(pool, map);
	ck_assert_str_eq(text, "node-1");
	pool_release(pool, text);
	pool_free(NULL);
	pool_free(pool_new());
}
END_TEST

START_TEST(many_texts_come_and_go)
{
	struct kube_pool *pool = pool_new();
	const char *shared[2000];
	char text[32];

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < KUBE_ARRAY_LEN(shared); i++) {
			snprintf(text, sizeof(text), "text-%zu", i * (size_t)(round + 1));
			shared[i] = text_of(pool, text);
		}
		ck_assert_uint_eq(pool_count(pool), KUBE_ARRAY_LEN(shared));
		for (size_t i = 0; i < KUBE_ARRAY_LEN(shared); i++) { /* in another order */
			size_t at = (i * 7) % KUBE_ARRAY_LEN(shared);
			snprintf(text, sizeof(text), "text-%zu", at * (size_t)(round + 1));
			ck_assert_str_eq(shared[at], text);
			pool_release(pool, shared[at]);
		}
		ck_assert_uint_eq(pool_count(pool), 0);
	}
	pool_free(pool);
}
END_TEST

CHECK_MAIN("runtime/pool", slots_hold_what_they_were_given, slots_follow_an_entry_that_moves, equal_texts_are_one,
           equal_maps_are_one, alike_is_not_equal, it_lives_until_its_last_text_goes, many_texts_come_and_go)
