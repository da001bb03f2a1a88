/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemons of a lab: found beside this program, started inside their namespaces with logs in the
 * lab's folder, recorded in lab.json.
 *
 * Functions complain; when a daemon is to blame, with the end of its log.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "ctl/lab.h"

/* Makes the manager's state and writes the lab's own admin.json.  The lab's port is chosen here:
 * the first from 8773 that no lab has; the socket is '*ret_socket'. */
must_check int lab_daemon_init_manager(struct lab *l, int *ret_socket);
/* Binds the API's socket on the port that the lab has already. */
must_check int lab_daemon_bind(const struct lab *l, int *ret_socket);
must_check int lab_daemon_start_manager(struct lab *l, int socket);
/* Writes a host's join bundle and installs it in the agent's state. */
must_check int lab_daemon_join(const struct lab *l, uint32_t node, const json_t *bundle);
/* 'build': the program of another build of the agent; NULL: the one beside this. */
must_check int lab_daemon_start_agent(struct lab *l, uint32_t node, const char *build);

/* True when the daemon of 'node' runs. */
bool lab_daemon_is_running(const struct lab *l, uint32_t node);
/* Ends a daemon: SIGTERM, then SIGKILL. */
must_check int lab_daemon_stop(struct lab *l, uint32_t node);

/* Prints the end of a daemon's log, for whoever wonders why the lab did not come up. */
void lab_daemon_show_log(const struct lab *l, uint32_t node);
