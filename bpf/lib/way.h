/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ways out of a network: a destination in no subnet of the network is looked up in the table of the
 * sender's subnet.  A way leads to another network, where the address is looked up like one's own,
 * or to a handle, which means a gateway or a node that forwards.  A table may say so of addresses
 * of the network, too: then what is sent to the router is looked up whatever it is for (middleboxes
 * between subnets).
 */
#pragma once

#include "bpf/lib/packet.h"

static __always_inline const struct dp_handle_value *handle_get(__u32 vni)
{
	return bpf_map_lookup_elem(&handles, &vni);
}

static __always_inline bool way_is_peered(__u32 vni, __u32 other)
{
	struct dp_peering_key key = {
		.vni_a = vni < other ? vni : other,
		.vni_b = vni < other ? other : vni,
	};

	return bpf_map_lookup_elem(&peerings, &key);
}

static __always_inline bool way_is_v4(const __u8 addr[16])
{
	const __u32 *w = (const __u32 *)addr;

	return !w[0] && !w[1] && w[2] == htonl(0xffff);
}

static __noinline const struct dp_route_value *way_get(__u32 table, const __u8 addr[16])
{
	const __u32 *instance = bpf_map_lookup_elem(&tables, &table);
	struct dp_route_key key = {.len = 32 + 128};

	if (!instance)
		return NULL;
	key.instance = htonl(*instance * 2 + way_is_v4(addr)); /* without DP_INSTANCE_INSIDE */
	memcpy(key.addr, addr, 16);
	return bpf_map_lookup_elem(&routes, &key);
}

/* A node has sent it on for others: it carries the node's handle. */
static __always_inline bool way_is_forwarded(const struct packet *p)
{
	return p->from_vni >= SUBSTRATE_VNI_HANDLE_MIN;
}

/* To the gateway that has the public address of the source: a node of this host's own, else where a
 * mapping says. */
static __always_inline int way_by_exit(struct packet *p)
{
	const struct dp_local_value *l;

	if (way_is_forwarded(p)) {
		p->by_exit = true;
		return p->to_vni ? 0 : -DROP_NO_PUBLIC;
	}
	l = local_get(p->vni, p->src);
	if (!l || !(l->flags & DP_LOCAL_EXIT))
		return -DROP_NO_PUBLIC;
	p->to_peer = l->exit_peer;
	p->to_vni = l->exit_handle;
	return l->exit_handle ? 0 : -DROP_NO_EDGE;
}

/* Where 'table' leads 'p->dst': 0 with 'p->to_vni' and, for a handle, 'p->to_peer'; VERDICT_LOCAL;
 * or a reason. */
static __noinline int way_find(struct packet *p, __u32 table)
{
	const struct dp_route_value *w = table ? way_get(table, p->dst) : NULL;

	if (!w)
		return -DROP_NO_ROUTE;
	if (w->target == DP_WAY_LOCAL)
		return VERDICT_LOCAL;
	p->to_vni = w->vni;
	p->to_peer = w->peer;
	switch (w->target) {
	case DP_WAY_NETWORK:
		/* what is forwarded is taken in the network of its handle alone */
		if (way_is_forwarded(p))
			return -DROP_NOT_PEERED;
		return way_is_peered(p->vni, w->vni) ? 0 : -DROP_NOT_PEERED;
	case DP_WAY_INTERNET:
		p->to_handle = true;
		if (way_is_v4(p->dst))
			return way_by_exit(p);
		return w->vni ? 0 : -DROP_NO_EDGE;
	case DP_WAY_GATEWAY:
		p->to_handle = true;
		return w->vni ? 0 : -DROP_NO_EDGE;
	case DP_WAY_INTERFACE:
		p->to_handle = true;
		return w->vni ? 0 : -DROP_BLACKHOLE;
	default:
		return -DROP_BLACKHOLE;
	}
}

/* Has the table routes for addresses of its own network? */
static __always_inline bool way_is_inside(__u32 table)
{
	const __u32 *instance = bpf_map_lookup_elem(&tables, &table);

	return instance && *instance & DP_INSTANCE_INSIDE;
}

/* Does the network's subnet '*its' take the packet, or where does the sender's table lead?  0 as
 * way_find(), with '*its' NULL if the table leads elsewhere; or a reason. */
static __always_inline int way_choose(struct packet *p, __u32 table,
				      const struct dp_subnet_value **its)
{
	int r;

	if (*its && !(p->routed && way_is_inside(table)))
		return 0;
	r = way_find(p, table);
	if (r == VERDICT_LOCAL)
		return *its ? 0 : -DROP_BLACKHOLE;
	*its = NULL;
	return r;
}
