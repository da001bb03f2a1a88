/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6: the blocks of VPCs and subnets, and the pool that they come from. */
#include "api/block6.h"
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "base/limits.h"
#include "model/subnet_block6.h"

#include <string.h>

#define AMAZON_POOL "Amazon" /* as EC2 names where provided blocks come from */

static const char *pool_id(char buf[static ID_TEXT_SIZE])
{
	return id_text_prefixed(ID_PREFIX_IPV6_POOL, IPV6_POOL_ID, buf);
}

const char *block6_pool_text(const struct cidr_block *b, char buf[static ID_TEXT_SIZE])
{
	return b->from_pool ? pool_id(buf) : AMAZON_POOL;
}

/* What VPCs and subnets have in common: the members of an association. */
static void write_association(struct ec2_call *c, const char *id, const struct prefix *block,
			      const char *state)
{
	xml_text(c->xml, "associationId", id);
	ec2_write_prefix(c, "ipv6CidrBlock", block);
	xml_open(c->xml, "ipv6CidrBlockState");
	xml_text(c->xml, "state", state);
	xml_close(c->xml);
}

static void write_vpc_block(struct ec2_call *c, const char *element, const struct cidr_block *b,
			    const char *state)
{
	char id[ID_TEXT_SIZE];

	xml_open(c->xml, element);
	write_association(c, id_text_prefixed(ID_PREFIX_VPC_CIDR, b->association, id), &b->prefix,
			  state);
	xml_text(c->xml, "networkBorderGroup", model_region(c->model));
	xml_text(c->xml, "ipv6Pool", block6_pool_text(b, id));
	xml_close(c->xml);
}

static void write_subnet_block(struct ec2_call *c, const char *element, const struct subnet *s,
			       const char *state)
{
	char id[ID_TEXT_SIZE];

	xml_open(c->xml, element);
	write_association(c, id_text_prefixed(ID_PREFIX_SUBNET_CIDR, s->association6, id),
			  &s->prefix6, state);
	xml_close(c->xml);
}

void block6_write_vpc_set(struct ec2_call *c, const struct vpc *v)
{
	xml_open(c->xml, "ipv6CidrBlockAssociationSet");
	for (size_t i = 0; i < v->n_blocks6; i++)
		write_vpc_block(c, "item", &v->blocks6[i], "associated");
	xml_close(c->xml);
}

void block6_write_subnet_set(struct ec2_call *c, const struct subnet *s)
{
	xml_open(c->xml, "ipv6CidrBlockAssociationSet");
	if (subnet_has_block6(s))
		write_subnet_block(c, "item", s, "associated");
	xml_close(c->xml);
}

struct vpc_block6_args block6_params(const struct ec2_call *c)
{
	return (struct vpc_block6_args){
		.provided = param_is_true(c, "AmazonProvidedIpv6CidrBlock"),
		.pool_id = param_text(c, "Ipv6Pool"),
		.cidr = param_text(c, "Ipv6CidrBlock"),
	};
}

/* ---- blocks of VPCs ---- */

int block6_associate_vpc(struct ec2_call *c)
{
	const struct vpc_block6_args args = block6_params(c);
	const struct vpc *v;
	int r;

	r = vpc_associate_block6(c->tx, &c->caller, param_text(c, "VpcId"), &args, &v, &c->refusal);
	if (r)
		return r;
	ec2_write_id(c, "vpcId", KIND_VPC, v->o.id);
	write_vpc_block(c, "ipv6CidrBlockAssociation", &v->blocks6[v->n_blocks6 - 1],
			"associating");
	return 0;
}

int block6_disassociate_vpc(struct ec2_call *c)
{
	struct cidr_block block;
	const struct vpc *v;
	int r;

	r = vpc_disassociate_block6(c->tx, &c->caller, param_text(c, "AssociationId"), &v, &block,
				    &c->refusal);
	if (r)
		return r;
	ec2_write_id(c, "vpcId", KIND_VPC, v->o.id);
	write_vpc_block(c, "ipv6CidrBlockAssociation", &block, "disassociating");
	return 0;
}

/* ---- blocks of subnets ---- */

