/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The path of an IPv6 packet from a node: source check, link or router, mapping; whole in ipip6 or
 * a tunnel of the kernel's.
 */
#pragma once

#include "bpf/lib/forward_v6.h"
#include "bpf/lib/nd.h"
#include "bpf/lib/policy.h"
#include "bpf/lib/route.h"
#include "bpf/lib/router6.h"

/* The network's prefix fe80::/64, whose router all its links share; NULL: it has no IPv6. */
static __always_inline const struct dp_subnet_value *route6_link(const struct packet *p)
{
	/* in words: the compiler would keep bytes in a table of their own */
	__u64 link_local[2];

	link_local[0] = bpf_cpu_to_be64(0xfe80ULL << 48);
	link_local[1] = 0;
	return subnet_get(p->vni, (const __u8 *)link_local);
}

/* Neighbour discovery and its kin: 0 for other packets. */
static __always_inline int route6_icmp(struct __sk_buff *skb, struct packet *p, __u8 next, __u16 at)
{
	__u8 type;

	if (next != IPPROTO_ICMPV6 || !at)
		return 0;
	if (bpf_skb_load_bytes(skb, at, &type, 1))
		return -DROP_MALFORMED;
	switch (type) {
	case ND_SOLICITATION:
		/* RFC 4861 7.1.1; behind extension headers nobody needs it */
		return at == ETH_HLEN + sizeof(struct ipv6hdr) ? nd_solicitation(skb, p)
							       : -DROP_ND_IGNORED;
	case ND_ADVERTISEMENT:
		return -DROP_ND_IGNORED;
	case ND_ROUTER_ADVERTISEMENT:
	case ND_REDIRECT:
		return -DROP_ROUTER_GUARD;
	case ND_ROUTER_SOLICITATION:
		if (!route6_link(p))
			return -DROP_ND_IGNORED;
		if (!ipv6_is_zero(p->src) && local_slot(p->vni, p->src) != p->slot)
			return -DROP_SOURCE_ADDR;
		return upcall(p, DP_NOTE_CONFIGURE6, p->port_id, 0);
	default:
		return 0;
	}
}

/* DHCPv6 is served, the rest is not carried. */
static __always_inline int route6_multicast(struct __sk_buff *skb, struct packet *p, __u8 next,
					    __u16 at)
{
	if (!router6_is_dhcp(p->dst) || router6_udp_port(skb, next, at) != PORT_DHCP6_SERVER)
		return -DROP_MULTICAST;
	if (local_slot(p->vni, p->src) != p->slot)
		return -DROP_SOURCE_ADDR;
	return route6_link(p) ? upcall(p, DP_NOTE_CONFIGURE6, p->port_id, 0) : -DROP_MULTICAST;
}

/* Straight to a neighbour, or to the router?  0 with 'p->routed', or a reason.  Unknown MACs as
 * route_check_mac() has it; that of a group is none. */
static __always_inline int route6_check_mac(const struct __sk_buff *skb, struct packet *p,
					    const struct dp_port_copy *port,
					    const struct dp_subnet_value *mine,
					    const struct dp_subnet_value *its)
{
	bool near = ipv6_same_link(p->src, p->dst) || ipv6_is_link_local(p->dst);
	bool to_router = its && equal_16(its->router, p->dst);
	const __u8 *eth = packet_data(skb);
	__u8 dummy[8];

	if (eth + ETH_HLEN > (const __u8 *)packet_end(skb))
		return -DROP_MALFORMED;
	if (mine && equal_6(eth, mine->router_mac)) {
		p->routed = true;
		return 0;
	}
	substrate_dummy_mac_v6(dummy, p->vni, p->dst);
	if (near && !to_router && equal_6(eth, dummy))
		return 0;
	if (!(port->flags & DP_PORT_RESOLVES) || eth[0] & 1 || (!near && !mine))
		return -DROP_DEST_MAC;
	p->routed = !near || to_router;
	return 0;
}

static __always_inline int route6_to_port(struct packet *p, __u32 slot)
{
	const struct dp_port_copy *to = port_get(slot);

	p->identity = to ? to->identity : 0;
	p->flow.out.to_slot = (__u16)slot;
	p->keep = true;
	return VERDICT_ROUTED;
}

/* What the mapping of the destination is known by, before it is looked up. */
static __always_inline void route6_stamp(struct packet *p)
{
	struct dp_stamp *s = &p->flow.out.stamp;

	s->bucket = (__u16)dp_bucket_v6(p->to_vni, p->dst);
	s->mapping_generation = generation_get(s->bucket);
}

/* The destination's place: VERDICT_ROUTED, and in 'p->flow.out' a port here or a peer; or what
 * becomes of the packet; 'p->spread' when the host has yet to be chosen. */
