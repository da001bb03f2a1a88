/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes of a table: making, changing, deleting.  See route_table.h; where they lead is in
 * route_target.c.
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/cidr.h"
#include "model/cidr6.h"
#include "model/edit.h"
#include "model/internet_gateway.h"
#include "model/prefix_list.h"
#include "model/route_table.h"
#include "model/route_target.h"
#include "model/subnet.h"
#include "model/vpc.h"

/* ---- destinations ---- */

struct destination {
	struct prefix prefix;
	const struct prefix_list *list; /* NULL: 'prefix' */
	bool v6;
	const char *text; /* as it was named */
};

/* A table names lists of its owner alone, also when an operator asks. */
static int read_list(const struct model *m, const struct route_table *t, const char *id,
		     struct destination *ret, struct refusal *reterr)
{
	const struct caller owner = {.account = t->o.account};
	int r = prefix_list_find(m, &owner, id, &ret->list, reterr);

	if (r)
		return r;
	ret->text = id;
	ret->v6 = ret->list->v6;
	return 0;
}

static int read_destination(const struct model *m, const struct route_table *t,
			    const struct route_args *args, struct destination *ret,
			    struct refusal *reterr)
{
	int n = !!args->cidr + !!args->ipv6_cidr + !!args->prefix_list_id;

	*ret = (struct destination){.v6 = args->ipv6_cidr};
	if (!n)
		return refuse(reterr, MODEL_E_MISSING,
			      "destinationCidrBlock, destinationIpv6CidrBlock or "
			      "destinationPrefixListId");
	if (n > 1)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "Name one destination: destinationCidrBlock, "
			      "destinationIpv6CidrBlock or destinationPrefixListId.");
	if (args->prefix_list_id)
		return read_list(m, t, args->prefix_list_id, ret, reterr);
	ret->text = args->cidr ? args->cidr : args->ipv6_cidr;
	if (args->cidr && cidr_parse(args->cidr, &ret->prefix))
		return refuse(reterr, MODEL_E_VALUE, args->cidr, "destinationCidrBlock",
			      "This is not a valid CIDR block.");
	if (args->ipv6_cidr && cidr6_parse(args->ipv6_cidr, &ret->prefix))
		return refuse(reterr, MODEL_E_VALUE, args->ipv6_cidr, "destinationIpv6CidrBlock",
			      "This is not a valid IPv6 CIDR block.");
	return 0;
}

/* 0.0.0.0/0 is ::ffff:0:0/96, so that ::/0 would cover it if lengths alone decided. */
static bool same_destination(const struct route *r, const struct destination *d)
{
	if (d->list || r->prefix_list)
		return d->list && r->prefix_list == d->list->o.id;
	return prefix_equal(&r->destination, &d->prefix);
}

static size_t find_route(const struct route_table *t, const struct destination *d)
{
	size_t i = 0;

	while (i < t->n_routes && !same_destination(&t->routes[i], d))
		i++;
	return i;
}

/* ---- addresses of the network itself ---- */

const struct route *route_table_instead(const struct route_table *t, const struct prefix *block)
{
	for (size_t i = 0; i < t->n_routes; i++)
		if (!t->routes[i].prefix_list && prefix_equal(&t->routes[i].destination, block))
			return &t->routes[i];
	return NULL;
}

bool route_is_instead(const struct vpc *v, const struct route *r)
{
	const struct prefix *block = r->prefix_list ? NULL : vpc_block_over(v, &r->destination);

	return block && prefix_equal(block, &r->destination);
}

bool route_table_is_inside(const struct vpc *v, const struct route_table *t)
{
	for (size_t i = 0; i < t->n_routes; i++)
		if (!t->routes[i].prefix_list && vpc_block_over(v, &t->routes[i].destination))
			return true;
	return false;
}

static bool is_subnet(const struct model *m, const struct vpc *v, const struct prefix *p)
{
	struct model_iter it = model_iter_group(m, REL_VPC_SUBNETS, v->o.id);
	const struct subnet *s;

	while ((s = (const struct subnet *)model_iter_next(&it)))
		if (prefix_equal(&s->prefix, p) ||
		    (subnet_has_block6(s) && prefix_equal(&s->prefix6, p)))
			return true;
	return false;
}

/* The block of the network that has the whole destination; NULL: none.  Of a list the local routes
 * decide what lies inside them. */
static const struct prefix *local_block(const struct model *m, const struct route_table *t,
					const struct destination *d)
{
	const struct vpc *v = (const struct vpc *)model_get(m, KIND_VPC, t->vpc);

	return d->list ? NULL : vpc_block_over(v, &d->prefix);
}

/* Is it a local route's destination? */
static bool is_block(const struct model *m, const struct route_table *t,
		     const struct destination *d)
{
	const struct prefix *block = local_block(m, t, d);

	return block && prefix_equal(block, &d->prefix);
}

static int check_local(const struct model *m, const struct route_table *t,
		       const struct route_args *args, bool replace, const struct destination *d,
		       struct refusal *reterr)
{
	const struct prefix *block = local_block(m, t, d);
	bool whole = is_block(m, t, d);

	if (args->local && (!replace || !whole))
		return refuse(reterr, MODEL_E_ROUTE_NOT_LOCAL, d->text, args->table_id);
	if (!block || args->local)
		return 0;
	if (!args->interface_id && !args->instance_id)
		return refuse(reterr, MODEL_E_ROUTE_LOCAL, d->text);
	if (whole)
		return replace ? 0 : refuse(reterr, MODEL_E_ROUTE_EXISTS, d->text);
	return replace || is_subnet(m, (const struct vpc *)model_get(m, KIND_VPC, t->vpc),
				    &d->prefix)
		       ? 0
		       : refuse(reterr, MODEL_E_ROUTE_SUBNET, d->text);
}

