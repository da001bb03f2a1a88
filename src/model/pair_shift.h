/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choices of pairs that are changing (NEG-8): which direction of which class is between two settled
 * choices, and whose acknowledgement it waits for (model/shift.h).
 *
 * A settled choice is derived (pair_wish()) and nothing of it is stored.  An operation that may
 * change wishes takes a survey before it writes and hands it in afterwards: where something was
 * used and is to be something else now, a shift begins, or one that is under way gets its new end.
 * What was not used before has nothing to lose: it is as wished at once.
 *
 * A class that is told apart from now on goes on with the steps of what it was part of; one that is
 * not told apart any more stays so, as a settled shift of its own, until what it is to be part of
 * has settled, too.
 */
#pragma once

#include "model/object.h"
#include "model/pair.h"
#include "model/shift.h"

struct host;
struct host_failure;
struct pair_rules_change;
struct pair_stretch;
struct tx;
struct vpc;

/* One direction of one class. */
struct pair_shift {
	struct object o;
	uint32_t from, to;       /* numbers of hosts */
	struct pair_class class; /* as 'from' sees it */
	struct shift shift;

	struct member by_hosts;
	struct member by_sender_waiting;   /* for the sender's acknowledgement */
	struct member by_receiver_waiting; /* for the receiver's */
	struct member by_past;             /* for time */
};

/* Groups: model_pair_key() of the two hosts. */
uint64_t pair_shift_key(uint32_t from, uint32_t to);
/* Or NULL: that direction is settled. */
const struct pair_shift *pair_shift_find(const struct model *m, uint32_t from, uint32_t to,
					 const struct pair_class *c);
/* The same, or, where no rule tells the class apart, that of what it is part of. */
const struct pair_shift *pair_shift_of(const struct model *m, const struct host *from,
				       const struct host *to, const struct pair_class *c);
/* The one that began first, or NULL: all is settled. */
const struct object *pair_shift_oldest(const struct model *m);
/* The terms of a wish that is settled. */
struct terms pair_terms(const struct wish *w);

/* What was wished for before an operation. */
struct pair_survey {
	size_t n, allocated;
	struct pair_surveyed {
		uint32_t from, to;
		struct pair_class class;
		struct terms terms;
		bool part; /* it was not told apart until now, */
		/* and what it was part of was changing so; NULL: it was settled */
		struct shift *whole;
		/* there was a shift: what happens to that is done once, however often the class is
		 * here */
		bool changing;
	} * items;
};

/* All directions from and to a host, or those of its pairs with hosts of the number '*at' and
 * above: about 'budget' of them, and '*at' is then the number to go on with, or 0: there are no
 * more; what another set of rules would change, of all pairs or a stretch of them
 * (model/pair_class.h); what is of a network.  -ENOMEM */
must_check int pair_survey_host(const struct model *m, uint32_t number, struct pair_survey *ret);
must_check int pair_survey_host_from(const struct model *m, uint32_t number, uint32_t *at,
				     size_t budget, struct pair_survey *ret);
must_check int pair_survey_rules(const struct model *m, const struct pair_rules_change *c,
				 struct pair_stretch *stretch, struct pair_survey *ret);
must_check int pair_survey_network(const struct model *m, const struct vpc *v,
				   struct pair_survey *ret);
void pair_survey_deinit(struct pair_survey *s);
/* The operation has written: begins shifts where wishes are others now. */
must_check int pair_survey_shift(struct tx *tx, const struct pair_survey *before);

/* A host has acknowledged 'revision', but for 'failed': what waited for that goes on, at most
 * '*max' of them, of which those done are taken. */
must_check int pair_shift_acknowledge(struct tx *tx, uint32_t number, uint64_t revision,
				      const struct host_failure *failed, size_t n_failed,
				      size_t *max);
bool pair_shift_waits(const struct model *m, uint32_t number, uint64_t revision);
/* Housekeeping: what was used LIMIT_MODEL_SHIFT_GRACE_MS ago is not accepted any more. */
bool pair_shift_due(const struct model *m, uint64_t now_ms);
/* At most 'max' of them, beginning with what host '*from' sends (0: with the first one's).  '*from'
 * is then the host to go on with, or 0: the last one was reached. */
must_check int pair_shift_tick(struct tx *tx, size_t max, uint32_t *from);
/* The host is going. */
must_check int pair_shift_forget(struct tx *tx, uint32_t number);
