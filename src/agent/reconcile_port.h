/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside reconciling: an interface's port in the data plane.
 */
#pragma once

#include "agent/reconcile.h"

/* Makes the port what 'i' wants. */
must_check int reconcile_port(struct reconcile *r, const struct desired_interface *i,
			      const struct driver_port *plugged);
/* The same for one that the data plane has, where it is plugged already: what is about the network
 * alone waits for no driver.  But for flow logs and mirroring of a port that is not watched yet:
 * their program comes to its device by a step of the node.  0 also when there is none. */
must_check int reconcile_port_standing(struct reconcile *r, const struct desired_interface *i);
/* Its device has the program of flow logs, mirroring and tags. */
bool reconcile_port_watched(const struct port *port);
/* Takes it off the network; takes all of an instance's. */
void reconcile_port_gone(struct reconcile *r, struct port *port);
void reconcile_ports_of_gone(struct reconcile *r, const char *instance);
/* An address that left the interface may be another node's as soon as this is acknowledged, also
 * when it failed: then the port goes off the network with all that it had. */
void reconcile_drop_ahead(struct reconcile *r, const struct desired_interface *i);
