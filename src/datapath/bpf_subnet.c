/* SPDX-License-Identifier: Apache-2.0 */
/* Subnets; on an edge also by the world's IPv6 addresses alone. */
#include "datapath/bpf_host.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "abi/gateway.h"
#include "datapath/bpf_skel.h"

static struct dp_subnet_key subnet_key(uint32_t vni, const struct prefix *prefix)
{
	struct dp_subnet_key key = {.len = 32U + prefix->len, .vni = htonl(vni)};

	memcpy(key.addr, prefix->addr.b, sizeof(key.addr));
	return key;
}

/* An edge finds the network of an address of the world by it alone; link-local ones are every
 * network's. */
static int network6_set(struct bpf_host *h, const struct dp_subnet *subnet)
{
	struct dp_network6_key key = {.len = subnet->prefix.len};
	const uint8_t *b = subnet->prefix.addr.b;
	uint32_t vni = subnet->vni;

	if (!h->uplink_ifindex || prefix_is_v4(&subnet->prefix) ||
	    (b[0] == 0xfe && (b[1] & 0xc0) == 0x80))
		return 0;
	memcpy(key.addr, b, sizeof(key.addr));
	return bpf_map_update_elem(bpf_map__fd(h->skel->maps.networks6), &key, &vni, BPF_ANY);
}

static void network6_delete(struct bpf_host *h, uint32_t vni, const struct prefix *prefix)
{
	struct dp_network6_key key = {.len = prefix->len};
	int fd = bpf_map__fd(h->skel->maps.networks6);
	uint32_t owner;

	memcpy(key.addr, prefix->addr.b, sizeof(key.addr));
	if (!prefix_is_v4(prefix) && !bpf_map_lookup_elem(fd, &key, &owner) && owner == vni)
		bpf_map_delete_elem(fd, &key);
}

int bpf_subnet_set(struct datapath *dp, const struct dp_subnet *subnet)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct dp_subnet_key key = subnet_key(subnet->vni, &subnet->prefix);
	struct dp_subnet_value value = {};
	int r;

	memcpy(value.router, subnet->router.b, 16);
	memcpy(value.resolver, subnet->resolver.b, 16);
	memcpy(value.router_mac, subnet->router_mac.b, 6);
	value.table = subnet->table;
	value.acl = subnet->acl;
	r = bpf_map_update_elem(bpf_map__fd(h->skel->maps.subnets), &key, &value, BPF_ANY);
	if (!r)
		r = network6_set(h, subnet);
	if (!r)
		bpf_host_bump_epoch(h);
	return bpf_host_error(r);
}

int bpf_subnet_delete(struct datapath *dp, uint32_t vni, const struct prefix *prefix)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct dp_subnet_key key = subnet_key(vni, prefix);
	int r = bpf_map_delete_elem(bpf_map__fd(h->skel->maps.subnets), &key);

	network6_delete(h, vni, prefix);
	if (!r)
		bpf_host_bump_epoch(h);
	return bpf_host_error(r);
}

int bpf_subnets(struct datapath *dp, int (*fn)(const struct dp_subnet *, void *), void *arg)
{
	struct bpf_host *h = bpf_host_of(dp);
	int fd = bpf_map__fd(h->skel->maps.subnets);
	struct dp_subnet_key key, next;
	void *at = NULL;
	int r = 0;

	for (; !r && !bpf_map_get_next_key(fd, at, &next); at = &key) {
		struct dp_subnet_value value;
		struct dp_subnet s = {};

		key = next;
		if (bpf_map_lookup_elem(fd, &key, &value))
			continue;
		s.vni = ntohl(key.vni);
		memcpy(s.prefix.addr.b, key.addr, 16);
		s.prefix.len = (uint8_t)(key.len - 32);
		memcpy(s.router.b, value.router, 16);
		memcpy(s.resolver.b, value.resolver, 16);
		memcpy(s.router_mac.b, value.router_mac, 6);
		s.table = value.table;
		s.acl = value.acl;
		r = fn(&s, arg);
	}
	return r;
}
