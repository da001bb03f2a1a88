/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GSO and partial checksums between nodes behind taps (tap.h).  What one writes the other reads,
 * whole, with a checksum that is right or becomes right when its device fills it in.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "net/csum.h"
#include "tap.h"

enum { WAIT_MS = 2000, L4_AT = TAP_L4_AT, LARGE = 60000, TCP = 6, UDP = 17 };

struct node {
	struct tap tap;
	struct dp_port port;
};

struct fixture {
	struct lab lab;
	struct node a, b;
};

static struct fixture fixture;
static struct tap_packet sent, got;

static void add_node(int host, uint32_t id, const char *addr, struct node *ret)
{
	ret->port = (struct dp_port){.id = id,
				     .vni = LAB_VNI,
				     .mtu = LAB_NODE_MTU,
				     .n_addrs = 1,
				     .mac = {{0x02, 0, 0, 0, 0, (uint8_t)id}}};
	ret->port.addrs[0] = lab_addr(addr);
	ret->port.labels[0] = lab_label(host, LAB_VNI, &ret->port.addrs[0]);
	tap_open(&fixture.lab, host, "node", &ret->tap);
	ret->port.ifindex = ret->tap.ifindex;
	lab_set_port(&fixture.lab, host, &ret->port);
}

static int set_up(void **state)
{
	lab_init(&fixture.lab, FORMAT_SIIT_2);
	lab_subnet(&fixture.lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
	add_node(0, 1, "10.0.1.10", &fixture.a);
	add_node(1, 2, "10.0.1.11", &fixture.b);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	return 0;
}

static int tear_down(void **state)
{
	close(fixture.a.tap.fd);
	close(fixture.b.tap.fd);
	lab_deinit(&fixture.lab);
	return 0;
}

/* ---- packets ---- */

/* From a to b; without DF it has an identification. */
static void make(uint8_t protocol, size_t payload, size_t gso, bool df)
{
	const struct tap_flow f = {.to = {{0x06, LAB_VNI, 10, 0, 1, 11}},
				   .from = fixture.a.port.mac,
				   .src = "10.0.1.10",
				   .dst = "10.0.1.11",
				   .sport = 1000,
				   .dport = 2000,
				   .protocol = protocol,
				   .id = df ? 0 : 0x4321};

	tap_make(&sent, &f, payload, gso);
}

static void send_it(const struct node *n)
{
	tap_send(&n->tap, &sent);
}

/* The next IPv4 packet; the kernel's own chatter on the device is passed over. */
static void receive(const struct node *n)
{
	do {
		tap_receive(&fixture.lab, &n->tap, &got);
	} while (!tap_is_ipv4(&got));
}

/* What arrived is what was sent, one packet for one. */
static void assert_whole(uint8_t protocol, size_t gso)
{
	size_t field = L4_AT + tap_checksum_field(protocol);
	uint16_t check;

	assert_int_equal(got.size, sent.size);
	assert_int_equal(got.vnet.gso_size, gso);
	assert_int_equal(got.vnet.gso_type & ~VIRTIO_NET_HDR_GSO_ECN, sent.vnet.gso_type);
	assert_memory_equal(got.b, fixture.b.port.mac.b, 6);
	tap_fill_checksum(&got);
	tap_assert_checksum(&got);
	memcpy(&check, got.b + field, 2);
	memcpy(sent.b + field, &check, 2);
	assert_memory_equal(got.b + 12, sent.b + 12, sent.size - 12);
}

/* What was sent arrives in pieces, each a right packet: the kernel keeps the mark of the outer
 * header on a GSO packet whose outer header is gone, and a tap does not take such a one whole. */
static void assert_pieces(uint8_t protocol)
{
	size_t header = L4_AT + tap_l4_size(protocol), at = header;

	while (at < sent.size) {
		size_t n;

		receive(&fixture.b);
		tap_fill_checksum(&got);
		n = got.size - header;
		assert_int_equal(got.b[IP_AT + 2] << 8 | got.b[IP_AT + 3], got.size - IP_AT);
		assert_int_equal(csum(got.b + IP_AT, 20), 0);
		tap_assert_checksum(&got);
		assert_true(at + n <= sent.size);
		assert_memory_equal(got.b + header, sent.b + at, n);
		at += n;
	}
}

static void assert_large(enum format format, uint8_t protocol, size_t gso)
{
	if (format == FORMAT_IPIP6_1) {
		assert_pieces(protocol);
		return;
	}
	receive(&fixture.b);
	assert_whole(protocol, gso);
}

static void check_format(enum format format, bool v6)
{
	bool uso = fixture.a.tap.uso && fixture.b.tap.uso;

	lab_set_format(&fixture.lab, format, v6);
	for (int round = 0; round < 2; round++) { /* the second from the flow cache */
		make(TCP, 500, 0, true);
		send_it(&fixture.a);
		receive(&fixture.b);
		assert_whole(TCP, 0);
		make(UDP, 501, 0, true);
		send_it(&fixture.a);
		receive(&fixture.b);
		assert_whole(UDP, 0);
		make(UDP, 501, 0, false); /* with an identification: travels whole */
		send_it(&fixture.a);
		receive(&fixture.b);
		assert_whole(UDP, 0);
		make(TCP, LARGE, 1360, true);
		send_it(&fixture.a);
		assert_large(format, TCP, 1360);
		make(UDP, 1300 * 20, 1300, true);
		if (!uso) /* Linux 6.1: the tap takes no UDP GSO from us */
			continue;
		send_it(&fixture.a);
		assert_large(format, UDP, 1300);
	}
}

/* requirement: PKT-2 */
static void test_siit_2(void **state)
{
	check_format(FORMAT_SIIT_2, false);
}

/* requirement: PKT-2 */
static void test_siit_1(void **state)
{
	check_format(FORMAT_SIIT_1, false);
}

/* requirement: PKT-3 */
static void test_ipip6(void **state)
{
	check_format(FORMAT_IPIP6_1, false);
}

/* requirement: PKT-3 */
static void test_vxlan(void **state)
{
	check_format(FORMAT_VXLAN_1, false);
	check_format(FORMAT_VXLAN_1, true);
}

/* requirement: PKT-16 */
static void test_reip4(void **state)
{
	check_format(FORMAT_REIP4_1, false);
}

/* A whole GSO packet goes up to the agent, is held, and goes on whole. */
/* requirement: MAP-2 */
static void test_held_whole(void **state)
{
	struct datapath *dp = fixture.lab.hosts[0].dp;
	struct pollfd p = {.fd = datapath_upcall_fd(dp), .events = POLLIN};
	struct dp_upcall *u;

	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_HELD);
	make(TCP, LARGE, 1360, true);
	send_it(&fixture.a);
	while (datapath_upcall_read(dp, &u))
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(u->kind, DP_UPCALL_RESOLVE);
	assert_int_equal(u->size, sent.size);
	assert_int_equal(datapath_reinject(dp, u), 0);
	datapath_upcall_free(u);
	receive(&fixture.b);
	assert_whole(TCP, 1360);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
}

