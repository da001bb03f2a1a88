/* SPDX-License-Identifier: Apache-2.0 */
/*
 * geneve/1 and geneve/2 through the kernel's device: what is on the wire, what is taken from it,
 * and between peered networks.  Where the kernel has no such device, that it is neither reported
 * nor used; the rest is for the virtual machine (tests/vm).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/geneve.h"
#include "frame.h"
#include "sockets.h"

enum {
	OTHER_VNI = 8,
	TABLE = 3,
	PORT = 5000,
	STEP_MS = 300,
	IP_UDP = 20 + 8,
	IP6_UDP = 40 + 8,
};

static const uint64_t policy = 0x0123456789abcdef;

struct fixture {
	struct lab lab;
	struct lab_node *a, *b, *x; /* a: host 1; b: host 2; x: host 2, in the other network */
	bool has_device;
};

static struct fixture fixture;

static int set_up(void **state)
{
	struct fixture *f = &fixture;
	const struct dp_route to_other = {
		.prefix = lab_prefix("10.9.0.0/16"), .target = DP_TARGET_NETWORK, .vni = OTHER_VNI};
	const struct dp_route back = {
		.prefix = lab_prefix("10.0.0.0/16"), .target = DP_TARGET_NETWORK, .vni = LAB_VNI};

	lab_init(&f->lab, FORMAT_GENEVE_2);
	lab_subnet_with(&f->lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", TABLE);
	lab_subnet_with(&f->lab, OTHER_VNI, "10.9.9.0/24", "10.9.9.1", TABLE + 1);
	lab_table(&f->lab, TABLE, 1, &to_other);
	lab_table(&f->lab, TABLE + 1, 1, &back);
	f->a = lab_node(&f->lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	f->b = lab_node(&f->lab, 1, LAB_VNI, "10.0.1.11", "10.0.1.1");
	f->x = lab_node(&f->lab, 1, OTHER_VNI, "10.9.9.10", "10.9.9.1");
	lab_map(&f->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&f->lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	lab_map(&f->lab, LAB_VNI, "10.0.1.66", 1, DP_MAPPING_LIVE);
	lab_map(&f->lab, OTHER_VNI, "10.9.9.10", 1, DP_MAPPING_LIVE);
	f->has_device = lab_has_geneve(&f->lab, 0);
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

/* Both hosts send in 'format' and accept that alone; said of the policy above. */
static void choose(enum format format, bool v6)
{
	for (int i = 0; i < LAB_HOSTS; i++) {
		const struct lab_host *other = &fixture.lab.hosts[!i];
		struct dp_peer p = {.id = (uint32_t)!i + 1,
				    .v4 = other->config.v4,
				    .v6 = other->config.v6,
				    .send = format,
				    .accept = FORMAT_BIT(format),
				    .vxlan_over_v6 = v6,
				    .policy = policy,
				    .path_mtu = LAB_WIRE_MTU,
				    .nexthop = 1};

		assert_int_equal(datapath_peer_set(fixture.lab.hosts[i].dp, &p), 0);
	}
}

/* ---- sockets ---- */

/* What is on the wire of host 2. */
static int capture(void)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd;

	lab_enter(&fixture.lab, fixture.lab.hosts[1].netns);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
	a.sll_ifindex = (int)if_nametoindex("wire");
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	lab_enter(&fixture.lab, -1);
	return fd;
}

/* The next geneve packet from host 1, from its geneve header on: its size. */
static size_t next_on_wire(int fd, bool v6, uint8_t *ret, size_t capacity)
{
	uint8_t b[2048];
	size_t at = v6 ? IP6_UDP : IP_UDP;

	while (sockets_readable(fd, SOCKETS_WAIT_MS)) {
		struct sockaddr_ll from = {0};
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(fd, b, sizeof(b), 0, (struct sockaddr *)&from, &length);

		if (from.sll_pkttype == PACKET_OUTGOING || n < (ssize_t)at + 8 ||
		    b[v6 ? 6 : 9] != IPPROTO_UDP || (b[at - 6] << 8 | b[at - 5]) != GENEVE_PORT)
			continue;
		assert_true((size_t)n - at <= capacity);
		memcpy(ret, b + at, (size_t)n - at);
		return (size_t)n - at;
	}
	fail_msg("nothing on the wire");
	return 0;
}

/* ---- without a device ---- */

/* requirement: NEG-1 */
static void test_without_a_device(void **state)
{
	const uint32_t geneve = FORMATS_GENEVE;
	struct dp_capabilities caps;
	int a;

	lab_enter(&fixture.lab, fixture.lab.hosts[0].netns);
	assert_int_equal(datapath_probe(&fixture.lab.hosts[0].config, &caps), 0);
	lab_enter(&fixture.lab, -1);
	if (fixture.has_device) {
		assert_string_equal(caps.refused, "");
		assert_int_equal(caps.formats & geneve, geneve);
		return;
	}
	assert_int_equal(caps.formats & geneve, 0);
	assert_non_null(strstr(caps.refused, "geneve/1: the kernel has no such device"));
	assert_non_null(strstr(caps.refused, "geneve/2: the kernel has no such device"));
	choose(FORMAT_GENEVE_1, false);
	a = sockets_open(&fixture.lab, fixture.a->netns, SOCK_DGRAM, "10.0.1.10", PORT);
	sockets_send(a, "10.0.1.11", PORT, "x", 1);
	close(a);
	assert_true(lab_drops(&fixture.lab, 0, fixture.a->port.id, DROP_NO_FORMAT) > 0);
}

/* ---- out ---- */

static void check_wire(enum format format, bool v6)
{
	static const uint8_t macs[] = {0x0e, 0x76, 0x69, 0x61, 0, 1, 0x0e,
				       0x76, 0x69, 0x61, 0,    2, 8, 0};
	/* class, type, length, and what abi/geneve.h says of them */
	static const uint8_t option_1[] = {0xff, 0xf6,    1,    2,    1,    0,
					   0,    LAB_VNI, 0x89, 0xab, 0xcd, 0xef};
	static const uint8_t option_2[] = {0xff, 0xf6, 2,    3,    0x01, 0x23, 0x45, 0x67,
					   0x89, 0xab, 0xcd, 0xef, 2,    0,    0,    LAB_VNI};
	const uint8_t *option = format == FORMAT_GENEVE_1 ? option_1 : option_2;
	size_t size = format == FORMAT_GENEVE_1 ? sizeof(option_1) : sizeof(option_2), got;
	int a = sockets_open(&fixture.lab, fixture.a->netns, SOCK_DGRAM, "10.0.1.10", PORT),
	    b = sockets_open(&fixture.lab, fixture.b->netns, SOCK_DGRAM, "10.0.1.11", PORT);
	int wire = capture();
	uint8_t p[2048];

	choose(format, v6);
	sockets_expect_through(&fixture.lab, a, "10.0.1.11", PORT, b, 5);
	sockets_expect_through(&fixture.lab, b, "10.0.1.10", PORT, a, 5);
	got = next_on_wire(wire, v6, p, sizeof(p));
	assert_int_equal(got, 8 + size + sizeof(macs) + 20 + 8 + 5);
	assert_int_equal(p[0], size / 4); /* version 0 */
	assert_int_equal(p[1], 0);
	assert_int_equal(p[2] << 8 | p[3], 0x6558); /* Ethernet is inside */
	assert_int_equal(p[4] << 16 | p[5] << 8 | p[6], LAB_VNI);
	assert_memory_equal(p + 8, option, size);
	assert_memory_equal(p + 8 + size, macs, sizeof(macs));
	assert_memory_equal(p + got - 5, "xxxxx", 5); /* what sockets_expect_through() sends */
	close(a);
	close(b);
	close(wire);
}

/* requirement: PKT-3 */
static void test_on_the_wire(void **state)
{
	if (!fixture.has_device)
		skip();
	check_wire(FORMAT_GENEVE_1, false);
	check_wire(FORMAT_GENEVE_2, false);
	check_wire(FORMAT_GENEVE_1, true);
	check_wire(FORMAT_GENEVE_2, true);
}

/* As large as the overhead leaves, and one byte more. */
/* requirement: PKT-3 */
static void test_sizes(void **state)
{
	static const struct {
		enum format format;
		bool v6;
		uint16_t fits;
	} rows[] = {
		{FORMAT_GENEVE_1, false, 1500 - 20 - 8 - 8 - 12 - 14},
		{FORMAT_GENEVE_2, false, 1500 - 20 - 8 - 8 - 16 - 14},
		{FORMAT_GENEVE_1, true, 1500 - 40 - 8 - 8 - 12 - 14},
		{FORMAT_GENEVE_2, true, 1500 - 40 - 8 - 8 - 16 - 14},
	};

	if (!fixture.has_device)
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct v4 p = {.src = "10.0.1.10",
			       .dst = "10.0.1.11",
			       .from = fixture.a->port.mac.b[5],
			       .protocol = 17,
			       .ttl = 64,
			       .fragment = 0x4000,
			       .payload = (uint16_t)(rows[i].fits - 28)};
		struct frame f = frame_v4(&p), out;
		uint64_t before = lab_drops(&fixture.lab, 0, fixture.a->port.id, DROP_TOO_BIG);

		choose(rows[i].format, rows[i].v6);
		assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out),
				 TC_ACT_REDIRECT);
		assert_int_equal(lab_drops(&fixture.lab, 0, fixture.a->port.id, DROP_TOO_BIG),
				 before);
		p.payload++;
		f = frame_v4(&p);
		frame_from_node(&fixture.lab, fixture.a, &f, &out);
		assert_int_equal(lab_drops(&fixture.lab, 0, fixture.a->port.id, DROP_TOO_BIG),
				 before + 1);
	}
}

