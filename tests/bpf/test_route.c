/* SPDX-License-Identifier: Apache-2.0 */
/* Packet tables of ways out of a network: route tables, peering, nodes that forward. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "frame.h"
#include "net/csum.h"

enum {
	DF = 0x4000,
	OTHER_VNI = 8,
	GATEWAY = 0xf00001,
	ABSENT_GATEWAY = 0xf00002,
	INTERFACE = 0xf00003, /* of b */
	TABLE = 3,
	IP6_SRC = IP_AT + 8,
	IP6_DST = IP_AT + 24,
	HOST_2 = 2,
};

static const uint8_t router_mac[6] = {0x02, 0xff, 0, 0, 0, 1};
static const uint8_t other_router_mac[6] = {0x02, 0xff, 0, 0, 0, 9};

struct fixture {
	struct lab lab;
	/* a: host 1; b, c: host 2; x: host 2 in the other network; d: there in another subnet */
	struct lab_node *a, *b, *c, *x, *d;
};

static struct fixture fixture;

static struct dp_route route(const char *prefix, enum dp_target target, uint32_t peer, uint32_t vni)
{
	return (struct dp_route){
		.prefix = lab_prefix(prefix), .target = target, .peer = peer, .vni = vni};
}

static void set_table(void)
{
	const struct dp_route table[] = {
		route("198.51.0.0/16", DP_TARGET_BLACKHOLE, 0, 0),
		route("198.51.100.0/24", DP_TARGET_GATEWAY, HOST_2, GATEWAY),
		route("198.51.100.7/32", DP_TARGET_INTERNET, 0, 0),
		route("198.51.101.0/24", DP_TARGET_GATEWAY, 0, 0),
		route("10.9.0.0/16", DP_TARGET_NETWORK, 0, OTHER_VNI),
		route("203.0.113.0/24", DP_TARGET_INTERFACE, HOST_2, INTERFACE),
		route("::/0", DP_TARGET_GATEWAY, HOST_2, GATEWAY), /* of the other family */
	};

	lab_table(&fixture.lab, TABLE, sizeof(table) / sizeof(table[0]), table);
}

