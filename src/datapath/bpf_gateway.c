/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateways of an edge: a handle names a gateway and its row, the index of its tables
 * (abi/gateway.h), for as long as it exists.
 */
#include "datapath/bpf_gateway.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "abi/substrate.h"
#include "datapath/bpf_skel.h"

static const uint32_t handle_kinds[] = {
	[DP_GATEWAY_INTERNET] = DP_HANDLE_INTERNET,
	[DP_GATEWAY_NAT] = DP_HANDLE_NAT,
	[DP_GATEWAY_EGRESS_ONLY] = DP_HANDLE_EGRESS_ONLY,
	[DP_GATEWAY_PRIVATE] = DP_HANDLE_PRIVATE,
};

int bpf_gateway_find(const struct bpf_host *h, uint32_t handle, struct dp_handle_value *ret)
{
	int r = bpf_map_lookup_elem(bpf_map__fd(h->skel->maps.handles), &handle, ret);

	return r ? r : ret->kind == DP_HANDLE_PORT ? -ENOENT : 0;
}

static int check(const struct bpf_host *h, const struct dp_gateway *g)
{
	struct dp_public_value owner;

	if (!h->uplink_ifindex)
		return -EOPNOTSUPP;
	if (g->kind > DP_GATEWAY_PRIVATE || g->handle < SUBSTRATE_VNI_HANDLE_MIN ||
	    g->handle > SUBSTRATE_VNI_HANDLE_MAX || !g->vni)
		return -EINVAL;
	if (!bpf_gateway_has_ports(g->kind))
		return g->n_statics ? -EINVAL : 0;
	if (!bpf_gateway_v4(&g->public) || !g->port_first || g->port_first > g->port_last)
		return -EINVAL;
	for (size_t i = 0; i < g->n_statics; i++)
		if (bpf_gateway_protocol(g->statics[i].protocol) < 0 ||
		    !g->statics[i].public_port || !g->statics[i].port ||
		    !bpf_gateway_v4(&g->statics[i].addr))
			return -EINVAL;
	if (g->kind == DP_GATEWAY_NAT && !bpf_public_find(h, bpf_gateway_v4(&g->public), &owner) &&
	    owner.handle != g->handle)
		return -EEXIST;
	return 0;
}

static struct dp_mapping_v4_key private_key(uint32_t vni, uint32_t addr)
{
	return (struct dp_mapping_v4_key){.vni = vni, .addr = addr};
}

/* Whose its address is, for the program that stands for its node; and the device of that. */
static int private_set(struct bpf_host *h, const struct dp_gateway *g,
		       const struct dp_handle_value *was)
{
	struct dp_mapping_v4_key key = private_key(g->vni, bpf_gateway_v4(&g->public)),
				 old = private_key(g->vni, was->public);
	struct dp_public_of_value of = {.public = key.addr, .handle = g->handle};
	int fd = bpf_map__fd(h->skel->maps.publics_of);
	int r;

	if (g->kind != DP_GATEWAY_PRIVATE)
		return 0;
	if (was->public && was->public != key.addr)
		bpf_map_delete_elem(fd, &old);
	r = bpf_map_update_elem(fd, &key, &of, BPF_ANY);
	return r ? r : bpf_gateway_device_make(g->handle);
}

/* Unless another one has its address by now. */
static void private_remove(struct bpf_host *h, uint32_t handle, const struct dp_handle_value *was)
{
	struct dp_mapping_v4_key key = private_key(was->vni, was->public);
	int fd = bpf_map__fd(h->skel->maps.publics_of);
	struct dp_public_of_value owner;

	if (was->kind != DP_HANDLE_PRIVATE)
		return;
	if (!bpf_map_lookup_elem(fd, &key, &owner) && owner.handle == handle)
		bpf_map_delete_elem(fd, &key);
	bpf_gateway_device_delete(handle);
}

/* The network's way to the world: of what comes for a node whose own leads to another node first
 * (bpf/lib/edge6.h). */
static bool world_key(const struct dp_handle_value *g, struct dp_mapping_v4_key *ret)
{
	bool internet = g->kind == DP_HANDLE_INTERNET;

	*ret = private_key(g->vni, internet ? DP_WORLD_INTERNET : DP_WORLD_EGRESS_ONLY);
	return internet || g->kind == DP_HANDLE_EGRESS_ONLY;
}

static int world_set(struct bpf_host *h, uint32_t handle, const struct dp_handle_value *is)
{
	struct dp_public_of_value of = {.handle = handle};
	struct dp_mapping_v4_key key;

	if (!world_key(is, &key))
		return 0;
	return bpf_map_update_elem(bpf_map__fd(h->skel->maps.publics_of), &key, &of, BPF_ANY);
}

/* Unless the network has another one by now. */
static void world_remove(struct bpf_host *h, uint32_t handle, const struct dp_handle_value *was)
{
	int fd = bpf_map__fd(h->skel->maps.publics_of);
	struct dp_public_of_value owner;
	struct dp_mapping_v4_key key;

	if (world_key(was, &key) && !bpf_map_lookup_elem(fd, &key, &owner) &&
	    owner.handle == handle)
		bpf_map_delete_elem(fd, &key);
}

