/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An address on several hosts, seen from an edge: what comes from the world is spread and stays
 * where it began, and what its nodes begin outside is answered to them.  10.0.1.10 is on host 1, on
 * a host 3 that is a locator, and, in one test, on the edge itself.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/spread.h"
#include "abi/substrate.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "edge_lab.h"
#include "spread_lab.h"

enum {
	SYN = 2,
	ACK = 0x10,
	TCP = IPPROTO_TCP,
	UDP = IPPROTO_UDP,
	FLOWS = 150,
	DST_AT = IP_AT + 24
};

#define A        "10.0.1.10"
#define WORLD    "203.0.113.1"
#define PUBLIC_A "198.51.100.10"

static struct edge_lab fixture;

static struct datapath *edge(void)
{
	return fixture.lab.hosts[LAB_EDGE].dp;
}

/* The edge knows the address at these hosts, bit 0 the edge itself. */
static void spread(uint32_t hosts)
{
	spread_map(edge(), A, hosts);
}

static int set_up(void **state)
{
	edge_lab_init(&fixture, FORMAT_SIIT_2);
	edge_lab_route(&fixture, EDGE_IGW);
	spread_add_peer(edge(), 3);
	spread_add_peer(edge(), 4);
	edge_lab_public(&fixture, fixture.a, PUBLIC_A);
	return 0;
}

static int tear_down(void **state)
{
	edge_lab_deinit(&fixture);
	return 0;
}

static int reset(void **state)
{
	spread_forget_pins(edge());
	edge_lab_route(&fixture, EDGE_IGW);
	spread(1 << 1 | 1 << 3);
	return 0;
}

static uint32_t send_frame(const struct frame *f)
{
	struct frame out;
	uint8_t locator[16] = {};
	int verdict = frame_from_world(&fixture.lab, f, &out);

	if (verdict != TC_ACT_REDIRECT)
		lab_explain(&fixture.lab);
	assert_int_equal(verdict, TC_ACT_REDIRECT);
	if (frame_u16(&out, 12) == 0x0800) {
		assert_memory_equal(out.b, fixture.c->port.mac.b, 6);
		return 0;
	}
	memcpy(locator, out.b + DST_AT, 7);
	for (uint32_t id = 1; id < 5; id++) {
		struct ipaddr a = lab_addr(spread_locators[id]);

		if (!memcmp(locator, a.b, 7))
			return id;
	}
	fail_msg("to no host");
	return 0;
}

/* From the world: which host gets it. */
static uint32_t send_in(const struct edge_packet *p)
{
	struct frame f = edge_frame(&fixture, NULL, p);

	return send_frame(&f);
}

static struct edge_packet packet(uint8_t protocol, uint16_t port, uint8_t flags)
{
	return (struct edge_packet){.protocol = protocol,
				    .src = WORLD,
				    .dst = PUBLIC_A,
				    .sport = port,
				    .dport = 80,
				    .flags = flags,
				    .payload = 40};
}

static uint32_t begin(uint8_t protocol, uint16_t port)
{
	struct edge_packet p = packet(protocol, port, protocol == IPPROTO_ICMP ? 8 : SYN);
	size_t n = spread_count_pins(edge());
	uint32_t host;

	do
		host = send_in(&p);
	while (spread_count_pins(edge()) == n);
	return host;
}

static uint32_t go_on(uint8_t protocol, uint16_t port)
{
	struct edge_packet p = packet(protocol, port, protocol == IPPROTO_ICMP ? 8 : ACK);

	return send_in(&p);
}

/* requirement: NIC-4 EDGE-1 */
static void test_connections_from_the_world_stay(void **state)
{
	static const uint8_t protocols[] = {TCP, UDP, IPPROTO_ICMP};

	for (size_t p = 0; p < ARRAY_SIZE(protocols); p++) {
		uint32_t host[FLOWS], of[5] = {}, new = 0;

		spread(1 << 1 | 1 << 3);
		for (uint16_t i = 0; i < FLOWS; i++) {
			host[i] = begin(protocols[p], 1000 + i);
			of[host[i]]++;
			assert_int_equal(go_on(protocols[p], 1000 + i), host[i]);
		}
		assert_in_range(of[1], FLOWS / 3, FLOWS * 2 / 3);
		assert_in_range(of[3], FLOWS / 3, FLOWS * 2 / 3);
		spread(1 << 1 | 1 << 3 | 1 << 4);
		for (uint16_t i = 0; i < FLOWS; i++)
			assert_int_equal(go_on(protocols[p], 1000 + i), host[i]);
		for (uint16_t i = 0; i < FLOWS; i++)
			new += begin(protocols[p], 5000 + i) == 4;
		assert_in_range(new, FLOWS / 5, FLOWS / 2);
		spread(1 << 3 | 1 << 4);
		for (uint16_t i = 0; i < FLOWS; i++)
			if (host[i] != 1)
				assert_int_equal(go_on(protocols[p], 1000 + i), host[i]);
			else
				assert_int_not_equal(go_on(protocols[p], 1000 + i), 1);
	}
}

