/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections to an address that is on several hosts: each goes to one of them and stays there
 * (abi/spread.h has the rule).  Only packets of such addresses come here, on their full path.
 */
#pragma once

#include "abi/spread.h"
#include "bpf/lib/budget.h"
#include "bpf/lib/connection.h"
#include "bpf/lib/tuple.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DP_SPREADS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct dp_addr_key);
	__type(value, struct dp_spread_value);
} spreads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DP_PINS_MAX);
	__type(key, struct dp_pin_key);
	__type(value, struct dp_pin_value);
} pins SEC(".maps");

enum {
	SPREAD_BEGINS = 1 << 0, /* of a call: the packet may begin a connection */
	SPREAD_LOOKS = 1 << 1,  /* it begins none, and leaves no pin */
};

static __noinline const struct dp_spread_value *spread_get(__u32 vni, const __u8 addr[16])
{
	struct dp_addr_key key = {.vni = vni};

	memcpy(key.addr, addr, 16);
	return bpf_map_lookup_elem(&spreads, &key);
}

static __always_inline bool spread_has(const struct dp_spread_value *s, __u32 peer)
{
	bool has = false;

	for (__u32 i = 0; i < DP_SPREAD_MAX; i++)
		if (i < s->n && s->peers[i] == peer)
			has = true;
	return has;
}

/* Whether a mapping says that the address is at 'peer'. */
static __always_inline bool spread_is_at(const struct dp_mapping_value *m, __u32 vni,
					 const __u8 addr[16], __u32 peer)
{
	const struct dp_spread_value *s;

	if (likely(m->peer != DP_PEER_SPREAD))
		return m->peer == peer;
	s = spread_get(vni, addr);
	return s && spread_has(s, peer);
}

/* The host with the highest weight among those that can be reached: its number, or a reason. */
__judged_once int spread_weigh(const struct dp_spread_value *s, __u64 flow, __u32 slot)
{
	const struct dp_peer_copy *peer;
	__u64 weight, most = 0;
	int best = -DROP_NO_PEER;
	__u32 id;

	if (!s)
		return best;
	for (__u32 i = 0; i < DP_SPREAD_MAX; i++) {
		if (i >= s->n)
			break;
		id = s->peers[i];
		peer = id ? peer_get(id) : NULL;
		if (id ? !peer || peer->send == FORMAT_NONE : !slot)
			continue;
		weight = dp_spread_weight(flow, id);
		if (best < 0 || weight > most) {
			most = weight;
			best = (int)(id & 0xffff);
		}
	}
	return best;
}

/* Whether a pin says where a packet goes that may begin something ('how'). */
static __always_inline bool spread_serves(const struct dp_pin_value *pin,
					  const struct dp_spread_value *s, __u32 how, __u32 now)
{
	return pin && spread_has(s, pin->peer) &&
	       (!(how & SPREAD_BEGINS) || now - pin->seen <= DP_PIN_TICKS);
}

static __always_inline void spread_pin(const struct dp_pin_key *key, __u32 peer, __u32 now)
{
	struct dp_pin_value value = {.peer = peer, .seen = now};

	if (budget_take(key->slot, DP_BUDGET_PIN,
			key->slot ? DP_PINS_PER_WINDOW : DP_PINS_PER_WINDOW_EDGE))
		bpf_map_update_elem(&pins, key, &value, BPF_ANY);
}

/* The pin of the connection 'p->key' in network 'vni'. */
static __always_inline void spread_key(const struct packet *p, __u32 slot, __u32 vni,
				       struct dp_pin_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->local, p->key.local, 16);
	memcpy(ret->remote, p->key.remote, 16);
	ret->ports = *(const __u32 *)&p->key.local_port;
	ret->protocol = p->key.protocol;
	ret->slot = (__u16)slot;
	ret->vni = vni;
}

/* Where the connection 'p->key' goes: the number of a host, 0 this one, or a reason.  'slot' is the
 * port that sends, 'here' whether a port of this host has the address. */
__judged_once int spread_choose(struct packet *p, __u32 slot, __u32 vni, __u32 how, __u32 here)
{
	const struct dp_spread_value *s;
	struct dp_pin_value *pin;
	struct dp_pin_key key;
	__u32 now = connection_tick();
	int peer;

	if (!p)
		return -DROP_NO_PEER;
	spread_key(p, slot, vni, &key);
	s = spread_get(vni, p->key.remote);
	if (!s)
		return -DROP_GONE;
	pin = bpf_map_lookup_elem(&pins, &key);
	if (spread_serves(pin, s, how, now)) {
		if (pin->seen != now && !(how & SPREAD_LOOKS))
			pin->seen = now;
		return (int)(pin->peer & 0xffff);
	}
	peer = spread_weigh(s, dp_spread_flow(&key), here);
	if (peer >= 0 && !(how & SPREAD_LOOKS))
		spread_pin(&key, (__u32)peer, now);
	return peer;
}

