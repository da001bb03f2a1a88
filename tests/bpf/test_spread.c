/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One address on several hosts, on packets: how connections are spread, and that each stays where
 * it began.
 *
 *	a 10.0.1.10, c 10.0.1.12 on host 1     S 10.0.1.50 and 2001:db8:1:1::50 on hosts 2, 3 and 4,
 *	                                       and on host 1, where c has it
 *
 * Hosts 3 and 4 are locators: what host 1 sends to them is looked at on its wire.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/spread.h"
#include "abi/substrate.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "policy_lab.h"
#include "spread_lab.h"

enum { SRC_AT = IP_AT + 8, DST_AT = IP_AT + 24, L4_AT = IP_AT + 40, FLOWS = 200 };

#define S6 "2001:db8:1:1::50"
#define A6 "2001:db8:1:1::a"

static struct lab_node shared; /* not in the lab: the address alone */

static struct datapath *dp(void)
{
	return policy_lab.lab.hosts[0].dp;
}

/* The hosts of S are those whose bits are set, bit 0 host 1 itself. */
static void spread(uint32_t hosts)
{
	spread_map(dp(), "10.0.1.50", hosts);
	spread_map(dp(), S6, hosts);
}

/* As if so much time had passed since each was used. */
static void age_pins(uint32_t ticks)
{
	static struct dp_pin_key keys[4 * FLOWS];
	struct dp_pin_value value;
	size_t n = 0;

	/* what is written moves in the table: first the keys */
	while (n < ARRAY_SIZE(keys) && !bpf_map_get_next_key(bpf_map__fd(spread_pins(dp())),
							     n ? &keys[n - 1] : NULL, &keys[n]))
		n++;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
			bpf_map_lookup_elem(bpf_map__fd(spread_pins(dp())), &keys[i], &value), 0);
		value.seen -= ticks;
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(spread_pins(dp())), &keys[i],
						     &value, BPF_ANY),
				 0);
	}
}

static void set_port(struct lab_node *n)
{
	lab_set_port(&policy_lab.lab, n->host, &n->port);
}

static int set_up(void **state)
{
	int r = policy_lab_set_up(state);

	spread_add_peer(dp(), 3);
	spread_add_peer(dp(), 4);
	lab_subnet(&policy_lab.lab, LAB_VNI, "2001:db8:1:1::/64", "fe80::100", NULL);
	lab_subnet(&policy_lab.lab, LAB_VNI, "fe80::/64", "fe80::100", NULL);
	policy_lab.a->port.addrs[policy_lab.a->port.n_addrs++] = lab_addr(A6);
	shared.port.addrs[0] = lab_addr("10.0.1.50");
	shared.port.id = 50;
	return r;
}

static int reset(void **state)
{
	struct lab_node *c = policy_lab.c;

	c->port.n_addrs = 1;
	c->port.shared = false;
	policy_lab_reset(state);
	lab_subnet(&policy_lab.lab, LAB_VNI, "2001:db8:1:1::/64", "fe80::100", NULL);
	spread_forget_pins(dp());
	spread(1 << 2 | 1 << 3);
	return 0;
}

/* ---- packets to S ---- */

struct flow {
	uint8_t protocol, tcp;
	uint16_t port;
};

/* Which host a frame goes to: its number, 0: c on this one. */
static uint32_t host_of(const struct frame *out)
{
	uint8_t locator[16] = {};

	if (frame_u16(out, 12) == 0x0800) {
		assert_memory_equal(out->b, policy_lab.c->port.mac.b, 6);
		return 0;
	}
	memcpy(locator, out->b + DST_AT, 7);
	for (uint32_t id = 1; id < 5; id++) {
		struct ipaddr a = lab_addr(spread_locators[id]);

		if (!memcmp(locator, a.b, 7))
			return id;
	}
	fail_msg("to no host");
	return 0;
}

static uint32_t send_frame(const struct frame *f)
{
	struct frame out;
	int verdict = frame_from_node(&policy_lab.lab, policy_lab.a, f, &out);

	if (verdict != TC_ACT_REDIRECT)
		lab_explain(&policy_lab.lab);
	assert_int_equal(verdict, TC_ACT_REDIRECT);
	return host_of(&out);
}

static uint32_t send_packet(const struct policy_packet *p)
{
	struct frame f = policy_frame(p);

	return send_frame(&f);
}

