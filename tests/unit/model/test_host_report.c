/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports that reach the pairs of a host one after the other: what each goes by meanwhile, and what
 * happens in the middle.  That hosts are told what differs, and that nothing is lost on the way, is
 * in test_property.c and test_choice_property.c.
 */
#include "model/ability.h"
#include "model/host.h"

#include "model/pair.h"
#include "model/pair_shift.h"
#include "tests/unit/model/cluster.h"

#define SIIT_1 (FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_IPIP6_1))
#define SIIT_2 (FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1))
#define VXLAN  FORMAT_BIT(FORMAT_VXLAN_1)

enum { HOSTS = 6, PAIR = 2 /* directions */ };

static struct cluster c;

static int setup(void **state)
{
	cluster_init_passes(&c, HOSTS, 1);
	cluster_make_network(&c);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static const struct host *host(size_t i)
{
	return host_by_number(c.m, c.hosts[i]);
}

static void report(size_t i, uint32_t formats)
{
	struct capabilities can = {
		.formats = formats, .substrate_mtu = 1500, .probed_ms = c.now_ms};

	assert_ok(cluster_end(&c, host_report(cluster_tx(&c), c.hosts[i], &can, &c.refusal)));
}

static void step(size_t budget)
{
	assert_ok(cluster_end(&c, host_report_step(cluster_tx(&c), budget)));
}

static void finish(void)
{
	for (int i = 0; host_report_due(c.m); i++) {
		assert_true(i < 100);
		step(PAIR);
	}
}

static enum format wished(size_t from, size_t to)
{
	struct wish w;

	pair_wish(c.m, host(from), host(to), &pair_all, &w);
	return w.send;
}

/* How many of the others 'i' wishes to send to in the format, and they to it. */
static size_t count_wished(size_t i, enum format format)
{
	size_t out = 0, in = 0;

	for (size_t k = 0; k < HOSTS; k++) {
		if (k == i || !host(k))
			continue;
		out += wished(i, k) == format;
		in += wished(k, i) == format;
	}
	assert_int_equal(out, in);
	return out;
}

/* requirement: NEG-1, NEG-8 */
static void test_pairs_follow_one_after_another(void **state)
{
	size_t reached = 0, n_steps = 0;

	report(2, SIIT_1);
	/* it shows what it can do at once */
	assert_int_equal(host(2)->can.formats, SIIT_1);
	assert_int_equal(ability_of(host(2)).formats, SIIT_1);
	assert_true(host_is_changing(c.m, c.hosts[2]));
	assert_int_equal(count_wished(2, FORMAT_SIIT_2), HOSTS - 1);
	while (host_report_due(c.m)) {
		size_t before = reached;

		step(PAIR);
		reached = count_wished(2, FORMAT_SIIT_1);
		assert_true(reached <= before + 1);
		assert_int_equal(count_wished(2, FORMAT_SIIT_2), HOSTS - 1 - reached);
		/* each changes as any choice does */
		assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 2 * reached);
		n_steps++;
	}
	assert_int_equal(reached, HOSTS - 1);
	assert_true(n_steps >= HOSTS - 1);
	assert_false(host_is_changing(c.m, c.hosts[2]));
	cluster_settle_choices(&c);
	assert_int_equal(count_wished(2, FORMAT_SIIT_1), HOSTS - 1);
}

/* requirement: NEG-1, NEG-8, OPS-3 */
static void test_it_goes_on_after_a_restart(void **state)
{
	report(0, SIIT_1);
	while (count_wished(0, FORMAT_SIIT_1) < HOSTS / 2)
		step(PAIR);
	cluster_restart(&c);
	assert_int_equal(count_wished(0, FORMAT_SIIT_1), HOSTS / 2);
	assert_true(host_report_due(c.m));
	finish();
	assert_int_equal(count_wished(0, FORMAT_SIIT_1), HOSTS - 1);
	cluster_settle_choices(&c);
}

/* Whatever pairs the first one has reached. */
/* requirement: NEG-1, NEG-8 */
static void test_another_report_in_the_middle(void **state)
{
	for (size_t reached = 0; reached < HOSTS; reached++) {
		report(1, SIIT_1 | SIIT_2);
		finish();
		cluster_settle_choices(&c);
		report(1, SIIT_1);
		while (count_wished(1, FORMAT_SIIT_1) < reached)
			step(PAIR);
		report(1, VXLAN);
		assert_int_equal(ability_of(host(1)).formats, VXLAN);
		finish();
		assert_int_equal(count_wished(1, FORMAT_VXLAN_1), HOSTS - 1);
		assert_int_equal(count_wished(1, FORMAT_SIIT_1), 0);
		cluster_settle_choices(&c);
	}
}

