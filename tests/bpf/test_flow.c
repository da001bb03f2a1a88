/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow cache, for either family: where its entries lie, what is answered from it, and what
 * makes them invalid.
 *
 * Whether a packet went by an entry is seen by marking the entries: what the full path decides has
 * no marks.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/substrate.h"
#include "base/err.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "policy_lab.h"

static struct policy_lab *const l = &policy_lab;

enum {
	MANY = LAB_TABLE_SIZE / 5, /* a table with two ways then loses a few */
	KEPT = MANY * 9 / 10,
	MANY_V6 = MANY >> DP_FLOWS_V6_SHIFT,
	KEPT_V6 = MANY_V6 * 9 / 10,
	MARK = 0xee,
	FROM = 1000,
	TO = 2000,
	ACL = 5,
	TABLE = 6,
	OUTER_DST_AT = IP_AT + 24,
	V6_AT = IP_AT + 40, /* what is inside ipip6, or behind a header of IPv6 */
};

/* Each processor has entries of its own: the test stays on one. */
static void stay(void)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (size_t i = 0, found = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &set) && found++)
			CPU_CLR(i, &set);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

static int set_up(void **state)
{
	stay();
	return policy_lab_set_up(state);
}

static void reset(void)
{
	struct lab_node *all[] = {l->a, l->b, l->c, l->d};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i]->port.logged = false;
	policy_lab_reset(NULL);
	lab_set_format(&l->lab, FORMAT_SIIT_2, false);
}

static int set_up_v4(void **state)
{
	l->v6 = false;
	reset();
	return 0;
}

static int set_up_v6(void **state)
{
	l->v6 = true;
	reset();
	return 0;
}

/* ---- entries ---- */

/* Calls for each of the map's entries that is in use: how many there are. */
static int each(const struct bpf_map *map, void (*fn)(void *))
{
	uint32_t size = bpf_map__value_size(map);
	uint8_t *value = calloc(1, size), *none = calloc(1, size);
	int n = 0;

	assert_true(value && none);
	for (uint32_t i = 0; i < bpf_map__max_entries(map); i++) {
		assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &i, value), 0);
		if (!memcmp(value, none, size))
			continue;
		n++;
		if (!fn)
			continue;
		fn(value);
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), &i, value, BPF_ANY), 0);
	}
	free(value);
	free(none);
	return n;
}

/* To another host the destination is marked, to a port here its own MAC. */
static void mark_out(void *value)
{
	struct dp_flow_out *f = value;

	f->to[5] = MARK;
	if (f->format != FORMAT_NONE)
		f->dst[15] = MARK;
}

static void mark_in(void *value)
{
	struct dp_flow_in *f = value;

	f->to[5] = MARK;
}

static void mark_all(void)
{
	for (int i = 0; i < LAB_HOSTS; i++) {
		struct viaduct *s = bpf_host_of(l->lab.hosts[i].dp)->skel;

		each(s->maps.flows_out, mark_out);
		each(s->maps.flows_out_v6, mark_out);
		each(s->maps.flows_in, mark_in);
		each(s->maps.flows_in_v6, mark_in);
	}
}

/* ---- packets ---- */

static struct frame udp(const struct lab_node *from, const struct lab_node *to)
{
	return policy_frame(&(struct policy_packet){.from = from,
						    .to = to,
						    .protocol = IPPROTO_UDP,
						    .source = FROM,
						    .destination = TO,
						    .v6 = l->v6});
}

static struct frame tcp(const struct lab_node *from, const struct lab_node *to, uint8_t flags)
{
	return policy_frame(&(struct policy_packet){.from = from,
						    .to = to,
						    .protocol = IPPROTO_TCP,
						    .source = FROM,
						    .destination = TO,
						    .tcp = flags,
						    .v6 = l->v6});
}

static bool leaves_marked(const struct lab_node *from, const struct lab_node *to,
			  const struct frame *f)
{
	struct frame got;

	if (frame_from_node(&l->lab, from, f, &got) != TC_ACT_REDIRECT)
		lab_explain(&l->lab);
	assert_int_equal(frame_from_node(&l->lab, from, f, &got), TC_ACT_REDIRECT);
	return from->host == to->host ? got.b[5] == MARK : got.b[OUTER_DST_AT + 15] == MARK;
}

static bool arrives_marked(const struct lab_node *to, const struct frame *wire)
{
	struct frame got;

	assert_int_equal(frame_from_wire(&l->lab, to->host, wire, &got), TC_ACT_REDIRECT);
	return got.b[5] == MARK;
}

