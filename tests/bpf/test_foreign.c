/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vxlan/1 with a peer that is no host of ours: an ordinary VXLAN device of Linux with one VNI, a
 * MAC and neighbours that are set by hand.
 *
 *	node 10.0.1.10 --- host 1 (192.0.2.1) ===wire=== 192.0.2.2, vx0: VNI 7, 10.0.1.11
 *
 * And the same over IPv6, fd00:1::1 and fd00:1::2.  What it has to be like is docs/substrate.md,
 * "Foreign VXLAN".
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "sockets.h"

enum {
	PORT = 5000,
	BULK = 4 << 20,
};

/* Of one family: the host's address, the foreign peer's own, and another one that it takes. */
static const struct substrate {
	const char *host, *own, *other;
	const char *add_other; /* to the wire */
} v4 = {"192.0.2.1", "192.0.2.2", "192.0.2.77", "192.0.2.77/24"},
  v6 = {"fd00:1::1", "fd00:1::2", "fd00:1::77", "fd00:1::77/64 nodad"};

struct fixture {
	struct lab lab;
	struct lab_node *a;
	const struct substrate *joined; /* NULL: not yet */
};

static struct fixture fixture;

/* In the namespace that is no host of ours. */
static void __attribute__((format(printf, 1, 2))) foreign(const char *format, ...)
{
	char command[600];
	va_list args;
	int status;

	va_start(args, format);
	assert_in_range(vsnprintf(command, sizeof(command), format, args), 1, sizeof(command) - 1);
	va_end(args);
	lab_enter(&fixture.lab, fixture.lab.hosts[1].netns);
	status = system(command);
	lab_enter(&fixture.lab, -1);
	assert_int_equal(status, 0);
}

static void map(const char *addr, uint32_t peer)
{
	struct dp_mapping m = {
		.vni = LAB_VNI, .addr = lab_addr(addr), .state = DP_MAPPING_LIVE, .peer = peer};

	assert_int_equal(datapath_mapping_set(fixture.lab.hosts[0].dp, &m), 0);
}

static int set_up(void **state)
{
	struct fixture *f = &fixture;
	struct lab_host *h = &f->lab.hosts[1];

	lab_init(&f->lab, FORMAT_VXLAN_1);
	lab_subnet(&f->lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", NULL);
	f->a = lab_node(&f->lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	h->dp = datapath_close(h->dp);
	lab_enter(&f->lab, h->netns);
	assert_int_equal(datapath_destroy(&h->config), 0);
	lab_enter(&f->lab, -1);
	map("10.0.1.10", DP_PEER_SELF);
	map("10.0.1.11", 2);
	map("10.0.1.66", DP_PEER_SELF); /* whatever the foreign peer says */
	return 0;
}

/* The peer at its address of that family, and its device. */
static void join(const struct substrate *s)
{
	struct dp_peer peer = {.id = 2,
			       .foreign = true,
			       .send = FORMAT_VXLAN_1,
			       .accept = FORMAT_BIT(FORMAT_VXLAN_1),
			       .vxlan_over_v6 = s == &v6,
			       .path_mtu = LAB_WIRE_MTU,
			       .nexthop = 1};

	if (fixture.joined == s)
		return;
	*(s == &v6 ? &peer.v6 : &peer.v4) = lab_addr(s->own);
	if (fixture.joined)
		foreign("ip link delete vx0");
	foreign("ip link add vx0 address 0e:76:69:61:00:02 mtu 1430 type vxlan id 7 dstport 4789 "
		"remote %s local %s nolearning"
		" && ip address add 10.0.1.11/24 dev vx0 && ip address add 10.0.1.66/24 dev vx0"
		" && ip link set vx0 up && ip neighbour add 10.0.1.10 lladdr 0e:76:69:61:00:01 dev "
		"vx0",
		s->host, s->own);
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[0].dp, &peer), 0);
	fixture.joined = s;
}

static int over_v4(void **state)
{
	join(&v4);
	return 0;
}

static int over_v6(void **state)
{
	join(&v6);
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

static int bound(int netns, const char *addr, int type)
{
	return sockets_open(&fixture.lab, netns, type, addr, PORT);
}

static void through(int from, const char *addr, int to, size_t size)
{
	sockets_expect_through(&fixture.lab, from, addr, PORT, to, size);
}

/* requirement: PKT-3 */
static void test_datagrams(void **state)
{
	int a = bound(fixture.a->netns, "10.0.1.10", SOCK_DGRAM);
	int b = bound(fixture.lab.hosts[1].netns, "10.0.1.11", SOCK_DGRAM);

	through(b, "10.0.1.10", a, 5);
	through(a, "10.0.1.11", b, 5);
	through(b, "10.0.1.10", a, 1402); /* the largest that is not cut */
	through(a, "10.0.1.11", b, 1402);
	through(a, "10.0.1.11", b, 1800); /* fragments */
	close(a);
	close(b);
}

static void stream(int from, int to, const char *to_addr)
{
	sockets_stream(bound(to, to_addr, SOCK_STREAM),
		       sockets_open(&fixture.lab, from, SOCK_STREAM, NULL, 0), to_addr, PORT, BULK);
}

/* requirement: PKT-3 */
static void test_streams(void **state)
{
	int netns = fixture.lab.hosts[1].netns;

	stream(fixture.a->netns, netns, "10.0.1.11");
	stream(netns, fixture.a->netns, "10.0.1.10");
}

static void expect_dropped(int from, uint32_t reason)
{
	uint64_t before = lab_drops(&fixture.lab, 0, 0, reason) +
			  lab_drops(&fixture.lab, 0, fixture.a->port.id, reason);
	int64_t end = sockets_now_ms() + SOCKETS_WAIT_MS;

	for (;;) {
		sockets_send(from, "10.0.1.10", PORT, "x", 1);
		if (lab_drops(&fixture.lab, 0, 0, reason) +
			    lab_drops(&fixture.lab, 0, fixture.a->port.id, reason) >
		    before)
			return;
		if (sockets_now_ms() > end)
			break;
		poll(NULL, 0, 10);
	}
	fail_msg("not dropped for reason %u", reason);
}

/* It has its addresses in its network, from its own address on the substrate, and nothing else. */
/* requirement: MAP-4 */
/* requirement: NEG-6 */
static void test_nothing_else(void **state)
{
	const struct substrate *s = fixture.joined;
	int netns = fixture.lab.hosts[1].netns;
	int other = bound(netns, "10.0.1.66", SOCK_DGRAM),
	    b = bound(netns, "10.0.1.11", SOCK_DGRAM);

	expect_dropped(other, DROP_SPOOF);
	foreign("ip address add %s dev wire && ip link set vx0 type vxlan local %s", s->add_other,
		s->other);
	expect_dropped(b, DROP_UNKNOWN_PEER);
	foreign("ip link set vx0 type vxlan local %s", s->own);
	close(other);
	close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_datagrams, over_v4),
		cmocka_unit_test_setup(test_streams, over_v4),
		cmocka_unit_test_setup(test_nothing_else, over_v4),
		cmocka_unit_test_setup(test_datagrams, over_v6),
		cmocka_unit_test_setup(test_streams, over_v6),
		cmocka_unit_test_setup(test_nothing_else, over_v6),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
