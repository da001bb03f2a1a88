/* SPDX-License-Identifier: Apache-2.0 */
/* Packet tables of an edge for IPv6: nothing is translated; who may come in, and whose neighbour it
 * is outside. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/maps.h"
#include "frame.h"
#include "net/csum.h"
#include "sockets.h"

enum {
	L4_AT = IP_AT + 40,
	HOP_AT = IP_AT + 7,
	SRC_AT = IP_AT + 8,
	DST_AT = IP_AT + 24,
	IGW = 0xf00001,
	EIGW = 0xf00002,
	BOX = 0xf00003, /* a, when it forwards */
	OTHER_VNI = 8,
	UDP = 17,
	ICMP6 = 58,
	EDGE_NUMBER = LAB_EDGE + 1,
};

#define A          "2001:db8:1:1::a" /* host 1 */
#define C          "2001:db8:1:1::c" /* on the edge's host */
#define X          "2001:db8:2:1::a" /* host 2, in another network */
#define WORLD      "2001:db8:ffff::1"
#define OF_NO_NODE "2001:db8:1:1::5"

static const uint8_t router_mac[6] = {0x02, 0xff, 0, 0, 0, 0};

struct fixture {
	struct lab lab;
	struct lab_node *a, *c, *x;
};

static struct fixture fixture;

static struct datapath *edge(void)
{
	return fixture.lab.hosts[LAB_EDGE].dp;
}

/* ---- the lab ---- */

static void give(struct lab_node *n, const char *addr)
{
	n->port.addrs[n->port.n_addrs++] = lab_addr(addr);
	lab_set_port(&fixture.lab, n->host, &n->port);
}

static void set_format(enum format format)
{
	const struct lab_host *h = &fixture.lab.hosts[LAB_EDGE];
	struct dp_peer p = {.id = EDGE_NUMBER,
			    .siit1 = h->config.siit1,
			    .siit2 = h->config.siit2,
			    .v4 = h->config.v4,
			    .send = format,
			    .accept = FORMAT_BIT(format) | FORMAT_BIT(FORMAT_IPIP6_1),
			    .path_mtu = LAB_WIRE_MTU,
			    .nexthop = 1,
			    .edge = true};

	lab_set_format(&fixture.lab, format, false);
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[0].dp, &p), 0);
}

/* The world by a gateway; the other network by peering. */
static void set_route(uint32_t handle)
{
	for (int i = 0; i < LAB_HOSTS; i++) {
		struct dp_route routes[] = {
			{.prefix = lab_prefix("::/0"),
			 .target = handle == IGW ? DP_TARGET_INTERNET : DP_TARGET_GATEWAY,
			 .peer = i == LAB_EDGE ? DP_PEER_SELF : EDGE_NUMBER,
			 .vni = handle},
			{.prefix = lab_prefix("2001:db8:2::/48"),
			 .target = DP_TARGET_NETWORK,
			 .vni = OTHER_VNI},
		};
		struct dp_table t = {.number = 1, .n_routes = 2, .routes = routes};

		assert_int_equal(datapath_table_set(fixture.lab.hosts[i].dp, &t), 0);
	}
}

