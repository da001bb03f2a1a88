/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes of the traffic of two hosts.  See pair_class.h; differences are in pair_diff.c.
 */
#include "model/pair_class.h"

#include <stdlib.h>
#include <string.h>

#include "model/edge.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/pair_shift.h"
#include "model/peering.h"
#include "model/table.h"
#include "model/vpc.h"

static bool same_class(const struct pair_class *a, const struct pair_class *b)
{
	return a->vni == b->vni && a->peer_vni == b->peer_vni && a->interface == b->interface &&
	       a->peer_interface == b->peer_interface;
}

static int add(struct pair_classes *c, const struct pair_class *class)
{
	if (c->n == c->allocated) {
		size_t more = c->allocated ? 2 * c->allocated : 8;
		struct pair_class *v = reallocarray(c->v, more, sizeof(*v));

		if (!v)
			return -ENOMEM;
		c->v = v;
		c->allocated = more;
	}
	c->v[c->n++] = *class;
	return 0;
}

static bool pair_classes_have(const struct pair_classes *c, const struct pair_class *class)
{
	for (size_t i = 0; i < c->n; i++)
		if (same_class(&c->v[i], class))
			return true;
	return false;
}

static int add_once(struct pair_classes *c, const struct pair_class *class)
{
	return pair_classes_have(c, class) ? 0 : add(c, class);
}

void pair_classes_deinit(struct pair_classes *c)
{
	free(c->v);
	*c = (struct pair_classes){0};
}

/* ---- networks ---- */

struct numbers {
	size_t n, allocated;
	uint32_t *v;
};

static int add_number(struct numbers *l, uint32_t number)
{
	if (l->n && l->v[l->n - 1] == number)
		return 0; /* neighbours in a list are often of one network */
	if (l->n == l->allocated) {
		size_t more = l->allocated ? 2 * l->allocated : 16;
		uint32_t *v = reallocarray(l->v, more, sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->allocated = more;
	}
	l->v[l->n++] = number;
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void sort_numbers(struct numbers *l)
{
	size_t n = 0;

	if (!l->n)
		return;
	qsort(l->v, l->n, sizeof(*l->v), compare_numbers);
	for (size_t i = 0; i < l->n; i++)
		if (!n || l->v[n - 1] != l->v[i])
			l->v[n++] = l->v[i];
	l->n = n;
}

static int networks_of(const struct model *m, const struct host *h, struct numbers *ret)
{
	static const enum relation of_edges[] = {REL_EDGE_ADDRESSES, REL_EDGE_INTERNET_GATEWAYS,
						 REL_EDGE_EGRESS_GATEWAYS};
	struct model_iter it = model_iter_group(m, REL_HOST_INTERFACES, h->number);
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it)))
		r = add_number(ret, ((const struct interface *)o)->vni);
	for (size_t i = 0; i < ARRAY_SIZE(of_edges) && h->edge; i++) {
		it = model_iter_group(m, of_edges[i], h->number);
		while (!r && (o = model_iter_next(&it))) {
			uint32_t vni, host;

			if (edge_serves(o, &vni, &host))
				r = add_number(ret, vni);
		}
	}
	sort_numbers(ret);
	return r;
}

int pair_networks_of(const struct model *m, const struct host *h, uint32_t **ret, size_t *ret_n)
{
	struct numbers networks = {0};
	int r = networks_of(m, h, &networks);

	if (r) {
		free(networks.v);
		return r;
	}
	*ret = networks.v;
	*ret_n = networks.n;
	return 0;
}

static bool carries(const struct model *m, uint32_t vni, const struct host *h)
{
	return carried_interfaces(m, CARRIED_NETWORK, vni, h->number);
}

/* What is collected: by which rules, and of whom. */
struct collecting {
	const struct model *m;
	const struct choice_rules *rules; /* NULL: those that hold */
	const struct host *a, *b;
	bool joins_apart;
};

static const struct choice_rules *rules_for(const struct collecting *k, const struct pair_class *c)
{
	return k->rules ? k->rules : choice_rules_between(k->m, k->a, k->b, c);
}

/* From network 'v', which 'a' carries, to itself and to those that are peered with it. */
static int add_networks(const struct collecting *k, const struct vpc *v, struct pair_classes *c)
{
	const struct pair_class inside = {.vni = v->vni, .peer_vni = v->vni};
	struct peering_iter it = peering_iter_of(k->m, v->o.id);
	const struct peering *p;
	int r = 0;

	if (carries(k->m, v->vni, k->b) && choice_rules_concern(rules_for(k, &inside), v))
		r = add(c, &inside);
	while (!r && (p = peering_iter_next(&it))) {
		const struct pair_class between = {.vni = v->vni,
						   .peer_vni = peering_other(p, v->o.id)->vni};

		/* a policy about any of its networks may leave a format that joins none, and
		 * without one the best may be such */
		if (p->state == PEERING_ACTIVE && carries(k->m, between.peer_vni, k->b) &&
		    (k->joins_apart || rules_for(k, &between)->n))
			r = add(c, &between);
	}
	return r;
}

/* ---- interfaces ---- */

static const struct interface *interface_at(const struct model *m, uint64_t id,
					    const struct host *h)
{
	const struct interface *i = (const struct interface *)model_get(m, KIND_INTERFACE, id);

	return i && interface_is_desired_at(i, h->number) ? i : NULL;
}

