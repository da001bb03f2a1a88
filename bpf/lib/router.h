/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The logical router as a host: what is addressed to it or to the network's resolver.  It answers
 * pings itself; DHCP and DNS go to the agent; everything else has no such service.
 */
#pragma once

#include "bpf/lib/transmit.h"
#include "bpf/lib/upcall.h"

enum {
	PORT_DNS = 53,
	PORT_DHCP_SERVER = 67,
	PORT_DHCP_CLIENT = 68,
};

/* The UDP destination port of an unfragmented packet, or 0. */
static __always_inline __u16 router_udp_port(struct __sk_buff *skb, const struct iphdr *ip)
{
	__u32 header = (__u32)(ip->ihl & 15) * 4;
	__be16 port;

	if (ip->protocol != IPPROTO_UDP || ipv4_is_fragment(ip))
		return 0;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + header + 2, &port, 2))
		return 0;
	return ntohs(port);
}

/* Makes an echo request into its reply: addresses and MACs swapped, the type changed. */
static __noinline int router_echo(struct __sk_buff *skb, const struct packet *p)
{
	const struct dp_port_copy *port = port_get(p->slot);
	struct iphdr *ip = ipv4_get(skb);
	__u8 *eth;
	struct icmphdr *icmp = (void *)(ip + 1);
	__be32 target;

	if (!ip || !port || (void *)(icmp + 1) > packet_end(skb) || ip->ihl != 5)
		return -DROP_ROUTER_SERVICE;
	if (icmp->type != ICMP_ECHO || ipv4_is_fragment(ip))
		return -DROP_ROUTER_SERVICE;
	icmp->type = ICMP_ECHOREPLY;
	icmp->checksum = fold((__u64)icmp->checksum + htons((__u16)(ICMP_ECHO << 8)));
	target = ip->daddr;
	ip->daddr = ip->saddr;
	ip->saddr = target;
	ip->check = fold((__u64)ip->check + htons((__u16)(ip->ttl << 8)));
	ip->check = fold((__u64)ip->check + (__u16)~htons(64 << 8));
	ip->ttl = 64;
	eth = ethernet_of(ip);
	memcpy(eth, p->node_mac, 6);
	memcpy(eth + 6, p->router_mac, 6);
	return (int)bpf_redirect(port->ifindex, 0);
}

static __always_inline int router_receive(struct __sk_buff *skb, struct packet *p,
					  const struct iphdr *ip, bool is_resolver)
{
	__u16 service = router_udp_port(skb, ip);

	if (ip->protocol == IPPROTO_ICMP)
		return router_echo(skb, p);
	if (is_resolver && service == PORT_DNS)
		return upcall(p, DP_NOTE_DNS, p->port_id, 0);
	if (service == PORT_DHCP_SERVER)
		return upcall(p, DP_NOTE_DHCP, p->port_id, 0);
	return -DROP_ROUTER_SERVICE;
}
