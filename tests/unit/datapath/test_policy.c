/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled policies against the rules they are made from, and the lists that they are kept in. */
#include "datapath/policy.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "datapath/list_pool.h"
#include "tests/unit/addr.h"

enum { ROUNDS = 300, QUESTIONS = 200, RULES_MAX = 12, POOL_ROWS = 4096 };

static uint32_t below(uint32_t n)
{
	return (uint32_t)random() % n;
}

/* ---- ranges ---- */

static void test_ranges(void **state)
{
	for (int round = 0; round < ROUNDS; round++) {
		_cleanup_(ranges_deinit_cleanup) struct ranges r = {}, but = {};
		bool in[64] = {}, except[64] = {};

		for (int i = 0; i < 6; i++) {
			uint32_t from = below(64), to = from + below(64 - from);
			bool is_hole = below(3) == 0;

			assert_int_equal(is_hole ? ranges_add(&but, from, to)
						 : ranges_add_except(&r, from, to, &but),
					 0);
			for (uint32_t n = from; n <= to; n++) {
				if (is_hole)
					except[n] = true;
				else
					in[n] = in[n] || !except[n];
			}
		}
		for (uint32_t n = 0; n < 64; n++)
			assert_int_equal(ranges_have(&r, n), in[n]);
		for (size_t i = 1; i < r.n; i++) /* disjoint, and what touches is one */
			assert_true(r.rows[i - 1].to + 1 < r.rows[i].from);
	}
}

static void test_ranges_ends(void **state)
{
	_cleanup_(ranges_deinit_cleanup) struct ranges r = {};

	assert_int_equal(ranges_add(&r, UINT32_MAX, UINT32_MAX), 0);
	assert_int_equal(ranges_add(&r, 0, 0), 0);
	assert_true(ranges_have(&r, 0) && ranges_have(&r, UINT32_MAX) && !ranges_have(&r, 1));
	assert_int_equal(ranges_add(&r, 1, UINT32_MAX - 1), 0);
	assert_int_equal(r.n, 1);
}

/* ---- rules ---- */

static const char *const prefixes[] = {"0.0.0.0/0",   "10.0.0.0/8",    "10.1.0.0/16",
				       "10.1.2.0/24", "10.1.2.3/32",   "192.0.2.0/24",
				       "::/0",        "2001:db8::/32", "2001:db8:1::/48"};
static const char *const addrs[] = {"10.1.2.3",    "10.1.2.4",    "10.2.0.1",      "192.0.2.77",
				    "203.0.113.9", "2001:db8::1", "2001:db8:1::1", "fe80::1"};
static const uint16_t protocols[] = {DP_PROTOCOL_ANY, IPPROTO_TCP, IPPROTO_UDP,
				     IPPROTO_ICMP,    50,          255};

static struct dp_rule random_rule(void)
{
	uint16_t from = (uint16_t)below(8);
	struct dp_rule r = {
		.egress = below(2),
		.protocol = protocols[below(ARRAY_SIZE(protocols))],
		.from = from,
		.to = below(4) ? (uint16_t)(from + below(4)) : 65535,
		.prefix = prefix_of(prefixes[below(ARRAY_SIZE(prefixes))]),
	};

	if (!below(3))
		r.group = 1 + below(4);
	return r;
}

static uint32_t random_subject(void)
{
	static const uint8_t ask[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 50, 51, 255};

	return policy_subject(ask[below(ARRAY_SIZE(ask))],
			      below(5) ? (uint16_t)below(13) : (uint16_t)below(65536));
}

/* requirement: NIC-6 */
static void test_groups_say_the_same_compiled(void **state)
{
	unsigned int n_allowed = 0;

	srandom(6);
	for (int round = 0; round < ROUNDS; round++) {
		struct dp_rule rules[2][RULES_MAX];
		struct dp_group groups[2];
		const struct dp_group *both[2] = {&groups[0], &groups[1]};
		_cleanup_(policy_deinit_cleanup) struct policy p = {};

		for (size_t g = 0; g < 2; g++) {
			groups[g] = (struct dp_group){.number = (uint32_t)g + 1,
						      .n_rules = below(RULES_MAX),
						      .rules = rules[g]};
			for (size_t i = 0; i < groups[g].n_rules; i++)
				rules[g][i] = random_rule();
		}
		assert_int_equal(policy_compile_groups(both, 2, &p), 0);
		for (int i = 0; i < QUESTIONS; i++) {
			struct ipaddr remote = addr_of(addrs[below(ARRAY_SIZE(addrs))]);
			uint32_t its[2] = {1 + below(2), 3 + below(3)}, subject = random_subject();
			uint32_t n = below(3);
			bool egress = below(2),
			     expected =
				     policy_groups_allow(both, 2, egress, &remote, its, n, subject);

			assert_int_equal(policy_allows(&p, egress, &remote, its, n, subject),
					 expected);
			n_allowed += expected;
		}
	}
	assert_in_range(n_allowed, ROUNDS * QUESTIONS / 10, ROUNDS * QUESTIONS * 9 / 10);
}

