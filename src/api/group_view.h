/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups and their rules as elements of answers.
 */
#pragma once

#include "api/call.h"
#include "model/group_rule.h"
#include "model/security_group.h"

struct interface;

/* <groupSet>: the groups of an interface; of none (NULL) an empty set. */
void group_write_set(struct ec2_call *c, const struct interface *i);
/* <NAME>: rules of one direction as permissions; those of one traffic together.  'shows' (NULL:
 * all). */
void group_write_permissions(struct ec2_call *c, const char *name, uint64_t group, bool egress,
			     bool (*shows)(const struct model *m, const struct group_rule *r));
/* One item of a securityGroupRuleSet. */
void group_rule_write(struct ec2_call *c, const struct group_rule *r);
