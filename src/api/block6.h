/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 blocks of VPCs and subnets in requests and answers; block6_actions.c.
 */
#pragma once

#include "api/call.h"
#include "model/subnet.h"
#include "model/vpc_block6.h"

/* <ipv6CidrBlockAssociationSet> */
void block6_write_vpc_set(struct ec2_call *c, const struct vpc *v);
void block6_write_subnet_set(struct ec2_call *c, const struct subnet *s);
/* The pool's id, or "Amazon" for a block that was provided. */
const char *block6_pool_text(const struct cidr_block *b, char buf[static ID_TEXT_SIZE]);
/* AmazonProvidedIpv6CidrBlock, Ipv6Pool, Ipv6CidrBlock; vpc_block6_is_asked() tells whether any is
 * there. */
struct vpc_block6_args block6_params(const struct ec2_call *c);
/* The IPv6 sides of AssociateVpcCidrBlock and DisassociateVpcCidrBlock. */
int block6_associate_vpc(struct ec2_call *c);
int block6_disassociate_vpc(struct ec2_call *c);
