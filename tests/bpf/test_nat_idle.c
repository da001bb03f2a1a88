/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a NAT gateway keeps what is answered, and what it says to who goes on with what it has
 * forgotten. The lab of edge_lab.h: a on host 1, c on the edge.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/gateway.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "edge_lab.h"
#include "net/csum.h"

enum {
	FIN = 1,
	SYN = 2,
	RST = 4,
	ACK = 16,
	PORT = 4000,
	WEB = 80,
	WAIT_MS = 60000,
};

#define A     "10.0.1.10"
#define WORLD "203.0.113.1"

static struct edge_lab fixture;

static int set_up(void **state)
{
	edge_lab_init(&fixture, FORMAT_SIIT_2);
	edge_lab_route(&fixture, EDGE_NAT);
	return 0;
}

static int tear_down(void **state)
{
	edge_lab_deinit(&fixture);
	return 0;
}

static int reset(void **state)
{
	edge_lab_forget(&fixture);
	return 0;
}

/* ---- the gateway's sessions and bindings ---- */

static uint32_t row(void)
{
	struct viaduct *skel = bpf_host_of(fixture.lab.hosts[LAB_EDGE].dp)->skel;
	struct dp_handle_value gateway;
	uint32_t handle = EDGE_NAT;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(skel->maps.handles), &handle, &gateway),
			 0);
	return gateway.row;
}

static int table_of(const struct bpf_map *outer)
{
	uint32_t at = row(), id;
	int fd;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(outer), &at, &id), 0);
	fd = bpf_map_get_fd_by_id(id);
	assert_true(fd >= 0);
	return fd;
}

/* What the only session has left, in seconds; it and its binding have 'less' of them then. */
static int32_t session_left(uint32_t less)
{
	struct viaduct *skel = bpf_host_of(fixture.lab.hosts[LAB_EDGE].dp)->skel;
	int fd = table_of(skel->maps.sessions), ports = table_of(skel->maps.bindings);
	struct dp_session_value value;
	struct dp_session_key key, second;
	struct dp_binding b;
	struct timespec now;
	uint32_t at;
	int32_t left;

	assert_int_equal(bpf_map_get_next_key(fd, NULL, &key), 0);
	assert_int_equal(bpf_map_get_next_key(fd, &key, &second), -ENOENT);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	left = (int32_t)(value.expires - (uint32_t)now.tv_sec);
	value.expires -= less;
	assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
	at = (key.protocol == IPPROTO_UDP ? 65536U : 0U) + ntohs(key.here_port);
	assert_int_equal(bpf_map_lookup_elem(ports, &at, &b), 0);
	b.expires -= less;
	assert_int_equal(bpf_map_update_elem(ports, &at, &b, BPF_ANY), 0);
	close(fd);
	close(ports);
	edge_lab_next_second(&fixture);
	return left;
}

/* As though more recent ones had pushed it out. */
static void session_push_out(void)
{
	struct viaduct *skel = bpf_host_of(fixture.lab.hosts[LAB_EDGE].dp)->skel;
	int fd = table_of(skel->maps.sessions);
	struct dp_session_key key;

	assert_int_equal(bpf_map_get_next_key(fd, NULL, &key), 0);
	assert_int_equal(bpf_map_delete_elem(fd, &key), 0);
	close(fd);
	edge_lab_next_second(&fixture);
}

/* ---- packets ---- */

static struct edge_packet from_a(uint8_t protocol, uint8_t flags)
{
	return (struct edge_packet){.protocol = protocol,
				    .src = A,
				    .dst = WORLD,
				    .sport = PORT,
				    .dport = WEB,
				    .flags = flags,
				    .payload = 100};
}

/* Begins a connection of a's, answered by the world; the port outside. */
static uint16_t converse(uint8_t protocol)
{
	struct edge_packet out = from_a(protocol, protocol == IPPROTO_TCP ? SYN : 0), in = out;
	struct frame f = edge_lab_out(&fixture, fixture.a, &out);

	in.src = WORLD;
	in.dst = EDGE_NAT_PUBLIC;
	in.sport = WEB;
	in.dport = edge_sport(&f);
	in.flags = protocol == IPPROTO_TCP ? SYN | ACK : 0;
	f = edge_lab_in(&fixture, fixture.a, &in);
	edge_assert(&f, WORLD, WEB, A, PORT);
	return in.dport;
}

