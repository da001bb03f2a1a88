/* SPDX-License-Identifier: Apache-2.0 */
/* Packet tables of ARP and IPv6 neighbour discovery, of the MACs that nodes may send to, and IPv6
 * between the nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "pair_lab.h"
#include "net/csum.h"

static const uint8_t router_mac[6] = {0x02, 0xff, 0, 0, 0, 1};
static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t node_mac[6] = {0x02, 0, 0, 0, 0, 1};

static struct pair_lab fixture;
static struct lab_node *third; /* on host 1 */

/* .20 is refused, .21 gone. */
static int set_up(void **state)
{
	struct pair_lab *f = &fixture;

	pair_lab_init(f, FORMAT_SIIT_2);
	third = lab_node(&f->lab, 0, LAB_VNI, "10.0.1.12", "10.0.1.1");
	lab_map(&f->lab, LAB_VNI, "10.0.1.20", 1, DP_MAPPING_REFUSED);
	lab_map(&f->lab, LAB_VNI, "10.0.1.21", 1, DP_MAPPING_GONE);
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

/* ---- ARP ---- */

static struct frame arp(const char *sender, const char *target)
{
	struct ipaddr from = lab_addr(sender), to = lab_addr(target);
	struct frame f = {.size = 42};

	memcpy(f.b, broadcast, 6);
	memcpy(f.b + 6, node_mac, 6);
	frame_put_u16(&f, 12, 0x0806);
	memcpy(f.b + 14, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, 1}, 8);
	memcpy(f.b + 22, node_mac, 6);
	memcpy(f.b + 28, from.b + 12, 4);
	memcpy(f.b + 38, to.b + 12, 4);
	return f;
}

static void assert_arp_answer(const char *target, const uint8_t mac[6])
{
	struct frame request = arp("10.0.1.10", target), answer;

	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &request, &answer),
			 TC_ACT_REDIRECT);
	assert_int_equal(answer.size, 42);
	assert_memory_equal(answer.b, node_mac, 6);
	assert_memory_equal(answer.b + 6, mac, 6);
	assert_int_equal(frame_u16(&answer, 20), 2); /* reply */
	assert_memory_equal(answer.b + 22, mac, 6);
	frame_assert_addr4(&answer, 28, target);
	assert_memory_equal(answer.b + 32, node_mac, 6);
	frame_assert_addr4(&answer, 38, "10.0.1.10");
}

/* requirement: PKT-1 */
static void test_arp_answers(void **state)
{
	assert_arp_answer("10.0.1.11", (uint8_t[]){0x06, LAB_VNI, 10, 0, 1, 11});
	assert_arp_answer("10.0.1.12", (uint8_t[]){0x06, LAB_VNI, 10, 0, 1, 12}); /* same host */
	assert_arp_answer("10.0.1.1", router_mac);
}

/* What does not resolve, or is not one's business, gets no answer. */
/* requirement: PKT-1 */
static void test_arp_silence(void **state)
{
	static const struct {
		const char *sender, *target;
		uint32_t reason;
	} table[] = {
		{"10.0.1.10", "10.0.1.20", DROP_ARP_REFUSED},
		{"10.0.1.10", "10.0.1.21", DROP_ARP_REFUSED},
		{"0.0.0.0", "10.0.1.10", DROP_ARP_IGNORED},   /* probe */
		{"0.0.0.0", "10.0.1.11", DROP_ARP_IGNORED},   /* probe of another's */
		{"10.0.1.10", "10.0.1.10", DROP_ARP_IGNORED}, /* announcement */
		{"10.0.1.10", "10.0.2.13", DROP_ARP_IGNORED}, /* another subnet */
		{"10.0.1.10", "192.0.2.1", DROP_ARP_IGNORED}, /* no subnet */
		{"10.0.1.11", "10.0.1.12", DROP_SOURCE_ADDR}, /* another's address */
	};
	struct frame f;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		f = arp(table[i].sender, table[i].target);
		frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, table[i].reason);
	}
	f = arp("10.0.1.10", "10.0.1.11");
	f.b[27] = 9; /* another's MAC inside */
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_SOURCE_MAC);
	f = arp("10.0.1.10", "10.0.1.11");
	frame_put_u16(&f, 20, 2); /* a reply nobody asked for */
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_ARP_IGNORED);
	f = arp("10.0.1.10", "10.0.1.11");
	f.b[18] = 8; /* no Ethernet */
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_MALFORMED);
	f = arp("10.0.1.10", "10.0.1.11");
	f.size = 30;
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_MALFORMED);
}

