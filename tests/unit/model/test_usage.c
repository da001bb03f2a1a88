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

static int bill(const char *interface, const char *account)
{
	struct interface_set_args args = {.interface_id = interface, .billing_account = account};

	return cluster_end(&c, interface_set(cluster_tx(&c), &c.admin, &args, &c.refusal));
}

/* What 'payer' has to pay for, of all that is stored. */
static uint64_t paid(uint64_t payer)
{
	struct model_iter it = model_iter_group(c.m, REL_PAYER_USAGE, payer);
	const struct object *o;
	uint64_t bytes = 0;

	while ((o = model_iter_next(&it))) {
		struct usage u = *(const struct usage *)o;

		usage_part(&u, (const struct usage *)o);
		bytes += u.sum.tx_bytes;
	}
	return bytes;
}

/* Whoever pays pays for what comes from then on.  requirement: OPS-2 */
static void test_what_a_former_payer_paid_for_stays(void **state)
{
	struct account_create_args args = {.id = "999999999999"};
	const uint64_t other = 999999999999;
	const struct account *a;
	char id[ID_TEXT_SIZE];
	uint64_t number;

	assert_ok(cluster_end(&c, account_create(cluster_tx(&c), &c.admin, &args, &a, &c.refusal)));
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, id));
	assert_ok(id_parse(KIND_INTERFACE, id, &number));
	assert_ok(put(id, 100));
	assert_ok(bill(id, args.id));
	assert_int_equal(paid(ACCOUNT_ID), 100);
	assert_ok(put(id, 130)); /* stored later, and counted from here on */
	assert_int_equal(paid(ACCOUNT_ID), 100);
	assert_int_equal(paid(other), 30);
	assert_ok(put(id, 200));
	assert_ok(bill(id, ""));
	assert_ok(put(id, 201));
	assert_int_equal(paid(ACCOUNT_ID), 101);
	assert_int_equal(paid(other), 100);
	/* to and fro: one record for each, and one more for who pays now */
	for (uint64_t bytes = 202; bytes < 222; bytes++) {
		assert_ok(bill(id, bytes % 2 ? "" : args.id));
		assert_ok(put(id, bytes));
	}
	assert_int_equal(paid(ACCOUNT_ID), 111);
	assert_int_equal(paid(other), 110);
	assert_int_equal(model_count(c.m, KIND_USAGE), 3);
	assert_int_equal(usage_find(c.m, number)->sum.tx_bytes, 221);
	/* each goes in its time */
	c.now_ms += LIMIT_MODEL_USAGE_MS + 1;
	assert_ok(cluster_end(&c, usage_expire(cluster_tx(&c), 10)));
	assert_int_equal(model_count(c.m, KIND_USAGE), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reports_add_up),
		TEST(test_it_outlives_the_interface),
		TEST(test_what_a_former_payer_paid_for_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
