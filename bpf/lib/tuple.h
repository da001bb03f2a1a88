/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet is about, for security groups and ACLs: protocol, ports or ICMP type, whether it is
 * a fragment, and the connection that an ICMP error quotes.  The addresses are 'src' and 'dst' of
 * struct packet.
 */
#pragma once

#include "abi/connection.h"
#include "bpf/lib/packet.h"

enum {
	TUPLE_EXTENSIONS_MAX = 4, /* of IPv6, before the transport header */
	TUPLE_ERROR_SIZE = 8,     /* ICMP and ICMPv6 before the quotation */
	IPPROTO_EXT_HOP = 0,      /* linux/ipv6.h has them for the kernel alone */
	IPPROTO_EXT_ROUTING = 43,
	IPPROTO_EXT_FRAGMENT = 44,
	IPPROTO_EXT_OPTIONS = 60,
};

/* ---- ICMP ---- */

/* What an ICMP or ICMPv6 message is to a connection. */
static __always_inline __u8 tuple_icmp_kind(__u8 protocol, __u8 type)
{
	if (protocol == IPPROTO_ICMPV6) {
		if (type == 128)
			return TUPLE_QUERY;
		if (type == 129)
			return TUPLE_ANSWER;
		return type >= 1 && type <= 4 ? TUPLE_ERROR : TUPLE_LONE;
	}
	switch (type) {
	case ICMP_ECHO:
	case ICMP_TIMESTAMP:
	case 15: /* information request, RFC 792 */
	case 17: /* mask request, RFC 950 */
		return TUPLE_QUERY;
	case ICMP_ECHOREPLY:
	case ICMP_TIMESTAMPREPLY:
	case 16:
	case 18:
		return TUPLE_ANSWER;
	case ICMP_DEST_UNREACH:
	case 4: /* source quench */
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return TUPLE_ERROR;
	default:
		return TUPLE_LONE;
	}
}

/* The type of the query that a message is or answers: what tells the queries of one number
 * apart. */
static __always_inline __u8 tuple_query_type(__u8 protocol, __u8 type)
{
	if (protocol == IPPROTO_ICMPV6)
		return 128;
	if (type == ICMP_ECHOREPLY)
		return ICMP_ECHO;
	return type == ICMP_TIMESTAMPREPLY || type == 16 || type == 18 ? type - 1 : type;
}

/* ---- transport ---- */

/* Fills in what the transport header at 't->at' says: 0 or a reason. */
static __always_inline int tuple_transport(struct __sk_buff *skb, struct packet *p)
{
	struct tuple *t = &p->tuple;
	__u8 *b = t->bytes;

	t->subject = (__u32)t->protocol << 16;
	if (t->fragment == TUPLE_LATER)
		return 0;
	switch (t->protocol) {
	case IPPROTO_TCP:
		if (bpf_skb_load_bytes(skb, t->at, b, 14))
			return -DROP_MALFORMED;
		t->tcp = b[13];
		t->offset = b[12] >> 4;
		break;
	case IPPROTO_UDP:
		if (bpf_skb_load_bytes(skb, t->at, b, 8))
			return -DROP_MALFORMED;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (bpf_skb_load_bytes(skb, t->at, b, 8))
			return -DROP_MALFORMED;
		t->kind = tuple_icmp_kind(t->protocol, b[0]);
		t->query = tuple_query_type(t->protocol, b[0]);
		t->subject |= (__u32)b[0] << 8 | b[1];
		memcpy(&t->source, b + 4, 2); /* the number of a query */
		return 0;
	default:
		return 0;
	}
	memcpy(&t->source, b, 2);
	memcpy(&t->destination, b + 2, 2);
	t->subject |= ntohs(t->destination);
	return 0;
}

/* A transport header at 'at', of a packet that is no fragment. */
__judged_once int tuple_read(struct __sk_buff *skb, struct packet *p, __u32 at, __u32 protocol)
{
	struct tuple *t;

	if (!p)
		return -DROP_MALFORMED;
	t = &p->tuple;
	memset(t, 0, sizeof(*t));
	t->at = at;
	t->protocol = (__u8)protocol;
	return tuple_transport(skb, p);
}

/* The IPv4 header at 'at'. */
__judged_once int tuple_read_v4(struct __sk_buff *skb, struct packet *p, __u32 at)
{
	struct tuple *t;
	struct iphdr *ip;
	__u16 fragment;

	if (!p)
		return -DROP_MALFORMED;
	t = &p->tuple;
	ip = (struct iphdr *)t->bytes;
	memset(t, 0, sizeof(*t));
	if (bpf_skb_load_bytes(skb, at, ip, sizeof(*ip)))
		return -DROP_MALFORMED;
	t->at = at + (__u32)ip->ihl * 4;
	t->protocol = ip->protocol;
	t->id = ip->id;
	fragment = ntohs(ip->frag_off);
	if (fragment & IP_OFFSET) {
		t->fragment = TUPLE_LATER;
		/* RFC 1858 3.2: it would write over the flags that were judged. */
		if ((fragment & IP_OFFSET) == 1 && t->protocol == IPPROTO_TCP)
			return -DROP_FRAGMENT;
	} else if (fragment & IP_MF) {
		t->fragment = TUPLE_FIRST;
	}
	return tuple_transport(skb, p);
}

