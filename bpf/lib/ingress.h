/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The full path of a packet from the substrate: who sent it, in which format, for which network and
 * node, and does its source live there.  Its result is a flow, carried out and cached.
 */
#pragma once

#include "bpf/lib/flow.h"
#include "bpf/lib/forward.h"
#include "bpf/lib/icmp6.h"
#include "bpf/lib/ingress_address.h"
#include "bpf/lib/ipv6.h"
#include "bpf/lib/route.h"
#include "bpf/lib/spread.h"

/* The format by the next header: 0 or a reason. */
static __always_inline int ingress_format(struct ingress *in, __u8 next)
{
	in->next = next;
	if (next == IPPROTO_IPIP || next == IPPROTO_IPIP6)
		in->format = FORMAT_IPIP6_1;
	else if (substrate_can_rehead(next))
		in->format = in->layout;
	else
		return -DROP_SUBSTRATE_PROTOCOL;
	return 0;
}

/* Whether that was chosen for the two nodes, whose addresses are in 'p': 0 with the record that
 * says so, or a reason. */
static __always_inline int ingress_check_format(struct packet *p, __u32 peer_id,
						const struct dp_peer_copy **peer)
{
	*peer = variant_from(p, peer_id);
	return *peer ? seal_check((*peer)->accept, p->seal, p->in.format) : -DROP_UNKNOWN_PEER;
}

/* The mapping of an address of either family. */
static __always_inline const struct dp_mapping_value *ingress_mapping(__u32 vni,
								      const __u8 addr[16])
{
	const __u32 *w = (const __u32 *)addr;

	if (!w[0] && !w[1] && w[2] == htonl(0xffff))
		return mapping_v4_get(vni, w[3]);
	return mapping_v6_get(vni, addr);
}

/* The node here: its slot in 'p'; VERDICT_EDGE for a gateway; VERDICT_GONE for one that was here,
 * whose sender is yet to be verified; or a reason. */
static __always_inline int ingress_destination(struct packet *p)
{
	const struct dp_port_copy *port;
	const struct dp_handle_value *h;

	if (p->to_handle) {
		h = handle_get(p->to_vni);
		if (!h)
			return -DROP_HANDLE;
		if (h->kind != DP_HANDLE_PORT)
			return config.uplink_ifindex ? VERDICT_EDGE : -DROP_HANDLE;
		p->slot = h->row;
	} else {
		p->slot = local_slot(p->vni, p->dst);
	}
	if (p->slot) {
		port = port_get(p->slot);
		p->port_id = port ? port->id : 0;
		if (!port)
			return -DROP_NOT_LOCAL;
		return port->flags & DP_PORT_DISABLED ? -DROP_DISABLED : 0;
	}
	if (p->to_handle)
		return -DROP_HANDLE;
	p->gone = departed_get(p->vni, p->dst);
	return p->gone ? VERDICT_GONE : -DROP_NOT_LOCAL;
}

/* From an edge: an address that no subnet of the network has needs no mapping; neither for a node,
 * nor for the handle of a port that a gateway's table leads to first. */
static __always_inline bool ingress_is_outside(const struct packet *p, __u32 peer_id)
{
	const struct dp_peer_copy *peer = peer_get(peer_id);

	return peer && peer->flags & DP_PEER_EDGE && p->from_vni == p->vni &&
	       (!p->to_handle || p->slot) && !subnet_get(p->vni, p->src);
}

/* From who lives there, for an address that does not live here any more: its host has not heard,
 * and is to be told. */
static __always_inline int ingress_stale(struct packet *p, __u32 peer, __u32 flags)
{
	upcall(p, DP_NOTE_STALE, peer, flags);
	return -DROP_LOCAL_GONE;
}

/* Does the source live at this peer (MAP-4)?  0, an upcall, or a reason. Of what is for an address
 * that has gone, nobody is asked for the source: there is no node any more in whose name. */
