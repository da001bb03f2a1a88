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
 * What policies match goes the same way: the labels of a host and the environment of a network,
 * where more than a few directions may differ.  The rules that they have not reached yet take the
 * host or network for what it was.
 *
 * Stored are the pass, and of each changed policy, host or network how it was before (a *change*,
 * model/choice_note.h): both sets of rules (model/choice_passing.h) are derived from these.  A
 * change stays, *done*, until every choice that was changing when its pass ended has settled: then
 * the hosts have confirmed it (model/choice_progress.h).
 *
 * Pure, as all of the model.
 */
#pragma once

#include "model/choice_policy.h"

struct tx;

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
/* Directions between two hosts that go by the target of the pass under way, of how many; without
 * one all do. */
void choice_pass_count(const struct model *m, uint64_t *ret_done, uint64_t *ret_all);

/* ---- inside the model ---- */

/* One begins with what has been noted so far, unless one is under way. */
must_check int choice_pass_begin(struct tx *tx);
/* Networks' MTUs, where these policies have a say: all of them, or, with a budget, those behind the
 * serial '*at' of a VPC until '*budget' is used up; '*at' is 0 then when there are no more. */
must_check int choice_recompute_networks(struct tx *tx, const struct choice_policy *const *changed,
					 size_t n_changed, uint64_t *at, size_t *budget);
