/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies on their way into the pairs of hosts.  See choice_pass.h.
 */
#include "model/choice_pass.h"

#include <stdlib.h>

#include "model/choice_note.h"
#include "model/choice_rules.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/pair_class.h"
#include "model/pair_shift.h"
#include "model/vpc.h"

const struct choice_pass *choice_pass_of(const struct model *m)
{
	return (const struct choice_pass *)model_get(m, KIND_CHOICE_PASS, CHOICE_PASS_ID);
}

static int put_pass(struct tx *tx, const struct choice_pass *old, struct choice_pass now)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct choice_pass *new;
	int r = old ? tx_edit(tx, &old->o, &o) : tx_make(tx, KIND_CHOICE_PASS, 0, &o);

	if (r)
		return r;
	o->id = CHOICE_PASS_ID;
	new = (struct choice_pass *)o;
	new->through = now.through;
	new->phase = now.phase;
	new->at = now.at;
	return tx_put(tx, old ? &old->o : NULL, &o);
}

int choice_pass_begin(struct tx *tx)
{
	if (choice_pass_of(tx->m))
		return 0;
	return put_pass(tx, NULL, (struct choice_pass){.through = tx->m->last_serial});
}

/* What of all policies is of one set alone, and its counterparts in the other. */
static int changed_of(const struct model *m, const struct choice_policy ***ret, size_t *ret_n)
{
	const struct choice_passing *p = &m->choice_passing;
	const struct choice_policy **v =
		calloc(p->base.n + p->target.n + 1, sizeof(const struct choice_policy *));

	if (!v)
		return -ENOMEM;
	*ret_n = choice_rules_changed(&p->base, &p->target, v);
	*ret = v;
	return 0;
}

static int step_pairs(struct tx *tx, const struct choice_pass *pass,
		      const struct pair_rules_change *c, size_t budget)
{
	_cleanup_(pair_survey_deinit) struct pair_survey before = {0};
	struct pair_stretch stretch = {
		.from = pass->at, .until = PAIR_POSITION_END, .budget = budget};
	struct choice_pass now = *pass;
	int r = pair_survey_rules(tx->m, c, &stretch, &before);

	now.at = stretch.from;
	if (stretch.from == PAIR_POSITION_END) {
		now.phase = CHOICE_PHASE_NARROW;
		now.at = 0;
	}
	if (!r)
		r = put_pass(tx, pass, now);
	return r ? r : pair_survey_shift(tx, &before);
}

static int step_networks(struct tx *tx, const struct choice_pass *pass,
			 const struct pair_rules_change *c, size_t budget)
{
	struct choice_pass now = *pass;
	int r = choice_recompute_networks(tx, c->changed, c->n_changed, &now.at, &budget);

	if (r)
		return r;
	if (!now.at)
		now.phase++;
	return put_pass(tx, choice_pass_of(tx->m), now);
}

/* The changes that all pairs go by stay while what was changing is. */
static int finish_changes(struct tx *tx, uint64_t through)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_CHOICE_CHANGE);
	const struct object *o = model_iter_next(&it);
	const bool changing = pair_shift_oldest(tx->m);
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&it);
		const struct choice_change *c = (const struct choice_change *)o;
		struct choice_change *new = NULL;

		if (choice_change_is_of(c, through) && changing) {
			r = tx_edit(tx, o, (struct object **)&new);
			if (!r) {
				new->done = tx->m->last_serial;
				r = tx_put(tx, o, (struct object **)&new);
			}
		} else if (choice_change_is_of(c, through)) {
			r = tx_delete(tx, o);
		}
		o = next;
	}
	return r;
}

static bool any_waits(const struct model *m, uint64_t through)
{
	struct model_iter it = model_iter_kind(m, KIND_CHOICE_CHANGE);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (choice_change_waits((const struct choice_change *)o, through))
			return true;
	return false;
}

/* The next pass takes all that has waited for this one. */
static int step_end(struct tx *tx, const struct choice_pass *pass)
{
	const bool again = any_waits(tx->m, pass->through);
	int r = finish_changes(tx, pass->through);

	if (r)
		return r;
	pass = choice_pass_of(tx->m);
	return again ? put_pass(tx, pass, (struct choice_pass){.through = tx->m->last_serial})
		     : tx_delete(tx, &pass->o);
}

static int forget_settled(struct tx *tx)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_CHOICE_CHANGE);
	const struct object *o = model_iter_next(&it), *oldest = pair_shift_oldest(tx->m);
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&it);

		if (choice_change_is_settled((const struct choice_change *)o, oldest))
			r = tx_delete(tx, o);
		o = next;
	}
	return r;
}

static bool any_settled(const struct model *m)
{
	struct model_iter it = model_iter_kind(m, KIND_CHOICE_CHANGE);
	const struct object *o, *oldest = pair_shift_oldest(m);

	while ((o = model_iter_next(&it)))
		if (choice_change_is_settled((const struct choice_change *)o, oldest))
			return true;
	return false;
}

bool choice_pass_due(const struct model *m)
{
	return model_count(m, KIND_CHOICE_CHANGE) && (choice_pass_of(m) || any_settled(m));
}

static int do_step(struct tx *tx, size_t budget)
{
	const struct choice_pass *pass = choice_pass_of(tx->m);
	_cleanup_free_ const struct choice_policy **changed = NULL;
	struct pair_rules_change c = {.before = &tx->m->choice_passing.base,
				      .after = &tx->m->choice_passing.target};
	int r = forget_settled(tx);

	if (r || !pass)
		return r;
	if (pass->phase == CHOICE_PHASE_OVER)
		return step_end(tx, pass);
	c.through = pass->through;
	r = changed_of(tx->m, &changed, &c.n_changed);
	c.changed = changed;
	if (r)
		return r;
	return pass->phase == CHOICE_PHASE_PAIRS ? step_pairs(tx, pass, &c, budget)
						 : step_networks(tx, pass, &c, budget);
}

int choice_pass_step(struct tx *tx, size_t budget)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_step(tx, budget));
}

void choice_pass_count(const struct model *m, uint64_t *ret_done, uint64_t *ret_all)
{
	const struct choice_pass *pass = choice_pass_of(m);
	const uint64_t n = model_count(m, KIND_HOST);
	const uint32_t first = pass ? pair_position_first(pass->at) : 0,
		       second = pass ? pair_position_second(pass->at) : 0;
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	uint64_t before = 0, partners = 0;
	const struct object *o;

	*ret_all = n ? n * (n - 1) : 0;
	*ret_done = pass && pass->phase == CHOICE_PHASE_WIDEN ? 0 : *ret_all;
	if (!pass || pass->phase != CHOICE_PHASE_PAIRS)
		return;
	while ((o = model_iter_next(&it))) {
		const uint32_t number = ((const struct host *)o)->number;

		before += number < first;
		partners += number > first && number < second;
	}
	/* each of those before with all behind it, and the one that is under way with some; both
	 * ways */
	*ret_done = before * (2 * n - before - 1) + 2 * (before < n ? partners : 0);
}
