/* SPDX-License-Identifier: Apache-2.0 */
/* Packet tables of the node's side: the router, ICMP errors, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "pair_lab.h"
#include "net/csum.h"

enum { DF = 0x4000 };

static const uint8_t router_mac[6] = {0x02, 0xff, 0, 0, 0, 1};
static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t node_mac[6] = {0x02, 0, 0, 0, 0, 1};

static struct pair_lab fixture;
static struct lab_node *third; /* on host 1 */

/* .20 is refused, .21 gone, .22 unknown. */
static int set_up(void **state)
{
	struct pair_lab *f = &fixture;

	pair_lab_init(f, FORMAT_SIIT_2);
	lab_subnet(&f->lab, LAB_VNI, "10.0.0.0/24", "10.0.0.1", "10.0.0.2");
	third = lab_node(&f->lab, 0, LAB_VNI, "10.0.1.12", "10.0.1.1");
	lab_map(&f->lab, LAB_VNI, "10.0.2.13", 1, DP_MAPPING_LIVE);
	lab_map(&f->lab, LAB_VNI, "10.0.1.20", 1, DP_MAPPING_REFUSED);
	lab_map(&f->lab, LAB_VNI, "10.0.2.20", 1, DP_MAPPING_REFUSED);
	lab_map(&f->lab, LAB_VNI, "10.0.1.21", 1, DP_MAPPING_GONE);
	lab_map(&f->lab, LAB_VNI, "10.0.2.21", 1, DP_MAPPING_GONE);
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

static int send_frame(const struct frame *in, struct frame *ret_out)
{
	return frame_from_node(&fixture.lab, fixture.a, in, ret_out);
}

static void assert_dropped(const struct frame *in, uint32_t reason)
{
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, in, reason);
}

/* ---- the router ---- */

static struct frame to_router(const char *dst, uint8_t protocol, uint8_t ttl)
{
	struct v4 p = {.src = "10.0.1.10",
		       .dst = dst,
		       .mac = router_mac,
		       .from = 1,
		       .protocol = protocol,
		       .ttl = ttl,
		       .fragment = DF,
		       .payload = 40};

	return frame_v4(&p);
}

static uint16_t ip_checksum(const struct frame *f)
{
	return csum(f->b + IP_AT, 20);
}

/* requirement: PKT-7 */
static void test_router_answers_ping(void **state)
{
	const char *routers[] = {"10.0.1.1", "10.0.2.1", "10.0.0.2"};

	for (size_t i = 0; i < 3; i++) {
		struct frame f = to_router(routers[i], IPPROTO_ICMP, 7), got;

		assert_int_equal(send_frame(&f, &got), TC_ACT_REDIRECT);
		assert_int_equal(got.size, f.size);
		assert_memory_equal(got.b, node_mac, 6);
		assert_memory_equal(got.b + 6, router_mac, 6);
		frame_assert_addr4(&got, IP_AT + 12, routers[i]);
		frame_assert_addr4(&got, IP_AT + 16, "10.0.1.10");
		assert_int_equal(got.b[IP_AT + 8], 64);
		assert_int_equal(ip_checksum(&got), 0);
		assert_int_equal(got.b[IP_AT + 20], 0); /* echo reply */
		assert_int_equal(csum(got.b + IP_AT + 20, got.size - IP_AT - 20), 0);
		assert_memory_equal(got.b + IP_AT + 24, f.b + IP_AT + 24, f.size - IP_AT - 24);
	}
}

