/* SPDX-License-Identifier: Apache-2.0 */
/* Packet tables of the wire's side: who may send what, and errors of the substrate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <errno.h>

#include "abi/drop.h"
#include "abi/maps.h"
#include "pair_lab.h"
#include "net/csum.h"

enum { DF = 0x4000, IP6_DST = IP_AT + 24, IP6_SRC = IP_AT + 8, IP6_NEXT = IP_AT + 6 };

/* Host 1's and host 2's addresses of 10.0.1.10 and .11 in network 7; made by hand. */
#define A_2 "2001:db8:8000:113f:4100:7:a00:10a"
#define B_2 "2001:db8:8000:123f:4000:7:a00:10b"
#define A_1 "2001:db8:1:101:0:7:a00:10a"
#define B_1 "2001:db8:1:102:0:7:a00:10b"

static struct pair_lab fixture;

static int set_up(void **state)
{
	struct pair_lab *f = &fixture;

	pair_lab_init(f, FORMAT_SIIT_2);
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
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.11", 1, DP_MAPPING_LIVE);
	return 0;
}

/* What host 1 puts on the wire for a's packet to b. */
static struct frame wire(uint8_t protocol, uint16_t id, uint16_t payload)
{
	struct v4 p = {.src = "10.0.1.10",
		       .dst = "10.0.1.11",
		       .from = 1,
		       .protocol = protocol,
		       .ttl = 64,
		       .id = id,
		       .fragment = id ? 0 : DF,
		       .payload = payload};
	struct frame f = frame_v4(&p), out;

	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out), TC_ACT_REDIRECT);
	return out;
}

/* ---- not for us ---- */

static void test_other_traffic_passes(void **state)
{
	struct frame f = wire(17, 0, 10), out;

	frame_put_addr6(&f, IP6_DST, "fd00:1::2"); /* the host's own address */
	assert_int_equal(frame_from_wire(&fixture.lab, 1, &f, &out), TC_ACT_UNSPEC);
	assert_int_equal(out.size, f.size);
	frame_put_addr6(&f, IP6_DST, "2001:db8:8000:1300::7:a00:10b"); /* a third host's */
	assert_int_equal(frame_from_wire(&fixture.lab, 1, &f, &out), TC_ACT_UNSPEC);
	f = wire(17, 0, 10);
	f.b[0] ^= 0x04; /* flooded by a switch: another station's MAC */
	assert_int_equal(frame_run(&fixture.lab, 1, RUN_SUBSTRATE,
				   fixture.lab.hosts[1].config.substrate_ifindex, &f, &out),
			 TC_ACT_UNSPEC);
}

/* ---- who may send what ---- */

struct row {
	const char *name;
	uint32_t reason;
	const char *src, *dst; /* NULL: as it was */
	uint8_t next;          /* 0: as it was */
	bool at_port;
};

