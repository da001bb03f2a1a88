/* SPDX-License-Identifier: Apache-2.0 */
/* Packet tables of port translation (RFC 4787, 5382, 5508). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <time.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/gateway.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "edge_lab.h"
#include "net/csum.h"

enum { SYN = 2, ACK = 0x10, FIN = 1, RST = 4, TCP = IPPROTO_TCP, UDP = IPPROTO_UDP, ICMP = 1 };

#define A       "10.0.1.10"
#define B       "10.0.1.11"
#define WORLD   "203.0.113.1"
#define WORLD_2 "203.0.113.2"
#define PUBLIC  EDGE_NAT_PUBLIC

static struct edge_lab fixture;

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

static int reset(void **state)
{
	fixture.nat.port_first = 1024;
	fixture.nat.port_last = 65535;
	edge_lab_forget(&fixture);
	edge_lab_format(&fixture, FORMAT_SIIT_2);
	return 0;
}

static void set_ports(uint16_t first, uint16_t last)
{
	fixture.nat.port_first = first;
	fixture.nat.port_last = last;
	assert_int_equal(datapath_gateway_set(fixture.lab.hosts[LAB_EDGE].dp, &fixture.nat), 0);
}

static struct edge_packet out_packet(uint8_t protocol, const char *src, uint16_t sport,
				     const char *dst, uint16_t dport)
{
	return edge_packet_of(protocol, src, sport, dst, dport,
			      protocol == TCP    ? SYN
			      : protocol == ICMP ? 8
						 : 0);
}

static struct edge_packet in_packet(uint8_t protocol, const char *src, uint16_t sport,
				    uint16_t dport)
{
	return edge_packet_of(protocol, src, protocol == ICMP ? dport : sport, PUBLIC, dport,
			      protocol == TCP ? SYN | ACK : 0);
}

/* Sends from a node and returns the port outside; all else is as it has to be. */
static uint16_t send_out(const struct lab_node *n, const struct edge_packet *p)
{
	struct frame f = edge_lab_out(&fixture, n, p);
	uint16_t port = edge_sport(&f);

	edge_assert(&f, PUBLIC, port, p->dst, p->dport);
	assert_int_equal(f.b[IP_AT + 8], 62); /* through the router and the gateway */
	assert_in_range(port, fixture.nat.port_first, fixture.nat.port_last);
	return port;
}

static void answer(const struct lab_node *n, uint8_t protocol, const char *src, uint16_t sport,
		   uint16_t port, const char *dst, uint16_t dport)
{
	struct edge_packet p = in_packet(protocol, src, sport, port);
	struct frame f = edge_lab_in(&fixture, n, &p);

	edge_assert(&f, src, protocol == ICMP ? dport : sport, dst, dport);
}

/* ---- there and back ---- */

static void check_round_trips(enum format format)
{
	static const uint8_t protocols[] = {TCP, UDP, ICMP};

	edge_lab_format(&fixture, format);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct edge_packet p = out_packet(protocols[i], A, (uint16_t)(4000 + i), WORLD, 80);

		for (int round = 0; round < 3; round++) {
			uint16_t port = send_out(fixture.a, &p);

			assert_int_equal(port, 4000 + i); /* it was free */
			answer(fixture.a, protocols[i], WORLD, 80, port, A, (uint16_t)(4000 + i));
		}
	}
}

/* requirement: EDGE-1 */
static void test_round_trips_siit_2(void **state)
{
	check_round_trips(FORMAT_SIIT_2);
}

/* requirement: EDGE-1 */
static void test_round_trips_siit_1(void **state)
{
	check_round_trips(FORMAT_SIIT_1);
}

/* A UDP datagram without a checksum has none afterwards. */
/* requirement: EDGE-1 */
static void test_no_checksum(void **state)
{
	struct edge_packet p = out_packet(UDP, A, 4000, WORLD, 53);
	struct frame f;

	p.no_checksum = true;
	f = edge_lab_out(&fixture, fixture.a, &p);
	edge_assert(&f, PUBLIC, 4000, WORLD, 53);
	assert_int_equal(frame_u16(&f, EDGE_L4 + 6), 0);
	p = in_packet(UDP, WORLD, 53, 4000);
	p.no_checksum = true;
	f = edge_lab_in(&fixture, fixture.a, &p);
	edge_assert(&f, WORLD, 53, A, 4000);
	assert_int_equal(frame_u16(&f, EDGE_L4 + 6), 0);
}

