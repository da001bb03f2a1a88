/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates of hosts, renewed in time: an agent whose certificate is in the last third of its
 * life is given the next one over its session, which is as private as the bundle was.  The old one
 * stays good until it ends, so nothing is lost when the agent cannot keep the new one: it is given
 * another in its next session.
 *
 * Threading: the loop's thread.
 */
#pragma once

struct agent;
struct manager;

/* The agent has a new session. */
void renew_begin(struct manager *manager, struct agent *agent);
/* From time to time: sessions last longer than certificates. */
void renew_tick(struct manager *manager);
