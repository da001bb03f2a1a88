/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What elastic addresses are associated with.  See elastic.h and elastic_edit.h.
 */
#include "base/hash.h"
#include "model/address.h"
#include "model/drain.h"
#include "model/edge.h"
#include "model/edit.h"
#include "model/elastic_edit.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/interface_rights.h"
#include "model/internet_gateway.h"
#include "model/pool.h"

/* An edge keeps what it has; else one is chosen. */
static uint32_t keep_edge(const struct model *m, uint32_t edge)
{
	return edge_is(m, edge) ? edge : edge_choose(m);
}

/* Who had the address keeps his connections if the same edge and gateway have them: drain.h. */
static int hand_over(struct tx *tx, const struct elastic *e, uint32_t vni, const struct ipaddr *a,
		     uint64_t nat_gateway)
{
	int r = drain_end(tx, e, vni, a);

	if (r || !e->association)
		return r;
	if (nat_gateway || e->vni != vni || !edge_is(tx->m, e->edge))
		return drain_end_all(tx, e);
	return drain_begin(tx, e);
}

static int bind(struct tx *tx, const struct elastic *e, const struct interface *i,
		const struct ipaddr *a, uint64_t nat_gateway, const struct elastic **ret)
{
	struct elastic *new = NULL;
	const struct elastic *result;
	int r = hand_over(tx, e, i->vni, a, nat_gateway);

	if (!r)
		r = TX_EDIT(tx, e, &new);
	if (r)
		return r;
	new->association = tx_random(tx) | 1; /* not 0 */
	new->vpc = i->vpc;
	new->vni = i->vni;
	new->private_addr = *a;
	new->nat_gateway = nat_gateway;
	new->edge = keep_edge(tx->m, e->edge);
	result = new;
	r = TX_PUT(tx, e, &new);
	if (!r)
		r = network_refresh(tx, result->vni);
	if (!r)
		*ret = result;
	return r;
}

int elastic_unbind(struct tx *tx, const struct elastic *e)
{
	uint32_t vni = e->vni;
	struct elastic *new = NULL;
	int r;

	if (!e->association)
		return 0;
	r = drain_end_all(tx, e);
	if (r)
		return r;
	if (e->automatic) {
		r = tx_delete(tx, &e->o);
		return r ? r : network_refresh(tx, vni);
	}
	r = TX_EDIT(tx, e, &new);
	if (r)
		return r;
	new->association = 0;
	new->vpc = 0;
	new->vni = 0;
	new->private_addr = (struct ipaddr){{0}};
	new->nat_gateway = 0;
	r = TX_PUT(tx, e, &new);
	return r ? r : network_refresh(tx, vni);
}

int elastic_bind_nat(struct tx *tx, const struct elastic *e, const struct interface *i,
		     uint64_t nat_gateway, uint32_t *ret_edge)
{
	const struct elastic *new;
	int r = bind(tx, e, i, &i->addrs[0].addr, nat_gateway, &new);

	if (!r)
		*ret_edge = new->edge;
	return r;
}

int elastic_set_edge(struct tx *tx, const struct elastic *e, uint32_t edge)
{
	struct elastic *new = NULL;
	uint32_t vni = e->vni;
	int r = drain_end_all(tx, e);

	if (!r)
		r = TX_EDIT(tx, e, &new);
	if (r)
		return r;
	new->edge = edge;
	r = TX_PUT(tx, e, &new);
	return r || !vni ? r : network_refresh(tx, vni);
}

int elastic_forget_private(struct tx *tx, uint32_t vni, const struct ipaddr *a)
{
	const struct elastic *e = elastic_by_private(tx->m, vni, a);
	int r = drain_forget_private(tx, vni, a);

	return r || !e ? r : elastic_unbind(tx, e);
}

/* ---- automatic ones ---- */

int elastic_give_automatic(struct tx *tx, const struct interface *i, struct refusal *reterr)
{
	const struct ipaddr *a = &i->addrs[0].addr;
	const struct elastic *e;
	struct object *o = NULL;
	struct ipaddr public;
	uint64_t pool;
	int r;

	if (!model_count(tx->m, KIND_POOL) || elastic_by_private(tx->m, i->vni, a))
		return 0;
	if (!pool_pick(tx, NULL, &public, &pool))
		return refuse(reterr, MODEL_E_POOL_EXHAUSTED, "");
	r = tx_make(tx, KIND_ADDRESS, i->o.account, &o);
	if (r)
		return r;
	((struct elastic *)o)->public = public;
	((struct elastic *)o)->pool = pool;
	((struct elastic *)o)->automatic = true;
	e = (const struct elastic *)o;
	r = tx_put(tx, NULL, &o);
	return r ? r : bind(tx, e, i, a, 0, &e);
}

int elastic_end_automatic(struct tx *tx, const struct interface *i)
{
	const struct elastic *e = elastic_by_private(tx->m, i->vni, &i->addrs[0].addr);

	return e && e->automatic ? elastic_unbind(tx, e) : 0;
}

/* ---- what customers ask for ---- */

static int find_address(const struct model *m, const struct caller *c, const char *allocation_id,
			const char *public_ip, const struct elastic **ret, struct refusal *reterr)
{
	if (allocation_id)
		return elastic_find(m, c, allocation_id, ret, reterr);
	if (public_ip)
		return elastic_find_public(m, c, public_ip, ret, reterr);
	return refuse(reterr, MODEL_E_MISSING, "allocationId or publicIp");
}

