/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An edge for IPv6: nothing is translated.  An internet gateway lets in what a route of the node's
 * subnet would answer by it, or by the node that the gateway's own table leads it to first; an
 * egress-only gateway lets in only what answers (RFC 6092 REC-11 and on), by sessions of addresses
 * and ports.
 */
#pragma once

#include "bpf/lib/edge.h"
#include "bpf/lib/ipv6.h"
#include "bpf/lib/route6.h"

/* The network that has an address of the world, or 0. */
static __noinline __u32 edge6_network(const __u8 addr[16])
{
	struct dp_network6_key key = {.len = 128};
	const __u32 *vni;

	memcpy(key.addr, addr, 16);
	vni = bpf_map_lookup_elem(&networks6, &key);
	return vni ? *vni : 0;
}

/* ---- sessions of egress-only gateways ---- */

struct edge6_tuple {
	struct dp_session6_key key;
	bool error; /* ICMPv6, about the flow in 'key' */
	__u8 tcp_flags;
};

/* Ports or identifier at 'at', of a packet that goes 'out' or one that came in. */
static __always_inline int edge6_ports(struct __sk_buff *skb, struct dp_session6_key *key, __u32 at,
				       bool out)
{
	__be16 ports[3];

	if (key->protocol == IPPROTO_ICMPV6) {
		if (bpf_skb_load_bytes(skb, at, ports, 6))
			return -DROP_MALFORMED;
		key->node_port = ports[2];
		return 0;
	}
	if (!edge_has_ports(key->protocol))
		return 0;
	if (bpf_skb_load_bytes(skb, at, ports, 4))
		return -DROP_MALFORMED;
	key->node_port = out ? ports[0] : ports[1];
	key->world_port = out ? ports[1] : ports[0];
	return 0;
}

/* The flow that an ICMPv6 error at 'at' is about: it went the other way. */
static __always_inline int edge6_quoted(struct __sk_buff *skb, struct edge6_tuple *t, __u32 at,
					bool out)
{
	struct ipv6hdr quoted;

	t->error = true;
	if (bpf_skb_load_bytes(skb, at + 8, &quoted, sizeof(quoted)) || quoted.version != 6)
		return -DROP_MALFORMED;
	memcpy(t->key.node, out ? &quoted.daddr : &quoted.saddr, 16);
	memcpy(t->key.world, out ? &quoted.saddr : &quoted.daddr, 16);
	t->key.protocol = quoted.nexthdr;
	return edge6_ports(skb, &t->key, at + 8 + sizeof(quoted), !out);
}

static __always_inline int edge6_read(struct __sk_buff *skb, const struct packet *p,
				      struct edge6_tuple *t, bool out)
{
	__u8 protocol = 0, type;
	__u16 at = 0;
	int r = ipv6_upper(skb, &protocol, &at);

	if (r)
		return r;
	if (!at)
		return -DROP_FRAGMENT;
	memcpy(t->key.node, out ? p->src : p->dst, 16);
	memcpy(t->key.world, out ? p->dst : p->src, 16);
	t->key.protocol = protocol;
	if (protocol == IPPROTO_ICMPV6) {
		if (bpf_skb_load_bytes(skb, at, &type, 1))
			return -DROP_MALFORMED;
		if (type < ICMP6_INFORMATIONAL)
			return edge6_quoted(skb, t, at, out);
	}
	if (protocol == IPPROTO_TCP && bpf_skb_load_bytes(skb, at + 13U, &t->tcp_flags, 1))
		return -DROP_MALFORMED;
	return edge6_ports(skb, &t->key, at, out);
}

