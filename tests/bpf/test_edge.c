/* SPDX-License-Identifier: Apache-2.0 */
/* Packet tables of public addresses, one to one, and of the uplink. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/gateway.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "edge_lab.h"
#include "net/csum.h"

enum { SYN = 2, ACK = 0x10, RST = 4, TCP = IPPROTO_TCP, UDP = IPPROTO_UDP, ICMP = 1, GRE = 47 };

#define A        "10.0.1.10"
#define B        "10.0.1.11"
#define C        "10.0.1.12"
#define WORLD    "203.0.113.1"
#define PUBLIC_A "198.51.100.10"
#define PUBLIC_B "198.51.100.11"
#define PUBLIC_C "198.51.100.12"

static struct edge_lab fixture;

static struct datapath *edge(void)
{
	return fixture.lab.hosts[LAB_EDGE].dp;
}

static int set_up(void **state)
{
	edge_lab_init(&fixture, FORMAT_SIIT_2);
	edge_lab_route(&fixture, EDGE_IGW);
	return 0;
}

static int tear_down(void **state)
{
	edge_lab_deinit(&fixture);
	return 0;
}

static void delete_public(const char *public)
{
	struct ipaddr addr = lab_addr(public);
	int r = datapath_public_delete(edge(), &addr);

	assert_true(!r || r == -ENOENT);
}

/* a and c have public addresses, b has none; nothing is remembered. */
static int reset(void **state)
{
	struct dp_gateway igw = {.handle = EDGE_IGW, .kind = DP_GATEWAY_INTERNET, .vni = LAB_VNI};

	assert_int_equal(datapath_gateway_delete(edge(), EDGE_IGW), 0);
	assert_int_equal(datapath_gateway_set(edge(), &igw), 0);
	delete_public(PUBLIC_A);
	delete_public(PUBLIC_B);
	edge_lab_public(&fixture, fixture.a, PUBLIC_A);
	edge_lab_public(&fixture, fixture.b, NULL);
	edge_lab_public(&fixture, fixture.c, PUBLIC_C);
	edge_lab_format(&fixture, FORMAT_SIIT_2);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_LIVE);
	return 0;
}

static void out(const struct lab_node *n, const struct edge_packet *p, const char *public)
{
	struct frame f = edge_lab_out(&fixture, n, p);

	edge_assert(&f, public, p->sport, p->dst, p->dport);
}

static void in(const struct lab_node *n, const struct edge_packet *p, const char *private)
{
	struct frame f = edge_lab_in(&fixture, n, p);

	edge_assert(&f, p->src, p->sport, private, p->dport);
}

/* ---- there and back ---- */

static void check_round_trips(enum format format)
{
	static const uint8_t protocols[] = {TCP, UDP, ICMP};

	edge_lab_format(&fixture, format);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		uint8_t ping = protocols[i] == ICMP ? 8 : 0;
		struct edge_packet o = edge_packet_of(protocols[i], A, 4000, WORLD, 80, ping);
		struct edge_packet n =
			edge_packet_of(protocols[i], WORLD, 4001, PUBLIC_A, 22, ping);

		for (int round = 0; round < 2; round++) {
			out(fixture.a, &o, PUBLIC_A);
			in(fixture.a, &n, A); /* begun outside */
		}
	}
}

/* requirement: EDGE-1 */
static void test_round_trips(void **state)
{
	check_round_trips(FORMAT_SIIT_2);
	check_round_trips(FORMAT_SIIT_1);
}

/* The edge's answer to a packet of 'n' to the world: an ICMP error, as it reaches the node. */
static struct frame answered(const struct lab_node *n, const struct edge_packet *p)
{
	struct frame f = edge_frame(&fixture, n, p), wire, back;

	assert_int_equal(frame_from_node(&fixture.lab, n, &f, &wire), TC_ACT_REDIRECT);
	assert_int_equal(frame_from_wire(&fixture.lab, LAB_EDGE, &wire, &back), TC_ACT_REDIRECT);
	return edge_lab_deliver(&fixture, n, &back);
}

