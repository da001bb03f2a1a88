/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VPCs.  See vpc.h.
 */
#include "model/vpc.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/choice_rules.h"
#include "model/cidr.h"
#include "model/counters.h"
#include "model/edit.h"
#include "model/flow_log.h"
#include "model/network_acl_edit.h"
#include "model/route_table.h"
#include "model/security_group_edit.h"
#include "model/vpc_edit.h"

int vpc_find(const struct model *m, const struct caller *c, const char *id, const struct vpc **ret,
	     struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_VPC, id, &number))
		o = model_get(m, KIND_VPC, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_VPC_NOT_FOUND, id);
	*ret = (const struct vpc *)o;
	return 0;
}

const struct vpc *vpc_by_vni(const struct model *m, uint32_t vni)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_VNI, hash_u64(vni));

	for (; n; n = hmap_next_at(n)) {
		const struct vpc *v = hmap_entry(n, const struct vpc, by_vni);

		if (v->vni == vni)
			return v;
	}
	return NULL;
}

const struct prefix *vpc_block_over(const struct vpc *v, const struct prefix *p)
{
	for (size_t i = 0; i < v->n_blocks; i++)
		if (prefix_covers(&v->blocks[i].prefix, p))
			return &v->blocks[i].prefix;
	for (size_t i = 0; i < v->n_blocks6; i++)
		if (prefix_covers(&v->blocks6[i].prefix, p))
			return &v->blocks6[i].prefix;
	return NULL;
}

bool vpc_has_v6(const struct vpc *v)
{
	return v->n_blocks6;
}

struct ipaddr vpc_resolver(const struct vpc *v)
{
	return cidr_addr(&v->blocks[0].prefix, CIDR_RESOLVER);
}

static int check_create(struct tx *tx, const struct caller *c, const struct vpc_create_args *args,
			struct prefix *ret, struct refusal *reterr)
{
	const struct group *g = group_find(tx->m, REL_ACCOUNT, KIND_VPC, c->account);
	struct prefix prefix;

	if (!args->cidr)
		return refuse(reterr, MODEL_E_MISSING, "CidrBlock");
	if (cidr_parse(args->cidr, &prefix))
		return refuse(reterr, MODEL_E_VALUE, args->cidr, "cidrBlock",
			      "This is not a valid CIDR block.");
	if (!cidr_is_allowed(&prefix))
		return refuse(reterr, MODEL_E_VPC_RANGE, args->cidr);
	if (args->tenancy && !str_equal(args->tenancy, "default") &&
	    !str_equal(args->tenancy, "dedicated"))
		return refuse(reterr, MODEL_E_VALUE, args->tenancy, "instanceTenancy",
			      "It is default or dedicated.");
	if (g && g->n >= LIMIT_MODEL_VPCS)
		return refuse(reterr, MODEL_E_VPC_LIMIT, args->cidr);
	*ret = prefix;
	return 0;
}

static int fill_vpc(struct tx *tx, struct vpc *v, const struct vpc_create_args *args,
		    const struct prefix *prefix)
{
	v->dns_support = true;
	v->blocks = calloc(1, sizeof(*v->blocks));
	if (!v->blocks)
		return -ENOMEM;
	v->n_blocks = 1;
	v->blocks[0] = (struct cidr_block){.prefix = *prefix, .association = tx_random(tx)};
	return edit_string(&v->tenancy, args->tenancy ? args->tenancy : "default");
}

static int do_create(struct tx *tx, const struct caller *c, const struct vpc_create_args *args,
		     const struct vpc **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct vpc *result;
	struct prefix prefix;
	int r;

	r = check_create(tx, c, args, &prefix, reterr);
	if (!r)
		r = tx_make(tx, KIND_VPC, c->account, &o);
	if (!r)
		r = fill_vpc(tx, (struct vpc *)o, args, &prefix);
	if (!r && args->block6)
		r = vpc_add_block6(tx, (struct vpc *)o, args->block6, reterr);
	if (!r)
		r = tags_set(o, args->tags, args->n_tags, reterr);
	if (!r)
		r = counters_next_vni(tx, &((struct vpc *)o)->vni, reterr);
	if (!r)
		r = route_table_make_main(tx, (struct vpc *)o, reterr);
	if (r)
		return r;
	((struct vpc *)o)->default_group = tx_new_id(tx, KIND_SECURITY_GROUP);
	((struct vpc *)o)->default_acl = tx_new_id(tx, KIND_NETWORK_ACL);
	result = (const struct vpc *)o;
	r = tx_put(tx, NULL, &o);
	if (!r)
		r = network_acl_make_default(tx, result, reterr);
	if (!r)
		r = security_group_make_default(tx, result, reterr);
	if (!r)
		*ret = result;
	return r;
}

