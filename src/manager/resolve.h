/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapping service: answers where virtual addresses are (MAP-2), and puts whoever is told on
 * record as a holder (MAP-3).
 *
 * An answer comes straight from the mapping table, without allocation.  It never tells what is not
 * durable: questions that touch it wait for the commit, at most LIMIT_RESOLVES_WAITING frames per
 * host; the others go on meanwhile, whatever the disk does.  Refused and unknown look the same to
 * the asker.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stddef.h>

#include "abi/agent.pb-c.h"
#include "base/err.h"
#include "base/list.h"

struct agent;
struct manager;

struct resolver {
	/* Room for the answers of one frame. */
	Viaduct__Agent__Answer *answers;
	Viaduct__Agent__Answer **pointers;
	Viaduct__Agent__Mapping *mappings;
	struct list waiting;
};

must_check int resolver_init(struct resolver *resolver);
void resolver_deinit(struct resolver *resolver);

void resolve_answer(struct manager *manager, struct agent *agent,
		    const Viaduct__Agent__Resolve *questions);
/* Forgets questions that wait, when the session ends. */
void resolve_forget(struct manager *manager, struct agent *agent);
