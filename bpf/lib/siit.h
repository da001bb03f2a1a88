/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * siit/2 and siit/1: the IPv4 header becomes an IPv6 header and back (RFC 7915, RFC 6145 4.1, with
 * the differences of abi/substrate.h).  The payload is not touched, but for the transport checksum
 * under siit/1.  GSO packets stay whole.
 *
 *	traffic class = ToS | flow label = DF, TTL, hash | payload length | next header = protocol |
 *	hop limit 64 | source, destination = the flow's substrate addresses
 */
#pragma once

#include "bpf/lib/packet.h"

/* What is taken from one header to write the other. */
struct siit_fields {
	__u32 hash;
	__u16 size; /* of the IPv4 packet */
	__u8 tos, ttl, protocol;
	bool df;
};

/* Constant for a flow: addresses, protocol, ports where the protocol has them in front. */
static __always_inline __u32 siit_hash(const struct __sk_buff *skb, const struct iphdr *ip)
{
	const __u32 *ports = (const void *)(ip + 1);
	__u32 h = ip->saddr ^ ip->daddr * 0x9E3779B1U ^ ip->protocol;

	if ((ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) &&
	    (void *)(ports + 1) <= packet_end(skb))
		h ^= *ports * 0x85EBCA6BU;
	return (h * 0xC2B2AE35U) >> 21;
}

/* Where a protocol has a checksum over the pseudo header; 0: it has none. */
static __always_inline __u32 siit_checksum_offset(__u8 protocol, __u64 *ret_flags)
{
	*ret_flags = BPF_F_PSEUDO_HDR;
	switch (protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		*ret_flags |= BPF_F_MARK_MANGLED_0;
		return 6;
	case IPPROTO_DCCP:
		return 6;
	default:
		return 0;
	}
}

/* siit/1: the addresses in the transport's checksum change by 'diff'.  'at' is the transport header.
 * A datagram too short for the field has none to change. */
static __always_inline int siit_fix_checksum(struct __sk_buff *skb, __u8 protocol, __u32 at,
					     __u32 diff)
{
	__u64 flags;
	__u32 offset = siit_checksum_offset(protocol, &flags);

	if (!offset || at + offset + 2 > skb->len)
		return 0;
	return bpf_l4_csum_replace(skb, at + offset, 0, diff, flags) ? -DROP_REWRITE : 0;
}

static __always_inline int siit_encode(struct __sk_buff *skb, const struct iphdr *ip,
				       const struct dp_flow_out *flow)
{
	struct siit_fields f = {
		.hash = siit_hash(skb, ip),
		.size = ntohs(ip->tot_len),
		.tos = ip->tos,
		.ttl = (__u8)(ip->ttl - flow->ttl_step),
		.protocol = ip->protocol,
		.df = ip->frag_off & htons(IP_DF),
	};
	struct ipv6hdr *ip6;

	if (bpf_skb_change_proto(skb, htons(ETH_P_IPV6), 0))
		return -DROP_REWRITE;
	ip6 = ipv6_get(skb);
	if (!ip6)
		return -DROP_REWRITE;
	*(__be32 *)ip6 =
		htonl(6U << 28 | (__u32)f.tos << 20 | substrate_label(f.df, f.ttl, f.hash));
	ip6->payload_len = htons((__u16)(f.size - sizeof(struct iphdr)));
	ip6->nexthdr = f.protocol;
	ip6->hop_limit = SUBSTRATE_HOP_LIMIT;
	memcpy(&ip6->saddr, flow->src, 16);
	memcpy(&ip6->daddr, flow->dst, 16);
	if (likely(flow->format == FORMAT_SIIT_2))
		return 0;
	return siit_fix_checksum(skb, f.protocol, ETH_HLEN + sizeof(*ip6), flow->checksum_diff);
}

static __always_inline int siit_decode(struct __sk_buff *skb, const struct ipv6hdr *ip6,
				       const struct dp_flow_in *flow, bool rewrite_checksum)
{
	__u32 word = ntohl(*(const __be32 *)ip6);
	struct siit_fields f = {
		.size = (__u16)(ntohs(ip6->payload_len) + sizeof(struct iphdr)),
		.tos = (__u8)(word >> 20),
		.ttl = substrate_label_ttl(word & 0xfffff),
		.protocol = ip6->nexthdr,
		.df = substrate_label_df(word & 0xfffff),
	};
	__be32 saddr = substrate_v4(flow->src), daddr = substrate_v4(flow->dst);
	__u16 rest = fold((__u64)saddr + ((const __u32 *)flow->dst)[0] +
			  ((const __u32 *)flow->dst)[1] + ((const __u32 *)flow->dst)[2] + daddr);
	struct iphdr *ip;

	if (bpf_skb_change_proto(skb, htons(ETH_P_IP), 0))
		return -DROP_REWRITE;
	ip = ipv4_get(skb);
	if (!ip)
		return -DROP_REWRITE;
	*(__be16 *)ip = htons((__u16)(0x4500 | f.tos));
	ip->tot_len = htons(f.size);
	*(__be32 *)&ip->id = htonl(f.df ? IP_DF : 0);
	ip->ttl = f.ttl;
	ip->protocol = f.protocol;
	ip->check = 0;
	ip->saddr = saddr;
	ip->daddr = daddr;
	ip->check = (__u16)~fold(ipv4_sum(ip));
	/* For a card that summed the whole packet: the kernel has taken the first 20 bytes of the
	 * old header out, the rest is ours to take out, and the new header sums to nothing. */
	bpf_csum_update(skb, (__u16)~rest);
	if (likely(!rewrite_checksum))
		return 0;
	return siit_fix_checksum(skb, f.protocol, ETH_HLEN + sizeof(*ip), flow->checksum_diff);
}
