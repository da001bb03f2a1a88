/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Route tables in a plan; what edges have is in plan_edge.c.  See plan_items.h and plan_change.h.
 */
#include <string.h>

#include "model/interface.h"
#include "model/model.h"
#include "model/plan_change.h"
#include "model/prefix_list.h"
#include "model/route_entry.h"
#include "model/route_table.h"
#include "model/vpc.h"

/* ---- items ---- */

static struct plan_route route_item(const struct model *m, const struct route_table *t,
				    const struct route *r, const struct prefix *destination,
				    uint32_t host)
{
	static const enum plan_target targets[] = {
		[WAY_BLACKHOLE] = PLAN_TARGET_BLACKHOLE, [WAY_INTERNET] = PLAN_TARGET_INTERNET,
		[WAY_GATEWAY] = PLAN_TARGET_GATEWAY,     [WAY_NETWORK] = PLAN_TARGET_NETWORK,
		[WAY_INTERFACE] = PLAN_TARGET_INTERFACE,
	};
	struct route_hop hop = route_resolve(m, t, r, !prefix_is_v4(destination));

	return (struct plan_route){
		.prefix = *destination,
		.target = targets[hop.way],
		.peer = hop.host == host ? 0 : hop.host,
		.vni = hop.vni,
	};
}

/* An address of the network's blocks that is in no subnet goes nowhere, unless a route is for
 * it. */
static struct plan_route entry_item(const struct model *m, const struct route_table *t,
				    const struct route_entry *e, uint32_t host)
{
	return e->route ? route_item(m, t, e->route, &e->prefix, host)
			: (struct plan_route){e->prefix, PLAN_TARGET_LOCAL, 0, 0};
}

static int routes_of(const struct model *m, const struct route_table *t,
		     const struct route_entry *entries, size_t n, uint32_t host,
		     struct plan_routes *ret)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		struct plan_route route = entry_item(m, t, &entries[i], host);

		r = plan_routes_add(ret, &route);
	}
	return r ? r : plan_nat_narrow(m, entries, n, ret);
}

static int emit_table(const struct model *m, const struct route_table *t, uint32_t host,
		      bool remove, plan_sink_fn sink, void *data)
{
	const struct vpc *v = (const struct vpc *)model_get(m, KIND_VPC, t->vpc);
	struct plan_item item = {.kind = PLAN_TABLE, .remove = remove};
	_cleanup_free_ struct route_entry *entries = NULL;
	_cleanup_(plan_routes_deinit) struct plan_routes routes = {0};
	size_t n;
	int r;

	item.table.number = t->number;
	if (remove || !v)
		return sink(data, host, &item);
	r = route_entries_of(m, t, &entries, &n);
	if (!r)
		r = routes_of(m, t, entries, n, host, &routes);
	if (r)
		return r;
	object_id_text(&t->o, item.table.id);
	item.table.inside = route_table_is_inside(v, t);
	item.table.n_routes = routes.n;
	item.table.routes = routes.v;
	return sink(data, host, &item);
}

int plan_network_ways(const struct model *m, const struct vpc *v, uint32_t host, bool remove,
		      plan_sink_fn sink, void *data)
{
	struct model_iter it = model_iter_group(m, REL_VPC_TABLES, v->o.id);
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it)))
		r = emit_table(m, (const struct route_table *)o, host, remove, sink, data);
	if (!r)
		r = plan_network_peerings(m, v, host, remove, sink, data);
	return r ? r : plan_network_gateway(m, v, host, remove, sink, data);
}

/* ---- changes ---- */

static int emit_table_everywhere(struct planner *p, const struct route_table *t)
{
	const struct carried *c = carried_find(p->m, CARRIED_NETWORK, t->vni);
	int r = 0;

	for (size_t i = 0; c && i < c->n_hosts && !r; i++)
		if (c->hosts[i])
			r = emit_table(p->m, t, c->hosts[i], false, p->sink, p->data);
	return r;
}

