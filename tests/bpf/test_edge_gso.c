/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GSO and partial checksums through an edge: the node is behind a tap with vnet headers on host 1,
 * the world behind one on host 2 (tap.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "net/csum.h"
#include "net/rtnl.h"
#include "tap.h"

enum {
	L4_AT = TAP_L4_AT,
	LARGE = 60000,
	TCP = 6,
	UDP = 17,
	IGW = 0xf00001,
	NAT = 0xf00002,
	TABLE = 3,
	PORT = 4000,
	EDGE = LAB_EDGE,
};

#define NODE   "10.0.1.10"
#define WORLD  "198.51.100.1"
#define PUBLIC "198.51.100.100"

static struct lab lab;
static struct tap node, uplink;
static struct dp_port port;
static struct tap_packet sent, got;
static const struct mac world_mac = {{0x02, 0, 0, 0, 0x77, 1}};

/* ---- the lab ---- */

static void add_uplink(void)
{
	struct lab_host *h = &lab.hosts[EDGE];
	struct rtnl_addr addr = {.addr = lab_addr("198.51.100.2"), .len = 96 + 24};
	struct rtnl *rtnl;

	tap_open(&lab, EDGE, "uplink", &uplink);
	addr.ifindex = uplink.ifindex;
	lab_enter(&lab, h->netns);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_addr_add(rtnl, &addr), 0);
	rtnl_close(rtnl);
	lab_enter(&lab, -1);
	h->config.uplink_ifindex = uplink.ifindex;
}

static void set_format(enum format format)
{
	struct dp_peer p = {.id = EDGE + 1,
			    .siit1 = lab.hosts[EDGE].config.siit1,
			    .siit2 = lab.hosts[EDGE].config.siit2,
			    .v4 = lab.hosts[EDGE].config.v4,
			    .v6 = lab.hosts[EDGE].config.v6,
			    .send = format,
			    .accept = FORMAT_BIT(format) | FORMAT_BIT(FORMAT_IPIP6_1),
			    .path_mtu = LAB_WIRE_MTU,
			    .nexthop = 1,
			    .edge = true};

	lab_set_format(&lab, format, false);
	assert_int_equal(datapath_peer_set(lab.hosts[0].dp, &p), 0);
}

static void set_gateways(void)
{
	struct dp_gateway igw = {.handle = IGW, .kind = DP_GATEWAY_INTERNET, .vni = LAB_VNI};
	struct dp_gateway nat = {.handle = NAT,
				 .kind = DP_GATEWAY_NAT,
				 .vni = LAB_VNI,
				 .public = lab_addr(PUBLIC),
				 .port_first = 5000, /* so that ports change */
				 .port_last = 6000};
	struct dp_public public = {.public = lab_addr("198.51.100.10"),
				   .vni = LAB_VNI,
				   .addr = lab_addr(NODE),
				   .handle = IGW};
	struct datapath *dp = lab.hosts[EDGE].dp;

	assert_int_equal(datapath_gateway_set(dp, &igw), 0);
	assert_int_equal(datapath_gateway_set(dp, &nat), 0);
	assert_int_equal(datapath_public_set(dp, &public), 0);
}

static void set_route(uint32_t handle)
{
	struct dp_route all = {.prefix = lab_prefix("0.0.0.0/0"),
			       .target = DP_TARGET_GATEWAY,
			       .peer = EDGE + 1,
			       .vni = handle};

	lab_table(&lab, TABLE, 1, &all);
}

