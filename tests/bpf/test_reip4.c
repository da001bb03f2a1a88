/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet tables of re-heading on IPv4: what a node sends, what is on the wire, what the other node
 * gets, who may send what, and errors of the substrate.  Host 1's labels are in 198.18.1.0/24, host
 * 2's in 198.18.2.0/24; the last byte is the virtual address's (tests/bpf/lab.c).
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "pair_lab.h"
#include "net/csum.h"

enum { DF = 0x4000, MF = 0x2000, SRC = IP_AT + 12, DST = IP_AT + 16, OTHER_VNI = 8 };

#define LABEL_A 0xc612010aU /* 198.18.1.10 */
#define LABEL_B 0xc612020bU
#define LABEL_D 0xc612020dU

struct row {
	const char *name;
	struct v4 packet;
	size_t padding;
	bool whole; /* by vxlan */
};

#define PACKET(...)                                                                                \
	{                                                                                          \
		.src = "10.0.1.10", .dst = "10.0.1.11", .from = 1, __VA_ARGS__                     \
	}

/* clang-format off */
static const struct row rows[] = {
	{"TCP", PACKET(.protocol = 6, .ttl = 64, .fragment = DF, .id = 77, .payload = 100), 0, 0},
	{"UDP", PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .payload = 100), 0, 0},
	{"UDP, odd", PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .payload = 1), 0, 0},
	{"UDP, empty", PACKET(.protocol = 17, .ttl = 64, .fragment = DF), 0, 0},
	{"UDP without checksum",
	 PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .no_checksum = true, .payload = 40), 0, 0},
	{"ICMP", PACKET(.protocol = 1, .ttl = 64, .fragment = DF, .payload = 56), 0, 0},
	{"every bit of ToS", PACKET(.protocol = 6, .tos = 0xff, .ttl = 64, .fragment = DF), 0, 0},
	{"TTL 255", PACKET(.protocol = 17, .ttl = 255, .fragment = DF), 0, 0},
	{"TTL 1", PACKET(.protocol = 17, .ttl = 1, .fragment = DF), 0, 0},
	{"UDP-Lite", PACKET(.protocol = 136, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"DCCP", PACKET(.protocol = 33, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"SCTP", PACKET(.protocol = 132, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"ESP", PACKET(.protocol = 50, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"IPv4 inside", PACKET(.protocol = 4, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"IPv6 inside", PACKET(.protocol = 41, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"protocol 0", PACKET(.protocol = 0, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"no payload at all", PACKET(.protocol = 253, .ttl = 64, .fragment = DF), 0, 0},
	{"padded to 60 bytes", PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .payload = 1), 17, 0},
	{"as large as the path", PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .payload = 1472),
	 0, 0},
	{"no DF", PACKET(.protocol = 17, .ttl = 9, .payload = 8), 0, true},
	{"identification", PACKET(.protocol = 17, .ttl = 64, .id = 1, .payload = 100), 0, true},
	{"reserved flag", PACKET(.protocol = 17, .ttl = 64, .fragment = 0x8000 | DF), 0, true},
	{"first fragment", PACKET(.protocol = 17, .ttl = 64, .id = 5, .fragment = MF,
				  .payload = 64), 0, true},
	{"first fragment with DF", PACKET(.protocol = 17, .ttl = 64, .id = 5, .fragment = DF | MF,
					  .payload = 64), 0, true},
	{"last fragment", PACKET(.protocol = 17, .ttl = 64, .id = 5, .fragment = 9, .payload = 64),
	 0, true},
	{"4 bytes of options", PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .n_options = 4,
				      .payload = 10), 0, true},
};
/* clang-format on */

static struct pair_lab fixture;
static struct lab_node *stranger; /* on host 2, in another network */

static int set_up(void **state)
{
	struct pair_lab *f = &fixture;

	pair_lab_init(f, FORMAT_REIP4_1);
	lab_subnet(&f->lab, OTHER_VNI, "10.9.0.0/24", "10.9.0.1", NULL);
	lab_node(&f->lab, 1, LAB_VNI, "10.0.2.13", "10.0.2.1");
	stranger = lab_node(&f->lab, 1, OTHER_VNI, "10.9.0.20", "10.9.0.1");
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

/* As it is before each test. */
static int reset(void **state)
{
	struct pair_lab *f = &fixture;

	lab_set_format(&f->lab, FORMAT_REIP4_1, false);
	lab_set_port(&f->lab, 0, &f->a->port);
	lab_set_port(&f->lab, 1, &f->b->port);
	lab_map(&f->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&f->lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	lab_map(&f->lab, LAB_VNI, "10.0.2.13", 1, DP_MAPPING_LIVE);
	lab_map(&f->lab, OTHER_VNI, "10.9.0.20", 1, DP_MAPPING_LIVE);
	return 0;
}

/* ---- what is carried, and how ---- */

/* Byte for byte: the labels, TTL 64, the TTL in the identification, a right header checksum; the
 * transport checksum is right for the labels; all else is what was sent. */
static void check_wire(const struct row *r, const struct frame *sent, const struct frame *wire,
		       uint8_t ttl)
{
	struct frame want = *sent;

	assert_int_equal(wire->size, sent->size); /* not a byte more */
	assert_memory_equal(wire->b, fixture.lab.hosts[1].wire_mac.b, 6);
	memcpy(want.b, wire->b, 12);
	frame_put_u32(&want, SRC, LABEL_A);
	frame_put_u32(&want, DST, frame_u32(wire, DST));
	frame_put_u16(&want, IP_AT + 4, (uint16_t)(ttl << 8));
	want.b[IP_AT + 8] = 64;
	frame_fix_ip(&want);
	assert_memory_equal(wire->b, want.b, IP_AT + 20);
	if (r->packet.no_checksum)
		assert_int_equal(frame_u16(wire, IP_AT + 20 + 6), 0);
	if (!r->packet.no_checksum && (r->packet.protocol == 6 || r->packet.protocol == 17 ||
				       r->packet.protocol == 136 || r->packet.protocol == 33))
		frame_assert_checksum(wire);
	else
		assert_memory_equal(wire->b + IP_AT + 20, sent->b + IP_AT + 20,
				    sent->size - IP_AT - 20);
}

/* The node gets what was sent, but for the identification that had no meaning. */
static void check_restored(const struct frame *sent, struct frame wire)
{
	struct frame want = *sent, got;

	wire.b[IP_AT + 8] -= 5; /* as many routers are between the hosts */
	frame_fix_ip(&wire);
	assert_int_equal(frame_from_wire(&fixture.lab, 1, &wire, &got), TC_ACT_REDIRECT);
	memcpy(want.b, (uint8_t[]){0x02, 0, 0, 0, 0, 2}, 6);
	memcpy(want.b + 6, (uint8_t[]){0x06, LAB_VNI, 10, 0, 1, 10}, 6);
	frame_put_u16(&want, IP_AT + 4, 0);
	frame_fix_ip(&want);
	assert_int_equal(got.size, want.size);
	assert_memory_equal(got.b, want.b, want.size);
}

/* Handed to the vxlan device as it is. */
static void check_whole(const struct frame *sent, const struct frame *out)
{
	assert_int_equal(out->size, sent->size);
	assert_memory_equal(out->b, ((uint8_t[]){0x0e, 0x76, 0x69, 0x61, 0, 1}), 6);
	assert_memory_equal(out->b + 12, sent->b + 12, sent->size - 12);
}

static void check_row(const struct row *r)
{
	struct frame sent = frame_v4(&r->packet), padded = sent, wire;

	print_message("  %s\n", r->name);
	padded.size += r->padding;
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &padded, &wire), TC_ACT_REDIRECT);
	if (r->whole) {
		check_whole(&sent, &wire);
		return;
	}
	check_wire(r, &sent, &wire, r->packet.ttl);
	assert_int_equal(frame_u32(&wire, DST), LABEL_B);
	wire.size += r->padding;
	check_restored(&sent, wire);
}

/* requirement: PKT-16 */
static void test_rows(void **state)
{
	for (int round = 0; round < 2; round++) /* on the full path, then from the flow cache */
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			check_row(&rows[i]);
}

/* Through the router: the TTL in the packet is one less, however many hops the substrate has. */
/* requirement: PKT-7 */
/* requirement: PKT-16 */
static void test_routed(void **state)
{
	static const uint8_t router[6] = {0x02, 0xff, 0, 0, 0, 1};
	struct row r = {"routed", PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .payload = 20),
			0, 0};
	struct frame sent, wire, got, want;

	r.packet.dst = "10.0.2.13";
	r.packet.mac = router;
	want = sent = frame_v4(&r.packet);
	memcpy(want.b, (uint8_t[]){0x02, 0, 0, 0, 0, 3, 0x02, 0xff, 0, 0, 0, 2}, 12);
	want.b[IP_AT + 8] = 63;
	frame_fix_ip(&want);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &sent, &wire),
				 TC_ACT_REDIRECT);
		assert_int_equal(frame_u32(&wire, DST), LABEL_D);
		check_wire(&r, &sent, &wire, 63);
		assert_int_equal(frame_from_wire(&fixture.lab, 1, &wire, &got), TC_ACT_REDIRECT);
		assert_int_equal(got.size, want.size);
		assert_memory_equal(got.b, want.b, want.size);
	}
}

