/* SPDX-License-Identifier: Apache-2.0 */
/* Further blocks of VPCs, of either family. */
#include "api/block6.h"
#include "api/handlers.h"
#include "api/param.h"

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
	return ec2_refuse_unsupported(c, "CidrBlock");
}

int action_disassociate_vpc_cidr_block(struct ec2_call *c)
{
	return block6_disassociate_vpc(c);
}
