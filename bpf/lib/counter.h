/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets and bytes of a port, GSO packets counted as what they become on the wire. */
#pragma once

#include "abi/format.h"
#include "bpf/lib/packet.h"

_Static_assert(FORMAT_MAX <= DP_COUNTED_FORMATS, "one counter for each format");

static __always_inline __u32 counter_segments(const struct __sk_buff *skb)
{
	if (!skb->gso_size)
		return 1;
	return (skb->len + skb->gso_size - 1) / skb->gso_size;
}

/* What a port has in a format, or NULL. */
static __always_inline struct dp_traffic *counter_at(__u32 slot, __u32 format)
{
	struct dp_counters_value *c = bpf_map_lookup_elem(&counters, &slot);

	/* the verifier of 6.1 forgets what other comparisons have said of it */
	asm volatile("" : "+r"(format));
	return c ? &c->formats[format & (DP_COUNTED_FORMATS - 1)] : NULL;
}

/* Packets of the port's node that are to leave this host in 'format', or FORMAT_NONE. */
static __always_inline void counter_add_tx(__u32 slot, __u32 format, __u32 packets, __u32 bytes)
{
	struct dp_traffic *c = counter_at(slot, format);

	if (c) {
		c->tx_packets += packets;
		c->tx_bytes += bytes;
	}
}

static __always_inline void counter_tx(const struct __sk_buff *skb, __u32 slot, __u32 format)
{
	struct dp_traffic *c = counter_at(slot, format);

	if (c) {
		c->tx_packets += counter_segments(skb);
		c->tx_bytes += skb->len;
	}
}

/* As counter_at().  It is on its way from memory while something else is done. */
static __always_inline struct dp_traffic *counter_get(__u32 slot, __u32 format)
{
	struct dp_traffic *c = counter_at(slot, format);

	if (c)
		(void)*(const volatile __u64 *)&c->rx_packets;
	return c;
}

static __always_inline void counter_rx(const struct __sk_buff *skb, struct dp_traffic *c)
{
	if (c) {
		c->rx_packets += counter_segments(skb);
		c->rx_bytes += skb->len;
	}
}