/* requirement: MAP-4 */
/* requirement: MAP-5 */
/* requirement: PKT-4 */
static void test_refusals(void **state)
{
	/* clang-format off */
	static const struct row table[] = {
		{"no known host", DROP_UNKNOWN_PEER, "2001:db8:8000:133f:3f00:7:a00:10a", NULL, 0, 0},
		{"not an organisation's address", DROP_UNKNOWN_PEER, "fd00:1::1", NULL, 0, 0},
		{"this host itself", DROP_UNKNOWN_PEER, "2001:db8:8000:123f:4000:7:a00:10a", NULL, 0,
		 0},
		{"a wrong adjust in the source", DROP_SUBSTRATE_ADDR,
		 "2001:db8:8000:113f:4200:7:a00:10a", NULL, 0, 0},
		{"a wrong adjust in the destination", DROP_SUBSTRATE_ADDR, NULL,
		 "2001:db8:8000:123f:4100:7:a00:10b", 0, 0},
		{"no adjust", DROP_SUBSTRATE_ADDR, "2001:db8:8000:1100:0:7:a00:10a", NULL, 0, 0},
		{"a layout to the other", DROP_UNKNOWN_PEER, A_1, NULL, 0, 0},
		{"the other layout", DROP_FORMAT_VERSION, A_1, B_1, 0, 0},
		{"a slot of the host", DROP_SUBSTRATE_ADDR, A_1, "2001:db8:1:102:400:7:a00:10b", 0,
		 0},
		{"u", DROP_SUBSTRATE_ADDR, A_1, "2001:db8:1:102:200:7:a00:10b", 0, 0},
		{"g", DROP_SUBSTRATE_ADDR, "2001:db8:1:101:100:7:a00:10a", B_1, 0, 0},
		{"another network to ours", DROP_NOT_PEERED, "2001:db8:8000:113e:4100:8:a00:10a",
		 NULL, 0, 0},
		{"our network to another", DROP_NOT_PEERED, NULL,
		 "2001:db8:8000:123e:4000:8:a00:10b", 0, 0},
		{"network 0", DROP_VNI, "2001:db8:8000:1146:4100:0:a00:10a",
		 "2001:db8:8000:1246:4000:0:a00:10b", 0, 0},
		{"a handle that is not here", DROP_HANDLE, "2001:db8:8000:1156:40f0:0:a00:10a",
		 "2001:db8:8000:1256:3ff0:0:a00:10b", 0, 0},
		{"no node of ours", DROP_NOT_LOCAL, NULL, "2001:db8:8000:123f:4000:7:a00:163", 0, 0},
		{"a source that does not live there", DROP_SPOOF,
		 "2001:db8:8000:113f:4100:7:a00:10b", NULL, 0, 1},
		{"a fragment of the substrate", DROP_SUBSTRATE_PROTOCOL, NULL, NULL, 44, 0},
		{"a routing header", DROP_SUBSTRATE_PROTOCOL, NULL, NULL, 43, 0},
		{"options of the substrate", DROP_SUBSTRATE_PROTOCOL, NULL, NULL, 0xff, 0},
		{"IPv6 inside, which is none", DROP_INNER, NULL, NULL, 41, 0},
		{"IPv4 inside, which is none", DROP_INNER, NULL, NULL, 4, 1},
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct row *r = &table[i];
		struct frame f = wire(17, 0, 40);

		print_message("  %s\n", r->name);
		if (r->src)
			frame_put_addr6(&f, IP6_SRC, r->src);
		if (r->dst)
			frame_put_addr6(&f, IP6_DST, r->dst);
		if (r->next)
			f.b[IP6_NEXT] = r->next == 0xff ? 0 : r->next;
		if (r->at_port)
			pair_assert_dropped_at_port(&fixture, &f, r->reason);
		else
			pair_assert_dropped(&fixture, &f, r->reason);
	}
}

/* What was accepted a moment ago is still compared byte for byte. */
/* requirement: MAP-4 */
static void test_refusals_beside_a_cached_flow(void **state)
{
	struct frame good = wire(17, 0, 40), f;

	pair_assert_accepted(&fixture, &good);
	pair_assert_accepted(&fixture, &good);
	f = good;
	f.b[IP6_SRC + 6] = 0x13; /* another host */
	pair_assert_dropped(&fixture, &f, DROP_UNKNOWN_PEER);
	f = good;
	f.b[IP6_SRC + 8] ^= 1; /* the adjust */
	pair_assert_dropped(&fixture, &f, DROP_SUBSTRATE_ADDR);
	f = good;
	f.b[IP6_NEXT] = 43;
	pair_assert_dropped(&fixture, &f, DROP_SUBSTRATE_PROTOCOL);
	f = good;
	frame_put_u16(&f, IP_AT + 4, 200); /* longer than the frame */
	pair_assert_dropped(&fixture, &f, DROP_MALFORMED);
	pair_assert_accepted(&fixture, &good);
}

