#include "test/unit/check_main.h"
#include <kube/mem.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool all_zero(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++) {
		if (p[i])
			return false;
	}
	return true;
}

START_TEST(memory_is_zeroed_aligned_and_disjoint)
{
	static const size_t sizes[] = {1, 3, 16, 17, 500, 513, 1024, 1025, 4000, 70000, 1, 24, 0, 100000, 7};
	unsigned char *blocks[200];
	struct kube_arena arena = {0};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(blocks); i++) {
		size_t size = sizes[i % KUBE_ARRAY_LEN(sizes)];
		blocks[i] = kube_arena_alloc(&arena, size);
		ck_assert_ptr_nonnull(blocks[i]);
		ck_assert_uint_eq((uintptr_t)blocks[i] % alignof(max_align_t), 0);
		ck_assert(all_zero(blocks[i], size));
		memset(blocks[i], (int)(i % 255) + 1, size);
		kube_arena_strdup(&arena, "odd"); /* what follows must be aligned all the same */
	}
	for (size_t i = 0; i < KUBE_ARRAY_LEN(blocks); i++) {
		size_t wrong = 0;
		for (size_t j = 0; j < sizes[i % KUBE_ARRAY_LEN(sizes)]; j++)
			wrong += blocks[i][j] != (unsigned char)((i % 255) + 1);
		ck_assert_uint_eq(wrong, 0);
	}
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(limits)
{
	static const struct {
		size_t limit, first, second;
		bool first_ok, second_ok;
	} rows[] = {
	    {112, 112, 0, true, false},
	    {112, 112, 1, true, false},
	    {112, 113, 112, false, true},
	    {112, 60, 48, true, true},
	    {112, 60, 49, true, false},
	    {112, 97, 1, true, false}, /* it takes a multiple of the alignment */
	    {0, KUBE_ARENA_DEFAULT_LIMIT, 1, true, false},
	    {0, KUBE_ARENA_DEFAULT_LIMIT + 1, 1, false, true},
	    {SIZE_MAX, SIZE_MAX, 1, false, true},
	    {SIZE_MAX, SIZE_MAX - 8, 1, false, true},
	};

	for (size_t i = 0; i < KUBE_ARRAY_LEN(rows); i++) {
		struct kube_arena arena;
		kube_arena_init(&arena, rows[i].limit);
		ck_assert_msg((kube_arena_alloc(&arena, rows[i].first) != NULL) == rows[i].first_ok, "row %zu first", i);
		ck_assert_msg((kube_arena_alloc(&arena, rows[i].second) != NULL) == rows[i].second_ok, "row %zu second", i);
		kube_arena_finish(&arena);
	}
}
END_TEST

START_TEST(used_bytes_counts_and_finish_starts_over)
{
	struct kube_arena arena;

	kube_arena_init(&arena, 1000);
	kube_arena_alloc(&arena, 300);
	kube_arena_strdup(&arena, "abc");
	ck_assert_uint_eq(arena.used_bytes, 304 + 4);
	kube_arena_finish(&arena);
	ck_assert_uint_eq(arena.used_bytes, 0);
	ck_assert_ptr_null(arena.head);
	ck_assert_ptr_nonnull(kube_arena_alloc(&arena, 992));
	ck_assert_ptr_null(kube_arena_alloc(&arena, 1));
	kube_arena_finish(&arena);
	kube_arena_finish(&arena);
	kube_arena_finish(NULL);
}
END_TEST

