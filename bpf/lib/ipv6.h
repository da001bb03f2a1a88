/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IPv6 as the programs see it: links, and what stands behind extension headers (RFC 8200 4).
 *
 * An IPv6 subnet is a /64 (model/cidr6.h), and so is the link-local prefix: whether two addresses
 * are on one link is told by their first 8 bytes.
 */
#pragma once

#include "bpf/lib/packet.h"

enum {
	IPV6_EXTENSIONS_MAX = 4, /* more are not a node's but an attacker's */
	IPPROTO_HOPOPTS_V6 = 0,
	IPPROTO_MOBILITY = 135,
};

/* Neighbour discovery: RFC 4861 4. */
enum {
	ND_ROUTER_SOLICITATION = 133,
	ND_ROUTER_ADVERTISEMENT = 134,
	ND_SOLICITATION = 135,
	ND_ADVERTISEMENT = 136,
	ND_REDIRECT = 137,
	ND_OPTION_TARGET_MAC = 2,
};

static __always_inline bool ipv6_is_link_local(const __u8 addr[16])
{
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

static __always_inline bool ipv6_same_link(const __u8 a[16], const __u8 b[16])
{
	return *(const __u64 *)a == *(const __u64 *)b;
}

static __always_inline bool ipv6_is_zero(const __u8 a[16])
{
	const __u64 *w = (const __u64 *)a;

	return !(w[0] | w[1]);
}

/* What the packet carries at last, and where from the frame's beginning that is; of a later
 * fragment what it is a part of, at 0.  0 or a reason. */
static __noinline int ipv6_upper(struct __sk_buff *skb, __u8 *ret_protocol, __u16 *ret_at)
{
	__u32 at = ETH_HLEN + sizeof(struct ipv6hdr);
	__u8 next, head[4];

	if (!ret_protocol || !ret_at ||
	    bpf_skb_load_bytes(skb, ETH_HLEN + __builtin_offsetof(struct ipv6hdr, nexthdr), &next,
			       1))
		return -DROP_MALFORMED;
	for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++) {
		if (next != IPPROTO_HOPOPTS_V6 && next != IPPROTO_ROUTING &&
		    next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT)
			break;
		if (bpf_skb_load_bytes(skb, at, head, sizeof(head)))
			return -DROP_MALFORMED;
		if (next == IPPROTO_FRAGMENT) {
			at += 8;
			next = head[0];
			if (((__u32)head[2] << 8 | head[3]) & 0xfff8) {
				*ret_protocol = next;
				*ret_at = 0;
				return 0;
			}
			continue;
		}
		at += ((__u32)head[1] + 1) * 8;
		next = head[0];
	}
	if (next == IPPROTO_HOPOPTS_V6 || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	    next == IPPROTO_FRAGMENT)
		return -DROP_MALFORMED;
	*ret_protocol = next;
	*ret_at = (__u16)at;
	return 0;
}
