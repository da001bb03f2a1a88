/* SPDX-License-Identifier: Apache-2.0 */
/* Packet tables of IPv6: neighbours and the router, links and subnets, errors, both formats that
 * carry it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/maps.h"
#include "abi/substrate.h"
#include "frame.h"
#include "net/csum.h"

#define ROUTER "fe80::100"
#define A      "2001:db8:1:1::a" /* host 1 */
#define B      "2001:db8:1:1::b" /* host 2, the same subnet */
#define C      "2001:db8:1:2::c" /* host 1, another subnet */
#define D      "2001:db8:1:2::d" /* host 2, another subnet */
#define A_LINK "fe80::a"
#define B_LINK "fe80::b"

enum {
	PAYLOAD_AT = IP_AT + 40,
	HOP_LIMIT_AT = IP_AT + 7,
	SRC_AT = IP_AT + 8,
	DST_AT = IP_AT + 24,
	ICMP6 = 58,
	ECHO = 128,
	ECHO_REPLY = 129,
};

static const uint8_t router_mac[6] = {0x02, 0xff, 0, 0, 0, 1};
static const uint8_t all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};

struct fixture {
	struct lab lab;
	struct lab_node *a, *b, *c, *d;
};

static struct fixture fixture;

static void give(struct fixture *f, struct lab_node *n, const char *addr, const char *link)
{
	n->port.addrs[n->port.n_addrs++] = lab_addr(addr);
	lab_map(&f->lab, LAB_VNI, addr, n->host, DP_MAPPING_LIVE);
	if (link) {
		n->port.addrs[n->port.n_addrs++] = lab_addr(link);
		lab_map(&f->lab, LAB_VNI, link, n->host, DP_MAPPING_LIVE);
	}
	lab_set_port(&f->lab, n->host, &n->port);
}

static int set_up(void **state)
{
	struct fixture *f = &fixture;

	lab_init(&f->lab, FORMAT_SIIT_2);
	lab_subnet(&f->lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
	lab_subnet(&f->lab, LAB_VNI, "2001:db8:1:1::/64", ROUTER, NULL);
	lab_subnet(&f->lab, LAB_VNI, "2001:db8:1:2::/64", ROUTER, NULL);
	lab_subnet(&f->lab, LAB_VNI, "fe80::/64", ROUTER, NULL);
	f->a = lab_node(&f->lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	f->b = lab_node(&f->lab, 1, LAB_VNI, "10.0.1.11", "10.0.1.1");
	f->c = lab_node(&f->lab, 0, LAB_VNI, "10.0.1.12", "10.0.1.1");
	f->d = lab_node(&f->lab, 1, LAB_VNI, "10.0.1.13", "10.0.1.1");
	give(f, f->a, A, A_LINK);
	give(f, f->b, B, B_LINK);
	give(f, f->c, C, NULL);
	give(f, f->d, D, NULL);
	lab_map(&f->lab, LAB_VNI, "2001:db8:1:2::20", 1, DP_MAPPING_REFUSED);
	lab_map(&f->lab, LAB_VNI, "2001:db8:1:2::21", 1, DP_MAPPING_GONE);
	lab_map(&f->lab, LAB_VNI, "2001:db8:1:1::20", 1, DP_MAPPING_REFUSED);
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

/* ---- packets ---- */

static void put_checksum(struct frame *f, size_t at, size_t field)
{
	struct ipaddr src, dst;
	uint16_t check = 0;

	memcpy(src.b, f->b + SRC_AT, 16);
	memcpy(dst.b, f->b + DST_AT, 16);
	memcpy(f->b + at + field, &check, 2);
	check = csum_fold(
		csum_add(csum_pseudo(&src, &dst, f->b[IP_AT + 6], (uint32_t)(f->size - at)),
			 f->b + at, f->size - at));
	memcpy(f->b + at + field, &check, 2);
}

/* From a's MAC; 'mac' NULL: the dummy MAC of 'dst'.  UDP or ICMPv6 echo with a right checksum. */
static struct frame packet(const char *src, const char *dst, const uint8_t *mac, uint8_t protocol,
			   size_t payload)
{
	struct ipaddr to = lab_addr(dst);
	struct frame f = {.size = PAYLOAD_AT + 8 + payload};

	if (mac)
		memcpy(f.b, mac, 6);
	else
		substrate_dummy_mac_v6(f.b, LAB_VNI, to.b);
	memcpy(f.b + 6, fixture.a->port.mac.b, 6);
	frame_put_u16(&f, 12, 0x86dd);
	frame_put_u32(&f, IP_AT, 6U << 28 | 0x12 << 20 | 0x345);
	frame_put_u16(&f, IP_AT + 4, (uint16_t)(8 + payload));
	f.b[IP_AT + 6] = protocol;
	f.b[HOP_LIMIT_AT] = 64;
	frame_put_addr6(&f, SRC_AT, src);
	frame_put_addr6(&f, DST_AT, dst);
	for (size_t i = PAYLOAD_AT; i < f.size; i++)
		f.b[i] = (uint8_t)(i * 7 + 3);
	if (protocol == ICMP6) {
		f.b[PAYLOAD_AT] = ECHO;
		f.b[PAYLOAD_AT + 1] = 0;
	} else {
		frame_put_u16(&f, PAYLOAD_AT, FRAME_SOURCE_PORT);
		frame_put_u16(&f, PAYLOAD_AT + 2, FRAME_DESTINATION_PORT);
		frame_put_u16(&f, PAYLOAD_AT + 4, (uint16_t)(8 + payload));
	}
	put_checksum(&f, PAYLOAD_AT, protocol == ICMP6 ? 2 : 6);
	return f;
}

/* An ICMPv6 message of 'type' to 'dst', as neighbour discovery sends it. */
static struct frame message(const char *src, const char *dst, uint8_t type, const char *target)
{
	struct frame f = packet(src, dst, all_nodes, ICMP6, 16);

	f.b[HOP_LIMIT_AT] = 255;
	f.b[PAYLOAD_AT] = type;
	frame_put_u32(&f, PAYLOAD_AT + 4, 0);
	frame_put_addr6(&f, PAYLOAD_AT + 8, target);
	put_checksum(&f, PAYLOAD_AT, 2);
	return f;
}

static struct frame run(const struct frame *in)
{
	struct frame out;

	if (frame_from_node(&fixture.lab, fixture.a, in, &out) != TC_ACT_REDIRECT)
		lab_explain(&fixture.lab);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, in, &out), TC_ACT_REDIRECT);
	return out;
}

static void assert_dropped(const struct frame *f, uint32_t reason)
{
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, f, reason);
}