static __always_inline int ingress_verify(struct __sk_buff *skb, struct packet *p,
					  const struct dp_mapping_value *m, __u32 peer, __u32 flags)
{
	if (!m) {
		if (ingress_is_outside(p, peer))
			return p->gone ? ingress_stale(p, peer, flags) : 0;
		return p->gone ? -DROP_LOCAL_GONE : upcall(p, DP_NOTE_VERIFY, peer, flags);
	}
	p->revision = m->revision;
	p->identity = p->from_vni < SUBSTRATE_VNI_HANDLE_MIN ? m->identity : 0;
	if (m->state == DP_STATE_REFUSED || m->state == DP_STATE_GONE)
		return -DROP_SOURCE_REFUSED;
	if (!spread_is_at(m, p->from_vni, p->src, peer))
		return -DROP_SPOOF;
	if (p->gone)
		return ingress_stale(p, peer, flags);
	p->spread = m->peer == DP_PEER_SPREAD;
	p->spread_peer = peer;
	if (m->state == DP_STATE_HELD && !p->injected)
		return upcall(p, DP_NOTE_VERIFY, peer, flags);
	return 0;
}

/* The IPv4 packet that was inside is what the outer header says. */
static __always_inline int ingress_check_inner(const struct __sk_buff *skb, __be32 saddr,
					       __be32 daddr, __u16 size)
{
	const struct iphdr *ip = ipv4_get(skb);

	if (!ip || ip->version != 4 || ip->ihl < 5 || ntohs(ip->tot_len) != size ||
	    size < (__u32)ip->ihl * 4 || ip->saddr != saddr || ip->daddr != daddr)
		return -DROP_INNER;
	return 0;
}

/* Restores the packet and gives it to the node.  'exact': it was looked at that the packet has no
 * padding. */
static __always_inline int ingress_deliver(struct __sk_buff *skb, struct ipv6hdr *ip6,
					   const struct dp_flow_in *flow, bool layout_1, bool exact)
{
	__u8 next = ip6->nexthdr;
	struct dp_traffic *c = counter_get(flow->stamp.slot, next == IPPROTO_IPIP ? FORMAT_IPIP6_1
							     : layout_1           ? FORMAT_SIIT_1
										  : FORMAT_SIIT_2);
	__u16 size = ntohs(ip6->payload_len);
	__u8 *eth;
	int r;

	if (next == IPPROTO_IPIP) {
		r = ipip6_decode(skb, true);
		if (!r)
			r = ingress_check_inner(skb, siit_v4(flow->src), siit_v4(flow->dst), size);
	} else {
		r = siit_decode(skb, ip6, flow, layout_1);
		size = (__u16)(size + sizeof(struct iphdr));
	}
	if (!r && !exact)
		r = packet_trim(skb, size);
	if (r)
		return r;
	eth = packet_data(skb);
	if (eth + ETH_HLEN > (__u8 *)packet_end(skb))
		return -DROP_REWRITE;
	copy_12(eth, flow->to);
	*(__be16 *)(eth + 12) = htons(ETH_P_IP);
	if (!flow->to_ifindex)
		return VERDICT_EDGE;
	return deliver_by(skb, c, flow->to_ifindex, flow->to_flags);
}

/* The frame's MACs as the node is to see them. */
static __always_inline void ingress_frame(const struct packet *p, const struct dp_port_copy *port,
					  __be32 saddr, __u8 ret[12])
{
	route_frame(ret, port->mac, p->vni, saddr, subnet_get(p->from_vni, p->src),
		    subnet_get(p->vni, p->dst));
}

/* The ACL at the subnet of the port that gets the packet. */
static __always_inline __u32 ingress_acl(const struct packet *p, const struct dp_port_copy *port)
{
	const struct dp_subnet_value *mine = subnet_get(p->vni, p->to_handle ? port->home : p->dst);

	return mine && mine->acl ? policy_acl(mine, subnet_get(p->from_vni, p->src)) : 0;
}

/* Security groups and ACL of the port: 0, or a reason.  'at' is where the inner packet is; IPv4
 * that was re-headed has no header there but its protocol 'next'. */
