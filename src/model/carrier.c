/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hosts carry which networks.  See table.h and carrier.h.
 */
#include "model/carrier.h"

#include "base/hash.h"

struct network *network_find(const struct model *m, uint32_t vni)
{
	struct network *n;

	hmap_for_each_at (n, &m->networks, hash_u64(vni), node)
		if (n->vni == vni)
			return n;
	return NULL;
}

static uint64_t carrier_key(uint32_t vni, uint32_t host)
{
	return hash_u64((uint64_t)vni << 32 | host);
}

static struct carrier *carrier_find(const struct model *m, uint32_t vni, uint32_t host)
{
	struct carrier *c;

	hmap_for_each_at (c, &m->carriers, carrier_key(vni, host), node)
		if (c->network->vni == vni && c->host == host)
			return c;
	return NULL;
}

uint32_t network_interfaces(const struct model *m, uint32_t vni, uint32_t host)
{
	const struct carrier *c = carrier_find(m, vni, host);

	return c ? c->n : 0;
}

static struct network *network_get(struct model *m, uint32_t vni)
{
	struct network *n = network_find(m, vni);

	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->vni = vni;
	hmap_insert(&m->networks, &n->node, hash_u64(vni));
	return n;
}

int carrier_prepare(struct model *m, uint32_t vni, uint32_t host)
{
	struct network *n;
	struct carrier *c;

	if (carrier_find(m, vni, host))
		return 0;
	n = network_get(m, vni);
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
	c->network = n;
	c->host = host;
	list_push_back(&m->idle_carriers, &c->idle);
	n->n_carriers++;
	hmap_insert(&m->carriers, &c->node, carrier_key(vni, host));
	return 0;
}

void carrier_add(struct model *m, uint32_t vni, uint32_t host)
{
	struct carrier *c = carrier_find(m, vni, host);

	if (c->n++)
		return;
	list_remove(&c->idle);
	c->place = c->network->n_hosts;
	c->network->hosts[c->network->n_hosts++] = host;
	c->network->stale = true;
}

void carrier_remove(struct model *m, uint32_t vni, uint32_t host)
{
	struct carrier *c = carrier_find(m, vni, host);
	struct network *n = c->network;

	if (--c->n)
		return;
	list_push_back(&m->idle_carriers, &c->idle);
	n->hosts[c->place] = n->hosts[--n->n_hosts];
	if (c->place < n->n_hosts)
		carrier_find(m, vni, n->hosts[c->place])->place = c->place;
	n->stale = true;
}

static void carrier_free(struct model *m, struct carrier *c)
{
	struct network *n = c->network;

	hmap_remove(&m->carriers, &c->node);
	free(c);
	if (--n->n_carriers)
		return;
	hmap_remove(&m->networks, &n->node);
	free(n->hosts);
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
	hmap_deinit(&m->networks);
}
