/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom route tables serve: subnets, a VPC as its main one, or an internet gateway.  See
 * route_table.h.
 */

#include "base/hash.h"
#include "base/str.h"
#include "model/edit.h"
#include "model/internet_gateway.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/vpc.h"

/* What an association's id names: one of them is set. */
struct association {
	const struct subnet *subnet;
	const struct vpc *vpc;
	const struct internet_gateway *gateway;
};

static const struct subnet *subnet_by_association(const struct model *m, uint64_t id)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_TABLE_ASSOCIATION, hash_u64(id));

	for (; n; n = hmap_next_at(n)) {
		const struct subnet *s = hmap_entry(n, const struct subnet, by_table_association);

		if (s->table_association == id)
			return s;
	}
	return NULL;
}

static const struct vpc *vpc_by_association(const struct model *m, uint64_t id)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_MAIN_ASSOCIATION, hash_u64(id));

	for (; n; n = hmap_next_at(n)) {
		const struct vpc *v = hmap_entry(n, const struct vpc, by_main_association);

		if (v->main_association == id)
			return v;
	}
	return NULL;
}

static const struct internet_gateway *gateway_by_association(const struct model *m, uint64_t id)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_GATEWAY_ASSOCIATION, hash_u64(id));

	for (; n; n = hmap_next_at(n)) {
		const struct internet_gateway *g =
			hmap_entry(n, const struct internet_gateway, by_table_association);

		if (g->table_association == id)
			return g;
	}
	return NULL;
}

static int find_association(const struct model *m, const struct caller *c, const char *text,
			    struct association *ret, struct refusal *reterr)
{
	struct association a = {};
	uint64_t id;

	if (!id_parse_prefixed(ID_PREFIX_TABLE_ASSOCIATION, text, &id) && id) {
		a.subnet = subnet_by_association(m, id);
		a.vpc = vpc_by_association(m, id);
		a.gateway = gateway_by_association(m, id);
	}
	if (a.subnet && !caller_sees(c, &a.subnet->o))
		a.subnet = NULL;
	if (a.vpc && !caller_sees(c, &a.vpc->o))
		a.vpc = NULL;
	if (a.gateway && !caller_sees(c, &a.gateway->o))
		a.gateway = NULL;
	if (!a.subnet && !a.vpc && !a.gateway)
		return refuse(reterr, MODEL_E_ASSOCIATION_NOT_FOUND, text);
	*ret = a;
	return 0;
}

static uint64_t vpc_of(const struct association *a)
{
	return a->subnet ? a->subnet->vpc : a->gateway ? a->gateway->vpc : a->vpc->o.id;
}

static uint64_t table_of(const struct association *a)
{
	return a->subnet ? a->subnet->table : a->gateway ? a->gateway->table : a->vpc->main_table;
}

static uint64_t id_of(const struct association *a)
{
	return a->subnet    ? a->subnet->table_association
	       : a->gateway ? a->gateway->table_association
			    : a->vpc->main_association;
}

static int set_subnet(struct tx *tx, const struct subnet *s, uint64_t table, uint64_t association)
{
	struct subnet *new = NULL;
	int r = TX_EDIT(tx, s, &new);

	if (r)
		return r;
	new->table = table;
	new->table_association = association;
	return TX_PUT(tx, s, &new);
}

static int set_main(struct tx *tx, const struct vpc *v, uint64_t table, uint64_t association)
{
	struct vpc *new = NULL;
	int r = TX_EDIT(tx, v, &new);

	if (r)
		return r;
	new->main_table = table;
	new->main_association = association;
	return TX_PUT(tx, v, &new);
}

static int set_gateway(struct tx *tx, const struct internet_gateway *g, uint64_t table,
		       uint64_t association)
{
	struct internet_gateway *new = NULL;
	int r = TX_EDIT(tx, g, &new);

	if (r)
		return r;
	new->table = table;
	new->table_association = association;
	return TX_PUT(tx, g, &new);
}

static int set(struct tx *tx, const struct association *a, uint64_t table, uint64_t association)
{
	if (a->subnet)
		return set_subnet(tx, a->subnet, table, association);
	if (a->gateway)
		return set_gateway(tx, a->gateway, table, association);
	return set_main(tx, a->vpc, table, association);
}

/* ---- which table may serve whom ---- */

bool route_suits_gateway(const struct vpc *v, const struct route *r)
{
	return !r->prefix_list && r->target == ROUTE_INTERFACE &&
	       vpc_block_over(v, &r->destination);
}

