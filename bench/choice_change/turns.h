/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long turns of the manager's loop are, as processor time, and what they are spent for: the
 * linker leads the calls of what may be much (turns.c) through here.
 *
 * Threading: one loop, on one thread.
 */
#pragma once

enum part {
	PART_REST, /* frames read, timers, look-ups, and the loop itself */
	PART_INTAKE,
	PART_SETTLE, /* choices whose grace time is over */
	PART_REPORT, /* on its way to pairs */
	PART_PASS,
	PART_NOTE,    /* what a change means for hosts */
	PART_STORE,   /* a change is encoded */
	PART_DURABLE, /* what was noted goes to the outboxes */
	PART_TELL,    /* hosts are sent what is in theirs */
	PART_TICK,
	PARTS,
};

struct turns {
	double longest, over_10ms; /* seconds */
	double parts[PARTS];       /* of the longest one */
	double all[PARTS];         /* of all of them */
};

/* Around a turn. */
void turns_begin(void);
void turns_end(struct turns *turns);
/* As a field of JSON, "NAME": {...}. */
void turns_print(const char *name, const struct turns *turns);
