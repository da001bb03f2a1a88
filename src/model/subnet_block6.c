/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IPv6 block of a subnet.  See subnet_block6.h.
 */
#include "model/subnet_block6.h"

#include "base/str.h"
#include "model/cidr6.h"
#include "model/edit.h"
#include "model/interface.h"
#include "model/release.h"
#include "model/subnet_edit.h"
#include "model/vpc.h"

static int check_prefix(const struct model *m, const struct vpc *v, const char *text,
			struct prefix *ret, struct refusal *reterr)
{
	struct model_iter it = model_iter_group(m, REL_VPC_SUBNETS, v->o.id);
	const struct object *o;
	struct prefix prefix;
	bool inside = false;

	if (cidr6_parse(text, &prefix))
		return refuse(reterr, MODEL_E_VALUE, text, "ipv6CidrBlock",
			      "This is not a valid IPv6 CIDR block.");
	for (size_t i = 0; i < v->n_blocks6; i++)
		inside |= prefix_covers(&v->blocks6[i].prefix, &prefix);
	if (!inside || prefix.len != CIDR6_SUBNET_LEN)
		return refuse(reterr, MODEL_E_SUBNET_RANGE6, text);
	while ((o = model_iter_next(&it)))
		if (subnet_has_block6((const struct subnet *)o) &&
		    prefix_overlaps(&((const struct subnet *)o)->prefix6, &prefix))
			return refuse(reterr, MODEL_E_SUBNET_CONFLICT6, text);
	*ret = prefix;
	return 0;
}

int subnet_set_block6(struct tx *tx, struct subnet *s, const char *cidr, struct refusal *reterr)
{
	const struct vpc *v = (const struct vpc *)model_get(tx->m, KIND_VPC, s->vpc);
	int r = check_prefix(tx->m, v, cidr, &s->prefix6, reterr);

	while (!r && !s->association6)
		s->association6 = tx_random(tx);
	return r;
}

static int do_associate(struct tx *tx, const struct subnet *old, const char *cidr,
			const struct subnet **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct subnet *result;
	char id[ID_TEXT_SIZE];
	int r;

	if (subnet_has_block6(old))
		return refuse(reterr, MODEL_E_BLOCK_LIMIT, object_id_text(&old->o, id), "1");
	r = tx_edit(tx, &old->o, &o);
	if (!r)
		r = subnet_set_block6(tx, (struct subnet *)o, cidr, reterr);
	if (r)
		return r;
	result = (const struct subnet *)o;
	r = tx_put(tx, &old->o, &o);
	if (!r)
		*ret = result;
	return r;
}

int subnet_associate_block6(struct tx *tx, const struct caller *c, const char *subnet_id,
			    const char *cidr, const struct subnet **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct subnet *s;
	int r = subnet_find(tx->m, c, subnet_id, &s, reterr);

	return r ? r : tx_settle(tx, mark, do_associate(tx, s, cidr, ret, reterr));
}

/* The caller's subnet that has it. */
static int find_association(const struct model *m, const struct caller *c, const char *text,
			    const struct subnet **ret, struct refusal *reterr)
{
	struct model_iter it = c->is_operator ? model_iter_kind(m, KIND_SUBNET)
					      : model_iter_account(m, KIND_SUBNET, c->account);
	const struct object *o;
	uint64_t id;

	if (!str_has_prefix(text, ID_PREFIX_SUBNET_CIDR))
		return refuse(reterr, MODEL_E_SUBNET_BLOCK_MALFORMED, text);
	if (id_parse_prefixed(ID_PREFIX_SUBNET_CIDR, text, &id))
		return refuse(reterr, MODEL_E_SUBNET_BLOCK_NOT_FOUND, text);
	while ((o = model_iter_next(&it))) {
		const struct subnet *s = (const struct subnet *)o;

		if (!subnet_has_block6(s) || s->association6 != id)
			continue;
		*ret = s;
		return 0;
	}
	return refuse(reterr, MODEL_E_SUBNET_BLOCK_NOT_FOUND, text);
}

/* No interface has an address of it, and none that was taken from one waits for its holders. */
static bool is_unused(const struct model *m, const struct subnet *s)
{
	struct model_iter it = model_iter_group(m, REL_SUBNET_INTERFACES, s->o.id);
	struct model_iter releases = model_iter_group(m, REL_SUBNET_RELEASES, s->o.id);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (interface_count_addrs((const struct interface *)o, true))
			return false;
	while ((o = model_iter_next(&releases)))
		if (prefix_contains(&s->prefix6, &((const struct release *)o)->addr))
			return false;
	return true;
}

static int do_disassociate(struct tx *tx, const struct caller *c, const char *association,
			   const struct subnet **ret_before, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct subnet *old = NULL;
	struct subnet *new;
	int r = find_association(tx->m, c, association, &old, reterr);

	if (!r && old->assign_ipv6)
		r = refuse(reterr, MODEL_E_SUBNET_BLOCK_ASSIGNS, association);
	if (!r && !is_unused(tx->m, old))
		r = refuse(reterr, MODEL_E_SUBNET_BLOCK_USED, association);
	if (!r)
		r = tx_edit(tx, &old->o, &o);
	if (r)
		return r;
	new = (struct subnet *)o;
	new->prefix6 = (struct prefix){.len = 0};
	new->association6 = 0;
	r = tx_put(tx, &old->o, &o);
	if (!r)
		*ret_before = old;
	return r;
}

int subnet_disassociate_block6(struct tx *tx, const struct caller *c, const char *association,
			       const struct subnet **ret_before, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_disassociate(tx, c, association, ret_before, reterr));
}