static uint32_t send_flow(struct flow f)
{
	return send_packet(&(struct policy_packet){.from = policy_lab.a,
						   .to = &shared,
						   .protocol = f.protocol,
						   .source = f.port,
						   .destination = 80,
						   .tcp = f.tcp});
}

/* Begins a connection, again until it is pinned: a port begins so many in a window of time. */
static uint32_t begin(uint8_t protocol, uint16_t port)
{
	uint32_t host;
	size_t n = spread_count_pins(dp());

	do
		host = send_flow((struct flow){protocol, SYN, port});
	while (spread_count_pins(dp()) == n);
	return host;
}

static uint32_t go_on(uint8_t protocol, uint16_t port)
{
	return send_flow((struct flow){protocol, ACK, port});
}

/* ---- tests ---- */

static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

/* requirement: NIC-4 */
static void test_connections_are_spread_and_each_is_at_one_host(void **state)
{
	spread(1 << 2 | 1 << 3 | 1 << 4);
	for (size_t p = 0; p < ARRAY_SIZE(protocols); p++) {
		uint32_t of[5] = {};

		for (uint16_t port = 1000; port < 2200; port++) {
			uint32_t host = send_flow((struct flow){protocols[p], SYN, port});

			of[host]++;
			for (int i = 0; i < 3; i++)
				assert_int_equal(go_on(protocols[p], port), host);
		}
		for (uint32_t id = 2; id < 5; id++) /* of 1,200: 400 each */
			assert_in_range(of[id], 330, 470);
	}
}

/* requirement: NIC-4 */
static void test_a_new_host_gets_new_connections_alone(void **state)
{
	for (size_t p = 0; p < ARRAY_SIZE(protocols); p++) {
		uint32_t host[FLOWS], n = 0;

		spread(1 << 2 | 1 << 3);
		for (uint16_t i = 0; i < FLOWS; i++)
			host[i] = begin(protocols[p], 1000 + i);
		spread(1 << 2 | 1 << 3 | 1 << 4);
		for (uint16_t i = 0; i < FLOWS; i++)
			assert_int_equal(go_on(protocols[p], 1000 + i), host[i]);
		for (uint16_t i = 0; i < FLOWS; i++)
			n += begin(protocols[p], 3000 + i) == 4;
		assert_in_range(n, FLOWS / 5, FLOWS / 2);
	}
}

/* requirement: NIC-4 */
static void test_of_a_lost_host_its_own_connections_move(void **state)
{
	uint32_t host[FLOWS], moved = 0;

	spread(1 << 2 | 1 << 3 | 1 << 4);
	for (uint16_t i = 0; i < FLOWS; i++)
		host[i] = begin(IPPROTO_TCP, 1000 + i);
	spread(1 << 2 | 1 << 4);
	for (uint16_t i = 0; i < FLOWS; i++) {
		uint32_t now = go_on(IPPROTO_TCP, 1000 + i);

		if (host[i] != 3)
			assert_int_equal(now, host[i]);
		else
			assert_int_not_equal(now, 3);
		moved += host[i] == 3;
		host[i] = now;
	}
	assert_in_range(moved, FLOWS / 5, FLOWS / 2);
	for (uint16_t i = 0; i < FLOWS; i++)
		assert_int_not_equal(begin(IPPROTO_TCP, 5000 + i), 3);
	/* it comes back: what has gone elsewhere stays there */
	spread(1 << 2 | 1 << 3 | 1 << 4);
	for (uint16_t i = 0; i < FLOWS; i++)
		assert_int_equal(go_on(IPPROTO_TCP, 1000 + i), host[i]);
}

/* A peer that cannot be sent to is not chosen.
 * requirement: NIC-4 */
static void test_who_cannot_be_reached_is_not_chosen(void **state)
{
	assert_int_equal(datapath_peer_delete(dp(), 3), 0);
	for (uint16_t i = 0; i < FLOWS; i++)
		assert_int_equal(send_flow((struct flow){IPPROTO_TCP, SYN, 1000 + i}), 2);
	spread_add_peer(dp(), 3);
}

/* A SYN that comes long after the last packet begins a connection, wherever the old one was.
 * requirement: NIC-4 */
