/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agents of this machine by their control sockets (viaduct-agent(8)): those of a lab, or the
 * machine's own.  Blocks, at most LIMIT_CTL_REQUEST_MS.  Complains; 0 or a negative errno.
 */
#pragma once

#include "ctl/client.h"
#include "ctl/command.h"

struct agent_sockets {
	char *directory;
	char prefix[16]; /* of the sockets' names, before the host's: a lab's; "" */
	char **names;    /* of the agents, as the user knows them ("h1"), NULL-terminated, sorted */
};

/* The lab's that 'inv' means, or else the machine's own.  -ENOENT: none runs here. */
must_check int agent_sockets_find(const struct invocation *inv, struct agent_sockets *ret);
void agent_sockets_deinit(struct agent_sockets *s);
#define _cleanup_agent_sockets_ _cleanup_(agent_sockets_deinit)

/* One request to the agent 'name'; 'body' is its object (borrowed). */
must_check int agent_socket_request(const struct agent_sockets *s, const char *name,
				    const json_t *body, json_t **ret);
