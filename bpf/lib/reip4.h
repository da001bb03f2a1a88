/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reip4/1: both addresses of an IPv4 packet become labels, ordinary addresses of the substrate that
 * stand for (network, virtual address), and back.  Not a byte is added; GSO packets stay whole.
 *
 *	source, destination = the labels | TTL 64, the substrate's own | identification = TTL << 8
 *
 * All else stays as it is, but for the transport checksum, which covers the addresses.  Only
 * packets with DF and without options travel so: of others the identification has a meaning, or
 * routers might take a slow way; they go whole, by vxlan.
 */
#pragma once

#include "bpf/lib/seal.h"
#include "bpf/lib/siit.h"

static __always_inline const struct dp_label_value *label_get(__u32 vni, __be32 addr)
{
	struct dp_mapping_v4_key key = {.vni = vni, .addr = addr};

	return bpf_map_lookup_elem(&labels, &key);
}

/* For one of our labels? */
static __always_inline bool reip4_is_ours(__be32 daddr)
{
	return config.labels_mask && (daddr & config.labels_mask) == config.labels;
}

/* Whose range a label is in: the host's number, or 0. */
static __always_inline __u32 reip4_peer(__be32 label)
{
	struct dp_label_range_key key = {.len = 32, .addr = label};
	const __u32 *id = bpf_map_lookup_elem(&label_ranges, &key);

	return id ? *id : 0;
}

/* Whether the header can be restored exactly at the far end. */
static __always_inline bool reip4_can_carry(const struct __sk_buff *skb, const struct iphdr *ip)
{
	if (ip->ihl != 5 || ip->frag_off != htons(IP_DF))
		return false;
	return !skb->gso_size || skb->len <= skb->gso_size * SUBSTRATE_REIP4_SEGMENTS_MAX;
}

/* The way between two addresses that both have labels; false: another format has to carry them. */
static __always_inline bool reip4_route(const struct dp_peer_copy *peer, __u32 from_vni,
					__u32 to_vni, __be32 saddr, __be32 daddr, __be32 label,
					struct dp_flow_out *flow)
{
	const struct dp_label_value *own = label ? label_get(from_vni, saddr) : NULL;
	__be32 virtual[2] = {saddr, daddr}, labels[2];

	if (!own)
		return false;
	labels[0] = own->addr;
	labels[1] = label;
	map_v4(flow->src, labels[0]);
	map_v4(flow->dst, labels[1]);
	flow->checksum_diff =
		(__u32)bpf_csum_diff(virtual, sizeof(virtual), labels, sizeof(labels), 0);
	flow->format = FORMAT_REIP4_1;
	flow->nexthop = peer->nexthop;
	flow->path_mtu = peer->path_mtu;
	/* For the packets that go by vxlan, which says one network. */
	flow->vni = from_vni == to_vni && !(peer->present & DP_PEER_ALONE) ? to_vni : 0;
	return true;
}

/* Of a packet with DF; the first word stays. */
static __always_inline void reip4_write(struct iphdr *ip, __be32 saddr, __be32 daddr, __u16 id,
					__u8 ttl)
{
	ipv4_write(ip, *(const __u32 *)ip, htonl((__u32)id << 16 | IP_DF),
		   htonl((__u32)ttl << 24 | (__u32)ip->protocol << 16), saddr, daddr);
}

static __always_inline int reip4_encode(struct __sk_buff *skb, const struct iphdr *ip,
					const struct dp_flow_out *flow)
{
	__u8 ttl = (__u8)(ip->ttl - flow->ttl_step);
	int r = siit_fix_checksum(skb, ip->protocol, ETH_HLEN + sizeof(*ip), flow->checksum_diff);
	struct iphdr *now = ipv4_get(skb);

	if (r || !now)
		return -DROP_REWRITE;
	reip4_write(now, siit_v4(flow->src), siit_v4(flow->dst), substrate_reip4_id(ttl),
		    SUBSTRATE_HOP_LIMIT);
	return 0;
}

/* The header makes sense and is one that reip4_encode() writes. */
static __always_inline bool reip4_is_whole(const struct __sk_buff *skb, const struct iphdr *ip)
{
	return *(const __u8 *)ip == 0x45 && ip->frag_off == htons(IP_DF) &&
	       substrate_reip4_ttl(ntohs(ip->id)) && ntohs(ip->tot_len) >= sizeof(*ip) &&
	       skb->len >= ETH_HLEN + ntohs(ip->tot_len) && ipv4_sum_is_right(ip);
}

/* ---- what is kept of a flow from the substrate (abi/maps.h) ---- */

static __always_inline void reip4_key(__u8 ret[16], __be32 virtual, __be32 label)
{
	__u32 *w = (__u32 *)ret;

	w[0] = 0;
	w[1] = virtual;
	w[2] = htonl(0xffff);
	w[3] = label;
}

static __always_inline __be32 reip4_virtual(const __u8 key[16])
{
	return ((const __u32 *)key)[1];
}

static __always_inline int reip4_decode(struct __sk_buff *skb, const struct iphdr *ip,
					const struct dp_flow_in *flow)
{
	__u8 ttl = substrate_reip4_ttl(ntohs(ip->id));
	int r = siit_fix_checksum(skb, ip->protocol, ETH_HLEN + sizeof(*ip), flow->checksum_diff);
	struct iphdr *now = ipv4_get(skb);

	if (r || !now)
		return -DROP_REWRITE;
	reip4_write(now, reip4_virtual(flow->src), reip4_virtual(flow->dst), 0, ttl);
	return 0;
}
