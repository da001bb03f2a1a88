/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Initialisation vectors that never repeat under a key, whatever restarts.
 *
 * Each key counts up by one from a start of its own.  A start is not below any vector that was used
 * before it: before a vector is used, a bound above it is on disk; and the next life starts at that
 * bound, or at the wall clock in nanoseconds if that is more.  So a lost file alone repeats nothing
 * (no host sends a packet each nanosecond, so counters stay behind the clock), nor does a clock
 * that was set back.  Nor do both at once: whose file is lost, or whose kernel has started, has
 * another incarnation (seal/table.h, past_open()), for which there are other keys.
 *
 * The file is locked: two workers never count at once.
 *
 * Threading: any, by its own lock.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/err.h"

enum {
	/* A write to disk for each so many vectors, or nanoseconds: some two minutes. */
	RESERVE_AHEAD_SHIFT = 37,
};

struct reserve {
	pthread_mutex_t mutex;
	char *path;
	int lock;
	uint64_t highest; /* no start is below */
	uint64_t bound;   /* on disk: nothing at or above may be used */
};

/* -EWOULDBLOCK: another worker has it. */
must_check int reserve_open(struct reserve *r, const char *path, uint64_t now_ns);
void reserve_close(struct reserve *r);

/* A start for a key, above all that was used so far. */
must_check int reserve_start(struct reserve *r, uint64_t now_ns, uint64_t *ret);
/* Makes 'until' and what is below usable. */
must_check int reserve_cover(struct reserve *r, uint64_t until);
/* Vectors below 'next' have been used: no later start is there. */
void reserve_used(struct reserve *r, uint64_t next);
