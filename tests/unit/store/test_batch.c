/* SPDX-License-Identifier: Apache-2.0 */
/* The encoding of writes: what goes in comes out, and damaged bytes are noticed. */
#include "store/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* requirement: MAP-1 */
static void test_round_trip(void **state)
{
	struct store_batch b;
	struct store_write w;
	struct cursor c;

	store_batch_init(&b);
	assert_true(store_batch_empty(&b));
	store_batch_put(&b, 7, 4, "vpc", 3, "value", 5);
	store_batch_put(&b, 7, 5, "x", 1, NULL, 0);
	store_batch_delete(&b, 9, 4, "vpc", 3);
	assert_int_equal(store_batch_error(&b), 0);
	assert_int_equal(b.first_revision, 7);
	assert_int_equal(b.last_revision, 9);
	assert_int_equal(b.n_writes, 3);

	cursor_init(&c, buf_data(&b.payload), buf_size(&b.payload));
	assert_true(store_write_decode(&c, &w));
	assert_int_equal(w.kind, 4);
	assert_int_equal(w.id_size, 3);
	assert_memory_equal(w.id, "vpc", 3);
	assert_int_equal(w.value_size, 5);
	assert_memory_equal(w.value, "value", 5);
	assert_true(store_write_decode(&c, &w));
	assert_non_null(w.value); /* empty, but there */
	assert_int_equal(w.value_size, 0);
	assert_true(store_write_decode(&c, &w));
	assert_null(w.value); /* deleted */
	assert_false(store_write_decode(&c, &w));
	assert_int_equal(cursor_error(&c), 0);
	store_batch_deinit(&b);
}

/* requirement: MAP-1 */
static void test_every_cut_is_noticed(void **state)
{
	struct store_batch b;
	struct store_write w;
	struct cursor c;

	store_batch_init(&b);
	store_batch_put(&b, 1, 4, "abc", 3, "12345678", 8);
	for (size_t n = 1; n < buf_size(&b.payload); n++) {
		cursor_init(&c, buf_data(&b.payload), n);
		assert_false(store_write_decode(&c, &w));
		assert_int_equal(cursor_error(&c), -EBADMSG);
	}
	store_batch_deinit(&b);
	cursor_init(&c, "\x01\x00\x00\x00\x00\x00", 6); /* an id of no bytes */
	assert_false(store_write_decode(&c, &w));
	assert_int_equal(cursor_error(&c), -EBADMSG);
}

static void test_bad_puts_are_refused(void **state)
{
	static const uint8_t id[300];
	struct store_batch b;

	store_batch_init(&b);
	store_batch_put(&b, 1, 4, "", 0, "v", 1);
	assert_int_equal(store_batch_error(&b), -EINVAL);
	store_batch_deinit(&b);

	store_batch_init(&b);
	store_batch_put(&b, 1, 4, id, sizeof(id), "v", 1);
	assert_int_equal(store_batch_error(&b), -EINVAL);
	store_batch_deinit(&b);

	store_batch_init(&b);
	store_batch_put(&b, 5, 4, "a", 1, "v", 1);
	store_batch_put(&b, 4, 4, "a", 1, "v", 1); /* back in time */
	assert_int_equal(store_batch_error(&b), -EINVAL);
	store_batch_deinit(&b);
}

static void test_order(void **state)
{
	struct store_write a = {.kind = 1, .id = (const uint8_t *)"ab", .id_size = 2};
	struct store_write b = {.kind = 1, .id = (const uint8_t *)"abc", .id_size = 3};
	struct store_write c = {.kind = 2, .id = (const uint8_t *)"a", .id_size = 1};

	assert_int_equal(store_write_compare(&a, &a), 0);
	assert_true(store_write_compare(&a, &b) < 0);
	assert_true(store_write_compare(&b, &a) > 0);
	assert_true(store_write_compare(&b, &c) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_cut_is_noticed),
		cmocka_unit_test(test_bad_puts_are_refused),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
