/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NAT gateways: making, ending, finding.  See nat_gateway.h; static ports are in nat_port.c.
 */
#include "model/nat_gateway.h"

#include <stdio.h>

#include "base/limits.h"
#include "model/edge.h"
#include "model/edit.h"
#include "model/elastic_edit.h"
#include "model/host.h"
#include "model/interface_edit.h"
#include "model/internet_gateway.h"
#include "model/nat_gateway_edit.h"
#include "model/subnet.h"
#include "model/token_edit.h"
#include "model/vpc.h"

#define OPERATION "CreateNatGateway"

const char *nat_state_text(enum nat_state s)
{
	static const char *const texts[] = {
		[NAT_PENDING] = "pending",     [NAT_FAILED] = "failed",
		[NAT_AVAILABLE] = "available", [NAT_DELETING] = "deleting",
		[NAT_DELETED] = "deleted",
	};

	return s < ARRAY_SIZE(texts) ? texts[s] : NULL;
}

bool nat_gateway_serves(const struct nat_gateway *g)
{
	return g->edge && (g->state == NAT_PENDING || g->state == NAT_AVAILABLE);
}

int nat_gateway_find(const struct model *m, const struct caller *c, const char *id,
		     const struct nat_gateway **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_NAT_GATEWAY, id, &number))
		o = model_get(m, KIND_NAT_GATEWAY, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_NAT_NOT_FOUND, id);
	*ret = (const struct nat_gateway *)o;
	return 0;
}

/* ---- making ---- */

static int check_create(const struct model *m, const struct caller *c,
			const struct nat_gateway_create_args *args,
			const struct subnet **ret_subnet, const struct elastic **ret_elastic,
			struct refusal *reterr)
{
	char id[ID_TEXT_SIZE], association[ID_TEXT_SIZE];
	const struct elastic *e = NULL;
	const struct subnet *s;
	int r = subnet_find(m, c, args->subnet_id, &s, reterr);

	if (!r && args->is_private && args->allocation_id)
		r = refuse(reterr, MODEL_E_COMBINATION,
			   "A private NAT gateway has no elastic address: leave AllocationId out");
	if (!r && !args->is_private && !args->allocation_id)
		r = refuse(reterr, MODEL_E_MISSING, "AllocationId");
	if (!r && !args->is_private)
		r = elastic_find(m, c, args->allocation_id, &e, reterr);
	if (r)
		return r;
	if (e && e->association)
		return refuse(reterr, MODEL_E_ELASTIC_ASSOCIATED, args->allocation_id,
			      id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, e->association,
					       association));
	if (e && !internet_gateway_of(m, s->vpc))
		return refuse(reterr, MODEL_E_NETWORK_NOT_ATTACHED, id_text(KIND_VPC, s->vpc, id));
	if (model_group_count(m, REL_VPC_NAT_GATEWAYS, s->vpc) >= LIMIT_MODEL_NAT_GATEWAYS)
		return refuse(reterr, MODEL_E_NAT_LIMIT, id_text(KIND_VPC, s->vpc, id));
	*ret_subnet = s;
	*ret_elastic = e;
	return 0;
}

/* Its interface: requester-managed, attached to nothing that there is. */
static int make_interface(struct tx *tx, const struct subnet *s, const struct nat_gateway *g,
			  const char *private_ip, const struct interface **ret,
			  struct refusal *reterr)
{
	static const uint32_t no_ipv6;
	char id[ID_TEXT_SIZE], description[64];
	struct interface_spec spec = {
		.description = description,
		.private_ip = private_ip,
		.count6 = &no_ipv6,
		.max_addrs = 1,
	};
	const struct interface *result;
	struct interface *i = NULL;
	int r;

	snprintf(description, sizeof(description), "Interface for NAT Gateway %s",
		 object_id_text(&g->o, id));
	r = interface_make(tx, s, &spec, &i, reterr);
	if (r)
		return r;
	i->managed_by = g->o.id;
	i->source_dest_check = false;
	if (g->is_private)
		r = nat_private_prepare(tx, g, i, reterr);
	if (r) {
		record_free(&i->o);
		return r;
	}
	result = i;
	r = TX_PUT(tx, (struct interface *)NULL, &i);
	if (!r)
		*ret = result;
	return r;
}