int vpc_create(struct tx *tx, const struct caller *c, const struct vpc_create_args *args,
	       const struct vpc **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

/* What it was made with goes with it; anything else stands in the way: how much of what, or
 * false. */
static bool find_dependencies(const struct model *m, const struct vpc *v, char *out, size_t size)
{
	const struct {
		enum relation relation;
		bool own; /* one of them goes with the VPC */
		const char *what;
	} kinds[] = {
		{REL_VPC_SUBNETS, false, "subnet(s)"},
		{REL_VPC_GROUPS, v->default_group, "security group(s)"},
		{REL_VPC_ACLS, v->default_acl, "network ACL(s)"},
		{REL_VPC_TABLES, v->main_table, "route table(s)"},
		{REL_VPC_INTERNET_GATEWAY, false, "internet gateway(s)"},
		{REL_VPC_PEERINGS_OUT, false, "peering connection(s) to others"},
		{REL_VPC_PEERINGS_IN, false, "peering connection(s) of others"},
		{REL_VPC_EGRESS_GATEWAYS, false, "egress-only internet gateway(s)"},
	};
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = model_group_count(m, kinds[i].relation, v->o.id);

		if (n > kinds[i].own && used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%zu %s",
						 used ? ", " : "", n - kinds[i].own, kinds[i].what);
	}
	return used;
}

static int do_delete(struct tx *tx, const struct vpc *v)
{
	const struct security_group *g = security_group_default(tx->m, v);
	const struct network_acl *a = network_acl_default(tx->m, v);
	int r = flow_log_end_all(tx, v->o.id);

	if (!r && g)
		r = security_group_end(tx, g);
	if (!r && a)
		r = tx_delete(tx, &a->o);
	if (!r)
		r = route_table_end_main(tx, v);
	return r ? r : tx_delete(tx, &v->o);
}

int vpc_delete(struct tx *tx, const struct caller *c, const char *id, struct refusal *reterr)
{
	char left[REFUSAL_MESSAGE_SIZE / 2];
	size_t mark = tx_mark(tx);
	const struct vpc *v;
	int r = vpc_find(tx->m, c, id, &v, reterr);

	if (r)
		return r;
	if (find_dependencies(tx->m, v, left, sizeof(left)))
		return refuse(reterr, MODEL_E_VPC_DEPENDENCY, id, left);
	return tx_settle(tx, mark, do_delete(tx, v));
}

static int do_modify(struct tx *tx, const struct vpc *old, const struct vpc_modify_args *args,
		     struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct vpc *new;
	int r = tx_edit(tx, &old->o, &o);

	if (r)
		return r;
	new = (struct vpc *)o;
	if (args->dns_support)
		new->dns_support = *args->dns_support;
	if (args->dns_hostnames)
		new->dns_hostnames = *args->dns_hostnames;
	if (args->usage_metrics)
		new->usage_metrics = *args->usage_metrics;
	if (args->dns_hostnames && *args->dns_hostnames && !new->dns_support)
		return refuse(reterr, MODEL_E_DNS_SUPPORT_OFF, args->vpc_id);
	return record_equal(&old->o, o) ? 0 : tx_put(tx, &old->o, &o);
}

static int do_set_environment(struct tx *tx, const struct vpc *old, const char *environment)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	int r = tx_edit(tx, &old->o, &o);

	if (!r)
		r = edit_string(&((struct vpc *)o)->environment, environment);
	return r || record_equal(&old->o, o) ? r : choice_vpc_put(tx, &old->o, &o);
}

int vpc_set_environment(struct tx *tx, const struct caller *c, const char *id,
			const char *environment, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct vpc *v;
	int r = vpc_find(tx->m, c, id, &v, reterr);

	if (r)
		return r;
	if (!c->is_operator)
		return refuse(reterr, MODEL_E_NOT_PERMITTED,
			      "Operators say of which environment a network is; the "
			      "tag " CHOICE_TAG_ENVIRONMENT " counts while they have not");
	if (strlen(environment) > LIMIT_MODEL_TAG_VALUE)
		return refuse(reterr, MODEL_E_VALUE, environment, "environment", "It is too long.");
	return tx_settle(tx, mark, do_set_environment(tx, v, environment));
}

int vpc_modify(struct tx *tx, const struct caller *c, const struct vpc_modify_args *args,
	       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct vpc *v;
	int r = vpc_find(tx->m, c, args->vpc_id, &v, reterr);

	return r ? r : tx_settle(tx, mark, do_modify(tx, v, args, reterr));
}
