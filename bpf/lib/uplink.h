/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface to the world: ARP for the public addresses is answered with its own MAC, packets to
 * them are taken in, everything else is the machine's.
 */
#pragma once

#include "bpf/lib/arp.h"
#include "bpf/lib/edge.h"

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
		return TC_ACT_SHOT;
	return (int)bpf_redirect(config.uplink_ifindex, 0);
}

/* 'p' may say that the packet was written back by the agent. */
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
