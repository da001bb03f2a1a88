/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internet gateways.  See internet_gateway.h.
 */
#include "model/internet_gateway.h"

#include "base/limits.h"
#include "model/edge.h"
#include "model/edit.h"
#include "model/vpc.h"

int internet_gateway_find(const struct model *m, const struct caller *c, const char *id,
			  const struct internet_gateway **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_INTERNET_GATEWAY, id, &number))
		o = model_get(m, KIND_INTERNET_GATEWAY, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_INTERNET_GATEWAY_NOT_FOUND, id);
	*ret = (const struct internet_gateway *)o;
	return 0;
}

const struct internet_gateway *internet_gateway_of(const struct model *m, uint64_t vpc)
{
	struct model_iter it = model_iter_group(m, REL_VPC_INTERNET_GATEWAY, vpc);

	return (const struct internet_gateway *)model_iter_next(&it);
}

static int do_create(struct tx *tx, const struct caller *c, const struct tag_args *tags,
		     size_t n_tags, const struct internet_gateway **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct internet_gateway *g;
	int r;

	if (model_account_count(tx->m, KIND_INTERNET_GATEWAY, c->account) >= LIMIT_MODEL_VPCS)
		return refuse(reterr, MODEL_E_INTERNET_GATEWAY_LIMIT, "per account");
	r = tx_make(tx, KIND_INTERNET_GATEWAY, c->account, &o);
	if (r)
		return r;
	g = (struct internet_gateway *)o;
	r = tags_set(o, tags, n_tags, reterr);
	if (!r)
		r = counters_next_handle(tx, &g->handle.number, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = g;
	return r;
}

int internet_gateway_create(struct tx *tx, const struct caller *c, const struct tag_args *tags,
			    size_t n_tags, const struct internet_gateway **ret,
			    struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, tags, n_tags, ret, reterr));
}

int internet_gateway_delete(struct tx *tx, const struct caller *c, const char *id,
			    struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct internet_gateway *g;
	int r = internet_gateway_find(tx->m, c, id, &g, reterr);

	if (r)
		return r;
	if (g->vpc)
		return refuse(reterr, MODEL_E_INTERNET_GATEWAY_DEPENDENCY, id);
	return tx_settle(tx, mark, tx_delete(tx, &g->o));
}

static int attach_to(struct tx *tx, const struct internet_gateway *g, const struct vpc *v)
{
	uint32_t vni = v ? v->vni : g->vni;
	struct internet_gateway *new = NULL;
	int r = TX_EDIT(tx, g, &new);

	if (r)
		return r;
	new->vpc = v ? v->o.id : 0;
	new->vni = v ? v->vni : 0;
	new->edge = v ? edge_choose(tx->m) : 0;
	r = TX_PUT(tx, g, &new);
	return r ? r : network_refresh(tx, vni);
}

int internet_gateway_attach(struct tx *tx, const struct caller *c, const char *id,
			    const char *vpc_id, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct internet_gateway *g;
	const struct vpc *v;
	char text[ID_TEXT_SIZE];
	int r = internet_gateway_find(tx->m, c, id, &g, reterr);

	if (!r)
		r = vpc_find(tx->m, c, vpc_id, &v, reterr);
	if (r)
		return r;
	if (g->vpc)
		return refuse(reterr, MODEL_E_INTERNET_GATEWAY_ATTACHED, id,
			      id_text(KIND_VPC, g->vpc, text));
	if (v->o.account != g->o.account)
		return refuse(reterr, MODEL_E_VPC_NOT_FOUND, vpc_id);
	if (internet_gateway_of(tx->m, v->o.id))
		return refuse(reterr, MODEL_E_VPC_HAS_GATEWAY, vpc_id);
	return tx_settle(tx, mark, attach_to(tx, g, v));
}

int internet_gateway_detach(struct tx *tx, const struct caller *c, const char *id,
			    const char *vpc_id, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct internet_gateway *g;
	const struct vpc *v;
	char table[ID_TEXT_SIZE];
	int r = internet_gateway_find(tx->m, c, id, &g, reterr);

	if (!r)
		r = vpc_find(tx->m, c, vpc_id, &v, reterr);
	if (r)
		return r;
	if (g->vpc != v->o.id)
		return refuse(reterr, MODEL_E_GATEWAY_NOT_ATTACHED, id, vpc_id);
	if (model_group_count(tx->m, REL_VPC_ADDRESSES, v->o.id))
		return refuse(reterr, MODEL_E_GATEWAY_ADDRESSES, vpc_id);
	if (g->table)
		return refuse(reterr, MODEL_E_GATEWAY_TABLE, id,
			      id_text(KIND_ROUTE_TABLE, g->table, table));
	return tx_settle(tx, mark, attach_to(tx, g, NULL));
}
