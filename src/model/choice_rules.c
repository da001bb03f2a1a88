/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which policies match, and what they demand together.  See choice_rules.h.
 */
#include "model/choice_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/choice_demand.h"
#include "model/choice_note.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/table.h"
#include "model/vpc.h"

#define HOST_LABEL_ENVIRONMENT "environment"

/* ---- the order ---- */

/* Six bits for each rank, the highest first: more members of a rank are more specific. */
static uint64_t specificity_of(const struct choice_policy *p)
{
	const struct choice_member *a = &p->one, *b = &p->other;
	uint64_t ranks[] = {
		p->interfaces[0] != 0,
		(uint64_t)(a->host != 0) + (b->host != 0),
		a->n_labels + b->n_labels,
		(uint64_t)(a->vpc != 0) + (b->vpc != 0),
		(uint64_t)(a->account != 0) + (b->account != 0),
		p->environment != NULL,
	};
	uint64_t score = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ranks); i++)
		score = score << 6 | ranks[i];
	return score;
}

void choice_policy_compile(struct choice_policy *p)
{
	bool networks = p->one.vpc || p->one.account || p->other.vpc || p->other.account;

	if (p->o.kind == KIND_CHOICE_POLICY) {
		p->id = p->o.id;
		p->age = p->o.serial;
		p->owner = p->o.account;
	}
	p->specificity = specificity_of(p);
	p->wide = !networks && !p->interfaces[0];
	p->narrow = networks || p->interfaces[0] || p->environment;
	p->n_masks = 0;
	for (size_t i = 0; i < p->n_what && p->n_masks < CHOICE_WHAT_MAX; i++)
		/* a record of a newer program may name what this one does not know */
		if (!ability_parse(p->what[i].text ? p->what[i].text : "", &p->formats[p->n_masks],
				   &p->features[p->n_masks]))
			p->n_masks++;
}

/* 'a' decides before 'b'. */
static bool is_before(const struct choice_policy *a, const struct choice_policy *b)
{
	if (a->specificity != b->specificity)
		return a->specificity > b->specificity;
	if (!a->owner != !b->owner)
		return !a->owner;
	return a->age != b->age ? a->age < b->age : a->id < b->id;
}

int choice_rules_reserve(struct choice_rules *r, size_t n)
{
	const struct choice_policy **v;

	if (n <= r->allocated)
		return 0;
	v = reallocarray(r->v, 2 * n + 6, sizeof(struct choice_policy *));
	if (!v)
		return -ENOMEM;
	r->v = v;
	r->allocated = 2 * n + 6;
	return 0;
}

int choice_rules_prepare(struct choice_rules *r)
{
	return choice_rules_reserve(r, r->n + 1);
}

static void count(struct choice_rules *r, const struct choice_policy *p, size_t by)
{
	r->n_narrow += p->narrow ? by : 0;
	r->n_wide += p->wide ? by : 0;
}

static void take_out(struct choice_rules *r, const struct choice_policy *p)
{
	size_t i = 0;

	while (i < r->n && r->v[i]->id != p->id)
		i++;
	if (i == r->n)
		return;
	count(r, r->v[i], (size_t)-1);
	r->n--;
	memmove(&r->v[i], &r->v[i + 1], (r->n - i) * sizeof(struct choice_policy *));
}

void choice_rules_set(struct choice_rules *r, const struct choice_policy *old,
		      const struct choice_policy *new)
{
	size_t i = 0;

	if (old)
		take_out(r, old);
	if (!new)
		return;
	while (i < r->n && is_before(r->v[i], new))
		i++;
	memmove(&r->v[i + 1], &r->v[i], (r->n - i) * sizeof(struct choice_policy *));
	r->v[i] = new;
	r->n++;
	count(r, new, 1);
}

int choice_rules_reserve_formers(struct choice_rules *r, size_t n)
{
	const struct choice_change **formers;

	if (n <= r->formers_allocated)
		return 0;
	formers = reallocarray(r->formers, 2 * n, sizeof(struct choice_change *));
	if (!formers)
		return -ENOMEM;
	r->formers = formers;
	r->formers_allocated = 2 * n;
	return 0;
}

void choice_rules_assign(struct choice_rules *r, const struct choice_rules *from)
{
	assert(from->n <= r->allocated && from->n_formers <= r->formers_allocated);
	if (from->n_formers)
		memcpy(r->formers, from->formers, from->n_formers * sizeof(struct choice_change *));
	r->n_formers = from->n_formers;
	if (from->n)
		memcpy(r->v, from->v, from->n * sizeof(struct choice_policy *));
	r->n = from->n;
	r->n_narrow = from->n_narrow;
	r->n_wide = from->n_wide;
}

