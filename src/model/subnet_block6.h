/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IPv6 block of a subnet: at most one, a /64 of its VPC's IPv6 block.
 */
#pragma once

#include "model/subnet.h"

#define ID_PREFIX_SUBNET_CIDR "subnet-cidr-assoc-"

/* SUBNET_NOT_FOUND, VALUE, SUBNET_RANGE6, SUBNET_CONFLICT6, BLOCK_LIMIT */
must_check int subnet_associate_block6(struct tx *tx, const struct caller *c, const char *subnet_id,
				       const char *cidr, const struct subnet **ret,
				       struct refusal *reterr);
/* '*ret_before' is the version that had the block: it lives as long as the transaction.
 * SUBNET_BLOCK_MALFORMED, SUBNET_BLOCK_NOT_FOUND, SUBNET_BLOCK_ASSIGNS, SUBNET_BLOCK_USED */
must_check int subnet_disassociate_block6(struct tx *tx, const struct caller *c,
					  const char *association, const struct subnet **ret_before,
					  struct refusal *reterr);
