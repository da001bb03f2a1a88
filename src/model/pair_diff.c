/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where two sets of rules wish for different things.  Hosts that are alike for all rules are looked at once, so
 * that a cluster of a thousand hosts costs little more than its few kinds of hosts.  See pair_class.h.
 */
#include <stdlib.h>
#include <string.h>

#include "model/host.h"
#include "model/interface.h"
#include "model/pair_class.h"
#include "model/peering.h"
#include "model/table.h"
#include "model/vpc.h"

enum { KINDS_KEPT = 64 }; /* up to so many kinds of hosts their wishes are kept */

struct wishes {
	struct wish before, after;
};

/* Of one class, by the kinds of both hosts. */
struct looked_up {
	bool known, differs;
	struct wishes *wishes; /* NULL: not kept */
};

struct diff {
	const struct model *m;
	const struct pair_rules_change *change;
	pair_difference_fn fn;
	void *data;
	size_t n_kinds;
	const struct host **kinds; /* one host of each */
	uint32_t *kind_of;         /* by number of the host */
	uint32_t n_numbers;
	struct looked_up *memo; /* of one class, by both kinds */
};

static bool is_alike(const struct diff *d, const struct host *a, const struct host *b)
{
	struct ability x = ability_of(a), y = ability_of(b);

	return ability_equal(&x, &y) && x.mtu == y.mtu && x.fault == y.fault &&
	       choice_rules_same_host(d->change->before, a, b) && choice_rules_same_host(d->change->after, a, b);
}

static void place_host(struct diff *d, const struct host *h)
{
	size_t k = 0;

	while (k < d->n_kinds && !is_alike(d, h, d->kinds[k]))
		k++;
	if (k == d->n_kinds)
		d->kinds[d->n_kinds++] = h;
	d->kind_of[h->number] = (uint32_t)k;
}

static int place_hosts(struct diff *d)
{
	struct model_iter it = model_iter_kind(d->m, KIND_HOST);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (((const struct host *)o)->number >= d->n_numbers)
			d->n_numbers = ((const struct host *)o)->number + 1;
	d->kinds = calloc(model_count(d->m, KIND_HOST) + 1, sizeof(const struct host *));
	d->kind_of = calloc(d->n_numbers + 1, sizeof(*d->kind_of));
	if (!d->kinds || !d->kind_of)
		return -ENOMEM;
	it = model_iter_kind(d->m, KIND_HOST);
	while ((o = model_iter_next(&it)))
		place_host(d, (const struct host *)o);
	d->memo = calloc(d->n_kinds * d->n_kinds + 1, sizeof(*d->memo));
	return d->memo ? 0 : -ENOMEM;
}

static bool differ(const struct wishes *w)
{
	return strcmp(w->before.reason, w->after.reason) || !wish_equal(&w->before, &w->after);
}

/* A direction of a class, if it differs. */
static int look(struct diff *d, const struct host *from, const struct host *to, const struct pair_class *c)
{
	size_t a = d->kind_of[from->number], b = d->kind_of[to->number];
	struct looked_up *known = &d->memo[a * d->n_kinds + b];
	struct pair_difference difference = {from, to, c, NULL, NULL};
	struct wishes now, *w = known->wishes ? known->wishes : &now;

	if (known->known && !known->differs)
		return 0;
	if (!known->wishes) {
		pair_wish_by(d->m, d->change->before, from, to, c, &now.before);
		pair_wish_by(d->m, d->change->after, from, to, c, &now.after);
		known->known = true;
		known->differs = differ(&now);
		if (!known->differs)
			return 0;
		if (d->n_kinds <= KINDS_KEPT)
			known->wishes = malloc(sizeof(now));
		if (known->wishes)
			*known->wishes = now;
	}
	/* of its own, however alike it is */
	w->before.key_epoch = w->after.key_epoch = from->key_epoch + 1;
	difference.before = &w->before;
	difference.after = &w->after;
	return d->fn(d->data, &difference);
}

static void forget(struct diff *d)
{
	for (size_t i = 0; d->memo && i < d->n_kinds * d->n_kinds; i++) {
		free(d->memo[i].wishes);
		d->memo[i] = (struct looked_up){0};
	}
}

static int look_at_pairs(struct diff *d)
{
	struct model_iter it = model_iter_kind(d->m, KIND_HOST);
	const struct object *a, *b;
	int r = 0;

	forget(d);
	while (!r && (a = model_iter_next(&it))) {
		struct model_iter others = model_iter_kind(d->m, KIND_HOST);

		while (!r && (b = model_iter_next(&others)))
			if (a != b)
				r = look(d, (const struct host *)a, (const struct host *)b, &pair_all);
	}
	return r;
}

/* ---- networks ---- */