static int fill(struct tx *tx, struct nat_gateway *g, const struct subnet *s,
		const struct elastic *e, const struct nat_gateway_create_args *args,
		struct refusal *reterr)
{
	const struct interface *i;
	int r;

	g->is_private = args->is_private;
	if (g->is_private)
		g->edge = edge_choose(tx->m);
	r = make_interface(tx, s, g, args->private_ip, &i, reterr);
	if (r)
		return r;
	g->vpc = s->vpc;
	g->vni = s->vni;
	g->subnet = s->o.id;
	g->interface = i->o.id;
	g->private_addr = i->addrs[0].addr;
	g->state = NAT_PENDING;
	g->wait_revision = tx->revision;
	r = tags_set(&g->o, args->tags, args->n_tags, reterr);
	if (!r)
		r = counters_next_handle(tx, &g->handle.number, reterr);
	if (r || !e)
		return r ? r : network_refresh(tx, g->vni);
	g->address = e->o.id;
	g->public_addr = e->public;
	return elastic_bind_nat(tx, e, i, g->o.id, &g->edge);
}

static int make(struct tx *tx, const struct caller *c, const struct nat_gateway_create_args *args,
		const struct nat_gateway **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct nat_gateway *result;
	const struct elastic *e = NULL;
	const struct subnet *s = NULL;
	int r = check_create(tx->m, c, args, &s, &e, reterr);

	if (!r)
		r = tx_make(tx, KIND_NAT_GATEWAY, s->o.account, &o);
	if (!r)
		r = fill(tx, (struct nat_gateway *)o, s, e, args, reterr);
	if (r)
		return r;
	result = (const struct nat_gateway *)o;
	r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = result;
	return r;
}

static int do_create(struct tx *tx, const struct caller *c,
		     const struct nat_gateway_create_args *args, const struct nat_gateway **ret,
		     struct refusal *reterr)
{
	const struct nat_gateway *made;
	const struct token *seen;
	int r = token_seen(tx, c->account, OPERATION, &args->token, &seen, reterr);

	if (!r && seen)
		return token_answer(tx->m, seen, MODEL_E_NAT_NOT_FOUND, (const struct object **)ret,
				    reterr);
	if (!r)
		r = make(tx, c, args, &made, reterr);
	if (!r)
		r = token_remember(tx, c->account, OPERATION, &args->token, KIND_NAT_GATEWAY,
				   &made->o.id, 1);
	if (!r)
		*ret = made;
	return r;
}