/* traceroute sees the edge, whether that knows the flow or not: each probe is answered. */
static void check_too_old(enum format format)
{
	static const uint8_t protocols[] = {UDP, TCP, ICMP};

	edge_lab_format(&fixture, format);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct edge_packet p = edge_packet_of(protocols[i], A, 4000, WORLD, 33434,
						      protocols[i] == ICMP ? 8 : 0);
		struct frame f;

		for (uint16_t probe = 0; probe < 4; probe++) {
			p.ttl = 2; /* one for the router, one for the edge */
			p.dport++;
			f = answered(fixture.a, &p);
			frame_assert_addr4(&f, IP_AT + 12, PUBLIC_A);
			frame_assert_addr4(&f, IP_AT + 16, A);
			assert_int_equal(f.b[IP_AT + 9], ICMP);
			assert_int_equal(f.b[EDGE_L4], 11);
			assert_int_equal(f.b[EDGE_L4 + 1], 0);
			assert_int_equal(csum(f.b + EDGE_L4, f.size - EDGE_L4), 0);
			frame_assert_addr4(&f, EDGE_L4 + 8 + 12, A);
			frame_assert_addr4(&f, EDGE_L4 + 8 + 16, WORLD);
			p.ttl = 64;
			out(fixture.a, &p, PUBLIC_A);
		}
	}
}

/* requirement: EDGE-1 PKT-7 */
static void test_too_old(void **state)
{
	check_too_old(FORMAT_SIIT_2);
	check_too_old(FORMAT_SIIT_1);
	check_too_old(FORMAT_IPIP6_1);
}

/* Protocols without ports, and fragments, have an address. */
/* requirement: EDGE-1 */
static void test_without_ports(void **state)
{
	struct edge_packet p = edge_packet_of(GRE, A, 0, WORLD, 0, 0);
	struct frame f = edge_lab_out(&fixture, fixture.a, &p);

	frame_assert_addr4(&f, IP_AT + 12, PUBLIC_A);
	p = edge_packet_of(GRE, WORLD, 0, PUBLIC_A, 0, 0);
	f = edge_lab_in(&fixture, fixture.a, &p);
	frame_assert_addr4(&f, IP_AT + 16, A);
	p = edge_packet_of(UDP, A, 4000, WORLD, 80, 0);
	p.fragment = 0x0010;
	f = edge_lab_out(&fixture, fixture.a, &p);
	frame_assert_addr4(&f, IP_AT + 12, PUBLIC_A);
	assert_int_equal(csum(f.b + IP_AT, 20), 0);
	p = edge_packet_of(UDP, WORLD, 80, PUBLIC_A, 4000, 0);
	p.fragment = 0x2010;
	f = edge_lab_in(&fixture, fixture.a, &p);
	frame_assert_addr4(&f, IP_AT + 16, A);
	assert_int_equal(frame_u16(&f, IP_AT + 6), 0x2010);
}

/* A node without a public address: its own host knows, and the edge as well. */
/* requirement: EDGE-1 */
static void test_no_public(void **state)
{
	struct edge_packet p = edge_packet_of(UDP, B, 4000, WORLD, 80, 0);
	struct frame f = edge_frame(&fixture, fixture.b, &p);

	frame_assert_dropped_by_node(&fixture.lab, fixture.b, &f, DROP_NO_PUBLIC);
	edge_lab_public(&fixture, fixture.b, PUBLIC_B);
	out(fixture.b, &p, PUBLIC_B);
	delete_public(PUBLIC_B);
	p.sport = 4001;
	edge_lab_out_refused(&fixture, fixture.b, &p, DROP_NO_PUBLIC);
}

/* requirement: EDGE-1 */
static void test_node_of_the_edge(void **state)
{
	struct edge_packet p = edge_packet_of(UDP, C, 4000, WORLD, 80, 0);

	out(fixture.c, &p, PUBLIC_C);
	p = edge_packet_of(TCP, WORLD, 4000, PUBLIC_C, 80, SYN);
	in(fixture.c, &p, C);
}

/* From one public address to another of the same edge, and to one's own. */
/* requirement: EDGE-1 */
static void test_hairpin(void **state)
{
	struct edge_packet p = edge_packet_of(UDP, A, 4000, PUBLIC_B, 53, 0);
	struct frame f;

	edge_lab_public(&fixture, fixture.b, PUBLIC_B);
	f = edge_lab_out(&fixture, fixture.a, &p);
	f = edge_lab_deliver(&fixture, fixture.b, &f);
	edge_assert(&f, PUBLIC_A, 4000, B, 53);
	p = edge_packet_of(UDP, B, 53, PUBLIC_A, 4000, 0);
	f = edge_lab_out(&fixture, fixture.b, &p);
	f = edge_lab_deliver(&fixture, fixture.a, &f);
	edge_assert(&f, PUBLIC_B, 53, A, 4000);
	p = edge_packet_of(UDP, A, 4000, PUBLIC_A, 53, 0);
	f = edge_lab_out(&fixture, fixture.a, &p);
	f = edge_lab_deliver(&fixture, fixture.a, &f);
	edge_assert(&f, PUBLIC_A, 4000, A, 53);
	p = edge_packet_of(UDP, A, 4000, PUBLIC_C, 53, 0); /* to a node of the edge's host */
	f = edge_lab_out(&fixture, fixture.a, &p);
	edge_assert(&f, PUBLIC_A, 4000, C, 53);
}

