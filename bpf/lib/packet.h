/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the full path knows about one packet, filled in step by step, and where its headers are.
 *
 * A step returns a verdict: 0 "go on", another TC action, VERDICT_UPCALL with what the agent is
 * asked in 'packet', or -DROP_X, which conclude() turns into 'return refuse(...)'.
 */
#pragma once

#include "bpf/lib/table.h"

enum {
	VERDICT_UPCALL = 100,   /* no TC action */
	VERDICT_DECLINED = 101, /* of the fast path: the full path decides */
	VERDICT_EDGE = 102,     /* plain again, for a gateway of this host */
	VERDICT_TO_PORT = 104,  /* from the world, for a node of this host that has to be asked */
	VERDICT_ROUTED = 103,   /* it is decided where the packet goes */
	VERDICT_ICMP4 = 105,    /* from no host: an error of the substrate, perhaps */
	VERDICT_LOCAL = 106,    /* of a route: the network's own addresses are where they are */
	VERDICT_GONE = 107,     /* for an address that was here: its source is to be verified */
};

/* A substrate packet's claim, taken from its addresses. */
struct ingress {
	__u8 src[16], dst[16];
	__u32 vni, src_vni; /* that each end's address carries */
	__be32 saddr, daddr;
	__u8 layout; /* enum format: FORMAT_SIIT_1 or _2, of the addresses */
	__u8 format; /* of the packet */
	__u8 next;   /* its next header */
};

enum {
	TUPLE_PLAIN = 0, /* a packet of a connection */
	TUPLE_QUERY = 1, /* ICMP: asks */
	TUPLE_ANSWER = 2,
	TUPLE_ERROR = 3,
	TUPLE_LONE = 4,  /* ICMP: neither */
	TUPLE_FIRST = 1, /* of fragments */
	TUPLE_LATER = 2,
};

/* What a packet is about (tuple.h). */
struct tuple {
	__u32 at;                   /* where its transport header is */
	__u32 subject;              /* abi/maps.h: policy */
	__be32 id;                  /* of a fragment */
	__be16 source, destination; /* ports; of ICMP queries the number and 0 */
	__u8 protocol;
	__u8 kind;
	__u8 query; /* ICMP: the type that asked */
	__u8 tcp;   /* byte 13 of its header */
	__u8 fragment;
	__u8 quoted; /* it is what an error quotes, not the packet itself */
	__u8 offset; /* TCP: words of its header */
	__u8 pad;
	__u8 bytes[40] __attribute__((aligned(8))); /* being looked at */
};

/* What one of a packet's two ports has said about it (policy.h): what a flow keeps. */
struct side {
	struct dp_region region;
	struct dp_list acl;
	__u32 judge; /* DP_JUDGE_* */
	__u32 pad;
};

/* Which side a packet comes to an edge from. */
enum edge_side {
	EDGE_SIDE_NONE,
	EDGE_SIDE_INSIDE,
	EDGE_SIDE_WORLD,
};

struct packet {
	__u32 slot; /* of the port that it came from or goes to; 0: none yet */
	__u32 port_id;
	__u32 vni;
	__u32 ask_id; /* of an upcall: struct dp_note */
	__u8 ask_kind, ask_flags;
	bool to_handle; /* the way leads to a handle, */
	/* that of an internet gateway, where its source's exit is (abi/gateway.h) */
	bool by_exit;
	__u8 edge;     /* enum edge_side */
	__be32 public; /* WORLD: the address that it was for */
	__u32 to_vni;  /* written as the destination's: a network or a handle */
	__u32 to_peer; /* who has that handle */
	/* written as the source's: the network, or the handle of one that forwards */
	__u32 from_vni;
	__u8 node_mac[6];
	__u64 revision;        /* of the mapping that decided */
	__u8 src[16], dst[16]; /* virtual, IPv4 as ::ffff:a.b.c.d */
	/* of the port it is from, with 'strange': the first of its own addresses */
	__u8 home[16];
	__u8 router_mac[6]; /* of the sender's subnet */
	__be32 router;      /* likewise */
	__u16 mtu;          /* what the path would have carried: for DROP_TOO_BIG */
	bool from_node;     /* and so it may be answered with an ICMP error */
	bool routed;        /* the node sent it to its router */
	/* its source is not of the port that it is from, which may send it */
	bool strange;
	bool copied;      /* the agent's own: DP_NOTE_COPY */
	bool refused_out; /* the last of its ports to be asked was the sender's */
	bool injected;    /* by the agent: HELD counts as LIVE, MACs are a note */
	bool gone;        /* it is for an address that was here and is not any more */
	union {           /* the decision */
		struct dp_flow_out out;
		struct dp_flow_in in;
	} flow;
	struct ingress in; /* for a substrate packet */
	__u32 identity;    /* security groups of the other end */
	/* ACLs that it meets leaving a subnet, and entering one of this host's */
	__u32 acl, to_acl;
	__u32 size; /* of an IPv6 packet inside another */
	bool keep;  /* the decision may go into the flow cache */
	/* it had its record's VLAN tag: it may not, for all of them lose theirs */
	bool untagged;
	__u8 seal;                      /* abi/seal.h; 0: it came in the clear */
	__u8 sent_format;               /* enum format: what it is to leave this host in */
	__u32 sent_packets, sent_bytes; /* from a node and not counted yet (counter.h) */
	__u32 seal_peer;                /* whose key it was */
	/* one end is on several hosts: the receiver until it is chosen, or the sender, */
	bool spread;
	__u32 spread_peer;   /* which sent it from here */
	struct side side[2]; /* by egress */
	struct tuple tuple;
	struct dp_connection_key key;
	__u32 place; /* in a set of connections */
	struct {
		__u8 src[16], dst[16];
	} quoted; /* by an ICMP error, as the error travels */
	/* For building an answer; not cleared. */
	__u8 work[144] __attribute__((aligned(8)));
};

