/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies on their way into the pairs of hosts.  See choice_pass.h.
 */
#include "model/choice_pass.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/pair_class.h"
#include "model/pair_shift.h"
#include "model/vpc.h"

const struct choice_pass *choice_pass_of(const struct model *m)
{
	return (const struct choice_pass *)model_get(m, KIND_CHOICE_PASS, CHOICE_PASS_ID);
}

static bool is_of_pass(const struct choice_change *c, uint64_t through)
{
	return !c->done && c->former.o.serial <= through;
}

static bool is_waiting(const struct choice_change *c, uint64_t through)
{
	return !c->done && c->former.o.serial > through;
}

/* ---- the two sets of rules ---- */

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
	take_back(m, &p->target, p->through, is_waiting);
	choice_rules_assign(&p->base, &p->target);
	take_back(m, &p->base, p->through, is_of_pass);
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

/* ---- changes ---- */

/* Of the policy, host or network, that waits; NULL: it has not been changed since the pass began. */
static const struct choice_change *find_waiting(const struct model *m, enum kind about, uint64_t id)
{
	struct model_iter it = model_iter_kind(m, KIND_CHOICE_CHANGE);
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct choice_change *c = (const struct choice_change *)o;

		if (c->about == about && choice_change_subject(c) == id &&
		    is_waiting(c, m->choice_passing.through))
			return c;
	}
	return NULL;
}

/* The record of a policy is read as that of a change: it begins with the same fields. */
static int copy_former(const struct choice_policy *p, uint64_t id, struct object **ret)
{
	_cleanup_buf_ struct buf b;
	int r;

	buf_init(&b, LIMIT_MODEL_RECORD_SIZE);
	record_encode(&p->o, &b);
	r = buf_error(&b);
	return r ? r : record_decode(KIND_CHOICE_CHANGE, id, buf_data(&b), buf_size(&b), ret);
}

/* With the identity of 'like', which is freed. */
static int make_change(struct tx *tx, const struct choice_policy *old,
		       const struct choice_policy *new, struct object **ret)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL, *like = NULL;
	const struct choice_policy *any = old ? old : new;
	struct choice_change *c;
	int r = tx_make(tx, KIND_CHOICE_CHANGE, 0, &like);

	if (!r && old)
		r = copy_former(old, like->id, &o);
	if (r)
		return r;
	if (!old)
		o = TAKE_PTR(like);
	if (like) {
		o->account = 0;
		o->serial = like->serial;
		o->created_ms = like->created_ms;
	}
	c = (struct choice_change *)o;
	c->made = !old;
	c->former.id = any->id;
	c->former.age = any->age;
	c->former.owner = any->owner;
	*ret = TAKE_PTR(o);
	return 0;
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

/* Puts a change, for the pass that begins with it or the next one. */
static int put_change(struct tx *tx, struct object **o)
{
	const struct choice_pass *pass = choice_pass_of(tx->m);
	int r = tx_put(tx, NULL, o);

	return r || pass ? r
			 : put_pass(tx, NULL, (struct choice_pass){.through = tx->m->last_serial});
}

int choice_pass_note(struct tx *tx, const struct choice_policy *old,
		     const struct choice_policy *new)
{
	const struct choice_change *waiting =
		choice_pass_of(tx->m) ? find_waiting(tx->m, KIND_NONE, (old ? old : new)->id)
				      : NULL;
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	int r;

	/* how it was before both is noted, and what nobody has gone by is forgotten */
	if (waiting)
		return waiting->made && !new ? tx_delete(tx, &waiting->former.o) : 0;
	r = make_change(tx, old, new, &o);
	return r ? r : put_change(tx, &o);
}

/* On failure what there is goes with the object that has it. */
static int copy_labels(const struct host *h, struct choice_member *ret)
{
	ret->labels = calloc(h->o.n_tags + 1, sizeof(*ret->labels));
	if (!ret->labels)
		return -ENOMEM;
	for (size_t i = 0; i < h->o.n_tags; i++) {
		struct tag *label = &ret->labels[ret->n_labels++];
		int r = edit_string(&label->key, h->o.tags[i].key);

		if (!r)
			r = edit_string(&label->value, h->o.tags[i].value);
		if (r)
			return r;
	}
	return 0;
}

static int make_change_of(struct tx *tx, const struct object *old, struct object **ret)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct choice_change *c;
	int r = tx_make(tx, KIND_CHOICE_CHANGE, 0, &o);

	if (r)
		return r;
	c = (struct choice_change *)o;
	c->about = old->kind;
	if (old->kind == KIND_HOST) {
		c->former.one.host = old->id;
		r = copy_labels((const struct host *)old, &c->former.one);
	} else {
		c->former.one.vpc = old->id;
		r = edit_string(&c->former.environment,
				choice_environment((const struct vpc *)old));
	}
	if (!r)
		*ret = TAKE_PTR(o);
	return r;
}

