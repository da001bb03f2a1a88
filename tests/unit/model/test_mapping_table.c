/* SPDX-License-Identifier: Apache-2.0 */
/* The mapping table against a plain array, through growth and removal. */
#include "model/mapping_table.h"

#include "tests/unit/test.h"

enum { N = 4000, STEPS = 200000 };

CLEANUP_DEFINE(struct mapping_table *, mapping_table_free);

static struct mapping plain[N]; /* interface 0: not there */

static void check_all(const struct mapping_table *t)
{
	size_t n = 0;

	for (uint32_t i = 0; i < N; i++) {
		struct ipaddr a = ipaddr_from_v4(i / 3);
		const struct mapping *m = mapping_find(t, i % 3 + 1, &a);

		n += plain[i].interface != 0;
		assert_int_equal(m != NULL, plain[i].interface != 0);
		if (m)
			assert_memory_equal(m, &plain[i], sizeof(*m));
	}
	assert_int_equal(mapping_count(t), n);
	for (size_t i = 0; i < n; i++) {
		const struct mapping *m = mapping_at(t, i);

		assert_ptr_equal(mapping_find(t, m->vni, &m->addr), m);
	}
}

/* requirement: MAP-1 */
static void test_against_a_plain_array(void **state)
{
	_cleanup_(mapping_table_free_cleanup) struct mapping_table *t = NULL;
	uint64_t seed = 9;

	assert_ok(mapping_table_new(&t));
	for (uint32_t step = 0; step < STEPS; step++) {
		uint32_t i, what;

		seed = seed * 6364136223846793005 + 1442695040888963407;
		/* the population swells and shrinks */
		what = (uint32_t)(seed >> 50) % 10 < (step / 20000 % 2 ? 7U : 3U);
		i = (uint32_t)(seed >> 33) % N;
		if (what) {
			plain[i] = (struct mapping){.addr = ipaddr_from_v4(i / 3),
						    .vni = i % 3 + 1,
						    .host = step,
						    .interface = i + 1,
						    .revision = step};
			assert_ok(mapping_table_reserve(t, 1));
			mapping_table_put(t, &plain[i]);
		} else {
			struct ipaddr a = ipaddr_from_v4(i / 3);

			/* another's is let be */
			mapping_table_remove(t, i % 3 + 1, &a, i + 2);
			if (step % 2)
				continue;
			mapping_table_remove(t, i % 3 + 1, &a, i + 1);
			plain[i].interface = 0;
		}
		if (step % 5000 == 0)
			check_all(t);
	}
	check_all(t);
}

static void test_bytes_per_mapping(void **state)
{
	_cleanup_(mapping_table_free_cleanup) struct mapping_table *t = NULL;

	assert_ok(mapping_table_new(&t));
	for (uint32_t i = 0; i < 100000; i++) {
		struct mapping m = {.addr = ipaddr_from_v4(i), .vni = 1, .interface = 1};

		assert_ok(mapping_table_reserve(t, 1));
		mapping_table_put(t, &m);
	}
	assert_true(mapping_memory(t) / mapping_count(t) < 100);
}

static void test_empty(void **state)
{
	_cleanup_(mapping_table_free_cleanup) struct mapping_table *t = NULL;
	struct ipaddr a = ipaddr_from_v4(1);

	assert_ok(mapping_table_new(&t));
	assert_null(mapping_find(t, 1, &a));
	mapping_table_remove(t, 1, &a, 1);
	assert_int_equal(mapping_count(t), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_a_plain_array),
		cmocka_unit_test(test_bytes_per_mapping),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
