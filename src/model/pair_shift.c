/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choices of pairs that are changing.  See pair_shift.h; the steps are in shift.c.
 */
#include "model/pair_shift.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/pair_class.h"

uint64_t pair_shift_key(uint32_t from, uint32_t to)
{
	return (uint64_t)from << 32 | to;
}

static bool same_class(const struct pair_class *a, const struct pair_class *b)
{
	return a->vni == b->vni && a->peer_vni == b->peer_vni && a->interface == b->interface &&
	       a->peer_interface == b->peer_interface;
}

const struct pair_shift *pair_shift_find(const struct model *m, uint32_t from, uint32_t to,
					 const struct pair_class *c)
{
	struct model_iter it = model_iter_group(m, REL_PAIR_SHIFTS, pair_shift_key(from, to));
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (same_class(&((const struct pair_shift *)o)->class, c))
			return (const struct pair_shift *)o;
	return NULL;
}

const struct object *pair_shift_oldest(const struct model *m)
{
	struct model_iter it = model_iter_kind(m, KIND_PAIR_SHIFT);

	return model_iter_next(&it);
}

struct terms pair_terms(const struct wish *w)
{
	return (struct terms){
		.format = w->send,
		.beside = w->send == FORMAT_NONE ? 0 : w->formats & ~FORMAT_BIT(w->send),
		.features = w->features & FEATURES_PAYLOAD,
		.outer_v6 = w->outer_v6,
		.key = w->features & FEATURES_PAYLOAD ? w->key : (struct pair_key){0},
	};
}

/* ---- shifts ---- */

/* What the class is part of, when no rule tells it apart: its networks, or all that the two send.
 * NULL: that is settled. */
static const struct pair_shift *find_wider(const struct model *m, uint32_t from, uint32_t to,
					   const struct pair_class *c, bool networks_apart)
{
	const struct pair_class networks = {.vni = c->vni, .peer_vni = c->peer_vni};
	const struct pair_shift *p = c->interface ? pair_shift_find(m, from, to, &networks) : NULL;

	if (p || !c->vni || (c->interface && networks_apart))
		return p;
	return pair_shift_find(m, from, to, &pair_all);
}

/* That of what the class is part of by the rules; NULL: it is settled, or the class is part of
 * nothing. */
static const struct pair_shift *find_whole(const struct model *m, const struct host *from,
					   const struct host *to, const struct pair_class *c)
{
	const struct pair_class networks = {.vni = c->vni, .peer_vni = c->peer_vni};

	if (!c->vni || pair_class_is_apart(m, NULL, from, to, c))
		return NULL;
	return find_wider(m, from->number, to->number, c,
			  pair_class_is_apart(m, NULL, from, to, &networks));
}

const struct pair_shift *pair_shift_of(const struct model *m, const struct host *from,
				       const struct host *to, const struct pair_class *c)
{
	const struct pair_shift *p = pair_shift_find(m, from->number, to->number, c);

	return p ? p : find_whole(m, from, to, c);
}

/* It may not be told as a part of the other yet: that is changing, and where to it may not even be
 * a step of this one. */
static bool has_to_wait(const struct model *m, uint32_t from, uint32_t to,
			const struct pair_class *c)
{
	const struct host *a = host_by_number(m, from), *b = host_by_number(m, to);

	return a && b && find_whole(m, a, b, c);
}

/* What a class uses is not what is wished for now: the operation that changed the wish has yet to
 * come to it. */
static bool is_behind(const struct model *m, const struct pair_shift *p)
{
	const struct host *from = host_by_number(m, p->from), *to = host_by_number(m, p->to);
	struct terms terms;
	struct wish w;

	if (!from || !to)
		return false;
	pair_wish_quickly(m, NULL, from, to, &p->class, &w);
	terms = pair_terms(&w);
	return !terms_equal(shift_send(&p->shift), &terms);
}

/* One that has settled, of this direction, and need not wait any more; or NULL. */
static const struct pair_shift *find_done(const struct model *m, uint32_t from, uint32_t to)
{
	struct model_iter it = model_iter_group(m, REL_PAIR_SHIFTS, pair_shift_key(from, to));
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct pair_shift *p = (const struct pair_shift *)o;

		if (shift_is_settled(&p->shift) && !has_to_wait(m, from, to, &p->class) &&
		    !is_behind(m, p))
			return p;
	}
	return NULL;
}

