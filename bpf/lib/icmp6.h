/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMPv6 errors of the substrate about our packets, told to the node by its router: as ICMPv4 (RFC
 * 7915 5.2, 5.3), or as ICMPv6 when it was about IPv6 that travelled whole (RFC 2473 8).  The
 * quoted packet becomes again what the node had sent.  Only after checking that this host could
 * have sent it: from an address of a port here, to a mapped destination.
 *
 * What this host had sent on for others is told to nobody: the way to them leads through a
 * translation, or another node.  But how large packets may be goes to the agent, for the peer that
 * they were for: from then on they are refused here, and whoever refuses tells their sender.
 */
#pragma once

#include "bpf/lib/icmp.h"
#include "bpf/lib/icmp_v6.h"
#include "bpf/lib/ingress_address.h"
#include "bpf/lib/siit.h"
#include "bpf/lib/spread.h"
#include "bpf/lib/transmit.h"

enum {
	ICMP6_AT = ETH_HLEN + sizeof(struct ipv6hdr), /* where the message begins */
	ICMP6_QUOTE_AT = ICMP6_AT + 8,
	ICMP6_INNER_AT = ICMP6_QUOTE_AT + sizeof(struct ipv6hdr),
	ICMP4_MIN_MTU = 68, /* RFC 791 */
};

/* RFC 7915 5.2: type and code; false: not told. */
static __always_inline bool icmp6_kind(const __u8 message[8], __u8 *ret_type, __u8 *ret_code)
{
	__u8 code = message[1];

	switch (message[0]) {
	case ICMP6_UNREACHABLE:
		*ret_type = ICMP_DEST_UNREACH;
		*ret_code = code == 1   ? ICMP_HOST_ANO
			    : code == 4 ? ICMP_PORT_UNREACH
					: ICMP_HOST_UNREACH;
		return code <= 4;
	case ICMP6_TOO_BIG:
		*ret_type = ICMP_DEST_UNREACH;
		*ret_code = ICMP_FRAG_NEEDED;
		return true;
	case ICMP6_TIME_EXCEEDED:
		*ret_type = ICMP_TIME_EXCEEDED;
		*ret_code = code;
		return code <= 1;
	default:
		return false;
	}
}

/* Whether an edge has the source from the world, or a node here forwards from others.  'src' is its
 * virtual address. */
static __always_inline bool icmp6_is_of_others(const struct ingress *in, const __u8 src[16])
{
	const struct dp_handle_value *h;

	if (ingress_is_network(in->src_vni))
		return config.uplink_ifindex && !local_slot(in->src_vni, src);
	h = handle_get(in->src_vni);
	return h && h->kind == DP_HANDLE_PORT;
}

/* The error is about such a packet, with well-formed addresses: an upcall, or a reason. */
static __always_inline int icmp6_narrow(struct packet *p, const struct ingress *in,
					const __u8 message[8])
{
	__u32 peer = ingress_peer(in->layout, in->dst);

	if (message[0] != ICMP6_TOO_BIG || p->injected || !peer || !peer_get(peer))
		return -DROP_ICMP6;
	return upcall(p, DP_NOTE_NARROW, peer, 0);
}

/* Could this host have sent the quoted packet?  0 with the node in 'p', an upcall, or a reason. */
static __always_inline int icmp6_check_quote(struct packet *p, struct ingress *in,
					     const __u8 message[8])
{
	const struct dp_mapping_value *m;
	const struct dp_subnet_value *subnet;
	const struct dp_port_copy *port;
	__u32 peer;

	in->layout = ingress_layout(in->src);
	if (in->layout == FORMAT_NONE || ingress_check_addresses(in))
		return -DROP_ICMP6;
	map_v4(p->src, in->saddr);
	if (icmp6_is_of_others(in, p->src))
		return icmp6_narrow(p, in, message);
	if (!ingress_is_network(in->src_vni))
		return -DROP_ICMP6;
	p->vni = in->src_vni;
	map_v4(p->dst, in->daddr);
	p->slot = local_slot(p->vni, p->src);
	port = port_get(p->slot);
	subnet = subnet_get(p->vni, p->src);
	peer = ingress_peer(in->layout, in->dst);
	if (!p->slot || !port || !subnet || !peer)
		return -DROP_ICMP6;
	if (in->vni < SUBSTRATE_VNI_HANDLE_MIN) {
		m = mapping_v4_get(in->vni, in->daddr);
		if (!m || !spread_is_at(m, in->vni, p->dst, peer))
			return -DROP_ICMP6;
	} else if (way_find(p, subnet->table) || p->to_vni != in->vni || p->to_peer != peer) {
		return -DROP_ICMP6;
	}
	p->port_id = port->id;
	memcpy(p->node_mac, port->mac, 6);
	memcpy(p->router_mac, subnet->router_mac, 6);
	memcpy(&p->router, subnet->router + 12, 4);
	return 0;
}

