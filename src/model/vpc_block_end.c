/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks that VPCs give back, of either family.  See vpc_block.h and vpc_block6.h.
 */
#include <string.h>

#include "model/edit.h"
#include "model/subnet.h"
#include "model/vpc_block.h"
#include "model/vpc_block6.h"

static const struct cidr_block *blocks_of(const struct vpc *v, bool ipv6, size_t *ret_n)
{
	*ret_n = ipv6 ? v->n_blocks6 : v->n_blocks;
	return ipv6 ? v->blocks6 : v->blocks;
}

/* The caller's VPC that has it, and which of its blocks it is.  An account has few VPCs, and seldom
 * asks. */
static int find_association(const struct model *m, const struct caller *c, const char *text,
			    bool ipv6, const struct vpc **ret, size_t *ret_place,
			    struct refusal *reterr)
{
	struct model_iter it = c->is_operator ? model_iter_kind(m, KIND_VPC)
					      : model_iter_account(m, KIND_VPC, c->account);
	const struct object *o;
	uint64_t id;

	if (id_parse_prefixed(ID_PREFIX_VPC_CIDR, text, &id))
		return refuse(reterr, MODEL_E_BLOCK_NOT_FOUND, text);
	while ((o = model_iter_next(&it))) {
		const struct vpc *v = (const struct vpc *)o;
		size_t n;
		const struct cidr_block *blocks = blocks_of(v, ipv6, &n);

		for (size_t i = 0; i < n; i++) {
			if (blocks[i].association != id)
				continue;
			*ret = v;
			*ret_place = i;
			return 0;
		}
	}
	return refuse(reterr, MODEL_E_BLOCK_NOT_FOUND, text);
}

static bool lies_in(const struct subnet *s, const struct prefix *block, bool ipv6)
{
	if (!ipv6)
		return prefix_covers(block, &s->prefix);
	return subnet_has_block6(s) && prefix_covers(block, &s->prefix6);
}

static int check_unused(const struct model *m, const struct vpc *v, const struct prefix *block,
			bool ipv6, struct refusal *reterr)
{
	struct model_iter it = model_iter_group(m, REL_VPC_SUBNETS, v->o.id);
	char id[ID_TEXT_SIZE], text[PREFIX_TEXT_SIZE];
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (lies_in((const struct subnet *)o, block, ipv6))
			return refuse(reterr, MODEL_E_VPC_BLOCK_USED, object_id_text(&v->o, id),
				      prefix_text(block, text));
	return 0;
}

static struct cidr_block take_out(struct vpc *v, size_t place, bool ipv6)
{
	struct cidr_block *blocks = ipv6 ? v->blocks6 : v->blocks, block = blocks[place];
	size_t n = ipv6 ? --v->n_blocks6 : --v->n_blocks;

	memmove(&blocks[place], &blocks[place + 1], (n - place) * sizeof(*blocks));
	return block;
}

static int do_disassociate(struct tx *tx, const struct caller *c, const char *association,
			   bool ipv6, const struct vpc **ret_vpc, struct cidr_block *ret_block,
			   struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct vpc *old = NULL;
	struct cidr_block block;
	const struct vpc *new;
	size_t place = 0, n;
	int r = find_association(tx->m, c, association, ipv6, &old, &place, reterr);

	if (!r && !ipv6 && !place)
		r = refuse(reterr, MODEL_E_BLOCK_PRIMARY, association);
	if (!r)
		r = check_unused(tx->m, old, &blocks_of(old, ipv6, &n)[place].prefix, ipv6, reterr);
	if (!r)
		r = tx_edit(tx, &old->o, &o);
	if (r)
		return r;
	block = take_out((struct vpc *)o, place, ipv6);
	new = (const struct vpc *)o;
	r = tx_put(tx, &old->o, &o);
	if (!r) {
		*ret_vpc = new;
		*ret_block = block;
	}
	return r;
}

int vpc_disassociate_block(struct tx *tx, const struct caller *c, const char *association,
			   const struct vpc **ret_vpc, struct cidr_block *ret_block,
			   struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark,
			 do_disassociate(tx, c, association, false, ret_vpc, ret_block, reterr));
}

int vpc_disassociate_block6(struct tx *tx, const struct caller *c, const char *association,
			    const struct vpc **ret_vpc, struct cidr_block *ret_block,
			    struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark,
			 do_disassociate(tx, c, association, true, ret_vpc, ret_block, reterr));
}