/* requirement: EDGE-1 */
static void test_350_seconds(void **state)
{
	const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

	assert_int_equal(DP_TIMEOUT_NAT, 350);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct edge_packet p = from_a(protocols[i], ACK);
		uint16_t port;

		reset(state);
		port = converse(protocols[i]);
		assert_in_range(session_left(DP_TIMEOUT_NAT - 10), DP_TIMEOUT_NAT - 5,
				DP_TIMEOUT_NAT);
		/* a packet in time, and it begins anew */
		edge_lab_out(&fixture, fixture.a, &p);
		assert_in_range(session_left(DP_TIMEOUT_NAT + 1), DP_TIMEOUT_NAT - 5,
				DP_TIMEOUT_NAT);
		/* and is over for the world */
		p = (struct edge_packet){.protocol = protocols[i],
					 .src = WORLD,
					 .dst = EDGE_NAT_PUBLIC,
					 .sport = WEB,
					 .dport = port,
					 .flags = ACK};
		edge_lab_in_refused(&fixture, &p, DROP_UNSOLICITED);
	}
}

/* What a hears when it sends a segment that belongs to nothing, with these numbers. */
static struct frame told(uint8_t flags, uint32_t seq, uint32_t ack, uint16_t payload)
{
	struct edge_packet p = from_a(IPPROTO_TCP, flags);
	struct frame f, wire, out;

	p.payload = payload;
	f = edge_frame(&fixture, fixture.a, &p);
	frame_put_u32(&f, EDGE_L4 + 4, seq);
	frame_put_u32(&f, EDGE_L4 + 8, ack);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &wire), TC_ACT_REDIRECT);
	assert_int_equal(frame_from_wire(&fixture.lab, LAB_EDGE, &wire, &out), TC_ACT_REDIRECT);
	return edge_lab_deliver(&fixture, fixture.a, &out);
}

/* RFC 9293 3.10.7.1: the reset is in the window of whoever sent the segment.  requirement:
 * EDGE-1 */
static void test_reset(void **state)
{
	/* clang-format off */
	static const struct {
		uint8_t flags;
		uint32_t seq, ack;
		uint16_t payload;
		uint8_t answer;
		uint32_t answer_seq, answer_ack;
	} table[] = {
		{ACK,       1000, 77,         100, RST,       77,         0},
		{ACK,       1000, 0xffffffff, 0,   RST,       0xffffffff, 0},
		{FIN | ACK, 1000, 78,         0,   RST,       78,         0},
		{SYN | ACK, 1000, 79,         0,   RST,       79,         0},
		{FIN,       1000, 5,          7,   RST | ACK, 0,          1008},
		{0,   0xffffffff, 5,          10,  RST | ACK, 0,          9},
	};
	/* clang-format on */

	converse(IPPROTO_TCP);
	session_left(DP_TIMEOUT_NAT + 1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t before = lab_drops(&fixture.lab, LAB_EDGE, 0, DROP_CONNECTION_STATE);
		struct frame f = told(table[i].flags, table[i].seq, table[i].ack, table[i].payload);

		assert_int_equal(lab_drops(&fixture.lab, LAB_EDGE, 0, DROP_CONNECTION_STATE),
				 before + 1);
		assert_int_equal(f.size, EDGE_L4 + 20);
		assert_int_equal(frame_u16(&f, IP_AT + 2), 40);
		assert_int_equal(csum(f.b + IP_AT, 20), 0);
		edge_assert(&f, WORLD, WEB, A, PORT); /* and its checksum is right */
		assert_int_equal(f.b[EDGE_L4 + 12], 5 << 4);
		assert_int_equal(f.b[EDGE_L4 + 13], table[i].answer);
		assert_int_equal(frame_u32(&f, EDGE_L4 + 4), table[i].answer_seq);
		assert_int_equal(frame_u32(&f, EDGE_L4 + 8), table[i].answer_ack);
	}
}