/* ---- an address moves ---- */

static void move_public(const char *public, const struct lab_node *to,
			const struct lab_node *former)
{
	struct dp_public p = {.public = lab_addr(public),
			      .vni = LAB_VNI,
			      .addr = to->port.addrs[0],
			      .handle = EDGE_IGW};

	if (former)
		p.formers[p.n_formers++] = former->port.addrs[0];
	assert_int_equal(datapath_public_set(edge(), &p), 0);
}

/* Seconds until the session of a connection with PUBLIC_A is over; 'less' takes some away. */
static int32_t session_left(const struct edge_packet *in, uint32_t less)
{
	struct viaduct *skel = bpf_host_of(edge())->skel;
	struct dp_session_key key = {.here_port = htons(in->dport),
				     .there_port = htons(in->sport),
				     .protocol = in->protocol,
				     .side = DP_SESSION_OUTSIDE};
	uint32_t handle = EDGE_IGW, id;
	struct dp_session_value value;
	struct dp_handle_value gateway;
	struct timespec now;
	int fd;

	assert_int_equal(inet_pton(AF_INET, in->dst, &key.here), 1);
	assert_int_equal(inet_pton(AF_INET, in->src, &key.there), 1);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(skel->maps.handles), &handle, &gateway),
			 0);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(skel->maps.sessions), &gateway.row, &id),
			 0);
	fd = bpf_map_get_fd_by_id(id);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
	value.expires -= less;
	assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
	close(fd);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (int32_t)(value.expires - (uint32_t)now.tv_sec);
}

/* A flow is decided once in a second: its session is refreshed then, and not by the packets
 * between. */
/* requirement: EDGE-1 */
static void test_kept_for_a_second(void **state)
{
	struct edge_packet o = edge_packet_of(UDP, A, 4000, WORLD, 53, 0);
	struct edge_packet n = edge_packet_of(UDP, WORLD, 53, PUBLIC_A, 4000, 0);

	edge_lab_wait_second(); /* so that what follows is in one */
	out(fixture.a, &o, PUBLIC_A);
	in(fixture.a, &n, A);
	assert_in_range(session_left(&n, 100), DP_TIMEOUT_UDP_ANSWERED - 102,
			DP_TIMEOUT_UDP_ANSWERED - 100);
	in(fixture.a, &n, A);
	assert_in_range(session_left(&n, 0), DP_TIMEOUT_UDP_ANSWERED - 102,
			DP_TIMEOUT_UDP_ANSWERED - 100);
	edge_lab_wait_second();
	in(fixture.a, &n, A);
	assert_in_range(session_left(&n, 0), DP_TIMEOUT_UDP_ANSWERED - 2, DP_TIMEOUT_UDP_ANSWERED);
}

/* Who had a connection keeps it, both ways, while he may end it; what is new goes to the new
 * node. */
/* requirement: EDGE-2 */
static void test_remapped(void **state)
{
	struct edge_packet syn = edge_packet_of(TCP, WORLD, 5000, PUBLIC_A, 80, SYN);
	struct edge_packet back = edge_packet_of(TCP, A, 80, WORLD, 5000, SYN | ACK);
	struct edge_packet asked = edge_packet_of(UDP, A, 4000, WORLD, 53, 0);
	struct edge_packet answer = edge_packet_of(UDP, WORLD, 53, PUBLIC_A, 4000, 0);
	struct edge_packet fresh = edge_packet_of(TCP, WORLD, 5001, PUBLIC_A, 80, SYN);
	struct edge_packet new_out = edge_packet_of(TCP, A, 81, WORLD, 5002, SYN);

	in(fixture.a, &syn, A);
	out(fixture.a, &back, PUBLIC_A);
	out(fixture.a, &asked, PUBLIC_A);
	move_public(PUBLIC_A, fixture.b, fixture.a);
	syn.flags = ACK;
	in(fixture.a, &syn, A);
	back.flags = ACK;
	out(fixture.a, &back, PUBLIC_A);
	in(fixture.a, &answer, A);
	in(fixture.b, &fresh, B);
	edge_lab_out_refused(&fixture, fixture.a, &new_out, DROP_NO_PUBLIC);
	move_public(PUBLIC_A, fixture.b, NULL); /* its time is over: everything is the new node's */
	in(fixture.b, &syn, B);
	edge_lab_out_refused(&fixture, fixture.a, &back, DROP_NO_PUBLIC);
	edge_lab_public(&fixture, fixture.b, PUBLIC_A);
	new_out.src = B;
	out(fixture.b, &new_out, PUBLIC_A);
	delete_public(PUBLIC_A); /* with the address its connections go */
	back.src = B;
	edge_lab_out_refused(&fixture, fixture.b, &back, DROP_NO_PUBLIC);
}

