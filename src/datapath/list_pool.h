/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of ranges in one array that others read: equal lists are one, and a list does not move.
 *
 * Concept.  A list occupies a block of the next power of two; blocks that are free again are kept
 * by size.  An array of a known size, so -ENOSPC is an answer.
 *
 * Ownership: the rows are the caller's and outlive the pool.  One thread.  Who frees a list knows
 * that no reader looks at it any more.
 */
#pragma once

#include "base/hmap.h"
#include "datapath/ranges.h"

enum { LIST_POOL_CLASSES = 13 }; /* 1 to DP_RANGES_PER_LIST */

struct list_pool {
	struct dp_range *rows;
	uint32_t size, end; /* rows, and those that have ever been used */
	struct hmap lists;
	struct list_pool_free {
		uint32_t *starts;
		size_t n, capacity;
	} free[LIST_POOL_CLASSES];
};

void list_pool_init(struct list_pool *pool, struct dp_range *rows, uint32_t size);
void list_pool_deinit(struct list_pool *pool);

/* A list with this content, each time to be put back once.  -ENOSPC, also for a list that is too
 * long; -ENOMEM. */
must_check int list_pool_get(struct list_pool *pool, const struct ranges *content,
			     struct dp_list *ret);
void list_pool_put(struct list_pool *pool, struct dp_list list);

/* For rows that were written before this pool was made: first each list, as often as it is in use,
 * then the end, after which what lies between is free. -EINVAL: the lists contradict each other. */
must_check int list_pool_adopt(struct list_pool *pool, struct dp_list list);
must_check int list_pool_adopted(struct list_pool *pool);
