/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two addresses of a substrate packet claim, and whether that makes sense. */
#pragma once

#include "bpf/lib/way.h"

/* Which layout of ours the destination is in, or FORMAT_NONE: not for us to judge. */
static __always_inline __u8 ingress_layout(const __u8 *dst)
{
	const __u64 d = *(const __u64 *)dst;

	if (config.has_siit2 &&
	    !((d ^ *(const volatile __u64 *)config.siit2) & bpf_cpu_to_be64(0xffffffffffffff00ULL)))
		return FORMAT_SIIT_2;
	if (config.has_siit1 && d == *(const volatile __u64 *)config.siit1)
		return FORMAT_SIIT_1;
	return FORMAT_NONE;
}

/* The peer whose locator this address has: its number, or 0. */
static __always_inline __u32 ingress_peer(__u8 layout, const __u8 addr[16])
{
	struct dp_locator_key key = {};
	const __u32 *id;

	key.kind = layout == FORMAT_SIIT_2 ? DP_LOCATOR_SIIT_2 : DP_LOCATOR_SIIT_1;
	memcpy(key.addr, addr, 8);
	if (layout == FORMAT_SIIT_2)
		key.addr[7] = 0;
	id = bpf_map_lookup_elem(&locators, &key);
	return id ? *id : 0;
}

/* The addresses are well formed: 0 with what they say, or a reason. */
static __always_inline int ingress_check_addresses(struct ingress *in)
{
	if (in->layout == FORMAT_SIIT_2) {
		if (!substrate_siit_2_is_valid(in->src) || !substrate_siit_2_is_valid(in->dst))
			return -DROP_SUBSTRATE_ADDR;
	} else if (substrate_version(in->src) != SUBSTRATE_VERSION_SIIT_1 || in->src[8] ||
		   in->dst[8]) {
		return -DROP_SUBSTRATE_ADDR;
	}
	in->vni = substrate_vni(in->dst);
	in->src_vni = substrate_vni(in->src);
	in->saddr = substrate_v4(in->src);
	in->daddr = substrate_v4(in->dst);
	return 0;
}

static __always_inline bool ingress_is_network(__u32 vni)
{
	return vni >= SUBSTRATE_VNI_MIN && vni <= SUBSTRATE_VNI_MAX;
}

/* May the two ends speak?  0 with the destination's network and, for a handle, what it means here
 * in 'p'; or a reason. */
static __always_inline int ingress_networks(struct packet *p, __u32 src_vni, __u32 dst_vni)
{
	const struct dp_handle_value *h;

	p->vni = dst_vni;
	p->from_vni = src_vni;
	/* One that forwards says its handle; whether it may is said by its mapping. */
	if (dst_vni >= SUBSTRATE_VNI_HANDLE_MIN) {
		h = handle_get(dst_vni);
		if (!h)
			return -DROP_HANDLE;
		p->vni = h->vni;
		p->to_vni = dst_vni;
		p->to_handle = true;
		return src_vni == h->vni || src_vni >= SUBSTRATE_VNI_HANDLE_MIN ? 0 : -DROP_VNI;
	}
	if (!ingress_is_network(dst_vni))
		return -DROP_VNI;
	if (src_vni == dst_vni || src_vni >= SUBSTRATE_VNI_HANDLE_MIN)
		return 0;
	if (!ingress_is_network(src_vni))
		return -DROP_VNI;
	return way_is_peered(src_vni, dst_vni) ? 0 : -DROP_NOT_PEERED;
}

/* Under which address the location of a source is known: its own, or, for what a node forwards, the
 * network that it may forward into (with the node's handle as the VNI). */
static __always_inline __be32 ingress_source_key(const struct packet *p, __be32 saddr)
{
	return p->from_vni >= SUBSTRATE_VNI_HANDLE_MIN ? htonl(p->vni) : saddr;
}