static int set_up(void **state)
{
	lab_make(&lab, LAB_TABLE_SIZE, LAB_TABLE_SIZE);
	add_uplink();
	lab_start(&lab, FORMAT_SIIT_2);
	set_format(FORMAT_SIIT_2);
	lab_subnet_with(&lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", TABLE);
	tap_open(&lab, 0, "node", &node);
	port = (struct dp_port){.id = 1,
				.ifindex = node.ifindex,
				.vni = LAB_VNI,
				.mtu = LAB_NODE_MTU,
				.n_addrs = 1,
				.mac = {{0x02, 0, 0, 0, 0, 1}}};
	port.addrs[0] = lab_addr(NODE);
	lab_set_port(&lab, 0, &port);
	lab_map(&lab, LAB_VNI, NODE, 0, DP_MAPPING_LIVE);
	set_gateways();
	return 0;
}

static int tear_down(void **state)
{
	close(node.fd);
	close(uplink.fd);
	lab_deinit(&lab);
	return 0;
}

/* ---- packets ---- */

static uint16_t get_u16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static void make(const struct mac *to, const struct mac *from, const char *src, uint16_t sport,
		 const char *dst, uint16_t dport, uint8_t protocol, size_t payload, size_t gso)
{
	const struct tap_flow f = {.to = *to,
				   .from = *from,
				   .src = src,
				   .dst = dst,
				   .sport = sport,
				   .dport = dport,
				   .protocol = protocol};

	tap_make(&sent, &f, payload, gso);
}

/* The edge's kernel asks where the world is. */
static void answer_arp(const struct tap *t)
{
	uint8_t reply[42];
	struct virtio_net_hdr none = {};
	struct iovec parts[] = {{&none, sizeof(none)}, {reply, sizeof(reply)}};

	memcpy(reply, got.b, sizeof(reply));
	memcpy(reply, got.b + 6, 6);
	memcpy(reply + 6, world_mac.b, 6);
	reply[21] = 2;
	memcpy(reply + 22, world_mac.b, 6);
	memcpy(reply + 28, got.b + 38, 4);
	memcpy(reply + 32, got.b + 22, 10);
	assert_int_equal(writev(t->fd, parts, 2), (ssize_t)(sizeof(none) + sizeof(reply)));
}

static bool is_request_for_world(void)
{
	struct ipaddr world = lab_addr(WORLD);

	return got.b[12] == 8 && got.b[13] == 6 && got.b[21] == 1 &&
	       !memcmp(got.b + 38, world.b + 12, 4);
}

/* The next IPv4 packet with ports; the kernel's own chatter is passed over. */
static void receive_by(const struct tap *t)
{
	do {
		tap_receive(&lab, t, &got);
		if (is_request_for_world())
			answer_arp(t);
	} while (!tap_is_ipv4(&got) || (got.b[IP_AT + 9] != TCP && got.b[IP_AT + 9] != UDP));
}

static void assert_addr(size_t at, const char *text)
{
	struct ipaddr a = lab_addr(text);

	assert_memory_equal(got.b + at, a.b + 12, 4);
}

/* One packet for one, translated, its checksum right or becoming right. */
static void assert_whole(uint8_t protocol, size_t gso, const char *src, const char *dst)
{
	size_t header = L4_AT + tap_l4_size(protocol);

	assert_int_equal(got.size, sent.size);
	assert_int_equal(got.vnet.gso_size, gso);
	assert_int_equal(got.vnet.gso_type & ~VIRTIO_NET_HDR_GSO_ECN, sent.vnet.gso_type);
	assert_addr(IP_AT + 12, src);
	assert_addr(IP_AT + 16, dst);
	assert_int_equal(csum(got.b + IP_AT, 20), 0);
	tap_fill_checksum(&got);
	tap_assert_checksum(&got);
	assert_memory_equal(got.b + header, sent.b + header, sent.size - header);
}

/* ---- there and back ---- */

static const struct mac router_mac = {{0x02, 0xff, 0, 0, 0, 1}};

static void exchange(uint8_t protocol, size_t payload, size_t gso, const char *public, bool nat)
{
	uint16_t outside;

	make(&router_mac, &port.mac, NODE, PORT, WORLD, 80, protocol, payload, gso);
	tap_send(&node, &sent);
	receive_by(&uplink);
	assert_whole(protocol, gso, public, WORLD);
	assert_memory_equal(got.b, world_mac.b, 6);
	outside = get_u16(got.b + L4_AT);
	if (nat)
		assert_in_range(outside, 5000, 6000);
	else
		assert_int_equal(outside, PORT);
	make(&uplink.mac, &world_mac, WORLD, 80, public, outside, protocol, payload, gso);
	tap_send(&uplink, &sent);
	receive_by(&node);
	assert_whole(protocol, gso, WORLD, NODE);
	assert_memory_equal(got.b, port.mac.b, 6);
	assert_int_equal(get_u16(got.b + L4_AT + 2), PORT);
}

/* The connection that exchange() goes on with. */
static void begin(void)
{
	make(&router_mac, &port.mac, NODE, PORT, WORLD, 80, TCP, 0, 0);
	sent.b[L4_AT + 13] = 2; /* SYN */
	tap_send(&node, &sent);
	receive_by(&uplink);
}

static void check(enum format format)
{
	static const struct {
		uint32_t handle;
		const char *public;
	} ways[] = {{NAT, PUBLIC}, {IGW, "198.51.100.10"}};

	set_format(format);
	for (size_t i = 0; i < 2; i++) {
		set_route(ways[i].handle);
		begin();
		for (int round = 0; round < 2; round++) { /* the second from the flow cache */
			exchange(TCP, 500, 0, ways[i].public, !i);
			exchange(UDP, 501, 0, ways[i].public, !i);
			exchange(TCP, LARGE, 1360, ways[i].public, !i);
			if (node.uso && uplink.uso) /* Linux 6.1: the tap takes none from us */
				exchange(UDP, 1300 * 20, 1300, ways[i].public, !i);
		}
	}
}

/* requirement: EDGE-1 */
/* requirement: PKT-2 */
static void test_siit_2(void **state)
{
	check(FORMAT_SIIT_2);
}

/* requirement: EDGE-1 */
static void test_siit_1(void **state)
{
	check(FORMAT_SIIT_1);
}

/* requirement: EDGE-1 */
/* requirement: PKT-3 */
static void test_vxlan(void **state)
{
	check(FORMAT_VXLAN_1);
}

/* Many segments in one packet, and a checksum that is still to be made, of a connection that the
 * gateway knows nothing of: one reset.  requirement: EDGE-1 */
static void test_reset(void **state)
{
	static const enum format formats[] = {FORMAT_SIIT_2, FORMAT_VXLAN_1};

	set_route(NAT);
	for (size_t i = 0; i < 2; i++) {
		set_format(formats[i]);
		make(&router_mac, &port.mac, NODE, PORT + 1, WORLD, 80, TCP, LARGE, 1360);
		memcpy(sent.b + L4_AT + 8, (uint8_t[]){1, 2, 3, 4}, 4); /* acknowledged */
		tap_send(&node, &sent);
		receive_by(&node);
		assert_int_equal(got.size, L4_AT + 20);
		assert_int_equal(got.vnet.gso_type, VIRTIO_NET_HDR_GSO_NONE);
		assert_addr(IP_AT + 12, WORLD);
		assert_addr(IP_AT + 16, NODE);
		assert_int_equal(csum(got.b + IP_AT, 20), 0);
		tap_fill_checksum(&got);
		assert_int_equal(csum_fold(csum_add(tap_pseudo(&got), got.b + L4_AT, 20)), 0);
		assert_int_equal(get_u16(got.b + L4_AT), 80);
		assert_int_equal(get_u16(got.b + L4_AT + 2), PORT + 1);
		assert_int_equal(got.b[L4_AT + 13], 4); /* RST */
		assert_memory_equal(got.b + L4_AT + 4, ((uint8_t[]){1, 2, 3, 4}), 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siit_2),
		cmocka_unit_test(test_siit_1),
		cmocka_unit_test(test_vxlan),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