int choice_pass_note_matched(struct tx *tx, const struct object *old)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	int r;

	/* how it was before both is noted */
	if (choice_pass_of(tx->m) && find_waiting(tx->m, old->kind, old->id))
		return 0;
	r = make_change_of(tx, old, &o);
	return r ? r : put_change(tx, &o);
}

bool choice_pass_is_about(const struct model *m, enum kind about, uint64_t id)
{
	struct model_iter it = model_iter_kind(m, KIND_CHOICE_CHANGE);
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct choice_change *c = (const struct choice_change *)o;

		if (!c->done && c->about == about && choice_change_subject(c) == id)
			return true;
	}
	return false;
}

/* The oldest choice that is changing; NULL: none is. */
static const struct object *oldest_shift(const struct model *m)
{
	struct model_iter it = model_iter_kind(m, KIND_PAIR_SHIFT);

	return model_iter_next(&it);
}

int choice_pass_note_done(struct tx *tx, const struct choice_policy *p)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct choice_change *c;
	int r;

	if (!oldest_shift(tx->m))
		return 0;
	r = make_change(tx, NULL, p, &o);
	if (r)
		return r;
	c = (struct choice_change *)o;
	c->made = false;
	c->done = o->serial;
	return tx_put(tx, NULL, &o);
}

int choice_pass_note_matched_done(struct tx *tx, const struct object *old)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	int r;

	if (!oldest_shift(tx->m))
		return 0;
	r = make_change_of(tx, old, &o);
	if (r)
		return r;
	((struct choice_change *)o)->done = o->serial;
	return tx_put(tx, NULL, &o);
}

/* ---- steps ---- */

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
	const bool changing = oldest_shift(tx->m);
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&it);
		const struct choice_change *c = (const struct choice_change *)o;
		struct choice_change *new = NULL;

		if (is_of_pass(c, through) && changing) {
			r = tx_edit(tx, o, (struct object **)&new);
			if (!r) {
				new->done = tx->m->last_serial;
				r = tx_put(tx, o, (struct object **)&new);
			}
		} else if (is_of_pass(c, through)) {
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
		if (is_waiting((const struct choice_change *)o, through))
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

/* Whether all that was changing when it was done has settled. */
static bool is_settled(const struct choice_change *c, const struct object *oldest)
{
	return c->done && (!oldest || oldest->serial > c->done);
}

static int forget_settled(struct tx *tx)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_CHOICE_CHANGE);
	const struct object *o = model_iter_next(&it), *oldest = oldest_shift(tx->m);
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&it);

		if (is_settled((const struct choice_change *)o, oldest))
			r = tx_delete(tx, o);
		o = next;
	}
	return r;
}

static bool any_settled(const struct model *m)
{
	struct model_iter it = model_iter_kind(m, KIND_CHOICE_CHANGE);
	const struct object *o, *oldest = oldest_shift(m);

	while ((o = model_iter_next(&it)))
		if (is_settled((const struct choice_change *)o, oldest))
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

/* ---- how far it is ---- */

const char *choice_progress_text(enum choice_progress p)
{
	static const char *const texts[] = {"waiting", "applying", "changing", "effective"};

	return texts[p];
}

static enum choice_progress progress_of_change(const struct model *m, const struct choice_change *c,
					       const struct object *oldest)
{
	if (c->done)
		return is_settled(c, oldest) ? CHOICE_EFFECTIVE : CHOICE_CHANGING;
	return is_waiting(c, m->choice_passing.through) ? CHOICE_WAITING : CHOICE_APPLYING;
}

/* The policy matches by what has changed. */
static bool has_to_do_with(const struct choice_change *c, const struct choice_policy *p)
{
	bool of_labels = p->environment || p->one.n_labels || p->other.n_labels;

	switch (c->about) {
	case KIND_HOST:
		return of_labels;
	case KIND_VPC:
		return p->environment;
	default:
		return c->former.id == p->id;
	}
}

/* 'policy': NULL: any */
static enum choice_progress least_progress(const struct model *m,
					   const struct choice_policy *policy)
{
	struct model_iter it = model_iter_kind(m, KIND_CHOICE_CHANGE);
	const struct object *o, *oldest = oldest_shift(m);
	enum choice_progress least = CHOICE_EFFECTIVE, p;

	while ((o = model_iter_next(&it))) {
		const struct choice_change *c = (const struct choice_change *)o;

		if (policy && !has_to_do_with(c, policy))
			continue;
		p = progress_of_change(m, c, oldest);
		least = p < least ? p : least;
	}
	return least;
}

enum choice_progress choice_progress_of(const struct model *m, const struct choice_policy *p)
{
	return least_progress(m, p);
}

enum choice_progress choice_progress_of_all(const struct model *m)
{
	return least_progress(m, NULL);
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
