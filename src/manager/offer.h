/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mappings that are offered to an agent which has not asked for them, by a walk over their network:
 * preloads (manager/preload.h), and what an heir gets (manager/heir.h).
 *
 * The walk goes on by a stretch of LIMIT_PRELOAD_TURN in a turn of the loop, and while fewer than
 * LIMIT_PRELOAD_WINDOW mappings are ahead of the agent's acknowledgements.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct agent;
struct manager;
struct mapping;
struct preload_walk;

/* The agent has been sent the desired state that says why: it would take nothing before. */
bool offer_may_begin(const struct agent *agent);

enum offer_state {
	OFFER_GOES_ON, /* later, when there is room */
	OFFER_DONE,    /* the walk is at its end */
	OFFER_FAILED,  /* by 'offer' */
};

/* Has 'offer' deal with each of the next mappings that are durable, until it says other than 0; the
 * others are told when they are. */
must_check enum offer_state offer_stretch(struct manager *manager, struct agent *agent,
					  struct preload_walk *walk,
					  int (*offer)(struct manager *manager, struct agent *agent,
						       const struct mapping *mapping, void *data),
					  void *data);
/* There is room for more of it, or for the next one. */
void offer_go_on(struct manager *manager, struct agent *agent);
