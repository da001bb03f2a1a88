/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variants of peers: rows of their own behind those of the peers, and which nodes they decide for
 * (abi/maps.h).  What is pinned is found again at the start, so an agent that comes back changes nothing.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hmap.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"

struct variant {
	struct hmap_node node;
	struct dp_variant_key key;
	uint32_t row;
	bool wanted; /* by the peer that is being set */
};

struct bpf_variants {
	struct hmap by_key;
	uint32_t users[DP_VARIANTS_MAX]; /* keys of each row */
	bool taken[DP_VARIANTS_MAX];     /* by the peer that is being set */
};

static int table(const struct bpf_host *h)
{
	return bpf_map__fd(h->skel->maps.variants);
}

static uint64_t hash_of(const struct dp_variant_key *k)
{
	return hash_bytes(k, sizeof(*k));
}

static struct variant *find(const struct bpf_variants *v, const struct dp_variant_key *k)
{
	struct variant *e;

	hmap_for_each_at (e, &v->by_key, hash_of(k), node)
		if (!memcmp(&e->key, k, sizeof(*k)))
			return e;
	return NULL;
}

static struct variant *add(struct bpf_variants *v, const struct dp_variant_key *k, uint32_t row)
{
	struct variant *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->key = *k;
	e->row = row;
	hmap_insert(&v->by_key, &e->node, hash_of(k));
	v->users[row - DP_PEERS_MAX]++;
	return e;
}

int bpf_variant_load(struct bpf_host *h)
{
	struct dp_variant_key key, *at = NULL;
	uint32_t row;

	h->variants = calloc(1, sizeof(*h->variants));
	if (!h->variants)
		return -ENOMEM;
	for (struct dp_variant_key next; !bpf_map_get_next_key(table(h), at, &next); at = &key) {
		key = next;
		if (bpf_map_lookup_elem(table(h), &key, &row) || row < DP_PEERS_MAX ||
		    row >= DP_PEERS_MAX + DP_VARIANTS_MAX)
			continue;
		if (!add(h->variants, &key, row))
			return -ENOMEM;
	}
	return 0;
}

void bpf_variant_unload(struct bpf_host *h)
{
	struct variant *e;

	if (!h->variants)
		return;
	hmap_for_each (e, &h->variants->by_key, node)
		free(e);
	hmap_deinit(&h->variants->by_key);
	free(h->variants);
	h->variants = NULL;
}

static struct dp_variant_key key_of(uint32_t peer, const struct dp_variant *v)
{
	struct dp_variant_key k = {.peer = peer, .vni = v->vni, .peer_vni = v->peer_vni};

	memcpy(k.addr, v->addr.b, 16);
	memcpy(k.peer_addr, v->peer_addr.b, 16);
	return k;
}

static bool same_choice(const struct dp_variant *a, const struct dp_variant *b)
{
	return a->send == b->send && a->accept == b->accept && a->vxlan_over_v6 == b->vxlan_over_v6 &&
	       a->path_mtu == b->path_mtu && a->seal == b->seal &&
	       !memcmp(a->accept_sealed, b->accept_sealed, sizeof(a->accept_sealed)) &&
	       a->rate_bits == b->rate_bits && a->rate_burst == b->rate_burst && a->nexthop == b->nexthop;
}

/* Variants from 'first' that are alike and next to each other. */
static size_t group_end(const struct dp_peer *peer, size_t first)
{
	size_t i = first + 1;

	while (i < peer->n_variants && same_choice(&peer->variants[i], &peer->variants[first]))
		i++;
	return i;
}

/* The row that one of them has already, else a free one; 0: there is none. */
static uint32_t row_of_group(struct bpf_variants *v, const struct dp_peer *peer, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		struct dp_variant_key k = key_of(peer->id, &peer->variants[i]);
		const struct variant *e = find(v, &k);

		if (e && !v->taken[e->row - DP_PEERS_MAX])
			return e->row;
	}
	for (uint32_t n = 0; n < DP_VARIANTS_MAX; n++)
		if (!v->users[n] && !v->taken[n])
			return DP_PEERS_MAX + n;
	return 0;
}

