/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Other choices for some nodes of a peer (abi/maps.h: variants).  Only the full path asks, and only
 * for a peer that has some; what it found is in the flow cache then.
 */
#pragma once

#include "bpf/lib/packet.h"
#include "bpf/lib/table.h"

/* The row that decides between the node here, of network 'vni', and that of 'peer_vni' at the
 * peer. */
__judged_once __u32 variant_row(struct packet *p, __u32 peer, __u32 peer_vni, __u32 egress)
{
	struct dp_variant_key k = {};
	const __u32 *row;

	if (!p)
		return peer;
	/* on the stack: the verifier of 6.1 takes no key from memory that it knows by an
	 * argument */
	k.peer = peer;
	k.vni = p->vni;
	k.peer_vni = peer_vni >= SUBSTRATE_VNI_HANDLE_MIN ? p->vni : peer_vni;
	memcpy(k.addr, egress ? p->src : p->dst, 16);
	memcpy(k.peer_addr, egress ? p->dst : p->src, 16);
	row = bpf_map_lookup_elem(&variants, &k);
	if (!row) {
		memset(k.addr, 0, 32);
		row = bpf_map_lookup_elem(&variants, &k);
	}
	return row ? *row : peer;
}

/* The record for what goes to a peer; '*ret_row' is where it is. */
static __always_inline const struct dp_peer_copy *variant_towards(struct packet *p, __u32 id,
								  __u32 peer_vni, __u32 *ret_row)
{
	const struct dp_peer_copy *peer = peer_get(id);

	*ret_row = id;
	if (likely(!peer || !(peer->flags & DP_PEER_VARIANTS)))
		return peer;
	*ret_row = variant_row(p, id, peer_vni, 1);
	return peer_get(*ret_row);
}

/* The record for what came from a peer; both addresses are in 'p'. */
static __always_inline const struct dp_peer_copy *variant_from(struct packet *p, __u32 id)
{
	const struct dp_peer_copy *peer = peer_get(id);

	if (likely(!peer || !(peer->flags & DP_PEER_VARIANTS)))
		return peer;
	return peer_get(variant_row(p, id, p->from_vni, 0));
}
