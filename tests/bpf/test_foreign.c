/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vxlan/1 with a peer that is no host of ours: an ordinary VXLAN device of Linux with one VNI, a MAC and neighbours
 * that are set by hand.
 *
 *	node 10.0.1.10 --- host 1 (192.0.2.1) ===wire=== 192.0.2.2, vx0: VNI 7, 10.0.1.11
 *
 * What it has to be like is docs/substrate.md, "Foreign VXLAN".
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "frame.h"

enum {
	PORT = 5000,
	BULK = 4 << 20,
	WAIT_MS = 60000,
	STEP_MS = 300,
};

struct fixture {
	struct lab lab;
	struct lab_node *a;
};

static struct fixture fixture;

/* In the namespace that is no host of ours. */
static void foreign(const char *command)
{
	int status;

	lab_enter(&fixture.lab, fixture.lab.hosts[1].netns);
	status = system(command);
	lab_enter(&fixture.lab, -1);
	assert_int_equal(status, 0);
}

static void map(const char *addr, uint32_t peer)
{
	struct dp_mapping m = {.vni = LAB_VNI, .addr = lab_addr(addr), .state = DP_MAPPING_LIVE, .peer = peer};

	assert_int_equal(datapath_mapping_set(fixture.lab.hosts[0].dp, &m), 0);
}

static int set_up(void **state)
{
	struct fixture *f = &fixture;
	struct lab_host *h = &f->lab.hosts[1];
	struct dp_peer peer = {.id = 2,
			       .v4 = lab_addr("192.0.2.2"),
			       .foreign = true,
			       .send = FORMAT_VXLAN_1,
			       .accept = FORMAT_BIT(FORMAT_VXLAN_1),
			       .path_mtu = LAB_WIRE_MTU,
			       .nexthop = 1};

	lab_init(&f->lab, FORMAT_VXLAN_1);
	lab_subnet(&f->lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", NULL);
	f->a = lab_node(&f->lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	h->dp = datapath_close(h->dp);
	lab_enter(&f->lab, h->netns);
	assert_int_equal(datapath_destroy(&h->config), 0);
	lab_enter(&f->lab, -1);
	foreign("ip link add vx0 address 0e:76:69:61:00:02 mtu 1430 type vxlan id 7 dstport 4789 remote 192.0.2.1 nolearning"
		" && ip address add 10.0.1.11/24 dev vx0 && ip address add 10.0.1.66/24 dev vx0"
		" && ip link set vx0 up && ip neighbour add 10.0.1.10 lladdr 0e:76:69:61:00:01 dev vx0");
	assert_int_equal(datapath_peer_set(f->lab.hosts[0].dp, &peer), 0);
	map("10.0.1.10", DP_PEER_SELF);
	map("10.0.1.11", 2);
	map("10.0.1.66", DP_PEER_SELF); /* whatever the foreign peer says */
	return 0;
}

static int tear_down(void **state)
{
	lab_open(&fixture.lab, 1); /* for lab_deinit() to take away */
	lab_deinit(&fixture.lab);
	return 0;
}

static struct sockaddr_in at(const char *addr, uint16_t port)
{
	struct ipaddr a = lab_addr(addr);

	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(ipaddr_v4(&a))};
}

static int bound(int netns, const char *addr, int type, uint16_t port)
{
	struct sockaddr_in a = at(addr, port);
	int fd;

	lab_enter(&fixture.lab, netns);
	fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	lab_enter(&fixture.lab, -1);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

static void send_to(int fd, const char *addr, const void *data, size_t size)
{
	struct sockaddr_in to = at(addr, PORT);

	assert_int_equal(sendto(fd, data, size, 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)size);
}

/* Sends until it arrives: what is sent while addresses are being resolved may be lost. */
static void expect_through(int from, const char *addr, int to, size_t size)
{
	int64_t start = now_ms();
	char sent[2000], got[2000];

	memset(sent, 'x', sizeof(sent));
	do {
		send_to(from, addr, sent, size);
	} while (!readable(to, STEP_MS) && now_ms() - start < WAIT_MS);
	assert_int_equal(recv(to, got, sizeof(got), MSG_DONTWAIT), (ssize_t)size);
	assert_memory_equal(got, sent, size);
	while (recv(to, got, sizeof(got), MSG_DONTWAIT) > 0)
		;
}

/* requirement: PKT-3 */
static void test_datagrams(void **state)
{
	int a = bound(fixture.a->netns, "10.0.1.10", SOCK_DGRAM, PORT);
	int b = bound(fixture.lab.hosts[1].netns, "10.0.1.11", SOCK_DGRAM, PORT);

	expect_through(b, "10.0.1.10", a, 5);
	expect_through(a, "10.0.1.11", b, 5);
	expect_through(b, "10.0.1.10", a, 1402); /* the largest that is not cut */
	expect_through(a, "10.0.1.11", b, 1402);
	expect_through(a, "10.0.1.11", b, 1800); /* fragments */
	close(a);
	close(b);
}

/* One way, larger than what is under way, so that the kernels make GSO packets. */
static void stream(int server, int client, const char *to)
{
	struct sockaddr_in there = at(to, PORT);
	size_t sent = 0, got = 0;
	static char out[65536], in[65536];
	int peer;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 251);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&there, sizeof(there)), 0);
	peer = accept(server, NULL, NULL);
	assert_true(peer >= 0);
	while (got < BULK) {
		struct pollfd p[2] = {{.fd = client, .events = sent < BULK ? POLLOUT : 0},
				      {.fd = peer, .events = POLLIN}};
		ssize_t n;

		assert_true(poll(p, 2, WAIT_MS) > 0);
		if (p[0].revents & POLLOUT) {
			n = send(client, out + sent % sizeof(out), sizeof(out) - sent % sizeof(out), MSG_DONTWAIT);
			assert_true(n > 0 || errno == EAGAIN);
			sent += n > 0 ? (size_t)n : 0;
		}
		if (p[1].revents & POLLIN) {
			n = recv(peer, in, sizeof(in) - got % sizeof(in), MSG_DONTWAIT);
			assert_true(n > 0);
			assert_memory_equal(in, out + got % sizeof(out), (size_t)n);
			got += (size_t)n;
		}
	}
	close(peer);
	close(client);
	close(server);
}

