/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wished for before an operation that may change it.  See pair_shift.h.
 */
#include <stdlib.h>

#include "model/host.h"
#include "model/interface.h"
#include "model/pair_class.h"
#include "model/pair_shift.h"
#include "model/peering.h"
#include "model/table.h"
#include "model/vpc.h"

/* Takes what the item has. */
static int put(struct pair_survey *s, const struct pair_surveyed *item)
{
	if (s->n == s->allocated) {
		size_t more = s->allocated ? 2 * s->allocated : 64;
		void *items = reallocarray(s->items, more, sizeof(*s->items));

		if (!items) {
			free(item->whole);
			return -ENOMEM;
		}
		s->items = items;
		s->allocated = more;
	}
	s->items[s->n++] = *item;
	return 0;
}

void pair_survey_deinit(struct pair_survey *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i].whole);
	free(s->items);
	*s = (struct pair_survey){0};
}

static struct terms terms_of(const struct model *m, const struct choice_rules *rules,
			     const struct host *from, const struct host *to,
			     const struct pair_class *c)
{
	struct wish w;

	pair_wish_quickly(m, rules, from, to, c, &w);
	return pair_terms(&w);
}

/* What is so before the operation; 'rules' are those of then, NULL: those that hold. */
static int note_before(const struct model *m, const struct choice_rules *rules,
		       const struct host *from, const struct host *to, struct pair_surveyed *item)
{
	const struct pair_shift *p = pair_shift_find(m, from->number, to->number, &item->class);

	item->changing = p;
	item->part = !pair_class_is_apart(m, rules, from, to, &item->class);
	p = item->part && !p ? pair_shift_of(m, from, to, &item->class) : NULL;
	if (!p)
		return 0;
	item->whole = malloc(sizeof(*item->whole));
	if (!item->whole)
		return -ENOMEM;
	*item->whole = p->shift;
	return 0;
}

static int survey_by(const struct model *m, const struct choice_rules *rules,
		     const struct host *from, const struct host *to, const struct pair_class *c,
		     struct pair_survey *s)
{
	struct pair_surveyed item = {.from = from->number, .to = to->number, .class = *c};
	int r;

	item.terms = terms_of(m, rules, from, to, c);
	r = note_before(m, rules, from, to, &item);
	return r ? r : put(s, &item);
}

static int survey_one(const struct model *m, const struct host *from, const struct host *to,
		      const struct pair_class *c, struct pair_survey *s)
{
	return survey_by(m, NULL, from, to, c, s);
}

/* Both directions, of all classes. */
static int survey_pair(const struct model *m, const struct host *a, const struct host *b,
		       bool classes_too, struct pair_survey *s)
{
	_cleanup_(pair_classes_deinit) struct pair_classes classes = {0};
	int r = survey_one(m, a, b, &pair_all, s);

	if (!r)
		r = survey_one(m, b, a, &pair_all, s);
	if (!r && classes_too)
		r = pair_classes_near(m, a, b, &classes);
	for (size_t i = 0; i < classes.n && !r; i++) {
		struct pair_class reverse = pair_class_reverse(&classes.v[i]);

		r = survey_one(m, a, b, &classes.v[i], s);
		if (!r)
			r = survey_one(m, b, a, &reverse, s);
	}
	return r;
}

static bool is_changing(const struct model *m, uint32_t a, uint32_t b)
{
	return model_group_count(m, REL_PAIR_SHIFTS, pair_shift_key(a, b)) ||
	       model_group_count(m, REL_PAIR_SHIFTS, pair_shift_key(b, a));
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Numbers of the hosts from 'from' on, ascending; the caller frees '*ret'. */
static int numbers_from(const struct model *m, uint32_t from, uint32_t **ret, size_t *ret_n)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	uint32_t *v = calloc(model_count(m, KIND_HOST) + 1, sizeof(*v));
	const struct object *o;
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	while ((o = model_iter_next(&it)))
		if (((const struct host *)o)->number >= from)
			v[n++] = ((const struct host *)o)->number;
	qsort(v, n, sizeof(*v), compare_numbers);
	*ret = v;
	*ret_n = n;
	return 0;
}

