/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows when what policies say, or are about, changes.  See choice_rules.h.
 */
#include "base/str.h"
#include "model/choice_note.h"
#include "model/choice_pass.h"
#include "model/choice_rules.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/host_edit.h"
#include "model/pair_class.h"
#include "model/pair_shift.h"
#include "model/peering.h"
#include "model/vpc.h"

/* of a network that are looked at in the time that a direction takes */
enum { HOSTS_A_DIRECTION = 64 };

/* As either set of rules of a pass takes the network. */
static bool concerns(const struct model *m, const struct choice_policy *p, const struct vpc *v)
{
	const struct choice_passing *passing = &m->choice_passing;

	if (!passing->active)
		return choice_policy_concerns(&m->choice_rules, p, v);
	return choice_policy_concerns(&passing->base, p, v) ||
	       choice_policy_concerns(&passing->target, p, v);
}

/* Any of them, the network or one that it is peered with. */
static bool is_concerned(const struct model *m, const struct choice_policy *const *changed,
			 size_t n, const struct vpc *v)
{
	struct peering_iter it = peering_iter_of(m, v->o.id);
	const struct peering *p;
	bool concerned = false;

	for (size_t i = 0; i < n && !concerned; i++)
		concerned = concerns(m, changed[i], v);
	while (!concerned && (p = peering_iter_next(&it))) {
		const struct vpc *other =
			(const struct vpc *)model_get(m, KIND_VPC, peering_other(p, v->o.id)->vpc);

		for (size_t i = 0; i < n && other && p->state == PEERING_ACTIVE && !concerned; i++)
			concerned = concerns(m, changed[i], other);
	}
	return concerned;
}

static size_t cost_of(const struct model *m, const struct vpc *v)
{
	const uint32_t *hosts;

	return 1 + model_network_hosts(m, v->vni, &hosts) / HOSTS_A_DIRECTION;
}

int choice_recompute_networks(struct tx *tx, const struct choice_policy *const *changed,
			      size_t n_changed, uint64_t *at, size_t *budget)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_VPC);
	const struct object *o = model_iter_next(&it);
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&it);
		const struct vpc *v = (const struct vpc *)o;
		const uint64_t serial = o->serial;

		if (serial > *at && is_concerned(tx->m, changed, n_changed, v)) {
			const size_t cost = cost_of(tx->m, v);

			r = network_recompute_alone(tx, v->vni);
			*budget -= cost < *budget ? cost : *budget;
		}
		if (serial > *at)
			*at = serial;
		if (!r && !*budget && next)
			return 0;
		o = next;
	}
	*at = 0;
	return r;
}

/* What the rules will be, and where that makes a difference. */
static int survey(struct tx *tx, const struct choice_policy *old, const struct choice_policy *new,
		  const struct choice_policy *const *changed, size_t n_changed,
		  struct pair_survey *ret)
{
	_cleanup_(choice_rules_deinit) struct choice_rules after = {0};
	struct pair_rules_change c = {choice_rules_of(tx->m), &after, n_changed, changed, 0};
	int r = choice_rules_copy(c.before, &after);

	if (r)
		return r;
	choice_rules_set(&after, old, new);
	return pair_survey_rules(tx->m, &c, NULL, ret);
}

/* Directions in which the policies may have a say, about; those beyond 'enough' are not counted. */
static size_t count_directions(const struct model *m, const struct choice_policy *const *changed,
			       size_t n, size_t enough)
{
	struct model_iter it = model_iter_kind(m, KIND_VPC);
	size_t hosts = model_count(m, KIND_HOST), count = hosts * hosts;
	const struct object *o;

	while (count <= enough && (o = model_iter_next(&it))) {
		const struct vpc *v = (const struct vpc *)o;
		const uint32_t *numbers;
		size_t carriers = model_network_hosts(m, v->vni, &numbers);

		count += is_concerned(m, changed, n, v) ? 1 + carriers * carriers : 0;
	}
	return count;
}