/* What goes from one network to the other, or stays in it. */
static int look_at_direction(struct diff *d, uint32_t vni, uint32_t peer_vni)
{
	struct pair_class c = {.vni = vni, .peer_vni = peer_vni};
	const uint32_t *from, *to;
	size_t n_from = model_network_hosts(d->m, vni, &from), n_to = model_network_hosts(d->m, peer_vni, &to);
	int r = 0;

	forget(d);
	for (size_t i = 0; i < n_from && !r; i++)
		for (size_t k = 0; k < n_to && !r; k++) {
			const struct host *a = host_by_number(d->m, from[i]), *b = host_by_number(d->m, to[k]);

			if (a && b && a != b)
				r = look(d, a, b, &c);
		}
	return r;
}

/* Whether its classes may differ between the two. */
static bool is_concerned(const struct diff *d, const struct vpc *v)
{
	bool named = choice_rules_concern(d->change->before, v) || choice_rules_concern(d->change->after, v);

	for (size_t i = 0; i < d->change->n_changed && named; i++)
		if (choice_policy_concerns(d->change->changed[i], v))
			return true;
	return false;
}

static int look_at_network(struct diff *d, const struct vpc *v)
{
	struct peering_iter it = peering_iter_of(d->m, v->o.id);
	bool concerned = is_concerned(d, v);
	const struct peering *p;
	int r = concerned ? look_at_direction(d, v->vni, v->vni) : 0;

	while (!r && (p = peering_iter_next(&it))) {
		const struct peering_side *other = peering_other(p, v->o.id);
		const struct vpc *w = vpc_by_vni(d->m, other->vni);

		/* each two once, by the one with the lower number */
		if (p->state != PEERING_ACTIVE || !w || v->vni > w->vni)
			continue;
		r = look_at_direction(d, v->vni, w->vni);
		if (!r)
			r = look_at_direction(d, w->vni, v->vni);
	}
	return r;
}

static int look_at_networks(struct diff *d)
{
	struct model_iter it = model_iter_kind(d->m, KIND_VPC);
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it)))
		r = look_at_network(d, (const struct vpc *)o);
	return r;
}

/* ---- interfaces ---- */

static bool names_same(const struct choice_policy *p, const struct choice_policy *q)
{
	return (p->interfaces[0] == q->interfaces[0] && p->interfaces[1] == q->interfaces[1]) ||
	       (p->interfaces[0] == q->interfaces[1] && p->interfaces[1] == q->interfaces[0]);
}

static bool named_before(const struct choice_rules *rules, size_t n, const struct choice_policy *p)
{
	for (size_t i = 0; i < n; i++)
		if (names_same(rules->v[i], p))
			return true;
	return false;
}

static int look_at_places(struct diff *d, const struct interface *x, const struct interface *y, uint32_t at,
			  uint32_t peer_at)
{
	const struct host *a = host_by_number(d->m, at), *b = host_by_number(d->m, peer_at);
	struct pair_class c = {x->vni, y->vni, x->o.id, y->o.id};
	int r;

	if (!a || !b || a == b)
		return 0;
	forget(d);
	r = look(d, a, b, &c);
	if (r)
		return r;
	forget(d);
	c = pair_class_reverse(&c);
	return look(d, b, a, &c);
}

static int look_at_interfaces(struct diff *d, const struct choice_policy *p)
{
	const struct interface *x = (const struct interface *)model_get(d->m, KIND_INTERFACE, p->interfaces[0]);
	const struct interface *y = (const struct interface *)model_get(d->m, KIND_INTERFACE, p->interfaces[1]);
	int r = 0;

	if (!x || !y)
		return 0;
	for (size_t i = 0; i < interface_attachment_count(x) && !r; i++)
		for (size_t k = 0; k < interface_attachment_count(y) && !r; k++) {
			const struct attachment *a = interface_attachment(x, i), *b = interface_attachment(y, k);

			if (attachment_is_desired(a) && attachment_is_desired(b))
				r = look_at_places(d, x, y, a->host, b->host);
		}
	return r;
}

static int look_at_all_interfaces(struct diff *d)
{
	const struct choice_rules *before = d->change->before, *after = d->change->after;
	int r = 0;

	for (size_t i = 0; i < before->n && !r; i++)
		if (before->v[i]->interfaces[0] && !named_before(before, i, before->v[i]))
			r = look_at_interfaces(d, before->v[i]);
	for (size_t i = 0; i < after->n && !r; i++)
		if (after->v[i]->interfaces[0] && !named_before(after, i, after->v[i]) &&
		    !named_before(before, before->n, after->v[i]))
			r = look_at_interfaces(d, after->v[i]);
	return r;
}

int pair_differences(const struct model *m, const struct pair_rules_change *c, pair_difference_fn fn, void *data)
{
	struct diff d = {.m = m, .change = c, .fn = fn, .data = data};
	int r = place_hosts(&d);
	bool wide = false;

	for (size_t i = 0; i < c->n_changed; i++)
		wide |= c->changed[i]->wide;
	if (!r && wide)
		r = look_at_pairs(&d);
	if (!r)
		r = look_at_networks(&d);
	if (!r)
		r = look_at_all_interfaces(&d);
	forget(&d);
	free(d.kinds);
	free(d.kind_of);
	free(d.memo);
	return r;
}