int pair_survey_host_from(const struct model *m, uint32_t number, uint32_t *at, size_t budget,
			  struct pair_survey *ret)
{
	const struct host *h = host_by_number(m, number);
	/* without both, no class is told apart, whatever it can do */
	bool classes = choice_rules_any(m) || model_count(m, KIND_PEERING);
	_cleanup_free_ uint32_t *others = NULL;
	size_t n, cost = 0, i;
	int r = numbers_from(m, *at, &others, &n);

	*ret = (struct pair_survey){0};
	for (i = 0; !r && i < n && cost < budget; i++) {
		const struct host *other = host_by_number(m, others[i]);
		const size_t before = ret->n;

		if (other == h)
			continue;
		/* one that could do nothing was sent nothing, unless it could do something just
		 * now */
		if (ability_towards(h, other).formats || is_changing(m, number, other->number))
			r = survey_pair(m, h, other, classes, ret);
		cost += ret->n > before ? ret->n - before : 2;
	}
	if (!r)
		*at = i < n ? others[i] : 0;
	return r;
}

int pair_survey_host(const struct model *m, uint32_t number, struct pair_survey *ret)
{
	return pair_survey_host_from(m, number, &(uint32_t){0}, SIZE_MAX, ret);
}

/* ---- rules ---- */

struct surveying {
	const struct model *m;
	const struct pair_rules_change *change;
	struct pair_survey *survey;
	bool narrow; /* classes may cease to be told apart */
};

/* Classes of a direction that changes which cease to be told apart: they are to be a part of what
 * is changing. */
static int note_joining(const struct surveying *s, const struct host *from, const struct host *to)
{
	_cleanup_(pair_classes_deinit) struct pair_classes classes = {0};
	int r = pair_classes_by(s->m, s->change->before, from, to, &classes);

	for (size_t i = 0; i < classes.n && !r; i++)
		if (!pair_class_is_apart(s->m, s->change->after, from, to, &classes.v[i]) &&
		    !pair_is_left_out(s->m, s->change, &classes.v[i]))
			r = survey_by(s->m, s->change->before, from, to, &classes.v[i], s->survey);
	return r;
}

static int note_difference(void *data, const struct pair_difference *d)
{
	const struct surveying *s = data;
	struct terms after = pair_terms(d->after);
	struct pair_surveyed item = {.from = d->from->number,
				     .to = d->to->number,
				     .class = *d->class,
				     .terms = pair_terms(d->before)};
	int r;

	if (terms_equal(&item.terms, &after))
		return 0;
	r = note_before(s->m, s->change->before, d->from, d->to, &item);
	if (!r)
		r = put(s->survey, &item);
	return !r && s->narrow && !d->class->interface ? note_joining(s, d->from, d->to) : r;
}

/* All classes of a direction that is changing, by the rules before and those after: they may come
 * to be told apart, or cease to be, in the middle. */
static int note_changing(const struct surveying *s, const struct host *from, const struct host *to)
{
	const struct choice_rules *sets[] = {s->change->before, s->change->after};
	struct model_iter it =
		model_iter_group(s->m, REL_PAIR_SHIFTS, pair_shift_key(from->number, to->number));
	const struct object *o;
	bool any = false;
	int r = 0;

	while (!r && (o = model_iter_next(&it))) {
		r = survey_by(s->m, sets[0], from, to, &((const struct pair_shift *)o)->class,
			      s->survey);
		any = true;
	}
	for (size_t k = 0; k < ARRAY_SIZE(sets) && any && !r; k++) {
		_cleanup_(pair_classes_deinit) struct pair_classes classes = {0};

		r = pair_classes_by(s->m, sets[k], from, to, &classes);
		for (size_t i = 0; i < classes.n && !r; i++)
			if (!pair_is_left_out(s->m, s->change, &classes.v[i]))
				r = survey_by(s->m, sets[0], from, to, &classes.v[i], s->survey);
	}
	return r;
}

static int note_pair(void *data, const struct host *a, const struct host *b, bool retold)
{
	int r = note_changing(data, a, b);

	(void)retold;
	return r ? r : note_changing(data, b, a);
}

