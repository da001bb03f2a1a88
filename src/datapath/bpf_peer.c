/* SPDX-License-Identifier: Apache-2.0 */
/* Peers, the locators by which arriving packets name them, and next hops: twin records. */
#include "datapath/bpf_host.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "abi/substrate.h"
#include "datapath/bpf_skel.h"

/* The siit lengths are of IPv6 prefixes, so they count as they are in the 128-bit space. */
static bool has_prefix(const struct prefix *p, uint8_t len)
{
	return p->len == len;
}

static struct dp_peer_value *row(struct bpf_host *h, uint32_t id)
{
	return bpf_array_row(&h->peers, id);
}

const struct dp_peer_copy *bpf_peer_current(struct bpf_host *h, uint32_t id)
{
	const struct dp_peer_value *p = row(h, id);

	return &p->copy[p->current & 1];
}

void bpf_peer_publish(struct bpf_host *h, uint32_t id, const struct dp_peer_copy *copy)
{
	struct dp_peer_value *p = row(h, id);
	uint32_t next = ~p->current & 1;

	p->copy[next] = *copy;
	__atomic_store_n(&p->current, next, __ATOMIC_RELEASE);
	bpf_host_bump_epoch(h);
}

/* Locators. */

struct locators {
	size_t n;
	struct dp_locator_key keys[4];
};

static void locator_add(struct locators *l, uint32_t kind, const uint8_t *addr, size_t size)
{
	struct dp_locator_key *k = &l->keys[l->n++];

	*k = (struct dp_locator_key){.kind = kind};
	memcpy(k->addr, addr, size);
}

static bool is_zero(const uint8_t addr[16])
{
	static const uint8_t zero[16];

	return !memcmp(addr, zero, sizeof(zero));
}

static struct locators locators_of(const struct dp_peer_copy *c)
{
	struct locators l = {};

	if (c->flags & DP_PEER_HAS_SIIT_1)
		locator_add(&l, DP_LOCATOR_SIIT_1, c->siit1, SUBSTRATE_SIIT_1_LEN / 8);
	if (c->flags & DP_PEER_HAS_SIIT_2)
		locator_add(&l, DP_LOCATOR_SIIT_2, c->siit2, SUBSTRATE_SIIT_2_LEN / 8);
	if (!is_zero(c->v4))
		locator_add(&l, DP_LOCATOR_ADDRESS, c->v4, 16);
	if (!is_zero(c->v6))
		locator_add(&l, DP_LOCATOR_ADDRESS, c->v6, 16);
	return l;
}

static bool locators_have(const struct locators *l, const struct dp_locator_key *key)
{
	for (size_t i = 0; i < l->n; i++)
		if (!memcmp(&l->keys[i], key, sizeof(*key)))
			return true;
	return false;
}

/* Removes what 'id' had and has not any more; what another peer has taken over stays. */
static void locators_remove(struct bpf_host *h, uint32_t id, const struct locators *had,
			    const struct locators *has)
{
	int fd = bpf_map__fd(h->skel->maps.locators);

	for (size_t i = 0; i < had->n; i++) {
		uint32_t owner;

		if (!locators_have(has, &had->keys[i]) &&
		    !bpf_map_lookup_elem(fd, &had->keys[i], &owner) && owner == id)
			bpf_map_delete_elem(fd, &had->keys[i]);
	}
}

static int locators_set(struct bpf_host *h, uint32_t id, const struct locators *l)
{
	for (size_t i = 0; i < l->n; i++) {
		int r = bpf_map_update_elem(bpf_map__fd(h->skel->maps.locators), &l->keys[i], &id,
					    BPF_ANY);

		if (r)
			return bpf_host_error(r);
	}
	return 0;
}

/* Peers. */

static const struct prefix no_labels;

void bpf_peer_init_self(struct bpf_host *h)
{
	struct dp_peer_copy self = {.present = DP_PEER_PRESENT};

	if (!bpf_peer_current(h, DP_PEER_SELF)->present)
		bpf_peer_publish(h, DP_PEER_SELF, &self);
}

struct dp_peer_copy bpf_peer_copy_of(const struct dp_peer *peer)
{
	struct dp_peer_copy c = {
		.present = DP_PEER_PRESENT | (peer->foreign ? (uint32_t)DP_PEER_FOREIGN : 0) |
			   (peer->alone ? (uint32_t)DP_PEER_ALONE : 0),
		.nexthop = peer->nexthop,
		.accept = peer->accept,
		.path_mtu = peer->path_mtu,
		.send = (uint8_t)peer->send,
	};

	memcpy(c.siit1, peer->siit1.addr.b, 16);
	memcpy(c.siit2, peer->siit2.addr.b, 16);
	memcpy(c.v4, peer->v4.b, 16);
	memcpy(c.v6, peer->v6.b, 16);
	if (has_prefix(&peer->siit1, SUBSTRATE_SIIT_1_LEN))
		c.flags |= DP_PEER_HAS_SIIT_1;
	if (has_prefix(&peer->siit2, SUBSTRATE_SIIT_2_LEN))
		c.flags |= DP_PEER_HAS_SIIT_2;
	if (peer->edge)
		c.flags |= DP_PEER_EDGE;
	if (peer->vxlan_over_v6)
		c.flags |= DP_PEER_VXLAN_V6;
	if (peer->n_variants)
		c.flags |= DP_PEER_VARIANTS;
	return c;
}

