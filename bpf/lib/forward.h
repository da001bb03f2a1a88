/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Carrying out what is decided: a flow says where the packet goes and how, this writes it and sends
 * it there.  Used by a hit in the flow cache and by the full path alike.
 */
#pragma once

#include "bpf/lib/encap.h"
#include "bpf/lib/ipip6.h"
#include "bpf/lib/reip4.h"
#include "bpf/lib/siit.h"
#include "bpf/lib/transmit.h"

static __always_inline __u32 forward_overhead(const struct dp_peer_copy *peer, __u8 format)
{
	__u32 tunnel = peer->flags & DP_PEER_VXLAN_V6 ? SUBSTRATE_OVERHEAD_VXLAN_V6
						      : SUBSTRATE_OVERHEAD_VXLAN_V4;

	if (format == FORMAT_VXLAN_1)
		return tunnel;
	if (format == FORMAT_GENEVE_1)
		return tunnel + GENEVE_OPTION_1_SIZE;
	if (format == FORMAT_GENEVE_2)
		return tunnel + GENEVE_OPTION_2_SIZE;
	if (format == FORMAT_REIP4_1)
		return 0;
	return format == FORMAT_IPIP6_1 ? SUBSTRATE_OVERHEAD_IPIP6 : SUBSTRATE_OVERHEAD_SIIT;
}

/* What a packet of the flow leaves this host in: its format, or the one that carries whole what
 * that would lose something of. */
static __always_inline __u8 forward_format(const struct __sk_buff *skb, const struct iphdr *ip,
					   const struct dp_flow_out *flow)
{
	switch (flow->format) {
	case FORMAT_SIIT_1:
	case FORMAT_SIIT_2:
		return likely(ipv4_can_rehead(ip)) ? flow->format : FORMAT_IPIP6_1;
	case FORMAT_REIP4_1:
		return likely(reip4_can_carry(skb, ip)) ? FORMAT_REIP4_1 : FORMAT_VXLAN_1;
	default:
		return flow->format;
	}
}

/* One hop less to live, the checksum updated (RFC 1624). */
static __always_inline void forward_age(struct iphdr *ip, __u8 step)
{
	if (step) {
		ip->ttl = (__u8)(ip->ttl - 1);
		ip->check = fold((__u64)ip->check + htons(0x0100));
	}
}

/* To a port of this host. */
static __always_inline int forward_local(struct __sk_buff *skb, struct iphdr *ip,
					 const struct dp_flow_out *flow)
{
	__u8 *eth = ethernet_of(ip);

	forward_age(ip, flow->ttl_step);
	copy_12(eth, flow->to);
	bpf_skb_change_type(skb, PACKET_HOST);
	return deliver_to(skb, flow->to_slot, flow->to_ifindex, flow->to_flags);
}

/* Whether one packet of the node's wire fits the path in this format; -DROP_TOO_BIG with
 * '*ret_mtu' when not. */
static __always_inline int forward_check_size(const struct __sk_buff *skb, const struct iphdr *ip,
					      const struct dp_flow_out *flow, __u32 overhead,
					      __u32 header, __u16 *ret_mtu)
{
	__u32 size = packet_wire_size(skb, ntohs(ip->tot_len), header, ip->protocol);

	if (unlikely(!size))
		return -DROP_MALFORMED;
	if (unlikely(size + overhead > flow->path_mtu)) {
		*ret_mtu = (__u16)(flow->path_mtu - overhead);
		return -DROP_TOO_BIG;
	}
	return 0;
}

/* By a device of the kernel's, in the flow's format, or, beside reip4, in vxlan/1. */
static __always_inline int forward_tunnel(struct __sk_buff *skb, struct iphdr *ip,
					  const struct dp_flow_out *flow,
					  const struct dp_peer_copy *peer, __u32 header,
					  __u16 *ret_mtu)
{
	__u8 tos = ip->tos;
	__u8 format = flow->format == FORMAT_REIP4_1 ? FORMAT_VXLAN_1 : flow->format;
	int r = forward_check_size(skb, ip, flow, forward_overhead(peer, format), header, ret_mtu);

	if (r)
		return r;
	forward_age(ip, flow->ttl_step);
	return encap_encode(skb, peer, flow, tos);
}

/* To another host on an IPv4 substrate: re-headed, and what that would lose something of whole, by
 * vxlan where the two hosts have it and it can say the networks. */
static __always_inline int forward_reip4(struct __sk_buff *skb, struct iphdr *ip,
					 const struct dp_flow_out *flow,
					 const struct dp_peer_copy *peer, __u32 header,
					 __u16 *ret_mtu)
{
	const struct dp_nexthop_copy *n = nexthop_get(flow->nexthop);
	int r;

	if (unlikely(!reip4_can_carry(skb, ip)))
		return flow->vni ? forward_tunnel(skb, ip, flow, peer, header, ret_mtu)
				 : -DROP_NO_FORMAT;
	r = forward_check_size(skb, ip, flow, 0, sizeof(*ip), ret_mtu);
	if (!r)
		r = reip4_encode(skb, ip, flow);
	return r ? r : transmit_by(skb, n, flow->nexthop, htons(ETH_P_IP));
}

/* To another host on an IPv6 substrate, re-headed or, where that would lose something, whole. */
static __always_inline int forward_rehead(struct __sk_buff *skb, struct iphdr *ip,
					  const struct dp_flow_out *flow, __u32 header,
					  __u16 *ret_mtu)
{
	const struct dp_nexthop_copy *n = nexthop_get(flow->nexthop);
	bool whole = flow->format == FORMAT_IPIP6_1 || !ipv4_can_rehead(ip);
	__u8 tos = ip->tos;
	int r = forward_check_size(skb, ip, flow,
				   whole ? SUBSTRATE_OVERHEAD_IPIP6 : SUBSTRATE_OVERHEAD_SIIT,
				   header, ret_mtu);

	if (unlikely(r))
		return r;
	if (unlikely(!n))
		return -DROP_NO_NEXTHOP;
	if (likely(!whole)) {
		r = siit_encode(skb, ip, flow);
		return r ? r : transmit_by(skb, n, flow->nexthop, htons(ETH_P_IPV6));
	}
	forward_age(ip, flow->ttl_step);
	r = ipip6_encode(skb, flow, ntohs(ip->tot_len), tos, IPPROTO_IPIP, siit_hash(skb, ip));
	return r ? r : transmit_by(skb, n, flow->nexthop, htons(ETH_P_IPV6));
}

/* To another host; returns -DROP_TOO_BIG with '*ret_mtu' and the packet untouched when the path
 * does not carry it. */
static __always_inline int forward_remote(struct __sk_buff *skb, struct iphdr *ip,
					  const struct dp_flow_out *flow,
					  const struct dp_peer_copy *peer, __u32 header,
					  __u16 *ret_mtu)
{
	if (encap_is_tunnel(flow->format))
		return forward_tunnel(skb, ip, flow, peer, header, ret_mtu);
	if (flow->format == FORMAT_REIP4_1)
		return forward_reip4(skb, ip, flow, peer, header, ret_mtu);
	return forward_rehead(skb, ip, flow, header, ret_mtu);
}
