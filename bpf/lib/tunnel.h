/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The path of a packet that came by vxlan or geneve: the peer is known by the tunnel's remote
 * address, the destination's network by the VNI.  vxlan says no other, which is taken to be that of
 * both ends; geneve has the source's in its option.
 */
#pragma once

#include "bpf/lib/ingress.h"

/* Takes the addresses from the packet inside: 0 with '*ret_size', of IP, or a reason. */
static __always_inline int tunnel_parse(struct __sk_buff *skb, struct packet *p, __u32 *ret_size)
{
	const struct ipv6hdr *ip6;
	const struct iphdr *ip;
	int r;

	packet_pull(skb, ETH_HLEN + 60);
	if (skb->protocol == htons(ETH_P_IP)) {
		ip = ipv4_get(skb);
		if (!ip)
			return -DROP_MALFORMED;
		r = route_check_header(skb, ip);
		if (r)
			return r;
		map_v4(p->src, ip->saddr);
		map_v4(p->dst, ip->daddr);
		*ret_size = ntohs(ip->tot_len);
		return 0;
	}
	ip6 = ipv6_get(skb);
	if (skb->protocol != htons(ETH_P_IPV6) || !ip6 || ip6->version != 6)
		return -DROP_PROTOCOL;
	memcpy(p->src, &ip6->saddr, 16);
	memcpy(p->dst, &ip6->daddr, 16);
	*ret_size = ntohs(ip6->payload_len) + (__u32)sizeof(*ip6);
	return 0;
}

static __always_inline int tunnel_deliver_ipv4(struct __sk_buff *skb, const struct packet *p)
{
	const struct dp_port_copy *port = port_get(p->slot);
	__u8 macs[12];
	__be32 saddr;

	if (!port)
		return -DROP_NOT_LOCAL;
	memcpy(&saddr, p->src + 12, 4);
	ingress_frame(p, port, saddr, macs);
	if (bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0))
		return -DROP_REWRITE;
	return deliver(skb, port, p->slot, p->in.format);
}

/* What vxlan says: a network, or a handle, which implies the network of both. */
static __always_inline int tunnel_networks(struct packet *p)
{
	const struct dp_handle_value *h;

	if (p->in.format != FORMAT_VXLAN_1)
		return ingress_networks(p, p->in.src_vni, p->vni);
	if (p->vni < SUBSTRATE_VNI_HANDLE_MIN)
		return ingress_networks(p, p->vni, p->vni);
	h = handle_get(p->vni);
	return h ? ingress_networks(p, h->vni, p->vni) : -DROP_HANDLE;
}

/* Where the source lives, or, for what a node forwards, who may forward into this network. */
static __always_inline const struct dp_mapping_value *tunnel_source(const struct packet *p)
{
	return p->from_vni >= SUBSTRATE_VNI_HANDLE_MIN
		       ? mapping_v4_get(p->from_vni, ingress_source_key(p, 0))
		       : ingress_mapping(p->from_vni, p->src);
}

/* 'p' has format and VNI; the peer is known. */
__judged_once int tunnel_packet(struct __sk_buff *skb, struct packet *p, __u32 peer_id)
{
	const struct dp_peer_copy *peer = peer_get(peer_id);
	__u32 size = 0;
	bool to_edge;
	int r;

	if (!p || !peer_id || !peer)
		return -DROP_UNKNOWN_PEER;
	r = tunnel_networks(p);
	if (!r)
		r = tunnel_parse(skb, p, &size);
	if (!r)
		r = ingress_check_format(p, peer_id, &peer);
	if (!r)
		r = ingress_destination(p);
	to_edge = r == VERDICT_EDGE;
	if (to_edge || r == VERDICT_GONE)
		r = 0;
	if (!r)
		r = ingress_verify(skb, p, tunnel_source(p), peer_id, DP_NOTE_TUNNEL);
	if (!r && !to_edge)
		r = ingress_judge(skb, p, ETH_HLEN,
				  skb->protocol == htons(ETH_P_IP) ? IPPROTO_IPIP : IPPROTO_IPIP6);
	if (!r && !to_edge && p->spread)
		ingress_spread(skb, p, ETH_HLEN,
			       skb->protocol == htons(ETH_P_IP) ? IPPROTO_IPIP : IPPROTO_IPIP6);
	if (!r)
		r = packet_trim(skb, size);
	if (r)
		return r;
	if (to_edge)
		return VERDICT_EDGE;
	return skb->protocol == htons(ETH_P_IP) ? tunnel_deliver_ipv4(skb, p)
						: ingress_deliver_ipv6(skb, p);
}
