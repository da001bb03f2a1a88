/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IPv6 blocks of VPCs: each a /56 out of the operators' pool (struct model_config), no two VPCs
 * with the same.  A VPC gets the next free one, or the one that its owner names.
 *
 * To the EC2 API the pool is both Amazon's own, which gives blocks away, and the one pool of
 * addresses that was brought along, out of which blocks are named (DescribeIpv6Pools).
 */
#pragma once

#include "model/vpc.h"

#define ID_PREFIX_IPV6_POOL "ipv6pool-ec2-"
enum { IPV6_POOL_ID = 1 };

struct vpc_block6_args {
	bool provided;       /* any free block, or */
	const char *pool_id; /* out of this pool */
	const char *cidr;    /* this one; NULL with a pool: any of it */
};

bool vpc_block6_is_asked(const struct vpc_block6_args *args);
/* Of the operators; NULL: there is none. */
const struct prefix *vpc_block6_pool(const struct model *m);

/* A further block.  '*ret' is the new version; the block is its last.
 * VPC_NOT_FOUND, VALUE, COMBINATION, MISSING, POOL_NOT_FOUND, BLOCK_LIMIT, BLOCK_IN_USE,
 * POOL_EMPTY */
must_check int vpc_associate_block6(struct tx *tx, const struct caller *c, const char *vpc_id,
				    const struct vpc_block6_args *args, const struct vpc **ret,
				    struct refusal *reterr);
/* '*ret_vpc' had '*ret_block' until now: a copy of it.  BLOCK_NOT_FOUND when no IPv6 block of the
 * caller's has that association, VPC_BLOCK_USED while a subnet has a part of it. */
must_check int vpc_disassociate_block6(struct tx *tx, const struct caller *c,
				       const char *association, const struct vpc **ret_vpc,
				       struct cidr_block *ret_block, struct refusal *reterr);