int action_associate_subnet_cidr_block(struct ec2_call *c)
{
	const struct subnet *s;
	int r;

	r = subnet_associate_block6(c->tx, &c->caller, param_text(c, "SubnetId"),
				    param_text(c, "Ipv6CidrBlock"), &s, &c->refusal);
	if (r)
		return r;
	ec2_write_id(c, "subnetId", KIND_SUBNET, s->o.id);
	write_subnet_block(c, "ipv6CidrBlockAssociation", s, "associating");
	return 0;
}

int action_disassociate_subnet_cidr_block(struct ec2_call *c)
{
	const struct subnet *s;
	int r;

	r = subnet_disassociate_block6(c->tx, &c->caller, param_text(c, "AssociationId"), &s,
				       &c->refusal);
	if (r)
		return r;
	ec2_write_id(c, "subnetId", KIND_SUBNET, s->o.id);
	write_subnet_block(c, "ipv6CidrBlockAssociation", s, "disassociating");
	return 0;
}

/* ---- the pool ---- */

static int check_pool(struct ec2_call *c, const char *id)
{
	char text[ID_TEXT_SIZE];

	if (vpc_block6_pool(c->model) && !strcmp(id, pool_id(text)))
		return 0;
	return ec2_refuse(c, 400, "InvalidIpv6PoolID.NotFound",
			  "The IPv6 pool ID '%.100s' does not exist", id);
}

const struct filter pool6_filters[] = {
	{},
};

int action_describe_ipv6_pools(struct ec2_call *c)
{
	static const struct object untagged = {};
	const char *const *ids;
	struct filter_set filters;
	struct page_run page;
	char id[ID_TEXT_SIZE];
	size_t n;
	int r;

	r = filter_parse(c, pool6_filters, true, &filters);
	if (!r)
		r = page_run_begin_within(c, 1, LIMIT_API_PAGE_MAX, &page);
	if (!r)
		r = param_list(c, "PoolId", &ids, &n);
	for (size_t i = 0; !r && i < n; i++)
		r = check_pool(c, ids[i]);
	if (r)
		return r;
	xml_open(c->xml, "ipv6PoolSet");
	if (vpc_block6_pool(c->model) && filter_passes(c, &filters, NULL, &untagged)) {
		xml_open(c->xml, "item");
		xml_text(c->xml, "poolId", pool_id(id));
		xml_text(c->xml, "description", "of this cluster's operators");
		xml_open(c->xml, "poolCidrBlockSet");
		xml_open(c->xml, "item");
		ec2_write_prefix(c, "poolCidrBlock", vpc_block6_pool(c->model));
		xml_close(c->xml);
		xml_close(c->xml);
		ec2_write_tags(c, &untagged);
		xml_close(c->xml);
	}
	xml_close(c->xml);
	return 0;
}

static void write_pool_blocks(struct ec2_call *c, const struct object *o, void *data)
{
	const struct vpc *v = (const struct vpc *)o;

	for (size_t i = 0; i < v->n_blocks6; i++) {
		if (!v->blocks6[i].from_pool)
			continue;
		xml_open(c->xml, "item");
		ec2_write_prefix(c, "ipv6Cidr", &v->blocks6[i].prefix);
		ec2_write_id(c, "associatedResource", KIND_VPC, o->id);
		xml_close(c->xml);
	}
}

static bool has_pool_block(const struct ec2_call *c, const struct object *o)
{
	const struct vpc *v = (const struct vpc *)o;

	for (size_t i = 0; i < v->n_blocks6; i++)
		if (v->blocks6[i].from_pool)
			return true;
	return false;
}

int action_get_associated_ipv6_pool_cidrs(struct ec2_call *c)
{
	static const struct describe d = {
		.kind = KIND_VPC,
		.ids = "VpcId", /* which the action's table does not have */
		.filters = pool6_filters,
		.small_pages = true,
		.write = write_pool_blocks,
		.shows = has_pool_block,
	};
	int r = check_pool(c, param_text(c, "PoolId"));

	return r ? r : describe_run(c, &d, "ipv6CidrAssociationSet", NULL, NULL);
}
