/* SPDX-License-Identifier: Apache-2.0 */
/* Usage adds up across restarts, moves and missed reports, and outlives its interface. */
#include "model/usage.h"

#include "base/limits.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;

static int setup(void **state)
{
	cluster_init_network(&c, 1);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static void add(struct usage *u, uint32_t host, uint64_t bytes, uint64_t now_ms)
{
	struct usage_counts seen = {.tx_packets = bytes / 100, .tx_bytes = bytes};

	usage_add(u, host, &seen, now_ms, 2000);
}

/* requirement: OPS-2 */
static void test_reports_add_up(void **state)
{
	struct usage u = {.host = 0};

	add(&u, 1, 1000, 10000);
	assert_int_equal(u.sum.tx_bytes, 1000);
	assert_int_equal(u.used_ms, 0);
	add(&u, 1, 1500, 12000);
	assert_int_equal(u.sum.tx_bytes, 1500);
	assert_int_equal(u.sum.tx_packets, 15);
	assert_int_equal(u.used_ms, 2000);
	add(&u, 1, 1500, 12000); /* said twice */
	assert_int_equal(u.sum.tx_bytes, 1500);
	/* a manager was away: its host counted on */
	add(&u, 1, 9000, 112000);
	assert_int_equal(u.sum.tx_bytes, 9000);
	assert_int_equal(u.used_ms, 102000);
	/* the host began anew, or another has it: what it says comes on top */
	add(&u, 1, 300, 114000);
	assert_int_equal(u.sum.tx_bytes, 9300);
	add(&u, 2, 700, 900000);
	assert_int_equal(u.sum.tx_bytes, 10000);
	assert_int_equal(u.used_ms, 104000); /* it was nowhere in between */
	/* a clock that went back takes nothing away */
	add(&u, 2, 800, 800000);
	assert_int_equal(u.used_ms, 104000);
	assert_int_equal(u.sum.tx_bytes, 10100);
}

static int put(const char *interface, uint64_t bytes)
{
	struct usage u = {.sum.tx_bytes = bytes, .reported_ms = c.now_ms};

	assert_ok(id_parse(KIND_INTERFACE, interface, &u.o.id));
	return cluster_end(&c, usage_put(cluster_tx(&c), &u));
}

/* requirement: OPS-2 */
static void test_it_outlives_the_interface(void **state)
{
	char id[ID_TEXT_SIZE], never[ID_TEXT_SIZE];
	uint64_t number;

	assert_ok(cluster_make_interface(&c, c.subnet, NULL, id));
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, never));
	assert_ok(id_parse(KIND_INTERFACE, id, &number));
	assert_ok(put(id, 1));
	assert_ok(put(id, 2));
	assert_true(usage_find(c.m, number)->billing_account == ACCOUNT_ID);
	assert_ok(cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, id, &c.refusal)));
	assert_ok(cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, never, &c.refusal)));
	assert_ok(put(id, 3));
	assert_int_equal(usage_find(c.m, number)->sum.tx_bytes, 3);
	assert_ok(put(never, 3)); /* of what nobody recorded in time nothing is left */
	assert_int_equal(model_count(c.m, KIND_USAGE), 1);
	c.now_ms += LIMIT_MODEL_USAGE_MS - 1;
	assert_ok(cluster_end(&c, usage_expire(cluster_tx(&c), 10)));
	assert_int_equal(model_count(c.m, KIND_USAGE), 1);
	c.now_ms += 1000;
	assert_ok(cluster_end(&c, usage_expire(cluster_tx(&c), 10)));
	assert_int_equal(model_count(c.m, KIND_USAGE), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reports_add_up),
		TEST(test_it_outlives_the_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
