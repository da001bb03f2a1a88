/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hosts carry which networks and security groups.  See table.h and carrier.h.
 */
#include "model/carrier.h"

#include "base/hash.h"

static uint64_t carried_hash(enum carried_kind k, uint32_t number)
{
	return hash_u64((uint64_t)k << 32 | number);
}

struct carried *carried_find(const struct model *m, enum carried_kind k, uint32_t number)
{
	struct carried *c;

	hmap_for_each_at (c, &m->carried, carried_hash(k, number), node)
		if (c->kind == k && c->number == number)
			return c;
	return NULL;
}

static uint64_t carrier_hash(enum carried_kind k, uint32_t number, uint32_t host)
{
	return hash_u64(((uint64_t)number << 32 | host) ^ (uint64_t)k << 31);
}

static bool is_carrier(const struct carrier *c, enum carried_kind k, uint32_t number, uint32_t host)
{
	return c->host == host && c->carried->kind == k && c->carried->number == number;
}

static size_t place_at_hand(enum carried_kind k, uint32_t number, uint32_t host)
{
	uint64_t key = ((uint64_t)number << 32 | host) ^ (uint64_t)k << 31;

	return key * 0x9e3779b97f4a7c15 >> 32 & (MODEL_CARRIERS_AT_HAND - 1);
}

static struct carrier *carrier_find(const struct model *m, enum carried_kind k, uint32_t number,
				    uint32_t host)
{
	struct carrier *c = m->carriers_at_hand[place_at_hand(k, number, host)];

	if (c && is_carrier(c, k, number, host))
		return c;
	hmap_for_each_at (c, &m->carriers, carrier_hash(k, number, host), node)
		if (is_carrier(c, k, number, host))
			return c;
	return NULL;
}

/* Whoever is prepared is used next. */
static void keep_at_hand(struct model *m, struct carrier *c)
{
	m->carriers_at_hand[place_at_hand(c->carried->kind, c->carried->number, c->host)] = c;
}

uint32_t carried_interfaces(const struct model *m, enum carried_kind k, uint32_t number,
			    uint32_t host)
{
	const struct carrier *c = carrier_find(m, k, number, host);

	return c ? c->n : 0;
}

static struct carried *carried_get(struct model *m, enum carried_kind k, uint32_t number)
{
	struct carried *c = carried_find(m, k, number);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->kind = k;
	c->number = number;
	hmap_insert(&m->carried, &c->node, carried_hash(k, number));
	return c;
}

int carrier_prepare(struct model *m, enum carried_kind k, uint32_t number, uint32_t host)
{
	struct carried *n;
	struct carrier *c = carrier_find(m, k, number, host);

	if (c) {
		keep_at_hand(m, c);
		return 0;
	}
	n = carried_get(m, k, number);
	if (!n)
		return -ENOMEM;
	if (n->n_carriers == n->allocated) {
		size_t more = n->allocated ? 2 * n->allocated : 4;
		uint32_t *hosts = reallocarray(n->hosts, more, sizeof(*hosts));

		if (!hosts)
			return -ENOMEM;
		n->hosts = hosts;
		n->allocated = more;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->carried = n;
	c->host = host;
	list_push_back(&m->idle_carriers, &c->idle);
	n->n_carriers++;
	hmap_insert(&m->carriers, &c->node, carrier_hash(k, number, host));
	keep_at_hand(m, c);
	return 0;
}

void carrier_add(struct model *m, enum carried_kind k, uint32_t number, uint32_t host)
{
	struct carrier *c = carrier_find(m, k, number, host);
	struct carried *n = c->carried;

	if (c->n++)
		return;
	list_remove(&c->idle);
	c->place = n->n_hosts;
	n->hosts[n->n_hosts++] = host;
	n->stale = true;
}

void carrier_remove(struct model *m, enum carried_kind k, uint32_t number, uint32_t host)
{
	struct carrier *c = carrier_find(m, k, number, host);
	struct carried *n = c->carried;

	if (--c->n)
		return;
	list_push_back(&m->idle_carriers, &c->idle);
	n->hosts[c->place] = n->hosts[--n->n_hosts];
	if (c->place < n->n_hosts)
		carrier_find(m, k, number, n->hosts[c->place])->place = c->place;
	n->stale = true;
}

static void carrier_free(struct model *m, struct carrier *c)
{
	struct carried *n = c->carried;
	struct carrier **at_hand = &m->carriers_at_hand[place_at_hand(n->kind, n->number, c->host)];

	if (*at_hand == c)
		*at_hand = NULL;
	hmap_remove(&m->carriers, &c->node);
	free(c);
	if (--n->n_carriers)
		return;
	hmap_remove(&m->carried, &n->node);
	free(n->hosts);
	free(n->kinds);
	free(n);
}

void carrier_reclaim(struct model *m)
{
	struct carrier *c;

	list_for_each (c, &m->idle_carriers, idle) {
		list_remove(&c->idle);
		carrier_free(m, c);
	}
}

void carrier_deinit(struct model *m)
{
	struct carrier *c;

	hmap_for_each (c, &m->carriers, node)
		carrier_free(m, c);
	hmap_deinit(&m->carriers);
	hmap_deinit(&m->carried);
}
