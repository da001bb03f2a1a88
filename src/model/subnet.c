/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subnets.  See subnet.h.
 */
#include "model/subnet.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/cidr.h"
#include "model/edit.h"
#include "model/flow_log.h"
#include "model/network_acl_edit.h"
#include "model/subnet_edit.h"
#include "model/subnet_router.h"
#include "model/vpc.h"
#include "model/zone.h"

int subnet_find(const struct model *m, const struct caller *c, const char *id,
		const struct subnet **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_SUBNET, id, &number))
		o = model_get(m, KIND_SUBNET, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_SUBNET_NOT_FOUND, id);
	*ret = (const struct subnet *)o;
	return 0;
}

uint64_t subnet_available(const struct model *m, const struct subnet *s)
{
	const struct group *g = group_find(m, REL_SUBNET_INTERFACES, KIND_INTERFACE, s->o.id);
	const struct group *h = group_find(m, REL_SUBNET_RELEASES, KIND_RELEASE, s->o.id);

	return cidr_usable(&s->prefix) - subnet_router_is_among_usable(s) - (g ? g->weight : 0) -
	       (h ? h->weight : 0);
}

bool subnet_has_block6(const struct subnet *s)
{
	return s->prefix6.len;
}

static int check_zone(const struct model *m, const char *zone, const char **ret,
		      struct refusal *reterr)
{
	const char *found = zone ? zone_find(m, zone) : zone_default(m);
	char text[REFUSAL_MESSAGE_SIZE / 2];

	if (!found) {
		snprintf(text, sizeof(text),
			 "Subnets can currently only be created in the following availability "
			 "zones: %s, %s, %s.",
			 model_zone(m, 0), model_zone(m, 1), model_zone(m, 2));
		return refuse(reterr, MODEL_E_VALUE, zone, "availabilityZone", text);
	}
	*ret = found;
	return 0;
}

static int check_prefix(const struct model *m, const struct vpc *v, const char *text,
			struct prefix *ret, struct refusal *reterr)
{
	struct model_iter it = model_iter_group(m, REL_VPC_SUBNETS, v->o.id);
	const struct object *o;
	struct prefix prefix;
	bool inside = false;

	if (!text)
		return refuse(reterr, MODEL_E_MISSING, "CidrBlock");
	if (cidr_parse(text, &prefix))
		return refuse(reterr, MODEL_E_VALUE, text, "cidrBlock",
			      "This is not a valid CIDR block.");
	for (size_t i = 0; i < v->n_blocks; i++)
		inside |= prefix_covers(&v->blocks[i].prefix, &prefix);
	if (!inside || !cidr_is_allowed(&prefix))
		return refuse(reterr, MODEL_E_SUBNET_RANGE, text);
	while ((o = model_iter_next(&it)))
		if (prefix_overlaps(&((const struct subnet *)o)->prefix, &prefix))
			return refuse(reterr, MODEL_E_SUBNET_CONFLICT, text);
	*ret = prefix;
	return 0;
}

static int do_create(struct tx *tx, const struct caller *c, const struct subnet_create_args *args,
		     const struct subnet **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct subnet *s;
	const struct vpc *v;
	const char *zone;
	int r = vpc_find(tx->m, c, args->vpc_id, &v, reterr);

	if (r)
		return r;
	if (model_group_count(tx->m, REL_VPC_SUBNETS, v->o.id) >= LIMIT_MODEL_SUBNETS)
		return refuse(reterr, MODEL_E_SUBNET_LIMIT, args->vpc_id);
	r = check_zone(tx->m, args->zone, &zone, reterr);
	if (!r)
		r = tx_make(tx, KIND_SUBNET, v->o.account, &o);
	if (r)
		return r;
	s = (struct subnet *)o;
	s->vpc = v->o.id;
	s->vni = v->vni;
	r = check_prefix(tx->m, v, args->cidr, &s->prefix, reterr);
	if (!r)
		r = edit_string(&s->zone, zone);
	if (!r && args->cidr6)
		r = subnet_set_block6(tx, s, args->cidr6, reterr);
	if (!r)
		r = tags_set(o, args->tags, args->n_tags, reterr);
	network_acl_assign(tx, s, network_acl_default(tx->m, v));
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = s;
	return r;
}

int subnet_create(struct tx *tx, const struct caller *c, const struct subnet_create_args *args,
		  const struct subnet **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

int subnet_delete(struct tx *tx, const struct caller *c, const char *id, struct refusal *reterr)
{
	size_t mark = tx_mark(tx), n;
	const struct subnet *s;
	char count[24];
	int r = subnet_find(tx->m, c, id, &s, reterr);

	if (r)
		return r;
	n = model_group_count(tx->m, REL_SUBNET_INTERFACES, s->o.id);
	if (n) {
		snprintf(count, sizeof(count), "%zu", n);
		return refuse(reterr, MODEL_E_SUBNET_DEPENDENCY, id, count);
	}
	r = flow_log_end_all(tx, s->o.id);
	return tx_settle(tx, mark, r ? r : tx_delete(tx, &s->o));
}

static int do_modify(struct tx *tx, const struct subnet *old, const struct subnet_modify_args *args)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct subnet *new;
	int r = tx_edit(tx, &old->o, &o);

	if (r)
		return r;
	new = (struct subnet *)o;
	if (args->map_public_ip)
		new->map_public_ip = *args->map_public_ip;
	if (args->assign_ipv6)
		new->assign_ipv6 = *args->assign_ipv6;
	return record_equal(&old->o, o) ? 0 : tx_put(tx, &old->o, &o);
}

int subnet_modify(struct tx *tx, const struct caller *c, const struct subnet_modify_args *args,
		  struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct subnet *s;
	int r = subnet_find(tx->m, c, args->subnet_id, &s, reterr);

	return r ? r : tx_settle(tx, mark, do_modify(tx, s, args));
}