__judged_once int ingress_judge(struct __sk_buff *skb, struct packet *p, __u32 at, __u32 next)
{
	const struct dp_port_copy *port = p ? port_get(p->slot) : NULL;
	__u32 acl;
	int r;

	if (!port || !p)
		return -DROP_NOT_LOCAL;
	acl = ingress_acl(p, port);
	if (!policy_is_needed(port, acl))
		return 0;
	if (next == IPPROTO_IPIP)
		r = tuple_read_v4(skb, p, at);
	else if (next == IPPROTO_IPIP6)
		r = tuple_read_v6(skb, p, at);
	else
		r = tuple_read(skb, p, at, next);
	return r ? r : policy_judge(skb, p, p->slot << 1, p->identity, acl);
}

/* A packet that is allowed has come from one of the hosts of its source: its connection is
 * there. */
static __noinline void ingress_spread(struct __sk_buff *skb, struct packet *p, __u32 at, __u32 next)
{
	int r;

	if (next == IPPROTO_IPIP)
		r = tuple_read_v4(skb, p, at);
	else if (next == IPPROTO_IPIP6)
		r = tuple_read_v6(skb, p, at);
	else
		r = tuple_read(skb, p, at, next);
	if (!r)
		spread_in(p, p->slot, p->spread_peer);
}

/* What a flow from a peer is known by: its mapping's bucket, which is looked up afterwards, and
 * formats. */
static __always_inline void ingress_flow(struct dp_flow_in *flow, __u32 bucket, __u32 peer_id,
					 const struct dp_peer_copy *peer)
{
	flow->stamp.bucket = (__u16)bucket;
	flow->stamp.mapping_generation = generation_get(flow->stamp.bucket);
	flow->accept = (__u8)(peer->accept & config.formats);
	flow->accept_all = peer->accept;
	flow->peer = peer_id;
}

/* Where it goes. */
static __always_inline void ingress_flow_to(struct dp_flow_in *flow, __u32 slot,
					    const struct dp_port_copy *port)
{
	flow->stamp.slot = (__u16)slot;
	flow->to_ifindex = port->ifindex;
	flow->to_flags = (__u8)port->flags;
}

/* IPv4, re-headed or whole, from a known peer and checked so far: VERDICT_ROUTED, or what becomes
 * of it. */
static __always_inline int ingress_ipv4(struct __sk_buff *skb, struct packet *p, struct ingress *in,
					__u32 peer_id, const struct dp_peer_copy *peer)
{
	struct dp_flow_in *flow = &p->flow.in;
	const struct dp_port_copy *port;
	const struct dp_mapping_value *m;
	__be32 v4[2] = {in->saddr, in->daddr}, source = ingress_source_key(p, in->saddr);
	int r;

	map_v4(p->src, in->saddr);
	map_v4(p->dst, in->daddr);
	flow->stamp.epoch = host_epoch();
	r = ingress_check_format(p, peer_id, &peer);
	if (r)
		return r;
	ingress_flow(flow, dp_bucket_v4(p->from_vni, source), peer_id, peer);
	r = ingress_destination(p);
	if (r && r != VERDICT_EDGE && r != VERDICT_GONE)
		return r;
	port = r ? NULL : port_get(p->slot);
	if (!r && !port)
		return -DROP_NOT_LOCAL;
	if (port) { /* else it stays zero: for a gateway */
		ingress_flow_to(flow, p->slot, port);
		ingress_frame(p, port, in->saddr, flow->to);
	}
	m = mapping_v4_get(p->from_vni, source);
	r = ingress_verify(skb, p, m, peer_id, 0);
	if (r)
		return r;
	memcpy(flow->src, in->src, 32);
	if (in->layout == FORMAT_SIIT_1)
		flow->checksum_diff =
			(__u32)bpf_csum_diff((__be32 *)flow->src, 32, v4, sizeof(v4), 0);
	return VERDICT_ROUTED;
}

/* As ingress_flow_to(), of an IPv6 packet for the port of 'p->slot', with the frame's MACs as its
 * node is to see them: 0 or a reason. */