/* requirement: NIC-6 */
static void test_acls_say_the_same_compiled(void **state)
{
	unsigned int n_allowed = 0;

	srandom(7);
	for (int round = 0; round < ROUNDS; round++) {
		struct dp_acl_entry entries[RULES_MAX];
		struct dp_acl acl = {
			.number = 1, .n_entries = below(RULES_MAX), .entries = entries};
		_cleanup_(policy_deinit_cleanup) struct policy p = {};

		for (size_t i = 0; i < acl.n_entries; i++) {
			struct dp_rule r = random_rule();

			entries[i] = (struct dp_acl_entry){.egress = r.egress,
							   .allow = below(3),
							   .protocol = r.protocol,
							   .from = r.from,
							   .to = r.to,
							   .prefix = r.prefix};
		}
		assert_int_equal(policy_compile_acl(&acl, &p), 0);
		for (int i = 0; i < QUESTIONS; i++) {
			struct ipaddr remote = addr_of(addrs[below(ARRAY_SIZE(addrs))]);
			uint32_t subject = random_subject();
			bool egress = below(2),
			     expected = policy_acl_allows(&acl, egress, &remote, subject);

			assert_int_equal(policy_allows(&p, egress, &remote, NULL, 0, subject),
					 expected);
			assert_true(expected || !policy_allows_all(&p, egress));
			n_allowed += expected;
		}
	}
	assert_in_range(n_allowed, ROUNDS * QUESTIONS / 10, ROUNDS * QUESTIONS * 9 / 10);
}

/* requirement: NIC-6 */
static void test_families_are_apart(void **state)
{
	struct dp_rule rule = {
		.protocol = DP_PROTOCOL_ANY, .to = 65535, .prefix = prefix_of("::/0")};
	struct dp_group group = {.number = 1, .n_rules = 1, .rules = &rule};
	const struct dp_group *groups[] = {&group};
	_cleanup_(policy_deinit_cleanup) struct policy p = {};
	struct ipaddr v4 = addr_of("10.0.0.1"), v6 = addr_of("2001:db8::1");

	assert_int_equal(policy_compile_groups(groups, 1, &p), 0);
	assert_true(policy_allows(&p, false, &v6, NULL, 0, policy_subject(IPPROTO_TCP, 22)));
	assert_false(policy_allows(&p, false, &v4, NULL, 0, policy_subject(IPPROTO_TCP, 22)));
	assert_false(policy_allows(&p, true, &v6, NULL, 0, policy_subject(IPPROTO_TCP, 22)));
}

/* An ACL as EC2 makes it: all is allowed, of both families; then one thing is denied. */
/* requirement: NIC-6 */
static void test_what_allows_all(void **state)
{
	struct dp_acl_entry entries[] = {
		{.allow = false,
		 .protocol = IPPROTO_TCP,
		 .from = 22,
		 .to = 22,
		 .prefix = prefix_of("192.0.2.0/24")},
		{.allow = true,
		 .protocol = DP_PROTOCOL_ANY,
		 .to = 65535,
		 .prefix = prefix_of("0.0.0.0/0")},
		{.allow = true,
		 .protocol = DP_PROTOCOL_ANY,
		 .to = 65535,
		 .prefix = prefix_of("::/0")},
		{.egress = true,
		 .allow = true,
		 .protocol = DP_PROTOCOL_ANY,
		 .to = 65535,
		 .prefix = prefix_of("0.0.0.0/0")},
	};
	struct dp_acl all = {.number = 1, .n_entries = 2, .entries = entries + 1};
	struct dp_acl some = {.number = 1, .n_entries = 4, .entries = entries};
	_cleanup_(policy_deinit_cleanup) struct policy p = {}, q = {};

	assert_int_equal(policy_compile_acl(&all, &p), 0);
	assert_true(policy_allows_all(&p, false));
	assert_false(policy_allows_all(&p, true));
	assert_int_equal(policy_compile_acl(&some, &q), 0);
	assert_false(policy_allows_all(&q, false));
	assert_false(policy_allows_all(&q, true)); /* not IPv6 */
}

