/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares of descriptors: whoever opens connections to one of the manager's ports takes none from
 * the other, nor from the store.
 *
 * The kernel gives out the lowest number that is free.  So HTTP stops to accept when no number
 * below 'http_end' is (manager/crowd.h), connections of agents are moved to numbers from 'http_end'
 * to 'agents_end' (manager/gate.h), and all else finds room behind them when there is none before.
 */
#pragma once

#include <sys/resource.h>

struct descriptors {
	int http_end, agents_end;
};

/* No limits but the process's own: for tests and benches that have one kind of connection. */
extern const struct descriptors descriptors_unlimited;

/* Shares out what a process with the limit 'n' of RLIMIT_NOFILE has. */
struct descriptors descriptors_share_out(rlim_t n);
/* Raises the process's limit as far as it may go, and shares that out. */
struct descriptors descriptors_raise(void);