static __always_inline int ingress_flow_to_v6(const struct packet *p, struct dp_flow_in *flow)
{
	const struct dp_port_copy *port = port_get(p->slot);
	const struct dp_subnet_value *link;

	if (!port)
		return -DROP_NOT_LOCAL;
	ingress_flow_to(flow, p->slot, port);
	memcpy(flow->to, port->mac, 6);
	substrate_dummy_mac_v6(flow->to + 6, p->vni, p->src);
	if (!ipv6_same_link(p->src, p->dst) && !ipv6_is_link_local(p->dst)) {
		link = subnet_get(p->vni, p->dst);
		if (link)
			memcpy(flow->to + 6, link->router_mac, 6);
	}
	return 0;
}

/* Gives an IPv6 packet that came in 'format', whole again, to its node. */
static __always_inline int ingress_give_v6(struct __sk_buff *skb, const struct dp_flow_in *flow,
					   __u32 format)
{
	__u8 *eth = packet_data(skb);

	if (eth + ETH_HLEN > (__u8 *)packet_end(skb))
		return -DROP_REWRITE;
	copy_12(eth, flow->to);
	*(__be16 *)(eth + 12) = htons(ETH_P_IPV6);
	return deliver_by(skb, counter_get(flow->stamp.slot, format), flow->to_ifindex,
			  flow->to_flags);
}

/* The same for one that came in no flow. */
static __always_inline int ingress_deliver_ipv6(struct __sk_buff *skb, struct packet *p)
{
	int r = ingress_flow_to_v6(p, &p->flow.in);

	return r ? r : ingress_give_v6(skb, &p->flow.in, p->in.format);
}

/* The bucket of the mapping that ingress_source() finds. */
static __always_inline __u32 ingress_source_bucket(const struct packet *p)
{
	return p->from_vni >= SUBSTRATE_VNI_HANDLE_MIN
		       ? dp_bucket_v4(p->from_vni, ingress_source_key(p, 0))
		       : dp_bucket_v6(p->from_vni, p->src);
}

/* Where the source of an IPv6 packet lives, or, for what a node forwards, who may forward into this
 * network (ingress_source_key()). */
static __always_inline const struct dp_mapping_value *ingress_source(const struct packet *p)
{
	return p->from_vni >= SUBSTRATE_VNI_HANDLE_MIN
		       ? mapping_v4_get(p->from_vni, ingress_source_key(p, 0))
		       : mapping_v6_get(p->from_vni, p->src);
}

/* IPv6 inside ipip6: the outer addresses say the network, the inner ones who.  As above. */
static __always_inline int ingress_ipv6(struct __sk_buff *skb, struct packet *p,
					const struct ingress *in, __u32 peer_id,
					const struct dp_peer_copy *peer)
{
	struct dp_flow_in *flow = &p->flow.in;
	struct ipv6hdr inner;
	int r;

	if (in->saddr || in->daddr ||
	    bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(inner), &inner, sizeof(inner)) ||
	    inner.version != 6)
		return -DROP_INNER;
	memcpy(p->src, &inner.saddr, 16);
	memcpy(p->dst, &inner.daddr, 16);
	p->size = ntohs(inner.payload_len) + (__u32)sizeof(inner);
	flow->stamp.epoch = host_epoch();
	r = ingress_check_format(p, peer_id, &peer);
	if (r)
		return r;
	ingress_flow(flow, ingress_source_bucket(p), peer_id, peer);
	memcpy(flow->src, in->src, 32);
	r = ingress_destination(p);
	if (!r || r == VERDICT_EDGE || r == VERDICT_GONE)
		r = ingress_verify(skb, p, ingress_source(p), peer_id, 0);
	return r ? r : VERDICT_ROUTED;
}

/* Looks at a packet whose destination is in a locator of ours: VERDICT_ROUTED, or what becomes of
 * it. */
