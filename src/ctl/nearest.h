/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a mistyped word may have been: of the words offered, the first of those that fewest changes
 * of a letter (another, one more, one less, two exchanged) make of it, if a third of the letters at
 * most is changed.
 */
#pragma once

#include <stddef.h>

struct nearest {
	const char *word;
	size_t length;
	const char *best; /* borrowed from who offered it; NULL: none is near */
	size_t distance;  /* of 'best', or one more than any may have */
};

/* 'word' is not terminated, and lives as long as the result is used. */
struct nearest nearest_to(const char *word, size_t length);
void nearest_offer(struct nearest *n, const char *word);
