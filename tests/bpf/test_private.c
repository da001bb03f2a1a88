/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private NAT gateway, with real packets.  The lab of edge_lab.h, and a network that is peered
 * with it:
 *
 *	a 10.0.1.10 --- host 1 --- x 10.2.1.10      host 2, an edge: the gateway 10.0.5.9, and y 10.2.1.11, c 10.0.1.12
 *
 * The peered network has a way to the gateway's subnet alone, so what it hears and answers is the
 * gateway.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "edge_lab.h"
#include "sockets.h"

enum {
	OTHER_VNI = 9,
	OTHER_TABLE = 5,
	HOME_TABLE = 6,
	PRIVATE = 0xf00011,
	PRIVATE_PORT = 0xf00012,
	PORT_ID = 90,
	SERVICE = 7000,
};

#define A       "10.0.1.10"
#define X       "10.2.1.10"
#define Y       "10.2.1.11"
#define GATEWAY "10.0.5.9"

static struct edge_lab fixture;
static struct lab *lab = &fixture.lab;
static struct lab_node *x, *y;
static struct dp_port port;
static struct dp_gateway gateway = {.handle = PRIVATE,
				    .kind = DP_GATEWAY_PRIVATE,
				    .vni = LAB_VNI,
				    .port_first = 1024,
				    .port_last = 65535};

static struct datapath *edge(void)
{
	return lab->hosts[LAB_EDGE].dp;
}

/* The gateway, anew, and its port on the device that it has. */
static void make_gateway(void)
{
	gateway.public = lab_addr(GATEWAY);
	port = (struct dp_port){.id = PORT_ID,
				.vni = LAB_VNI,
				.mac = {{0x02, 0, 0, 0, 0, 0x99}},
				.mtu = LAB_NODE_MTU,
				.n_addrs = 1,
				.addrs = {lab_addr(GATEWAY)},
				.translates = true,
				.handle = PRIVATE_PORT};
	lab_enter(lab, lab->hosts[LAB_EDGE].netns);
	assert_int_equal(datapath_gateway_set(edge(), &gateway), 0);
	assert_int_equal(datapath_gateway_device(edge(), PRIVATE, &port.ifindex), 0);
	lab_enter(lab, -1);
	lab_set_port(lab, LAB_EDGE, &port);
}

static void drop_gateway(void)
{
	lab_enter(lab, lab->hosts[LAB_EDGE].netns);
	assert_int_equal(datapath_port_delete(edge(), PORT_ID), 0);
	assert_int_equal(datapath_gateway_delete(edge(), PRIVATE), 0);
	lab_enter(lab, -1);
}

static void set_ways(void)
{
	struct dp_route to_gateway = {.prefix = lab_prefix("10.2.0.0/16"),
				      .target = DP_TARGET_INTERFACE,
				      .vni = PRIVATE_PORT};
	const struct dp_route on = {
		.prefix = lab_prefix("10.2.0.0/16"), .target = DP_TARGET_NETWORK, .vni = OTHER_VNI};
	const struct dp_route back = {
		.prefix = lab_prefix("10.0.5.0/24"), .target = DP_TARGET_NETWORK, .vni = LAB_VNI};

	for (int i = 0; i < LAB_HOSTS; i++) {
		const struct dp_table t = {
			.number = EDGE_TABLE, .n_routes = 1, .routes = &to_gateway};

		to_gateway.peer = i == LAB_EDGE ? DP_PEER_SELF : LAB_EDGE + 1;
		assert_int_equal(datapath_table_set(lab->hosts[i].dp, &t), 0);
	}
	lab_table(lab, HOME_TABLE, 1, &on);
	lab_table(lab, OTHER_TABLE, 1, &back);
}

static int set_up(void **state)
{
	edge_lab_init(&fixture, FORMAT_SIIT_2);
	lab_subnet_with(lab, LAB_VNI, "10.0.5.0/24", "10.0.5.1", HOME_TABLE);
	lab_subnet_with(lab, OTHER_VNI, "10.2.1.0/24", "10.2.1.1", OTHER_TABLE);
	set_ways();
	lab_peering(lab, LAB_VNI, OTHER_VNI, true);
	x = lab_node(lab, 0, OTHER_VNI, X, "10.2.1.1");
	y = lab_node(lab, LAB_EDGE, OTHER_VNI, Y, "10.2.1.1");
	lab_map(lab, OTHER_VNI, X, 0, DP_MAPPING_LIVE);
	lab_map(lab, OTHER_VNI, Y, LAB_EDGE, DP_MAPPING_LIVE);
	lab_map(lab, LAB_VNI, GATEWAY, LAB_EDGE, DP_MAPPING_LIVE);
	make_gateway();
	return 0;
}

static int tear_down(void **state)
{
	edge_lab_deinit(&fixture);
	return 0;
}

static int reset(void **state)
{
	drop_gateway();
	make_gateway();
	edge_lab_format(&fixture, FORMAT_SIIT_2);
	return 0;
}

