/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which key seals what one host sends to another (docs/negotiation.md, "Sealing").
 *
 * A key is for two *incarnations* of hosts: an incarnation is what a host knows of the vectors that
 * it has used and taken, under a name that is made with it and lost with it.  So a host that has lost
 * that is never given a key under which it could use or take a vector for the second time.
 *
 * Pure values.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pair_key {
	uint32_t epoch;            /* of this direction, one for each key; 0: nothing is sealed */
	uint64_t sender, receiver; /* incarnations; 0: of a host that says none */
};

static inline bool pair_key_equal(const struct pair_key *a, const struct pair_key *b)
{
	return a->epoch == b->epoch && a->sender == b->sender && a->receiver == b->receiver;
}

/* The incarnation that a key is for is not over, if 'now' is what the host says now. */
static inline bool pair_key_lives(uint64_t incarnation, uint64_t now)
{
	return !incarnation || incarnation == now;
}
