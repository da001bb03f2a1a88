/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What routers of the substrate say about packets that no node here had sent: an edge's from the
 * world, and those that a node forwards.  The lab of edge_lab.h, in which b forwards:
 *
 *	a (10.0.1.10), b (10.0.1.11, BOX) --- host 1 === router === host 2, an edge --- world
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "datapath/bpf_host.h"
#include "edge_lab.h"
#include "sockets.h"

enum {
	BOX = 0xf00021,
	UDP = IPPROTO_UDP,
	TOO_BIG = 2,
	NARROW = 1400,
	QUOTED_AT = IP_AT + 40 + 8,
	QUOTED_SRC = QUOTED_AT + 8,
	QUOTED_DST = QUOTED_AT + 24,
};

#define A        "10.0.1.10"
#define WORLD    "203.0.113.1"
#define PUBLIC_A "198.51.100.10"

static struct edge_lab fixture;
static struct lab *lab = &fixture.lab;

static int set_up(void **state)
{
	edge_lab_init(&fixture, FORMAT_SIIT_2);
	edge_lab_public(&fixture, fixture.a, PUBLIC_A);
	fixture.b->port.handle = BOX;
	fixture.b->port.forwards = true;
	lab_set_port(lab, 0, &fixture.b->port);
	return 0;
}

static int tear_down(void **state)
{
	edge_lab_deinit(&fixture);
	return 0;
}

static struct dp_upcall *next_narrow(int host)
{
	struct datapath *dp = lab->hosts[host].dp;
	struct pollfd p = {.fd = datapath_upcall_fd(dp), .events = POLLIN};
	struct dp_upcall *u;

	for (;;) {
		int r = datapath_upcall_read(dp, &u);

		if (!r && u->kind == DP_UPCALL_NARROW)
			return u;
		if (!r)
			datapath_upcall_free(u); /* a node's own chatter */
		else if (poll(&p, 1, SOCKETS_WAIT_MS) != 1)
			break;
	}
	lab_explain(lab);
	fail_msg("the agent hears nothing");
	return NULL;
}

/* What host 'at' hears from the wire, its agent learns. */
static void assert_learned(int at, const struct frame *error, uint32_t peer, uint32_t mtu)
{
	struct dp_upcall *u;

	frame_transmit(lab, !at, error);
	u = next_narrow(at);
	assert_int_equal(u->peer, peer);
	assert_int_equal(u->mtu, mtu);
	assert_int_equal(u->port, 0);
	datapath_upcall_free(u);
}

static void assert_ignored(int at, const struct frame *error)
{
	frame_assert_dropped_from_wire(lab, at, 0, error, DROP_ICMP6);
}

/* A packet of the world for a, as the edge puts it on the wire; it may be too large for that. */
static int from_world(struct frame *ret, uint16_t payload)
{
	struct edge_packet p = {.protocol = UDP,
				.src = WORLD,
				.dst = PUBLIC_A,
				.sport = 53,
				.dport = 4000,
				.payload = payload};
	struct frame f = edge_frame(&fixture, NULL, &p);

	edge_lab_route(&fixture, EDGE_IGW);
	return frame_from_world(lab, &f, ret);
}

static struct frame on_wire(void)
{
	struct frame wire;

	assert_int_equal(from_world(&wire, 1000), TC_ACT_REDIRECT);
	assert_int_equal(frame_u16(&wire, 12), 0x86dd);
	return wire;
}

/* What b sends for a, which its host puts on the wire as the box's. */
static struct frame forwarded(void)
{
	struct edge_packet p = {.protocol = UDP,
				.src = A,
				.dst = WORLD,
				.sport = 4000,
				.dport = 53,
				.payload = 1000};
	struct frame f = edge_frame(&fixture, fixture.b, &p), wire;

	edge_lab_route(&fixture, EDGE_NAT);
	assert_int_equal(frame_from_node(lab, fixture.b, &f, &wire), TC_ACT_REDIRECT);
	assert_int_equal(frame_u32(&wire, IP_AT + 16) & 0xffffff, BOX);
	return wire;
}

/* requirement: PKT-9 EDGE-1 */
static void test_what_came_from_the_world(void **state)
{
	static const enum format formats[] = {FORMAT_SIIT_2, FORMAT_SIIT_1, FORMAT_IPIP6_1};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct frame wire, error;

		edge_lab_format(&fixture, formats[i]);
		wire = on_wire();
		error = frame_icmp6(&wire, TOO_BIG, 0, NARROW);
		assert_learned(LAB_EDGE, &error, 1, NARROW);
	}
	edge_lab_format(&fixture, FORMAT_SIIT_2);
}

