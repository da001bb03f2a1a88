/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of security groups as requests say them: IpPermissions.N with its ranges, prefix lists and
 * groups, each of which is a rule, or the flat parameters for one.
 */
#pragma once

#include <stddef.h>

#include "api/call.h"
#include "base/err.h"
#include "model/group_rule.h"

/* 0, EC2_REFUSED (both forms, none of the parts), -ENOMEM. */
must_check int rule_params(struct ec2_call *c, const struct rule_args **ret, size_t *ret_n);
/* The id of a group of the default VPC. */
must_check int rule_params_named(struct ec2_call *c, const char *name, const char **ret_id);
/* The group that the request is about: GroupId, or GroupName in the default VPC. */
must_check int rule_params_group(struct ec2_call *c, const char **ret_id);
