/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

enum { POOL_MIN = 64 };

void pool_init(struct pool *p, size_t size, uint64_t (*hash)(const void *record))
{
	*p = (struct pool){.size = size, .free = POOL_NONE, .hash = hash};
}

void pool_deinit(struct pool *p)
{
	free(p->records);
	free(p->buckets);
}

static uint32_t *chain_at(const struct pool *p, uint32_t n)
{
	return pool_at(p, n);
}

static int grow(struct pool *p)
{
	uint32_t more = p->allocated ? p->allocated * 2 : POOL_MIN;
	uint32_t *buckets;
	char *records;

	if (more < p->allocated)
		return -ENOMEM;
	records = reallocarray(p->records, more, p->size);
	if (!records)
		return -ENOMEM;
	p->records = records;
	buckets = malloc(more * sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	memset(buckets, 0xff, more * sizeof(*buckets));
	free(p->buckets);
	p->buckets = buckets;
	p->n_buckets = more;
	p->allocated = more;
	/* grown only when full: every record is in use */
	for (uint32_t n = 0; n < p->fresh; n++)
		pool_link(p, n, p->hash(pool_at(p, n)));
	return 0;
}

int pool_reserve(struct pool *p)
{
	return p->n < p->allocated ? 0 : grow(p);
}

uint32_t pool_take(struct pool *p)
{
	uint32_t n = p->free;

	p->n++;
	if (n == POOL_NONE)
		return p->fresh++;
	p->free = *chain_at(p, n);
	return n;
}

void pool_link(struct pool *p, uint32_t n, uint64_t hash)
{
	uint32_t *bucket = pool_bucket(p, hash);

	*chain_at(p, n) = *bucket;
	*bucket = n;
}

void pool_give(struct pool *p, uint32_t n)
{
	uint32_t *at = pool_bucket(p, p->hash(pool_at(p, n)));

	while (*at != n)
		at = chain_at(p, *at);
	*at = *chain_at(p, n);
	*chain_at(p, n) = p->free;
	p->free = n;
	p->n--;
}

size_t pool_memory(const struct pool *p)
{
	return p->allocated * (p->size + sizeof(*p->buckets));
}