/* An ICMP error from the router about 'sent', quoting it. */
static void assert_icmp(const struct frame *sent, uint8_t type, uint8_t code, uint16_t mtu)
{
	size_t quoted = (size_t)(sent->b[IP_AT] & 15) * 4 + 8;
	struct frame got;

	assert_int_equal(send_frame(sent, &got), TC_ACT_REDIRECT);
	assert_memory_equal(got.b, node_mac, 6);
	assert_memory_equal(got.b + 6, router_mac, 6);
	assert_int_equal(frame_u16(&got, 12), 0x0800);
	assert_int_equal(got.size, IP_AT + 28 + quoted);
	assert_int_equal(frame_u16(&got, IP_AT + 2), 28 + quoted);
	assert_int_equal(got.b[IP_AT + 9], IPPROTO_ICMP);
	assert_int_equal(ip_checksum(&got), 0);
	frame_assert_addr4(&got, IP_AT + 12, "10.0.1.1");
	frame_assert_addr4(&got, IP_AT + 16, "10.0.1.10");
	assert_int_equal(got.b[IP_AT + 20], type);
	assert_int_equal(got.b[IP_AT + 21], code);
	assert_int_equal(frame_u16(&got, IP_AT + 26), mtu);
	assert_int_equal(csum(got.b + IP_AT + 20, got.size - IP_AT - 20), 0);
	assert_memory_equal(got.b + IP_AT + 28, sent->b + IP_AT, quoted);
}

/* requirement: PKT-7 */
static void test_icmp_errors(void **state)
{
	struct v4 options = {.src = "10.0.1.10",
			     .dst = "192.0.2.9",
			     .mac = router_mac,
			     .from = 1,
			     .protocol = 17,
			     .ttl = 5,
			     .n_options = 12,
			     .payload = 30};
	struct frame f;

	f = to_router("10.0.2.13", IPPROTO_UDP, 1); /* traceroute's first hop */
	assert_icmp(&f, 11, 0, 0);
	f = to_router("192.0.2.9", IPPROTO_TCP, 64);
	assert_icmp(&f, 3, 0, 0);
	f = frame_v4(&options);
	assert_icmp(&f, 3, 0, 0);
	f = to_router("10.0.2.20", IPPROTO_TCP, 64); /* refused */
	assert_icmp(&f, 3, 1, 0);
	f = to_router("10.0.2.21", IPPROTO_UDP, 64); /* gone */
	assert_icmp(&f, 3, 1, 0);
	f = to_router("10.0.1.1", IPPROTO_UDP, 64);
	assert_icmp(&f, 3, 3, 0);
	f = to_router("10.0.0.2", IPPROTO_TCP, 64); /* the resolver speaks UDP */
	assert_icmp(&f, 3, 3, 0);
	f = to_router("192.0.2.9", IPPROTO_ICMP, 64); /* an echo request may be answered */
	assert_icmp(&f, 3, 0, 0);
}

/* RFC 1122 3.2.2: nothing is said about an ICMP error or a later fragment; and nothing, inside a
 * subnet, about a node that is not there. */
/* requirement: PKT-7 */
static void test_no_icmp_about(void **state)
{
	struct v4 inside = {.src = "10.0.1.10",
			    .dst = "10.0.1.21",
			    .from = 1,
			    .protocol = 17,
			    .ttl = 64,
			    .fragment = DF};
	struct frame f = to_router("192.0.2.9", IPPROTO_ICMP, 64), out;

	f.b[IP_AT + 20] = 3;
	assert_int_equal(send_frame(&f, &out), TC_ACT_SHOT);
	f = to_router("192.0.2.9", IPPROTO_UDP, 64);
	frame_put_u16(&f, IP_AT + 6, 5);
	frame_fix_ip(&f);
	assert_int_equal(send_frame(&f, &out), TC_ACT_SHOT);
	f = frame_v4(&inside);
	assert_int_equal(send_frame(&f, &out), TC_ACT_SHOT);
}

/* ---- the path's MTU ---- */

