/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of a key's initialisation vectors have been here: a window behind the highest one, as a
 * ring of bits (RFC 6479).  One older than the window counts as seen.  A packet is asked about
 * before it is opened, and noted when its tag was right: only its sender can move the window.
 *
 * It may lie in memory that outlives the process (seal/windows.h): one that ends in the middle of
 * replay_note() leaves a window that takes nothing twice.
 *
 * Threading: one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	/* Two full receive queues of 64 segments each, many times over; with a word more, which is
	 * being cleared. */
	REPLAY_WINDOW = 8192,
	REPLAY_WORDS = 256,
};

struct replay {
	uint64_t highest; /* 0: none yet */
	uint64_t words[REPLAY_WORDS];
};

bool replay_is_new(const struct replay *r, uint64_t iv);
void replay_note(struct replay *r, uint64_t iv);