/* The same ends begin anew after the move: with the new node, and the old one has no word in it. */
/* requirement: EDGE-2 */
static void test_remapped_begins_anew(void **state)
{
	struct edge_packet syn = edge_packet_of(TCP, WORLD, 5000, PUBLIC_A, 80, SYN);
	struct edge_packet old = edge_packet_of(TCP, A, 80, WORLD, 5000, SYN | ACK), new = old;

	in(fixture.a, &syn, A);
	out(fixture.a, &old, PUBLIC_A);
	edge_lab_public(&fixture, fixture.b, PUBLIC_A);
	move_public(PUBLIC_A, fixture.b, fixture.a);
	in(fixture.b, &syn, B);
	new.src = B;
	out(fixture.b, &new, PUBLIC_A);
	syn.flags = old.flags = ACK;
	in(fixture.b, &syn, B);
	edge_lab_out_refused(&fixture, fixture.a, &old, DROP_NO_PUBLIC);
}

/* A node that had the address and is dead answers nothing: what goes on coming from the same ports
 * is soon the new node's.  One that answers keeps it. */
/* requirement: EDGE-2 */
static void test_remapped_from_the_dead(void **state)
{
	struct edge_packet ask = edge_packet_of(UDP, WORLD, 500, PUBLIC_A, 500, 0);
	struct edge_packet answer = edge_packet_of(UDP, A, 500, WORLD, 500, 0);

	in(fixture.a, &ask, A);
	out(fixture.a, &answer, PUBLIC_A);
	edge_lab_next_second(&fixture);
	in(fixture.a, &ask, A);
	assert_in_range(session_left(&ask, 0), DP_TIMEOUT_UDP_ANSWERED - 5,
			DP_TIMEOUT_UDP_ANSWERED);
	edge_lab_public(&fixture, fixture.b, PUBLIC_A);
	move_public(PUBLIC_A, fixture.b, fixture.a);
	in(fixture.a, &ask, A);
	assert_in_range(session_left(&ask, 10), DP_TIMEOUT_FORMER - 15, DP_TIMEOUT_FORMER - 10);
	edge_lab_next_second(&fixture);
	in(fixture.a, &ask, A); /* does not begin it anew */
	assert_in_range(session_left(&ask, 0), DP_TIMEOUT_FORMER - 15, DP_TIMEOUT_FORMER - 10);
	out(fixture.a, &answer, PUBLIC_A); /* it lives */
	assert_in_range(session_left(&ask, 0), DP_TIMEOUT_UDP_ANSWERED - 5,
			DP_TIMEOUT_UDP_ANSWERED);
	edge_lab_next_second(&fixture);
	in(fixture.a, &ask, A);
	session_left(&ask, DP_TIMEOUT_FORMER + 1);
	edge_lab_next_second(&fixture);
	in(fixture.b, &ask, B);
	edge_lab_out_refused(&fixture, fixture.a, &answer, DROP_NO_PUBLIC);
	answer.src = B;
	out(fixture.b, &answer, PUBLIC_A);
}

/* A public address that was given to another gateway is not used by who had it, whatever it
 * remembers. */
/* requirement: EDGE-2 */
/* requirement: PKT-10 */
static void test_remapped_to_another_gateway(void **state)
{
	struct dp_gateway other = {
		.handle = EDGE_IGW + 0x10, .kind = DP_GATEWAY_INTERNET, .vni = LAB_VNI + 1};
	struct edge_packet syn = edge_packet_of(TCP, WORLD, 5000, PUBLIC_A, 80, SYN);
	struct edge_packet back = edge_packet_of(TCP, A, 80, WORLD, 5000, SYN | ACK);
	struct dp_public p = {.public = lab_addr(PUBLIC_A),
			      .vni = LAB_VNI + 1,
			      .addr = lab_addr(A),
			      .handle = other.handle};

	in(fixture.a, &syn, A);
	out(fixture.a, &back, PUBLIC_A);
	assert_int_equal(datapath_gateway_set(edge(), &other), 0);
	assert_int_equal(datapath_public_set(edge(), &p), 0);
	edge_lab_out_refused(&fixture, fixture.a, &back, DROP_NO_PUBLIC);
	assert_int_equal(datapath_gateway_delete(edge(), other.handle), 0);
}

