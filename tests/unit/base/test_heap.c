/* SPDX-License-Identifier: Apache-2.0 */
/* The heap against a plain array, with random insertions and removals. */
#include "base/heap.h"

#include "tests/unit/test.h"

enum { N = 500 };

struct item {
	struct heap_node node;
	unsigned int key;
};

static bool item_less(const struct heap_node *a, const struct heap_node *b)
{
	return container_of(a, struct item, node)->key < container_of(b, struct item, node)->key;
}

static unsigned int next_random(void)
{
	static unsigned int seed = 1;

	seed = seed * 1103515245 + 12345;
	return seed >> 8;
}

static const struct item *least(const struct item *items)
{
	const struct item *best = NULL;

	for (const struct item *i = items; i < items + N; i++)
		if (heap_node_linked(&i->node) && (!best || i->key < best->key))
			best = i;
	return best;
}

static void test_first_is_always_the_least(void **state)
{
	static struct item items[N];
	struct heap h;

	heap_init(&h, item_less);
	assert_null(heap_first(&h));
	for (int i = 0; i < 20000; i++) {
		struct item *any = &items[next_random() % N];
		const struct item *best;

		if (heap_node_linked(&any->node)) {
			heap_remove(&h, &any->node);
		} else {
			any->key = next_random() % 1000;
			heap_insert(&h, &any->node);
		}
		best = least(items);
		if (!best)
			assert_null(heap_first(&h));
		else
			assert_int_equal(container_of(heap_first(&h), struct item, node)->key,
					 best->key);
	}
}

static void test_leaves_in_order(void **state)
{
	static struct item items[N];
	unsigned int last = 0;
	struct heap h;

	heap_init(&h, item_less);
	for (size_t i = 0; i < N; i++) {
		items[i].key = next_random() % 100;
		heap_insert(&h, &items[i].node);
	}
	for (size_t i = 0; i < N; i++) {
		struct item *first = container_of(heap_first(&h), struct item, node);

		assert_true(first->key >= last);
		last = first->key;
		heap_remove(&h, &first->node);
		assert_false(heap_node_linked(&first->node));
	}
	assert_null(heap_first(&h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_is_always_the_least),
		cmocka_unit_test(test_leaves_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
