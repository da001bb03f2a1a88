/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Further IPv4 blocks of VPCs.  See vpc_block.h.
 */
#include "model/vpc_block.h"

#include <stdio.h>

#include "base/limits.h"
#include "model/cidr.h"
#include "model/edit.h"
#include "model/peering.h"
#include "model/route_table.h"

/* A route to a part of what is to be local would be a route inside the network. */
static bool is_routed(const struct model *m, const struct vpc *v, const struct prefix *block)
{
	struct model_iter it = model_iter_group(m, REL_VPC_TABLES, v->o.id);
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct route_table *t = (const struct route_table *)o;

		for (size_t i = 0; i < t->n_routes; i++)
			if (!t->routes[i].prefix_list &&
			    prefix_covers(block, &t->routes[i].destination))
				return true;
	}
	return false;
}

static int check_block(const struct model *m, const struct vpc *v, const char *text,
		       struct prefix *ret, struct refusal *reterr)
{
	char id[ID_TEXT_SIZE], limit[8];

	if (cidr_parse(text, ret))
		return refuse(reterr, MODEL_E_VALUE, text, "cidrBlock",
			      "This is not a valid CIDR block.");
	if (!cidr_is_allowed(ret))
		return refuse(reterr, MODEL_E_VPC_RANGE, text);
	for (size_t i = 0; i < v->n_blocks; i++)
		if (prefix_overlaps(&v->blocks[i].prefix, ret))
			return refuse(reterr, MODEL_E_BLOCK_CONFLICT, text);
	if (is_routed(m, v, ret) || peering_conflicts(m, v->o.id, ret))
		return refuse(reterr, MODEL_E_BLOCK_CONFLICT, text);
	snprintf(limit, sizeof(limit), "%d", LIMIT_MODEL_BLOCKS);
	if (v->n_blocks >= LIMIT_MODEL_BLOCKS)
		return refuse(reterr, MODEL_E_BLOCK_LIMIT, object_id_text(&v->o, id), limit);
	return 0;
}

static int do_associate(struct tx *tx, const struct vpc *old, const char *cidr,
			const struct vpc **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct cidr_block *blocks;
	struct prefix prefix;
	struct vpc *new;
	int r = check_block(tx->m, old, cidr, &prefix, reterr);

	if (!r)
		r = tx_edit(tx, &old->o, &o);
	if (r)
		return r;
	new = (struct vpc *)o;
	blocks = reallocarray(new->blocks, new->n_blocks + 1, sizeof(*blocks));
	if (!blocks)
		return -ENOMEM;
	new->blocks = blocks;
	blocks[new->n_blocks++] =
		(struct cidr_block){.prefix = prefix, .association = tx_random(tx)};
	r = tx_put(tx, &old->o, &o);
	if (!r)
		*ret = new;
	return r;
}

int vpc_associate_block(struct tx *tx, const struct caller *c, const char *vpc_id, const char *cidr,
			const struct vpc **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct vpc *v;
	int r = vpc_find(tx->m, c, vpc_id, &v, reterr);

	return r ? r : tx_settle(tx, mark, do_associate(tx, v, cidr, ret, reterr));
}