/* By its public address and behind a NAT gateway.
 * requirement: NIC-4 EDGE-1 */
static void test_answers_reach_who_began(void **state)
{
	static const uint32_t gateways[] = {EDGE_IGW, EDGE_NAT};

	for (size_t g = 0; g < ARRAY_SIZE(gateways); g++) {
		reset(state);
		edge_lab_route(&fixture, gateways[g]);
		for (uint16_t i = 0; i < FLOWS; i++) {
			struct edge_packet o = {.protocol = TCP,
						.src = A,
						.dst = WORLD,
						.sport = (uint16_t)(3000 + i),
						.dport = 443,
						.flags = SYN,
						.payload = 40};
			struct frame f = edge_lab_out(&fixture, fixture.a, &o);
			struct edge_packet back = {.protocol = TCP,
						   .src = WORLD,
						   .dst = g ? EDGE_NAT_PUBLIC : PUBLIC_A,
						   .sport = 443,
						   .dport = edge_sport(&f),
						   .flags = SYN | ACK,
						   .payload = 40};

			assert_int_equal(send_in(&back), 1);
		}
		assert_int_equal(spread_count_pins(edge()), FLOWS);
	}
}

/* requirement: NIC-4 */
static void test_fragments_from_the_world(void **state)
{
	for (uint16_t i = 0; i < FLOWS; i++) {
		struct edge_packet first = packet(UDP, 1000 + i, 0), later;
		struct frame f;
		uint32_t host;
		size_t n = spread_count_pins(edge());

		first.fragment = 0x2000;
		later = first;
		later.fragment = 0x2005;
		f = edge_frame(&fixture, NULL, &first);
		frame_put_u16(&f, IP_AT + 4, (uint16_t)(i + 1));
		frame_fix_ip(&f);
		do
			host = send_frame(&f);
		while (spread_count_pins(edge()) < n + 2);
		f = edge_frame(&fixture, NULL, &later);
		frame_put_u16(&f, IP_AT + 4, (uint16_t)(i + 1));
		frame_fix_ip(&f);
		assert_int_equal(send_frame(&f), host);
	}
}

/* requirement: NIC-4 */
static void test_errors_from_the_world(void **state)
{
	uint32_t host[FLOWS];

	for (uint16_t i = 0; i < FLOWS; i++)
		host[i] = begin(UDP, 1000 + i);
	spread(1 << 1 | 1 << 3 | 1 << 4);
	for (uint16_t i = 0; i < FLOWS; i++) {
		/* about an answer that the world has got */
		struct edge_packet answer = {.protocol = UDP,
					     .src = PUBLIC_A,
					     .dst = WORLD,
					     .sport = 80,
					     .dport = (uint16_t)(1000 + i),
					     .payload = 40};
		struct frame sent = edge_frame(&fixture, NULL, &answer);
		struct frame error = edge_error(&fixture, NULL, "192.0.2.77", PUBLIC_A, &sent,
						sent.size - IP_AT);

		assert_int_equal(send_frame(&error), host[i]);
	}
}

/* requirement: NIC-4 */
static void test_the_edge_has_a_node_of_it(void **state)
{
	struct lab_node *c = fixture.c;
	uint32_t host[FLOWS], of[5] = {};

	c->port.addrs[c->port.n_addrs++] = lab_addr(A);
	c->port.shared = true;
	lab_set_port(&fixture.lab, LAB_EDGE, &c->port);
	spread(1 << 0 | 1 << 1 | 1 << 3);
	for (uint16_t i = 0; i < FLOWS; i++) {
		host[i] = begin(TCP, 1000 + i);
		of[host[i]]++;
	}
	assert_in_range(of[0], FLOWS / 5, FLOWS / 2);
	assert_in_range(of[1], FLOWS / 5, FLOWS / 2);
	assert_in_range(of[3], FLOWS / 5, FLOWS / 2);
	spread(1 << 0 | 1 << 1 | 1 << 3 | 1 << 4);
	for (uint16_t i = 0; i < FLOWS; i++)
		assert_int_equal(go_on(TCP, 1000 + i), host[i]);
	c->port.n_addrs--;
	c->port.shared = false;
	lab_set_port(&fixture.lab, LAB_EDGE, &c->port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_connections_from_the_world_stay, reset),
		cmocka_unit_test_setup(test_answers_reach_who_began, reset),
		cmocka_unit_test_setup(test_fragments_from_the_world, reset),
		cmocka_unit_test_setup(test_errors_from_the_world, reset),
		cmocka_unit_test_setup(test_the_edge_has_a_node_of_it, reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