START_TEST(calloc_refuses_what_overflows)
{
	struct kube_arena arena = {0};

	ck_assert_ptr_null(kube_arena_calloc(&arena, SIZE_MAX / 2, 3));
	ck_assert_ptr_null(kube_arena_calloc(&arena, (SIZE_MAX / 8) + 2, 8)); /* wraps to 8 */
	ck_assert_ptr_nonnull(kube_arena_calloc(&arena, 5, 8));
	ck_assert_uint_eq(arena.used_bytes, 48);
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(texts_are_copied)
{
	struct kube_arena arena = {0};
	char source[] = "patch";

	char *copy = kube_arena_strdup(&arena, source);
	source[0] = 'X';
	ck_assert_str_eq(copy, "patch");
	ck_assert_str_eq(kube_arena_strndup(&arena, "patchwright", 5), "patch");
	ck_assert_str_eq(kube_arena_strndup(&arena, "ab", 50), "ab");
	ck_assert_str_eq(kube_arena_strndup(&arena, "ab", 0), "");
	ck_assert_str_eq(kube_arena_strdup(&arena, ""), "");
	ck_assert_ptr_null(kube_arena_strdup(&arena, NULL));
	ck_assert_ptr_null(kube_arena_strndup(&arena, NULL, 3));
	ck_assert_str_eq(kube_arena_printf(&arena, "%s-%d", "a", 7), "a-7");
	ck_assert_str_eq(kube_arena_printf(&arena, "%s", ""), "");
	char *wide = kube_arena_printf(&arena, "%5000d", 1);
	ck_assert_uint_eq(strlen(wide), 5000);
	kube_arena_finish(&arena);
	kube_arena_init(&arena, 4);
	ck_assert_ptr_null(kube_arena_printf(&arena, "abcd"));
	ck_assert_str_eq(kube_arena_printf(&arena, "abc"), "abc");
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(a_large_block_leaves_the_open_chunk_in_use)
{
	struct kube_arena arena = {0};

	char *a = kube_arena_alloc(&arena, 16);
	kube_arena_alloc(&arena, 100000);
	char *b = kube_arena_alloc(&arena, 16);
	ck_assert_ptr_eq(b, a + 16);
	kube_arena_finish(&arena);
}
END_TEST

/* What was used in chunks, in any order, fits into one piece of that size, and not into less. */
START_TEST(fixed_memory_is_used_to_the_last_byte)
{
	static const size_t sizes[] = {1, 3, 300, 17, 500, 7, 1200, 40, 64, 5};

	for (size_t less = 0; less < 2; less++) {
		struct kube_arena arenas[2] = {{0}};
		size_t size = 0;
		unsigned char *memory = NULL;
		for (int round = 0; round < 2; round++) {
			struct kube_arena *arena = &arenas[round];
			bool complete = true;
			for (size_t i = 0; i < 40; i++) {
				size_t at = (i * (round ? 7 : 3)) % 40; /* another order */
				size_t want = sizes[at % KUBE_ARRAY_LEN(sizes)];
				unsigned char *got =
				    at % 2 ? (unsigned char *)kube_arena_strndup(arena, "x", want) : kube_arena_alloc(arena, want);
				complete &= got != NULL;
				ck_assert(!round || !got || (got >= memory && got < memory + size));
			}
			ck_assert(complete == (round == 0 || less == 0));
			if (round == 0) {
				size = arena->used_bytes - less;
				memory = calloc(1, size);
				kube_arena_init_fixed(&arenas[1], memory, size);
			}
		}
		kube_arena_finish(&arenas[0]);
		kube_arena_finish(&arenas[1]); /* the memory is ours */
		free(memory);
	}
}
END_TEST

START_TEST(reset_keeps_memory_and_clears_it)
{
	struct kube_arena arena = {0};

	kube_arena_reset(&arena); /* nothing there */
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 50; i++) {
			unsigned char *block = kube_arena_alloc(&arena, 100);
			ck_assert(all_zero(block, 100));
			memset(block, 0x5a, 100);
			ck_assert_str_eq(kube_arena_strndup(&arena, "abc", 3), "abc");
		}
		ck_assert(round < 2 || kube_arena_alloc(&arena, 100) != NULL);
		kube_arena_reset(&arena);
		ck_assert_uint_eq(arena.used_bytes, 0);
		ck_assert_ptr_nonnull(arena.head);
	}
	kube_arena_finish(&arena);
}
END_TEST

START_TEST(take_leaves_null_behind_and_cleanup_frees)
{
	_cleanup_free_ char *text = strdup("x");
	char *moved = take(text);

	ck_assert_ptr_null(text);
	ck_assert_str_eq(moved, "x");
	kube_freep(&moved);
	ck_assert_ptr_null(moved);
}
END_TEST

CHECK_MAIN("mem", memory_is_zeroed_aligned_and_disjoint, limits, used_bytes_counts_and_finish_starts_over,
           calloc_refuses_what_overflows, texts_are_copied, a_large_block_leaves_the_open_chunk_in_use,
           fixed_memory_is_used_to_the_last_byte, reset_keeps_memory_and_clears_it,
           take_leaves_null_behind_and_cleanup_frees)