/* ---- neighbours ---- */

static void assert_advertised(const char *source, const char *target, const uint8_t *mac,
			      uint8_t flags)
{
	struct frame f = message(source, "ff02::1:ff00:2", 135, target), got = run(&f);
	uint8_t dummy[6];
	struct ipaddr a = lab_addr(target);

	substrate_dummy_mac_v6(dummy, LAB_VNI, a.b);
	assert_int_equal(got.b[PAYLOAD_AT], 136);
	assert_int_equal(got.b[PAYLOAD_AT + 4], flags);
	assert_int_equal(got.b[HOP_LIMIT_AT], 255);
	frame_assert_addr6(&got, SRC_AT, target);
	frame_assert_addr6(&got, DST_AT, source);
	frame_assert_addr6(&got, PAYLOAD_AT + 8, target);
	assert_memory_equal(got.b + PAYLOAD_AT + 26, mac ? mac : dummy, 6);
	assert_memory_equal(got.b + 6, mac ? mac : dummy, 6);
	frame_assert_checksum(&got);
}

/* requirement: PKT-1 */
static void test_neighbours(void **state)
{
	struct frame f;

	assert_advertised(A, B, NULL, 0x60);
	assert_advertised(A_LINK, B, NULL, 0x60);
	assert_advertised(A, B_LINK, NULL, 0x60);
	assert_advertised(A_LINK, ROUTER, router_mac, 0xe0); /* a router */
	assert_advertised(A, ROUTER, router_mac, 0xe0);
	f = message(A, "ff02::1:ff00:2", 135, C); /* on another link */
	assert_dropped(&f, DROP_ND_IGNORED);
	f = message(A, "ff02::1:ff00:2", 135, "2001:db8:1:1::20");
	assert_dropped(&f, DROP_ND_REFUSED);
	f = message("::", "ff02::1:ff00:a", 135, A); /* duplicate address detection */
	assert_dropped(&f, DROP_ND_IGNORED);
	f = message(A, "ff02::1:ff00:a", 135, A);
	assert_dropped(&f, DROP_ND_IGNORED);
	f = message(B, "ff02::1:ff00:a", 135, C);
	assert_dropped(&f, DROP_SOURCE_ADDR);
	f = message(A, "ff02::1", 136, A);
	assert_dropped(&f, DROP_ND_IGNORED);
}

