/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vxlan/1 (RFC 7348) and geneve/1, /2 (RFC 8926) by the kernel's devices in external mode: the VNI,
 * the remote and, for geneve, the option go with the packet as tunnel metadata.  The inner MACs are
 * fixed; who sent it is known by the remote address.
 */
#pragma once

#include "bpf/lib/geneve.h"
#include "bpf/lib/rate.h"
#include "bpf/lib/seal.h"

static __always_inline bool encap_is_tunnel(__u8 format)
{
	return FORMAT_BIT(format) & FORMATS_TUNNEL;
}

/* A packet for the network or handle of 'flow', in its format. */
static __always_inline int encap_encode(struct __sk_buff *skb, const struct dp_peer_copy *peer,
					const struct dp_flow_out *flow, __u8 tos)
{
	/* To a foreign peer, whose is the sender's, from its sixth byte on. */
	static const __u8 macs[18] = {0x0e, 0x76, 0x69, 0x61, 0x00, 0x01, 0x0e, 0x76, 0x69,
				      0x61, 0x00, 0x02, 0x0e, 0x76, 0x69, 0x61, 0x00, 0x01};
	const __u8 *frame = peer->present & DP_PEER_FOREIGN ? macs + 6 : macs;
	struct bpf_tunnel_key key = {
		.tunnel_id = flow->vni,
		.tunnel_ttl = SUBSTRATE_HOP_LIMIT,
		.tunnel_tos = tos,
	};
	bool geneve = FORMAT_BIT(flow->format) & FORMATS_GENEVE;
	__u32 device = geneve ? config.geneve_ifindex : config.vxlan_ifindex;
	bool v6 = peer->flags & DP_PEER_VXLAN_V6;
	__u64 flags = v6 ? BPF_F_TUNINFO_IPV6 : BPF_F_ZERO_CSUM_TX | BPF_F_DONT_FRAGMENT;

	if (v6) {
		memcpy(key.remote_ipv6, peer->v6, 16);
	} else {
		__be32 remote;

		memcpy(&remote, peer->v4 + 12, 4);
		key.remote_ipv4 = ntohl(remote);
	}
	if (unlikely(peer->flags & DP_PEER_RATE) && !rate_take(skb, flow->peer))
		return -DROP_RATE;
	if (peer->flags & DP_PEER_SEALED)
		return geneve ? -DROP_NO_FORMAT : seal_tunnel(skb, flow->peer, flow->vni, tos);
	if (!device)
		return -DROP_NO_FORMAT;
	if (bpf_skb_store_bytes(skb, 0, frame, 12, 0) ||
	    bpf_skb_set_tunnel_key(skb, &key, sizeof(key), flags))
		return -DROP_REWRITE;
	if (geneve && geneve_write(skb, flow->format, flow->from_vni, flow->peer))
		return -DROP_REWRITE;
	return (int)bpf_redirect(device, 0);
}

/* Who sent this, by the tunnel's metadata: 0, and the remote's address and the VNI. */
static __always_inline int encap_remote(struct __sk_buff *skb, struct dp_locator_key *ret,
					__u32 *ret_vni)
{
	struct bpf_tunnel_key key = {};

	ret->kind = DP_LOCATOR_ADDRESS;
	if (!bpf_skb_get_tunnel_key(skb, &key, sizeof(key), 0)) {
		map_v4(ret->addr, htonl(key.remote_ipv4));
	} else {
		if (bpf_skb_get_tunnel_key(skb, &key, sizeof(key), BPF_F_TUNINFO_IPV6))
			return -DROP_UNKNOWN_PEER;
		memcpy(ret->addr, key.remote_ipv6, 16);
	}
	*ret_vni = key.tunnel_id;
	return 0;
}
