/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The netns driver: a node is a network namespace, its interfaces are veth pairs.
 *
 * The namespace is bound at NETNS_DIR/PREFIX ID.  The node's end of an interface is ethN with the
 * interface's MAC and MTU; the host's end is "vd" and 13 hex digits made from the interface's id,
 * in the namespace of the driver's opener.  Offloads stay as the kernel sets them: GSO packets pass
 * whole.  A DHCP client per interface configures the node (driver/client.h).
 *
 * Ending a node ends every process inside its namespace.  One that ran when the machine was
 * rebooted is not known to driver_check() afterwards (-ENOENT), so that it is started again.
 */
#pragma once

#include "driver/driver.h"

struct driver_netns_config {
	const char *state; /* a directory for the records: survives a reboot */
	const char *run;   /* one for the client's script: must not survive a reboot */
	/* one for the nodes' resolv.conf, ID.conf each; other drivers may share it */
	const char *resolv;
	const char *netns_dir; /* where namespaces are bound, "/run/netns" */
	const char *prefix;    /* of their names, "vd-" */
	struct loop *loop;     /* that jobs come back to; NULL: none will be submitted */
};

/* Makes the directories, and opens the driver in the calling thread's network namespace. */
must_check int driver_netns_new(const struct driver_netns_config *config, struct driver **ret);

enum { DRIVER_NETNS_DEVICE_SIZE = 16 };
/* The name of the host's end of an interface. */
void driver_netns_device(const char *interface, char ret[static DRIVER_NETNS_DEVICE_SIZE]);
