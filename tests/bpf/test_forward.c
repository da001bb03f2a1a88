/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet tables of what a node forwards for others to the world.  The lab of edge_lab.h, in which
 * b, whose source/destination check is off, sends what a node a has led to it:
 *
 *	a (10.0.1.10), b (10.0.1.11, BOX) --- host 1 === host 2, an edge --- world
 *	                                               |
 *	                                        c (10.0.1.12, BOX_C)
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/gateway.h"
#include "datapath/bpf_host.h"
#include "edge_lab.h"
#include "sockets.h"

enum {
	BOX = 0xf00021,   /* b */
	BOX_C = 0xf00022, /* c */
	UDP = IPPROTO_UDP,
	IP6_SRC = IP_AT + 8,
	IP6_DST = IP_AT + 24,
	EDGE_NUMBER = LAB_EDGE + 1,
};

#define A        "10.0.1.10"
#define NOBODY   "192.168.7.7" /* of no network */
#define WORLD    "203.0.113.1"
#define PUBLIC_A "198.51.100.10"

static struct edge_lab fixture;

static struct datapath *edge(void)
{
	return fixture.lab.hosts[LAB_EDGE].dp;
}

static struct datapath *host(void)
{
	return fixture.lab.hosts[0].dp;
}

static int set_up(void **state)
{
	edge_lab_init(&fixture, FORMAT_SIIT_2);
	return 0;
}

static int tear_down(void **state)
{
	edge_lab_deinit(&fixture);
	return 0;
}

static struct dp_mapping exit_of(const char *addr, uint32_t peer)
{
	struct dp_mapping m = {.vni = LAB_VNI, .state = DP_MAPPING_LIVE, .peer = peer};

	dp_exit_address(m.addr.b, htonl(ipaddr_v4(&(struct ipaddr[]){lab_addr(addr)}[0])));
	return m;
}

/* Who has that handle may forward into the network. */
static struct dp_mapping forwarding(uint32_t handle, uint32_t peer)
{
	return (struct dp_mapping){.vni = handle,
				   .addr = ipaddr_from_v4(LAB_VNI),
				   .state = DP_MAPPING_LIVE,
				   .peer = peer};
}

static void set_mapping(struct datapath *dp, struct dp_mapping m)
{
	assert_int_equal(datapath_mapping_set(dp, &m), 0);
}

static void delete_mapping(struct datapath *dp, struct dp_mapping m)
{
	int r = datapath_mapping_delete(dp, m.vni, &m.addr);

	assert_true(!r || r == -ENOENT);
}

static void set_box(struct lab_node *n, uint32_t handle, bool forwards)
{
	n->port.handle = handle;
	n->port.forwards = forwards;
	lab_set_port(&fixture.lab, n->host, &n->port);
}

/* a has a public address; both boxes forward; nothing is known of that. */
static int reset(void **state)
{
	edge_lab_format(&fixture, FORMAT_SIIT_2);
	edge_lab_route(&fixture, EDGE_IGW);
	edge_lab_public(&fixture, fixture.a, PUBLIC_A);
	edge_lab_forget(&fixture);
	set_box(fixture.b, BOX, true);
	set_box(fixture.c, BOX_C, true);
	delete_mapping(host(), exit_of(A, 0));
	delete_mapping(edge(), exit_of(A, 0));
	delete_mapping(edge(), forwarding(BOX, 0));
	return 0;
}

static struct edge_packet packet(const char *src)
{
	return (struct edge_packet){.protocol = UDP,
				    .src = src,
				    .dst = WORLD,
				    .sport = 4000,
				    .dport = 53,
				    .payload = 100};
}

static struct frame frame(const struct lab_node *from, const char *src)
{
	struct edge_packet p = packet(src);

	return edge_frame(&fixture, from, &p);
}

static void assert_redirected(int verdict)
{
	if (verdict != TC_ACT_REDIRECT)
		lab_explain(&fixture.lab);
	assert_int_equal(verdict, TC_ACT_REDIRECT);
}

/* The frame as b's host puts it on the wire, for the gateway and from the box. */
static struct frame leaves(const char *src, uint32_t gateway)
{
	struct frame f = frame(fixture.b, src), wire;

	assert_redirected(frame_from_node(&fixture.lab, fixture.b, &f, &wire));
	assert_int_equal(frame_u16(&wire, 12), 0x86dd);
	assert_int_equal(frame_u32(&wire, IP6_SRC + 8) & 0xffffff, BOX);
	assert_int_equal(frame_u32(&wire, IP6_DST + 8) & 0xffffff, gateway);
	frame_assert_addr4(&wire, IP6_SRC + 12, src);
	return wire;
}

static struct frame comes_out(const struct frame *wire, const char *public)
{
	struct frame out;

	assert_redirected(frame_from_wire(&fixture.lab, LAB_EDGE, wire, &out));
	frame_assert_addr4(&out, IP_AT + 12, public);
	frame_assert_addr4(&out, IP_AT + 16, WORLD);
	return out;
}

