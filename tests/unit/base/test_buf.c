/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers and cursors: byte order, limits, sticky errors, compaction. */
#include "base/buf.h"

#include <string.h>

#include "tests/unit/test.h"

static const uint8_t wire[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
			       0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x11, 0x10, 0x15, 0x14, 0x13,
			       0x12, 0x1d, 0x1c, 0x1b, 0x1a, 0x19, 0x18, 0x17, 0x16};

static void test_integers_have_their_byte_order(void **state)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, sizeof(wire));
	buf_put_u8(&b, 0x01);
	buf_put_be16(&b, 0x0203);
	buf_put_be32(&b, 0x04050607);
	buf_put_be64(&b, UINT64_C(0x08090a0b0c0d0e0f));
	buf_put_le16(&b, 0x1011);
	buf_put_le32(&b, 0x12131415);
	buf_put_le64(&b, UINT64_C(0x161718191a1b1c1d));
	assert_ok(buf_error(&b));
	assert_int_equal(buf_size(&b), sizeof(wire));
	assert_memory_equal(buf_data(&b), wire, sizeof(wire));
}

static void test_cursor_reads_what_was_written(void **state)
{
	struct cursor c;

	cursor_init(&c, wire, sizeof(wire));
	assert_int_equal(cursor_u8(&c), 0x01);
	assert_int_equal(cursor_be16(&c), 0x0203);
	assert_int_equal(cursor_be32(&c), 0x04050607);
	assert_true(cursor_be64(&c) == UINT64_C(0x08090a0b0c0d0e0f));
	assert_int_equal(cursor_le16(&c), 0x1011);
	assert_int_equal(cursor_le32(&c), 0x12131415);
	assert_int_equal(cursor_left(&c), 8);
	assert_true(cursor_le64(&c) == UINT64_C(0x161718191a1b1c1d));
	assert_int_equal(cursor_left(&c), 0);
	assert_ok(cursor_error(&c));
}

static void test_cursor_never_reads_past_its_end(void **state)
{
	uint8_t three[] = {1, 2, 3}, to[4] = {9, 9, 9, 9};
	struct cursor c, sub;

	cursor_init(&c, three, sizeof(three));
	assert_int_equal(cursor_be32(&c), 0);
	assert_error(cursor_error(&c), EBADMSG);
	/* The first error stays: what would have fitted is not read any more. */
	assert_int_equal(cursor_u8(&c), 0);
	assert_null(cursor_take(&c, 0));
	cursor_copy(&c, to, sizeof(to));
	assert_memory_equal(to, "\0\0\0\0", 4);
	assert_error(cursor_error(&c), EBADMSG);

	cursor_init(&c, three, sizeof(three));
	sub = cursor_sub(&c, 2);
	cursor_skip(&sub, 2);
	assert_ok(cursor_error(&sub));
	cursor_skip(&sub, 1);
	assert_error(cursor_error(&sub), EBADMSG);
	assert_ok(cursor_error(&c));
	assert_int_equal(cursor_u8(&c), 3);
	sub = cursor_sub(&c, 1);
	assert_error(cursor_error(&sub), EBADMSG);
	assert_error(cursor_error(&c), EBADMSG);

	cursor_init(&c, three, sizeof(three));
	assert_null(cursor_take(&c, SIZE_MAX));
	cursor_init(&c, NULL, 0);
	assert_int_equal(cursor_left(&c), 0);
	assert_ok(cursor_error(&c));
}

static void test_limit_is_sticky_until_reset(void **state)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, 4);
	buf_put_be16(&b, 0x0102);
	buf_put_be32(&b, 1);
	buf_put_u8(&b, 3);
	assert_error(buf_error(&b), EMSGSIZE);
	assert_int_equal(buf_size(&b), 2); /* whole values only */
	buf_reset(&b);
	buf_put_be32(&b, 1);
	assert_ok(buf_error(&b));
	assert_int_equal(buf_size(&b), 4);
	assert_null(buf_reserve(&b, SIZE_MAX));
}

static void test_queue_use_does_not_grow(void **state)
{
	_cleanup_buf_ struct buf b;
	size_t allocated = 0;
	uint8_t next_in = 0, next_out = 0;

	buf_init(&b, 1000);
	for (int i = 0; i < 10000; i++) {
		for (int j = 0; j < 30; j++)
			buf_put_u8(&b, next_in++);
		while (buf_size(&b) > 70) {
			assert_int_equal(buf_data(&b)[0], next_out++);
			buf_consume(&b, 1);
		}
		if (i == 100)
			allocated = b.allocated;
	}
	assert_ok(buf_error(&b));
	assert_int_equal(b.allocated, allocated);
}

static void test_text_and_taking(void **state)
{
	_cleanup_buf_ struct buf b;
	_cleanup_free_ char *taken = NULL;
	char *untouched = (char *)wire;
	size_t size;

	buf_init(&b, 10);
	buf_put_str(&b, "xxvni=");
	buf_consume(&b, 2);
	buf_put_printf(&b, "%d", 123456);
	assert_ok(buf_take(&b, &taken, &size)); /* exactly at the limit: the NUL does not count */
	assert_string_equal(taken, "vni=123456");
	assert_int_equal(size, 10);
	assert_int_equal(buf_size(&b), 0);
	buf_put_zeros(&b, 11);
	assert_error(buf_take(&b, &untouched, NULL), EMSGSIZE);
	assert_ptr_equal(untouched, wire);
}

static void test_reserve_and_commit(void **state)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, 100);
	memcpy(buf_reserve(&b, 50), "abc", 3);
	buf_commit(&b, 3);
	buf_put(&b, "def", 3);
	assert_int_equal(buf_size(&b), 6);
	assert_memory_equal(buf_data(&b), "abcdef", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_have_their_byte_order),
		cmocka_unit_test(test_cursor_reads_what_was_written),
		cmocka_unit_test(test_cursor_never_reads_past_its_end),
		cmocka_unit_test(test_limit_is_sticky_until_reset),
		cmocka_unit_test(test_queue_use_does_not_grow),
		cmocka_unit_test(test_text_and_taking),
		cmocka_unit_test(test_reserve_and_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
