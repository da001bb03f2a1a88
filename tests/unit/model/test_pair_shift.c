/* SPDX-License-Identifier: Apache-2.0 */
/* Choices of pairs that change: who is told what, and when. */
#include "model/pair_shift.h"

#include <string.h>

#include "base/limits.h"
#include "tests/unit/model/cluster.h"

#define SIIT_1 (FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_IPIP6_1))
#define SIIT_2 (FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1))

static struct cluster c;

static int setup(void **state)
{
	cluster_init_network(&c, 3);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static void report(size_t host, uint32_t formats)
{
	struct capabilities can = {
		.formats = formats, .substrate_mtu = 1500, .probed_ms = c.now_ms};

	assert_ok(cluster_end(&c, host_report(cluster_tx(&c), c.hosts[host], &can, &c.refusal)));
}

static void acknowledge(size_t host)
{
	assert_ok(cluster_end(&c, host_acknowledge(cluster_tx(&c), c.hosts[host],
						   model_revision(c.m), NULL, 0, &c.refusal)));
}

static void tick(uint64_t ms)
{
	c.now_ms += ms;
	assert_ok(cluster_end(
		&c, pair_shift_tick(cluster_tx(&c), LIMIT_MODEL_SHIFTS_PER_TICK, &(uint32_t){0})));
}

static struct choice choice(size_t self, size_t peer)
{
	struct choice ret;

	pair_choice(c.m, host_by_number(c.m, c.hosts[self]), host_by_number(c.m, c.hosts[peer]),
		    &pair_all, &ret);
	return ret;
}

static uint32_t sends(size_t self, size_t peer)
{
	return choice(self, peer).send;
}

static uint32_t accepts(size_t self, size_t peer)
{
	struct choice ch = choice(self, peer);

	return choice_formats(&ch);
}

/* requirement: NEG-8 */
static void test_both_directions_go_step_by_step(void **state)
{
	assert_int_equal(sends(0, 1), FORMAT_SIIT_2);
	report(0, SIIT_1);
	/* each takes both, and sends as before */
	assert_int_equal(sends(0, 1), FORMAT_SIIT_2);
	assert_int_equal(sends(1, 0), FORMAT_SIIT_2);
	assert_int_equal(accepts(0, 1), SIIT_1 | SIIT_2);
	assert_int_equal(accepts(1, 0), SIIT_1 | SIIT_2);
	assert_non_null(strstr(choice(1, 0).reason, "siit/2 until h1 accepts that"));
	acknowledge(0);
	assert_int_equal(sends(1, 0), FORMAT_SIIT_1);
	assert_int_equal(sends(0, 1), FORMAT_SIIT_2);
	assert_int_equal(sends(2, 0), FORMAT_SIIT_1);
	assert_int_equal(sends(0, 2), FORMAT_SIIT_2);
	acknowledge(1);
	assert_int_equal(sends(0, 1), FORMAT_SIIT_1);
	assert_int_equal(sends(0, 2), FORMAT_SIIT_2);
	acknowledge(0);
	tick(LIMIT_MODEL_SHIFT_GRACE_MS - 1);
	assert_int_equal(accepts(0, 1), SIIT_1 | SIIT_2);
	tick(1);
	assert_int_equal(accepts(0, 1), SIIT_1);
	assert_int_equal(accepts(1, 0), SIIT_1);
	/* the third has not said anything yet */
	assert_int_equal(accepts(2, 0), SIIT_1 | SIIT_2);
	assert_int_equal(sends(1, 2), FORMAT_SIIT_2);
	assert_int_equal(accepts(1, 2), SIIT_2);
	acknowledge(2);
	acknowledge(0);
	tick(LIMIT_MODEL_SHIFT_GRACE_MS);
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 0);
	assert_int_equal(accepts(2, 0), SIIT_1);
}

/* requirement: NEG-8 */
static void test_what_failed_is_not_acknowledged(void **state)
{
	const struct host *h2 = host_by_number(c.m, c.hosts[1]);
	const struct host_failure failed = {.kind = KIND_HOST, .id = h2->o.id, .text = "no memory"};

	report(0, SIIT_1);
	assert_ok(cluster_end(&c, host_acknowledge(cluster_tx(&c), c.hosts[0], model_revision(c.m),
						   &failed, 1, &c.refusal)));
	assert_int_equal(sends(1, 0), FORMAT_SIIT_2);
	assert_int_equal(sends(2, 0), FORMAT_SIIT_1);
	acknowledge(0);
	assert_int_equal(sends(1, 0), FORMAT_SIIT_1);
}

static bool waits(size_t host, uint64_t revision)
{
	return host_waits(c.m, c.hosts[host], revision);
}

/* What waits for a lower revision comes first, whatever is older, also after a restart or when a
 * change is undone. */