/* ECN marks of the substrate reach the node (RFC 6040, where there is one header). */
static void test_congestion_is_told(void **state)
{
	struct v4 p = PACKET(.protocol = 6, .tos = 0x02, .ttl = 64, .fragment = DF);
	struct frame sent = frame_v4(&p), wire, got;

	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &sent, &wire), TC_ACT_REDIRECT);
	wire.b[IP_AT + 1] = 0x03;
	frame_fix_ip(&wire);
	assert_int_equal(frame_from_wire(&fixture.lab, 1, &wire, &got), TC_ACT_REDIRECT);
	assert_int_equal(got.b[IP_AT + 1], 0x03);
	assert_int_equal(csum(got.b + IP_AT, 20), 0);
}

/* The path carries as much as the node may send; what goes by vxlan has less room. */
/* requirement: PKT-9 */
static void test_too_big(void **state)
{
	struct v4 p = PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .payload = 1473);
	struct frame f = frame_v4(&p), out;

	for (int round = 0; round < 2; round++) {
		assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out),
				 TC_ACT_REDIRECT);
		assert_int_equal(out.b[IP_AT + 9], 1); /* an ICMP error */
		assert_int_equal(frame_u16(&out, IP_AT + 20), 0x0304);
		assert_int_equal(frame_u16(&out, IP_AT + 26), LAB_WIRE_MTU);
	}
	p.payload = 1430;
	p.fragment = 0;
	p.id = 9;
	f = frame_v4(&p);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out), TC_ACT_REDIRECT);
	assert_int_equal(frame_u16(&out, IP_AT + 20), 0x0304);
	assert_int_equal(frame_u16(&out, IP_AT + 26), LAB_WIRE_MTU - 50);
}

