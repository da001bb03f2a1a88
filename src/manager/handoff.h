/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handing over: a NAT gateway of an edge that is drained goes to another edge, its heir, with what
 * it translates, so that no connection ends (EDGE-6).  abi/agent.proto says in which order.
 *
 * The manager carries the translations between the two, a stretch at a time: it asks the one for
 * some, writes them to the other, and goes on when they are there.  It keeps none, so what a table
 * holds bounds nothing here, and a turn of the loop has one stretch.  Only when all is at the heir
 * the model is changed, which gives it the gateway.
 *
 * What goes wrong before that has changed nothing: it begins anew after LIMIT_HANDOFF_AGAIN_MS,
 * with another heir if there is one.  An edge that cannot tell, LIMIT_HANDOFF_FAILURES times, loses
 * its gateway without; one that dies is lost as ever (model/edge.h), and whoever is drained no more
 * keeps it.  A manager that starts begins anew.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/agent.pb-c.h"
#include "base/list.h"

struct agent;
struct manager;

struct handoffs {
	struct list list; /* under way, or to be tried again */
	size_t n, n_underway;
	uint64_t seq;    /* of the last exchange */
	uint64_t n_done; /* gateways that went with all that they translated */
};

void handoffs_init(struct handoffs *handoffs);
void handoffs_deinit(struct handoffs *handoffs);
/* Begins what is due, and gives up what gets no answer. */
void handoff_tick(struct manager *manager);
/* An edge's answers. */
void handoff_read(struct manager *manager, const struct agent *agent,
		  const Viaduct__Agent__Translations *m);
void handoff_written(struct manager *manager, const struct agent *agent,
		     const Viaduct__Agent__TranslationsWritten *m);
void handoff_session_ended(struct manager *manager, const struct agent *agent);
