/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desired state on disk, so that an agent that starts without its manager knows what its ports
 * are and goes on serving them (DHCP, DNS, restarts), and can tell the manager what it has.
 *
 * The file holds records of the agent protocol: a Welcome with cluster id and revision, a full
 * Desired, and the differences that came since.  Each Desired is added before it is applied, so an
 * agent that is killed finds what its programs carry, and never an older state; now and then all is
 * written anew, which is durable.  A file that is cut short is read up to there.
 *
 * Errors: 0 or a negative errno; -ENOENT: there is none; -EBADMSG: it is damaged, and as good as
 * none.
 */
#pragma once

#include "agent/desired.h"
#include "base/limits.h"
#include "wire/frame.h"

enum { SNAPSHOT_SIZE_MAX = 3 * LIMIT_WIRE_FRAME_SIZE };

/* Replaces the file, atomically and durably, by all of 'd'. */
must_check int snapshot_write(const char *path, struct desired *d, uint64_t cluster_id,
			      uint64_t revision);
/* Adds 'm', or begins the file anew with it if it is full.  It outlives the process, not a crash of
 * the host.  On failure the file is as it was; -EFBIG: it is time for snapshot_write(). */
must_check int snapshot_append(const char *path, const Viaduct__Agent__Desired *m,
			       uint64_t cluster_id);

/* Reads the file and calls 'fn' with each Desired in it, the first one full, which lives until 'fn'
 * returns. */
typedef int (*snapshot_fn)(uint64_t cluster_id, const Viaduct__Agent__Desired *desired, void *arg);
must_check int snapshot_read(const char *path, snapshot_fn fn, void *arg);
