/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The path of an IPv6 packet from a node: inside its subnet only (link-local), whole in ipip6 or
 * vxlan.  It is rare, so it is not cached.
 */
#pragma once

#include "bpf/lib/forward.h"
#include "bpf/lib/nd.h"
#include "bpf/lib/route.h"

/* Neighbour discovery and its kin: 0 for other packets. */
static __always_inline int route6_icmp(struct __sk_buff *skb, struct packet *p, __u8 next)
{
	__u8 type;

	if (next != IPPROTO_ICMPV6)
		return 0;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(struct ipv6hdr), &type, 1))
		return -DROP_MALFORMED;
	if (type == ND_SOLICITATION)
		return nd_solicitation(skb, p);
	return type == ND_ADVERTISEMENT ? -DROP_ND_IGNORED : 0;
}

static __always_inline int route6_local(struct __sk_buff *skb, const struct packet *p, __u32 slot)
{
	const struct dp_port_copy *to = port_get(slot);
	__u8 macs[12];

	if (!to)
		return -DROP_NOT_LOCAL;
	memcpy(macs, to->mac, 6);
	substrate_dummy_mac_v6(macs + 6, p->vni, p->src);
	if (bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0))
		return -DROP_REWRITE;
	bpf_skb_change_type(skb, PACKET_HOST);
	return deliver(skb, to, slot);
}

static __always_inline int route6_remote(struct __sk_buff *skb, struct packet *p,
					 const struct dp_peer_copy *peer)
{
	struct dp_flow_out *flow = &p->flow.out;
	const struct ipv6hdr *ip = ipv6_get(skb);
	__u32 size, wire, overhead;
	__u8 tos;
	int r;

	if (!ip)
		return -DROP_MALFORMED;
	size = ntohs(ip->payload_len) + (__u32)sizeof(*ip);
	tos = (__u8)(ntohl(*(const __be32 *)ip) >> 20);
	wire = packet_wire_size(skb, size, sizeof(*ip), ip->nexthdr);
	if (!wire)
		return -DROP_MALFORMED;
	r = route_to_peer(peer, p->vni, p->vni, 0, 0, flow);
	if (r)
		return r;
	if (flow->format != FORMAT_VXLAN_1)
		flow->format = FORMAT_IPIP6_1;
	overhead = forward_overhead(peer, flow->format);
	if (wire + overhead > flow->path_mtu)
		return -DROP_TOO_BIG;
	if (flow->format == FORMAT_VXLAN_1)
		return vxlan_encode(skb, peer, p->vni, tos);
	r = ipip6_encode(skb, flow, (__u16)size, tos, IPPROTO_IPIP6, dp_bucket_v6(p->vni, p->dst));
	return r ? r : transmit(skb, peer->nexthop);
}

/* Where the destination lives. */
static __always_inline int route6_unicast(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_mapping_value *m;
	const struct dp_peer_copy *peer;
	__u8 dummy[8];
	__u32 slot;

	if (local_slot(p->vni, p->src) != p->slot)
		return -DROP_SOURCE_ADDR;
	if (!p->injected) {
		const __u8 *eth = packet_data(skb);

		substrate_dummy_mac_v6(dummy, p->vni, p->dst);
		if (eth + ETH_HLEN > (const __u8 *)packet_end(skb) || !equal_6(eth, dummy))
			return -DROP_DEST_MAC;
	}
	slot = local_slot(p->vni, p->dst);
	if (slot)
		return route6_local(skb, p, slot);
	m = mapping_v6_get(p->vni, p->dst);
	if (!m || (m->state == DP_STATE_HELD && !p->injected))
		return upcall(p, DP_NOTE_RESOLVE, p->port_id, 0);
	p->revision = m->revision;
	if (m->state == DP_STATE_REFUSED)
		return -DROP_REFUSED;
	if (m->state == DP_STATE_GONE || !m->peer)
		return -DROP_GONE;
	peer = peer_get(m->peer);
	return peer ? route6_remote(skb, p, peer) : -DROP_NO_PEER;
}

static __noinline int route_ipv6(struct __sk_buff *skb, struct packet *p)
{
	struct ipv6hdr *ip;
	__u32 size;
	__u8 next;
	int r;

	packet_pull(skb, ETH_HLEN + sizeof(*ip) + sizeof(struct tcphdr));
	ip = ipv6_get(skb);
	if (!ip || ip->version != 6)
		return -DROP_MALFORMED;
	memcpy(p->src, &ip->saddr, 16);
	memcpy(p->dst, &ip->daddr, 16);
	next = ip->nexthdr;
	size = ntohs(ip->payload_len) + (__u32)sizeof(*ip);
	r = packet_trim(skb, size);
	if (!r)
		r = route6_icmp(skb, p, next);
	if (r)
		return r;
	if (p->dst[0] == 0xff)
		return -DROP_MULTICAST;
	return route6_unicast(skb, p);
}
