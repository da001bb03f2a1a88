/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what is noted for a pass (model/choice_pass.h) of each policy that changes, and
 * of each host or network that policies match otherwise: how it was before, as a *change*.
 *
 * A change waits until a pass takes it, is of that pass until all pairs go by it, and is then
 * *done*: until every choice that was changing has settled.
 */
#pragma once

#include "model/choice_policy.h"

struct tx;

/* A policy as it was; or of a host (one.host) its labels (one.labels), or of a network (one.vpc)
 * its environment. */
struct choice_change {
	struct choice_policy former; /* first; its o is the change's own; empty when 'made' */
	enum kind about;             /* KIND_HOST, KIND_VPC; KIND_NONE: a policy.  Stored. */
	bool made;                   /* there was none before */
	/* serial: choices that were changing when all pairs went by it are older; 0: they do not
	 * yet */
	uint64_t done;
};

/* Id of what it is about. */
static inline uint64_t choice_change_subject(const struct choice_change *c)
{
	if (c->about == KIND_HOST)
		return c->former.one.host;
	return c->about == KIND_VPC ? c->former.one.vpc : c->former.id;
}
/* 'through': of the pass under way.  It is applied by that, or waits for the next one. */
static inline bool choice_change_is_of(const struct choice_change *c, uint64_t through)
{
	return !c->done && c->former.o.serial <= through;
}
static inline bool choice_change_waits(const struct choice_change *c, uint64_t through)
{
	return !c->done && c->former.o.serial > through;
}
/* All that was changing when it was done has settled.  'oldest': pair_shift_oldest() */
static inline bool choice_change_is_settled(const struct choice_change *c,
					    const struct object *oldest)
{
	return c->done && (!oldest || oldest->serial > c->done);
}

/* Beside the host, or VPC, that is put in the place of 'old' with other labels, or of another
 * environment: policies are to match it as that by a pass, now or later. */
must_check int choice_note_matched(struct tx *tx, const struct object *old);
/* They match it so for all pairs in this transaction, and choices may be changing. */
must_check int choice_note_matched_done(struct tx *tx, const struct object *old);
/* Whether a pass has yet to come, or to end, that makes of it what it is now. */
bool choice_note_is_about(const struct model *m, enum kind about, uint64_t id);
/* Beside the policy that is put: it is to be applied by a pass, now or later.  'old' and 'new' as
 * in choice_policy_put(). */
must_check int choice_note_policy(struct tx *tx, const struct choice_policy *old,
				  const struct choice_policy *new);
/* It has been applied to all pairs in this transaction, and choices may be changing. */
must_check int choice_note_policy_done(struct tx *tx, const struct choice_policy *p);