/* Nobody but the router says that it is one, to nobody. */
/* requirement: PKT-1 */
static void test_router_guard(void **state)
{
	struct frame f = message(A_LINK, "ff02::1", 134, "::");

	assert_dropped(&f, DROP_ROUTER_GUARD);
	f = message(A_LINK, B_LINK, 134, "::");
	substrate_dummy_mac_v6(f.b, LAB_VNI, lab_addr(B_LINK).b);
	assert_dropped(&f, DROP_ROUTER_GUARD);
	f = message(A_LINK, B_LINK, 137, C);
	substrate_dummy_mac_v6(f.b, LAB_VNI, lab_addr(B_LINK).b);
	assert_dropped(&f, DROP_ROUTER_GUARD);

	/* behind an extension header of 8 bytes, too */
	memmove(f.b + PAYLOAD_AT + 8, f.b + PAYLOAD_AT, f.size - PAYLOAD_AT);
	memset(f.b + PAYLOAD_AT, 0, 8);
	f.b[PAYLOAD_AT] = ICMP6;
	f.b[IP_AT + 6] = 60; /* destination options */
	f.size += 8;
	frame_put_u16(&f, IP_AT + 4, (uint16_t)(f.size - PAYLOAD_AT));
	assert_dropped(&f, DROP_ROUTER_GUARD);

	/* of more of them than there is a reason for, nothing is let through */
	for (int i = 0; i < 5; i++) {
		memmove(f.b + PAYLOAD_AT + 8, f.b + PAYLOAD_AT, f.size - PAYLOAD_AT);
		memset(f.b + PAYLOAD_AT, 0, 8);
		f.b[PAYLOAD_AT] = 60;
		f.size += 8;
	}
	frame_put_u16(&f, IP_AT + 4, (uint16_t)(f.size - PAYLOAD_AT));
	assert_dropped(&f, DROP_MALFORMED);
}

/* ---- what goes to the agent ---- */

static void assert_upcall(const struct frame *f)
{
	struct frame out;
	struct dp_upcall *u = NULL;

	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, f, &out), TC_ACT_REDIRECT);
	/* BPF_PROG_RUN does not redirect: the note in the frame says what would have come up */
	assert_int_equal(out.b[0], DP_NOTE_MAGIC);
	assert_int_equal(out.b[1], DP_NOTE_CONFIGURE6);
	assert_memory_equal(out.b + 12, f->b + 12, f->size - 12);
	assert_int_equal(datapath_upcall_read(fixture.lab.hosts[0].dp, &u), -EAGAIN);
}

/* requirement: PKT-1 */
static void test_configuration_comes_up(void **state)
{
	struct frame f = message(A_LINK, "ff02::2", 133, "::");

	assert_upcall(&f);
	f = message("::", "ff02::2", 133, "::");
	assert_upcall(&f);
	f = message(B_LINK, "ff02::2", 133, "::");
	assert_dropped(&f, DROP_SOURCE_ADDR);

	f = packet(A_LINK, "ff02::1:2", all_nodes, 17, 20);
	frame_put_u16(&f, PAYLOAD_AT + 2, 547);
	assert_upcall(&f);
	f = packet(A_LINK, ROUTER, router_mac, 17, 20); /* straight to the server */
	frame_put_u16(&f, PAYLOAD_AT + 2, 547);
	assert_upcall(&f);
	f = packet(A_LINK, "ff02::1:2", all_nodes, 17, 20); /* another port */
	assert_dropped(&f, DROP_MULTICAST);
	f = packet(A_LINK, "ff02::1:3", all_nodes, 17, 20);
	frame_put_u16(&f, PAYLOAD_AT + 2, 547);
	assert_dropped(&f, DROP_MULTICAST);
	f = packet(B_LINK, "ff02::1:2", all_nodes, 17, 20);
	frame_put_u16(&f, PAYLOAD_AT + 2, 547);
	assert_dropped(&f, DROP_SOURCE_ADDR);
}

/* ---- the router ---- */

