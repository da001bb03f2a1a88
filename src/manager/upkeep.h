/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upkeep: the changes of the model that nobody asks for in a call: what agents have reported
 * (intake.h), choices that settle, policies on their way to the pairs of a large cluster, and what
 * is over by time.
 *
 * What may be a lot goes in stretches that a limit bounds (LIMIT_INTAKE_TURN_STEPS and others), and
 * in a turn of the loop there is one stretch of one kind of it, by turns, so that whoever asks
 * something meanwhile waits for no more than that.  A stretch of a pass, or of choices that settle,
 * begins when the one before is durable.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

struct manager;

/* Work that goes in stretches, beside the intake's. */
enum upkeep_work {
	UPKEEP_SHIFTS, /* choices that settle */
	UPKEEP_HOSTS,  /* what hosts have reported, on its way to their pairs */
	UPKEEP_PASS,   /* policies on their way: model/choice_pass.h */
	UPKEEP_WORKS,
};

struct upkeep {
	struct deferred turn;
	size_t next; /* the work whose turn it is */
	/* revision of the last stretch of each; 0: none yet */
	uint64_t taken[UPKEEP_WORKS];
	uint32_t shifts_from; /* host to go on with; 0: all of them were taken up */
	bool shifts_due;      /* some are to be taken up */
};

void upkeep_init(struct upkeep *upkeep, struct manager *manager);
void upkeep_deinit(struct upkeep *upkeep);

/* Something is to be done: a stretch of it at the end of this turn of the loop, the next ones in
 * those after it. */
void upkeep_schedule(struct manager *manager);
/* A change has become durable. */
void upkeep_durable(struct manager *manager);
/* Changes were undone: what they did is to be done again. */
void upkeep_undone(struct manager *manager);
/* Retries, and what time has brought. */
void upkeep_tick(struct manager *manager);