/* For all pairs at once. */
static int put_at_once(struct tx *tx, const struct choice_policy *old, struct object **new,
		       const struct choice_policy *const *changed, size_t n_changed)
{
	_cleanup_(pair_survey_deinit) struct pair_survey before = {0};
	const struct choice_policy *after = new ? (struct choice_policy *)*new : NULL;
	size_t budget = SIZE_MAX;
	uint64_t at = 0;
	int r = survey(tx, old, after, changed, n_changed, &before);

	if (!r)
		r = new ? tx_put(tx, old ? &old->o : NULL, new) : tx_delete(tx, &old->o);
	if (!r)
		r = pair_survey_shift(tx, &before);
	if (!r)
		r = choice_recompute_networks(tx, changed, n_changed, &at, &budget);
	return r ? r : choice_note_policy_done(tx, after ? after : old);
}

int choice_policy_put(struct tx *tx, const struct choice_policy *old, struct object **new)
{
	const size_t enough = tx->m->choice_at_once;
	const struct choice_policy *changed[2], *after = new ? (struct choice_policy *)*new : NULL;
	size_t n = 0;
	int r;

	if (new)
		choice_policy_compile((struct choice_policy *)*new);
	if (old)
		changed[n++] = old;
	if (after)
		changed[n++] = after;
	if (!choice_pass_of(tx->m) && count_directions(tx->m, changed, n, enough) <= enough)
		return put_at_once(tx, old, new, changed, n);
	r = choice_note_policy(tx, old, after);
	if (r)
		return r;
	return new ? tx_put(tx, old ? &old->o : NULL, new) : tx_delete(tx, &old->o);
}

/* ---- what policies match ---- */

/* Directions inside the network, and between it and those it is peered with. */
static size_t directions_of(const struct model *m, const struct vpc *v)
{
	struct peering_iter it = peering_iter_of(m, v->o.id);
	const struct peering *p;
	const uint32_t *numbers;
	size_t carriers = model_network_hosts(m, v->vni, &numbers), n = carriers * carriers;

	while ((p = peering_iter_next(&it)))
		if (p->state == PEERING_ACTIVE)
			n += 2 * carriers *
			     model_network_hosts(m, peering_other(p, v->o.id)->vni, &numbers);
	return n;
}

static int put_vpc_at_once(struct tx *tx, const struct object *old, struct object **new)
{
	_cleanup_(pair_survey_deinit) struct pair_survey before = {0};
	const uint32_t vni = ((const struct vpc *)old)->vni;
	int r = pair_survey_network(tx->m, (const struct vpc *)old, &before);

	if (!r)
		r = tx_put(tx, old, new);
	if (!r)
		r = pair_survey_shift(tx, &before);
	if (!r)
		r = network_recompute(tx, vni);
	return r ? r : choice_note_matched_done(tx, old);
}

int choice_vpc_put(struct tx *tx, const struct object *old, struct object **new)
{
	const struct vpc *v = (const struct vpc *)old;
	int r;

	if (!choice_rules_any(tx->m) ||
	    str_equal(choice_environment(v), choice_environment((const struct vpc *)*new)))
		return tx_put(tx, old, new);
	if (!choice_pass_of(tx->m) && directions_of(tx->m, v) <= tx->m->choice_at_once)
		return put_vpc_at_once(tx, old, new);
	r = choice_note_matched(tx, old);
	return r ? r : tx_put(tx, old, new);
}

int choice_host_put(struct tx *tx, const struct host *old, struct object **new)
{
	const size_t directions = 2 * model_count(tx->m, KIND_HOST);
	int r;

	if (!choice_rules_any(tx->m) || choice_same_labels(old, (const struct host *)*new))
		return tx_put(tx, &old->o, new);
	if (!choice_pass_of(tx->m) && directions <= tx->m->choice_at_once) {
		r = host_put_at_once(tx, old, new);
		return r ? r : choice_note_matched_done(tx, &old->o);
	}
	r = choice_note_matched(tx, &old->o);
	return r ? r : tx_put(tx, &old->o, new);
}

/* A policy about it speaks of nothing now, and what it made of the network's MTU goes. */
int choice_interface_ended(struct tx *tx, uint64_t interface, uint32_t vni)
{
	const struct choice_rules *sets[CHOICE_SETS_MAX];
	size_t n = choice_rules_in_force(tx->m, sets);

	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < sets[k]->n; i++)
			if (sets[k]->v[i]->interfaces[0] == interface ||
			    sets[k]->v[i]->interfaces[1] == interface)
				return network_recompute(tx, vni);
	return 0;
}
