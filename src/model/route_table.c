/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Route tables.  See route_table.h; the routes are in route.c, whom tables serve in
 * table_association.c.
 */
#include "model/route_table.h"

#include "base/limits.h"
#include "model/counters.h"
#include "model/edit.h"
#include "model/internet_gateway.h"
#include "model/subnet.h"
#include "model/token_edit.h"
#include "model/vpc.h"

#define OPERATION "CreateRouteTable"

int route_table_find(const struct model *m, const struct caller *c, const char *id,
		     const struct route_table **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_ROUTE_TABLE, id, &number))
		o = model_get(m, KIND_ROUTE_TABLE, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_TABLE_NOT_FOUND, id);
	*ret = (const struct route_table *)o;
	return 0;
}

const struct route_table *route_table_of(const struct model *m, const struct subnet *s)
{
	const struct vpc *v;
	uint64_t id = s->table;

	if (!id) {
		v = (const struct vpc *)model_get(m, KIND_VPC, s->vpc);
		id = v ? v->main_table : 0;
	}
	return id ? (const struct route_table *)model_get(m, KIND_ROUTE_TABLE, id) : NULL;
}

const struct route_table *route_table_next_by_list(struct model_iter *it, uint64_t list)
{
	const struct route_table *t;

	while ((t = (const struct route_table *)model_iter_next(it)))
		for (size_t i = 0; i < t->n_routes; i++)
			if (t->routes[i].prefix_list == list)
				return t;
	return NULL;
}

bool route_table_is_main(const struct model *m, const struct route_table *t)
{
	const struct vpc *v = (const struct vpc *)model_get(m, KIND_VPC, t->vpc);

	return v && v->main_table == t->o.id;
}

const struct internet_gateway *route_table_gateway(const struct model *m,
						   const struct route_table *t)
{
	const struct internet_gateway *g = internet_gateway_of(m, t->vpc);

	return g && g->table == t->o.id ? g : NULL;
}

/* ---- making and deleting ---- */

static int make(struct tx *tx, const struct vpc *v, const struct tag_args *tags, size_t n_tags,
		const struct route_table **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct route_table *t;
	int r = tx_make(tx, KIND_ROUTE_TABLE, v->o.account, &o);

	if (r)
		return r;
	t = (struct route_table *)o;
	t->vpc = v->o.id;
	t->vni = v->vni;
	r = tags_set(o, tags, n_tags, reterr);
	if (!r)
		r = counters_next_table(tx, &t->number, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = t;
	return r;
}

static int do_create(struct tx *tx, const struct caller *c,
		     const struct route_table_create_args *args, const struct route_table **ret,
		     struct refusal *reterr)
{
	const struct route_table *made;
	const struct token *seen;
	const struct vpc *v;
	int r = token_seen(tx, c->account, OPERATION, &args->token, &seen, reterr);

	if (!r && seen)
		return token_answer(tx->m, seen, MODEL_E_TABLE_NOT_FOUND,
				    (const struct object **)ret, reterr);
	if (!r)
		r = vpc_find(tx->m, c, args->vpc_id, &v, reterr);
	if (!r && model_group_count(tx->m, REL_VPC_TABLES, v->o.id) >= LIMIT_MODEL_TABLES)
		r = refuse(reterr, MODEL_E_TABLE_LIMIT, args->vpc_id);
	if (!r)
		r = make(tx, v, args->tags, args->n_tags, &made, reterr);
	if (!r)
		r = token_remember(tx, c->account, OPERATION, &args->token, KIND_ROUTE_TABLE,
				   &made->o.id, 1);
	if (!r)
		*ret = made;
	return r;
}

int route_table_create(struct tx *tx, const struct caller *c,
		       const struct route_table_create_args *args, const struct route_table **ret,
		       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

int route_table_make_main(struct tx *tx, struct vpc *v, struct refusal *reterr)
{
	const struct route_table *t;
	int r = make(tx, v, NULL, 0, &t, reterr);

	if (r)
		return r;
	v->main_table = t->o.id;
	v->main_association = tx_random(tx);
	return 0;
}

int route_table_end_main(struct tx *tx, const struct vpc *v)
{
	const struct object *t = model_get(tx->m, KIND_ROUTE_TABLE, v->main_table);

	return t ? tx_delete(tx, t) : 0;
}

int route_table_delete(struct tx *tx, const struct caller *c, const char *id,
		       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct route_table *t;
	int r = route_table_find(tx->m, c, id, &t, reterr);

	if (r)
		return r;
	if (route_table_is_main(tx->m, t) || route_table_gateway(tx->m, t) ||
	    model_group_count(tx->m, REL_TABLE_SUBNETS, t->o.id))
		return refuse(reterr, MODEL_E_TABLE_DEPENDENCY, id);
	return tx_settle(tx, mark, tx_delete(tx, &t->o));
}