int pair_survey_rules(const struct model *m, const struct pair_rules_change *c,
		      struct pair_stretch *stretch, struct pair_survey *ret)
{
	struct surveying s = {m, c, ret, false};
	const struct pair_walk walk = {note_difference, note_pair, &s};

	for (size_t i = 0; i < c->n_changed; i++)
		s.narrow |= c->changed[i]->narrow;
	*ret = (struct pair_survey){0};
	return pair_differences(m, c, stretch, &walk);
}

/* ---- a network ---- */

/* A class of two networks, and those of interfaces in it that are changing yet: no policy may name
 * these any more. */
static int survey_between(const struct model *m, const struct host *from, const struct host *to,
			  const struct pair_class *c, struct pair_survey *s)
{
	struct model_iter it =
		model_iter_group(m, REL_PAIR_SHIFTS, pair_shift_key(from->number, to->number));
	const struct object *o;
	int r = survey_one(m, from, to, c, s);

	while (!r && (o = model_iter_next(&it))) {
		const struct pair_class *changing = &((const struct pair_shift *)o)->class;

		if (changing->interface && changing->vni == c->vni &&
		    changing->peer_vni == c->peer_vni)
			r = survey_one(m, from, to, changing, s);
	}
	return r;
}

static int survey_networks(const struct model *m, uint32_t vni, uint32_t peer_vni,
			   struct pair_survey *s)
{
	struct pair_class c = {.vni = vni, .peer_vni = peer_vni}, reverse = pair_class_reverse(&c);
	const uint32_t *from, *to;
	size_t n_from = model_network_hosts(m, vni, &from),
	       n_to = model_network_hosts(m, peer_vni, &to);
	int r = 0;

	for (size_t i = 0; i < n_from && !r; i++)
		for (size_t k = 0; k < n_to && !r; k++) {
			const struct host *a = host_by_number(m, from[i]),
					  *b = host_by_number(m, to[k]);

			if (!a || !b || a == b)
				continue;
			r = survey_between(m, a, b, &c, s);
			if (!r && vni != peer_vni)
				r = survey_between(m, b, a, &reverse, s);
		}
	return r;
}

/* Between the interfaces that a policy names, one of which is in the network. */
static int survey_interfaces(const struct model *m, const struct choice_policy *p, uint32_t vni,
			     struct pair_survey *s)
{
	const struct interface *x =
		(const struct interface *)model_get(m, KIND_INTERFACE, p->interfaces[0]);
	const struct interface *y =
		(const struct interface *)model_get(m, KIND_INTERFACE, p->interfaces[1]);
	int r = 0;

	if (!x || !y || (x->vni != vni && y->vni != vni))
		return 0;
	for (size_t i = 0; i < interface_attachment_count(x) && !r; i++)
		for (size_t k = 0; k < interface_attachment_count(y) && !r; k++) {
			const struct host *a = host_by_number(m, interface_attachment(x, i)->host);
			const struct host *b = host_by_number(m, interface_attachment(y, k)->host);
			struct pair_class c = {x->vni, y->vni, x->o.id, y->o.id},
					  reverse = pair_class_reverse(&c);

			if (!a || !b || a == b)
				continue;
			r = survey_one(m, a, b, &c, s);
			if (!r)
				r = survey_one(m, b, a, &reverse, s);
		}
	return r;
}

int pair_survey_network(const struct model *m, const struct vpc *v, struct pair_survey *ret)
{
	const struct choice_rules *sets[CHOICE_SETS_MAX];
	size_t n_sets = choice_rules_in_force(m, sets);
	struct peering_iter it = peering_iter_of(m, v->o.id);
	const struct peering *p;
	int r;

	*ret = (struct pair_survey){0};
	r = survey_networks(m, v->vni, v->vni, ret);
	while (!r && (p = peering_iter_next(&it)))
		if (p->state == PEERING_ACTIVE)
			r = survey_networks(m, v->vni, peering_other(p, v->o.id)->vni, ret);
	for (size_t k = 0; k < n_sets; k++)
		for (size_t i = 0; i < sets[k]->n && !r; i++)
			if (sets[k]->v[i]->interfaces[0])
				r = survey_interfaces(m, sets[k]->v[i], v->vni, ret);
	return r;
}
