/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IPv4 address of a node's further interface, set from outside.
 *
 * udhcpc opens and closes packet sockets, for each of which the kernel waits for all of its
 * processors: five times 5 to 20 ms until a node has its address.  An interface that comes from
 * another node does not wait for that: it has its address at once, and the client that is then
 * started finds all as it would have made it (udhcpc.script).
 */
#pragma once

#include "driver/driver.h"

/* The first interface's address is set by its client alone, for names and the way out come with
 * it. */
bool address4_is_set(uint32_t device_index);
/* The address, and the way out by the router of what is sent from it.  Idempotent.  0 or a negative
 * errno. */
must_check int address4_set(int netns_fd, uint32_t device_index, const struct driver_address *a);
