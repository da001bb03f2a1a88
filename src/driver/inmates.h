/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes that are inside a network namespace: found by what /proc says, ended when the node
 * that the namespace is ends.  Blocks until they are gone.  Errors: 0 or a negative errno.
 */
#pragma once

#include "base/err.h"

/* Ends every process whose network namespace is the one of 'netns_fd': SIGTERM, at most 'grace_ms'
 * of waiting, SIGKILL.  -ETIMEDOUT: one is still there (it hangs inside the kernel).
 * The caller must not be inside. */
must_check int inmates_kill(int netns_fd, int grace_ms);