/* requirement: NEG-6 */
static void test_formats(void **state)
{
	struct frame two = wire(17, 0, 40), whole = wire(17, 5, 40), one;
	struct dp_peer peer = {.id = 1,
			       .siit1 = fixture.lab.hosts[0].config.siit1,
			       .siit2 = fixture.lab.hosts[0].config.siit2,
			       .send = FORMAT_SIIT_2,
			       .accept = FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2) |
					 FORMAT_BIT(FORMAT_IPIP6_1),
			       .path_mtu = 1500,
			       .nexthop = 1};
	struct datapath *dp = fixture.lab.hosts[1].dp;

	lab_set_format(&fixture.lab, FORMAT_SIIT_1, false);
	one = wire(17, 0, 40);
	assert_int_equal(datapath_peer_set(dp, &peer), 0); /* old and new for a time of grace */
	for (int i = 0; i < 2; i++) {
		pair_assert_accepted(&fixture, &one);
		pair_assert_accepted(&fixture, &two);
		pair_assert_accepted(&fixture, &whole);
	}
	peer.accept = FORMAT_BIT(FORMAT_SIIT_2);
	assert_int_equal(datapath_peer_set(dp, &peer), 0);
	for (int i = 0; i < 2; i++) {
		pair_assert_accepted(&fixture, &two);
		pair_assert_dropped(&fixture, &one, DROP_FORMAT_VERSION);
		pair_assert_dropped(&fixture, &whole, DROP_FORMAT);
	}
	peer.accept = 0;
	assert_int_equal(datapath_peer_set(dp, &peer), 0);
	pair_assert_dropped(&fixture, &two, DROP_FORMAT);
	assert_int_equal(datapath_peer_delete(dp, 1), 0);
	pair_assert_dropped(&fixture, &two, DROP_UNKNOWN_PEER);
}

/* ---- variants ---- */

static struct dp_variant variant(const char *addr, const char *peer_addr, enum format send,
				 uint32_t accept)
{
	struct dp_variant v = {.vni = LAB_VNI,
			       .peer_vni = LAB_VNI,
			       .send = send,
			       .accept = accept,
			       .path_mtu = LAB_WIRE_MTU,
			       .nexthop = 1};

	if (addr) {
		v.addr = lab_addr(addr);
		v.peer_addr = lab_addr(peer_addr);
	}
	return v;
}

/* Host 'i' knows the other one by siit/2, with these variants. */
static void set_variants(int i, const struct dp_variant *variants, size_t n)
{
	const struct lab_host *other = &fixture.lab.hosts[!i];
	struct dp_peer peer = {.id = (uint32_t)!i + 1,
			       .siit1 = other->config.siit1,
			       .siit2 = other->config.siit2,
			       .v4 = other->config.v4,
			       .v6 = other->config.v6,
			       .send = FORMAT_SIIT_2,
			       .accept = FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1),
			       .path_mtu = LAB_WIRE_MTU,
			       .nexthop = 1,
			       .n_variants = n,
			       .variants = variants};

	assert_int_equal(datapath_peer_set(fixture.lab.hosts[i].dp, &peer), 0);
}

static bool is_layout_1(const struct frame *f)
{
	return !(f->b[IP6_DST + 4] & 0x80);
}

/* The narrower choice decides, out and in, by the full path and by the flow cache.
 * requirement: NEG-4 */