/* Segments that the path does not carry: the sender is told, and the answer is right however the
 * partial checksum of what it quotes ends up. */
/* requirement: PKT-9 */
static void check_too_big(uint8_t protocol, size_t payload, size_t gso)
{
	size_t icmp = IP_AT + 20;

	make(protocol, payload, gso, true);
	send_it(&fixture.a);
	receive(&fixture.a);
	assert_int_equal(got.b[IP_AT + 9], 1);
	assert_int_equal(got.b[icmp], 3);
	assert_int_equal(got.b[icmp + 1], 4);
	assert_int_equal(got.b[icmp + 6] << 8 | got.b[icmp + 7], 1480);
	assert_int_equal(got.vnet.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	assert_int_equal(got.size, (size_t)(got.b[IP_AT + 2] << 8 | got.b[IP_AT + 3]) + IP_AT);
	assert_memory_equal(got.b + icmp + 8, sent.b + IP_AT, 20 + 8 - 2);
	tap_fill_checksum(&got);
	assert_int_equal(csum(got.b + IP_AT, 20), 0);
	assert_int_equal(csum(got.b + icmp, got.size - icmp), 0);
}

static void test_too_big(void **state)
{
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	check_too_big(TCP, LARGE, 1441); /* 1481 + 20 */
	check_too_big(TCP, 1441, 0);
	check_too_big(UDP, 1453, 0);
	if (fixture.a.tap.uso)
		check_too_big(UDP, 1453 * 10, 1453);
	make(TCP, LARGE, 1440, true); /* just not */
	send_it(&fixture.a);
	receive(&fixture.b);
	assert_whole(TCP, 1440);
}

/* A packet that has one hop left and goes through the router, from 'src' to nobody. */
static void make_expired(uint8_t protocol, size_t payload, const char *from)
{
	const struct tap_flow f = {.to = {{0x02, 0xff, 0, 0, 0, 1}},
				   .from = fixture.a.port.mac,
				   .src = from,
				   .dst = "10.0.2.99",
				   .sport = 1000,
				   .dport = 2000,
				   .protocol = protocol};
	uint8_t *ip = sent.b + IP_AT;
	uint16_t sum;

	tap_make(&sent, &f, payload, 0);
	ip[8] = 1;
	memset(ip + 10, 0, 2);
	sum = csum(ip, 20);
	memcpy(ip + 10, &sum, 2);
}

/* The router tells of it, and its checksum is right when the device has filled in what the
 * quotation has of the sender's. */
static void check_expired(uint8_t protocol, size_t payload, const char *from)
{
	const size_t icmp = IP_AT + 20;

	make_expired(protocol, payload, from);
	send_it(&fixture.a);
	receive(&fixture.a);
	assert_int_equal(got.b[IP_AT + 9], 1);
	assert_int_equal(got.b[icmp], 11);
	assert_memory_equal(got.b + IP_AT + 16, sent.b + IP_AT + 12, 4);
	assert_memory_equal(got.b + icmp + 8, sent.b + IP_AT, 20 + 8 - 2);
	tap_fill_checksum(&got);
	assert_int_equal(csum(got.b + IP_AT, 20), 0);
	assert_int_equal(csum(got.b + icmp, got.size - icmp), 0);
}

static void set_forwards(bool forwards)
{
	fixture.a.port.forwards = forwards;
	fixture.a.port.handle = forwards ? 0xf00009 : 0;
	lab_set_port(&fixture.lab, 0, &fixture.a.port);
}

/* What a node sends itself, and what a node sends that forwards others' packets. */
/* requirement: PKT-9 PKT-13 */
static void test_expired(void **state)
{
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	lab_subnet(&fixture.lab, LAB_VNI, "10.0.2.0/24", "10.0.2.1", "10.0.0.2");
	for (int forwards = 0; forwards < 2; forwards++) {
		const char *from = forwards ? "10.0.77.10" : "10.0.1.10";

		set_forwards(forwards);
		check_expired(TCP, 0, from);
		check_expired(TCP, 500, from);
		check_expired(UDP, 32, from);
		check_expired(UDP, 1000, from);
	}
	set_forwards(false);
}

/* ---- counters ---- */

struct traffic {
	struct dp_port_counters formats[FORMAT_MAX];
};

static struct traffic traffic(int host)
{
	struct traffic t;

	assert_int_equal(datapath_traffic(fixture.lab.hosts[host].dp, t.formats), 0);
	return t;
}

/* Since then host 0 has sent, and host 1 got, 'n' packets of 'bytes' by 'format', and nothing by
 * others but 'also'. */
static void assert_traffic(const struct traffic *out, const struct traffic *in, enum format format,
			   enum format also, uint64_t n, uint64_t bytes)
{
	struct traffic a = traffic(0), b = traffic(1);

	for (int f = 0; f < FORMAT_MAX; f++) {
		uint64_t packets = (int)format == f ? n : 0;

		if ((int)also == f && format != also)
			continue;
		assert_int_equal(a.formats[f].tx_packets - out->formats[f].tx_packets, packets);
		assert_int_equal(a.formats[f].tx_bytes - out->formats[f].tx_bytes, packets * bytes);
		assert_int_equal(b.formats[f].rx_packets - in->formats[f].rx_packets, packets);
		assert_int_equal(b.formats[f].rx_bytes - in->formats[f].rx_bytes, packets * bytes);
		assert_int_equal(a.formats[f].rx_packets, out->formats[f].rx_packets);
		assert_int_equal(b.formats[f].tx_packets, in->formats[f].tx_packets);
	}
}

static void check_counting(enum format format, enum format companion)
{
	struct traffic out, in;

	lab_set_format(&fixture.lab, format, false);
	out = traffic(0);
	in = traffic(1);
	for (uint64_t n = 1; n <= 3; n++) { /* from the second on by the flow cache */
		make(UDP, 501, 0, true);
		send_it(&fixture.a);
		receive(&fixture.b);
		assert_traffic(&out, &in, format, companion, format == companion ? 2 * n - 1 : n,
			       sent.size);
		make(UDP, 501, 0, false); /* with an identification, which is lost otherwise */
		send_it(&fixture.a);
		receive(&fixture.b);
		assert_traffic(&out, &in, companion, format, format == companion ? 2 * n : n,
			       sent.size);
	}
}

/* requirement: PKT-15 OPS-1 */
static void test_formats_are_counted(void **state)
{
	check_counting(FORMAT_SIIT_1, FORMAT_IPIP6_1);
	check_counting(FORMAT_SIIT_2, FORMAT_IPIP6_1);
	check_counting(FORMAT_IPIP6_1, FORMAT_IPIP6_1);
	check_counting(FORMAT_VXLAN_1, FORMAT_VXLAN_1);
	check_counting(FORMAT_REIP4_1, FORMAT_VXLAN_1);
}

/* What a node sent counts once, also if it gets nowhere, and stays counted when the node is
 * gone. */
/* requirement: PKT-15 OPS-1 */
static void test_the_host_keeps_what_ports_counted(void **state)
{
	struct datapath *dp = fixture.lab.hosts[0].dp;
	struct dp_port_counters before, after, port;
	struct traffic out, now;

	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	assert_int_equal(datapath_counters(dp, 1, &before), 0);
	out = traffic(0);
	for (int i = 0; i < 2; i++)
		check_too_big(UDP, 1453, 0);
	make_expired(UDP, 100, "10.0.1.10");
	send_it(&fixture.a);
	receive(&fixture.a);
	now = traffic(0);
	assert_int_equal(now.formats[FORMAT_SIIT_2].tx_packets,
			 out.formats[FORMAT_SIIT_2].tx_packets + 2);
	assert_int_equal(now.formats[FORMAT_NONE].tx_packets,
			 out.formats[FORMAT_NONE].tx_packets + 1);
	assert_int_equal(datapath_counters(dp, 1, &after), 0);
	assert_int_equal(after.tx_packets, before.tx_packets + 3);
	assert_int_equal(datapath_port_delete(dp, 1), 0);
	out = traffic(0);
	assert_memory_equal(&out, &now, sizeof(out));
	lab_set_port(&fixture.lab, 0, &fixture.a.port);
	out = traffic(0);
	assert_memory_equal(&out, &now, sizeof(out));
	assert_int_equal(datapath_counters(dp, 1, &port), 0);
	assert_int_equal(port.tx_packets, 0);
}

/* requirement: PKT-15 */
static void test_segments_are_counted(void **state)
{
	struct dp_port_counters before, after;

	assert_int_equal(datapath_counters(fixture.lab.hosts[1].dp, 2, &before), 0);
	make(TCP, 13600, 1360, true);
	send_it(&fixture.a);
	receive(&fixture.b);
	assert_int_equal(datapath_counters(fixture.lab.hosts[1].dp, 2, &after), 0);
	assert_in_range(after.rx_packets - before.rx_packets, 10, 11);
	assert_int_equal(after.rx_bytes - before.rx_bytes, sent.size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siit_2),
		cmocka_unit_test(test_siit_1),
		cmocka_unit_test(test_ipip6),
		cmocka_unit_test(test_vxlan),
		cmocka_unit_test(test_reip4),
		cmocka_unit_test(test_held_whole),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_segments_are_counted),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_formats_are_counted),
		cmocka_unit_test(test_the_host_keeps_what_ports_counted),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