static int keep(struct tx *tx, const struct pair_shift *old, const struct shift *s)
{
	const uint32_t from = old->from, to = old->to;
	const bool settled = shift_is_settled(s);
	const struct pair_shift *done;
	struct pair_shift *new;
	int r = 0;

	if (settled && !has_to_wait(tx->m, from, to, &old->class)) {
		r = tx_delete(tx, &old->o);
	} else {
		r = TX_EDIT(tx, old, &new);
		if (r)
			return r;
		new->shift = *s;
		r = TX_PUT(tx, old, &new);
	}
	while (!r && settled && (done = find_done(tx->m, from, to)))
		r = tx_delete(tx, &done->o);
	return r;
}

/* How a class that has no shift goes on from what it used; settled: it is as wished, or as what it
 * is part of. */
static struct shift shift_from(const struct model *m, const struct pair_surveyed *before,
			       const struct terms *wish, uint64_t revision)
{
	const struct host *from = host_by_number(m, before->from),
			  *to = host_by_number(m, before->to);
	struct shift s = shift_settled(wish);

	if (before->part && !pair_class_is_apart(m, NULL, from, to, &before->class))
		return s;
	if (before->whole)
		s = *before->whole;
	else if (before->terms.format != FORMAT_NONE) /* else nothing was on its way */
		s = shift_settled(&before->terms);
	(void)shift_wish(&s, wish, revision);
	return s;
}

static int begin(struct tx *tx, const struct pair_surveyed *before, const struct terms *wish)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct shift s = shift_from(tx->m, before, wish, tx->revision);
	struct pair_shift *p;
	int r;

	if (shift_is_settled(&s) &&
	    (before->part || !has_to_wait(tx->m, before->from, before->to, &before->class)))
		return 0;
	r = tx_make(tx, KIND_PAIR_SHIFT, 0, &o);
	if (r)
		return r;
	p = (struct pair_shift *)o;
	p->from = before->from;
	p->to = before->to;
	p->class = before->class;
	p->shift = s;
	return tx_put(tx, NULL, &o);
}

static int shift_one(struct tx *tx, const struct pair_surveyed *before)
{
	const struct host *from = host_by_number(tx->m, before->from);
	const struct host *to = host_by_number(tx->m, before->to);
	const struct pair_shift *now;
	struct terms terms;
	struct shift s;
	struct wish w;

	/* a foreign one acknowledges nothing, and has one format */
	if (!from || !to || from->foreign || to->foreign)
		return 0;
	pair_wish_quickly(tx->m, NULL, from, to, &before->class, &w);
	terms = pair_terms(&w);
	now = pair_shift_find(tx->m, before->from, before->to, &before->class);
	if (!now)
		return before->changing ? 0 : begin(tx, before, &terms);
	s = now->shift;
	return shift_wish(&s, &terms, tx->revision) ? keep(tx, now, &s) : 0;
}

int pair_survey_shift(struct tx *tx, const struct pair_survey *before)
{
	int r = 0;

	for (size_t i = 0; i < before->n && !r; i++)
		r = shift_one(tx, &before->items[i]);
	return r;
}

/* What a host could not apply of a peer it has not acknowledged. */
static bool has_failed(const struct model *m, uint32_t peer, const struct host_failure *failed,
		       size_t n)
{
	const struct host *h = n ? host_by_number(m, peer) : NULL;

	for (size_t i = 0; i < n; i++)
		if (failed[i].kind == KIND_HOST && h && failed[i].id == h->o.id)
			return true;
	return false;
}

static uint64_t waits_for(const struct object *o, bool sender)
{
	const struct shift *s = &((const struct pair_shift *)o)->shift;

	return sender ? s->sender_revision : s->receiver_revision;
}

