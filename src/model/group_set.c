/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of security groups.  See group_set.h.
 */
#include "model/group_set.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "model/interface.h"
#include "model/table.h"

/* In ascending order, each once; 'ret' has room for the interface's. */
static uint32_t sort_numbers(const struct interface *i, uint32_t *ret)
{
	uint32_t n = 0;

	for (size_t k = 0; k < i->n_groups; k++) {
		uint32_t number = i->groups[k].number, at = n;

		while (at && ret[at - 1] > number)
			at--;
		if (at && ret[at - 1] == number)
			continue;
		memmove(&ret[at + 1], &ret[at], (n - at) * sizeof(*ret));
		ret[at] = number;
		n++;
	}
	return n;
}

static struct group_set *find(const struct model *m, uint64_t hash, const uint32_t *numbers,
			      uint32_t n)
{
	struct group_set *s;

	hmap_for_each_at (s, &m->group_sets, hash, node)
		if (s->n == n && !memcmp(s->numbers, numbers, n * sizeof(*numbers)))
			return s;
	return NULL;
}

static int prepare(struct model *m, const uint32_t *numbers, uint32_t n, struct group_set **ret)
{
	uint64_t hash = hash_bytes(numbers, n * sizeof(*numbers));
	struct group_set *s = n ? find(m, hash, numbers, n) : NULL;

	*ret = NULL;
	if (!n)
		return 0;
	if (!s) {
		s = calloc(1, sizeof(*s) + n * sizeof(*numbers));
		if (!s)
			return -ENOMEM;
		s->n = n;
		memcpy(s->numbers, numbers, n * sizeof(*numbers));
		list_init(&s->idle);
		list_push_back(&m->idle_group_sets, &s->idle);
		hmap_insert(&m->group_sets, &s->node, hash);
	}
	*ret = s;
	return 0;
}

int group_set_prepare(struct model *m, const struct interface *i, struct group_set **ret)
{
	uint32_t numbers[LIMIT_MODEL_INTERFACE_GROUPS];

	return prepare(m, numbers, sort_numbers(i, numbers), ret);
}

int group_set_prepare_hosts(struct model *m, const struct interface *i, struct group_set **ret)
{
	uint32_t numbers[LIMIT_MODEL_ATTACHMENTS];

	return prepare(m, numbers, i->shared ? (uint32_t)interface_hosts(i, numbers) : 0, ret);
}

/* Sets belong to the model: whoever reads them has them const. */
static struct group_set *own(const struct group_set *s)
{
	return (struct group_set *)(uintptr_t)s;
}

void group_set_hold(struct model *m, const struct group_set *s)
{
	(void)m;
	if (s && !own(s)->refs++)
		list_remove(&own(s)->idle);
}

void group_set_release(struct model *m, const struct group_set *s)
{
	if (s && !--own(s)->refs)
		list_push_back(&m->idle_group_sets, &own(s)->idle);
}

size_t group_set_count(const struct model *m)
{
	return hmap_count(&m->group_sets);
}

void group_set_reclaim(struct model *m)
{
	struct group_set *s;

	list_for_each (s, &m->idle_group_sets, idle) {
		list_remove(&s->idle);
		hmap_remove(&m->group_sets, &s->node);
		free(s);
	}
}

void group_set_deinit(struct model *m)
{
	struct group_set *s;

	hmap_for_each (s, &m->group_sets, node)
		free(s);
	hmap_deinit(&m->group_sets);
}