/* Out: notes that the node has begun it.  In: has it?  0 or a reason. */
static __noinline int edge6_session(struct __sk_buff *skb, const struct packet *p, struct edge *e)
{
	struct edge6_tuple t = {};
	struct dp_session_value fresh = {}, *s;
	__u32 row = e->gateway.row;
	void *table = bpf_map_lookup_elem(&sessions6, &row);
	int r = edge6_read(skb, p, &t, e->out);

	if (r)
		return r;
	if (!table)
		return -DROP_HANDLE;
	e->kind = t.error ? EDGE_ERROR : EDGE_FLOW;
	e->protocol = t.key.protocol == IPPROTO_ICMPV6 ? IPPROTO_ICMP : t.key.protocol;
	e->tcp_flags = t.tcp_flags;
	s = bpf_map_lookup_elem(table, &t.key);
	if (s && (__s32)(s->expires - e->now) > 0) {
		nat_touch(e, s);
		return 0;
	}
	if (!e->out || t.error)
		return -DROP_UNSOLICITED;
	nat_touch(e, &fresh);
	return bpf_map_update_elem(table, &t.key, &fresh, BPF_ANY) ? -DROP_NAT_PORTS : 0;
}

/* ---- in ---- */

/* Where what a node forwards leaves 'vni' at this edge, an internet gateway first; 0: nowhere. */
static __noinline __u32 edge6_gateway_behind(__u32 vni)
{
	struct dp_mapping_v4_key key = {.vni = vni, .addr = DP_WORLD_INTERNET};
	const struct dp_public_of_value *of = bpf_map_lookup_elem(&publics_of, &key);

	if (!of) {
		key.addr = DP_WORLD_EGRESS_ONLY;
		of = bpf_map_lookup_elem(&publics_of, &key);
	}
	return of ? of->handle : 0;
}

/* By which gateway of this edge an answer would go: 0 with it in 'e', or a reason. */
static __always_inline int edge6_gateway_back(struct packet *p, struct edge *e)
{
	const struct dp_subnet_value *subnet = subnet_get(p->vni, p->dst);
	const struct dp_route_value *w = subnet ? way_get(subnet->table, p->src) : NULL;
	__u32 handle;
	int r;

	if (!w)
		return -DROP_UNSOLICITED;
	switch (w->target) {
	case DP_WAY_INTERNET:
	case DP_WAY_GATEWAY:
		handle = w->vni;
		break;
	case DP_WAY_INTERFACE:
		handle = edge6_gateway_behind(p->vni);
		if (handle)
			break;
		return -DROP_UNSOLICITED;
	default:
		return -DROP_UNSOLICITED;
	}
	r = edge_gateway(e, handle);
	return r ? r : e->gateway.vni == p->vni ? 0 : -DROP_HANDLE;
}

/* Where the node is: 0 with 'p->flow.out', an upcall, or a reason.  For a node of this host the
 * flow has a slot. */
__judged_once int edge6_locate(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_local_value *local;
	const struct dp_mapping_value *m = NULL;
	const struct dp_peer_copy *peer;
	struct dp_flow_out *flow;
	__u32 slot, id = 0;
	int r;

	if (!p)
		return -DROP_MALFORMED;
	flow = &p->flow.out;
	local = local_get(p->vni, p->dst);
	slot = local ? local->slot : 0;
	memset(flow, 0, sizeof(*flow));
	if (!local || local->flags & DP_LOCAL_SHARED)
		m = mapping_v6_get(p->vni, p->dst);
	if (m && m->peer == DP_PEER_SPREAD && m->state != DP_STATE_GONE) {
		p->slot = 0;
		p->to_vni = p->vni;
		r = tuple_read_v6(skb, p, ETH_HLEN);
		if (!r)
			r = spread_out(skb, p, slot);
		if (r < 0)
			return r;
		id = (__u32)r;
		slot = id ? 0 : slot;
	} else if (m) {
		id = m->peer;
	}
	if (slot) {
		flow->to_slot = (__u16)slot;
		return 0;
	}
	if (!m || (m->state == DP_STATE_HELD && !p->injected))
		return upcall(p, DP_NOTE_RESOLVE, 0, DP_NOTE_UPLINK);
	p->revision = m->revision;
	if (m->state == DP_STATE_REFUSED)
		return -DROP_REFUSED;
	if (m->state == DP_STATE_GONE || !id)
		return -DROP_GONE;
	peer = variant_towards(p, id, p->vni, &flow->peer);
	if (!peer)
		return -DROP_NO_PEER;
	r = route_to_peer(peer, p->vni, p->vni, 0, 0, flow);
	if (!r && !encap_is_tunnel(flow->format))
		flow->format = FORMAT_IPIP6_1;
	return r;
}