/* vxlan/1 cannot; geneve says both networks. */
/* requirement: TOPO-1 */
/* requirement: PKT-3 */
static void test_between_peered_networks(void **state)
{
	int a, x;

	if (!fixture.has_device)
		skip();
	a = sockets_open(&fixture.lab, fixture.a->netns, SOCK_DGRAM, "10.0.1.10", PORT);
	x = sockets_open(&fixture.lab, fixture.x->netns, SOCK_DGRAM, "10.9.9.10", PORT);
	lab_peering(&fixture.lab, LAB_VNI, OTHER_VNI, true);
	for (enum format f = FORMAT_GENEVE_1; f <= FORMAT_GENEVE_2; f++) {
		choose(f, false);
		sockets_expect_through(&fixture.lab, a, "10.9.9.10", PORT, x, 5);
		sockets_expect_through(&fixture.lab, x, "10.0.1.10", PORT, a, 5);
	}
	close(a);
	close(x);
}

/* A source that is not known comes up with both networks, waits, and goes on. */
/* requirement: MAP-4 */
static void test_unknown_source(void **state)
{
	struct ipaddr addr = lab_addr("10.0.1.10");
	struct datapath *dp = fixture.lab.hosts[1].dp;
	struct pollfd up = {.fd = datapath_upcall_fd(dp), .events = POLLIN};
	struct dp_upcall *u;
	char got[8];
	int a, x;

	if (!fixture.has_device)
		skip();
	a = sockets_open(&fixture.lab, fixture.a->netns, SOCK_DGRAM, "10.0.1.10", PORT);
	x = sockets_open(&fixture.lab, fixture.x->netns, SOCK_DGRAM, "10.9.9.10", PORT);
	lab_peering(&fixture.lab, LAB_VNI, OTHER_VNI, true);
	choose(FORMAT_GENEVE_2, false);
	sockets_expect_through(&fixture.lab, a, "10.9.9.10", PORT, x, 5);
	assert_int_equal(datapath_mapping_delete(dp, LAB_VNI, &addr), 0);
	sockets_send(a, "10.9.9.10", PORT, "first", 5);
	for (;;) {
		assert_int_equal(poll(&up, 1, SOCKETS_WAIT_MS), 1);
		if (datapath_upcall_read(dp, &u))
			continue;
		if (u->kind == DP_UPCALL_VERIFY)
			break;
		datapath_upcall_free(u);
	}
	assert_int_equal(u->vni, OTHER_VNI);
	assert_int_equal(u->other_vni, LAB_VNI);
	assert_true(ipaddr_equal(&u->src, &addr));
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	assert_int_equal(datapath_reinject(dp, u), 0);
	datapath_upcall_free(u);
	assert_true(sockets_readable(x, SOCKETS_WAIT_MS));
	assert_int_equal(recv(x, got, sizeof(got), 0), 5);
	assert_memory_equal(got, "first", 5);
	close(a);
	close(x);
}