/* From a node of the edge's own host. */
/* requirement: EDGE-1 */
static void test_node_of_the_edge(void **state)
{
	struct edge_packet p = out_packet(UDP, "10.0.1.12", 4000, WORLD, 53);
	struct frame f = edge_lab_out(&fixture, fixture.c, &p);

	edge_assert(&f, PUBLIC, 4000, WORLD, 53);
	answer(fixture.c, UDP, WORLD, 53, 4000, "10.0.1.12", 4000);
}

/* ---- mapping and filtering ---- */

/* RFC 4787 REQ-1: one port outside for one inside, whoever it speaks to; REQ-3: none for two. */
/* requirement: EDGE-1 */
static void test_endpoint_independent(void **state)
{
	struct edge_packet one = out_packet(UDP, A, 4000, WORLD, 53);
	struct edge_packet two = out_packet(UDP, A, 4000, WORLD_2, 54);
	struct edge_packet other = out_packet(UDP, B, 4000, WORLD, 53);
	uint16_t port = send_out(fixture.a, &one), its;

	assert_int_equal(send_out(fixture.a, &two), port);
	its = send_out(fixture.b, &other);
	assert_int_not_equal(its, port);
	assert_int_equal(send_out(fixture.b, &other), its);
	answer(fixture.a, UDP, WORLD, 53, port, A, 4000);
	answer(fixture.a, UDP, WORLD_2, 54, port, A, 4000);
	answer(fixture.b, UDP, WORLD, 53, its, B, 4000);
}

/* Only from where something was sent to. */
/* requirement: EDGE-1 */
static void test_unsolicited(void **state)
{
	struct edge_packet p = out_packet(UDP, A, 4000, WORLD, 53), in;
	struct dp_gateway_counters c;
	uint16_t port = send_out(fixture.a, &p);

	in = in_packet(UDP, WORLD_2, 53, port);
	edge_lab_in_refused(&fixture, &in, DROP_UNSOLICITED);
	in = in_packet(UDP, WORLD, 54, port);
	edge_lab_in_refused(&fixture, &in, DROP_UNSOLICITED);
	in = in_packet(TCP, WORLD, 53, port);
	edge_lab_in_refused(&fixture, &in, DROP_UNSOLICITED);
	in = in_packet(UDP, WORLD, 53, (uint16_t)(port + 1));
	edge_lab_in_refused(&fixture, &in, DROP_UNSOLICITED);
	in = in_packet(ICMP, WORLD, 0, 77);
	in.flags = 8; /* it is pinged */
	edge_lab_in_refused(&fixture, &in, DROP_UNSOLICITED);
	in = in_packet(47, WORLD, 0, 0);
	edge_lab_in_refused(&fixture, &in, DROP_UNSOLICITED);
	answer(fixture.a, UDP, WORLD, 53, port, A, 4000);
	assert_int_equal(datapath_gateway_counters(fixture.lab.hosts[LAB_EDGE].dp, EDGE_NAT, &c),
			 0);
	assert_int_equal(c.out_packets, 1);
	assert_int_equal(c.in_packets, 1);
	assert_int_equal(c.unsolicited, 6);
}

/* requirement: EDGE-1 */
static void test_static_ports(void **state)
{
	struct dp_static_port web = {
		.protocol = TCP, .public_port = 8080, .port = 80, .addr = lab_addr(A)};
	struct edge_packet in = in_packet(TCP, WORLD, 5000, 8080), back, other;
	struct datapath *dp = fixture.lab.hosts[LAB_EDGE].dp;
	struct frame f;

	in.flags = SYN;
	edge_lab_in_refused(&fixture, &in, DROP_UNSOLICITED);
	fixture.nat.n_statics = 1;
	fixture.nat.statics = &web;
	assert_int_equal(datapath_gateway_set(dp, &fixture.nat), 0);
	f = edge_lab_in(&fixture, fixture.a, &in);
	edge_assert(&f, WORLD, 5000, A, 80);
	back = out_packet(TCP, A, 80, WORLD, 5000);
	back.flags = SYN | ACK;
	assert_int_equal(send_out(fixture.a, &back), 8080);
	set_ports(8080, 8081); /* given to nobody else */
	other = out_packet(TCP, B, 8080, WORLD, 5000);
	assert_int_equal(send_out(fixture.b, &other), 8081);
	fixture.nat.n_statics = 0;
	assert_int_equal(datapath_gateway_set(dp, &fixture.nat), 0);
	in.sport = 5001;
	edge_lab_in_refused(&fixture, &in, DROP_UNSOLICITED);
}

