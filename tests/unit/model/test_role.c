/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role of a host says nothing about choices: hosts, edges (and label switches, which are agents
 * in that role) with the same reports get the same choices.  Routers have no agent of their own:
 * what they do is done by the hosts.
 */
#include "model/choice_policy.h"
#include "model/pair.h"
#include "tests/unit/model/cluster.h"

enum { ROUNDS = 6, ROLES = 4 }; /* roles of two hosts: none is an edge, the one, the other, both */

static struct cluster c;

static int setup(void **state)
{
	cluster_init_network(&c, 2);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static void assert_same(const struct choice *a, const struct choice *b)
{
	assert_true(choice_equal(a, b));
	assert_int_equal(a->policy, b->policy);
	assert_int_equal(a->overhead, b->overhead);
	assert_string_equal(a->reason, b->reason);
}

/* What 'self' is told of 'peer' is the same in all four combinations of their roles.  Returns
 * whether there is a choice. */
static bool check(const struct host *self, const struct host *peer, const struct pair_class *class)
{
	struct choice plain, other;
	struct host a = *self, b = *peer;

	for (int role = 0; role < ROLES; role++) {
		a.edge = role & 1;
		b.edge = role & 2;
		/* one that runs instances as well as one that does not */
		a.instances = a.edge && (role & 2);
		pair_choice(c.m, &a, &b, class, role ? &other : &plain);
		if (role)
			assert_same(&plain, &other);
	}
	return plain.send != FORMAT_NONE;
}

static const struct capabilities reports[] = {
	{.features = 0},
	{.features = (1U << FEATURE_MAX) - 1},
	{.features = (1U << FEATURE_MAX) - 1, .required_features = FEATURE_BIT(FEATURE_CRYPT_1)},
	{.features = (1U << FEATURE_MAX) - 1, .disallowed_features = FEATURES_CRYPT},
	{.features = (1U << FEATURE_MAX) - 1, .disallowed_formats = FORMAT_BIT(FORMAT_SIIT_2)},
	{.features = FEATURE_BIT(FEATURE_LZ4_1), .required_features = FEATURE_BIT(FEATURE_LZ4_1)},
};

/* All formats of the one with all of the other, by each two kinds of reports. */
static void check_all_reports(const struct pair_class *class)
{
	struct host a = *host_by_number(c.m, c.hosts[0]), b = *host_by_number(c.m, c.hosts[1]);
	uint32_t some = 0, none = 0;

	for (uint32_t n = 0; n < ROUNDS << (2 * FORMAT_MAX - 2); n++) {
		/* each pair of formats meets some pairs of reports, and each pair of reports many
		 * formats */
		uint32_t round = n >> (2 * FORMAT_MAX - 2);
		size_t x = (n + round) % ARRAY_SIZE(reports),
		       y = (n / 7 + round * 5) % ARRAY_SIZE(reports);

		a.can = reports[x];
		b.can = reports[y];
		a.can.formats = (n & ((1U << (FORMAT_MAX - 1)) - 1)) << 1;
		b.can.formats = (n >> (FORMAT_MAX - 1) & ((1U << (FORMAT_MAX - 1)) - 1)) << 1;
		a.can.disallowed_formats &= a.can.formats;
		b.can.disallowed_formats &= b.can.formats;
		a.can.substrate_mtu = b.can.substrate_mtu = 1500;
		a.can.probed_ms = b.can.probed_ms = 1;
		if (check(&a, &b, class))
			some++;
		else
			none++;
	}
	if (some < 100 || none < 100)
		fail_msg("%u with a choice, %u without", some, none);
}

/* requirement: NEG-9 */
static void test_the_same_reports_make_the_same_choice(void **state)
{
	check_all_reports(&pair_all);
}

static void make_policy(const char *name, const char *effect, const char *what, bool network)
{
	const char *words[] = {what};
	struct choice_policy_args args = {
		.name = name, .effect = effect, .what = words, .n_what = 1};
	const struct choice_policy *p;

	if (network)
		args.match.network = c.vpc;
	assert_ok(cluster_end(
		&c, choice_policy_create(cluster_tx(&c), &c.admin, &args, &p, &c.refusal)));
}

/* requirement: NEG-9, NEG-3 */
static void test_so_do_the_same_policies(void **state)
{
	struct pair_class network;
	const struct vpc *v;

	v = cluster_vpc(&c, c.vpc);
	network = (struct pair_class){.vni = v->vni, .peer_vni = v->vni};
	make_policy("prefers", "prefer", "vxlan", false);
	make_policy("seals", "require", "crypt", true);
	cluster_settle_choices(&c);
	check_all_reports(&pair_all);
	check_all_reports(&network);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_same_reports_make_the_same_choice),
		TEST(test_so_do_the_same_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
