/* SPDX-License-Identifier: Apache-2.0 */
/* VPCs. */
#include "api/block6.h"
#include "api/describe.h"
#include "api/dhcp_options_view.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/default_vpc.h"
#include "model/vpc.h"

#include <string.h>

static void write_block(struct ec2_call *c, const struct cidr_block *b)
{
	char id[ID_TEXT_SIZE];

	xml_open(c->xml, "item");
	ec2_write_prefix(c, "cidrBlock", &b->prefix);
	xml_text(c->xml, "associationId", id_text_prefixed(ID_PREFIX_VPC_CIDR, b->association, id));
	xml_open(c->xml, "cidrBlockState");
	xml_text(c->xml, "state", "associated");
	xml_close(c->xml);
	xml_close(c->xml);
}

static void write_vpc(struct ec2_call *c, const struct vpc *v)
{
	char id[ID_TEXT_SIZE];

	ec2_write_id(c, "vpcId", KIND_VPC, v->o.id);
	ec2_write_owner(c, "ownerId", v->o.account);
	xml_text(c->xml, "state", "available");
	ec2_write_prefix(c, "cidrBlock", &v->blocks[0].prefix);
	xml_open(c->xml, "cidrBlockAssociationSet");
	for (size_t i = 0; i < v->n_blocks; i++)
		write_block(c, &v->blocks[i]);
	xml_close(c->xml);
	block6_write_vpc_set(c, v);
	xml_text(c->xml, "dhcpOptionsId", dhcp_options_id(v, id));
	ec2_write_tags(c, &v->o);
	xml_text(c->xml, "instanceTenancy", v->tenancy);
	xml_bool(c->xml, "isDefault", v->is_default);
}

int action_create_vpc(struct ec2_call *c)
{
	static const char *const taggable[] = {"vpc", NULL};
	const struct vpc_block6_args block6 = block6_params(c);
	struct vpc_create_args args = {
		.block6 = vpc_block6_is_asked(&block6) ? &block6 : NULL,
		.cidr = param_text(c, "CidrBlock"),
		.tenancy = param_text(c, "InstanceTenancy"),
	};
	const struct vpc *vpc;
	int r;

	if (!args.cidr)
		return ec2_refuse_missing(c, "cidrBlock");
	r = param_tag_specification(c, "vpc", taggable, &args.tags, &args.n_tags);
	if (!r)
		r = vpc_create(c->tx, &c->caller, &args, &vpc, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "vpc");
	write_vpc(c, vpc);
	xml_close(c->xml);
	return 0;
}

int action_create_default_vpc(struct ec2_call *c)
{
	const struct vpc *v;
	int r = default_vpc_create(c->tx, &c->caller, &v, &c->refusal);

	if (r)
		return r;
	xml_open(c->xml, "vpc");
	write_vpc(c, v);
	xml_close(c->xml);
	return 0;
}

int action_delete_vpc(struct ec2_call *c)
{
	int r = vpc_delete(c->tx, &c->caller, param_text(c, "VpcId"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct vpc *v;
	int r = vpc_find(m, caller, id, &v, reterr);

	if (!r)
		*ret = &v->o;
	return r;
}

static void by_cidr(struct filter_probe *p, const void *item)
{
	char text[PREFIX_TEXT_SIZE];

	filter_text(p, prefix_text(&((const struct vpc *)item)->blocks[0].prefix, text));
}

static void by_any_cidr(struct filter_probe *p, const void *item)
{
	const struct vpc *v = item;
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < v->n_blocks; i++)
		filter_text(p, prefix_text(&v->blocks[i].prefix, text));
}

static void by_association(struct filter_probe *p, const void *item)
{
	const struct vpc *v = item;
	char text[ID_TEXT_SIZE];

	for (size_t i = 0; i < v->n_blocks; i++)
		filter_text(p,
			    id_text_prefixed(ID_PREFIX_VPC_CIDR, v->blocks[i].association, text));
}

static void by_block_state(struct filter_probe *p, const void *item)
{
	filter_text(p, "associated");
}

static void by_dhcp(struct filter_probe *p, const void *item)
{
	char text[ID_TEXT_SIZE];

	filter_text(p, dhcp_options_id(item, text));
}

static void by_default(struct filter_probe *p, const void *item)
{
	filter_bool(p, ((const struct vpc *)item)->is_default);
}

static void by_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, ((const struct object *)item)->account);
}

static void by_state(struct filter_probe *p, const void *item)
{
	filter_text(p, "available");
}

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_VPC, ((const struct object *)item)->id);
}

