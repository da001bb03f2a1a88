/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updates: pushes of mappings that have changed to the hosts that hold them (MAP-3).
 *
 * A holder stays on record with what it knows until it has acknowledged the update; only then does
 * an address that was taken from its node have one holder less.  Updates of one turn of the loop go
 * to a host in one frame.  A host that is not connected gets none: it says what it holds when it
 * comes back, and is corrected then.
 *
 * A change that a thousand hosts have to hear is packed once: who is to be told just what the one
 * before was told gets the same bytes.
 *
 * A host that leaves LIMIT_UPDATES_WAITING of them unacknowledged loses its session.
 */
#pragma once

#include "abi/agent.pb-c.h"
#include "base/buf.h"
#include "model/mapping.h"

struct agent;
struct manager;

enum { UPDATES_SHARED = 16 }; /* longer frames are packed for each host */

/* The last frame that was packed.  Good for as long as the model stays as it is. */
struct updates_packed {
	struct mapping of[UPDATES_SHARED]; /* only to be compared: their groups may be gone */
	size_t n;                          /* 0: nothing that may be sent again */
	struct buf bytes;
};

/* Sends 'now' to 'agent', which is on record as a holder, with the next flush. */
void updates_queue(struct manager *manager, struct agent *agent, const struct mapping *now);
/* A peering ended at 'revision', which is durable: hosts that knew one network by it alone are told
 * that the mappings they hold of it are gone. */
void updates_part(struct manager *manager, uint32_t vni, uint32_t other_vni, uint64_t revision);
/* 'now' is durable: tells all who hold it. */
void updates_publish(struct manager *manager, const struct mapping *now);
/* What an agent says in its Hello that it holds: remembers it, corrects what is old. */
void updates_take_held(struct manager *manager, struct agent *agent,
		       const Viaduct__Agent__Hello *hello);
void updates_acknowledge(struct manager *manager, struct agent *agent, uint64_t revision);
void updates_release(struct manager *manager, struct agent *agent,
		     const Viaduct__Agent__Released *released);
void updates_packed_init(struct updates_packed *packed);
void updates_packed_deinit(struct updates_packed *packed);
/* The model may have changed. */
void updates_packed_reset(struct updates_packed *packed);
/* Sends what waits. */
void updates_flush(struct manager *manager, struct agent *agent);
/* Forgets what was on its way, when the session ends. */
void updates_clear(struct agent *agent);