/* A pair of nodes whose flow is in the cache, at both hosts, and marked. */
struct flow {
	const struct lab_node *from, *to;
	struct frame plain, wire;
};

static struct flow flow_frame(const struct lab_node *from, const struct lab_node *to,
			      const struct frame *plain)
{
	struct flow f = {.from = from, .to = to, .plain = *plain};
	struct frame got;

	assert_int_equal(frame_from_node(&l->lab, from, plain, &f.wire), TC_ACT_REDIRECT);
	if (from->host != to->host)
		assert_int_equal(frame_from_wire(&l->lab, to->host, &f.wire, &got),
				 TC_ACT_REDIRECT);
	mark_all();
	return f;
}

static struct flow flow(const struct lab_node *from, const struct lab_node *to)
{
	struct frame f = udp(from, to);

	return flow_frame(from, to, &f);
}

static bool is_known_out(const struct flow *f)
{
	return leaves_marked(f->from, f->to, &f->plain);
}

static bool is_known_in(const struct flow *f)
{
	return arrives_marked(f->to, &f->wire);
}

/* ---- where entries lie ---- */

/* The i-th node that is not there. */
static struct ipaddr other(int i)
{
	char text[64];

	snprintf(text, sizeof(text), l->v6 ? "2001:db8:0:1::%d" : "10.0.1.%d", 20 + i);
	return lab_addr(text);
}

/* The last bytes of two addresses are what differs in a network, and each pair has a place of its
 * own. */
/* requirement: PKT-2 PKT-3 */
static void test_many_have_places(void **state)
{
	struct viaduct *s = bpf_host_of(l->lab.hosts[0].dp)->skel;
	size_t src_at = l->v6 ? V6_AT + 8 : IP_AT + 8, size = l->v6 ? 16 : 4;
	int many = l->v6 ? MANY_V6 : MANY, kept = l->v6 ? KEPT_V6 : KEPT;
	struct frame to_a = flow(l->b, l->a).wire;
	int before = each(l->v6 ? s->maps.flows_in_v6 : s->maps.flows_in, NULL);

	for (int i = 0; i < many; i++) {
		struct ipaddr addr = other(i);
		char text[IPADDR_TEXT_SIZE];
		struct frame f = udp(l->a, l->b), wire;

		lab_map(&l->lab, LAB_VNI, ipaddr_text(&addr, text), 1, DP_MAPPING_LIVE);
		memcpy(f.b + (l->v6 ? IP_AT + 24 : IP_AT + 16), addr.b + 16 - size, size);
		if (l->v6)
			substrate_dummy_mac_v6(f.b, LAB_VNI, addr.b);
		else
			f.b[5] = addr.b[15];
		if (!l->v6)
			frame_fix_ip(&f);
		assert_int_equal(frame_from_node(&l->lab, l->a, &f, &wire), TC_ACT_REDIRECT);
		/* and from there */
		f = to_a;
		if (l->v6)
			memcpy(f.b + src_at, addr.b, size);
		else
			substrate_siit_2(f.b + src_at, l->lab.hosts[1].config.siit2.addr.b, LAB_VNI,
					 htonl(ipaddr_v4(&addr)));
		assert_int_equal(frame_from_wire(&l->lab, 0, &f, &wire), TC_ACT_REDIRECT);
	}
	assert_in_range(each(l->v6 ? s->maps.flows_out_v6 : s->maps.flows_out, NULL), kept,
			many + 8);
	assert_in_range(each(l->v6 ? s->maps.flows_in_v6 : s->maps.flows_in, NULL),
			before + kept - 1, before + many);
}

/* ---- what is answered from them ---- */

struct counted {
	struct dp_port_counters from, to;
};

static struct counted counters(const struct flow *f)
{
	struct counted c;

	assert_int_equal(
		datapath_counters(l->lab.hosts[f->from->host].dp, f->from->port.id, &c.from), 0);
	assert_int_equal(datapath_counters(l->lab.hosts[f->to->host].dp, f->to->port.id, &c.to), 0);
	return c;
}

