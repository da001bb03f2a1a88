/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edge's two parts in giving a NAT gateway to another one with what it translates (EDGE-6;
 * abi/agent.proto says the order): the one that has it tells its translations, a stretch at a time,
 * and at the end gives out no more ports; the heir has a gateway that stands by, and takes them.
 *
 * Nothing of it is kept.  What nothing is heard of for LIMIT_AGENT_HANDOFF_MS, and everything when
 * the session ends, is as though it had not begun: the gateway gives out ports again; one that
 * stands by goes, unless the manager has given it by then.  An agent that starts finds the one open
 * and deletes the other, as it does with all that is not desired.
 *
 * Ownership: embedded; borrows 'reconcile'.  Threading: the loop's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/agent.pb-c.h"
#include "agent/desired.h"
#include "base/list.h"
#include "base/loop.h"

struct reconcile;

struct handoff {
	struct loop *loop;
	struct reconcile *reconcile;
	struct list given, taken; /* gateways */
	struct timer sweep;
	int (*send)(const Viaduct__Agent__Frame *frame, void *arg);
	void *arg;
};

void handoff_init(struct handoff *h, struct loop *loop, struct reconcile *reconcile,
		  int (*send)(const Viaduct__Agent__Frame *frame, void *arg), void *arg);
void handoff_deinit(struct handoff *h);
/* The session has ended. */
void handoff_end(struct handoff *h);

/* Each is answered at once. */
void handoff_tell(struct handoff *h, const Viaduct__Agent__TranslationsRead *m);
void handoff_take(struct handoff *h, const Viaduct__Agent__TranslationsWrite *m);

/* The gateway is deleted: it may come again, as another's heir. */
void handoff_gone(struct handoff *h, uint32_t handle);
/* Whether a gateway that is desired gives out no ports now; whether one that is not stands by. */
bool handoff_closes(const struct handoff *h, uint32_t handle);
bool handoff_stands_by(const struct handoff *h, uint32_t handle);
