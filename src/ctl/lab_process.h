/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes of a lab, as /proc tells of them: which one is still the one that was started, and
 * which ones are inside a namespace.  Errors: 0 or a negative errno.
 */
#pragma once

#include "ctl/lab.h"

/* When a process started, in clock ticks since boot.  -ESRCH: it has ended (or is a zombie). */
must_check int lab_process_start_time(pid_t pid, uint64_t *ret);
bool lab_process_is_running(const struct lab_process *p);
/* Ends all processes inside the network namespaces of 'netns_fds', at once: SIGTERM, at most
 * 'grace_ms' for all together, SIGKILL.  -ETIMEDOUT: one does not even die of that. */
must_check int lab_process_end_inside(const int *netns_fds, size_t n, int grace_ms);
