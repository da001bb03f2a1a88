/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes to public NAT gateways in a plan.  What leaves by a gateway goes on by the route table of
 * the subnet that it stands in, so a route to it leads nowhere with destinations that this table
 * leads to no internet gateway.  Hosts are told so in their own tables: what nobody lets out is not
 * carried to the edge, and the edge asks no table.  See plan_items.h and plan_change.h.
 */
#include <stdlib.h>

#include "model/model.h"
#include "model/nat_gateway.h"
#include "model/plan_change.h"
#include "model/route_entry.h"
#include "model/route_table.h"
#include "model/subnet.h"

/* ---- items ---- */

/* What is narrowed: the routes of a table that a gateway is the target of. */
struct narrow {
	const struct model *m;
	const struct route_entry *entries; /* of the table; its routes begin with one for each */
	size_t n_entries;
	const struct route_table *outer; /* of the gateway's subnet; NULL: none */
	struct route_entry *outer_entries;
	size_t n_outer;
	struct plan_routes *routes;
};

void plan_routes_deinit(struct plan_routes *routes)
{
	free(routes->v);
	*routes = (struct plan_routes){0};
}

int plan_routes_add(struct plan_routes *routes, const struct plan_route *route)
{
	struct plan_route *v;
	size_t more;

	if (routes->n == routes->allocated) {
		more = routes->allocated ? 2 * routes->allocated : 16;
		v = reallocarray(routes->v, more, sizeof(*v));
		if (!v)
			return -ENOMEM;
		routes->v = v;
		routes->allocated = more;
	}
	routes->v[routes->n++] = *route;
	return 0;
}

static const struct nat_gateway *target_of(const struct model *m, const struct route *r)
{
	const struct nat_gateway *g;

	if (!r || r->target != ROUTE_NAT_GATEWAY)
		return NULL;
	g = (const struct nat_gateway *)model_get(m, KIND_NAT_GATEWAY, r->target_id);
	return g && !g->is_private ? g : NULL;
}

/* What a gateway goes on by; NULL: its subnet has no table. */
static const struct route_table *outer_of(const struct model *m, const struct nat_gateway *g)
{
	const struct object *s = model_get(m, KIND_SUBNET, g->subnet);

	return s ? route_table_of(m, (const struct subnet *)s) : NULL;
}

/* The longest of the entries that has all of 'p' and is shorter than 'less'; NULL: none has. */
static const struct route_entry *covering(const struct route_entry *entries, size_t n,
					  const struct prefix *p, uint8_t less)
{
	const struct route_entry *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct prefix *q = &entries[i].prefix;

		if (prefix_is_v4(q) && q->len < less && prefix_covers(q, p) &&
		    (!found || q->len > found->prefix.len))
			found = &entries[i];
	}
	return found;
}

static bool lets_out(const struct narrow *n, const struct route_entry *e)
{
	return e && e->route && route_resolve(n->m, n->outer, e->route, false).way == WAY_INTERNET;
}

/* What the gateway's subnet has inside of a route to it, where that is something else. */
static int add_inner(struct narrow *n, size_t at, const struct plan_route *open)
{
	const struct prefix *all = &n->entries[at].prefix;
	int r = 0;

	for (size_t i = 0; !r && i < n->n_outer; i++) {
		const struct route_entry *e = &n->outer_entries[i], *around;
		const struct prefix *p = &e->prefix;
		struct plan_route route = {.prefix = *p};

		if (!prefix_is_v4(p) || p->len <= all->len ||
		    covering(n->entries, n->n_entries, p, UINT8_MAX) != &n->entries[at])
			continue;
		around = covering(n->outer_entries, n->n_outer, p, p->len);
		if (lets_out(n, e) == lets_out(n, around))
			continue;
		if (lets_out(n, e)) {
			route = *open;
			route.prefix = *p;
		}
		r = plan_routes_add(n->routes, &route);
	}
	return r;
}

static int narrow_route(struct narrow *n, size_t at)
{
	const struct plan_route open = n->routes->v[at];
	int r = add_inner(n, at, &open);

	if (!r && !lets_out(n, covering(n->outer_entries, n->n_outer, &open.prefix, UINT8_MAX)))
		n->routes->v[at] = (struct plan_route){.prefix = open.prefix};
	return r;
}

int plan_nat_narrow(const struct model *m, const struct route_entry *entries, size_t n_entries,
		    struct plan_routes *routes)
{
	int r = 0;

	for (size_t i = 0; !r && i < n_entries; i++) {
		const struct nat_gateway *g = target_of(m, entries[i].route);
		struct narrow n = {m, entries, n_entries, NULL, NULL, 0, routes};

		if (!g || routes->v[i].target != PLAN_TARGET_GATEWAY ||
		    !prefix_is_v4(&entries[i].prefix))
			continue;
		n.outer = outer_of(m, g);
		if (n.outer)
			r = route_entries_of(m, n.outer, &n.outer_entries, &n.n_outer);
		if (!r)
			r = narrow_route(&n, i);
		free(n.outer_entries);
	}
	return r;
}

/* ---- changes ---- */

int plan_nat_outer(struct planner *p, uint64_t vpc, uint64_t outer)
{
	struct model_iter it = model_iter_group(p->m, REL_VPC_NAT_GATEWAYS, vpc);
	const struct nat_gateway *g;
	int r = 0;

	while (!r && (g = (const struct nat_gateway *)model_iter_next(&it))) {
		const struct route_table *t = outer_of(p->m, g);

		if (!g->is_private && nat_gateway_serves(g) && (!outer || (t && t->o.id == outer)))
			r = plan_tables_to(p, vpc, ROUTE_NAT_GATEWAY, g->o.id);
	}
	return r;
}

int plan_nat_subnet(struct planner *p, const struct subnet *before, const struct subnet *after)
{
	const struct route_table *t = after ? route_table_of(p->m, after) : NULL;

	if (!before || !t || before->table == after->table)
		return 0;
	return plan_nat_outer(p, after->vpc, t->o.id);
}