static __noinline int ingress_decide(struct __sk_buff *skb, struct packet *p)
{
	struct ingress *in = &p->in;
	const struct dp_peer_copy *peer;
	const struct ipv6hdr *ip6;
	__u32 peer_id;
	int r;

	packet_pull(skb, ETH_HLEN + sizeof(*ip6) + 60);
	ip6 = ipv6_get(skb);
	if (!ip6 || ip6->version != 6 ||
	    skb->len < ETH_HLEN + sizeof(*ip6) + ntohs(ip6->payload_len))
		return -DROP_MALFORMED;
	memcpy(in->src, &ip6->saddr, 16);
	memcpy(in->dst, &ip6->daddr, 16);
	memcpy(p->src, in->src, 16);
	memcpy(p->dst, in->dst, 16);
	in->layout = ingress_layout(in->dst);
	if (in->layout == FORMAT_NONE)
		return -DROP_NOTE; /* the entry has looked, unless it is a re-injected packet */
	if (ip6->nexthdr == IPPROTO_ICMPV6)
		return icmp6_any(skb, p, p->dst);
	peer_id = ingress_peer(in->layout, in->src);
	peer = peer_get(peer_id);
	if (!peer_id || !peer)
		return -DROP_UNKNOWN_PEER;
	if (p->seal && p->seal_peer != peer_id)
		return -DROP_STATEMENT;
	r = ingress_check_addresses(in);
	if (!r)
		r = ingress_networks(p, in->src_vni, in->vni);
	if (!r)
		r = ingress_format(in, ip6->nexthdr);
	if (r)
		return r;
	if (ip6->nexthdr == IPPROTO_IPIP6)
		return ingress_ipv6(skb, p, in, peer_id, peer);
	return ingress_ipv4(skb, p, in, peer_id, peer);
}

/* For a gateway: the frame says what it is again. */
static __always_inline int ingress_to_edge_ipv6(struct __sk_buff *skb)
{
	__be16 ethertype = htons(ETH_P_IPV6);

	return bpf_skb_store_bytes(skb, 12, &ethertype, 2, 0) ? -DROP_REWRITE : VERDICT_EDGE;
}

/* Whether the decision may be kept.  Where new connections of a spread source are is noted on this
 * path: it is left by connections that are tracked alone. */
static __always_inline bool ingress_may_keep(const struct packet *p)
{
	return !p->injected && (!p->spread || p->flow.in.judge & DP_JUDGE_INGRESS);
}

/* Keeps what is decided and allowed, restores the IPv6 packet and gives it to the node. */
static __noinline int ingress_carry_v6(struct __sk_buff *skb, struct packet *p)
{
	struct dp_flow_in *flow = &p->flow.in;
	int r = p->slot ? ingress_flow_to_v6(p, flow) : 0;

	if (r)
		return r;
	policy_keep_in(p, flow);
	if (p->slot && ingress_may_keep(p))
		flow_in_v6_keep(flow, p->src, p->dst);
	r = ipip6_decode(skb, false);
	if (!r)
		r = packet_trim(skb, p->size);
	if (r)
		return r;
	return p->slot ? ingress_give_v6(skb, flow, FORMAT_IPIP6_1) : ingress_to_edge_ipv6(skb);
}

/* The same for IPv4. */
static __noinline int ingress_carry(struct __sk_buff *skb, struct packet *p)
{
	struct dp_flow_in *flow = &p->flow.in;
	struct ipv6hdr *ip6;

	policy_keep_in(p, flow);
	ip6 = ipv6_get(skb);
	if (!ip6)
		return -DROP_MALFORMED;
	if (ingress_may_keep(p))
		flow_in_keep(flow);
	return ingress_deliver(skb, ip6, flow, p->in.layout == FORMAT_SIIT_1, false);
}

/* A packet whose destination is in a locator of ours, in steps as route_ipv4().  One for a gateway
 * is not judged: no node gets it. */
__judged_once int ingress_packet(struct __sk_buff *skb, struct packet *p)
{
	int r = p ? ingress_decide(skb, p) : -DROP_MALFORMED;

	if (r != VERDICT_ROUTED)
		return r;
	r = p->slot ? ingress_judge(skb, p, ETH_HLEN + sizeof(struct ipv6hdr), p->in.next) : 0;
	if (!r && p->spread && p->slot)
		ingress_spread(skb, p, ETH_HLEN + sizeof(struct ipv6hdr), p->in.next);
	if (r)
		return r;
	return p->in.next == IPPROTO_IPIP6 ? ingress_carry_v6(skb, p) : ingress_carry(skb, p);
}