static int set_up(void **state)
{
	struct fixture *f = &fixture;

	lab_init_edge(&f->lab, FORMAT_SIIT_2);
	lab_subnet_with(&f->lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", 1);
	lab_subnet_with(&f->lab, LAB_VNI, "2001:db8:1:1::/64", "fe80::", 1);
	lab_subnet_with(&f->lab, LAB_VNI, "fe80::/64", "fe80::", 0);
	lab_subnet_with(&f->lab, OTHER_VNI, "2001:db8:2:1::/64", "fe80::", 0);
	f->a = lab_node(&f->lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	f->c = lab_node(&f->lab, LAB_EDGE, LAB_VNI, "10.0.1.12", "10.0.1.1");
	f->x = lab_node(&f->lab, LAB_EDGE, OTHER_VNI, "10.0.1.10", "10.0.1.1");
	give(f->a, A);
	give(f->c, C);
	give(f->x, X);
	lab_peering(&f->lab, LAB_VNI, OTHER_VNI, true);
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

static int reset(void **state)
{
	struct dp_gateway igw = {.handle = IGW, .kind = DP_GATEWAY_INTERNET, .vni = LAB_VNI};
	struct dp_gateway eigw = {.handle = EIGW, .kind = DP_GATEWAY_EGRESS_ONLY, .vni = LAB_VNI};

	datapath_gateway_delete(edge(), EIGW); /* with its sessions */
	assert_int_equal(datapath_gateway_set(edge(), &igw), 0);
	assert_int_equal(datapath_gateway_set(edge(), &eigw), 0);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_LIVE);
	lab_map(&fixture.lab, LAB_VNI, C, LAB_EDGE, DP_MAPPING_LIVE);
	lab_map(&fixture.lab, OTHER_VNI, X, LAB_EDGE, DP_MAPPING_LIVE);
	set_format(FORMAT_SIIT_2);
	set_route(EIGW);
	return 0;
}

/* ---- packets ---- */

/* UDP, or an ICMPv6 message of type 'dport'; from a node, or from the world (NULL). */
static struct frame packet(const struct lab_node *from, const char *src, uint16_t sport,
			   const char *dst, uint16_t dport, uint8_t protocol, size_t payload)
{
	struct frame f = {.size = L4_AT + 8 + payload};
	struct ipaddr s = lab_addr(src), d = lab_addr(dst);
	uint16_t sum;

	memcpy(f.b, router_mac, 6);
	if (from)
		memcpy(f.b + 6, from->port.mac.b, 6);
	frame_put_u16(&f, 12, 0x86dd);
	frame_put_u32(&f, IP_AT, 6U << 28);
	frame_put_u16(&f, IP_AT + 4, (uint16_t)(8 + payload));
	f.b[IP_AT + 6] = protocol;
	f.b[HOP_AT] = 64;
	memcpy(f.b + SRC_AT, s.b, 16);
	memcpy(f.b + DST_AT, d.b, 16);
	frame_put_u16(&f, L4_AT, sport);
	frame_put_u16(&f, L4_AT + 2, dport);
	frame_put_u16(&f, L4_AT + 4, (uint16_t)(8 + payload));
	if (protocol == ICMP6) {
		f.b[L4_AT] = (uint8_t)dport;
		f.b[L4_AT + 1] = 0;
		frame_put_u16(&f, L4_AT + 2, 0);
		frame_put_u16(&f, L4_AT + 4, sport);
	}
	sum = csum_fold(csum_add(csum_pseudo(&s, &d, protocol, (uint32_t)(f.size - L4_AT)),
				 f.b + L4_AT, f.size - L4_AT));
	memcpy(f.b + L4_AT + (protocol == UDP ? 6 : 2), &sum, 2);
	return f;
}

static void assert_redirected(int verdict)
{
	if (verdict != TC_ACT_REDIRECT)
		lab_explain(&fixture.lab);
	assert_int_equal(verdict, TC_ACT_REDIRECT);
}

/* As sent, but 'hops' older. */
static void assert_same(const struct frame *out, const struct frame *in, uint8_t hops)
{
	assert_int_equal(out->size, in->size);
	assert_int_equal(frame_u16(out, 12), 0x86dd);
	assert_int_equal(out->b[HOP_AT], in->b[HOP_AT] - hops);
	assert_memory_equal(out->b + IP_AT, in->b + IP_AT, 7);
	assert_memory_equal(out->b + SRC_AT, in->b + SRC_AT, in->size - SRC_AT);
}

static void goes_out(const struct lab_node *n, const struct frame *f)
{
	struct frame wire, out;

	assert_redirected(frame_from_node(&fixture.lab, n, f, &wire));
	if (n->host == LAB_EDGE) {
		assert_same(&wire, f, 1); /* no router between */
		return;
	}
	assert_redirected(frame_from_wire(&fixture.lab, LAB_EDGE, &wire, &out));
	assert_same(&out, f, 2);
}

static void comes_in(const struct lab_node *n, const struct frame *f)
{
	struct frame wire, out;

	assert_redirected(frame_from_world(&fixture.lab, f, &wire));
	if (n->host == LAB_EDGE) {
		out = wire;
	} else {
		assert_redirected(frame_from_wire(&fixture.lab, n->host, &wire, &out));
		assert_memory_equal(out.b + 6, router_mac, 6);
	}
	assert_memory_equal(out.b, n->port.mac.b, 6);
	assert_same(&out, f, 1);
}

static void is_refused(const struct frame *f, uint32_t reason)
{
	uint64_t before = lab_drops(&fixture.lab, LAB_EDGE, 0, reason);
	struct frame out;

	frame_from_world(&fixture.lab, f, &out);
	if (lab_drops(&fixture.lab, LAB_EDGE, 0, reason) != before + 1)
		lab_explain(&fixture.lab);
	assert_int_equal(lab_drops(&fixture.lab, LAB_EDGE, 0, reason), before + 1);
}

/* ---- an internet gateway ---- */

/* requirement: EDGE-1 */
/* requirement: PKT-3 */
static void test_internet(void **state)
{
	struct frame out = packet(fixture.a, A, 4000, WORLD, 53, UDP, 100);
	struct frame in = packet(NULL, WORLD, 4001, A, 80, UDP, 100); /* begun outside */

	set_route(IGW);
	goes_out(fixture.a, &out);
	comes_in(fixture.a, &in);
	out = packet(fixture.c, C, 4000, WORLD, 53, UDP, 100);
	in = packet(NULL, WORLD, 4001, C, 80, UDP, 100);
	goes_out(fixture.c, &out);
	comes_in(fixture.c, &in);
}

/* What a subnet has no way to gets nothing from there. */
/* requirement: EDGE-1 */
static void test_no_route_back(void **state)
{
	struct frame in = packet(NULL, WORLD, 4001, X, 80, UDP, 100), got;

	is_refused(&in, DROP_UNSOLICITED);
	in = packet(NULL, WORLD, 4001, "2001:db8:9::1", 80, UDP, 100); /* the machine's */
	assert_int_equal(frame_from_world(&fixture.lab, &in, &got), TC_ACT_UNSPEC);
}

/* The gateway's table leads it to a node first, on another host or this one; whatever way the
 * node's own subnet has. */
/* requirement: TOPO-1 */
/* requirement: PKT-13 */
static void test_entering_by_a_table(void **state)
{
	struct dp_gateway igw = {
		.handle = IGW, .kind = DP_GATEWAY_INTERNET, .vni = LAB_VNI, .table = 4};
	struct dp_route way = {.prefix = lab_prefix("2001:db8:1:1::/64"),
			       .target = DP_TARGET_INTERFACE};
	struct dp_table t = {.number = 4, .n_routes = 1, .routes = &way};
	struct frame to_a = packet(NULL, WORLD, 4001, A, 80, UDP, 100);
	struct frame to_c = packet(NULL, WORLD, 4001, C, 80, UDP, 100), own, wire, got;

	set_route(IGW);
	fixture.a->port.handle = fixture.c->port.handle = IGW + 9;
	lab_set_port(&fixture.lab, 0, &fixture.a->port);
	lab_set_port(&fixture.lab, LAB_EDGE, &fixture.c->port);
	way.vni = IGW + 9;
	assert_int_equal(datapath_table_set(edge(), &t), 0);
	assert_int_equal(datapath_gateway_set(edge(), &igw), 0);
	comes_in(fixture.c, &to_a); /* that of this host */
	way.peer = 1;
	assert_int_equal(datapath_table_set(edge(), &t), 0);
	comes_in(fixture.a, &to_c);
	assert_redirected(frame_from_world(&fixture.lab, &to_c, &wire));
	assert_int_equal(frame_u32(&wire, DST_AT + 8) & 0xffffff, IGW + 9);
	own = wire; /* the source inside is a subnet's */
	memcpy(own.b + IP_AT + 40 + 8, lab_addr("2001:db8:1:1::99").b, 16);
	assert_redirected(frame_from_wire(&fixture.lab, 0, &own, &got));
	assert_int_equal(got.b[0], 0x0a);
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false); /* an edge no more */
	assert_redirected(frame_from_wire(&fixture.lab, 0, &wire, &got));
	assert_int_equal(got.b[0], 0x0a);
	way.vni = 0;
	assert_int_equal(datapath_table_set(edge(), &t), 0);
	is_refused(&to_c, DROP_BLACKHOLE);
	way = (struct dp_route){.prefix = lab_prefix("2001:db8:1::/48"), .target = DP_TARGET_LOCAL};
	assert_int_equal(datapath_table_set(edge(), &t), 0);
	comes_in(fixture.c, &to_c);
	set_format(FORMAT_SIIT_2);
	comes_in(fixture.a, &to_a);
	fixture.a->port.handle = fixture.c->port.handle = 0;
	lab_set_port(&fixture.lab, 0, &fixture.a->port);
	lab_set_port(&fixture.lab, LAB_EDGE, &fixture.c->port);
}

/* ---- an egress-only gateway ---- */

/* requirement: EDGE-1 */
static void test_egress_only(void **state)
{
	static const uint8_t protocols[] = {UDP, ICMP6};

	for (size_t i = 0; i < 2; i++) {
		bool ping = protocols[i] == ICMP6;
		struct frame in = packet(NULL, WORLD, ping ? 4000 : 53, A, ping ? 129 : 4000,
					 protocols[i], 100);
		struct frame out =
			packet(fixture.a, A, 4000, WORLD, ping ? 128 : 53, protocols[i], 100);

		is_refused(&in, DROP_UNSOLICITED);
		goes_out(fixture.a, &out);
		comes_in(fixture.a, &in);
		in = packet(NULL, "2001:db8:ffff::2", ping ? 4000 : 53, A, ping ? 129 : 4000,
			    protocols[i], 100);
		is_refused(&in, DROP_UNSOLICITED);
		in = packet(NULL, WORLD, ping ? 4001 : 54, A, ping ? 129 : 4000, protocols[i], 100);
		is_refused(&in, DROP_UNSOLICITED);
	}
}

/* An error about what went out comes in; one about nothing does not. */
/* requirement: EDGE-1 */
static void test_egress_only_errors(void **state)
{
	struct frame out = packet(fixture.a, A, 4000, WORLD, 53, UDP, 20);
	struct frame in = packet(NULL, "2001:db8:eeee::1", 0, A, 1, ICMP6, 68);

	memcpy(in.b + L4_AT + 8, out.b + IP_AT, 68);
	is_refused(&in, DROP_UNSOLICITED);
	goes_out(fixture.a, &out);
	comes_in(fixture.a, &in);
}

/* ---- a node that forwards, between the nodes and the gateway ---- */

/* The default route of the nodes' subnet leads to the node with the handle BOX. */
static void set_box_route(void)
{
	struct dp_route route = {.prefix = lab_prefix("::/0"),
				 .target = DP_TARGET_INTERFACE,
				 .peer = EDGE_NUMBER - 1,
				 .vni = BOX};
	struct dp_table t = {.number = 1, .n_routes = 1, .routes = &route};

	assert_int_equal(datapath_table_set(edge(), &t), 0);
}

static void set_box(bool forwards)
{
	struct dp_mapping m = {.vni = BOX,
			       .addr = ipaddr_from_v4(LAB_VNI),
			       .state = forwards ? DP_MAPPING_LIVE : DP_MAPPING_GONE,
			       .peer = 1};

	fixture.a->port.handle = forwards ? BOX : 0;
	fixture.a->port.forwards = forwards;
	lab_set_port(&fixture.lab, 0, &fixture.a->port);
	assert_int_equal(datapath_mapping_set(edge(), &m), 0);
}

/* It sends addresses of its network alone, while it may; and the network's gateway lets in what its
 * nodes answer by it. */
/* requirement: EDGE-1 */
/* requirement: PKT-13 */
static void test_forwarded(void **state)
{
	struct frame out = packet(fixture.a, OF_NO_NODE, 4000, WORLD, 53, UDP, 100), wire;
	struct frame foreign = packet(fixture.a, "2001:db8:9::1", 4000, WORLD, 53, UDP, 100);
	struct frame in = packet(NULL, WORLD, 53, A, 4000, UDP, 100);
	static const uint32_t gateways[] = {IGW, EIGW};

	out.b[5] = foreign.b[5] = 1; /* the router by that address of the box which it has first */
	set_box(true);
	for (size_t i = 0; i < 2; i++) {
		set_route(gateways[i]);
		goes_out(fixture.a, &out);
		assert_redirected(frame_from_node(&fixture.lab, fixture.a, &foreign, &wire));
		frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, 0, &wire,
					       DROP_FOREIGN_SOURCE);
	}
	assert_redirected(frame_from_node(&fixture.lab, fixture.a, &out, &wire));
	set_box(false);
	frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, 0, &wire, DROP_SOURCE_REFUSED);

	set_box_route();
	comes_in(fixture.a, &in);
	assert_int_equal(datapath_gateway_delete(edge(), IGW), 0);
	/* by the egress-only gateway, which knows nothing of it */
	is_refused(&in, DROP_UNSOLICITED);
	set_route(EIGW);
	out = packet(fixture.a, A, 4000, WORLD, 53, UDP, 100);
	goes_out(fixture.a, &out);
	set_box_route();
	comes_in(fixture.a, &in);
	assert_int_equal(datapath_gateway_delete(edge(), EIGW), 0);
	is_refused(&in, DROP_UNSOLICITED);
}

