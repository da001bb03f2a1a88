/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers in a plan: what a host uses towards another one, and the variants of it for networks and
 * interfaces that policies name.  See plan_items.h; when they are told anew is in plan_pairs.c.
 */
#include <stdlib.h>
#include <string.h>

#include "model/host.h"
#include "model/interface.h"
#include "model/pair_class.h"
#include "model/plan_items.h"
#include "model/table.h"

void plan_variants_deinit(struct plan_variants *variants)
{
	free(variants->v);
	free(variants->choices);
	*variants = (struct plan_variants){0};
}

static int add(struct plan_variants *l, const struct plan_variant *v)
{
	if (l->n == l->allocated) {
		size_t more = l->allocated ? 2 * l->allocated : 8;
		struct plan_variant *grown = reallocarray(l->v, more, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		l->v = grown;
		l->allocated = more;
	}
	l->v[l->n++] = *v;
	return 0;
}

/* The addresses that packets of an interface may have: also its link-local one, behind the
 * others. */
static size_t addrs_of(const struct interface *i, struct ipaddr ret[static PLAN_ADDRS_MAX])
{
	size_t n = 0;

	for (size_t k = 0; k < i->n_addrs; k++)
		if (!i->addrs[k].arriving)
			ret[n++] = i->addrs[k].addr;
	ret[n++] = interface_link_local(i);
	return n;
}

/* Any address of the one with any address of the other of the same family. */
static int add_interfaces(const struct model *m, const struct pair_class *c,
			  const struct choice *choice, struct plan_variants *l)
{
	const struct interface *here =
		(const struct interface *)model_get(m, KIND_INTERFACE, c->interface);
	const struct interface *there =
		(const struct interface *)model_get(m, KIND_INTERFACE, c->peer_interface);
	struct ipaddr mine[PLAN_ADDRS_MAX], its[PLAN_ADDRS_MAX];
	size_t n, n_its;
	int r = 0;

	if (!here || !there)
		return 0;
	n = addrs_of(here, mine);
	n_its = addrs_of(there, its);
	for (size_t i = 0; i < n && !r; i++)
		for (size_t k = 0; k < n_its && !r; k++)
			if (ipaddr_is_v4(&mine[i]) == ipaddr_is_v4(&its[k]))
				r = add(l, &(struct plan_variant){c->vni, mine[i], c->peer_vni,
								  its[k], choice});
	return r;
}

/* What decides for interfaces when they have no variant: the choice of their networks, else the
 * pair's. */
static const struct choice *wider_of(const struct pair_classes *classes, size_t n,
				     const struct choice *choices, const struct choice *pair)
{
	const struct pair_class *c = &classes->v[n];

	for (size_t i = 0; i < n && c->interface; i++)
		if (!classes->v[i].interface && classes->v[i].vni == c->vni &&
		    classes->v[i].peer_vni == c->peer_vni)
			return &choices[i];
	return pair;
}

static int find_variants(const struct model *m, const struct host *self, const struct host *peer,
			 const struct choice *pair, struct plan_variants *l)
{
	_cleanup_(pair_classes_deinit) struct pair_classes classes = {0};
	int r = pair_classes_of(m, self, peer, &classes);

	if (r || !classes.n)
		return r;
	free(l->choices);
	l->choices = calloc(classes.n, sizeof(*l->choices));
	if (!l->choices)
		return -ENOMEM;
	for (size_t i = 0; i < classes.n && !r; i++) {
		const struct pair_class *c = &classes.v[i];
		struct choice *choice = &l->choices[i];

		pair_choice(m, self, peer, c, choice);
		if (choice_equal(choice, wider_of(&classes, i, l->choices, pair)))
			continue;
		if (c->interface)
			r = add_interfaces(m, c, choice, l);
		else
			r = add(l, &(struct plan_variant){.vni = c->vni,
							  .peer_vni = c->peer_vni,
							  .choice = choice});
	}
	return r;
}

int plan_peer_item(const struct model *m, const struct host *self, const struct host *peer,
		   struct plan_variants *variants, struct plan_item *ret)
{
	int r;

	*ret = (struct plan_item){.kind = PLAN_PEER};
	ret->peer.number = peer->number;
	ret->peer.name = peer->name;
	ret->peer.locators = peer->locators;
	ret->peer.edge = peer->edge;
	ret->peer.foreign = peer->foreign;
	pair_choice(m, self, peer, &pair_all, &ret->peer.choice);
	variants->n = 0;
	r = find_variants(m, self, peer, &ret->peer.choice, variants);
	ret->peer.n_variants = variants->n;
	ret->peer.variants = variants->v;
	return r;
}
