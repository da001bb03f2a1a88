/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IPv6 neighbour discovery (RFC 4861) answered on the spot, as ARP is: a solicitation for a mapped
 * address gets an advertisement with a MAC computed from network and address.
 */
#pragma once

#include "bpf/lib/ipv6.h"
#include "bpf/lib/upcall.h"

struct nd_message {
	__u8 type, code;
	__u16 checksum;
	__be32 flags;
	__u8 target[16];
	__u8 option, option_size; /* in units of 8 bytes */
	__u8 mac[6];
};

struct nd_frame {
	__u8 align[2];
	__u8 ethernet[ETH_HLEN]; /* the frame begins here */
	struct ipv6hdr ip;
	struct nd_message nd;
};

enum {
	ND_FLAG_ROUTER = 0x80000000, /* RFC 4861 4.4 */
	ND_FLAG_SOLICITED = 0x40000000,
	ND_FLAG_OVERRIDE = 0x20000000,
	ND_FLAGS = ND_FLAG_SOLICITED | ND_FLAG_OVERRIDE,
};

/* Makes the packet the advertisement that 'mac' has the target, 'p->dst', for 'p->src' at 'to', and
 * sends it by 'ifindex'. */
static __always_inline int nd_advertise(struct __sk_buff *skb, struct packet *p, __u32 ifindex,
					const __u8 to[6], const __u8 mac[6], __u32 flags)
{
	struct nd_frame *f = (struct nd_frame *)p->work;
	__be16 ethertype = htons(ETH_P_IPV6);
	__u32 pseudo;

	memset(f, 0, sizeof(*f));
	memcpy(f->ethernet, to, 6);
	memcpy(f->ethernet + 6, mac, 6);
	memcpy(f->ethernet + 12, &ethertype, 2);
	*(__be32 *)&f->ip = htonl(6U << 28);
	f->ip.payload_len = htons(sizeof(f->nd));
	f->ip.nexthdr = IPPROTO_ICMPV6;
	f->ip.hop_limit = 255;
	memcpy(&f->ip.saddr, p->dst, 16);
	memcpy(&f->ip.daddr, p->src, 16);
	f->nd.type = ND_ADVERTISEMENT;
	f->nd.flags = htonl(flags);
	memcpy(f->nd.target, p->dst, 16);
	f->nd.option = ND_OPTION_TARGET_MAC;
	f->nd.option_size = 1;
	memcpy(f->nd.mac, mac, 6);
	pseudo = htonl(sizeof(f->nd)) + htonl(IPPROTO_ICMPV6);
	f->nd.checksum = (__u16)~fold(
		(__u32)bpf_csum_diff(NULL, 0, (__be32 *)&f->ip.saddr, 32 + sizeof(f->nd), pseudo));
	if (bpf_skb_change_tail(skb, sizeof(*f) - sizeof(f->align), 0) ||
	    bpf_skb_store_bytes(skb, 0, f->ethernet, sizeof(*f) - sizeof(f->align), 0))
		return -DROP_REWRITE;
	return (int)bpf_redirect(ifindex, 0);
}

/* To the node that asked. */
static __always_inline int nd_reply(struct __sk_buff *skb, struct packet *p,
				    const struct dp_port_copy *port, const __u8 mac[6], __u32 flags)
{
	return nd_advertise(skb, p, port->ifindex, port->mac, mac, flags);
}

/* 'p' has the packet's source; its destination becomes the target, which is what is asked for. */
static __noinline int nd_solicitation(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_port_copy *port = port_get(p->slot);
	const struct dp_subnet_value *link;
	const struct dp_mapping_value *m;
	__u8 mac[8];
	__u32 slot;

	if (!port || bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(struct ipv6hdr) + 8, p->dst, 16))
		return -DROP_MALFORMED;
	if (ipv6_is_zero(p->src))
		return -DROP_ND_IGNORED; /* duplicate address detection */
	if (local_slot(p->vni, p->src) != p->slot)
		return -DROP_SOURCE_ADDR;
	link = subnet_get(p->vni, p->dst);
	if (link && equal_16(link->router, p->dst))
		return nd_reply(skb, p, port, link->router_mac, ND_FLAGS | ND_FLAG_ROUTER);
	/* what is on another link is not a neighbour */
	if (!ipv6_is_link_local(p->src) && !ipv6_is_link_local(p->dst) &&
	    !ipv6_same_link(p->src, p->dst))
		return -DROP_ND_IGNORED;
	substrate_dummy_mac_v6(mac, p->vni, p->dst);
	slot = local_slot(p->vni, p->dst);
	if (slot)
		return slot == p->slot ? -DROP_ND_IGNORED : nd_reply(skb, p, port, mac, ND_FLAGS);
	m = mapping_v6_get(p->vni, p->dst);
	if (!m)
		return upcall(p, DP_NOTE_ARP, p->port_id, 0);
	p->revision = m->revision;
	if (m->state == DP_STATE_LIVE || m->state == DP_STATE_HELD)
		return nd_reply(skb, p, port, mac, ND_FLAGS);
	return -DROP_ND_REFUSED;
}