/* requirement: NEG-6 */
static void test_variants(void **state)
{
	const uint32_t one = FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_IPIP6_1);
	const uint32_t two = FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1);
	struct dp_variant out[] = {variant("10.0.1.10", "10.0.1.11", FORMAT_SIIT_1, two),
				   variant(NULL, NULL, FORMAT_SIIT_2, two)};
	struct dp_variant in[] = {variant("10.0.1.11", "10.0.1.10", FORMAT_SIIT_2, one)};
	struct frame f2 = wire(17, 0, 40), f1, whole;

	assert_false(is_layout_1(&f2));
	set_variants(0, out, 2);
	for (int i = 0; i < 2; i++) {
		f1 = wire(17, 0, 40);
		assert_true(is_layout_1(&f1)); /* this pair of nodes alone */
	}
	/* one end knows and the other does not yet */
	pair_assert_dropped(&fixture, &f1, DROP_FORMAT_VERSION);
	set_variants(1, in, 1);
	whole = wire(17, 5, 40);
	for (int i = 0; i < 2; i++) {
		pair_assert_accepted(&fixture, &f1);
		pair_assert_accepted(&fixture, &whole);
		pair_assert_dropped(&fixture, &f2, DROP_FORMAT_VERSION);
	}
	/* of the network; the pair of nodes decides before it */
	out[1].send = FORMAT_VXLAN_1;
	set_variants(0, out, 2);
	f1 = wire(17, 0, 40);
	assert_true(is_layout_1(&f1));
	out[0] = variant(NULL, NULL, FORMAT_NONE, 0);
	set_variants(0, out, 1);
	{
		struct v4 p = {.src = "10.0.1.10",
			       .dst = "10.0.1.11",
			       .from = 1,
			       .protocol = 17,
			       .ttl = 64,
			       .fragment = DF,
			       .payload = 10};
		struct frame f = frame_v4(&p);

		/* no choice for these nodes: nothing is sent, whatever the hosts have */
		frame_assert_dropped_by_node(&fixture.lab, fixture.a, &f, DROP_NO_FORMAT);
	}
	/* and it ends with the variant */
	set_variants(0, NULL, 0);
	set_variants(1, NULL, 0);
	f2 = wire(17, 0, 40);
	assert_false(is_layout_1(&f2));
	pair_assert_accepted(&fixture, &f2);
	pair_assert_dropped(&fixture, &f1, DROP_FORMAT_VERSION);
}

static int plan_variants(const struct dp_variant *variants, size_t n)
{
	const struct dp_peer peer = {.id = 2, .n_variants = n, .variants = variants};

	return datapath_peer_plan(fixture.lab.hosts[0].dp, &peer);
}

static uint32_t class_of(const struct dp_variant *v)
{
	uint32_t class = 0;

	return datapath_variant_class(fixture.lab.hosts[0].dp, 2, v, &class) ? 0 : class;
}

/* The class of what a variant will seal is known, and can be told to the worker, while its packets
 * still go as before. requirement: NEG-11 */
static void test_variants_are_planned(void **state)
{
	const uint32_t two = FORMAT_BIT(FORMAT_SIIT_2);
	struct dp_variant v[] = {variant("10.0.1.10", "10.0.1.11", FORMAT_SIIT_1, two),
				 variant("10.0.1.10", "10.0.1.12", FORMAT_SIIT_1, two)};
	uint32_t planned, both;
	struct frame f;

	assert_int_equal(class_of(&v[0]), 0);
	assert_int_equal(plan_variants(v, 1), 0);
	planned = class_of(&v[0]);
	assert_int_not_equal(planned, 0);
	f = wire(17, 0, 40);
	assert_false(is_layout_1(&f)); /* not live */
	set_variants(0, v, 1);
	assert_int_equal(class_of(&v[0]), planned);
	f = wire(17, 0, 40);
	assert_true(is_layout_1(&f));

	/* two alike share a class; one that is to differ gets another before it does, and the first
	 * keeps what it has */
	set_variants(0, v, 2);
	both = class_of(&v[0]);
	assert_int_equal(class_of(&v[1]), both);
	v[0].send = FORMAT_NONE;
	assert_int_equal(plan_variants(v, 2), 0);
	assert_int_not_equal(class_of(&v[0]), both);
	assert_int_not_equal(class_of(&v[1]), class_of(&v[0]));
	f = wire(17, 0, 40);
	assert_true(is_layout_1(&f));
	planned = class_of(&v[0]);
	set_variants(0, v, 2);
	assert_int_equal(class_of(&v[0]), planned);
	{
		struct v4 p = {.src = "10.0.1.10",
			       .dst = "10.0.1.11",
			       .from = 1,
			       .protocol = 17,
			       .ttl = 64,
			       .fragment = DF,
			       .payload = 10};
		struct frame none = frame_v4(&p);

		frame_assert_dropped_by_node(&fixture.lab, fixture.a, &none, DROP_NO_FORMAT);
	}

	/* twice the same, of an address that two nodes share: the first says it */
	v[1] = v[0];
	v[1].send = FORMAT_SIIT_1;
	set_variants(0, v, 2);
	assert_int_equal(class_of(&v[1]), class_of(&v[0]));

	/* what is planned and never set takes no room, whatever comes after it */
	for (uint32_t i = 0; i < 2 * DP_VARIANTS_MAX; i++) {
		struct dp_variant other = variant(NULL, NULL, FORMAT_VXLAN_1, 0);

		other.peer_vni = LAB_VNI + 1 + i;
		assert_int_equal(plan_variants(&other, 1), 0);
	}
	assert_int_not_equal(class_of(&v[0]), 0); /* still there: it was set */
	set_variants(0, NULL, 0);
	assert_int_equal(class_of(&v[0]), 0);
	f = wire(17, 0, 40);
	assert_false(is_layout_1(&f));
}

