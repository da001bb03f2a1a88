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

#include <stdint.h>

struct manager;

/* One stretch, if there is one; the next is then scheduled (manager->upkeep). */
void upkeep_turn(struct manager *manager);
void upkeep_durable(struct manager *manager, uint64_t revision);
/* Changes were undone: what they did is to be done again. */
void upkeep_undone(struct manager *manager);
/* Retries, and what time has brought. */
void upkeep_tick(struct manager *manager);
