/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Default VPCs.  See default_vpc.h.
 */
#include "model/default_vpc.h"

#include "base/str.h"
#include "model/cidr.h"
#include "model/edit.h"
#include "model/internet_gateway.h"
#include "model/route_table.h"
#include "model/zone.h"

#define BLOCK "172.31.0.0/16"

enum { SUBNET_LEN = 20, SUBNETS = 1 << (SUBNET_LEN - 16) };

const struct vpc *default_vpc_of(const struct model *m, uint64_t account)
{
	struct model_iter it = model_iter_account(m, KIND_VPC, account);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (((const struct vpc *)o)->is_default)
			return (const struct vpc *)o;
	return NULL;
}

/* The default subnet of exactly this zone. */
static const struct subnet *subnet_in_zone(const struct model *m, const struct vpc *v,
					   const char *zone)
{
	struct model_iter it = model_iter_group(m, REL_VPC_SUBNETS, v->o.id);
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct subnet *s = (const struct subnet *)o;

		if (s->is_default && (!zone || str_equal(s->zone, zone)))
			return s;
	}
	return NULL;
}

const struct subnet *default_subnet_of(const struct model *m, uint64_t account, const char *zone)
{
	const struct vpc *v = default_vpc_of(m, account);
	const struct subnet *s;

	if (!v)
		return NULL;
	if (zone)
		return subnet_in_zone(m, v, zone);
	s = subnet_in_zone(m, v, zone_default(m));
	return s ? s : subnet_in_zone(m, v, NULL);
}

static int mark_vpc(struct tx *tx, const struct vpc *v, const struct vpc **ret)
{
	struct vpc *new = NULL;
	int r = TX_EDIT(tx, v, &new);

	if (r)
		return r;
	new->is_default = true;
	new->dns_hostnames = true;
	*ret = new;
	return TX_PUT(tx, v, &new);
}

static int mark_subnet(struct tx *tx, const struct subnet *s, const struct subnet **ret)
{
	struct subnet *new = NULL;
	int r = TX_EDIT(tx, s, &new);

	if (r)
		return r;
	new->is_default = true;
	new->map_public_ip = true;
	*ret = new;
	return TX_PUT(tx, s, &new);
}

/* The first /20 of the VPC's block that overlaps no subnet. */
static int make_subnet(struct tx *tx, const struct caller *c, const struct vpc *v, const char *zone,
		       const struct subnet **ret, struct refusal *reterr)
{
	char cidr[PREFIX_TEXT_SIZE], id[ID_TEXT_SIZE];
	const struct subnet_create_args args = {
		.vpc_id = object_id_text(&v->o, id), .cidr = cidr, .zone = zone};
	struct prefix prefix = v->blocks[0].prefix;
	const struct subnet *s;
	int r = MODEL_E_SUBNET_CONFLICT;

	prefix.len = 96 + SUBNET_LEN;
	for (uint32_t n = 0; n < SUBNETS && r == MODEL_E_SUBNET_CONFLICT; n++) {
		prefix.addr = cidr_addr(&v->blocks[0].prefix, n << (32 - SUBNET_LEN));
		prefix_text(&prefix, cidr);
		r = subnet_create(tx, c, &args, &s, reterr);
	}
	return r ? r : mark_subnet(tx, s, ret);
}

static int make_way_out(struct tx *tx, const struct caller *c, const struct vpc *v,
			struct refusal *reterr)
{
	char vpc[ID_TEXT_SIZE], gateway[ID_TEXT_SIZE], table[ID_TEXT_SIZE];
	const struct route_args route = {
		.table_id = table, .cidr = "0.0.0.0/0", .gateway_id = gateway};
	const struct internet_gateway *g;
	int r = internet_gateway_create(tx, c, NULL, 0, &g, reterr);

	if (r)
		return r;
	object_id_text(&v->o, vpc);
	object_id_text(&g->o, gateway);
	id_text(KIND_ROUTE_TABLE, v->main_table, table);
	r = internet_gateway_attach(tx, c, gateway, vpc, reterr);
	return r ? r : route_create(tx, c, &route, reterr);
}

static int do_create(struct tx *tx, const struct caller *c, const struct vpc **ret,
		     struct refusal *reterr)
{
	const struct vpc_create_args args = {.cidr = BLOCK};
	const struct vpc *v = default_vpc_of(tx->m, c->account);
	char id[ID_TEXT_SIZE];
	const struct subnet *s;
	int r;

	if (v)
		return refuse(reterr, MODEL_E_DEFAULT_VPC_EXISTS, object_id_text(&v->o, id));
	r = vpc_create(tx, c, &args, &v, reterr);
	if (!r)
		r = mark_vpc(tx, v, &v);
	for (size_t i = 0; i < MODEL_ZONES && !r; i++)
		r = make_subnet(tx, c, v, model_zone(tx->m, i), &s, reterr);
	if (!r)
		r = make_way_out(tx, c, v, reterr);
	if (!r)
		*ret = v;
	return r;
}

int default_vpc_create(struct tx *tx, const struct caller *c, const struct vpc **ret,
		       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, ret, reterr));
}

int default_subnet_create(struct tx *tx, const struct caller *c, const char *zone,
			  const struct subnet **ret, struct refusal *reterr)
{
	const struct vpc *v = default_vpc_of(tx->m, c->account);
	const char *name = zone_find(tx->m, zone);
	size_t mark = tx_mark(tx);

	if (!name)
		return refuse(reterr, MODEL_E_VALUE, zone, "availabilityZone",
			      "It is one of DescribeAvailabilityZones.");
	if (!v)
		return refuse(reterr, MODEL_E_NO_DEFAULT_VPC_THERE, zone);
	if (subnet_in_zone(tx->m, v, name))
		return refuse(reterr, MODEL_E_DEFAULT_SUBNET_EXISTS, name);
	return tx_settle(tx, mark, make_subnet(tx, c, v, name, ret, reterr));
}