static void test_old_pins_bind_no_new_connections(void **state)
{
	uint32_t host[FLOWS], weighed, other = 0;

	for (uint16_t i = 0; i < FLOWS; i++)
		host[i] = begin(IPPROTO_TCP, 1000 + i);
	spread(1 << 2 | 1 << 3 | 1 << 4);
	age_pins(DP_PIN_TICKS + 1);
	for (uint16_t i = 0; i < FLOWS; i++) /* an old connection goes on, */
		if (i % 2)
			assert_int_equal(go_on(IPPROTO_TCP, 1000 + i), host[i]);
	for (uint16_t i = 0; i < FLOWS; i += 2) { /* a new one goes by its weights */
		weighed = send_flow((struct flow){IPPROTO_TCP, SYN, 1000 + i});
		other += weighed != host[i];
	}
	assert_in_range(other, FLOWS / 10, FLOWS / 4);
}

/* requirement: NIC-4 */
static void test_fragments_go_where_the_first_went(void **state)
{
	struct policy_packet first = {.from = policy_lab.a,
				      .to = &shared,
				      .protocol = IPPROTO_UDP,
				      .destination = 53,
				      .fragment = 0x2000};
	struct policy_packet later = first;
	uint32_t of[5] = {};
	struct frame f;

	later.fragment = 0x2001;
	for (uint16_t i = 0; i < FLOWS; i++) {
		uint32_t host;
		size_t n = spread_count_pins(dp());

		first.id = later.id = (uint16_t)(i + 1);
		first.source = (uint16_t)(1000 + i);
		do
			host = send_packet(&first);
		while (spread_count_pins(dp()) < n + 2);
		of[host]++;
		for (uint16_t at = 1; at < 4; at++) {
			later.fragment = (uint16_t)(0x2000 | at * 5);
			assert_int_equal(send_packet(&later), host);
		}
		assert_int_equal(go_on(IPPROTO_UDP, first.source),
				 send_packet(&(struct policy_packet){.from = policy_lab.a,
								     .to = &shared,
								     .protocol = IPPROTO_UDP,
								     .source = first.source,
								     .destination = 80}));
	}
	assert_in_range(of[2], FLOWS / 3, FLOWS * 2 / 3);
	/* whose first has not been seen goes nowhere */
	later.id = 9999;
	f = policy_frame(&later);
	frame_assert_dropped_by_node(&policy_lab.lab, policy_lab.a, &f, DROP_FRAGMENT);
}

/* requirement: NIC-4 */
static void test_pings_of_one_number_go_to_one_host(void **state)
{
	struct policy_packet ping = {
		.from = policy_lab.a, .to = &shared, .protocol = IPPROTO_ICMP, .source = 8 << 8};
	uint32_t of[5] = {}, host[FLOWS];

	for (uint16_t i = 0; i < FLOWS; i++) {
		size_t n = spread_count_pins(dp());

		ping.destination = (uint16_t)(100 + i);
		do
			host[i] = send_packet(&ping);
		while (spread_count_pins(dp()) == n);
		of[host[i]]++;
	}
	assert_in_range(of[2], FLOWS / 3, FLOWS * 2 / 3);
	spread(1 << 2 | 1 << 3 | 1 << 4);
	for (uint16_t i = 0; i < FLOWS; i++) {
		ping.destination = (uint16_t)(100 + i);
		assert_int_equal(send_packet(&ping), host[i]);
	}
}

/* An error about what S has sent goes to the host that has the connection.
 * requirement: NIC-4 */
static void test_errors_go_where_their_connection_is(void **state)
{
	uint32_t host[FLOWS];

	for (uint16_t i = 0; i < FLOWS; i++)
		host[i] = begin(IPPROTO_UDP, 1000 + i);
	spread(1 << 2 | 1 << 3 | 1 << 4);
	for (uint16_t i = 0; i < FLOWS; i++) {
		/* what S has answered, as a has got it */
		struct frame answer =
			policy_frame(&(struct policy_packet){.from = &shared,
							     .to = policy_lab.a,
							     .protocol = IPPROTO_UDP,
							     .source = 80,
							     .destination = (uint16_t)(1000 + i)});

		assert_int_equal(send_packet(&(struct policy_packet){.from = policy_lab.a,
								     .to = &shared,
								     .protocol = IPPROTO_ICMP,
								     .source = 3 << 8 | 3,
								     .quote = &answer}),
				 host[i]);
	}
}

/* ---- packets from S ---- */