/* One of two that lead to the same is in force, as long as it is there; neither outlives the other. */
/* requirement: EDGE-1 */
static void test_static_ports_to_the_same(void **state)
{
	const struct dp_static_port web[] = {
		{.protocol = TCP, .public_port = 8080, .port = 80, .addr = lab_addr(A)},
		{.protocol = TCP, .public_port = 8081, .port = 80, .addr = lab_addr(A)},
	};
	struct edge_packet in[] = {in_packet(TCP, WORLD, 5000, 8080),
				   in_packet(TCP, WORLD, 5000, 8081)};
	struct datapath *dp = fixture.lab.hosts[LAB_EDGE].dp;

	in[0].flags = in[1].flags = SYN;
	fixture.nat.n_statics = 2;
	fixture.nat.statics = web;
	assert_int_equal(datapath_gateway_set(dp, &fixture.nat), 0);
	edge_lab_in(&fixture, fixture.a, &in[0]);
	edge_lab_in_refused(&fixture, &in[1], DROP_UNSOLICITED);
	fixture.nat.n_statics = 1;
	fixture.nat.statics = &web[1];
	assert_int_equal(datapath_gateway_set(dp, &fixture.nat), 0);
	in[0].sport = in[1].sport = 5001;
	edge_lab_in_refused(&fixture, &in[0], DROP_UNSOLICITED);
	edge_lab_in(&fixture, fixture.a, &in[1]);
	fixture.nat.n_statics = 0;
	assert_int_equal(datapath_gateway_set(dp, &fixture.nat), 0);
	in[0].sport = in[1].sport = 5002;
	edge_lab_in_refused(&fixture, &in[0], DROP_UNSOLICITED);
	edge_lab_in_refused(&fixture, &in[1], DROP_UNSOLICITED);
}

/* ---- ports ---- */

/* requirement: EDGE-1 */
static void test_ports_run_out(void **state)
{
	struct edge_packet p = out_packet(UDP, A, 0, WORLD, 53);
	struct dp_gateway_counters c;
	bool seen[4] = {};

	set_ports(2000, 2003);
	for (uint16_t i = 0; i < 4; i++) {
		uint16_t port;

		p.sport = (uint16_t)(3000 + i);
		port = send_out(fixture.a, &p);
		assert_false(seen[port - 2000]);
		seen[port - 2000] = true;
	}
	p.sport = 3004;
	edge_lab_out_refused(&fixture, fixture.a, &p, DROP_NAT_PORTS);
	p.sport = 3001; /* the others go on */
	send_out(fixture.a, &p);
	p = out_packet(TCP, A, 3004, WORLD, 53); /* another protocol has ports of its own */
	send_out(fixture.a, &p);
	assert_int_equal(datapath_gateway_counters(fixture.lab.hosts[LAB_EDGE].dp, EDGE_NAT, &c),
			 0);
	assert_int_equal(c.no_port, 1);
}

/* The binding of a UDP or TCP port of the gateway, to look at and to change. */
static struct dp_binding binding(uint8_t protocol, uint16_t port, const struct dp_binding *set)
{
	struct viaduct *skel = bpf_host_of(fixture.lab.hosts[LAB_EDGE].dp)->skel;
	uint32_t handle = EDGE_NAT, id, at = (protocol == UDP ? 65536U : 0U) + port;
	struct dp_handle_value gateway;
	struct dp_binding b;
	int fd;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(skel->maps.handles), &handle, &gateway),
			 0);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(skel->maps.bindings), &gateway.row, &id),
			 0);
	fd = bpf_map_get_fd_by_id(id);
	assert_true(fd >= 0);
	if (set)
		assert_int_equal(bpf_map_update_elem(fd, &at, set, BPF_ANY), 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &at, &b), 0);
	close(fd);
	return b;
}

/* Seconds that a binding has left, as the programs' clock counts. */
static uint32_t time_left(const struct dp_binding *b)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return b->expires - (uint32_t)now.tv_sec;
}