/* Another network's, and another address's, are nobody else's; and what is pinned is found
 * again. */
static void test_variants_are_narrow(void **state)
{
	struct dp_variant v[] = {variant("10.0.1.10", "10.0.1.99", FORMAT_VXLAN_1, 0),
				 variant(NULL, NULL, FORMAT_VXLAN_1, 0)};
	uint32_t class, again;
	struct frame f;

	v[1].peer_vni = LAB_VNI + 1;
	set_variants(0, v, 2);
	f = wire(17, 0, 40);
	pair_assert_accepted(&fixture, &f);
	assert_int_equal(datapath_variant_class(fixture.lab.hosts[0].dp, 2, &v[1], &class), 0);
	fixture.lab.hosts[0].dp = datapath_close(fixture.lab.hosts[0].dp);
	lab_open(&fixture.lab, 0);
	assert_int_equal(datapath_variant_class(fixture.lab.hosts[0].dp, 2, &v[1], &again), 0);
	assert_int_equal(class, again);
	set_variants(0, v, 2);
	assert_int_equal(datapath_variant_class(fixture.lab.hosts[0].dp, 2, &v[1], &again), 0);
	assert_int_equal(class, again);
	set_variants(0, v, 1);
	assert_int_equal(datapath_variant_class(fixture.lab.hosts[0].dp, 2, &v[1], &again),
			 -ENOENT);
	v[0].peer_addr = (struct ipaddr){{0}};
	{
		struct dp_peer bad = {.id = 2, .n_variants = 1, .variants = v, .nexthop = 1};

		assert_int_equal(datapath_peer_set(fixture.lab.hosts[0].dp, &bad), -EINVAL);
	}
	set_variants(0, NULL, 0);
	f = wire(17, 0, 40);
	pair_assert_accepted(&fixture, &f);
}

/* requirement: MAP-3 */
/* requirement: MAP-4 */
static void test_changes_invalidate_flows(void **state)
{
	struct frame f = wire(17, 0, 40);
	struct dp_port other = fixture.b->port;

	pair_assert_accepted(&fixture, &f);
	pair_assert_accepted(&fixture, &f);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 1,
		DP_MAPPING_LIVE); /* moved away from host 1 */
	pair_assert_dropped_at_port(&fixture, &f, DROP_SPOOF);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_REFUSED);
	pair_assert_dropped_at_port(&fixture, &f, DROP_SOURCE_REFUSED);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_GONE);
	pair_assert_dropped_at_port(&fixture, &f, DROP_SOURCE_REFUSED);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	pair_assert_accepted(&fixture, &f);
	other.addrs[0] = lab_addr("10.0.1.99"); /* the port's address is another now */
	lab_set_port(&fixture.lab, 1, &other);
	pair_assert_dropped(&fixture, &f, DROP_LOCAL_GONE);
	lab_set_port(&fixture.lab, 1, &fixture.b->port);
	pair_assert_accepted(&fixture, &f);
}

/* ---- for an address that has gone ---- */

static uint64_t window_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return ((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) >> DP_WINDOW_SHIFT;
}

/* Each window has its own budget of notices. */
static void await_window(void)
{
	uint64_t was = window_now();

	while (window_now() == was)
		;
}

/* Who sends to an address that was here is told of to the agent, if the packet is from where its
 * source lives; nobody learns which addresses never were.  requirement: MAP-4  requirement:
 * PKT-15 */