static int set_up(void **state)
{
	struct fixture *f = &fixture;

	lab_init(&f->lab, FORMAT_SIIT_2);
	lab_subnet_with(&f->lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", TABLE);
	lab_subnet_with(&f->lab, LAB_VNI, "10.0.2.0/24", "10.0.2.1", TABLE);
	lab_subnet_with(&f->lab, OTHER_VNI, "10.9.9.0/24", "10.9.9.1", 0);
	f->a = lab_node(&f->lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	f->b = lab_node(&f->lab, 1, LAB_VNI, "10.0.1.11", "10.0.1.1");
	f->c = lab_node(&f->lab, 1, LAB_VNI, "10.0.1.12", "10.0.1.1");
	f->x = lab_node(&f->lab, 1, OTHER_VNI, "10.9.9.10", "10.9.9.1");
	f->d = lab_node(&f->lab, 1, LAB_VNI, "10.0.2.10", "10.0.2.1");
	set_table();
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

/* As it is before each test. */
static int reset(void **state)
{
	struct fixture *f = &fixture;

	lab_set_format(&f->lab, FORMAT_SIIT_2, false);
	lab_map(&f->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&f->lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	lab_map(&f->lab, LAB_VNI, "10.0.1.12", 1, DP_MAPPING_LIVE);
	lab_map(&f->lab, LAB_VNI, "10.0.2.10", 1, DP_MAPPING_LIVE);
	lab_map(&f->lab, OTHER_VNI, "10.9.9.10", 1, DP_MAPPING_LIVE);
	lab_peering(&fixture.lab, LAB_VNI, OTHER_VNI, true);
	f->a->port.n_exits = 0;
	lab_set_port(&f->lab, 0, &f->a->port);
	f->b->port.handle = INTERFACE;
	f->b->port.forwards = false;
	lab_set_port(&f->lab, 1, &f->b->port);
	return 0;
}

static struct frame packet(const struct lab_node *from, const char *src, const char *dst)
{
	struct v4 p = {.src = src,
		       .dst = dst,
		       .mac = from->port.vni == OTHER_VNI ? other_router_mac : router_mac,
		       .from = from->port.mac.b[5],
		       .protocol = 17,
		       .ttl = 64,
		       .fragment = DF,
		       .payload = 40};

	return frame_v4(&p);
}

/* Leaves 'from' with these networks in its substrate addresses; also the second time. */
static struct frame assert_leaves(const struct lab_node *from, const struct frame *f,
				  uint32_t src_vni, uint32_t dst_vni)
{
	struct frame out;

	for (int i = 0; i < 2; i++) {
		if (frame_from_node(&fixture.lab, from, f, &out) != TC_ACT_REDIRECT) {
			lab_explain(&fixture.lab);
			fail();
		}
		assert_int_equal(frame_u16(&out, 12), 0x86dd);
		assert_int_equal(frame_u32(&out, IP6_SRC + 8) & 0xffffff, src_vni);
		assert_int_equal(frame_u32(&out, IP6_DST + 8) & 0xffffff, dst_vni);
		assert_memory_equal(out.b + IP6_SRC + 12, f->b + IP_AT + 12, 4);
		assert_memory_equal(out.b + IP6_DST + 12, f->b + IP_AT + 16, 4);
		assert_int_equal(frame_u32(&out, IP_AT) >> 11 & 0xff, 63); /* TTL */
		frame_assert_checksum(&out);
	}
	return out;
}

/* Arrives at 'to' as it was, one hop older. */
static void assert_arrives(const struct frame *wire, const struct lab_node *to,
			   const struct frame *sent)
{
	struct frame out;

	for (int i = 0; i < 2; i++) {
		if (frame_from_wire(&fixture.lab, to->host, wire, &out) != TC_ACT_REDIRECT) {
			lab_explain(&fixture.lab);
			fail();
		}
		assert_memory_equal(out.b, to->port.mac.b, 6);
		assert_int_equal(out.size, sent->size);
		assert_int_equal(out.b[IP_AT + 8], 63);
		assert_memory_equal(out.b + IP_AT + 12, sent->b + IP_AT + 12, 8);
		assert_memory_equal(out.b + IP_AT + 20, sent->b + IP_AT + 20,
				    sent->size - IP_AT - 20);
		assert_int_equal(csum(out.b + IP_AT, 20), 0);
	}
}

/* What a router of the substrate says about it. */
static struct frame too_big(const struct frame *about)
{
	size_t quoted = about->size - IP_AT;
	struct frame f = {.size = IP_AT + 40 + 8 + quoted};

	memcpy(f.b, about->b, IP_AT);
	frame_put_u32(&f, IP_AT, 6U << 28);
	frame_put_u16(&f, IP_AT + 4, (uint16_t)(8 + quoted));
	f.b[IP_AT + 6] = 58;
	frame_put_addr6(&f, IP6_SRC, "fd00:1::ff");
	memcpy(f.b + IP6_DST, about->b + IP6_SRC, 16);
	f.b[IP_AT + 40] = 2;
	frame_put_u32(&f, IP_AT + 44, 1400);
	memcpy(f.b + IP_AT + 48, about->b + IP_AT, quoted);
	return f;
}

/* ---- tables ---- */

/* requirement: TOPO-1 */
static void test_longest_prefix(void **state)
{
	const struct lab_node *a = fixture.a;
	struct frame f = packet(a, "10.0.1.10", "198.51.100.1");

	assert_leaves(a, &f, LAB_VNI, GATEWAY);
	f = packet(a, "10.0.1.10", "198.51.99.1");
	frame_assert_dropped_by_node(&fixture.lab, a, &f, DROP_BLACKHOLE);
	f = packet(a, "10.0.1.10", "198.51.101.1");
	frame_assert_dropped_by_node(&fixture.lab, a, &f, DROP_NO_EDGE);
	f = packet(a, "10.0.1.10", "192.0.2.1");
	frame_assert_dropped_by_node(&fixture.lab, a, &f, DROP_NO_ROUTE);
	f = packet(fixture.x, "10.9.9.10", "198.51.100.1"); /* its subnet has no table */
	frame_assert_dropped_by_node(&fixture.lab, fixture.x, &f, DROP_NO_ROUTE);
}

/* What was decided from an old table is decided anew, also where it was cached. */
/* requirement: TOPO-1 */
static void test_changed_table(void **state)
{
	const struct dp_route other[] = {
		route("198.51.100.0/24", DP_TARGET_GATEWAY, HOST_2, ABSENT_GATEWAY)};
	struct frame f = packet(fixture.a, "10.0.1.10", "198.51.100.1");

	assert_leaves(fixture.a, &f, LAB_VNI, GATEWAY);
	lab_table(&fixture.lab, TABLE, 1, other);
	assert_leaves(fixture.a, &f, LAB_VNI, ABSENT_GATEWAY);
	lab_table(&fixture.lab, TABLE, 0, NULL);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_NO_ROUTE);
	assert_int_equal(datapath_table_delete(fixture.lab.hosts[0].dp, TABLE), 0);
	assert_int_equal(datapath_table_delete(fixture.lab.hosts[0].dp, TABLE), -ENOENT);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_NO_ROUTE);
	set_table();
	assert_leaves(fixture.a, &f, LAB_VNI, GATEWAY);
}

static int count(uint32_t number, void *data)
{
	uint32_t *n = data;

	n[0]++;
	n[1] = number;
	return 0;
}

static int count_pair(uint32_t vni_a, uint32_t vni_b, void *data)
{
	assert_int_equal(vni_a, LAB_VNI);
	assert_int_equal(vni_b, OTHER_VNI);
	++*(uint32_t *)data;
	return 0;
}

/* requirement: OPS-3 */
static void test_tables_outlive_the_agent(void **state)
{
	struct frame f = packet(fixture.a, "10.0.1.10", "198.51.100.1");
	uint32_t tables[2] = {}, pairs = 0;
	struct lab_host *h = &fixture.lab.hosts[0];

	h->dp = datapath_close(h->dp);
	lab_open(&fixture.lab, 0);
	assert_leaves(fixture.a, &f, LAB_VNI, GATEWAY);
	assert_int_equal(datapath_tables(h->dp, count, tables), 0);
	assert_int_equal(tables[0], 1);
	assert_int_equal(tables[1], TABLE);
	assert_int_equal(datapath_peerings(h->dp, count_pair, &pairs), 0);
	assert_int_equal(pairs, 1);
	for (int i = 0; i < 3; i++) /* the same again, and instances go round */
		set_table();
	assert_leaves(fixture.a, &f, LAB_VNI, GATEWAY);
}

/* ---- the Internet: by the sender's public address ---- */

/* The router between two subnets is both hosts: what it forwards goes by their choice, as what it
 * does not. */
/* requirement: NEG-9, TOPO-1 */
static void test_routed_packets_go_by_the_pairs_choice(void **state)
{
	static const enum format formats[] = {FORMAT_SIIT_1, FORMAT_SIIT_2};
	const struct dp_config *from = &fixture.lab.hosts[0].config,
			       *to = &fixture.lab.hosts[1].config;
	struct frame f = packet(fixture.a, "10.0.1.10", "10.0.2.10"), out;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		lab_set_format(&fixture.lab, formats[i], false);
		const struct prefix *source = i ? &from->siit2 : &from->siit1;
		const struct prefix *destination = i ? &to->siit2 : &to->siit1;

		out = assert_leaves(fixture.a, &f, LAB_VNI, LAB_VNI);
		/* in the layout of that format */
		assert_memory_equal(out.b + IP6_SRC, source->addr.b, source->len / 8);
		assert_memory_equal(out.b + IP6_DST, destination->addr.b, destination->len / 8);
		assert_arrives(&out, fixture.d, &f);
	}
	/* and by none when there is none */
	lab_set_format(&fixture.lab, FORMAT_NONE, false);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_NO_FORMAT);
}