/* A port that nobody has used for long is another's, and what was said through it is forgotten. */
/* requirement: EDGE-1 */
static void test_expired(void **state)
{
	struct edge_packet a = out_packet(UDP, A, 4000, WORLD, 53);
	struct edge_packet b = out_packet(UDP, B, 4000, WORLD, 54);
	struct edge_packet in = in_packet(UDP, WORLD, 53, 4000);
	struct dp_binding old;

	set_ports(4000, 4000);
	send_out(fixture.a, &a);
	edge_lab_out_refused(&fixture, fixture.b, &b, DROP_NAT_PORTS);
	old = binding(UDP, 4000, NULL);
	assert_in_range(time_left(&old), DP_TIMEOUT_UDP - 5, DP_TIMEOUT_UDP);
	answer(fixture.a, UDP, WORLD, 53, 4000, A, 4000);
	old = binding(UDP, 4000, NULL);
	assert_in_range(time_left(&old), DP_TIMEOUT_NAT - 5, DP_TIMEOUT_NAT);
	old.expires -= DP_TIMEOUT_NAT + 1;
	binding(UDP, 4000, &old);
	edge_lab_next_second(&fixture);
	edge_lab_in_refused(&fixture, &in, DROP_UNSOLICITED);
	assert_int_equal(send_out(fixture.b, &b), 4000);
	edge_lab_in_refused(&fixture, &in, DROP_UNSOLICITED); /* not b's, and not a's any more */
	answer(fixture.b, UDP, WORLD, 54, 4000, B, 4000);
	edge_lab_out_refused(&fixture, fixture.a, &a, DROP_NAT_PORTS);
}

/* A flow is decided once in a second: what it needs is refreshed then, and not by the packets
 * between. */
/* requirement: EDGE-1 */
static void test_kept_for_a_second(void **state)
{
	struct edge_packet a = out_packet(UDP, A, 4000, WORLD, 53);
	struct dp_binding b;

	edge_lab_wait_second(); /* so that what follows is in one */
	set_ports(4000, 4000);
	send_out(fixture.a, &a);
	send_out(fixture.a, &a);
	b = binding(UDP, 4000, NULL);
	b.expires -= 50;
	binding(UDP, 4000, &b);
	assert_int_equal(send_out(fixture.a, &a), 4000);
	b = binding(UDP, 4000, NULL);
	assert_in_range(time_left(&b), DP_TIMEOUT_UDP - 52, DP_TIMEOUT_UDP - 50);
	edge_lab_wait_second();
	assert_int_equal(send_out(fixture.a, &a), 4000);
	b = binding(UDP, 4000, NULL);
	assert_in_range(time_left(&b), DP_TIMEOUT_UDP - 2, DP_TIMEOUT_UDP);
}

/* RFC 7857 2: how long TCP is kept, opening, open and closed. */
/* requirement: EDGE-1 */
static void test_tcp_times(void **state)
{
	/* clang-format off */
	static const struct {
		bool out;
		uint8_t flags;
		uint32_t left;
	} table[] = {
		{true, SYN, DP_TIMEOUT_TCP_OPENING},
		{false, SYN | ACK, DP_TIMEOUT_NAT},
		{true, ACK, DP_TIMEOUT_NAT},
		{false, FIN | ACK, DP_TIMEOUT_NAT},  /* half closed is open */
		{true, FIN | ACK, DP_TIMEOUT_TCP_CLOSING},
		{false, ACK, DP_TIMEOUT_TCP_CLOSING},
		{true, SYN, DP_TIMEOUT_TCP_OPENING},             /* the same ends begin anew */
		{false, RST | ACK, DP_TIMEOUT_TCP_RESET},
		{true, ACK, DP_TIMEOUT_TCP_RESET},               /* not revived */
	};
	/* clang-format on */
	struct edge_packet out = out_packet(TCP, A, 4000, WORLD, 80);
	struct edge_packet in = in_packet(TCP, WORLD, 80, 4000);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct edge_packet *p = table[i].out ? &out : &in;
		struct dp_binding b;

		p->flags = table[i].flags;
		if (table[i].out)
			send_out(fixture.a, p);
		else
			edge_lab_in(&fixture, fixture.a, p);
		b = binding(TCP, 4000, NULL);
		if (table[i].flags == SYN && i)
			continue; /* a binding is not shortened by what begins */
		assert_in_range(time_left(&b), table[i].left - 5, table[i].left);
	}
}