/* A packet of the connection 'p->key' came from 'peer', one of the address's hosts: what goes back
 * goes there. */
__judged_once int spread_note(struct packet *p, __u32 slot, __u32 vni, __u32 how, __u32 peer)
{
	const struct dp_spread_value *s;
	struct dp_pin_value *pin;
	struct dp_pin_key key;
	__u32 now = connection_tick();

	if (!p)
		return 0;
	spread_key(p, slot, vni, &key);
	s = spread_get(vni, p->key.remote);
	pin = bpf_map_lookup_elem(&pins, &key);
	if (!s)
		return 0;
	/* What is late from where the connection was moves nothing; a SYN begins one. */
	if (pin && pin->peer != peer && spread_serves(pin, s, how, now) &&
	    !(how & SPREAD_BEGINS && key.protocol == IPPROTO_TCP))
		return 0;
	if (!pin || pin->peer != peer)
		spread_pin(&key, peer, now);
	else if (pin->seen != now)
		pin->seen = now;
	return 0;
}

/* ---- fragments ---- */

/* The later ones go where the first went: its host, or a reason. */
__judged_once int spread_fragment(struct packet *p, __u32 slot, __u32 vni, __u32 id, int peer)
{
	const struct dp_pin_value *pin;
	struct dp_pin_key key;
	__u32 now = connection_tick();

	if (!p)
		return -DROP_FRAGMENT;
	spread_key(p, slot, vni, &key);
	key.kind = DP_PIN_FRAGMENT;
	key.ports = id;
	if (peer >= 0) {
		spread_pin(&key, (__u32)peer, now);
		return peer;
	}
	pin = bpf_map_lookup_elem(&pins, &key);
	return pin && now - pin->seen <= DP_PIN_FRAGMENT_TICKS ? (int)(pin->peer & 0xffff)
							       : -DROP_FRAGMENT;
}

/* ---- what a packet is about ---- */

/* How a packet whose tuple is read is to be looked at; TCP alone says when it begins. */
static __always_inline __u32 spread_how(const struct tuple *t)
{
	if (t->protocol != IPPROTO_TCP)
		return SPREAD_BEGINS;
	return (t->tcp & (CONNECTION_TCP_SYN | CONNECTION_TCP_ACK)) == CONNECTION_TCP_SYN
		       ? SPREAD_BEGINS
		       : 0;
}

/* Where a packet from the node of 'p->slot' goes, its tuple being read.  'here': see
 * spread_choose(). */
static __noinline int spread_out(struct __sk_buff *skb, struct packet *p, __u32 here)
{
	__u32 how = spread_how(&p->tuple), id = p->tuple.id, fragment = p->tuple.fragment;
	int peer;

	if (fragment == TUPLE_LATER) {
		tuple_key(p, true);
		return spread_fragment(p, p->slot, p->to_vni, id, -1);
	}
	if (p->tuple.kind == TUPLE_ERROR && !tuple_read_quoted(skb, p)) {
		tuple_key_quoted(p, true);
		how = SPREAD_LOOKS;
	} else {
		tuple_key(p, true);
	}
	peer = spread_choose(p, p->slot, p->to_vni, how, here);
	if (peer < 0 || fragment != TUPLE_FIRST || how & SPREAD_LOOKS)
		return peer;
	return spread_fragment(p, p->slot, p->to_vni, id, peer);
}

/* A packet for the port 'slot', its tuple being read, has come from 'peer'. */
static __noinline void spread_in(struct packet *p, __u32 slot, __u32 peer)
{
	const struct tuple *t = &p->tuple;

	if (t->fragment == TUPLE_LATER || t->kind == TUPLE_ERROR || t->kind == TUPLE_LONE)
		return;
	tuple_key(p, false);
	/* Whoever answers does not begin: its answer shows where the connection is, or was. */
	spread_note(p, slot, p->from_vni, t->kind == TUPLE_ANSWER ? 0 : spread_how(t), peer);
}

/* A packet that is allowed goes to a port of this host, perhaps from a node whose address other
 * hosts have as well: where its connection is, is noted on this path, which is left by connections
 * that are tracked alone. */
static __noinline void spread_to_port(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_port_copy *port = port_get(p->slot);
	int r;

	if (!port || !(port->flags & DP_PORT_SHARED))
		return;
	p->keep = p->keep && p->side[0].judge & DP_JUDGE_INGRESS;
	r = skb->protocol == htons(ETH_P_IP) ? tuple_read_v4(skb, p, ETH_HLEN)
					     : tuple_read_v6(skb, p, ETH_HLEN);
	if (!r)
		spread_in(p, p->flow.out.to_slot, 0);
}
