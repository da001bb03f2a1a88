/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an edge answers: a reset (edge_reset.h), and, being a router, ICMP errors about a packet
 * that is too old or too large, to whoever sent it.  To a node they come from the gateway's public
 * address, as the edge has no other that the node's host would take from it; to the world from the
 * address that the packet was for.
 */
#pragma once

#include "bpf/lib/edge6.h"
#include "bpf/lib/edge_reset.h"
#include "bpf/lib/icmp.h"
#include "bpf/lib/icmp_v6.h"

/* The address that an answer to a node comes from. */
static __always_inline __be32 edge_answer_source(const struct packet *p)
{
	const struct dp_handle_value *h = handle_get(p->to_vni);
	struct dp_mapping_v4_key key = {.vni = p->vni};
	const struct dp_public_of_value *of;

	if (!h)
		return 0;
	if (h->kind == DP_HANDLE_NAT)
		return h->public;
	memcpy(&key.addr, p->src + 12, 4);
	of = bpf_map_lookup_elem(&publics_of, &key);
	return of ? of->public : 0;
}

/* Makes the refused packet, untouched so far, its answer: true when it is one. */
static __noinline bool edge_answer_make(struct __sk_buff *skb, struct packet *p, __u32 type,
					__u32 code)
{
	struct icmp_frame *f = (struct icmp_frame *)p->work;
	struct iphdr *ip = ipv4_get(skb);
	__u64 sum = 0;
	__u32 quoted;

	if (!ip || !icmp_may_answer(skb, ip))
		return false;
	ip = ipv4_get(skb);
	if (!ip || !budget_take(0, DP_BUDGET_ICMP, DP_ICMP_PER_WINDOW))
		return false;
	quoted = icmp_quote(skb, p, f->quote, (__u32)ip->ihl * 4, ip->protocol, &sum);
	if (quoted < 28 || quoted > ICMP_QUOTE_MAX)
		return false;
	memset(f, 0, __builtin_offsetof(struct icmp_frame, quote));
	f->icmp.type = (__u8)type;
	f->icmp.code = (__u8)code;
	if (code == ICMP_FRAG_NEEDED && type == ICMP_DEST_UNREACH)
		f->icmp.un.frag.mtu = htons(p->mtu);
	icmp_fill(f, p, skb->len - ETH_HLEN, sum);
	return !bpf_skb_adjust_room(skb, ICMP_NEW_SIZE, BPF_ADJ_ROOM_MAC, 0) &&
	       !bpf_skb_store_bytes(skb, 0, f->ethernet, ETH_HLEN + ICMP_NEW_SIZE + quoted, 0);
}

static __noinline int edge_answer_node(struct __sk_buff *skb, struct packet *p)
{
	__be32 node;
	int r;

	memcpy(&node, p->src + 12, 4);
	memcpy(p->dst, p->src, 16);
	r = edge_locate(p, p->router, node);
	if (!r)
		r = edge_to_node(skb, p);
	return r < 0 || r == VERDICT_UPCALL ? TC_ACT_SHOT : r;
}

/* What becomes of an IPv4 packet that an edge refused. */
static __noinline int edge_answer_v4(struct __sk_buff *skb, struct packet *p, __u32 reason)
{
	__u8 type = ICMP_DEST_UNREACH, code = ICMP_FRAG_NEEDED;

	if (reason == DROP_CONNECTION_STATE) {
		if (p->edge != EDGE_SIDE_INSIDE || !edge_reset_make(skb, p))
			return TC_ACT_SHOT;
		return edge_answer_node(skb, p);
	}
	if (reason == DROP_TTL) {
		type = ICMP_TIME_EXCEEDED;
		code = ICMP_EXC_TTL;
	} else if (reason != DROP_TOO_BIG) {
		return TC_ACT_SHOT;
	}
	if (p->edge == EDGE_SIDE_INSIDE)
		p->router = edge_answer_source(p);
	else
		p->router = p->public;
	if (!p->router || !edge_answer_make(skb, p, type, code))
		return TC_ACT_SHOT;
	return p->edge == EDGE_SIDE_INSIDE ? edge_answer_node(skb, p) : edge_to_world(skb);
}

