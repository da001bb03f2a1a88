/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intake: what agents report about their hosts becomes changes of the model.
 *
 * Acknowledged revisions, capabilities and transitions of instances are gathered during one turn of
 * the loop and written in one transaction for all agents.  They are kept until they are durable: a
 * report whose commit failed is written again a moment later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/agent.pb-c.h"

struct agent;
struct manager;

void intake_ack(struct manager *manager, struct agent *agent, const Viaduct__Agent__Ack *ack);
void intake_capabilities(struct manager *manager, struct agent *agent,
			 const Viaduct__Agent__Capabilities *report);
void intake_status(struct manager *manager, struct agent *agent,
		   const Viaduct__Agent__InstanceStatus *status);

/* Writes what was gathered, as far as one turn of the loop allows; returns whether it has done
 * something and is to be called again in the next one. */
bool intake_absorb(struct manager *manager);
void intake_durable(struct manager *manager, uint64_t revision);
/* Changes were undone: what they held is gathered again. */
void intake_undone(struct manager *manager);
/* Frees what an agent has reported. */
void intake_clear(struct agent *agent);
