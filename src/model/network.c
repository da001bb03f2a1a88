/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MTU of a network (docs/substrate.md): the smallest substrate MTU of the hosts that carry it, minus
 * the most that a packet may grow by between any two of them.  It is part of the VPC, so that a change of
 * it is a change of intent, with a revision.
 */
#include <string.h>

#include "abi/substrate.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/pair.h"
#include "model/vpc.h"

enum {
	KINDS_MAX = 32, /* hosts of a network differ in few ways; more are taken as the worst */
	MTU_MIN = 576,  /* what a host must be able to receive: RFC 791 */
};

/* Hosts that are alike for the overhead: one of each kind. */
struct host_kinds {
	const struct host *v[KINDS_MAX];
	size_t n;
	bool overflow;
	uint32_t mtu;
};

static void add_host(const struct model *m, struct host_kinds *k, const struct host *h)
{
	struct ability a = ability_of(h);

	if (a.mtu && (!k->mtu || a.mtu < k->mtu))
		k->mtu = a.mtu;
	for (size_t i = 0; i < k->n; i++) {
		struct ability b = ability_of(k->v[i]);

		if (ability_equal(&a, &b) && choice_rules_same_host(&m->choice_rules, h, k->v[i]))
			return;
	}
	if (k->n == KINDS_MAX)
		k->overflow = true;
	else
		k->v[k->n++] = h;
}

/* Of one class, between any two kinds of hosts. */
static uint32_t worst_of(const struct model *m, const struct host_kinds *k, const struct pair_class *c)
{
	uint32_t worst = 0;

	for (size_t i = 0; i < k->n; i++)
		for (size_t j = 0; j < k->n; j++) {
			uint32_t overhead = pair_overhead(m, k->v[i], k->v[j], c);

			if (overhead > worst)
				worst = overhead;
		}
	return worst;
}

/* Whether an interface that a policy names is in the network. */
static bool is_in(const struct model *m, uint64_t interface, uint32_t vni)
{
	const struct interface *i = (const struct interface *)model_get(m, KIND_INTERFACE, interface);

	return i && i->vni == vni;
}

static uint32_t worst_overhead(const struct model *m, const struct host_kinds *k, uint32_t vni)
{
	struct pair_class c = {.vni = vni, .peer_vni = vni};
	uint32_t worst = worst_of(m, k, &c);

	/* wherever they are: the MTU does not follow each move of an interface */
	for (size_t i = 0; i < m->choice_rules.n; i++) {
		const struct choice_policy *p = m->choice_rules.v[i];
		uint32_t overhead = 0;

		if (!p->interfaces[0] || !is_in(m, p->interfaces[0], vni) || !is_in(m, p->interfaces[1], vni))
			continue;
		for (size_t n = 0; n < 2; n++) {
			c.interface = p->interfaces[n];
			c.peer_interface = p->interfaces[!n];
			overhead = worst_of(m, k, &c);
			if (overhead > worst)
				worst = overhead;
		}
	}
	return k->overflow || !worst ? SUBSTRATE_OVERHEAD_VXLAN_V6 : worst;
}

/* 0: not known */
static uint32_t network_mtu(const struct model *m, const struct carried *n)
{
	struct host_kinds k = {.n = 0};
	uint32_t overhead;

	for (size_t i = 0; i < n->n_hosts; i++) {
		const struct host *h = host_by_number(m, n->hosts[i]);

		if (h)
			add_host(m, &k, h);
	}
	if (!k.mtu)
		return 0;
	overhead = worst_overhead(m, &k, n->number);
	return k.mtu < MTU_MIN + overhead ? MTU_MIN : k.mtu - overhead;
}

static int refresh(struct tx *tx, struct carried *n)
{
	const struct vpc *v = vpc_by_vni(tx->m, n->number);
	uint32_t mtu = network_mtu(tx->m, n);
	struct vpc *new = NULL;
	int r;

	n->stale = false;
	if (!v || !mtu || mtu == v->mtu)
		return 0;
	r = TX_EDIT(tx, v, &new);
	if (r)
		return r;
	new->mtu = mtu;
	return TX_PUT(tx, v, &new);
}

int network_refresh(struct tx *tx, uint32_t vni)
{
	struct carried *n = carried_find(tx->m, CARRIED_NETWORK, vni);

	return n && n->stale ? refresh(tx, n) : 0;
}

int network_recompute(struct tx *tx, uint32_t vni)
{
	struct carried *n = carried_find(tx->m, CARRIED_NETWORK, vni);

	return n && n->n_hosts ? refresh(tx, n) : 0;
}

int network_refresh_host(struct tx *tx, uint32_t host)
{
	struct carrier *c;

	hmap_for_each (c, &tx->m->carriers, node) {
		int r = 0;

		if (c->carried->kind == CARRIED_NETWORK && c->host == host && c->n)
			r = refresh(tx, c->carried);
		if (r)
			return r;
	}
	return 0;
}
