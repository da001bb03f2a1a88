/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies on their way into the pairs of hosts (docs/negotiation.md, "How policies reach pairs").
 *
 * In a small cluster a policy that comes, changes or goes is applied to all pairs in the same
 * transaction.  In a larger one that would take seconds, so a *pass* goes over the pairs in order
 * of their hosts' numbers, a stretch in each transaction.  Pairs behind its place go by the rules
 * after the change (the pass's *target*), those ahead of it by those before (its *base*):
 * choice_rules_between() is the one that knows.  Hosts and networks that are newer than the pass go
 * by its target at once.  What is changed meanwhile waits for the next pass, which begins when this
 * one is over and takes all of it together.
 *
 * What policies match goes the same way: the labels of a host and the environment of a network, where
 * more than a few directions may differ.  The rules that they have not reached yet take the host or
 * network for what it was.
 *
 * Stored are the pass, and of each changed policy, host or network how it was before (a *change*):
 * both sets of rules are derived from these.  A change stays, *done*, until every choice that was changing when
 * its pass ended has settled: then the hosts have confirmed it.
 *
 * Pure, as all of the model.
 */
#pragma once

#include "model/choice_policy.h"
#include "model/choice_rules.h"

struct tx;

/* A policy as it was; or of a host (one.host) its labels (one.labels), or of a network (one.vpc) its
 * environment. */
struct choice_change {
	struct choice_policy former; /* first; its o is the change's own; empty when 'made' */
	enum kind about;             /* KIND_HOST, KIND_VPC; KIND_NONE: a policy.  Stored. */
	bool made;                   /* there was none before */
	/* serial: choices that were changing when all pairs went by it are older; 0: they do not
	 * yet */
	uint64_t done;
};

/* In this order.  Stored. */
enum choice_phase {
	CHOICE_PHASE_WIDEN = 0, /* networks' MTUs leave room for what both sets of rules wish */
	CHOICE_PHASE_PAIRS = 1,
	CHOICE_PHASE_NARROW = 2, /* networks' MTUs are what the target makes of them */
	CHOICE_PHASE_OVER = 3,
};

enum { CHOICE_PASS_ID = 1 };

struct choice_pass {
	struct object o;
	/* serial: changes up to it are this pass's; hosts and networks above it are newer */
	uint64_t through;
	enum choice_phase phase;
	/* PAIRS: position (model/pair_class.h) of the next pair; else serial of the VPC done
	 * last */
	uint64_t at;
};

/* Under way, or NULL. */
const struct choice_pass *choice_pass_of(const struct model *m);
/* Whether a step has something to do. */
bool choice_pass_due(const struct model *m);
/* Goes on by about 'budget' directions (LIMIT_MODEL_CHOICE_STEP is meant), or begins or ends a
 * pass.  One step is one transaction: hosts are told what it makes of pairs from where it began and
 * ended.  -ENOMEM, and nothing has changed. */
must_check int choice_pass_step(struct tx *tx, size_t budget);

/* How far a policy, with what it matches, or all that has been changed, has come. */
enum choice_progress {
	CHOICE_WAITING,  /* for the pass under way */
	CHOICE_APPLYING, /* pairs are gone over */
	CHOICE_CHANGING, /* all pairs go by it, and some hosts have yet to confirm what they use */
	CHOICE_EFFECTIVE,
};
const char *choice_progress_text(enum choice_progress p); /* "waiting", ... */
enum choice_progress choice_progress_of(const struct model *m, const struct choice_policy *p);
/* Of all policies, also of those that are gone: the one that is furthest behind. */
enum choice_progress choice_progress_of_all(const struct model *m);
/* Directions between two hosts that go by the target of the pass under way, of how many; without
 * one all do. */
void choice_pass_count(const struct model *m, uint64_t *ret_done, uint64_t *ret_all);

/* ---- inside the model ---- */

/* Id of what it is about. */
static inline uint64_t choice_change_subject(const struct choice_change *c)
{
	if (c->about == KIND_HOST)
		return c->former.one.host;
	return c->about == KIND_VPC ? c->former.one.vpc : c->former.id;
}
/* Beside the host, or VPC, that is put in the place of 'old' with other labels, or of another
 * environment: policies are to match it as that by a pass, now or later. */
must_check int choice_pass_note_matched(struct tx *tx, const struct object *old);
/* They match it so for all pairs in this transaction, and choices may be changing. */
must_check int choice_pass_note_matched_done(struct tx *tx, const struct object *old);
/* Whether a pass has yet to come, or to end, that makes of it what it is now. */
bool choice_pass_is_about(const struct model *m, enum kind about, uint64_t id);
/* Beside the policy that is put: it is to be applied by a pass, now or later.  'old' and 'new' as
 * in choice_policy_put(). */
must_check int choice_pass_note(struct tx *tx, const struct choice_policy *old,
				const struct choice_policy *new);
/* It has been applied to all pairs in this transaction, and choices may be changing. */
must_check int choice_pass_note_done(struct tx *tx, const struct choice_policy *p);
/* Networks' MTUs, where these policies have a say: all of them, or, with a budget, those behind the
 * serial '*at' of a VPC until '*budget' is used up; '*at' is 0 then when there are no more. */
must_check int choice_recompute_networks(struct tx *tx, const struct choice_policy *const *changed,
					 size_t n_changed, uint64_t *at, size_t *budget);

/* Kept by the tables: the rules of the pass under way. */
struct choice_passing {
	bool active;
	enum choice_phase phase;
	uint64_t at, through;
	struct choice_rules base, target;
};
/* Makes room for one more policy or change, so that following cannot fail. */
must_check int choice_passing_prepare(struct model *m);
/* Follows the objects in the tables. */
void choice_passing_follow(struct model *m);
void choice_passing_deinit(struct choice_passing *p);
