/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings: where virtual addresses live.  IPv4 has a table of its own with a compact key. */
#include "datapath/bpf_host.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "abi/spread.h"
#include "datapath/bpf_policy.h"
#include "datapath/bpf_skel.h"

static_assert(DP_PEER_SET_MAX == (int)DP_SPREAD_MAX, "hosts of one address");
static_assert(DP_MAPPING_LIVE == (int)DP_STATE_LIVE && DP_MAPPING_HELD == (int)DP_STATE_HELD &&
		      DP_MAPPING_REFUSED == (int)DP_STATE_REFUSED &&
		      DP_MAPPING_GONE == (int)DP_STATE_GONE,
	      "the programs and the contract number states alike");

struct mapping_key {
	int fd;
	union {
		struct dp_mapping_v4_key v4;
		struct dp_addr_key v6;
	};
};

static struct mapping_key key_of(const struct bpf_host *h, uint32_t vni, const struct ipaddr *addr)
{
	struct mapping_key k = {.fd = bpf_map__fd(ipaddr_is_v4(addr) ? h->skel->maps.mappings_v4
								     : h->skel->maps.mappings_v6)};

	if (ipaddr_is_v4(addr)) {
		k.v4.vni = vni;
		k.v4.addr = htonl(ipaddr_v4(addr));
	} else {
		k.v6.vni = vni;
		memcpy(k.v6.addr, addr->b, sizeof(addr->b));
	}
	return k;
}

/* The label of an address as the table has it, or 0. */
static uint32_t label_of(const struct mapping_key *k, const struct ipaddr *addr)
{
	struct dp_mapping_value value;

	return ipaddr_is_v4(addr) && !bpf_map_lookup_elem(k->fd, &k->v4, &value)
		       ? ntohl(value.label)
		       : 0;
}

/* ---- shared addresses: a row of their own says which hosts ---- */

static struct dp_addr_key spread_key(uint32_t vni, const struct ipaddr *addr)
{
	struct dp_addr_key key = {.vni = vni};

	memcpy(key.addr, addr->b, sizeof(key.addr));
	return key;
}

static bool peers_are_valid(const struct dp_mapping *mapping)
{
	if (mapping->n_peers > DP_PEER_SET_MAX)
		return false;
	for (uint32_t i = 0; i < mapping->n_peers; i++)
		for (uint32_t k = 0; k <= i; k++)
			if (mapping->peers[i] >= DP_PEERS_MAX ||
			    (k < i && mapping->peers[k] == mapping->peers[i]))
				return false;
	return true;
}

static int spread_set(const struct bpf_host *h, const struct dp_mapping *mapping)
{
	struct dp_addr_key key = spread_key(mapping->vni, &mapping->addr);
	struct dp_spread_value value = {.n = mapping->n_peers};

	memcpy(value.peers, mapping->peers, mapping->n_peers * sizeof(value.peers[0]));
	return bpf_map_update_elem(bpf_map__fd(h->skel->maps.spreads), &key, &value, BPF_ANY);
}

static void spread_delete(const struct bpf_host *h, uint32_t vni, const struct ipaddr *addr)
{
	struct dp_addr_key key = spread_key(vni, addr);

	/* most addresses have none */
	(void)!bpf_map_delete_elem(bpf_map__fd(h->skel->maps.spreads), &key);
}

static int spread_read(const struct bpf_host *h, struct dp_mapping *ret)
{
	struct dp_addr_key key = spread_key(ret->vni, &ret->addr);
	struct dp_spread_value value;
	int r = bpf_map_lookup_elem(bpf_map__fd(h->skel->maps.spreads), &key, &value);

	if (r || !value.n || value.n > DP_PEER_SET_MAX)
		return -ENOENT;
	ret->n_peers = value.n;
	memcpy(ret->peers, value.peers, value.n * sizeof(value.peers[0]));
	ret->peer = value.peers[0];
	return 0;
}

int bpf_mapping_set(struct datapath *dp, const struct dp_mapping *mapping)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct mapping_key k = key_of(h, mapping->vni, &mapping->addr);
	struct dp_mapping_value value = {
		.peer = mapping->peer,
		.state = mapping->state,
		.revision = mapping->revision,
	};
	uint32_t was = label_of(&k, &mapping->addr);
	int r;

	if (mapping->state > DP_MAPPING_GONE || mapping->peer >= DP_PEERS_MAX ||
	    !peers_are_valid(mapping))
		return -EINVAL;
	if (mapping->n_peers)
		value.peer = DP_PEER_SPREAD;
	value.label = htonl(mapping->label);
	r = bpf_identity_get(h, mapping->groups, mapping->n_groups, &value.identity);
	if (!r)
		r = bpf_label_set(h, mapping->vni, &mapping->addr, mapping->label, was);
	if (!r && mapping->n_peers)
		r = spread_set(h, mapping);
	if (!r)
		r = bpf_map_update_elem(k.fd, &k.v4, &value, BPF_ANY);
	if (!r && !mapping->n_peers)
		spread_delete(h, mapping->vni, &mapping->addr);
	if (!r)
		bpf_host_bump_mapping(h, mapping->vni, &mapping->addr);
	return bpf_host_error(r);
}

int bpf_mapping_delete(struct datapath *dp, uint32_t vni, const struct ipaddr *addr)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct mapping_key k = key_of(h, vni, addr);
	int r = bpf_label_set(h, vni, addr, 0, label_of(&k, addr));

	if (!r)
		r = bpf_map_delete_elem(k.fd, &k.v4);
	if (!r)
		spread_delete(h, vni, addr);
	if (!r)
		bpf_host_bump_mapping(h, vni, addr);
	return bpf_host_error(r);
}

static int walk(const struct bpf_host *h, int fd, bool v4,
		int (*fn)(const struct dp_mapping *, void *), void *arg)
{
	struct mapping_key k = {}, next = {};
	void *at = NULL;
	int r = 0;

	while (!r && !bpf_map_get_next_key(fd, at, &next.v4)) {
		struct dp_mapping_value value;
		struct dp_mapping m = {};

		k = next;
		at = &k.v4;
		if (bpf_map_lookup_elem(fd, &k.v4, &value))
			continue;
		m.vni = v4 ? k.v4.vni : k.v6.vni;
		if (v4)
			m.addr = ipaddr_from_v4(ntohl(k.v4.addr));
		else
			memcpy(m.addr.b, k.v6.addr, sizeof(m.addr.b));
		m.state = (enum dp_mapping_state)value.state;
		m.peer = value.peer;
		if (value.peer == DP_PEER_SPREAD && spread_read(h, &m))
			continue;
		m.revision = value.revision;
		m.label = ntohl(value.label);
		m.n_groups = bpf_identity_groups(h, value.identity, m.groups);
		r = fn(&m, arg);
	}
	return r;
}

int bpf_mappings(struct datapath *dp, int (*fn)(const struct dp_mapping *, void *), void *arg)
{
	struct bpf_host *h = bpf_host_of(dp);
	int r = walk(h, bpf_map__fd(h->skel->maps.mappings_v4), true, fn, arg);

	return r ? r : walk(h, bpf_map__fd(h->skel->maps.mappings_v6), false, fn, arg);
}
