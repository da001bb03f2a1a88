/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings: where virtual addresses live.  IPv4 has a table of its own with a compact key. */
#include "datapath/bpf_host.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "datapath/bpf_policy.h"
#include "datapath/bpf_skel.h"

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

	if (mapping->state > DP_MAPPING_GONE || mapping->peer >= DP_PEERS_MAX)
		return -EINVAL;
	value.label = htonl(mapping->label);
	r = bpf_identity_get(h, mapping->groups, mapping->n_groups, &value.identity);
	if (!r)
		r = bpf_label_set(h, mapping->vni, &mapping->addr, mapping->label, was);
	if (!r)
		r = bpf_map_update_elem(k.fd, &k.v4, &value, BPF_ANY);
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
