/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools of public addresses.  See pool.h.
 */
#include "model/pool.h"

#include "model/cidr.h"
#include "model/edit.h"
#include "model/elastic.h"

enum { V4_LEN = 96, POOL_LEN_MIN = V4_LEN + 8, POOL_LEN_ALL = V4_LEN + 31 };

static uint32_t block_size(const struct pool *p)
{
	return 1U << (128 - p->prefix.len);
}

/* The first and the last are kept back. */
static bool is_bordered(const struct pool *p)
{
	return p->prefix.len < POOL_LEN_ALL;
}

size_t pool_size(const struct pool *p)
{
	return is_bordered(p) ? block_size(p) - 2 : block_size(p);
}

bool pool_has(const struct pool *p, const struct ipaddr *a)
{
	uint32_t offset = ipaddr_v4(a) - ipaddr_v4(&p->prefix.addr);

	if (!prefix_contains(&p->prefix, a))
		return false;
	return !is_bordered(p) || (offset && offset != block_size(p) - 1);
}

const struct pool *pool_of(const struct model *m, const struct ipaddr *a)
{
	struct model_iter it = model_iter_kind(m, KIND_POOL);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (pool_has((const struct pool *)o, a))
			return (const struct pool *)o;
	return NULL;
}

const struct pool *pool_find(const struct model *m, const char *id_or_cidr)
{
	struct model_iter it = model_iter_kind(m, KIND_POOL);
	const struct object *o;
	struct prefix prefix;
	uint64_t id;

	if (!id_parse(KIND_POOL, id_or_cidr, &id))
		return (const struct pool *)model_get(m, KIND_POOL, id);
	if (cidr_parse(id_or_cidr, &prefix))
		return NULL;
	while ((o = model_iter_next(&it)))
		if (prefix_equal(&((const struct pool *)o)->prefix, &prefix))
			return (const struct pool *)o;
	return NULL;
}

size_t pool_used(const struct model *m, const struct pool *p)
{
	return model_group_count(m, REL_POOL_ADDRESSES, p->o.id);
}

static int need_operator(const struct caller *c, struct refusal *reterr)
{
	return c->is_operator ? 0
			      : refuse(reterr, MODEL_E_NOT_PERMITTED, "Pools are the operators'");
}

static int check_cidr(const struct model *m, const char *cidr, struct prefix *ret,
		      struct refusal *reterr)
{
	struct model_iter it = model_iter_kind(m, KIND_POOL);
	char text[PREFIX_TEXT_SIZE];
	const struct object *o;

	if (cidr_parse(cidr, ret) || ret->len < POOL_LEN_MIN || !cidr_is_unicast(ret))
		return refuse(reterr, MODEL_E_VALUE, cidr, "cidr",
			      "It is a block of IPv4 unicast addresses, /8 to /32.");
	while ((o = model_iter_next(&it)))
		if (prefix_overlaps(&((const struct pool *)o)->prefix, ret))
			return refuse(reterr, MODEL_E_POOL_CONFLICT, cidr,
				      prefix_text(&((const struct pool *)o)->prefix, text));
	return 0;
}

static int do_add(struct tx *tx, const char *cidr, const struct pool **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct pool *result;
	struct prefix prefix;
	int r = check_cidr(tx->m, cidr, &prefix, reterr);

	if (!r)
		r = tx_make(tx, KIND_POOL, 0, &o);
	if (r)
		return r;
	((struct pool *)o)->prefix = prefix;
	result = (const struct pool *)o;
	r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = result;
	return r;
}

int pool_add(struct tx *tx, const struct caller *c, const char *cidr, const struct pool **ret,
	     struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	int r = need_operator(c, reterr);

	return r ? r : tx_settle(tx, mark, do_add(tx, cidr, ret, reterr));
}

int pool_remove(struct tx *tx, const struct caller *c, const char *id, struct refusal *reterr)
{
	const struct pool *p = pool_find(tx->m, id);
	size_t mark = tx_mark(tx);
	int r = need_operator(c, reterr);

	if (r)
		return r;
	if (!p)
		return refuse(reterr, MODEL_E_PUBLIC_POOL_NOT_FOUND, id);
	if (pool_used(tx->m, p))
		return refuse(reterr, MODEL_E_POOL_DEPENDENCY, id);
	return tx_settle(tx, mark, tx_delete(tx, &p->o));
}

static bool pick_from(struct tx *tx, const struct pool *p, struct ipaddr *ret)
{
	uint32_t size = block_size(p), base = ipaddr_v4(&p->prefix.addr);
	uint32_t start = (uint32_t)tx_random(tx);

	if (pool_used(tx->m, p) >= pool_size(p))
		return false;
	for (uint32_t i = 0; i < size; i++) {
		struct ipaddr a = ipaddr_from_v4(base + (start + i) % size);

		if (!pool_has(p, &a) || elastic_by_public(tx->m, &a))
			continue;
		*ret = a;
		return true;
	}
	return false;
}

bool pool_pick(struct tx *tx, const struct pool *p, struct ipaddr *ret, uint64_t *ret_pool)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_POOL);
	const struct object *o = p ? &p->o : model_iter_next(&it);

	for (; o; o = p ? NULL : model_iter_next(&it)) {
		if (!pick_from(tx, (const struct pool *)o, ret))
			continue;
		*ret_pool = o->id;
		return true;
	}
	return false;
}