/* requirement: NEG-8 */
static void test_what_waits_is_in_order_of_revisions(void **state)
{
	struct change *change;
	uint64_t first;

	report(0, SIIT_1);
	first = model_revision(c.m);
	assert_true(waits(0, first));
	assert_false(waits(0, first - 1));
	/* what h2 sends is wished for anew, and that began before what h3 sends */
	report(1, FORMAT_BIT(FORMAT_VXLAN_1));
	report(0, SIIT_1 | FORMAT_BIT(FORMAT_VXLAN_1));
	assert_true(waits(0, first));
	assert_false(waits(0, first - 1));
	cluster_restart(&c);
	assert_true(waits(0, first));
	change = cluster_end_change(
		&c, host_acknowledge(cluster_tx(&c), c.hosts[0], first, NULL, 0, &c.refusal));
	assert_false(waits(0, first));
	assert_true(waits(0, model_revision(c.m)));
	change_undo(change);
	assert_true(waits(0, first));
}

/* requirement: NEG-8 */
static void test_a_confirmation_may_be_taken_up_in_parts(void **state)
{
	size_t max = 1;

	report(0, SIIT_1);
	assert_ok(cluster_end(&c,
			      host_acknowledge_some(cluster_tx(&c), c.hosts[0], model_revision(c.m),
						    NULL, 0, &max, &c.refusal)));
	assert_int_equal(max, 0);
	assert_int_not_equal(sends(1, 0) == FORMAT_SIIT_1, sends(2, 0) == FORMAT_SIIT_1);
	max = 5;
	assert_ok(cluster_end(&c,
			      host_acknowledge_some(cluster_tx(&c), c.hosts[0], model_revision(c.m),
						    NULL, 0, &max, &c.refusal)));
	assert_int_equal(max, 4);
	assert_int_equal(sends(1, 0), FORMAT_SIIT_1);
	assert_int_equal(sends(2, 0), FORMAT_SIIT_1);
}

/* requirement: NEG-8 */
static void test_a_host_that_had_nothing_is_told_at_once(void **state)
{
	report(0, FORMAT_BIT(FORMAT_IPIP6_1)); /* of no use alone */
	acknowledge(0);
	acknowledge(1);
	acknowledge(2);
	tick(LIMIT_MODEL_SHIFT_GRACE_MS);
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 0);
	assert_int_equal(sends(1, 0), FORMAT_NONE);
	report(0, SIIT_2);
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 0);
	assert_int_equal(sends(1, 0), FORMAT_SIIT_2);
	assert_int_equal(accepts(1, 0), SIIT_2);
}

/* requirement: NEG-8 */
static void test_a_removed_host_leaves_no_shift(void **state)
{
	report(0, SIIT_1);
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 4);
	assert_ok(cluster_end(&c, host_remove(cluster_tx(&c), &c.admin, "h1", false, &c.refusal)));
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 0);
}

/* requirement: NEG-8 */
static void test_it_waits_only_for_whom_it_concerns(void **state)
{
	assert_false(pair_shift_waits(c.m, c.hosts[0], model_revision(c.m)));
	report(0, SIIT_1);
	assert_true(host_waits(c.m, c.hosts[0], model_revision(c.m)));
	assert_false(host_waits(c.m, c.hosts[0], model_revision(c.m) - 1));
	assert_false(pair_shift_due(c.m, c.now_ms));
	acknowledge(0);
	acknowledge(1);
	assert_true(pair_shift_due(c.m, c.now_ms + LIMIT_MODEL_SHIFT_GRACE_MS));
}

/* requirement: NEG-8 */
static void test_what_is_over_is_taken_up_in_parts(void **state)
{
	uint32_t from = 0;
	size_t left;

	report(0, SIIT_1);
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < 3; i++)
			acknowledge(i);
	left = model_count(c.m, KIND_PAIR_SHIFT);
	assert_int_equal(left, 4);
	c.now_ms += LIMIT_MODEL_SHIFT_GRACE_MS;
	/* one at a time, also of a host that has several */
	while (left) {
		assert_ok(cluster_end(&c, pair_shift_tick(cluster_tx(&c), 1, &from)));
		assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), --left);
		assert_true(from);
	}
	assert_ok(cluster_end(&c, pair_shift_tick(cluster_tx(&c), 1, &from)));
	assert_int_equal(from, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_both_directions_go_step_by_step),
		TEST(test_what_failed_is_not_acknowledged),
		TEST(test_what_waits_is_in_order_of_revisions),
		TEST(test_a_confirmation_may_be_taken_up_in_parts),
		TEST(test_a_host_that_had_nothing_is_told_at_once),
		TEST(test_a_removed_host_leaves_no_shift),
		TEST(test_it_waits_only_for_whom_it_concerns),
		TEST(test_what_is_over_is_taken_up_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
