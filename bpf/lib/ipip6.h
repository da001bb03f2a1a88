/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ipip6/1: the whole packet inside IPv6 (RFC 2473) between the addresses that re-heading would have
 * used; for IPv6 inside, the embedded IPv4 addresses are zero.  For what a re-headed header could
 * not restore.
 */
#pragma once

#include "bpf/lib/packet.h"

/* TCP right behind an IPv6 header: whatever the mark of an outer header on it means, there is no
 * inner one but this. */
static __always_inline bool ipip6_is_tcp(struct __sk_buff *skb)
{
	const struct ipv6hdr *ip6 = skb->protocol == htons(ETH_P_IPV6) ? ipv6_get(skb) : NULL;

	return ip6 && ip6->nexthdr == IPPROTO_TCP;
}

/* For a packet that carries the mark of an earlier outer header, long gone: a veth hands it on from
 * host to host, no wire does.  The kernel makes no second one then; so here is room without it, for
 * IPv4 in two steps as in ipip6_decode().  A GSO packet is cut by its mark: where that still says
 * what is right, with one outer header in front of the one it is about. */
static __noinline int ipip6_room(struct __sk_buff *skb)
{
	int size = sizeof(struct ipv6hdr);

	if (skb->gso_size && !ipip6_is_tcp(skb))
		return -DROP_REWRITE;
	if (skb->protocol == htons(ETH_P_IP)) {
		if (bpf_skb_change_proto(skb, htons(ETH_P_IPV6), 0))
			return -DROP_REWRITE;
		size -= sizeof(struct iphdr);
	}
	return bpf_skb_adjust_room(skb, size, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO)
		       ? -DROP_REWRITE
		       : 0;
}

/* Constant for a flow of IPv6 (RFC 6438): by the label that its sender has given it, and by where
 * it goes, for senders that give none. */
static __always_inline __u32 ipip6_hash(const struct ipv6hdr *ip, __u32 bucket)
{
	__u32 label = ntohl(*(const __be32 *)ip) & 0xfffff;

	return ((label ^ bucket) * 0xC2B2AE35U) >> 21;
}

/* 'hash': 11 bits of it go into the flow label. */
static __always_inline int ipip6_encode(struct __sk_buff *skb, const struct dp_flow_out *flow,
					__u16 size, __u8 tos, __u8 protocol, __u32 hash)
{
	struct ipv6hdr *ip6;

	if (bpf_skb_adjust_room(skb, sizeof(*ip6), BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6) &&
	    ipip6_room(skb))
		return -DROP_REWRITE;
	ip6 = ipv6_get(skb);
	if (!ip6)
		return -DROP_REWRITE;
	*(__be32 *)ip6 = htonl(6U << 28 | (__u32)tos << 20 | (hash & 0x7ff));
	ip6->payload_len = htons(size);
	ip6->nexthdr = protocol;
	ip6->hop_limit = SUBSTRATE_HOP_LIMIT;
	copy_16(&ip6->saddr, flow->src);
	copy_16(&ip6->daddr, flow->dst);
	return 0;
}

/* Takes the outer header off.  In two steps for IPv4: before 6.3 the kernel knows no other way to
 * make an IPv6 packet an IPv4 one, and refuses to cut a packet below 40 bytes while it is IPv6. */
static __always_inline int ipip6_decode(struct __sk_buff *skb, bool v4_inside)
{
	int size = v4_inside ? 20 : 40;

	if (v4_inside && bpf_skb_change_proto(skb, htons(ETH_P_IP), 0))
		return -DROP_REWRITE;
	if (bpf_skb_adjust_room(skb, -size, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO))
		return -DROP_REWRITE;
	return 0;
}
