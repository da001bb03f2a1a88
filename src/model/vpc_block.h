/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Further IPv4 blocks of VPCs, beside the primary one that they are made with.
 */
#pragma once

#include "model/vpc.h"

/* '*ret' is the new version; the block is its last.  VPC_NOT_FOUND, VALUE, VPC_RANGE,
 * BLOCK_CONFLICT (a block of the VPC, or a destination in its route tables that would be local),
 * BLOCK_LIMIT */
must_check int vpc_associate_block(struct tx *tx, const struct caller *c, const char *vpc_id,
				   const char *cidr, const struct vpc **ret,
				   struct refusal *reterr);
/* '*ret_vpc' had '*ret_block' until now: a copy of it.  BLOCK_NOT_FOUND when no IPv4 block of the
 * caller's has that association, BLOCK_PRIMARY, VPC_BLOCK_USED while a subnet lies in it. */
must_check int vpc_disassociate_block(struct tx *tx, const struct caller *c,
				      const char *association, const struct vpc **ret_vpc,
				      struct cidr_block *ret_block, struct refusal *reterr);