/* requirement: PKT-1 */
static void test_the_router_answers_pings(void **state)
{
	static const char *const sources[] = {A, A_LINK};

	for (int i = 0; i < 2; i++) {
		struct frame f = packet(sources[i], ROUTER, router_mac, ICMP6, 30), got = run(&f);

		assert_int_equal(got.size, f.size);
		assert_memory_equal(got.b, fixture.a->port.mac.b, 6);
		assert_memory_equal(got.b + 6, router_mac, 6);
		frame_assert_addr6(&got, SRC_AT, ROUTER);
		frame_assert_addr6(&got, DST_AT, sources[i]);
		assert_int_equal(got.b[PAYLOAD_AT], ECHO_REPLY);
		assert_memory_equal(got.b + PAYLOAD_AT + 4, f.b + PAYLOAD_AT + 4,
				    f.size - PAYLOAD_AT - 4);
		frame_assert_checksum(&got);
	}
}

/* An error of the router's about 'f'. */
static void assert_error(const struct frame *f, uint8_t type, uint8_t code, uint32_t mtu)
{
	struct frame got = run(f);

	assert_memory_equal(got.b, fixture.a->port.mac.b, 6);
	assert_memory_equal(got.b + 6, router_mac, 6);
	assert_int_equal(frame_u16(&got, 12), 0x86dd);
	frame_assert_addr6(&got, SRC_AT, ROUTER);
	assert_memory_equal(got.b + DST_AT, f->b + SRC_AT, 16);
	assert_int_equal(got.b[IP_AT + 6], ICMP6);
	assert_int_equal(got.b[PAYLOAD_AT], type);
	assert_int_equal(got.b[PAYLOAD_AT + 1], code);
	assert_int_equal(frame_u32(&got, PAYLOAD_AT + 4), mtu);
	assert_true(got.size >= PAYLOAD_AT + 8 + 48);
	assert_memory_equal(got.b + PAYLOAD_AT + 8, f->b + IP_AT, 48);
	frame_assert_checksum(&got);
}

/* requirement: PKT-1 */
static void test_errors(void **state)
{
	struct frame f = packet(A, D, router_mac, 17, 20);

	f.b[HOP_LIMIT_AT] = 1;
	assert_error(&f, 3, 0, 0); /* time exceeded: traceroute */
	f = packet(A, D, router_mac, ICMP6, 20);
	f.b[HOP_LIMIT_AT] = 1;
	assert_error(&f, 3, 0, 0);
	f = packet(A, "2001:db8:2::1", router_mac, 17, 20);
	assert_error(&f, 1, 0, 0); /* no route */
	f = packet(A, "2001:db8:1:2::20", router_mac, 17, 20);
	assert_error(&f, 1, 3, 0); /* address unreachable */
	f = packet(A, "2001:db8:1:2::21", router_mac, 17, 20);
	assert_error(&f, 1, 3, 0);
	f = packet(A, ROUTER, router_mac, 17, 20);
	assert_error(&f, 1, 4, 0); /* port unreachable */
	f = packet(A, D, router_mac, 17, 1480 - 48);
	assert_error(&f, 2, 0, LAB_WIRE_MTU - 40);
	f = packet(A, B, NULL, 17, 1480 - 48); /* inside the subnet, too */
	assert_error(&f, 2, 0, LAB_WIRE_MTU - 40);
	f = packet(A_LINK, D, router_mac, 17, 20); /* beyond the scope of its source */
	assert_error(&f, 1, 0, 0);

	/* never about an error */
	f = packet(A, D, router_mac, ICMP6, 20);
	f.b[PAYLOAD_AT] = 1;
	f.b[HOP_LIMIT_AT] = 1;
	assert_dropped(&f, DROP_TTL);
	/* inside a subnet there is nobody who would answer */
	f = packet(A, "2001:db8:1:1::20", NULL, 17, 20);
	assert_dropped(&f, DROP_REFUSED);
}

/* ---- from node to node ---- */

static const struct {
	const char *src, *dst;
	bool routed;
	bool remote;
	bool to_other; /* c or d */
} ways[] = {
	{A, B, false, true, false},      {A_LINK, B_LINK, false, true, false},
	{A, B_LINK, false, true, false}, {A, D, true, true, true},
	{A, C, true, false, true},
};

