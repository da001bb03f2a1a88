/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets and bytes of a port, GSO packets counted as what they become on the wire. */
#pragma once

#include "bpf/lib/packet.h"

static __always_inline __u32 counter_segments(const struct __sk_buff *skb)
{
	if (!skb->gso_size)
		return 1;
	return (skb->len + skb->gso_size - 1) / skb->gso_size;
}

static __always_inline void counter_tx(const struct __sk_buff *skb, __u32 slot)
{
	struct dp_counters_value *c = bpf_map_lookup_elem(&counters, &slot);

	if (c) {
		c->tx_packets += counter_segments(skb);
		c->tx_bytes += skb->len;
	}
}

/* The row of a slot, or NULL.  It is on its way from memory while something else is done. */
static __always_inline struct dp_counters_value *counter_get(__u32 slot)
{
	struct dp_counters_value *c = bpf_map_lookup_elem(&counters, &slot);

	if (c)
		(void)*(const volatile __u64 *)&c->rx_packets;
	return c;
}

static __always_inline void counter_rx(const struct __sk_buff *skb, struct dp_counters_value *c)
{
	if (c) {
		c->rx_packets += counter_segments(skb);
		c->rx_bytes += skb->len;
	}
}
