/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for the daemons of a lab.  Each gives up after LIMIT_LAB_START_MS, when a daemon that is
 * waited for ends, or when a signal wants us to end (-EINTR), and has complained then, with the end
 * of logs.
 */
#pragma once

#include "ctl/client.h"
#include "ctl/lab.h"

/* SIGINT and SIGTERM from now on only end the waiting. */
void lab_wait_defer_signals(void);

/* The manager answers requests. */
must_check int lab_wait_manager(const struct lab *l, struct client *c);
/* The agent listens on its control socket: it has adopted what it found. */
must_check int lab_wait_agent(const struct lab *l, struct client *c, uint32_t node);
/* All hosts have confirmed what the manager knows of them and of each other: a packet from any to
 * any is carried.  -ENOTSUP at once for one that cannot carry any; of those that may not, as they
 * are configured, there is a note. */
must_check int lab_wait_hosts(const struct lab *l, struct client *c);