static void assert_arrived(const struct frame *sent, const struct frame *got, size_t i)
{
	const struct lab_node *to = !ways[i].to_other ? fixture.b
				    : ways[i].remote  ? fixture.d
						      : fixture.c;
	uint8_t dummy[6];

	substrate_dummy_mac_v6(dummy, LAB_VNI, sent->b + SRC_AT);
	assert_int_equal(got->size, sent->size);
	assert_memory_equal(got->b, to->port.mac.b, 6);
	assert_memory_equal(got->b + 6, ways[i].routed ? router_mac : dummy, 6);
	assert_memory_equal(got->b + 12, sent->b + 12, HOP_LIMIT_AT - 12);
	assert_int_equal(got->b[HOP_LIMIT_AT], sent->b[HOP_LIMIT_AT] - ways[i].routed);
	assert_memory_equal(got->b + SRC_AT, sent->b + SRC_AT, sent->size - SRC_AT);
}

/* requirement: PKT-1, PKT-3 */
static void test_links_and_subnets(void **state)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct frame f = packet(ways[i].src, ways[i].dst,
					ways[i].routed ? router_mac : NULL, 17, 100);
		struct frame wire = run(&f), got;

		if (!ways[i].remote) {
			assert_arrived(&f, &wire, i);
			continue;
		}
		assert_int_equal(wire.size, f.size + 40);
		assert_int_equal(wire.b[IP_AT + 6], 41);
		assert_int_equal(frame_u32(&wire, IP_AT) >> 20, 0x612); /* the traffic class */
		assert_int_equal(frame_from_wire(&fixture.lab, 1, &wire, &got), TC_ACT_REDIRECT);
		assert_arrived(&f, &got, i);
	}
}

/* requirement: PKT-1 */
static void test_which_macs_may_be_sent_to(void **state)
{
	struct frame f = packet(A, C, NULL, 17, 20); /* a neighbour's MAC for another subnet */

	assert_dropped(&f, DROP_DEST_MAC);
	f = packet(A, B, NULL, 17, 20);
	f.b[5] ^= 1;
	assert_dropped(&f, DROP_DEST_MAC);
	f = packet(A, ROUTER, NULL, ICMP6, 20);
	assert_dropped(&f, DROP_DEST_MAC);
	f = packet(B, C, router_mac, 17, 20);
	assert_dropped(&f, DROP_SOURCE_ADDR);
	f = packet(B_LINK, A_LINK, NULL, 17, 20);
	assert_dropped(&f, DROP_SOURCE_ADDR);
	/* to the router's MAC inside the subnet: routed, and one hop less */
	f = packet(A, B, router_mac, 17, 20);
	f.b[HOP_LIMIT_AT] = 1;
	assert_error(&f, 3, 0, 0);
}

/* A packet of b's that claims to be of the subnet where it is not. */
/* requirement: MAP-4 */
static void test_sources_are_verified(void **state)
{
	struct frame f = packet(A, D, router_mac, 17, 50), wire = run(&f);

	lab_map(&fixture.lab, LAB_VNI, A, 1, DP_MAPPING_LIVE);
	frame_assert_dropped_from_wire(&fixture.lab, 1, fixture.d->port.id, &wire, DROP_SPOOF);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_LIVE);
}

/* One that sends to an address that was here is told of to the agent.  requirement: MAP-4 */
static void test_gone_is_shown(void **state)
{
	struct frame f = packet(A, D, router_mac, 17, 50), wire = run(&f);
	struct dp_port port = fixture.d->port;

	port.n_addrs--;
	lab_set_port(&fixture.lab, 1, &port);
	frame_shown_stale(&fixture.lab, A, D);
	frame_assert_dropped_from_wire(&fixture.lab, 1, 0, &wire, DROP_LOCAL_GONE);
	assert_int_equal(frame_shown_stale(&fixture.lab, A, D), 1);
	lab_map(&fixture.lab, LAB_VNI, A, 1, DP_MAPPING_LIVE);
	frame_assert_dropped_from_wire(&fixture.lab, 1, 0, &wire, DROP_SPOOF);
	assert_int_equal(frame_shown_stale(&fixture.lab, A, D), 0);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_LIVE);
	lab_set_port(&fixture.lab, 1, &fixture.d->port);
}

/* ---- errors of the substrate ---- */

