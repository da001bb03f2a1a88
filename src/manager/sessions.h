/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: which agents are connected, and where their frames go.
 *
 * A connection becomes an agent's session when its Hello fits: the certificate names a host that is
 * registered, the Hello says the same, the versions overlap.  A second session of a host replaces
 * the first: the host's agent was restarted, or its old path is dead.  A session without a Hello
 * ends after LIMIT_HELLO_MS.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/list.h"
#include "wire/session.h"

struct agent;
struct manager;

enum { SESSIONS_STATS_MS = 2000 }; /* how often agents report what they count */

struct sessions {
	struct list links;
	size_t n;
};

void sessions_init(struct sessions *sessions);
/* Ends all sessions, saying that the manager shuts down. */
void sessions_deinit(struct sessions *sessions, struct manager *manager);

/* What a new session is made with: callbacks, and the user data from sessions_new_user(). */
extern const struct session_callbacks sessions_callbacks;
/* NULL: no memory, or LIMIT_SESSIONS are there. */
void *sessions_new_user(struct manager *manager);
/* The session that was made with it, which may take long to open: it ends with the others. */
void sessions_begin(void *user, struct session *session);
/* The session could not be made after all. */
void sessions_drop_user(void *user);

/* Asks the agent to probe and report.  0; -ENOTCONN. */
must_check int sessions_ask_capabilities(struct agent *agent);

/* The agent's host is no longer registered: ends its session. */
void sessions_remove(struct manager *manager, struct agent *agent);