int bpf_peer_set(struct datapath *dp, const struct dp_peer *peer)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct dp_peer_copy c = bpf_peer_copy_of(peer);
	struct locators had, has = locators_of(&c);
	int r;

	if (peer->id >= DP_PEERS_MAX || peer->send >= FORMAT_MAX ||
	    (peer->id == DP_PEER_SELF && (peer->seal || peer->rate_bits)) ||
	    (peer->siit1.len && !(c.flags & DP_PEER_HAS_SIIT_1)) ||
	    (peer->siit2.len && !(c.flags & DP_PEER_HAS_SIIT_2)))
		return -EINVAL;
	r = bpf_label_range_set(h, peer->id, peer->id == DP_PEER_SELF ? &no_labels : &peer->labels);
	if (!r)
		r = bpf_variant_set(h, peer);
	if (r)
		return r;
	had = locators_of(bpf_peer_current(h, peer->id));
	/* This host's own locators are not a peer's: nothing arrives from oneself. */
	if (peer->id != DP_PEER_SELF) {
		r = locators_set(h, peer->id, &has);
		if (r)
			return r;
		locators_remove(h, peer->id, &had, &has);
	}
	bpf_peer_own_set(h, peer, &c);
	bpf_peer_publish(h, peer->id, &c);
	bpf_variant_reap(h, peer->id);
	return 0;
}

int bpf_peer_delete(struct datapath *dp, uint32_t id)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct dp_peer_copy none = {};
	struct locators had, has = {};
	int r;

	if (id >= DP_PEERS_MAX || !bpf_peer_current(h, id)->present)
		return -ENOENT;
	had = locators_of(bpf_peer_current(h, id));
	r = bpf_label_range_set(h, id, &no_labels);
	if (r)
		return r;
	bpf_peer_publish(h, id, &none);
	r = bpf_variant_set(h, &(struct dp_peer){.id = id});
	if (r)
		return r;
	bpf_variant_reap(h, id);
	locators_remove(h, id, &had, &has);
	bpf_peer_init_self(h);
	return 0;
}

int bpf_peers(struct datapath *dp, int (*fn)(const struct dp_peer *, void *), void *arg)
{
	struct bpf_host *h = bpf_host_of(dp);
	int r = 0;

	for (uint32_t id = 0; !r && id < DP_PEERS_MAX; id++) {
		const struct dp_peer_copy *c = bpf_peer_current(h, id);
		struct dp_peer peer = {.id = id};

		if (!c->present)
			continue;
		memcpy(peer.siit1.addr.b, c->siit1, 16);
		memcpy(peer.siit2.addr.b, c->siit2, 16);
		memcpy(peer.v4.b, c->v4, 16);
		memcpy(peer.v6.b, c->v6, 16);
		peer.siit1.len = c->flags & DP_PEER_HAS_SIIT_1 ? SUBSTRATE_SIIT_1_LEN : 0;
		peer.siit2.len = c->flags & DP_PEER_HAS_SIIT_2 ? SUBSTRATE_SIIT_2_LEN : 0;
		peer.send = (enum format)c->send;
		peer.accept = c->accept;
		peer.vxlan_over_v6 = c->flags & DP_PEER_VXLAN_V6;
		peer.path_mtu = c->path_mtu;
		peer.edge = c->flags & DP_PEER_EDGE;
		peer.foreign = c->present & DP_PEER_FOREIGN;
		peer.alone = c->present & DP_PEER_ALONE;
		peer.nexthop = c->nexthop;
		peer.labels = h->label_ranges[id];
		peer.n_variants = c->flags & DP_PEER_VARIANTS ? 1 : 0;
		bpf_peer_own_get(h, c, &peer);
		r = fn(&peer, arg);
	}
	return r;
}

/* Next hops. */

static struct dp_nexthop_value *nexthop_row(struct bpf_host *h, uint32_t id)
{
	return bpf_array_row(&h->nexthops, id);
}

static void nexthop_publish(struct bpf_host *h, uint32_t id, const struct dp_nexthop_copy *copy)
{
	struct dp_nexthop_value *n = nexthop_row(h, id);
	uint32_t next = ~n->current & 1;

	n->copy[next] = *copy;
	__atomic_store_n(&n->current, next, __ATOMIC_RELEASE);
}

int bpf_nexthop_set(struct datapath *dp, const struct dp_nexthop *nexthop)
{
	struct dp_nexthop_copy c = {
		.ifindex = (uint32_t)nexthop->ifindex,
		.flags = DP_NEXTHOP_PRESENT,
		.mtu = nexthop->mtu,
	};

	if (!nexthop->id || nexthop->id >= DP_NEXTHOPS_MAX || nexthop->ifindex <= 0)
		return -EINVAL;
	if (nexthop->resolved)
		c.flags |= DP_NEXTHOP_RESOLVED;
	if (!ipaddr_is_v4(&nexthop->gateway))
		c.flags |= DP_NEXTHOP_GATEWAY_V6;
	memcpy(c.destination, nexthop->destination.b, 6);
	memcpy(c.source, nexthop->source.b, 6);
	memcpy(c.gateway, nexthop->gateway.b, 16);
	nexthop_publish(bpf_host_of(dp), nexthop->id, &c);
	bpf_peer_own_follow(bpf_host_of(dp), nexthop->id);
	return 0;
}

int bpf_nexthop_delete(struct datapath *dp, uint32_t id)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct dp_nexthop_copy none = {};
	const struct dp_nexthop_value *n;

	if (!id || id >= DP_NEXTHOPS_MAX)
		return -ENOENT;
	n = nexthop_row(h, id);
	if (!(n->copy[n->current & 1].flags & DP_NEXTHOP_PRESENT))
		return -ENOENT;
	nexthop_publish(h, id, &none);
	return 0;
}
