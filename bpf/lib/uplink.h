/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface to the world: ARP for the public addresses is answered with its own MAC, and so are
 * solicitations for what is reached by this edge; packets to them are taken in, everything else is
 * the machine's.
 */
#pragma once

#include "bpf/lib/arp.h"
#include "bpf/lib/uplink_nd.h"

static __noinline int uplink_arp(struct __sk_buff *skb)
{
	struct arp_frame request, f;
	__be32 target;

	if (bpf_skb_load_bytes(skb, 0, &request, sizeof(request)) ||
	    request.arp.operation != htons(ARPOP_REQUEST) ||
	    request.arp.protocol != htons(ETH_P_IP) || request.arp.hardware_size != 6 ||
	    request.arp.protocol_size != 4)
		return TC_ACT_UNSPEC;
	memcpy(&target, request.arp.target, 4);
	if (!nat_public(target))
		return TC_ACT_UNSPEC;
	f = request;
	memcpy(f.destination, request.arp.sender_mac, 6);
	memcpy(f.source, (const void *)config_locator(config.uplink_mac), 6);
	f.arp.operation = htons(ARPOP_REPLY);
	memcpy(f.arp.target_mac, request.arp.sender_mac, 6);
	memcpy(f.arp.target, request.arp.sender, 4);
	memcpy(f.arp.sender_mac, f.source, 6);
	memcpy(f.arp.sender, request.arp.target, 4);
	if (bpf_skb_store_bytes(skb, 0, &f, sizeof(f), 0))
		return TC_ACT_UNSPEC;
	return (int)bpf_redirect(config.uplink_ifindex, 0);
}

static __noinline int uplink_ipv4(struct __sk_buff *skb, struct packet *p)
{
	struct iphdr *ip;
	int r;

	packet_pull(skb, ETH_HLEN + 60 + sizeof(struct tcphdr));
	ip = ipv4_get(skb);
	if (!ip)
		return -DROP_MALFORMED;
	r = route_check_header(skb, ip);
	if (!r)
		r = packet_trim(skb, ntohs(ip->tot_len));
	if (r)
		return r;
	ip = ipv4_get(skb);
	if (!ip)
		return -DROP_MALFORMED;
	p->public = ip->daddr;
	return edge_in(skb, p);
}

static __noinline int uplink_ipv6(struct __sk_buff *skb, struct packet *p)
{
	struct ipv6hdr *ip;
	int r;

	packet_pull(skb, ETH_HLEN + sizeof(*ip) + sizeof(struct tcphdr));
	ip = ipv6_get(skb);
	if (!ip || ip->version != 6)
		return -DROP_MALFORMED;
	r = packet_trim(skb, ntohs(ip->payload_len) + (__u32)sizeof(*ip));
	if (r)
		return r;
	return nd_is_solicitation(skb) ? uplink_solicitation(skb, p) : edge6_in(skb, p);
}

/* 'p' may say that the packet was written back by the agent. */
static __always_inline int uplink_packet(struct __sk_buff *skb, struct packet *p)
{
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return uplink_ipv4(skb, p);
	case htons(ETH_P_IPV6):
		return uplink_ipv6(skb, p);
	default:
		return -DROP_NOTE;
	}
}

/* To a group: whoever asks for a neighbour does not know his MAC. */
static __noinline int uplink_multicast(struct __sk_buff *skb)
{
	struct packet *p;

	if (skb->protocol != htons(ETH_P_IPV6) || !nd_is_ours(skb))
		return TC_ACT_UNSPEC;
	p = packet_new();
	return p ? conclude(skb, p, uplink_solicitation(skb, p)) : TC_ACT_SHOT;
}

/* Is it to a public address, or one of a network?  The machine's own packets are not copied or held
 * up. */
static __always_inline bool uplink_is_ours(struct __sk_buff *skb)
{
	const struct ipv6hdr *ip6;
	const struct iphdr *ip;

	packet_pull(skb, ETH_HLEN + sizeof(*ip6));
	if (skb->protocol == htons(ETH_P_IP)) {
		ip = ipv4_get(skb);
		return ip && nat_public(ip->daddr);
	}
	ip6 = ipv6_get(skb);
	return skb->protocol == htons(ETH_P_IPV6) && ip6 &&
	       edge6_network((const __u8 *)&ip6->daddr);
}