/* What waits at 'fd' is from the gateway; it is answered there, and the answer comes to 'node'. */
static void answer(int fd, int node, const char *who)
{
	struct sockaddr_in from, heard;
	socklen_t size = sizeof(from);
	char got[16];

	assert_int_equal(recvfrom(fd, got, sizeof(got), 0, (struct sockaddr *)&from, &size), 4);
	assert_int_equal(from.sin_addr.s_addr, inet_addr(GATEWAY));
	assert_int_equal(sendto(fd, "pong", 4, 0, (struct sockaddr *)&from, size), 4);
	if (!sockets_readable(node, SOCKETS_WAIT_MS))
		lab_explain(lab);
	size = sizeof(heard);
	assert_int_equal(
		recvfrom(node, got, sizeof(got), MSG_DONTWAIT, (struct sockaddr *)&heard, &size),
		4);
	assert_memory_equal(got, "pong", 4);
	assert_int_equal(heard.sin_addr.s_addr, inet_addr(who));
	assert_int_equal(heard.sin_port, htons(SERVICE));
}

static void round_trip(const struct lab_node *node, const char *addr, const struct lab_node *to,
		       const char *who)
{
	int fd = sockets_open(lab, node->netns, SOCK_DGRAM, addr, 4000);
	int server = sockets_open(lab, to->netns, SOCK_DGRAM, who, SERVICE);

	sockets_expect_through(lab, fd, who, SERVICE, server, 4);
	for (int i = 0; i < 3; i++) {
		sockets_send(fd, who, SERVICE, "ping", 4);
		if (!sockets_readable(server, SOCKETS_WAIT_MS))
			lab_explain(lab);
		answer(server, fd, who);
	}
	close(fd);
	close(server);
}

/* requirement: EDGE-1, TOPO-1 */
static void test_there_and_back(void **state)
{
	static const enum format formats[] = {FORMAT_SIIT_2, FORMAT_SIIT_1, FORMAT_IPIP6_1};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		edge_lab_format(&fixture, formats[i]);
		round_trip(fixture.a, A, x, X);
	}
	round_trip(fixture.a, A, y, Y);
	round_trip(fixture.c, "10.0.1.12", x, X);
	round_trip(fixture.c, "10.0.1.12", y, Y);
}

/* By the kernel's devices: vxlan as far as one network goes, which the gateway's handle counts as,
 * and geneve to and from the peered one. */
/* requirement: EDGE-1, TOPO-1, PKT-3 */
static void test_by_tunnels(void **state)
{
	edge_lab_format(&fixture, FORMAT_VXLAN_1);
	round_trip(fixture.a, A, y, Y);
	for (enum format f = FORMAT_GENEVE_1; f <= FORMAT_GENEVE_2 && lab_has_geneve(lab, LAB_EDGE);
	     f++) {
		edge_lab_format(&fixture, f);
		round_trip(fixture.a, A, x, X);
		round_trip(fixture.a, A, y, Y);
		round_trip(fixture.c, "10.0.1.12", x, X);
	}
}

/* Much of it, in GSO packets; both ends think of ordinary connections. */
/* requirement: EDGE-1 */
static void test_streams(void **state)
{
	struct dp_gateway_counters c;
	int server, client;

	server = sockets_open(lab, x->netns, SOCK_STREAM, X, SERVICE);
	client = sockets_open(lab, fixture.a->netns, SOCK_STREAM, NULL, 0);
	sockets_stream(server, client, X, SERVICE, 4 << 20);
	assert_int_equal(datapath_gateway_counters(edge(), PRIVATE, &c), 0);
	assert_true(c.out_bytes > 4 << 20);
	assert_true(c.in_packets > 0);
}

/* Nobody begins anything with what is behind it, nor pings it. */
/* requirement: EDGE-1 */
static void test_unsolicited(void **state)
{
	int fd = sockets_open(lab, fixture.a->netns, SOCK_DGRAM, A, 4000);
	int server = sockets_open(lab, x->netns, SOCK_DGRAM, X, SERVICE);
	int other = sockets_open(lab, y->netns, SOCK_DGRAM, Y, SERVICE);
	struct dp_gateway_counters c = {};
	int64_t end = sockets_now_ms() + SOCKETS_WAIT_MS;

	sockets_expect_through(lab, fd, X, SERVICE, server, 4);
	while (c.unsolicited < 2 && sockets_now_ms() < end) {
		sockets_send(other, GATEWAY, 4000, "open", 4);
		sockets_send(server, GATEWAY, 4001, "open", 4);
		assert_int_equal(datapath_gateway_counters(edge(), PRIVATE, &c), 0);
	}
	assert_true(c.unsolicited >= 2);
	assert_true(lab_drops(lab, LAB_EDGE, PORT_ID, DROP_UNSOLICITED) >= 2);
	assert_false(sockets_readable(fd, 0));
	close(fd);
	close(server);
	close(other);
}

