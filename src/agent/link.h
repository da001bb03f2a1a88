/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link to the system manager: one session at a time, opened again whenever it ends.
 *
 * Life: DOWN -> DIALLING -> GREETING (the Hello is sent) -> UP (the Welcome came). A link that
 * comes down waits before it dials again: from LIMIT_AGENT_BACKOFF_MIN_MS, doubled at each failure
 * up to LIMIT_AGENT_BACKOFF_MAX_MS, spread at random so that a thousand hosts do not come back as
 * one. The managers known are tried in turn. A manager that refuses us (unknown host, no common
 * version) is asked again at the longest interval: an operator has to act.
 *
 * How a session is dialled is the caller's business, so that tests use pairs in virtual time.
 *
 * Ownership: embedded; owns its session.  Threading: the loop's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "wire/session.h"

enum link_state { LINK_DOWN, LINK_DIALLING, LINK_GREETING, LINK_UP };

struct link_dialer {
	/* Begins a session with manager 'index' of 'n'. */
	int (*dial)(void *arg, size_t index, const struct session_callbacks *callbacks, void *user,
		    struct session **ret);
	size_t n;
	void *arg;
};

struct link_ops {
	/* Sends the Hello. */
	int (*greet)(struct session *session, void *arg);
	void (*up)(const Viaduct__Agent__Welcome *welcome, void *arg);
	/* A frame other than Welcome and Goodbye, while up. */
	void (*received)(const Viaduct__Agent__Frame *frame, void *arg);
	void (*down)(void *arg); /* it was up */
};

struct link {
	struct loop *loop;
	struct link_dialer dialer;
	const struct link_ops *ops;
	void *arg;
	enum link_state state;
	struct session *session;
	struct timer timer; /* DOWN: the next dial; DIALLING, GREETING: patience */
	uint64_t backoff_ms;
	bool refused;        /* the manager does not want us */
	size_t next;         /* manager to dial */
	uint64_t n_sessions; /* that came up */
	char error[256];     /* why it is down; "" while up */
};

void link_init(struct link *l, struct loop *loop, const struct link_dialer *dialer,
	       const struct link_ops *ops, void *arg);
void link_deinit(struct link *l); /* says Goodbye, as far as the loop still turns */
void link_start(struct link *l);
/* -ENOTCONN unless up; otherwise as session_send(). */
must_check int link_send(struct link *l, const Viaduct__Agent__Frame *frame);
/* Ends the session because of what the manager did; the next one resyncs. */
void link_reset(struct link *l, const char *text);
const char *link_state_text(enum link_state state);
