/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the store: objects named by a number, and the state that a store holds as a
 * plain table, to compare with.  Object n has value v > 0, or 0: it is not there.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "store/store.h"

enum { STATE_MAX = 4096 };

struct state {
	uint32_t values[STATE_MAX];
	uint64_t n_writes;
};

static inline void state_put(struct store_batch *b, uint64_t revision, uint32_t n, uint32_t value)
{
	char id[16];
	char text[64];
	int id_size = snprintf(id, sizeof(id), "%u", n);
	int size = snprintf(text, sizeof(text), "%u %050u", value, value);

	if (value)
		store_batch_put(b, revision, (uint8_t)(1 + n % 3), id, (size_t)id_size, text,
				(size_t)size);
	else
		store_batch_delete(b, revision, (uint8_t)(1 + n % 3), id, (size_t)id_size);
}

static inline int state_apply(const struct store_write *w, void *data)
{
	struct state *s = data;
	char id[16] = "", text[64] = "";
	unsigned int n, value = 0;

	if (w->id_size >= sizeof(id) || w->value_size >= sizeof(text))
		return -EINVAL;
	memcpy(id, w->id, w->id_size);
	if (sscanf(id, "%u", &n) != 1 || n >= STATE_MAX || w->kind != 1 + n % 3)
		return -EINVAL;
	if (w->value) {
		memcpy(text, w->value, w->value_size);
		if (sscanf(text, "%u", &value) != 1)
			return -EINVAL;
	}
	s->values[n] = value;
	s->n_writes++;
	return 0;
}

/* Commits one batch with one write. */
static inline int state_commit(struct store *s, uint64_t revision, uint32_t n, uint32_t value)
{
	struct store_batch b;
	const struct store_batch *batches[] = {&b};
	int r;

	store_batch_init(&b);
	state_put(&b, revision, n, value);
	r = store_commit(s, batches, 1);
	store_batch_deinit(&b);
	return r;
}

/* Whether what 's' loads is 'expected'. */
static inline int state_loads(struct store *s, const struct state *expected)
{
	static struct state loaded;
	int r;

	memset(&loaded, 0, sizeof(loaded));
	r = store_load(s, state_apply, &loaded);
	if (r)
		return r;
	return memcmp(loaded.values, expected->values, sizeof(loaded.values)) ? -EUCLEAN : 0;
}
