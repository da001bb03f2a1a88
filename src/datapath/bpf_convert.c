/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/bpf_convert.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "datapath/bpf_connection.h"

enum {
	BATCH_BYTES = 1 << 20,
	BATCH_LEAST = 512, /* a bucket of a hash has to fit */
};

/* What is particular about some tables, whatever their layout. */
static const struct habit {
	const char *table;
	bool locked; /* its values have a lock, under which they are read and written */
	/* Between two runs, all in the new layout: what the old programs have made of 'before',
	 * 'now', goes into 'current', which the new programs may have changed. */
	void (*merge)(const void *before, const void *now, void *current);
} habits[] = {
	{"connections", true, bpf_connection_merge},
};

/* ---- shapes ---- */

struct shape {
	uint32_t type, key_size, n_entries;
	size_t value_size; /* of one processor */
	size_t n_values;   /* processors of a per-CPU table, else 1 */
	size_t size;       /* of all */
};

/* Where the next thing lies aligned: conversions see entries as structs. */
static size_t padded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static int shape_of(int fd, struct shape *ret)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 0)
		return cpus;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*ret = (struct shape){.type = info.type,
			      .key_size = info.key_size,
			      .n_entries = info.max_entries,
			      .value_size = info.value_size,
			      .n_values = 1};
	if (info.type == BPF_MAP_TYPE_PERCPU_ARRAY) {
		ret->value_size = padded(info.value_size);
		ret->n_values = (size_t)cpus;
	}
	ret->size = ret->value_size * ret->n_values;
	return 0;
}

static bool is_array(const struct shape *s)
{
	return s->type == BPF_MAP_TYPE_ARRAY || s->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* ---- reading a table ---- */

typedef int (*visit_fn)(const uint8_t *key, const uint8_t *value, void *arg);

/* Tries have no batches, and no program writes them. */
static int walk_trie(int fd, const struct shape *s, uint8_t *buffer, visit_fn fn, void *arg)
{
	uint8_t *key = buffer, *next = key + padded(s->key_size);
	uint8_t *value = next + padded(s->key_size);
	int r = 0;

	for (void *at = NULL; !r && !bpf_map_get_next_key(fd, at, next); at = key) {
		memcpy(key, next, s->key_size);
		if (!bpf_map_lookup_elem(fd, key, value))
			r = fn(key, value, arg);
	}
	return r;
}

static int walk_batches(int fd, const struct shape *s, bool locked, uint8_t *buffer, uint32_t batch,
			visit_fn fn, void *arg)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = locked ? BPF_F_LOCK : 0);
	uint8_t *at = buffer, *keys = at + padded(s->key_size + sizeof(uint32_t));
	uint8_t *values = keys + padded((size_t)batch * s->key_size);
	void *in = NULL;
	int r = 0, e = 0;

	while (!r && !e) {
		uint32_t n = batch;

		e = bpf_map_lookup_batch(fd, in, at, keys, values, &n, &opts);
		if (e && e != -ENOENT)
			return e;
		in = at;
		for (uint32_t i = 0; !r && i < n; i++)
			r = fn(keys + (size_t)i * s->key_size, values + i * s->size, arg);
	}
	return r;
}

static int walk(int fd, const struct shape *s, bool locked, visit_fn fn, void *arg)
{
	uint32_t batch = (uint32_t)(BATCH_BYTES / (s->key_size + s->size));
	_cleanup_free_ uint8_t *buffer = NULL;

	batch = batch < BATCH_LEAST ? BATCH_LEAST : batch;
	buffer = calloc(batch + 2UL, padded(s->key_size + sizeof(uint32_t)) + s->size);
	if (!buffer)
		return -ENOMEM;
	return s->type == BPF_MAP_TYPE_LPM_TRIE
		       ? walk_trie(fd, s, buffer, fn, arg)
		       : walk_batches(fd, s, locked, buffer, batch, fn, arg);
}

/* ---- what has been carried ---- */

struct carried {
	struct hmap_node node; /* by key */
	uint8_t bytes[];       /* key and value, as they were */
};

static_assert(offsetof(struct carried, bytes) % 8 == 0, "aligned");

void bpf_carried_deinit(struct bpf_carried *carried)
{
	struct carried *c;

	hmap_for_each (c, &carried->entries, node)
		free(c);
	hmap_deinit(&carried->entries);
}

/* One run over one table. */
struct run {
	const struct bpf_conversion *conversion;
	const struct habit *habit; /* NULL: nothing particular */
	struct shape was, now;
	int fd; /* the new table */
	struct bpf_carried *carried;
	uint8_t *key, *before, *converted, *current;
};

static struct carried *find(const struct run *r, const uint8_t *key, uint64_t hash)
{
	struct carried *c;

	hmap_for_each_at (c, &r->carried->entries, hash, node)
		if (!memcmp(c->bytes, key, r->was.key_size))
			return c;
	return NULL;
}

