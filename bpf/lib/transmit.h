/* SPDX-License-Identifier: GPL-2.0-only */
/* The last step on either side: out to the wire by a next hop, or in to a node by its port. */
#pragma once

#include "bpf/lib/counter.h"
#include "bpf/lib/rate.h"

/* To a next hop whose MAC the kernel finds out. */
static __noinline int transmit_unresolved(const struct dp_nexthop_copy *n)
{
	struct bpf_redir_neigh params = {};

	if (n->flags & DP_NEXTHOP_GATEWAY_V6) {
		params.nh_family = AF_INET6;
		memcpy(params.ipv6_nh, n->gateway, 16);
	} else {
		params.nh_family = AF_INET;
		memcpy(&params.ipv4_nh, n->gateway + 12, 4);
	}
	return (int)bpf_redirect_neigh(n->ifindex, &params, sizeof(params), 0);
}

/* The packet is of the substrate now, IPv6 or IPv4 as 'ethertype' says; 'n' is
 * nexthop_get(nexthop).  Whoever gets it before he rewrites the packet need not wait for it
 * afterwards: the processor does not look beyond a call. */
static __always_inline int transmit_by(struct __sk_buff *skb, const struct dp_nexthop_copy *n,
				       __u32 nexthop, __be16 ethertype)
{
	__u8 *eth = packet_data(skb);

	if (!n)
		return -DROP_NO_NEXTHOP;
	/* Only a peer's own has a rate, which lies apart from the rest. */
	if (unlikely(nexthop >= DP_NEXTHOPS_OF_PEERS && n->rate) && !rate_take(skb, n->rate))
		return -DROP_RATE;
	if (eth + ETH_HLEN > (__u8 *)packet_end(skb))
		return -DROP_REWRITE;
	copy_12(eth, n->destination);
	*(__be16 *)(eth + 12) = ethertype;
	if (likely(n->flags & DP_NEXTHOP_RESOLVED))
		return (int)bpf_redirect(n->ifindex, 0);
	return transmit_unresolved(n);
}

static __always_inline int transmit(struct __sk_buff *skb, __u32 nexthop)
{
	return transmit_by(skb, nexthop_get(nexthop), nexthop, htons(ETH_P_IPV6));
}

/* The frame is as the node is to see it; 'c' is counter_get() of its slot and format. */
static __always_inline int deliver_by(struct __sk_buff *skb, struct dp_traffic *c, __u32 ifindex,
				      __u32 flags)
{
	counter_rx(skb, c);
	if (flags & DP_PORT_PEER_REDIRECT)
		return (int)bpf_redirect_peer(ifindex, 0);
	return (int)bpf_redirect(ifindex, 0);
}

/* From this host itself. */
static __always_inline int deliver_to(struct __sk_buff *skb, __u32 slot, __u32 ifindex, __u32 flags)
{
	return deliver_by(skb, counter_get(slot, FORMAT_NONE), ifindex, flags);
}

/* 'format' is what it came in, or FORMAT_NONE. */
static __always_inline int deliver(struct __sk_buff *skb, const struct dp_port_copy *port,
				   __u32 slot, __u32 format)
{
	return deliver_by(skb, counter_get(slot, format), port->ifindex, port->flags);
}
