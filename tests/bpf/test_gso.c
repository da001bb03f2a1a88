/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GSO and partial checksums, which BPF_PROG_RUN cannot make: nodes behind taps with vnet headers, as
 * virtual machines are.  What one writes the other reads, whole, with a checksum that is right or
 * becomes right when its device fills it in.
 */
#include <linux/virtio_net.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "datapath/bpf_host.h"
#include "lab.h"
#include "net/csum.h"
#include "net/rtnl.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

enum { WAIT_MS = 2000, IP_AT = 14, L4_AT = 34, LARGE = 60000, TCP = 6, UDP = 17 };

struct packet {
	struct virtio_net_hdr vnet;
	size_t size;
	uint8_t b[70000];
};

struct node {
	int fd;
	bool uso;
	struct dp_port port;
};

struct fixture {
	struct lab lab;
	struct node a, b;
};

static struct fixture fixture;
static struct packet sent, got;

static void add_node(int host, uint32_t id, const char *addr, struct node *ret)
{
	struct rtnl_link link;
	struct rtnl *rtnl;

	ret->port = (struct dp_port){.id = id,
				     .vni = LAB_VNI,
				     .mtu = LAB_NODE_MTU,
				     .n_addrs = 1,
				     .mac = {{0x02, 0, 0, 0, 0, (uint8_t)id}}};
	ret->port.addrs[0] = lab_addr(addr);
	ret->port.labels[0] = lab_label(host, LAB_VNI, &ret->port.addrs[0]);
	lab_enter(&fixture.lab, fixture.lab.hosts[host].netns);
	assert_int_equal(bpf_upcall_open("node", &ret->fd, &ret->uso), 0);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_link_find(rtnl, "node", &link), 0);
	assert_int_equal(rtnl_link_set_up(rtnl, link.ifindex, true), 0);
	rtnl_close(rtnl);
	ret->port.ifindex = link.ifindex;
	assert_int_equal(datapath_port_set(fixture.lab.hosts[host].dp, &ret->port), 0);
	lab_enter(&fixture.lab, -1);
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
	close(fixture.a.fd);
	close(fixture.b.fd);
	lab_deinit(&fixture.lab);
	return 0;
}

/* ---- packets ---- */

static void put_u16(uint8_t *b, size_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static size_t l4_size(uint8_t protocol)
{
	return protocol == TCP ? 20 : 8;
}

static size_t checksum_field(uint8_t protocol)
{
	return protocol == TCP ? 16 : 6;
}

static uint32_t pseudo(const struct packet *p)
{
	struct ipaddr src = lab_addr("10.0.1.10"), dst = lab_addr("10.0.1.11");

	return csum_pseudo(&src, &dst, p->b[IP_AT + 9], (uint32_t)(p->size - L4_AT));
}

/* A packet whose checksum the device is to fill in; 'gso' is the payload of a segment, 0: one. */
static void make(uint8_t protocol, size_t payload, size_t gso, bool df)
{
	uint16_t sum;

	sent.size = L4_AT + l4_size(protocol) + payload;
	memset(sent.b, 0, sent.size);
	memcpy(sent.b, (uint8_t[]){0x06, LAB_VNI, 10, 0, 1, 11, 0x02, 0, 0, 0, 0, 1, 8, 0}, 14);
	memcpy(sent.b + IP_AT,
	       (uint8_t[]){0x45, 0,  0,  0, 0, 0, df ? 0x40 : 0, 0, 64, protocol, 0, 0, 10, 0,
			   1,    10, 10, 0, 1, 11},
	       20);
	put_u16(sent.b + IP_AT + 2, sent.size - IP_AT);
	if (!df)
		put_u16(sent.b + IP_AT + 4, 0x4321);
	sum = csum(sent.b + IP_AT, 20);
	memcpy(sent.b + IP_AT + 10, &sum, 2);
	put_u16(sent.b + L4_AT, 1000);
	put_u16(sent.b + L4_AT + 2, 2000);
	if (protocol == TCP)
		memcpy(sent.b + L4_AT + 12, (uint8_t[]){0x50, 0x10, 0xff, 0xff}, 4);
	else
		put_u16(sent.b + L4_AT + 4, sent.size - L4_AT);
	for (size_t i = 0; i < payload; i++)
		sent.b[L4_AT + l4_size(protocol) + i] = (uint8_t)(i * 31 + i / 255);
	sum = (uint16_t)~csum_fold(pseudo(&sent));
	memcpy(sent.b + L4_AT + checksum_field(protocol), &sum, 2);
	sent.vnet = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = !gso              ? VIRTIO_NET_HDR_GSO_NONE
			    : protocol == TCP ? VIRTIO_NET_HDR_GSO_TCPV4
					      : VIRTIO_NET_HDR_GSO_UDP_L4,
		.gso_size = (uint16_t)gso,
		.hdr_len = (uint16_t)(L4_AT + l4_size(protocol)),
		.csum_start = L4_AT,
		.csum_offset = (uint16_t)checksum_field(protocol),
	};
}

