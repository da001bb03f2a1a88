/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Senders that have not heard: their hosts still send to an address that was here and is not any
 * more. The manager is told which, and tells them what is so now.
 *
 * The data plane shows only packets whose source lives at the host that sent them. Each (host,
 * address) is told once in LIMIT_AGENT_STALE_AGAIN_MS, of each host so many at a time
 * (LIMIT_AGENT_STALE_PER_PEER): one that tries addresses takes nobody's place. To a manager that
 * does not know of it (Welcome.stale), or is away, nothing is told.
 *
 * One thread, the loop's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/agent.pb-c.h"
#include "base/hmap.h"
#include "base/list.h"
#include "base/loop.h"
#include "datapath/datapath.h"

typedef int (*stale_send_fn)(const Viaduct__Agent__Frame *frame, void *arg);

struct stale {
	struct loop *loop;
	struct hmap notices;
	struct list by_age, waiting; /* the oldest first; those that are still to be told */
	struct timer tell;
	bool taken; /* by a manager, now */
	stale_send_fn send;
	void *arg;
	uint64_t n_told; /* since the start */
};

void stale_init(struct stale *s, struct loop *loop, stale_send_fn send, void *arg);
void stale_deinit(struct stale *s);
/* A session with a manager that takes it has begun; or none is any more. */
void stale_begin(struct stale *s);
void stale_end(struct stale *s);
/* Of an upcall of that kind, which is freed. */
void stale_take(struct stale *s, struct dp_upcall *u);
