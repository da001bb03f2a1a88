/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/list_pool.h"

#include <string.h>

#include "base/hash.h"

static_assert(1 << (LIST_POOL_CLASSES - 1) == DP_RANGES_PER_LIST, "a class for every size");

struct pool_list {
	struct hmap_node node; /* by content */
	struct dp_list list;
	uint32_t refs;
};

void list_pool_init(struct list_pool *pool, struct dp_range *rows, uint32_t size)
{
	*pool = (struct list_pool){.rows = rows, .size = size};
}

void list_pool_deinit(struct list_pool *pool)
{
	struct pool_list *l;

	hmap_for_each (l, &pool->lists, node)
		free(l);
	hmap_deinit(&pool->lists);
	for (size_t i = 0; i < LIST_POOL_CLASSES; i++)
		free(pool->free[i].starts);
	*pool = (struct list_pool){};
}

static unsigned int class_of(uint32_t n)
{
	unsigned int class = 0;

	while (1U << class < n)
		class ++;
	return class;
}

static int block_free(struct list_pool *pool, unsigned int class, uint32_t start)
{
	struct list_pool_free *f = &pool->free[class];

	if (f->n == f->capacity) {
		size_t capacity = f->capacity ? 2 * f->capacity : 16;
		uint32_t *starts = reallocarray(f->starts, capacity, sizeof(*starts));

		if (!starts)
			return -ENOMEM;
		f->starts = starts;
		f->capacity = capacity;
	}
	f->starts[f->n++] = start;
	return 0;
}

/* A block of the class, or half of a larger one. */
static int block_take(struct list_pool *pool, unsigned int class, uint32_t *ret)
{
	uint32_t start;
	int r;

	if (class >= LIST_POOL_CLASSES)
		return -ENOSPC;
	if (pool->free[class].n) {
		*ret = pool->free[class].starts[--pool->free[class].n];
		return 0;
	}
	if (pool->size - pool->end >= 1U << class) {
		*ret = pool->end;
		pool->end += 1U << class;
		return 0;
	}
	r = block_take(pool, class + 1, &start);
	if (r)
		return r;
	*ret = start;
	/* Without memory for the note, half of a block is lost until the pool is made again. */
	(void)block_free(pool, class, start + (1U << class));
	return 0;
}

static uint64_t content_hash(const struct dp_range *rows, size_t n)
{
	return hash_bytes(rows, n * sizeof(*rows));
}

static struct pool_list *find(const struct list_pool *pool, const struct dp_range *rows, size_t n)
{
	struct pool_list *l;

	hmap_for_each_at (l, &pool->lists, content_hash(rows, n), node)
		if (l->list.n == n && !memcmp(pool->rows + l->list.first, rows, n * sizeof(*rows)))
			return l;
	return NULL;
}

static int add(struct list_pool *pool, struct dp_list list)
{
	struct pool_list *l = malloc(sizeof(*l));

	if (!l)
		return -ENOMEM;
	*l = (struct pool_list){.list = list, .refs = 1};
	hmap_insert(&pool->lists, &l->node, content_hash(pool->rows + list.first, list.n));
	return 0;
}

int list_pool_get(struct list_pool *pool, const struct ranges *content, struct dp_list *ret)
{
	struct dp_list list = {.n = (uint32_t)content->n};
	struct pool_list *l;
	int r;

	if (!content->n) {
		*ret = list;
		return 0;
	}
	if (content->n > DP_RANGES_PER_LIST)
		return -ENOSPC;
	l = find(pool, content->rows, content->n);
	if (l) {
		l->refs++;
		*ret = l->list;
		return 0;
	}
	r = block_take(pool, class_of(list.n), &list.first);
	if (r)
		return r;
	memcpy(pool->rows + list.first, content->rows, content->n * sizeof(content->rows[0]));
	r = add(pool, list);
	if (r) {
		(void)block_free(pool, class_of(list.n), list.first);
		return r;
	}
	*ret = list;
	return 0;
}

void list_pool_put(struct list_pool *pool, struct dp_list list)
{
	struct pool_list *l = list.n ? find(pool, pool->rows + list.first, list.n) : NULL;

	if (!l || --l->refs)
		return;
	hmap_remove(&pool->lists, &l->node);
	(void)block_free(pool, class_of(list.n), list.first);
	free(l);
}

/* ---- adopting ---- */

int list_pool_adopt(struct list_pool *pool, struct dp_list list)
{
	struct pool_list *l;

	if (!list.n)
		return 0;
	if (list.n > DP_RANGES_PER_LIST || list.first > pool->size ||
	    pool->size - list.first < 1U << class_of(list.n))
		return -EINVAL;
	l = find(pool, pool->rows + list.first, list.n);
	if (!l)
		return add(pool, list);
	if (l->list.first != list.first)
		return -EINVAL;
	l->refs++;
	return 0;
}

static int compare_lists(const void *x, const void *y)
{
	const struct dp_list *a = x, *b = y;

	return a->first < b->first ? -1 : a->first > b->first;
}

/* What lies between two lists, in the largest blocks that it has. */
static int gap_free(struct list_pool *pool, uint32_t from, uint32_t to)
{
	int r = 0;

	while (!r && from < to) {
		unsigned int class = LIST_POOL_CLASSES - 1;

		while (1U << class > to - from)
			class --;
		r = block_free(pool, class, from);
		from += 1U << class;
	}
	return r;
}

int list_pool_adopted(struct list_pool *pool)
{
	_cleanup_free_ struct dp_list *all = calloc(hmap_count(&pool->lists) + 1, sizeof(*all));
	struct pool_list *l;
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	hmap_for_each (l, &pool->lists, node)
		all[n++] = l->list;
	qsort(all, n, sizeof(*all), compare_lists);
	for (size_t i = 0; i < n; i++) {
		int r;

		if (all[i].first < pool->end)
			return -EINVAL;
		r = gap_free(pool, pool->end, all[i].first);
		if (r)
			return r;
		pool->end = all[i].first + (1U << class_of(all[i].n));
	}
	return 0;
}