/* ---- ICMPv6: from the address that the packet was for, either way ---- */

static __noinline bool edge_answer6_make(struct __sk_buff *skb, struct packet *p, __u32 type)
{
	struct icmp6_frame *f = (struct icmp6_frame *)p->work;
	struct ipv6hdr *ip = ipv6_get(skb);
	__u32 quoted, size, pseudo;
	__be16 ethertype = htons(ETH_P_IPV6);
	__u64 sum = 0;
	__u8 next;

	if (!ip)
		return false;
	next = ip->nexthdr;
	if (!icmp_v6_may_answer(skb, next) || !budget_take(0, DP_BUDGET_ICMP, DP_ICMP_PER_WINDOW))
		return false;
	quoted = icmp_quote(skb, p, f->quote, sizeof(*ip), next, &sum);
	if (quoted < sizeof(*ip) + 8 || quoted > ICMP6_QUOTE_MAX)
		return false;
	memset(f, 0, __builtin_offsetof(struct icmp6_frame, quote));
	size = 8 + skb->len - ETH_HLEN;
	memcpy(f->ethernet + 12, &ethertype, 2);
	*(__be32 *)&f->ip = htonl(6U << 28);
	f->ip.payload_len = htons((__u16)size);
	f->ip.nexthdr = IPPROTO_ICMPV6;
	f->ip.hop_limit = 64;
	memcpy(&f->ip.saddr, p->dst, 16);
	memcpy(&f->ip.daddr, p->src, 16);
	f->type = (__u8)type;
	if (type == ICMP6_TOO_BIG)
		f->mtu = htonl(p->mtu);
	pseudo = htonl(size) + htonl(IPPROTO_ICMPV6);
	f->checksum = (__u16)~fold(
		sum + (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&f->ip.saddr, 40, pseudo));
	return !bpf_skb_adjust_room(skb, ICMP6_NEW_SIZE, BPF_ADJ_ROOM_MAC, 0) &&
	       !bpf_skb_store_bytes(skb, 0, f->ethernet, ETH_HLEN + ICMP6_NEW_SIZE + quoted, 0);
}

static __noinline int edge_answer_v6(struct __sk_buff *skb, struct packet *p, __u32 reason)
{
	int r;

	if (reason != DROP_TTL && reason != DROP_TOO_BIG)
		return TC_ACT_SHOT;
	if (!edge_answer6_make(skb, p, reason == DROP_TTL ? ICMP6_TIME_EXCEEDED : ICMP6_TOO_BIG))
		return TC_ACT_SHOT;
	if (p->edge == EDGE_SIDE_WORLD)
		return edge_to_world(skb);
	memcpy(p->dst, p->src, 16);
	r = edge6_locate(skb, p);
	if (!r && p->flow.out.format != FORMAT_NONE)
		r = edge6_to_node(skb, p);
	return r < 0 || r == VERDICT_UPCALL ? TC_ACT_SHOT : r;
}

/* What becomes of a packet that an edge refused. */
static __always_inline int edge_answer(struct __sk_buff *skb, struct packet *p, __u32 reason)
{
	return skb->protocol == htons(ETH_P_IPV6) ? edge_answer_v6(skb, p, reason)
						  : edge_answer_v4(skb, p, reason);
}

/* As conclude(), for a packet that may be an edge's.  conclude() answers to nodes of this host
 * itself, but never with a reset. */
static __always_inline int edge_conclude(struct __sk_buff *skb, struct packet *p, int verdict)
{
	int r;

	if (!config.uplink_ifindex)
		return conclude(skb, p, verdict);
	if (verdict == VERDICT_TO_PORT)
		verdict = edge_to_port(skb, p);
	r = conclude(skb, p, verdict);
	if (verdict < 0 && p->edge && (!p->from_node || verdict == -DROP_CONNECTION_STATE))
		return edge_answer(skb, p, (__u32)-verdict);
	return r;
}