/* What says nothing that choices go by is taken at once. */
/* requirement: NEG-1 */
static void test_a_failed_probe_in_the_middle(void **state)
{
	struct capabilities failed = {.error = (char *)(uintptr_t) "the probe failed"};

	report(1, SIIT_1);
	step(PAIR);
	assert_ok(cluster_end(&c, host_report(cluster_tx(&c), c.hosts[1], &failed, &c.refusal)));
	assert_string_equal(host(1)->can.error, "the probe failed");
	assert_int_equal(count_wished(1, FORMAT_SIIT_1), 1);
	finish();
	assert_int_equal(count_wished(1, FORMAT_SIIT_1), HOSTS - 1);
}

static void remove_host(size_t i)
{
	assert_ok(cluster_end(
		&c, host_remove(cluster_tx(&c), &c.admin, host(i)->name, true, &c.refusal)));
}

/* requirement: NEG-8 */
static void test_hosts_that_vanish_in_the_middle(void **state)
{
	report(1, SIIT_1);
	step(PAIR);
	/* one that was reached, and one that was not */
	remove_host(0);
	remove_host(4);
	finish();
	assert_int_equal(count_wished(1, FORMAT_SIIT_1), HOSTS - 3);
	cluster_settle_choices(&c);
	/* and the one itself */
	report(2, SIIT_1);
	step(2 * PAIR);
	assert_true(model_count(c.m, KIND_PAIR_SHIFT));
	remove_host(2);
	assert_false(host_report_due(c.m));
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 0);
}

/* requirement: NEG-8 */
static void test_several_hosts_at_the_same_time(void **state)
{
	report(3, SIIT_1);
	step(PAIR);
	report(1, SIIT_1 | VXLAN);
	/* between the two is what both were, until one of them comes there */
	assert_int_equal(wished(1, 3), FORMAT_SIIT_2);
	assert_int_equal(wished(3, 1), FORMAT_SIIT_2);
	finish();
	assert_int_equal(count_wished(3, FORMAT_SIIT_1), HOSTS - 1);
	assert_int_equal(count_wished(1, FORMAT_SIIT_1), HOSTS - 1);
	cluster_settle_choices(&c);
}

/* requirement: NEG-1 */
static void test_a_host_that_comes_meanwhile(void **state)
{
	uint32_t number;
	struct wish w;

	report(0, SIIT_1);
	step(PAIR);
	number = cluster_add_host(&c, "new", NULL, "fd00::99", SIIT_1 | SIIT_2, 1500);
	finish();
	pair_wish(c.m, host(0), host_by_number(c.m, number), &pair_all, &w);
	assert_int_equal(w.send, FORMAT_SIIT_1);
	pair_wish(c.m, host_by_number(c.m, number), host(0), &pair_all, &w);
	assert_int_equal(w.send, FORMAT_SIIT_1);
}

static uint32_t mtu(void)
{
	return cluster_vpc(&c, c.vpc)->mtu;
}

/* Networks leave room for what is used before and after, from the first pair until behind the
 * last. */
/* requirement: PKT-9 */
static void test_the_mtu_comes_first_and_goes_last(void **state)
{
	char ids[HOSTS][ID_TEXT_SIZE];
	uint32_t wide, narrow;

	for (size_t i = 0; i < HOSTS; i++)
		assert_ok(cluster_run(&c, c.subnet, ids[i]));
	wide = mtu();
	report(2, VXLAN);
	narrow = mtu();
	assert_true(narrow < wide);
	assert_int_equal(count_wished(2, FORMAT_VXLAN_1), 0);
	finish();
	assert_int_equal(mtu(), narrow);
	report(2, SIIT_1 | SIIT_2 | VXLAN);
	while (host_report_due(c.m)) {
		assert_int_equal(mtu(), narrow);
		step(PAIR);
	}
	assert_int_equal(mtu(), wide);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pairs_follow_one_after_another),
		TEST(test_it_goes_on_after_a_restart),
		TEST(test_another_report_in_the_middle),
		TEST(test_a_failed_probe_in_the_middle),
		TEST(test_hosts_that_vanish_in_the_middle),
		TEST(test_several_hosts_at_the_same_time),
		TEST(test_a_host_that_comes_meanwhile),
		TEST(test_the_mtu_comes_first_and_goes_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