/* requirement: PKT-9 */
static void test_too_big(void **state)
{
	struct v4 p = {.src = "10.0.1.10",
		       .dst = "10.0.1.11",
		       .from = 1,
		       .protocol = 17,
		       .ttl = 64,
		       .fragment = DF,
		       .payload = 1452};
	struct frame f = frame_v4(&p), out;

	for (int round = 0; round < 2; round++) { /* without and with a cached flow */
		f = frame_v4(&p);
		assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT); /* 1480 + 20 = 1500 */
		assert_int_equal(out.size, 1514);
		p.payload = 1453;
		f = frame_v4(&p);
		assert_icmp(&f, 3, 4, 1480);
		assert_dropped(&f, DROP_TOO_BIG);
		p.payload = 1452;
	}
	p.fragment = 0; /* also said where it might be fragmented: it is not */
	p.payload = 1453;
	f = frame_v4(&p);
	assert_icmp(&f, 3, 4, 1480);
	p.id = 1; /* travels whole, which takes more room */
	p.payload = 1433;
	f = frame_v4(&p);
	assert_icmp(&f, 3, 4, 1460);
	p.payload = 1432;
	f = frame_v4(&p);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	assert_int_equal(out.size, 1514);
}

/* What VXLAN adds is more. */
/* requirement: PKT-9 */
static void test_too_big_for_vxlan(void **state)
{
	struct v4 p = {.src = "10.0.1.10",
		       .dst = "10.0.1.11",
		       .from = 1,
		       .protocol = 17,
		       .ttl = 64,
		       .fragment = DF};
	struct frame f, out;

	for (int v6 = 0; v6 < 2; v6++) {
		uint16_t limit = v6 ? 1430 : 1450;

		lab_set_format(&fixture.lab, FORMAT_VXLAN_1, v6);
		p.payload = (uint16_t)(limit - 28);
		f = frame_v4(&p);
		assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
		p.payload++;
		f = frame_v4(&p);
		assert_icmp(&f, 3, 4, limit);
	}
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
}

/* ---- refusals ---- */

struct drop_row {
	const char *name;
	uint32_t reason;
	struct v4 packet;
	uint8_t at, value; /* a byte changed afterwards, when 'at' is not 0 */
	uint16_t cut;      /* the frame's size afterwards, when not 0 */
	bool fix;          /* the header checksum is made right again */
};

