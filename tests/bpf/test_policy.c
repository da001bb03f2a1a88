/* SPDX-License-Identifier: Apache-2.0 */
/* Packet tables of security groups and network ACLs: who may begin what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "base/err.h"
#include "policy_lab.h"

#define ALL_OUT policy_rule(true, DP_PROTOCOL_ANY, 0, 65535, "0.0.0.0/0", 0)

static struct policy_lab *const l = &policy_lab;

/* a may begin anything; b what 'rule' says. */
static void allow_into_b(struct dp_rule rule)
{
	struct dp_rule out[] = {ALL_OUT}, in[] = {rule};

	policy_give(l->a, out, 1);
	policy_give(l->b, in, 1);
}

/* requirement: NIC-6 */
static void test_by_prefix_and_port(void **state)
{
	static const struct {
		const char *prefix;
		uint16_t protocol, from, to;
		uint16_t port;
		uint32_t expected;
	} table[] = {
		{"10.0.1.10/32", IPPROTO_TCP, 80, 80, 80, 0},
		{"10.0.1.10/32", IPPROTO_TCP, 80, 80, 81, DROP_GROUP_INGRESS},
		{"10.0.1.10/32", IPPROTO_TCP, 80, 80, 79, DROP_GROUP_INGRESS},
		{"10.0.0.0/8", IPPROTO_TCP, 1, 1024, 1024, 0},
		{"10.0.0.0/8", IPPROTO_TCP, 1, 1024, 1025, DROP_GROUP_INGRESS},
		{"10.0.1.12/32", IPPROTO_TCP, 0, 65535, 80, DROP_GROUP_INGRESS},
		{"0.0.0.0/0", DP_PROTOCOL_ANY, 0, 65535, 80, 0},
		{"0.0.0.0/0", IPPROTO_UDP, 0, 65535, 80, DROP_GROUP_INGRESS},
		{"::/0", DP_PROTOCOL_ANY, 0, 65535, 80, DROP_GROUP_INGRESS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		allow_into_b(policy_rule(false, table[i].protocol, table[i].from, table[i].to,
					 table[i].prefix, 0));
		assert_int_equal(policy_tcp(l->a, l->b, (uint16_t)(5000 + i), table[i].port, SYN),
				 table[i].expected);
	}
}

/* A rule of a shorter prefix counts for the longer ones too. */
/* requirement: NIC-6 */
static void test_prefixes_inside_others(void **state)
{
	struct dp_rule out[] = {ALL_OUT};
	struct dp_rule in[] = {policy_rule(false, IPPROTO_TCP, 22, 22, "10.0.0.0/8", 0),
			       policy_rule(false, IPPROTO_TCP, 80, 80, "10.0.1.0/24", 0),
			       policy_rule(false, IPPROTO_TCP, 443, 443, "10.0.1.12/32", 0)};

	policy_give(l->a, out, 1);
	policy_give(l->c, out, 1);
	policy_give(l->b, in, 3);
	assert_int_equal(policy_tcp(l->a, l->b, 1, 22, SYN), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 1, 80, SYN), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 1, 443, SYN), DROP_GROUP_INGRESS);
	assert_int_equal(policy_tcp(l->c, l->b, 1, 22, SYN), 0);
	assert_int_equal(policy_tcp(l->c, l->b, 1, 443, SYN), 0);
}

/* requirement: NIC-6 */
static void test_by_group(void **state)
{
	allow_into_b(policy_rule(false, IPPROTO_TCP, 80, 80, NULL, 77));
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, SYN), DROP_GROUP_INGRESS);
	policy_join(l->a, 77); /* whose own rules nobody has set: it may begin nothing */
	assert_int_equal(policy_tcp(l->a, l->b, 5001, 80, SYN), DROP_GROUP_EGRESS);
	policy_set_group(77, (struct dp_rule[]){ALL_OUT}, 1);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, SYN), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 81, SYN), DROP_GROUP_INGRESS);
	/* Out to a group, too. */
	policy_set_group(77, (struct dp_rule[]){policy_rule(true, IPPROTO_TCP, 80, 80, NULL, 2)},
			 1);
	assert_int_equal(policy_tcp(l->a, l->b, 5002, 80, SYN), 0);
	assert_int_equal(policy_tcp(l->a, l->d, 5002, 80, SYN), DROP_GROUP_EGRESS);
}

