/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads between the sealing device and UDP: what the device has is sealed and sent, what is
 * received is opened and written to the device.  One thread does both ways while it can; else a
 * second one opens, and the first seals only (duty.h).  A way is one thread's at a time, so that
 * order is kept.
 *
 * They work in batches: until the device or the sockets are empty, or for so long that the other
 * way waits; and then what waits is sent and written.  The table is changed between batches.
 *
 * Ownership: engine_new() to engine_free(), which waits for its threads.  Threading: called by one
 * thread, which is none of them.
 */
#pragma once

#include "base/err.h"
#include "seal/protocol.h"
#include "seal/table.h"

struct engine;

/* 'shared' and 'past' are borrowed.  -ENODEV: the device is not there. */
must_check int engine_new(const struct seal_image *image, struct seal_shared *shared,
			  struct past *past, struct engine **ret);
struct engine *engine_free(struct engine *e);
/* Whether the device and the addresses are these. */
bool engine_is_for(const struct engine *e, const struct seal_image *image);
/* Whether a thread has ended because of its device. */
bool engine_is_broken(const struct engine *e);
/* How many threads do the work at this moment: 1 or 2. */
unsigned int engine_n_at_work(const struct engine *e);
/* The threads run on these processors alone from now on; empty: where the caller may.  -EINVAL:
 * none of them is there, and they run where they did. */
must_check int engine_bind(struct engine *e, const struct cpus *cpus);
/* With all that is in the image from the next batch on. */
must_check int engine_configure(struct engine *e, const void *image, size_t size);
