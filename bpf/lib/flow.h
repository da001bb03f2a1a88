/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow cache: what the full path decided, kept until anything that it read may have changed
 * (abi/maps.h: generations).  A hit costs a few array look-ups.
 */
#pragma once

#include "bpf/lib/seal.h"

/* Whether nothing that the decision was made from has changed. */
static __always_inline bool flow_is_valid(const struct dp_stamp *s)
{
	return host_epoch() == s->epoch && generation_get(s->bucket) == s->mapping_generation;
}

/* Eight bytes of addresses as a number: what differs most, the last of them, is lowest. */
static __always_inline __u64 flow_number(__u64 bytes)
{
	return bpf_be64_to_cpu(bytes);
}

/* A product's bits depend on what is not above them: places, the lowest bits of the result, come
 * from about the lower 46 bits of both numbers. */
static __always_inline __u32 flow_hash(__u64 a, __u64 b)
{
	__u64 h = (a * 0x9E3779B97F4A7C15ULL ^ b) * 0xFF51AFD7ED558CCDULL;

	return (__u32)(h >> 32);
}

/* A place among those of one processor. */
static __always_inline __u32 flow_place(__u64 a, __u64 b)
{
	return flow_hash(a, b) & config.flow_mask;
}

/* The first of a flow's two places in its table, which has those of all processors one after the
 * other; the second one's number differs in the last bit.  Who asks for the processor before he
 * looks at the packet has less to keep over that call. */
static __always_inline __u32 flow_first(__u32 processor, __u64 a, __u64 b)
{
	__u32 mask = config.flow_mask;

	return (flow_hash(a, b) & mask) + processor * (mask + 1);
}

/* ---- IPv6 ---- */

/* The first of a flow's two places, as flow_first(), in the tables for IPv6: 'more' is what else is
 * in the key. */
static __always_inline __u32 flow_first_v6(__u32 processor, const void *src, const void *dst,
					   __u64 more)
{
	const __u64 *s = src, *d = dst;
	__u64 a = flow_number(d[0]) * 0xC4CEB9FE1A85EC53ULL ^ flow_number(d[1]);
	__u64 b = flow_number(s[0]) * 0xC4CEB9FE1A85EC53ULL ^ flow_number(s[1]);
	__u32 mask = config.flow_mask >> DP_FLOWS_V6_SHIFT;

	return (flow_hash(a, b ^ more) & mask) + processor * (mask + 1);
}

/* ---- from nodes ---- */

/* Source and destination, as they lie in a header and in a key.  They are looked at again where
 * they are needed, which costs less than to keep them over a call. */
static __always_inline __u64 flow_addresses(const void *addresses)
{
	return *(const __u64 *)addresses;
}

/* The same of two addresses that do not lie so. */
static __always_inline __u64 flow_pair(__be32 saddr, __be32 daddr)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return saddr | (__u64)daddr << 32;
#else
	return (__u64)saddr << 32 | daddr;
#endif
}

static __always_inline __u32 flow_out_place(const void *addresses, __u32 ifindex)
{
	__u32 processor = bpf_get_smp_processor_id();

	return flow_first(processor, flow_number(flow_addresses(addresses)), ifindex);
}

static __always_inline bool flow_out_is(const struct dp_flow_out *f, const void *addresses,
					__u32 ifindex)
{
	return f && flow_addresses(&f->key.saddr) == flow_addresses(addresses) &&
	       f->key.ifindex == ifindex;
}

static __always_inline struct dp_flow_out *flow_out_get(const void *addresses, __u32 ifindex)
{
	__u32 place = flow_out_place(addresses, ifindex);
	struct dp_flow_out *f = bpf_map_lookup_elem(&flows_out, &place);

	if (likely(flow_out_is(f, addresses, ifindex)))
		return f;
	place ^= 1;
	f = bpf_map_lookup_elem(&flows_out, &place);
	return flow_out_is(f, addresses, ifindex) ? f : NULL;
}

/* Keeps a decision; the one in its place moves to the other, unless it is none, or of an epoch that
 * is over. */
static __always_inline void flow_out_keep(const struct dp_flow_out *flow)
{
	const void *addresses = &flow->key.saddr;
	__u32 place = flow_out_place(addresses, flow->key.ifindex), other = place ^ 1;
	struct dp_flow_out *f = bpf_map_lookup_elem(&flows_out, &place);
	struct dp_flow_out *g = bpf_map_lookup_elem(&flows_out, &other);

	if (!f || !g)
		return;
	if (f->stamp.epoch == flow->stamp.epoch && !flow_out_is(f, addresses, flow->key.ifindex))
		*g = *f;
	*f = *flow;
}

static __always_inline bool flow_out_v6_is(const struct dp_flow_out_v6 *f, const void *src,
					   const void *dst, __u32 ifindex)
{
	return f && equal_16(f->src, src) && equal_16(f->dst, dst) &&
	       f->flow.key.ifindex == ifindex;
}

static __always_inline struct dp_flow_out *flow_out_v6_find(const struct ipv6hdr *ip, __u32 ifindex)
{
	__u32 place = flow_first_v6(bpf_get_smp_processor_id(), &ip->saddr, &ip->daddr, ifindex);
	struct dp_flow_out_v6 *f = bpf_map_lookup_elem(&flows_out_v6, &place);

	if (likely(flow_out_v6_is(f, &ip->saddr, &ip->daddr, ifindex)))
		return &f->flow;
	place ^= 1;
	f = bpf_map_lookup_elem(&flows_out_v6, &place);
	return flow_out_v6_is(f, &ip->saddr, &ip->daddr, ifindex) ? &f->flow : NULL;
}

