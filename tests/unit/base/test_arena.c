/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: alignment, zeroing, limits, re-use. */
#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/limits.h"
#include "tests/unit/test.h"

static void test_allocations_are_aligned_zeroed_and_apart(void **state)
{
	_cleanup_arena_ struct arena a;
	uint8_t *p[200];

	arena_init(&a, 1024 * 1024);
	for (size_t i = 0; i < 200; i++) {
		p[i] = arena_alloc(&a, i);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % alignof(max_align_t), 0);
		for (size_t j = 0; j < i; j++)
			assert_int_equal(p[i][j], 0);
		memset(p[i], (int)i, i);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal(p[i][j], i);
}

static void test_limit_holds_and_reset_gives_back(void **state)
{
	_cleanup_arena_ struct arena a;

	arena_init(&a, 3 * LIMIT_ARENA_CHUNK_SIZE);
	assert_non_null(arena_alloc(&a, 2 * LIMIT_ARENA_CHUNK_SIZE));
	assert_null(arena_alloc(&a, LIMIT_ARENA_CHUNK_SIZE + 1));
	assert_non_null(arena_alloc(&a, LIMIT_ARENA_CHUNK_SIZE));
	assert_null(arena_alloc(&a, 1));
	assert_null(arena_alloc(&a, SIZE_MAX));
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 3 * LIMIT_ARENA_CHUNK_SIZE));
}

static void test_memory_after_reset_is_zeroed_again(void **state)
{
	_cleanup_arena_ struct arena a;
	char *first, *again;

	arena_init(&a, 1024);
	first = arena_alloc(&a, 64);
	memset(first, 0xff, 64);
	arena_reset(&a);
	again = arena_alloc(&a, 64);
	assert_ptr_equal(again, first); /* the chunk was kept */
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(again[i], 0);
}

static void test_large_allocation_leaves_the_chunk_in_use(void **state)
{
	_cleanup_arena_ struct arena a;
	char *before, *after;

	arena_init(&a, 1024 * 1024);
	before = arena_alloc(&a, 16);
	assert_non_null(arena_alloc(&a, 100000));
	after = arena_alloc(&a, 16);
	assert_ptr_equal(after, before + 16);
}

static void test_array_overflow_is_refused(void **state)
{
	_cleanup_arena_ struct arena a;

	arena_init(&a, SIZE_MAX);
	assert_null(arena_alloc_array(&a, SIZE_MAX / 2, 3));
	assert_non_null(arena_alloc_array(&a, 3, 7));
}

static void test_strings(void **state)
{
	_cleanup_arena_ struct arena a;

	arena_init(&a, 64);
	assert_string_equal(arena_strdup(&a, "vpc"), "vpc");
	assert_string_equal(arena_strndup(&a, "subnet", 3), "sub");
	assert_string_equal(arena_printf(&a, "%s-%d", "eni", 17), "eni-17");
	assert_null(arena_printf(&a, "%100d", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allocations_are_aligned_zeroed_and_apart),
		cmocka_unit_test(test_limit_holds_and_reset_gives_back),
		cmocka_unit_test(test_memory_after_reset_is_zeroed_again),
		cmocka_unit_test(test_large_allocation_leaves_the_chunk_in_use),
		cmocka_unit_test(test_array_overflow_is_refused),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
