/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Route tables and which subnets they serve.  See route_table.h; the routes are in route.c.
 */
#include "model/route_table.h"

#include "base/hash.h"
#include "base/limits.h"
#include "model/counters.h"
#include "model/edit.h"
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
	if (route_table_is_main(tx->m, t) ||
	    model_group_count(tx->m, REL_TABLE_SUBNETS, t->o.id))
		return refuse(reterr, MODEL_E_TABLE_DEPENDENCY, id);
	return tx_settle(tx, mark, tx_delete(tx, &t->o));
}

/* ---- associations ---- */

/* What an association's id names: one of the two is set. */
struct association {
	const struct subnet *subnet;
	const struct vpc *vpc;
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

static int find_association(const struct model *m, const struct caller *c, const char *text,
			    struct association *ret, struct refusal *reterr)
{
	struct association a = {NULL, NULL};
	uint64_t id;

	if (!id_parse_prefixed(ID_PREFIX_TABLE_ASSOCIATION, text, &id) && id) {
		a.subnet = subnet_by_association(m, id);
		a.vpc = vpc_by_association(m, id);
	}
	if (a.subnet && !caller_sees(c, &a.subnet->o))
		a.subnet = NULL;
	if (a.vpc && !caller_sees(c, &a.vpc->o))
		a.vpc = NULL;
	if (!a.subnet && !a.vpc)
		return refuse(reterr, MODEL_E_ASSOCIATION_NOT_FOUND, text);
	*ret = a;
	return 0;
}

static int set_table(struct tx *tx, const struct subnet *s, uint64_t table, uint64_t association)
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

int route_table_associate(struct tx *tx, const struct caller *c, const char *table_id,
			  const char *subnet_id, uint64_t *ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct route_table *t;
	const struct subnet *s;
	uint64_t id;
	int r = route_table_find(tx->m, c, table_id, &t, reterr);

	if (!r)
		r = subnet_find(tx->m, c, subnet_id, &s, reterr);
	if (r)
		return r;
	if (s->vpc != t->vpc)
		return refuse(reterr, MODEL_E_ROUTE_NETWORKS, table_id, "subnet", subnet_id);
	if (s->table)
		return refuse(reterr, MODEL_E_TABLE_ASSOCIATED, table_id);
	id = tx_random(tx);
	r = tx_settle(tx, mark, set_table(tx, s, t->o.id, id));
	if (!r)
		*ret = id;
	return r;
}

int route_table_disassociate(struct tx *tx, const struct caller *c, const char *association_id,
			     struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	struct association a;
	int r = find_association(tx->m, c, association_id, &a, reterr);

	if (r)
		return r;
	if (!a.subnet)
		return refuse(reterr, MODEL_E_ASSOCIATION_MAIN, association_id);
	return tx_settle(tx, mark, set_table(tx, a.subnet, 0, 0));
}

int route_table_reassociate(struct tx *tx, const struct caller *c, const char *association_id,
			    const char *table_id, uint64_t *ret, bool *ret_main,
			    struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct route_table *t;
	struct association a;
	uint64_t id;
	int r = find_association(tx->m, c, association_id, &a, reterr);

	if (!r)
		r = route_table_find(tx->m, c, table_id, &t, reterr);
	if (r)
		return r;
	if (t->vpc != (a.subnet ? a.subnet->vpc : a.vpc->o.id))
		return refuse(reterr, MODEL_E_ROUTE_NETWORKS, table_id, "association",
			      association_id);
	id = a.subnet ? a.subnet->table_association : a.vpc->main_association;
	if (t->o.id != (a.subnet ? a.subnet->table : a.vpc->main_table)) {
		id = tx_random(tx);
		r = a.subnet ? set_table(tx, a.subnet, t->o.id, id)
			     : set_main(tx, a.vpc, t->o.id, id);
	}
	r = tx_settle(tx, mark, r);
	if (!r) {
		*ret = id;
		*ret_main = !a.subnet;
	}
	return r;
}
