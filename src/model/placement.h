/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement (NEG-10): which host gets a new node.
 *
 * Candidates are connected, capable of a wire format, in the zone.  Among them the one with the fewest
 * instances; among those the one in whose rack the account has the fewest; then the lowest number.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "model/refusal.h"

struct model;
struct host;

struct placement_args {
	uint64_t account;
	const char *zone;
	const char *what; /* for the message: "a t2.micro" */
	uint32_t prefer;  /* number of a host that is taken if it is a candidate; 0: none */
	size_t ports;     /* that it needs: its interfaces */
	/* Shared interfaces that it will have: not to hosts that carry one for another instance. */
	uint64_t instance; /* itself; 0: it is new */
	const uint64_t *shared;
	size_t n_shared;
};

/* NO_CAPACITY, naming why each kind of host was passed over; -ENOMEM. */
must_check int placement_choose(const struct model *m, const struct placement_args *args,
				const struct host **ret, struct refusal *reterr);