/* What nobody inside has answered belongs to nobody. */
/* requirement: EDGE-2 */
static void test_unanswered_is_not_kept(void **state)
{
	struct edge_packet syn = edge_packet_of(TCP, WORLD, 5000, PUBLIC_A, 80, SYN);
	struct edge_packet reset_it = edge_packet_of(TCP, A, 80, WORLD, 5001, RST);

	in(fixture.a, &syn, A);
	out(fixture.a, &reset_it, PUBLIC_A);
	move_public(PUBLIC_A, fixture.b, fixture.a);
	in(fixture.b, &syn, B);
	syn.sport = 5001;
	in(fixture.b, &syn, B);
}

/* The node itself moves to another host: connections follow its mapping. */
/* requirement: EDGE-2 */
static void test_node_moves(void **state)
{
	struct edge_packet syn = edge_packet_of(TCP, WORLD, 5000, PUBLIC_A, 80, SYN);
	struct edge_packet back = edge_packet_of(TCP, A, 80, WORLD, 5000, SYN | ACK);
	struct dp_mapping m = {
		.vni = LAB_VNI, .addr = lab_addr(A), .state = DP_MAPPING_GONE, .revision = 2};
	struct frame f, wire;

	in(fixture.a, &syn, A);
	out(fixture.a, &back, PUBLIC_A);
	assert_int_equal(datapath_mapping_set(edge(), &m), 0);
	edge_lab_in_refused(&fixture, &syn, DROP_GONE);
	m.state = DP_MAPPING_LIVE;
	m.peer = 9;
	assert_int_equal(datapath_mapping_set(edge(), &m), 0);
	edge_lab_in_refused(&fixture, &syn, DROP_NO_PEER);
	m.peer = 1;
	assert_int_equal(datapath_mapping_set(edge(), &m), 0);
	f = edge_frame(&fixture, NULL, &syn);
	assert_int_equal(frame_from_world(&fixture.lab, &f, &wire), TC_ACT_REDIRECT);
}

/* ---- errors ---- */

/* requirement: EDGE-1 */
static void test_errors(void **state)
{
	struct edge_packet p = edge_packet_of(UDP, A, 4000, WORLD, 80, 0);
	struct frame sent = edge_lab_out(&fixture, fixture.a, &p), error, wire, got, q = {};

	error = edge_error(&fixture, NULL, "192.0.2.77", PUBLIC_A, &sent, sent.size - IP_AT);
	assert_int_equal(frame_from_world(&fixture.lab, &error, &wire), TC_ACT_REDIRECT);
	got = edge_lab_deliver(&fixture, fixture.a, &wire);
	frame_assert_addr4(&got, IP_AT + 12, "192.0.2.77");
	frame_assert_addr4(&got, IP_AT + 16, A);
	assert_int_equal(csum(got.b + EDGE_L4, got.size - EDGE_L4), 0);
	q.size = sent.size;
	frame_put_u16(&q, 12, 0x0800);
	memcpy(q.b + IP_AT, got.b + EDGE_L4 + 8, sent.size - IP_AT);
	edge_assert(&q, A, 4000, WORLD, 80);
}

/* ---- the agent is asked ---- */

/* Where a node is that the world speaks to: the packet waits, whole, as it came. */
/* requirement: MAP-2 */
/* requirement: EDGE-1 */
static void test_unknown_node(void **state)
{
	struct edge_packet p = edge_packet_of(UDP, WORLD, 53, PUBLIC_A, 4000, 0);
	struct frame f = edge_frame(&fixture, NULL, &p), up, wire, got;
	struct ipaddr a = lab_addr(A);

	assert_int_equal(datapath_mapping_delete(edge(), LAB_VNI, &a), 0);
	assert_int_equal(frame_from_world(&fixture.lab, &f, &up), TC_ACT_REDIRECT);
	assert_int_equal(up.b[0], 0x0a);
	assert_int_equal(up.b[1], 0);
	assert_memory_equal(up.b + 8, a.b + 12, 4);
	assert_memory_equal(up.b + 12, f.b + 12, f.size - 12);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_HELD);
	assert_int_equal(frame_from_world(&fixture.lab, &f, &got), TC_ACT_REDIRECT);
	assert_int_equal(got.b[0], 0x0a); /* behind the first */
	assert_int_equal(frame_run(&fixture.lab, LAB_EDGE, RUN_HANDED, 1, &up, &wire),
			 TC_ACT_REDIRECT);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_LIVE);
	got = edge_lab_deliver(&fixture, fixture.a, &wire);
	edge_assert(&got, WORLD, 53, A, 4000);
}