/* requirement: EDGE-1 */
static void test_exits(void **state)
{
	struct frame f = packet(fixture.a, "10.0.1.10", "198.51.100.7");
	struct dp_port *port = &fixture.a->port;

	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_NO_PUBLIC);
	port->n_exits = 1;
	port->exits[0] = (struct dp_exit){.addr = lab_addr("10.0.1.10")};
	lab_set_port(&fixture.lab, 0, port);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_NO_EDGE);
	port->exits[0].peer = HOST_2;
	port->exits[0].handle = GATEWAY;
	lab_set_port(&fixture.lab, 0, port);
	assert_leaves(fixture.a, &f, LAB_VNI, GATEWAY);
	port->exits[0].peer = DP_PEER_SELF; /* this host is no edge */
	lab_set_port(&fixture.lab, 0, port);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_HANDLE);
}

/* A gateway's packets are for an edge alone. */
/* requirement: MAP-4 */
static void test_gateway_that_is_not_here(void **state)
{
	struct frame f = packet(fixture.a, "10.0.1.10", "198.51.100.1");
	struct frame wire = assert_leaves(fixture.a, &f, LAB_VNI, GATEWAY);

	frame_assert_dropped_from_wire(&fixture.lab, 1, 0, &wire, DROP_HANDLE);
}