int nat_gateway_create(struct tx *tx, const struct caller *c,
		       const struct nat_gateway_create_args *args, const struct nat_gateway **ret,
		       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

/* ---- its life ---- */

static int enter(struct tx *tx, const struct nat_gateway *g, enum nat_state state,
		 const char *failure_code, const char *failure)
{
	struct nat_gateway *new = NULL;
	int r = TX_EDIT(tx, g, &new);

	if (r)
		return r;
	new->state = state;
	new->wait_revision = state == NAT_DELETING ? tx->revision : 0;
	if (state == NAT_FAILED || state == NAT_DELETED) {
		new->ended_ms = tx->now_ms;
		new->edge = 0;
	}
	if (failure)
		r = edit_string(&new->failure_code, failure_code);
	if (!r && failure)
		r = edit_string(&new->failure, failure);
	if (r) {
		record_free(&new->o);
		return r;
	}
	return TX_PUT(tx, g, &new);
}

/* It has left its edge: address and interface are free. */
static int finish(struct tx *tx, uint64_t id, enum nat_state state, const char *failure)
{
	const struct nat_gateway *g =
		(const struct nat_gateway *)model_get(tx->m, KIND_NAT_GATEWAY, id);
	const struct object *e = model_get(tx->m, KIND_ADDRESS, g->address);
	const struct object *i = model_get(tx->m, KIND_INTERFACE, g->interface);
	int r = enter(tx, g, state, "InternalError", failure);

	if (!r && e)
		r = elastic_unbind(tx, (const struct elastic *)e);
	if (!r && i)
		r = nat_private_move(tx, (const struct interface *)i, 0, &i);
	return r || !i ? r : interface_end(tx, (const struct interface *)i);
}

int nat_gateway_delete(struct tx *tx, const struct caller *c, const char *id,
		       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct nat_gateway *g;
	uint64_t number, interface;
	bool elsewhere;
	int r = nat_gateway_find(tx->m, c, id, &g, reterr);

	if (r)
		return r;
	if (g->state != NAT_PENDING && g->state != NAT_AVAILABLE)
		return 0;
	number = g->o.id;
	elsewhere = !g->edge;
	interface = g->interface;
	r = enter(tx, g, NAT_DELETING, NULL, NULL);
	if (!r)
		r = nat_private_place(tx, interface, 0);
	if (!r && elsewhere)
		r = finish(tx, number, NAT_DELETED, NULL);
	return tx_settle(tx, mark, r);
}

int nat_gateway_set_edge(struct tx *tx, uint64_t id, uint32_t edge)
{
	const struct nat_gateway *g =
		(const struct nat_gateway *)model_get(tx->m, KIND_NAT_GATEWAY, id);
	struct nat_gateway *new = NULL;
	uint64_t interface;
	int r;

	if (!g)
		return 0;
	/* the edge that should have let it go is lost: whoever has the address next never had it */
	if (g->state == NAT_DELETING)
		return finish(tx, id, NAT_DELETED, NULL);
	r = TX_EDIT(tx, g, &new);
	if (r)
		return r;
	new->edge = edge;
	if (new->state == NAT_PENDING)
		new->wait_revision = tx->revision;
	interface = new->interface;
	r = TX_PUT(tx, g, &new);
	return r ? r : nat_private_place(tx, interface, edge);
}

/* Of the gateway, or of the port that a private one has. */
static const struct host_failure *failure_of(const struct host_failure *failed, size_t n,
					     const struct nat_gateway *g)
{
	for (size_t i = 0; i < n; i++)
		if ((failed[i].kind == KIND_NAT_GATEWAY && failed[i].id == g->o.id) ||
		    (g->is_private && failed[i].kind == KIND_INTERFACE &&
		     failed[i].id == g->interface))
			return &failed[i];
	return NULL;
}

static int acknowledge_one(struct tx *tx, const struct nat_gateway *g,
			   const struct host_failure *failure)
{
	if (g->state == NAT_DELETING)
		return finish(tx, g->o.id, NAT_DELETED, NULL);
	if (failure)
		return finish(tx, g->o.id, NAT_FAILED, failure->text);
	return enter(tx, g, NAT_AVAILABLE, NULL, NULL);
}

int nat_gateway_acknowledge(struct tx *tx, uint32_t number, uint64_t revision,
			    const struct host_failure *failed, size_t n_failed)
{
	struct model_iter it = model_iter_group(tx->m, REL_HOST_WAITING_NAT_GATEWAYS, number);
	const struct object *o = model_iter_next(&it);
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&it);
		const struct nat_gateway *g = (const struct nat_gateway *)o;

		if (g->wait_revision <= revision)
			r = acknowledge_one(tx, g, failure_of(failed, n_failed, g));
		o = next;
	}
	return r;
}

uint64_t nat_gateway_waiting(const struct model *m, uint32_t host, uint32_t handle)
{
	struct model_iter it = model_iter_group(m, REL_HOST_WAITING_NAT_GATEWAYS, host);
	const struct nat_gateway *g;

	while ((g = (const struct nat_gateway *)model_iter_next(&it)))
		if (g->handle.number == handle)
			return g->o.id;
	return 0;
}

bool nat_gateway_waits(const struct model *m, uint32_t number, uint64_t revision)
{
	struct model_iter it = model_iter_group(m, REL_HOST_WAITING_NAT_GATEWAYS, number);
	const struct nat_gateway *g;

	while ((g = (const struct nat_gateway *)model_iter_next(&it)))
		if (g->wait_revision <= revision)
			return true;
	return false;
}