/* An ordinary packet, and then what is different about it. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define UDP(...)                                                                                   \
	{                                                                                          \
		.src = "10.0.1.10", .dst = "10.0.1.11", .from = 1, .protocol = 17, .ttl = 64,      \
		.fragment = DF, .payload = 10, __VA_ARGS__                                         \
	}

/* requirement: PKT-10 */
/* requirement: PKT-15 */
static void test_refusals(void **state)
{
	static const uint8_t other_dummy[6] = {0x06, LAB_VNI, 10, 0, 1, 99};
	static const uint8_t other_network[6] = {0x06, LAB_VNI + 1, 10, 0, 1, 11};
	static const uint8_t routed_dummy[6] = {0x06, LAB_VNI, 10, 0, 2, 13};
	static const uint8_t multicast[6] = {0x01, 0, 0x5e, 0, 0, 5};
	/* clang-format off */
	static const struct drop_row table[] = {
		{"another's address", DROP_SOURCE_ADDR, UDP(.src = "10.0.1.11"), 0, 0, 0, 0},
		{"no address", DROP_SOURCE_ADDR, UDP(.src = "0.0.0.0"), 0, 0, 0, 0},
		{"another's MAC", DROP_SOURCE_MAC, UDP(.from = 9), 0, 0, 0, 0},
		{"a MAC of another address", DROP_DEST_MAC, UDP(.mac = other_dummy), 0, 0, 0, 0},
		{"a MAC of another network", DROP_DEST_MAC, UDP(.mac = other_network), 0, 0, 0, 0},
		{"the MAC of a node", DROP_DEST_MAC, UDP(.mac = node_mac), 0, 0, 0, 0},
		{"past the router", DROP_DEST_MAC, UDP(.dst = "10.0.2.13", .mac = routed_dummy),
		 0, 0, 0, 0},
		{"broadcast", DROP_BROADCAST, UDP(.dst = "255.255.255.255", .mac = broadcast),
		 0, 0, 0, 0},
		{"unicast in a broadcast frame", DROP_BROADCAST, UDP(.mac = broadcast), 0, 0, 0, 0},
		{"multicast", DROP_MULTICAST, UDP(.dst = "224.0.0.5", .mac = multicast), 0, 0, 0,
		 0},
		{"refused", DROP_REFUSED, UDP(.dst = "10.0.1.20"), 0, 0, 0, 0},
		{"gone", DROP_GONE, UDP(.dst = "10.0.1.21"), 0, 0, 0, 0},
		{"a service that the router has not", DROP_ROUTER_SERVICE,
		 UDP(.dst = "10.0.1.1", .mac = router_mac), 0, 0, 0, 0},
		{"no route", DROP_NO_ROUTE, UDP(.dst = "192.0.2.9", .mac = router_mac), 0, 0, 0, 0},
		{"TTL 0", DROP_MALFORMED, UDP(.ttl = 0), 0, 0, 0, 0},
		{"TTL 1 through the router", DROP_TTL,
		 UDP(.dst = "10.0.2.13", .mac = router_mac, .ttl = 1), 0, 0, 0, 0},
		{"version 5", DROP_MALFORMED, UDP(), IP_AT, 0x55, 0, true},
		{"header of 16 bytes", DROP_MALFORMED, UDP(), IP_AT, 0x44, 0, false},
		{"header longer than the packet", DROP_MALFORMED, UDP(), IP_AT, 0x4f, 0, false},
		{"wrong header checksum", DROP_MALFORMED, UDP(), IP_AT + 11, 0x5a, 0, false},
		{"longer than the frame", DROP_MALFORMED, UDP(), 0, 0, 40, false},
		{"not IP", DROP_PROTOCOL, UDP(), 12, 0x99, 0, false},
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct drop_row *r = &table[i];
		struct frame f = frame_v4(&r->packet);

		print_message("  %s\n", r->name);
		if (r->at)
			f.b[r->at] = r->value;
		if (r->fix)
			frame_fix_ip(&f);
		if (r->cut)
			f.size = r->cut;
		assert_dropped(&f, r->reason);
	}
}

/* A port that is disabled sends nothing and gets nothing, also what was let through a moment
 * before. requirement: NIC-1 */
static void test_a_disabled_port(void **state)
{
	struct v4 to_c = UDP(.dst = "10.0.1.12");
	struct frame f = frame_v4(&to_c), out;
	struct dp_port port = fixture.a->port;

	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	port.disabled = true;
	lab_set_port(&fixture.lab, 0, &port);
	assert_dropped(&f, DROP_DISABLED);
	lab_set_port(&fixture.lab, 0, &fixture.a->port);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	port = third->port;
	port.disabled = true;
	lab_set_port(&fixture.lab, 0, &port);
	assert_dropped(&f, DROP_DISABLED);
	lab_set_port(&fixture.lab, 0, &third->port);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
}

/* The same once the flow is cached: what the cache does not know is judged anew. */
/* requirement: PKT-10 */
static void test_refusals_beside_a_cached_flow(void **state)
{
	struct v4 good = UDP();
	struct frame f = frame_v4(&good), out;

	for (int i = 0; i < 3; i++)
		assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	f.b[6 + 5] = 9;
	assert_dropped(&f, DROP_SOURCE_MAC);
	f = frame_v4(&good);
	f.b[5] = 99;
	assert_dropped(&f, DROP_DEST_MAC);
	f = frame_v4(&good);
	f.b[IP_AT + 10] ^= 1;
	assert_dropped(&f, DROP_MALFORMED);
	f = frame_v4(&good);
	f.b[IP_AT + 8] = 0;
	frame_fix_ip(&f);
	assert_dropped(&f, DROP_MALFORMED);
	f = frame_v4(&good);
	assert_int_equal(frame_run(&fixture.lab, 0, RUN_PORT,
				   fixture.lab.hosts[0].config.substrate_ifindex, &f, &out),
			 TC_ACT_SHOT);
	assert_true(lab_drops(&fixture.lab, 0, 0, DROP_NO_PORT) > 0);
}