/* The quoted packet's own IPv4 header, and 8 bytes of what it carried. */
static __always_inline int icmp6_quote_siit(struct __sk_buff *skb, struct icmp_frame *f,
					    const struct ipv6hdr *quoted, const struct ingress *in)
{
	__u32 word = ntohl(*(const __be32 *)quoted);
	struct iphdr *ip = (struct iphdr *)f->quote;
	__u16 *udp_check = (__u16 *)(f->quote + sizeof(*ip) + 6);
	__be32 v4[2] = {in->saddr, in->daddr};

	memset(ip, 0, sizeof(*ip));
	*(__be16 *)ip = htons((__u16)(0x4500 | (word >> 20 & 0xff)));
	ip->tot_len = htons((__u16)(ntohs(quoted->payload_len) + sizeof(*ip)));
	*(__be32 *)&ip->id = htonl(substrate_label_df(word & 0xfffff) ? IP_DF : 0);
	ip->ttl = substrate_label_ttl(word & 0xfffff);
	ip->protocol = quoted->nexthdr;
	ip->saddr = in->saddr;
	ip->daddr = in->daddr;
	ip->check = (__u16)~fold(ipv4_sum(ip));
	if (bpf_skb_load_bytes(skb, ICMP6_INNER_AT, f->quote + sizeof(*ip), 8))
		return -DROP_ICMP6;
	if (in->layout == FORMAT_SIIT_1 && ip->protocol == IPPROTO_UDP && *udp_check)
		*udp_check = (__u16)~fold(
			(__u64)(__u16) ~*udp_check +
			(__u32)bpf_csum_diff((__be32 *)in->src, 32, v4, sizeof(v4), 0));
	return 0;
}

/* As above for a packet that travelled whole. */
static __always_inline int icmp6_quote_ipip6(struct __sk_buff *skb, struct icmp_frame *f,
					     const struct ingress *in)
{
	const struct iphdr *ip = (const struct iphdr *)f->quote;

	if (bpf_skb_load_bytes(skb, ICMP6_INNER_AT, f->quote, sizeof(*ip) + 8))
		return -DROP_ICMP6;
	return ip->saddr == in->saddr && ip->daddr == in->daddr && ip->version == 4 ? 0
										    : -DROP_ICMP6;
}

/* Makes the packet the ICMPv4 error 'f' and gives it to the node. */
static __always_inline int icmp6_deliver(struct __sk_buff *skb, struct packet *p,
					 struct icmp_frame *f)
{
	const __u32 quoted = sizeof(struct iphdr) + 8;
	const struct dp_port_copy *port = port_get(p->slot);
	__s64 sum = bpf_csum_diff(NULL, 0, (__be32 *)f->quote, quoted, 0);

	if (!port)
		return -DROP_ICMP6;
	if (!budget_take(p->slot, DP_BUDGET_ICMP, DP_ICMP_PER_WINDOW))
		return -DROP_ICMP_LIMIT;
	icmp_fill(f, p, quoted, (__u32)sum);
	if (bpf_skb_change_proto(skb, htons(ETH_P_IP), 0) ||
	    bpf_skb_change_tail(skb, ETH_HLEN + ICMP_NEW_SIZE + quoted, 0) ||
	    bpf_skb_store_bytes(skb, 0, f->ethernet, ETH_HLEN + ICMP_NEW_SIZE + quoted, 0))
		return -DROP_REWRITE;
	return deliver(skb, port, p->slot, FORMAT_NONE);
}

/* Could this host have sent the IPv6 packet inside the quoted one?  As above. */
static __always_inline int icmp6_check_inner(struct packet *p, struct ingress *in,
					     const struct ipv6hdr *inner, const __u8 message[8])
{
	const struct dp_subnet_value *subnet;
	const struct dp_mapping_value *m;
	const struct dp_port_copy *port;
	__u32 peer;

	in->layout = ingress_layout(in->src);
	if (in->layout == FORMAT_NONE || ingress_check_addresses(in) || in->saddr || in->daddr ||
	    inner->version != 6)
		return -DROP_ICMP6;
	memcpy(p->src, &inner->saddr, 16);
	if (icmp6_is_of_others(in, p->src))
		return icmp6_narrow(p, in, message);
	if (!ingress_is_network(in->src_vni))
		return -DROP_ICMP6;
	p->vni = in->src_vni;
	memcpy(p->dst, &inner->daddr, 16);
	p->slot = local_slot(p->vni, p->src);
	port = port_get(p->slot);
	subnet = subnet_get(p->vni, p->src);
	peer = ingress_peer(in->layout, in->dst);
	if (!p->slot || !port || !subnet || !peer)
		return -DROP_ICMP6;
	if (in->vni < SUBSTRATE_VNI_HANDLE_MIN) {
		m = mapping_v6_get(in->vni, p->dst);
		if (!m || !spread_is_at(m, in->vni, p->dst, peer))
			return -DROP_ICMP6;
	} else if (way_find(p, subnet->table) || p->to_vni != in->vni || p->to_peer != peer) {
		return -DROP_ICMP6;
	}
	p->port_id = port->id;
	memcpy(p->node_mac, port->mac, 6);
	return 0;
}

/* The error about an IPv6 packet that travelled whole, which it may not have been big enough for,
 * or for which there was no way: both are so for the node's packet, too (RFC 2473 8.1 to 8.3). */