/* ---- in ---- */

struct arriving {
	const char *what;
	size_t size;
	uint8_t option[20];
	const char *src;
	uint32_t reason; /* DROP_NONE: it gets to the node */
};

static const struct arriving arriving[] = {
	{"no option", 0, {0}, "10.0.1.10", DROP_STATEMENT},
	{"another class",
	 16,
	 {1, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, LAB_VNI},
	 "10.0.1.10",
	 DROP_STATEMENT},
	{"says 1, as long as 2",
	 16,
	 {0xff, 0xf6, 1, 3, 1, 0, 0, LAB_VNI},
	 "10.0.1.10",
	 DROP_STATEMENT},
	{"says 2, as long as 1",
	 12,
	 {0xff, 0xf6, 2, 2, 0, 0, 0, 0, 2, 0, 0, LAB_VNI},
	 "10.0.1.10",
	 DROP_STATEMENT},
	{"says 2 and 1",
	 16,
	 {0xff, 0xf6, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, LAB_VNI},
	 "10.0.1.10",
	 DROP_STATEMENT},
	{"an unknown version",
	 16,
	 {0xff, 0xf6, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, LAB_VNI},
	 "10.0.1.10",
	 DROP_STATEMENT},
	{"more behind it",
	 20,
	 {0xff, 0xf6, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, LAB_VNI, 1, 1, 1, 0},
	 "10.0.1.10",
	 DROP_STATEMENT},
	{"the other version",
	 12,
	 {0xff, 0xf6, 1, 2, 1, 0, 0, LAB_VNI},
	 "10.0.1.10",
	 DROP_FORMAT_VERSION},
	{"a network that is not peered",
	 16,
	 {0xff, 0xf6, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, OTHER_VNI},
	 "10.0.1.10",
	 DROP_NOT_PEERED},
	{"no network",
	 16,
	 {0xff, 0xf6, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0},
	 "10.0.1.10",
	 DROP_VNI},
	{"another's address",
	 16,
	 {0xff, 0xf6, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, LAB_VNI},
	 "10.0.1.66",
	 DROP_SPOOF},
	{"as it should be",
	 16,
	 {0xff, 0xf6, 2, 3, 0, 0, 0, 0, 0, 0, 0, 9, 2, 0, 0, LAB_VNI},
	 "10.0.1.10",
	 DROP_NONE},
};