/* ---- the uplink ---- */

static struct frame arp(const char *target)
{
	struct ipaddr sender = lab_addr("198.51.100.1"), t = lab_addr(target);
	struct frame f = {.size = 42};
	static const uint8_t head[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,   0, 0,
				       0,    0x77, 0x08, 0x06, 0,    1,    0x08, 0,   6, 4,
				       0,    1,    0x02, 0,    0,    0,    0,    0x77};

	memcpy(f.b, head, sizeof(head));
	memcpy(f.b + 28, sender.b + 12, 4);
	memcpy(f.b + 38, t.b + 12, 4);
	return f;
}

/* requirement: EDGE-1 */
static void test_arp(void **state)
{
	static const char *const ours[] = {PUBLIC_A, EDGE_NAT_PUBLIC};
	int uplink = fixture.lab.hosts[LAB_EDGE].config.uplink_ifindex;
	struct frame f, got;

	for (size_t i = 0; i < 2; i++) {
		f = arp(ours[i]);
		assert_int_equal(frame_run(&fixture.lab, LAB_EDGE, RUN_UPLINK, uplink, &f, &got),
				 TC_ACT_REDIRECT);
		assert_memory_equal(got.b, f.b + 6, 6);
		assert_memory_equal(got.b + 6, fixture.lab.uplink_mac.b, 6);
		assert_int_equal(frame_u16(&got, 20), 2);
		assert_memory_equal(got.b + 22, fixture.lab.uplink_mac.b, 6);
		frame_assert_addr4(&got, 28, ours[i]);
		frame_assert_addr4(&got, 38, "198.51.100.1");
	}
	f = arp("198.51.100.2"); /* the machine's own */
	assert_int_equal(frame_run(&fixture.lab, LAB_EDGE, RUN_UPLINK, uplink, &f, &got),
			 TC_ACT_UNSPEC);
	assert_int_equal(got.size, f.size);
	assert_memory_equal(got.b, f.b, f.size);
}

/* What is the machine's stays the machine's. */
/* requirement: EDGE-1 */
static void test_other_traffic_passes(void **state)
{
	struct edge_packet p = edge_packet_of(TCP, WORLD, 5000, "198.51.100.2", 22, SYN);
	struct frame f = edge_frame(&fixture, NULL, &p), got;

	assert_int_equal(frame_from_world(&fixture.lab, &f, &got), TC_ACT_UNSPEC);
	p.dst = PUBLIC_B; /* nobody's now */
	f = edge_frame(&fixture, NULL, &p);
	assert_int_equal(frame_from_world(&fixture.lab, &f, &got), TC_ACT_UNSPEC);
}

/* ---- route tables of gateways: a node looks at what enters ---- */

enum { ENTER_TABLE = 4, BOX = 0xf00010, IP6_SRC = IP_AT + 8, IP6_DST = IP_AT + 24 };

/* What enters for the nodes' subnet goes where the route of that target says; NULL: there are no
 * routes, local ones included. */
static void set_entering(const struct dp_route *way)
{
	struct dp_route routes[2] = {
		{.prefix = lab_prefix("10.0.0.0/16"), .target = DP_TARGET_LOCAL}};
	struct dp_table t = {.number = ENTER_TABLE, .n_routes = way ? 2 : 0, .routes = routes};

	if (way)
		routes[1] = *way;
	assert_int_equal(datapath_table_set(edge(), &t), 0);
}

static void set_gateway_table(uint32_t table)
{
	struct dp_gateway igw = {
		.handle = EDGE_IGW, .kind = DP_GATEWAY_INTERNET, .vni = LAB_VNI, .table = table};

	assert_int_equal(datapath_gateway_set(edge(), &igw), 0);
}

static void set_box(struct lab_node *n, bool is)
{
	n->port.handle = is ? BOX : 0;
	n->port.forwards = is;
	lab_set_port(&fixture.lab, n->host, &n->port);
}

/* What comes in reaches that node, which need not be whose the address is: as it would be for the
 * other, one router on. */
