/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What packets are allowed and where they may go: groups, ACLs, route tables, peerings, and an
 * edge's gateways and public addresses.
 *
 * The data plane says which of them it has, not what is in them.  So 'applied' remembers what this
 * opening of it has taken, and the rest is set again, which changes nothing where it is the same.
 */
#include "agent/reconcile.h"

#include <stdlib.h>

#include "agent/handoff.h"

/* The data plane's id of the manager's host 'number', which may be this one. */
static uint32_t reconcile_host_id(const struct reconcile *r, uint32_t number)
{
	return number == r->desired->host.number ? DP_PEER_SELF : number;
}

/* A way to a host that is none: a handle that nobody has. */
static void reconcile_place(const struct reconcile *r, uint32_t number, uint32_t handle,
			    uint32_t *ret_peer, uint32_t *ret_handle)
{
	*ret_peer = number ? reconcile_host_id(r, number) : DP_PEER_SELF;
	*ret_handle = number ? handle : 0;
}

void reconcile_exits(const struct reconcile *r, const struct desired_interface *i,
		     struct dp_port *port)
{
	for (uint32_t n = 0; n < i->n_exits; n++) {
		const struct desired_exit *from = &i->exits[n];
		struct dp_exit *to = &port->exits[n];

		to->addr = from->addr;
		reconcile_place(r, from->peer, from->handle, &to->peer, &to->handle);
	}
	port->n_exits = i->n_exits;
}

static int reconcile_set_table(struct reconcile *r, const struct desired_table *t)
{
	struct dp_route *routes = calloc(t->n_routes + 1, sizeof(*routes));
	int e;

	if (!routes)
		return -ENOMEM;
	for (size_t n = 0; n < t->n_routes; n++) {
		/* The handle of what is here is needed, too: by it an edge lets answers in. */
		routes[n] = t->routes[n];
		routes[n].peer = reconcile_host_id(r, t->routes[n].peer);
	}
	e = datapath_table_set(r->dp, &(struct dp_table){.number = t->number,
							 .inside = t->inside,
							 .n_routes = t->n_routes,
							 .routes = routes});
	free(routes);
	return e;
}

/* One that is on its way to another edge stays closed whatever else is told of it. */
static int reconcile_set_gateway(struct reconcile *r, const struct desired_gateway *g)
{
	struct dp_gateway gateway = g->dp;

	gateway.closed = handoff_closes(r->handoff, gateway.handle);
	return datapath_gateway_set(r->dp, &gateway);
}

static int reconcile_set_item(struct reconcile *r, enum desired_kind kind,
			      const struct desired_item *item)
{
	const struct desired_peering *peering;

	switch (kind) {
	case DESIRED_GROUP:
		return datapath_group_set(r->dp, &((const struct desired_group *)item)->dp);
	case DESIRED_ACL:
		return datapath_acl_set(r->dp, &((const struct desired_acl *)item)->dp);
	case DESIRED_TABLE:
		return reconcile_set_table(r, (const struct desired_table *)item);
	case DESIRED_PEERING:
		peering = (const struct desired_peering *)item;
		return datapath_peering_set(r->dp, peering->vni_a, peering->vni_b);
	case DESIRED_GATEWAY:
		return reconcile_set_gateway(r, (const struct desired_gateway *)item);
	case DESIRED_PUBLIC:
		return datapath_public_set(r->dp, &((const struct desired_public *)item)->dp);
	default:
		return -EINVAL;
	}
}

/* The world is told of it: a public address, or a gateway that has one. */
static bool reconcile_is_public(enum desired_kind kind, const struct desired_item *item)
{
	return kind == DESIRED_PUBLIC ||
	       (kind == DESIRED_GATEWAY &&
		desired_gateway_is_public((const struct desired_gateway *)item));
}

int reconcile_way_set(struct reconcile *r, enum desired_kind kind, struct desired_item *item)
{
	int e;

	if (r->remembers && reconcile_is_public(kind, item))
		return 0;
	e = reconcile_set_item(r, kind, item);
	if (e)
		return e;
	item->applied = r->opening;
	r->n_set++;
	return 0;
}

int reconcile_way_delete(struct reconcile *r, const struct desired_key *key)
{
	switch (key->kind) {
	case DESIRED_GROUP:
		return datapath_group_delete(r->dp, key->number);
	case DESIRED_ACL:
		return datapath_acl_delete(r->dp, key->number);
	case DESIRED_TABLE:
		return datapath_table_delete(r->dp, key->number);
	case DESIRED_PEERING:
		return datapath_peering_delete(r->dp, key->vni_a, key->vni_b);
	case DESIRED_GATEWAY:
		handoff_gone(r->handoff, key->number);
		return datapath_gateway_delete(r->dp, key->number);
	case DESIRED_PUBLIC:
		return datapath_public_delete(r->dp, &key->prefix.addr);
	default:
		return -EINVAL;
	}
}

/* ---- what is there ---- */

static int reconcile_see_way(struct reconcile_actual *a, const struct desired_key *key)
{
	struct desired_item *item = desired_find(a->r->desired, key);

	if (!item)
		return reconcile_note_unwanted(a, key);
	if (item->applied == a->r->opening)
		item->seen = a->r->round;
	return 0;
}

static int reconcile_see_number(struct reconcile_actual *a, enum desired_kind kind, uint32_t number)
{
	return reconcile_see_way(a, &(struct desired_key){.kind = kind, .number = number});
}

static int reconcile_see_group(uint32_t number, void *arg)
{
	return reconcile_see_number(arg, DESIRED_GROUP, number);
}

static int reconcile_see_acl(uint32_t number, void *arg)
{
	return reconcile_see_number(arg, DESIRED_ACL, number);
}

static int reconcile_see_table(uint32_t number, void *arg)
{
	return reconcile_see_number(arg, DESIRED_TABLE, number);
}

static int reconcile_see_gateway(uint32_t handle, void *arg)
{
	const struct reconcile_actual *a = arg;

	if (handoff_stands_by(a->r->handoff, handle) &&
	    !desired_find_gateway(a->r->desired, handle))
		return 0;
	return reconcile_see_number(arg, DESIRED_GATEWAY, handle);
}

static int reconcile_see_peering(uint32_t vni_a, uint32_t vni_b, void *arg)
{
	return reconcile_see_way(
		arg,
		&(struct desired_key){.kind = DESIRED_PEERING, .vni_a = vni_a, .vni_b = vni_b});
}

static int reconcile_see_public(const struct ipaddr *public, void *arg)
{
	return reconcile_see_way(arg, &(struct desired_key){.kind = DESIRED_PUBLIC,
							    .prefix = prefix_make(public, 128)});
}

int reconcile_see_ways(struct reconcile_actual *a)
{
	struct datapath *dp = a->r->dp;
	int e = datapath_groups(dp, reconcile_see_group, a);

	if (!e)
		e = datapath_acls(dp, reconcile_see_acl, a);
	if (!e)
		e = datapath_tables(dp, reconcile_see_table, a);
	if (!e)
		e = datapath_peerings(dp, reconcile_see_peering, a);
	if (!e)
		e = datapath_gateways(dp, reconcile_see_gateway, a);
	if (!e)
		e = datapath_publics(dp, reconcile_see_public, a);
	return e;
}
