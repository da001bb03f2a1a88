/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing the translation into a packet: an address, a port, and every checksum that they are in,
 * so that partial checksums and GSO packets stay what they are (DATAPLANE: pseudo header flags).
 * In an ICMP error the quoted packet is translated too (RFC 5508 4.2, 4.3).
 */
#pragma once

#include "bpf/lib/edge_packet.h"

/* One field of two bytes that no pseudo header has, at 'at', and the checksum at 'sum_at'. */
static __always_inline int translate_port(struct __sk_buff *skb, __u32 at, __u32 sum_at, __be16 old,
					  __be16 new, __u64 flags)
{
	if (old == new)
		return 0;
	if (sum_at && bpf_l4_csum_replace(skb, sum_at, old, new, flags | 2))
		return -DROP_REWRITE;
	return bpf_skb_store_bytes(skb, at, &new, 2, 0) ? -DROP_REWRITE : 0;
}

/* The address in a packet's own header, its source if 'out', and one hop less to live. */
static __always_inline void translate_addr(struct iphdr *ip, __be32 old, __be32 new, bool out)
{
	__u64 sum = (__u64)(__u16)~ip->check + (__u32)~old + new + (__u16)~htons(0x0100);

	if (out)
		ip->saddr = new;
	else
		ip->daddr = new;
	ip->ttl = (__u8)(ip->ttl - 1);
	ip->check = (__u16)~fold(sum);
}

static __always_inline int translate_header(struct __sk_buff *skb, const struct edge *e)
{
	struct iphdr *ip = ipv4_get(skb);

	if (!ip)
		return -DROP_REWRITE;
	translate_addr(ip, e->outer, e->new_addr, e->out);
	return 0;
}

static __always_inline int translate_flow(struct __sk_buff *skb, const struct edge *e)
{
	__u64 flags = 0;
	__u32 offset, at;

	if (e->protocol == IPPROTO_ICMP)
		return translate_port(skb, e->port_at, e->l4_at + 2U, e->here_port, e->new_port, 0);
	offset = siit_checksum_offset(e->protocol, &flags);
	if (!offset) /* SCTP: its checksum knows no addresses, and its ports stay */
		return 0;
	at = e->l4_at + offset;
	if (at + 2 > skb->len)
		return -DROP_MALFORMED;
	if (bpf_l4_csum_replace(skb, at, e->outer, e->new_addr, flags | 4))
		return -DROP_REWRITE;
	return translate_port(skb, e->port_at, at, e->here_port, e->new_port,
			      flags & BPF_F_MARK_MANGLED_0);
}

/* The checksum inside the quoted packet, if so much is quoted and it has one: the new one, with
 * the place of it; 0: none. */
static __always_inline __u32 translate_quoted_checksum(struct __sk_buff *skb, const struct edge *e,
						       __be16 *ret_old, __be16 *ret_new)
{
	__u32 l4_at = e->port_at, at;
	__u64 flags, sum;
	__u32 offset;

	if (e->protocol == IPPROTO_ICMP) {
		at = l4_at - 2U;
		sum = 0;
	} else {
		offset = siit_checksum_offset(e->protocol, &flags);
		if (!offset)
			return 0;
		l4_at -= e->out ? 2U : 0U; /* the port is the destination's or the source's */
		at = l4_at + offset;
		sum = (__u64)(__u32)~e->here + e->new_addr;
	}
	if (bpf_skb_load_bytes(skb, at, ret_old, 2) || (!*ret_old && e->protocol == IPPROTO_UDP))
		return 0;
	sum += (__u64)(__u16) ~*ret_old + (__u16)~e->here_port + e->new_port;
	*ret_new = (__u16)~fold(sum);
	if (!*ret_new && e->protocol == IPPROTO_UDP)
		*ret_new = 0xffff;
	return at;
}

/* The quoted packet: address, header checksum, port, transport checksum; each also changes the
 * checksum of the message. */
static __noinline int translate_quote(struct __sk_buff *skb, const struct edge *e)
{
	__u32 addr_at = e->quote_at + (e->out ? 16U : 12U), check_at = e->quote_at + 10U;
	__u32 sum_at = e->l4_at + 2U, l4_check_at = 0;
	__be16 old = 0, new = 0;
	__be32 addr = e->new_addr;
	int r;

	if (e->port_at)
		l4_check_at = translate_quoted_checksum(skb, e, &old, &new);
	r = l4_check_at ? translate_port(skb, l4_check_at, sum_at, old, new, 0) : 0;
	if (!r && e->port_at)
		r = translate_port(skb, e->port_at, sum_at, e->here_port, e->new_port, 0);
	if (r || bpf_skb_load_bytes(skb, check_at, &old, 2))
		return -DROP_REWRITE;
	new = (__u16)~fold((__u64)(__u16)~old + (__u32)~e->here + addr);
	r = translate_port(skb, check_at, sum_at, old, new, 0);
	if (r)
		return r;
	if (bpf_l4_csum_replace(skb, sum_at, e->here, addr, 4) ||
	    bpf_skb_store_bytes(skb, addr_at, &addr, 4, 0))
		return -DROP_REWRITE;
	return 0;
}

/* Carries out what is in 'e'. */
static __noinline int translate(struct __sk_buff *skb, const struct edge *e)
{
	int r = translate_header(skb, e);

	if (r)
		return r;
	if (e->kind == EDGE_FLOW)
		return translate_flow(skb, e);
	if (e->kind == EDGE_ERROR)
		return translate_quote(skb, e);
	/* A protocol without ports may still have a pseudo header, but none of those is known. */
	return 0;
}
