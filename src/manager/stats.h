/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What agents count and see: the last Stats of each (kept in the agent), and the last LIMIT_EVENTS
 * events of the cluster.  In memory only: agents count from their own start, and say it again.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/agent.pb-c.h"
#include "base/list.h"
#include "net/addr.h"

struct agent;

struct event {
	struct list node; /* the newest first */
	uint32_t host;
	Viaduct__Agent__Event *message;
};

struct events {
	struct list list;
	size_t n;
};

void events_init(struct events *events);
void events_deinit(struct events *events);
void events_take(struct events *events, const struct agent *agent,
		 const Viaduct__Agent__Events *message);
/* Keeps a copy; when there is no memory, what was there before. */
void stats_take(struct agent *agent, const Viaduct__Agent__Stats *message);
