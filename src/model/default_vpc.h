/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default VPC of an account: a network that is ready for instances which name no subnet.  It
 * has the block 172.31.0.0/16, a default subnet (a /20 whose instances get public addresses) in
 * each availability zone, an internet gateway and a route to it (EC2 user guide, "Default VPCs").
 */
#pragma once

#include "model/refusal.h"
#include "model/subnet.h"
#include "model/vpc.h"

struct tx;
struct caller;
struct model;

/* DEFAULT_VPC_EXISTS, and those of vpc_create() */
must_check int default_vpc_create(struct tx *tx, const struct caller *c, const struct vpc **ret,
				  struct refusal *reterr);
/* In a zone, by name or id, that has none.  NO_DEFAULT_VPC_THERE, VALUE (zone),
 * DEFAULT_SUBNET_EXISTS, SUBNET_RANGE (no /20 is left) */
must_check int default_subnet_create(struct tx *tx, const struct caller *c, const char *zone,
				     const struct subnet **ret, struct refusal *reterr);
/* The account's, or NULL. */
const struct vpc *default_vpc_of(const struct model *m, uint64_t account);
/* The default subnet of a zone; with NULL of the first zone that has hosts, or of any.  NULL:
 * none. */
const struct subnet *default_subnet_of(const struct model *m, uint64_t account, const char *zone);