static struct frame packet_of_a(uint16_t fragment, const char *dst, const uint8_t *mac)
{
	struct v4 p = PACKET(.protocol = 17, .ttl = 64, .fragment = fragment, .payload = 40);

	p.dst = dst;
	p.mac = mac;
	return frame_v4(&p);
}

/* Either end without a label: by vxlan, and where nothing may go beside reip4, not at all, whatever
 * the peer may send. */
/* requirement: PKT-16 */
static void test_without_labels(void **state)
{
	struct frame f = packet_of_a(DF, "10.0.1.11", NULL), out;
	struct dp_mapping m = {.vni = LAB_VNI,
			       .addr = lab_addr("10.0.1.11"),
			       .state = DP_MAPPING_LIVE,
			       .peer = 2,
			       .revision = 2};
	struct dp_port port = fixture.a->port;
	struct dp_peer peer = {.id = 2,
			       .labels = fixture.lab.hosts[1].config.labels,
			       .send = FORMAT_REIP4_1,
			       .accept = FORMAT_BIT(FORMAT_REIP4_1),
			       .path_mtu = 1500,
			       .nexthop = 1};

	memcpy(peer.v4.b, fixture.lab.hosts[1].config.v4.b, 16);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out), TC_ACT_REDIRECT);
	assert_int_equal(frame_u32(&out, DST), LABEL_B);
	assert_int_equal(datapath_mapping_set(fixture.lab.hosts[0].dp, &m), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out),
				 TC_ACT_REDIRECT);
		check_whole(&f, &out);
	}
	reset(NULL);
	port.labels[0] = 0;
	lab_set_port(&fixture.lab, 0, &port);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out), TC_ACT_REDIRECT);
	check_whole(&f, &out);
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[0].dp, &peer), 0);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out), TC_ACT_REDIRECT);
	check_whole(&f, &out);
	peer.alone = true;
	peer.accept |= FORMAT_BIT(FORMAT_VXLAN_1);
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[0].dp, &peer), 0);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_NO_FORMAT);
	lab_set_port(&fixture.lab, 0, &fixture.a->port);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out), TC_ACT_REDIRECT);
	assert_int_equal(frame_u32(&out, DST), LABEL_B);
	f = packet_of_a(0, "10.0.1.11", NULL);
	frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_NO_FORMAT);
}

/* ---- who may send what ---- */