static void enters(const struct lab_node *n, const struct edge_packet *p, const char *private)
{
	struct frame f = edge_lab_in(&fixture, n, p);

	edge_assert(&f, p->src, p->sport, private, p->dport);
	assert_memory_equal(f.b, n->port.mac.b, 6);
	assert_int_equal(f.b[IP_AT + 8], 63);
}

/* requirement: TOPO-1 */
/* requirement: PKT-13 */
static void test_entering_by_a_table(void **state)
{
	static const enum format formats[] = {FORMAT_SIIT_2, FORMAT_SIIT_1};
	const struct dp_route to_b = {.prefix = lab_prefix("10.0.1.0/24"),
				      .target = DP_TARGET_INTERFACE,
				      .peer = 1,
				      .vni = BOX};
	const struct dp_route gone = {.prefix = lab_prefix("10.0.1.0/24"),
				      .target = DP_TARGET_INTERFACE};
	const struct dp_route other = {.prefix = lab_prefix("10.0.2.0/24"),
				       .target = DP_TARGET_INTERFACE,
				       .peer = 1,
				       .vni = BOX};
	struct edge_packet syn = edge_packet_of(TCP, WORLD, 5000, PUBLIC_A, 80, SYN);
	struct edge_packet data = edge_packet_of(TCP, WORLD, 5000, PUBLIC_A, 80, ACK);
	struct edge_packet fragment = edge_packet_of(UDP, WORLD, 0, PUBLIC_A, 0, 0);
	struct frame f;

	set_box(fixture.b, true);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		edge_lab_format(&fixture, formats[i]);
		set_entering(&to_b);
		set_gateway_table(ENTER_TABLE);
		for (int round = 0; round < 2; round++) { /* the second as the caches have it */
			enters(fixture.b, &syn, A);
			enters(fixture.b, &data, A);
		}
		/* each change counts with the next packet */
		set_entering(&gone);
		edge_lab_in_refused(&fixture, &data, DROP_BLACKHOLE);
		set_entering(&other);
		enters(fixture.a, &data, A);
		set_entering(NULL);
		edge_lab_in_refused(&fixture, &data, DROP_NO_ROUTE);
		set_entering(&to_b);
		enters(fixture.b, &data, A);
		set_gateway_table(0);
		enters(fixture.a, &data, A);
	}
	edge_lab_format(&fixture, FORMAT_SIIT_2);
	set_gateway_table(ENTER_TABLE);
	fragment.fragment = 0x2000 | 50;
	f = edge_lab_in(&fixture, fixture.b, &fragment);
	frame_assert_addr4(&f, IP_AT + 16, A);
	set_box(fixture.b, false);
}

/* The node before is on the edge's own host; it is disabled; its host is no peer; the handle is a
 * gateway's. */
/* requirement: TOPO-1 */
static void test_entering_at_the_edge(void **state)
{
	struct dp_route way = {
		.prefix = lab_prefix("10.0.1.0/24"), .target = DP_TARGET_INTERFACE, .vni = BOX};
	struct edge_packet data = edge_packet_of(TCP, WORLD, 5000, PUBLIC_A, 80, ACK);

	set_box(fixture.c, true);
	set_entering(&way);
	set_gateway_table(ENTER_TABLE);
	for (int round = 0; round < 2; round++)
		enters(fixture.c, &data, A);
	fixture.c->port.disabled = true;
	lab_set_port(&fixture.lab, LAB_EDGE, &fixture.c->port);
	edge_lab_in_refused(&fixture, &data, DROP_DISABLED);
	fixture.c->port.disabled = false;
	lab_set_port(&fixture.lab, LAB_EDGE, &fixture.c->port);
	enters(fixture.c, &data, A);
	way.peer = 99;
	set_entering(&way);
	edge_lab_in_refused(&fixture, &data, DROP_NO_PEER);
	way.peer = DP_PEER_SELF;
	way.vni = EDGE_NAT;
	set_entering(&way);
	edge_lab_in_refused(&fixture, &data, DROP_HANDLE);
	way.vni = BOX;
	way.prefix = lab_prefix("0.0.0.0/0"); /* no network's: nowhere but where it says */
	way.target = DP_TARGET_BLACKHOLE;
	set_entering(&way);
	enters(fixture.a, &data, A);
	set_box(fixture.c, false);
}

/* What a NAT gateway gets is its own; and from whom is no edge nobody takes the world's
 * addresses. */