/* ---- changes reach cached flows ---- */

/* requirement: MAP-3 */
static void test_changes_invalidate_flows(void **state)
{
	struct v4 p = UDP();
	struct frame f = frame_v4(&p), out;
	struct datapath *dp = fixture.lab.hosts[0].dp;
	struct dp_port without = fixture.a->port;
	struct dp_nexthop n = {.id = 1,
			       .ifindex = fixture.lab.hosts[0].config.substrate_ifindex,
			       .resolved = true,
			       .source = {{2, 2, 2, 2, 2, 2}},
			       .destination = {{4, 4, 4, 4, 4, 4}}};

	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_GONE);
	assert_dropped(&f, DROP_GONE);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	/* the peer */
	lab_set_format(&fixture.lab, FORMAT_NONE, false);
	assert_dropped(&f, DROP_NO_FORMAT);
	lab_set_format(&fixture.lab, FORMAT_SIIT_1, false);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	frame_assert_addr6(&out, IP_AT + 8, "2001:db8:1:101:0:7:a00:10a");
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	frame_assert_addr6(&out, IP_AT + 8, "2001:db8:8000:113f:4100:7:a00:10a");
	/* the next hop */
	assert_int_equal(datapath_nexthop_set(dp, &n), 0);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	assert_memory_equal(out.b, n.destination.b, 6);
	assert_memory_equal(out.b + 6, n.source.b, 6);
	assert_int_equal(datapath_nexthop_delete(dp, 1), 0);
	assert_dropped(&f, DROP_NO_NEXTHOP);
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	/* the port's addresses */
	without.n_addrs = 1;
	without.addrs[0] = lab_addr("10.0.1.77");
	lab_set_port(&fixture.lab, 0, &without);
	assert_dropped(&f, DROP_SOURCE_ADDR);
	lab_set_port(&fixture.lab, 0, &fixture.a->port);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	/* the peer itself */
	assert_int_equal(datapath_peer_delete(dp, 2), 0);
	assert_dropped(&f, DROP_NO_PEER);
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
}

/* A neighbour on the same host goes, and comes back elsewhere. */
/* requirement: PKT-5 */
static void test_local_delivery_follows_the_port(void **state)
{
	struct v4 p = UDP(.dst = "10.0.1.12");
	struct frame f = frame_v4(&p), out;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
		assert_int_equal(out.size, f.size);
		assert_memory_equal(out.b, third->port.mac.b, 6);
		assert_memory_equal(out.b + 6, ((uint8_t[]){0x06, LAB_VNI, 10, 0, 1, 10}), 6);
		assert_memory_equal(out.b + 12, f.b + 12, f.size - 12);
	}
	assert_int_equal(datapath_port_delete(fixture.lab.hosts[0].dp, third->port.id), 0);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.12", 1, DP_MAPPING_LIVE);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	assert_int_equal(frame_u16(&out, 12), 0x86dd); /* to the wire now */
	lab_set_port(&fixture.lab, 0, &third->port);
	assert_int_equal(send_frame(&f, &out), TC_ACT_REDIRECT);
	assert_memory_equal(out.b, third->port.mac.b, 6);
}

