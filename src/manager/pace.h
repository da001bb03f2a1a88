/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often hosts are told of steps of choices that change (model/pair_shift.h).
 *
 * Where a policy changes what all pairs use, each acknowledgement of one host is a step for all
 * others: told at once, they would be as many messages as there are directions of pairs, and as
 * many acknowledgements.  So a host for which there is nothing else waits until some time after
 * what it was told last, and hears of many steps in one message; and so does one that is only to
 * confirm what it has.  A step that comes late costs nothing: until then both ends go on as they
 * do. With few hosts nobody waits.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stdbool.h>

#include "base/list.h"
#include "base/loop.h"

struct agent;
struct manager;

struct pace {
	struct list waiting; /* agents, by their in_dirty */
	struct timer timer;
};

void pace_init(struct pace *pace, struct manager *manager);
void pace_deinit(struct pace *pace);

/* Whether what is to be said to the agent can wait; it is then marked again when it is time. */
bool pace_hold(struct manager *manager, struct agent *agent);
/* It was told something. */
void pace_told(struct manager *manager, struct agent *agent);