/* As 'host' puts it on the wire. */
static struct frame from_host(uint32_t host, struct flow f)
{
	struct ipaddr self = lab_addr(spread_locators[1]), its = lab_addr(spread_locators[host]);
	struct frame wire, inner = policy_frame(&(struct policy_packet){.from = &shared,
									.to = policy_lab.a,
									.protocol = f.protocol,
									.source = 80,
									.destination = f.port,
									.tcp = f.tcp});
	struct frame any = policy_frame(&(struct policy_packet){.from = policy_lab.a,
								.to = &shared,
								.protocol = f.protocol,
								.source = 1,
								.destination = 1});

	/* the IPv6 header of another packet of the same size */
	assert_int_equal(frame_from_node(&policy_lab.lab, policy_lab.a, &any, &wire),
			 TC_ACT_REDIRECT);
	substrate_siit_2(wire.b + SRC_AT, its.b, LAB_VNI, htonl(0x0a000132));
	substrate_siit_2(wire.b + DST_AT, self.b, LAB_VNI, htonl(0x0a00010a));
	memcpy(wire.b + L4_AT, inner.b + IP_AT + 20, wire.size - L4_AT);
	return wire;
}

static void arrives(uint32_t host, struct flow f)
{
	struct frame wire = from_host(host, f), out;
	int verdict = frame_from_wire(&policy_lab.lab, 0, &wire, &out);

	if (verdict != TC_ACT_REDIRECT)
		lab_explain(&policy_lab.lab);
	assert_int_equal(verdict, TC_ACT_REDIRECT);
	assert_memory_equal(out.b, policy_lab.a->port.mac.b, 6);
}

/* requirement: NIC-4 MAP-4 */
static void test_any_of_its_hosts_may_send(void **state)
{
	struct frame wire = from_host(4, (struct flow){IPPROTO_UDP, 0, 1000});

	arrives(2, (struct flow){IPPROTO_UDP, 0, 1000});
	arrives(3, (struct flow){IPPROTO_UDP, 0, 1001});
	frame_assert_dropped_from_wire(&policy_lab.lab, 0, policy_lab.a->port.id, &wire,
				       DROP_SPOOF);
	spread(1 << 2 | 1 << 3 | 1 << 4);
	arrives(4, (struct flow){IPPROTO_UDP, 0, 1000});
}

/* What a node of S begins is answered to that node, by ports in groups and by others.
 * requirement: NIC-4 */
static void test_answers_go_to_who_began(void **state)
{
	const struct dp_rule all[] = {
		policy_rule(true, DP_PROTOCOL_ANY, 0, 65535, "0.0.0.0/0", 0),
		policy_rule(false, DP_PROTOCOL_ANY, 0, 65535, "0.0.0.0/0", 0)};

	for (int tracked = 0; tracked < 2; tracked++) {
		spread_forget_pins(dp());
		if (tracked)
			policy_give(policy_lab.a, all, ARRAY_SIZE(all));
		for (size_t p = 0; p < ARRAY_SIZE(protocols); p++)
			for (uint16_t i = 0; i < FLOWS / 2; i++) {
				uint32_t host = 2 + i % 2;
				size_t n = spread_count_pins(dp());

				do
					arrives(host, (struct flow){protocols[p], SYN, 2000 + i});
				while (spread_count_pins(dp()) <= n);
				assert_int_equal(
					send_flow((struct flow){protocols[p], SYN | ACK, 2000 + i}),
					host);
				arrives(host, (struct flow){protocols[p], ACK, 2000 + i});
				arrives(host, (struct flow){protocols[p], ACK, 2000 + i});
			}
		spread(1 << 2 | 1 << 3 | 1 << 4);
		for (uint16_t i = 0; i < FLOWS / 2; i++)
			assert_int_equal(go_on(IPPROTO_TCP, 2000 + i), 2 + i % 2);
	}
	/* what comes late from another node moves nothing; a SYN begins anew */
	arrives(4, (struct flow){IPPROTO_TCP, ACK, 2000});
	assert_int_equal(go_on(IPPROTO_TCP, 2000), 2);
	arrives(4, (struct flow){IPPROTO_TCP, SYN, 2000});
	assert_int_equal(go_on(IPPROTO_TCP, 2000), 4);
}

/* ---- the host itself ---- */

