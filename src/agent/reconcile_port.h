/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside reconciling: an interface's port in the data plane.
 */
#pragma once

#include "agent/reconcile.h"

/* Makes the port what 'i' wants.  '*ret': the port, when it is new or has changed; else untouched. */
must_check int reconcile_port(struct reconcile *r, const struct desired_interface *i,
			      const struct driver_port *plugged, const struct port **ret);
/* Takes it off the network. */
void reconcile_port_gone(struct reconcile *r, struct port *port);
/* Has it an address that its interface has no more? */
bool reconcile_port_is_ahead(const struct port *port, const struct desired_interface *i);