/* Packets of a known flow go by it, are what they were by the full path, and are counted. */
/* requirement: PKT-2 PKT-3 PKT-5 PKT-7 */
static void test_known(void **state)
{
	struct lab_node *to[] = {l->b, l->c, l->d};

	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		struct frame p = udp(l->a, to[i]), wire[3], got[3];
		struct counted before, after;
		struct flow f;

		for (int k = 0; k < 3; k++) { /* as many ways: by nothing, by what is known */
			assert_int_equal(frame_from_node(&l->lab, l->a, &p, &wire[k]),
					 TC_ACT_REDIRECT);
			assert_int_equal(wire[k].size, wire[0].size);
			assert_memory_equal(wire[k].b, wire[0].b, wire[0].size);
			if (to[i]->host == 0)
				continue;
			assert_int_equal(frame_from_wire(&l->lab, 1, &wire[k], &got[k]),
					 TC_ACT_REDIRECT);
			assert_int_equal(got[k].size, p.size);
			assert_memory_equal(got[k].b, got[0].b, got[0].size);
		}
		f = flow(l->a, to[i]);
		before = counters(&f);
		assert_true(is_known_out(&f)); /* looks twice */
		if (to[i]->host)
			assert_true(is_known_in(&f));
		after = counters(&f);
		assert_int_equal(after.from.tx_packets, before.from.tx_packets + 2);
		assert_int_equal(after.from.tx_bytes, before.from.tx_bytes + 2 * p.size);
		assert_int_equal(after.to.rx_packets, before.to.rx_packets + (to[i]->host ? 1 : 2));
		assert_int_equal(after.to.rx_bytes,
				 before.to.rx_bytes + (to[i]->host ? 1 : 2) * p.size);
	}
}

/* ---- what a packet has to be ---- */

static void fix(struct frame *f)
{
	if (!l->v6)
		frame_fix_ip(f);
}

/* The full path looks at the frame: it is refused for 'reason', or (0) passes without the mark. */
static void assert_looked_at(const struct flow *f, const struct frame *p, uint32_t reason)
{
	if (reason)
		frame_assert_dropped_by_node(&l->lab, f->from, p, reason);
	else
		assert_false(leaves_marked(f->from, f->to, p));
	mark_all();
}

/* requirement: PKT-3 PKT-10 PKT-15 */
static void test_other_packets_from_a_node(void **state)
{
	struct flow f = flow(l->a, l->d);
	size_t size_at = l->v6 ? IP_AT + 4 : IP_AT + 2, hops_at = l->v6 ? IP_AT + 7 : IP_AT + 8;
	size_t next_at = l->v6 ? IP_AT + 6 : IP_AT + 9;
	struct frame p = f.plain;

	assert_true(is_known_out(&f));
	p.b[hops_at] = 1;
	fix(&p);
	assert_looked_at(&f, &p, DROP_TTL);
	p = f.plain;
	p.b[11]++; /* another's MAC */
	assert_looked_at(&f, &p, DROP_SOURCE_MAC);
	p = f.plain;
	p.b[4]++; /* nobody's */
	assert_looked_at(&f, &p, DROP_DEST_MAC);
	p = f.plain;
	frame_put_u16(&p, size_at, (uint16_t)(frame_u16(&p, size_at) + 1));
	fix(&p);
	assert_looked_at(&f, &p, DROP_MALFORMED);
	p = f.plain;
	p.size += 3; /* padding */
	assert_looked_at(&f, &p, 0);
	p = f.plain;
	p.b[IP_AT] = 0x50;
	assert_looked_at(&f, &p, DROP_MALFORMED);
	p = f.plain;
	memset(p.b + p.size, 0, LAB_WIRE_MTU); /* more than the path carries */
	p.size += LAB_WIRE_MTU;
	frame_put_u16(&p, size_at, (uint16_t)(frame_u16(&p, size_at) + LAB_WIRE_MTU));
	if (!l->v6)
		frame_put_u16(&p, IP_AT + 6, 0x4000);
	fix(&p);
	assert_looked_at(&f, &p, DROP_TOO_BIG);
	if (!l->v6)
		return;
	for (int next = 0; next < 61; next += 60) { /* extension headers */
		p = f.plain;
		p.b[next_at] = (uint8_t)next;
		p.b[V6_AT] = IPPROTO_UDP;
		p.b[V6_AT + 1] = 0;
		assert_looked_at(&f, &p, 0);
	}
	p = f.plain;
	p.b[next_at] = IPPROTO_ICMPV6;
	p.b[V6_AT] = 134; /* as a router advertises itself */
	assert_looked_at(&f, &p, DROP_ROUTER_GUARD);
	p.b[V6_AT] = 128; /* an echo request */
	assert_looked_at(&f, &p, 0);
}