/* requirement: EDGE-1 */
static void test_other_protocols(void **state)
{
	struct edge_packet p = out_packet(47, A, 0, WORLD, 0);

	edge_lab_out_refused(&fixture, fixture.a, &p, DROP_NAT_PROTOCOL);
}

/* ---- fragments: RFC 4787 REQ-14 ---- */

enum { MORE = 0x2000, SECOND = 0x0010, THIRD = 0x2020 };

static struct frame assert_later(struct frame f, const char *src, const char *dst,
				 uint16_t fragment)
{
	frame_assert_addr4(&f, IP_AT + 12, src);
	frame_assert_addr4(&f, IP_AT + 16, dst);
	assert_int_equal(csum(f.b + IP_AT, 20), 0);
	assert_int_equal(frame_u16(&f, IP_AT + 6), fragment);
	return f;
}

/* The seconds since the first fragments have passed grow. */
static void age_fragments(uint32_t seconds)
{
	int fd = bpf_map__fd(bpf_host_of(fixture.lab.hosts[LAB_EDGE].dp)->skel->maps.fragments);
	struct dp_fragment_key key, next;
	struct dp_fragment_value value;

	for (void *at = NULL; !bpf_map_get_next_key(fd, at, &next); at = &key) {
		key = next;
		assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
		value.seen -= seconds;
		assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
	}
}

/* The first one is translated as any packet, the others follow it, in any order. */
/* requirement: EDGE-1 */
static void test_fragments(void **state)
{
	struct edge_packet out = out_packet(UDP, A, 4000, WORLD, 53), other;
	struct edge_packet in = in_packet(UDP, WORLD, 53, 4000);
	struct frame f;

	out.fragment = SECOND; /* nobody knows what it is about */
	edge_lab_out_refused(&fixture, fixture.a, &out, DROP_FRAGMENT);
	out.fragment = MORE;
	assert_int_equal(send_out(fixture.a, &out), 4000);
	out.fragment = THIRD;
	assert_later(edge_lab_out(&fixture, fixture.a, &out), PUBLIC, WORLD, THIRD);
	out.fragment = SECOND;
	assert_later(edge_lab_out(&fixture, fixture.a, &out), PUBLIC, WORLD, SECOND);
	other = out_packet(UDP, B, 4000, WORLD, 53); /* another node's packet of that number */
	other.fragment = SECOND;
	edge_lab_out_refused(&fixture, fixture.b, &other, DROP_FRAGMENT);
	other = out_packet(UDP, A, 4000, WORLD_2, 53);
	other.fragment = SECOND;
	edge_lab_out_refused(&fixture, fixture.a, &other, DROP_FRAGMENT);

	in.fragment = SECOND;
	edge_lab_in_refused(&fixture, &in, DROP_FRAGMENT);
	in.fragment = MORE;
	f = edge_lab_in(&fixture, fixture.a, &in);
	edge_assert(&f, WORLD, 53, A, 4000);
	in.fragment = SECOND;
	assert_later(edge_lab_in(&fixture, fixture.a, &in), WORLD, A, SECOND);
	age_fragments(DP_TIMEOUT_FRAGMENT + 1);
	edge_lab_in_refused(&fixture, &in, DROP_FRAGMENT);
	edge_lab_out_refused(&fixture, fixture.a, &out, DROP_FRAGMENT);
}

/* What is not let in is not let in by pieces. */
/* requirement: EDGE-1 */
static void test_unsolicited_fragments(void **state)
{
	struct edge_packet p = in_packet(UDP, WORLD, 53, 4000);

	p.fragment = MORE;
	edge_lab_in_refused(&fixture, &p, DROP_UNSOLICITED);
	p.fragment = SECOND;
	edge_lab_in_refused(&fixture, &p, DROP_FRAGMENT);
}

/* ---- hairpin: RFC 4787 REQ-9, from the address and port outside ---- */

