/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Senders that have not heard (MAP-3, MAP-4): a host tells that another one still sends to an
 * address that was there and is not any more.  What is so now is pushed to the sender's host again,
 * whatever it was told before.
 *
 * Nobody learns what he may not know: the source has to live at the host that it was sent from, and
 * that host is told what a Resolve in the source's name would answer, or that the address is gone.
 * Where the model says that the address is at the host that tells, that one is behind, and the
 * sender is right: nothing is pushed.
 */
#pragma once

#include "abi/agent.pb-c.h"

struct agent;
struct manager;

/* What 'agent' tells.  A frame that no agent sends ends its session. */
void stale_correct(struct manager *manager, struct agent *agent,
		   const Viaduct__Agent__Stale *stale);