/* requirement: PKT-3 MAP-4 */
static void test_other_packets_from_the_wire(void **state)
{
	struct flow f = flow(l->a, l->b);
	struct frame p = f.wire;

	assert_true(is_known_in(&f));
	p.size += 3; /* padding */
	assert_false(arrives_marked(l->b, &p));
	mark_all();
	if (!l->v6)
		return;
	p = f.wire;
	p.b[V6_AT] = 0x45; /* no IPv6 inside */
	frame_assert_dropped_from_wire(&l->lab, 1, 0, &p, DROP_INNER);
	p = f.wire;
	frame_put_u16(&p, V6_AT + 4, (uint16_t)(frame_u16(&p, V6_AT + 4) + 1)); /* cut */
	assert_int_equal(frame_from_wire(&l->lab, 1, &p, &p), TC_ACT_SHOT);
	p = f.wire;
	p.b[V6_AT + 23] = 0x12; /* c's address, who lives at the same host */
	assert_false(arrives_marked(l->b, &p));
	mark_all();
	p = f.wire;
	p.b[V6_AT + 23] = 0x11; /* b's, who does not */
	frame_assert_dropped_from_wire(&l->lab, 1, l->b->port.id, &p, DROP_SPOOF);
	p = f.wire;
	substrate_siit_2(p.b + IP_AT + 8, l->lab.hosts[0].config.siit2.addr.b, LAB_VNI + 1, 0);
	frame_assert_dropped_from_wire(&l->lab, 1, 0, &p, DROP_NOT_PEERED);
	assert_true(is_known_in(&f));
}

/* ---- what makes them invalid ---- */

static void map(const struct lab_node *n, int host, enum dp_mapping_state state)
{
	char text[IPADDR_TEXT_SIZE];

	lab_map(&l->lab, LAB_VNI, ipaddr_text(&n->port.addrs[l->v6], text), host, state);
}

static void push_b(void)
{
	map(l->b, 1, DP_MAPPING_LIVE);
}

static void push_a(void)
{
	map(l->a, 0, DP_MAPPING_LIVE);
}

static void set_ports(void)
{
	lab_set_port(&l->lab, 0, &l->c->port);
	lab_set_port(&l->lab, 1, &l->d->port);
}

static void choose(void)
{
	lab_set_format(&l->lab, FORMAT_SIIT_1, false);
}

static void set_subnets(void)
{
	lab_subnet(&l->lab, LAB_VNI, "10.9.0.0/24", "10.9.0.1", NULL);
}

static void set_table(void)
{
	/* what is there already would be no change */
	struct dp_route r = {.prefix = lab_prefix(l->v6 ? "2001:db8:77::/48" : "10.77.0.0/16"),
			     .target = DP_TARGET_BLACKHOLE};

	lab_table(&l->lab, TABLE, 1, &r);
}

static void set_acl(void)
{
	struct dp_acl acl = {.number = ACL};

	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(datapath_acl_set(l->lab.hosts[i].dp, &acl), 0);
}