/* requirement: EDGE-1 */
static void test_hairpin(void **state)
{
	struct edge_packet to_world = out_packet(UDP, B, 4001, WORLD, 53), p;
	struct dp_static_port web = {
		.protocol = UDP, .public_port = 8080, .port = 80, .addr = lab_addr(B)};
	struct frame f;

	send_out(fixture.b, &to_world);
	p = out_packet(UDP, A, 4000, PUBLIC, 4001);
	edge_lab_out_refused(&fixture, fixture.a, &p, DROP_UNSOLICITED); /* b has not asked */
	to_world = out_packet(UDP, B, 4001, PUBLIC, 4000);
	f = edge_lab_out(&fixture, fixture.b, &to_world);
	f = edge_lab_deliver(&fixture, fixture.a, &f); /* a has, by now */
	edge_assert(&f, PUBLIC, 4001, A, 4000);
	f = edge_lab_out(&fixture, fixture.a, &p);
	f = edge_lab_deliver(&fixture, fixture.b, &f);
	edge_assert(&f, PUBLIC, 4000, B, 4001);
	fixture.nat.n_statics = 1;
	fixture.nat.statics = &web;
	assert_int_equal(datapath_gateway_set(fixture.lab.hosts[LAB_EDGE].dp, &fixture.nat), 0);
	p = out_packet(UDP, A, 4000, PUBLIC, 8080);
	f = edge_lab_out(&fixture, fixture.a, &p);
	f = edge_lab_deliver(&fixture, fixture.b, &f);
	edge_assert(&f, PUBLIC, 4000, B, 80);
}

/* ---- ICMP errors: RFC 5508 4.2, 4.3 ---- */

/* The quoted packet in an error, as a frame. */
static struct frame quoted(const struct frame *error, size_t size)
{
	struct frame f = {.size = IP_AT + size};

	memcpy(f.b + IP_AT, error->b + EDGE_L4 + 8, size);
	return f;
}

static void assert_quoted(const struct frame *error, const char *src, uint16_t sport,
			  const char *dst, uint16_t dport)
{
	struct frame q = quoted(error, 28);

	assert_int_equal(csum(error->b + EDGE_L4, error->size - EDGE_L4), 0);
	assert_int_equal(csum(q.b + IP_AT, 20), 0);
	frame_assert_addr4(&q, IP_AT + 12, src);
	frame_assert_addr4(&q, IP_AT + 16, dst);
	if (q.b[IP_AT + 9] == ICMP) {
		assert_int_equal(frame_u16(&q, EDGE_L4 + 4), sport);
	} else {
		assert_int_equal(frame_u16(&q, EDGE_L4), sport);
		assert_int_equal(frame_u16(&q, EDGE_L4 + 2), dport);
	}
}

/* A router of the world says something about what a node sent, a node about what it got. */
/* requirement: EDGE-1 */
static void test_errors(void **state)
{
	static const uint8_t protocols[] = {TCP, UDP, ICMP};

	set_ports(2000, 2100); /* ports change */
	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct edge_packet p = out_packet(protocols[i], A, 4000, WORLD, 80);
		struct frame sent = edge_lab_out(&fixture, fixture.a, &p), error, wire, out;
		uint16_t port = edge_sport(&sent);

		error = edge_error(&fixture, NULL, "192.0.2.77", PUBLIC, &sent, 28);
		assert_int_equal(frame_from_world(&fixture.lab, &error, &wire), TC_ACT_REDIRECT);
		out = edge_lab_deliver(&fixture, fixture.a, &wire);
		frame_assert_addr4(&out, IP_AT + 12, "192.0.2.77");
		frame_assert_addr4(&out, IP_AT + 16, A);
		assert_quoted(&out, A, 4000, WORLD, 80);
		p = in_packet(protocols[i], WORLD, 80, port);
		sent = edge_lab_in(&fixture, fixture.a, &p);
		error = edge_error(&fixture, fixture.a, A, WORLD, &sent, 28);
		assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &error, &wire),
				 TC_ACT_REDIRECT);
		assert_int_equal(frame_from_wire(&fixture.lab, LAB_EDGE, &wire, &out),
				 TC_ACT_REDIRECT);
		frame_assert_addr4(&out, IP_AT + 12, PUBLIC);
		frame_assert_addr4(&out, IP_AT + 16, WORLD);
		assert_quoted(&out, WORLD, protocols[i] == ICMP ? port : 80, PUBLIC, port);
	}
}

