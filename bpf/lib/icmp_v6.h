/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMPv6 errors to a node, as its router would send them (RFC 4443 2.4, 3): made out of the refused
 * packet itself, as icmp.h does for IPv4 and with the same care for partial checksums.
 */
#pragma once

#include "bpf/lib/budget.h"
#include "bpf/lib/icmp.h"
#include "bpf/lib/ipv6.h"

enum {
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAMETER = 4,
	ICMP6_INFORMATIONAL = 128, /* types from here on are no errors */
	ICMP6_NO_ROUTE = 0,
	ICMP6_ADDRESS = 3,
	ICMP6_PORT = 4,
	ICMP6_NEW_SIZE = sizeof(struct ipv6hdr) + 8,
	ICMP6_QUOTE_MAX = sizeof(struct ipv6hdr) + sizeof(struct tcphdr),
};

/* In the packet's work space. */
struct icmp6_frame {
	__u8 align[2];
	__u8 ethernet[ETH_HLEN]; /* the frame begins here */
	struct ipv6hdr ip;
	__u8 type, code;
	__u16 checksum;
	__be32 mtu; /* or zero */
	__u8 quote[ICMP6_QUOTE_MAX];
};
_Static_assert(sizeof(struct icmp6_frame) <= sizeof(((struct packet *)0)->work), "fits");

/* Which error a router answers 'reason' with; false: none. */
static __always_inline bool icmp_v6_kind(const struct packet *p, __u32 reason, __u8 *ret_type,
					 __u8 *ret_code)
{
	*ret_type = ICMP6_UNREACHABLE;
	*ret_code = ICMP6_NO_ROUTE;
	switch (reason) {
	case DROP_TTL:
		*ret_type = ICMP6_TIME_EXCEEDED;
		return true;
	case DROP_NO_ROUTE:
		return true;
	case DROP_REFUSED:
	case DROP_GONE:
		*ret_code = ICMP6_ADDRESS;
		return p->routed; /* on one's own link nobody would answer */
	case DROP_ROUTER_SERVICE:
		*ret_code = ICMP6_PORT;
		return true;
	case DROP_TOO_BIG:
		*ret_type = ICMP6_TOO_BIG;
		return true;
	default:
		return false;
	}
}

/* RFC 4443 2.4 (e): never about an ICMPv6 error or redirect. */
static __always_inline bool icmp_v6_may_answer(struct __sk_buff *skb, __u8 next)
{
	__u8 type;

	if (next != IPPROTO_ICMPV6)
		return true;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(struct ipv6hdr), &type, 1))
		return false;
	return type >= ICMP6_INFORMATIONAL && type != ND_REDIRECT;
}

/* Everything but the quote, whose sum is 'quote_sum'; from the router of the node's link. */
static __always_inline void icmp_v6_fill(struct icmp6_frame *f, const struct packet *p,
					 const struct dp_subnet_value *link, __u32 quoted,
					 __u64 quote_sum)
{
	__be16 ethertype = htons(ETH_P_IPV6);
	__u32 size = 8 + quoted, pseudo = htonl(size) + htonl(IPPROTO_ICMPV6);

	memcpy(f->ethernet, p->node_mac, 6);
	memcpy(f->ethernet + 6, link->router_mac, 6);
	memcpy(f->ethernet + 12, &ethertype, 2);
	*(__be32 *)&f->ip = htonl(6U << 28);
	f->ip.payload_len = htons((__u16)size);
	f->ip.nexthdr = IPPROTO_ICMPV6;
	f->ip.hop_limit = 255;
	memcpy(&f->ip.saddr, link->router, 16);
	memcpy(&f->ip.daddr, p->src, 16);
	f->checksum = 0;
	f->checksum = (__u16)~fold(
		quote_sum + (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&f->ip.saddr, 40, pseudo));
}

__judged_once int icmp_v6_error(struct __sk_buff *skb, struct packet *p, __u32 type, __u32 code)
{
	const struct dp_subnet_value *link;
	const struct dp_port_copy *port;
	struct ipv6hdr *ip = ipv6_get(skb);
	struct icmp6_frame *f;
	__u64 sum = 0;
	__u32 quoted;
	__u8 next;

	if (!p || !ip)
		return TC_ACT_SHOT;
	f = (struct icmp6_frame *)p->work;
	port = port_get(p->slot);
	link = subnet_get(p->vni, p->src);
	if (!port || !link)
		return TC_ACT_SHOT;
	next = ip->nexthdr;
	if (!icmp_v6_may_answer(skb, next) ||
	    !budget_take(p->slot, DP_BUDGET_ICMP, DP_ICMP_PER_WINDOW))
		return TC_ACT_SHOT;
	quoted = icmp_quote(skb, p, f->quote, sizeof(*ip), next, &sum);
	if (quoted < sizeof(*ip) + 8 || quoted > ICMP6_QUOTE_MAX)
		return TC_ACT_SHOT;
	memset(f, 0, __builtin_offsetof(struct icmp6_frame, quote));
	f->type = (__u8)type;
	f->code = (__u8)code;
	if (type == ICMP6_TOO_BIG)
		f->mtu = htonl(p->mtu);
	icmp_v6_fill(f, p, link, skb->len - ETH_HLEN, sum);
	if (bpf_skb_adjust_room(skb, ICMP6_NEW_SIZE, BPF_ADJ_ROOM_MAC, 0) ||
	    bpf_skb_store_bytes(skb, 0, f->ethernet, ETH_HLEN + ICMP6_NEW_SIZE + quoted, 0))
		return TC_ACT_SHOT;
	return (int)bpf_redirect(port->ifindex, 0);
}

/* Turns a refused packet into its answer, or drops it. */
static __always_inline int icmp_v6_answer(struct __sk_buff *skb, struct packet *p, __u32 reason)
{
	__u8 type, code;

	if (!icmp_v6_kind(p, reason, &type, &code))
		return TC_ACT_SHOT;
	return icmp_v6_error(skb, p, type, code);
}
