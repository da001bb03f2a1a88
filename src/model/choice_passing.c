/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two sets of rules of a pass.  See choice_passing.h.
 */
#include "model/choice_passing.h"

#include "model/choice_note.h"
#include "model/host.h"
#include "model/pair_class.h"
#include "model/table.h"
#include "model/vpc.h"

int choice_passing_prepare(struct model *m)
{
	size_t changes = model_count(m, KIND_CHOICE_CHANGE) + 1;
	size_t n = model_count(m, KIND_CHOICE_POLICY) + changes;
	int r = choice_rules_reserve(&m->choice_passing.base, n);

	if (!r)
		r = choice_rules_reserve(&m->choice_passing.target, n);
	if (!r)
		r = choice_rules_reserve_formers(&m->choice_passing.base, changes);
	return r ? r : choice_rules_reserve_formers(&m->choice_passing.target, changes);
}

/* Takes back the changes that 'is' says: of each policy, host and network one at most. */
static void take_back(const struct model *m, struct choice_rules *rules, uint64_t through,
		      bool (*is)(const struct choice_change *c, uint64_t through))
{
	struct model_iter it = model_iter_kind(m, KIND_CHOICE_CHANGE);
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct choice_change *c = (const struct choice_change *)o;

		if (!is(c, through))
			continue;
		if (c->about)
			choice_rules_take_for(rules, c);
		else
			choice_rules_set(rules, &c->former, c->made ? NULL : &c->former);
	}
}

void choice_passing_follow(struct model *m)
{
	const struct choice_pass *pass = choice_pass_of(m);
	struct choice_passing *p = &m->choice_passing;

	if (m->loading)
		return; /* in whatever order; when that ends */
	p->active = pass;
	if (!pass)
		return;
	p->phase = pass->phase;
	p->at = pass->at;
	p->through = pass->through;
	choice_rules_assign(&p->target, &m->choice_rules);
	take_back(m, &p->target, p->through, choice_change_waits);
	choice_rules_assign(&p->base, &p->target);
	take_back(m, &p->base, p->through, choice_change_is_of);
}

void choice_passing_deinit(struct choice_passing *p)
{
	choice_rules_deinit(&p->base);
	choice_rules_deinit(&p->target);
}

static bool is_newer(const struct model *m, uint32_t vni, uint64_t through)
{
	const struct vpc *v = vni ? vpc_by_vni(m, vni) : NULL;

	return v && v->o.serial > through;
}

const struct choice_rules *choice_rules_between(const struct model *m, const struct host *a,
						const struct host *b, const struct pair_class *c)
{
	const struct choice_passing *p = &m->choice_passing;

	if (!p->active)
		return &m->choice_rules;
	if (p->phase > CHOICE_PHASE_PAIRS || a->o.serial > p->through || b->o.serial > p->through ||
	    is_newer(m, c->vni, p->through) || is_newer(m, c->peer_vni, p->through))
		return &p->target;
	return p->phase == CHOICE_PHASE_PAIRS && pair_position(a->number, b->number) < p->at
		       ? &p->target
		       : &p->base;
}

size_t choice_rules_in_force(const struct model *m,
			     const struct choice_rules *ret[static CHOICE_SETS_MAX])
{
	const struct choice_passing *p = &m->choice_passing;
	size_t n = 0;

	if (p->active && p->phase <= CHOICE_PHASE_PAIRS)
		ret[n++] = &p->base;
	ret[n++] = p->active ? &p->target : &m->choice_rules;
	return n;
}

bool choice_rules_any(const struct model *m)
{
	const struct choice_rules *sets[CHOICE_SETS_MAX];
	size_t n = choice_rules_in_force(m, sets);
	bool any = false;

	for (size_t i = 0; i < n; i++)
		any |= sets[i]->n;
	return any;
}
