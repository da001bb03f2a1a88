/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The veth pair of an interface: the host's end in the namespace of the caller, named by
 * driver_netns_device(), and the node's, ethN, in the node's.  Errors: 0 or a negative errno.
 */
#pragma once

#include "driver/driver.h"
#include "net/rtnl.h"

/* Makes it.  The host's end stays down: whatever came in by it before it has a program would be the
 * host's own stack's. */
must_check int pair_create(struct rtnl *host, int netns_fd,
			   const struct driver_interface *interface, const char *device);
/* Ends what a pair_create() that was cut off began. */
must_check int pair_make_ready(int netns_fd, const struct driver_interface *interface,
			       const char *device);
/* From now on it carries packets. */
must_check int pair_open(const char *interface);
/* 'ifindex': of the host's end. */
must_check int pair_set_mtu(struct rtnl *host, int netns_fd,
			    const struct driver_interface *interface, int ifindex);
/* Removes the host's end of that name, and with it whatever node's end it leads to; 0 also when
 * there is none. */
must_check int pair_delete(const char *interface);
/* Removes the node's end, and with it the host's, if that leads into this namespace.  -ENODEV: it
 * does not, or there is none. */
must_check int pair_delete_inside(int netns_fd, const char *interface);