/* What a router of the substrate says about 'wire', which host 1 sent. */
static struct frame substrate_error(const struct frame *wire, uint8_t type, uint8_t code,
				    uint32_t mtu)
{
	struct frame f = {.size = PAYLOAD_AT + 8 + wire->size - IP_AT};

	if (f.size > 1200)
		f.size = 1200;
	frame_put_u16(&f, 12, 0x86dd);
	frame_put_u32(&f, IP_AT, 6U << 28);
	frame_put_u16(&f, IP_AT + 4, (uint16_t)(f.size - PAYLOAD_AT));
	f.b[IP_AT + 6] = ICMP6;
	f.b[HOP_LIMIT_AT] = 60;
	frame_put_addr6(&f, SRC_AT, "2001:db8:ffff::1");
	memcpy(f.b + DST_AT, wire->b + SRC_AT, 16);
	f.b[PAYLOAD_AT] = type;
	f.b[PAYLOAD_AT + 1] = code;
	frame_put_u32(&f, PAYLOAD_AT + 4, mtu);
	memcpy(f.b + PAYLOAD_AT + 8, wire->b + IP_AT, f.size - PAYLOAD_AT - 8);
	put_checksum(&f, PAYLOAD_AT, 2);
	return f;
}

/* Of packets to one destination, those of one flow have one label on the substrate, and other flows
 * mostly others.  RFC 6438.  requirement: PKT-3 */
static void test_flow_labels(void **state)
{
	uint32_t labels[64], distinct = 0;

	for (uint32_t i = 0; i < 64; i++) {
		struct frame f = packet(A, B, NULL, IPPROTO_UDP, 100), out;
		bool seen = false;

		frame_put_u32(&f, IP_AT, 6U << 28 | 0x12 << 20 | (i * 0x4321 & 0xfffff));
		out = run(&f);
		labels[i] = frame_u32(&out, IP_AT) & 0xfffff;
		for (int again = 0; again < 2; again++) {
			out = run(&f); /* by the flow cache, too */
			assert_int_equal(frame_u32(&out, IP_AT), 6U << 28 | 0x12 << 20 | labels[i]);
		}
		for (uint32_t k = 0; k < i; k++)
			seen |= labels[k] == labels[i];
		distinct += !seen;
	}
	assert_in_range(distinct, 48, 64);
}

/* The path MTU of the substrate becomes the node's. */
/* requirement: PKT-9 */
static void test_path_mtu(void **state)
{
	static const struct {
		uint8_t type, code;
		uint32_t mtu;
		uint8_t told;
		uint32_t told_mtu;
	} rows[] = {
		{2, 0, 1400, 0, 1360}, {2, 0, 1300, 0, 1280}, {2, 0, 600, 0, 1280},
		{1, 0, 0, 3, 0},       {1, 3, 0, 3, 0},       {3, 0, 0, 0, 0},
	};
	struct frame f = packet(A, D, router_mac, 17, 900), wire = run(&f), error, got;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		error = substrate_error(&wire, rows[i].type, rows[i].code, rows[i].mtu);
		assert_int_equal(frame_from_wire(&fixture.lab, 0, &error, &got), TC_ACT_REDIRECT);
		assert_memory_equal(got.b, fixture.a->port.mac.b, 6);
		assert_memory_equal(got.b + 6, router_mac, 6);
		frame_assert_addr6(&got, SRC_AT, ROUTER);
		frame_assert_addr6(&got, DST_AT, A);
		assert_int_equal(got.b[PAYLOAD_AT], rows[i].type);
		assert_int_equal(got.b[PAYLOAD_AT + 1], rows[i].told);
		assert_int_equal(frame_u32(&got, PAYLOAD_AT + 4), rows[i].told_mtu);
		assert_int_equal(got.size, PAYLOAD_AT + 8 + 48);
		frame_assert_addr6(&got, PAYLOAD_AT + 8 + 8, A);
		frame_assert_addr6(&got, PAYLOAD_AT + 8 + 24, D);
		frame_assert_checksum(&got);
	}
	/* about what no node here could have sent */
	error = substrate_error(&wire, 2, 0, 1400);
	frame_put_addr6(&error, PAYLOAD_AT + 8 + 40 + 8, B);
	frame_assert_dropped_from_wire(&fixture.lab, 0, 0, &error, DROP_ICMP6);
	error = substrate_error(&wire, 2, 0, 1400);
	frame_put_addr6(&error, PAYLOAD_AT + 8 + 40 + 24, C); /* lives here, not there */
	frame_assert_dropped_from_wire(&fixture.lab, 0, fixture.a->port.id, &error, DROP_ICMP6);
	error = substrate_error(&wire, 2, 0, 0x10000);
	frame_assert_dropped_from_wire(&fixture.lab, 0, fixture.a->port.id, &error, DROP_ICMP6);
}

/* ---- ways out of the network ---- */

enum { PEERED_VNI = 8, FORWARDER_HANDLE = 0xf00011, TABLE = 3 };

