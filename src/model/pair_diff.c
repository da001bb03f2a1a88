/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where two sets of rules wish for different things, pair by pair.  Hosts that are alike for all
 * rules are looked at once, so that a cluster of a thousand hosts costs little more than its few
 * kinds of hosts.  See pair_class.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/pair_class.h"
#include "model/peering.h"
#include "model/table.h"
#include "model/vpc.h"

enum {
	KINDS_KEPT = 24, /* hosts of so many kinds: wishes between them are remembered */
	KIND_UNKNOWN = UINT8_MAX,
	KIND_ITS_OWN = UINT8_MAX - 1, /* one of the many others */
	/* of a direction that differs, against a pair that is looked at */
	COST_DIFFERENCE = 16,
};

struct wishes {
	struct wish before, after;
};

/* Of one class, by the kinds of both hosts. */
struct looked_up {
	bool known, differs;
	struct wishes *wishes; /* where they differ */
};

struct class_memo {
	struct hmap_node node;
	struct pair_class class;
	struct looked_up between[KINDS_KEPT][KINDS_KEPT];
};

/* A class that there may be from a host to others: those that carry the other network. */
struct candidate {
	struct pair_class class;
	struct class_memo *there, *back;
	bool retold;
};

/* Where a class of two interfaces is. */
struct named {
	uint64_t position;
	const struct host *from, *to;
	struct pair_class class;
	bool retold;
};

struct diff {
	const struct model *m;
	const struct pair_rules_change *change;
	const struct pair_walk *walk;
	bool wide;
	size_t cost;

	size_t n_hosts;
	const struct host **hosts; /* by number */
	uint8_t *kind_of;          /* by place in 'hosts' */
	size_t n_kinds;
	const struct host *kinds[KINDS_KEPT]; /* one host of each */

	struct hmap memos;
	struct class_memo *of_all;
	size_t n_candidates, candidates_allocated;
	struct candidate *candidates; /* of the host under way */
	size_t n_named, named_allocated, at_named;
	struct named *named; /* by position */
};

bool pair_is_left_out(const struct model *m, const struct pair_rules_change *c,
		      const struct pair_class *class)
{
	const struct vpc *v = class->vni ? vpc_by_vni(m, class->vni) : NULL;
	const struct vpc *w = class->vni ? vpc_by_vni(m, class->peer_vni) : NULL;

	return c->through && ((v && v->o.serial > c->through) || (w && w->o.serial > c->through));
}

/* ---- hosts ---- */