/* ---- peering ---- */

/* requirement: TOPO-1 */
static void test_peered(void **state)
{
	struct frame f = packet(fixture.a, "10.0.1.10", "10.9.9.10");
	struct frame wire = assert_leaves(fixture.a, &f, LAB_VNI, OTHER_VNI);

	assert_arrives(&wire, fixture.x, &f);
}

/* Peering is of both: a host that knows of none lets nothing in, and nothing out. */
/* requirement: PKT-4 */
/* requirement: MAP-4 */
static void test_not_peered(void **state)
{
	struct frame f = packet(fixture.a, "10.0.1.10", "10.9.9.10");
	struct frame wire = assert_leaves(fixture.a, &f, LAB_VNI, OTHER_VNI);

	assert_arrives(&wire, fixture.x, &f);
	lab_peering(&fixture.lab, LAB_VNI, OTHER_VNI, false);
	frame_assert_dropped_from_wire(&fixture.lab, 1, 0, &wire, DROP_NOT_PEERED);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_NOT_PEERED);
	lab_peering(&fixture.lab, LAB_VNI, OTHER_VNI, true);
	assert_arrives(&wire, fixture.x, &f);
	lab_set_format(&fixture.lab, FORMAT_VXLAN_1, false); /* says one network only */
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_NO_FORMAT);
}

/* Each end is asked for in its own network. */
/* requirement: MAP-2 */
/* requirement: MAP-4 */
static void test_peered_unknown(void **state)
{
	struct frame f = packet(fixture.a, "10.0.1.10", "10.9.9.10"), out;
	struct frame wire = assert_leaves(fixture.a, &f, LAB_VNI, OTHER_VNI);
	struct ipaddr a = lab_addr("10.0.1.10"), x = lab_addr("10.9.9.10");

	assert_int_equal(datapath_mapping_delete(fixture.lab.hosts[0].dp, OTHER_VNI, &x), 0);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out), TC_ACT_REDIRECT);
	assert_int_equal(out.b[0], 0x0a); /* a note */
	assert_int_equal(out.b[2] << 16 | out.b[3] << 8 | out.b[4], OTHER_VNI);
	assert_int_equal(datapath_mapping_delete(fixture.lab.hosts[1].dp, LAB_VNI, &a), 0);
	assert_int_equal(frame_from_wire(&fixture.lab, 1, &wire, &out), TC_ACT_REDIRECT);
	assert_int_equal(out.b[0], 0x0a);
	assert_int_equal(out.b[2] << 16 | out.b[3] << 8 | out.b[4], OTHER_VNI);
}

/* An address of one's own network that a peered one claims to have is not believed. */
/* requirement: MAP-4 */
static void test_peered_spoof(void **state)
{
	struct frame f = packet(fixture.a, "10.0.1.10", "10.9.9.10");
	struct frame wire = assert_leaves(fixture.a, &f, LAB_VNI, OTHER_VNI);

	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 1, DP_MAPPING_LIVE);
	frame_assert_dropped_from_wire(&fixture.lab, 1, fixture.x->port.id, &wire, DROP_SPOOF);
}

/* ---- nodes that forward ---- */

/* requirement: TOPO-1 */
static void test_to_interface(void **state)
{
	struct frame f = packet(fixture.a, "10.0.1.10", "203.0.113.9");
	struct frame wire = assert_leaves(fixture.a, &f, LAB_VNI, INTERFACE);
	const struct dp_route here[] = {route("203.0.113.0/24", DP_TARGET_INTERFACE, 0, INTERFACE)};
	struct frame out;

	assert_arrives(&wire, fixture.b, &f);
	lab_table(&fixture.lab, TABLE, 1, here); /* of the same host */
	f = packet(fixture.c, "10.0.1.12", "203.0.113.9");
	assert_int_equal(frame_from_node(&fixture.lab, fixture.c, &f, &out), TC_ACT_REDIRECT);
	assert_memory_equal(out.b, fixture.b->port.mac.b, 6);
	set_table();
	fixture.b->port.handle = 0;
	lab_set_port(&fixture.lab, 1, &fixture.b->port);
	frame_assert_dropped_from_wire(&fixture.lab, 1, 0, &wire, DROP_HANDLE);
}