/* With what was learned, the edge itself refuses what is larger, and the world is told. */
/* requirement: PKT-9 EDGE-1 */
static void test_the_world_is_told(void **state)
{
	const struct lab_host *host = &lab->hosts[0];
	struct dp_peer p = {.id = 1,
			    .siit1 = host->config.siit1,
			    .siit2 = host->config.siit2,
			    .v4 = host->config.v4,
			    .v6 = host->config.v6,
			    .send = FORMAT_SIIT_2,
			    .accept = FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1),
			    .path_mtu = NARROW,
			    .nexthop = 1};
	struct frame out;

	assert_int_equal(from_world(&out, 1380), TC_ACT_REDIRECT); /* by the flow cache, too */
	assert_int_equal(frame_u16(&out, 12), 0x86dd);
	assert_int_equal(datapath_peer_set(lab->hosts[LAB_EDGE].dp, &p), 0);
	assert_int_equal(from_world(&out, NARROW - 20 - 28), TC_ACT_REDIRECT);
	assert_int_equal(frame_u16(&out, 12), 0x86dd);
	assert_int_equal(from_world(&out, NARROW - 20 - 28 + 1), TC_ACT_REDIRECT);
	frame_assert_addr4(&out, IP_AT + 12, PUBLIC_A);
	frame_assert_addr4(&out, IP_AT + 16, WORLD);
	assert_int_equal(out.b[EDGE_L4], 3);
	assert_int_equal(out.b[EDGE_L4 + 1], 4);
	assert_int_equal(frame_u16(&out, EDGE_L4 + 6), NARROW - 20);
	edge_lab_format(&fixture, FORMAT_SIIT_2);
}

/* requirement: PKT-9 PKT-13 */
static void test_what_a_node_forwards(void **state)
{
	struct frame wire = forwarded(), error = frame_icmp6(&wire, TOO_BIG, 0, NARROW);

	assert_learned(0, &error, LAB_EDGE + 1, NARROW);
	error = frame_icmp6(&wire, TOO_BIG, 0, 1280);
	assert_learned(0, &error, LAB_EDGE + 1, 1280);
	fixture.b->port.handle = 0; /* it does not any more */
	lab_set_port(lab, 0, &fixture.b->port);
	assert_ignored(0, &error);
	fixture.b->port.handle = BOX;
	lab_set_port(lab, 0, &fixture.b->port);
}

/* Of other errors nobody is told, nor of what this host cannot have sent. */
/* requirement: PKT-9 PKT-4 */
static void test_what_is_ignored(void **state)
{
	struct frame wire = on_wire(), error;

	error = frame_icmp6(&wire, 1, 0, 0);
	assert_ignored(LAB_EDGE, &error);
	error = frame_icmp6(&wire, 3, 0, 0);
	assert_ignored(LAB_EDGE, &error);
	error = frame_icmp6(&wire, TOO_BIG, 0, 0x10000);
	error.b[QUOTED_DST + 3] ^= 1; /* to no host that is known */
	assert_ignored(LAB_EDGE, &error);
	error = frame_icmp6(&wire, TOO_BIG, 0, NARROW);
	error.b[QUOTED_SRC + 15] ^= 1; /* not to whom it is about */
	assert_ignored(LAB_EDGE, &error);
	/* a host that is no edge has nothing from the world */
	wire = forwarded();
	frame_put_u32(&wire, IP_AT + 16, (frame_u32(&wire, IP_AT + 16) & 0xff000000) | LAB_VNI);
	frame_put_u32(&wire, IP_AT + 20, 0xcb007101);
	error = frame_icmp6(&wire, TOO_BIG, 0, NARROW);
	assert_ignored(0, &error);
}

/* Whoever goes on with it is not listened to for ever. */
/* requirement: PKT-9 PKT-15 */
static void test_not_too_often(void **state)
{
	struct frame wire = on_wire(), error = frame_icmp6(&wire, TOO_BIG, 0, NARROW), out;
	uint64_t before = lab_drops(lab, LAB_EDGE, 0, DROP_UPCALL_LIMIT);
	unsigned int n = 0;

	/* on a busy machine there may be another window meanwhile */
	while (n < 1000 * DP_STALE_PER_WINDOW &&
	       frame_from_wire(lab, LAB_EDGE, &error, &out) == TC_ACT_REDIRECT)
		n++;
	assert_true(n < 1000 * DP_STALE_PER_WINDOW);
	assert_int_equal(lab_drops(lab, LAB_EDGE, 0, DROP_UPCALL_LIMIT), before + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_came_from_the_world),
		cmocka_unit_test(test_the_world_is_told),
		cmocka_unit_test(test_what_a_node_forwards),
		cmocka_unit_test(test_what_is_ignored),
		cmocka_unit_test(test_not_too_often),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