static int compare_hosts(const void *a, const void *b)
{
	const struct host *x = *(const struct host *const *)a, *y = *(const struct host *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

static int place_hosts(struct diff *d)
{
	struct model_iter it = model_iter_kind(d->m, KIND_HOST);
	size_t n = model_count(d->m, KIND_HOST);
	const struct object *o;

	d->hosts = calloc(n + 1, sizeof(const struct host *));
	d->kind_of = malloc(n + 1);
	if (!d->hosts || !d->kind_of)
		return -ENOMEM;
	memset(d->kind_of, KIND_UNKNOWN, n + 1);
	while ((o = model_iter_next(&it)))
		if (!d->change->through || o->serial <= d->change->through)
			d->hosts[d->n_hosts++] = (const struct host *)o;
	if (d->n_hosts)
		qsort(d->hosts, d->n_hosts, sizeof(const struct host *), compare_hosts);
	return 0;
}

/* The place of the first one with this number or a higher one. */
static size_t place_of(const struct diff *d, uint32_t number)
{
	size_t low = 0, high = d->n_hosts;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (d->hosts[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_alike(const struct diff *d, const struct host *a, const struct host *b)
{
	struct ability x = ability_of(a), y = ability_of(b);

	return ability_equal(&x, &y) && x.mtu == y.mtu && x.fault == y.fault &&
	       choice_rules_same_host(d->change->before, a, b) &&
	       choice_rules_same_host(d->change->after, a, b);
}

static uint8_t kind_at(struct diff *d, size_t place)
{
	const struct host *h = d->hosts[place];
	size_t k = 0;

	if (d->kind_of[place] != KIND_UNKNOWN)
		return d->kind_of[place];
	while (k < d->n_kinds && !is_alike(d, h, d->kinds[k]))
		k++;
	/* while it is changing it is two things to the others */
	if (h->changing_at || k == KINDS_KEPT)
		k = KIND_ITS_OWN;
	else if (k == d->n_kinds)
		d->kinds[d->n_kinds++] = h;
	return d->kind_of[place] = (uint8_t)k;
}

/* ---- one direction of one class ---- */

static uint64_t memo_hash(const struct pair_class *c)
{
	return hash_u64((uint64_t)c->vni << 32 | c->peer_vni);
}

/* Of a class of networks, or of all that two hosts send; NULL: no memory. */
static struct class_memo *memo_get(struct diff *d, uint32_t vni, uint32_t peer_vni)
{
	const struct pair_class c = {.vni = vni, .peer_vni = peer_vni};
	struct class_memo *memo;

	hmap_for_each_at (memo, &d->memos, memo_hash(&c), node)
		if (memo->class.vni == vni && memo->class.peer_vni == peer_vni)
			return memo;
	memo = calloc(1, sizeof(*memo));
	if (!memo)
		return NULL;
	memo->class = c;
	hmap_insert(&d->memos, &memo->node, memo_hash(&c));
	return memo;
}

static void wish(const struct diff *d, const struct host *from, const struct host *to,
		 const struct pair_class *c, struct wishes *ret)
{
	pair_wish_by(d->m, d->change->before, from, to, c, &ret->before);
	pair_wish_by(d->m, d->change->after, from, to, c, &ret->after);
}

static bool differ(const struct wishes *w)
{
	return strcmp(w->before.reason, w->after.reason) || !wish_equal(&w->before, &w->after);
}

static int tell(struct diff *d, const struct host *from, const struct host *to,
		const struct pair_class *c, struct wishes *w)
{
	const struct pair_difference difference = {from, to, c, &w->before, &w->after};

	d->cost += COST_DIFFERENCE;
	/* of its own, however alike it is */
	w->before.key = w->after.key = ability_key(from, to);
	return d->walk->difference(d->walk->data, &difference);
}

static int look_closely(struct diff *d, const struct host *from, const struct host *to,
			const struct pair_class *c)
{
	struct wishes now;

	wish(d, from, to, c, &now);
	return differ(&now) ? tell(d, from, to, c, &now) : 0;
}

/* By the hosts' places. */
static int look(struct diff *d, struct class_memo *memo, size_t from, size_t to)
{
	uint8_t a = kind_at(d, from), b = kind_at(d, to);
	struct looked_up *known;

	if (a == KIND_ITS_OWN || b == KIND_ITS_OWN)
		return look_closely(d, d->hosts[from], d->hosts[to], &memo->class);
	known = &memo->between[a][b];
	if (!known->known) {
		struct wishes now;

		wish(d, d->hosts[from], d->hosts[to], &memo->class, &now);
		known->differs = differ(&now);
		if (known->differs) {
			known->wishes = malloc(sizeof(now));
			if (!known->wishes)
				return -ENOMEM;
			*known->wishes = now;
		}
		known->known = true;
	}
	return known->differs ? tell(d, d->hosts[from], d->hosts[to], &memo->class, known->wishes)
			      : 0;
}

static void forget(struct diff *d)
{
	struct class_memo *memo;

	hmap_for_each (memo, &d->memos, node) {
		for (size_t i = 0; i < KINDS_KEPT; i++)
			for (size_t k = 0; k < KINDS_KEPT; k++)
				free(memo->between[i][k].wishes);
		hmap_remove(&d->memos, &memo->node);
		free(memo);
	}
	hmap_deinit(&d->memos);
}

/* ---- networks ---- */

static int add_candidate(struct diff *d, const struct pair_class *c, bool retold)
{
	struct candidate *made;

	if (pair_is_left_out(d->m, d->change, c))
		return 0;
	if (d->n_candidates == d->candidates_allocated) {
		size_t more = d->candidates_allocated ? 2 * d->candidates_allocated : 16;

		made = reallocarray(d->candidates, more, sizeof(*made));
		if (!made)
			return -ENOMEM;
		d->candidates = made;
		d->candidates_allocated = more;
	}
	made = &d->candidates[d->n_candidates++];
	*made = (struct candidate){*c, memo_get(d, c->vni, c->peer_vni),
				   memo_get(d, c->peer_vni, c->vni), retold};
	return made->there && made->back ? 0 : -ENOMEM;
}

/* Whether its classes may differ between the two. */
static bool is_concerned(const struct diff *d, const struct vpc *v, bool before, bool after)
{
	for (size_t i = 0; i < d->change->n_changed && (before || after); i++)
		if (choice_policy_concerns(d->change->before, d->change->changed[i], v) ||
		    choice_policy_concerns(d->change->after, d->change->changed[i], v))
			return true;
	return false;
}

static int add_network(struct diff *d, const struct vpc *v)
{
	struct peering_iter it = peering_iter_of(d->m, v->o.id);
	bool before = choice_rules_concern(d->change->before, v),
	     after = choice_rules_concern(d->change->after, v);
	bool first_or_last = !d->change->before->n != !d->change->after->n;
	const struct peering *p;
	int r = 0;

	if (is_concerned(d, v, before, after))
		r = add_candidate(d, &(struct pair_class){.vni = v->vni, .peer_vni = v->vni},
				  before != after);
	/* between peered networks there are classes as soon as there is any policy, whatever it is
	 * about */
	while (!r && (p = peering_iter_next(&it)))
		if (p->state == PEERING_ACTIVE)
			r = add_candidate(
				d,
				&(struct pair_class){.vni = v->vni,
						     .peer_vni = peering_other(p, v->o.id)->vni},
				first_or_last);
	return r;
}

/* Those from 'a', to whomever. */
static int find_candidates(struct diff *d, const struct host *a)
{
	_cleanup_free_ uint32_t *vnis = NULL;
	size_t n = 0;
	int r = 0;

	d->n_candidates = 0;
	if (d->change->before->n || d->change->after->n)
		r = pair_networks_of(d->m, a, &vnis, &n);
	for (size_t i = 0; i < n && !r; i++) {
		const struct vpc *v = vpc_by_vni(d->m, vnis[i]);

		r = v ? add_network(d, v) : 0;
	}
	return r;
}

/* ---- interfaces ---- */

static bool names_same(const struct choice_policy *p, const struct choice_policy *q)
{
	return (p->interfaces[0] == q->interfaces[0] && p->interfaces[1] == q->interfaces[1]) ||
	       (p->interfaces[0] == q->interfaces[1] && p->interfaces[1] == q->interfaces[0]);
}

static bool named_in(const struct choice_rules *rules, size_t n, const struct choice_policy *p)
{
	for (size_t i = 0; i < n; i++)
		if (names_same(rules->v[i], p))
			return true;
	return false;
}

static int add_place(struct diff *d, const struct named *place)
{
	if (d->n_named == d->named_allocated) {
		size_t more = d->named_allocated ? 2 * d->named_allocated : 16;
		struct named *named = reallocarray(d->named, more, sizeof(*named));

		if (!named)
			return -ENOMEM;
		d->named = named;
		d->named_allocated = more;
	}
	d->named[d->n_named++] = *place;
	return 0;
}

static int add_places(struct diff *d, const struct choice_policy *p, bool retold)
{
	const struct interface *x =
		(const struct interface *)model_get(d->m, KIND_INTERFACE, p->interfaces[0]);
	const struct interface *y =
		(const struct interface *)model_get(d->m, KIND_INTERFACE, p->interfaces[1]);
	int r = 0;

	for (size_t i = 0; x && y && i < interface_attachment_count(x) && !r; i++)
		for (size_t k = 0; k < interface_attachment_count(y) && !r; k++) {
			const struct attachment *a = interface_attachment(x, i),
						*b = interface_attachment(y, k);
			struct named place = {.class = {x->vni, y->vni, x->o.id, y->o.id},
					      .retold = retold};

			place.from = host_by_number(d->m, a->host);
			place.to = host_by_number(d->m, b->host);
			if (!attachment_is_desired(a) || !attachment_is_desired(b) || !place.from ||
			    !place.to || place.from == place.to ||
			    pair_is_left_out(d->m, d->change, &place.class))
				continue;
			place.position = pair_position(a->host, b->host);
			r = add_place(d, &place);
		}
	return r;
}

static int compare_places(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return (x->position > y->position) - (x->position < y->position);
}

static int find_named(struct diff *d)
{
	const struct choice_rules *before = d->change->before, *after = d->change->after;
	int r = 0;

	for (size_t i = 0; i < before->n && !r; i++)
		if (before->v[i]->interfaces[0] && !named_in(before, i, before->v[i]))
			r = add_places(d, before->v[i], !named_in(after, after->n, before->v[i]));
	for (size_t i = 0; i < after->n && !r; i++)
		if (after->v[i]->interfaces[0] && !named_in(after, i, after->v[i]) &&
		    !named_in(before, before->n, after->v[i]))
			r = add_places(d, after->v[i], true);
	if (d->n_named)
		qsort(d->named, d->n_named, sizeof(*d->named), compare_places);
	return r;
}

/* ---- pairs ---- */

static int look_at_networks(struct diff *d, size_t a, size_t b, bool *retold)
{
	int r = 0;

	for (size_t i = 0; i < d->n_candidates && !r; i++) {
		const struct candidate *c = &d->candidates[i];

		if (!carried_interfaces(d->m, CARRIED_NETWORK, c->class.peer_vni,
					d->hosts[b]->number))
			continue;
		*retold |= c->retold;
		r = look(d, c->there, a, b);
		if (!r)
			r = look(d, c->back, b, a);
	}
	return r;
}

static int look_at_named(struct diff *d, uint64_t position, bool *retold)
{
	int r = 0;

	while (d->at_named < d->n_named && d->named[d->at_named].position < position)
		d->at_named++;
	while (d->at_named < d->n_named && d->named[d->at_named].position == position && !r) {
		const struct named *n = &d->named[d->at_named++];
		const struct pair_class reverse = pair_class_reverse(&n->class);

		*retold |= n->retold;
		r = look_closely(d, n->from, n->to, &n->class);
		if (!r)
			r = look_closely(d, n->to, n->from, &reverse);
	}
	return r;
}

static int look_at_pair(struct diff *d, size_t a, size_t b)
{
	const struct host *x = d->hosts[a], *y = d->hosts[b];
	bool retold = false;
	int r = 0;

	d->cost++;
	if (d->wide)
		r = look(d, d->of_all, a, b);
	if (!r && d->wide)
		r = look(d, d->of_all, b, a);
	if (!r)
		r = look_at_networks(d, a, b, &retold);
	if (!r)
		r = look_at_named(d, pair_position(x->number, y->number), &retold);
	return r || !d->walk->pair ? r : d->walk->pair(d->walk->data, x, y, retold);
}

static int look_at_stretch(struct diff *d, struct pair_stretch *s)
{
	size_t a = place_of(d, pair_position_first(s->from));
	size_t b = a < d->n_hosts && d->hosts[a]->number == pair_position_first(s->from)
			   ? place_of(d, pair_position_second(s->from))
			   : 0;
	int r = 0;

	for (; a < d->n_hosts && !r; a++, b = 0) {
		r = find_candidates(d, d->hosts[a]);
		for (b = b > a ? b : a + 1; b < d->n_hosts && !r; b++) {
			const uint64_t position =
				pair_position(d->hosts[a]->number, d->hosts[b]->number);

			if (position >= s->until ||
			    (s->budget && d->cost >= s->budget * COST_DIFFERENCE)) {
				s->from = position;
				return 0;
			}
			r = look_at_pair(d, a, b);
		}
	}
	s->from = PAIR_POSITION_END;
	return r;
}

int pair_differences(const struct model *m, const struct pair_rules_change *c,
		     struct pair_stretch *stretch, const struct pair_walk *walk)
{
	struct diff d = {.m = m, .change = c, .walk = walk};
	struct pair_stretch all = {.until = PAIR_POSITION_END};
	int r = place_hosts(&d);

	for (size_t i = 0; i < c->n_changed; i++)
		d.wide |= c->changed[i]->wide;
	hmap_init(&d.memos);
	d.of_all = memo_get(&d, 0, 0);
	if (!r)
		r = d.of_all ? find_named(&d) : -ENOMEM;
	if (!r)
		r = look_at_stretch(&d, stretch ? stretch : &all);
	forget(&d);
	free(d.hosts);
	free(d.kind_of);
	free(d.candidates);
	free(d.named);
	return r;
}