static __always_inline int route6_locate(struct packet *p)
{
	const struct dp_local_value *local = local_get(p->to_vni, p->dst);
	__u8 flags = p->routed ? DP_NOTE_ROUTED : 0;
	const struct dp_mapping_value *m;

	if (local && !(local->flags & DP_LOCAL_SHARED))
		return route6_to_port(p, local->slot);
	if (p->to_vni != p->vni)
		flags |= DP_NOTE_OTHER;
	m = mapping_v6_get(p->to_vni, p->dst);
	if (!m || (m->state == DP_STATE_HELD && !p->injected))
		return upcall(p, DP_NOTE_RESOLVE, p->port_id, flags);
	p->revision = m->revision;
	/* Whatever is not known of the other hosts, this one has it. */
	if (local && (m->state == DP_STATE_REFUSED || m->state == DP_STATE_GONE || !m->peer))
		return route6_to_port(p, local->slot);
	if (m->state == DP_STATE_REFUSED)
		return -DROP_REFUSED;
	if (m->state == DP_STATE_GONE || !m->peer)
		return -DROP_GONE;
	p->identity = m->identity;
	p->flow.out.peer = m->peer;
	p->spread = m->peer == DP_PEER_SPREAD;
	p->keep = m->state == DP_STATE_LIVE && !p->spread;
	return VERDICT_ROUTED;
}

/* Chooses among the hosts of the destination, as route_spread(). */
static __noinline int route6_spread(struct __sk_buff *skb, struct packet *p)
{
	__u32 slot = local_slot(p->to_vni, p->dst);
	int r = tuple_read_v6(skb, p, ETH_HLEN);

	if (!r)
		r = spread_out(skb, p, slot);
	if (r < 0)
		return r;
	p->flow.out.peer = (__u32)r;
	if (!r)
		route6_to_port(p, slot);
	p->keep = false;
	return VERDICT_ROUTED;
}

/* As above for a way to a handle; VERDICT_EDGE for a gateway of this host. */
static __always_inline int route6_to_handle(struct packet *p)
{
	const struct dp_handle_value *h;

	p->keep = true;
	if (p->to_peer) {
		p->flow.out.peer = p->to_peer;
		return VERDICT_ROUTED;
	}
	h = handle_get(p->to_vni);
	if (!h || h->vni != p->vni)
		return -DROP_HANDLE;
	if (h->kind != DP_HANDLE_PORT)
		return config.uplink_ifindex ? VERDICT_EDGE : -DROP_HANDLE;
	p->flow.out.to_slot = (__u16)h->row;
	return VERDICT_ROUTED;
}

/* Fills in how to reach the port here that the packet is for, with the frame's MACs as its node is
 * to see them: 0 or a reason. */
static __always_inline int route6_reach_port(const struct packet *p, struct dp_flow_out *flow)
{
	const struct dp_port_copy *to = port_get(flow->to_slot);

	if (!to)
		return -DROP_NOT_LOCAL;
	if (to->flags & DP_PORT_DISABLED)
		return -DROP_DISABLED;
	flow->to_ifindex = to->ifindex;
	flow->to_flags = (__u8)to->flags;
	memcpy(flow->to, to->mac, 6);
	if (p->routed)
		memcpy(flow->to + 6, p->router_mac, 6);
	else
		substrate_dummy_mac_v6(flow->to + 6, p->vni, p->src);
	return 0;
}

/* The same for a peer. */
static __always_inline int route6_reach_peer(struct packet *p, struct dp_flow_out *flow)
{
	const struct dp_peer_copy *peer = variant_towards(p, flow->peer, p->to_vni, &flow->peer);
	int r = peer ? route_to_peer(peer, p->from_vni, p->to_vni, 0, 0, flow) : -DROP_NO_PEER;

	if (!r && !encap_is_tunnel(flow->format))
		flow->format = FORMAT_IPIP6_1;
	if (!r)
		p->sent_format = flow->format;
	return r;
}

/* Fills in the rest of what is decided and allowed, and keeps it: 0 or a reason. */
static __noinline int route6_reach(struct __sk_buff *skb, struct packet *p)
{
	struct dp_flow_out *flow = &p->flow.out;
	const struct ipv6hdr *ip = ipv6_get(skb);
	int r;

	policy_keep_out(p, flow);
	r = flow->to_slot ? route6_reach_port(p, flow) : route6_reach_peer(p, flow);
	if (r || !ip)
		return r ? r : -DROP_MALFORMED;
	flow->ttl_step = p->routed;
	if (!p->keep || p->injected || p->untagged)
		return 0;
	memcpy(flow->from, ethernet_of(ip), 12);
	flow->key.ifindex = skb->ifindex;
	flow_out_v6_keep(flow, p->src, p->dst);
	return 0;
}