/* ---- who, where, how large ---- */

/* requirement: MAP-4 */
static void test_source_is_verified(void **state)
{
	struct frame out = packet(fixture.a, A, 4000, WORLD, 53, UDP, 100), wire, got;

	assert_redirected(frame_from_node(&fixture.lab, fixture.a, &out, &wire));
	lab_map(&fixture.lab, LAB_VNI, A, 1, DP_MAPPING_LIVE);
	frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, 0, &wire, DROP_SPOOF);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_LIVE);
	assert_redirected(frame_from_wire(&fixture.lab, LAB_EDGE, &wire, &got));
	assert_same(&got, &out, 2);
}

/* requirement: MAP-2 */
static void test_unknown_node(void **state)
{
	struct frame in = packet(NULL, WORLD, 4001, A, 80, UDP, 100), up, wire, got;
	struct ipaddr a = lab_addr(A);

	set_route(IGW);
	assert_int_equal(datapath_mapping_delete(edge(), LAB_VNI, &a), 0);
	assert_redirected(frame_from_world(&fixture.lab, &in, &up));
	assert_int_equal(up.b[0], 0x0a);
	assert_memory_equal(up.b + 12, in.b + 12, in.size - 12);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_HELD);
	assert_redirected(frame_run(&fixture.lab, LAB_EDGE, RUN_HANDED, 1, &up, &wire));
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_LIVE);
	assert_redirected(frame_from_wire(&fixture.lab, 0, &wire, &got));
	assert_same(&got, &in, 1);
}