/* The whole packet is quoted, and its checksum is right as well. */
/* requirement: EDGE-1 */
static void test_error_with_much_quoted(void **state)
{
	static const uint8_t protocols[] = {TCP, UDP, ICMP};

	set_ports(2000, 2100);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct edge_packet p = out_packet(protocols[i], A, 4000, WORLD, 80);
		struct frame sent = edge_lab_out(&fixture, fixture.a, &p), error, wire, out, q;

		error = edge_error(&fixture, NULL, WORLD, PUBLIC, &sent, sent.size - IP_AT);
		assert_int_equal(frame_from_world(&fixture.lab, &error, &wire), TC_ACT_REDIRECT);
		out = edge_lab_deliver(&fixture, fixture.a, &wire);
		assert_quoted(&out, A, 4000, WORLD, 80);
		q = quoted(&out, sent.size - IP_AT);
		frame_put_u16(&q, 12, 0x0800);
		edge_assert(&q, A, 4000, WORLD, 80);
	}
}

/* requirement: EDGE-1 */
static void test_forged_errors(void **state)
{
	struct edge_packet p = out_packet(UDP, A, 4000, WORLD, 80);
	struct frame sent = edge_lab_out(&fixture, fixture.a, &p), error, out;
	uint64_t before = lab_drops(&fixture.lab, LAB_EDGE, 0, DROP_UNSOLICITED);

	sent.b[EDGE_L4 + 3] ^= 1; /* about a packet to another port: nobody sent it */
	error = edge_error(&fixture, NULL, WORLD, PUBLIC, &sent, 28);
	frame_from_world(&fixture.lab, &error, &out);
	assert_int_equal(lab_drops(&fixture.lab, LAB_EDGE, 0, DROP_UNSOLICITED), before + 1);
}

/* ---- the gateway is a router ---- */

static void assert_told(const struct frame *f, const char *src, const char *dst, uint8_t type,
			uint8_t code)
{
	frame_assert_addr4(f, IP_AT + 12, src);
	frame_assert_addr4(f, IP_AT + 16, dst);
	assert_int_equal(csum(f->b + IP_AT, 20), 0);
	assert_int_equal(f->b[EDGE_L4], type);
	assert_int_equal(f->b[EDGE_L4 + 1], code);
	assert_int_equal(csum(f->b + EDGE_L4, f->size - EDGE_L4), 0);
}

/* requirement: EDGE-1 */
/* requirement: PKT-9 */
static void test_too_old(void **state)
{
	struct edge_packet p = out_packet(UDP, A, 4000, WORLD, 80);
	struct frame f;
	struct frame in, out;

	send_out(fixture.a, &p);
	p.ttl = 2; /* one for the router */
	f = edge_lab_out(&fixture, fixture.a, &p);
	f = edge_lab_deliver(&fixture, fixture.a, &f);
	assert_told(&f, PUBLIC, A, 11, 0);
	assert_quoted(&f, A, 4000, WORLD, 80);
	p = in_packet(UDP, WORLD, 80, 4000);
	p.ttl = 1;
	in = edge_frame(&fixture, NULL, &p);
	assert_int_equal(frame_from_world(&fixture.lab, &in, &out), TC_ACT_REDIRECT);
	assert_told(&out, PUBLIC, WORLD, 11, 0);
	assert_quoted(&out, WORLD, 80, PUBLIC, 4000);
}

/* A packet that the way to the node does not carry: the world is told what it does. */
/* requirement: PKT-9 */
static void test_too_big(void **state)
{
	struct edge_packet p = out_packet(UDP, A, 4000, WORLD, 80);
	struct frame in, out;

	send_out(fixture.a, &p);
	p = in_packet(UDP, WORLD, 80, 4000);
	p.payload = 1453;
	in = edge_frame(&fixture, NULL, &p);
	assert_int_equal(frame_from_world(&fixture.lab, &in, &out), TC_ACT_REDIRECT);
	assert_told(&out, PUBLIC, WORLD, 3, 4);
	assert_int_equal(frame_u16(&out, EDGE_L4 + 6), 1480);
	p.payload = 1452;
	edge_lab_in(&fixture, fixture.a, &p);
}

/* ---- who may use a gateway ---- */

