/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that do a driver's jobs (struct driver_job): for back-ends whose calls really block.
 *
 * The oldest job whose node has none running is begun next, so a node that takes long holds up none
 * but its own jobs, until LIMIT_DRIVER_WORKERS of them do.  The threads are in the network
 * namespace of who made them, and take no signals.
 *
 * Threading: the loop's thread calls everything here.
 */
#pragma once

#include "base/loop.h"
#include "driver/driver.h"

struct driver_workers;

/* Jobs are done with 'd' (borrowed), and come back in 'loop'.  -ENOMEM, or what the kernel
 * refused. */
must_check int driver_workers_new(struct driver *d, struct loop *loop, struct driver_workers **ret);
void driver_workers_submit(struct driver_workers *w, struct driver_job *job);
/* See driver_halt(). */
void driver_workers_halt(struct driver_workers *w);
/* Halts, and ends the threads.  NULL is allowed; returns NULL. */
struct driver_workers *driver_workers_free(struct driver_workers *w);