/* What host 1 puts on the wire for a's packet to b. */
static struct frame wire(void)
{
	struct frame f = packet_of_a(DF, "10.0.1.11", NULL), out;

	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out), TC_ACT_REDIRECT);
	assert_int_equal(frame_u32(&out, DST), LABEL_B);
	return out;
}

/* IPv4 of the host itself and of others is none of our business. */
/* requirement: PKT-16 */
static void test_other_traffic_passes(void **state)
{
	struct frame f = wire(), out;

	frame_put_u32(&f, DST, 0xc0000202); /* the host's own address */
	frame_fix_ip(&f);
	assert_int_equal(frame_from_wire(&fixture.lab, 1, &f, &out), TC_ACT_UNSPEC);
	assert_int_equal(out.size, f.size);
	assert_memory_equal(out.b + 6, f.b + 6, f.size - 6);
	frame_put_u32(&f, DST, 0xc612030b); /* a third host's label */
	frame_fix_ip(&f);
	assert_int_equal(frame_from_wire(&fixture.lab, 1, &f, &out), TC_ACT_UNSPEC);
	f = wire();
	f.b[0] = 0x06; /* flooded by a switch: another station's MAC */
	assert_int_equal(frame_run(&fixture.lab, 1, RUN_SUBSTRATE,
				   fixture.lab.hosts[1].config.substrate_ifindex, &f, &out),
			 TC_ACT_UNSPEC);
}

struct claim {
	const char *name;
	uint32_t reason, src, dst;
	bool at_port;
};

/* requirement: MAP-4 */
/* requirement: PKT-4 */
/* requirement: PKT-16 */
static void test_refusals(void **state)
{
	static const struct claim table[] = {
		{"no host's label", DROP_UNKNOWN_PEER, 0xc612030a, LABEL_B, false},
		{"this host's own label", DROP_UNKNOWN_PEER, LABEL_D, LABEL_B, false},
		{"a label that nobody here has", DROP_NOT_LOCAL, LABEL_A, 0xc6120263, false},
		{"the range itself", DROP_NOT_LOCAL, LABEL_A, 0xc6120200, false},
		{"another network's label", DROP_NOT_PEERED, LABEL_A, 0xc6120234, false},
	};

	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			struct frame f = wire();

			if (round) /* beside a cached flow */
				pair_assert_accepted(&fixture, &f);
			print_message("  %s\n", table[i].name);
			frame_put_u32(&f, SRC, table[i].src);
			frame_put_u32(&f, DST, table[i].dst);
			frame_fix_ip(&f);
			if (table[i].reason == DROP_NOT_PEERED)
				frame_assert_dropped_from_wire(&fixture.lab, 1, stranger->port.id,
							       &f, table[i].reason);
			else
				pair_assert_dropped(&fixture, &f, table[i].reason);
		}
}

/* Headers that no sender writes. */
/* requirement: PKT-16 */
static void test_malformed(void **state)
{
	struct frame good = wire(), f;

	for (int round = 0; round < 2; round++) {
		f = good;
		f.b[IP_AT + 10] ^= 1; /* the header's checksum */
		pair_assert_dropped(&fixture, &f, DROP_MALFORMED);
		f = good;
		frame_put_u16(&f, IP_AT + 6, 0); /* no DF */
		frame_fix_ip(&f);
		pair_assert_dropped(&fixture, &f, DROP_MALFORMED);
		f = good;
		frame_put_u16(&f, IP_AT + 6, DF | MF);
		frame_fix_ip(&f);
		pair_assert_dropped(&fixture, &f, DROP_MALFORMED);
		f = good;
		frame_put_u16(&f, IP_AT + 4, 0x00ff); /* no TTL */
		frame_fix_ip(&f);
		pair_assert_dropped(&fixture, &f, DROP_MALFORMED);
		f = good;
		/* longer than it is */
		frame_put_u16(&f, IP_AT + 2, (uint16_t)(f.size - IP_AT + 1));
		frame_fix_ip(&f);
		pair_assert_dropped(&fixture, &f, DROP_MALFORMED);
		f = good;
		frame_put_u16(&f, IP_AT + 2, 19);
		frame_fix_ip(&f);
		pair_assert_dropped(&fixture, &f, DROP_MALFORMED);
		f = good;
		f.b[IP_AT] = 0x46; /* options */
		pair_assert_dropped(&fixture, &f, DROP_MALFORMED);
		pair_assert_accepted(&fixture, &good);
	}
}

