/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metering: adds up what hosts report of interfaces (model/usage.h), in memory at each report and
 * in the store once a minute.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/agent.pb-c.h"
#include "base/hmap.h"
#include "base/list.h"
#include "model/usage.h"

struct agent;
struct clock;
struct manager;

struct metering {
	struct hmap entries; /* interfaces that hosts have reported since this manager runs */
	struct list due;     /* those that are to be stored, the longest waiting first */
	uint64_t began_ms;   /* wall time: when this manager started */
	uint64_t expire_ms;  /* of the monotonic clock: when to look for what is over */
};

void metering_init(struct metering *m, const struct clock *clock);
void metering_deinit(struct metering *m);
void metering_take(struct manager *manager, const struct agent *agent,
		   const Viaduct__Agent__Stats *stats);
/* Stores what is due; also at the end, then all of it. */
void metering_tick(struct manager *manager, bool all);
/* As of the last report; false: nothing is known of the interface. */
bool metering_get(const struct manager *manager, uint64_t interface, struct usage *ret);
