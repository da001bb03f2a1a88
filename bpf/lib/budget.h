/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much one port may ask for in a window of time, so that none starves another.  Two CPUs may
 * both take the last place; that is near enough for a limit.
 */
#pragma once

#include "bpf/lib/maps.h"

static __always_inline bool budget_spend(struct dp_budget_value *b, __u64 window, __u64 limit)
{
	if (b->window != window) {
		b->window = window;
		b->used = 0;
	}
	return __sync_fetch_and_add(&b->used, 1) < limit;
}

static __always_inline bool budget_take(__u32 slot, enum dp_budget_kind kind, __u64 limit)
{
	__u32 key = slot * DP_BUDGET_KINDS + kind;
	struct dp_budget_value *b = bpf_map_lookup_elem(&budgets, &key);

	return b && budget_spend(b, bpf_ktime_get_coarse_ns() >> DP_WINDOW_SHIFT, limit);
}