/* The world is told by ICMPv6 what the way to the node does not carry, and what is too old. */
/* requirement: PKT-9 */
static void test_world_is_told(void **state)
{
	struct frame in = packet(NULL, WORLD, 4001, A, 80, UDP, 1413), out;
	struct ipaddr a = lab_addr(A), world = lab_addr(WORLD);

	set_route(IGW);
	for (int i = 0; i < 2; i++) {
		uint32_t sum = csum_pseudo(&a, &world, ICMP6, 8 + 48);

		assert_redirected(frame_from_world(&fixture.lab, &in, &out));
		assert_int_equal(out.size, L4_AT + 8 + 48);
		assert_memory_equal(out.b + SRC_AT, a.b, 16);
		assert_memory_equal(out.b + DST_AT, world.b, 16);
		assert_int_equal(out.b[L4_AT], i ? 3 : 2);
		assert_int_equal(frame_u32(&out, L4_AT + 4), i ? 0 : LAB_WIRE_MTU - 40);
		assert_int_equal(csum_fold(csum_add(sum, out.b + L4_AT, 8 + 48)), 0);
		assert_memory_equal(out.b + L4_AT + 8, in.b + IP_AT, 48);
		in = packet(NULL, WORLD, 4001, A, 80, UDP, 100);
		in.b[HOP_AT] = 1;
	}
}

