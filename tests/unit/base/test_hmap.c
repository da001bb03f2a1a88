/* SPDX-License-Identifier: Apache-2.0 */
/* The hash map against a plain array, through its growth. */
#include "base/hmap.h"

#include "base/hash.h"
#include "tests/unit/test.h"

enum { N = 5000 };

struct item {
	struct hmap_node node;
	unsigned int key;
	bool inside;
	unsigned int n_seen;
};

static struct item items[N];

static int clear_items(void **state)
{
	for (unsigned int i = 0; i < N; i++)
		items[i] = (struct item){.key = i};
	return 0;
}

static struct item *find(const struct hmap *m, unsigned int key)
{
	struct item *i;

	hmap_for_each_at (i, m, hash_u64(key), node)
		if (i->key == key)
			return i;
	return NULL;
}

/* Every element is visited once, and no other. */
static void check_iteration(const struct hmap *m)
{
	size_t n = 0;
	struct item *i;

	hmap_for_each (i, m, node) {
		i->n_seen++;
		n++;
	}
	assert_int_equal(n, hmap_count(m));
	for (unsigned int k = 0; k < N; k++) {
		assert_int_equal(items[k].n_seen, items[k].inside);
		items[k].n_seen = 0;
	}
}

static void test_finds_and_visits_at_every_size(void **state)
{
	struct hmap m = {0}; /* as good as hmap_init() */

	check_iteration(&m);
	assert_null(find(&m, 0));
	for (unsigned int k = 0; k < N; k++) {
		hmap_insert(&m, &items[k].node, hash_u64(k));
		items[k].inside = true;
		assert_int_equal(hmap_count(&m), k + 1);
		assert_ptr_equal(find(&m, k), &items[k]);
		assert_ptr_equal(find(&m, k / 2), &items[k / 2]);
		assert_null(find(&m, k + 1));
		if (k < 100 || k % 97 == 0)
			check_iteration(&m);
	}
	for (unsigned int k = 0; k < N; k++)
		assert_ptr_equal(find(&m, k), &items[k]);
	hmap_deinit(&m);
}

static void test_random_insertions_and_removals(void **state)
{
	unsigned int seed = 1;
	struct hmap m;

	hmap_init(&m);
	for (int round = 0; round < 100000; round++) {
		struct item *i;

		seed = seed * 1103515245 + 12345;
		i = &items[(seed >> 8) % N];
		assert_ptr_equal(find(&m, i->key), i->inside ? i : NULL);
		if (i->inside)
			hmap_remove(&m, &i->node);
		else
			hmap_insert(&m, &i->node, hash_u64(i->key));
		i->inside = !i->inside;
		if (round % 10000 == 0)
			check_iteration(&m);
	}
	hmap_deinit(&m);
}

static void test_reserved_map_does_not_grow(void **state)
{
	struct hmap m = {0};
	size_t n_buckets;

	hmap_reserve(&m, N);
	n_buckets = m.n_buckets;
	assert_true(n_buckets >= N);
	for (unsigned int k = 0; k < N; k++) {
		hmap_insert(&m, &items[k].node, hash_u64(k));
		items[k].inside = true;
	}
	assert_int_equal(m.n_buckets, n_buckets);
	hmap_reserve(&m, 10 * N); /* not empty any more */
	assert_int_equal(m.n_buckets, n_buckets);
	for (unsigned int k = 0; k < N; k++)
		assert_ptr_equal(find(&m, k), &items[k]);
	check_iteration(&m);
	hmap_deinit(&m);
}

static void test_current_may_be_removed_and_freed(void **state)
{
	struct hmap m = {0};
	struct item *i;

	for (unsigned int k = 0; k < 1000; k++) {
		i = malloc(sizeof(*i));
		*i = (struct item){.key = k};
		hmap_insert(&m, &i->node, k % 10); /* long chains of equal hashes */
	}
	hmap_for_each (i, &m, node) {
		if (i->key % 2)
			continue;
		hmap_remove(&m, &i->node);
		free(i);
	}
	assert_int_equal(hmap_count(&m), 500);
	hmap_for_each_at (i, &m, 3, node) {
		assert_int_equal(i->key % 10, 3);
		hmap_remove(&m, &i->node);
		free(i);
	}
	assert_int_equal(hmap_count(&m), 400);
	hmap_for_each (i, &m, node) {
		hmap_remove(&m, &i->node);
		free(i);
	}
	assert_int_equal(hmap_count(&m), 0);
	hmap_deinit(&m);
}

static void test_chains_stay_short_and_no_insertion_moves_everything(void **state)
{
	struct hmap m = {0};
	size_t moved_before = 0;

	for (unsigned int k = 0; k < N; k++) {
		hmap_insert(&m, &items[k].node, hash_u64(k));
		if (m.n_old)
			assert_in_range(m.n_moved, 0, moved_before + 2);
		moved_before = m.n_moved;
		assert_true(hmap_count(&m) <= 2 * m.n_buckets);
	}
	hmap_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_finds_and_visits_at_every_size, clear_items),
		cmocka_unit_test_setup(test_random_insertions_and_removals, clear_items),
		cmocka_unit_test_setup(test_reserved_map_does_not_grow, clear_items),
		cmocka_unit_test_setup(test_current_may_be_removed_and_freed, clear_items),
		cmocka_unit_test_setup(test_chains_stay_short_and_no_insertion_moves_everything,
				       clear_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
