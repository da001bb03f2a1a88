/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an edge knows about an IPv4 packet that it translates: the two ends of its flow, 'here' the
 * one that is translated, 'there' the other, as the packet has them.  An ICMP error belongs to the
 * flow of the packet that it quotes.
 */
#pragma once

#include "bpf/lib/packet.h"
#include "bpf/lib/siit.h"

enum edge_kind {
	EDGE_FLOW,     /* with ports, or an ICMP query with its identifier */
	EDGE_BARE,     /* another protocol: addresses alone */
	EDGE_FRAGMENT, /* not the first: likewise */
	EDGE_ERROR,    /* ICMP */
};

struct edge {
	__u32 handle;
	__u32 now; /* seconds */
	__u32 epoch;
	struct dp_handle_value gateway;
	bool out; /* from inside: 'here' is its source */
	bool first_fragment;
	__u8 kind;
	__u8 protocol;  /* of the flow */
	__u8 tcp_flags; /* as in the header's 14th byte */
	bool fixed;     /* a static port of the gateway is its binding */
	__be16 id;      /* of a fragment */
	__be32 here, there;
	__be16 here_port, there_port;
	__be32 outer; /* the address that is replaced in the packet itself */
	__u16 l4_at;
	__u16 port_at;  /* where 'here_port' lies; 0: nowhere */
	__u16 quote_at; /* ERROR: the quoted IP header */
	__be16 new_port;
	__be32 new_addr;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct edge);
} edge_scratch SEC(".maps");

enum {
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_ACK = 16,
};

static __always_inline __u32 edge_second(void)
{
	return (__u32)(bpf_ktime_get_coarse_ns() / 1000000000);
}

static __always_inline struct edge *edge_new(bool out)
{
	__u32 zero = 0;
	struct edge *e = bpf_map_lookup_elem(&edge_scratch, &zero);

	if (e) {
		memset(e, 0, sizeof(*e));
		e->out = out;
		e->now = edge_second();
		e->epoch = host_epoch(); /* before anything that it stands for */
	}
	return e;
}

/* The one that edge_new() made. */
static __always_inline struct edge *edge_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&edge_scratch, &zero);
}

static __always_inline bool edge_is_query(__u8 type)
{
	return type == ICMP_ECHO || type == ICMP_ECHOREPLY || type == ICMP_TIMESTAMP ||
	       type == ICMP_TIMESTAMPREPLY;
}

static __always_inline bool edge_is_error(__u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/* The ports at 'at', of a packet whose source is 'here' or whose destination is. */
static __always_inline int edge_parse_ports(struct __sk_buff *skb, struct edge *e, __u32 at,
					    bool here_is_source)
{
	__be16 ports[4];

	if (bpf_skb_load_bytes(skb, at, ports, sizeof(ports)))
		return -DROP_MALFORMED;
	if (e->protocol == IPPROTO_ICMP) { /* type, code, checksum, identifier */
		e->here_port = ports[2];
		e->port_at = (__u16)(at + 4);
		return edge_is_query(*(__u8 *)ports) ? 0 : -DROP_NAT_PROTOCOL;
	}
	if (here_is_source) {
		e->here_port = ports[0];
		e->there_port = ports[1];
		e->port_at = (__u16)at;
	} else {
		e->here_port = ports[1];
		e->there_port = ports[0];
		e->port_at = (__u16)(at + 2);
	}
	return 0;
}

static __always_inline bool edge_has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

/* The flow of the packet that an ICMP error quotes: it went the other way. */
static __always_inline int edge_parse_quote(struct __sk_buff *skb, struct edge *e)
{
	struct iphdr quoted;

	e->kind = EDGE_ERROR;
	e->quote_at = (__u16)(e->l4_at + 8);
	if (bpf_skb_load_bytes(skb, e->quote_at, &quoted, sizeof(quoted)) || quoted.version != 4 ||
	    quoted.ihl < 5)
		return -DROP_MALFORMED;
	e->protocol = quoted.protocol;
	e->here = e->out ? quoted.daddr : quoted.saddr;
	e->there = e->out ? quoted.saddr : quoted.daddr;
	if (quoted.frag_off & htons(IP_OFFSET))
		return -DROP_FRAGMENT;
	if (!edge_has_ports(e->protocol) && e->protocol != IPPROTO_ICMP)
		return 0;
	return edge_parse_ports(skb, e, e->quote_at + (__u32)quoted.ihl * 4, !e->out);
}

/* Takes the packet apart: 0 or a reason.  The header is whole and linear. */
static __noinline int edge_parse(struct __sk_buff *skb, struct packet *p, struct edge *e)
{
	const struct iphdr *ip = ipv4_get(skb);
	__u8 first[14] = {};

	if (!ip)
		return -DROP_MALFORMED;
	map_v4(p->src, ip->saddr);
	map_v4(p->dst, ip->daddr);
	e->protocol = ip->protocol;
	e->l4_at = (__u16)(ETH_HLEN + (__u32)ip->ihl * 4);
	e->here = e->outer = e->out ? ip->saddr : ip->daddr;
	e->there = e->out ? ip->daddr : ip->saddr;
	e->kind = EDGE_BARE;
	e->id = ip->id;
	if (ip->frag_off & htons(IP_OFFSET)) {
		e->kind = EDGE_FRAGMENT;
		return 0;
	}
	e->first_fragment = ip->frag_off & htons(IP_MF);
	if (e->protocol == IPPROTO_ICMP) {
		if (bpf_skb_load_bytes(skb, e->l4_at, first, 8))
			return -DROP_MALFORMED;
		if (edge_is_error(first[0]))
			return edge_parse_quote(skb, e);
		if (!edge_is_query(first[0]))
			return 0;
	} else if (!edge_has_ports(e->protocol)) {
		return 0;
	}
	if (e->protocol == IPPROTO_TCP && bpf_skb_load_bytes(skb, e->l4_at, first, 14))
		return -DROP_MALFORMED;
	e->tcp_flags = first[13];
	e->kind = EDGE_FLOW;
	return edge_parse_ports(skb, e, e->l4_at, e->out);
}