/* The peer's record with another choice. */
static void write_row(struct bpf_host *h, const struct dp_peer *peer, const struct dp_variant *v, uint32_t row)
{
	struct dp_peer other = *peer;
	struct dp_peer_copy c;

	other.id = row;
	other.send = v->send;
	other.accept = v->accept;
	other.vxlan_over_v6 = v->vxlan_over_v6;
	other.path_mtu = v->path_mtu;
	other.seal = v->seal;
	memcpy(other.accept_sealed, v->accept_sealed, sizeof(other.accept_sealed));
	other.rate_bits = v->rate_bits;
	other.rate_burst = v->rate_burst;
	other.nexthop = v->nexthop;
	other.n_variants = 0;
	c = bpf_peer_copy_of(&other);
	bpf_peer_own_set(h, &other, &c);
	if (memcmp(bpf_peer_current(h, row), &c, sizeof(c)))
		bpf_peer_publish(h, row, &c);
}

static int set_key(struct bpf_host *h, const struct dp_variant_key *k, uint32_t row)
{
	struct bpf_variants *v = h->variants;
	struct variant *e = find(v, k);

	if (e && e->row == row) {
		e->wanted = true;
		return 0;
	}
	if (bpf_map_update_elem(table(h), k, &row, BPF_ANY))
		return errno == E2BIG ? -ENOSPC : -errno;
	if (e) {
		v->users[e->row - DP_PEERS_MAX]--;
		v->users[row - DP_PEERS_MAX]++;
		e->row = row;
	} else {
		e = add(v, k, row);
		if (!e) {
			bpf_map_delete_elem(table(h), k);
			return -ENOMEM;
		}
	}
	e->wanted = true;
	return 0;
}

static int set_group(struct bpf_host *h, const struct dp_peer *peer, size_t first, size_t end)
{
	uint32_t row = row_of_group(h->variants, peer, first, end);
	int r = row ? 0 : -ENOSPC;

	if (r)
		return r;
	h->variants->taken[row - DP_PEERS_MAX] = true;
	write_row(h, peer, &peer->variants[first], row);
	for (size_t i = first; i < end && !r; i++) {
		struct dp_variant_key k = key_of(peer->id, &peer->variants[i]);

		r = set_key(h, &k, row);
	}
	return r;
}

static bool is_valid(const struct dp_variant *v)
{
	return v->send < FORMAT_MAX && ipaddr_is_zero(&v->addr) == ipaddr_is_zero(&v->peer_addr);
}

int bpf_variant_set(struct bpf_host *h, const struct dp_peer *peer)
{
	struct bpf_variants *v = h->variants;
	struct variant *e;
	int r = 0;

	if (!peer->n_variants && !hmap_count(&v->by_key))
		return 0;
	for (size_t i = 0; i < peer->n_variants; i++)
		if (!is_valid(&peer->variants[i]))
			return -EINVAL;
	memset(v->taken, 0, sizeof(v->taken));
	hmap_for_each (e, &v->by_key, node)
		e->wanted = false;
	for (size_t first = 0, end; first < peer->n_variants && !r; first = end) {
		end = group_end(peer, first);
		r = set_group(h, peer, first, end);
	}
	return r;
}

void bpf_variant_reap(struct bpf_host *h, uint32_t peer)
{
	struct dp_peer_copy none = {};
	struct variant *e;

	hmap_for_each (e, &h->variants->by_key, node) {
		uint32_t row = e->row;

		if (e->key.peer != peer || e->wanted)
			continue;
		bpf_map_delete_elem(table(h), &e->key);
		if (!--h->variants->users[row - DP_PEERS_MAX])
			bpf_peer_publish(h, row, &none);
		hmap_remove(&h->variants->by_key, &e->node);
		free(e);
		bpf_host_bump_epoch(h);
	}
}

int bpf_variant_class(struct datapath *dp, uint32_t peer, const struct dp_variant *variant, uint32_t *ret)
{
	struct dp_variant_key k = key_of(peer, variant);
	const struct variant *e = find(bpf_host_of(dp)->variants, &k);

	if (!e)
		return -ENOENT;
	*ret = e->row;
	return 0;
}
