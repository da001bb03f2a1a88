/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 blocks of VPCs.  See vpc_block6.h.
 */
#include "model/vpc_block6.h"

#include "base/limits.h"
#include "base/str.h"
#include "model/cidr6.h"
#include "model/edit.h"
#include "model/network_acl_edit.h"
#include "model/security_group_edit.h"
#include "model/vpc_edit.h"

bool vpc_block6_is_asked(const struct vpc_block6_args *args)
{
	return args->provided || args->pool_id || args->cidr;
}

const struct prefix *vpc_block6_pool(const struct model *m)
{
	return m->ipv6_pool.len ? &m->ipv6_pool : NULL;
}

/* ---- which block ---- */

/* Sets a bit for each block of the pool that a VPC has. */
static int mark_used(const struct model *m, const struct prefix *pool, uint8_t **ret)
{
	struct model_iter it = model_iter_kind(m, KIND_VPC);
	uint8_t *used = calloc(cidr6_pool_size(pool) / 8 + 1, 1);
	const struct object *o;

	if (!used)
		return -ENOMEM;
	while ((o = model_iter_next(&it))) {
		const struct vpc *v = (const struct vpc *)o;

		for (size_t i = 0; i < v->n_blocks6; i++) {
			uint32_t n = cidr6_pool_index(pool, &v->blocks6[i].prefix);

			if (prefix_covers(pool, &v->blocks6[i].prefix))
				used[n / 8] |= (uint8_t)(1 << n % 8);
		}
	}
	*ret = used;
	return 0;
}

static bool is_used(const uint8_t *used, uint32_t n)
{
	return used[n / 8] >> n % 8 & 1;
}

/* Any that is free, from a random place on: one just given back is not likely to be the next. */
static int pick_free(struct tx *tx, const struct prefix *pool, const uint8_t *used,
		     struct prefix *ret, struct refusal *reterr)
{
	uint32_t size = cidr6_pool_size(pool);
	uint32_t n = (uint32_t)tx_random(tx) & (size - 1);
	char text[PREFIX_TEXT_SIZE];

	for (uint32_t tries = 0; tries < size; tries++, n = (n + 1) & (size - 1))
		if (!is_used(used, n)) {
			*ret = cidr6_pool_block(pool, n);
			return 0;
		}
	return refuse(reterr, MODEL_E_POOL_EMPTY, prefix_text(pool, text));
}

static int take_named(const struct prefix *pool, const uint8_t *used, const char *text,
		      struct prefix *ret, struct refusal *reterr)
{
	struct prefix block;

	if (cidr6_parse(text, &block))
		return refuse(reterr, MODEL_E_VALUE, text, "ipv6CidrBlock",
			      "This is not a valid IPv6 CIDR block.");
	if (block.len != CIDR6_VPC_LEN || !prefix_covers(pool, &block))
		return refuse(reterr, MODEL_E_VALUE, text, "ipv6CidrBlock",
			      "It must be a /56 of the pool.");
	if (is_used(used, cidr6_pool_index(pool, &block)))
		return refuse(reterr, MODEL_E_BLOCK_IN_USE, text);
	*ret = block;
	return 0;
}

static int check_args(const struct model *m, const struct vpc_block6_args *args,
		      struct refusal *reterr)
{
	char id[ID_TEXT_SIZE];

	if (args->provided && (args->pool_id || args->cidr))
		return refuse(reterr, MODEL_E_COMBINATION,
			      "Ask for an Amazon-provided IPv6 CIDR block, or for one out of a "
			      "pool.");
	if (args->cidr && !args->pool_id)
		return refuse(reterr, MODEL_E_MISSING, "ipv6Pool");
	if (!vpc_block6_pool(m))
		return refuse(reterr, MODEL_E_UNSUPPORTED,
			      "IPv6 in a cluster without a pool of IPv6 addresses");
	if (args->pool_id &&
	    !str_equal(args->pool_id, id_text_prefixed(ID_PREFIX_IPV6_POOL, IPV6_POOL_ID, id)))
		return refuse(reterr, MODEL_E_POOL_NOT_FOUND, args->pool_id);
	return 0;
}

int vpc_add_block6(struct tx *tx, struct vpc *v, const struct vpc_block6_args *args,
		   struct refusal *reterr)
{
	const struct prefix *pool = vpc_block6_pool(tx->m);
	_cleanup_free_ uint8_t *used = NULL;
	struct cidr_block *blocks;
	struct prefix prefix;
	char id[ID_TEXT_SIZE];
	int r = check_args(tx->m, args, reterr);

	if (!r && v->n_blocks6 >= LIMIT_MODEL_BLOCKS6)
		r = refuse(reterr, MODEL_E_BLOCK_LIMIT, object_id_text(&v->o, id), "1");
	if (!r)
		r = mark_used(tx->m, pool, &used);
	if (!r && args->cidr)
		r = take_named(pool, used, args->cidr, &prefix, reterr);
	else if (!r)
		r = pick_free(tx, pool, used, &prefix, reterr);
	if (r)
		return r;
	blocks = reallocarray(v->blocks6, v->n_blocks6 + 1, sizeof(*blocks));
	if (!blocks)
		return -ENOMEM;
	v->blocks6 = blocks;
	blocks[v->n_blocks6++] = (struct cidr_block){
		.prefix = prefix,
		.association = tx_random(tx),
		.from_pool = args->pool_id,
	};
	return 0;
}

/* ---- operations ---- */

static int do_associate(struct tx *tx, const struct vpc *old, const struct vpc_block6_args *args,
			const struct vpc **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct vpc *result;
	int r = tx_edit(tx, &old->o, &o);

	if (!r)
		r = vpc_add_block6(tx, (struct vpc *)o, args, reterr);
	if (r)
		return r;
	result = (const struct vpc *)o;
	r = tx_put(tx, &old->o, &o);
	if (!r)
		r = security_group_widen(tx, result, reterr);
	if (!r)
		r = network_acl_widen(tx, result);
	if (!r)
		*ret = result;
	return r;
}

int vpc_associate_block6(struct tx *tx, const struct caller *c, const char *vpc_id,
			 const struct vpc_block6_args *args, const struct vpc **ret,
			 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct vpc *v;
	int r = vpc_find(tx->m, c, vpc_id, &v, reterr);

	return r ? r : tx_settle(tx, mark, do_associate(tx, v, args, ret, reterr));
}
