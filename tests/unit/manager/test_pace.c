/* SPDX-License-Identifier: Apache-2.0 */
/* How often hosts hear of steps of choices that change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "manager/manager.h"

/* With MANY hosts the turn of each comes once in a second. */
enum { MANY = LIMIT_PACE_TOLD_PER_S };

struct fixture {
	struct clock clock;
	struct manager manager;
	size_t n_flushed;
	struct agent *agent;
};

/* As publish_flush() does, without a session. */
static void flush(struct deferred *deferred, void *data)
{
	struct fixture *f = data;
	struct agent *agent;

	while ((agent = list_first(&f->manager.dirty, struct agent, in_dirty))) {
		list_remove(&agent->in_dirty);
		if (pace_hold(&f->manager, agent))
			continue;
		pace_told(&f->manager, agent);
		f->n_flushed++;
	}
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	*f = (struct fixture){0};
	clock_init_manual(&f->clock, CLOCK_NS_PER_S, 0);
	f->manager.clock = &f->clock;
	assert_int_equal(loop_new(&f->clock, &f->manager.loop), 0);
	list_init(&f->manager.dirty);
	agents_init(&f->manager.agents);
	pace_init(&f->manager.pace, &f->manager);
	deferred_init(&f->manager.flush, f->manager.loop, flush, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	deferred_deinit(&f->manager.flush);
	agents_deinit(&f->manager.agents);
	pace_deinit(&f->manager.pace);
	loop_free(f->manager.loop);
	return 0;
}

static void add_hosts(struct fixture *f, uint32_t n)
{
	for (uint32_t i = 1; i <= n; i++)
		assert_int_equal(agents_add(&f->manager.agents, i, 1), 0);
	f->agent = agents_find(&f->manager.agents, 1);
	f->agent->needs_full = false;
}

static void mark(struct fixture *f)
{
	list_remove(&f->agent->in_dirty);
	list_push_back(&f->manager.dirty, &f->agent->in_dirty);
	deferred_schedule(&f->manager.flush);
	assert_int_equal(loop_settle(f->manager.loop), 0);
}

static void pass(struct fixture *f, uint64_t ns)
{
	assert_int_equal(loop_advance(f->manager.loop, ns), 0);
}

/* requirement: NEG-8 */
static void many_steps_are_one_message(void **state)
{
	struct fixture *f = *state;

	add_hosts(f, MANY);
	mark(f); /* the first is told at once */
	assert_int_equal(f->n_flushed, 1);
	for (int i = 0; i < 40; i++) {
		mark(f);
		pass(f, LIMIT_PACE_ROUND_NS);
	}
	assert_int_equal(f->n_flushed, 1);
	pass(f, CLOCK_NS_PER_S);
	assert_int_equal(f->n_flushed, 2);
	pass(f, 2 * CLOCK_NS_PER_S);
	assert_int_equal(f->n_flushed, 2); /* nothing was left */
}

/* requirement: NEG-8 */
static void what_is_more_than_a_step_is_told_at_once(void **state)
{
	struct fixture *f = *state;

	add_hosts(f, MANY);
	mark(f);
	mark(f);
	assert_int_equal(f->n_flushed, 1);
	f->agent->urgent = true;
	mark(f);
	assert_int_equal(f->n_flushed, 2);
	assert_false(f->agent->urgent);
	/* nor does one wait that gets all of its state */
	f->agent->full = true;
	mark(f);
	assert_int_equal(f->n_flushed, 3);
	f->agent->full = false;
}

/* requirement: NEG-8 */
static void who_is_only_to_confirm_waits_as_well(void **state)
{
	struct fixture *f = *state;

	add_hosts(f, MANY);
	mark(f);
	for (int i = 0; i < 10; i++) {
		f->agent->confirm = true;
		mark(f);
	}
	assert_int_equal(f->n_flushed, 1);
	pass(f, CLOCK_NS_PER_S + LIMIT_PACE_ROUND_NS);
	assert_int_equal(f->n_flushed, 2);
}

/* requirement: NEG-8 */
static void with_few_hosts_nobody_waits(void **state)
{
	struct fixture *f = *state;

	add_hosts(f, 4);
	for (size_t i = 1; i < 10; i++) {
		mark(f);
		assert_int_equal(f->n_flushed, i);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_steps_are_one_message),
		TEST(what_is_more_than_a_step_is_told_at_once),
		TEST(who_is_only_to_confirm_waits_as_well),
		TEST(with_few_hosts_nobody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
