/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal text both ways, and what is refused. */
#include "base/hex.h"

#include "tests/unit/test.h"

static void test_both_ways(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x1f, 0xa9, 0xff};
	char text[9];
	uint8_t back[4];

	hex_encode(bytes, sizeof(bytes), text);
	assert_string_equal(text, "001fa9ff");
	assert_ok(hex_decode(text, back, sizeof(back)));
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_ok(hex_decode("001FA9fF", back, sizeof(back)));
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_ok(hex_decode("", back, 0));
}

static void test_anything_else_is_refused(void **state)
{
	static const char *const cases[] = {"",     "0",    "001",  "00112",
					    "0g11", "00 1", "+011", "001:"};
	uint8_t back[2] = {7, 7};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_error(hex_decode(cases[i], back, sizeof(back)), EINVAL);
		assert_memory_equal(back, "\7\7", 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