/* Of a table that serves a gateway. */
static int check_gateway(const struct model *m, const struct route_table *t,
			 const struct route_args *args, const struct destination *d,
			 const struct route_end *target, struct refusal *reterr)
{
	const struct vpc *v = (const struct vpc *)model_get(m, KIND_VPC, t->vpc);
	const struct internet_gateway *g = route_table_gateway(m, t);
	const struct route route = {
		.destination = d->prefix,
		.prefix_list = d->list ? d->list->o.id : 0,
		.target = target->target,
	};
	char id[ID_TEXT_SIZE];

	if (!g || target->local || route_suits_gateway(v, &route))
		return 0;
	return refuse(reterr, MODEL_E_GATEWAY_ROUTE, args->table_id, object_id_text(&g->o, id),
		      d->text);
}

/* ---- operations ---- */

size_t route_table_size(const struct model *m, const struct route_table *t)
{
	size_t n = t->n_routes;

	for (size_t i = 0; i < t->n_routes; i++) {
		const struct prefix_list *l = (const struct prefix_list *)model_get(
			m, KIND_PREFIX_LIST, t->routes[i].prefix_list);

		if (l)
			n += l->max_entries - 1;
	}
	return n;
}

static int append(struct route_table *t, const struct route *route)
{
	struct route *routes = reallocarray(t->routes, t->n_routes + 1, sizeof(*routes));

	if (!routes)
		return -ENOMEM;
	t->routes = routes;
	routes[t->n_routes++] = *route;
	return 0;
}

static int put_route(struct tx *tx, const struct route_table *old, size_t place,
		     const struct destination *d, const struct route_end *target)
{
	struct route route = {
		.destination = d->prefix,
		.prefix_list = d->list ? d->list->o.id : 0,
		.target = target->target,
		.target_id = target->id,
	};
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct route_table *new;
	int r = tx_edit(tx, &old->o, &o);

	if (r)
		return r;
	new = (struct route_table *)o;
	if (place == new->n_routes)
		r = append(new, &route);
	else
		new->routes[place] = route;
	if (r || record_equal(&old->o, o))
		return r;
	return tx_put(tx, &old->o, &o);
}

static int drop_route(struct tx *tx, const struct route_table *old, size_t place)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct route_table *new;
	int r = tx_edit(tx, &old->o, &o);

	if (r)
		return r;
	new = (struct route_table *)o;
	new->n_routes--;
	memmove(&new->routes[place], &new->routes[place + 1],
		(new->n_routes - place) * sizeof(*new->routes));
	return tx_put(tx, &old->o, &o);
}

static int do_create(struct tx *tx, const struct caller *c, const struct route_args *args,
		     bool replace, struct refusal *reterr)
{
	const struct route_table *t;
	struct destination d;
	struct route_end target;
	size_t place = 0;
	int r = route_table_find(tx->m, c, args->table_id, &t, reterr);

	if (!r)
		r = read_destination(tx->m, t, args, &d, reterr);
	if (!r)
		r = check_local(tx->m, t, args, replace, &d, reterr);
	if (!r)
		r = route_target_read(tx->m, c, t, args, d.v6, &target, reterr);
	if (!r)
		r = check_gateway(tx->m, t, args, &d, &target, reterr);
	if (r)
		return r;
	place = find_route(t, &d);
	if (target.local)
		return place < t->n_routes ? drop_route(tx, t, place) : 0;
	if (place < t->n_routes && !replace)
		return refuse(reterr, MODEL_E_ROUTE_EXISTS, d.text);
	if (place == t->n_routes && replace && !is_block(tx->m, t, &d))
		return refuse(reterr, MODEL_E_ROUTE_UNDEFINED, d.text);
	if (place == t->n_routes &&
	    route_table_size(tx->m, t) + (d.list ? d.list->max_entries : 1) > LIMIT_MODEL_ROUTES)
		return refuse(reterr, MODEL_E_ROUTE_LIMIT, args->table_id);
	r = route_target_take(tx, &target, reterr);
	return r ? r : put_route(tx, t, place, &d, &target);
}

int route_create(struct tx *tx, const struct caller *c, const struct route_args *args,
		 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, false, reterr));
}

int route_replace(struct tx *tx, const struct caller *c, const struct route_args *args,
		  struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, true, reterr));
}

static int do_delete(struct tx *tx, const struct caller *c, const struct route_args *args,
		     struct refusal *reterr)
{
	const struct route_table *t;
	struct destination d;
	size_t place;
	int r = route_table_find(tx->m, c, args->table_id, &t, reterr);

	if (!r)
		r = read_destination(tx->m, t, args, &d, reterr);
	if (r)
		return r;
	if (is_block(tx->m, t, &d))
		return refuse(reterr, MODEL_E_ROUTE_STAYS, d.text, args->table_id);
	place = find_route(t, &d);
	return place < t->n_routes
		       ? drop_route(tx, t, place)
		       : refuse(reterr, MODEL_E_ROUTE_NOT_FOUND, d.text, args->table_id);
}

int route_delete(struct tx *tx, const struct caller *c, const struct route_args *args,
		 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_delete(tx, c, args, reterr));
}