/* requirement: PKT-15 */
static void test_events_explain_drops(void **state)
{
	struct v4 p = UDP(.dst = "10.0.1.20");
	struct frame f = frame_v4(&p), out;
	struct ipaddr src = lab_addr("10.0.1.10"), dst = lab_addr("10.0.1.20");
	struct datapath *dp = fixture.lab.hosts[0].dp;
	struct dp_drop_event e = {};
	bool seen = false;
	int n = 0;

	while (!datapath_event_read(dp, &e))
		;
	/* At most so many a second: within two, this many packets have left a sample. */
	for (int i = 0; i < 100000 && !seen; i++) {
		send_frame(&f, &out);
		while (!datapath_event_read(dp, &e))
			seen |= e.reason == DROP_REFUSED && e.port == fixture.a->port.id;
	}
	assert_true(seen);
	assert_int_equal(e.vni, LAB_VNI);
	assert_int_equal(e.revision, 1);
	assert_true(ipaddr_equal(&e.src, &src));
	assert_true(ipaddr_equal(&e.dst, &dst));
	for (int i = 0; i < 1000; i++)
		send_frame(&f, &out);
	while (!datapath_event_read(dp, &e))
		n++;
	assert_true(n < 500); /* samples, not all */
}

/* requirement: PKT-15 */
static void test_counters(void **state)
{
	struct v4 p = UDP(.payload = 100);
	struct frame f = frame_v4(&p), out;
	struct dp_port_counters before, after;

	assert_int_equal(datapath_counters(fixture.lab.hosts[0].dp, fixture.a->port.id, &before),
			 0);
	for (int i = 0; i < 5; i++)
		send_frame(&f, &out);
	assert_int_equal(datapath_counters(fixture.lab.hosts[0].dp, fixture.a->port.id, &after), 0);
	assert_int_equal(after.tx_packets - before.tx_packets, 5);
	assert_int_equal(after.tx_bytes - before.tx_bytes, 5 * f.size);
	assert_int_equal(datapath_counters(fixture.lab.hosts[0].dp, 99, &after), -2);
}

/* ---- the end ---- */

static bool has_program(int ifindex, bool egress)
{
	enum { TCX_INGRESS = 46 }; /* BPF_TCX_INGRESS: newer than the C library's headers */
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = 1);
	uint32_t n = 0;

	if (!bpf_prog_query(ifindex, (enum bpf_attach_type)(TCX_INGRESS + egress), 0, NULL, NULL,
			    &n) &&
	    n)
		return true;
	return !bpf_tc_query(&hook, &filter);
}

/* Devices that stay are as they were before. */
static void test_destroyed(void **state)
{
	struct lab_host *h = &fixture.lab.hosts[0];
	const int devices[] = {h->config.substrate_ifindex, fixture.a->ifindex, third->ifindex};
	char path[96];

	third->port.vlan = 5; /* so that there is a program at its egress, too */
	lab_set_port(&fixture.lab, 0, &third->port);
	lab_enter(&fixture.lab, h->netns);
	for (size_t i = 0; i < 3; i++)
		assert_true(has_program(devices[i], false));
	assert_true(has_program(third->ifindex, true));
	h->dp = datapath_close(h->dp);
	assert_true(has_program(h->config.substrate_ifindex, false));
	assert_int_equal(datapath_destroy(&h->config), 0);
	for (size_t i = 0; i < 3; i++)
		assert_false(has_program(devices[i], false));
	assert_false(has_program(third->ifindex, true));
	assert_int_equal(datapath_destroy(&h->config), 0); /* again: there is nothing to do */
	lab_enter(&fixture.lab, -1);
	snprintf(path, sizeof(path), "%s/viaduct/%s", h->config.bpffs, h->config.name);
	assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_router_answers_ping),
		cmocka_unit_test(test_icmp_errors),
		cmocka_unit_test(test_no_icmp_about),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_too_big_for_vxlan),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_a_disabled_port),
		cmocka_unit_test(test_refusals_beside_a_cached_flow),
		cmocka_unit_test(test_changes_invalidate_flows),
		cmocka_unit_test(test_local_delivery_follows_the_port),
		cmocka_unit_test(test_events_explain_drops),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_destroyed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
