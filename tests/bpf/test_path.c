/* SPDX-License-Identifier: Apache-2.0 */
/* The whole path between nodes: real sockets over the real programs. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "sockets.h"

enum {
	PORT = 5000,
	BULK = 8 << 20,
};

static struct lab lab; /* each test with nodes of its own */

static void await(int fd)
{
	/* the kernel may be making sure of its own address on the wire first (DAD) */
	bool there = sockets_readable(fd, SOCKETS_WAIT_MS);

	if (!there)
		lab_explain(&lab);
	assert_true(there);
}

static int bound(const struct lab_node *n, const char *addr, int type)
{
	return sockets_open(&lab, n->netns, type, addr, PORT);
}

/* A datagram of 'size' goes from one to the other and back. */
static void exchange(const struct lab_node *from, const char *from_addr, const struct lab_node *to,
		     const char *to_addr, size_t size)
{
	int a = bound(from, from_addr, SOCK_DGRAM), b = bound(to, to_addr, SOCK_DGRAM);
	struct sockaddr_in there = sockets_at(to_addr, PORT), who = {};
	socklen_t n = sizeof(who);
	char sent[2000], got[2000];

	memset(sent, 'x', sizeof(sent));
	assert_int_equal(sendto(a, sent, size, 0, (struct sockaddr *)&there, sizeof(there)),
			 (ssize_t)size);
	await(b);
	assert_int_equal(recvfrom(b, got, sizeof(got), 0, (struct sockaddr *)&who, &n),
			 (ssize_t)size);
	assert_memory_equal(sent, got, size);
	assert_int_equal(who.sin_addr.s_addr, sockets_at(from_addr, 0).sin_addr.s_addr);
	assert_int_equal(sendto(b, got, size, 0, (struct sockaddr *)&who, sizeof(who)),
			 (ssize_t)size);
	await(a);
	assert_int_equal(recv(a, got, sizeof(got), 0), (ssize_t)size);
	close(a);
	close(b);
}

static void stream(const struct lab_node *from, const struct lab_node *to, const char *to_addr)
{
	sockets_stream(bound(to, to_addr, SOCK_STREAM),
		       sockets_open(&lab, from->netns, SOCK_STREAM, NULL, 0), to_addr, PORT, BULK);
}

