/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rate/1: how fast one host may send to another, as a token bucket (the virtual scheduling form of
 * ITU-T I.371's GCRA): one number says when the bucket will be full, and moves by compare and
 * exchange, so that all processors share a budget without a lock.
 *
 * Bytes are those of IP behind the link's header, of each packet that a GSO packet becomes.
 */
#pragma once

#include "bpf/lib/packet.h"

enum {
	RATE_TRIES = 4,    /* lost races after which a packet passes without being counted */
	RATE_HEADERS = 72, /* of each further segment */
};

static __always_inline __u64 rate_size(const struct __sk_buff *skb)
{
	__u64 size = skb->len - ETH_HLEN;

	if (skb->gso_segs > 1)
		size += (__u64)(skb->gso_segs - 1) * RATE_HEADERS;
	return size;
}

/* Whether the packet may leave now.  Not inlined: where nobody has a rate its code is not in the
 * way. */
__judged_once int rate_take(const struct __sk_buff *skb, __u32 row)
{
	struct dp_rate_value *r = bpf_map_lookup_elem(&rates, &row);
	__u64 now, due, from, cost;

	if (!r || !r->picoseconds)
		return true;
	now = bpf_ktime_get_ns();
	cost = rate_size(skb) * r->picoseconds / 1000;
	for (int i = 0; i < RATE_TRIES; i++) {
		due = *(volatile __u64 *)&r->due;
		from = (__s64)(due - now) > 0 ? due : now;
		if (from + cost - now > r->burst_ns) {
			__sync_fetch_and_add(&r->held_packets,
					     skb->gso_segs > 1 ? skb->gso_segs : 1);
			return false;
		}
		if (__sync_val_compare_and_swap(&r->due, due, from + cost) == due)
			return true;
	}
	return true;
}