/* One packet at a time is on a CPU, and the stack is small. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct packet);
} scratch SEC(".maps");

static __always_inline struct packet *packet_new(void)
{
	__u32 zero = 0;
	struct packet *p = bpf_map_lookup_elem(&scratch, &zero);

	if (p)
		memset(p, 0, __builtin_offsetof(struct packet, work));
	return p;
}

/* Ethernet and IPv4 header, when both are there and linear; the IPv4 options are not looked at. */
static __always_inline struct iphdr *ipv4_get(const struct __sk_buff *skb)
{
	struct iphdr *ip = packet_data(skb) + ETH_HLEN;

	return (void *)(ip + 1) > packet_end(skb) ? NULL : ip;
}

static __always_inline struct ipv6hdr *ipv6_get(const struct __sk_buff *skb)
{
	struct ipv6hdr *ip = packet_data(skb) + ETH_HLEN;

	return (void *)(ip + 1) > packet_end(skb) ? NULL : ip;
}

/* The Ethernet header before an IP header that was checked: the verifier knows it by that
 * pointer. */
static __always_inline void *ethernet_of(const void *ip)
{
	return (void *)ip - ETH_HLEN;
}

/* Makes the first 'size' bytes linear, or as many as there are (DATAPLANE: a redirected packet may
 * have its headers in fragments). */
static __always_inline void packet_pull(struct __sk_buff *skb, __u32 size)
{
	__u32 n = skb->len;

	if (n > size)
		n = size;
	if (packet_data(skb) + n > packet_end(skb))
		bpf_skb_pull_data(skb, n);
}

/* The two halves of a word, added with the carry coming round: the upper half of the word plus
 * itself with its halves exchanged. */
static __always_inline __u16 fold(__u64 sum)
{
	__u32 half = (__u32)((sum + (sum << 32 | sum >> 32)) >> 32);

	return (__u16)((half + (half << 16 | half >> 16)) >> 16);
}

/* Sum of the words of a header without options, as it lies in memory. */
static __always_inline __u64 ipv4_sum(const struct iphdr *ip)
{
	const __u32 *w = (const __u32 *)ip;

	return (__u64)w[0] + w[1] + w[2] + w[3] + w[4];
}

/* Whether such a header's checksum is right: the sum, which is never 0, is a multiple of 0xffff.
 * That is so if multiplied by its inverse (modulo 2^64) it is at most 2^64 / 0xffff. */
static __always_inline bool ipv4_sum_is_right(const struct iphdr *ip)
{
	return ipv4_sum(ip) * 0xfffefffefffeffffULL <= 0x0001000100010001ULL;
}

/* Writes a header without options, its words in registers: what is stored in pieces and read again
 * as a whole keeps the processor waiting. */
static __always_inline void ipv4_write(struct iphdr *ip, __u32 first, __u32 second, __u32 third,
				       __be32 saddr, __be32 daddr)
{
	__u32 *w = (__u32 *)ip;

	w[0] = first;
	w[1] = second;
	w[2] = third;
	w[3] = saddr;
	w[4] = daddr;
	ip->check = (__u16)~fold((__u64)first + second + third + saddr + daddr);
}

static __always_inline bool ipv4_is_fragment(const struct iphdr *ip)
{
	return ip->frag_off & htons(IP_MF | IP_OFFSET);
}

/* Whether re-heading would lose nothing: no options, no fragment, an identification only where it
 * has no meaning, a protocol that the substrate does not take for its own. */
static __always_inline bool ipv4_can_rehead(const struct iphdr *ip)
{
	if (likely(*(const __u8 *)ip == 0x45 && ip->frag_off == htons(IP_DF)))
		return substrate_can_rehead(ip->protocol);
	if (ip->ihl != 5 || ipv4_is_fragment(ip) || (ip->frag_off & htons(0x8000)))
		return false;
	if (!(ip->frag_off & htons(IP_DF)) && ip->id)
		return false;
	return substrate_can_rehead(ip->protocol);
}

/* The size on the wire of the largest packet that 'skb' becomes, 'header' bytes of IP included:
 * for GSO, what one segment is.  0: cannot be told. */
static __always_inline __u32 packet_wire_size(const struct __sk_buff *skb, __u32 size, __u32 header,
					      __u8 protocol)
{
	__u8 *l4;

	if (!skb->gso_size)
		return size;
	if (protocol == IPPROTO_UDP)
		return header + sizeof(struct udphdr) + skb->gso_size;
	l4 = packet_data(skb) + ETH_HLEN + header;
	if ((void *)(l4 + sizeof(struct tcphdr)) > packet_end(skb))
		return 0;
	return header + (__u32)(l4[12] >> 4) * 4 + skb->gso_size;
}

/* Cuts Ethernet padding off, so that 'size' bytes of IP are all there is. */
static __always_inline int packet_trim(struct __sk_buff *skb, __u32 size)
{
	if (likely(skb->len == ETH_HLEN + size))
		return 0;
	if (skb->len < ETH_HLEN + size)
		return -DROP_MALFORMED;
	return bpf_skb_change_tail(skb, ETH_HLEN + size, 0) ? -DROP_REWRITE : 0;
}