/* The table leads elsewhere: so does what is led to NAT gateways in its subnets. */
static int emit_contents(struct planner *p, const struct route_table *t)
{
	int r = emit_table_everywhere(p, t);

	return r ? r : plan_nat_outer(p, t->vpc, t->o.id);
}

static bool same_routes(const struct route_table *a, const struct route_table *b)
{
	for (size_t i = 0; i < a->n_routes && a->n_routes == b->n_routes; i++)
		if (!prefix_equal(&a->routes[i].destination, &b->routes[i].destination) ||
		    a->routes[i].prefix_list != b->routes[i].prefix_list ||
		    a->routes[i].target != b->routes[i].target ||
		    a->routes[i].target_id != b->routes[i].target_id)
			return false;
	return a->n_routes == b->n_routes;
}

int plan_table_change(struct planner *p, const struct route_table *before,
		      const struct route_table *after)
{
	struct plan_item item = {.kind = PLAN_TABLE};

	if (!after) {
		item.table.number = before->number;
		return planner_emit_carriers(p, CARRIED_NETWORK, before->vni, &item, true);
	}
	return before && same_routes(before, after) ? 0 : emit_contents(p, after);
}

static bool same_list(const struct cidr_block *a, size_t n_a, const struct cidr_block *b,
		      size_t n_b)
{
	for (size_t i = 0; i < n_a && n_a == n_b; i++)
		if (!prefix_equal(&a[i].prefix, &b[i].prefix))
			return false;
	return n_a == n_b;
}

int plan_vpc_blocks(struct planner *p, const struct vpc *before, const struct vpc *after)
{
	struct model_iter it = model_iter_group(p->m, REL_VPC_TABLES, after->o.id);
	const struct object *o;
	int r = 0;

	if (same_list(before->blocks, before->n_blocks, after->blocks, after->n_blocks) &&
	    same_list(before->blocks6, before->n_blocks6, after->blocks6, after->n_blocks6))
		return 0;

	while (!r && (o = model_iter_next(&it)))
		r = emit_table_everywhere(p, (const struct route_table *)o);
	return r;
}

static bool same_entries(const struct prefix_list *a, const struct prefix_list *b)
{
	for (size_t i = 0; i < a->n_entries && a->n_entries == b->n_entries; i++)
		if (!prefix_equal(&a->entries[i].prefix, &b->entries[i].prefix))
			return false;
	return a->n_entries == b->n_entries;
}

int plan_list_change(struct planner *p, const struct prefix_list *before,
		     const struct prefix_list *after)
{
	struct model_iter it;
	const struct route_table *t;
	int r = 0;

	if (!before || !after || same_entries(before, after))
		return 0;
	it = model_iter_account(p->m, KIND_ROUTE_TABLE, after->o.account);
	while (!r && (t = route_table_next_by_list(&it, after->o.id)))
		r = emit_contents(p, t);
	return r;
}

static bool names(const struct route_table *t, enum route_target target, uint64_t id)
{
	for (size_t i = 0; i < t->n_routes; i++)
		if (t->routes[i].target == target && t->routes[i].target_id == id)
			return true;
	return false;
}

int plan_tables_to(struct planner *p, uint64_t vpc, enum route_target target, uint64_t id)
{
	struct model_iter it = model_iter_group(p->m, REL_VPC_TABLES, vpc);
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it)))
		if (names((const struct route_table *)o, target, id))
			r = emit_table_everywhere(p, (const struct route_table *)o);
	return r;
}

int plan_interface_routes(struct planner *p, const struct interface *before,
			  const struct interface *after)
{
	const struct interface *any = after ? after : before;

	if (!any->handle.number)
		return 0;
	if (before && after && interface_host(before) == interface_host(after) &&
	    before->handle.number == after->handle.number)
		return 0;
	return plan_tables_to(p, any->vpc, ROUTE_INTERFACE, any->o.id);
}
