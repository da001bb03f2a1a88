/* SPDX-License-Identifier: Apache-2.0 */
/* The fake data plane's route tables, peerings, gateways and public addresses. */
#include "datapath/fake_gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/substrate.h"

/* A copy that outlives the caller's; NULL for none or for lack of memory. */
static void *copy(const void *rows, size_t n, size_t size)
{
	void *r = n ? malloc(n * size) : NULL;

	if (r)
		memcpy(r, rows, n * size);
	return r;
}

/* ---- route tables ---- */

struct dp_table *fake_table_find(struct fake_host *h, uint32_t number)
{
	for (size_t i = 0; i < h->tables.n; i++) {
		struct dp_table *t = (struct dp_table *)h->tables.rows + i;

		if (t->number == number)
			return t;
	}
	return NULL;
}

const struct dp_route *fake_route_find(struct fake_host *h, uint32_t table,
				       const struct ipaddr *addr)
{
	const struct dp_table *t = fake_table_find(h, table);
	const struct dp_route *best = NULL;

	for (size_t i = 0; t && i < t->n_routes; i++) {
		const struct dp_route *r = &t->routes[i];

		if (prefix_is_v4(&r->prefix) == ipaddr_is_v4(addr) &&
		    prefix_contains(&r->prefix, addr) &&
		    (!best || r->prefix.len > best->prefix.len))
			best = r;
	}
	return best;
}

int fake_table_set(struct datapath *dp, const struct dp_table *table)
{
	struct fake_host *h = fake_host_of(dp);
	struct dp_table *found = fake_table_find(h, table->number);
	struct dp_table t = *table;
	void *old = found ? (void *)found->routes : NULL;
	int r;

	if (!table->number)
		return -EINVAL;
	for (size_t i = 0; i < table->n_routes; i++)
		if (table->routes[i].target > DP_TARGET_LOCAL)
			return -EINVAL;
	t.routes = copy(table->routes, table->n_routes, sizeof(*table->routes));
	if (table->n_routes && !t.routes)
		return -ENOMEM;
	r = fake_table_put(&h->tables, found, &t);
	free(r ? (void *)t.routes : old);
	return r;
}

int fake_table_delete(struct datapath *dp, uint32_t number)
{
	struct fake_host *h = fake_host_of(dp);
	struct dp_table *found = fake_table_find(h, number);

	if (!found)
		return -ENOENT;
	free((void *)found->routes);
	return fake_table_drop(&h->tables, found);
}

int fake_tables(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg)
{
	struct fake_host *h = fake_host_of(dp);
	int r = 0;

	for (size_t i = 0; !r && i < h->tables.n; i++)
		r = fn(((struct dp_table *)h->tables.rows)[i].number, arg);
	return r;
}

/* ---- peerings ---- */

static struct fake_peering *peering_find(struct fake_host *h, uint32_t vni_a, uint32_t vni_b)
{
	for (size_t i = 0; i < h->peerings.n; i++) {
		struct fake_peering *p = (struct fake_peering *)h->peerings.rows + i;

		if ((p->vni_a == vni_a && p->vni_b == vni_b) ||
		    (p->vni_a == vni_b && p->vni_b == vni_a))
			return p;
	}
	return NULL;
}

bool fake_is_peered(struct fake_host *h, uint32_t vni_a, uint32_t vni_b)
{
	return peering_find(h, vni_a, vni_b);
}

int fake_peering_set(struct datapath *dp, uint32_t vni_a, uint32_t vni_b)
{
	struct fake_host *h = fake_host_of(dp);
	struct fake_peering p = {.vni_a = vni_a < vni_b ? vni_a : vni_b,
				 .vni_b = vni_a < vni_b ? vni_b : vni_a};

	if (!vni_a || !vni_b || vni_a == vni_b)
		return -EINVAL;
	return fake_table_put(&h->peerings, peering_find(h, vni_a, vni_b), &p);
}

int fake_peering_delete(struct datapath *dp, uint32_t vni_a, uint32_t vni_b)
{
	struct fake_host *h = fake_host_of(dp);

	return fake_table_drop(&h->peerings, peering_find(h, vni_a, vni_b));
}

int fake_peerings(struct datapath *dp, int (*fn)(uint32_t vni_a, uint32_t vni_b, void *), void *arg)
{
	struct fake_host *h = fake_host_of(dp);
	int r = 0;

	for (size_t i = 0; !r && i < h->peerings.n; i++) {
		const struct fake_peering *p = (struct fake_peering *)h->peerings.rows + i;

		r = fn(p->vni_a, p->vni_b, arg);
	}
	return r;
}

/* ---- gateways ---- */

struct fake_gateway *fake_gateway_find(struct fake_host *h, uint32_t handle)
{
	for (size_t i = 0; i < h->gateways.n; i++) {
		struct fake_gateway *g = (struct fake_gateway *)h->gateways.rows + i;

		if (g->dp.handle == handle)
			return g;
	}
	return NULL;
}

static struct dp_public *fake_public_find(struct fake_host *h, const struct ipaddr *public)
{
	for (size_t i = 0; i < h->publics.n; i++) {
		struct dp_public *p = (struct dp_public *)h->publics.rows + i;

		if (ipaddr_equal(&p->public, public))
			return p;
	}
	return NULL;
}

static struct fake_gateway *fake_gateway_by_public(struct fake_host *h, const struct ipaddr *public)
{
	for (size_t i = 0; i < h->gateways.n; i++) {
		struct fake_gateway *g = (struct fake_gateway *)h->gateways.rows + i;

		if (g->dp.kind == DP_GATEWAY_NAT && !g->dp.standby &&
		    ipaddr_equal(&g->dp.public, public))
			return g;
	}
	return NULL;
}