/* What a node forwards carries its handle; the receiver believes the handle's own mapping. */
/* requirement: PKT-10 */
/* requirement: MAP-4 */
static void test_foreign_sources(void **state)
{
	struct frame f = packet(fixture.b, "203.0.113.9", "10.0.1.10"), wire, out;
	struct dp_mapping m = {.vni = INTERFACE,
			       .addr = ipaddr_from_v4(LAB_VNI),
			       .state = DP_MAPPING_LIVE,
			       .peer = HOST_2};
	struct datapath *dp = fixture.lab.hosts[0].dp;

	memcpy(f.b, (uint8_t[]){0x06, LAB_VNI, 10, 0, 1, 10}, 6);
	frame_assert_dropped_by_node(&fixture.lab, fixture.b, &f, DROP_SOURCE_ADDR);
	fixture.b->port.forwards = true;
	lab_set_port(&fixture.lab, 1, &fixture.b->port);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.b, &f, &wire), TC_ACT_REDIRECT);
	assert_int_equal(frame_u32(&wire, IP6_SRC + 8) & 0xffffff, INTERFACE);
	assert_int_equal(frame_u32(&wire, IP6_DST + 8) & 0xffffff, LAB_VNI);
	assert_int_equal(frame_from_wire(&fixture.lab, 0, &wire, &out), TC_ACT_REDIRECT);
	assert_int_equal(out.b[0], 0x0a); /* to be verified */
	assert_int_equal(datapath_mapping_set(dp, &m), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(frame_from_wire(&fixture.lab, 0, &wire, &out), TC_ACT_REDIRECT);
		assert_memory_equal(out.b, fixture.a->port.mac.b, 6);
		frame_assert_addr4(&out, IP_AT + 12, "203.0.113.9");
	}
	m.peer = 3;
	assert_int_equal(datapath_mapping_set(dp, &m), 0);
	frame_assert_dropped_from_wire(&fixture.lab, 0, fixture.a->port.id, &wire, DROP_SPOOF);
	assert_int_equal(datapath_mapping_delete(dp, INTERFACE, &m.addr), 0);
	m.addr = ipaddr_from_v4(OTHER_VNI); /* it may forward into another network */
	m.peer = HOST_2;
	assert_int_equal(datapath_mapping_set(dp, &m), 0);
	assert_int_equal(frame_from_wire(&fixture.lab, 0, &wire, &out), TC_ACT_REDIRECT);
	assert_int_equal(out.b[0], 0x0a);
	assert_int_equal(datapath_mapping_delete(dp, INTERFACE, &m.addr), 0);
}

/* ---- routes for addresses of the network itself: a node looks at what passes between subnets ---- */

static void set_inside(int host, bool inside, size_t n, const struct dp_route *routes)
{
	struct dp_table t = {.number = TABLE, .inside = inside, .n_routes = n, .routes = routes};

	assert_int_equal(datapath_table_set(fixture.lab.hosts[host].dp, &t), 0);
}

