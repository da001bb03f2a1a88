/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether one thread does both ways, sealing and opening, or each way has a thread of its own.
 *
 * A stream has its acknowledgements the other way: few packets, each of which wakes a thread up
 * that had gone to sleep after the one before.  The thread that is awake anyway does them for less,
 * so one does both as long as it has rest, or the lighter way next to nothing; two when one does
 * not keep up with ways that are both busy.  What that saves is in bench/RESULTS.md.
 *
 * Looked at once a window, from what was done in it.  Pure functions; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	DUTY_WINDOW_NS = 4000000,
	DUTY_REST_MIN = 4,     /* of a window: one thread that rests for less has enough to do */
	DUTY_LIGHT_DIVIDE = 8, /* two from this part of all packets in the lighter way on, */
	DUTY_LIGHT_JOIN = 16,  /* one again below this */
};

/* What was done since the beginning. */
struct duty_counts {
	uint64_t sealed, opened; /* packets as they are on the wire */
	uint64_t rested;         /* ns for which threads on duty waited, all together */
};

struct duty {
	bool divided; /* two threads */
	uint64_t begun;
	struct duty_counts counts; /* when the window began */
};

/* One thread. */
void duty_init(struct duty *d, uint64_t now_ns, const struct duty_counts *counts);
/* Begins a window, with 'divided' as it is. */
void duty_begin(struct duty *d, uint64_t now_ns, const struct duty_counts *counts);
/* At the end of a window 'divided' becomes what the next one should be, which begins: true when it
 * has changed. */
bool duty_update(struct duty *d, uint64_t now_ns, const struct duty_counts *counts);
