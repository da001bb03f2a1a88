/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TCP packet from a node that belongs to no connection of its NAT gateway any more is answered
 * with a reset (RFC 9293 3.10.7.1), so that its sender need not find out by waiting; as EC2's
 * gateways do after 350 seconds without a packet.  It comes as though from the other end of the
 * connection.
 */
#pragma once

#include "bpf/lib/budget.h"
#include "bpf/lib/edge_packet.h"

struct edge_reset_frame {
	__u8 align[2];
	__u8 ethernet[ETH_HLEN]; /* the frame begins here */
	struct iphdr ip;
	struct tcphdr tcp;
};
_Static_assert(sizeof(struct edge_reset_frame) <= sizeof(((struct packet *)0)->work), "fits");

/* The 13th and 14th byte of a TCP header. */
enum { EDGE_RESET_OFFSET = 5 << 4 };

/* The bytes of sequence space that the segment takes. */
static __always_inline __u32 edge_reset_length(const struct iphdr *ip, const __u8 *tcp)
{
	__u32 headers = sizeof(*ip) + ((__u32)tcp[12] >> 4) * 4, size = ntohs(ip->tot_len);

	return (size > headers ? size - headers : 0) + (tcp[13] & TCP_SYN ? 1 : 0) +
	       (tcp[13] & TCP_FIN ? 1 : 0);
}

/* The sum of the pseudo header of a segment of 'size' bytes. */
static __always_inline __u16 edge_reset_pseudo(const struct iphdr *ip, __u32 size)
{
	return fold((__u64)htons((__u16)size) + htons(IPPROTO_TCP) +
		    (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&ip->saddr, 8, 0));
}

/* The answer to the segment in 'f', in its place. */
static __always_inline void edge_reset_fill(struct edge_reset_frame *f)
{
	struct iphdr was = f->ip;
	struct tcphdr from = f->tcp;
	__u8 *tcp = (__u8 *)&f->tcp;
	__u32 size = ntohs(was.tot_len) - sizeof(was);
	bool partial = from.check == edge_reset_pseudo(&f->ip, size);
	__u32 length = edge_reset_length(&f->ip, tcp);
	__u16 pseudo;
	bool acks = tcp[13] & TCP_ACK;

	memset(&f->ip, 0, sizeof(f->ip) + sizeof(f->tcp));
	f->ip.version = 4;
	f->ip.ihl = 5;
	f->ip.tot_len = htons(sizeof(f->ip) + sizeof(f->tcp));
	f->ip.frag_off = htons(IP_DF);
	f->ip.ttl = 64;
	f->ip.protocol = IPPROTO_TCP;
	f->ip.saddr = was.daddr;
	f->ip.daddr = was.saddr;
	f->ip.check = (__u16)~fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)&f->ip, 20, 0));
	f->tcp.source = from.dest;
	f->tcp.dest = from.source;
	tcp[12] = EDGE_RESET_OFFSET;
	tcp[13] = acks ? TCP_RST : TCP_RST | TCP_ACK;
	if (acks)
		f->tcp.seq = from.ack_seq;
	else
		f->tcp.ack_seq = htonl(ntohl(from.seq) + length);
	pseudo = edge_reset_pseudo(&f->ip, sizeof(f->tcp));
	/* what is still to be filled in by whoever sends it stays so: its place is the same */
	f->tcp.check = partial ? pseudo
			       : (__u16)~fold((__u64)pseudo +
					      (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&f->tcp,
								   sizeof(f->tcp), 0));
}

/* Makes the refused packet, untouched so far, its answer: true when it is one. */
static __noinline bool edge_reset_make(struct __sk_buff *skb, struct packet *p)
{
	struct edge_reset_frame *f = (struct edge_reset_frame *)p->work;
	const struct edge *e = edge_get();
	struct iphdr *ip = ipv4_get(skb);

	if (!e || e->kind != EDGE_FLOW || e->protocol != IPPROTO_TCP || e->tcp_flags & TCP_RST ||
	    e->first_fragment || !ip || *(const __u8 *)ip != 0x45)
		return false;
	if (!budget_take(0, DP_BUDGET_ICMP, DP_ICMP_PER_WINDOW) ||
	    bpf_skb_load_bytes(skb, 0, f->ethernet, ETH_HLEN + 20 + sizeof(f->tcp)))
		return false;
	edge_reset_fill(f);
	p->router = f->ip.saddr;
	return !bpf_skb_change_tail(skb, ETH_HLEN + 20 + sizeof(f->tcp), 0) &&
	       !bpf_skb_store_bytes(skb, 0, f->ethernet, ETH_HLEN + 20 + sizeof(f->tcp),
				    BPF_F_RECOMPUTE_CSUM);
}