/* To the interface that edge_enter() found: as edge6_locate(). */
__judged_once int edge6_to_handle(struct packet *p)
{
	struct dp_flow_out *flow;
	const struct dp_peer_copy *peer;
	int r;

	if (!p)
		return -DROP_HANDLE;
	flow = &p->flow.out;
	memset(flow, 0, sizeof(*flow));
	r = route6_to_handle(p);
	if (r != VERDICT_ROUTED)
		return r < 0 ? r : -DROP_HANDLE;
	if (flow->to_slot)
		return 0;
	peer = variant_towards(p, flow->peer, p->to_vni, &flow->peer);
	if (!peer)
		return -DROP_NO_PEER;
	r = route_to_peer(peer, p->vni, p->to_vni, 0, 0, flow);
	if (!r && !encap_is_tunnel(flow->format))
		flow->format = FORMAT_IPIP6_1;
	return r;
}

__judged_once int edge6_to_node(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_peer_copy *peer;
	const struct ipv6hdr *ip = ipv6_get(skb);
	struct dp_flow_out *flow;
	__u16 size;
	__u8 tos;
	int r;

	if (!p)
		return -DROP_MALFORMED;
	flow = &p->flow.out;
	peer = peer_get(flow->peer);
	if (!ip || !peer)
		return -DROP_NO_PEER;
	size = (__u16)(ntohs(ip->payload_len) + sizeof(*ip));
	tos = (__u8)(ntohl(*(const __be32 *)ip) >> 20);
	if (encap_is_tunnel(flow->format))
		return encap_encode(skb, peer, flow, tos);
	r = ipip6_encode(skb, flow, size, tos, IPPROTO_IPIP6,
			 ipip6_hash(ip, dp_bucket_v6(p->vni, p->dst)));
	return r ? r : transmit(skb, flow->nexthop);
}

/* A packet to an address of a network of this edge's; TC_ACT_UNSPEC for others. */
static __noinline int edge6_in(struct __sk_buff *skb, struct packet *p)
{
	struct edge *e = edge_new(false);
	const struct dp_peer_copy *peer;
	struct ipv6hdr *ip = ipv6_get(skb);
	int r;

	if (!ip || !e)
		return -DROP_MALFORMED;
	memcpy(p->src, &ip->saddr, 16);
	memcpy(p->dst, &ip->daddr, 16);
	p->vni = edge6_network(p->dst);
	if (!p->vni)
		return TC_ACT_UNSPEC;
	p->edge = EDGE_SIDE_WORLD;
	r = edge6_gateway_back(p, e);
	if (r)
		return r;
	ip = ipv6_get(skb);
	if (!ip)
		return -DROP_MALFORMED;
	if (ip->hop_limit <= 1)
		return -DROP_TTL;
	if (e->gateway.kind == DP_HANDLE_EGRESS_ONLY)
		r = edge6_session(skb, p, e);
	else if (e->gateway.kind != DP_HANDLE_INTERNET)
		r = -DROP_HANDLE;
	if (!r)
		r = edge_enter(p, e);
	if (r)
		return edge_refused(e, r);
	r = p->to_handle ? edge6_to_handle(p) : edge6_locate(skb, p);
	if (r)
		return r;
	peer = peer_get(p->flow.out.peer);
	ip = ipv6_get(skb);
	if (!ip || !peer)
		return -DROP_MALFORMED;
	if (p->flow.out.format != FORMAT_NONE)
		r = forward_check_size_v6(skb, ip, &p->flow.out,
					  forward_overhead(peer, p->flow.out.format), &p->mtu);
	if (r)
		return r;
	ip->hop_limit = (__u8)(ip->hop_limit - 1);
	edge_count(skb, e->gateway.row, e->out);
	if (p->flow.out.format != FORMAT_NONE)
		return edge6_to_node(skb, p);
	p->slot = p->flow.out.to_slot;
	p->identity = 0;
	return VERDICT_TO_PORT;
}

