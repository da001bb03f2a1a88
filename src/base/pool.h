/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool: records of one size in one block of memory, named by 32-bit numbers and found by a hash
 * of theirs.  A number stays while its record is there; an address only until the pool grows.
 *
 * A record begins with a uint32_t, its *chain*, which is the pool's: the next record in its bucket,
 * or in the list of free ones.
 *
 *	for (n = pool_first(&p, hash); n != POOL_NONE; n = record_at(&p, n)->chain)
 *		if (record_at(&p, n)->key == key)
 *			return n;
 *
 * It doubles when it is full, and does not shrink.  One thread.  Errors: -ENOMEM, and nothing has
 * changed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define POOL_NONE UINT32_MAX

struct pool {
	char *records;
	size_t size;    /* of a record */
	uint32_t n;     /* in use */
	uint32_t fresh; /* records from here on were never used */
	uint32_t allocated;
	uint32_t free; /* first of the free ones */
	uint32_t n_buckets;
	uint32_t *buckets;
	uint64_t (*hash)(const void *record);
};

void pool_init(struct pool *p, size_t size, uint64_t (*hash)(const void *record));
void pool_deinit(struct pool *p);

static inline void *pool_at(const struct pool *p, uint32_t n)
{
	return p->records + n * p->size;
}

/* Which has to have been reserved. */
static inline uint32_t *pool_bucket(const struct pool *p, uint64_t hash)
{
	return &p->buckets[hash & (p->n_buckets - 1)];
}

/* The first record of the bucket, or POOL_NONE. */
static inline uint32_t pool_first(const struct pool *p, uint64_t hash)
{
	return p->buckets ? *pool_bucket(p, hash) : POOL_NONE;
}

/* So that taking one cannot fail. */
must_check int pool_reserve(struct pool *p);
/* A record that the caller fills in and links, before anything else is asked of the pool. */
uint32_t pool_take(struct pool *p);
/* From now on it is found by 'hash', which is its own. */
void pool_link(struct pool *p, uint32_t n, uint64_t hash);
/* Its number is free. */
void pool_give(struct pool *p, uint32_t n);
size_t pool_memory(const struct pool *p);
