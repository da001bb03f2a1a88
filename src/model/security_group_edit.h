/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: security groups as parts of other operations.
 */
#pragma once

#include "model/interface.h"
#include "model/security_group.h"

struct tx;

/* The default group of a VPC that is in the model already, with its rules. */
must_check int security_group_make_default(struct tx *tx, const struct vpc *v,
					   struct refusal *reterr);
/* 'v' has got an IPv6 block: groups that let all of IPv4 out, and have no other egress rule, let
 * all of IPv6 out, as new ones will. */
must_check int security_group_widen(struct tx *tx, const struct vpc *v, struct refusal *reterr);
/* Deletes a group and its rules, whatever it is used for. */
must_check int security_group_end(struct tx *tx, const struct security_group *g);

/* Makes 'i', a copy that is to be put, a member of the groups 'ids' (n 0: the VPC's default group)
 * and of no other.  GROUP_NOT_FOUND, GROUP_VPC_MISMATCH, GROUPS_LIMIT, VALUE (named twice),
 * -ENOMEM */
must_check int security_group_join(struct tx *tx, struct interface *i, const char *const *ids,
				   size_t n, struct refusal *reterr);
