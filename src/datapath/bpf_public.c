/* SPDX-License-Identifier: Apache-2.0 */
/* Public addresses of an edge: each belongs to a node's private address or to a NAT gateway. */
#include "datapath/bpf_gateway.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "datapath/bpf_skel.h"

int bpf_public_find(const struct bpf_host *h, uint32_t addr, struct dp_public_value *ret)
{
	return bpf_map_lookup_elem(bpf_map__fd(h->skel->maps.publics), &addr, ret);
}

int bpf_public_put(struct bpf_host *h, uint32_t addr, const struct dp_public_value *value)
{
	return bpf_host_error(
		bpf_map_update_elem(bpf_map__fd(h->skel->maps.publics), &addr, value, BPF_ANY));
}

/* The private address has 'addr' no more, unless it has another by now. */
static void public_of_remove(struct bpf_host *h, uint32_t addr, const struct dp_public_value *was)
{
	int fd = bpf_map__fd(h->skel->maps.publics_of);
	struct dp_mapping_v4_key key = {.vni = was->vni, .addr = was->addr};
	struct dp_public_of_value owner;

	if (!bpf_map_lookup_elem(fd, &key, &owner) && owner.public == addr)
		bpf_map_delete_elem(fd, &key);
}

_Static_assert((int)DP_FORMERS == (int)DP_FORMERS_MAX, "as many as the table has room for");

/* Who had the address and keeps his connections. */
static int formers_put(struct bpf_host *h, uint32_t addr, const struct ipaddr *formers, uint32_t n)
{
	int fd = bpf_map__fd(h->skel->maps.formers);
	struct dp_formers_value value = {};

	if (!n) {
		bpf_map_delete_elem(fd, &addr);
		return 0;
	}
	for (uint32_t i = 0; i < n; i++)
		value.addr[i] = bpf_gateway_v4(&formers[i]);
	return bpf_map_update_elem(fd, &addr, &value, BPF_ANY);
}

int bpf_public_set(struct datapath *dp, const struct dp_public *public)
{
	struct bpf_host *h = bpf_host_of(dp);
	uint32_t addr = bpf_gateway_v4(&public->public);
	struct dp_public_value value = {
		.kind = DP_HANDLE_INTERNET,
		.handle = public->handle,
		.vni = public->vni,
		.addr = bpf_gateway_v4(&public->addr),
	};
	struct dp_mapping_v4_key key = {.vni = value.vni, .addr = value.addr};
	struct dp_public_of_value of = {.public = addr, .handle = public->handle};
	struct dp_public_value was;
	bool had;
	int r;

	if (!h->uplink_ifindex)
		return -EOPNOTSUPP;
	if (!addr || !value.addr || !public->vni || public->n_formers > DP_FORMERS)
		return -EINVAL;
	had = !bpf_public_find(h, addr, &was);
	if (had && was.kind == DP_HANDLE_NAT)
		return -EEXIST;
	/* first who keeps what he has, then who gets the rest */
	r = formers_put(h, addr, public->formers, public->n_formers);
	if (!r)
		r = bpf_map_update_elem(bpf_map__fd(h->skel->maps.publics_of), &key, &of, BPF_ANY);
	if (!r)
		r = bpf_public_put(h, addr, &value);
	if (!r && had && (was.vni != value.vni || was.addr != value.addr))
		public_of_remove(h, addr, &was);
	bpf_host_bump_epoch(h);
	return bpf_host_error(r);
}

int bpf_public_delete(struct datapath *dp, const struct ipaddr *public)
{
	struct bpf_host *h = bpf_host_of(dp);
	uint32_t addr = bpf_gateway_v4(public);
	struct dp_public_value was;
	int r = bpf_public_find(h, addr, &was);

	if (r || was.kind != DP_HANDLE_INTERNET)
		return -ENOENT;
	public_of_remove(h, addr, &was);
	formers_put(h, addr, NULL, 0);
	r = bpf_map_delete_elem(bpf_map__fd(h->skel->maps.publics), &addr);
	bpf_host_bump_epoch(h);
	return r;
}

int bpf_publics(struct datapath *dp, int (*fn)(const struct ipaddr *public, void *), void *arg)
{
	struct bpf_host *h = bpf_host_of(dp);
	int fd = bpf_map__fd(h->skel->maps.publics);
	struct dp_public_value value;
	uint32_t key, next;
	void *at = NULL;
	int r = 0;

	for (; !r && !bpf_map_get_next_key(fd, at, &next); at = &key) {
		struct ipaddr addr;

		key = next;
		addr = ipaddr_from_v4(ntohl(key));
		if (!bpf_map_lookup_elem(fd, &key, &value) && value.kind == DP_HANDLE_INTERNET)
			r = fn(&addr, arg);
	}
	return r;
}
