/* SPDX-License-Identifier: Apache-2.0 */
/* Packet tables of security groups and network ACLs: who may begin what. */
#include <bpf/bpf.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/substrate.h"
#include "base/err.h"
#include "datapath/bpf_host.h"
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

/* Versions before kept their flows in pinned tables of another layout: they go, connections
 * stay. */
/* requirement: NIC-6 OPS-3 */
static void test_adoption_of_an_earlier_version(void **state)
{
	static const char *const tables[] = {"flows_out", "flows_in", "edge_scratch"};
	struct dp_rule rule = policy_rule(false, IPPROTO_TCP, 80, 80, "0.0.0.0/0", 0);
	char path[PATH_MAX + 64];

	allow_into_b(rule);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, SYN), 0);
	assert_int_equal(policy_tcp(l->b, l->a, 80, 5000, SYN | ACK), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, ACK), 0);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		int fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, tables[i], 4, 144, 16, NULL);

		snprintf(path, sizeof(path), "%s/%s", bpf_host_of(l->lab.hosts[1].dp)->dir,
			 tables[i]);
		assert_true(fd >= 0);
		assert_int_equal(bpf_obj_pin(fd, path), 0);
		close(fd);
	}
	datapath_close(l->lab.hosts[1].dp);
	lab_open(&l->lab, 1);
	assert_true(access(path, F_OK));
	assert_string_equal(policy_state(l->b, 80, 5000), "established");
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, ACK), 0);
	assert_int_equal(policy_tcp(l->b, l->a, 80, 5000, ACK), 0);
}

/* ---- ACLs ---- */

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