static void by_association6(struct filter_probe *p, const void *item)
{
	const struct vpc *v = item;
	char text[ID_TEXT_SIZE];

	for (size_t i = 0; i < v->n_blocks6; i++)
		filter_text(p,
			    id_text_prefixed(ID_PREFIX_VPC_CIDR, v->blocks6[i].association, text));
}

static void by_block6(struct filter_probe *p, const void *item)
{
	const struct vpc *v = item;
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < v->n_blocks6; i++)
		filter_text(p, prefix_text(&v->blocks6[i].prefix, text));
}

static void by_pool6(struct filter_probe *p, const void *item)
{
	const struct vpc *v = item;
	char text[ID_TEXT_SIZE];

	for (size_t i = 0; i < v->n_blocks6; i++)
		filter_text(p, block6_pool_text(&v->blocks6[i], text));
}

static void by_block6_state(struct filter_probe *p, const void *item)
{
	if (((const struct vpc *)item)->n_blocks6)
		filter_text(p, "associated");
}

const struct filter vpc_filters[] = {
	{"cidr", by_cidr},
	{"cidr-block", by_cidr},
	{"cidrBlock", by_cidr},
	{"cidr-block-association.association-id", by_association},
	{"cidr-block-association.cidr-block", by_any_cidr},
	{"cidr-block-association.state", by_block_state},
	{"dhcp-options-id", by_dhcp},
	{"dhcpOptionsId", by_dhcp},
	{"ipv6-cidr-block-association.association-id", by_association6},
	{"ipv6-cidr-block-association.ipv6-cidr-block", by_block6},
	{"ipv6-cidr-block-association.ipv6-pool", by_pool6},
	{"ipv6-cidr-block-association.state", by_block6_state},
	{"is-default", by_default},
	{"isDefault", by_default},
	{"owner-id", by_owner},
	{"state", by_state},
	{"vpc-id", by_id},
	{},
};

static void write_item(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_vpc(c, (const struct vpc *)o);
	xml_close(c->xml);
}

int action_describe_vpcs(struct ec2_call *c)
{
	static const struct describe_group groups[] = {{"vpc-id", KIND_VPC, REL_MAX}, {}};
	static const struct describe d = {
		.kind = KIND_VPC,
		.ids = "VpcId",
		.find = find,
		.filters = vpc_filters,
		.groups = groups,
		.write = write_item,
	};

	return describe_run(c, &d, "vpcSet", NULL, NULL);
}

static void write_flag(struct ec2_call *c, const char *name, bool value)
{
	xml_open(c->xml, name);
	xml_bool(c->xml, "value", value);
	xml_close(c->xml);
}

int action_describe_vpc_attribute(struct ec2_call *c)
{
	const char *attribute = param_text(c, "Attribute");
	const struct vpc *v;
	int r;

	r = vpc_find(c->model, &c->caller, param_text(c, "VpcId"), &v, &c->refusal);
	if (r)
		return r;
	ec2_write_id(c, "vpcId", KIND_VPC, v->o.id);
	if (!strcmp(attribute, "enableDnsSupport"))
		write_flag(c, attribute, v->dns_support);
	else if (!strcmp(attribute, "enableDnsHostnames"))
		write_flag(c, attribute, v->dns_hostnames);
	else if (!strcmp(attribute, "enableNetworkAddressUsageMetrics"))
		write_flag(c, attribute, v->usage_metrics);
	else
		return ec2_refuse_value(c, "attribute", attribute, "Unknown attribute.");
	return 0;
}

int action_modify_vpc_attribute(struct ec2_call *c)
{
	struct vpc_modify_args args = {
		.vpc_id = param_text(c, "VpcId"),
		.dns_support = param_bool(c, "EnableDnsSupport.Value"),
		.dns_hostnames = param_bool(c, "EnableDnsHostnames.Value"),
		.usage_metrics = param_bool(c, "EnableNetworkAddressUsageMetrics.Value"),
	};
	int n = !!args.dns_support + !!args.dns_hostnames + !!args.usage_metrics, r;

	if (!n)
		return ec2_refuse_missing(c, "EnableDnsSupport, EnableDnsHostnames or "
					     "EnableNetworkAddressUsageMetrics");
	if (n > 1)
		return ec2_refuse(c, 400, "InvalidParameterCombination",
				  "Fields for multiple attribute types specified: name one");
	r = vpc_modify(c->tx, &c->caller, &args, &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}