static void test_gone_is_shown(void **state)
{
	struct datapath *dp = fixture.lab.hosts[1].dp;
	struct ipaddr source = lab_addr("10.0.1.10");
	struct dp_port other = fixture.b->port;
	struct frame f = wire(17, 0, 40), never;

	frame_shown_stale(&fixture.lab, "10.0.1.10", "10.0.1.11");
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.77", 1, DP_MAPPING_LIVE);
	never = frame_v4(&(struct v4){.src = "10.0.1.10",
				      .dst = "10.0.1.77",
				      .from = 1,
				      .protocol = 17,
				      .ttl = 64,
				      .fragment = DF,
				      .payload = 40});
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &never, &never), TC_ACT_REDIRECT);
	other.addrs[0] = lab_addr("10.0.1.99");
	lab_set_port(&fixture.lab, 1, &other);
	await_window();
	pair_assert_dropped(&fixture, &f, DROP_LOCAL_GONE);
	assert_int_equal(frame_shown_stale(&fixture.lab, "10.0.1.10", "10.0.1.11"), 1);
	pair_assert_dropped(&fixture, &never, DROP_NOT_LOCAL);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 1, DP_MAPPING_LIVE); /* lives elsewhere */
	pair_assert_dropped(&fixture, &f, DROP_SPOOF);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_REFUSED);
	pair_assert_dropped(&fixture, &f, DROP_SOURCE_REFUSED);
	assert_int_equal(datapath_mapping_delete(dp, LAB_VNI, &source), 0);
	pair_assert_dropped(&fixture, &f, DROP_LOCAL_GONE); /* in whose name could be asked? */
	assert_int_equal(frame_shown_stale(&fixture.lab, "10.0.1.10", "10.0.1.11"), 0);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_HELD);
	pair_assert_dropped(&fixture, &f, DROP_LOCAL_GONE);
	assert_int_equal(frame_shown_stale(&fixture.lab, "10.0.1.10", "10.0.1.11"), 1);
	lab_map(&fixture.lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_set_port(&fixture.lab, 1, &fixture.b->port);
	pair_assert_accepted(&fixture, &f);
	assert_int_equal(frame_shown_stale(&fixture.lab, "10.0.1.10", "10.0.1.11"), 0);
}

/* A peer that does not stop sending makes no more work than this, and every packet is counted.
 * requirement: PKT-15 */
static void test_gone_is_shown_seldom(void **state)
{
	struct dp_port other = fixture.b->port;
	struct frame f = wire(17, 0, 40);
	uint64_t before;
	size_t n, windows;

	other.addrs[0] = lab_addr("10.0.1.99");
	lab_set_port(&fixture.lab, 1, &other);
	frame_shown_stale(&fixture.lab, "10.0.1.10", "10.0.1.11");
	before = window_now();
	for (int i = 0; i < 100; i++)
		pair_assert_dropped(&fixture, &f, DROP_LOCAL_GONE);
	windows = window_now() - before + 1;
	n = frame_shown_stale(&fixture.lab, "10.0.1.10", "10.0.1.11");
	assert_in_range(n, 1, windows * DP_STALE_PER_WINDOW);
	lab_set_port(&fixture.lab, 1, &fixture.b->port);
}

/* ---- whole packets ---- */

/* requirement: PKT-3 */
static void test_inner_must_match(void **state)
{
	struct frame good = wire(17, 5, 40), f;

	for (int i = 0; i < 2; i++)
		pair_assert_accepted(&fixture, &good);
	for (size_t at = IP_AT + 40 + 12; at < IP_AT + 40 + 20; at += 4) { /* source, destination */
		f = good;
		f.b[at + 3] ^= 1;
		pair_assert_dropped_at_port(&fixture, &f, DROP_INNER);
	}
}

/* ---- errors of the substrate ---- */