/* All that was dropped for a reason at host 2, whoever it was for. */
static uint64_t dropped(uint32_t reason)
{
	return lab_drops(&fixture.lab, 1, 0, reason) +
	       lab_drops(&fixture.lab, 1, fixture.b->port.id, reason);
}

static void check_arriving(const struct arriving *row, int wire, int b)
{
	struct v4 p = {.src = row->src,
		       .dst = "10.0.1.11",
		       .protocol = 17,
		       .ttl = 64,
		       .fragment = 0x4000,
		       .payload = 5};
	struct frame inner = frame_v4(&p);
	uint8_t packet[256] = {(uint8_t)(row->size / 4), 0, 0x65, 0x58, 0, 0, LAB_VNI, 0};
	uint64_t before = dropped(row->reason);
	int64_t end = sockets_now_ms() + SOCKETS_WAIT_MS;

	memcpy(packet + 8, row->option, row->size);
	memcpy(packet + 8 + row->size, inner.b, inner.size);
	do {
		sockets_send(wire, "192.0.2.2", GENEVE_PORT, packet, 8 + row->size + inner.size);
		if (row->reason ? dropped(row->reason) > before : sockets_readable(b, STEP_MS))
			return;
		poll(NULL, 0, 10);
	} while (sockets_now_ms() < end);
	lab_explain(&fixture.lab);
	fail_msg("%s: not %s", row->what, row->reason ? "dropped so" : "delivered");
}

/* What a packet says of itself is what it is, or it is refused; and it is asked like any other who
 * may have sent it. */
/* requirement: NEG-6 */
/* requirement: MAP-4 */
static void test_arriving(void **state)
{
	int wire, b;

	if (!fixture.has_device)
		skip();
	wire = sockets_open(&fixture.lab, fixture.lab.hosts[0].netns, SOCK_DGRAM, "192.0.2.1",
			    4444);
	b = sockets_open(&fixture.lab, fixture.b->netns, SOCK_DGRAM, "10.0.1.11",
			 FRAME_DESTINATION_PORT);
	lab_peering(&fixture.lab, LAB_VNI, OTHER_VNI, false);
	choose(FORMAT_GENEVE_2, false);
	for (size_t i = 0; i < sizeof(arriving) / sizeof(arriving[0]); i++)
		check_arriving(&arriving[i], wire, b);
	close(wire);
	close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_device),
		cmocka_unit_test(test_on_the_wire),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_between_peered_networks),
		cmocka_unit_test(test_unknown_source),
		cmocka_unit_test(test_arriving),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
