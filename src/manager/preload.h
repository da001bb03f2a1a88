/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloading (MAP-7): the mappings of marked networks (model/preload.h) on their way to the agents
 * that carry them.
 *
 * Each network that is due to a connected agent is a *preload* of it, for as long as the session.
 * It begins with a walk over the network (manager/offer.h), by which nothing is sent that the agent
 * has already; from then on every change is pushed (preload_tell()).
 *
 * Whoever is offered a mapping is on record as its holder from then on, without an end
 * (HOLDERS_NEVER).  When the preload ends, these entries get the lifetime that the agent gives its
 * copies then.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct agent;
struct manager;
struct mapping;

/* A session has begun: everything that is due.  Before the agent's mappings go on record. */
void preload_begin(struct manager *manager, struct agent *agent);
/* The agent keeps what it has of the network without a lifetime, also what it asked for. */
bool preload_keeps(const struct agent *agent, uint32_t vni);
/* What the host is told of the network changed at 'revision', which is durable. */
void preload_check(struct manager *manager, struct agent *agent, uint32_t vni, uint64_t revision);
/* Changes that were taken into account have been undone. */
void preload_review(struct manager *manager);
/* 'now' is durable: puts those on record as holders who are to be told of it. */
void preload_tell(struct manager *manager, const struct mapping *now);
/* Offers what has room now; to be called when the desired state has been sent. */
void preload_fill(struct manager *manager, struct agent *agent);
/* There may be room again. */
void preload_more(struct manager *manager, struct agent *agent);
/* The agent let a mapping of the network go. */
void preload_released(struct manager *manager, struct agent *agent, uint32_t vni);
void preload_tick(struct manager *manager);
/* The session ends. */
void preload_clear(struct agent *agent);