/* a is told in ICMPv4, quoting what it had sent. */
static void assert_told(const struct frame *sent, const struct frame *error, uint8_t type,
			uint8_t code, uint16_t mtu)
{
	struct frame got, want = *sent;

	assert_int_equal(frame_from_wire(&fixture.lab, 0, error, &got), TC_ACT_REDIRECT);
	assert_int_equal(got.size, IP_AT + 20 + 8 + 28);
	assert_memory_equal(got.b, fixture.a->port.mac.b, 6);
	assert_int_equal(frame_u16(&got, 12), 0x0800);
	frame_assert_addr4(&got, IP_AT + 12, "10.0.1.1");
	frame_assert_addr4(&got, IP_AT + 16, "10.0.1.10");
	assert_int_equal(csum(got.b + IP_AT, 20), 0);
	assert_int_equal(got.b[IP_AT + 9], 1);
	assert_int_equal(got.b[IP_AT + 20], type);
	assert_int_equal(got.b[IP_AT + 21], code);
	assert_int_equal(frame_u16(&got, IP_AT + 26), mtu);
	assert_int_equal(csum(got.b + IP_AT + 20, got.size - IP_AT - 20), 0);
	assert_memory_equal(got.b + IP_AT + 28, want.b + IP_AT, 28);
}

/* requirement: PKT-9 */
static void check_errors(enum format format)
{
	/* clang-format off */
	static const struct {
		uint8_t type6, code6, type, code;
		uint32_t word;
		uint16_t mtu;
	} table[] = {
		{2, 0, 3, 4, 1400, 1380},                           /* packet too big */
		/* no smaller than IPv4's least */
		{2, 0, 3, 4, 40, 68},
		{1, 0, 3, 1, 0, 0},  {1, 1, 3, 10, 0, 0},           /* unreachable */
		{1, 2, 3, 1, 0, 0},  {1, 3, 3, 1, 0, 0},  {1, 4, 3, 3, 0, 0},
		{3, 0, 11, 0, 0, 0}, {3, 1, 11, 1, 0, 0},           /* time exceeded */
	};
	/* clang-format on */
	struct v4 p = {.src = "10.0.1.10",
		       .dst = "10.0.1.11",
		       .from = 1,
		       .protocol = 17,
		       .tos = 0x20,
		       .ttl = 33,
		       .fragment = DF,
		       .payload = 100};
	struct frame sent = frame_v4(&p), out, error;

	lab_set_format(&fixture.lab, format, false);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &sent, &out), TC_ACT_REDIRECT);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		error = frame_icmp6(&out, table[i].type6, table[i].code6, table[i].word);
		assert_told(&sent, &error, table[i].type, table[i].code, table[i].mtu);
	}
	p.id = 99; /* travels whole */
	p.fragment = 0;
	sent = frame_v4(&p);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &sent, &out), TC_ACT_REDIRECT);
	error = frame_icmp6(&out, 2, 0, 1400);
	assert_told(&sent, &error, 3, 4, 1360);
}

static void test_errors_are_told(void **state)
{
	check_errors(FORMAT_SIIT_2);
	check_errors(FORMAT_SIIT_1);
}

/* More than a node may be told of at once are dropped, and counted.  requirement: PKT-15, PKT-9 */
static void test_errors_are_limited(void **state)
{
	static const enum format formats[] = {FORMAT_SIIT_2, FORMAT_SIIT_1};
	uint32_t port = fixture.a->port.id;
	struct frame sent, error, out;
	unsigned int told;
	uint64_t before;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		lab_set_format(&fixture.lab, formats[i], false);
		sent = wire(17, 0, 100);
		error = frame_icmp6(&sent, 2, 0, 1400);
		before = lab_drops(&fixture.lab, 0, port, DROP_ICMP_LIMIT);
		/* On a busy machine the limit may have another window meanwhile. */
		for (told = 0; told < 1000 * DP_ICMP_PER_WINDOW; told++)
			if (frame_from_wire(&fixture.lab, 0, &error, &out) == TC_ACT_SHOT)
				break;
		assert_true(told < 1000 * DP_ICMP_PER_WINDOW);
		assert_int_equal(lab_drops(&fixture.lab, 0, port, DROP_ICMP_LIMIT), before + 1);
	}
}