/* The ICMP error that has come for a datagram: its type and code, and who says so. */
static uint16_t error_of(int fd, const char *from)
{
	char control[512];
	struct sockaddr_in about;
	struct msghdr m = {.msg_name = &about,
			   .msg_namelen = sizeof(about),
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	const struct sock_extended_err *e;

	assert_int_equal(recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT), 0);
	e = (const struct sock_extended_err *)(const void *)CMSG_DATA(CMSG_FIRSTHDR(&m));
	assert_int_equal(about.sin_addr.s_addr, inet_addr(X));
	assert_int_equal(
		((const struct sockaddr_in *)(const void *)SO_EE_OFFENDER(e))->sin_addr.s_addr,
		inet_addr(from));
	return (uint16_t)(e->ee_type << 8 | e->ee_code);
}

/* Errors of the far node and of the router behind the gateway, for which it speaks, find who caused
 * them: ports that nobody listens at, and the hop at which a packet is too old. */
/* requirement: EDGE-1 */
static void test_errors(void **state)
{
	static const struct {
		int ttl;
		const char *from;
		uint16_t what;
	} rows[] = {
		{64, X, ICMP_DEST_UNREACH << 8 | ICMP_PORT_UNREACH},
		{1, "10.0.1.1", ICMP_TIME_EXCEEDED << 8},
		{2, GATEWAY, ICMP_TIME_EXCEEDED << 8},
		{3, X, ICMP_DEST_UNREACH << 8 | ICMP_PORT_UNREACH},
	};
	const int yes = 1;

	round_trip(fixture.a, A, x, X); /* whoever has to be known is */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = sockets_open(lab, fixture.a->netns, SOCK_DGRAM, A, 4100);

		assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &yes, sizeof(yes)), 0);
		assert_int_equal(
			setsockopt(fd, IPPROTO_IP, IP_TTL, &rows[i].ttl, sizeof(rows[i].ttl)), 0);
		sockets_send(fd, X, 7999, "nobody", 6);
		if (!sockets_readable(fd, SOCKETS_WAIT_MS))
			lab_explain(lab);
		assert_int_equal(error_of(fd, rows[i].from), rows[i].what);
		close(fd);
	}
}

/* A table that leads from the gateway back to itself ends there. */
/* requirement: EDGE-1 */
static void test_no_circles(void **state)
{
	const struct dp_route self = {.prefix = lab_prefix("10.2.0.0/16"),
				      .target = DP_TARGET_INTERFACE,
				      .vni = PRIVATE_PORT};
	int fd = sockets_open(lab, fixture.a->netns, SOCK_DGRAM, A, 4000);
	int64_t end = sockets_now_ms() + SOCKETS_WAIT_MS;

	lab_table(lab, HOME_TABLE, 1, &self);
	while (!lab_drops(lab, LAB_EDGE, PORT_ID, DROP_NO_ROUTE) && sockets_now_ms() < end)
		sockets_send(fd, X, SERVICE, "round", 5);
	assert_true(lab_drops(lab, LAB_EDGE, PORT_ID, DROP_NO_ROUTE));
	close(fd);
	set_ways();
}

static int count_one(uint32_t handle, void *arg)
{
	*(int *)arg += handle == PRIVATE;
	return 0;
}

static int find_port(const struct dp_port *p, void *arg)
{
	if (p->id == PORT_ID)
		*(struct dp_port *)arg = *p;
	return 0;
}

/* What the back-end says of it, also after it has been opened again; sessions go on. */
/* requirement: EDGE-1 */
static void test_contract(void **state)
{
	struct dp_gateway bad = gateway;
	struct dp_port found = {};
	int n = 0, ifindex;

	bad.port_first = 0;
	assert_int_equal(datapath_gateway_set(edge(), &bad), -EINVAL);
	assert_int_equal(datapath_gateway_device(edge(), EDGE_NAT, &ifindex), -ENOENT);
	assert_int_equal(datapath_gateway_device(edge(), PRIVATE + 9, &ifindex), -ENOENT);
	round_trip(fixture.a, A, x, X);
	lab_enter(lab, lab->hosts[LAB_EDGE].netns);
	datapath_close(edge());
	lab_enter(lab, -1);
	lab_open(lab, LAB_EDGE);
	assert_int_equal(datapath_gateways(edge(), count_one, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(datapath_ports(edge(), find_port, &found), 0);
	assert_true(found.translates);
	assert_int_equal(found.handle, PRIVATE_PORT);
	assert_int_equal(found.ifindex, port.ifindex);
	round_trip(fixture.a, A, x, X);
	drop_gateway();
	assert_int_equal(datapath_gateway_device(edge(), PRIVATE, &ifindex), -ENOENT);
	make_gateway();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_there_and_back, reset),
		cmocka_unit_test_setup(test_by_tunnels, reset),
		cmocka_unit_test_setup(test_streams, reset),
		cmocka_unit_test_setup(test_unsolicited, reset),
		cmocka_unit_test_setup(test_errors, reset),
		cmocka_unit_test_setup(test_no_circles, reset),
		cmocka_unit_test_setup(test_contract, reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
