/* SPDX-License-Identifier: Apache-2.0 */
/* Further blocks of VPCs, of either family. */
#include "api/block6.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/vpc_block.h"

static void write_block(struct ec2_call *c, const struct vpc *v, const struct cidr_block *b,
			const char *state)
{
	char id[ID_TEXT_SIZE];

	ec2_write_id(c, "vpcId", KIND_VPC, v->o.id);
	xml_open(c->xml, "cidrBlockAssociation");
	xml_text(c->xml, "associationId", id_text_prefixed(ID_PREFIX_VPC_CIDR, b->association, id));
	ec2_write_prefix(c, "cidrBlock", &b->prefix);
	xml_open(c->xml, "cidrBlockState");
	xml_text(c->xml, "state", state);
	xml_close(c->xml);
	xml_close(c->xml);
}

static int associate(struct ec2_call *c)
{
	const struct vpc *v;
	int r = vpc_associate_block(c->tx, &c->caller, param_text(c, "VpcId"),
				    param_text(c, "CidrBlock"), &v, &c->refusal);

	if (!r)
		write_block(c, v, &v->blocks[v->n_blocks - 1], "associating");
	return r;
}

int action_associate_vpc_cidr_block(struct ec2_call *c)
{
	const struct vpc_block6_args block6 = block6_params(c);

	if (vpc_block6_is_asked(&block6) && param_text(c, "CidrBlock"))
		return ec2_refuse(c, 400, "InvalidParameterCombination",
				  "Only one of CidrBlock and an IPv6 CIDR block can be associated "
				  "in one call");
	if (vpc_block6_is_asked(&block6))
		return block6_associate_vpc(c);
	if (!param_text(c, "CidrBlock"))
		return ec2_refuse_missing(c, "cidrBlock or amazonProvidedIpv6CidrBlock");
	return associate(c);
}

int action_disassociate_vpc_cidr_block(struct ec2_call *c)
{
	struct cidr_block block;
	const struct vpc *v;
	int r = vpc_disassociate_block(c->tx, &c->caller, param_text(c, "AssociationId"), &v,
				       &block, &c->refusal);

	if (!r)
		write_block(c, v, &block, "disassociating");
	else if (r == MODEL_E_BLOCK_NOT_FOUND)
		r = block6_disassociate_vpc(c);
	return r;
}
