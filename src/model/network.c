/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MTU of a network (docs/substrate.md): the smallest substrate MTU of the hosts that carry it,
 * minus the most that a packet may grow by between any two of them, or from one of them to one that
 * carries a peered network.  It is part of the VPC, so that a change of it is a change of intent,
 * with a revision.
 */
#include <stdlib.h>

#include "abi/geneve.h"
#include "abi/substrate.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/pair.h"
#include "model/peering.h"
#include "model/vpc.h"

enum {
	KINDS_MAX = 32, /* hosts of a network differ in few ways; more are taken as the worst */
	MTU_MIN = 576,  /* what a host must be able to receive: RFC 791 */
	OVERHEAD_WORST = SUBSTRATE_OVERHEAD_VXLAN_V6,
	OVERHEAD_WORST_JOINED = SUBSTRATE_OVERHEAD_VXLAN_V6 + GENEVE_OPTION_2_SIZE,
};

/* Hosts that are alike for the overhead: one of each kind. */
struct host_kinds {
	struct pair_end v[KINDS_MAX];
	size_t n;
	bool overflow;
	/* some host is of two kinds: what it was, until all pairs know, and what it is */
	bool changing;
	uint32_t mtu;
};

/* What was counted of a network when peered ones were told last: numbers of hosts, one of each
 * kind. */
struct carried_kinds {
	uint64_t epoch; /* model->kinds_epoch of then */
	uint32_t n;
	uint32_t hosts[];
};

static bool is_alike(const struct model *m, const struct pair_end *x, const struct pair_end *y)
{
	const struct choice_rules *sets[CHOICE_SETS_MAX];
	size_t n = choice_rules_in_force(m, sets);
	bool alike = ability_equal(&x->ability, &y->ability);

	for (size_t i = 0; i < n && alike; i++)
		alike = choice_rules_same_host(sets[i], x->host, y->host);
	return alike;
}

static void add_end(const struct model *m, struct host_kinds *k, const struct pair_end *e)
{
	const uint32_t mtu = e->ability.mtu;

	if (mtu && (!k->mtu || mtu < k->mtu))
		k->mtu = mtu;
	for (size_t i = 0; i < k->n; i++)
		if (is_alike(m, e, &k->v[i]))
			return;
	if (k->n == KINDS_MAX)
		k->overflow = true;
	else
		k->v[k->n++] = *e;
}

static void add_host(const struct model *m, struct host_kinds *k, const struct host *h)
{
	add_end(m, k, &(struct pair_end){h, ability_of(h)});
	if (!h->changing_at)
		return;
	add_end(m, k, &(struct pair_end){h, ability_former(h)});
	k->changing = true;
}

static struct host_kinds kinds_of(const struct model *m, uint32_t vni)
{
	struct host_kinds k = {.n = 0};
	const uint32_t *hosts;
	size_t n = model_network_hosts(m, vni, &hosts);

	for (size_t i = 0; i < n; i++) {
		const struct host *h = host_by_number(m, hosts[i]);

		if (h)
			add_host(m, &k, h);
	}
	return k;
}

/* Of one class, from any kind of host to any. */
static uint32_t worst_of(const struct model *m, const struct host_kinds *from,
			 const struct host_kinds *to, const struct pair_class *c)
{
	const struct choice_rules *sets[CHOICE_SETS_MAX];
	size_t n_sets = choice_rules_in_force(m, sets);
	uint32_t worst = 0;

	for (size_t i = 0; i < from->n; i++)
		for (size_t j = 0; j < to->n; j++)
			for (size_t k = 0; k < n_sets; k++) {
				uint32_t overhead =
					pair_overhead(m, sets[k], &from->v[i], &to->v[j], c);

				if (overhead > worst)
					worst = overhead;
			}
	return worst;
}

/* Whether an interface that a policy names is in the network. */
static bool is_in(const struct model *m, uint64_t interface, uint32_t vni)
{
	const struct interface *i =
		(const struct interface *)model_get(m, KIND_INTERFACE, interface);

	return i && i->vni == vni;
}

/* Of what policies say of two interfaces in the network. */
static uint32_t worst_of_named(const struct model *m, const struct host_kinds *k,
			       const struct choice_rules *rules, uint32_t vni)
{
	struct pair_class c = {.vni = vni, .peer_vni = vni};
	uint32_t worst = 0;

	/* wherever they are: the MTU does not follow each move of an interface */
	for (size_t i = 0; i < rules->n; i++) {
		const struct choice_policy *p = rules->v[i];
		uint32_t overhead = 0;

		if (!p->interfaces[0] || !is_in(m, p->interfaces[0], vni) ||
		    !is_in(m, p->interfaces[1], vni))
			continue;
		for (size_t n = 0; n < 2; n++) {
			c.interface = p->interfaces[n];
			c.peer_interface = p->interfaces[!n];
			overhead = worst_of(m, k, k, &c);
			if (overhead > worst)
				worst = overhead;
		}
	}
	return worst;
}

static uint32_t worst_overhead(const struct model *m, const struct host_kinds *k, uint32_t vni)
{
	const struct pair_class c = {.vni = vni, .peer_vni = vni};
	const struct choice_rules *sets[CHOICE_SETS_MAX];
	size_t n_sets = choice_rules_in_force(m, sets);
	uint32_t worst = worst_of(m, k, k, &c);

	for (size_t i = 0; i < n_sets; i++) {
		uint32_t overhead = worst_of_named(m, k, sets[i], vni);

		worst = overhead > worst ? overhead : worst;
	}
	return k->overflow || !worst ? OVERHEAD_WORST : worst;
}

