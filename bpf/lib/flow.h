/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow cache: what the full path decided, kept until anything that it read may have changed
 * (abi/maps.h: generations).  A hit costs one hash look-up and a few array look-ups.
 */
#pragma once

#include "bpf/lib/packet.h"

/* All but the first of eight bytes, as they lie in memory. */
#define FLOW_IN_MASK bpf_cpu_to_be64(0x00ffffffffffffffULL)

/* The port's and peer's records if the stamp still holds. */
static __always_inline bool flow_is_valid(const struct dp_stamp *s,
					  const struct dp_port_copy **ret_port,
					  const struct dp_peer_copy **ret_peer)
{
	const struct dp_port_copy *port = port_get(s->slot);
	const struct dp_peer_copy *peer = peer_get(s->peer);

	if (!port || !peer || port->generation != s->port_generation ||
	    peer->generation != s->peer_generation || host_epoch() != s->epoch ||
	    generation_get(s->bucket) != s->mapping_generation)
		return false;
	*ret_port = port;
	*ret_peer = peer;
	return true;
}

static __always_inline struct dp_flow_out *flow_out_find(const struct __sk_buff *skb,
							 const struct iphdr *ip)
{
	struct dp_flow_out_key key = {
		.ifindex = skb->ifindex, .saddr = ip->saddr, .daddr = ip->daddr};

	return bpf_map_lookup_elem(&flows_out, &key);
}

/* The bytes of an address that say who, without where: VNI and IPv4. */
static __always_inline __u64 flow_in_half(const void *addr)
{
	return *(const __u64 *)(addr + 8) & FLOW_IN_MASK;
}

static __always_inline struct dp_flow_in *flow_in_find(const struct ipv6hdr *ip6)
{
	struct dp_flow_in_key key = {
		.source = flow_in_half(&ip6->saddr), .destination = flow_in_half(&ip6->daddr)};

	return bpf_map_lookup_elem(&flows_in, &key);
}