/* requirement: PKT-3 MAP-3 NEG-8 */
static void test_changes(void **state)
{
	static const struct {
		const char *what;
		void (*change)(void);
		/* a to b at either host, a to c: these know nothing any more */
		bool out, in, local;
	} table[] = {
		{"a mapping of the receiver is pushed", push_b, true, false, false},
		{"a mapping of the sender is pushed", push_a, false, true, false},
		{"ports", set_ports, true, true, true},
		{"another choice for the peer", choose, true, true, true},
		{"subnets", set_subnets, true, true, true},
		{"tables of routes", set_table, true, true, true},
		{"ACLs", set_acl, true, true, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct flow remote, local;
		bool out, in, here;

		reset();
		remote = flow(l->a, l->b);
		local = flow(l->a, l->c);
		assert_true(is_known_out(&remote) && is_known_in(&remote) && is_known_out(&local));
		table[i].change();
		out = !is_known_out(&remote);
		here = !is_known_out(&local);
		/* what is meant for the other layout comes as that */
		if (table[i].change == choose)
			frame_from_node(&l->lab, l->a, &remote.plain, &remote.wire);
		in = !is_known_in(&remote);
		if (out != table[i].out || in != table[i].in || here != table[i].local)
			fail_msg("%s: out %d, in %d, local %d", table[i].what, out, in, here);
	}
}

/* What was is no way any more. */
/* requirement: PKT-3 MAP-3 MAP-4 PKT-15 */
static void test_ends(void **state)
{
	struct flow remote = flow(l->a, l->b), local = flow(l->a, l->c);
	struct dp_port was = l->c->port;
	struct frame got;

	map(l->b, 1, DP_MAPPING_GONE);
	frame_assert_dropped_by_node(&l->lab, l->a, &remote.plain, DROP_GONE);
	map(l->b, 1, DP_MAPPING_REFUSED);
	frame_assert_dropped_by_node(&l->lab, l->a, &remote.plain, DROP_REFUSED);
	map(l->b, 1, DP_MAPPING_LIVE);
	map(l->a, 1, DP_MAPPING_LIVE); /* lives elsewhere: who sends is not who it says */
	frame_assert_dropped_from_wire(&l->lab, 1, l->b->port.id, &remote.wire, DROP_SPOOF);
	map(l->a, 0, DP_MAPPING_LIVE);
	l->c->port.disabled = true;
	lab_set_port(&l->lab, 0, &l->c->port);
	frame_from_node(&l->lab, l->a, &local.plain, &got);
	frame_assert_dropped_by_node(&l->lab, l->a, &local.plain, DROP_DISABLED);
	l->c->port = was;
	lab_set_port(&l->lab, 0, &l->c->port);
	assert_false(is_known_out(&local));
}

/* A mapping that is held is for packets that the agent sends again, and nothing is kept of it. */
/* requirement: PKT-3 MAP-2 */
static void test_held(void **state)
{
	struct flow f = flow(l->a, l->b);

	map(l->b, 1, DP_MAPPING_HELD);
	for (int i = 0; i < 3; i++) { /* to the agent */
		assert_int_equal(frame_from_node(&l->lab, l->a, &f.plain, &f.wire),
				 TC_ACT_REDIRECT);
		assert_int_equal(f.wire.b[0], DP_NOTE_MAGIC);
	}
}

/* Whoever is watched takes the full path, each time. */
/* requirement: PKT-3 OPS-4 */
static void test_watched(void **state)
{
	struct flow f = flow(l->a, l->b);

	l->a->port.logged = true;
	lab_set_port(&l->lab, 0, &l->a->port);
	for (int i = 0; i < 3; i++) {
		assert_false(is_known_out(&f));
		mark_all();
	}
}

static int take_peer(const struct dp_peer *p, void *arg)
{
	if (p->id != DP_PEER_SELF)
		*(struct dp_peer *)arg = *p;
	return 0;
}

/* A peer's rate is asked for by each packet: a burst passes, and next to nothing after it, however
 * long the burst took to send.  (Each family from another host: what was sent by a rate counts on
 * when it is told again.) */
/* requirement: PKT-3 NEG-11 */
static void test_rate(void **state)
{
	enum { TIMES = 100000, BYTE = 8 };
	const struct lab_node *from = l->v6 ? l->b : l->a, *to = l->v6 ? l->a : l->b;
	struct dp_peer p = {};
	struct frame got;
	uint64_t dropped;
	struct flow f;
	int passed = 0;

	assert_int_equal(datapath_peers(l->lab.hosts[from->host].dp, take_peer, &p), 0);
	p.rate_bits = BYTE;
	assert_int_equal(datapath_peer_set(l->lab.hosts[from->host].dp, &p), 0);
	f = flow(from, to);
	assert_true(is_known_out(&f));
	dropped = lab_drops(&l->lab, from->host, from->port.id, DROP_RATE);
	while (frame_from_node(&l->lab, from, &f.plain, &got) == TC_ACT_REDIRECT)
		assert_true(++passed < TIMES);
	assert_int_equal(lab_drops(&l->lab, from->host, from->port.id, DROP_RATE), dropped + 1);
}

/* ---- policy ---- */

static void track(void)
{
	const char *all = l->v6 ? "::/0" : "0.0.0.0/0";
	struct dp_rule rules[] = {policy_rule(true, DP_PROTOCOL_ANY, 0, 65535, all, 0),
				  policy_rule(false, DP_PROTOCOL_ANY, 0, 65535, all, 0)};
	struct lab_node *nodes[] = {l->a, l->b, l->c, l->d};

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		policy_give(nodes[i], rules, ARRAY_SIZE(rules));
}

/* A connection that is settled is known; what begins or ends one is looked at. */
/* requirement: PKT-3 NIC-6 */
static void test_connections(void **state)
{
	const uint8_t looked_at[] = {SYN, FIN | ACK, RST};
	struct lab_node *to[] = {l->b, l->c};

	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		struct frame ack = tcp(l->a, to[i], ACK), wire;
		struct flow f;

		reset();
		track();
		assert_int_equal(policy_tcp(l->a, to[i], FROM, TO, SYN), 0);
		assert_int_equal(policy_tcp(to[i], l->a, TO, FROM, SYN | ACK), 0);
		assert_int_equal(policy_tcp(l->a, to[i], FROM, TO, ACK), 0);
		f = flow_frame(l->a, to[i], &ack);
		assert_true(is_known_out(&f) && (to[i]->host == 0 || is_known_in(&f)));
		for (size_t k = 0; k < ARRAY_SIZE(looked_at); k++) {
			struct frame p = tcp(l->a, to[i], looked_at[k]);

			assert_false(leaves_marked(l->a, to[i], &p));
			mark_all();
			if (to[i]->host == 0)
				continue;
			frame_from_node(&l->lab, l->a, &p, &wire);
			assert_false(arrives_marked(to[i], &wire));
			mark_all();
		}
	}
}