static void share_with_c(void)
{
	struct lab_node *c = policy_lab.c;

	c->port.addrs[c->port.n_addrs++] = lab_addr("10.0.1.50");
	c->port.shared = true;
	set_port(c);
}

/* requirement: NIC-4 */
static void test_a_node_of_this_host_is_one_of_them(void **state)
{
	uint32_t host[FLOWS], of[5] = {};

	share_with_c();
	spread(1 << 0 | 1 << 2 | 1 << 3);
	for (uint16_t i = 0; i < FLOWS; i++) {
		host[i] = begin(IPPROTO_TCP, 1000 + i);
		of[host[i]]++;
	}
	for (uint32_t id = 0; id < 4; id++)
		if (id != 1)
			assert_in_range(of[id], FLOWS / 5, FLOWS / 2);
	spread(1 << 0 | 1 << 2 | 1 << 3 | 1 << 4);
	for (uint16_t i = 0; i < FLOWS; i++)
		assert_int_equal(go_on(IPPROTO_TCP, 1000 + i), host[i]);
	/* alone, and when nobody says who else has it */
	spread(1 << 0);
	assert_int_equal(send_flow((struct flow){IPPROTO_TCP, SYN, 7000}), 0);
	lab_map(&policy_lab.lab, LAB_VNI, "10.0.1.50", 1, DP_MAPPING_GONE);
	assert_int_equal(send_flow((struct flow){IPPROTO_TCP, SYN, 7001}), 0);
}

/* What the node here begins with a neighbour on this host is answered to it.
 * requirement: NIC-4 */
static void test_answers_go_to_the_node_of_this_host(void **state)
{
	const struct dp_rule all[] = {
		policy_rule(true, DP_PROTOCOL_ANY, 0, 65535, "0.0.0.0/0", 0),
		policy_rule(false, DP_PROTOCOL_ANY, 0, 65535, "0.0.0.0/0", 0)};
	struct lab_node from = *policy_lab.c;
	struct frame out, f;

	share_with_c();
	spread(1 << 0 | 1 << 2 | 1 << 3);
	from.port.addrs[0] = lab_addr("10.0.1.50");
	for (int tracked = 0; tracked < 2; tracked++) {
		spread_forget_pins(dp());
		if (tracked)
			policy_give(policy_lab.a, all, ARRAY_SIZE(all));
		for (uint16_t i = 0; i < FLOWS / 4; i++) {
			size_t n = spread_count_pins(dp());

			f = policy_frame(&(struct policy_packet){.from = &from,
								 .to = policy_lab.a,
								 .protocol = IPPROTO_TCP,
								 .source = 80,
								 .destination = 2000 + i,
								 .tcp = SYN});
			do
				assert_int_equal(
					frame_from_node(&policy_lab.lab, policy_lab.c, &f, &out),
					TC_ACT_REDIRECT);
			while (spread_count_pins(dp()) == n);
			assert_int_equal(send_flow((struct flow){IPPROTO_TCP, SYN | ACK, 2000 + i}),
					 0);
		}
	}
}

/* requirement: NIC-4 */
static void test_without_a_mapping_the_agent_is_asked(void **state)
{
	struct frame out,
		f = policy_frame(&(struct policy_packet){
			.from = policy_lab.a, .to = &shared, .protocol = IPPROTO_TCP, .tcp = SYN});
	struct ipaddr addr = lab_addr("10.0.1.50");
	const uint8_t magic = DP_NOTE_MAGIC;

	share_with_c();
	assert_int_equal(datapath_mapping_delete(dp(), LAB_VNI, &addr), 0);
	assert_int_equal(frame_from_node(&policy_lab.lab, policy_lab.a, &f, &out), TC_ACT_REDIRECT);
	assert_memory_equal(out.b, &magic, 1);
	assert_int_equal(out.b[1], DP_NOTE_RESOLVE);
}

/* ---- IPv6 ---- */

static struct frame packet6(uint8_t protocol, uint16_t port, uint8_t tcp)
{
	struct ipaddr to = lab_addr(S6);
	struct frame f = {.size = L4_AT + 20};