static void test_what_contradicts_itself(void **state)
{
	struct dp_rule rule = {
		.protocol = DP_PROTOCOL_ANY, .to = 65535, .prefix = prefix_of("::/0")};

	assert_int_equal(policy_check_rule(&rule), 0);
	rule.from = 2;
	rule.to = 1;
	assert_int_equal(policy_check_rule(&rule), -EINVAL);
	rule.to = 2;
	rule.protocol = DP_PROTOCOL_ANY + 1;
	assert_int_equal(policy_check_rule(&rule), -EINVAL);
}

/* ---- the pool ---- */

static struct ranges random_ranges(void)
{
	struct ranges r = {};

	for (uint32_t i = 1 + below(40); i; i--)
		assert_int_equal(ranges_add(&r, i * 10, i * 10 + below(3)), 0);
	return r;
}

static void assert_list(const struct list_pool *pool, struct dp_list list, const struct ranges *r)
{
	assert_int_equal(list.n, r->n);
	assert_memory_equal(pool->rows + list.first, r->rows, r->n * sizeof(r->rows[0]));
}

/* Lists come and go until the array is full; none is ever written over, and half way through
 * another process takes over what is there. */
static void test_pool(void **state)
{
	enum { LISTS = 200 };
	static struct dp_range rows[POOL_ROWS];
	struct ranges contents[LISTS] = {};
	struct dp_list lists[LISTS] = {};
	struct list_pool pool;
	int n_full = 0;

	srandom(8);
	list_pool_init(&pool, rows, POOL_ROWS);
	for (int step = 0; step < 20000; step++) {
		uint32_t i = below(LISTS);

		if (step == 10000) {
			list_pool_deinit(&pool);
			list_pool_init(&pool, rows, POOL_ROWS);
			for (size_t k = 0; k < LISTS; k++)
				assert_int_equal(list_pool_adopt(&pool, lists[k]), 0);
			assert_int_equal(list_pool_adopted(&pool), 0);
		}
		if (contents[i].n) {
			assert_list(&pool, lists[i], &contents[i]);
			list_pool_put(&pool, lists[i]);
			ranges_deinit(&contents[i]);
			lists[i] = (struct dp_list){};
			continue;
		}
		contents[i] = random_ranges();
		if (list_pool_get(&pool, &contents[i], &lists[i])) {
			ranges_deinit(&contents[i]);
			n_full++;
		}
	}
	assert_true(n_full > 0);
	for (size_t i = 0; i < LISTS; i++) {
		assert_list(&pool, lists[i], &contents[i]);
		list_pool_put(&pool, lists[i]);
		ranges_deinit(&contents[i]);
	}
	assert_int_equal(hmap_count(&pool.lists), 0);
	list_pool_deinit(&pool);
}

static void test_equal_lists_are_one(void **state)
{
	struct dp_range rows[8];
	_cleanup_(ranges_deinit_cleanup) struct ranges r = {};
	struct list_pool pool;
	struct dp_list a, b;

	list_pool_init(&pool, rows, 8);
	assert_int_equal(ranges_add(&r, 1, 2), 0);
	assert_int_equal(list_pool_get(&pool, &r, &a), 0);
	assert_int_equal(list_pool_get(&pool, &r, &b), 0);
	assert_int_equal(a.first, b.first);
	list_pool_put(&pool, a);
	assert_int_equal(hmap_count(&pool.lists), 1);
	list_pool_put(&pool, b);
	assert_int_equal(hmap_count(&pool.lists), 0);
	list_pool_deinit(&pool);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_ranges_ends),
		cmocka_unit_test(test_groups_say_the_same_compiled),
		cmocka_unit_test(test_acls_say_the_same_compiled),
		cmocka_unit_test(test_families_are_apart),
		cmocka_unit_test(test_what_allows_all),
		cmocka_unit_test(test_what_contradicts_itself),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_equal_lists_are_one),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