/* ---- what hosts and networks were ---- */

/* The place of the first one with this id or a higher one. */
static size_t former_place(const struct choice_rules *r, uint64_t id)
{
	size_t low = 0, high = r->n_formers;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (choice_change_subject(r->formers[middle]) < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* NULL: it is what it is now. */
static const struct choice_policy *former_of(const struct choice_rules *r, enum kind k, uint64_t id)
{
	for (size_t i = r->n_formers ? former_place(r, id) : 0; i < r->n_formers; i++) {
		if (choice_change_subject(r->formers[i]) != id)
			return NULL;
		if (r->formers[i]->about == k)
			return &r->formers[i]->former;
	}
	return NULL;
}

void choice_rules_take_for(struct choice_rules *r, const struct choice_change *c)
{
	const uint64_t id = choice_change_subject(c);
	const size_t at = former_place(r, id);

	for (size_t i = at; i < r->n_formers && choice_change_subject(r->formers[i]) == id; i++)
		if (r->formers[i]->about == c->about) {
			r->formers[i] = c;
			return;
		}
	assert(r->n_formers < r->formers_allocated);
	memmove(&r->formers[at + 1], &r->formers[at],
		(r->n_formers - at) * sizeof(struct choice_change *));
	r->formers[at] = c;
	r->n_formers++;
}

/* Whether one of the sets takes something for what it was that the other one does not. */
static bool same_formers(const struct choice_rules *a, const struct choice_rules *b)
{
	return a->n_formers == b->n_formers &&
	       (!a->n_formers ||
		!memcmp(a->formers, b->formers, a->n_formers * sizeof(struct choice_change *)));
}

/* It says something of hosts' labels or of environments. */
static bool is_about_what_changes(const struct choice_policy *p)
{
	return p->environment || p->one.n_labels || p->other.n_labels;
}

/* Both are in the same order. */
size_t choice_rules_changed(const struct choice_rules *before, const struct choice_rules *after,
			    const struct choice_policy **ret)
{
	const bool matched_anew = !same_formers(before, after);
	size_t i = 0, k = 0, n = 0;

	while (i < before->n || k < after->n) {
		const struct choice_policy *a = i < before->n ? before->v[i] : NULL;
		const struct choice_policy *b = k < after->n ? after->v[k] : NULL;

		if (a == b) {
			if (matched_anew && is_about_what_changes(a))
				ret[n++] = a;
			i++;
			k++;
		} else if (!b || (a && is_before(a, b))) {
			ret[n++] = a;
			i++;
		} else {
			ret[n++] = b;
			k++;
		}
	}
	return n;
}

int choice_rules_copy(const struct choice_rules *from, struct choice_rules *ret)
{
	*ret = *from;
	ret->allocated = from->n + 8;
	ret->v = calloc(ret->allocated, sizeof(struct choice_policy *));
	ret->formers_allocated = from->n_formers;
	ret->formers = calloc(from->n_formers + 1, sizeof(struct choice_change *));
	if (!ret->v || !ret->formers) {
		choice_rules_deinit(ret);
		return -ENOMEM;
	}
	if (from->n_formers)
		memcpy(ret->formers, from->formers,
		       from->n_formers * sizeof(struct choice_change *));
	if (from->n)
		memcpy(ret->v, from->v, from->n * sizeof(struct choice_policy *));
	return 0;
}

void choice_rules_deinit(struct choice_rules *r)
{
	free(r->v);
	free(r->formers);
	*r = (struct choice_rules){0};
}

const struct choice_rules *choice_rules_of(const struct model *m)
{
	return &m->choice_rules;
}

/* ---- matching ---- */

/* Value of a label as these rules see the host, or NULL. */
static const char *label_of(const struct choice_rules *r, const struct host *h, const char *key)
{
	const struct choice_policy *was = former_of(r, KIND_HOST, h->o.id);

	if (!was)
		return object_tag(&h->o, key);
	for (size_t i = 0; i < was->one.n_labels; i++)
		if (str_equal(was->one.labels[i].key, key))
			return was->one.labels[i].value ? was->one.labels[i].value : "";
	return NULL;
}

static bool has_labels(const struct choice_rules *r, const struct host *h,
		       const struct choice_member *member)
{
	for (size_t i = 0; i < member->n_labels; i++) {
		const struct tag *l = &member->labels[i];

		if (!str_equal(label_of(r, h, l->key), l->value ? l->value : ""))
			return false;
	}
	return true;
}

static bool host_is(const struct choice_rules *r, const struct host *h,
		    const struct choice_member *member)
{
	return (!member->host || member->host == h->o.id) && has_labels(r, h, member);
}

static bool end_is(const struct choice_rules *r, const struct choice_end *e,
		   const struct choice_member *member)
{
	if (member->vpc && (!e->vpc || e->vpc->o.id != member->vpc))
		return false;
	if (member->account && (!e->vpc || e->vpc->o.account != member->account))
		return false;
	return host_is(r, e->host, member);
}

const char *choice_environment(const struct vpc *v)
{
	return v->environment ? v->environment : object_tag(&v->o, CHOICE_TAG_ENVIRONMENT);
}

static bool vpc_is_in(const struct choice_rules *r, const struct vpc *v, const char *environment)
{
	const struct choice_policy *was = v ? former_of(r, KIND_VPC, v->o.id) : NULL;

	return v && str_equal(was ? was->environment : choice_environment(v), environment);
}

static bool host_is_in(const struct choice_rules *r, const struct host *h, const char *environment)
{
	return str_equal(label_of(r, h, HOST_LABEL_ENVIRONMENT), environment);
}

static bool end_is_in(const struct choice_rules *r, const struct choice_end *e,
		      const char *environment)
{
	return !environment || vpc_is_in(r, e->vpc, environment) ||
	       host_is_in(r, e->host, environment);
}

/* 'one' is the end that the policy's direction is about. */
static bool holds(const struct choice_rules *r, const struct choice_policy *p,
		  const struct choice_end *one, const struct choice_end *other)
{
	if (p->interfaces[0] &&
	    (p->interfaces[0] != one->interface || p->interfaces[1] != other->interface))
		return false;
	return end_is_in(r, one, p->environment) && end_is(r, one, &p->one) &&
	       end_is(r, other, &p->other);
}

static bool matches(const struct choice_rules *r, const struct choice_policy *p,
		    const struct choice_end *from, const struct choice_end *to)
{
	return (p->direction != CHOICE_IN && holds(r, p, from, to)) ||
	       (p->direction != CHOICE_OUT && holds(r, p, to, from));
}

bool choice_rules_same_host(const struct choice_rules *r, const struct host *a,
			    const struct host *b)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct choice_policy *p = r->v[i];

		if (host_is(r, a, &p->one) != host_is(r, b, &p->one) ||
		    host_is(r, a, &p->other) != host_is(r, b, &p->other))
			return false;
		if (p->environment &&
		    host_is_in(r, a, p->environment) != host_is_in(r, b, p->environment))
			return false;
	}
	return true;
}

