/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapping service: answers where virtual addresses are (MAP-2), and puts whoever is told on
 * record as a holder (MAP-3).
 *
 * An answer comes straight from the mapping table, without allocation, from the bytes of the
 * questions to those of the answers; the questions of all frames that came together are looked up
 * together, because what costs is waiting for memory.  It never tells what is not
 * durable: questions that touch it wait for the commit, at most LIMIT_RESOLVES_WAITING frames per
 * host; the others go on meanwhile, whatever the disk does.  Refused and unknown look the same to
 * the asker.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stddef.h>

#include "abi/agent.pb-c.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "wire/lookup.h"

struct agent;
struct manager;

struct resolver {
	/* Room for what is looked up at a time: the questions of one frame, or of several. */
	struct lookup_question *questions;
	struct resolver_keys *keys;
	struct lookup_answer *answers;
	struct buf out;
	struct list waiting;
};

must_check int resolver_init(struct resolver *resolver);
void resolver_deinit(struct resolver *resolver);

/* Answers the look-ups among the records that came, up to the first other one, and returns how many
 * bytes they took. */
size_t resolve_records(struct manager *manager, struct agent *agent, const uint8_t *data,
		       size_t size);
/* Answers one that resolve_records() did not take. */
void resolve_answer(struct manager *manager, struct agent *agent,
		    const Viaduct__Agent__Resolve *questions);
/* Forgets questions that wait, when the session ends. */
void resolve_forget(struct manager *manager, struct agent *agent);
