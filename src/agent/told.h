/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of what was told already, by hashes of 64 bits (base/hash.h): two things that share one are
 * taken for the same, which of a million happens to a pair in one of 10^7 sets.
 *
 * What finds no room, or no memory, is not remembered, and so told again.  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct told {
	uint64_t *slots; /* 0: free */
	size_t n, capacity;
};

void told_deinit(struct told *t);
/* Whether it is there, and puts it there. */
bool told_before(struct told *t, uint64_t hash);
