/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variants of peers: rows of their own behind those of the peers, and which nodes they decide for
 * (abi/maps.h).  What is pinned is found again at the start, so an agent that comes back changes
 * nothing.
 *
 * Which row a variant will have is decided before it is live (bpf_variant_plan), so that what it
 * seals can be told to the worker first.
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
	uint32_t row;     /* in the table; 0: it is not there yet */
	uint32_t planned; /* where it will be; 0: nothing else is planned */
	bool wanted;      /* by the peer that is being planned or set */
	size_t group;     /* then: the first of the variants that it is alike */
};

struct bpf_variants {
	struct hmap by_key;
	uint32_t users[DP_VARIANTS_MAX]; /* keys of each row, there and planned */
	uint32_t live[DP_VARIANTS_MAX];  /* of those, the ones that are there */
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

static void hold(struct bpf_variants *v, uint32_t row)
{
	v->users[row - DP_PEERS_MAX]++;
}

/* Whether nobody has the row now; of row 0 nobody ever had it. */
static bool release(struct bpf_variants *v, uint32_t row)
{
	return row && !--v->users[row - DP_PEERS_MAX];
}

/* The row that the table has for a variant, and that it holds; 0: none. */
static void set_live(struct bpf_variants *v, struct variant *e, uint32_t row)
{
	if (e->row)
		v->live[e->row - DP_PEERS_MAX]--;
	if (row)
		v->live[row - DP_PEERS_MAX]++;
	e->row = row;
}

static struct variant *add(struct bpf_variants *v, const struct dp_variant_key *k)
{
	struct variant *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->key = *k;
	hmap_insert(&v->by_key, &e->node, hash_of(k));
	return e;
}

int bpf_variant_load(struct bpf_host *h)
{
	struct dp_variant_key key, *at = NULL;
	struct variant *e;
	uint32_t row;

	h->variants = calloc(1, sizeof(*h->variants));
	if (!h->variants)
		return -ENOMEM;
	for (struct dp_variant_key next; !bpf_map_get_next_key(table(h), at, &next); at = &key) {
		key = next;
		if (bpf_map_lookup_elem(table(h), &key, &row) || row < DP_PEERS_MAX ||
		    row >= DP_PEERS_MAX + DP_VARIANTS_MAX)
			continue;
		e = add(h->variants, &key);
		if (!e)
			return -ENOMEM;
		set_live(h->variants, e, row);
		hold(h->variants, row);
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

static uint32_t row_of(const struct variant *e)
{
	return e->planned ? e->planned : e->row;
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
	return a->send == b->send && a->alone == b->alone && a->accept == b->accept &&
	       a->vxlan_over_v6 == b->vxlan_over_v6 && a->path_mtu == b->path_mtu &&
	       a->path_limit == b->path_limit && a->seal == b->seal &&
	       !memcmp(a->accept_sealed, b->accept_sealed, sizeof(a->accept_sealed)) &&
	       a->rate_bits == b->rate_bits && a->rate_burst == b->rate_burst &&
	       a->policy == b->policy && a->nexthop == b->nexthop && a->lz4 == b->lz4;
}

/* Variants from 'first' that are alike and next to each other. */
static size_t group_end(const struct dp_peer *peer, size_t first)
{
	size_t i = first + 1;

	while (i < peer->n_variants && same_choice(&peer->variants[i], &peer->variants[first]))
		i++;
	return i;
}

/* Whether others than these have the row now: what it says may not change under them. */
static bool has_others(const struct bpf_variants *v, const struct dp_peer *peer, size_t first,
		       size_t end, uint32_t row)
{
	uint32_t own = 0;

	for (size_t i = first; i < end; i++) {
		struct dp_variant_key k = key_of(peer->id, &peer->variants[i]);
		const struct variant *e = find(v, &k);

		own += e && e->row == row;
	}
	return v->live[row - DP_PEERS_MAX] != own;
}

/* The row that one of them has already or will have, else a free one; 0: there is none. */
static uint32_t row_of_group(const struct bpf_variants *v, const struct dp_peer *peer, size_t first,
			     size_t end)
{
	uint32_t shared = 0;

	for (size_t i = first; i < end; i++) {
		struct dp_variant_key k = key_of(peer->id, &peer->variants[i]);
		const struct variant *e = find(v, &k);
		uint32_t row = e ? row_of(e) : 0;

		if (!row || row == shared || v->taken[row - DP_PEERS_MAX])
			continue;
		if (!has_others(v, peer, first, end, row))
			return row;
		shared = row;
	}
	for (uint32_t n = 0; n < DP_VARIANTS_MAX; n++)
		if (!v->users[n] && !v->taken[n])
			return DP_PEERS_MAX + n;
	return shared;
}

/* The row of the class that these are part of: of two interfaces that of their networks, if there
 * is one and it is that of all of them. */
static uint32_t wider_row(const struct bpf_variants *v, const struct dp_peer *peer, size_t first,
			  size_t end, uint32_t row)
{
	uint32_t found = 0;

	for (size_t i = first; i < end; i++) {
		struct dp_variant all = peer->variants[i];
		struct dp_variant_key k;
		const struct variant *e;

		if (ipaddr_is_zero(&all.addr))
			return peer->id;
		all.addr = all.peer_addr = (struct ipaddr){};
		k = key_of(peer->id, &all);
		e = find(v, &k);
		if (!e || !e->wanted || row_of(e) == row || (found && found != row_of(e)))
			return peer->id;
		found = row_of(e);
	}
	return found;
}

/* The peer's record with another choice. */
static void write_row(struct bpf_host *h, const struct dp_peer *peer, const struct dp_variant *v,
		      uint32_t row)
{
	struct dp_peer other = *peer;
	struct dp_peer_copy c;

	other.id = row;
	other.send = v->send;
	other.alone = v->alone;
	other.accept = v->accept;
	other.vxlan_over_v6 = v->vxlan_over_v6;
	other.path_mtu = v->path_limit && v->path_limit < v->path_mtu ? v->path_limit : v->path_mtu;
	other.seal = v->seal;
	memcpy(other.accept_sealed, v->accept_sealed, sizeof(other.accept_sealed));
	other.rate_bits = v->rate_bits;
	other.rate_burst = v->rate_burst;
	other.policy = v->policy;
	other.nexthop = v->nexthop;
	other.n_variants = 0;
	c = bpf_peer_copy_of(&other);
	bpf_peer_own_set(h, &other, &c);
	if (memcmp(bpf_peer_current(h, row), &c, sizeof(c)))
		bpf_peer_publish(h, row, &c);
}

/* ---- planning ---- */

/* One that comes twice, of an address that two nodes share, is what the first says. */
static int plan_key(struct bpf_variants *v, const struct dp_variant_key *k, size_t group,
		    uint32_t row)
{
	struct variant *e = find(v, k);

	if (e && e->wanted)
		return 0;
	if (!e)
		e = add(v, k);
	if (!e)
		return -ENOMEM;
	e->wanted = true;
	e->group = group;
	if (row_of(e) == row)
		return 0;
	hold(v, row);
	release(v, e->planned);
	e->planned = row;
	return 0;
}

static int plan_group(struct bpf_variants *v, const struct dp_peer *peer, size_t first, size_t end)
{
	uint32_t row = row_of_group(v, peer, first, end);
	int r = row ? 0 : -ENOSPC;

	if (r)
		return r;
	v->taken[row - DP_PEERS_MAX] = true;
	for (size_t i = first; i < end && !r; i++) {
		struct dp_variant_key k = key_of(peer->id, &peer->variants[i]);

		r = plan_key(v, &k, first, row);
	}
	return r;
}

/* What was planned once and is not wanted any more. */
static void drop_plans(struct bpf_variants *v, uint32_t peer)
{
	struct variant *e;

	hmap_for_each (e, &v->by_key, node) {
		if (e->key.peer != peer || e->wanted)
			continue;
		release(v, e->planned);
		e->planned = 0;
		if (e->row)
			continue;
		hmap_remove(&v->by_key, &e->node);
		free(e);
	}
}

static bool is_valid(const struct dp_variant *v)
{
	return v->send < FORMAT_MAX && ipaddr_is_zero(&v->addr) == ipaddr_is_zero(&v->peer_addr);
}

static int bpf_variant_plan(struct bpf_host *h, const struct dp_peer *peer)
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
		r = plan_group(v, peer, first, end);
	}
	drop_plans(v, peer->id);
	return r;
}

/* ---- setting ---- */

/* To where it is planned. */
static int set_key(struct bpf_host *h, struct variant *e)
{
	if (!e->planned)
		return 0;
	if (bpf_map_update_elem(table(h), &e->key, &e->planned, BPF_ANY))
		return errno == E2BIG ? -ENOSPC : -errno;
	release(h->variants, e->row);
	set_live(h->variants, e, e->planned);
	e->planned = 0;
	return 0;
}

static int set_group(struct bpf_host *h, const struct dp_peer *peer, size_t first, size_t end)
{
	bool written = false;
	int r = 0;

	for (size_t i = first; i < end && !r; i++) {
		struct dp_variant_key k = key_of(peer->id, &peer->variants[i]);
		struct variant *e = find(h->variants, &k);

		if (e->group != first)
			continue;
		if (!written) {
			uint32_t row = row_of(e);

			bpf_peer_own_part(h, row, wider_row(h->variants, peer, first, end, row),
					  !h->variants->live[row - DP_PEERS_MAX]);
			write_row(h, peer, &peer->variants[first], row);
		}
		written = true;
		r = set_key(h, e);
	}
	return r;
}

int bpf_variant_set(struct bpf_host *h, const struct dp_peer *peer)
{
	int r = bpf_variant_plan(h, peer);

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
		set_live(h->variants, e, 0);
		if (release(h->variants, row))
			bpf_peer_publish(h, row, &none);
		hmap_remove(&h->variants->by_key, &e->node);
		free(e);
		bpf_host_bump_epoch(h);
	}
}

int bpf_peer_plan(struct datapath *dp, const struct dp_peer *peer)
{
	return bpf_variant_plan(bpf_host_of(dp), peer);
}

int bpf_variant_class(struct datapath *dp, uint32_t peer, const struct dp_variant *variant,
		      uint32_t *ret)
{
	struct dp_variant_key k = key_of(peer, variant);
	const struct variant *e = find(bpf_host_of(dp)->variants, &k);

	if (!e)
		return -ENOENT;
	*ret = row_of(e);
	return 0;
}