/* What a reset is not for.  requirement: EDGE-1 */
static void test_no_reset(void **state)
{
	struct edge_packet p = from_a(IPPROTO_TCP, RST);
	struct frame f, wire, out;

	/* a reset is never answered with one */
	f = edge_frame(&fixture, fixture.a, &p);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &wire), TC_ACT_REDIRECT);
	assert_int_equal(frame_from_wire(&fixture.lab, LAB_EDGE, &wire, &out), TC_ACT_SHOT);
	/* UDP begins anew at any time, and so does a connection */
	converse(IPPROTO_UDP);
	session_left(DP_TIMEOUT_NAT + 1);
	p = from_a(IPPROTO_UDP, 0);
	edge_lab_out(&fixture, fixture.a, &p);
	reset(state);
	converse(IPPROTO_TCP);
	session_left(DP_TIMEOUT_NAT + 1);
	p = from_a(IPPROTO_TCP, SYN);
	edge_lab_out(&fixture, fixture.a, &p);
	/* one that was pushed out, not forgotten: its port is its own still */
	reset(state);
	converse(IPPROTO_TCP);
	session_push_out();
	p = from_a(IPPROTO_TCP, ACK);
	edge_lab_out(&fixture, fixture.a, &p);
}

/* Who serves by a static port answers connections that the gateway need not know.  requirement:
 * EDGE-1 */
static void test_a_static_port_answers(void **state)
{
	struct dp_static_port web = {
		.protocol = IPPROTO_TCP, .public_port = 8080, .port = PORT, .addr = lab_addr(A)};
	struct edge_packet p = from_a(IPPROTO_TCP, SYN | ACK);
	struct frame f;

	fixture.nat.statics = &web;
	fixture.nat.n_statics = 1;
	assert_int_equal(datapath_gateway_set(fixture.lab.hosts[LAB_EDGE].dp, &fixture.nat), 0);
	f = edge_lab_out(&fixture, fixture.a, &p);
	assert_int_equal(edge_sport(&f), 8080);
}

/* ---- real connections ---- */

static int tcp_in(int netns)
{
	struct timeval wait = {.tv_sec = WAIT_MS / 1000};
	int fd, yes = 1;

	lab_enter(&fixture.lab, netns);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	lab_enter(&fixture.lab, -1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)), 0);
	return fd;
}

/* A node's kernel has the checksum of what it sends still to be filled in; the reset ends its
 * connection at once, on another host and on the edge itself.  requirement: EDGE-1 */
static void test_real_connections(void **state)
{
	const struct lab_node *nodes[] = {fixture.a, fixture.c};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(WEB)};
	char text[2000] = "more than one segment";
	int listener = tcp_in(fixture.lab.world);

	assert_int_equal(inet_pton(AF_INET, WORLD, &at.sin_addr), 1);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 1), 0);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		int fd = tcp_in(nodes[i]->netns), there;

		reset(state);
		if (connect(fd, (struct sockaddr *)&at, sizeof(at))) {
			lab_explain(&fixture.lab);
			fail_msg("connect: %s", strerror(errno));
		}
		there = accept(listener, NULL, NULL);
		assert_true(there >= 0);
		assert_int_equal(send(fd, text, sizeof(text), MSG_NOSIGNAL), sizeof(text));
		assert_int_equal(recv(there, text, sizeof(text), MSG_WAITALL), sizeof(text));
		assert_int_equal(send(there, text, 1, MSG_NOSIGNAL), 1);
		assert_int_equal(recv(fd, text, 1, 0), 1);
		session_left(DP_TIMEOUT_TCP_ESTABLISHED);
		/* an acknowledgement of its own may have been the first to be told */
		if (send(fd, text, i ? sizeof(text) : 1, MSG_NOSIGNAL) > 0)
			assert_int_equal(recv(fd, text, 1, 0), -1);
		assert_int_equal(errno, ECONNRESET);
		close(there);
		close(fd);
	}
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_350_seconds, reset),
		cmocka_unit_test_setup(test_reset, reset),
		cmocka_unit_test_setup(test_no_reset, reset),
		cmocka_unit_test_setup(test_a_static_port_answers, reset),
		cmocka_unit_test_setup(test_real_connections, reset),
	};

	return cmocka_run_group_tests_name("nat_idle", tests, set_up, tear_down);
}
