/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain twin of the table of connections: a list without hashes, sets or limits, and the states
 * written down as a table of their own.  Random sequences of packets have to fare alike with both.
 *
 * Every two bytes are an event: who sends what to whom over which ports, or time that passes.  Uses
 * the laboratory of policy_lab.h, whose nodes a and c are clients and b a server.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Groups of the nodes for twin_play(). */
void twin_set_up(void);
/* Begins with no connection; fails the test at the first event that the two disagree about. */
void twin_play(const uint8_t *events, size_t size);