/* requirement: MAP-4 */
/* requirement: TOPO-1 */
static void test_entering_is_the_gateways_alone(void **state)
{
	const struct dp_route to_b = {.prefix = lab_prefix("10.0.1.0/24"),
				      .target = DP_TARGET_INTERFACE,
				      .peer = 1,
				      .vni = BOX};
	struct edge_packet data = edge_packet_of(TCP, WORLD, 5000, PUBLIC_A, 80, ACK);
	struct edge_packet asks = edge_packet_of(UDP, A, 4000, WORLD, 53, 0);
	struct edge_packet answer = edge_packet_of(UDP, WORLD, 53, EDGE_NAT_PUBLIC, 0, 0);
	struct frame f, wire, out_, own;

	set_box(fixture.b, true);
	set_entering(&to_b);
	set_gateway_table(ENTER_TABLE);
	edge_lab_route(&fixture, EDGE_NAT);
	f = edge_lab_out(&fixture, fixture.a, &asks);
	answer.dport = edge_sport(&f);
	for (int round = 0; round < 2; round++) {
		f = edge_lab_in(&fixture, fixture.a, &answer);
		edge_assert(&f, WORLD, 53, A, 4000);
		enters(fixture.b, &data, A); /* by the other way meanwhile */
	}
	edge_lab_route(&fixture, EDGE_IGW);

	f = edge_frame(&fixture, NULL, &data);
	assert_int_equal(frame_from_world(&fixture.lab, &f, &wire), TC_ACT_REDIRECT);
	assert_int_equal(frame_u32(&wire, IP6_DST + 8) & 0xffffff, BOX);
	assert_int_equal(frame_u32(&wire, IP6_SRC + 8) & 0xffffff, LAB_VNI);
	own = wire;
	/* a subnet's is nobody's but its node's */
	memcpy(own.b + IP6_SRC + 12, (uint8_t[]){10, 0, 1, 99}, 4);
	assert_int_equal(frame_from_wire(&fixture.lab, 0, &own, &out_), TC_ACT_REDIRECT);
	assert_int_equal(out_.b[0], 0x0a);
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false); /* an edge no more */
	assert_int_equal(frame_from_wire(&fixture.lab, 0, &wire, &out_), TC_ACT_REDIRECT);
	assert_int_equal(out_.b[0], 0x0a); /* the manager is asked, who knows of none */
	set_box(fixture.b, false);
}

static int count(const struct ipaddr *public, void *data)
{
	++*(int *)data;
	return 0;
}

/* requirement: EDGE-1 */
static void test_contract(void **state)
{
	struct dp_public p = {.public = lab_addr(EDGE_NAT_PUBLIC),
			      .vni = LAB_VNI,
			      .addr = lab_addr(A),
			      .handle = EDGE_IGW};
	struct ipaddr nat = lab_addr(EDGE_NAT_PUBLIC);
	int n = 0;

	assert_int_equal(datapath_public_set(edge(), &p), -EEXIST); /* a gateway's */
	assert_int_equal(datapath_public_delete(edge(), &nat), -ENOENT);
	assert_int_equal(datapath_public_set(fixture.lab.hosts[0].dp, &p), -EOPNOTSUPP);
	assert_int_equal(datapath_publics(edge(), count, &n), 0);
	assert_int_equal(n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_round_trips, reset),
		cmocka_unit_test_setup(test_too_old, reset),
		cmocka_unit_test_setup(test_without_ports, reset),
		cmocka_unit_test_setup(test_no_public, reset),
		cmocka_unit_test_setup(test_node_of_the_edge, reset),
		cmocka_unit_test_setup(test_hairpin, reset),
		cmocka_unit_test_setup(test_kept_for_a_second, reset),
		cmocka_unit_test_setup(test_remapped, reset),
		cmocka_unit_test_setup(test_remapped_begins_anew, reset),
		cmocka_unit_test_setup(test_remapped_from_the_dead, reset),
		cmocka_unit_test_setup(test_remapped_to_another_gateway, reset),
		cmocka_unit_test_setup(test_unanswered_is_not_kept, reset),
		cmocka_unit_test_setup(test_node_moves, reset),
		cmocka_unit_test_setup(test_errors, reset),
		cmocka_unit_test_setup(test_unknown_node, reset),
		cmocka_unit_test_setup(test_arp, reset),
		cmocka_unit_test_setup(test_other_traffic_passes, reset),
		cmocka_unit_test_setup(test_entering_by_a_table, reset),
		cmocka_unit_test_setup(test_entering_at_the_edge, reset),
		cmocka_unit_test_setup(test_entering_is_the_gateways_alone, reset),
		cmocka_unit_test_setup(test_contract, reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