static struct dp_acl_entry entry(bool egress, uint16_t port)
{
	struct dp_acl_entry e = {.egress = egress,
				 .allow = true,
				 .protocol = IPPROTO_UDP,
				 .from = port,
				 .to = port,
				 .prefix = lab_prefix(l->v6 ? "::/0" : "0.0.0.0/0")};

	return e;
}

static void set_acl_to(uint16_t out, uint16_t in)
{
	struct dp_acl_entry entries[] = {entry(true, out), entry(false, in)};
	struct dp_acl acl = {.number = ACL, .n_entries = 2, .entries = entries};

	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(datapath_acl_set(l->lab.hosts[i].dp, &acl), 0);
}

/* Both subnets have the ACL. */
static void join_acl(void)
{
	for (int i = 1; i <= 2; i++)
		for (int host = 0; host < LAB_HOSTS; host++) {
			struct dp_subnet s = {.vni = LAB_VNI, .acl = ACL};
			char text[32];

			snprintf(text, sizeof(text), l->v6 ? "2001:db8:0:%d::/64" : "10.0.%d.0/24",
				 i);
			s.prefix = lab_prefix(text);
			snprintf(text, sizeof(text), l->v6 ? "fe80::100" : "10.0.%d.1", i);
			s.router = lab_addr(text);
			s.router_mac = (struct mac){{2, 0xff, 0, 0, 0, s.router.b[14]}};
			assert_int_equal(datapath_subnet_set(l->lab.hosts[host].dp, &s), 0);
		}
}

/* What a flow knows of the ACLs on its way is asked about each port, tracked or not. */
/* requirement: PKT-3 NIC-6 */
static void test_acls(void **state)
{
	for (int tracked = 0; tracked < 2; tracked++) {
		struct flow f;

		reset();
		if (tracked)
			track();
		set_acl_to(TO, TO);
		join_acl();
		assert_int_equal(policy_udp(l->a, l->d, FROM, TO), 0);
		f = flow(l->a, l->d);
		assert_true(is_known_out(&f) && is_known_in(&f));
		assert_int_equal(policy_udp(l->a, l->d, FROM, TO + 1), DROP_ACL_EGRESS);
		set_acl_to(TO + 1, TO);
		frame_assert_dropped_by_node(&l->lab, l->a, &f.plain, DROP_ACL_EGRESS);
		assert_int_equal(policy_udp(l->a, l->d, FROM, TO + 1), DROP_ACL_INGRESS);
		set_acl_to(TO, TO + 1);
		frame_assert_dropped_from_wire(&l->lab, 1, l->d->port.id, &f.wire,
					       DROP_ACL_INGRESS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup(f, set_up_v4), cmocka_unit_test_setup(f, set_up_v6)
		TEST(test_known),
		TEST(test_other_packets_from_a_node),
		TEST(test_other_packets_from_the_wire),
		TEST(test_changes),
		TEST(test_ends),
		TEST(test_held),
		TEST(test_watched),
		TEST(test_rate),
		TEST(test_connections),
		TEST(test_acls),
		TEST(test_many_have_places),
#undef TEST
	};

	return cmocka_run_group_tests(tests, set_up, policy_lab_tear_down);
}
