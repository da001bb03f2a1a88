/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of interfaces that CreateNetworkInterface and RunInstances have in common.
 */
#pragma once

#include <stddef.h>

#include "api/call.h"
#include "base/err.h"
#include "model/interface.h"

/* PREFIXPrivateIpAddresses.N.PrivateIpAddress and .Primary.  0, EC2_REFUSED, -ENOMEM */
must_check int interface_params_addrs(struct ec2_call *c, const char *prefix,
				      const struct private_addr_args **ret, size_t *ret_n);
/* PREFIXLIST.N.Ipv6Address and PREFIXIpv6AddressCount; '*ret_count' is NULL when no count was
 * sent. */
must_check int interface_params_addrs6(struct ec2_call *c, const char *prefix,
				       const char *list_name, const char *const **ret,
				       size_t *ret_n, const uint32_t **ret_count);