/* What an agent reads of a frame that a program has sent up. */
static struct dp_upcall *read_upcall(int at, const struct frame *up)
{
	struct bpf_host *h = bpf_host_of(fixture.lab.hosts[at].dp);
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = h->upcall_ifindex};
	struct pollfd p = {.fd = datapath_upcall_fd(&h->base), .events = POLLIN};
	struct dp_upcall *u;

	assert_int_equal(up->b[0], DP_NOTE_MAGIC);
	assert_int_equal(
		sendto(h->packet_fd, up->b, up->size, 0, (struct sockaddr *)&to, sizeof(to)),
		(ssize_t)up->size);
	for (;;) {
		if (datapath_upcall_read(&h->base, &u)) {
			assert_int_equal(poll(&p, 1, SOCKETS_WAIT_MS), 1);
			continue;
		}
		if (u->size == up->size && !memcmp(u->frame + 12, up->b + 12, up->size - 12))
			return u;
		datapath_upcall_free(u); /* a node's own chatter */
	}
}

/* ---- the internet gateway ---- */

/* The box's host asks where the source's public address is; what waits goes on by the answer. */
/* requirement: EDGE-1 */
/* requirement: PKT-13 */
static void test_exit_is_asked_for(void **state)
{
	struct dp_mapping m = exit_of(A, EDGE_NUMBER);
	struct frame f = frame(fixture.b, A), up, wire;
	struct dp_upcall *u;

	assert_redirected(frame_from_node(&fixture.lab, fixture.b, &f, &up));
	u = read_upcall(0, &up);
	assert_int_equal(u->kind, DP_UPCALL_RESOLVE);
	assert_int_equal(u->port, fixture.b->port.id);
	assert_int_equal(u->vni, LAB_VNI);
	assert_int_equal(u->other_vni, 0);
	assert_memory_equal(&u->dst, &m.addr, sizeof(m.addr));
	datapath_upcall_free(u);
	m.state = DP_MAPPING_HELD;
	set_mapping(host(), m);
	assert_redirected(frame_from_node(&fixture.lab, fixture.b, &f, &wire));
	assert_int_equal(wire.b[0], DP_NOTE_MAGIC); /* behind those that wait */
	assert_redirected(frame_run(&fixture.lab, 0, RUN_HANDED, 1, &up, &wire));
	assert_int_equal(frame_u32(&wire, IP6_SRC + 8) & 0xffffff, BOX);
	m.state = DP_MAPPING_LIVE;
	set_mapping(host(), m);
	for (int i = 0; i < 2; i++) /* the second by the flow */
		leaves(A, EDGE_IGW);
}

/* Whatever becomes of the public address or of the port is so for the next packet. */
/* requirement: EDGE-1 */
static void test_exit_ends(void **state)
{
	struct dp_mapping m = exit_of(A, EDGE_NUMBER);
	struct frame f = frame(fixture.b, A), nobody = frame(fixture.b, NOBODY);

	set_mapping(host(), m);
	leaves(A, EDGE_IGW);
	m.state = DP_MAPPING_GONE;
	set_mapping(host(), m);
	frame_assert_dropped_by_node(&fixture.lab, fixture.b, &f, DROP_NO_PUBLIC);
	m.state = DP_MAPPING_REFUSED;
	set_mapping(host(), m);
	frame_assert_dropped_by_node(&fixture.lab, fixture.b, &f, DROP_NO_PUBLIC);
	m.state = DP_MAPPING_LIVE;
	set_mapping(host(), m);
	leaves(A, EDGE_IGW);
	m.peer = 3; /* another edge, of which this host knows nothing */
	set_mapping(host(), m);
	frame_assert_dropped_by_node(&fixture.lab, fixture.b, &f, DROP_NO_PEER);
	set_mapping(host(), exit_of(A, EDGE_NUMBER));
	leaves(A, EDGE_IGW);
	m = exit_of(NOBODY, EDGE_NUMBER);
	m.state = DP_MAPPING_REFUSED;
	set_mapping(host(), m);
	frame_assert_dropped_by_node(&fixture.lab, fixture.b, &nobody, DROP_NO_PUBLIC);
	delete_mapping(host(), m);
	set_box(fixture.b, BOX, false);
	frame_assert_dropped_by_node(&fixture.lab, fixture.b, &f, DROP_SOURCE_ADDR);
}

/* The edge takes it from the box's host alone, as long as it forwards, and sends it as the
 * source's. */
