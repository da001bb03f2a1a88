/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP errors to a node, as its router would send them (RFC 792, 1122 3.2.2, 1812 4.3.2): made out
 * of the refused packet itself.
 *
 * The packet may have a partial checksum, and the kernel keeps the place of its checksum field
 * through everything that is done here.  So the new headers are inserted in front and the field
 * stays where it is in the quotation; should the kernel fill it in after us, the region from the
 * transport header on will sum to the complement of what the field holds now, and that is the sum
 * that our checksum covers.
 *
 * The kernel cuts nothing off a packet that it takes for encapsulated, as those are that a host of
 * the same machine has sent whole (ipip6.h).  Such a packet is quoted whole, if it is small.
 */
#pragma once

#include "bpf/lib/budget.h"
#include "bpf/lib/packet.h"

enum {
	ICMP_QUOTE_MAX = 60 + 20, /* IP header with options, TCP header */
	ICMP_NEW_SIZE = sizeof(struct iphdr) + sizeof(struct icmphdr),
	ICMP_WHOLE_MAX = 576 - 28, /* RFC 1812 4.3.2.3 */
	ICMP_SUM_STEP = 40,        /* bytes summed at once */
};
_Static_assert(ICMP_SUM_STEP == sizeof(((struct packet *)0)->tuple.bytes), "fits");

/* In the packet's work space. */
struct icmp_frame {
	__u8 align[2];
	__u8 ethernet[ETH_HLEN]; /* the frame begins here */
	struct iphdr ip;
	struct icmphdr icmp;
	__u8 quote[ICMP_QUOTE_MAX];
};
_Static_assert(sizeof(struct icmp_frame) <= sizeof(((struct packet *)0)->work), "fits");

/* Which error a router answers 'reason' with; false: none. */
static __always_inline bool icmp_kind(const struct packet *p, __u32 reason, __u8 *ret_type,
				      __u8 *ret_code)
{
	*ret_type = ICMP_DEST_UNREACH;
	switch (reason) {
	case DROP_TTL:
		*ret_type = ICMP_TIME_EXCEEDED;
		*ret_code = ICMP_EXC_TTL;
		return true;
	case DROP_NO_ROUTE:
		*ret_code = ICMP_NET_UNREACH;
		return true;
	case DROP_REFUSED:
	case DROP_GONE:
		*ret_code = ICMP_HOST_UNREACH;
		return p->routed; /* on one's own subnet nobody would answer */
	case DROP_ROUTER_SERVICE:
		*ret_code = ICMP_PORT_UNREACH;
		return true;
	case DROP_TOO_BIG:
		*ret_code = ICMP_FRAG_NEEDED;
		return true;
	default:
		return false;
	}
}

/* RFC 1122 3.2.2: never about an ICMP error, a later fragment, a broadcast or multicast. */
static __always_inline bool icmp_may_answer(struct __sk_buff *skb, const struct iphdr *ip)
{
	__u32 options = (__u32)(ip->ihl - 5) * 4;
	__u8 type;

	if (ip->frag_off & htons(IP_OFFSET))
		return false;
	if ((ntohl(ip->daddr) & 0xf0000000) >= 0xe0000000)
		return false;
	if (ip->protocol != IPPROTO_ICMP)
		return true;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(*ip) + (options & 0x3c), &type, 1))
		return false;
	return type == ICMP_ECHO || type == ICMP_ECHOREPLY || type == ICMP_TIMESTAMP ||
	       type == ICMP_TIMESTAMPREPLY;
}

/* The sum of the packet's bytes from 'at' to 'end'; destroys 'p->tuple'. */
__judged_once __u64 icmp_sum(struct __sk_buff *skb, struct packet *p, __u32 at, __u32 end)
{
	__u64 sum = 0;

	if (!p)
		return 0;
	for (int i = 0; i < ICMP_WHOLE_MAX / ICMP_SUM_STEP + 1 && at < end; i++) {
		__u32 n = end - at;

		if (n >= ICMP_SUM_STEP) {
			n = ICMP_SUM_STEP;
			if (bpf_skb_load_bytes(skb, at, p->tuple.bytes, ICMP_SUM_STEP))
				return 0;
		} else {
			memset(p->tuple.bytes, 0, ICMP_SUM_STEP);
			/* the verifier of 6.1 does not see that it is not 0 */
			n--;
			asm volatile("" : "+r"(n));
			n = (n & 63) + 1;
			if (bpf_skb_load_bytes(skb, at, p->tuple.bytes, n))
				return 0;
		}
		sum += (__u32)bpf_csum_diff(NULL, 0, (__be32 *)p->tuple.bytes, ICMP_SUM_STEP, 0);
		at += n;
	}
	return sum;
}

/* What a transport checksum holds that is still to be filled in: the sum of the pseudo header. */
static __always_inline __u16 icmp_pseudo_sum(const __u8 *quote, __u32 size, __u8 protocol)
{
	__u64 sum = (__u64)htons((__u16)size) + htons(protocol);

	if (quote[0] >> 4 == 4)
		sum += (__u32)bpf_csum_diff(NULL, 0, (__be32 *)(quote + 12), 8, 0);
	else
		sum += (__u32)bpf_csum_diff(NULL, 0, (__be32 *)(quote + 8), 32, 0);
	return fold(sum);
}

