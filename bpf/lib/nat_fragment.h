/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fragments and NAT gateways: only the first one has ports, so it is translated as any packet, and
 * what became of its address is noted for the others (RFC 4787 REQ-14).  They pass in any order
 * behind the first; one that comes before it is dropped, as on the node's own host
 * (policy_fragment()).  The identification stays.
 */
#pragma once

#include "bpf/lib/nat.h"

static __always_inline struct dp_fragment_key nat_fragment_key(const struct edge *e)
{
	struct dp_fragment_key key = {
		.handle = e->handle,
		.here = e->here,
		.there = e->there,
		.id = (__be16)e->id,
		.protocol = e->protocol,
		.out = e->out,
	};

	return key;
}

static __noinline int nat_fragment_first(const struct edge *e)
{
	struct dp_fragment_value value = {.addr = e->new_addr, .seen = e->now};
	struct dp_fragment_key key = nat_fragment_key(e);

	return bpf_map_update_elem(&fragments, &key, &value, BPF_ANY) ? -DROP_FRAGMENT : 0;
}

static __noinline int nat_fragment_later(struct edge *e)
{
	struct dp_fragment_key key = nat_fragment_key(e);
	const struct dp_fragment_value *first = bpf_map_lookup_elem(&fragments, &key);

	if (!first || e->now - first->seen > DP_TIMEOUT_FRAGMENT)
		return -DROP_FRAGMENT;
	e->new_addr = first->addr;
	return 0;
}

/* A packet through a NAT gateway, either way: 0 with what it becomes in 'e', or a reason. */
static __always_inline int nat_translate(struct edge *e)
{
	int r;

	if (e->kind == EDGE_FRAGMENT)
		return nat_fragment_later(e);
	r = e->out ? nat_out(e) : nat_in(e);
	return r || !e->first_fragment ? r : nat_fragment_first(e);
}