#define PEERED "2001:db8:8::e" /* host 2, in the peered network */

static void set_ways(struct fixture *f)
{
	struct dp_route routes[] = {
		{.target = DP_TARGET_NETWORK, .vni = PEERED_VNI},
		{.target = DP_TARGET_INTERFACE, .peer = 2, .vni = FORWARDER_HANDLE},
		{.target = DP_TARGET_BLACKHOLE},
	};
	const struct dp_table table = {
		.number = TABLE,
		.n_routes = sizeof(routes) / sizeof(routes[0]),
		.routes = routes,
	};
	struct dp_subnet s = {.vni = LAB_VNI, .router = lab_addr(ROUTER), .table = TABLE};

	assert_int_equal(prefix_parse("2001:db8:8::/48", &routes[0].prefix), 0);
	assert_int_equal(prefix_parse("2001:db8:9::/48", &routes[1].prefix), 0);
	assert_int_equal(prefix_parse("2001:db8:a::/48", &routes[2].prefix), 0);
	assert_int_equal(prefix_parse("2001:db8:1:1::/64", &s.prefix), 0);
	memcpy(s.router_mac.b, router_mac, 6);
	for (int i = 0; i < LAB_HOSTS; i++) {
		assert_int_equal(datapath_table_set(f->lab.hosts[i].dp, &table), 0);
		assert_int_equal(datapath_subnet_set(f->lab.hosts[i].dp, &s), 0);
	}
	lab_peering(&f->lab, LAB_VNI, PEERED_VNI, true);
	lab_subnet(&f->lab, PEERED_VNI, "2001:db8:8::/64", ROUTER, NULL);
}

static void d_forwards(struct fixture *f)
{
	f->d->port.forwards = true;
	f->d->port.handle = FORWARDER_HANDLE;
	lab_set_port(&f->lab, 1, &f->d->port);
}

/* Under the node's handle and the network that it may forward into (bpf/lib/ingress_address.h). */
static void allow_forwarder(struct fixture *f, enum dp_mapping_state state)
{
	const struct dp_mapping m = {.vni = FORWARDER_HANDLE,
				     .addr = ipaddr_from_v4(LAB_VNI),
				     .state = state,
				     .peer = 2,
				     .revision = 1};

	assert_int_equal(datapath_mapping_set(f->lab.hosts[0].dp, &m), 0);
}

/* What goes from subnet to subnet is led to a node that forwards, and nothing else. */
static void lead_inside(struct fixture *f)
{
	struct dp_route routes[] = {
		{.target = DP_TARGET_LOCAL},
		{.target = DP_TARGET_INTERFACE, .peer = 2, .vni = FORWARDER_HANDLE},
	};
	const struct dp_table table = {
		.number = TABLE, .inside = true, .n_routes = 2, .routes = routes};
	struct frame p = packet(A, D, router_mac, 17, 60), wire = run(&p);

	assert_int_equal(substrate_vni(wire.b + DST_AT), LAB_VNI);
	assert_int_equal(prefix_parse("2001:db8:1::/48", &routes[0].prefix), 0);
	assert_int_equal(prefix_parse("2001:db8:1:2::/64", &routes[1].prefix), 0);
	assert_int_equal(datapath_table_set(f->lab.hosts[0].dp, &table), 0);
	wire = run(&p);
	assert_int_equal(substrate_vni(wire.b + DST_AT), FORWARDER_HANDLE);
	p = packet(A, B, NULL, 17, 60);
	wire = run(&p);
	assert_int_equal(substrate_vni(wire.b + DST_AT), LAB_VNI);
	p = packet(A, "2001:db8:1:3::1", router_mac, 17, 60); /* in no subnet */
	assert_dropped(&p, DROP_BLACKHOLE);
	set_ways(f);
}

