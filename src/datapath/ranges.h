/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of 32-bit numbers as sorted, disjoint, non-adjacent ranges, both ends included.
 *
 * Ownership: the caller's; ranges_deinit() frees it.  A zeroed one is empty.  One thread.
 * Errors: -ENOMEM, and then nothing has changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/maps.h"
#include "base/err.h"

struct ranges {
	struct dp_range *rows;
	size_t n, capacity;
};

void ranges_deinit(struct ranges *r);
static inline void ranges_deinit_cleanup(struct ranges *r)
{
	ranges_deinit(r);
}

/* 'from' <= 'to'. */
must_check int ranges_add(struct ranges *r, uint32_t from, uint32_t to);
/* Adds what of 'from' to 'to' is not in 'but'. */
must_check int ranges_add_except(struct ranges *r, uint32_t from, uint32_t to,
				 const struct ranges *but);
bool ranges_have(const struct ranges *r, uint32_t number);
