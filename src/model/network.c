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
#include "model/negotiate.h"
#include "model/vpc.h"

enum {
	CLASSES_MAX = 32, /* hosts of a network differ in few ways; more are taken as the worst */
	MTU_MIN = 576,    /* what a host must be able to receive: RFC 791 */
};

/* Hosts that are alike for the overhead. */
struct classes {
	struct ability v[CLASSES_MAX];
	size_t n;
	bool overflow;
	uint32_t mtu;
};

static void add_class(struct classes *c, const struct ability *a)
{
	if (a->mtu && (!c->mtu || a->mtu < c->mtu))
		c->mtu = a->mtu;
	for (size_t i = 0; i < c->n; i++)
		if (ability_equal(&c->v[i], a))
			return;
	if (c->n == CLASSES_MAX)
		c->overflow = true;
	else
		c->v[c->n++] = *a;
}

static uint32_t worst_overhead(const struct classes *c)
{
	uint32_t worst = 0;

	for (size_t i = 0; i < c->n; i++)
		for (size_t j = i; j < c->n; j++) {
			struct wish w;

			negotiate_quickly(&c->v[i], &c->v[j], NULL, &w);
			if (w.overhead > worst)
				worst = w.overhead;
		}
	return c->overflow || !worst ? SUBSTRATE_OVERHEAD_VXLAN_V6 : worst;
}

/* 0: not known */
static uint32_t network_mtu(const struct model *m, const struct carried *n)
{
	struct classes c = {.n = 0};
	uint32_t overhead;

	for (size_t i = 0; i < n->n_hosts; i++) {
		const struct host *h = host_by_number(m, n->hosts[i]);
		struct ability a;

		if (!h)
			continue;
		a = ability_of(h);
		add_class(&c, &a);
	}
	if (!c.mtu)
		return 0;
	overhead = worst_overhead(&c);
	return c.mtu < MTU_MIN + overhead ? MTU_MIN : c.mtu - overhead;
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
