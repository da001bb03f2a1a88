/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local control socket: what the agent knows, for the command line and for tests.
 *
 * A stream socket, one JSON object per line each way: {"request":"status"} gives {"status":{...}},
 * a request that is not known {"error":{"code","message"}}.  Requests: status, ports, mappings,
 * drops, capabilities, peers, instances, connections (of one "interface" if that is given), edge,
 * and probe, which starts a new probe.  Only root (or the agent's own user) may connect: the file's
 * mode says so and the peer is checked.
 *
 * A client that sends lines without end, or does not read its answers, is disconnected.
 *
 * Ownership: embedded; the agent is borrowed.  Threading: the loop's.
 */
#pragma once

#include "agent/agent.h"
#include "base/list.h"

struct control {
	struct agent *agent;
	const char *resolv_dir; /* where the nodes' resolv.conf are; borrowed */
	char *path;
	int fd;
	struct watch watch;
	struct list clients;
	size_t n_clients;
};

/* Listens at 'path'; a socket left by a dead agent is replaced. */
must_check int control_init(struct control *c, struct agent *agent, const char *path,
			    const char *resolv_dir);
void control_deinit(struct control *c);

/* The answer to one line, to be freed; NULL without memory.  Ends with a newline. */
char *control_answer(struct control *c, const char *line, size_t length);
