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
	RATE_CLASSES = 3,  /* two interfaces, their networks, all of the two hosts */
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

/* From one bucket; false: it does not hold as much. */
static __always_inline bool rate_charge(struct dp_rate_value *r, __u64 size, __u64 now)
{
	__u64 due, from, cost = size * r->picoseconds / 1000;

	for (int i = 0; i < RATE_TRIES; i++) {
		due = *(volatile __u64 *)&r->due;
		from = (__s64)(due - now) > 0 ? due : now;
		if (from + cost - now > r->burst_ns)
			return false;
		if (__sync_val_compare_and_swap(&r->due, due, from + cost) == due)
			return true;
	}
	return true;
}

/* It is held back by the class that is 'n'-th from 'row': what narrower ones gave is given back,
 * and all count it. */
static __always_inline void rate_hold(const struct __sk_buff *skb, __u32 row, __u64 size, int n)
{
	__u64 slowest = ~0ULL;

	for (int i = 0; i < RATE_CLASSES && row; i++) {
		struct dp_rate_value *r = bpf_map_lookup_elem(&rates, &row);

		if (!r)
			return;
		if (i < n && r->picoseconds <= slowest && r->picoseconds) {
			slowest = r->picoseconds;
			__sync_fetch_and_sub(&r->due, size * slowest / 1000);
		}
		__sync_fetch_and_add(&r->held_packets, skb->gso_segs > 1 ? skb->gso_segs : 1);
		row = r->wider;
	}
}

/* Whether the packet may leave now, by the rate of its class and those of the wider ones that it is
 * part of; what a narrower class may send faster than a wider one is its own.  Not inlined: where
 * nobody has a rate its code is not in the way. */
__judged_once int rate_take(const struct __sk_buff *skb, __u32 row)
{
	__u64 now = bpf_ktime_get_ns(), size = rate_size(skb), slowest = ~0ULL;
	__u32 at = row;

	for (int i = 0; i < RATE_CLASSES; i++) {
		struct dp_rate_value *r = bpf_map_lookup_elem(&rates, &at);

		if (!r)
			break;
		if (r->picoseconds && r->picoseconds <= slowest) {
			slowest = r->picoseconds;
			if (!rate_charge(r, size, now)) {
				rate_hold(skb, row, size, i);
				return false;
			}
		}
		at = r->wider;
		if (!at)
			break;
	}
	return true;
}
