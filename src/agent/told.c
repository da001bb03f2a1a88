/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/told.h"

#include <stdlib.h>

#include "base/limits.h"

enum { TOLD_CAPACITY_MIN = 1024 };

void told_deinit(struct told *t)
{
	free(t->slots);
	*t = (struct told){0};
}

/* Its slot, or the free one where it belongs. */
static uint64_t *told_slot(const struct told *t, uint64_t hash)
{
	size_t i = hash & (t->capacity - 1);

	while (t->slots[i] && t->slots[i] != hash)
		i = (i + 1) & (t->capacity - 1);
	return &t->slots[i];
}

static bool told_grow(struct told *t)
{
	struct told grown = {.n = t->n,
			     .capacity = t->capacity ? 2 * t->capacity : TOLD_CAPACITY_MIN};

	if (grown.capacity > LIMIT_AGENT_TOLD)
		return false;
	grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
	if (!grown.slots)
		return false;
	for (size_t i = 0; i < t->capacity; i++)
		if (t->slots[i])
			*told_slot(&grown, t->slots[i]) = t->slots[i];
	free(t->slots);
	*t = grown;
	return true;
}

bool told_before(struct told *t, uint64_t hash)
{
	uint64_t *slot;

	hash += !hash;
	/* as long as one is free, each search ends */
	if (2 * (t->n + 1) > t->capacity && !told_grow(t) && t->n + 1 >= t->capacity)
		return false;
	slot = told_slot(t, hash);
	if (*slot)
		return true;
	*slot = hash;
	t->n++;
	return false;
}