/* requirement: NEG-6 */
static void test_format_must_be_chosen(void **state)
{
	struct frame f = wire();
	struct dp_peer peer = {.id = 1,
			       .labels = fixture.lab.hosts[0].config.labels,
			       .send = FORMAT_VXLAN_1,
			       .accept = FORMAT_BIT(FORMAT_VXLAN_1),
			       .path_mtu = 1500,
			       .nexthop = 1};

	pair_assert_accepted(&fixture, &f);
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[1].dp, &peer), 0);
	pair_assert_dropped(&fixture, &f, DROP_FORMAT);
	peer.labels.len = 0; /* the range is not the peer's any more */
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[1].dp, &peer), 0);
	pair_assert_dropped(&fixture, &f, DROP_UNKNOWN_PEER);
	lab_set_format(&fixture.lab, FORMAT_REIP4_1, false);
	pair_assert_accepted(&fixture, &f);
	assert_int_equal(datapath_peer_delete(fixture.lab.hosts[1].dp, 1), 0);
	pair_assert_dropped(&fixture, &f, DROP_UNKNOWN_PEER);
}

static void set_source(uint32_t peer, enum dp_mapping_state state, uint32_t label)
{
	struct dp_mapping m = {.vni = LAB_VNI,
			       .addr = lab_addr("10.0.1.10"),
			       .state = state,
			       .peer = peer,
			       .revision = 3,
			       .label = label};

	assert_int_equal(datapath_mapping_set(fixture.lab.hosts[1].dp, &m), 0);
}

/* A label counts while the mapping of its address names it. */
/* requirement: MAP-3 */
/* requirement: MAP-4 */
/* requirement: PKT-16 */
static void test_changes_invalidate_flows(void **state)
{
	struct frame f = wire();
	struct dp_port port = fixture.b->port;

	for (int round = 0; round < 2; round++)
		pair_assert_accepted(&fixture, &f);
	set_source(DP_PEER_SELF, DP_MAPPING_LIVE, LABEL_A); /* lives somewhere else */
	pair_assert_dropped_at_port(&fixture, &f, DROP_SPOOF);
	set_source(1, DP_MAPPING_GONE, LABEL_A);
	pair_assert_dropped_at_port(&fixture, &f, DROP_SOURCE_REFUSED);
	set_source(1, DP_MAPPING_LIVE, LABEL_A);
	pair_assert_accepted(&fixture, &f);
	port.labels[0] = LABEL_B + 1; /* the receiver has another label */
	lab_set_port(&fixture.lab, 1, &port);
	pair_assert_dropped(&fixture, &f, DROP_NOT_LOCAL);
	lab_set_port(&fixture.lab, 1, &fixture.b->port);
	pair_assert_accepted(&fixture, &f);
}

/* A label that was another's: flows, tables and questions are about whom it stands for now. */
/* requirement: PKT-4 */
/* requirement: PKT-16 */
static void test_label_of_another(void **state)
{
	struct frame f = wire();
	struct dp_port b = fixture.b->port, x = stranger->port;

	pair_assert_accepted(&fixture, &f);
	b.labels[0] = 0;
	lab_set_port(&fixture.lab, 1, &b);
	x.labels[0] = LABEL_B;
	lab_set_port(&fixture.lab, 1, &x);
	frame_assert_dropped_from_wire(&fixture.lab, 1, x.id, &f, DROP_NOT_PEERED);
	lab_set_port(&fixture.lab, 1, &stranger->port);
	lab_set_port(&fixture.lab, 1, &fixture.b->port);
	pair_assert_accepted(&fixture, &f);
	/* the table was told of the new owner before it heard that the old one had lost it */
	b.labels[0] = LABEL_B + 1;
	x.labels[0] = LABEL_B;
	lab_set_port(&fixture.lab, 1, &x);
	lab_set_port(&fixture.lab, 1, &b);
	frame_assert_dropped_from_wire(&fixture.lab, 1, x.id, &f, DROP_NOT_PEERED);
	lab_set_port(&fixture.lab, 1, &stranger->port);
	lab_set_port(&fixture.lab, 1, &fixture.b->port);
	pair_assert_accepted(&fixture, &f);
}