static void send_it(const struct node *n)
{
	struct iovec parts[] = {{&sent.vnet, sizeof(sent.vnet)}, {sent.b, sent.size}};

	assert_int_equal(writev(n->fd, parts, 2), (ssize_t)(sizeof(sent.vnet) + sent.size));
}

/* The next IPv4 packet; the kernel's own chatter on the device is passed over. */
static void receive(const struct node *n)
{
	struct iovec parts[] = {{&got.vnet, sizeof(got.vnet)}, {got.b, sizeof(got.b)}};
	struct pollfd p = {.fd = n->fd, .events = POLLIN};
	ssize_t size;

	do {
		if (poll(&p, 1, WAIT_MS) != 1) {
			lab_explain(&fixture.lab);
			fail_msg("nothing arrived");
		}
		size = readv(n->fd, parts, 2);
		assert_true(size > (ssize_t)sizeof(got.vnet));
		got.size = (size_t)size - sizeof(got.vnet);
	} while (got.b[12] != 8 || got.b[13] != 0);
}

/* Does what a device does that is asked to. */
static void fill_checksum(struct packet *p)
{
	size_t start = p->vnet.csum_start;
	uint16_t sum;

	if (!(p->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return;
	assert_true(start + p->vnet.csum_offset + 2 <= p->size);
	sum = csum_fold(csum_add(0, p->b + start, p->size - start));
	memcpy(p->b + start + p->vnet.csum_offset, &sum, 2);
}

/* What arrived is what was sent, one packet for one. */
static void assert_whole(uint8_t protocol, size_t gso)
{
	size_t field = L4_AT + checksum_field(protocol);
	uint16_t check;

	assert_int_equal(got.size, sent.size);
	assert_int_equal(got.vnet.gso_size, gso);
	assert_int_equal(got.vnet.gso_type & ~VIRTIO_NET_HDR_GSO_ECN, sent.vnet.gso_type);
	assert_memory_equal(got.b, fixture.b.port.mac.b, 6);
	fill_checksum(&got);
	assert_int_equal(csum_fold(csum_add(pseudo(&got), got.b + L4_AT, got.size - L4_AT)), 0);
	memcpy(&check, got.b + field, 2);
	memcpy(sent.b + field, &check, 2);
	assert_memory_equal(got.b + 12, sent.b + 12, sent.size - 12);
}

/* What was sent arrives in pieces, each a right packet: the kernel keeps the mark of the outer header
 * on a GSO packet whose outer header is gone, and a tap does not take such a one whole. */
static void assert_pieces(uint8_t protocol)
{
	size_t header = L4_AT + l4_size(protocol), at = header;

	while (at < sent.size) {
		size_t n;

		receive(&fixture.b);
		fill_checksum(&got);
		n = got.size - header;
		assert_int_equal(got.b[IP_AT + 2] << 8 | got.b[IP_AT + 3], got.size - IP_AT);
		assert_int_equal(csum(got.b + IP_AT, 20), 0);
		assert_int_equal(csum_fold(csum_add(pseudo(&got), got.b + L4_AT, got.size - L4_AT)),
				 0);
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
	bool uso = fixture.a.uso && fixture.b.uso;

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
	fill_checksum(&got);
	assert_int_equal(csum(got.b + IP_AT, 20), 0);
	assert_int_equal(csum(got.b + icmp, got.size - icmp), 0);
}

static void test_too_big(void **state)
{
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	check_too_big(TCP, LARGE, 1441); /* 1481 + 20 */
	check_too_big(TCP, 1441, 0);
	check_too_big(UDP, 1453, 0);
	if (fixture.a.uso)
		check_too_big(UDP, 1453 * 10, 1453);
	make(TCP, LARGE, 1440, true); /* just not */
	send_it(&fixture.a);
	receive(&fixture.b);
	assert_whole(TCP, 1440);
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
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