bool choice_same_labels(const struct host *a, const struct host *b)
{
	bool same = a->o.n_tags == b->o.n_tags;

	for (size_t i = 0; i < a->o.n_tags && same; i++)
		same = str_equal(a->o.tags[i].key, b->o.tags[i].key) &&
		       str_equal(a->o.tags[i].value, b->o.tags[i].value);
	return same;
}

static bool member_may_be(const struct choice_member *member, const struct vpc *v)
{
	return (member->vpc && member->vpc == v->o.id) ||
	       (member->account && member->account == v->o.account);
}

bool choice_policy_concerns(const struct choice_rules *r, const struct choice_policy *p,
			    const struct vpc *v)
{
	return p->wide || p->interfaces[0] || member_may_be(&p->one, v) ||
	       member_may_be(&p->other, v) || (p->environment && vpc_is_in(r, v, p->environment));
}

bool choice_rules_concern(const struct choice_rules *r, const struct vpc *v)
{
	for (size_t i = 0; i < r->n && r->n_narrow; i++) {
		const struct choice_policy *p = r->v[i];

		if (member_may_be(&p->one, v) || member_may_be(&p->other, v) ||
		    (p->environment && vpc_is_in(r, v, p->environment)))
			return true;
	}
	return false;
}

bool choice_rules_demand(const struct choice_rules *r, const struct choice_end *from,
			 const struct choice_end *to, struct demand *ret)
{
	bool any = false, of_pair = !from->vpc && !to->vpc;

	if (of_pair && !r->n_wide)
		return false;
	for (size_t i = 0; i < r->n; i++) {
		const struct choice_policy *p = r->v[i];

		if ((of_pair && !p->wide) || !matches(r, p, from, to))
			continue;
		if (!any)
			*ret = (struct demand){0};
		any = true;
		choice_demand_add(ret, p);
	}
	return any;
}
