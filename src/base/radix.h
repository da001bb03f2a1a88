/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting many pointers by numbers that lie near each other, such as serials: by digits, from the
 * lowest, in a time that grows with their number and the length of their range in bits.
 *
 * Equal numbers keep their order.  One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct radix_item {
	uint64_t key;
	void *value;
};

/* Ascending.  -ENOMEM (room for 'n' more is needed meanwhile), and nothing has moved. */
must_check int radix_sort(struct radix_item *items, size_t n);