static int find_target(const struct model *m, const struct caller *c,
		       const struct elastic_associate_args *args, const struct interface **ret,
		       struct refusal *reterr)
{
	const struct instance *n;
	int r;

	if (args->interface_id)
		return interface_find_for(m, c, args->interface_id, INTERFACE_ASSOCIATE, ret,
					  reterr);
	if (!args->instance_id)
		return refuse(reterr, MODEL_E_MISSING, "instanceId or networkInterfaceId");
	r = instance_find(m, c, args->instance_id, &n, reterr);
	return r ? r
		 : instance_only_interface(m, n, args->instance_id, "associated with an address",
					   ret, reterr);
}

static int find_private(const struct interface *i, const char *text, struct ipaddr *ret,
			struct refusal *reterr)
{
	char id[ID_TEXT_SIZE];
	struct ipaddr a;

	if (!text) {
		*ret = i->addrs[0].addr;
		return 0;
	}
	if (ipaddr_parse(text, &a) || !ipaddr_is_v4(&a) || address_index(i, &a) == i->n_addrs)
		return refuse(reterr, MODEL_E_ADDRESS_NOT_ASSIGNED, text,
			      object_id_text(&i->o, id));
	*ret = a;
	return 0;
}

/* Makes room at the private address for 'e'. */
static int displace(struct tx *tx, const struct elastic *e, const struct interface *i,
		    const struct ipaddr *a, bool allowed, struct refusal *reterr)
{
	const struct elastic *other = elastic_by_private(tx->m, i->vni, a);
	char id[ID_TEXT_SIZE], association[ID_TEXT_SIZE];

	if (!other || other == e)
		return 0;
	if (!other->automatic && !allowed)
		return refuse(reterr, MODEL_E_ELASTIC_ASSOCIATED, object_id_text(&i->o, id),
			      id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, other->association,
					       association));
	return elastic_unbind(tx, other);
}

static int do_associate(struct tx *tx, const struct caller *c,
			const struct elastic_associate_args *args, const struct elastic **ret,
			struct refusal *reterr)
{
	char id[ID_TEXT_SIZE], association[ID_TEXT_SIZE];
	const struct interface *i;
	const struct elastic *e;
	struct ipaddr a;
	int r = find_address(tx->m, c, args->allocation_id, args->public_ip, &e, reterr);

	if (!r)
		r = find_target(tx->m, c, args, &i, reterr);
	if (!r)
		r = find_private(i, args->private_ip, &a, reterr);
	if (!r && attachment_is_foreign(&i->attachment))
		r = refuse(reterr, MODEL_E_FOREIGN_INTERFACE, object_id_text(&i->o, id));
	if (r)
		return r;
	if (e->association && e->vni == i->vni && ipaddr_equal(&e->private_addr, &a)) {
		*ret = e;
		return 0;
	}
	if (e->nat_gateway || (e->association && !args->allow_reassociation))
		return refuse(reterr, MODEL_E_ELASTIC_ASSOCIATED, object_id_text(&e->o, id),
			      id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, e->association,
					       association));
	if (!internet_gateway_of(tx->m, i->vpc))
		return refuse(reterr, MODEL_E_NETWORK_NOT_ATTACHED, id_text(KIND_VPC, i->vpc, id));
	r = displace(tx, e, i, &a, args->allow_reassociation, reterr);
	return r ? r : bind(tx, e, i, &a, 0, ret);
}

int elastic_associate(struct tx *tx, const struct caller *c,
		      const struct elastic_associate_args *args, const struct elastic **ret,
		      struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_associate(tx, c, args, ret, reterr));
}

static int find_association(const struct model *m, const struct caller *c, const char *text,
			    const struct elastic **ret, struct refusal *reterr)
{
	const struct hmap_node *n = NULL;
	uint64_t id;

	if (!id_parse_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, text, &id))
		n = unique_first(m, UNIQUE_ADDRESS_ASSOCIATION, hash_u64(id));
	for (; n; n = hmap_next_at(n)) {
		const struct elastic *e = hmap_entry(n, const struct elastic, by_association);

		if (e->association != id || !caller_sees(c, &e->o) || e->automatic)
			continue;
		*ret = e;
		return 0;
	}
	return refuse(reterr, MODEL_E_ASSOCIATION_NOT_FOUND, text);
}

int elastic_disassociate(struct tx *tx, const struct caller *c, const char *association_id,
			 const char *public_ip, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct elastic *e;
	char text[IPADDR_TEXT_SIZE];
	int r;

	if (association_id)
		r = find_association(tx->m, c, association_id, &e, reterr);
	else if (public_ip)
		r = elastic_find_public(tx->m, c, public_ip, &e, reterr);
	else
		r = refuse(reterr, MODEL_E_MISSING, "associationId or publicIp");
	if (r)
		return r;
	if (!e->association)
		return refuse(reterr, MODEL_E_ASSOCIATION_NOT_FOUND, public_ip);
	if (e->nat_gateway)
		return refuse(reterr, MODEL_E_ELASTIC_MANAGED, ipaddr_text(&e->public, text));
	return tx_settle(tx, mark, elastic_unbind(tx, e));
}