	substrate_dummy_mac_v6(f.b, LAB_VNI, to.b);
	memcpy(f.b + 6, policy_lab.a->port.mac.b, 6);
	frame_put_u16(&f, 12, 0x86dd);
	frame_put_u32(&f, IP_AT, 6U << 28);
	frame_put_u16(&f, IP_AT + 4, 20);
	f.b[IP_AT + 6] = protocol;
	f.b[IP_AT + 7] = 64;
	frame_put_addr6(&f, SRC_AT, A6);
	frame_put_addr6(&f, DST_AT, S6);
	frame_put_u16(&f, L4_AT, port);
	frame_put_u16(&f, L4_AT + 2, 80);
	f.b[L4_AT + 12] = 5 << 4;
	f.b[L4_AT + 13] = tcp;
	return f;
}

/* requirement: NIC-4 */
static void test_ipv6(void **state)
{
	uint32_t host[FLOWS], of[5] = {};

	for (uint16_t i = 0; i < FLOWS; i++) {
		struct frame f = packet6(IPPROTO_TCP, 1000 + i, SYN);
		size_t n = spread_count_pins(dp());

		do
			host[i] = send_frame(&f);
		while (spread_count_pins(dp()) == n);
		of[host[i]]++;
	}
	assert_in_range(of[2], FLOWS / 3, FLOWS * 2 / 3);
	assert_in_range(of[3], FLOWS / 3, FLOWS * 2 / 3);
	spread(1 << 2 | 1 << 3 | 1 << 4);
	for (uint16_t i = 0; i < FLOWS; i++) {
		struct frame f = packet6(IPPROTO_TCP, 1000 + i, ACK);

		assert_int_equal(send_frame(&f), host[i]);
	}
}

/* ---- tables ---- */

static int find_shared(const struct dp_mapping *m, void *arg)
{
	struct dp_mapping *ret = arg;
	struct ipaddr addr = lab_addr("10.0.1.50");

	if (ipaddr_equal(&m->addr, &addr))
		*ret = *m;
	return 0;
}

/* What is written is read again, by a later agent too; nonsense is refused.
 * requirement: NIC-4 */
static void test_mappings_of_several_hosts(void **state)
{
	struct dp_mapping found = {}, wrong = {.vni = LAB_VNI, .addr = lab_addr("10.0.1.50")};
	struct dp_mapping plain = {.vni = LAB_VNI, .addr = lab_addr("10.0.1.50"), .peer = 3};

	spread(1 << 0 | 1 << 2 | 1 << 4);
	assert_int_equal(datapath_mappings(dp(), find_shared, &found), 0);
	assert_int_equal(found.n_peers, 3);
	assert_int_equal(found.peers[0], 0);
	assert_int_equal(found.peers[1], 2);
	assert_int_equal(found.peers[2], 4);
	wrong.n_peers = DP_PEER_SET_MAX + 1;
	assert_int_equal(datapath_mapping_set(dp(), &wrong), -EINVAL);
	wrong.n_peers = 2;
	wrong.peers[0] = wrong.peers[1] = 2;
	assert_int_equal(datapath_mapping_set(dp(), &wrong), -EINVAL);
	assert_int_equal(datapath_mapping_set(dp(), &plain), 0);
	assert_int_equal(datapath_mappings(dp(), find_shared, &found), 0);
	assert_int_equal(found.n_peers, 0);
	assert_int_equal(found.peer, 3);
	for (uint16_t i = 0; i < 20; i++)
		assert_int_equal(send_flow((struct flow){IPPROTO_TCP, SYN, 100 + i}), 3);
	assert_int_equal(spread_count_pins(dp()), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connections_are_spread_and_each_is_at_one_host),
		TEST(test_a_new_host_gets_new_connections_alone),
		TEST(test_of_a_lost_host_its_own_connections_move),
		TEST(test_who_cannot_be_reached_is_not_chosen),
		TEST(test_old_pins_bind_no_new_connections),
		TEST(test_fragments_go_where_the_first_went),
		TEST(test_pings_of_one_number_go_to_one_host),
		TEST(test_errors_go_where_their_connection_is),
		TEST(test_any_of_its_hosts_may_send),
		TEST(test_answers_go_to_who_began),
		TEST(test_a_node_of_this_host_is_one_of_them),
		TEST(test_answers_go_to_the_node_of_this_host),
		TEST(test_without_a_mapping_the_agent_is_asked),
		TEST(test_ipv6),
		TEST(test_mappings_of_several_hosts),
	};

	return cmocka_run_group_tests(tests, set_up, policy_lab_tear_down);
}