static int check_for_gateway(const struct model *m, const struct route_table *t,
			     const char *table_id, const char *gateway_id, struct refusal *reterr)
{
	const struct vpc *v = (const struct vpc *)model_get(m, KIND_VPC, t->vpc);

	if (route_table_is_main(m, t))
		return refuse(reterr, MODEL_E_TABLE_NO_GATEWAYS, table_id, gateway_id,
			      "It is the main route table of its VPC.");
	if (model_group_count(m, REL_TABLE_SUBNETS, t->o.id))
		return refuse(reterr, MODEL_E_TABLE_NO_GATEWAYS, table_id, gateway_id,
			      "Subnets are associated with it.");
	for (size_t i = 0; i < t->n_routes; i++)
		if (!route_suits_gateway(v, &t->routes[i]))
			return refuse(reterr, MODEL_E_TABLE_NO_GATEWAYS, table_id, gateway_id,
				      "It has routes other than those of the CIDR blocks of the "
				      "VPC and its subnets to a network interface or an "
				      "instance: DeleteRoute first.");
	return 0;
}

static int check_for_subnets(const struct model *m, const struct route_table *t,
			     const char *table_id, struct refusal *reterr)
{
	const struct internet_gateway *g = route_table_gateway(m, t);
	char id[ID_TEXT_SIZE];

	return g ? refuse(reterr, MODEL_E_TABLE_OF_GATEWAY, table_id, object_id_text(&g->o, id))
		 : 0;
}

/* ---- operations ---- */

static int associate(struct tx *tx, const struct association *a, const struct route_table *t,
		     uint64_t *ret)
{
	size_t mark = tx_mark(tx);
	uint64_t id = tx_random(tx);
	int r = tx_settle(tx, mark, set(tx, a, t->o.id, id));

	if (!r)
		*ret = id;
	return r;
}

int route_table_associate(struct tx *tx, const struct caller *c, const char *table_id,
			  const char *subnet_id, uint64_t *ret, struct refusal *reterr)
{
	const struct route_table *t;
	struct association a = {};
	int r = route_table_find(tx->m, c, table_id, &t, reterr);

	if (!r)
		r = subnet_find(tx->m, c, subnet_id, &a.subnet, reterr);
	if (r)
		return r;
	if (a.subnet->vpc != t->vpc)
		return refuse(reterr, MODEL_E_ROUTE_NETWORKS, table_id, "subnet", subnet_id);
	if (a.subnet->table)
		return refuse(reterr, MODEL_E_TABLE_ASSOCIATED, table_id);
	r = check_for_subnets(tx->m, t, table_id, reterr);
	return r ? r : associate(tx, &a, t, ret);
}

int route_table_associate_gateway(struct tx *tx, const struct caller *c, const char *table_id,
				  const char *gateway_id, uint64_t *ret, struct refusal *reterr)
{
	const struct route_table *t;
	struct association a = {};
	int r = route_table_find(tx->m, c, table_id, &t, reterr);

	if (r)
		return r;
	if (str_has_prefix(gateway_id, "vgw-"))
		return refuse(reterr, MODEL_E_VPN_GATEWAY_NOT_FOUND, gateway_id);
	if (internet_gateway_find(tx->m, c, gateway_id, &a.gateway, NULL))
		return refuse(reterr, MODEL_E_GATEWAY_NOT_FOUND, gateway_id);
	if (a.gateway->vpc != t->vpc)
		return refuse(reterr, MODEL_E_ROUTE_NETWORKS, table_id, "network gateway",
			      gateway_id);
	if (a.gateway->table)
		return refuse(reterr, MODEL_E_TABLE_ASSOCIATED, table_id);
	r = check_for_gateway(tx->m, t, table_id, gateway_id, reterr);
	return r ? r : associate(tx, &a, t, ret);
}

int route_table_disassociate(struct tx *tx, const struct caller *c, const char *association_id,
			     struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	struct association a;
	int r = find_association(tx->m, c, association_id, &a, reterr);

	if (r)
		return r;
	if (a.vpc)
		return refuse(reterr, MODEL_E_ASSOCIATION_MAIN, association_id);
	return tx_settle(tx, mark, set(tx, &a, 0, 0));
}

int route_table_reassociate(struct tx *tx, const struct caller *c, const char *association_id,
			    const char *table_id, uint64_t *ret, bool *ret_main,
			    struct refusal *reterr)
{
	const struct route_table *t;
	char gateway[ID_TEXT_SIZE];
	struct association a;
	int r = find_association(tx->m, c, association_id, &a, reterr);

	if (!r)
		r = route_table_find(tx->m, c, table_id, &t, reterr);
	if (r)
		return r;
	if (t->vpc != vpc_of(&a))
		return refuse(reterr, MODEL_E_ROUTE_NETWORKS, table_id, "association",
			      association_id);
	*ret_main = a.vpc;
	if (t->o.id == table_of(&a)) {
		*ret = id_of(&a);
		return 0;
	}
	r = a.gateway ? check_for_gateway(tx->m, t, table_id,
					  object_id_text(&a.gateway->o, gateway), reterr)
		      : check_for_subnets(tx->m, t, table_id, reterr);
	return r ? r : associate(tx, &a, t, ret);
}
