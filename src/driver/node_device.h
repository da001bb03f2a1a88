/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device of an interface inside its node: "eth" and its device index, as EC2's images have it.
 */
#pragma once

#include <stdint.h>

#include "net/rtnl.h"

enum { NODE_DEVICE_SIZE = 16 };

/* Writes its name to 'buf' and returns it. */
const char *node_device_name(uint32_t device_index, char buf[NODE_DEVICE_SIZE]);
/* Looks it up in the node's namespace.  0, with '*ret' for whoever calls to close, or a negative
 * errno. */
must_check int node_device_open(int netns_fd, uint32_t device_index, struct rtnl **ret,
				struct rtnl_link *ret_link);
