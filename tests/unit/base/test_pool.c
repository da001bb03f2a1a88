/* SPDX-License-Identifier: Apache-2.0 */
/* A pool against an array that is searched: what was linked is found, by its number, until it is
 * given back. */
#include "base/pool.h"

#include "tests/unit/test.h"

enum { KEYS = 1000, STEPS = 50000 };

struct row {
	uint32_t chain;
	uint32_t key;
};

/* Chains are long: many keys share a hash. */
static uint64_t hash_of(uint32_t key)
{
	return key % 97;
}

static uint64_t row_hash(const void *record)
{
	return hash_of(((const struct row *)record)->key);
}

static uint64_t next_random(void)
{
	static uint64_t word = 0x9e3779b97f4a7c15;

	word ^= word << 13;
	word ^= word >> 7;
	word ^= word << 17;
	return word;
}

static struct row *row_at(const struct pool *p, uint32_t n)
{
	return pool_at(p, n);
}

static uint32_t find(const struct pool *p, uint32_t key)
{
	uint32_t n = pool_first(p, hash_of(key));

	while (n != POOL_NONE && row_at(p, n)->key != key)
		n = row_at(p, n)->chain;
	return n;
}

static uint32_t add(struct pool *p, uint32_t key)
{
	uint32_t n;

	assert_int_equal(pool_reserve(p), 0);
	n = pool_take(p);
	*row_at(p, n) = (struct row){.key = key};
	pool_link(p, n, hash_of(key));
	return n;
}

static void test_finds_what_is_linked(void **state)
{
	static uint32_t numbers[KEYS];
	struct pool p;
	uint32_t n = 0, most = 0;

	pool_init(&p, sizeof(struct row), row_hash);
	for (uint32_t key = 0; key < KEYS; key++) {
		numbers[key] = POOL_NONE;
		assert_int_equal(find(&p, key), POOL_NONE);
	}
	for (int i = 0; i < STEPS; i++) {
		uint32_t key = (uint32_t)(next_random() % KEYS);

		if (numbers[key] == POOL_NONE) {
			numbers[key] = add(&p, key);
			n++;
		} else {
			pool_give(&p, numbers[key]);
			numbers[key] = POOL_NONE;
			n--;
		}
		most = n > most ? n : most;
		assert_int_equal(p.n, n);
		assert_int_equal(find(&p, key), numbers[key]);
	}
	for (uint32_t key = 0; key < KEYS; key++)
		assert_int_equal(find(&p, key), numbers[key]);
	/* numbers are given again before there are more of them */
	assert_int_equal(p.fresh, most);
	pool_deinit(&p);
}

static void test_memory_doubles(void **state)
{
	const size_t record = sizeof(struct row) + sizeof(uint32_t);
	struct pool p;
	size_t before;

	pool_init(&p, sizeof(struct row), row_hash);
	assert_int_equal(pool_memory(&p), 0);
	add(&p, 0);
	before = pool_memory(&p);
	assert_in_range(before, record, 1024 * record);
	for (uint32_t key = 1; pool_memory(&p) == before; key++)
		add(&p, key);
	assert_int_equal(p.n, before / record + 1);
	assert_int_equal(pool_memory(&p), 2 * before);
	pool_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_what_is_linked),
		cmocka_unit_test(test_memory_doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
