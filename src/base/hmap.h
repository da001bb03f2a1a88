/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intrusive hash map (chained).  The node is embedded in the element and keeps its 64-bit hash;
 * the map knows no keys: the caller hashes (base/hash.h) and compares.
 *
 *	struct eni *eni_find(const struct model *m, uint64_t id)
 *	{
 *		struct eni *e;
 *
 *		hmap_for_each_at(e, &m->enis, hash_u64(id), node)
 *			if (e->id == id)
 *				return e;
 *		return NULL;
 *	}
 *
 * The map owns only its bucket arrays.  It grows a few buckets per insertion, so no insertion pays
 * for a rehash of everything; without memory it goes on with longer chains, so insertion does not
 * fail. It does not shrink.  Several elements may have equal hashes and equal keys.
 *
 * hmap_for_each() visits everything once in no particular order, hmap_for_each_at() what has one
 * hash. Both allow removing (and freeing) the current element, but no other; nothing may be
 * inserted meanwhile.  One thread.  A zeroed map is an empty map.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct hmap_node {
	struct hmap_node *next;
	uint64_t hash;
};

struct hmap {
	size_t n;         /* elements */
	size_t n_buckets; /* a power of two, or 0: only 'single' */
	struct hmap_node **buckets;
	size_t n_old;             /* size of 'old': half of n_buckets, or 0 */
	struct hmap_node **old;   /* while growing: what has not moved yet */
	size_t n_moved;           /* buckets of 'old' that have moved to 'buckets' */
	struct hmap_node *single; /* the one chain before the first allocation */
};

void hmap_init(struct hmap *m);
/* Frees the buckets.  The elements are the caller's: freed before (in a loop) or otherwise
 * owned. */
void hmap_deinit(struct hmap *m);
/* Makes a map that has no buckets yet large enough for 'n' elements, which spares the growing; else
 * does nothing. */
void hmap_reserve(struct hmap *m, size_t n);
void hmap_insert(struct hmap *m, struct hmap_node *n, uint64_t hash);
/* 'n' must be in 'm'. */
void hmap_remove(struct hmap *m, struct hmap_node *n);
size_t hmap_count(const struct hmap *m);
/* Brings nearer to the processor what finding or inserting 'hash' will read: first (stage 0) the
 * bucket, then (stage 1), after other work, the first node there.  For many at a time; changes
 * nothing. */
void hmap_prefetch(const struct hmap *m, uint64_t hash, unsigned int stage);

/* The first node with 'hash', or NULL; the next one with the same hash after 'n', or NULL. */
struct hmap_node *hmap_first_at(const struct hmap *m, uint64_t hash);
struct hmap_node *hmap_next_at(const struct hmap_node *n);

struct hmap_iter {
	const struct hmap *map;
	size_t bucket; /* the next bucket to enter: those of 'old' first */
	struct hmap_node *current;
	struct hmap_node *next;
};

struct hmap_iter hmap_iter_begin(const struct hmap *m);
bool hmap_iter_step(struct hmap_iter *it);

static inline bool hmap_iter_step_at(struct hmap_iter *it)
{
	it->current = it->next;
	if (it->current)
		it->next = hmap_next_at(it->current);
	return it->current;
}

#define hmap_entry(n, type, member) container_of(n, type, member)

/* Sets 'entry', a variable of the caller, to each element (with 'hash_'). */
#define hmap_for_each(entry, map_, member)                                                         \
	for (struct hmap_iter entry##_iter_ = hmap_iter_begin(map_);                               \
	     hmap_iter_step(&entry##_iter_) &&                                                     \
	     ((entry) = hmap_entry(entry##_iter_.current, typeof(*(entry)), member), true);)
#define hmap_for_each_at(entry, map_, hash_, member)                                               \
	for (struct hmap_iter entry##_iter_ = {.next = hmap_first_at(map_, hash_)};                \
	     hmap_iter_step_at(&entry##_iter_) &&                                                  \
	     ((entry) = hmap_entry(entry##_iter_.current, typeof(*(entry)), member), true);)
