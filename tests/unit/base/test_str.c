/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: strict numbers, splitting, formatting, escaping. */
#include "base/str.h"

#include <string.h>

#include "tests/unit/test.h"

static void test_numbers_are_whole_and_in_range(void **state)
{
	static const char *const bad[] = {"",    " 1",  "1 ",  "+1", "-1",
					  "0x1", "1.0", "1e3", "a",  "1\n"};
	uint64_t u64 = 77;
	uint32_t u32 = 77;
	uint16_t u16 = 77;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_error(str_u64(bad[i], 0, UINT64_MAX, &u64), EINVAL);
	assert_error(str_u64("18446744073709551616", 0, UINT64_MAX, &u64), ERANGE);
	assert_error(str_u64("99999999999999999999999", 0, UINT64_MAX, &u64), ERANGE);
	assert_error(str_u64("99999999999999999999999x", 0, UINT64_MAX, &u64), EINVAL);
	assert_error(str_u64("4", 5, 6, &u64), ERANGE);
	assert_error(str_u64("7", 5, 6, &u64), ERANGE);
	assert_error(str_u32("4294967296", 0, UINT32_MAX, &u32), ERANGE);
	assert_error(str_u16("65536", 0, UINT16_MAX, &u16), ERANGE);
	assert_true(u64 == 77 && u32 == 77 && u16 == 77);
	assert_ok(str_u64("18446744073709551615", 0, UINT64_MAX, &u64));
	assert_true(u64 == UINT64_MAX);
	assert_ok(str_u64("0000", 0, 0, &u64));
	assert_true(u64 == 0);
	assert_ok(str_u32("4294967295", 0, UINT32_MAX, &u32));
	assert_true(u32 == UINT32_MAX);
	assert_ok(str_u16("65535", 1, UINT16_MAX, &u16));
	assert_int_equal(u16, UINT16_MAX);
}

static void test_signed_numbers(void **state)
{
	int64_t v = 77;

	assert_error(str_i64("-", INT64_MIN, INT64_MAX, &v), EINVAL);
	assert_error(str_i64("--1", INT64_MIN, INT64_MAX, &v), EINVAL);
	assert_error(str_i64("9223372036854775808", INT64_MIN, INT64_MAX, &v), ERANGE);
	assert_error(str_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &v), ERANGE);
	assert_error(str_i64("-6", -5, 5, &v), ERANGE);
	assert_true(v == 77);
	assert_ok(str_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &v));
	assert_true(v == INT64_MIN);
	assert_ok(str_i64("9223372036854775807", INT64_MIN, INT64_MAX, &v));
	assert_true(v == INT64_MAX);
	assert_ok(str_i64("-5", -5, 5, &v));
	assert_true(v == -5);
}

static void test_booleans(void **state)
{
	bool v = false;

	assert_ok(str_bool("on", &v));
	assert_true(v);
	assert_ok(str_bool("false", &v));
	assert_false(v);
	assert_ok(str_bool("1", &v));
	assert_true(v);
	assert_error(str_bool("Yes", &v), EINVAL);
	assert_error(str_bool("", &v), EINVAL);
	assert_true(v);
}

static void test_comparison(void **state)
{
	assert_true(str_equal("a", "a"));
	assert_false(str_equal("a", "A"));
	assert_true(str_equal(NULL, NULL));
	assert_false(str_equal(NULL, ""));
	assert_true(str_has_prefix("vpc-1", "vpc-"));
	assert_true(str_has_prefix("vpc", ""));
	assert_false(str_has_prefix("vp", "vpc-"));
	assert_true(str_has_suffix("a.conf", ".conf"));
	assert_false(str_has_suffix("conf", ".conf"));
}

static void check_split(const char *s, size_t max, const char *const *expected)
{
	_cleanup_(strv_free_cleanup) char **v = NULL;
	size_t n = strv_count((char *const *)expected);

	assert_ok(strv_split(s, ',', max, &v));
	assert_int_equal(strv_count(v), n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(v[i], expected[i]);
}

static void test_splitting(void **state)
{
	char **v = NULL;

	check_split("", 0, (const char *const[]){NULL});
	check_split("a", 1, (const char *const[]){"a", NULL});
	check_split("a,bc,,d,", 5, (const char *const[]){"a", "bc", "", "d", "", NULL});
	check_split(",", 2, (const char *const[]){"", "", NULL});
	assert_error(strv_split("a,b,c", ',', 2, &v), E2BIG);
	assert_null(v);
	assert_int_equal(strv_count(NULL), 0);
	assert_null(strv_free(NULL));
}

static void test_formatting(void **state)
{
	_cleanup_free_ char *text = NULL;
	char buf[6] = "xxxxx";

	assert_ok(str_printf(&text, "%s-%d", "a", 1));
	assert_string_equal(text, "a-1");
	assert_ok(str_format(buf, sizeof(buf), "%d", 12345));
	assert_string_equal(buf, "12345");
	assert_error(str_format(buf, sizeof(buf), "%d", 123456), ENAMETOOLONG);
	assert_string_equal(buf, "");
	assert_ok(str_copy(buf, sizeof(buf), "abcde"));
	assert_error(str_copy(buf, sizeof(buf), "abcdef"), ENAMETOOLONG);
	assert_string_equal(buf, "abcde");
}

static void test_escaping_never_overflows_or_cuts_an_escape(void **state)
{
	char buf[64];

	assert_string_equal(str_escape("plain text", buf, sizeof(buf)), "plain text");
	assert_string_equal(str_escape("a\"b\\c\n\x80", buf, sizeof(buf)), "a\\\"b\\\\c\\x0a\\x80");
	assert_string_equal(str_escape("1234567", buf, 8), "1234567");
	assert_string_equal(str_escape("12345678", buf, 8), "12345..");
	assert_string_equal(str_escape("123\n", buf, 8), "123\\x0a");
	assert_string_equal(str_escape("1234\n", buf, 8), "1234..");
	assert_string_equal(str_escape("\n\n\n", buf, 8), "\\x0a..");
	for (size_t size = 8; size < 40; size++) {
		memset(buf, 'Z', sizeof(buf));
		str_escape("abc\ndef\"ghi\x01\x02jkl\\mnopqrstuvwxyz", buf, size);
		assert_true(strlen(buf) < size);
		assert_int_equal(buf[size], 'Z');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_whole_and_in_range),
		cmocka_unit_test(test_signed_numbers),
		cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_comparison),
		cmocka_unit_test(test_splitting),
		cmocka_unit_test(test_formatting),
		cmocka_unit_test(test_escaping_never_overflows_or_cuts_an_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
