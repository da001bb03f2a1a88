/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IPv6 addresses of an interface inside a node's namespace.  Errors: 0 or a negative errno.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"

/* Makes ethN of the namespace have exactly 'addrs' of all addresses that stand alone (/128): others
 * are the node's own affair. */
must_check int addresses6_set(int netns_fd, uint32_t device_index, const struct ipaddr *addrs,
			      size_t n);