static int add_interfaces(const struct collecting *k, const struct choice_policy *p,
			  struct pair_classes *c)
{
	for (size_t n = 0; n < 2; n++) {
		const struct interface *here = interface_at(k->m, p->interfaces[n], k->a);
		const struct interface *there = interface_at(k->m, p->interfaces[!n], k->b);
		struct pair_class class;

		if (!here || !there)
			continue;
		class = (struct pair_class){here->vni, there->vni, here->o.id, there->o.id};
		return k->rules || pair_class_is_apart(k->m, NULL, k->a, k->b, &class)
			       ? add_once(c, &class)
			       : 0;
	}
	return 0;
}

static int add_named(const struct collecting *k, const struct choice_rules *rules,
		     struct pair_classes *c)
{
	int r = 0;

	for (size_t i = 0; i < rules->n && !r; i++)
		if (rules->v[i]->interfaces[0])
			r = add_interfaces(k, rules->v[i], c);
	return r;
}

/* ---- together ---- */

static int add_changing(const struct model *m, uint32_t from, uint32_t to, bool reverse,
			struct pair_classes *c)
{
	struct model_iter it = model_iter_group(m, REL_PAIR_SHIFTS, pair_shift_key(from, to));
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it))) {
		struct pair_class class = ((const struct pair_shift *)o)->class;

		if (class.vni)
			r = add_once(c, reverse ? &(struct pair_class){class.peer_vni, class.vni,
								       class.peer_interface,
								       class.interface}
						: &class);
	}
	return r;
}

static int compare_classes(const void *a, const void *b)
{
	const struct pair_class *x = a, *y = b;

	if (!x->interface != !y->interface)
		return x->interface ? 1 : -1;
	if (x->vni != y->vni)
		return x->vni > y->vni ? 1 : -1;
	if (x->peer_vni != y->peer_vni)
		return x->peer_vni > y->peer_vni ? 1 : -1;
	if (x->interface != y->interface)
		return x->interface > y->interface ? 1 : -1;
	return (x->peer_interface > y->peer_interface) - (x->peer_interface < y->peer_interface);
}

/* Whether classes of networks may be told apart at all: who has them costs more than the rest. */
static bool needs_networks(const struct collecting *k, const struct choice_rules *const *sets,
			   size_t n_sets)
{
	const bool peered = model_count(k->m, KIND_PEERING);
	bool needs = peered && k->joins_apart;

	for (size_t i = 0; i < n_sets; i++)
		needs |= sets[i]->n_narrow || (peered && sets[i]->n);
	return needs;
}

static int collect(const struct collecting *k, struct pair_classes *ret)
{
	_cleanup_(pair_classes_deinit) struct pair_classes c = {0};
	const struct choice_rules *sets[CHOICE_SETS_MAX] = {k->rules};
	size_t n_sets = k->rules ? 1 : choice_rules_in_force(k->m, sets);
	struct numbers networks = {0};
	int r = 0;

	if (needs_networks(k, sets, n_sets))
		r = networks_of(k->m, k->a, &networks);
	for (size_t i = 0; i < networks.n && !r; i++) {
		const struct vpc *v = vpc_by_vni(k->m, networks.v[i]);

		if (v)
			r = add_networks(k, v, &c);
	}
	free(networks.v);
	for (size_t i = 0; i < n_sets && !r; i++)
		r = add_named(k, sets[i], &c);
	if (r)
		return r;
	*ret = c;
	c = (struct pair_classes){0};
	return 0;
}

/* Without peered networks nobody asks. */
static bool joins_apart(const struct model *m, const struct host *a, const struct host *b)
{
	return model_count(m, KIND_PEERING) && pair_joins_apart(a, b);
}

int pair_classes_by(const struct model *m, const struct choice_rules *rules, const struct host *a,
		    const struct host *b, struct pair_classes *ret)
{
	return collect(&(struct collecting){m, rules, a, b, joins_apart(m, a, b)}, ret);
}

bool pair_class_is_apart(const struct model *m, const struct choice_rules *rules,
			 const struct host *a, const struct host *b, const struct pair_class *c)
{
	const struct vpc *v;

	if (!c->vni)
		return true;
	if (!rules)
		rules = choice_rules_between(m, a, b, c);
	for (size_t i = 0; i < rules->n && c->interface; i++) {
		const uint64_t *named = rules->v[i]->interfaces;

		if ((named[0] == c->interface && named[1] == c->peer_interface) ||
		    (named[1] == c->interface && named[0] == c->peer_interface))
			return true;
	}
	if (c->interface)
		return false;
	if (c->vni != c->peer_vni)
		return rules->n || pair_joins_apart(a, b);
	v = vpc_by_vni(m, c->vni);
	return v && choice_rules_concern(rules, v);
}

static int with_changing(const struct model *m, bool joins_apart, const struct host *a,
			 const struct host *b, struct pair_classes *ret)
{
	_cleanup_(pair_classes_deinit) struct pair_classes c = {0};
	int r = collect(&(struct collecting){m, NULL, a, b, joins_apart}, &c);

	if (!r)
		r = add_changing(m, a->number, b->number, false, &c);
	if (!r)
		r = add_changing(m, b->number, a->number, true, &c);
	if (r)
		return r;
	if (c.n)
		qsort(c.v, c.n, sizeof(*c.v), compare_classes);
	*ret = c;
	c = (struct pair_classes){0};
	return 0;
}

int pair_classes_of(const struct model *m, const struct host *a, const struct host *b,
		    struct pair_classes *ret)
{
	return with_changing(m, joins_apart(m, a, b), a, b, ret);
}

int pair_classes_near(const struct model *m, const struct host *a, const struct host *b,
		      struct pair_classes *ret)
{
	return with_changing(m, true, a, b, ret);
}
