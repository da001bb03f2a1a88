/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash map's growth: see hmap.h.
 *
 * While growing there are two arrays, 'buckets' twice the size of 'old'.  Bucket i of 'old' moves
 * to buckets i and i + n_old; all below n_moved have moved, so each hash has its place in exactly
 * one. Each insertion moves two, which ends the move long before the map is due to grow again.
 */
#include "base/hmap.h"

enum { FIRST_BUCKETS = 8, MOVES_PER_INSERT = 2, WALK_AHEAD = 16 };

void hmap_init(struct hmap *m)
{
	*m = (struct hmap){0};
}

void hmap_deinit(struct hmap *m)
{
	free(m->buckets);
	free(m->old);
	hmap_init(m);
}

size_t hmap_count(const struct hmap *m)
{
	return m->n;
}

static struct hmap_node *const *chain_at(const struct hmap *m, uint64_t hash)
{
	size_t i;

	if (!m->n_buckets)
		return &m->single;
	i = hash & (m->n_old - 1);
	if (m->n_old && i >= m->n_moved)
		return &m->old[i];
	return &m->buckets[hash & (m->n_buckets - 1)];
}

static void push(struct hmap_node **chain, struct hmap_node *n)
{
	n->next = *chain;
	*chain = n;
}

static void move_some(struct hmap *m)
{
	for (int i = 0; i < MOVES_PER_INSERT && m->n_old; i++) {
		struct hmap_node *n = m->old[m->n_moved];

		while (n) {
			struct hmap_node *next = n->next;

			push(&m->buckets[n->hash & (m->n_buckets - 1)], n);
			n = next;
		}
		if (++m->n_moved < m->n_old)
			continue;
		free(m->old);
		m->old = NULL;
		m->n_old = m->n_moved = 0;
	}
}

/* From the one chain to 'buckets'. */
static void leave_single(struct hmap *m, struct hmap_node **buckets, size_t n_buckets)
{
	while (m->single) {
		struct hmap_node *n = m->single;

		m->single = n->next;
		push(&buckets[n->hash & (n_buckets - 1)], n);
	}
}

static void grow(struct hmap *m)
{
	size_t n_buckets = m->n_buckets ? 2 * m->n_buckets : FIRST_BUCKETS;
	struct hmap_node **buckets = calloc(n_buckets, sizeof(*buckets));

	if (!buckets)
		return; /* longer chains until there is memory again */
	if (m->n_buckets) {
		m->old = m->buckets;
		m->n_old = m->n_buckets;
		m->n_moved = 0;
	} else {
		leave_single(m, buckets, n_buckets);
	}
	m->buckets = buckets;
	m->n_buckets = n_buckets;
}

void hmap_reserve(struct hmap *m, size_t n)
{
	size_t n_buckets = FIRST_BUCKETS;
	struct hmap_node **buckets;

	if (m->n_buckets)
		return;
	while (n_buckets < n && n_buckets <= SIZE_MAX / 2 / sizeof(*m->buckets))
		n_buckets *= 2;
	buckets = calloc(n_buckets, sizeof(*buckets));
	if (!buckets)
		return;
	leave_single(m, buckets, n_buckets);
	m->buckets = buckets;
	m->n_buckets = n_buckets;
}

void hmap_prefetch(const struct hmap *m, uint64_t hash, unsigned int stage)
{
	struct hmap_node *const *chain = chain_at(m, hash);

	if (!stage)
		__builtin_prefetch(chain);
	else if (*chain)
		__builtin_prefetch(*chain);
}

void hmap_insert(struct hmap *m, struct hmap_node *n, uint64_t hash)
{
	if (!m->n_old && m->n >= m->n_buckets)
		grow(m);
	move_some(m);
	n->hash = hash;
	push((struct hmap_node **)chain_at(m, hash), n);
	m->n++;
}

void hmap_remove(struct hmap *m, struct hmap_node *n)
{
	struct hmap_node **at = (struct hmap_node **)chain_at(m, n->hash);

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	n->next = NULL;
	m->n--;
}

static struct hmap_node *skip_to(struct hmap_node *n, uint64_t hash)
{
	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct hmap_node *hmap_first_at(const struct hmap *m, uint64_t hash)
{
	return skip_to(*chain_at(m, hash), hash);
}

struct hmap_node *hmap_next_at(const struct hmap_node *n)
{
	return skip_to(n->next, n->hash);
}

/* Of 'old' first, what has not moved yet; NULL behind the last one. */
static struct hmap_node *chain_in_turn(const struct hmap *m, size_t i)
{
	size_t n_old = m->n_old - m->n_moved;

	if (i < n_old)
		return m->old[m->n_moved + i];
	return i - n_old < m->n_buckets ? m->buckets[i - n_old] : NULL;
}

/* Sets it->next to the head of the next chain that is not empty, or to NULL. */
static void enter_chain(struct hmap_iter *it)
{
	const struct hmap *m = it->map;
	size_t n = m->n_old - m->n_moved + m->n_buckets;

	for (it->next = NULL; !it->next && it->bucket < n; it->bucket++) {
		it->next = chain_in_turn(m, it->bucket);
		/* elements lie anywhere in memory, and which ones come is known */
		__builtin_prefetch(chain_in_turn(m, it->bucket + WALK_AHEAD));
	}
}

struct hmap_iter hmap_iter_begin(const struct hmap *m)
{
	struct hmap_iter it = {.map = m, .next = m->single};

	if (!it.next)
		enter_chain(&it);
	return it;
}

bool hmap_iter_step(struct hmap_iter *it)
{
	it->current = it->next;
	if (!it->current)
		return false;
	it->next = it->current->next;
	if (!it->next)
		enter_chain(it);
	return true;
}
