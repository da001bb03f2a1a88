/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Egress-only internet gateways.  See egress_gateway.h.
 */
#include "model/egress_gateway.h"

#include "base/limits.h"
#include "model/edge.h"
#include "model/edit.h"
#include "model/token_edit.h"
#include "model/vpc.h"

#define OPERATION "CreateEgressOnlyInternetGateway"

int egress_gateway_find(const struct model *m, const struct caller *c, const char *id,
			const struct egress_gateway **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_EGRESS_GATEWAY, id, &number))
		o = model_get(m, KIND_EGRESS_GATEWAY, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_EGRESS_GATEWAY_NOT_FOUND, id);
	*ret = (const struct egress_gateway *)o;
	return 0;
}

static int make(struct tx *tx, const struct vpc *v, const struct egress_gateway_create_args *args,
		const struct egress_gateway **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct egress_gateway *g;
	int r = tx_make(tx, KIND_EGRESS_GATEWAY, v->o.account, &o);

	if (r)
		return r;
	g = (struct egress_gateway *)o;
	g->vpc = v->o.id;
	g->vni = v->vni;
	g->edge = edge_choose(tx->m);
	r = tags_set(o, args->tags, args->n_tags, reterr);
	if (!r)
		r = counters_next_handle(tx, &g->handle.number, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		r = network_refresh(tx, v->vni);
	if (!r)
		*ret = g;
	return r;
}

static int do_create(struct tx *tx, const struct caller *c,
		     const struct egress_gateway_create_args *args,
		     const struct egress_gateway **ret, struct refusal *reterr)
{
	const struct egress_gateway *made;
	const struct token *seen;
	const struct vpc *v;
	int r = token_seen(tx, c->account, OPERATION, &args->token, &seen, reterr);

	if (!r && seen)
		return token_answer(tx->m, seen, MODEL_E_EGRESS_GATEWAY_NOT_FOUND,
				    (const struct object **)ret, reterr);
	if (!r)
		r = vpc_find(tx->m, c, args->vpc_id, &v, reterr);
	if (!r && model_group_count(tx->m, REL_VPC_EGRESS_GATEWAYS, v->o.id) >=
			  LIMIT_MODEL_EGRESS_GATEWAYS)
		r = refuse(reterr, MODEL_E_EGRESS_GATEWAY_LIMIT, args->vpc_id);
	if (!r)
		r = make(tx, v, args, &made, reterr);
	if (!r)
		r = token_remember(tx, c->account, OPERATION, &args->token, KIND_EGRESS_GATEWAY,
				   &made->o.id, 1);
	if (!r)
		*ret = made;
	return r;
}

int egress_gateway_create(struct tx *tx, const struct caller *c,
			  const struct egress_gateway_create_args *args,
			  const struct egress_gateway **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

static int do_delete(struct tx *tx, const struct egress_gateway *g)
{
	uint32_t vni = g->vni;
	int r = tx_delete(tx, &g->o);

	return r ? r : network_refresh(tx, vni);
}

int egress_gateway_delete(struct tx *tx, const struct caller *c, const char *id,
			  struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct egress_gateway *g;
	int r = egress_gateway_find(tx->m, c, id, &g, reterr);

	return r ? r : tx_settle(tx, mark, do_delete(tx, g));
}
