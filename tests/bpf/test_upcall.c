/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs ask the agent, and what becomes of the packet afterwards: with real sockets,
 * this test being the agent.
 */
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "sockets.h"

struct fixture {
	struct lab lab;
	struct lab_node *a, *b; /* 10.0.1.10 on host 1, 10.0.1.11 on host 2 */
};

static struct fixture fixture;

static int make(void **state)
{
	lab_init(&fixture.lab, FORMAT_SIIT_2);
	lab_subnet(&fixture.lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
	lab_subnet(&fixture.lab, LAB_VNI, "10.0.0.0/24", "10.0.0.1", "10.0.0.2");
	return 0;
}

static int unmake(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

/* What came up for an earlier test's nodes is not for this one. */
static void forget_upcalls(struct datapath *dp)
{
	struct dp_upcall *u;

	while (!datapath_upcall_read(dp, &u))
		datapath_upcall_free(u);
}

static void set_up(struct fixture *f, enum format format)
{
	lab_reset(&f->lab, format);
	for (int i = 0; i < LAB_HOSTS; i++)
		forget_upcalls(f->lab.hosts[i].dp);
	f->a = lab_node(&f->lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	f->b = lab_node(&f->lab, 1, LAB_VNI, "10.0.1.11", "10.0.1.1");
}

static int udp_socket(struct fixture *f, const struct lab_node *n, const char *addr, uint16_t port)
{
	int one = 1, fd = sockets_open(&f->lab, n->netns, SOCK_DGRAM, addr, port);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)), 0);
	return fd;
}

/* The next upcall of a host; of what else comes up (a node's own chatter) nothing is told. */
static struct dp_upcall *next_upcall(struct fixture *f, int host, enum dp_upcall_kind kind)
{
	struct datapath *dp = f->lab.hosts[host].dp;
	struct pollfd p = {.fd = datapath_upcall_fd(dp), .events = POLLIN};
	struct dp_upcall *u;

	for (;;) {
		int r = datapath_upcall_read(dp, &u);

		if (!r && u->kind == kind)
			return u;
		if (!r)
			datapath_upcall_free(u);
		else if (poll(&p, 1, SOCKETS_WAIT_MS) != 1)
			break;
	}
	lab_explain(&f->lab);
	fail_msg("no upcall of kind %d", kind);
	return NULL;
}

static void reinject(struct fixture *f, int host, struct dp_upcall *u)
{
	assert_int_equal(datapath_reinject(f->lab.hosts[host].dp, u), 0);
	datapath_upcall_free(u);
}

static void expect(struct fixture *f, int fd, const void *data, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char got[2048];

	if (poll(&p, 1, SOCKETS_WAIT_MS) != 1) {
		lab_explain(&f->lab);
		fail_msg("nothing arrived");
	}
	assert_int_equal(recv(fd, got, sizeof(got), 0), (ssize_t)size);
	assert_memory_equal(got, data, size);
}

/* Whether nothing is there, once everything that is under way has been handled: the kernel delivers
 * between namespaces before send() and write() return. */
