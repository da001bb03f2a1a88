/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time, passed in: whoever needs it takes a 'struct clock *', so that a test decides what time it
 * is.
 *
 * A real clock reads CLOCK_MONOTONIC and CLOCK_REALTIME.  A manual clock stands still until it is
 * advanced; loop_advance() (base/loop.h) advances it and fires the timers on the way in order.
 *
 * Embedded by the program or test, borrowed by everyone else.  A real clock may be read from any
 * thread; a manual one belongs to the thread that advances it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_NS_PER_S  UINT64_C(1000000000)
#define CLOCK_NS_PER_MS UINT64_C(1000000)

struct clock {
	bool manual;
	uint64_t mono_ns; /* of a manual clock */
	uint64_t wall_ms; /* of a manual clock, at mono_ns */
};

void clock_init_real(struct clock *c);
void clock_init_manual(struct clock *c, uint64_t mono_ns, uint64_t wall_ms);

uint64_t clock_mono_ns(const struct clock *c); /* never goes back; no relation to the date */
uint64_t clock_wall_ms(const struct clock *c); /* Unix time in milliseconds; may jump */

/* "2026-11-22", in UTC: a time of clock_wall_ms(), for people. */
enum { CLOCK_DATE_SIZE = 24 };
const char *clock_date_text(uint64_t wall_ms, char buf[static CLOCK_DATE_SIZE]);

/* Moves a manual clock forward, both times alike.  Fires nothing: see loop_advance(). */
void clock_advance(struct clock *c, uint64_t ns);