static int acknowledge_some(struct tx *tx, uint32_t number, bool sender, uint64_t revision,
			    const struct host_failure *failed, size_t n_failed, size_t *max)
{
	struct model_iter it = model_iter_group(
		tx->m, sender ? REL_HOST_WAITING_SENDERS : REL_HOST_WAITING_RECEIVERS, number);
	const struct object *o = model_iter_next(&it);
	int r = 0;

	while (o && !r && *max && waits_for(o, sender) <= revision) {
		const struct object *next = model_iter_next(&it);
		const struct pair_shift *p = (const struct pair_shift *)o;
		struct shift s = p->shift;
		bool changed = false;

		if (!has_failed(tx->m, sender ? p->to : p->from, failed, n_failed))
			changed = sender ? shift_sender_acknowledged(&s, revision, tx->now_ms,
								     tx->revision)
					 : shift_receiver_acknowledged(&s, revision, tx->revision);
		r = changed ? keep(tx, p, &s) : 0;
		*max -= changed;
		o = next;
	}
	return r;
}

int pair_shift_acknowledge(struct tx *tx, uint32_t number, uint64_t revision,
			   const struct host_failure *failed, size_t n_failed, size_t *max)
{
	int r = acknowledge_some(tx, number, true, revision, failed, n_failed, max);

	return r ? r : acknowledge_some(tx, number, false, revision, failed, n_failed, max);
}

/* Those that wait for the lowest revision come first. */
static bool any_waits(const struct model *m, uint32_t number, bool sender, uint64_t revision)
{
	struct model_iter it = model_iter_group(
		m, sender ? REL_HOST_WAITING_SENDERS : REL_HOST_WAITING_RECEIVERS, number);
	const struct object *o = model_iter_next(&it);

	return o && waits_for(o, sender) <= revision;
}

bool pair_shift_waits(const struct model *m, uint32_t number, uint64_t revision)
{
	return any_waits(m, number, true, revision) || any_waits(m, number, false, revision);
}

/* ---- time ---- */

static bool is_over(const struct object *o, uint64_t now_ms)
{
	return shift_is_over(&((const struct pair_shift *)o)->shift, now_ms,
			     LIMIT_MODEL_SHIFT_GRACE_MS);
}

bool pair_shift_due(const struct model *m, uint64_t now_ms)
{
	struct model_iter hosts = model_iter_kind(m, KIND_HOST);
	const struct object *h, *o;

	while ((h = model_iter_next(&hosts))) {
		struct model_iter it =
			model_iter_group(m, REL_PAST_SHIFTS, ((const struct host *)h)->number);

		/* what has been past for longest comes first */
		o = model_iter_next(&it);
		if (o && is_over(o, now_ms))
			return true;
	}
	return false;
}

/* What a host sends; at most '*max', of which those done are taken. */
static int tick_host(struct tx *tx, uint32_t number, size_t *max)
{
	struct model_iter it = model_iter_group(tx->m, REL_PAST_SHIFTS, number);
	const struct object *o = model_iter_next(&it);
	int r = 0;

	while (o && !r && *max && is_over(o, tx->now_ms)) {
		const struct object *next = model_iter_next(&it);
		const struct pair_shift *p = (const struct pair_shift *)o;
		struct shift s = p->shift;

		if (shift_tick(&s, tx->now_ms, LIMIT_MODEL_SHIFT_GRACE_MS, tx->revision)) {
			r = keep(tx, p, &s);
			--*max;
		}
		o = next;
	}
	return r;
}

static int do_tick(struct tx *tx, size_t max, uint32_t *from)
{
	struct model_iter hosts = model_iter_kind(tx->m, KIND_HOST);
	bool reached = !host_by_number(tx->m, *from); /* it may have gone */
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&hosts))) {
		const uint32_t number = ((const struct host *)o)->number;

		reached |= number == *from;
		if (reached)
			r = tick_host(tx, number, &max);
		if (!max) {
			*from = number; /* there may be more of this one */
			return r;
		}
	}
	*from = 0;
	return r;
}

int pair_shift_tick(struct tx *tx, size_t max, uint32_t *from)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_tick(tx, max, from));
}

static int forget_between(struct tx *tx, uint32_t from, uint32_t to)
{
	return tx_delete_all(tx,
			     model_iter_group(tx->m, REL_PAIR_SHIFTS, pair_shift_key(from, to)));
}

int pair_shift_forget(struct tx *tx, uint32_t number)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_HOST);
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it))) {
		const uint32_t other = ((const struct host *)o)->number;

		r = forget_between(tx, number, other);
		if (!r)
			r = forget_between(tx, other, number);
	}
	return r;
}
