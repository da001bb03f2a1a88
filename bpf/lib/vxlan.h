/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vxlan/1 (RFC 7348) by the kernel's device in external mode: the VNI and the remote go with the
 * packet as tunnel metadata.  The inner MACs are fixed; who sent it is known by the remote address.
 */
#pragma once

#include "bpf/lib/rate.h"
#include "bpf/lib/seal.h"

static __always_inline int vxlan_encode(struct __sk_buff *skb, const struct dp_peer_copy *peer,
					__u32 peer_id, __u32 vni, __u8 tos)
{
	static const __u8 macs[12] = {0x0e, 0x76, 0x69, 0x61, 0x00, 0x01,
				      0x0e, 0x76, 0x69, 0x61, 0x00, 0x02};
	struct bpf_tunnel_key key = {
		.tunnel_id = vni,
		.tunnel_ttl = SUBSTRATE_HOP_LIMIT,
		.tunnel_tos = tos,
	};
	bool v6 = peer->flags & DP_PEER_VXLAN_V6;
	__u64 flags = v6 ? BPF_F_TUNINFO_IPV6 : BPF_F_ZERO_CSUM_TX | BPF_F_DONT_FRAGMENT;

	if (v6) {
		memcpy(key.remote_ipv6, peer->v6, 16);
	} else {
		__be32 remote;

		memcpy(&remote, peer->v4 + 12, 4);
		key.remote_ipv4 = ntohl(remote);
	}
	if (unlikely(peer->flags & DP_PEER_RATE) && !rate_take(skb, peer_id))
		return -DROP_RATE;
	if (peer->flags & DP_PEER_SEALED)
		return seal_tunnel(skb, peer_id, vni, tos);
	if (!config.vxlan_ifindex)
		return -DROP_NO_FORMAT;
	if (bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0) ||
	    bpf_skb_set_tunnel_key(skb, &key, sizeof(key), flags))
		return -DROP_REWRITE;
	return (int)bpf_redirect(config.vxlan_ifindex, 0);
}

/* Who sent this, by the tunnel's metadata: 0, and the remote's address and the VNI. */
static __always_inline int vxlan_remote(struct __sk_buff *skb, struct dp_locator_key *ret,
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