static int remember(const struct run *r, struct carried *c, const uint8_t *key,
		    const uint8_t *value)
{
	if (!c) {
		c = malloc(sizeof(*c) + padded(r->was.key_size) + r->was.size);
		if (!c)
			return -ENOMEM;
		memcpy(c->bytes, key, r->was.key_size);
		hmap_insert(&r->carried->entries, &c->node, hash_bytes(key, r->was.key_size));
	}
	memcpy(c->bytes + padded(r->was.key_size), value, r->was.size);
	return 0;
}

/* ---- one entry ---- */

static bool is_zero(const uint8_t *bytes, size_t size)
{
	return !size || (!bytes[0] && !memcmp(bytes, bytes + 1, size - 1));
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void convert_key(const struct run *r, const uint8_t *was)
{
	memset(r->key, 0, r->now.key_size);
	if (r->conversion->key)
		r->conversion->key(was, r->key);
	else
		memcpy(r->key, was, smaller(r->was.key_size, r->now.key_size));
}

/* False: it is not carried over, and counts as nothing. */
static bool convert_value(const struct run *r, const uint8_t *was, uint8_t *ret)
{
	bool is = false;

	memset(ret, 0, r->now.size);
	for (size_t i = 0; was && i < r->was.n_values; i++) {
		const uint8_t *from = was + i * r->was.value_size;
		uint8_t *to = ret + i * r->now.value_size;

		if (!r->conversion->value)
			memcpy(to, from, smaller(r->was.value_size, r->now.value_size));
		else if (!r->conversion->value(from, to))
			continue;
		is = true;
	}
	return is;
}

/* Counters: both programs' counts are added. */
static void add_counts(const struct run *r)
{
	for (size_t i = 0; i + 8 <= r->now.size; i += 8) {
		uint64_t before, now, current;

		memcpy(&before, r->before + i, 8);
		memcpy(&now, r->converted + i, 8);
		memcpy(&current, r->current + i, 8);
		current += now - before;
		memcpy(r->current + i, &current, 8);
	}
}

static int put(struct run *r)
{
	const bool locked = r->habit && r->habit->locked;
	int e;

	if (bpf_map_lookup_elem_flags(r->fd, r->key, r->current, locked ? BPF_F_LOCK : 0))
		memset(r->current, 0, r->now.size);
	if (r->habit && r->habit->merge)
		r->habit->merge(r->before, r->converted, r->current);
	else if (r->now.type == BPF_MAP_TYPE_PERCPU_ARRAY)
		add_counts(r);
	else
		memcpy(r->current, r->converted, r->now.size);
	e = bpf_map_update_elem(r->fd, r->key, r->current, locked ? BPF_F_LOCK : BPF_ANY);
	if (e == -E2BIG || e == -ENOSPC) {
		r->carried->n_left_out++;
		return 0;
	}
	return e;
}

static int carry(const uint8_t *key, const uint8_t *value, void *arg)
{
	struct run *r = arg;
	struct carried *had = find(r, key, hash_bytes(key, r->was.key_size));
	int e = 0;

	if (had ? !memcmp(had->bytes + padded(r->was.key_size), value, r->was.size)
		: is_array(&r->was) && is_zero(value, r->was.size))
		return 0;
	convert_key(r, key);
	convert_value(r, had ? had->bytes + padded(r->was.key_size) : NULL, r->before);
	/* what is nothing now and was something is taken back */
	if (convert_value(r, value, r->converted) || (had && is_array(&r->was)))
		e = put(r);
	return e ? e : remember(r, had, key, value);
}

/* ---- tables ---- */

const struct bpf_conversion *bpf_conversion_find(const char *table, uint32_t from, uint32_t to)
{
	for (const struct bpf_conversion *c = bpf_conversions; c->table; c++)
		if (!strcmp(c->table, table) && c->from == from && c->to == to)
			return c;
	return NULL;
}

static const struct habit *habit_of(const char *table)
{
	for (size_t i = 0; i < ARRAY_SIZE(habits); i++)
		if (!strcmp(habits[i].table, table))
			return &habits[i];
	return NULL;
}

int bpf_convert(const struct bpf_conversion *conversion, int was, int now,
		struct bpf_carried *carried)
{
	struct run r = {.conversion = conversion,
			.habit = habit_of(conversion->table),
			.fd = now,
			.carried = carried};
	_cleanup_free_ uint8_t *work = NULL;
	int e = shape_of(was, &r.was);

	if (!e)
		e = shape_of(now, &r.now);
	if (e)
		return e;
	/* what is kept as it is has to be what it was */
	if (r.was.type != r.now.type || (!conversion->key && r.was.key_size != r.now.key_size))
		return -EINVAL;
	if (!conversion->resized && r.was.n_entries != r.now.n_entries)
		return -EINVAL;
	work = calloc(1, r.now.key_size + 3 * padded(r.now.size));
	if (!work)
		return -ENOMEM;
	r.before = work;
	r.converted = r.before + padded(r.now.size);
	r.current = r.converted + padded(r.now.size);
	r.key = r.current + padded(r.now.size);
	return walk(was, &r.was, r.habit && r.habit->locked, carry, &r);
}
