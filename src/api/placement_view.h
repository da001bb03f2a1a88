/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement in requests and answers about instances; the parameters begin with 'prefix'
 * ("Placement." or "").
 */
#pragma once

#include "api/call.h"
#include "base/err.h"
#include "model/placement_group.h"

struct instance;

/* Tenancy and affinity: there is shared hardware only.  0, EC2_REFUSED, -ENOMEM */
must_check int placement_check_tenancy(struct ec2_call *c, const char *prefix);
/* GroupName, GroupId and PartitionNumber.  -ENOMEM */
must_check int placement_read_group(struct ec2_call *c, const char *prefix,
				    struct placement_group_args *ret);
/* <placement> */
void placement_write(struct ec2_call *c, const struct instance *i);
