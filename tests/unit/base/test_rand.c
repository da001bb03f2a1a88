/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers: full size, in range, every value reached. */
#include "base/rand.h"

#include <string.h>

#include "tests/unit/test.h"

static void test_fills_all_bytes(void **state)
{
	uint8_t seen[1000] = {0}, bytes[1001];

	bytes[1000] = 0x5a;
	for (int i = 0; i < 20; i++) {
		rand_bytes(bytes, 1000);
		for (size_t j = 0; j < 1000; j++)
			seen[j] |= bytes[j];
	}
	/* A byte is still zero by chance once in 2^160. */
	assert_null(memchr(seen, 0, sizeof(seen)));
	assert_int_equal(bytes[1000], 0x5a);
	assert_true(rand_u64() != rand_u64());
}

static void test_below_is_in_range_and_even(void **state)
{
	unsigned int n[6] = {0};

	for (int i = 0; i < 60000; i++) {
		uint32_t v = rand_u32_below(6);

		assert_true(v < 6);
		n[v]++;
	}
	/* The standard deviation is 91: ten of them. */
	for (size_t i = 0; i < 6; i++)
		assert_in_range(n[i], 9000, 11000);
	assert_int_equal(rand_u32_below(1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fills_all_bytes),
		cmocka_unit_test(test_below_is_in_range_and_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