/* Peered networks: each label has its own.  What goes by vxlan cannot say two of them. */
/* requirement: PKT-16 */
static void test_peered(void **state)
{
	static const uint8_t router[6] = {0x02, 0xff, 0, 0, 0, 1};
	struct dp_route way = {
		.prefix = lab_prefix("10.9.0.0/24"), .target = DP_TARGET_NETWORK, .vni = OTHER_VNI};
	struct frame f = packet_of_a(DF, "10.9.0.20", router), out, got;

	lab_table(&fixture.lab, 1, 1, &way);
	lab_subnet_with(&fixture.lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", 1);
	lab_peering(&fixture.lab, LAB_VNI, OTHER_VNI, true);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out),
				 TC_ACT_REDIRECT);
		assert_int_equal(frame_u32(&out, SRC), LABEL_A);
		assert_int_equal(frame_u32(&out, DST), 0xc6120234);
		assert_int_equal(frame_from_wire(&fixture.lab, 1, &out, &got), TC_ACT_REDIRECT);
		assert_memory_equal(got.b, stranger->port.mac.b, 6);
		frame_assert_addr4(&got, SRC, "10.0.1.10");
		frame_assert_addr4(&got, DST, "10.9.0.20");
		frame_assert_checksum(&got);
	}
	f = packet_of_a(0, "10.9.0.20", router);
	for (int round = 0; round < 2; round++)
		frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_NO_FORMAT);
	lab_peering(&fixture.lab, LAB_VNI, OTHER_VNI, false);
	frame_assert_dropped_from_wire(&fixture.lab, 1, stranger->port.id, &out, DROP_NOT_PEERED);
	lab_subnet_with(&fixture.lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", 0);
}

/* ---- for an address that has gone ---- */

/* Its label is known as long as it is.  requirement: MAP-4 */
/* requirement: PKT-16 */
static void test_gone_is_shown(void **state)
{
	struct frame f = wire();
	struct dp_port port = fixture.b->port;
	struct ipaddr source = lab_addr("10.0.1.10");

	port.addrs[0] = lab_addr("10.0.1.99");
	port.labels[0] = lab_label(1, LAB_VNI, &port.addrs[0]);
	lab_set_port(&fixture.lab, 1, &port);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.11", 0, DP_MAPPING_LIVE);
	frame_shown_stale(&fixture.lab, "10.0.1.10", "10.0.1.11");
	pair_assert_dropped(&fixture, &f, DROP_LOCAL_GONE);
	assert_int_equal(frame_shown_stale(&fixture.lab, "10.0.1.10", "10.0.1.11"), 1);
	set_source(1, DP_MAPPING_LIVE, LABEL_A + 1); /* another label is its own */
	pair_assert_dropped(&fixture, &f, DROP_LOCAL_GONE);
	set_source(DP_PEER_SELF, DP_MAPPING_LIVE, LABEL_A);
	pair_assert_dropped(&fixture, &f, DROP_SPOOF);
	set_source(1, DP_MAPPING_GONE, LABEL_A);
	pair_assert_dropped(&fixture, &f, DROP_SOURCE_REFUSED);
	assert_int_equal(datapath_mapping_delete(fixture.lab.hosts[1].dp, LAB_VNI, &source), 0);
	pair_assert_dropped(&fixture, &f, DROP_LOCAL_GONE);
	assert_int_equal(frame_shown_stale(&fixture.lab, "10.0.1.10", "10.0.1.11"), 0);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	lab_set_port(&fixture.lab, 1, &fixture.b->port);
	pair_assert_accepted(&fixture, &f);
}

/* ---- questions ---- */

static struct dp_upcall *verify_upcall(void)
{
	struct datapath *dp = fixture.lab.hosts[1].dp;
	struct dp_upcall *u;

	for (;;) {
		struct pollfd p = {.fd = datapath_upcall_fd(dp), .events = POLLIN};

		assert_int_equal(poll(&p, 1, 2000), 1);
		if (datapath_upcall_read(dp, &u))
			continue;
		if (u->kind == DP_UPCALL_VERIFY)
			return u;
		datapath_upcall_free(u);
	}
}

/* A source label that nobody has told of: the agent is asked with the label; when it knows for whom
 * that stands, with the address. */