/* ---- neighbour discovery ---- */

static struct frame solicitation(const char *source, const char *target)
{
	struct frame f = {.size = 14 + 40 + 32};

	memcpy(f.b, (uint8_t[]){0x33, 0x33, 0xff, 0, 0, 0}, 6);
	memcpy(f.b + 6, node_mac, 6);
	frame_put_u16(&f, 12, 0x86dd);
	frame_put_u32(&f, 14, 6U << 28);
	frame_put_u16(&f, 18, 32);
	f.b[20] = 58;
	f.b[21] = 255;
	frame_put_addr6(&f, 22, source);
	frame_put_addr6(&f, 38, "ff02::1:ff00:2");
	f.b[54] = 135;
	frame_put_addr6(&f, 62, target);
	f.b[78] = 1;
	f.b[79] = 1;
	memcpy(f.b + 80, node_mac, 6);
	return f;
}

static uint16_t checksum6(const struct frame *f)
{
	struct ipaddr src, dst;

	memcpy(src.b, f->b + 22, 16);
	memcpy(dst.b, f->b + 38, 16);
	return csum_fold(csum_add(csum_pseudo(&src, &dst, 58, (uint32_t)f->size - 54), f->b + 54,
				  f->size - 54));
}

/* requirement: PKT-1 */
static void test_neighbour_discovery(void **state)
{
	struct lab_node *a = fixture.a, *c = third;
	struct frame f, answer;

	a->port.addrs[1] = lab_addr("fe80::1");
	c->port.addrs[1] = lab_addr("fe80::3");
	a->port.n_addrs = c->port.n_addrs = 2;
	lab_set_port(&fixture.lab, 0, &a->port);
	lab_set_port(&fixture.lab, 0, &c->port);
	lab_map(&fixture.lab, LAB_VNI, "fe80::2", 1, DP_MAPPING_LIVE);
	lab_map(&fixture.lab, LAB_VNI, "fe80::20", 1, DP_MAPPING_REFUSED);
	for (int i = 0; i < 2; i++) {
		const char *target = i ? "fe80::3" : "fe80::2"; /* this host's, the other's */

		f = solicitation("fe80::1", target);
		assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &answer),
				 TC_ACT_REDIRECT);
		assert_int_equal(answer.size, 14 + 40 + 32);
		assert_memory_equal(answer.b, node_mac, 6);
		assert_int_equal(answer.b[6] & 3, 2); /* a made-up unicast MAC */
		frame_assert_addr6(&answer, 22, target);
		frame_assert_addr6(&answer, 38, "fe80::1");
		assert_int_equal(answer.b[21], 255);
		assert_int_equal(answer.b[54], 136);
		assert_int_equal(answer.b[58], 0x60); /* solicited, override */
		frame_assert_addr6(&answer, 62, target);
		assert_int_equal(frame_u16(&answer, 78), 0x0201); /* target link-layer address */
		assert_memory_equal(answer.b + 80, answer.b + 6, 6);
		assert_int_equal(checksum6(&answer), 0);
	}
	f = solicitation("fe80::1", "fe80::20");
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_ND_REFUSED);
	f = solicitation("::", "fe80::1"); /* duplicate address detection */
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_ND_IGNORED);
	f = solicitation("fe80::3", "fe80::2");
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_SOURCE_ADDR);
	f = solicitation("fe80::1", "fe80::2");
	f.b[54] = 133; /* router solicitation */
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_ND_IGNORED); /* no IPv6 */
}