/* ---- neighbours outside ---- */

enum { OPTION_AT = L4_AT + 24 };

static const uint8_t asker_mac[6] = {0x02, 0, 0, 0, 0x77, 9};

static void fix_checksum(struct frame *f)
{
	struct ipaddr src, dst;
	uint16_t sum;

	memcpy(src.b, f->b + SRC_AT, 16);
	memcpy(dst.b, f->b + DST_AT, 16);
	frame_put_u16(f, L4_AT + 2, 0);
	sum = csum_fold(csum_add(csum_pseudo(&src, &dst, ICMP6, (uint32_t)(f->size - L4_AT)),
				 f->b + L4_AT, f->size - L4_AT));
	memcpy(f->b + L4_AT + 2, &sum, 2);
}

/* From the router outside: to the group, with its MAC inside; or, of a neighbour that it knows, to
 * him alone. */
static struct frame solicitation(const char *source, const char *target, bool known)
{
	struct frame f = {.size = OPTION_AT + (known ? 0 : 8)};

	memcpy(f.b, known ? fixture.lab.uplink_mac.b : (uint8_t[]){0x33, 0x33, 0xff, 0, 0, 0xa}, 6);
	memcpy(f.b + 6, known ? asker_mac : router_mac, 6);
	frame_put_u16(&f, 12, 0x86dd);
	frame_put_u32(&f, IP_AT, 6U << 28);
	frame_put_u16(&f, IP_AT + 4, (uint16_t)(f.size - L4_AT));
	f.b[IP_AT + 6] = ICMP6;
	f.b[HOP_AT] = 255;
	frame_put_addr6(&f, SRC_AT, source);
	frame_put_addr6(&f, DST_AT, known ? target : "ff02::1:ff00:a");
	f.b[L4_AT] = 135;
	frame_put_addr6(&f, L4_AT + 8, target);
	if (!known) {
		f.b[OPTION_AT] = f.b[OPTION_AT + 1] = 1;
		memcpy(f.b + OPTION_AT + 2, asker_mac, 6);
	}
	fix_checksum(&f);
	return f;
}