/* requirement: MAP-4 */
/* requirement: PKT-16 */
static void test_unknown_source(void **state)
{
	struct datapath *dp = fixture.lab.hosts[1].dp;
	struct ipaddr a = lab_addr("10.0.1.10"), b = lab_addr("10.0.1.11"),
		      label = ipaddr_from_v4(LABEL_A);
	struct dp_mapping refused = {.vni = DP_VNI_LABELS,
				     .addr = label,
				     .state = DP_MAPPING_REFUSED,
				     .peer = DP_PEER_SELF};
	struct frame f = wire();
	struct dp_upcall *u;

	assert_int_equal(datapath_mapping_delete(dp, LAB_VNI, &a), 0);
	frame_transmit(&fixture.lab, 0, &f);
	u = verify_upcall();
	assert_true(u->src_is_label);
	assert_true(ipaddr_equal(&u->src, &label));
	assert_true(ipaddr_equal(&u->dst, &b));
	assert_int_equal(u->vni, LAB_VNI);
	assert_int_equal(u->other_vni, 0);
	/* told and still held: it passes when the agent sends it on */
	set_source(1, DP_MAPPING_HELD, LABEL_A);
	frame_transmit(&fixture.lab, 0, &f);
	datapath_upcall_free(u);
	u = verify_upcall();
	assert_false(u->src_is_label);
	assert_true(ipaddr_equal(&u->src, &a));
	datapath_upcall_free(u);
	set_source(1, DP_MAPPING_LIVE, LABEL_A);
	pair_assert_accepted(&fixture, &f);
	/* refused: nothing of that label for a while */
	assert_int_equal(datapath_mapping_delete(dp, LAB_VNI, &a), 0);
	assert_int_equal(datapath_mapping_set(dp, &refused), 0);
	pair_assert_dropped_at_port(&fixture, &f, DROP_SOURCE_REFUSED);
	assert_int_equal(datapath_mapping_delete(dp, DP_VNI_LABELS, &label), 0);
	/* the address is known, with another label: not this one's */
	set_source(1, DP_MAPPING_LIVE, LABEL_A + 1);
	frame_transmit(&fixture.lab, 0, &f);
	u = verify_upcall();
	assert_true(u->src_is_label);
	datapath_upcall_free(u);
}

/* ---- errors of the substrate ---- */

/* An ICMP error of a router about 'about', to its source. */
static struct frame icmp(const struct frame *about, uint8_t type, uint8_t code, uint32_t word)
{
	size_t quoted = about->size - IP_AT;
	struct frame f = {.size = IP_AT + 20 + 8 + quoted};
	uint16_t sum;

	memcpy(f.b, about->b, IP_AT);
	memcpy(f.b + IP_AT, (uint8_t[]){0x45, 0xc0, 0, 0, 0x12, 0x34, 0, 0, 61, 1}, 10);
	frame_put_u16(&f, IP_AT + 2, (uint16_t)(f.size - IP_AT));
	frame_put_u32(&f, SRC, 0xc00002fe); /* 192.0.2.254 */
	memcpy(f.b + DST, about->b + SRC, 4);
	frame_fix_ip(&f);
	f.b[IP_AT + 20] = type;
	f.b[IP_AT + 21] = code;
	frame_put_u32(&f, IP_AT + 24, word);
	memcpy(f.b + IP_AT + 28, about->b + IP_AT, quoted);
	f.b[IP_AT + 28 + 8] = 1; /* the substrate's TTL, as it was there */
	sum = csum(f.b + IP_AT + 20, f.size - IP_AT - 20);
	memcpy(f.b + IP_AT + 22, &sum, 2);
	return f;
}

/* requirement: PKT-9 */
/* requirement: PKT-16 */
static void test_errors_are_told(void **state)
{
	static const struct {
		uint8_t type, code, told_type, told_code;
		uint32_t word;
		uint16_t mtu;
	} table[] = {
		{3, 4, 3, 4, 1400, 1400}, {3, 4, 3, 4, 40, 68},     {3, 0, 3, 1, 0, 0},
		{3, 1, 3, 1, 0, 0},       {3, 3, 3, 1, 0, 0},       {3, 9, 3, 10, 0, 0},
		{3, 13, 3, 10, 0, 0},     {11, 0, 11, 0, 0x500, 0}, {11, 1, 11, 1, 0, 0},
	};
	struct v4 p =
		PACKET(.protocol = 17, .tos = 0x20, .ttl = 33, .fragment = DF, .payload = 100);
	struct frame sent = frame_v4(&p), out, error, got;

	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &sent, &out), TC_ACT_REDIRECT);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		error = icmp(&out, table[i].type, table[i].code, table[i].word);
		assert_int_equal(frame_from_wire(&fixture.lab, 0, &error, &got), TC_ACT_REDIRECT);
		assert_int_equal(got.size, IP_AT + 20 + 8 + 28);
		assert_memory_equal(got.b, fixture.a->port.mac.b, 6);
		frame_assert_addr4(&got, SRC, "10.0.1.1");
		frame_assert_addr4(&got, DST, "10.0.1.10");
		assert_int_equal(csum(got.b + IP_AT, 20), 0);
		assert_int_equal(got.b[IP_AT + 20], table[i].told_type);
		assert_int_equal(got.b[IP_AT + 21], table[i].told_code);
		assert_int_equal(frame_u32(&got, IP_AT + 24), table[i].mtu);
		assert_int_equal(csum(got.b + IP_AT + 20, got.size - IP_AT - 20), 0);
		assert_memory_equal(got.b + IP_AT + 28, sent.b + IP_AT, 28);
	}
}

