/* SPDX-License-Identifier: Apache-2.0 */
/* The fake data plane's peers, and what is planned of them. */
#include "datapath/fake_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/maps.h"

static struct dp_peer *peer_at(const struct fake_table *t, size_t i)
{
	return (struct dp_peer *)t->rows + i;
}

static struct dp_peer *find(const struct fake_table *t, uint32_t id)
{
	for (size_t i = 0; i < t->n; i++)
		if (peer_at(t, i)->id == id)
			return peer_at(t, i);
	return NULL;
}

struct dp_peer *fake_peer_find(struct fake_host *h, uint32_t id)
{
	return find(&h->peers, id);
}

static void free_all(struct fake_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free((void *)(uintptr_t)peer_at(t, i)->variants);
	free(t->rows);
}

void fake_peer_free_all(struct fake_host *h)
{
	free_all(&h->peers);
	free_all(&h->plans);
}

/* The peer with variants of its own in place of 'old', one of the table or NULL. */
static int put_peer(struct fake_table *t, struct dp_peer *old, const struct dp_peer *peer)
{
	const struct dp_variant *before = old ? old->variants : NULL;
	struct dp_variant *variants = calloc(peer->n_variants + 1, sizeof(*variants));
	struct dp_peer kept = *peer;
	int r;

	if (!variants)
		return -ENOMEM;
	if (peer->n_variants)
		memcpy(variants, peer->variants, peer->n_variants * sizeof(*variants));
	kept.variants = variants;
	r = fake_table_put(t, old, &kept);
	free(r ? (void *)variants : (void *)(uintptr_t)before);
	return r;
}

static int drop_peer(struct fake_table *t, struct dp_peer *peer)
{
	if (peer)
		free((void *)(uintptr_t)peer->variants);
	return fake_table_drop(t, peer);
}

int fake_peer_set(struct datapath *dp, const struct dp_peer *peer)
{
	struct fake_host *h = fake_host_of(dp);

	(void)drop_peer(&h->plans, find(&h->plans, peer->id));
	return put_peer(&h->peers, fake_peer_find(h, peer->id), peer);
}

/* Kept until the peer is set: what is planned has a class. */
int fake_peer_plan(struct datapath *dp, const struct dp_peer *peer)
{
	struct fake_host *h = fake_host_of(dp);

	return put_peer(&h->plans, find(&h->plans, peer->id), peer);
}

static bool has_variant(const struct dp_peer *peer, const struct dp_variant *v)
{
	for (size_t i = 0; peer && i < peer->n_variants; i++) {
		const struct dp_variant *o = &peer->variants[i];

		if (o->vni == v->vni && o->peer_vni == v->peer_vni &&
		    ipaddr_equal(&o->addr, &v->addr) && ipaddr_equal(&o->peer_addr, &v->peer_addr))
			return true;
	}
	return false;
}

/* One for all variants of a peer: what is sealed meets no device. */
int fake_variant_class(struct datapath *dp, uint32_t peer, const struct dp_variant *variant,
		       uint32_t *ret)
{
	struct fake_host *h = fake_host_of(dp);

	if (!has_variant(fake_peer_find(h, peer), variant) &&
	    !has_variant(find(&h->plans, peer), variant))
		return -ENOENT;
	*ret = DP_PEERS_MAX + peer;
	return 0;
}

int fake_peer_held(struct datapath *dp, uint32_t id, uint64_t *ret)
{
	*ret = 0; /* nothing is held back: time is not modelled */
	return fake_peer_find(fake_host_of(dp), id) ? 0 : -ENOENT;
}

int fake_peer_delete(struct datapath *dp, uint32_t id)
{
	struct fake_host *h = fake_host_of(dp);

	(void)drop_peer(&h->plans, find(&h->plans, id));
	return drop_peer(&h->peers, fake_peer_find(h, id));
}

/* The peer record of 'h' for another host, by its substrate addresses. */
struct dp_peer *fake_peer_of(struct fake_host *h, const struct fake_host *from)
{
	for (size_t i = 0; i < h->peers.n; i++) {
		struct dp_peer *p = (struct dp_peer *)h->peers.rows + i;

		if ((from->config.siit2.len && prefix_equal(&p->siit2, &from->config.siit2)) ||
		    (from->config.siit1.len && prefix_equal(&p->siit1, &from->config.siit1)) ||
		    (!ipaddr_is_zero(&from->config.v4) && ipaddr_equal(&p->v4, &from->config.v4)))
			return p;
	}
	return NULL;
}

/* As bpf/lib/variant.h: the record that decides between two nodes. */
struct dp_peer fake_peer_decisive(const struct dp_peer *peer, uint32_t vni,
				  const struct ipaddr *addr, uint32_t peer_vni,
				  const struct ipaddr *peer_addr)
{
	const struct dp_variant *found = NULL;
	struct dp_peer p = *peer;

	for (size_t i = 0; i < peer->n_variants; i++) {
		const struct dp_variant *v = &peer->variants[i];
		bool all = ipaddr_is_zero(&v->addr);

		if (v->vni != vni || v->peer_vni != peer_vni || (all && found))
			continue;
		if (all || (ipaddr_equal(&v->addr, addr) && ipaddr_equal(&v->peer_addr, peer_addr)))
			found = v;
	}
	if (!found)
		return p;
	p.send = found->send;
	p.alone = found->alone;
	p.accept = found->accept;
	p.vxlan_over_v6 = found->vxlan_over_v6;
	p.path_mtu = found->path_limit && found->path_limit < found->path_mtu ? found->path_limit
									      : found->path_mtu;
	p.seal = found->seal;
	memcpy(p.accept_sealed, found->accept_sealed, sizeof(p.accept_sealed));
	p.nexthop = found->nexthop;
	return p;
}