static __noinline int icmp6_error_inside(struct __sk_buff *skb, struct packet *p,
					 const __u8 destination[16])
{
	const __u32 quoted = sizeof(struct ipv6hdr) + 8, size = ETH_HLEN + ICMP6_NEW_SIZE + quoted;
	struct icmp6_frame *f = (struct icmp6_frame *)p->work;
	const struct dp_subnet_value *link;
	const struct dp_port_copy *port;
	__u8 message[8], type, code;
	__u32 mtu;
	int r;

	if (bpf_skb_load_bytes(skb, ICMP6_AT, message, sizeof(message)) ||
	    !icmp6_kind(message, &type, &code) ||
	    bpf_skb_load_bytes(skb, ICMP6_QUOTE_AT + 8, p->in.src, 32) ||
	    bpf_skb_load_bytes(skb, ICMP6_INNER_AT, f->quote, quoted))
		return -DROP_ICMP6;
	if (!destination || !equal_16(p->in.src, destination))
		return -DROP_ICMP6;
	r = icmp6_check_inner(p, &p->in, (const struct ipv6hdr *)f->quote, message);
	if (r)
		return r;
	port = port_get(p->slot);
	link = subnet_get(p->vni, p->src);
	if (!port || !link)
		return -DROP_ICMP6;
	memset(f, 0, __builtin_offsetof(struct icmp6_frame, quote));
	f->type = message[0];
	f->code = message[0] == ICMP6_UNREACHABLE ? ICMP6_ADDRESS : message[1];
	if (message[0] == ICMP6_TOO_BIG) {
		memcpy(&mtu, message + 4, 4);
		mtu = ntohl(mtu);
		if (mtu > 0xffff)
			return -DROP_ICMP6;
		mtu = mtu < IPV6_MIN_MTU + SUBSTRATE_OVERHEAD_IPIP6
			      ? IPV6_MIN_MTU
			      : mtu - SUBSTRATE_OVERHEAD_IPIP6;
		f->mtu = htonl(mtu);
	}
	if (!budget_take(p->slot, DP_BUDGET_ICMP, DP_ICMP_PER_WINDOW))
		return -DROP_ICMP_LIMIT;
	icmp_v6_fill(f, p, link, quoted,
		     (__u32)bpf_csum_diff(NULL, 0, (__be32 *)f->quote, quoted, 0));
	if (bpf_skb_change_tail(skb, size, 0) || bpf_skb_store_bytes(skb, 0, f->ethernet, size, 0))
		return -DROP_REWRITE;
	return deliver(skb, port, p->slot, FORMAT_NONE);
}

/* 'destination' is the address that the error was sent to. */
static __noinline int icmp6_error(struct __sk_buff *skb, struct packet *p,
				  const __u8 destination[16])
{
	struct icmp_frame *f = (struct icmp_frame *)p->work;
	struct ingress *in = &p->in;
	struct ipv6hdr quoted;
	__u8 message[8];
	__u32 mtu, overhead;
	int r;

	memset(f, 0, __builtin_offsetof(struct icmp_frame, quote));
	if (bpf_skb_load_bytes(skb, ICMP6_AT, message, sizeof(message)) ||
	    bpf_skb_load_bytes(skb, ICMP6_QUOTE_AT, &quoted, sizeof(quoted)) ||
	    !icmp6_kind(message, &f->icmp.type, &f->icmp.code))
		return -DROP_ICMP6;
	if (!equal_16(&quoted.saddr, destination))
		return -DROP_ICMP6;
	memcpy(in->src, &quoted.saddr, 16);
	memcpy(in->dst, &quoted.daddr, 16);
	r = icmp6_check_quote(p, in, message);
	if (r)
		return r;
	if (quoted.nexthdr == IPPROTO_IPIP) {
		overhead = SUBSTRATE_OVERHEAD_IPIP6;
		r = icmp6_quote_ipip6(skb, f, in);
	} else {
		overhead = SUBSTRATE_OVERHEAD_SIIT;
		r = substrate_can_rehead(quoted.nexthdr) ? icmp6_quote_siit(skb, f, &quoted, in)
							 : -DROP_ICMP6;
	}
	if (r)
		return r;
	if (message[0] == ICMP6_TOO_BIG) {
		memcpy(&mtu, message + 4, 4);
		mtu = ntohl(mtu);
		if (mtu > 0xffff)
			return -DROP_ICMP6;
		mtu = mtu < ICMP4_MIN_MTU + overhead ? ICMP4_MIN_MTU : mtu - overhead;
		f->icmp.un.frag.mtu = htons((__u16)mtu);
	}
	return icmp6_deliver(skb, p, f);
}

/* One of the two, each for itself: they share the little stack. */
static __always_inline int icmp6_any(struct __sk_buff *skb, struct packet *p,
				     const __u8 destination[16])
{
	__u8 next;

	if (bpf_skb_load_bytes(skb, ICMP6_QUOTE_AT + 6, &next, 1))
		return -DROP_ICMP6;
	return next == IPPROTO_IPIP6 ? icmp6_error_inside(skb, p, destination)
				     : icmp6_error(skb, p, destination);
}