/* IPv6 between the nodes: data to the MAC that was handed out, whole on the wire. */
/* requirement: PKT-3 */
static void test_ipv6_inside(void **state)
{
	struct frame f = solicitation("fe80::1", "fe80::2"), answer, wire, got;

	lab_map(&fixture.lab, LAB_VNI, "fe80::1", 0, DP_MAPPING_LIVE);
	fixture.b->port.addrs[1] = lab_addr("fe80::2");
	fixture.b->port.n_addrs = 2;
	lab_set_port(&fixture.lab, 1, &fixture.b->port);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &answer), TC_ACT_REDIRECT);
	memcpy(f.b, answer.b + 6, 6);
	f.b[20] = 17;
	frame_put_addr6(&f, 38, "fe80::2");
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &wire), TC_ACT_REDIRECT);
	assert_int_equal(wire.size, f.size + 40);
	assert_int_equal(wire.b[20], 41);
	frame_assert_addr6(&wire, 22, "2001:db8:8000:113f:4100:7::");
	frame_assert_addr6(&wire, 38, "2001:db8:8000:123f:4000:7::");
	assert_memory_equal(wire.b + 54, f.b + 14, f.size - 14);
	assert_int_equal(frame_from_wire(&fixture.lab, 1, &wire, &got), TC_ACT_REDIRECT);
	assert_int_equal(got.size, f.size);
	assert_memory_equal(got.b + 12, f.b + 12, f.size - 12);
	assert_memory_equal(got.b, fixture.b->port.mac.b, 6);
	/* From where fe80::1 does not live: */
	lab_map(&fixture.lab, LAB_VNI, "fe80::1", 1, DP_MAPPING_LIVE);
	frame_assert_dropped_from_wire(&fixture.lab, 1, fixture.b->port.id, &wire, DROP_SPOOF);
	/* Inside of embedded addresses that are not zero: */
	wire.b[37] = 1;
	frame_assert_dropped_from_wire(&fixture.lab, 1, 0, &wire, DROP_INNER);
	f.b[0] ^= 4;
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_DEST_MAC);
}

/* ---- MACs that were not handed out ---- */

static const uint8_t unknown_macs[][6] = {
	{0x02, 0xde, 0xad, 0xbe, 0xef, 0x01}, /* nobody's */
	{0x06, LAB_VNI, 10, 0, 1, 99},        /* of another address */
	{0x06, LAB_VNI + 1, 10, 0, 1, 11},    /* of another network */
	{0x02, 0, 0, 0, 0, 2},                /* of a node */
};

static void set_resolves(bool resolves)
{
	fixture.a->port.resolves = resolves;
	lab_set_port(&fixture.lab, 0, &fixture.a->port);
}

/* What becomes of the frame to its right MAC becomes of it to any other, the first time and when
 * the decision is kept; and only while the network resolves. */
static void assert_resolved(const struct frame *right)
{
	struct frame expected, f = *right, got;
	int verdict;

	set_resolves(true);
	verdict = frame_from_node(&fixture.lab, fixture.a, right, &expected);
	assert_int_equal(verdict, TC_ACT_REDIRECT);
	for (size_t i = 0; i < sizeof(unknown_macs) / sizeof(unknown_macs[0]); i++) {
		memcpy(f.b, unknown_macs[i], 6);
		for (int times = 0; times < 3; times++) {
			assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &got),
					 TC_ACT_REDIRECT);
			assert_int_equal(got.size, expected.size);
			assert_memory_equal(got.b, expected.b, got.size);
		}
		set_resolves(false);
		frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_DEST_MAC);
		set_resolves(true);
	}
	set_resolves(false);
}

static struct frame plain(const char *dst, const uint8_t *mac, uint8_t protocol)
{
	struct v4 p = {.src = "10.0.1.10",
		       .dst = dst,
		       .mac = mac,
		       .from = 1,
		       .protocol = protocol,
		       .ttl = 9,
		       .fragment = 0x4000,
		       .payload = 30};

	return frame_v4(&p);
}

