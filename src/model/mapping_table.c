/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapping table: an array of records without holes, and an index of their numbers with linear
 * probing, at most two thirds full.  A record that leaves is overwritten by the last one.  The
 * index keeps 8 bits of the hash beside each number in its top byte, which spares most misses a
 * visit to the record; so there are at most 2^24 - 1 records.
 */
#include "model/mapping_table.h"

#include <string.h>

#include "base/hash.h"

enum {
	NUMBER_BITS = 24,
	NUMBER_MASK = (1 << NUMBER_BITS) - 1, /* as a number: this place is free */
	RECORDS_MAX = NUMBER_MASK,
	INDEX_MIN = 64,
	RECORDS_MIN = 32,
};

struct mapping_table {
	size_t n, allocated;
	struct mapping *records;
	size_t index_size; /* a power of two */
	uint32_t *index;
};

static uint64_t record_hash(uint32_t vni, const struct ipaddr *addr)
{
	return hash_u64_bytes(vni, addr, sizeof(*addr));
}

static uint32_t index_entry(uint64_t hash, size_t number)
{
	return (uint32_t)(hash >> 56) << NUMBER_BITS | (uint32_t)number;
}

static bool place_is_free(uint32_t entry)
{
	return (entry & NUMBER_MASK) == NUMBER_MASK;
}

int mapping_table_new(struct mapping_table **ret)
{
	struct mapping_table *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*ret = t;
	return 0;
}

struct mapping_table *mapping_table_free(struct mapping_table *t)
{
	if (t) {
		free(t->records);
		free(t->index);
		free(t);
	}
	return NULL;
}

static void index_insert(struct mapping_table *t, uint64_t hash, size_t number)
{
	size_t i = hash & (t->index_size - 1);

	while (!place_is_free(t->index[i]))
		i = (i + 1) & (t->index_size - 1);
	t->index[i] = index_entry(hash, number);
}

static int index_resize(struct mapping_table *t, size_t size)
{
	uint32_t *index = malloc(size * sizeof(*index));

	if (!index)
		return -ENOMEM;
	memset(index, 0xff, size * sizeof(*index));
	free(t->index);
	t->index = index;
	t->index_size = size;
	for (size_t i = 0; i < t->n; i++)
		index_insert(t, record_hash(t->records[i].vni, &t->records[i].addr), i);
	return 0;
}

int mapping_table_reserve(struct mapping_table *t, size_t n)
{
	size_t needed = t->n + n;
	size_t size = t->index_size ? t->index_size : INDEX_MIN;
	size_t allocated = t->allocated;

	if (needed > RECORDS_MAX)
		return -ENOMEM;
	while (size / 3 * 2 < needed)
		size *= 2;
	if (size != t->index_size && index_resize(t, size))
		return -ENOMEM;
	if (needed <= allocated)
		return 0;
	/* by half, not by two: a record is most of what a mapping costs */
	while (allocated < needed)
		allocated += allocated < RECORDS_MIN ? RECORDS_MIN : allocated / 2;
	struct mapping *records = reallocarray(t->records, allocated, sizeof(*records));

	if (!records)
		return -ENOMEM;
	t->records = records;
	t->allocated = allocated;
	return 0;
}

/* The place in the index of (vni, addr), or -1. */
static ssize_t index_find(const struct mapping_table *t, uint64_t hash, uint32_t vni,
			  const struct ipaddr *addr)
{
	if (!t->index)
		return -1;
	for (size_t i = hash & (t->index_size - 1);; i = (i + 1) & (t->index_size - 1)) {
		uint32_t entry = t->index[i];
		const struct mapping *record;

		if (place_is_free(entry))
			return -1;
		if (entry >> NUMBER_BITS != hash >> 56)
			continue;
		record = &t->records[entry & NUMBER_MASK];
		if (record->vni == vni && ipaddr_equal(&record->addr, addr))
			return (ssize_t)i;
	}
}

void mapping_table_put(struct mapping_table *t, const struct mapping *record)
{
	uint64_t hash = record_hash(record->vni, &record->addr);
	ssize_t i = index_find(t, hash, record->vni, &record->addr);

	if (i >= 0) {
		t->records[t->index[i] & NUMBER_MASK] = *record;
		return;
	}
	assert(t->n < t->allocated);
	t->records[t->n] = *record;
	index_insert(t, hash, t->n++);
}

/* Frees a place and moves up those behind it that were pushed away from theirs. */
static void index_free_place(struct mapping_table *t, size_t hole)
{
	size_t mask = t->index_size - 1;

	for (size_t i = (hole + 1) & mask; !place_is_free(t->index[i]); i = (i + 1) & mask) {
		const struct mapping *record = &t->records[t->index[i] & NUMBER_MASK];
		size_t home = record_hash(record->vni, &record->addr) & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			t->index[hole] = t->index[i];
			hole = i;
		}
	}
	t->index[hole] = UINT32_MAX;
}

void mapping_table_remove(struct mapping_table *t, uint32_t vni, const struct ipaddr *addr,
			  uint64_t interface)
{
	ssize_t i = index_find(t, record_hash(vni, addr), vni, addr);
	size_t number;

	if (i < 0)
		return;
	number = t->index[i] & NUMBER_MASK;
	if (t->records[number].interface != interface)
		return;
	index_free_place(t, (size_t)i);
	t->n--;
	if (number != t->n) {
		const struct mapping *last = &t->records[t->n];
		uint64_t hash = record_hash(last->vni, &last->addr);

		t->index[index_find(t, hash, last->vni, &last->addr)] = index_entry(hash, number);
		t->records[number] = *last;
	}
}

struct mapping_key mapping_key_of(uint32_t vni, const struct ipaddr *addr)
{
	return (struct mapping_key){.addr = *addr, .vni = vni, .hash = record_hash(vni, addr)};
}

const struct mapping *mapping_find_key(const struct mapping_table *t, const struct mapping_key *key)
{
	ssize_t i = index_find(t, key->hash, key->vni, &key->addr);

	return i < 0 ? NULL : &t->records[t->index[i] & NUMBER_MASK];
}

const struct mapping *mapping_find(const struct mapping_table *t, uint32_t vni,
				   const struct ipaddr *addr)
{
	struct mapping_key key = mapping_key_of(vni, addr);

	return mapping_find_key(t, &key);
}

void mapping_prefetch(const struct mapping_table *t, unsigned int stage,
		      const struct mapping_key *key)
{
	const uint32_t *place;

	if (!t->index)
		return;
	place = &t->index[key->hash & (t->index_size - 1)];
	if (stage == 0)
		__builtin_prefetch(place);
	else if (!place_is_free(*place))
		__builtin_prefetch(&t->records[*place & NUMBER_MASK]);
}

size_t mapping_count(const struct mapping_table *t)
{
	return t->n;
}

const struct mapping *mapping_at(const struct mapping_table *t, size_t i)
{
	return &t->records[i];
}

size_t mapping_memory(const struct mapping_table *t)
{
	return sizeof(*t) + t->allocated * sizeof(*t->records) + t->index_size * sizeof(*t->index);
}