/* requirement: EDGE-1 */
/* requirement: MAP-4 */
static void test_edge_verifies_who_forwards(void **state)
{
	struct dp_mapping m = forwarding(BOX, 1);
	struct ipaddr public = lab_addr(PUBLIC_A);
	struct dp_gateway_counters before, after;
	struct frame wire, up;
	struct dp_upcall *u;

	set_mapping(host(), exit_of(A, EDGE_NUMBER));
	wire = leaves(A, EDGE_IGW);
	assert_redirected(frame_from_wire(&fixture.lab, LAB_EDGE, &wire, &up));
	u = read_upcall(LAB_EDGE, &up);
	assert_int_equal(u->kind, DP_UPCALL_VERIFY);
	assert_int_equal(u->vni, LAB_VNI);
	assert_int_equal(u->other_vni, BOX);
	assert_memory_equal(&u->src, &m.addr, sizeof(m.addr));
	assert_true(ipaddr_is_zero(&u->dst));
	datapath_upcall_free(u);
	set_mapping(edge(), m);
	assert_int_equal(datapath_gateway_counters(edge(), EDGE_IGW, &before), 0);
	for (int i = 0; i < 3; i++) /* the full path, the flow from the wire, the edge's own */
		comes_out(&wire, PUBLIC_A);
	assert_int_equal(datapath_gateway_counters(edge(), EDGE_IGW, &after), 0);
	assert_int_equal(after.out_packets, before.out_packets + 3);
	m.peer = 3; /* it has moved */
	set_mapping(edge(), m);
	frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, 0, &wire, DROP_SPOOF);
	m.peer = 1;
	m.state = DP_MAPPING_GONE; /* its check is on again */
	set_mapping(edge(), m);
	frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, 0, &wire, DROP_SOURCE_REFUSED);
	set_mapping(edge(), forwarding(BOX, 1));
	comes_out(&wire, PUBLIC_A);
	assert_int_equal(datapath_public_delete(edge(), &public), 0);
	frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, 0, &wire, DROP_NO_PUBLIC);
}

/* What the world answers goes to the source itself. */
/* requirement: EDGE-1 */
static void test_answers_go_to_the_source(void **state)
{
	struct edge_packet p = {.protocol = UDP,
				.src = WORLD,
				.dst = PUBLIC_A,
				.sport = 53,
				.dport = 4000,
				.payload = 100};
	struct frame wire, in;

	set_mapping(host(), exit_of(A, EDGE_NUMBER));
	set_mapping(edge(), forwarding(BOX, 1));
	wire = leaves(A, EDGE_IGW);
	comes_out(&wire, PUBLIC_A);
	in = edge_lab_in(&fixture, fixture.a, &p);
	edge_assert(&in, WORLD, 53, A, 4000);
}

/* A box on the edge's host. */
/* requirement: EDGE-1 */
static void test_box_at_the_edge(void **state)
{
	struct frame f = frame(fixture.c, A), out;

	set_mapping(edge(), exit_of(A, DP_PEER_SELF));
	for (int i = 0; i < 2; i++) {
		assert_redirected(frame_from_node(&fixture.lab, fixture.c, &f, &out));
		frame_assert_addr4(&out, IP_AT + 12, PUBLIC_A);
	}
}

/* VXLAN says one of two handles; what has an option for both carries it. */
/* requirement: PKT-13 */
static void test_formats(void **state)
{
	struct frame f = frame(fixture.b, A);

	set_mapping(host(), exit_of(A, EDGE_NUMBER));
	set_mapping(edge(), forwarding(BOX, 1));
	edge_lab_format(&fixture, FORMAT_VXLAN_1);
	frame_assert_dropped_by_node(&fixture.lab, fixture.b, &f, DROP_NO_FORMAT);
	edge_lab_format(&fixture, FORMAT_SIIT_1);
	f = leaves(A, EDGE_IGW);
	comes_out(&f, PUBLIC_A);
}

/* ---- a NAT gateway ---- */

/* Every source of the network is translated, others are not: their answers would find nobody. */
/* requirement: EDGE-1 */
static void test_nat_gateway(void **state)
{
	struct edge_packet p = {.protocol = UDP, .src = WORLD, .dst = EDGE_NAT_PUBLIC, .sport = 53};
	struct frame wire, out, in;

	edge_lab_route(&fixture, EDGE_NAT);
	set_mapping(edge(), forwarding(BOX, 1));
	wire = leaves(A, EDGE_NAT);
	out = comes_out(&wire, EDGE_NAT_PUBLIC);
	p.dport = edge_sport(&out);
	in = edge_lab_in(&fixture, fixture.a, &p);
	edge_assert(&in, WORLD, 53, A, 4000);
	wire = leaves(NOBODY, EDGE_NAT);
	frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, 0, &wire, DROP_FOREIGN_SOURCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_exit_is_asked_for, reset),
		cmocka_unit_test_setup(test_exit_ends, reset),
		cmocka_unit_test_setup(test_edge_verifies_who_forwards, reset),
		cmocka_unit_test_setup(test_answers_go_to_the_source, reset),
		cmocka_unit_test_setup(test_box_at_the_edge, reset),
		cmocka_unit_test_setup(test_formats, reset),
		cmocka_unit_test_setup(test_nat_gateway, reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
