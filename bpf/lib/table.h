/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the tables that the agent writes: NULL is "not there". */
#pragma once

#include "bpf/lib/gateway_maps.h"

/* The compiler must ask the pointer itself whether it is there: knowing why it is (a value that is
 * not zero) it asks that instead, and the verifiers before 6.8 do not follow. */
#define TABLE_FOUND(pointer)                                                                       \
	({                                                                                         \
		typeof(pointer) found_ = (pointer);                                                \
		asm volatile("" : "+r"(found_));                                                   \
		found_;                                                                            \
	})

static __always_inline __u32 host_epoch(void)
{
	__u32 zero = 0;
	const struct dp_host_value *h = bpf_map_lookup_elem(&host, &zero);

	return h ? *(const volatile __u32 *)&h->epoch : 0;
}

static __always_inline const struct dp_port_copy *port_get(__u32 slot)
{
	const struct dp_port_value *p = bpf_map_lookup_elem(&ports, &slot);
	const struct dp_port_copy *c;

	if (!p)
		return NULL;
	c = &p->copy[*(const volatile __u32 *)&p->current & 1];
	return TABLE_FOUND(c->present ? c : NULL);
}

static __always_inline const struct dp_peer_copy *peer_get(__u32 id)
{
	const struct dp_peer_value *p = bpf_map_lookup_elem(&peers, &id);
	const struct dp_peer_copy *c;

	if (!p)
		return NULL;
	c = &p->copy[*(const volatile __u32 *)&p->current & 1];
	return TABLE_FOUND(c->present ? c : NULL);
}

static __always_inline const struct dp_nexthop_copy *nexthop_get(__u32 id)
{
	const struct dp_nexthop_value *n = bpf_map_lookup_elem(&nexthops, &id);
	const struct dp_nexthop_copy *c;

	if (!n)
		return NULL;
	c = &n->copy[*(const volatile __u32 *)&n->current & 1];
	return TABLE_FOUND(c->flags & DP_NEXTHOP_PRESENT ? c : NULL);
}

static __always_inline __u32 generation_get(__u32 bucket)
{
	const __u32 *g = bpf_map_lookup_elem(&generations, &bucket);

	return g ? *(const volatile __u32 *)g : 0;
}

/* An IPv4 address in the form that all tables share. */
static __always_inline void map_v4(__u8 ret[16], __be32 v4)
{
	__u32 *w = (__u32 *)ret;

	w[0] = 0;
	w[1] = 0;
	w[2] = htonl(0xffff);
	w[3] = v4;
}

/* What is known of an address of this host.  Not inlined, as the next ones: each copy of a key
 * takes its own piece of the little stack. */
static __noinline const struct dp_local_value *local_get(__u32 vni, const __u8 addr[16])
{
	struct dp_addr_key key = {.vni = vni};

	memcpy(key.addr, addr, 16);
	return bpf_map_lookup_elem(&locals, &key);
}

/* The slot of the port that has the address, or 0. */
static __always_inline __u32 local_slot(__u32 vni, const __u8 addr[16])
{
	const struct dp_local_value *l = local_get(vni, addr);

	return l ? l->slot : 0;
}

/* An address, or (vni DP_VNI_LABELS) a label, that was here not long ago and is not any more; or
 * NULL. */
static __noinline const struct dp_departed_value *departed_get(__u32 vni, const __u8 addr[16])
{
	struct dp_addr_key key = {.vni = vni};
	const struct dp_departed_value *d;

	memcpy(key.addr, addr, 16);
	d = bpf_map_lookup_elem(&departed, &key);
	return TABLE_FOUND(d && bpf_ktime_get_coarse_ns() < d->until ? d : NULL);
}

static __noinline const struct dp_subnet_value *subnet_get(__u32 vni, const __u8 addr[16])
{
	struct dp_subnet_key key = {.len = 32 + 128, .vni = htonl(vni)};

	memcpy(key.addr, addr, 16);
	return bpf_map_lookup_elem(&subnets, &key);
}

static __always_inline const struct dp_mapping_value *mapping_v4_get(__u32 vni, __be32 addr)
{
	struct dp_mapping_v4_key key = {.vni = vni, .addr = addr};

	return bpf_map_lookup_elem(&mappings_v4, &key);
}

static __noinline const struct dp_mapping_value *mapping_v6_get(__u32 vni, const __u8 addr[16])
{
	struct dp_addr_key key = {.vni = vni};

	memcpy(key.addr, addr, 16);
	return bpf_map_lookup_elem(&mappings_v6, &key);
}