/* requirement: PKT-1 */
static void test_unknown_macs_by_the_address(void **state)
{
	static const struct {
		const char *dst;
		bool routed;
		uint8_t protocol;
	} table[] = {
		{"10.0.1.12", false, IPPROTO_UDP}, /* of this host */
		{"10.0.1.11", false, IPPROTO_UDP}, /* of the other */
		{"10.0.1.11", false, IPPROTO_TCP},
		{"10.0.1.22", false, IPPROTO_UDP}, /* not known yet: it waits at the agent */
		{"10.0.2.13", true, IPPROTO_UDP},  /* another subnet */
		{"10.0.2.22", true, IPPROTO_UDP},  /* not known yet */
		{"10.0.1.1", true, IPPROTO_ICMP},  /* the router */
		{"10.0.2.1", true, IPPROTO_ICMP},
		{"192.0.2.9", true, IPPROTO_UDP}, /* nowhere: the router says so */
	};

	lab_map(&fixture.lab, LAB_VNI, "10.0.2.13", 1, DP_MAPPING_LIVE);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct frame f =
			plain(table[i].dst, table[i].routed ? router_mac : NULL, table[i].protocol);

		print_message("  %s\n", table[i].dst);
		assert_resolved(&f);
	}
}

/* Nothing else is let through than what would be to the right MAC. */
/* requirement: PKT-1, PKT-10 */
static void test_unknown_macs_and_all_other_checks(void **state)
{
	struct frame f = plain("10.0.1.11", unknown_macs[0], IPPROTO_UDP), got;
	struct v4 spoofed = {.src = "10.0.1.11",
			     .dst = "10.0.1.12",
			     .mac = unknown_macs[0],
			     .from = 1,
			     .protocol = IPPROTO_UDP,
			     .ttl = 9};
	struct dp_port grouped;

	set_resolves(true);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &got), TC_ACT_REDIRECT);
	f.b[6 + 5] = 9;
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_SOURCE_MAC);
	f = frame_v4(&spoofed);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_SOURCE_ADDR);
	f = plain("10.0.1.20", unknown_macs[0], IPPROTO_UDP);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_REFUSED);
	f = plain("10.0.1.11", broadcast, IPPROTO_UDP);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_BROADCAST);
	grouped = fixture.a->port;
	grouped.n_groups = 1;
	grouped.groups[0] = 77; /* of which nothing is set: it allows nothing */
	lab_set_port(&fixture.lab, 0, &grouped);
	f = plain("10.0.1.11", unknown_macs[0], IPPROTO_UDP);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_GROUP_EGRESS);
	set_resolves(false);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_DEST_MAC);
}

static struct frame plain_v6(const char *dst, const uint8_t *mac, uint8_t protocol)
{
	struct v6 p = {.src = strncmp(dst, "fe80", 4) ? "2001:db8:1:1::a" : "fe80::a",
		       .dst = dst,
		       .mac = mac,
		       .from = 1,
		       .protocol = protocol,
		       .hop_limit = 9,
		       .payload = 30};

	return frame_v6(&p);
}

static struct frame ping_v6(const char *dst)
{
	struct frame f = plain_v6(dst, router_mac, 58);

	f.b[IP_AT + 40] = 128;
	f.b[IP_AT + 41] = 0;
	return f;
}

