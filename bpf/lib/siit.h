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

/* siit/1: the addresses in the transport's checksum change by 'diff'.  'at' is the transport
 * header. A datagram too short for the field has none to change. */
static __always_inline int siit_fix_checksum(struct __sk_buff *skb, __u8 protocol, __u32 at,
					     __u32 diff)
{
	__u64 flags;
	__u32 offset = siit_checksum_offset(protocol, &flags);

	if (!offset || at + offset + 2 > skb->len)
		return 0;
	return bpf_l4_csum_replace(skb, at + offset, 0, diff, flags) ? -DROP_REWRITE : 0;
}

/* The same for siit/1, out of the way of what needs none. */
static __noinline int siit_fix_checksum_1(struct __sk_buff *skb, __u8 protocol, __u32 at,
					  __u32 diff)
{
	return siit_fix_checksum(skb, protocol, at, diff);
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
	copy_16(&ip6->saddr, flow->src);
	copy_16(&ip6->daddr, flow->dst);
	if (likely(flow->format == FORMAT_SIIT_2))
		return 0;
	return siit_fix_checksum_1(skb, f.protocol, ETH_HLEN + sizeof(*ip6), flow->checksum_diff);
}

/* For a card that has summed the whole packet.  When the kernel takes the first 20 bytes of the
 * header out, it takes them out of the sum as well; the others are overwritten, so their sum is put
 * among these.  The new header sums to nothing. */
static __always_inline void siit_take_sum(struct ipv6hdr *ip6)
{
	__u32 *w = (__u32 *)ip6;
	__u64 sum = (__u64)w[0] + w[5] + w[6] + w[7] + w[8] + w[9];

	sum = (sum & 0xffffffff) + (sum >> 32);
	w[0] = (__u32)(sum + (sum >> 32));
}

/* The IPv4 address in one of a flow's substrate addresses: read as the word that it is there. */
static __always_inline __be32 siit_v4(const __u8 addr[16])
{
	return ((const __be32 *)addr)[3];
}

static __always_inline int siit_decode(struct __sk_buff *skb, struct ipv6hdr *ip6,
				       const struct dp_flow_in *flow, bool rewrite_checksum)
{
	__u32 word = ntohl(*(const __be32 *)ip6), label = word & 0xfffff;
	__u32 size = ntohs(ip6->payload_len) + (__u32)sizeof(struct iphdr);
	__u32 tos = word >> 20 & 0xff, frag = substrate_label_df(label) ? IP_DF : 0;
	__u32 ttl = substrate_label_ttl(label);
	__u8 protocol = ip6->nexthdr;
	struct iphdr *ip;

	siit_take_sum(ip6);
	if (bpf_skb_change_proto(skb, htons(ETH_P_IP), 0))
		return -DROP_REWRITE;
	ip = ipv4_get(skb);
	if (!ip)
		return -DROP_REWRITE;
	ipv4_write(ip, htonl(0x45U << 24 | tos << 16 | (size & 0xffff)), htonl(frag),
		   htonl(ttl << 24 | (__u32)protocol << 16), siit_v4(flow->src),
		   siit_v4(flow->dst));
	if (likely(!rewrite_checksum))
		return 0;
	return siit_fix_checksum_1(skb, protocol, ETH_HLEN + sizeof(*ip), flow->checksum_diff);
}
