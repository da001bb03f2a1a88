/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * forward.h for IPv6: whole, in ipip6 or by a device of the kernel's.
 */
#pragma once

#include "bpf/lib/forward.h"
#include "bpf/lib/ipv6.h"

/* The packet at 'ip' to a port of this host. */
static __always_inline int forward_local_v6(struct __sk_buff *skb, struct ipv6hdr *ip,
					    const struct dp_flow_out *flow)
{
	ip->hop_limit = (__u8)(ip->hop_limit - flow->ttl_step);
	copy_12(ethernet_of(ip), flow->to);
	bpf_skb_change_type(skb, PACKET_HOST);
	return deliver_to(skb, flow->to_slot, flow->to_ifindex, flow->to_flags);
}

/* Whether one packet of the node's wire fits the path; -DROP_TOO_BIG with '*ret_mtu' when not. */
static __always_inline int forward_check_size_v6(const struct __sk_buff *skb,
						 const struct ipv6hdr *ip,
						 const struct dp_flow_out *flow, __u32 overhead,
						 __u16 *ret_mtu)
{
	__u32 size = ntohs(ip->payload_len) + (__u32)sizeof(*ip);
	__u32 wire = packet_wire_size(skb, size, sizeof(*ip), ip->nexthdr);

	if (unlikely(!wire))
		return -DROP_MALFORMED;
	if (likely(wire + overhead <= flow->path_mtu))
		return 0;
	*ret_mtu = (__u16)(flow->path_mtu - overhead);
	return -DROP_TOO_BIG;
}

static __always_inline __u8 forward_tos_v6(const struct ipv6hdr *ip)
{
	return (__u8)(ntohl(*(const __be32 *)ip) >> 20);
}

static __always_inline int forward_tunnel_v6(struct __sk_buff *skb, struct ipv6hdr *ip,
					     const struct dp_flow_out *flow,
					     const struct dp_peer_copy *peer, __u16 *ret_mtu)
{
	__u8 tos = forward_tos_v6(ip);
	int r = forward_check_size_v6(skb, ip, flow, forward_overhead(peer, flow->format), ret_mtu);

	if (r)
		return r;
	ip->hop_limit = (__u8)(ip->hop_limit - flow->ttl_step);
	return encap_encode(skb, peer, flow, tos);
}

static __always_inline int forward_whole_v6(struct __sk_buff *skb, struct ipv6hdr *ip,
					    const struct dp_flow_out *flow, __u16 *ret_mtu)
{
	const struct dp_nexthop_copy *n = nexthop_get(flow->nexthop);
	__u16 size = (__u16)(ntohs(ip->payload_len) + sizeof(*ip));
	__u32 hash = ipip6_hash(ip, flow->stamp.bucket);
	__u8 tos = forward_tos_v6(ip);
	int r = forward_check_size_v6(skb, ip, flow, SUBSTRATE_OVERHEAD_IPIP6, ret_mtu);

	if (unlikely(r))
		return r;
	if (unlikely(!n))
		return -DROP_NO_NEXTHOP;
	ip->hop_limit = (__u8)(ip->hop_limit - flow->ttl_step);
	r = ipip6_encode(skb, flow, size, tos, IPPROTO_IPIP6, hash);
	return r ? r : transmit_by(skb, n, flow->nexthop, htons(ETH_P_IPV6));
}