/* requirement: TOPO-1 */
static void test_to_a_middlebox(void **state)
{
	const struct dp_route routes[] = {
		route("10.0.0.0/16", DP_TARGET_LOCAL, 0, 0),
		route("10.0.2.0/24", DP_TARGET_INTERFACE, HOST_2, INTERFACE),
		route("10.0.4.0/24", DP_TARGET_BLACKHOLE, 0, 0),
	};
	const struct lab_node *a = fixture.a;
	struct frame f = packet(a, "10.0.1.10", "10.0.2.10"), wire, error, out;

	assert_leaves(a, &f, LAB_VNI, LAB_VNI);
	set_inside(0, true, 3, routes);
	wire = assert_leaves(a, &f, LAB_VNI, INTERFACE);
	assert_arrives(&wire, fixture.b, &f);
	error = too_big(&wire);
	assert_int_equal(frame_from_wire(&fixture.lab, 0, &error, &out), TC_ACT_REDIRECT);
	assert_memory_equal(out.b, a->port.mac.b, 6);
	f = packet(a, "10.0.1.10", "10.0.3.1"); /* in no subnet */
	frame_assert_dropped_by_node(&fixture.lab, a, &f, DROP_BLACKHOLE);
	f = packet(a, "10.0.1.10", "10.0.1.12"); /* in one that no such route is for */
	assert_leaves(a, &f, LAB_VNI, LAB_VNI);

	/* a target that is gone: not past it */
	lab_subnet_with(&fixture.lab, LAB_VNI, "10.0.4.0/24", "10.0.4.1", TABLE);
	f = packet(a, "10.0.1.10", "10.0.4.4");
	frame_assert_dropped_by_node(&fixture.lab, a, &f, DROP_BLACKHOLE);
	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(
			datapath_subnet_delete(fixture.lab.hosts[i].dp, LAB_VNI,
					       &(struct prefix){lab_addr("10.0.4.0"), 120}),
			0);

	/* the same rows, whatever an agent before has left */
	f = packet(a, "10.0.1.10", "10.0.2.10");
	fixture.lab.hosts[0].dp = datapath_close(fixture.lab.hosts[0].dp);
	lab_open(&fixture.lab, 0);
	assert_leaves(a, &f, LAB_VNI, INTERFACE);
	set_inside(0, true, 3, routes);
	assert_leaves(a, &f, LAB_VNI, INTERFACE);
	set_inside(0, false, 3, routes); /* and nothing else about them has changed */
	assert_leaves(a, &f, LAB_VNI, LAB_VNI);
	set_table();
	assert_leaves(a, &f, LAB_VNI, LAB_VNI);
}

/* All of the network's addresses, and both ends on one host with it; what it passes on goes where
 * it belongs. */
/* requirement: TOPO-1 */
static void test_a_middlebox_passes_on(void **state)
{
	const struct dp_route all[] = {route("10.0.0.0/16", DP_TARGET_INTERFACE, 0, INTERFACE)};
	struct frame f = packet(fixture.d, "10.0.2.10", "10.0.1.12"), out;

	f.b[5] = 2; /* its subnet's router */
	set_inside(1, true, 1, all);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.d, &f, &out), TC_ACT_REDIRECT);
	assert_memory_equal(out.b, fixture.b->port.mac.b, 6);
	assert_int_equal(out.b[IP_AT + 8], 63);
	f = packet(fixture.c, "10.0.1.12", "10.0.1.11"); /* by the router to its own subnet */
	assert_int_equal(frame_from_node(&fixture.lab, fixture.c, &f, &out), TC_ACT_REDIRECT);
	assert_memory_equal(out.b, fixture.b->port.mac.b, 6);
	memcpy(f.b, (uint8_t[]){0x06, LAB_VNI, 10, 0, 1, 11}, 6); /* a neighbour's MAC is no way */
	assert_int_equal(frame_from_node(&fixture.lab, fixture.c, &f, &out), TC_ACT_REDIRECT);
	assert_memory_equal(out.b, fixture.b->port.mac.b, 6);
	assert_int_equal(out.b[IP_AT + 8], 64);
	f = packet(fixture.c, "10.0.1.12", "10.0.1.10");
	memcpy(f.b, (uint8_t[]){0x06, LAB_VNI, 10, 0, 1, 10}, 6);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.c, &f, &out), TC_ACT_REDIRECT);
	assert_int_equal(frame_u32(&out, IP6_DST + 8) & 0xffffff, LAB_VNI);

	/* its own subnet's table leads to no middlebox */
	set_inside(1, false, 0, NULL);
	fixture.b->port.forwards = true;
	lab_set_port(&fixture.lab, 1, &fixture.b->port);
	f = packet(fixture.b, "10.0.2.10", "10.0.1.12");
	assert_int_equal(frame_from_node(&fixture.lab, fixture.b, &f, &out), TC_ACT_REDIRECT);
	assert_memory_equal(out.b, fixture.c->port.mac.b, 6);
	frame_assert_addr4(&out, IP_AT + 12, "10.0.2.10");
	set_table();
}

/* ---- from an edge ---- */

static void set_edge(bool edge)
{
	const struct lab_host *other = &fixture.lab.hosts[1];
	struct dp_peer p = {.id = HOST_2,
			    .siit1 = other->config.siit1,
			    .siit2 = other->config.siit2,
			    .send = FORMAT_SIIT_2,
			    .accept = FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1),
			    .path_mtu = LAB_WIRE_MTU,
			    .nexthop = 1,
			    .edge = edge};

	assert_int_equal(datapath_peer_set(fixture.lab.hosts[0].dp, &p), 0);
}