/* The packet stays whole: 0, or what of it is in 'quote', with the sum of it all. */
static __always_inline __u32 icmp_quote_whole(struct __sk_buff *skb, struct packet *p,
					      const __u8 *quote, __u32 header, __u8 protocol,
					      __u64 *ret_sum)
{
	__u32 size = skb->len - ETH_HLEN, field = protocol == IPPROTO_TCP ? 16 : 6;
	__be16 partial;

	if (size > ICMP_WHOLE_MAX)
		return 0;
	if ((protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) &&
	    !bpf_skb_load_bytes(skb, ETH_HLEN + header + field, &partial, 2) &&
	    partial == icmp_pseudo_sum(quote, size - header, protocol))
		*ret_sum =
			(__u32)bpf_csum_diff(NULL, 0, (__be32 *)quote, header, 0) + (__u16)~partial;
	else
		*ret_sum = icmp_sum(skb, p, ETH_HLEN, ETH_HLEN + size);
	return header + 8;
}

/* Cuts the packet down to what is quoted, where it lets itself be cut, and copies the beginning of
 * that to 'quote', which has room for ICMP_QUOTE_MAX; 'header' is the IP header's size.  Returns
 * how much was copied or 0; '*ret_sum' is the sum of all that is left of the packet. */
static __always_inline __u32 icmp_quote(struct __sk_buff *skb, struct packet *p, __u8 *quote,
					__u32 header, __u8 protocol, __u64 *ret_sum)
{
	__u32 size = header + 8;
	__u32 field = protocol == IPPROTO_TCP ? 16 : 6;
	__be16 partial;

	if (header < 20 || header > 60)
		return 0;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, quote, size))
		return 0;
	/* Refused if the checksum is partial, as the kernel needs its place; or in any case. */
	if (!bpf_skb_change_tail(skb, ETH_HLEN + header, 0)) {
		*ret_sum = (__u32)bpf_csum_diff(NULL, 0, (__be32 *)quote, size, 0);
		return bpf_skb_change_tail(skb, ETH_HLEN + size, 0) ? 0 : size;
	}
	if (protocol == IPPROTO_TCP)
		size = header + sizeof(struct tcphdr);
	if ((protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) ||
	    bpf_skb_load_bytes(skb, ETH_HLEN, quote, size) ||
	    bpf_skb_load_bytes(skb, ETH_HLEN + header + field, &partial, 2) ||
	    bpf_skb_change_tail(skb, ETH_HLEN + size, 0))
		return icmp_quote_whole(skb, p, quote, header, protocol, ret_sum);
	*ret_sum = (__u32)bpf_csum_diff(NULL, 0, (__be32 *)quote, header, 0) + (__u16)~partial;
	return size;
}

static __always_inline void icmp_fill(struct icmp_frame *f, const struct packet *p, __u32 quoted,
				      __u64 quote_sum)
{
	const __u32 *icmp = (const __u32 *)&f->icmp;
	__u16 ethertype = htons(ETH_P_IP);

	memcpy(f->ethernet, p->node_mac, 6);
	memcpy(f->ethernet + 6, p->router_mac, 6);
	memcpy(f->ethernet + 12, &ethertype, 2);
	f->ip.version = 4;
	f->ip.ihl = 5;
	f->ip.tos = 0xc0; /* internetwork control: RFC 1812 4.3.2.5 */
	f->ip.tot_len = htons((__u16)(ICMP_NEW_SIZE + quoted));
	f->ip.ttl = 64;
	f->ip.protocol = IPPROTO_ICMP;
	f->ip.saddr = p->router;
	memcpy(&f->ip.daddr, p->src + 12, 4);
	f->ip.check = (__u16)~fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)&f->ip, 20, 0));
	f->icmp.checksum = (__u16)~fold(quote_sum + icmp[0] + (__u64)icmp[1]);
}

__judged_once int icmp_error(struct __sk_buff *skb, struct packet *p, __u32 type, __u32 code)
{
	const struct dp_port_copy *port;
	struct iphdr *ip = ipv4_get(skb);
	struct icmp_frame *f;
	__u64 sum = 0;
	__u32 quoted;

	if (!p || !ip)
		return TC_ACT_SHOT;
	f = (struct icmp_frame *)p->work;
	port = port_get(p->slot);
	if (!port || !icmp_may_answer(skb, ip))
		return TC_ACT_SHOT;
	ip = ipv4_get(skb);
	if (!ip || !budget_take(p->slot, DP_BUDGET_ICMP, DP_ICMP_PER_WINDOW))
		return TC_ACT_SHOT;
	quoted = icmp_quote(skb, p, f->quote, (__u32)ip->ihl * 4, ip->protocol, &sum);
	if (quoted < 28 || quoted > ICMP_QUOTE_MAX)
		return TC_ACT_SHOT;
	memset(f, 0, __builtin_offsetof(struct icmp_frame, quote));
	f->icmp.type = (__u8)type;
	f->icmp.code = (__u8)code;
	if (code == ICMP_FRAG_NEEDED && type == ICMP_DEST_UNREACH)
		f->icmp.un.frag.mtu = htons(p->mtu);
	icmp_fill(f, p, skb->len - ETH_HLEN, sum);
	if (bpf_skb_adjust_room(skb, ICMP_NEW_SIZE, BPF_ADJ_ROOM_MAC, 0) ||
	    bpf_skb_store_bytes(skb, 0, f->ethernet, ETH_HLEN + ICMP_NEW_SIZE + quoted, 0))
		return TC_ACT_SHOT;
	return (int)bpf_redirect(port->ifindex, 0);
}

/* Turns a refused packet into its answer, or drops it. */
static __always_inline int icmp_answer(struct __sk_buff *skb, struct packet *p, __u32 reason)
{
	__u8 type, code = 0;

	if (!p->from_node || !p->router || skb->protocol != htons(ETH_P_IP))
		return TC_ACT_SHOT;
	if (!icmp_kind(p, reason, &type, &code))
		return TC_ACT_SHOT;
	return icmp_error(skb, p, type, code);
}
