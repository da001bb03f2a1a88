/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The logical router as a host, for IPv6: it answers pings to its link-local address itself, DHCPv6
 * and router solicitations go to the agent, everything else has no such service.
 */
#pragma once

#include "bpf/lib/ipv6.h"
#include "bpf/lib/upcall.h"

enum {
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	PORT_DHCP6_SERVER = 547, /* RFC 8415 7.2 */
};

/* ff02::1:2, all DHCP relay agents and servers (RFC 8415 7.1). */
static __always_inline bool router6_is_dhcp(const __u8 dst[16])
{
	const __u32 *w = (const __u32 *)dst;

	return w[0] == htonl(0xff020000) && !w[1] && !w[2] && w[3] == htonl(0x00010002);
}

/* Makes an echo request into its reply: addresses and MACs swapped, the type changed. */
static __noinline int router6_echo(struct __sk_buff *skb, const struct packet *p)
{
	const struct dp_port_copy *port = port_get(p->slot);
	struct ipv6hdr *ip = ipv6_get(skb);
	struct icmphdr *icmp = (void *)(ip + 1);
	__u8 *eth;

	if (!ip || !port || (void *)(icmp + 1) > packet_end(skb) || ip->nexthdr != IPPROTO_ICMPV6 ||
	    icmp->type != ICMP6_ECHO)
		return -DROP_ROUTER_SERVICE;
	icmp->type = ICMP6_ECHO_REPLY;
	icmp->checksum = (__u16)~fold((__u64)(__u16)~icmp->checksum + htons(1 << 8));
	memcpy(&ip->saddr, p->dst, 16);
	memcpy(&ip->daddr, p->src, 16);
	ip->hop_limit = 64;
	eth = ethernet_of(ip);
	memcpy(eth, p->node_mac, 6);
	memcpy(eth + 6, p->router_mac, 6);
	return (int)bpf_redirect(port->ifindex, 0);
}

static __always_inline __u16 router6_udp_port(struct __sk_buff *skb, __u8 next, __u16 at)
{
	__be16 port;

	if (next != IPPROTO_UDP || !at || bpf_skb_load_bytes(skb, (__u32)at + 2, &port, 2))
		return 0;
	return ntohs(port);
}

/* What is addressed to the router itself. */
static __always_inline int router6_receive(struct __sk_buff *skb, struct packet *p, __u8 next,
					   __u16 at)
{
	if (next == IPPROTO_ICMPV6)
		return router6_echo(skb, p);
	if (router6_udp_port(skb, next, at) == PORT_DHCP6_SERVER)
		return upcall(p, DP_NOTE_CONFIGURE6, p->port_id, 0);
	return -DROP_ROUTER_SERVICE;
}
