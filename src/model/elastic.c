/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elastic addresses: allocating, releasing, finding.  See elastic.h; associations are in
 * elastic_associate.c.
 */
#include "model/elastic.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/edit.h"
#include "model/elastic_edit.h"
#include "model/interface.h"
#include "model/pool.h"

int elastic_find(const struct model *m, const struct caller *c, const char *allocation_id,
		 const struct elastic **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t id;

	if (!id_parse(KIND_ADDRESS, allocation_id, &id))
		o = model_get(m, KIND_ADDRESS, id);
	if (!o || !caller_sees(c, o) || ((const struct elastic *)o)->automatic)
		return refuse(reterr, MODEL_E_ALLOCATION_NOT_FOUND, allocation_id);
	*ret = (const struct elastic *)o;
	return 0;
}

int elastic_find_public(const struct model *m, const struct caller *c, const char *public_ip,
			const struct elastic **ret, struct refusal *reterr)
{
	const struct elastic *e = NULL;
	struct ipaddr a;

	if (!ipaddr_parse(public_ip, &a))
		e = elastic_by_public(m, &a);
	if (!e || !caller_sees(c, &e->o) || e->automatic)
		return refuse(reterr, MODEL_E_ELASTIC_NOT_FOUND, public_ip);
	*ret = e;
	return 0;
}

const struct elastic *elastic_by_public(const struct model *m, const struct ipaddr *a)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_PUBLIC, hash_bytes(a, sizeof(*a)));

	for (; n; n = hmap_next_at(n)) {
		const struct elastic *e = hmap_entry(n, const struct elastic, by_public);

		if (ipaddr_equal(&e->public, a))
			return e;
	}
	return NULL;
}

uint64_t elastic_private_hash(uint32_t vni, const struct ipaddr *a)
{
	return hash_u64_bytes(vni, a, sizeof(*a));
}

const struct elastic *elastic_by_private(const struct model *m, uint32_t vni,
					 const struct ipaddr *a)
{
	const struct hmap_node *n =
		unique_first(m, UNIQUE_ELASTIC_PRIVATE, elastic_private_hash(vni, a));

	for (; n; n = hmap_next_at(n)) {
		const struct elastic *e = hmap_entry(n, const struct elastic, by_private);

		if (e->vni == vni && ipaddr_equal(&e->private_addr, a))
			return e;
	}
	return NULL;
}

const struct interface *elastic_interface(const struct model *m, const struct elastic *e)
{
	return e->association ? interface_by_addr(m, e->vni, &e->private_addr) : NULL;
}

/* ---- allocating ---- */

/* The address that is asked for, which must be in a pool and free. */
static int choose_named(const struct model *m, const struct elastic_allocate_args *args,
			const struct pool *p, struct ipaddr *ret, uint64_t *ret_pool,
			struct refusal *reterr)
{
	struct ipaddr a;

	if (ipaddr_parse(args->address, &a) || !ipaddr_is_v4(&a))
		return refuse(reterr, MODEL_E_VALUE, args->address, "address",
			      "This is not a valid IPv4 address.");
	if (!p)
		p = pool_of(m, &a);
	if (!p || !pool_has(p, &a))
		return refuse(reterr, MODEL_E_ELASTIC_NOT_FOUND, args->address);
	if (elastic_by_public(m, &a))
		return refuse(reterr, MODEL_E_ADDRESS_IN_USE, args->address);
	*ret = a;
	*ret_pool = p->o.id;
	return 0;
}

static int choose(struct tx *tx, const struct elastic_allocate_args *args, struct ipaddr *ret,
		  uint64_t *ret_pool, struct refusal *reterr)
{
	const struct pool *p = NULL;

	/* "amazon" is what clients call whatever there is */
	if (args->pool_id && !str_equal(args->pool_id, "amazon")) {
		p = pool_find(tx->m, args->pool_id);
		if (!p)
			return refuse(reterr, MODEL_E_PUBLIC_POOL_NOT_FOUND, args->pool_id);
	}
	if (args->address)
		return choose_named(tx->m, args, p, ret, ret_pool, reterr);
	return pool_pick(tx, p, ret, ret_pool) ? 0 : refuse(reterr, MODEL_E_POOL_EXHAUSTED, "");
}

/* Those that customers allocate; automatic ones are as many as there are instances. */
static size_t count_allocated(const struct model *m, uint64_t account)
{
	struct model_iter it = model_iter_account(m, KIND_ADDRESS, account);
	const struct object *o;
	size_t n = 0;

	while ((o = model_iter_next(&it)))
		n += !((const struct elastic *)o)->automatic;
	return n;
}

static int do_allocate(struct tx *tx, const struct caller *c,
		       const struct elastic_allocate_args *args, const struct elastic **ret,
		       struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct elastic *e;
	int r;

	if (count_allocated(tx->m, c->account) >= LIMIT_MODEL_ADDRESSES)
		return refuse(reterr, MODEL_E_ELASTIC_LIMIT, "per account");
	r = tx_make(tx, KIND_ADDRESS, c->account, &o);
	if (r)
		return r;
	e = (struct elastic *)o;
	r = choose(tx, args, &e->public, &e->pool, reterr);
	if (!r)
		r = tags_set(o, args->tags, args->n_tags, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = e;
	return r;
}

int elastic_allocate(struct tx *tx, const struct caller *c,
		     const struct elastic_allocate_args *args, const struct elastic **ret,
		     struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_allocate(tx, c, args, ret, reterr));
}

int elastic_release(struct tx *tx, const struct caller *c, const char *allocation_id,
		    const char *public_ip, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	char text[IPADDR_TEXT_SIZE];
	const struct elastic *e;
	int r;

	if (allocation_id)
		r = elastic_find(tx->m, c, allocation_id, &e, reterr);
	else if (public_ip)
		r = elastic_find_public(tx->m, c, public_ip, &e, reterr);
	else
		r = refuse(reterr, MODEL_E_MISSING, "allocationId");
	if (r)
		return r;
	if (e->association)
		return refuse(reterr, MODEL_E_ADDRESS_IN_USE, ipaddr_text(&e->public, text));
	return tx_settle(tx, mark, tx_delete(tx, &e->o));
}