/* Only about packets that this host may have sent. */
/* requirement: PKT-9 */
/* requirement: PKT-4 */
static void test_forged_errors(void **state)
{
	struct frame sent = wire(17, 0, 100), f;
	const size_t quoted_src = IP_AT + 48 + 8, quoted_dst = IP_AT + 48 + 24;

#define ASSERT_FORGED() frame_assert_dropped_from_wire(&fixture.lab, 0, 0, &f, DROP_ICMP6)
	f = frame_icmp6(&sent, 1, 3, 0);
	f.b[quoted_src + 15] ^= 1; /* not to whom it is about */
	ASSERT_FORGED();
	f = frame_icmp6(&sent, 1, 3, 0);
	f.b[quoted_src + 15] ^= 1; /* about a node that is not here */
	f.b[IP6_DST + 15] ^= 1;
	ASSERT_FORGED();
	f = frame_icmp6(&sent, 128, 0, 0); /* no error at all */
	ASSERT_FORGED();
	f = frame_icmp6(&sent, 2, 0, 0x10000); /* not so large a path */
	frame_assert_dropped_from_wire(&fixture.lab, 0, fixture.a->port.id, &f, DROP_ICMP6);
	f = frame_icmp6(&sent, 1, 3, 0);
	f.size = IP_AT + 40 + 8 + 40; /* quotes too little */
	frame_put_u16(&f, IP_AT + 4, 48);
	frame_assert_dropped_from_wire(&fixture.lab, 0, fixture.a->port.id, &f, DROP_ICMP6);
	f = frame_icmp6(&sent, 1, 3, 0);
	f.b[quoted_dst + 15] = 99; /* to an unknown destination */
	frame_assert_dropped_from_wire(&fixture.lab, 0, fixture.a->port.id, &f, DROP_ICMP6);
	f = frame_icmp6(&sent, 1, 3, 0);
	frame_put_addr6(&f, quoted_dst, "fd00::1"); /* to no network */
	ASSERT_FORGED();
#undef ASSERT_FORGED
}

/* ---- the upcall device ---- */

static void test_notes_are_checked(void **state)
{
	struct v4 p = {.src = "10.0.1.10",
		       .dst = "10.0.1.11",
		       .from = 1,
		       .protocol = 17,
		       .ttl = 64,
		       .fragment = DF};
	struct frame f = frame_v4(&p), out;
	static const uint8_t notes[][12] = {
		{0x02, 0, 0, 0, 7, 0, 0, 1, 0, 0, 0, 1},   /* no magic */
		{0x0a, 0, 0, 0, 7, 0, 3, 200, 0, 0, 0, 1}, /* no such slot */
		{0x0a, 0, 0, 0, 7, 0, 0, 1, 0, 0, 0, 9},   /* the slot is another port's */
		{0x0a, 0, 0, 0, 8, 0, 0, 1, 0, 0, 0, 1},   /* another network */
		/* to be verified, but for none of our labels */
		{0x0a, 2, 0, 0, 7, 0, 0, 0, 0, 0, 0, 2},
	};

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		memcpy(f.b, notes[i], 12);
		assert_int_equal(frame_run(&fixture.lab, 0, RUN_HANDED, 1, &f, &out), TC_ACT_SHOT);
	}
	assert_int_equal(lab_drops(&fixture.lab, 0, 0, DROP_NOTE), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_other_traffic_passes, reset),
		cmocka_unit_test_setup(test_refusals, reset),
		cmocka_unit_test_setup(test_refusals_beside_a_cached_flow, reset),
		cmocka_unit_test_setup(test_formats, reset),
		cmocka_unit_test_setup(test_variants, reset),
		cmocka_unit_test_setup(test_variants_are_planned, reset),
		cmocka_unit_test_setup(test_variants_are_narrow, reset),
		cmocka_unit_test_setup(test_changes_invalidate_flows, reset),
		cmocka_unit_test_setup(test_gone_is_shown, reset),
		cmocka_unit_test_setup(test_gone_is_shown_seldom, reset),
		cmocka_unit_test_setup(test_inner_must_match, reset),
		cmocka_unit_test_setup(test_errors_are_told, reset),
		cmocka_unit_test_setup(test_forged_errors, reset),
		cmocka_unit_test_setup(test_notes_are_checked, reset),
		/* and none is told for a while */
		cmocka_unit_test_setup(test_errors_are_limited, reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