/* One extension header: true, and '*at' and 't->protocol' are behind it. */
static __always_inline bool tuple_extension(struct __sk_buff *skb, struct tuple *t)
{
	__u8 *b = t->bytes;
	__u16 fragment;

	if (t->protocol != IPPROTO_EXT_HOP && t->protocol != IPPROTO_EXT_ROUTING &&
	    t->protocol != IPPROTO_EXT_FRAGMENT && t->protocol != IPPROTO_EXT_OPTIONS)
		return false;
	if (t->fragment == TUPLE_LATER || bpf_skb_load_bytes(skb, t->at, b, 8))
		return false;
	if (t->protocol == IPPROTO_EXT_FRAGMENT) {
		fragment = (__u16)(b[2] << 8 | b[3]);
		t->fragment = fragment & 0xfff8 ? TUPLE_LATER : fragment & 1 ? TUPLE_FIRST : 0;
		memcpy(&t->id, b + 4, 4);
		t->at += 8;
	} else {
		t->at += (__u32)(b[1] + 1) * 8;
	}
	t->protocol = b[0];
	return true;
}

/* The IPv6 header at 'at'. */
__judged_once int tuple_read_v6(struct __sk_buff *skb, struct packet *p, __u32 at)
{
	struct tuple *t;

	if (!p)
		return -DROP_MALFORMED;
	t = &p->tuple;
	memset(t, 0, sizeof(*t));
	if (bpf_skb_load_bytes(skb, at + 6, &t->protocol, 1))
		return -DROP_MALFORMED;
	t->at = at + sizeof(struct ipv6hdr);
	for (int i = 0; i < TUPLE_EXTENSIONS_MAX; i++)
		if (!tuple_extension(skb, t))
			break;
	return tuple_transport(skb, p);
}

/* ---- errors ---- */

/* The transport header that an error quotes, swapped: the packet that is quoted went the other
 * way. */
static __always_inline int tuple_quoted_transport(struct __sk_buff *skb, struct tuple *t)
{
	__u8 *b = t->bytes;

	t->quoted = true;
	t->kind = TUPLE_PLAIN;
	t->source = 0;
	t->destination = 0;
	if (t->protocol == IPPROTO_ICMP || t->protocol == IPPROTO_ICMPV6) {
		if (bpf_skb_load_bytes(skb, t->at, b, 8))
			return -DROP_MALFORMED;
		/* The message quoted went out as a query if this would be its answer. */
		t->kind = tuple_icmp_kind(t->protocol, b[0]) == TUPLE_QUERY ? TUPLE_ANSWER
									    : TUPLE_QUERY;
		t->query = tuple_query_type(t->protocol, b[0]);
		memcpy(&t->source, b + 4, 2);
	} else if (t->protocol == IPPROTO_TCP || t->protocol == IPPROTO_UDP) {
		if (bpf_skb_load_bytes(skb, t->at, b, 4))
			return -DROP_MALFORMED;
		memcpy(&t->source, b + 2, 2);
		memcpy(&t->destination, b, 2);
	}
	return 0;
}

/* Makes 'p->tuple' the connection that the ICMP error in it is about, and 'src' and 'dst' of
 * 'p->quoted' its addresses as the error travels: 0, or a reason when it quotes nothing useful. */
__judged_once int tuple_read_quoted(struct __sk_buff *skb, struct packet *p)
{
	struct tuple *t;
	__u32 at;

	if (!p)
		return -DROP_MALFORMED;
	t = &p->tuple;
	at = t->at + TUPLE_ERROR_SIZE;
	if (t->protocol == IPPROTO_ICMPV6) {
		struct ipv6hdr *ip6 = (struct ipv6hdr *)t->bytes;

		if (bpf_skb_load_bytes(skb, at, ip6, sizeof(*ip6)) || ip6->version != 6)
			return -DROP_MALFORMED;
		memcpy(p->quoted.src, &ip6->daddr, 16);
		memcpy(p->quoted.dst, &ip6->saddr, 16);
		t->protocol = ip6->nexthdr;
		t->at = at + sizeof(*ip6);
	} else {
		struct iphdr *ip = (struct iphdr *)t->bytes;

		if (bpf_skb_load_bytes(skb, at, ip, sizeof(*ip)) || ip->version != 4)
			return -DROP_MALFORMED;
		map_v4(p->quoted.src, ip->daddr);
		map_v4(p->quoted.dst, ip->saddr);
		t->protocol = ip->protocol;
		t->at = at + (__u32)ip->ihl * 4;
	}
	return tuple_quoted_transport(skb, t);
}

/* ---- the key of a connection ---- */

static __always_inline void tuple_key_of(struct packet *p, const __u8 *src, const __u8 *dst,
					 bool egress)
{
	const struct tuple *t = &p->tuple;
	struct dp_connection_key *k = &p->key;
	bool is_query = t->kind == TUPLE_QUERY || t->kind == TUPLE_ANSWER;
	bool asks = (t->kind == TUPLE_QUERY) == egress; /* does the node here? */

	memcpy(k->local, egress ? src : dst, 16);
	memcpy(k->remote, egress ? dst : src, 16);
	k->protocol = t->protocol;
	if (is_query) {
		k->local_port = t->source;
		k->remote_port = htons((__u16)(t->query | (asks ? 0 : 0x100)));
	} else {
		k->local_port = egress ? t->source : t->destination;
		k->remote_port = egress ? t->destination : t->source;
	}
}

/* 'p->key' as the node that is 'local' sees it; its padding has been zero from the beginning. */
__judged_once int tuple_key(struct packet *p, __u32 egress)
{
	if (p)
		tuple_key_of(p, p->src, p->dst, egress);
	return 0;
}

/* The same for what an error quotes. */
__judged_once int tuple_key_quoted(struct packet *p, __u32 egress)
{
	if (p)
		tuple_key_of(p, p->quoted.src, p->quoted.dst, egress);
	return 0;
}
