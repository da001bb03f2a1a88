/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is noted for a pass.  See choice_note.h.
 */
#include "model/choice_note.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "model/choice_pass.h"
#include "model/choice_rules.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/pair_shift.h"
#include "model/table.h"
#include "model/tx.h"
#include "model/vpc.h"

/* Of the policy, host or network, that waits; NULL: it has not been changed since the pass
 * began. */
static const struct choice_change *find_waiting(const struct model *m, enum kind about, uint64_t id)
{
	struct model_iter it = model_iter_kind(m, KIND_CHOICE_CHANGE);
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct choice_change *c = (const struct choice_change *)o;

		if (c->about == about && choice_change_subject(c) == id &&
		    choice_change_waits(c, m->choice_passing.through))
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

/* Puts a change, for the pass that begins with it or the next one. */
static int put_change(struct tx *tx, struct object **o)
{
	int r = tx_put(tx, NULL, o);

	return r ? r : choice_pass_begin(tx);
}

int choice_note_policy(struct tx *tx, const struct choice_policy *old,
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

int choice_note_matched(struct tx *tx, const struct object *old)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	int r;

	/* how it was before both is noted */
	if (choice_pass_of(tx->m) && find_waiting(tx->m, old->kind, old->id))
		return 0;
	r = make_change_of(tx, old, &o);
	return r ? r : put_change(tx, &o);
}

bool choice_note_is_about(const struct model *m, enum kind about, uint64_t id)
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

int choice_note_policy_done(struct tx *tx, const struct choice_policy *p)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct choice_change *c;
	int r;

	if (!pair_shift_oldest(tx->m))
		return 0;
	r = make_change(tx, NULL, p, &o);
	if (r)
		return r;
	c = (struct choice_change *)o;
	c->made = false;
	c->done = o->serial;
	return tx_put(tx, NULL, &o);
}

int choice_note_matched_done(struct tx *tx, const struct object *old)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	int r;

	if (!pair_shift_oldest(tx->m))
		return 0;
	r = make_change_of(tx, old, &o);
	if (r)
		return r;
	((struct choice_change *)o)->done = o->serial;
	return tx_put(tx, NULL, &o);
}