static int gateway_check(struct fake_host *h, const struct dp_gateway *g)
{
	const struct fake_gateway *owner;

	if (!h->config.uplink_ifindex)
		return -EOPNOTSUPP;
	if (g->kind > DP_GATEWAY_PRIVATE || g->handle < SUBSTRATE_VNI_HANDLE_MIN ||
	    g->handle > SUBSTRATE_VNI_HANDLE_MAX || !g->vni)
		return -EINVAL;
	if (g->kind != DP_GATEWAY_NAT && g->kind != DP_GATEWAY_PRIVATE)
		return g->n_statics ? -EINVAL : 0;
	if (!ipaddr_v4(&g->public) || !g->port_first || g->port_first > g->port_last)
		return -EINVAL;
	if (g->kind == DP_GATEWAY_PRIVATE)
		return 0;
	if (g->standby)
		return 0;
	owner = fake_gateway_by_public(h, &g->public);
	if ((owner && owner->dp.handle != g->handle) || fake_public_find(h, &g->public))
		return -EEXIST;
	return 0;
}

int fake_gateway_set(struct datapath *dp, const struct dp_gateway *gateway)
{
	struct fake_host *h = fake_host_of(dp);
	struct fake_gateway *found = fake_gateway_find(h, gateway->handle), g = {};
	void *old = found ? (void *)found->dp.statics : NULL;
	int r = gateway_check(h, gateway);

	if (r)
		return r;
	if (found && found->dp.kind == gateway->kind && found->dp.vni == gateway->vni)
		g = *found; /* with its counters and translations */
	else if (found)
		free(found->translations);
	g.dp = *gateway;
	g.dp.statics = copy(gateway->statics, gateway->n_statics, sizeof(*gateway->statics));
	if (gateway->n_statics && !g.dp.statics)
		return -ENOMEM;
	r = fake_table_put(&h->gateways, found, &g);
	free(r ? (void *)g.dp.statics : old);
	return r;
}

int fake_gateway_delete(struct datapath *dp, uint32_t handle)
{
	struct fake_host *h = fake_host_of(dp);
	struct fake_gateway *found = fake_gateway_find(h, handle);

	if (!found)
		return -ENOENT;
	free((void *)found->dp.statics);
	free(found->translations);
	return fake_table_drop(&h->gateways, found);
}

/* Devices of gateways have the numbers of their handles, which no node's has. */
int fake_gateway_device(struct datapath *dp, uint32_t handle, int *ret_ifindex)
{
	const struct fake_gateway *found = fake_gateway_find(fake_host_of(dp), handle);

	if (!found || found->dp.kind != DP_GATEWAY_PRIVATE)
		return -ENOENT;
	*ret_ifindex = (int)handle;
	return 0;
}

int fake_gateways(struct datapath *dp, int (*fn)(uint32_t handle, void *), void *arg)
{
	struct fake_host *h = fake_host_of(dp);
	int r = 0;

	for (size_t i = 0; !r && i < h->gateways.n; i++)
		r = fn(((struct fake_gateway *)h->gateways.rows)[i].dp.handle, arg);
	return r;
}

int fake_gateway_counters(struct datapath *dp, uint32_t handle, struct dp_gateway_counters *ret)
{
	const struct fake_gateway *found = fake_gateway_find(fake_host_of(dp), handle);

	if (!found)
		return -ENOENT;
	*ret = found->counters;
	return 0;
}

/* ---- public addresses ---- */

struct dp_public *fake_public_of(struct fake_host *h, uint32_t vni, const struct ipaddr *addr)
{
	for (size_t i = 0; i < h->publics.n; i++) {
		struct dp_public *p = (struct dp_public *)h->publics.rows + i;

		if (p->vni == vni && ipaddr_equal(&p->addr, addr))
			return p;
	}
	return NULL;
}

int fake_public_set(struct datapath *dp, const struct dp_public *public)
{
	struct fake_host *h = fake_host_of(dp);

	if (!h->config.uplink_ifindex)
		return -EOPNOTSUPP;
	if (!ipaddr_v4(&public->public) || !ipaddr_v4(&public->addr) || !public->vni ||
	    public->n_formers > DP_FORMERS)
		return -EINVAL;
	if (fake_gateway_by_public(h, &public->public))
		return -EEXIST;
	return fake_table_put(&h->publics, fake_public_find(h, &public->public), public);
}

int fake_public_delete(struct datapath *dp, const struct ipaddr *public)
{
	struct fake_host *h = fake_host_of(dp);

	return fake_table_drop(&h->publics, fake_public_find(h, public));
}

int fake_publics(struct datapath *dp, int (*fn)(const struct ipaddr *public, void *), void *arg)
{
	struct fake_host *h = fake_host_of(dp);
	int r = 0;

	for (size_t i = 0; !r && i < h->publics.n; i++)
		r = fn(&((struct dp_public *)h->publics.rows)[i].public, arg);
	return r;
}

void fake_gateway_free_all(struct fake_host *h)
{
	for (size_t i = 0; i < h->tables.n; i++)
		free((void *)((struct dp_table *)h->tables.rows)[i].routes);
	for (size_t i = 0; i < h->gateways.n; i++) {
		struct fake_gateway *g = (struct fake_gateway *)h->gateways.rows + i;

		free((void *)g->dp.statics);
		free(g->translations);
	}
	free(h->tables.rows);
	free(h->peerings.rows);
	free(h->gateways.rows);
	free(h->publics.rows);
}