/* requirement: MAP-4 */
static void test_source_is_verified(void **state)
{
	struct edge_packet p = out_packet(UDP, A, 4000, WORLD, 80);
	struct frame f = edge_frame(&fixture, fixture.a, &p), wire;

	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &wire), TC_ACT_REDIRECT);
	lab_map(&fixture.lab, LAB_VNI, A, 1, DP_MAPPING_LIVE);
	frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, 0, &wire, DROP_SPOOF);
	lab_map(&fixture.lab, LAB_VNI, A, 0, DP_MAPPING_LIVE);
	edge_lab_out(&fixture, fixture.a, &p);
	assert_int_equal(datapath_gateway_delete(fixture.lab.hosts[LAB_EDGE].dp, EDGE_NAT), 0);
	frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, 0, &wire, DROP_HANDLE);
	fixture.nat.vni = LAB_VNI + 1; /* another customer's now */
	assert_int_equal(datapath_gateway_set(fixture.lab.hosts[LAB_EDGE].dp, &fixture.nat), 0);
	frame_assert_dropped_from_wire(&fixture.lab, LAB_EDGE, 0, &wire, DROP_VNI);
	fixture.nat.vni = LAB_VNI;
}

/* ---- the contract ---- */

static int count(uint32_t handle, void *data)
{
	++*(int *)data;
	return 0;
}

/* requirement: EDGE-1 */
static void test_contract(void **state)
{
	struct datapath *dp = fixture.lab.hosts[LAB_EDGE].dp;
	struct edge_packet p = out_packet(UDP, A, 4000, WORLD, 80);
	struct dp_gateway bad = fixture.nat;
	struct dp_gateway_counters c;
	int n = 0;

	send_out(fixture.a, &p);
	bad.handle = LAB_VNI;
	assert_int_equal(datapath_gateway_set(dp, &bad), -EINVAL);
	bad.handle = EDGE_NAT + 1;
	assert_int_equal(datapath_gateway_set(dp, &bad), -EEXIST); /* the address is taken */
	bad.public = lab_addr("198.51.100.101");
	bad.port_first = 5;
	bad.port_last = 4;
	assert_int_equal(datapath_gateway_set(dp, &bad), -EINVAL);
	assert_int_equal(datapath_gateway_set(fixture.lab.hosts[0].dp, &fixture.nat), -EOPNOTSUPP);
	assert_int_equal(datapath_gateway_delete(dp, EDGE_NAT + 1), -ENOENT);
	assert_int_equal(datapath_gateways(dp, count, &n), 0);
	assert_int_equal(n, 2);
	fixture.lab.hosts[LAB_EDGE].dp = datapath_close(dp); /* a new agent: sessions go on */
	lab_open(&fixture.lab, LAB_EDGE);
	dp = fixture.lab.hosts[LAB_EDGE].dp;
	assert_int_equal(datapath_gateway_set(dp, &fixture.nat), 0);
	answer(fixture.a, UDP, WORLD, 80, 4000, A, 4000);
	assert_int_equal(datapath_gateway_counters(dp, EDGE_NAT, &c), 0);
	assert_int_equal(c.in_packets, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_round_trips_siit_2, reset),
		cmocka_unit_test_setup(test_round_trips_siit_1, reset),
		cmocka_unit_test_setup(test_no_checksum, reset),
		cmocka_unit_test_setup(test_node_of_the_edge, reset),
		cmocka_unit_test_setup(test_endpoint_independent, reset),
		cmocka_unit_test_setup(test_unsolicited, reset),
		cmocka_unit_test_setup(test_static_ports, reset),
		cmocka_unit_test_setup(test_static_ports_to_the_same, reset),
		cmocka_unit_test_setup(test_ports_run_out, reset),
		cmocka_unit_test_setup(test_expired, reset),
		cmocka_unit_test_setup(test_kept_for_a_second, reset),
		cmocka_unit_test_setup(test_tcp_times, reset),
		cmocka_unit_test_setup(test_other_protocols, reset),
		cmocka_unit_test_setup(test_fragments, reset),
		cmocka_unit_test_setup(test_unsolicited_fragments, reset),
		cmocka_unit_test_setup(test_hairpin, reset),
		cmocka_unit_test_setup(test_errors, reset),
		cmocka_unit_test_setup(test_error_with_much_quoted, reset),
		cmocka_unit_test_setup(test_forged_errors, reset),
		cmocka_unit_test_setup(test_too_old, reset),
		cmocka_unit_test_setup(test_too_big, reset),
		cmocka_unit_test_setup(test_source_is_verified, reset),
		cmocka_unit_test_setup(test_contract, reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
