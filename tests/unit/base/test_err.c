/* SPDX-License-Identifier: Apache-2.0 */
/* The language aids: cleanup runs at the end of the scope, and not for what was taken out. */
#include "base/err.h"

#include <fcntl.h>
#include <stdbool.h>

#include "tests/unit/test.h"

struct thing {
	int before;
	int n_freed;
	int member;
};

static struct thing *thing_free(struct thing *t)
{
	if (t)
		t->n_freed++;
	return NULL;
}
CLEANUP_DEFINE(struct thing *, thing_free);

static struct thing *pass(struct thing *t, bool keep)
{
	_cleanup_(thing_free_cleanup) struct thing *owned = t;
	_cleanup_(thing_free_cleanup) struct thing *none = NULL;

	assert_null(none);
	return keep ? TAKE_PTR(owned) : NULL;
}

static void test_cleanup_and_taking(void **state)
{
	struct thing t = {0};

	assert_ptr_equal(pass(&t, true), &t);
	assert_int_equal(t.n_freed, 0);
	assert_null(pass(&t, false));
	assert_int_equal(t.n_freed, 1);
}

static int open_null(bool keep, int *ret_number)
{
	_cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	*ret_number = fd;
	errno = EPERM;
	return keep ? TAKE_FD(fd) : -1;
}

static void test_descriptors_are_closed_and_errno_kept(void **state)
{
	int number, fd;

	assert_int_equal(open_null(false, &number), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(fcntl(number, F_GETFD), -1);
	fd = open_null(true, &number);
	assert_int_equal(fd, number);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	close(fd);
}

static void test_sizes_and_containers(void **state)
{
	struct thing things[7];

	assert_int_equal(ARRAY_SIZE(things), 7);
	assert_ptr_equal(container_of(&things[3].member, struct thing, member), &things[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cleanup_and_taking),
		cmocka_unit_test(test_descriptors_are_closed_and_errno_kept),
		cmocka_unit_test(test_sizes_and_containers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
