/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemons of a lab: found beside this program, started inside their namespaces with logs in the
 * lab's folder, recorded in lab.json, waited for.
 *
 * Functions complain; when a daemon is to blame, with the end of its log.
 */
#pragma once

#include <stdbool.h>

#include "ctl/client.h"
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

/* A condition: 1 when it holds, 0 when not yet, or a negative errno. */
typedef int (*lab_condition_fn)(struct client *c, const struct lab *l, uint32_t node,
				struct client_error *e);
enum { LAB_ALL_NODES = UINT32_MAX };
/* Waits until it holds for 'node'.  Gives up after LIMIT_LAB_START_MS, when the daemon of 'node'
 * (or any, for LAB_ALL_NODES) ends, or a signal wants us to end (-EINTR); 'what' says for what it
 * waited. */
must_check int lab_daemon_wait(const struct lab *l, struct client *c, uint32_t node,
			       const char *what, lab_condition_fn condition);
/* Conditions. */
int lab_manager_answers(struct client *c, const struct lab *l, uint32_t node,
			struct client_error *e);
/* The agent listens on its control socket: it has adopted what it found. */
int lab_agent_answers(struct client *c, const struct lab *l, uint32_t node, struct client_error *e);
int lab_agents_connected(struct client *c, const struct lab *l, uint32_t node,
			 struct client_error *e);

/* SIGINT and SIGTERM from now on only end the waiting above. */
void lab_daemon_defer_signals(void);
