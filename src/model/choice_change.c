/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows when what policies say, or are about, changes.  See choice_rules.h.
 */
#include "base/str.h"
#include "model/choice_rules.h"
#include "model/edit.h"
#include "model/pair_class.h"
#include "model/pair_shift.h"
#include "model/peering.h"
#include "model/vpc.h"

static bool policies_concern(const struct choice_policy *before, const struct choice_policy *after, const struct vpc *v)
{
	return (before && choice_policy_concerns(before, v)) || (after && choice_policy_concerns(after, v));
}

/* The network, or one that it is peered with. */
static bool is_concerned(const struct model *m, const struct choice_policy *before, const struct choice_policy *after,
			 const struct vpc *v)
{
	struct peering_iter it = peering_iter_of(m, v->o.id);
	bool concerned = policies_concern(before, after, v);
	const struct peering *p;

	while (!concerned && (p = peering_iter_next(&it))) {
		const struct vpc *other =
			(const struct vpc *)model_get(m, KIND_VPC, peering_other(p, v->o.id)->vpc);

		concerned = p->state == PEERING_ACTIVE && other && policies_concern(before, after, other);
	}
	return concerned;
}

static int recompute_networks(struct tx *tx, const struct choice_policy *before, const struct choice_policy *after)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_VPC);
	const struct object *o = model_iter_next(&it);
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&it);
		const struct vpc *v = (const struct vpc *)o;

		if (is_concerned(tx->m, before, after, v))
			r = network_recompute_alone(tx, v->vni);
		o = next;
	}
	return r;
}

/* What the rules will be, and where that makes a difference. */
static int survey(struct tx *tx, const struct choice_policy *old, struct choice_policy *new,
		  struct pair_survey *ret)
{
	const struct choice_policy *changed[2];
	_cleanup_(choice_rules_deinit) struct choice_rules after = {0};
	struct pair_rules_change c = {choice_rules_of(tx->m), &after, 0, changed};
	int r = choice_rules_copy(c.before, &after);

	if (r)
		return r;
	if (new)
		choice_policy_compile(new);
	choice_rules_set(&after, old, new);
	if (old)
		changed[c.n_changed++] = old;
	if (new)
		changed[c.n_changed++] = new;
	return pair_survey_rules(tx->m, &c, ret);
}

int choice_policy_put(struct tx *tx, const struct choice_policy *old, struct object **new)
{
	_cleanup_(pair_survey_deinit) struct pair_survey before = {0};
	const struct choice_policy *after = new ? (struct choice_policy *)*new : NULL;
	int r = survey(tx, old, new ? (struct choice_policy *)*new : NULL, &before);

	if (!r)
		r = new ? tx_put(tx, old ? &old->o : NULL, new) : tx_delete(tx, &old->o);
	if (!r)
		r = pair_survey_shift(tx, &before);
	return r ? r : recompute_networks(tx, old, after);
}

int choice_vpc_put(struct tx *tx, const struct object *old, struct object **new)
{
	_cleanup_(pair_survey_deinit) struct pair_survey before = {0};
	const struct vpc *v = (const struct vpc *)old;
	bool matters = choice_rules_of(tx->m)->n &&
		       !str_equal(choice_environment(v), choice_environment((const struct vpc *)*new));
	uint32_t vni = v->vni;
	int r = matters ? pair_survey_network(tx->m, v, &before) : 0;

	if (!r)
		r = tx_put(tx, old, new);
	if (r || !matters)
		return r;
	r = pair_survey_shift(tx, &before);
	return r ? r : network_recompute(tx, vni);
}

/* A policy about it speaks of nothing now, and what it made of the network's MTU goes. */
int choice_interface_ended(struct tx *tx, uint64_t interface, uint32_t vni)
{
	const struct choice_rules *rules = choice_rules_of(tx->m);

	for (size_t i = 0; i < rules->n; i++)
		if (rules->v[i]->interfaces[0] == interface || rules->v[i]->interfaces[1] == interface)
			return network_recompute(tx, vni);
	return 0;
}
