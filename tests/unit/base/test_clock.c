/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks: the manual one stands still, the real one does not go back. */
#include "base/clock.h"

#include <time.h>

#include "tests/unit/test.h"

static void test_manual_clock_moves_only_when_advanced(void **state)
{
	struct clock c;

	clock_init_manual(&c, 5 * CLOCK_NS_PER_MS, 1000);
	assert_int_equal(clock_mono_ns(&c), 5 * CLOCK_NS_PER_MS);
	assert_int_equal(clock_wall_ms(&c), 1000);
	clock_advance(&c, 3 * CLOCK_NS_PER_S);
	assert_int_equal(clock_mono_ns(&c), 5 * CLOCK_NS_PER_MS + 3 * CLOCK_NS_PER_S);
	assert_int_equal(clock_wall_ms(&c), 4000);
}

static void test_short_steps_add_up_in_wall_time(void **state)
{
	struct clock c;

	clock_init_manual(&c, 0, 0);
	for (int i = 0; i < 10000; i++)
		clock_advance(&c, 1000);
	assert_int_equal(clock_wall_ms(&c), 10);
}

static void test_real_clock_follows_the_kernel(void **state)
{
	struct clock c;
	uint64_t first;
	time_t now = time(NULL);

	clock_init_real(&c);
	first = clock_mono_ns(&c);
	for (int i = 0; i < 1000; i++)
		assert_true(clock_mono_ns(&c) >= first);
	assert_in_range(clock_wall_ms(&c) / 1000, (uint64_t)now, (uint64_t)now + 60);
}

static void test_a_date_for_people(void **state)
{
	char text[CLOCK_DATE_SIZE];

	assert_string_equal(clock_date_text(0, text), "1970-01-01");
	assert_string_equal(clock_date_text(UINT64_C(1709251199999), text), "2024-02-29");
	assert_string_equal(clock_date_text(UINT64_MAX, text), "584556019-04-03");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manual_clock_moves_only_when_advanced),
		cmocka_unit_test(test_short_steps_add_up_in_wall_time),
		cmocka_unit_test(test_real_clock_follows_the_kernel),
		cmocka_unit_test(test_a_date_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
