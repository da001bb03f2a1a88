/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wished for before an operation that may change it.  See pair_shift.h.
 */
#include <stdlib.h>

#include "model/host.h"
#include "model/pair_class.h"
#include "model/pair_shift.h"
#include "model/peering.h"
#include "model/table.h"
#include "model/vpc.h"

static int put(struct pair_survey *s, const struct pair_surveyed *item)
{
	if (s->n == s->allocated) {
		size_t more = s->allocated ? 2 * s->allocated : 64;
		void *items = reallocarray(s->items, more, sizeof(*s->items));

		if (!items)
			return -ENOMEM;
		s->items = items;
		s->allocated = more;
	}
	s->items[s->n++] = *item;
	return 0;
}

void pair_survey_deinit(struct pair_survey *s)
{
	free(s->items);
	*s = (struct pair_survey){0};
}

static struct terms terms_of(const struct model *m, const struct choice_rules *rules, const struct host *from,
			     const struct host *to, const struct pair_class *c)
{
	struct wish w;

	pair_wish_by(m, rules, from, to, c, &w);
	return pair_terms(&w);
}

/* The terms of what the class was part of, if it was not told apart. */
static struct terms wider_of(const struct model *m, const struct choice_rules *rules, const struct host *from,
			     const struct host *to, const struct pair_class *c)
{
	struct pair_class wider = {.vni = c->vni, .peer_vni = c->peer_vni};

	return terms_of(m, rules, from, to, c->interface ? &wider : &pair_all);
}

static int survey_one(const struct model *m, const struct host *from, const struct host *to,
		      const struct pair_class *c, struct pair_survey *s)
{
	const struct choice_rules *rules = choice_rules_of(m);
	struct pair_surveyed item = {.from = from->number, .to = to->number, .class = *c};

	item.terms = terms_of(m, rules, from, to, c);
	item.wider = c->vni ? wider_of(m, rules, from, to, c) : item.terms;
	return put(s, &item);
}

/* Both directions, of all classes. */
static int survey_pair(const struct model *m, const struct host *a, const struct host *b, struct pair_survey *s)
{
	_cleanup_(pair_classes_deinit) struct pair_classes classes = {0};
	int r = survey_one(m, a, b, &pair_all, s);

	if (!r)
		r = survey_one(m, b, a, &pair_all, s);
	if (!r && (choice_rules_of(m)->n || pair_joins_apart(a, b)))
		r = pair_classes_of(m, a, b, &classes);
	for (size_t i = 0; i < classes.n && !r; i++) {
		struct pair_class reverse = pair_class_reverse(&classes.v[i]);

		r = survey_one(m, a, b, &classes.v[i], s);
		if (!r)
			r = survey_one(m, b, a, &reverse, s);
	}
	return r;
}

int pair_survey_host(const struct model *m, uint32_t number, struct pair_survey *ret)
{
	const struct host *h = host_by_number(m, number);
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct object *o;
	int r = 0;

	*ret = (struct pair_survey){0};
	/* one that could do nothing was sent nothing */
	if (!host_is_capable(h))
		return 0;
	while (!r && (o = model_iter_next(&it)))
		if (o != &h->o)
			r = survey_pair(m, h, (const struct host *)o, ret);
	return r;
}

/* ---- rules ---- */

struct surveying {
	const struct model *m;
	const struct choice_rules *before;
	struct pair_survey *survey;
};

static int note_difference(void *data, const struct pair_difference *d)
{
	const struct surveying *s = data;
	struct terms after = pair_terms(d->after);
	struct pair_surveyed item = {
		.from = d->from->number, .to = d->to->number, .class = *d->class, .terms = pair_terms(d->before)};

	if (terms_equal(&item.terms, &after))
		return 0;
	item.wider = d->class->vni ? wider_of(s->m, s->before, d->from, d->to, d->class) : item.terms;
	return put(s->survey, &item);
}

/* Classes that are told apart from now on, of directions that are changing: they go on as what they were part of. */
static int note_parts_of(const struct model *m, const struct pair_rules_change *c, const struct pair_shift *shift,
			 struct pair_survey *ret)
{
	const struct host *from = host_by_number(m, shift->from), *to = host_by_number(m, shift->to);
	_cleanup_(pair_classes_deinit) struct pair_classes before = {0}, after = {0};
	int r = 0;

	if (!from || !to)
		return 0;
	r = pair_classes_by(m, c->before, from, to, &before);
	if (!r)
		r = pair_classes_by(m, c->after, from, to, &after);
	for (size_t i = 0; i < after.n && !r; i++) {
		struct pair_surveyed item = {
			.from = from->number, .to = to->number, .class = after.v[i], .part = true};

		if (pair_classes_have(&before, &after.v[i]))
			continue;
		item.terms = terms_of(m, c->before, from, to, &after.v[i]);
		item.wider = wider_of(m, c->before, from, to, &after.v[i]);
		r = put(ret, &item);
	}
	return r;
}

static int note_parts(const struct model *m, const struct pair_rules_change *c, struct pair_survey *ret)
{
	struct model_iter it = model_iter_kind(m, KIND_PAIR_SHIFT);
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it)))
		if (!((const struct pair_shift *)o)->class.interface)
			r = note_parts_of(m, c, (const struct pair_shift *)o, ret);
	return r;
}

int pair_survey_rules(const struct model *m, const struct pair_rules_change *c, struct pair_survey *ret)
{
	struct surveying s = {m, c->before, ret};

	int r;

	*ret = (struct pair_survey){0};
	r = pair_differences(m, c, note_difference, &s);
	return r ? r : note_parts(m, c, ret);
}

/* ---- a network ---- */

static int survey_networks(const struct model *m, uint32_t vni, uint32_t peer_vni, struct pair_survey *s)
{
	struct pair_class c = {.vni = vni, .peer_vni = peer_vni}, reverse = pair_class_reverse(&c);
	const uint32_t *from, *to;
	size_t n_from = model_network_hosts(m, vni, &from), n_to = model_network_hosts(m, peer_vni, &to);
	int r = 0;

	for (size_t i = 0; i < n_from && !r; i++)
		for (size_t k = 0; k < n_to && !r; k++) {
			const struct host *a = host_by_number(m, from[i]), *b = host_by_number(m, to[k]);

			if (!a || !b || a == b)
				continue;
			r = survey_one(m, a, b, &c, s);
			if (!r && vni != peer_vni)
				r = survey_one(m, b, a, &reverse, s);
		}
	return r;
}

int pair_survey_network(const struct model *m, const struct vpc *v, struct pair_survey *ret)
{
	struct peering_iter it = peering_iter_of(m, v->o.id);
	const struct peering *p;
	int r;

	*ret = (struct pair_survey){0};
	r = survey_networks(m, v->vni, v->vni, ret);
	while (!r && (p = peering_iter_next(&it)))
		if (p->state == PEERING_ACTIVE)
			r = survey_networks(m, v->vni, peering_other(p, v->o.id)->vni, ret);
	return r;
}
