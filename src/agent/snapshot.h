/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desired state on disk, so that an agent that starts without its manager knows what its ports
 * are and goes on serving them (DHCP, DNS, restarts), and can tell the manager what it has.
 *
 * The file holds two records of the agent protocol: a Welcome with cluster id and revision, and a
 * full Desired.  It is replaced atomically.  Errors: 0 or a negative errno; -ENOENT: there is none;
 * -EBADMSG: it is damaged, and as good as none.
 */
#pragma once

#include "agent/desired.h"
#include "wire/frame.h"

must_check int snapshot_write(const char *path, struct desired *d, uint64_t cluster_id,
			      uint64_t revision);

/* Reads the file and calls 'fn' with the Desired in it, which lives until 'fn' returns. */
typedef int (*snapshot_fn)(uint64_t cluster_id, const Viaduct__Agent__Desired *desired, void *arg);
must_check int snapshot_read(const char *path, snapshot_fn fn, void *arg);