/* What the network sends to those that it is peered with. */
static uint32_t worst_to_peers(const struct model *m, const struct host_kinds *k,
			       const struct vpc *v)
{
	struct peering_iter it = peering_iter_of(m, v->o.id);
	const struct peering *p;
	uint32_t worst = 0;

	while ((p = peering_iter_next(&it))) {
		const struct pair_class c = {.vni = v->vni,
					     .peer_vni = peering_other(p, v->o.id)->vni};
		struct host_kinds others;
		uint32_t overhead;

		if (p->state != PEERING_ACTIVE)
			continue;
		others = kinds_of(m, c.peer_vni);
		overhead = k->overflow || others.overflow ? OVERHEAD_WORST_JOINED
							  : worst_of(m, k, &others, &c);
		if (overhead > worst)
			worst = overhead;
	}
	return worst;
}

/* 0: not known */
static uint32_t network_mtu(const struct model *m, const struct host_kinds *k, const struct vpc *v)
{
	uint32_t overhead, joined;

	if (!k->mtu)
		return 0;
	overhead = worst_overhead(m, k, v->vni);
	joined = worst_to_peers(m, k, v);
	if (joined > overhead)
		overhead = joined;
	return k->mtu < MTU_MIN + overhead ? MTU_MIN : k->mtu - overhead;
}

/* The network alone. */
static int refresh(struct tx *tx, struct carried *n, const struct host_kinds *k)
{
	const struct vpc *v = vpc_by_vni(tx->m, n->number);
	uint32_t mtu = v ? network_mtu(tx->m, k, v) : 0;
	struct vpc *new = NULL;
	int r;

	n->stale = false;
	if (!mtu || mtu == v->mtu)
		return 0;
	r = TX_EDIT(tx, v, &new);
	if (r)
		return r;
	new->mtu = mtu;
	return TX_PUT(tx, v, &new);
}

/* ---- peered networks ---- */

static bool has_peers(const struct model *m, uint32_t vni)
{
	const struct vpc *v = vpc_by_vni(m, vni);
	struct peering_iter it = peering_iter_of(m, v ? v->o.id : 0);
	const struct peering *p;

	while (v && (p = peering_iter_next(&it)))
		if (p->state == PEERING_ACTIVE)
			return true;
	return false;
}

/* Nothing that peered networks count of this one is different since they were told. */
static bool knows_kinds(const struct model *m, const struct carried *n, const struct host_kinds *k)
{
	const struct carried_kinds *known = n->kinds;
	size_t found = 0;

	if (!known || known->epoch != m->kinds_epoch || k->overflow || k->changing ||
	    known->n != k->n)
		return false;
	for (size_t i = 0; i < k->n; i++)
		for (size_t j = 0; j < known->n; j++) {
			const struct host *h = host_by_number(m, known->hosts[j]);

			found += h && is_alike(m, &(struct pair_end){h, ability_of(h)}, &k->v[i]);
		}
	return found == k->n;
}

/* Without memory they are not known, and peers are told again. */
static void note_kinds(const struct model *m, struct carried *n, const struct host_kinds *k)
{
	struct carried_kinds *known = NULL;

	if (!k->changing)
		known = calloc(1, sizeof(*known) + k->n * sizeof(known->hosts[0]));
	free(n->kinds);
	n->kinds = known;
	if (!known)
		return;
	known->epoch = m->kinds_epoch;
	known->n = (uint32_t)k->n;
	for (size_t i = 0; i < k->n; i++)
		known->hosts[i] = k->v[i].host->number;
}

int network_recompute_alone(struct tx *tx, uint32_t vni)
{
	struct carried *n = carried_find(tx->m, CARRIED_NETWORK, vni);
	struct host_kinds k = kinds_of(tx->m, vni);

	return n && n->n_hosts ? refresh(tx, n, &k) : 0;
}

static int refresh_peers(struct tx *tx, uint32_t vni)
{
	const struct vpc *v = vpc_by_vni(tx->m, vni);
	struct peering_iter it = peering_iter_of(tx->m, v ? v->o.id : 0);
	const struct peering *p;
	int r = 0;

	while (v && !r && (p = peering_iter_next(&it)))
		if (p->state == PEERING_ACTIVE)
			r = network_recompute_alone(tx, peering_other(p, v->o.id)->vni);
	return r;
}

int network_refresh(struct tx *tx, uint32_t vni)
{
	struct carried *n = carried_find(tx->m, CARRIED_NETWORK, vni);
	struct host_kinds k;
	int r;

	if (!n || !n->stale)
		return 0;
	k = kinds_of(tx->m, vni);
	r = refresh(tx, n, &k);
	if (r || !has_peers(tx->m, vni) || knows_kinds(tx->m, n, &k))
		return r;
	r = refresh_peers(tx, vni);
	if (!r)
		note_kinds(tx->m, n, &k);
	return r;
}

int network_recompute(struct tx *tx, uint32_t vni)
{
	int r = network_recompute_alone(tx, vni);

	return r ? r : refresh_peers(tx, vni);
}

int network_recompute_peered(struct tx *tx, uint32_t vni, uint32_t peer_vni)
{
	int r = network_recompute_alone(tx, vni);

	return r ? r : network_recompute_alone(tx, peer_vni);
}

int network_refresh_host(struct tx *tx, uint32_t host)
{
	struct carrier *c;
	int r = 0;

	hmap_for_each (c, &tx->m->carriers, node) {
		if (c->carried->kind == CARRIED_NETWORK && c->host == host && c->n)
			r = network_recompute(tx, c->carried->number);
		if (r)
			return r;
	}
	return 0;
}
