/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only way to drop a packet: 'return refuse(skb, &p, DROP_X)'.  Counts the reason for the port
 * (slot 0: for the host), reports a sample, and answers the node with an ICMP error where a router
 * would.
 */
#pragma once

#include "bpf/lib/budget.h"
#include "bpf/lib/icmp.h"
#include "bpf/lib/icmp_v6.h"
#include "bpf/lib/packet.h"
#include "bpf/lib/upcall.h"
#include "bpf/lib/watch.h"

_Static_assert(sizeof(struct dp_drops_value) >= DROP_REASON_MAX * 8, "a counter for each reason");
_Static_assert(DROP_REASON_MAX == 128, "two words have a bit for each");

static __always_inline bool drop_has_event(__u32 reason)
{
	const __u64 quiet_low = 0
#define DROP_REASON(number, name, event, text) | (event || number > 63 ? 0 : 1ULL << (number & 63))
#include "abi/drop_reasons.def"
#undef DROP_REASON
		;
	const __u64 quiet_high = 0
#define DROP_REASON(number, name, event, text) | (event || number < 64 ? 0 : 1ULL << (number & 63))
#include "abi/drop_reasons.def"
#undef DROP_REASON
		;

	return !((reason & 64 ? quiet_high : quiet_low) >> (reason & 63) & 1);
}

static __always_inline void drop_event(const struct packet *p, __u32 reason)
{
	__u32 zero = 0;
	struct dp_budget_value *b = bpf_map_lookup_elem(&event_budget, &zero);
	struct dp_event *e;

	if (!b || !budget_spend(b, bpf_ktime_get_coarse_ns() / 1000000000, DP_EVENTS_PER_SECOND))
		return;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return;
	e->reason = reason;
	e->port = p->port_id;
	e->vni = p->vni;
	e->pad = 0;
	e->revision = p->revision;
	memcpy(e->src, p->src, 16);
	memcpy(e->dst, p->dst, 16);
	bpf_ringbuf_submit(e, 0);
}

__judged_once int refuse(struct __sk_buff *skb, struct packet *p, __u32 reason)
{
	struct dp_drops_value *d;
	__u32 slot;

	if (!p)
		return TC_ACT_SHOT;
	slot = p->slot;
	d = bpf_map_lookup_elem(&drops, &slot);
	if (d)
		d->packets[reason & (DROP_REASON_MAX - 1)]++;
	if (drop_has_event(reason))
		drop_event(p, reason);
	watch_refused(skb, p, reason);
	if (!p->from_node)
		return TC_ACT_SHOT;
	if (skb->protocol == htons(ETH_P_IPV6))
		return icmp_v6_answer(skb, p, reason);
	return icmp_answer(skb, p, reason);
}

/* What a program returns for a verdict. */
static __always_inline int conclude(struct __sk_buff *skb, struct packet *p, int verdict)
{
	if (verdict == VERDICT_UPCALL)
		verdict = upcall_send(skb, p);
	if (verdict == -DROP_LOCAL_GONE && p->ask_kind == DP_NOTE_STALE)
		upcall_stale(skb, p);
	if (verdict < 0)
		return refuse(skb, p, (__u32)-verdict);
	return verdict;
}