/* requirement: PKT-1 */
static void test_unknown_macs_by_the_ipv6_address(void **state)
{
	struct lab_node *a = fixture.a, *c = third;
	struct frame f;

	a->port.n_addrs = c->port.n_addrs = 3;
	a->port.addrs[1] = lab_addr("2001:db8:1:1::a");
	a->port.addrs[2] = lab_addr("fe80::a");
	c->port.addrs[1] = lab_addr("2001:db8:1:1::c");
	c->port.addrs[2] = lab_addr("fe80::c");
	lab_set_port(&fixture.lab, 0, &c->port);
	lab_map(&fixture.lab, LAB_VNI, "2001:db8:1:1::b", 1, DP_MAPPING_LIVE);
	lab_map(&fixture.lab, LAB_VNI, "2001:db8:1:2::d", 1, DP_MAPPING_LIVE);
	lab_map(&fixture.lab, LAB_VNI, "fe80::b", 1, DP_MAPPING_LIVE);
	/* without IPv6 in the network: neighbours are found, and there is no router */
	f = plain_v6("fe80::b", NULL, IPPROTO_UDP);
	assert_resolved(&f);
	set_resolves(true);
	f = plain_v6("2001:db8:1:2::d", unknown_macs[0], IPPROTO_UDP);
	frame_assert_dropped_by_node(&fixture.lab, a, &f, DROP_DEST_MAC);
	set_resolves(false);

	lab_subnet(&fixture.lab, LAB_VNI, "2001:db8:1:1::/64", "fe80::100", NULL);
	lab_subnet(&fixture.lab, LAB_VNI, "2001:db8:1:2::/64", "fe80::100", NULL);
	lab_subnet(&fixture.lab, LAB_VNI, "fe80::/64", "fe80::100", NULL);
	f = plain_v6("2001:db8:1:1::c", NULL, IPPROTO_UDP); /* of this host */
	assert_resolved(&f);
	f = plain_v6("2001:db8:1:1::b", NULL, IPPROTO_TCP); /* of the other */
	assert_resolved(&f);
	f = plain_v6("fe80::c", NULL, IPPROTO_UDP);
	assert_resolved(&f);
	f = plain_v6("2001:db8:1:1::22", NULL, IPPROTO_UDP); /* not known yet */
	assert_resolved(&f);
	f = plain_v6("2001:db8:1:2::d", router_mac, IPPROTO_UDP);
	assert_resolved(&f);
	f = ping_v6("fe80::100");
	assert_resolved(&f);
	set_resolves(true);
	f = plain_v6("2001:db8:1:1::b", (uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, IPPROTO_UDP);
	frame_assert_dropped_by_node(&fixture.lab, a, &f, DROP_DEST_MAC);
	f = plain_v6("2001:db8:1:1::b", unknown_macs[0], IPPROTO_UDP);
	frame_put_addr6(&f, IP_AT + 8, "2001:db8:1:1::c");
	frame_assert_dropped_by_node(&fixture.lab, a, &f, DROP_SOURCE_ADDR);
	/* to the MAC that the router's address would have as a neighbour's */
	f = ping_v6("fe80::100");
	memcpy(f.b, plain_v6("fe80::100", NULL, IPPROTO_UDP).b, 6);
	assert_int_equal(frame_from_node(&fixture.lab, a, &f, &f), TC_ACT_REDIRECT);
	set_resolves(false);
}

/* ---- a router that is not at the first usable address ---- */

/* requirement: PKT-7 */
static void test_a_router_at_another_address(void **state)
{
	struct frame f, got;

	lab_subnet(&fixture.lab, LAB_VNI, "10.0.1.0/24", "10.0.1.254", "10.0.0.2");
	assert_arp_answer("10.0.1.254", router_mac);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.1", 1, DP_MAPPING_REFUSED);
	f = arp("10.0.1.10", "10.0.1.1");
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_ARP_REFUSED);
	f = plain("10.0.1.1", router_mac, IPPROTO_ICMP);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_REFUSED);
	f = plain("10.0.1.254", router_mac, IPPROTO_ICMP);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &got), TC_ACT_REDIRECT);
	frame_assert_addr4(&got, IP_AT + 12, "10.0.1.254");
	assert_int_equal(got.b[IP_AT + 20], 0); /* echo reply */
	/* of what it forwards it tells errors from there: traceroute's first hop */
	f = plain("10.0.2.13", router_mac, IPPROTO_UDP);
	f.b[IP_AT + 8] = 1;
	frame_fix_ip(&f);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &got), TC_ACT_REDIRECT);
	frame_assert_addr4(&got, IP_AT + 12, "10.0.1.254");
	assert_int_equal(got.b[IP_AT + 20], 11);
	/* and neighbours are neighbours */
	f = plain("10.0.1.11", NULL, IPPROTO_UDP);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &got), TC_ACT_REDIRECT);
	lab_subnet(&fixture.lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp_answers),
		cmocka_unit_test(test_arp_silence),
		cmocka_unit_test(test_neighbour_discovery),
		cmocka_unit_test(test_ipv6_inside),
		cmocka_unit_test(test_unknown_macs_by_the_address),
		cmocka_unit_test(test_unknown_macs_and_all_other_checks),
		cmocka_unit_test(test_unknown_macs_by_the_ipv6_address),
		cmocka_unit_test(test_a_router_at_another_address),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