/* Sixteen groups, of which the last allows. */
/* requirement: NIC-6 */
static void test_many_groups(void **state)
{
	struct dp_rule rule = policy_rule(true, IPPROTO_TCP, 80, 80, "0.0.0.0/0", 0);
	struct dp_group last = {.number = 116, .n_rules = 1, .rules = &rule};

	l->a->port.n_groups = DP_GROUPS_MAX;
	for (uint32_t i = 0; i < DP_GROUPS_MAX; i++)
		l->a->port.groups[i] = 101 + i;
	lab_set_port(&l->lab, 0, &l->a->port);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, SYN), DROP_GROUP_EGRESS);
	assert_int_equal(datapath_group_set(l->lab.hosts[0].dp, &last), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, SYN), 0);
	assert_int_equal(datapath_group_delete(l->lab.hosts[0].dp, 116), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 5001, 80, SYN), DROP_GROUP_EGRESS);
}

/* On one host both ends are asked, and the one that refuses counts it. */
/* requirement: NIC-6 */
static void test_same_host(void **state)
{
	struct dp_rule out[] = {ALL_OUT};
	struct dp_rule in[] = {policy_rule(false, IPPROTO_TCP, 80, 80, "10.0.1.10/32", 0)};
	uint64_t before = lab_drops(&l->lab, 0, l->c->port.id, DROP_GROUP_INGRESS);

	policy_give(l->a, out, 1);
	policy_give(l->c, in, 1);
	assert_int_equal(policy_tcp(l->a, l->c, 5000, 80, SYN), 0);
	assert_int_equal(policy_tcp(l->c, l->a, 80, 5000, SYN | ACK), 0);
	assert_int_equal(policy_tcp(l->a, l->c, 5000, 80, ACK), 0);
	for (int i = 0; i < 3; i++) { /* by the flow cache */
		assert_int_equal(policy_tcp(l->a, l->c, 5000, 80, ACK), 0);
		assert_int_equal(policy_tcp(l->c, l->a, 80, 5000, ACK), 0);
	}
	assert_string_equal(policy_state(l->a, 5000, 80), "established");
	assert_string_equal(policy_state(l->c, 80, 5000), "established");
	assert_int_equal(policy_tcp(l->a, l->c, 5000, 81, SYN), DROP_GROUP_INGRESS);
	assert_int_equal(lab_drops(&l->lab, 0, l->c->port.id, DROP_GROUP_INGRESS), before + 1);
	assert_int_equal(policy_tcp(l->c, l->a, 9, 9, SYN), DROP_GROUP_EGRESS);
}

/* requirement: NIC-6 */
static void test_icmp_types(void **state)
{
	struct dp_rule out[] = {policy_rule(true, IPPROTO_ICMP, 8 << 8, 8 << 8, "0.0.0.0/0", 0)};
	struct dp_rule in[] = {
		policy_rule(false, IPPROTO_ICMP, 8 << 8, 8 << 8 | 255, "0.0.0.0/0", 0)};

	policy_give(l->a, out, 1);
	policy_give(l->b, in, 1);
	assert_int_equal(policy_icmp(l->b, l->a, 0, 7), DROP_GROUP_EGRESS); /* nobody has asked */
	assert_int_equal(policy_icmp(l->a, l->b, 8, 7), 0);
	assert_int_equal(policy_icmp(l->b, l->a, 0, 7), 0);
	assert_int_equal(policy_icmp(l->b, l->a, 0, 8), DROP_GROUP_EGRESS);
	/* That a asks b lets b not ask a under the same number, nor anything else. */
	assert_int_equal(policy_icmp(l->b, l->a, 8, 7), DROP_GROUP_EGRESS);
	assert_int_equal(policy_icmp(l->a, l->b, 13, 7), DROP_GROUP_EGRESS);
	assert_int_equal(policy_icmp(l->b, l->a, 14, 7), DROP_GROUP_EGRESS);
	assert_int_equal(policy_icmp(l->b, l->a, 5, 7), DROP_GROUP_EGRESS);
}

