/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting by digits, against the definition. */
#include "base/radix.h"

#include "tests/unit/test.h"

enum { N = 5000 };

static struct radix_item items[N];
static char places[N]; /* their addresses are the values */

static uint64_t next_random(void)
{
	static uint64_t word = 0x9e3779b97f4a7c15;

	word ^= word << 13;
	word ^= word >> 7;
	word ^= word << 17;
	return word;
}

/* Keys between 'lowest' and 'lowest' + 'mask', many of them equal if that is little. */
static void check(size_t n, uint64_t lowest, uint64_t mask)
{
	static uint64_t keys[N];

	for (size_t i = 0; i < n; i++) {
		keys[i] = lowest + (next_random() & mask);
		items[i] = (struct radix_item){keys[i], &places[i]};
	}
	assert_int_equal(radix_sort(items, n), 0);
	for (size_t i = 0; i < n; i++) {
		const char *value = items[i].value;

		assert_true(items[i].key == keys[value - places]);
		if (!i)
			continue;
		assert_true(items[i - 1].key <= items[i].key);
		/* each once, and equal ones as they were */
		if (items[i - 1].key == items[i].key)
			assert_true((const char *)items[i - 1].value < value);
	}
}

static void test_sorted_and_stable(void **state)
{
	static const size_t counts[] = {0, 1, 2, 31, 32, 33, 1000, N};
	static const uint64_t masks[] = {0, 1, 0x7ff, 0x800, 0xfffff, 0x3fffffffff, UINT64_MAX / 2};

	for (size_t n = 0; n < ARRAY_SIZE(counts); n++)
		for (size_t m = 0; m < ARRAY_SIZE(masks); m++) {
			check(counts[n], 0, masks[m]);
			check(counts[n], UINT64_MAX - masks[m], masks[m]);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_and_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
