/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the control socket (agent/control.h): answers that are in files of their own.  Each
 * gives what stands behind the request's name in the answer; NULL without memory.
 */
#pragma once

#include <jansson.h>

#include "agent/control.h"

json_t *control_addr(const struct ipaddr *a); /* null for none */

/* The tracked connections: of the request's "interface", or of all; the first of them if there are
 * many. */
json_t *control_connections(struct control *c, const json_t *request);
/* What an edge has: gateways, public addresses, announcements. */
json_t *control_edge(struct control *c, const json_t *request);