/* Rules that change count for what begins; what has begun lives on, as EC2 says. */
/* requirement: NIC-6 */
static void test_rules_change(void **state)
{
	allow_into_b(policy_rule(false, IPPROTO_TCP, 80, 80, "0.0.0.0/0", 0));
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, SYN), 0);
	assert_int_equal(policy_tcp(l->b, l->a, 80, 5000, SYN | ACK), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, ACK), 0);
	policy_set_group(2, NULL, 0);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, ACK), 0);
	assert_int_equal(policy_tcp(l->b, l->a, 80, 5000, ACK), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 5001, 80, SYN), DROP_GROUP_INGRESS);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, SYN), DROP_GROUP_INGRESS);
	/* Many changes, each of which counts at once: what is old is cleared away under way. */
	for (uint16_t i = 1; i < 200; i++) {
		struct dp_rule rule = policy_rule(false, IPPROTO_TCP, i, i, "10.0.1.0/24", 0);

		policy_set_group(2, &rule, 1);
		assert_int_equal(policy_tcp(l->a, l->b, 6000, i, SYN), 0);
		assert_int_equal(policy_tcp(l->a, l->b, 6000, (uint16_t)(i + 1), SYN),
				 DROP_GROUP_INGRESS);
	}
}

/* An agent that starts again finds what was enforced enforced. */
/* requirement: NIC-6 */
static void test_adoption(void **state)
{
	struct dp_rule rule = policy_rule(false, IPPROTO_TCP, 80, 80, "0.0.0.0/0", 0);
	struct dp_rule wider = policy_rule(false, IPPROTO_TCP, 80, 81, "0.0.0.0/0", 0);

	allow_into_b(rule);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, SYN), 0);
	assert_int_equal(policy_tcp(l->b, l->a, 80, 5000, SYN | ACK), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, ACK), 0);
	datapath_close(l->lab.hosts[1].dp);
	lab_open(&l->lab, 1);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, ACK), 0);
	assert_string_equal(policy_state(l->b, 80, 5000), "established");
	assert_int_equal(policy_tcp(l->a, l->b, 5001, 80, SYN), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 5001, 81, SYN), DROP_GROUP_INGRESS);
	policy_set_group(2, &rule, 1); /* the same: nothing changes */
	assert_int_equal(policy_tcp(l->a, l->b, 5002, 80, SYN), 0);
	policy_join(l->b, 2);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, ACK), 0);
	policy_set_group(2, &wider, 1);
	assert_int_equal(policy_tcp(l->a, l->b, 5001, 81, SYN), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 5001, 82, SYN), DROP_GROUP_INGRESS);
}

/* ---- ACLs ---- */

static void set_acl(uint32_t number, const struct dp_acl_entry *entries, size_t n)
{
	struct dp_acl acl = {.number = number, .n_entries = n, .entries = entries};

	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(datapath_acl_set(l->lab.hosts[i].dp, &acl), 0);
}

static void set_subnet(const char *prefix, const char *router, uint32_t acl)
{
	struct dp_subnet s = {.vni = LAB_VNI,
			      .router = lab_addr(router),
			      .resolver = lab_addr("10.0.0.2"),
			      .router_mac = {{0x02, 0xff, 0, 0, 0, lab_addr(router).b[14]}},
			      .acl = acl};

	assert_int_equal(prefix_parse(prefix, &s.prefix), 0);
	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(datapath_subnet_set(l->lab.hosts[i].dp, &s), 0);
}

static struct dp_acl_entry entry(bool egress, bool allow, uint16_t protocol, uint16_t from,
				 uint16_t to)
{
	struct dp_acl_entry e = {
		.egress = egress, .allow = allow, .protocol = protocol, .from = from, .to = to};

	assert_int_equal(prefix_parse("0.0.0.0/0", &e.prefix), 0);
	return e;
}