static int ask(const struct frame *f, struct frame *ret)
{
	return frame_run(&fixture.lab, LAB_EDGE, RUN_UPLINK,
			 fixture.lab.hosts[LAB_EDGE].config.uplink_ifindex, f, ret);
}

static void is_advertised(const struct frame *f, const char *target, const uint8_t to[6],
			  const char *dst, uint8_t flags)
{
	struct frame same = *f;

	assert_int_equal(f->size, OPTION_AT + 8);
	assert_memory_equal(f->b, to, 6);
	assert_memory_equal(f->b + 6, fixture.lab.uplink_mac.b, 6);
	assert_int_equal(f->b[HOP_AT], 255);
	frame_assert_addr6(f, SRC_AT, target);
	frame_assert_addr6(f, DST_AT, dst);
	assert_int_equal(f->b[L4_AT], 136);
	assert_int_equal(f->b[L4_AT + 4], flags);
	frame_assert_addr6(f, L4_AT + 8, target);
	assert_int_equal(frame_u16(f, OPTION_AT), 0x0201);
	assert_memory_equal(f->b + OPTION_AT + 2, fixture.lab.uplink_mac.b, 6);
	fix_checksum(&same);
	assert_memory_equal(same.b, f->b, f->size);
}

static void is_answered(const char *target)
{
	for (int known = 0; known < 2; known++) {
		struct frame f = solicitation("fe80::99", target, known), got;

		assert_redirected(ask(&f, &got));
		is_advertised(&got, target, asker_mac, "fe80::99", 0x40); /* does not override */
	}
}

static void is_not_answered(const struct frame *f, uint32_t reason)
{
	uint64_t before = lab_drops(&fixture.lab, LAB_EDGE, 0, reason);
	struct frame got;

	assert_int_equal(ask(f, &got), TC_ACT_SHOT);
	assert_int_equal(lab_drops(&fixture.lab, LAB_EDGE, 0, reason), before + 1);
}