/* requirement: PKT-13, TOPO-1 */
static void test_ways_out(void **state)
{
	struct fixture *f = &fixture;
	struct lab_node *e = lab_node(&f->lab, 1, PEERED_VNI, "10.0.8.10", "10.0.8.1");
	struct frame p, wire, got;

	set_ways(f);
	e->port.addrs[e->port.n_addrs++] = lab_addr(PEERED);
	lab_set_port(&f->lab, 1, &e->port);
	lab_map(&f->lab, PEERED_VNI, PEERED, 1, DP_MAPPING_LIVE);

	/* to a peered network: the addresses say both */
	p = packet(A, PEERED, router_mac, 17, 60);
	wire = run(&p);
	frame_assert_addr6(&wire, SRC_AT, "2001:db8:8000:113f:4100:7::");
	assert_int_equal(substrate_vni(wire.b + DST_AT), PEERED_VNI);
	assert_int_equal(frame_from_wire(&f->lab, 1, &wire, &got), TC_ACT_REDIRECT);
	assert_memory_equal(got.b, e->port.mac.b, 6);
	assert_int_equal(got.b[HOP_LIMIT_AT], 63);
	assert_memory_equal(got.b + SRC_AT, p.b + SRC_AT, p.size - SRC_AT);

	/* to a node that forwards, whatever the address */
	d_forwards(f);
	p = packet(A, "2001:db8:9:1::77", router_mac, 17, 60);
	wire = run(&p);
	assert_int_equal(substrate_vni(wire.b + DST_AT), FORWARDER_HANDLE);
	assert_int_equal(frame_from_wire(&f->lab, 1, &wire, &got), TC_ACT_REDIRECT);
	assert_memory_equal(got.b, f->d->port.mac.b, 6);
	frame_assert_addr6(&got, DST_AT, "2001:db8:9:1::77");

	/* what the substrate says of that */
	p = substrate_error(&wire, 2, 0, 1400);
	assert_int_equal(frame_from_wire(&f->lab, 0, &p, &got), TC_ACT_REDIRECT);
	assert_int_equal(frame_u32(&got, PAYLOAD_AT + 4), 1360);

	/* and what it sends on, from wherever: its host says who, and that it may was looked up */
	p = packet("2001:db8:9:1::77", A, router_mac, 17, 60);
	memcpy(p.b + 6, f->d->port.mac.b, 6);
	assert_int_equal(frame_from_node(&f->lab, f->d, &p, &wire), TC_ACT_REDIRECT);
	assert_int_equal(substrate_vni(wire.b + SRC_AT), FORWARDER_HANDLE);
	allow_forwarder(f, DP_MAPPING_REFUSED);
	frame_assert_dropped_from_wire(&f->lab, 0, f->a->port.id, &wire, DROP_SOURCE_REFUSED);
	allow_forwarder(f, DP_MAPPING_LIVE);
	assert_int_equal(frame_from_wire(&f->lab, 0, &wire, &got), TC_ACT_REDIRECT);
	assert_memory_equal(got.b, f->a->port.mac.b, 6);
	assert_memory_equal(got.b + SRC_AT, p.b + SRC_AT, p.size - SRC_AT);

	p = packet(A, "2001:db8:a::1", router_mac, 17, 60);
	assert_dropped(&p, DROP_BLACKHOLE);
	lead_inside(f);
	p = packet(A, "2001:db8:b::1", router_mac, 17, 60);
	assert_error(&p, 1, 0, 0); /* no route */
	/* peered no more */
	assert_int_equal(datapath_peering_delete(f->lab.hosts[0].dp, LAB_VNI, PEERED_VNI), 0);
	p = packet(A, PEERED, router_mac, 17, 60);
	assert_dropped(&p, DROP_NOT_PEERED);
}

/* A network without IPv6 has no router there: what nodes say by themselves is dropped quietly. */
static void test_a_network_without_ipv6(void **state)
{
	const struct prefix link = {{{0xfe, 0x80}}, 64};
	struct frame f = message(A_LINK, "ff02::2", 133, "::");

	assert_int_equal(datapath_subnet_delete(fixture.lab.hosts[0].dp, LAB_VNI, &link), 0);
	assert_dropped(&f, DROP_ND_IGNORED);
	f = packet(A_LINK, "ff02::1:2", all_nodes, 17, 20);
	frame_put_u16(&f, PAYLOAD_AT + 2, 547);
	assert_dropped(&f, DROP_MULTICAST);
	f = packet(A_LINK, B_LINK, NULL, 17, 20); /* neighbours are reached all the same */
	run(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_router_guard),
		cmocka_unit_test(test_configuration_comes_up),
		cmocka_unit_test(test_the_router_answers_pings),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_links_and_subnets),
		cmocka_unit_test(test_which_macs_may_be_sent_to),
		cmocka_unit_test(test_sources_are_verified),
		cmocka_unit_test(test_gone_is_shown),
		cmocka_unit_test(test_flow_labels),
		cmocka_unit_test(test_path_mtu),
		cmocka_unit_test(test_ways_out),
		cmocka_unit_test(test_a_network_without_ipv6),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