/* The world's addresses come from edges alone, and the networks' own from nobody but their
 * nodes. */
/* requirement: MAP-4 */
/* requirement: EDGE-1 */
static void test_from_an_edge(void **state)
{
	struct frame f = packet(fixture.b, "10.0.1.11", "10.0.1.10"), wire, out, own;

	memcpy(f.b, (uint8_t[]){0x06, LAB_VNI, 10, 0, 1, 10}, 6);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.b, &f, &wire), TC_ACT_REDIRECT);
	own = wire;
	memcpy(wire.b + IP6_SRC + 12, (uint8_t[]){203, 0, 113, 1}, 4);
	memcpy(own.b + IP6_SRC + 12, (uint8_t[]){10, 0, 1, 99}, 4);
	set_edge(false);
	assert_int_equal(frame_from_wire(&fixture.lab, 0, &wire, &out), TC_ACT_REDIRECT);
	assert_int_equal(out.b[0], 0x0a); /* the manager is asked, who knows of none */
	set_edge(true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(frame_from_wire(&fixture.lab, 0, &wire, &out), TC_ACT_REDIRECT);
		assert_memory_equal(out.b, fixture.a->port.mac.b, 6);
		assert_memory_equal(out.b + 6, router_mac, 6);
		frame_assert_addr4(&out, IP_AT + 12, "203.0.113.1");
	}
	assert_int_equal(frame_from_wire(&fixture.lab, 0, &own, &out), TC_ACT_REDIRECT);
	assert_int_equal(out.b[0], 0x0a);
	set_edge(false);
	assert_int_equal(frame_from_wire(&fixture.lab, 0, &wire, &out), TC_ACT_REDIRECT);
	assert_int_equal(out.b[0], 0x0a);
}

/* ---- errors of the substrate about such packets ---- */

/* requirement: PKT-9 */
static void test_errors_about_routed(void **state)
{
	static const char *const destinations[] = {"198.51.100.1", "10.9.9.10"};
	struct frame f, wire, error, out;

	for (size_t i = 0; i < 2; i++) {
		f = packet(fixture.a, "10.0.1.10", destinations[i]);
		wire = assert_leaves(fixture.a, &f, LAB_VNI, i ? OTHER_VNI : GATEWAY);
		error = too_big(&wire);
		assert_int_equal(frame_from_wire(&fixture.lab, 0, &error, &out), TC_ACT_REDIRECT);
		assert_memory_equal(out.b, fixture.a->port.mac.b, 6);
		assert_int_equal(out.b[IP_AT + 20], 3);
		frame_assert_addr4(&out, IP_AT + 28 + 16, destinations[i]);
	}
	wire = assert_leaves(fixture.a, &f, LAB_VNI, OTHER_VNI);
	error = too_big(&wire);
	error.b[IP_AT + 48 + 24 + 15] = 99; /* to an unknown destination */
	frame_assert_dropped_from_wire(&fixture.lab, 0, fixture.a->port.id, &error, DROP_ICMP6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_longest_prefix, reset),
		cmocka_unit_test_setup(test_changed_table, reset),
		cmocka_unit_test_setup(test_tables_outlive_the_agent, reset),
		cmocka_unit_test_setup(test_exits, reset),
		cmocka_unit_test_setup(test_routed_packets_go_by_the_pairs_choice, reset),
		cmocka_unit_test_setup(test_gateway_that_is_not_here, reset),
		cmocka_unit_test_setup(test_peered, reset),
		cmocka_unit_test_setup(test_not_peered, reset),
		cmocka_unit_test_setup(test_peered_unknown, reset),
		cmocka_unit_test_setup(test_peered_spoof, reset),
		cmocka_unit_test_setup(test_to_interface, reset),
		cmocka_unit_test_setup(test_foreign_sources, reset),
		cmocka_unit_test_setup(test_to_a_middlebox, reset),
		cmocka_unit_test_setup(test_a_middlebox_passes_on, reset),
		cmocka_unit_test_setup(test_from_an_edge, reset),
		cmocka_unit_test_setup(test_errors_about_routed, reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