/* What is reached by this edge: on another host or this one, by either kind of gateway. */
/* requirement: EDGE-6 */
/* requirement: PKT-1 */
static void test_neighbours_are_told(void **state)
{
	set_route(IGW);
	is_answered(A);
	is_answered(C);
	set_route(EIGW);
	is_answered(A);
}

/* By a node that forwards: the network's gateway is here. */
/* requirement: EDGE-6 */
/* requirement: PKT-13 */
static void test_neighbours_behind_a_node_that_forwards(void **state)
{
	set_box_route();
	is_answered(A);
}

/* requirement: EDGE-6 */
/* requirement: PKT-15 */
static void test_neighbours_are_not_told(void **state)
{
	struct dp_route elsewhere = {
		.prefix = lab_prefix("::/0"), .target = DP_TARGET_INTERNET, .peer = 1, .vni = IGW};
	struct dp_table t = {.number = 1, .n_routes = 1, .routes = &elsewhere};
	struct frame f = solicitation("fe80::99", X, false), got;

	set_route(IGW);
	is_not_answered(&f, DROP_ND_IGNORED); /* no way out of its subnet */
	f = solicitation("fe80::99", A, false);
	assert_int_equal(datapath_table_set(edge(), &t), 0); /* that edge answers */
	is_not_answered(&f, DROP_ND_IGNORED);
	set_route(IGW);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_REFUSED); /* there is no such node */
	is_not_answered(&f, DROP_ND_REFUSED);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_GONE);
	is_not_answered(&f, DROP_ND_REFUSED);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_LIVE);
	assert_int_equal(datapath_gateway_delete(edge(), IGW), 0);
	is_not_answered(&f, DROP_ND_IGNORED);
	/* the machine's own */
	f = solicitation("fe80::99", "2001:db8:9::1", false);
	assert_int_equal(ask(&f, &got), TC_ACT_UNSPEC);
	f = packet(NULL, WORLD, 4001, "ff02::1", 80, UDP, 100);
	f.b[0] = f.b[1] = 0x33;
	assert_int_equal(ask(&f, &got), TC_ACT_UNSPEC);
}

/* RFC 4861 7.1.1; what looks for duplicates is none of ours. */
/* requirement: PKT-15 */
static void test_odd_solicitations(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} odd[] = {{HOP_AT, 254}, {L4_AT + 1, 1}, {OPTION_AT + 1, 0}, {IP_AT + 5, 16}};
	struct frame f = solicitation("::", A, false);

	set_route(IGW);
	is_not_answered(&f, DROP_ND_IGNORED);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		f = solicitation("fe80::99", A, false);
		f.b[odd[i].at] = odd[i].value;
		fix_checksum(&f);
		is_not_answered(&f, DROP_ND_IGNORED);
	}
	f = solicitation("fe80::99", A, false);
	f.b[L4_AT + 4] ^= 1; /* the checksum is that of another */
	is_not_answered(&f, DROP_ND_IGNORED);
	is_answered(A);
}

/* An address that is not known waits for the agent, and then is answered to who asked. */
/* requirement: MAP-2 */
static void test_an_unknown_neighbour_is_asked_for(void **state)
{
	struct frame f = solicitation("fe80::99", A, false), up, got;
	struct ipaddr a = lab_addr(A);

	set_route(IGW);
	assert_int_equal(datapath_mapping_delete(edge(), LAB_VNI, &a), 0);
	assert_redirected(ask(&f, &up));
	assert_int_equal(up.b[0], DP_NOTE_MAGIC);
	assert_int_equal(up.b[1], DP_NOTE_ARP);
	assert_memory_equal(up.b + 12, f.b + 12, f.size - 12);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_HELD);
	assert_redirected(frame_run(&fixture.lab, LAB_EDGE, RUN_HANDED, 1, &up, &got));
	is_advertised(&got, A, asker_mac, "fe80::99", 0x40);
}

static size_t heard(int fd, struct frame *ret)
{
	ssize_t n;

	do {
		if (!sockets_readable(fd, SOCKETS_WAIT_MS))
			return 0;
		n = recv(fd, ret->b, sizeof(ret->b), 0);
		/* not what the kernels say of their own addresses */
	} while (n < OPTION_AT + 8 || ret->b[L4_AT] != 136 || ret->b[L4_AT + 8] != 0x20);
	ret->size = (size_t)n;
	return ret->size;
}