static void expect_nothing(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static bool is(const struct ipaddr *a, const char *text)
{
	struct ipaddr b = lab_addr(text);

	return ipaddr_equal(a, &b);
}

/* Answers the ARP request for 10.0.1.11, so that the packet behind it is sent. */
static void answer_arp(struct fixture *f)
{
	struct dp_upcall *u = next_upcall(f, 0, DP_UPCALL_ARP);

	assert_true(is(&u->src, "10.0.1.10"));
	assert_true(is(&u->dst, "10.0.1.11"));
	assert_int_equal(u->port, f->a->port.id);
	assert_int_equal(u->vni, LAB_VNI);
	lab_map(&f->lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	reinject(f, 0, u);
}

/* requirement: MAP-2 */
/* requirement: MAP-4 */
/* requirement: PKT-1 */
static void check_first_packet(enum format format)
{
	struct fixture *f = &fixture;
	struct dp_upcall *u;
	int a, b;

	set_up(f, format);
	a = udp_socket(f, f->a, "10.0.1.10", 4000);
	b = udp_socket(f, f->b, "10.0.1.11", 4000);
	sockets_send(a, "10.0.1.11", 4000, "one", 3);
	answer_arp(f);
	/* The receiver does not know the sender yet. */
	u = next_upcall(f, 1, DP_UPCALL_VERIFY);
	assert_int_equal(u->port, 0);
	assert_int_equal(u->vni, LAB_VNI);
	assert_true(is(&u->src, "10.0.1.10"));
	assert_true(is(&u->dst, "10.0.1.11"));
	expect_nothing(b);
	lab_map(&f->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	reinject(f, 1, u);
	expect(f, b, "one", 3);
	sockets_send(a, "10.0.1.11", 4000, "two", 3);
	expect(f, b, "two", 3);
	close(a);
	close(b);
}

static void test_first_packet_siit_2(void **state)
{
	check_first_packet(FORMAT_SIIT_2);
}

static void test_first_packet_siit_1(void **state)
{
	check_first_packet(FORMAT_SIIT_1);
}

static void test_first_packet_vxlan(void **state)
{
	check_first_packet(FORMAT_VXLAN_1);
}

/* By a tunnel, too, the agent is told who sends to an address that was here.  requirement: MAP-4 */
static void test_gone_is_shown_vxlan(void **state)
{
	struct fixture *f = &fixture;
	struct dp_port other;
	struct dp_upcall *u;
	int a, b;

	set_up(f, FORMAT_VXLAN_1);
	lab_map(&f->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&f->lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	a = udp_socket(f, f->a, "10.0.1.10", 4000);
	b = udp_socket(f, f->b, "10.0.1.11", 4000);
	sockets_send(a, "10.0.1.11", 4000, "one", 3);
	expect(f, b, "one", 3);
	other = f->b->port;
	other.addrs[0] = lab_addr("10.0.1.99");
	lab_set_port(&f->lab, 1, &other);
	sockets_send(a, "10.0.1.11", 4000, "two", 3);
	u = next_upcall(f, 1, DP_UPCALL_STALE);
	assert_int_equal(u->peer, 1);
	assert_int_equal(u->vni, LAB_VNI);
	assert_true(is(&u->src, "10.0.1.10"));
	assert_true(is(&u->dst, "10.0.1.11"));
	datapath_upcall_free(u);
	expect_nothing(b);
	close(a);
	close(b);
}

/* A destination in another subnet is asked for by its packet, which comes back by the router. */
/* requirement: MAP-2 */
/* requirement: PKT-7 */
static void test_unknown_behind_router(void **state)
{
	struct fixture *f = &fixture;
	struct dp_upcall *u;
	struct lab_node *c;
	int a, there;

	set_up(f, FORMAT_SIIT_2);
	c = lab_node(&f->lab, 1, LAB_VNI, "10.0.0.9", "10.0.0.1");
	lab_map(&f->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	a = udp_socket(f, f->a, "10.0.1.10", 4000);
	there = udp_socket(f, c, "10.0.0.9", 4000);
	sockets_send(a, "10.0.0.9", 4000, "x", 1);
	u = next_upcall(f, 0, DP_UPCALL_RESOLVE);
	assert_true(is(&u->dst, "10.0.0.9"));
	assert_true(is(&u->src, "10.0.1.10"));
	lab_map(&f->lab, LAB_VNI, "10.0.0.9", 1, DP_MAPPING_LIVE);
	reinject(f, 0, u);
	expect(f, there, "x", 1);
	close(a);
	close(there);
}

/* Packets of a held flow queue behind the ones that the agent is sending on. */
/* requirement: MAP-2 */
static void test_held_keeps_order(void **state)
{
	struct fixture *f = &fixture;
	struct dp_upcall *first, *second;
	int a, b;

	set_up(f, FORMAT_SIIT_2);
	lab_map(&f->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	a = udp_socket(f, f->a, "10.0.1.10", 4000);
	b = udp_socket(f, f->b, "10.0.1.11", 4000);
	lab_map(&f->lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_HELD);
	sockets_send(a, "10.0.1.11", 4000, "1", 1);
	sockets_send(a, "10.0.1.11", 4000, "2", 1);
	first = next_upcall(f, 0, DP_UPCALL_RESOLVE);
	second = next_upcall(f, 0, DP_UPCALL_RESOLVE);
	expect_nothing(b);
	reinject(f, 0, first);
	expect(f, b, "1", 1);
	reinject(f, 0, second);
	expect(f, b, "2", 1);
	lab_map(&f->lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	sockets_send(a, "10.0.1.11", 4000, "3", 1);
	expect(f, b, "3", 1);
	close(a);
	close(b);
}

/* requirement: PKT-8 */
static void test_dns_and_dhcp_come_up(void **state)
{
	struct fixture *f = &fixture;
	struct dp_upcall *u;
	int dns, dhcp;

	set_up(f, FORMAT_SIIT_2);
	dns = udp_socket(f, f->a, "10.0.1.10", 4000);
	sockets_send(dns, "10.0.0.2", 53, "query", 5);
	u = next_upcall(f, 0, DP_UPCALL_DNS);
	assert_int_equal(u->port, f->a->port.id);
	assert_true(is(&u->src, "10.0.1.10"));
	assert_true(u->size >= ETH_HLEN + 28 + 5);
	assert_memory_equal(u->frame + ETH_HLEN + 28, "query", 5);
	datapath_upcall_free(u);
	dhcp = udp_socket(f, f->a, "10.0.1.10", 68);
	sockets_send(dhcp, "255.255.255.255", 67, "discover", 8);
	u = next_upcall(f, 0, DP_UPCALL_DHCP);
	assert_int_equal(u->port, f->a->port.id);
	datapath_upcall_free(u);
	sockets_send(dhcp, "10.0.1.1", 67, "renew", 5); /* unicast, to the server it knows */
	u = next_upcall(f, 0, DP_UPCALL_DHCP);
	assert_int_equal(u->port, f->a->port.id);
	datapath_upcall_free(u);
	close(dns);
	close(dhcp);
}

/* A frame of the agent reaches the node as it is. */
/* requirement: PKT-8 */
static void test_deliver(void **state)
{
	uint8_t frame[ETH_HLEN + 28 + 2] = {
		0x02, 0, 0,  0,  0, 1,    0x02, 0xff, 0,  0,  0, 1,  0x08, 0x00, 0x45,
		0,    0, 30, 0,  0, 0x40, 0,    64,   17, 0,  0, 10, 0,    0,    2,
		10,   0, 1,  10, 0, 53,   0x0f, 0xa0, 0,  10, 0, 0,  'o',  'k'};
	uint32_t sum = 0;
	struct fixture *f = &fixture;
	int a;

	for (int i = ETH_HLEN; i < ETH_HLEN + 20; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	sum = ~((sum & 0xffff) + (sum >> 16));
	frame[ETH_HLEN + 10] = (uint8_t)(sum >> 8);
	frame[ETH_HLEN + 11] = (uint8_t)sum;
	set_up(f, FORMAT_SIIT_2);
	a = udp_socket(f, f->a, "10.0.1.10", 4000);
	assert_int_equal(datapath_deliver(f->lab.hosts[0].dp, f->a->port.id, frame, sizeof(frame)),
			 0);
	expect(f, a, "ok", 2);
	assert_int_equal(datapath_deliver(f->lab.hosts[0].dp, 99, frame, sizeof(frame)), -ENOENT);
	close(a);
}

/* One port cannot flood the agent: what is too much is dropped and says so. */
/* requirement: PKT-15 */
static void test_upcalls_are_limited(void **state)
{
	struct fixture *f = &fixture;
	int a;

	set_up(f, FORMAT_SIIT_2);
	a = udp_socket(f, f->a, "10.0.1.10", 4000);
	for (int i = 0; i < 20000 && !lab_drops(&f->lab, 0, f->a->port.id, DROP_UPCALL_LIMIT); i++)
		sockets_send(a, "10.0.0.9", 4000, "x", 1);
	assert_true(lab_drops(&f->lab, 0, f->a->port.id, DROP_UPCALL_LIMIT) > 0);
	close(a);
}

/* ---- adoption ---- */

static int count_port(const struct dp_port *port, void *arg)
{
	struct dp_port *copy = arg;

	*copy = *port;
	return 0;
}

static int count_mapping(const struct dp_mapping *m, void *arg)
{
	++*(int *)arg;
	return 0;
}

/* The agent dies: traffic goes on; the next one finds everything, and packets pass all the time. */
/* requirement: OPS-3 */
static void test_outlives_the_agent(void **state)
{
	struct dp_port port = {};
	struct fixture *f = &fixture;
	int a, b, n = 0;

	set_up(f, FORMAT_SIIT_2);
	lab_map(&f->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&f->lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	a = udp_socket(f, f->a, "10.0.1.10", 4000);
	b = udp_socket(f, f->b, "10.0.1.11", 4000);
	for (int round = 0; round < 3; round++) {
		sockets_send(a, "10.0.1.11", 4000, "up", 2);
		expect(f, b, "up", 2);
		f->lab.hosts[0].dp = datapath_close(f->lab.hosts[0].dp);
		f->lab.hosts[1].dp = datapath_close(f->lab.hosts[1].dp);
		sockets_send(a, "10.0.1.11", 4000, "orphan", 6);
		expect(f, b, "orphan", 6);
		for (int host = 0; host < LAB_HOSTS; host++) {
			bool adopted = false;

			lab_enter(&f->lab, f->lab.hosts[host].netns);
			assert_int_equal(datapath_open(&f->lab.hosts[host].config,
						       &f->lab.hosts[host].dp, &adopted),
					 0);
			lab_enter(&f->lab, -1);
			assert_true(adopted);
		}
	}
	assert_int_equal(datapath_ports(f->lab.hosts[0].dp, count_port, &port), 0);
	assert_int_equal(port.id, f->a->port.id);
	assert_int_equal(port.ifindex, f->a->port.ifindex);
	assert_int_equal(port.vni, LAB_VNI);
	assert_int_equal(port.n_addrs, 1);
	assert_true(is(&port.addrs[0], "10.0.1.10"));
	assert_true(mac_equal(&port.mac, &f->a->port.mac));
	assert_int_equal(datapath_mappings(f->lab.hosts[0].dp, count_mapping, &n), 0);
	assert_int_equal(n, 2);
	close(a);
	close(b);
}

enum { STEADY_GAP_US = 500, ADOPTIONS = 3 };

struct steady {
	int fd;
	_Atomic bool stop;
	uint32_t n; /* packets sent */
};

/* Numbers, one packet each, until told to stop. */
static void *send_steadily(void *data)
{
	const struct timespec gap = {.tv_nsec = STEADY_GAP_US * 1000};
	struct steady *s = data;

	while (!s->stop) {
		sockets_send(s->fd, "10.0.1.11", 4000, &s->n, sizeof(s->n));
		s->n++;
		nanosleep(&gap, NULL);
	}
	return NULL;
}

/* Takes what has come, which must go on where the last call ended. */
static void expect_steady(int fd, uint32_t *next)
{
	uint32_t number;

	while (recv(fd, &number, sizeof(number), MSG_DONTWAIT) == sizeof(number)) {
		assert_int_equal(number, *next);
		++*next;
	}
}

/* Programs are replaced while packets pass: none is lost. */
/* requirement: OPS-3 */
static void test_adoption_loses_nothing(void **state)
{
	const int room = 16 << 20;
	struct steady steady = {};
	uint32_t next = 0;
	struct fixture *f = &fixture;
	pthread_t sender;
	int a, b;

	set_up(f, FORMAT_SIIT_2);
	lab_map(&f->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&f->lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	a = udp_socket(f, f->a, "10.0.1.10", 4000);
	b = udp_socket(f, f->b, "10.0.1.11", 4000);
	assert_int_equal(setsockopt(b, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)), 0);
	sockets_send(a, "10.0.1.11", 4000, "first", 5); /* resolves the neighbour */
	expect(f, b, "first", 5);
	steady.fd = a;
	assert_int_equal(pthread_create(&sender, NULL, send_steadily, &steady), 0);
	for (int i = 0; i < ADOPTIONS * LAB_HOSTS; i++) {
		int host = i % LAB_HOSTS;

		f->lab.hosts[host].dp = datapath_close(f->lab.hosts[host].dp);
		lab_open(&f->lab, host);
		expect_steady(b, &next);
	}
	steady.stop = true;
	assert_int_equal(pthread_join(sender, NULL), 0);
	do
		expect_steady(b, &next);
	while (next < steady.n &&
	       poll(&(struct pollfd){.fd = b, .events = POLLIN}, 1, SOCKETS_WAIT_MS) == 1);
	assert_int_equal(next, steady.n);
	assert_true(next > 0);
	close(a);
	close(b);
}

/* requirement: OPS-3 */
static void test_other_sizes_are_refused(void **state)
{
	struct dp_config other;
	struct datapath *dp;
	struct fixture *f = &fixture;
	bool adopted;

	set_up(f, FORMAT_SIIT_2);
	other = f->lab.hosts[0].config;
	other.max_mappings *= 2;
	f->lab.hosts[0].dp = datapath_close(f->lab.hosts[0].dp);
	lab_enter(&f->lab, f->lab.hosts[0].netns);
	assert_int_equal(datapath_open(&other, &dp, &adopted), -EINVAL);
	lab_enter(&f->lab, -1);
	lab_open(&f->lab, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_packet_siit_2),
		cmocka_unit_test(test_first_packet_siit_1),
		cmocka_unit_test(test_first_packet_vxlan),
		cmocka_unit_test(test_gone_is_shown_vxlan),
		cmocka_unit_test(test_unknown_behind_router),
		cmocka_unit_test(test_held_keeps_order),
		cmocka_unit_test(test_dns_and_dhcp_come_up),
		cmocka_unit_test(test_deliver),
		cmocka_unit_test(test_outlives_the_agent),
		cmocka_unit_test(test_adoption_loses_nothing),
		cmocka_unit_test(test_other_sizes_are_refused),
		cmocka_unit_test(test_upcalls_are_limited), /* last: it leaves no budget */
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
