/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interfaces as answers and filters see them.
 */
#pragma once

#include "api/call.h"
#include "model/interface.h"
#include "model/subnet.h"

const struct subnet *interface_view_subnet(const struct ec2_call *c, const struct interface *i);
/* Whose the instance, or else the interface, is. */
uint64_t interface_view_instance_owner(const struct ec2_call *c, const struct attachment *a);
/* "interface", or what it is of */
const char *interface_view_type(const struct interface *i);