/* What the agent announces everybody outside hears, if it is reached here. */
/* requirement: EDGE-6 */
static void test_neighbours_are_told_unasked(void **state)
{
	static const uint8_t all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};
	struct ipaddr a = lab_addr(A), x = lab_addr(X), c = lab_addr(C),
		      nobody = lab_addr(OF_NO_NODE);
	uint64_t before = lab_drops(&fixture.lab, LAB_EDGE, 0, DROP_ND_IGNORED);
	struct frame got;
	int fd;

	lab_enter(&fixture.lab, fixture.lab.world);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IPV6));
	lab_enter(&fixture.lab, -1);
	assert_true(fd >= 0);
	set_route(IGW);
	assert_int_equal(datapath_announce(edge(), &x), 0);
	assert_int_equal(datapath_announce(edge(), &nobody), 0);
	assert_int_equal(datapath_announce(edge(), &a), 0);
	assert_true(heard(fd, &got)); /* the others would have been heard before */
	is_advertised(&got, A, all_nodes, "ff02::1", 0x20);
	assert_int_equal(lab_drops(&fixture.lab, LAB_EDGE, 0, DROP_ND_IGNORED), before + 2);
	lab_map(&fixture.lab, LAB_VNI, C, LAB_EDGE, DP_MAPPING_HELD);
	assert_int_equal(datapath_announce(edge(), &c), 0);
	assert_true(heard(fd, &got));
	is_advertised(&got, C, all_nodes, "ff02::1", 0x20);
	close(fd);
	assert_int_equal(datapath_announce(fixture.lab.hosts[0].dp, &a), -EOPNOTSUPP);
}

/* ---- peered networks ---- */

/* requirement: PKT-3 */
/* requirement: TOPO-1 */
static void test_peered(void **state)
{
	struct frame out = packet(fixture.a, A, 4000, X, 53, UDP, 100), wire, got;

	assert_redirected(frame_from_node(&fixture.lab, fixture.a, &out, &wire));
	assert_int_equal(frame_u32(&wire, SRC_AT + 8) & 0xffffff, LAB_VNI);
	assert_int_equal(frame_u32(&wire, DST_AT + 8) & 0xffffff, OTHER_VNI);
	assert_redirected(frame_from_wire(&fixture.lab, LAB_EDGE, &wire, &got));
	assert_memory_equal(got.b, fixture.x->port.mac.b, 6);
	assert_same(&got, &out, 1);
	lab_map(&fixture.lab, LAB_VNI, A, 1, DP_MAPPING_LIVE);
	frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, fixture.x->port.id, &wire,
				       DROP_SPOOF);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_LIVE);
	assert_int_equal(datapath_peering_delete(edge(), LAB_VNI, OTHER_VNI), 0);
	frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, 0, &wire, DROP_NOT_PEERED);
	assert_int_equal(datapath_peering_set(edge(), LAB_VNI, OTHER_VNI), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_internet, reset),
		cmocka_unit_test_setup(test_no_route_back, reset),
		cmocka_unit_test_setup(test_entering_by_a_table, reset),
		cmocka_unit_test_setup(test_egress_only, reset),
		cmocka_unit_test_setup(test_egress_only_errors, reset),
		cmocka_unit_test_setup(test_forwarded, reset),
		cmocka_unit_test_setup(test_source_is_verified, reset),
		cmocka_unit_test_setup(test_unknown_node, reset),
		cmocka_unit_test_setup(test_world_is_told, reset),
		cmocka_unit_test_setup(test_neighbours_are_told, reset),
		cmocka_unit_test_setup(test_neighbours_behind_a_node_that_forwards, reset),
		cmocka_unit_test_setup(test_neighbours_are_not_told, reset),
		cmocka_unit_test_setup(test_odd_solicitations, reset),
		cmocka_unit_test_setup(test_an_unknown_neighbour_is_asked_for, reset),
		cmocka_unit_test_setup(test_neighbours_are_told_unasked, reset),
		cmocka_unit_test_setup(test_peered, reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
