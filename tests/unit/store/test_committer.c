/* SPDX-License-Identifier: Apache-2.0 */
/* The commit thread: order, grouping, and what happens to those behind a failure. */
#include "store/committer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "store/store_memory.h"

#include "state.h"

enum { N_COMMITS = 64 };

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct store_disk *disk;
	struct store *store;
	struct committer *committer;
	struct commit commits[N_COMMITS];
	unsigned int done[2 * N_COMMITS]; /* in the order of completion */
	int results[N_COMMITS];
	size_t n_done;
	uint64_t revision;
};

static void on_done(struct commit *c, int result, void *data)
{
	struct fixture *f = data;
	size_t i = (size_t)(c - f->commits);

	f->done[f->n_done++] = (unsigned int)i;
	f->results[i] = result;
	commit_deinit(c);
}

static void submit(struct fixture *f, unsigned int i)
{
	struct commit *c = &f->commits[i];

	commit_init(c, on_done, f);
	f->revision++;
	state_put(&c->batch, f->revision, i, (uint32_t)f->revision);
	committer_submit(f->committer, c);
}

static void wait_for(struct fixture *f, size_t n)
{
	for (unsigned int i = 0; f->n_done < n; i++) {
		assert_true(i < 10000);
		assert_int_equal(loop_turn(f->loop, 100), 0);
	}
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	clock_init_real(&f->clock);
	assert_int_equal(loop_new(&f->clock, &f->loop), 0);
	assert_int_equal(store_disk_new(&f->disk), 0);
	assert_int_equal(store_memory_open(f->disk, &f->store), 0);
	assert_int_equal(committer_new(f->loop, f->store, &f->committer), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	committer_free(f->committer);
	store_free(f->store);
	store_disk_free(f->disk);
	loop_free(f->loop);
	free(f);
	return 0;
}

/* Until the commit thread has taken what was submitted and hangs in the store. */
static void hang_with(struct fixture *f, unsigned int i)
{
	struct committer_state s;

	store_disk_hang(f->disk, true);
	submit(f, i);
	/* It cannot complete; the loop is free meanwhile. */
	assert_int_equal(loop_turn(f->loop, 20), 0);
	committer_state_get(f->committer, &s);
	assert_int_equal(f->n_done, 0);
}

static void test_order_of_success(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < N_COMMITS; i++)
		submit(f, i);
	wait_for(f, N_COMMITS);
	for (unsigned int i = 0; i < N_COMMITS; i++) {
		assert_int_equal(f->done[i], i);
		assert_int_equal(f->results[i], 0);
	}
}

/* Many operations per sync: what waits during one commit goes with the next.
 * requirement: MAP-1 */
static void test_grouping(void **state)
{
	struct fixture *f = *state;

	hang_with(f, 0);
	for (unsigned int i = 1; i < N_COMMITS; i++)
		submit(f, i);
	store_disk_hang(f->disk, false);
	wait_for(f, N_COMMITS);
	assert_true(store_disk_n_commits(f->disk) <= 2);
}

/* requirement: OPS-3 */
static void test_failure_takes_all_behind_it(void **state)
{
	struct fixture *f = *state;
	struct committer_state s;
	struct state expected = {};

	store_disk_fail_next(f->disk, 1, -ENOSPC);
	hang_with(f, 0);
	submit(f, 1);
	submit(f, 2);
	store_disk_hang(f->disk, false);
	wait_for(f, 3);
	/* The newest first: undone in this order, the state is the durable one again. */
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(f->done[i], 2 - i);
		assert_int_equal(f->results[i], -ENOSPC);
	}
	committer_state_get(f->committer, &s);
	assert_int_equal(s.error, -ENOSPC);
	assert_non_null(strstr(s.text.text, "fail"));

	/* And it tries again. */
	f->n_done = 0;
	submit(f, 5);
	wait_for(f, 1);
	assert_int_equal(f->results[5], 0);
	committer_state_get(f->committer, &s);
	assert_int_equal(s.error, 0);
	assert_int_equal(s.info.revision, f->revision);
	f->committer = committer_free(f->committer);
	expected.values[5] = (uint32_t)f->revision;
	assert_int_equal(state_loads(f->store, &expected), 0);
}

