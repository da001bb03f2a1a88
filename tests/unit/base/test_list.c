/* SPDX-License-Identifier: Apache-2.0 */
/* The list: order, removal during iteration, splicing. */
#include "base/list.h"

#include "tests/unit/test.h"

struct item {
	int key;
	struct list link;
};

/* The keys as one decimal number. */
static int digits(const struct list *head)
{
	struct item *i;
	int n = 0;

	list_for_each (i, head, link)
		n = 10 * n + i->key;
	return n;
}

static void test_order_and_ends(void **state)
{
	struct item a = {.key = 1}, b = {.key = 2}, c = {.key = 3};
	struct list head;

	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_first(&head, struct item, link));
	assert_null(list_last(&head, struct item, link));
	assert_int_equal(digits(&head), 0);
	assert_true(list_empty(&a.link)); /* zeroed: in no list */
	list_push_back(&head, &b.link);
	list_push_back(&head, &c.link);
	list_push_front(&head, &a.link);
	assert_false(list_empty(&a.link));
	assert_int_equal(digits(&head), 123);
	assert_ptr_equal(list_first(&head, struct item, link), &a);
	assert_ptr_equal(list_last(&head, struct item, link), &c);
	list_remove(&b.link);
	list_remove(&b.link); /* twice is harmless */
	assert_int_equal(digits(&head), 13);
	list_push_back(&head, &b.link);
	assert_int_equal(digits(&head), 132);
}

static void test_current_may_be_removed(void **state)
{
	struct item items[9], *i;
	struct list head;

	list_init(&head);
	for (int k = 0; k < 9; k++) {
		items[k].key = k + 1;
		list_push_back(&head, &items[k].link);
	}
	list_for_each (i, &head, link)
		if (i->key % 2) {
			list_remove(&i->link);
			i->link = (struct list){0};
		}
	assert_int_equal(digits(&head), 2468);
}

static void test_splicing(void **state)
{
	struct item a = {.key = 1}, b = {.key = 2}, c = {.key = 3};
	struct list to, from;

	list_init(&to);
	list_init(&from);
	list_splice_back(&to, &from);
	assert_true(list_empty(&to));
	list_push_back(&to, &a.link);
	list_push_back(&from, &b.link);
	list_push_back(&from, &c.link);
	list_splice_back(&to, &from);
	assert_int_equal(digits(&to), 123);
	assert_true(list_empty(&from));
	list_remove(&c.link);
	list_splice_back(&from, &to);
	assert_int_equal(digits(&from), 12);
	assert_true(list_empty(&to));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_ends),
		cmocka_unit_test(test_current_may_be_removed),
		cmocka_unit_test(test_splicing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
