/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/replay.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

static_assert(REPLAY_WORDS * 64 >= REPLAY_WINDOW + 64, "a word is free to be cleared");
static_assert(!(REPLAY_WORDS & (REPLAY_WORDS - 1)), "the ring is indexed by a mask");

static uint64_t *replay_word(struct replay *r, uint64_t iv)
{
	return &r->words[iv / 64 & (REPLAY_WORDS - 1)];
}

bool replay_is_new(const struct replay *r, uint64_t iv)
{
	if (iv > r->highest)
		return true;
	if (r->highest - iv >= REPLAY_WINDOW)
		return false;
	return !(r->words[iv / 64 & (REPLAY_WORDS - 1)] >> (iv & 63) & 1);
}

void replay_note(struct replay *r, uint64_t iv)
{
	if (iv > r->highest) {
		uint64_t from = r->highest / 64, to = iv / 64;

		/* first: until the words are cleared, what is new counts as seen */
		r->highest = iv;
		atomic_signal_fence(memory_order_seq_cst);
		if (to - from >= REPLAY_WORDS)
			memset(r->words, 0, sizeof(r->words));
		else
			for (uint64_t w = from + 1; w <= to; w++)
				r->words[w & (REPLAY_WORDS - 1)] = 0;
	}
	*replay_word(r, iv) |= 1ULL << (iv & 63);
}