/* requirement: NIC-6 */
static void test_acl(void **state)
{
	struct dp_acl_entry entries[] = {
		policy_entry(false, true, IPPROTO_TCP, 80, 80),
		policy_entry(false, false, IPPROTO_TCP, 1, 100),
		policy_entry(false, true, DP_PROTOCOL_ANY, 0, 65535),
		policy_entry(true, false, IPPROTO_UDP, 53, 53),
		policy_entry(true, true, DP_PROTOCOL_ANY, 0, 65535),
	};

	policy_set_acl(9, entries, ARRAY_SIZE(entries));
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
	policy_set_acl(9, entries, ARRAY_SIZE(entries));
	assert_int_equal(policy_tcp(l->a, l->d, 5, 80, ACK), DROP_ACL_INGRESS);
	/* What no entry speaks of is denied, and so is everything by an ACL that is not there. */
	policy_set_acl(9, entries, 0);
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

	policy_set_acl(9, NULL, 0);
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

/* ---- IPv6 ---- */

#define A6 "2001:db8:1:1::a"
#define B6 "2001:db8:1:1::b" /* on the other host */
#define C6 "2001:db8:1:1::c"
#define D6 "2001:db8:1:2::d" /* in another subnet */

enum { NEXT_AT = IP_AT + 6, V6_PAYLOAD_AT = IP_AT + 40, FRAGMENT_HEADER = 44, ICMP6 = 58 };

static void give_v6(struct lab_node *n, const char *addr)
{
	if (n->port.n_addrs == 2)
		n->port.addrs[n->port.n_addrs++] = lab_addr(addr);
	lab_set_port(&l->lab, n->host, &n->port);
	lab_map(&l->lab, LAB_VNI, addr, n->host, DP_MAPPING_LIVE);
}

/* 'payload' is what follows the header. */
static struct frame whole_v6(const struct lab_node *from, const char *src, const char *dst,
			     const uint8_t *mac, uint8_t next, const uint8_t *payload, size_t size)
{
	struct ipaddr to = lab_addr(dst);
	struct frame f = {.size = V6_PAYLOAD_AT + size};

	if (mac)
		memcpy(f.b, mac, 6);
	else
		substrate_dummy_mac_v6(f.b, LAB_VNI, to.b);
	memcpy(f.b + 6, from->port.mac.b, 6);
	frame_put_u16(&f, 12, 0x86dd);
	frame_put_u32(&f, IP_AT, 6U << 28);
	frame_put_u16(&f, IP_AT + 4, (uint16_t)size);
	f.b[NEXT_AT] = next;
	f.b[IP_AT + 7] = 64;
	frame_put_addr6(&f, IP_AT + 8, src);
	frame_put_addr6(&f, IP_AT + 24, dst);
	memcpy(f.b + V6_PAYLOAD_AT, payload, size);
	return f;
}

static struct frame udp_v6(const struct lab_node *from, const char *src, const char *dst,
			   uint16_t source, uint16_t destination)
{
	uint8_t udp[16] = {(uint8_t)(source >> 8),
			   (uint8_t)source,
			   (uint8_t)(destination >> 8),
			   (uint8_t)destination,
			   0,
			   16};

	return whole_v6(from, src, dst, NULL, IPPROTO_UDP, udp, sizeof(udp));
}

static void set_up_v6(struct dp_rule in)
{
	struct dp_rule out[] = {policy_rule(true, DP_PROTOCOL_ANY, 0, 65535, "::/0", 0)};

	lab_subnet(&l->lab, LAB_VNI, "2001:db8:1:1::/64", "fe80::100", NULL);
	lab_subnet(&l->lab, LAB_VNI, "2001:db8:1:2::/64", "fe80::100", NULL);
	lab_subnet(&l->lab, LAB_VNI, "fe80::/64", "fe80::100", NULL);
	policy_give(l->a, out, 1);
	policy_give(l->b, &in, 1);
	policy_give(l->c, &in, 1);
	give_v6(l->a, A6);
	give_v6(l->b, B6);
	give_v6(l->c, C6);
	give_v6(l->d, D6);
}

/* requirement: NIC-6 PKT-1 */
static void test_ipv6(void **state)
{
	struct frame to_b = udp_v6(l->a, A6, B6, 5000, 80), back = udp_v6(l->b, B6, A6, 80, 5000);
	struct frame other = udp_v6(l->a, A6, B6, 5000, 81);
	struct frame to_c = udp_v6(l->a, A6, C6, 5000, 80), from_c = udp_v6(l->c, C6, A6, 80, 5000);

	set_up_v6(policy_rule(false, IPPROTO_UDP, 80, 80, "2001:db8:1::/48", 0));
	assert_int_equal(policy_send_frame(l->b, l->a, &back), DROP_GROUP_EGRESS);
	assert_int_equal(policy_send_frame(l->a, l->b, &other), DROP_GROUP_INGRESS);
	assert_int_equal(policy_send_frame(l->a, l->b, &to_b), 0);
	assert_int_equal(policy_send_frame(l->b, l->a, &back), 0);
	assert_string_equal(policy_state(l->b, 80, 5000), "stream");
	assert_int_equal(policy_send_frame(l->c, l->a, &from_c), DROP_GROUP_EGRESS);
	assert_int_equal(policy_send_frame(l->a, l->c, &to_c), 0);
	assert_int_equal(policy_send_frame(l->c, l->a, &from_c), 0);
	/* A rule for all of IPv4 says nothing of IPv6. */
	policy_set_group(
		2, (struct dp_rule[]){policy_rule(false, IPPROTO_UDP, 80, 80, "0.0.0.0/0", 0)}, 1);
	to_b = udp_v6(l->a, A6, B6, 5001, 80);
	assert_int_equal(policy_send_frame(l->a, l->b, &to_b), DROP_GROUP_INGRESS);
}

/* What is about ports stands behind other headers; an error about a packet quotes it. */
/* requirement: NIC-6 */
static void test_ipv6_headers(void **state)
{
	uint8_t options[24] = {IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0, 0x13, 0x88, 0, 80, 0, 16};
	uint8_t first[24] = {IPPROTO_UDP, 0, 0, 1, 0, 0, 0, 9, 0x13, 0x88, 0, 80, 0, 16};
	uint8_t later[24] = {IPPROTO_UDP, 0, 0, 16, 0, 0, 0, 9};
	uint8_t error[64] = {1, 4};
	struct frame f;

	set_up_v6(policy_rule(false, IPPROTO_UDP, 80, 80, "::/0", 0));
	f = whole_v6(l->a, A6, B6, NULL, FRAGMENT_HEADER, later, sizeof(later));
	assert_int_equal(policy_send_frame(l->a, l->b, &f), DROP_FRAGMENT);
	f = whole_v6(l->a, A6, B6, NULL, FRAGMENT_HEADER, first, sizeof(first));
	assert_int_equal(policy_send_frame(l->a, l->b, &f), 0);
	f = whole_v6(l->a, A6, B6, NULL, FRAGMENT_HEADER, later, sizeof(later));
	assert_int_equal(policy_send_frame(l->a, l->b, &f), 0);
	f = whole_v6(l->a, A6, B6, NULL, 60, options, sizeof(options));
	assert_int_equal(policy_send_frame(l->a, l->b, &f), 0);
	options[11] = 81;
	f = whole_v6(l->a, A6, B6, NULL, 60, options, sizeof(options));
	assert_int_equal(policy_send_frame(l->a, l->b, &f), DROP_GROUP_INGRESS);
	/* b says that the port is closed: about what a sent, and about what it did not. */
	f = udp_v6(l->a, A6, B6, 5000, 80);
	memcpy(error + 8, f.b + IP_AT, 56);
	f = whole_v6(l->b, B6, A6, NULL, ICMP6, error, sizeof(error));
	assert_int_equal(policy_send_frame(l->b, l->a, &f), 0);
	error[8 + 40 + 1] ^= 1;
	f = whole_v6(l->b, B6, A6, NULL, ICMP6, error, sizeof(error));
	assert_int_equal(policy_send_frame(l->b, l->a, &f), DROP_GROUP_EGRESS);
}

/* An ACL knows its subnet by the prefix: all routers of IPv6 have one address. */
/* requirement: NIC-6 */
static void test_ipv6_acl(void **state)
{
	static const uint8_t router_mac[6] = {0x02, 0xff, 0, 0, 0, 1};
	struct dp_subnet s = {.vni = LAB_VNI,
			      .router = lab_addr("fe80::100"),
			      .router_mac = {{0x02, 0xff, 0, 0, 0, 1}},
			      .acl = 9};
	struct frame f = udp_v6(l->a, A6, D6, 5000, 80), inside = udp_v6(l->a, A6, B6, 5000, 80);

	set_up_v6(policy_rule(false, IPPROTO_UDP, 80, 80, "::/0", 0));
	memcpy(f.b, router_mac, 6);
	assert_int_equal(policy_send_frame(l->a, l->d, &f), 0);
	policy_set_acl(9, NULL, 0);
	assert_int_equal(prefix_parse("2001:db8:1:2::/64", &s.prefix), 0);
	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(datapath_subnet_set(l->lab.hosts[i].dp, &s), 0);
	assert_int_equal(policy_send_frame(l->a, l->d, &f), DROP_ACL_INGRESS);
	assert_int_equal(policy_send_frame(l->a, l->b, &inside), 0);
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
		TEST(test_adoption_of_an_earlier_version),
		TEST(test_acl),
		TEST(test_order_of_both),
		TEST(test_formats),
		TEST(test_ipv6),
		TEST(test_ipv6_headers),
		TEST(test_ipv6_acl),
#undef TEST
	};

	return cmocka_run_group_tests(all, policy_lab_set_up, policy_lab_tear_down);
}