/* Carries it out. */
static __noinline int route6_carry(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_flow_out *flow = &p->flow.out;
	const struct dp_peer_copy *peer;
	struct ipv6hdr *ip = ipv6_get(skb);

	if (!ip)
		return -DROP_MALFORMED;
	if (flow->to_slot)
		return forward_local_v6(skb, ip, flow);
	if (!encap_is_tunnel(flow->format))
		return forward_whole_v6(skb, ip, flow, &p->mtu);
	peer = peer_get(flow->peer);
	return peer ? forward_tunnel_v6(skb, ip, flow, peer, &p->mtu) : -DROP_NO_PEER;
}

static __always_inline int route6_unicast(struct __sk_buff *skb, struct packet *p, __u8 next,
					  __u16 at)
{
	const struct dp_port_copy *port = port_get(p->slot);
	const struct dp_subnet_value *mine, *its;
	struct ipv6hdr *ip;
	int r;

	if (!port)
		return -DROP_NO_PORT;
	p->flow.out.stamp.slot = (__u16)p->slot;
	p->flow.out.stamp.epoch = host_epoch();
	r = route_check_source(p, port);
	if (r)
		return r;
	mine = subnet_get(p->vni, p->strange ? p->home : p->src);
	its = subnet_get(p->vni, p->dst);
	if (mine)
		memcpy(p->router_mac, mine->router_mac, 6);
	p->from_node = mine;
	if (!p->injected) {
		r = route6_check_mac(skb, p, port, mine, its);
		if (r)
			return r;
	}
	if (its && equal_16(its->router, p->dst))
		return p->routed ? router6_receive(skb, p, next, at) : -DROP_DEST_MAC;
	if (!p->routed) {
		/* what is another's the neighbour's ACL judges wherever it is */
		p->to_acl = p->strange ? policy_acl(its, NULL) : 0;
		route6_stamp(p);
		return route6_locate(p);
	}
	/* a link-local address means nothing elsewhere (RFC 4291 2.5.6) */
	if (ipv6_is_link_local(p->src) || ipv6_is_link_local(p->dst))
		return -DROP_NO_ROUTE;
	r = way_choose(p, mine ? mine->table : 0, &its);
	if (r)
		return r;
	ip = ipv6_get(skb);
	if (!ip || ip->hop_limit <= 1)
		return ip ? -DROP_TTL : -DROP_MALFORMED;
	/* inside a link there are no ACLs, whatever kinds of addresses are used there */
	p->acl = policy_acl(mine, its);
	route6_stamp(p);
	if (p->to_handle) {
		r = route6_to_handle(p);
		p->to_acl = route_acl_at(p, &p->flow.out, mine, its);
		return r;
	}
	p->to_acl = policy_acl(its ? its : subnet_get(p->to_vni, p->dst), mine);
	return route6_locate(p);
}

static __noinline int route6_decide(struct __sk_buff *skb, struct packet *p)
{
	struct ipv6hdr *ip;
	__u8 next = 0;
	__u16 at = 0;
	int r;

	packet_pull(skb, ETH_HLEN + sizeof(*ip) + sizeof(struct tcphdr));
	ip = ipv6_get(skb);
	if (!ip || ip->version != 6)
		return -DROP_MALFORMED;
	memcpy(p->src, &ip->saddr, 16);
	memcpy(p->dst, &ip->daddr, 16);
	r = packet_trim(skb, ntohs(ip->payload_len) + (__u32)sizeof(*ip));
	if (!r)
		r = ipv6_upper(skb, &next, &at);
	if (!r)
		r = route6_icmp(skb, p, next, at);
	if (r)
		return r;
	if (p->dst[0] == 0xff)
		return route6_multicast(skb, p, next, at);
	return route6_unicast(skb, p, next, at);
}

/* An IPv6 packet from a node, in steps as route_ipv4(). */
static __noinline int route_ipv6(struct __sk_buff *skb, struct packet *p)
{
	__u32 slot = p->slot;
	int decided = route6_decide(skb, p), r;

	if (decided == VERDICT_ROUTED && p->spread)
		decided = route6_spread(skb, p);
	if (decided != VERDICT_ROUTED && decided != VERDICT_EDGE)
		return decided;
	r = policy_out(skb, p, p->flow.out.to_slot, p->acl, p->to_acl);
	r = watch_out(skb, p, slot, r);
	if (r || decided == VERDICT_EDGE)
		return r ? r : VERDICT_EDGE;
	if (p->flow.out.to_slot)
		spread_to_port(skb, p);
	r = route6_reach(skb, p);
	return r ? r : route6_carry(skb, p);
}
