/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP errors of the substrate about packets re-headed on IPv4, told to the node by its router.
 * The quoted packet becomes again what the node had sent.  Only after checking that this host could
 * have sent it: from the label of a port here, to the label of a mapped destination.
 */
#pragma once

#include "bpf/lib/icmp.h"
#include "bpf/lib/icmp6.h"
#include "bpf/lib/reip4.h"

enum {
	ICMP4_AT = ETH_HLEN + sizeof(struct iphdr), /* where the message begins */
	ICMP4_QUOTE_AT = ICMP4_AT + sizeof(struct icmphdr),
	ICMP4_QUOTED = sizeof(struct iphdr) + 8,
};

/* What the node is told: the ways of the substrate are none of its business, so all that could not
 * be delivered is an unreachable host, or prohibited.  As for ICMPv6 (icmp6_kind()). */
static __always_inline bool icmp4_kind(struct icmphdr *icmp)
{
	if (icmp->type == ICMP_TIME_EXCEEDED)
		return icmp->code <= 1;
	if (icmp->type != ICMP_DEST_UNREACH || icmp->code > 15)
		return false;
	if (icmp->code == ICMP_FRAG_NEEDED)
		return icmp->un.frag.mtu;
	if (icmp->code == 9 || icmp->code == ICMP_HOST_ANO || icmp->code == 13)
		icmp->code = ICMP_HOST_ANO;
	else
		icmp->code = ICMP_HOST_UNREACH;
	return true;
}

/* Could this host have sent the quoted packet?  0 with the node in 'p', or a reason. */
static __always_inline int icmp4_check_quote(struct packet *p, const struct iphdr *quoted)
{
	const struct dp_label_value *src = label_get(0, quoted->saddr);
	const struct dp_label_value *dst = label_get(0, quoted->daddr);
	const struct dp_mapping_value *m;
	const struct dp_subnet_value *subnet;
	const struct dp_port_copy *port;

	if (!src || !dst)
		return -DROP_ICMP6;
	m = mapping_v4_get(dst->vni, dst->addr);
	if (!m || m->label != quoted->daddr ||
	    (m->state != DP_STATE_LIVE && m->state != DP_STATE_HELD))
		return -DROP_ICMP6;
	p->vni = src->vni;
	p->in.saddr = src->addr;
	p->in.daddr = dst->addr;
	map_v4(p->src, src->addr);
	map_v4(p->dst, dst->addr);
	p->slot = local_slot(p->vni, p->src);
	port = port_get(p->slot);
	subnet = subnet_get(p->vni, p->src);
	if (!p->slot || !port || !subnet)
		return -DROP_ICMP6;
	p->port_id = port->id;
	memcpy(p->node_mac, port->mac, 6);
	memcpy(p->router_mac, subnet->router_mac, 6);
	memcpy(&p->router, subnet->router + 12, 4);
	return 0;
}

/* Makes the quoted header what the node had sent. */
static __always_inline void icmp4_restore(struct packet *p, struct icmp_frame *f)
{
	struct iphdr *ip = (struct iphdr *)f->quote;
	__u16 *udp_check = (__u16 *)(f->quote + sizeof(*ip) + 6);
	__be32 labels[2] = {ip->saddr, ip->daddr}, v4[2] = {p->in.saddr, p->in.daddr};

	if (ip->protocol == IPPROTO_UDP && *udp_check)
		*udp_check = (__u16)~fold(
			(__u64)(__u16) ~*udp_check +
			(__u32)bpf_csum_diff(labels, sizeof(labels), v4, sizeof(v4), 0));
	reip4_write(ip, v4[0], v4[1], 0, substrate_reip4_ttl(ntohs(ip->id)));
}

static __noinline int icmp4_error(struct __sk_buff *skb, struct packet *p)
{
	const __u32 size = ETH_HLEN + ICMP_NEW_SIZE + ICMP4_QUOTED;
	struct icmp_frame *f = (struct icmp_frame *)p->work;
	const struct iphdr *ip = ipv4_get(skb), *quoted = (const struct iphdr *)f->quote;
	const struct dp_port_copy *port;
	__u32 mtu;
	int r;

	memset(f, 0, __builtin_offsetof(struct icmp_frame, quote));
	if (!ip || *(const __u8 *)ip != 0x45 || ip->frag_off & htons(IP_MF | IP_OFFSET) ||
	    !ipv4_sum_is_right(ip) ||
	    bpf_skb_load_bytes(skb, ICMP4_AT, &f->icmp, sizeof(f->icmp)) ||
	    bpf_skb_load_bytes(skb, ICMP4_QUOTE_AT, f->quote, ICMP4_QUOTED) ||
	    !icmp4_kind(&f->icmp))
		return -DROP_ICMP6;
	ip = ipv4_get(skb);
	if (!ip || *(const __u8 *)quoted != 0x45 || quoted->frag_off != htons(IP_DF) ||
	    quoted->saddr != ip->daddr)
		return -DROP_ICMP6;
	r = icmp4_check_quote(p, quoted);
	if (r)
		return r;
	mtu = ntohs(f->icmp.un.frag.mtu);
	f->icmp.un.word = 0;
	f->icmp.checksum = 0;
	if (f->icmp.type == ICMP_DEST_UNREACH && f->icmp.code == ICMP_FRAG_NEEDED)
		f->icmp.un.frag.mtu = htons((__u16)(mtu < ICMP4_MIN_MTU ? ICMP4_MIN_MTU : mtu));
	icmp4_restore(p, f);
	port = port_get(p->slot);
	if (!port)
		return -DROP_ICMP6;
	if (!budget_take(p->slot, DP_BUDGET_ICMP, DP_ICMP_PER_WINDOW))
		return -DROP_ICMP_LIMIT;
	icmp_fill(f, p, ICMP4_QUOTED,
		  (__u32)bpf_csum_diff(NULL, 0, (__be32 *)f->quote, ICMP4_QUOTED, 0));
	if (bpf_skb_change_tail(skb, size, 0) || bpf_skb_store_bytes(skb, 0, f->ethernet, size, 0))
		return -DROP_REWRITE;
	return deliver(skb, port, p->slot, FORMAT_NONE);
}
