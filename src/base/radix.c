/* SPDX-License-Identifier: Apache-2.0 */
#include "base/radix.h"

#include <stdbool.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, FEW = 32 };

static bool is_sorted(const struct radix_item *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (items[i - 1].key > items[i].key)
			return false;
	return true;
}

static uint64_t range(const struct radix_item *items, size_t n, uint64_t *ret_lowest)
{
	uint64_t lowest = items[0].key, highest = items[0].key;

	for (size_t i = 1; i < n; i++) {
		lowest = items[i].key < lowest ? items[i].key : lowest;
		highest = items[i].key > highest ? items[i].key : highest;
	}
	*ret_lowest = lowest;
	return highest - lowest;
}

static size_t digit(const struct radix_item *item, uint64_t lowest, unsigned int shift)
{
	return (item->key - lowest) >> shift & (DIGITS - 1);
}

/* By one digit. */
static void distribute(const struct radix_item *from, struct radix_item *to, size_t n,
		       uint64_t lowest, unsigned int shift)
{
	size_t place[DIGITS] = {0}, before = 0;

	for (size_t i = 0; i < n; i++)
		place[digit(&from[i], lowest, shift)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		size_t count = place[d];

		place[d] = before;
		before += count;
	}
	for (size_t i = 0; i < n; i++)
		to[place[digit(&from[i], lowest, shift)]++] = from[i];
}

static void sort_few(struct radix_item *items, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct radix_item item = items[i];
		size_t at = i;

		for (; at && items[at - 1].key > item.key; at--)
			items[at] = items[at - 1];
		items[at] = item;
	}
}

int radix_sort(struct radix_item *items, size_t n)
{
	struct radix_item *from = items, *to;
	_cleanup_free_ struct radix_item *room = NULL;
	uint64_t lowest, span;

	if (is_sorted(items, n))
		return 0;
	if (n <= FEW) {
		sort_few(items, n);
		return 0;
	}
	room = to = reallocarray(NULL, n, sizeof(*room));
	if (!room)
		return -ENOMEM;
	span = range(items, n, &lowest);
	for (unsigned int shift = 0; shift < 64 && span >> shift; shift += DIGIT_BITS) {
		struct radix_item *sorted = to;

		distribute(from, to, n, lowest, shift);
		to = from;
		from = sorted;
	}
	if (from != items)
		memcpy(items, from, n * sizeof(*items));
	return 0;
}
