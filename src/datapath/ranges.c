/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/ranges.h"

#include <string.h>

void ranges_deinit(struct ranges *r)
{
	free(r->rows);
	*r = (struct ranges){};
}

/* The first range that ends at or behind 'number'. */
static size_t find(const struct ranges *r, uint32_t number)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (r->rows[middle].to < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int grow(struct ranges *r)
{
	size_t capacity = r->capacity ? 2 * r->capacity : 4;
	struct dp_range *rows;

	if (r->n < r->capacity)
		return 0;
	rows = reallocarray(r->rows, capacity, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	r->rows = rows;
	r->capacity = capacity;
	return 0;
}

int ranges_add(struct ranges *r, uint32_t from, uint32_t to)
{
	/* Those that touch the new one, from 'first' up to 'last', become one with it. */
	size_t first = find(r, from ? from - 1 : 0), last = first;
	int err;

	while (last < r->n && (to == UINT32_MAX || r->rows[last].from <= to + 1))
		last++;
	if (first == last) {
		err = grow(r);
		if (err)
			return err;
		memmove(&r->rows[first + 1], &r->rows[first], (r->n - first) * sizeof(r->rows[0]));
		r->rows[first] = (struct dp_range){from, to};
		r->n++;
		return 0;
	}
	if (r->rows[first].from > from)
		r->rows[first].from = from;
	if (r->rows[last - 1].to > to)
		to = r->rows[last - 1].to;
	r->rows[first].to = to;
	memmove(&r->rows[first + 1], &r->rows[last], (r->n - last) * sizeof(r->rows[0]));
	r->n -= last - first - 1;
	return 0;
}

int ranges_add_except(struct ranges *r, uint32_t from, uint32_t to, const struct ranges *but)
{
	for (size_t i = find(but, from); i < but->n && but->rows[i].from <= to; i++) {
		if (but->rows[i].from > from) {
			int err = ranges_add(r, from, but->rows[i].from - 1);

			if (err)
				return err;
		}
		if (but->rows[i].to >= to)
			return 0;
		from = but->rows[i].to + 1;
	}
	return ranges_add(r, from, to);
}

bool ranges_have(const struct ranges *r, uint32_t number)
{
	size_t i = find(r, number);

	return i < r->n && r->rows[i].from <= number;
}