/* ---- out ---- */

static __always_inline int edge6_check_uplink(struct __sk_buff *skb, struct packet *p)
{
	const struct ipv6hdr *ip = ipv6_get(skb);
	__u32 mtu = 0, size;

	if (!ip)
		return -DROP_MALFORMED;
	size = packet_wire_size(skb, ntohs(ip->payload_len) + (__u32)sizeof(*ip), sizeof(*ip),
				ip->nexthdr);
	if (!size)
		return -DROP_MALFORMED;
	bpf_check_mtu(skb, config.uplink_ifindex, &mtu, 0, 0);
	p->mtu = (__u16)mtu;
	return mtu && size > mtu ? -DROP_TOO_BIG : 0;
}

/* As edge_out(). */
static __noinline int edge6_out(struct __sk_buff *skb, struct packet *p)
{
	struct edge *e = edge_new(true);
	struct ipv6hdr *ip;
	int r;

	packet_pull(skb, ETH_HLEN + sizeof(*ip) + sizeof(struct tcphdr));
	ip = ipv6_get(skb);
	if (!e || !ip || ip->version != 6)
		return -DROP_MALFORMED;
	p->edge = EDGE_SIDE_INSIDE;
	memcpy(p->src, &ip->saddr, 16);
	memcpy(p->dst, &ip->daddr, 16);
	if (ip->hop_limit <= 1)
		return -DROP_TTL;
	r = edge_gateway(e, p->to_vni);
	p->vni = e->gateway.vni;
	if (r)
		return r;
	if (ipv6_is_link_local(p->src) || ipv6_is_link_local(p->dst) || p->dst[0] == 0xff)
		return -DROP_NO_ROUTE;
	if (way_is_forwarded(p) && edge6_network(p->src) != p->vni)
		return -DROP_FOREIGN_SOURCE;
	r = edge6_check_uplink(skb, p);
	if (!r && e->gateway.kind == DP_HANDLE_EGRESS_ONLY)
		r = edge6_session(skb, p, e);
	else if (!r && e->gateway.kind != DP_HANDLE_INTERNET)
		r = -DROP_HANDLE;
	if (r)
		return edge_refused(e, r);
	ip = ipv6_get(skb);
	if (!ip)
		return -DROP_MALFORMED;
	ip->hop_limit = (__u8)(ip->hop_limit - 1);
	edge_count(skb, e->gateway.row, e->out);
	if (edge_from_shared(p)) {
		p->from_vni = p->vni;
		if (!tuple_read_v6(skb, p, ETH_HLEN))
			spread_in(p, 0, p->spread_peer);
	}
	return edge6_network(p->dst) ? edge6_in(skb, p) : edge_to_world(skb);
}

/* ---- either family ---- */

/* For a gateway of this host: see edge_out().  Where there is no uplink the kernel need not look at
 * all that follows. */
static __always_inline int edge_leave(struct __sk_buff *skb, struct packet *p)
{
	if (!config.uplink_ifindex)
		return -DROP_HANDLE;
	return skb->protocol == htons(ETH_P_IPV6) ? edge6_out(skb, p) : edge_out(skb, p);
}

/* A packet from the world for a node of this host: what do its groups and its ACL say? */
static __always_inline int edge_to_port(struct __sk_buff *skb, struct packet *p)
{
	bool v6 = skb->protocol == htons(ETH_P_IPV6);
	int r = ingress_judge(skb, p, ETH_HLEN, v6 ? IPPROTO_IPIP6 : IPPROTO_IPIP);

	if (r)
		return r;
	return v6 ? ingress_deliver_ipv6(skb, p) : edge_to_node(skb, p);
}