/* As flow_out_keep(), for IPv6 from 'src' to 'dst'. */
static __always_inline void flow_out_v6_keep(const struct dp_flow_out *flow, const __u8 src[16],
					     const __u8 dst[16])
{
	__u32 ifindex = flow->key.ifindex;
	__u32 place = flow_first_v6(bpf_get_smp_processor_id(), src, dst, ifindex);
	__u32 other = place ^ 1;
	struct dp_flow_out_v6 *f = bpf_map_lookup_elem(&flows_out_v6, &place);
	struct dp_flow_out_v6 *g = bpf_map_lookup_elem(&flows_out_v6, &other);

	if (!f || !g)
		return;
	if (f->flow.stamp.epoch == flow->stamp.epoch && !flow_out_v6_is(f, src, dst, ifindex))
		*g = *f;
	f->flow = *flow;
	memcpy(f->src, src, 16);
	memcpy(f->dst, dst, 16);
}

/* ---- from the substrate ---- */

/* Whether a packet in this format, in the clear or sealed by 'peer', was chosen. */
static __always_inline bool flow_accepts(const struct dp_flow_in *f, __u8 seal, __u32 peer,
					 __u8 format)
{
	if (!seal)
		return f->accept & FORMAT_BIT(format);
	return f->peer == peer && !seal_check(f->accept_all, seal, format);
}

/* The half of an address that says who: IPv4 below the VNI. */
static __always_inline __u64 flow_in_half(const void *addr)
{
	return flow_number(*(const __u64 *)(addr + 8));
}

static __always_inline __u32 flow_in_place(const void *src, const void *dst)
{
	__u32 processor = bpf_get_smp_processor_id();

	return flow_first(processor, flow_in_half(src), flow_in_half(dst));
}

static __always_inline bool flow_in_is(const struct dp_flow_in *f, const void *src, const void *dst)
{
	return f && equal_16(f->src, src) && equal_16(f->dst, dst);
}

static __always_inline struct dp_flow_in *flow_in_find(const struct ipv6hdr *ip6)
{
	__u32 place = flow_in_place(&ip6->saddr, &ip6->daddr);
	struct dp_flow_in *f = bpf_map_lookup_elem(&flows_in, &place);

	if (likely(flow_in_is(f, &ip6->saddr, &ip6->daddr)))
		return f;
	place ^= 1;
	f = bpf_map_lookup_elem(&flows_in, &place);
	return flow_in_is(f, &ip6->saddr, &ip6->daddr) ? f : NULL;
}

static __always_inline void flow_in_keep(const struct dp_flow_in *flow)
{
	__u32 place = flow_in_place(flow->src, flow->dst), other = place ^ 1;
	struct dp_flow_in *f = bpf_map_lookup_elem(&flows_in, &place);
	struct dp_flow_in *g = bpf_map_lookup_elem(&flows_in, &other);

	if (!f || !g)
		return;
	if (f->stamp.epoch == flow->stamp.epoch && !flow_in_is(f, flow->src, flow->dst))
		*g = *f;
	*f = *flow;
}

static __always_inline bool flow_in_v6_is(const struct dp_flow_in_v6 *f, const void *outer,
					  const void *src, const void *dst)
{
	return f && equal_16(f->src, src) && equal_16(f->dst, dst) &&
	       equal_16(f->flow.src, outer) && equal_16(f->flow.dst, outer + 16);
}

/* The first place of a flow between two nodes, and for which network: 'outer' are the substrate
 * addresses. */
static __always_inline __u32 flow_in_v6_place(const void *outer, const void *src, const void *dst)
{
	return flow_first_v6(bpf_get_smp_processor_id(), src, dst, flow_in_half(outer + 16));
}

/* Of a packet with 'inner' inside. */
static __always_inline struct dp_flow_in *flow_in_v6_find(const struct ipv6hdr *outer,
							  const struct ipv6hdr *inner)
{
	__u32 place = flow_in_v6_place(&outer->saddr, &inner->saddr, &inner->daddr);
	struct dp_flow_in_v6 *f = bpf_map_lookup_elem(&flows_in_v6, &place);

	if (likely(flow_in_v6_is(f, &outer->saddr, &inner->saddr, &inner->daddr)))
		return &f->flow;
	place ^= 1;
	f = bpf_map_lookup_elem(&flows_in_v6, &place);
	return flow_in_v6_is(f, &outer->saddr, &inner->saddr, &inner->daddr) ? &f->flow : NULL;
}

/* As flow_in_keep(), for IPv6 from 'src' to 'dst'. */
static __always_inline void flow_in_v6_keep(const struct dp_flow_in *flow, const __u8 src[16],
					    const __u8 dst[16])
{
	__u32 place = flow_in_v6_place(flow->src, src, dst), other = place ^ 1;
	struct dp_flow_in_v6 *f = bpf_map_lookup_elem(&flows_in_v6, &place);
	struct dp_flow_in_v6 *g = bpf_map_lookup_elem(&flows_in_v6, &other);

	if (!f || !g)
		return;
	if (f->flow.stamp.epoch == flow->stamp.epoch && !flow_in_v6_is(f, flow->src, src, dst))
		*g = *f;
	f->flow = *flow;
	memcpy(f->src, src, 16);
	memcpy(f->dst, dst, 16);
}
