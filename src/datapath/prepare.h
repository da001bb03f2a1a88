/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of nodes, made ready for datapath_port_set() by who may wait.
 *
 * Concept.  Whoever puts a program on a device waits for all others who change devices, and a link
 * at a device's egress, for a port that is watched, for all of the kernel's processors as well (an
 * RCU grace period, 10 to 20 ms).  datapath_port_set() does so if it must, and a loop that sets
 * twenty ports is away.  A device that was *prepared* has its program already: the call then only
 * writes tables.  Until it has, nothing is known of the device, and what its node sends is refused.
 *
 * A port that stands and is to be watched needs another program there: dp_preparer_watch() has it
 * come before datapath_port_set() says so, and go after that has said the contrary, which leaves
 * it.
 *
 * The end is like that: datapath_port_delete() makes tables forget the port and leaves the program
 * on its device, where it refuses everything, until the device is gone, or is another port's.
 *
 * Ownership: counted references; the data plane may be closed before the last one goes, and a
 * device that was prepared in vain is given back with it.  Threading: any thread, side by side with
 * each other and with the data plane's, but two never prepare the same device at a time.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct datapath;
struct dp_preparer;

/* A reference to the data plane's own one; or NULL: its devices need nothing. */
struct dp_preparer *datapath_preparer(struct datapath *dp);
struct dp_preparer *dp_preparer_ref(struct dp_preparer *p); /* NULL is allowed */
/* NULL is allowed; returns NULL.  The last one may block. */
struct dp_preparer *dp_preparer_unref(struct dp_preparer *p);

/* Makes the device ready for a port, 'watched' (logged, mirrored, tagged) or not; one that is
 * already is left alone.  Blocks.  0 or a negative errno: -ENODEV when it is gone. */
must_check int dp_preparer_prepare(struct dp_preparer *p, int ifindex, bool watched);
/* Makes the device of a port that stands ready to be watched; or, 'watched' false, ends what a port
 * that is not any more has left there.  Blocks.  Errors as above. */
must_check int dp_preparer_watch(struct dp_preparer *p, int ifindex, bool watched);
/* Gives back what belonged to devices that are gone.  Blocks. */
void dp_preparer_tidy(struct dp_preparer *p);