/* requirement: PKT-3 */
static void test_streams(void **state)
{
	int netns = fixture.lab.hosts[1].netns;

	stream(bound(netns, "10.0.1.11", SOCK_STREAM, PORT), bound(fixture.a->netns, "10.0.1.10", SOCK_STREAM, 0), "10.0.1.11");
	stream(bound(fixture.a->netns, "10.0.1.10", SOCK_STREAM, PORT), bound(netns, "10.0.1.11", SOCK_STREAM, 0), "10.0.1.10");
}


static void expect_dropped(int from, uint32_t reason)
{
	uint64_t before = lab_drops(&fixture.lab, 0, 0, reason) +
			  lab_drops(&fixture.lab, 0, fixture.a->port.id, reason);
	int64_t start = now_ms();

	for (;;) {
		send_to(from, "10.0.1.10", "x", 1);
		if (lab_drops(&fixture.lab, 0, 0, reason) + lab_drops(&fixture.lab, 0, fixture.a->port.id, reason) > before)
			return;
		if (now_ms() - start > WAIT_MS)
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
	int netns = fixture.lab.hosts[1].netns;
	int other = bound(netns, "10.0.1.66", SOCK_DGRAM, PORT), b = bound(netns, "10.0.1.11", SOCK_DGRAM, PORT);

	expect_dropped(other, DROP_SPOOF);
	foreign("ip address add 192.0.2.77/24 dev wire && ip link set vx0 type vxlan local 192.0.2.77");
	expect_dropped(b, DROP_UNKNOWN_PEER);
	foreign("ip link set vx0 type vxlan local 192.0.2.2");
	close(other);
	close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_nothing_else),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