/* requirement: NIC-6 */
static void test_acl(void **state)
{
	struct dp_acl_entry entries[] = {
		entry(false, true, IPPROTO_TCP, 80, 80),
		entry(false, false, IPPROTO_TCP, 1, 100),
		entry(false, true, DP_PROTOCOL_ANY, 0, 65535),
		entry(true, false, IPPROTO_UDP, 53, 53),
		entry(true, true, DP_PROTOCOL_ANY, 0, 65535),
	};

	set_acl(9, entries, ARRAY_SIZE(entries));
	set_subnet("10.0.2.0/24", "10.0.2.1", 9);
	for (int round = 0; round < 3; round++) { /* without and with a cached flow */
		assert_int_equal(policy_tcp(l->a, l->d, 5, 80, ACK), 0);
		assert_int_equal(policy_tcp(l->a, l->d, 5, 81, ACK), DROP_ACL_INGRESS);
		assert_int_equal(policy_tcp(l->a, l->d, 5, 101, ACK), 0);
		assert_int_equal(policy_udp(l->a, l->d, 5, 81), 0);
		assert_int_equal(policy_udp(l->d, l->a, 5, 53), DROP_ACL_EGRESS);
		assert_int_equal(policy_udp(l->d, l->a, 5, 54), 0);
		assert_int_equal(policy_udp(l->a, l->b, 5, 53), 0); /* inside the other subnet */
	}
	/* Stateless: what goes out brings no answer in. */
	assert_int_equal(policy_tcp(l->d, l->a, 90, 7, SYN), 0);
	assert_int_equal(policy_tcp(l->a, l->d, 7, 90, SYN | ACK), DROP_ACL_INGRESS);
	/* The order decides. */
	entries[0].allow = false;
	set_acl(9, entries, ARRAY_SIZE(entries));
	assert_int_equal(policy_tcp(l->a, l->d, 5, 80, ACK), DROP_ACL_INGRESS);
	/* What no entry speaks of is denied, and so is everything by an ACL that is not there. */
	set_acl(9, entries, 0);
	assert_int_equal(policy_udp(l->a, l->d, 5, 81), DROP_ACL_INGRESS);
	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(datapath_acl_delete(l->lab.hosts[i].dp, 9), 0);
	assert_int_equal(policy_udp(l->a, l->d, 5, 81), DROP_ACL_INGRESS);
	set_subnet("10.0.2.0/24", "10.0.2.1", 0);
	assert_int_equal(policy_udp(l->a, l->d, 5, 81), 0);
}

/* Out of a node its groups come first, into it the ACL: as EC2's flow logs tell it. */
/* requirement: NIC-6 */
static void test_order_of_both(void **state)
{
	struct dp_rule nothing[] = {policy_rule(true, IPPROTO_TCP, 1, 1, "192.0.2.1/32", 0)};

	set_acl(9, NULL, 0);
	set_subnet("10.0.2.0/24", "10.0.2.1", 9);
	policy_give(l->d, nothing, 1);
	assert_int_equal(policy_udp(l->a, l->d, 5, 81), DROP_ACL_INGRESS);
	assert_int_equal(policy_udp(l->d, l->a, 5, 81), DROP_GROUP_EGRESS);
}

/* ---- formats ---- */

/* requirement: NIC-6 PKT-5 */
static void test_formats(void **state)
{
	static const enum format formats[] = {FORMAT_SIIT_1, FORMAT_IPIP6_1, FORMAT_SIIT_2};

	allow_into_b(policy_rule(false, IPPROTO_TCP, 80, 80, "0.0.0.0/0", 0));
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		uint16_t port = (uint16_t)(5000 + i);

		lab_set_format(&l->lab, formats[i], false);
		assert_int_equal(policy_tcp(l->a, l->b, port, 81, SYN), DROP_GROUP_INGRESS);
		assert_int_equal(policy_tcp(l->a, l->b, port, 80, SYN), 0);
		assert_int_equal(policy_tcp(l->b, l->a, 80, port, SYN | ACK), 0);
		for (int round = 0; round < 3; round++) {
			assert_int_equal(policy_tcp(l->a, l->b, port, 80, ACK), 0);
			assert_int_equal(policy_tcp(l->b, l->a, 80, port, ACK), 0);
			assert_int_equal(policy_tcp(l->a, l->b, port, 81, ACK), DROP_GROUP_INGRESS);
		}
		assert_string_equal(policy_state(l->b, 80, port), "established");
	}
}

int main(void)
{
	const struct CMUnitTest all[] = {
#define TEST(f) cmocka_unit_test_setup(f, policy_lab_reset)
		TEST(test_by_prefix_and_port),
		TEST(test_prefixes_inside_others),
		TEST(test_by_group),
		TEST(test_many_groups),
		TEST(test_same_host),
		TEST(test_icmp_types),
		TEST(test_rules_change),
		TEST(test_adoption),
		TEST(test_acl),
		TEST(test_order_of_both),
		TEST(test_formats),
#undef TEST
	};

	return cmocka_run_group_tests(all, policy_lab_set_up, policy_lab_tear_down);
}
