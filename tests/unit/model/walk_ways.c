/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on ways out of networks, for the walk.  See walk.h. */
#include <stdio.h>

#include "model/egress_gateway.h"
#include "model/internet_gateway.h"
#include "model/route_table.h"
#include "tests/unit/model/walk.h"

static int step_table_create(struct walk *w, struct tx *tx)
{
	struct route_table_create_args args = {.vpc_id = walk_some(w, KIND_VPC)};
	const struct route_table *t;
	int r;

	if (model_count(w->c.m, KIND_ROUTE_TABLE) > 8)
		return 0;
	r = route_table_create(tx, walk_someone(w), &args, &t, &w->c.refusal);
	if (!r)
		walk_remember(w, &t->o);
	return r;
}

static int step_table_delete(struct walk *w, struct tx *tx)
{
	return route_table_delete(tx, walk_someone(w), walk_some(w, KIND_ROUTE_TABLE),
				  &w->c.refusal);
}

/* The main tables come with their networks, and have to be met. */
static const char *some_table(struct walk *w, char buf[static ID_TEXT_SIZE])
{
	const struct vpc *v;

	if (walk_random(w, 3) ||
	    vpc_find(w->c.m, &w->c.operator, walk_some(w, KIND_VPC), &v, NULL))
		return walk_some(w, KIND_ROUTE_TABLE);
	return id_text(KIND_ROUTE_TABLE, v->main_table, buf);
}

static struct route_args some_route(struct walk *w, char table[static ID_TEXT_SIZE])
{
	static const char *const cidrs[] = {"0.0.0.0/0",   "192.168.0.0/16", "10.0.0.0/8",
					    "10.0.0.0/24", "8.8.8.8/32",     "nonsense"};
	struct route_args args = {.table_id = some_table(w, table)};

	if (walk_random(w, 4))
		args.cidr = cidrs[walk_random(w, ARRAY_SIZE(cidrs))];
	else
		args.ipv6_cidr = walk_random(w, 2) ? "::/0" : "2001:db8::/32";
	switch (walk_random(w, 4)) {
	case 0:
		args.gateway_id = walk_some(w, KIND_INTERNET_GATEWAY);
		break;
	case 1:
		args.egress_gateway_id = walk_some(w, KIND_EGRESS_GATEWAY);
		break;
	case 2:
		args.interface_id = walk_some(w, KIND_INTERFACE);
		break;
	default:
		args.instance_id = walk_some(w, KIND_INSTANCE);
	}
	return args;
}

static int step_route(struct walk *w, struct tx *tx)
{
	char table[ID_TEXT_SIZE];
	struct route_args args = some_route(w, table);

	switch (walk_random(w, 5)) {
	case 0:
		return route_delete(tx, walk_someone(w), &args, &w->c.refusal);
	case 1:
		return route_replace(tx, walk_someone(w), &args, &w->c.refusal);
	default:
		return route_create(tx, walk_someone(w), &args, &w->c.refusal);
	}
}

static const char *some_association(struct walk *w, char buf[static ID_TEXT_SIZE])
{
	const struct subnet *s;
	const struct vpc *v;
	uint64_t id = walk_random(w, 3);

	if (walk_random(w, 2) &&
	    !subnet_find(w->c.m, &w->c.operator, walk_some(w, KIND_SUBNET), &s, NULL))
		id = s->table_association;
	else if (!vpc_find(w->c.m, &w->c.operator, walk_some(w, KIND_VPC), &v, NULL))
		id = v->main_association;
	return id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, id, buf);
}

static int step_associate(struct walk *w, struct tx *tx)
{
	char text[ID_TEXT_SIZE], table[ID_TEXT_SIZE];
	uint64_t id;
	bool main;

	switch (walk_random(w, 3)) {
	case 0:
		return route_table_associate(tx, walk_someone(w), some_table(w, table),
					     walk_some(w, KIND_SUBNET), &id, &w->c.refusal);
	case 1:
		return route_table_disassociate(tx, walk_someone(w), some_association(w, text),
						&w->c.refusal);
	default:
		return route_table_reassociate(tx, walk_someone(w), some_association(w, text),
					       some_table(w, table), &id, &main, &w->c.refusal);
	}
}

static int step_internet_gateway(struct walk *w, struct tx *tx)
{
	const char *id = walk_some(w, KIND_INTERNET_GATEWAY);
	const struct internet_gateway *g;
	int r;

	switch (walk_random(w, 5)) {
	case 0:
		if (model_count(w->c.m, KIND_INTERNET_GATEWAY) > 4)
			return 0;
		r = internet_gateway_create(tx, &w->c.me, NULL, 0, &g, &w->c.refusal);
		if (!r)
			walk_remember(w, &g->o);
		return r;
	case 1:
		return internet_gateway_delete(tx, walk_someone(w), id, &w->c.refusal);
	case 2:
		return internet_gateway_detach(tx, walk_someone(w), id, walk_some(w, KIND_VPC),
					       &w->c.refusal);
	default:
		return internet_gateway_attach(tx, walk_someone(w), id, walk_some(w, KIND_VPC),
					       &w->c.refusal);
	}
}

static int step_egress_gateway(struct walk *w, struct tx *tx)
{
	struct egress_gateway_create_args args = {.vpc_id = walk_some(w, KIND_VPC)};
	const struct egress_gateway *g;
	char token[8];
	int r;

	if (!walk_random(w, 3))
		return egress_gateway_delete(tx, walk_someone(w),
					     walk_some(w, KIND_EGRESS_GATEWAY), &w->c.refusal);
	snprintf(token, sizeof(token), "e%u", walk_random(w, 9));
	if (walk_random(w, 2))
		args.token.token = token;
	r = egress_gateway_create(tx, walk_someone(w), &args, &g, &w->c.refusal);
	if (!r)
		walk_remember(w, &g->o);
	return r;
}

int walk_step_ways(struct walk *w, struct tx *tx)
{
	static int (*const steps[])(struct walk *w, struct tx *tx) = {
		step_table_create, step_table_delete,     step_route,          step_route,
		step_route,        step_associate,        step_associate,      step_internet_gateway,
		step_internet_gateway, step_egress_gateway,
	};

	return steps[walk_random(w, ARRAY_SIZE(steps))](w, tx);
}