/* Only about packets that this host may have sent. */
/* requirement: PKT-4 */
/* requirement: PKT-9 */
static void test_forged_errors(void **state)
{
	struct frame sent = wire(), f;
	const size_t quoted = IP_AT + 28;

#define ASSERT_FORGED() frame_assert_dropped_from_wire(&fixture.lab, 0, 0, &f, DROP_ICMP6)
	f = icmp(&sent, 3, 1, 0);
	f.b[quoted + 15] ^= 1; /* not to whom it is about */
	ASSERT_FORGED();
	f = icmp(&sent, 3, 1, 0);
	f.b[quoted + 15] ^= 1; /* about a label that nobody here has */
	f.b[DST + 3] ^= 1;
	frame_fix_ip(&f);
	ASSERT_FORGED();
	f = icmp(&sent, 3, 1, 0);
	frame_put_u32(&f, quoted + 16, 0xc6120263); /* to an unknown label */
	ASSERT_FORGED();
	f = icmp(&sent, 8, 0, 0); /* no error at all */
	ASSERT_FORGED();
	f = icmp(&sent, 5, 1, 0xc00002fe); /* a redirect */
	ASSERT_FORGED();
	f = icmp(&sent, 3, 4, 0); /* of a router from before RFC 1191 */
	ASSERT_FORGED();
	f = icmp(&sent, 3, 1, 0);
	frame_put_u16(&f, quoted + 6, 0); /* a packet without DF */
	ASSERT_FORGED();
	f = icmp(&sent, 3, 1, 0);
	f.size = IP_AT + 28 + 20; /* quotes too little */
	frame_put_u16(&f, IP_AT + 2, 48);
	frame_fix_ip(&f);
	ASSERT_FORGED();
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_GONE);
	f = icmp(&sent, 3, 1, 0);
	ASSERT_FORGED();
#undef ASSERT_FORGED
}

/* ---- the programs change, the tables stay ---- */

/* requirement: PKT-16 */
static int note_port(const struct dp_port *p, void *arg)
{
	*(uint32_t *)arg |= p->labels[0];
	return 0;
}

static int note_peer(const struct dp_peer *p, void *arg)
{
	if (p->id)
		*(struct prefix *)arg = p->labels;
	return 0;
}

static int note_mapping(const struct dp_mapping *m, void *arg)
{
	struct ipaddr b = lab_addr("10.0.1.11");

	if (ipaddr_equal(&m->addr, &b))
		*(uint32_t *)arg = m->label;
	return 0;
}

static void test_adopted(void **state)
{
	struct lab_host *h = &fixture.lab.hosts[0];
	struct prefix range = {};
	uint32_t own = 0, its = 0;
	struct frame f;

	h->dp = datapath_close(h->dp);
	lab_open(&fixture.lab, 0);
	assert_int_equal(datapath_ports(h->dp, note_port, &own), 0);
	assert_int_equal(own, LABEL_A);
	assert_int_equal(datapath_peers(h->dp, note_peer, &range), 0);
	assert_true(prefix_equal(&range, &fixture.lab.hosts[1].config.labels));
	assert_int_equal(datapath_mappings(h->dp, note_mapping, &its), 0);
	assert_int_equal(its, LABEL_B);
	f = wire();
	pair_assert_accepted(&fixture, &f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rows, reset),
		cmocka_unit_test_setup(test_routed, reset),
		cmocka_unit_test_setup(test_congestion_is_told, reset),
		cmocka_unit_test_setup(test_too_big, reset),
		cmocka_unit_test_setup(test_without_labels, reset),
		cmocka_unit_test_setup(test_other_traffic_passes, reset),
		cmocka_unit_test_setup(test_refusals, reset),
		cmocka_unit_test_setup(test_malformed, reset),
		cmocka_unit_test_setup(test_format_must_be_chosen, reset),
		cmocka_unit_test_setup(test_changes_invalidate_flows, reset),
		cmocka_unit_test_setup(test_label_of_another, reset),
		cmocka_unit_test_setup(test_peered, reset),
		cmocka_unit_test_setup(test_gone_is_shown, reset),
		cmocka_unit_test_setup(test_unknown_source, reset),
		cmocka_unit_test_setup(test_errors_are_told, reset),
		cmocka_unit_test_setup(test_forged_errors, reset),
		cmocka_unit_test_setup(test_adopted, reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
