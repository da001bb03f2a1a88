/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publishing: turns each change into what the hosts have to be told, and tells them once it is
 * durable.
 *
 * At the change the plan's differences are noted, while the model is as the change left it.  When
 * the change is durable they go to the hosts' outboxes and leave at the end of that turn of the
 * loop, many changes in one Desired.  A host that the differences do not fit (it is new, it was
 * away for too long, it belongs to another cluster's state) gets its whole state.
 */
#pragma once

#include <stdint.h>

#include "manager/journal.h"

struct agent;
struct manager;

/* The journal's observer. */
struct journal_observer publish_observer(struct manager *manager);

/* The agent has come, holding 'revision' of the cluster 'cluster_id'. */
void publish_begin(struct manager *manager, struct agent *agent, uint64_t revision,
		   uint64_t cluster_id);
void publish_acknowledge(struct manager *manager, struct agent *agent, uint64_t revision);
/* Something is to be sent to the agent at the end of this turn of the loop. */
void publish_mark(struct manager *manager, struct agent *agent);
/* Hosts that wait for a revision's acknowledgement and were told nothing at it are told now. */
void publish_tick(struct manager *manager);
void publish_flush(struct manager *manager);
