/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heirs: when a network's way out for IPv6 moves from one edge to another, the other gets to know
 * what the one before knew of it, the IPv6 addresses that this held a mapping of.  So nothing waits
 * for an answer there, and the edge can say outside that they are reached by it now (RFC 4861
 * 7.2.6): who sends to a node that only listens would go on sending to the lost one.
 *
 * It goes as a preload does, by a walk over the network (manager/offer.h), behind the Desired that
 * gives the edge its way out.  The edge is on record as a holder from then on, as one that has
 * asked.
 *
 * Threading: the loop's thread.  Without memory, and when a session ends, what is left is asked for
 * when it is needed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct agent;
struct manager;
struct model;
struct write;

/* A way out that moved. */
struct heritage {
	uint32_t vni;
	uint32_t from, to; /* hosts */
};

/* Whether this is one: of a network that has IPv6. */
bool heritage_of(const struct model *m, const struct write *write, struct heritage *ret);
/* It is durable as of 'revision'. */
void heir_begin(struct manager *manager, const struct heritage *heritage, uint64_t revision);
/* Offers what has room now; to be called when the desired state has been sent. */
void heir_fill(struct manager *manager, struct agent *agent);
/* There may be room again. */
void heir_more(struct manager *manager, struct agent *agent);
/* The session ends. */
void heir_clear(struct agent *agent);