/* The NAT gateway's own address: answered for on the uplink, and where answers come to. */
static int nat_public_set(struct bpf_host *h, const struct dp_gateway *g,
			  const struct dp_handle_value *was)
{
	struct dp_public_value value = {.kind = DP_HANDLE_NAT, .handle = g->handle, .vni = g->vni};
	uint32_t addr = bpf_gateway_v4(&g->public);

	if (g->kind != DP_GATEWAY_NAT || g->standby)
		return 0;
	if (was->public && was->public != addr)
		bpf_map_delete_elem(bpf_map__fd(h->skel->maps.publics), &was->public);
	return bpf_public_put(h, addr, &value);
}

/* Unless it stood by, and another one has the address. */
static void nat_public_remove(struct bpf_host *h, uint32_t handle,
			      const struct dp_handle_value *was)
{
	struct dp_public_value owner;

	if (was->kind == DP_HANDLE_NAT && !bpf_public_find(h, was->public, &owner) &&
	    owner.handle == handle)
		bpf_map_delete_elem(bpf_map__fd(h->skel->maps.publics), &was->public);
}

static struct dp_handle_value value_of(const struct dp_gateway *g, uint32_t row)
{
	struct dp_handle_value v = {
		.kind = handle_kinds[g->kind],
		.vni = g->vni,
		.row = row,
		.port_first = g->port_first,
		.port_last = g->port_last,
	};

	if (g->closed) {
		v.port_first = 1; /* of none */
		v.port_last = 0;
	}
	if (bpf_gateway_has_ports(g->kind))
		v.public = bpf_gateway_v4(&g->public);
	else if (g->kind == DP_GATEWAY_INTERNET)
		v.table = g->table;
	return v;
}

int bpf_gateway_set(struct datapath *dp, const struct dp_gateway *g)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct dp_handle_value was = {}, is;
	uint32_t row;
	bool had;
	int r = check(h, g);

	if (r)
		return r;
	had = !bpf_gateway_find(h, g->handle, &was);
	if (had && (was.kind != handle_kinds[g->kind] || was.vni != g->vni)) {
		bpf_gateway_delete(dp, g->handle); /* the handle means another gateway now */
		was = (struct dp_handle_value){};
		had = false;
	}
	row = was.row;
	r = had ? 0 : bpf_gateway_row_new(h, g->kind, &row);
	if (r)
		return bpf_host_error(r);
	is = value_of(g, row);
	r = bpf_gateway_row_statics(h, row, g);
	if (!r)
		r = bpf_map_update_elem(bpf_map__fd(h->skel->maps.handles), &g->handle, &is,
					BPF_ANY);
	if (!r)
		r = nat_public_set(h, g, &was);
	if (!r)
		r = private_set(h, g, &was);
	if (!r)
		r = world_set(h, g->handle, &is);
	if (r && !had) {
		private_remove(h, g->handle, &is);
		world_remove(h, g->handle, &is);
		bpf_map_delete_elem(bpf_map__fd(h->skel->maps.handles), &g->handle);
		bpf_gateway_row_delete(h, row, g->handle);
	}
	bpf_host_bump_epoch(h);
	return bpf_host_error(r);
}

int bpf_gateway_delete(struct datapath *dp, uint32_t handle)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct dp_handle_value was;
	int r = bpf_gateway_find(h, handle, &was);

	if (r)
		return r;
	nat_public_remove(h, handle, &was);
	private_remove(h, handle, &was);
	world_remove(h, handle, &was);
	r = bpf_map_delete_elem(bpf_map__fd(h->skel->maps.handles), &handle);
	bpf_gateway_row_delete(h, was.row, handle);
	bpf_host_bump_epoch(h);
	return r;
}

int bpf_gateway_device(struct datapath *dp, uint32_t handle, int *ret_ifindex)
{
	struct dp_handle_value g;
	int r = bpf_gateway_find(bpf_host_of(dp), handle, &g);

	if (r || g.kind != DP_HANDLE_PRIVATE)
		return -ENOENT;
	r = bpf_gateway_device_make(handle); /* it may have been taken away */
	return r ? r : bpf_gateway_device_find(handle, ret_ifindex);
}

struct visitor {
	int (*fn)(uint32_t handle, void *);
	void *arg;
};

static int visit(uint32_t handle, const struct dp_handle_value *value, void *data)
{
	const struct visitor *v = data;

	return value->kind == DP_HANDLE_PORT ? 0 : v->fn(handle, v->arg);
}

int bpf_gateways(struct datapath *dp, int (*fn)(uint32_t handle, void *), void *arg)
{
	struct visitor v = {fn, arg};

	return bpf_gateway_walk(bpf_host_of(dp), visit, &v);
}

int bpf_gateway_counters(struct datapath *dp, uint32_t handle, struct dp_gateway_counters *ret)
{
	struct bpf_host *h = bpf_host_of(dp);
	_cleanup_free_ struct dp_gateway_counters_value *values =
		calloc((size_t)h->n_cpus, sizeof(*values));
	struct dp_gateway_counters sum = {};
	struct dp_handle_value g;
	int r = bpf_gateway_find(h, handle, &g);

	if (!values)
		return -ENOMEM;
	if (!r)
		r = bpf_map_lookup_elem(bpf_map__fd(h->skel->maps.gateway_counters), &g.row,
					values);
	if (r)
		return r;
	for (int cpu = 0; cpu < h->n_cpus; cpu++) {
		sum.out_packets += values[cpu].out_packets;
		sum.out_bytes += values[cpu].out_bytes;
		sum.in_packets += values[cpu].in_packets;
		sum.in_bytes += values[cpu].in_bytes;
		sum.no_port += values[cpu].no_port;
		sum.unsolicited += values[cpu].unsolicited;
	}
	*ret = sum;
	return 0;
}