/* Two nodes of one subnet on two hosts, two on one host, one in another subnet. */
static void check_topology(enum format format)
{
	struct lab_node *a, *b, *c, *d;

	lab_reset(&lab, format);
	lab_subnet(&lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
	lab_subnet(&lab, LAB_VNI, "10.0.2.0/24", "10.0.2.1", "10.0.0.2");
	a = lab_node(&lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	b = lab_node(&lab, 1, LAB_VNI, "10.0.1.11", "10.0.1.1");
	c = lab_node(&lab, 0, LAB_VNI, "10.0.1.12", "10.0.1.1");
	d = lab_node(&lab, 1, LAB_VNI, "10.0.2.13", "10.0.2.1");
	lab_map(&lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	lab_map(&lab, LAB_VNI, "10.0.1.12", 0, DP_MAPPING_LIVE);
	lab_map(&lab, LAB_VNI, "10.0.2.13", 1, DP_MAPPING_LIVE);
	for (int round = 0; round < 3; round++) { /* the first fills the flow cache */
		exchange(a, "10.0.1.10", b, "10.0.1.11", 100);
		exchange(a, "10.0.1.10", b, "10.0.1.11", 1402);
		exchange(a, "10.0.1.10", c, "10.0.1.12", 100);
		exchange(a, "10.0.1.10", d, "10.0.2.13", 100);
		exchange(d, "10.0.2.13", c, "10.0.1.12", 1);
		exchange(a, "10.0.1.10", b, "10.0.1.11", 1800); /* fragments */
	}
	stream(a, b, "10.0.1.11");
	stream(d, a, "10.0.1.10");
	stream(c, a, "10.0.1.10");
}

/* requirement: PKT-2 */
/* requirement: PKT-5 */
/* requirement: PKT-7 */
static void test_siit_2(void **state)
{
	check_topology(FORMAT_SIIT_2);
}

/* requirement: PKT-2 */
static void test_siit_1(void **state)
{
	check_topology(FORMAT_SIIT_1);
}

/* requirement: PKT-3 */
static void test_ipip6(void **state)
{
	check_topology(FORMAT_IPIP6_1);
}

/* requirement: PKT-3 */
static void test_vxlan(void **state)
{
	check_topology(FORMAT_VXLAN_1);
}

/* requirement: PKT-16 */
static void test_reip4(void **state)
{
	check_topology(FORMAT_REIP4_1);
}

/* Two networks with the same addresses on the same two hosts: each talks to its own. */
/* requirement: PKT-4 */
static void test_same_addresses_in_two_networks(void **state)
{
	const uint32_t other = LAB_VNI + 1;
	struct lab_node *a, *b, *x, *y;
	int at_b, at_y, from_a;
	struct sockaddr_in there = sockets_at("10.0.1.11", PORT);
	char byte;

	lab_reset(&lab, FORMAT_SIIT_2);
	for (uint32_t vni = LAB_VNI; vni <= other; vni++)
		lab_subnet(&lab, vni, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
	a = lab_node(&lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	b = lab_node(&lab, 1, LAB_VNI, "10.0.1.11", "10.0.1.1");
	x = lab_node(&lab, 0, other, "10.0.1.10", "10.0.1.1");
	y = lab_node(&lab, 1, other, "10.0.1.11", "10.0.1.1");
	for (uint32_t vni = LAB_VNI; vni <= other; vni++) {
		lab_map(&lab, vni, "10.0.1.10", 0, DP_MAPPING_LIVE);
		lab_map(&lab, vni, "10.0.1.11", 1, DP_MAPPING_LIVE);
	}
	for (int round = 0; round < 3; round++) {
		exchange(a, "10.0.1.10", b, "10.0.1.11", 10);
		exchange(x, "10.0.1.10", y, "10.0.1.11", 10);
	}
	at_b = bound(b, "10.0.1.11", SOCK_DGRAM);
	at_y = bound(y, "10.0.1.11", SOCK_DGRAM);
	from_a = bound(a, "10.0.1.10", SOCK_DGRAM);
	assert_int_equal(sendto(from_a, "x", 1, 0, (struct sockaddr *)&there, sizeof(there)), 1);
	await(at_b);
	assert_int_equal(recv(at_y, &byte, 1, MSG_DONTWAIT), -1);
	close(at_b);
	close(at_y);
	close(from_a);
}

/* The neighbour on the wire is not resolved yet: the kernel does it, and the packet still goes. */
/* requirement: PKT-2 */
static void test_unresolved_next_hop(void **state)
{
	struct lab_node *a, *b;

	lab_reset(&lab, FORMAT_SIIT_2);
	lab_subnet(&lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
	a = lab_node(&lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	b = lab_node(&lab, 1, LAB_VNI, "10.0.1.11", "10.0.1.1");
	lab_map(&lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	for (int i = 0; i < LAB_HOSTS; i++) {
		struct dp_nexthop n = {.id = 1,
				       .ifindex = lab.hosts[i].config.substrate_ifindex,
				       .gateway = lab.hosts[!i].config.v6};

		assert_int_equal(datapath_nexthop_set(lab.hosts[i].dp, &n), 0);
	}
	for (int round = 0; round < 3; round++)
		exchange(a, "10.0.1.10", b, "10.0.1.11", 10);
	stream(a, b, "10.0.1.11");
}

/* Drops of 'reason' on host 2, at its wire and at b's port; waits until there is another. */
static void await_drop(const struct lab_node *b, int from, uint32_t reason)
{
	struct sockaddr_in there = sockets_at("10.0.1.11", PORT);
	uint64_t before = lab_drops(&lab, 1, 0, reason) + lab_drops(&lab, 1, b->port.id, reason);

	assert_int_equal(sendto(from, "x", 1, 0, (struct sockaddr *)&there, sizeof(there)), 1);
	for (int i = 0; i < SOCKETS_WAIT_MS; i++) {
		if (lab_drops(&lab, 1, 0, reason) + lab_drops(&lab, 1, b->port.id, reason) > before)
			return;
		poll(NULL, 0, 1);
	}
	lab_explain(&lab);
	fail();
}

/* What arrives by vxlan is judged as what is re-headed. */
/* requirement: MAP-4 */
/* requirement: NEG-6 */
static void test_vxlan_refusals(void **state)
{
	struct dp_peer other = {.id = 9, .accept = FORMAT_BIT(FORMAT_VXLAN_1)};
	struct lab_node *a, *b;
	int from;

	lab_reset(&lab, FORMAT_VXLAN_1);
	lab_subnet(&lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
	a = lab_node(&lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	b = lab_node(&lab, 1, LAB_VNI, "10.0.1.11", "10.0.1.1");
	lab_map(&lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	exchange(a, "10.0.1.10", b, "10.0.1.11", 10);
	from = bound(a, "10.0.1.10", SOCK_DGRAM);
	lab_map(&lab, LAB_VNI, "10.0.1.10", 1, DP_MAPPING_LIVE); /* host 2: "it is here" */
	await_drop(b, from, DROP_SPOOF);
	lab_map(&lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_REFUSED);
	await_drop(b, from, DROP_SOURCE_REFUSED);
	lab_map(&lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	b->port.addrs[0] = lab_addr("10.0.1.99");
	lab_set_port(&lab, 1, &b->port);
	await_drop(b, from, DROP_LOCAL_GONE);
	b->port.vni++; /* the address in another network is another address */
	b->port.addrs[0] = lab_addr("10.0.1.11");
	lab_set_port(&lab, 1, &b->port);
	await_drop(b, from, DROP_LOCAL_GONE);
	b->port.vni--;
	lab_set_port(&lab, 1, &b->port);
	assert_int_equal(datapath_peer_delete(lab.hosts[1].dp, 1), 0);
	await_drop(b, from, DROP_UNKNOWN_PEER);
	other.v4 = lab.hosts[0].config.v4; /* the address belongs to another host now */
	assert_int_equal(datapath_peer_set(lab.hosts[1].dp, &other), 0);
	await_drop(b, from, DROP_SPOOF);
	other.accept = FORMAT_BIT(FORMAT_SIIT_2);
	assert_int_equal(datapath_peer_set(lab.hosts[1].dp, &other), 0);
	await_drop(b, from, DROP_FORMAT);
	assert_int_equal(datapath_peer_delete(lab.hosts[1].dp, other.id), 0);
	close(from);
}

static int set_up(void **state)
{
	lab_init(&lab, FORMAT_SIIT_2);
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&lab);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* first: nothing has been resolved yet */
		cmocka_unit_test(test_unresolved_next_hop),
		cmocka_unit_test(test_siit_2),
		cmocka_unit_test(test_siit_1),
		cmocka_unit_test(test_ipip6),
		cmocka_unit_test(test_vxlan),
		cmocka_unit_test(test_reip4),
		cmocka_unit_test(test_same_addresses_in_two_networks),
		cmocka_unit_test(test_vxlan_refusals),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