/* Nobody writes: it is seen all the same that the store works again, and that it does not yet.
 * requirement: OPS-3 */
static void test_the_store_is_tried_by_itself(void **state)
{
	struct fixture *f = *state;
	struct committer_state s;

	store_disk_fail_next(f->disk, 2, -ENOSPC); /* the commit and the first try */
	submit(f, 0);
	wait_for(f, 1);
	assert_int_equal(f->results[0], -ENOSPC);
	committer_state_get(f->committer, &s);
	assert_int_equal(s.error, -ENOSPC);
	for (unsigned int i = 0; s.error; i++) {
		assert_true(i < 1000);
		assert_int_equal(loop_turn(f->loop, 20), 0);
		committer_state_get(f->committer, &s);
	}
	assert_string_equal(s.text.text, "");
	/* Nothing was written by that. */
	f->committer = committer_free(f->committer);
	assert_int_equal(state_loads(f->store, &(struct state){}), 0);
}

/* What is submitted between the failure and its completion builds on what is not there. */
static void test_failure_reaches_late_submissions(void **state)
{
	struct fixture *f = *state;
	struct committer_state s = {};

	store_disk_fail_next(f->disk, 1, -EIO);
	submit(f, 0);
	while (!s.error)
		committer_state_get(f->committer, &s);
	submit(f, 1); /* the thread has failed, the loop has not heard yet */
	wait_for(f, 2);
	assert_int_equal(f->done[0], 1);
	assert_int_equal(f->done[1], 0);
	assert_int_equal(f->results[0], -EIO);
	assert_int_equal(f->results[1], -EIO);
	assert_int_equal(store_disk_n_commits(f->disk), 0);
}

/* requirement: OPS-3 */
static void test_leaving_finishes(void **state)
{
	struct fixture *f = *state;
	struct state expected = {};

	for (unsigned int i = 0; i < 10; i++) {
		submit(f, i);
		expected.values[i] = i + 1;
	}
	f->committer = committer_free(f->committer);
	assert_int_equal(f->n_done, 10);
	assert_int_equal(state_loads(f->store, &expected), 0);
}

static void test_drain_delivers_failures(void **state)
{
	struct fixture *f = *state;

	store_disk_fail_next(f->disk, 1, -EIO);
	submit(f, 0);
	committer_drain(f->committer);
	assert_int_equal(f->n_done, 1);
	assert_int_equal(f->results[0], -EIO);
}

/* As state_put(), but of many writes. */
static void submit_large(struct fixture *f, unsigned int i)
{
	struct commit *c = &f->commits[i];

	commit_init(c, on_done, f);
	f->revision++;
	for (unsigned int n = 0; n < LIMIT_STORE_TURN_WRITES; n++)
		state_put(&c->batch, f->revision, n, (uint32_t)f->revision);
	committer_submit(f->committer, c);
}

/* What follows from many large commits does not stop the loop.
 * requirement: MAP-1 */
static void test_large_commits_come_in_turns(void **state)
{
	enum { N = 8 };
	struct fixture *f = *state;

	hang_with(f, 0);
	for (unsigned int i = 1; i < N; i++)
		submit_large(f, i);
	store_disk_hang(f->disk, false);
	for (unsigned int i = 0; f->n_done < N; i++) {
		size_t before = f->n_done;

		assert_true(i < 10000);
		assert_int_equal(loop_turn(f->loop, 100), 0);
		/* the small one may come with a large one */
		assert_true(f->n_done <= before + 1 + !before);
	}
	assert_true(store_disk_n_commits(f->disk) <= 2);
	for (unsigned int i = 0; i < N; i++)
		assert_int_equal(f->done[i], i);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order_of_success),
		TEST(test_grouping),
		TEST(test_failure_takes_all_behind_it),
		TEST(test_the_store_is_tried_by_itself),
		TEST(test_failure_reaches_late_submissions),
		TEST(test_leaving_finishes),
		TEST(test_drain_delivers_failures),
		TEST(test_large_commits_come_in_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
